"""Bounds on what is read, so that no string can hang the reader: lengths, depths, and the size of numbers.

Each check answers with the reason of a refusal, empty where there is none; the reader knows the place and adds it.
"""

from __future__ import annotations

import sympy

from symbackprop.notation.expressions import REDUCTIONS

__all__ = [
    "CASES",
    "DEPTH",
    "DIGITS",
    "EXPONENT",
    "LENGTH",
    "clipped",
    "excess_of_number",
    "excess_of_power",
    "excess_under_exponential",
]

LENGTH = 10_000
"""The most characters of one equation or formula."""
DEPTH = 100
"""The deepest nesting of one equation."""
DIGITS = 100
"""The most digits of one number."""
EXPONENT = 1000
"""The largest number as an exponent, and the largest decimal exponent of a literal."""
CASES = 4
"""The most definitions by cases in one equation: SymPy multiplies them out where they stand inside a sum."""
_BITS = 20_000
_LARGEST = sympy.Integer(10) ** 300


def clipped(text: str, length: int = 120) -> str:
    """``text`` for an error message: quoted, and cut where it is long."""
    return repr(text if len(text) <= length else text[: length - 3] + "...")


def excess_of_power(base: sympy.Expr, exponent: sympy.Expr) -> str:
    """Why ``base**exponent`` is too large to be computed, if it is."""
    numbers = [*exponent.atoms(sympy.Rational)]
    if any(abs(number) > EXPONENT for number in numbers):
        return f"an exponent is at most {EXPONENT}, but {max(numbers, key=abs)} is larger"
    bits = max((_bits(number) for number in base.atoms(sympy.Rational)), default=0)
    if exponent.is_Rational and bits * abs(exponent) > _BITS:
        return f"the power is a number of more than {_BITS} binary digits; use a smaller exponent"
    return ""


def excess_under_exponential(argument: sympy.Expr) -> str:
    """Why ``exp(argument)`` is too large, if it is: SymPy turns exp(c log b) into b**c."""
    for term in sympy.Add.make_args(argument):
        coefficient, rest = term.as_coeff_Mul()
        for logarithm in rest.atoms(sympy.log):
            reason = excess_of_power(logarithm.args[0], coefficient)
            if reason:
                return reason
    return ""


def excess_of_number(expression: sympy.Expr) -> str:
    """Why ``expression``, or its coefficient, is no number to compute with: infinite, not real, or beyond 1e300."""
    # A reduction over numbers is not evaluated here: its range may be long.
    is_number = expression.is_number and not expression.has(*REDUCTIONS)
    number = expression if is_number else expression.as_coeff_Mul()[0]
    value = number if number.is_Rational else sympy.N(number, 5)
    if not (value.is_real and value.is_finite):
        return f"{expression} is not a real number"
    if abs(value) > _LARGEST:
        return f"a number of about {sympy.N(value, 3)!s} is too large; the largest is 1e300"
    return ""


def _bits(number: sympy.Rational) -> int:
    return int(number.p).bit_length() + int(number.q).bit_length()
