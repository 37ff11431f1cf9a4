"""Numbers that all summands of a sum share: SymPy multiplies them in, 2 a - 2 y, a person writes 2 (a - y)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sympy

__all__ = ["number_in_front", "numbers_in_front"]

_ONE = sympy.Integer(1)


@lru_cache(maxsize=1 << 14)
def number_in_front(expression: sympy.Expr) -> tuple[sympy.Rational, sympy.Expr]:
    """The number that a sum, a power of sums or a product of them has in front, and what is behind it.

    1 and the expression itself where there is none. SymPy would multiply the number into a sum again, so the two are
    not to be multiplied by it.
    """
    match expression:
        case sympy.Add():
            return _shared(expression)
        case sympy.Pow(base=sympy.Add() as base, exp=sympy.Integer(is_positive=True) as exponent):
            number, rest = _shared(base)
            return (number**exponent, rest**exponent) if number != 1 else (_ONE, expression)
        case sympy.Mul():
            number, factors = numbers_in_front(expression.args)
            return (number, sympy.Mul(*factors)) if number != 1 else (_ONE, expression)
        case _:
            return _ONE, expression


def numbers_in_front(factors: Sequence[sympy.Expr]) -> tuple[sympy.Rational, list[sympy.Expr]]:
    """The numbers among and in front of factors as one, and the factors without them."""
    number = _ONE
    rest = []
    for factor in factors:
        own, behind = (factor, _ONE) if factor.is_Rational else number_in_front(factor)
        number *= own
        rest += [behind] if behind != 1 else []
    return number, rest


def _shared(total: sympy.Add) -> tuple[sympy.Rational, sympy.Expr]:
    """Fractions are shared only where all have the same denominator: nobody writes a/2 + y/3 as (3 a + 2 y)/6."""
    numbers = [summand.as_coeff_Mul()[0] for summand in total.args]
    if not all(number.is_Rational for number in numbers) or len({number.q for number in numbers}) > 1:
        return _ONE, total
    number, rest = total.primitive()
    return (number, rest) if number != 1 else (_ONE, total)
