"""SymPy's kinked functions in the language's own terms, so that their slopes follow one convention.

SymPy differentiates ``Max`` to a Heaviside function with 1/2 at 0 and ``Abs`` to a derivative of its own; the
records of ``symbackprop.functions.library`` say what is taken at a kink.
"""

from __future__ import annotations

import sympy

from symbackprop.errors import EquationError
from symbackprop.functions.elementary import check_functions
from symbackprop.functions.library import FUNCTIONS
from symbackprop.notation.expressions import Bracket

__all__ = ["translate"]


def _larger(*values: sympy.Expr) -> sympy.Expr:
    """max(a, b) = b + relu(a - b), from the left."""
    values_in_order = sorted(values, key=sympy.default_sort_key)
    largest = values_in_order[0]
    for value in values_in_order[1:]:
        largest = largest + FUNCTIONS["relu"](value - largest)
    return largest


def _smaller(*values: sympy.Expr) -> sympy.Expr:
    return -_larger(*(-value for value in values))


def _step(z: sympy.Expr, at_zero: sympy.Expr = sympy.S.Zero) -> sympy.Expr:
    return Bracket(z > 0) + at_zero * Bracket(sympy.Eq(z, 0))


_TRANSLATIONS = (
    (sympy.Abs, lambda z: FUNCTIONS["absolute"](z)),
    (sympy.Max, _larger),
    (sympy.Min, _smaller),
    (sympy.sign, lambda z: Bracket(z > 0) - Bracket(z < 0)),
    (sympy.Heaviside, _step),
)


def translate(expression: sympy.Expr) -> sympy.Expr:
    """``expression`` with Abs, Max, Min, sign and Heaviside replaced by the language's own functions.

    Raises UsageError where it has a function that is not known here.
    """
    if expression.has(sympy.DiracDelta):
        raise EquationError(f"{expression} contains a Dirac delta, which is not a function; leave it out")
    for theirs, ours in _TRANSLATIONS:
        if expression.has(theirs):
            expression = expression.replace(theirs, ours)
    check_functions(expression)
    return expression
