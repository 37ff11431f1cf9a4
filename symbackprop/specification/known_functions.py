"""The functions that equations and formulas may call, by name: SymPy's elementary ones and the library's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import sympy

from symbackprop.functions.library import FUNCTIONS
from symbackprop.functions.translate import translate

__all__ = ["KNOWN_FUNCTIONS", "larger", "smaller"]

_ELEMENTARY: dict[str, Callable[[sympy.Expr], sympy.Expr]] = {
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "tanh": sympy.tanh,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "atan": sympy.atan,
    "erf": sympy.erf,
    "abs": FUNCTIONS["absolute"],
    "Abs": FUNCTIONS["absolute"],
    "sign": lambda z: translate(sympy.sign(z)),
}

KNOWN_FUNCTIONS: Mapping[str, Callable[[sympy.Expr], sympy.Expr]] = MappingProxyType({**_ELEMENTARY, **FUNCTIONS})
"""Every function of one argument, by the name it is called by."""


def larger(first: sympy.Expr, second: sympy.Expr) -> sympy.Expr:
    """max(first, second), elementwise."""
    return _of_two(sympy.Max, first, second)


def smaller(first: sympy.Expr, second: sympy.Expr) -> sympy.Expr:
    """min(first, second), elementwise."""
    return _of_two(sympy.Min, first, second)


def _of_two(choice: type[sympy.Expr], first: sympy.Expr, second: sympy.Expr) -> sympy.Expr:
    # Comparing two symbolic arguments is what SymPy would do at length, and what translate makes needless.
    numbers = first.is_Rational and second.is_Rational
    return translate(choice(first, second) if numbers else choice(first, second, evaluate=False))
