r"""From a tree to index expressions: names by the table of what was declared, products by the shapes.

W^{(2)\top} \delta \odot \sigma'(z)   becomes   Sum(W2[k, j]*z2_bar[k], k)*sigmoid'(z1[j])   over the axis j
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symbackprop.reading.conditions import by_cases
from symbackprop.reading.names import Name
from symbackprop.reading.parser import parse
from symbackprop.reading.products import Products
from symbackprop.reading.reader import Options, ShapeMismatchError
from symbackprop.reading.statements import Side
from symbackprop.reading.summations import Sums
from symbackprop.reading.syntax import (
    Addition,
    Bars,
    Cases,
    Comparison,
    Derivative,
    Differential,
    Fraction,
    Group,
    Listing,
    Marked,
    Matrix,
    Node,
    Number,
    Product,
    Root,
    Scripted,
    Summation,
    Symbol,
)
from symbackprop.reading.table import Declared
from symbackprop.reading.values import Value

__all__ = ["Elaborator", "Options", "ShapeMismatchError"]

_ENTRIES = 100
"""The most entries of a matrix that is written out."""


@dataclass
class Elaborator(Products, Sums):
    """Reads the sides of one relation. ``scope`` holds the indices that are free in it, with their sizes.

    ``unknown`` is asked for a name that the table has not; it may declare it, or refuse.
    """

    unknown: Callable[[Elaborator, Name, Sequence[str] | None], Declared | None] | None = None

    def side(self, side: Side, expected: Value | None = None) -> Value:
        """The value of one side of a relation."""
        node = parse(side.tokens, self.table.words, self._letters())
        outer, self.tokens = self.tokens, side.tokens
        try:
            return self.value(node, expected)
        finally:
            self.tokens = outer

    def _letters(self) -> frozenset[str]:
        return frozenset(base for base, label in self.table.declared if base in ("d", "e"))

    def value(self, node: Node, expected: Value | None = None) -> Value:
        """The value of a node; ``expected`` is what stands on the other side, where it is known."""
        return _READERS[type(node)](self, node, expected)

    def number(self, node: Number, expected: Value | None) -> Value:
        """A number; one that may be rounded as a letter, where such letters are kept."""
        if self.literals is not None and "." in node.text:
            # A number that may be rounded keeps a name, so that it can be moved.
            symbol = sympy.Symbol(f"_number{len(self.literals)}", real=True)
            self.literals[symbol] = node.text
            return Value(symbol)
        return Value(sympy.Rational(node.text))

    def group(self, node: Group, expected: Value | None) -> Value:
        """What stands in parentheses."""
        if isinstance(node.body, Comparison) and node.bracket == "[":
            return self.bracket(node.body)
        if isinstance(node.body, Listing):
            self.fail(node, "a list stands where one value is wanted")
        return self.value(node.body, expected)

    def listing(self, node: Listing, expected: Value | None) -> Value:
        """Refused: a list has no value."""
        self.fail(node, "a list stands where one value is wanted")

    def addition(self, node: Addition, expected: Value | None) -> Value:
        """A sum or difference of terms."""
        values = []
        for minus, term in node.terms:
            value = self.value(term, expected)
            values.append((minus, value))
        minus, result = values[0]
        if minus:
            result = self.combined("-a", result)
        for minus, value in values[1:]:
            result = self.together(node, "a-b" if minus else "a+b", result, value, "minus" if minus else "plus")
        return result

    def fraction(self, node: Fraction, expected: Value | None) -> Value:
        """A fraction, entry by entry."""
        above, below = self.value(node.above, expected), self.value(node.below)
        if below.entry.is_zero:
            self.fail(node.below, "division by zero")
        return self.together(node, "\\frac{a}{b}", above, below, "divided by")

    def root(self, node: Root, expected: Value | None) -> Value:
        """A root, entry by entry."""
        value = self.value(node.body)
        degree = sympy.Integer(2) if node.degree is None else self.value(node.degree).entry
        if not (degree.is_Integer and 2 <= degree <= 100):
            self.fail(node, f"the degree of a root is an integer from 2 to 100, not {degree}")
        return Value(sympy.root(value.entry, degree), value.axes)

    def matrix(self, node: Matrix, expected: Value | None) -> Value:
        """A matrix or column whose entries are written out."""
        if sum(map(len, node.rows)) > _ENTRIES:
            self.fail(node, f"a matrix of more than {_ENTRIES} entries is not read; declare it by its shape")
        rows = [[self.value(entry) for entry in row] for row in node.rows]
        if any(value.rank for row in rows for value in row):
            self.fail(node, "a matrix of arrays is not read")
        down, across = self.arrays.axis(sympy.Integer(len(rows))), self.arrays.axis(sympy.Integer(len(rows[0])))
        if len(rows[0]) == 1:
            pieces = [(row[0].entry, sympy.Eq(down[0], k)) for k, row in enumerate(rows)]
            return Value(by_cases([*pieces[:-1], (pieces[-1][0], sympy.true)]), (down,))
        cells = [
            (value.entry, sympy.And(sympy.Eq(down[0], i), sympy.Eq(across[0], j)))
            for i, row in enumerate(rows)
            for j, value in enumerate(row)
        ]
        return Value(by_cases([*cells[:-1], (cells[-1][0], sympy.true)]), (down, across))

    def comparison(self, node: Comparison, expected: Value | None) -> Value:
        """Refused: a comparison has no value."""
        self.fail(node, "a comparison stands where a value is wanted")


_READERS: dict[type[Node], Callable[[Elaborator, Any, Value | None], Value]] = {
    Number: Elaborator.number,
    Symbol: Elaborator.symbol,
    Scripted: Elaborator.symbol,
    Group: Elaborator.group,
    Listing: Elaborator.listing,
    Addition: Elaborator.addition,
    Product: Elaborator.product,
    Fraction: Elaborator.fraction,
    Root: Elaborator.root,
    Bars: Elaborator.bars,
    Matrix: Elaborator.matrix,
    Cases: Elaborator.cases,
    Comparison: Elaborator.comparison,
    Summation: Elaborator.summation,
    Derivative: Elaborator.bare_derivative,
    Differential: Elaborator.differential,
    Marked: Elaborator.marked,
}
