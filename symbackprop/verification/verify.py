"""The verification of a gradient function: every weight, at every point, by finite differences."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.errors import SizeError, UsageError, nearest
from symbackprop.notation.program import Program, Role
from symbackprop.specification.examples import is_categorical
from symbackprop.specification.targets import check_targets
from symbackprop.specification.values import check_arrays, check_count
from symbackprop.verification.checks import Scheme, verify_point
from symbackprop.verification.curve import Curve, error_curve
from symbackprop.verification.dispatch import Workers
from symbackprop.verification.incremental_checks import verify_point_incrementally
from symbackprop.verification.ladder import DEFAULT_EPS, METHODS
from symbackprop.verification.points import Drawing, points
from symbackprop.verification.report import Report, array_report, worst_entries
from symbackprop.verification.witness import Witness, scalar_operations, witness_of

__all__ = ["check_order", "checked_values", "given_values", "gradient_function", "scheme", "verify"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Gradients = Callable[[Arrays], Arrays]

_PLAIN = Drawing()
_MOST_BY_LADDER = 5_000
_MOST_WORK = 500_000_000
"""Up to how many weights, and scalar operations over all forward passes of one step, the ladder is cheap."""


def verify(
    program: Program,
    gradients_of: Gradients,
    given: Mapping[str, Any],
    drawing: Drawing = _PLAIN,
    *,
    wrt: Sequence[str] | None = None,
    unreached: Sequence[str] = (),
    method: str = "auto",
    eps: float | None = None,
    executor: Executor | None = None,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Hold the gradients that ``gradients_of`` computes against finite differences of the loss of ``program``.

    ``program`` may be a forward program or one with adjoint equations; only its forward equations are perturbed.
    ``gradients_of`` takes the arrays of all declared variables and returns the gradient of each of ``wrt`` (all
    parameters by default) by name, none for those in ``unreached``; it is the code under test. ``given`` has arrays by
    name; what it lacks is drawn as ``drawing`` says, and then several points are checked. Everything is computed in
    float64. ``progress`` is called with the number of weights done and the number of all. ``executor`` or so many
    ``jobs`` do the blocks of weights that incremental differences are taken of.

    Raises UsageError and SizeError where a value, a name, a shape or a method does not fit.
    """
    chosen = scheme(method, eps)
    workers = _workers(method, executor, jobs)
    started = time.perf_counter()
    witness = witness_of(program, drawing.sizes)
    names = tuple(variable.name for variable in program.parameters) if wrt is None else tuple(wrt)
    adjoint = program if any(variable.role is Role.ADJOINT for variable in program.variables.values()) else None

    def tested(arrays: Arrays) -> dict[str, Array]:
        # What the code under test does to its arguments must not reach the witness.
        return _checked(
            gradients_of({name: array.copy() for name, array in arrays.items()}), arrays, names, unreached, witness
        )

    values = checked_values(program, given, drawing)
    where = points(witness, values, tested, drawing)
    gradients = [tested(point.arrays) for point in where]
    step = _counter(progress, sum(array.size for found in gradients for array in found.values()))
    if method == "auto":
        cheap = workers is None and all(
            _is_cheap(witness, point.arrays, found) for point, found in zip(where, gradients, strict=True)
        )
        method = "ladder" if cheap else "incremental"
    results = [
        verify_point_incrementally(witness, found, point.arrays, adjoint=adjoint, workers=workers, progress=step)
        if method == "incremental"
        else verify_point(witness, found, point.arrays, chosen, adjoint=adjoint, progress=step)
        for point, found in zip(where, gradients, strict=True)
    ]
    curves = tuple(_curves(witness, gradients[0], where[0].arrays))
    return Report(
        arrays={
            name: array_report([result.judgements[name] for result in results], gradients[0][name].shape)
            for name in names
        },
        worst=worst_entries(
            [result.judgements for result in results],
            [{name: array.shape for name, array in found.items()} for found in gradients],
        ),
        points=tuple(point.name for point in where),
        method=method,
        evaluations=sum(result.evaluations for result in results),
        seconds=time.perf_counter() - started,
        notes=tuple(
            f"{point.name}: {note}"
            for point, result in zip(where, results, strict=True)
            for note in (*point.notes, *result.notes)
        ),
        curves=curves,
    )


def scheme(method: str, eps: float | None) -> Scheme:
    """The differences called ``method``, with the step ``eps`` or its default; UsageError where they do not fit."""
    if method not in METHODS:
        raise UsageError(f"unknown method {method!r}; {nearest(str(method), METHODS)}")
    if eps is None:
        return Scheme("ladder" if method == "auto" else method, DEFAULT_EPS.get(method, 0.0))
    if method not in DEFAULT_EPS:
        what = "incremental verification chooses" if method == "incremental" else "the ladder chooses"
        raise UsageError(f"eps is {eps}, but {what} its steps; leave eps out, or say method='forward'")
    if isinstance(eps, bool) or not isinstance(eps, int | float) or not (math.isfinite(eps) and eps > 0):
        raise UsageError(f"eps is {eps!r}; give a positive number, such as 1e-6")
    return Scheme(method, float(eps))


def check_order(order: int) -> None:
    """UsageError for an order other than 1 and 2."""
    if isinstance(order, bool) or order not in (1, 2):
        raise UsageError(f"order is {order!r}; give 1 for the gradient, or 2 for the Hessian times a direction")


def _workers(method: str, executor: Executor | None, jobs: int | None) -> Workers | None:
    if executor is None and jobs is None:
        return None
    if method not in ("auto", "incremental"):
        raise UsageError(f"method {method!r} runs in this process; leave executor and jobs out, or the method")
    if executor is not None and jobs is not None:
        raise UsageError("executor and jobs both say who is to work; give one of them")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise UsageError(f"executor is of type {type(executor).__name__}; give a concurrent.futures.Executor")
    if jobs is not None:
        check_count("jobs", jobs, 1)
    return Workers(executor, jobs)


def _is_cheap(witness: Witness, arrays: Arrays, gradients: Arrays) -> bool:
    """Whether the ladder takes seconds at most: some dozen forward passes for each weight."""
    weights = sum(gradient.size for gradient in gradients.values())
    operations = scalar_operations(witness.program, witness.sizes(arrays))
    return weights <= _MOST_BY_LADDER and weights * operations <= _MOST_WORK


def checked_values(program: Program, given: Mapping[str, Any], drawing: Drawing) -> dict[str, Array]:
    """``given`` as float64 arrays that fit ``program`` and its loss."""
    arrays = check_arrays(program, given, one_hot=is_categorical(drawing.loss), sizes=drawing.sizes)
    for variable in program.inputs:
        if variable.role is Role.TARGET and variable.name in arrays:
            check_targets(drawing.loss, variable.name, arrays[variable.name])
    whole = {variable.name for variable in program.inputs if variable.integer}
    return {name: array if name in whole else array.astype(np.float64) for name, array in arrays.items()}


def given_values(
    program: Program, own: Mapping[str, Any], parameters: Mapping[str, Any] | None, data: Mapping[str, Any]
) -> dict[str, Any]:
    """The arrays to check at: ``own`` ones, such as a file's, with ``parameters`` and ``data`` in their place.

    ``parameters`` that are given at all are given completely; a forgotten one would be drawn without a word.
    """
    if parameters is None:
        return {**own, **data}
    if not isinstance(parameters, Mapping):
        what = type(parameters).__name__
        raise UsageError(f"parameters is of type {what}; give a dict of arrays by name, such as {{'W1': ...}}")
    names = [variable.name for variable in program.parameters]
    for name in names:
        if name not in parameters:
            raise UsageError(
                f"parameters lack {name!r}; give it too, or leave parameters out to have all of them drawn"
            )
    return {**{name: value for name, value in own.items() if name not in names}, **parameters, **data}


def gradient_function(source: Any, program: Program, given: Mapping[str, Any]) -> Gradients:
    """The gradient function under test, from arrays by name or from a callable.

    A callable is called as ``source(parameters, x, y)``, and with other inputs of the program by name; it returns the
    gradients by name, or the loss and the gradients. Arrays are those at ``given``, which must then be complete.
    """
    if isinstance(source, Mapping):
        missing = [variable.name for variable in program.inputs if variable.name not in given]
        if missing:
            raise UsageError(
                f"gradients are arrays, so they belong to one point, but {', '.join(missing)} would be drawn; "
                "give all parameters and data with them"
            )
        return lambda arrays: source
    if not callable(source):
        raise UsageError(
            f"gradients is of type {type(source).__name__}; give arrays by name, or a function of (parameters, x, y)"
        )
    parameters = {variable.name for variable in program.parameters}

    def called(arrays: Arrays) -> Arrays:
        own = {name: array for name, array in arrays.items() if name in parameters}
        data = {name: array for name, array in arrays.items() if name not in parameters}
        placed = (data.pop("x", None), data.pop("y", None))
        found = source(own, *placed, **data)
        if isinstance(found, tuple) and len(found) == 2:
            found = found[1]
        if not isinstance(found, Mapping):
            raise UsageError(
                f"the gradient function returned {type(found).__name__}; return the gradients by name, "
                "or the loss and the gradients"
            )
        return found

    return called


def _checked(
    found: Mapping[str, Any], arrays: Arrays, names: Sequence[str], unreached: Sequence[str], witness: Witness
) -> dict[str, Array]:
    """The gradients of ``names`` as float64 arrays of the right shapes."""
    used = set().union(*witness.program.uses.values())
    result: dict[str, Array] = {}
    for name in names:
        if name not in arrays:
            raise UsageError(f"{witness.program.name} has no input or parameter {name!r}; {nearest(name, arrays)}")
        if name not in found and (name in unreached or name not in used):
            # What the loss does not depend on has no gradient; the derivative is 0 and is checked as that.
            result[name] = np.zeros(arrays[name].shape)
            continue
        if name not in found:
            raise UsageError(f"gradients lack {name!r}; give an array of shape {arrays[name].shape} for it")
        gradient = np.asarray(found[name])
        if gradient.dtype.kind not in "biuf":
            raise UsageError(f"the gradient of {name} is an array of {gradient.dtype}; give real numbers")
        if gradient.shape != arrays[name].shape:
            raise SizeError(
                f"the gradient of {name} has shape {gradient.shape}, but {name} has {arrays[name].shape}; "
                "a gradient has one entry a weight"
            )
        result[name] = gradient.astype(np.float64)
    return result


def _counter(progress: Callable[[int, int], None] | None, total: int) -> Callable[[int], None] | None:
    if progress is None:
        return None
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total)

    return step


def _curves(witness: Witness, gradients: Arrays, arrays: Arrays) -> Iterator[Curve]:
    """For each array the weight with the largest gradient."""
    for name, gradient in gradients.items():
        sizes = np.where(np.isfinite(gradient), np.abs(gradient), 0)
        if not sizes.any():
            continue
        place = int(np.argmax(sizes))
        array = arrays[name].copy()
        flat = array.reshape(-1)
        moved = {**arrays, name: array}

        def cost(w: float, flat: Array = flat, place: int = place, moved: Arrays = moved) -> float:
            flat[place] = w
            return witness.loss(moved)

        index = tuple(int(axis) for axis in np.unravel_index(place, gradient.shape))
        yield error_curve(cost, float(flat[place]), float(gradient.reshape(-1)[place]), name, index)
