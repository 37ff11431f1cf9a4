"""Whether two sides of a relation are equal, in layers: floats, a proof for all sizes, exact algebra, 50 digits."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import sympy

from symbackprop.claims.modular import equal_at_sizes
from symbackprop.claims.points import DIGITS, Array, Numbers, Point, UndefinedError
from symbackprop.claims.proof import proved_for_all_sizes
from symbackprop.claims.result import Counterexample, Outcome
from symbackprop.errors import UsageError
from symbackprop.notation.expressions import REDUCTIONS, Limit, limits
from symbackprop.notation.program import Assumption, Program
from symbackprop.notation.sizes import concrete_shape

__all__ = ["Evidence", "compare"]

_FLOAT_POINTS = 2
_CLOSE = 1e-9
"""How far apart floats may be, of what they are, without being looked at with more digits."""
_RELATIVE, _ABSOLUTE = mpmath.mpf(10) ** -20, mpmath.mpf(10) ** -30
_STEPS_A_SECOND = 3e5
_SHARES = (0.5, 0.3)


@dataclass(frozen=True)
class Evidence:
    """Whether two sides are equal, and what decided."""

    outcome: Outcome
    by: str
    counterexample: Counterexample | None = None


def compare(
    left: sympy.Expr,
    right: sympy.Expr,
    free: tuple[Limit, ...],
    program: Program,
    points: Sequence[Point],
    seconds: float = 2.0,
    *,
    assuming: tuple[Assumption, ...] = (),
) -> Evidence:
    """What becomes of the claim that ``left`` (what is claimed) is ``right`` for all values of the ``free`` indices.

    Floats at two of ``points`` go first: they find most of what is wrong at once, and what they find is looked at with
    50 digits before it counts. Then a proof for all sizes is tried, then exact algebra at the sizes of the first point,
    then 50 digits at all of ``points``. ``assuming`` holds equations that the points keep. Each layer has a share of
    ``seconds``.
    """
    if not points:
        raise UsageError("no points were given to compare the sides at; draw some")
    start = time.monotonic()
    for point in points[:_FLOAT_POINTS]:
        wrong = _by_floats(left, right, free, point)
        if wrong is not None:
            return wrong
    deadline = start + _SHARES[0] * seconds
    if proved_for_all_sizes(left, right, program, free, assuming=assuming, deadline=deadline):
        return Evidence(Outcome.PROVED, "canonical index form, for all sizes")
    sizes = points[0].sizes
    steps = _steps(left, sizes, program) + _steps(right, sizes, program)
    affordable = steps < _STEPS_A_SECOND * _SHARES[1] * seconds
    if affordable and equal_at_sizes(left, right, program, free, sizes, assuming=assuming):
        return Evidence(Outcome.PROVED, f"exact algebra at {_said(sizes)}")
    return _by_digits(left, right, free, points)


def _said(sizes: Any) -> str:
    return "sizes " + ", ".join(f"{name} = {number}" for name, number in sizes.items()) if sizes else "these sizes"


def _steps(expression: sympy.Basic, sizes: Any, program: Program) -> float:
    """About how many operations it takes to compute ``expression`` once."""
    inside = sum(_steps(argument, sizes, program) for argument in expression.args) + 1
    if isinstance(expression, REDUCTIONS):
        numbers = {symbol: sizes[symbol.name] for symbol in program.sizes if symbol.name in sizes}
        for _, extent in limits(expression):
            inside *= concrete_shape((extent,), numbers)[0]
    return float(inside)


# -- numbers -----------------------------------------------------------------------------------------------------------


def _by_floats(left: sympy.Expr, right: sympy.Expr, free: tuple[Limit, ...], point: Point) -> Evidence | None:
    """A difference that floats found and 50 digits confirm; None where there is none."""
    ours, theirs = _values(point.floats, left, free), _values(point.floats, right, free)
    if ours is None or theirs is None:
        return None
    for entry in np.ndindex(ours.shape):
        a, b = float(ours[entry]), float(theirs[entry])
        if abs(a - b) > _CLOSE * max(abs(a), abs(b)):
            with mpmath.workdps(DIGITS):
                try:
                    pair = tuple(point.digits.at(side, free, entry) for side in (left, right))
                except UndefinedError:
                    continue
                if _differ(*pair):
                    return _difference(point, entry, *pair)
    return None


def _by_digits(left: sympy.Expr, right: sympy.Expr, free: tuple[Limit, ...], points: Sequence[Point]) -> Evidence:
    compared = 0
    undefined: Evidence | None = None
    with mpmath.workdps(DIGITS):
        for point in points:
            ours, theirs = _values(point.digits, left, free), _values(point.digits, right, free)
            if ours is None or theirs is None:
                undefined = undefined or _without_value(left, right, free, point)
                continue
            compared += 1
            for entry in np.ndindex(ours.shape):
                if _differ(ours[entry], theirs[entry]):
                    return _difference(point, entry, ours[entry], theirs[entry])
    if compared == 0 and undefined is not None:
        return undefined
    noun = "point" if compared == 1 else "points"
    return Evidence(Outcome.AGREES, f"{compared} random {noun}, {DIGITS} digits")


def _values(numbers: Numbers, expression: sympy.Expr, free: tuple[Limit, ...]) -> Array | None:
    try:
        return numbers.entries(expression, free)
    except UndefinedError:
        return None


def _differ(a: Any, b: Any) -> bool:
    a, b = mpmath.mpf(a), mpmath.mpf(b)
    return bool(abs(a - b) > max(_RELATIVE * max(abs(a), abs(b)), _ABSOLUTE))


def _difference(point: Point, entry: tuple[int, ...], claimed: Any, derived: Any) -> Evidence:
    found = Counterexample(dict(point.sizes), point.seed, tuple(map(int, entry)), float(claimed), float(derived))
    return Evidence(Outcome.DIFFERS, f"a random point at {_said(point.sizes)}, {DIGITS} digits", found)


def _without_value(left: sympy.Expr, right: sympy.Expr, free: tuple[Limit, ...], point: Point) -> Evidence:
    """Sides of which one has no value at any of the points, at the first entry that shows it: not a number there."""
    by_symbol = {symbol: point.sizes[symbol.name] for symbol in point.program.sizes}
    shape = concrete_shape(tuple(extent for _, extent in free), by_symbol)
    for entry in np.ndindex(shape):
        claimed, derived = (_value(point.digits, side, free, entry) for side in (left, right))
        if mpmath.isnan(claimed) or mpmath.isnan(derived) or _differ(claimed, derived):
            break
    return _difference(point, entry, claimed, derived)


def _value(numbers: Numbers, expression: sympy.Expr, free: tuple[Limit, ...], entry: tuple[int, ...]) -> Any:
    try:
        return numbers.at(expression, free, entry)
    except UndefinedError:
        return mpmath.nan
