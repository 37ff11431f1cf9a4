"""From definitions to equations: each is read when what it is made of is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy

from symbackprop.notation.expressions import Limit, index
from symbackprop.notation.indices import free_indices, substitute
from symbackprop.notation.program import Equation, Role
from symbackprop.reading.draft import BlockedError, Pending
from symbackprop.reading.elaborate import Elaborator, ShapeMismatchError
from symbackprop.reading.letters import LOSSES
from symbackprop.reading.names import Name, name_of, readings
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.statements import Side
from symbackprop.reading.survey import nodes
from symbackprop.reading.syntax import Derivative, Differential
from symbackprop.reading.table import Abbreviation, Declared, Key, shown_key
from symbackprop.reading.undeclared import Undeclared
from symbackprop.reading.values import Arrays, Value

__all__ = ["Settling"]


class Settling(Undeclared):
    """Settles the definitions."""

    def settle(self) -> None:
        """Define what can be defined, until nothing is left or nothing moves."""
        while self.pending:
            waiting = list(self.pending)
            for pending in waiting:
                self.pending.remove(pending)
                try:
                    with self.reading(pending.line):
                        self.define(pending)
                except BlockedError:
                    self.pending.append(pending)
                except UnreadFormulaError as error:
                    numbers = [pending.labels[letter] for letter in pending.labels if letter in self.table.generic]
                    if not numbers or min(numbers) == 1:
                        self.refuse(pending.line, error)
            if len(self.pending) == len(waiting):
                for pending in self.pending:
                    side = pending.line.statement.sides[0]
                    reason = f"{shown_key(pending.key)} is defined by itself, or by what is defined later by it"
                    self.refuse(pending.line, UnreadFormulaError(reason, side.line, side.column))
                self.pending = []

    def define(self, pending: Pending) -> None:
        """Read the right side of one definition, and add its equation."""
        side = pending.line.statement.sides[pending.relation + 1]
        known = set(self.context.requests)
        reader = self.elaborator(pending.labels, pending.key[1])
        declared = self.table.declared.get(pending.key)
        for letter in pending.indices:
            reader.scope[letter] = None
        if pending.sample is not None:
            reader.scope[pending.sample] = None
        if self.speaks_of_derivatives(side):
            self.abbreviate(pending, side)
            return
        expected = None
        if declared is not None and not pending.indices:
            arrays = Arrays(self.sizes)
            expected = Value(sympy.S.Zero, tuple(arrays.axis(extent) for extent in declared.shape))
        elif pending.indices or self.is_loss_like(pending.key):
            expected = Value(sympy.S.Zero)
        try:
            value = reader.side(side, expected)
        except ShapeMismatchError:
            if pending.key not in self.table.user:
                raise
            # The loss of an example: y log(a) with both in rows.
            reader.by_example = True
            value = reader.side(side, expected)
        if set(self.context.requests) != known:
            self.abbreviate(pending, side)
            return
        self.add(pending, reader, value, declared)

    def is_loss_like(self, key: Key) -> bool:
        """Whether a letter is likely a loss, one number."""
        return (key[0] in LOSSES and self.survey.above.get(key[0], 0) > 0) or key[0] in ("J", "L", "C", "E")

    def speaks_of_derivatives(self, side: Side) -> bool:
        """Whether a side can be read only when the loss is known."""
        inside = list(nodes(self.tree(side)))
        if any(isinstance(node, Derivative | Differential) for node in inside):
            return True
        names = [name_of(node) for node in inside]
        return any(
            name is not None
            and (
                (name.base == "\\delta" and ("\\delta", "") not in self.table.declared and not self.is_kronecker(name))
                or any((name.base, r.label) in self.table.abbreviations for r in readings(name, self.table.last))
            )
            for name in names
        )

    def is_kronecker(self, name: Name) -> bool:
        r"""Whether a delta is the Kronecker delta: \delta_{ij}."""
        text = "".join(script.text for script in name.below)
        return not name.above and len(text) == 2 and text.isalpha() and not self.deltas

    def abbreviate(self, pending: Pending, side: Side) -> None:
        """A symbol that stands for its right side wherever it is used."""
        self.table.declared.pop(pending.key, None)
        self.table.abbreviations[pending.key] = Abbreviation(
            pending.indices, side, dict(pending.labels), pending.line.statement.line
        )

    def add(self, pending: Pending, reader: Elaborator, value: Value, declared: Declared | None) -> None:
        """The equation of a new variable."""
        letters = (*((pending.sample,) if pending.sample else ()), *pending.indices)
        free: list[Limit] = []
        left = pending.line.statement.sides[0]
        for letter in letters:
            extent = reader.scope.get(letter)
            if extent is None:
                extent = self.sizes.fresh(letter)
            free.append((index(letter), extent))
        loose = free_indices(value.entry) - {i for i, _ in (*free, *value.axes)}
        if loose:
            raise UnreadFormulaError(
                f"the index {min(map(str, loose))} stands on the right side only; sum over it, or write it on the left",
                left.line,
                left.column,
            )
        shape = [*(extent for _, extent in free), *(extent for _, extent in value.axes)]
        axes = (*(i for i, _ in free), *(i for i, _ in value.axes))
        if declared is not None and (declared.shape or pending.key in self.given) and not self.fits(declared, shape):
            arrays = Arrays(self.sizes)
            raise ShapeMismatchError(
                f"{shown_key(pending.key)} was declared with the shape ({', '.join(map(str, declared.shape))}), "
                f"but the right side has the shape ({', '.join(str(arrays.sizes.find(e)) for e in shape)})",
                left.line,
                left.column,
            )
        if declared is None:
            declared = self.new_variable(pending.key, shape, Role.DEFINED)
            batch = self.table.batch
            places = [k for k, extent in enumerate(shape) if batch is not None and self.sizes.equal(extent, batch)]
            if pending.sample is not None:
                self.table.declared[pending.key] = replace(declared, sample=0)
            elif len(places) == 1:
                self.table.declared[pending.key] = replace(declared, sample=places[0])
        variable = self.variables[declared.variable]
        names = dict(zip(axes, variable.indices, strict=True))
        clash = {i for i in free_indices(value.entry) if i in variable.indices} - set(axes)
        assert not clash
        self.equations[variable.name] = Equation(replace(variable, role=Role.DEFINED), substitute(value.entry, names))

    def fits(self, declared: Declared, shape: Sequence[sympy.Expr]) -> bool:
        """Whether a declared variable has this shape; sizes that were made up become what they meet."""
        return len(declared.shape) == len(shape) and all(
            self.sizes.same(a, b) for a, b in zip(declared.shape, shape, strict=True)
        )
