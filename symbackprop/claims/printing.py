"""Derived equations in LaTeX, with the symbols of the notes."""

from __future__ import annotations

from dataclasses import replace

import sympy

from symbackprop.claims.judge import Judge
from symbackprop.errors import SymbackpropError
from symbackprop.forms.breaks import unmarked
from symbackprop.forms.notation import Notation
from symbackprop.forms.printing import IndexPrinter
from symbackprop.forms.symbols import Symbols
from symbackprop.notation.indices import bound_indices, close, free_indices
from symbackprop.notation.program import Equation, Variable

__all__ = ["expression_latex", "formula"]


def formula(judge: Judge, equation: Equation) -> str:
    """``equation`` in index notation; empty where it cannot be written."""
    try:
        printer = _printer(judge)
        equation = _readable(equation)
        return f"{unmarked(printer.doprint(equation.left.everywhere))} = {unmarked(printer.right(equation))}"
    except (SymbackpropError, AttributeError, KeyError, StopIteration, NotImplementedError):
        return ""


def expression_latex(judge: Judge, expression: sympy.Expr) -> str:
    """``expression`` in LaTeX."""
    try:
        free = tuple(sorted(free_indices(expression), key=lambda i: i.name))
        left = Variable("_", tuple(sympy.Integer(1) for _ in free), indices=free)
        return unmarked(_printer(judge).doprint(_readable(Equation(left, expression)).right))
    except (SymbackpropError, AttributeError, KeyError, StopIteration, NotImplementedError):
        return str(expression)


def _readable(equation: Equation) -> Equation:
    """The equation with letters for the indices that were made up."""
    everything = {*equation.indices, *bound_indices(equation.right), *free_indices(equation.right)}
    taken = {i.name for i in everything}
    letters = (letter for letter in "ijklmnpqrstuv" if letter not in taken)
    made_up = sorted((i for i in everything if i.name.startswith("_")), key=lambda i: i.name)
    hints = dict(zip(made_up, letters, strict=False))
    if not hints:
        return equation
    names, right = close(equation.right, equation.scope, (), hints)
    left = replace(equation.left, indices=tuple(names[i] for i in equation.indices))
    return Equation(left, right)


def _printer(judge: Judge) -> IndexPrinter:
    return IndexPrinter(Symbols(judge.derived.program(), Notation(derivative="partial")), False)
