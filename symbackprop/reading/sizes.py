"""Which sizes are the same: declared ones stay what they are, those that were made up become what they meet."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy

from symbackprop.notation.expressions import size

__all__ = ["Sizes", "with_known_sizes"]


@dataclass
class Sizes:
    """Sizes while notes are read: ``fresh`` makes one up, ``same`` says whether two are equal, making it so if it can.

    A size that the notes declare equals no other declared one. What was made up for an index without a declared range
    becomes whatever it has to be.
    """

    made_up: set[sympy.Symbol] = field(default_factory=set)
    known: dict[sympy.Symbol, sympy.Expr] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    least: dict[sympy.Symbol, int] = field(default_factory=dict)

    def fresh(self, hint: str) -> sympy.Expr:
        """A size of which nothing is known, called after ``hint``."""
        name, count = f"n_{hint}", 1
        while name in self.taken:
            count += 1
            name = f"n_{hint}{count}"
        self.taken.add(name)
        made = size(name)
        self.made_up.add(made)
        return made

    def freeze(self) -> None:
        """What was made up so far is what it is from now on: no claim may make two sizes the same."""
        self.made_up = set()

    def at_least(self, extent: sympy.Expr, number: int) -> None:
        """An entry of this number was named, so the size is no smaller."""
        found = self.find(extent)
        if isinstance(found, sympy.Symbol):
            self.least[found] = max(self.least.get(found, 0), number)

    def find(self, extent: sympy.Expr) -> sympy.Expr:
        """What ``extent`` is known to be."""
        if isinstance(extent, sympy.Symbol):
            while extent in self.known:
                extent = self.known[extent]
            return extent
        return extent.xreplace({symbol: self.find(symbol) for symbol in extent.free_symbols})

    def same(self, first: sympy.Expr, second: sympy.Expr) -> bool:
        """Whether two sizes are equal; a made-up one is taken to be the other."""
        first, second = self.find(first), self.find(second)
        if first == second:
            return True
        for unknown, other in ((first, second), (second, first)):
            if unknown in self.made_up and unknown not in other.free_symbols:
                self.known[unknown] = other
                return True
        return False

    def equal(self, first: sympy.Expr, second: sympy.Expr) -> bool:
        """Whether two sizes are known to be equal; nothing is made so."""
        return bool(self.find(first) == self.find(second))


def with_known_sizes(expression: sympy.Expr, sizes: Sizes) -> sympy.Expr:
    """``expression`` with what became of made-up sizes."""
    inside = expression.free_symbols | expression.atoms(sympy.Symbol)
    known = {extent: sizes.find(extent) for extent in inside if extent in sizes.known}
    return expression.xreplace(known) if known else expression
