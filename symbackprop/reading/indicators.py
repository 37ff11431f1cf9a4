"""Indicators of conditions, Kronecker's delta, and columns of ones."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbackprop.notation.expressions import Bracket, index
from symbackprop.reading.conditions import Conditions
from symbackprop.reading.names import Name
from symbackprop.reading.positions import Positions
from symbackprop.reading.syntax import Comparison, Group, Node, core
from symbackprop.reading.values import Value

__all__ = ["Indicators"]


class Indicators(Conditions, Positions):
    """Names that are 1 where something holds, and columns of ones."""

    def is_indicator(self, name: Name) -> bool:
        """Whether a name is a 1 that a condition makes 0, or a column of ones."""
        return name.base in ("1", "I") and name.bold and self.table.find(name.base, "") is None

    def indicator(self, name: Name, rest: Sequence[Node]) -> Value:
        r"""1 where a condition holds: \mathbb{1}[z > 0], \mathbf{1}_{i = j}."""
        if rest:
            group = core(rest[0])
            body = group.body if isinstance(group, Group) else group
            if isinstance(body, Comparison):
                return self.bracket(body)
            self.fail(rest[0], "the condition is no comparison")
        script = name.below[0]
        condition = script.body.body if isinstance(script.body, Group) else script.body
        if isinstance(condition, Comparison):
            return self.bracket(condition)
        parts = script.text.split("=")
        if len(parts) == 2:
            left, right = (self.position(part, None, name.node) for part in parts)
            return Value(Bracket(sympy.Eq(left, right)))
        return self.ones(name)

    def has_condition(self, name: Name) -> bool:
        """Whether a condition stands below a 1."""
        return bool(name.below) and any(
            sign in name.below[0].text for sign in ("=", "<", ">", "\\leq", "\\geq", "\\neq")
        )

    def ones(self, name: Name) -> Value:
        """A column of ones."""
        extent: sympy.Expr | None = None
        if name.below:
            extent = self.size_of(name.below[0])
        value = Value(sympy.S.One, (self.arrays.axis(extent or self.sizes.fresh("ones")),))
        for _ in range(name.tops):
            value = self.arrays.transpose(value)
        return value

    def kronecker(self, name: Name) -> Value | None:
        """delta_{ij}, where no error signal has that name: 1 where both indices are equal."""
        text = "".join(script.text for script in name.below)
        if len(text) != 2 or not text.isalpha() or any(base == "\\delta" for base, _ in self.table.declared):
            return None
        for one, other in ((text[0], text[1]), (text[1], text[0])):
            if self.scope.get(one) is None and self.scope.get(other) is not None:
                self.scope[one] = self.scope[other]
        if any(letter not in self.scope for letter in text):
            for letter in text:
                self.scope.setdefault(letter, None)
        left, right = (index(letter) for letter in text)
        first, second = (self.scope[letter] for letter in text)
        if first is not None and second is not None and not self.sizes.same(first, second):
            self.fail(name.node, f"the indices of \\delta_{{{text}}} do not run over the same")
        return Value(Bracket(sympy.Eq(left, right)))
