"""The values of names: arguments of functions, names with a meaning of their own, declared names."""

from __future__ import annotations

import sympy

from symbackprop.notation.expressions import Bracket
from symbackprop.reading.indicators import Indicators
from symbackprop.reading.names import Name, name_of, readings
from symbackprop.reading.resolution import Resolution
from symbackprop.reading.scripted_values import Scripts
from symbackprop.reading.syntax import Node
from symbackprop.reading.values import Value

__all__ = ["Symbols"]


class Symbols(Resolution, Scripts, Indicators):
    """The values of names."""

    def symbol(self, node: Node, expected: Value | None = None) -> Value:
        """The value of a name with its scripts."""
        name = name_of(node)
        if name is None:
            return self.scripted(node, expected)
        if name.base in self.arguments and not name.below and not name.above:
            value = self.arguments[name.base]
            for _ in range(name.tops):
                value = self.arrays.transpose(value)
            return value
        if name.base in self.arguments:
            return self.argument(name)
        special = self.special(name, expected)
        if special is not None:
            return special
        return self.named(name)

    def argument(self, name: Name) -> Value:
        """An argument of a function of the notes, with indices or a power."""
        value = self.arguments[name.base]
        fitting = (
            reading
            for reading in readings(name, self.labels)
            if not reading.label and len(reading.indices) in (0, value.rank) and reading.sample is None
        )
        reading = next(fitting, None)
        if reading is None:
            self.fail(name.node, f"the scripts of {name.base} do not fit the argument it stands for")
        if reading.indices:
            pairs = zip(reading.indices, value.axes, strict=True)
            positions = [self.position(text, extent, name.node) for text, (_, extent) in pairs]
            value = Value(self.arrays.at(value, positions))
        if reading.power is not None:
            value = self.power(value, reading.power, name.node)
        for _ in range(name.tops):
            value = self.arrays.transpose(value)
        return value

    def special(self, name: Name, expected: Value | None) -> Value | None:
        """Names with a meaning of their own, where nothing was declared: e^x, 1, the unit matrix, pi."""
        if self.table.find(name.base, "") is not None:
            return None
        if name.base == "e":
            powers = [script for script in name.above if script.kind in ("plain", "(")]
            if len(powers) == 1 and len(powers) == len(name.above) and not name.below and powers[0].body is not None:
                value = self.value(powers[0].body)
                return Value(sympy.exp(value.entry), value.axes)
            return None
        if self.is_indicator(name) and name.base == "1":
            return self.indicator(name, []) if self.has_condition(name) else self.ones(name)
        if name.base == "I" and not name.above and len(name.below) < 2:
            extent = self.size_of(name.below[0]) if name.below else self.sizes.fresh("unit")
            if extent is not None:
                down, across = self.arrays.axis(extent), self.arrays.axis(extent)
                return Value(Bracket(sympy.Eq(down[0], across[0])), (down, across))
        if name.base == "\\pi" and not name.below and not name.above:
            return Value(sympy.pi)
        if name.base == "\\delta" and not name.above and not name.primes:
            return self.kronecker(name)
        return None

    def named(self, name: Name) -> Value:
        """The value of a declared name."""
        found = self.resolved(name)
        if found is None:
            self.refuse(name)
        declared, reading = found
        value = self.occurrence(declared, reading, name)
        if reading.power is not None:
            value = self.power(value, reading.power, name.node, entrywise=reading.circ)
        for _ in range(name.tops):
            value = self.arrays.transpose(value)
        return value
