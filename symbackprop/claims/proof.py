"""Proof that two sides are equal for all sizes: canonical forms, and the program's own equations put in."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import sympy

from symbackprop.notation.canonical import NoCanonicalForm, unfold, vanishes
from symbackprop.notation.expressions import ElementwiseFunction, Limit, base_name, is_occurrence
from symbackprop.notation.program import Assumption, Equation, Program, Role, occurrences

__all__ = ["proved_for_all_sizes", "written_out"]

_MOST_OPERATIONS = 4000
_MOST_TERMS = 1000
_HYPERBOLIC = {
    sympy.tanh: lambda z: (sympy.exp(z) - sympy.exp(-z)) / (sympy.exp(z) + sympy.exp(-z)),
    sympy.sinh: lambda z: (sympy.exp(z) - sympy.exp(-z)) / 2,
    sympy.cosh: lambda z: (sympy.exp(z) + sympy.exp(-z)) / 2,
}


def proved_for_all_sizes(
    left: sympy.Expr,
    right: sympy.Expr,
    program: Program,
    free: tuple[Limit, ...] = (),
    *,
    assuming: tuple[Assumption, ...] = (),
    deadline: float = math.inf,
    most_terms: int = _MOST_TERMS,
) -> bool:
    """Whether ``left`` and ``right`` are proved equal for all sizes and all values of the declared variables.

    Both are brought to canonical form. Where that does not settle it, the equations of ``program`` are put in for the
    variables they define, what is defined last first, and the forms compared again after each; functions are written
    out where the two sides are about the same variables. False means that no proof was found: no more than that.

    ``free`` says what the free indices run over. ``assuming`` holds equations that the data keep, such as
    Sum(y[n,k], k) = 1: a term with the whole sum as a factor is rewritten with its value, here and in everything that
    is put in. ``deadline`` is a moment of ``time.monotonic()``.
    """
    for one, other in _unfolded(left, right, program):
        if time.monotonic() > deadline or _size(one) + _size(other) > _MOST_OPERATIONS:
            return False
        if _equal(one, other, free, assuming, deadline, most_terms):
            return True
    return False


def _equal(
    left: sympy.Expr,
    right: sympy.Expr,
    free: tuple[Limit, ...],
    assuming: tuple[Assumption, ...],
    deadline: float,
    most_terms: int,
) -> bool:
    for one, other in _as_written_and_written_out(left, right):
        try:
            if vanishes(one - other, free, assuming=assuming, deadline=deadline, most_terms=most_terms):
                return True
        except NoCanonicalForm:
            continue
    return False


def _as_written_and_written_out(left: sympy.Expr, right: sympy.Expr) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    yield left, right
    # With different variables, functions written out would not agree either, but for those that are unfolded later.
    if _names(left) == _names(right):
        written = written_out(left), written_out(right)
        if written != (left, right):
            yield written


def written_out(expression: sympy.Expr) -> sympy.Expr:
    """``expression`` with every elementwise and hyperbolic function by its definition, in exponentials."""
    for _ in range(8):
        values = {
            node: node.definition if isinstance(node, ElementwiseFunction) else _HYPERBOLIC[type(node)](node.args[0])
            for node in expression.atoms(sympy.Function)
            if isinstance(node, ElementwiseFunction) or type(node) in _HYPERBOLIC
        }
        if not values:
            return expression
        expression = expression.xreplace(values)
    return expression


# -- unfolding ---------------------------------------------------------------------------------------------------------


def _unfolded(left: sympy.Expr, right: sympy.Expr, program: Program) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    """Both sides as they are, then with ever more of the program's equations put in, the same in both."""
    yield left, right
    cheap = tuple(equation for equation in program.equations if _is_pointwise(equation))
    before = left, right
    left, right = _settled(left, cheap), _settled(right, cheap)
    if (left, right) != before:
        yield left, right
    order = {equation.name: place for place, equation in enumerate(program.equations)}
    while True:
        equation = _next(left, right, program, order)
        if equation is None:
            return
        left, right = (_settled(unfold(side, equation), cheap) for side in (left, right))
        yield left, right


def _next(left: sympy.Expr, right: sympy.Expr, program: Program, order: dict[str, int]) -> Equation | None:
    """The equation to put in: for what one side alone is about, adjoints first, of those what is defined last."""
    ours, theirs = _names(left) & order.keys(), _names(right) & order.keys()
    one_sided = ours ^ theirs

    def rank(name: str) -> tuple[bool, bool, int]:
        return name in one_sided, program.variables[name].role is Role.ADJOINT, order[name]

    every = ours | theirs
    return program.definitions[max(every, key=rank)] if every else None


def _is_pointwise(equation: Equation) -> bool:
    """Whether a variable, not an adjoint, is a function of one other at the same place: a[n,j] = sigmoid(z[n,j])."""
    right = equation.right
    return (
        equation.left.role is not Role.ADJOINT
        and isinstance(right, sympy.Function)
        and len(right.args) == 1
        and is_occurrence(right.args[0])
        and getattr(right.args[0], "indices", ()) == equation.indices
    )


def _settled(expression: sympy.Expr, equations: tuple[Equation, ...]) -> sympy.Expr:
    for equation in reversed(equations):
        expression = unfold(expression, equation)
    return expression


def _names(expression: sympy.Expr) -> set[str]:
    return {base_name(node) for node in occurrences(expression)}


def _size(expression: sympy.Expr) -> int:
    return sum(1 for _ in sympy.preorder_traversal(expression))
