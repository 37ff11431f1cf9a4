"""Dual numbers a + b e with e*e = 0: derivatives by forward mode, a route that shares nothing with reverse mode.

A dual number may hold dual numbers, which gives second derivatives. Comparisons look at the real part; where two
numbers are equal but move apart there is a kink, and ``TieError`` is raised, since no derivative exists there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import mpmath
import sympy

from symbackprop.notation.interpreter import Arithmetic, interpret
from symbackprop.notation.program import Program

__all__ = [
    "EXACT_FRACTIONS",
    "Dual",
    "TieError",
    "combined",
    "derivative_along",
    "dual",
    "fractions",
    "high_precision",
    "second_derivative",
]


class TieError(ArithmeticError):
    """Two numbers that are compared are equal here and differ nearby."""


class Dual:
    """``real + slope e``."""

    __slots__ = ("real", "slope")

    def __init__(self, real: Any, slope: Any = 0) -> None:
        self.real = real
        self.slope = slope

    def __repr__(self) -> str:
        return f"Dual({self.real}, {self.slope})"

    def __add__(self, other: Any) -> Dual:
        other = _lifted(other)
        return Dual(self.real + other.real, self.slope + other.slope)

    __radd__ = __add__

    def __mul__(self, other: Any) -> Dual:
        other = _lifted(other)
        return Dual(self.real * other.real, self.real * other.slope + self.slope * other.real)

    __rmul__ = __mul__

    def __neg__(self) -> Dual:
        return Dual(-self.real, -self.slope)

    def __sub__(self, other: Any) -> Dual:
        return self + -_lifted(other)

    def __rsub__(self, other: Any) -> Dual:
        return _lifted(other) - self

    def __truediv__(self, other: Any) -> Dual:
        other = _lifted(other)
        ratio = self.real / other.real
        return Dual(ratio, (self.slope - ratio * other.slope) / other.real)

    def __rtruediv__(self, other: Any) -> Dual:
        return _lifted(other) / self

    def __pow__(self, exponent: Any) -> Dual:
        if isinstance(exponent, Dual):
            if exponent.slope != 0:
                raise TypeError(f"a constant exponent is expected, not {exponent}")
            exponent = exponent.real
        return Dual(self.real**exponent, exponent * self.real ** (exponent - 1) * self.slope)

    def _compared(self, other: Any, compare: Callable[[Any, Any], bool]) -> bool:
        other = _lifted(other)
        if self is not other and self.real == other.real and self.slope != other.slope:
            raise TieError(f"{self} and {other} are equal and move apart")
        return compare(self.real, other.real)

    def __gt__(self, other: Any) -> bool:
        return self._compared(other, lambda a, b: a > b)

    def __lt__(self, other: Any) -> bool:
        return self._compared(other, lambda a, b: a < b)

    def __ge__(self, other: Any) -> bool:
        return self._compared(other, lambda a, b: a >= b)

    def __le__(self, other: Any) -> bool:
        return self._compared(other, lambda a, b: a <= b)

    def __eq__(self, other: object) -> bool:
        other = _lifted(other)
        return bool(self.real == other.real and self.slope == other.slope)

    __hash__ = None  # type: ignore[assignment]


def _lifted(value: Any) -> Dual:
    return value if isinstance(value, Dual) else Dual(value)


# f and f', each in terms of functions of this table, so that duals of duals work.
_SLOPES: dict[str, Callable[[Any], Any]] = {
    "exp": lambda z: _apply("exp", z),
    "log": lambda z: 1 / z,
    "sqrt": lambda z: 1 / (2 * _apply("sqrt", z)),
    "sin": lambda z: _apply("cos", z),
    "cos": lambda z: -_apply("sin", z),
    "tanh": lambda z: 1 / (_apply("cosh", z) * _apply("cosh", z)),
    "sinh": lambda z: _apply("cosh", z),
    "cosh": lambda z: _apply("sinh", z),
    "atan": lambda z: 1 / (1 + z * z),
    "erf": lambda z: 2 / mpmath.sqrt(mpmath.pi) * _apply("exp", -z * z),
}


def _apply(name: str, z: Any) -> Any:
    if isinstance(z, Dual):
        return Dual(_apply(name, z.real), _SLOPES[name](z.real) * z.slope)
    return getattr(mpmath, name)(z)


def _no_function(name: str) -> Callable[..., Any]:
    raise NotImplementedError(f"{name} is not a rational function")


def fractions(value: sympy.Expr) -> Fraction:
    """An exact rational constant as a Fraction."""
    return Fraction(int(value.p), int(value.q))


def high_precision(value: sympy.Expr) -> Any:
    """An exact constant at mpmath's precision."""
    if value.is_Rational:
        return mpmath.mpf(int(value.p)) / int(value.q)
    return mpmath.mpmathify(value.evalf(mpmath.mp.dps + 5))


EXACT_FRACTIONS = Arithmetic(number=fractions, function=_no_function)
"""Fractions: the same meaning as SymPy's rationals, several times faster."""


def dual(family: str) -> Arithmetic:
    """Dual numbers over Fractions for the rational family, over mpmath's numbers for the general one."""
    if family == "rational":
        return Arithmetic(number=fractions, function=_no_function)
    return Arithmetic(number=high_precision, function=lambda name: lambda z: _apply(name, z))


Nested = Any
"""A number, or nested lists of numbers."""


def combined(combine: Callable[..., Any], *nested: Nested) -> Nested:
    """``combine`` applied entry by entry."""
    if isinstance(nested[0], list):
        return [combined(combine, *entries) for entries in zip(*nested, strict=True)]
    return combine(*nested)


def derivative_along(
    program: Program,
    sizes: Mapping[str, int],
    values: Mapping[str, Nested],
    directions: Mapping[str, Nested],
    family: str,
) -> Any:
    """The derivative of the loss where each variable named in ``directions`` moves along its direction."""
    moving = dict(values)
    for name, direction in directions.items():
        moving[name] = combined(Dual, values[name], direction)
    return _lifted(interpret(program, moving, sizes, dual(family))[str(program.loss)][()]).slope


def second_derivative(
    program: Program,
    sizes: Mapping[str, int],
    values: Mapping[str, Nested],
    first: Mapping[str, Nested],
    second: Mapping[str, Nested],
    family: str,
) -> Any:
    """The derivative of the loss along ``first``, differentiated along ``second``; both name the same variables."""
    moving = dict(values)
    for name, direction in first.items():
        inner = combined(Dual, values[name], second[name])
        moving[name] = combined(lambda e, d: Dual(e, Dual(d)), inner, direction)
    slope = _lifted(interpret(program, moving, sizes, dual(family))[str(program.loss)][()]).slope
    return _lifted(slope).slope
