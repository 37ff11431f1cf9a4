"""Scripts on values: transposes, powers, primes and indices behind a formula, and norms."""

from __future__ import annotations

import sympy

from symbackprop.errors import UnreadableError
from symbackprop.notation.expressions import total
from symbackprop.notation.program import occurrences
from symbackprop.reading.functions import KNOWN, Function, derivative_of
from symbackprop.reading.positions import Positions
from symbackprop.reading.syntax import Bars, Group, Node, Script, Scripted
from symbackprop.reading.values import Value

__all__ = ["Scripts"]


class Scripts(Positions):
    """What scripts make of a value."""

    def scripted(self, node: Node, expected: Value | None = None) -> Value:
        """The value of a formula with scripts: a norm, a derivative by a prime, a transpose, a power, an entry."""
        assert isinstance(node, Scripted)
        if isinstance(node.base, Bars) and node.base.double:
            return self.scripted_bars(node, node.base)
        if node.primes:
            return self.slope(node)
        return self.scripted_value(self.value(node.base, None), node)

    def slope(self, node: Scripted) -> Value:
        """(e^z)': the derivative of a formula in brackets by the one number that it is about."""
        value = self.value(node.base, None)
        about = set(occurrences(value.entry))
        if not isinstance(node.base, Group | Bars) or node.above or node.below or value.rank or len(about) != 1:
            self.fail(node, "a prime stands behind something that is no function")
        (argument,) = about

        def formula(z: sympy.Expr) -> sympy.Expr:
            return value.entry.xreplace({argument: z})

        function: Function = formula
        for _ in range(node.primes):
            function = derivative_of(function)
        return Value(function(argument))

    def scripted_value(self, value: Value, node: Scripted) -> Value:
        """A value with a transpose, a power or indices."""
        if node.below:
            texts = [text for script in node.below for text in _indices(script.text)]
            if len(texts) != value.rank:
                self.fail(node, f"{len(texts)} indices on something of {value.rank} axes")
            places = [self.position(text, extent, node) for text, (_, extent) in zip(texts, value.axes, strict=True)]
            value = Value(self.arrays.at(value, places))
        circ = any(script.kind == "circ" for script in node.above)
        for script in node.above:
            if script.kind == "top":
                value = self.arrays.transpose(value)
            elif script.kind == "plain":
                value = self.power(value, script, node, entrywise=circ)
            elif script.kind != "circ":
                self.fail(node, f"({script.text}) above something that is no symbol; write a power without brackets")
        return value

    def power(self, value: Value, script: Script, node: Node, entrywise: bool = False) -> Value:
        """A power, entry by entry."""
        if script.body is None:
            self.fail(node, f"the exponent {script.text!r} is not read")
        exponent = self.value(script.body)
        if exponent.rank:
            self.fail(node, "an array as an exponent")
        if value.rank == 2 and not entrywise and not self.arrays.is_row(value):
            rows, columns = self.arrays.shape(value)
            if rows == columns:
                self.fail(node, "a power of a square matrix; write \\odot for entries, or the product")
        if value.entry.is_zero and exponent.entry.is_negative:
            self.fail(node, "division by zero")
        try:
            return Value(self.compute("a^{b}", {"a": value.entry, "b": exponent.entry}), value.axes)
        except UnreadableError as error:
            self.fail(node, str(error))

    def bars(self, node: Bars, expected: Value | None) -> Value:
        """An absolute value, or a norm."""
        value = self.value(node.body)
        if not node.double:
            if value.rank:
                self.fail(node, "bars around an array; write \\|...\\| for its norm")
            return Value(KNOWN["abs"](value.entry))
        return Value(sympy.sqrt(self.squares(value)))

    def squares(self, value: Value) -> sympy.Expr:
        """The sum of the squares of all entries."""
        return total(value.entry**2, *value.axes)

    def scripted_bars(self, node: Scripted, bars: Bars) -> Value:
        """A norm with its scripts: the Euclidean or Frobenius one, or with a 1 the sum of absolute values."""
        value = self.value(bars.body)
        kind = node.below[0].text if node.below else "2"
        if kind not in ("2", "F", "1"):
            self.fail(node, f"the norm {kind!r} is not read; known are 1, 2 and F")
        powers = [script for script in node.above if script.kind == "plain"]
        if len(powers) != len(node.above) or len(powers) > 1:
            self.fail(node, "what stands above the norm is not read")
        power = self.value(powers[0].body).entry if powers and powers[0].body is not None else sympy.S.One
        if kind == "1":
            return Value(total(KNOWN["abs"](value.entry), *value.axes) ** power)
        return Value(self.squares(value) ** (power / 2))


def _indices(text: str) -> tuple[str, ...]:
    return tuple(text) if text.isalnum() and not text.isdigit() else (text,)
