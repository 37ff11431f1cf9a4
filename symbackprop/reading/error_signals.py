r"""Error signals: \delta^{(l)} is the derivative of the loss by the pre-activations of its layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.reading.draft import BlockedError, Pending
from symbackprop.reading.letters import NET_INPUTS
from symbackprop.reading.names import Name, Reading, name_of, readings
from symbackprop.reading.relations import Line
from symbackprop.reading.settling import Settling
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.syntax import Derivative, Node, Scripted
from symbackprop.reading.table import Declared

__all__ = ["ErrorSignals"]


class ErrorSignals(Settling):
    """Finds what the deltas of the notes stand for."""

    def error_signals(self) -> None:
        """delta: the derivative of the loss by the pre-activations of the layer with its number."""
        for line in self.deltas:
            try:
                with self.reading(line):
                    self.error_signal(line)
            except UnreadFormulaError as error:
                self.refuse(line, error)
                self.defined_lines |= {(line.number, place) for place in range(len(line.statement.relations))}
        bases = {
            name.base
            for line in self.lines
            for side in line.statement.sides
            for name in self.names_in(side)
            if name.base in ("\\delta", "\\Delta")
        }
        if self.table.loss is None or not (self.deltas or bases):
            return
        for base in bases or {"\\delta"}:
            if not self.deltas and not self.has_signal(base):
                continue
            for key, declared in list(self.table.declared.items()):
                letter, label = key
                if letter in NET_INPUTS[:2] and declared.variable in self.equations:
                    self.table.declared.setdefault((base, label), replace(declared, adjoint=True))

    def has_signal(self, base: str) -> bool:
        """Whether the letter stands for an error signal somewhere: with a number above, or not as delta_{ij}."""
        for line in self.lines:
            for side in line.statement.sides:
                for name in self.names_in(side):
                    text = "".join(script.text for script in name.below)
                    if name.base == base and (name.above or len(text) != 2) and isinstance(name.node, Scripted):
                        return True
        return False

    def error_signal(self, line: Line) -> None:
        """Say what the letter of one definition of an error signal stands for."""
        left = name_of(self.tree(line.statement.sides[0]))
        assert left is not None
        right = self.tree(line.statement.sides[1])
        if isinstance(right, Derivative) and right.of is not None and self.is_loss(right.of):
            self.explicit_signal(line, left, right)
            return
        instances = [(labels, list(readings(left, labels))) for labels in self.instances(line.statement)]
        # What is an error signal for one layer is one for all.
        known = any(self.target_of(options) or self.is_signal(left.base, options) for _, options in instances)
        for labels, options in instances:
            if self.is_signal(left.base, options):
                continue
            target = self.target_of(options)
            if target is None and known:
                continue
            if target is not None:
                option, declared = target
                self.table.declared[left.base, option.label] = replace(declared, adjoint=True)
            elif not any(labels.get(letter) == 0 for letter in self.table.generic):
                option = next((o for o in self.left_readings(left, labels) if o.power is None), options[0])
                pending = Pending(line, labels, (left.base, option.label), option.indices, option.sample)
                try:
                    self.define(pending)
                    self.defined_lines.add((line.number, 0))
                except BlockedError:
                    continue

    def is_signal(self, base: str, options: Sequence[Reading]) -> bool:
        """Whether an error signal of this name is known already."""
        return any((base, option.label) in self.table.declared for option in options)

    def target_of(self, options: Sequence[Reading]) -> tuple[Reading, Declared] | None:
        """The pre-activations whose error signal is meant."""
        for option in options:
            for base in NET_INPUTS:
                declared = self.table.declared.get((base, option.label))
                if declared is None or declared.variable not in self.equations or declared.adjoint:
                    continue
                rest = len(declared.shape) - (declared.sample is not None and option.sample is not None)
                if len(option.indices) in (0, rest):
                    return option, declared
        return None

    def is_loss(self, node: Node) -> bool:
        """Whether a node is the loss."""
        name = name_of(node)
        if name is None or self.table.loss is None:
            return False
        return any(
            (found := self.table.find(name.base, r.label)) is not None and found.variable == self.table.loss
            for r in readings(name, self.table.last)
        )

    def explicit_signal(self, line: Line, left: Name, right: Derivative) -> None:
        r"""\delta^{(l)} = \frac{\partial L}{\partial z^{(l)}}: what the letter means, said."""
        by = name_of(right.by)
        if by is None:
            return
        for labels in self.instances(line.statement):
            for reading in readings(by, labels):
                declared = self.table.find_entry(by.base, reading.label)
                if declared is None or declared.variable not in self.variables:
                    continue
                label = next((r.label for r in readings(left, labels) if len(r.indices) == len(reading.indices)), "")
                if (left.base, label) not in self.table.declared:
                    self.table.declared[left.base, label] = replace(declared, adjoint=True)
                    self.defined_lines.add((line.number, 0))
                break
