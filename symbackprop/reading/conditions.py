"""Comparisons, of indices or of values, as brackets, and values by cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import sympy

from symbackprop.notation.expressions import Bracket, Limit, index
from symbackprop.reading.reader import Reader
from symbackprop.reading.syntax import Cases, Comparison, Node, Symbol
from symbackprop.reading.values import ShapeError, Value

__all__ = ["Conditions", "by_cases"]

_RELATIONS: dict[str, Callable[[sympy.Expr, sympy.Expr], sympy.Basic]] = {
    "=": sympy.Eq,
    "\\neq": sympy.Ne,
    "<": sympy.Lt,
    ">": sympy.Gt,
    "\\leq": sympy.Le,
    "\\geq": sympy.Ge,
}


class Conditions(Reader):
    """What depends on comparisons."""

    def bracket(self, node: Comparison) -> Value:
        """1 where a comparison holds, 0 elsewhere."""
        axes, condition = self.condition(node)
        return Value(Bracket(condition), axes)

    def condition(self, node: Comparison) -> tuple[tuple[Limit, ...], sympy.Basic]:
        """A comparison: of indices, or of values."""
        left, right = self.index_or_none(node.left), self.index_or_none(node.right)
        if left is not None and right is not None:
            return (), _RELATIONS[node.relation](left, right)
        first, second = self.value(node.left), self.value(node.right)
        try:
            axes, one, other = self.arrays.aligned(first, second, "compared with")
        except ShapeError as error:
            self.misfit(node, error)
        return axes, _RELATIONS[node.relation](one, other)

    def index_or_none(self, node: Node) -> sympy.Expr | None:
        """The index that a node is, if it is one."""
        if isinstance(node, Symbol) and node.name in self.scope:
            return index(node.name)
        return None

    def cases(self, node: Cases, expected: Value | None) -> Value:
        """A value by cases."""
        pieces: list[tuple[sympy.Expr, sympy.Basic]] = []
        axes: tuple[Limit, ...] = ()
        result: list[tuple[Value, tuple[tuple[Limit, ...], sympy.Basic] | None]] = []
        for row, condition in node.rows:
            holds = None if condition is None else self.case_condition(condition)
            result.append((self.value(row, expected), holds))
        for value, told in result:
            axes = axes or value.axes or (told[0] if told else ())
        for value, told in result:
            entry = self.arrays.at(value, [i for i, _ in axes]) if value.axes else value.entry
            if told is None:
                pieces.append((entry, sympy.true))
            else:
                names = dict(zip((i for i, _ in told[0]), (i for i, _ in axes), strict=False)) if told[0] else {}
                pieces.append((entry, _renamed(told[1], names)))
        if pieces[-1][1] != sympy.true:
            pieces[-1] = (pieces[-1][0], sympy.true) if _exhaustive(pieces) else pieces[-1]
        if pieces[-1][1] != sympy.true:
            self.fail(node, "the cases do not cover everything; write the last one with 'otherwise'")
        return Value(by_cases(pieces), axes)

    def case_condition(self, node: Node) -> tuple[tuple[Limit, ...], sympy.Basic]:
        """The condition of a case."""
        assert isinstance(node, Comparison)
        for side in (node.left, node.right):
            # An index that only a condition mentions runs where the other one does.
            if isinstance(side, Symbol) and side.name not in self.scope and self.table.find(side.name, "") is None:
                other = node.right if side is node.left else node.left
                if isinstance(other, Symbol) and other.name in self.scope:
                    self.scope[side.name] = self.scope[other.name]
        return self.condition(node)


def by_cases(pieces: Sequence[tuple[sympy.Expr, sympy.Basic]]) -> sympy.Expr:
    """Values by cases as a sum of brackets: each condition where none before it holds."""
    result: sympy.Expr = sympy.S.Zero
    left: sympy.Expr = sympy.S.One
    for value, condition in pieces:
        here = Bracket(condition)
        result += value * left * here
        left = left * (1 - here)
    return result


def _renamed(condition: sympy.Basic, names: Mapping[sympy.Symbol, sympy.Symbol]) -> sympy.Basic:
    return condition.xreplace(dict(names)) if names else condition


def _exhaustive(pieces: Sequence[tuple[sympy.Expr, sympy.Basic]]) -> bool:
    """Whether the last condition is the contrary of the others."""
    if len(pieces) == 2:
        return bool(sympy.Not(pieces[0][1]) == pieces[1][1]) or _meet(pieces[0][1], pieces[1][1])
    return False


def _meet(first: sympy.Basic, second: sympy.Basic) -> bool:
    """Whether two comparisons of the same sides leave nothing out but where the sides are equal."""
    return bool(first.args == second.args or first.args == second.args[::-1]) and first != second
