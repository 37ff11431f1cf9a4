"""Turning a record into a contribution: brackets go away by substitution where they can.

An occurrence v[e] with cotangent ``term`` in ``scope`` means ``vbar[q] += Sum(term * prod_m [q_m = e_m], scope)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbackprop.notation.expressions import Bracket, Limit, walk
from symbackprop.notation.indices import free_indices, is_index, substitute
from symbackprop.notation.program import Variable

__all__ = ["Resolution", "resolve"]


@dataclass(frozen=True)
class Resolution:
    """What to substitute for scope indices, which are still summed over, and the brackets that stay."""

    values: dict[sympy.Symbol, sympy.Expr]
    sums: tuple[Limit, ...]
    brackets: tuple[sympy.Expr, ...]
    reasons: tuple[str, ...]


def resolve(variable: Variable, positions: tuple[sympy.Expr, ...], scope: tuple[Limit, ...]) -> Resolution:
    """Solve ``q = positions`` for indices of ``scope``, q being the declared indices of ``variable``.

    A scope index that stands alone is replaced; one with coefficient +1 or -1 is solved for and guarded by its
    range; what cannot be solved (a diagonal, a constant index, a gather) stays a bracket.
    """
    open_scope = dict(scope)
    values: dict[sympy.Symbol, sympy.Expr] = {}
    guards: list[sympy.Expr] = []
    reasons: list[str] = []
    alone_first = sorted(
        zip(variable.indices, positions, variable.shape, strict=True), key=lambda row: not is_index(row[1])
    )
    for declared, position, extent in alone_first:
        position = substitute(position, values)
        target = _solvable(position, open_scope)
        if target is None:
            guards.append(Bracket(sympy.Eq(declared, position)))
            reasons.append("only the entry at that position counts, so a bracket stays")
            continue
        reach = open_scope.pop(target)
        slope = position.coeff(target)
        value = sympy.expand((declared - (position - slope * target)) / slope)
        values = {old: substitute(new, {target: value}) for old, new in values.items()} | {target: value}
        guards = [substitute(guard, {target: value}) for guard in guards]
        guards.extend(_range_guards(value, reach, extent, alone=position == target))
        reasons.append("every other entry has derivative zero")
    sums = tuple((i, extent) for i, extent in scope if i in open_scope)
    return Resolution(values, sums, tuple(guard for guard in guards if guard != 1), tuple(reasons))


def _solvable(position: sympy.Expr, open_scope: dict[sympy.Symbol, sympy.Expr]) -> sympy.Symbol | None:
    if any(isinstance(node, sympy.Indexed) for node in walk(position)):
        return None
    candidates = [i for i in sorted(free_indices(position), key=str) if i in open_scope]
    for i in candidates:
        slope = position.coeff(i)
        if slope in (1, -1) and not (position - slope * i).has(i):
            return i
    return None


def _range_guards(value: sympy.Expr, reach: sympy.Expr, extent: sympy.Expr, alone: bool) -> list[sympy.Expr]:
    """Brackets that keep the value of a solved index within 0, ..., reach - 1."""
    if alone:
        return [] if reach == extent else [Bracket(value < reach)]
    return [Bracket(value >= 0), Bracket(value < reach)]
