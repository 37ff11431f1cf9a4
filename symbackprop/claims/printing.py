"""Derived equations in LaTeX, with the symbols of the notes."""

from __future__ import annotations

import sympy

from symbackprop.claims.judge import Judge
from symbackprop.errors import SymbackpropError
from symbackprop.forms.breaks import unmarked
from symbackprop.forms.notation import Notation
from symbackprop.forms.printing import IndexPrinter
from symbackprop.forms.symbols import Symbols
from symbackprop.notation.program import Equation

__all__ = ["expression_latex", "formula"]


def formula(judge: Judge, equation: Equation) -> str:
    """``equation`` in index notation; empty where it cannot be written."""
    try:
        printer = _printer(judge)
        return f"{unmarked(printer.doprint(equation.left.everywhere))} = {unmarked(printer.right(equation))}"
    except (SymbackpropError, AttributeError, KeyError, StopIteration, NotImplementedError):
        return ""


def expression_latex(judge: Judge, expression: sympy.Expr) -> str:
    """``expression`` in LaTeX."""
    try:
        return unmarked(_printer(judge).doprint(expression))
    except (SymbackpropError, AttributeError, KeyError, StopIteration, NotImplementedError):
        return str(expression)


def _printer(judge: Judge) -> IndexPrinter:
    return IndexPrinter(Symbols(judge.derived.program(), Notation(derivative="partial")), False)
