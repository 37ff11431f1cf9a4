"""Arrays for a program's variables: checked, converted, and drawn where they are missing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.errors import SizeError, UsageError, nearest
from symbackprop.layers.dense import check_layout
from symbackprop.notation.expressions import base_name, is_occurrence, walk
from symbackprop.notation.program import Program, Role, Variable
from symbackprop.notation.sizes import bind_sizes, concrete_shape

__all__ = [
    "INITIALIZATIONS",
    "Initialization",
    "check_arrays",
    "check_count",
    "draw_parameters",
    "in_dtype_of_parameters",
    "initialization_named",
    "position_limits",
]

Array = npt.NDArray[Any]
_KINDS = {"c": "complex numbers", "O": "objects", "U": "strings", "S": "bytes", "M": "dates", "m": "durations"}


def check_arrays(
    program: Program,
    arrays: Mapping[str, Any],
    one_hot: bool = False,
    sizes: Mapping[str, int] | None = None,
) -> dict[str, Array]:
    """``arrays`` as float arrays that fit ``program``, by the names of its declared variables.

    Integers and booleans become float64, float32 stays; integer data stays integers. With ``one_hot``, integer
    labels (N,) for a target (N, K) become its rows. ``sizes`` gives numbers for symbolic sizes.

    Raises UsageError for a name, type or entry that does not fit, SizeError for a shape that does not.
    """
    declared = {variable.name: variable for variable in program.inputs}
    found: dict[str, Array] = {}
    for name, value in arrays.items():
        if name not in declared:
            raise UsageError(f"{program.name} has no input, target or parameter {name!r}; {nearest(name, declared)}")
        found[name] = _numbers(declared[name], value)
    labels = {name for name, array in found.items() if one_hot and _are_labels(declared[name], array)}
    for name in labels:
        _check_whole(name, found[name])
    _check_examples(program, {name: array for name, array in found.items() if name not in labels})
    shapes = {name: array.shape for name, array in found.items() if name not in labels}
    known = bind_sizes(program, shapes, sizes)
    for name in labels:
        found[name] = _one_hot(declared[name], found[name], known)
    if labels:
        known = bind_sizes(program, {name: array.shape for name, array in found.items()}, sizes)
    for name, extent in position_limits(program, known).items():
        if name in found:
            _check_positions(name, found[name], extent)
    return found


def position_limits(program: Program, sizes: Mapping[sympy.Symbol, int]) -> dict[str, int]:
    """For integer data that chooses entries of arrays by itself, as E[c[n], d] does, how many there are to choose from.

    What stands in a sum with an index, as x[n, i + c[n]], is left to the guards beside it.
    """
    limits: dict[str, int] = {}
    for equation in program.equations:
        for node in walk(equation.right):
            if not isinstance(node, sympy.Indexed):
                continue
            for position, extent in zip(node.indices, program.variable(base_name(node)).shape, strict=True):
                number = sympy.sympify(extent.xreplace(dict(sizes)))
                if is_occurrence(position) and number.is_Integer:
                    name = base_name(position)
                    limits[name] = min(int(number), limits.get(name, int(number)))
    declared = {variable.name for variable in program.inputs if variable.integer}
    return {name: limit for name, limit in limits.items() if name in declared}


def _check_positions(name: str, array: Array, extent: int) -> None:
    wrong = np.argwhere((array < 0) | (array >= extent))
    if wrong.size or (array.ndim == 0 and not 0 <= array < extent):
        where = wrong[0] if array.ndim else ()
        value = array[tuple(where)]
        raise UsageError(f"{name}{_at(where)} is {value}, but it chooses one of {extent}; give 0 to {extent - 1}")


def _numbers(variable: Variable, value: Any) -> Array:
    name = variable.name
    if isinstance(value, np.ma.MaskedArray) and value.mask.any():
        raise UsageError(f"{name} has masked entries; fill them in")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "inhomogeneous" in reason:
            reason = "its rows have different lengths"
        raise UsageError(f"{name} is no array of numbers: {reason}") from error
    if array.dtype.kind not in "biuf":
        what = _KINDS.get(array.dtype.kind, str(array.dtype))
        raise UsageError(f"{name} holds {what}{_first_other(value)}; give real numbers")
    if array.size == 0:
        raise SizeError(f"{name} has shape {array.shape}, so it has no entries; give at least one example")
    if not np.isfinite(array).all():
        where = _at(np.argwhere(~np.isfinite(array))[0])
        raise UsageError(f"{name}{where} is {array[~np.isfinite(array)][0]}; give finite numbers")
    if variable.integer:
        return _integers(name, array)
    return array if array.dtype == np.float32 else array.astype(np.float64, copy=False)


def _integers(name: str, array: Array) -> Array:
    whole = np.asarray(np.round(array), dtype=np.float64)
    if (whole != array).any():
        where = np.argwhere(whole != array)[0]
        raise UsageError(f"{name}{_at(where)} is {array[tuple(where)]}; {name} is integer data")
    return array.astype(np.int64)


def _first_other(value: Any) -> str:
    """The first entry that is no real number, for the message."""
    array = np.array(value, dtype=object)
    for position in np.ndindex(array.shape):
        entry = array[position]
        if not isinstance(entry, int | float | np.integer | np.floating):
            shown = repr(entry.item() if isinstance(entry, np.generic) else entry)
            return f", {shown if len(shown) <= 60 else shown[:57] + '...'}{' at ' if position else ''}{_at(position)}"
    return ""


def _at(position: Sequence[int] | Array) -> str:
    """A position as it is written behind the name of an array; nothing for a number."""
    return f"[{', '.join(str(int(p)) for p in position)}]" if len(position) else ""


def _are_labels(variable: Variable, array: Array) -> bool:
    return variable.role is Role.TARGET and len(variable.shape) == 2 and array.ndim == 1


def _check_whole(name: str, labels: Array) -> None:
    wrong = np.argwhere(np.round(labels) != labels)
    if wrong.size:
        raise UsageError(
            f"{name}{_at(wrong[0])} is {labels[tuple(wrong[0])]:g}, which is no label; give integers from 0, or a row "
            "for each example"
        )


def _check_examples(program: Program, arrays: Mapping[str, Array]) -> None:
    """A friendlier word than a wrong number of axes, where one example was given without its axis."""
    for name, array in arrays.items():
        shape = program.variable(name).shape
        if shape and shape[0] == program.batch and array.ndim == len(shape) - 1:
            if len(shape) == 2 and shape[1] == 1:
                raise SizeError(
                    f"{name} has shape {array.shape}, but ({', '.join(map(str, shape))}) was expected: a batch has one "
                    f"row an example; give {name}[:, None]"
                )
            shown = np.array2string(array, separator=", ", threshold=8).replace("\n", "")
            example = f"[{shown}]" if len(shown) <= 60 else "[[...]]"
            raise SizeError(
                f"{name} has shape {array.shape}, but ({', '.join(map(str, shape))}) was expected: a batch has one row "
                f"an example; for one example write {example}"
            )


def _one_hot(variable: Variable, labels: Array, known: Mapping[sympy.Symbol, int]) -> Array:
    name, extent = variable.name, sympy.sympify(variable.shape[1].xreplace(dict(known)))
    if not extent.is_Integer:
        raise SizeError(
            f"{name} holds labels, but the number of classes {extent} is not known; "
            f"give {extent} in sizes, or one-hot rows"
        )
    classes = int(extent)
    wrong = np.argwhere((labels < 0) | (labels >= classes))
    if wrong.size:
        entry = wrong[0]
        raise UsageError(
            f"{name}{_at(entry)} is the label {labels[tuple(entry)]:g}, but labels run from 0 to {classes - 1}; "
            "number the classes from 0, or give the network as many outputs as there are classes"
        )
    return np.eye(classes)[labels.astype(np.int64)]


@dataclass(frozen=True)
class Initialization:
    """A way to draw parameters: one function for weights, and whether vectors and numbers are drawn by it too.

    ``draw`` takes the generator, the shape, fan in and fan out.
    """

    draw: Callable[[np.random.Generator, tuple[int, ...], float, float], Array]
    biases: bool = False


def _within(rng: np.random.Generator, shape: tuple[int, ...], bound: float) -> Array:
    return rng.uniform(-bound, bound, shape)


_GLOROT_UNIFORM = Initialization(
    lambda rng, shape, fan_in, fan_out: _within(rng, shape, math.sqrt(6 / (fan_in + fan_out)))
)
_HE_NORMAL = Initialization(lambda rng, shape, fan_in, fan_out: rng.normal(0, math.sqrt(2 / fan_in), shape))

INITIALIZATIONS: Mapping[str, Initialization] = MappingProxyType(
    {
        "uniform": Initialization(lambda rng, shape, fan_in, fan_out: rng.uniform(-1, 1, shape), biases=True),
        "normal": Initialization(lambda rng, shape, fan_in, fan_out: rng.normal(0, 1, shape), biases=True),
        "glorot": _GLOROT_UNIFORM,
        "glorot_uniform": _GLOROT_UNIFORM,
        "glorot_normal": Initialization(
            lambda rng, shape, fan_in, fan_out: rng.normal(0, math.sqrt(2 / (fan_in + fan_out)), shape)
        ),
        "he": _HE_NORMAL,
        "he_uniform": Initialization(lambda rng, shape, fan_in, fan_out: _within(rng, shape, math.sqrt(6 / fan_in))),
        "he_normal": _HE_NORMAL,
        "zeros": Initialization(lambda rng, shape, fan_in, fan_out: np.zeros(shape)),
    }
)
"""Every initialization by name: "uniform" is U(-1, 1), "normal" N(0, 1), glorot and he as in the papers.

Glorot and Bengio (2010): variance 2 / (fan in + fan out), uniform unless it is said otherwise; He et al. (2015):
variance 2 / fan in, normal unless it is said otherwise. Biases, which are parameters with fewer than two axes, start at
zero there.
"""


def initialization_named(name: str) -> Initialization:
    """The initialization called ``name``."""
    if name not in INITIALIZATIONS:
        raise UsageError(f"unknown initialization {name!r}; {nearest(str(name), INITIALIZATIONS)}")
    return INITIALIZATIONS[name]


def check_count(name: str, value: Any, least: int) -> int:
    """``value`` as an integer; UsageError, which calls it ``name``, unless it is one that is not below ``least``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise UsageError(f"{name} is {value!r}; give an integer, {least} or larger")
    return int(value)


def draw_parameters(
    program: Program,
    sizes: Mapping[str, int] | Mapping[sympy.Symbol, int],
    given: Mapping[str, Any],
    seed: int = 0,
    initialization: str = "glorot_uniform",
    layout: str = "out_in",
) -> dict[str, Array]:
    """Every parameter of ``program``: those ``given``, checked, and the rest drawn, in parameter order.

    The numbers come from ``numpy.random.default_rng(seed)``. ``layout`` says which axis of a weight counts inputs:
    the second ("out_in") or the last but one ("in_out"). Drawn arrays have the dtype of the given ones.
    """
    way = initialization_named(initialization)
    check_count("seed", seed, 0)
    check_layout(layout)
    by_name = {str(symbol): int(number) for symbol, number in sizes.items()}
    names = [variable.name for variable in program.parameters]
    for name in given:
        if name not in names:
            raise UsageError(f"{program.name} has no parameter {name!r}; {nearest(name, names)}")
    arrays = check_arrays(program, given, sizes=by_name)
    shapes = {name: array.shape for name, array in arrays.items()}
    numbers = bind_sizes(program, shapes, by_name)
    dtype = np.result_type(*arrays.values()) if arrays else np.dtype(np.float64)
    rng = np.random.default_rng(seed)
    result: dict[str, Array] = {}
    for variable in program.parameters:
        if variable.name in arrays:
            result[variable.name] = arrays[variable.name]
            continue
        shape = concrete_shape(variable.shape, numbers)
        drawn = way.draw(rng, shape, *_fans(shape, layout)) if len(shape) > 1 or way.biases else np.zeros(shape)
        result[variable.name] = np.asarray(drawn, dtype=dtype)
    return result


def _fans(shape: tuple[int, ...], layout: str) -> tuple[float, float]:
    """Fan in and fan out: (out, in, window...) as PyTorch has it, or (window..., in, out) as Keras does."""
    if len(shape) < 2:
        return 1.0, 1.0
    outputs, inputs, *window = shape if layout == "out_in" else shape[::-1]
    receptive = math.prod(window)
    return float(inputs * receptive), float(outputs * receptive)


def in_dtype_of_parameters(program: Program, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """``arrays`` with every real one in the floating type of the parameters, which the computation follows.

    Where there are none, it follows the data.
    """
    whole = {variable.name for variable in program.inputs if variable.integer}
    leading = [arrays[p.name] for p in program.parameters if p.name in arrays]
    leading = leading or [array for name, array in arrays.items() if name not in whole]
    dtype = np.result_type(*leading, np.float32)
    return {name: array if name in whole else array.astype(dtype, copy=False) for name, array in arrays.items()}
