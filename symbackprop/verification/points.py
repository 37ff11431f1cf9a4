"""Where gradients are checked: at the point that is given, or at several that are drawn from a seed.

A check at one point of one batch misses much: a missing 1/N at batch 1, a transposed matrix in a square layer, a fixed
tolerance at a trained point, where gradients are small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.errors import SizeError, UsageError
from symbackprop.notation.indices import is_size
from symbackprop.notation.program import Program, Role
from symbackprop.notation.sizes import bind_sizes, concrete_shape
from symbackprop.specification.examples import draw_data
from symbackprop.specification.values import check_count, draw_parameters
from symbackprop.verification.noise import nearby
from symbackprop.verification.witness import Witness

__all__ = ["Drawing", "Point", "points"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Gradients = Callable[[Arrays], Arrays]

_DRAWS = 50
_AWAY = 1e-3
_ALMOST = 1e-6
_TRAINING_STEPS = 40
_LARGEST_GROWTH = 10.0
_RATE = 0.5
_LEAST_LOSS = 1e-3
"""The share of the first loss that training leaves: gradients are to be small then, not lost to their own rounding."""


@dataclass(frozen=True)
class Point:
    """Arrays for every declared variable, what the point is called, and what is to be said about it."""

    name: str
    arrays: Arrays
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawing:
    """How missing arrays are drawn.

    ``loss`` is the name of the loss, which says what targets look like, ``layout`` that of the weights, ``sizes`` the
    numbers given for symbolic sizes; the other sizes get small numbers that differ. ``trains`` says whether descending
    leads somewhere, so that a point after some training is worth a check.
    """

    loss: str = ""
    layout: str = "out_in"
    sizes: Mapping[str, int] | None = None
    seed: int = 0
    initialization: str = "glorot_uniform"
    trains: bool = True

    def __post_init__(self) -> None:
        check_count("seed", self.seed, 0)


def points(witness: Witness, given: Arrays, gradients_of: Gradients, drawing: Drawing) -> tuple[Point, ...]:
    """The points at which a gradient function is checked.

    Where ``given`` has everything, that one. Otherwise the missing arrays are drawn, away from kinks: for a batch of
    one example and of several where the data are drawn, and once more after some steps of training with
    ``gradients_of``, from where it has come to.

    Raises SizeError where the numbers for the sizes do not fit, UsageError where no drawn point has a finite loss.
    """
    program = witness.program
    missing = [variable.name for variable in program.inputs if variable.name not in given]
    if not missing:
        if not np.isfinite(witness.loss(given)):
            raise UsageError(f"{program.name}: with these numbers the loss is not finite; give smaller data or weights")
        return (Point("as given", given),)
    found: list[Point] = []
    for batch in _batches(program, given, missing, drawing):
        point = _drawn(witness, given, batch, drawing)
        if point is not None:
            found.append(point)
    if not found:
        raise UsageError(
            f"{program.name}: the loss is not finite at any of {_DRAWS} points drawn from seed {drawing.seed}; "
            "give parameters and data"
        )
    trained = _trained(witness, found[-1], gradients_of) if drawing.trains else None
    return (*found, trained) if trained is not None else tuple(found)


# -- sizes -------------------------------------------------------------------------------------------------------------


def _batches(
    program: Program, given: Arrays, missing: list[str], drawing: Drawing
) -> Iterator[Mapping[sympy.Symbol, int]]:
    """Numbers for all sizes: with a batch of one, then of several; once where the batch is fixed."""
    known = bind_sizes(program, {name: array.shape for name, array in given.items()}, drawing.sizes)
    open_sizes = [symbol for symbol in program.sizes if symbol not in known and symbol != program.batch]
    numbers = _small_numbers(program, known, open_sizes)
    batch = program.batch
    if batch is None or not is_size(batch) or batch in known:
        yield numbers
        return
    yield {**numbers, batch: 1}
    widths = {int(extent) for v in program.variables.values() for extent in _extents(v.shape, numbers)}
    yield {**numbers, batch: next(number for number in range(2, len(widths) + 4) if number not in widths)}


def _small_numbers(
    program: Program, known: Mapping[sympy.Symbol, int], open_sizes: list[sympy.Symbol]
) -> dict[sympy.Symbol, int]:
    """Different small numbers for ``open_sizes``, and different from the numbers that stand in the program."""
    taken = {int(e) for v in program.variables.values() for e in _extents(v.shape, known)}
    free = [number for number in range(2, 2 + len(taken) + len(open_sizes)) if number not in taken][: len(open_sizes)]
    # A window must fit into what it slides over, whichever of the two was named first.
    for order in (free, free[::-1], [2 * number for number in free]):
        numbers = {**known, **dict(zip(open_sizes, order, strict=True))}
        if all(int(e) > 0 for v in program.variables.values() for e in _extents(v.shape, numbers)):
            return numbers
    listed = ", ".join(symbol.name for symbol in open_sizes)
    raise SizeError(f"{program.name}: no small numbers fit the sizes {listed}; give them in sizes ([sizes] of a file)")


def _extents(shape: tuple[sympy.Expr, ...], numbers: Mapping[sympy.Symbol, int]) -> list[sympy.Expr]:
    """The extents of ``shape`` that are numbers."""
    found = [sympy.sympify(extent.xreplace(dict(numbers))) for extent in shape]
    return [extent for extent in found if extent.is_Integer]


# -- drawing -----------------------------------------------------------------------------------------------------------


def _drawn(witness: Witness, given: Arrays, numbers: Mapping[sympy.Symbol, int], drawing: Drawing) -> Point | None:
    """The first of several draws that is away from every kink, else the farthest; None where no loss is finite."""
    best: tuple[float, Arrays] | None = None
    for attempt in range(_DRAWS):
        arrays = _one_draw(witness.program, given, numbers, drawing, attempt)
        distance = witness.distance(arrays)
        if np.isfinite(witness.loss(arrays)) and (best is None or distance > best[0]):
            best = (distance, arrays)
        if best is not None and best[0] >= _AWAY:
            break
    if best is None:
        return None
    batch = numbers.get(witness.program.batch)
    examples = "" if batch is None else f", a batch of {batch}"
    notes: tuple[str, ...] = ()
    if best[0] < _AWAY:
        notes = (f"no draw of {_DRAWS} lies farther than {best[0]:.1e} from every kink; this is the farthest",)
    return Point(f"drawn from seed {drawing.seed}{examples}", best[1], notes)


def _one_draw(
    program: Program, given: Arrays, numbers: Mapping[sympy.Symbol, int], drawing: Drawing, attempt: int
) -> Arrays:
    rng = np.random.default_rng([drawing.seed, attempt])
    seed = drawing.seed if attempt == 0 else int(rng.integers(2**31))
    by_name = {symbol.name: number for symbol, number in numbers.items()}
    data = draw_data(program, drawing.loss, by_name, seed)
    # Weights of zero are all alike and lie on every kink: nothing can be told apart there.
    way = "glorot_uniform" if drawing.initialization == "zeros" else drawing.initialization
    weights = {v.name: given[v.name] for v in program.parameters if v.name in given}
    parameters = draw_parameters(program, by_name, weights, seed, way, layout=drawing.layout)
    arrays: dict[str, Array] = {}
    for variable in program.inputs:
        name = variable.name
        shape = concrete_shape(variable.shape, numbers)
        if name in given:
            arrays[name] = given[name]
        elif variable.role is Role.PARAMETER:
            # A bias of zero hides what is done to biases.
            drawn = parameters[name]
            arrays[name] = rng.uniform(-0.5, 0.5, shape) if drawn.ndim < 2 and not drawn.any() else drawn
        elif variable.role is Role.INPUT and not variable.integer:
            # Not the round numbers of a worked example: an input of exactly 0 hides a whole column of weights.
            arrays[name] = rng.normal(size=shape)
        else:
            arrays[name] = data[name]
    return {name: _wide(array) for name, array in arrays.items()}


def _wide(array: Array) -> Array:
    return np.asarray(array, dtype=np.float64) if array.dtype.kind == "f" else array


# -- training ----------------------------------------------------------------------------------------------------------


def _trained(witness: Witness, start: Point, gradients_of: Gradients) -> Point | None:
    """``start`` after some plain gradient steps; None where none of them made the loss smaller."""
    names = [variable.name for variable in witness.program.parameters]
    arrays, loss, steps = start.arrays, witness.loss(start.arrays), 0
    least = _LEAST_LOSS * loss if loss > 0 else -np.inf
    rate = _first_rate(loss, gradients_of(arrays), names)
    largest = _LARGEST_GROWTH * max(1.0, *(float(np.abs(arrays[name]).max()) for name in names))
    for _ in range(_TRAINING_STEPS):
        gradients = gradients_of(arrays)
        with np.errstate(all="ignore"):
            stepped = {name: arrays[name] - rate * gradients[name] for name in names if name in gradients}
        moved = {**arrays, **stepped}
        after = witness.loss(moved)
        if not (least <= after <= loss and all(np.abs(moved[name]).max() <= largest for name in names)):
            rate /= 2
            continue
        arrays, loss, steps = moved, after, steps + 1
    if steps == 0:
        return None
    noun = "step" if steps == 1 else "steps"
    return _off_kinks(witness, replace(start, name=f"after {steps} {noun} of training", arrays=arrays, notes=()))


def _first_rate(loss: float, gradients: Arrays, names: list[str]) -> float:
    """The rate of the first step, which to first order takes no more off the loss than there is of it.

    With hundreds of inputs a larger one overshoots, and every unit behind them is saturated ever after.
    """
    with np.errstate(all="ignore"):
        slope = sum(float(np.sum(np.square(gradients[name]))) for name in names if name in gradients)
    return min(_RATE, loss / slope) if loss > 0 and 0 < slope < np.inf else _RATE


def _off_kinks(witness: Witness, point: Point) -> Point:
    """``point``, moved a little where training has come to rest on a kink."""
    names = tuple(variable.name for variable in witness.program.parameters)
    rng = np.random.default_rng(0)
    best = point
    for _ in range(_DRAWS):
        if witness.distance(best.arrays) >= _ALMOST:
            return best
        candidate = nearby(point.arrays, names, rng, 1e-3)
        if witness.distance(candidate) > witness.distance(best.arrays):
            best = replace(point, name=f"{point.name}, moved off a kink", arrays=candidate)
    return best
