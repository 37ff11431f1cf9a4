"""Declared names with their indices as entries of variables, derivatives, updated weights, sizes and abbreviations."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbackprop.notation.expressions import index, occurrence
from symbackprop.notation.indices import substitute
from symbackprop.reading.context import Request
from symbackprop.reading.names import Name, Reading
from symbackprop.reading.positions import Positions
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.table import Declared, Key, shown_key
from symbackprop.reading.values import Value

__all__ = ["Occurrences", "ordered"]


class Occurrences(Positions):
    """What stands for a declared name in an expression."""

    def occurrence(self, declared: Declared, reading: Reading, name: Name) -> Value:
        """The value of a declared name with its indices."""
        if reading.label.startswith("size:"):
            base, label = _named(reading.label)
            return Value(self.table.sizes[base, label])
        if reading.label.startswith("short:"):
            return self.short(reading, name)
        positions, axes = self.positions(declared, reading, name)
        return Value(self.entry(declared, positions), axes)

    def entry(self, declared: Declared, positions: Sequence[sympy.Expr]) -> sympy.Expr:
        """The entry of what a symbol stands for, at positions in the order of the paper."""
        places = ordered(declared, positions)
        if declared.adjoint:
            assert self.table.loss is not None
            if declared.variable == self.table.loss:
                return sympy.S.One
            return self.context.scale * occurrence(self.loss_derivative(declared.variable), *places)
        plain = occurrence(declared.variable, *places)
        if declared.updated:
            rate = occurrence(self.rate())
            return plain - rate * occurrence(self.loss_derivative(declared.variable), *places)
        return plain

    def rate(self) -> str:
        """The variable that is the learning rate."""
        for base in ("\\eta", "\\alpha", "\\epsilon", "lr"):
            found = self.table.find(base, "")
            if found is not None and not found.shape:
                return found.variable
        raise UnreadFormulaError("an updated weight without a learning rate; write the update first", 1, 1)

    def loss_derivative(self, variable: str) -> str:
        """The variable that is the derivative of the loss by ``variable``."""
        assert self.table.loss is not None
        return self.context.derivative(Request(self.table.loss, variable))

    def short(self, reading: Reading, name: Name) -> Value:
        """What an abbreviation stands for."""
        base, label = _named(reading.label)
        short = self.table.abbreviations[base, label]
        if self.deep > 20:
            self.fail(name.node, f"{shown_key((base, label))} is defined by itself")
        inner = type(self)(
            self.table,
            self.context,
            self.sizes,
            short.labels,
            self.options,
            self.unknown,
            self.about,
            deep=self.deep + 1,
        )
        inner.arrays.count = self.arrays.count
        value = inner.side(short.side)
        self.arrays.count = inner.arrays.count
        self.notes.update(inner.notes)
        names = {}
        for letter, text in zip(short.indices, reading.indices, strict=True):
            names[index(letter)] = self.position(text, inner.scope.get(letter), name.node)
        return Value(substitute(value.entry, names), value.axes)


def ordered(declared: Declared, positions: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """Positions in the order of the paper, in the order of the variable."""
    result: list[sympy.Expr] = [sympy.S.Zero] * len(positions)
    for place, position in enumerate(positions):
        result[declared.axes[place]] = position
    return result


def _named(label: str) -> Key:
    """The key in the label of a reading that names one: "size:n:", "short:hat:y:2"."""
    base, _, rest = label.partition(":")[2].rpartition(":")
    return base, rest
