"""Which lines of notes are definitions: the first equation for a symbol, out of known ones."""

from __future__ import annotations

from symbackprop.reading.draft import Pending
from symbackprop.reading.function_definitions import FunctionDefinitions
from symbackprop.reading.functions import KNOWN
from symbackprop.reading.names import Name, name_of, readings
from symbackprop.reading.relations import Line
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.statements import EQUAL, Side, Statement
from symbackprop.reading.survey import nodes
from symbackprop.reading.syntax import Addition, Derivative, Differential, Group, Node, Product
from symbackprop.reading.table import Key, other_case
from symbackprop.reading.worked_numbers import WorkedNumbers

__all__ = ["Defining"]


class Defining(FunctionDefinitions, WorkedNumbers):
    """Sorts definitions from claims."""

    def definitions(self) -> None:
        """Find what is a definition, and what is not."""
        taken: set[Key] = set()
        for line in self.lines:
            statement = line.statement
            if not statement.relations or (line.number, 0) in self.defined_lines:
                continue
            if statement.relations[0] not in EQUAL:
                continue
            try:
                with self.reading(line):
                    self.consider(line, taken)
            except UnreadFormulaError as error:
                self.refuse(line, error)
                self.defined_lines |= {(line.number, place) for place in range(len(statement.relations))}

    def consider(self, line: Line, taken: set[Key]) -> None:
        """Sort one line: a definition, an error signal, a number, or a claim, which is left alone."""
        statement = line.statement
        left = self.tree(statement.sides[0])
        if any(isinstance(node, Derivative | Differential) for node in nodes(left)):
            return
        if self.is_of_the_network(line, left):
            return
        if self.defines_function(line, left):
            return
        name = name_of(left)
        if name is None or name.tops or (name.primes and not self.is_declared(name)):
            called = self.called_loss(left)
            if called is None:
                return
            name = called
        if name.plus or self.is_update(name, statement):
            return
        if self.is_step(name, statement):
            place = statement.sides[0].tokens[0]
            place.fail("this looks like an update; write it as W \\leftarrow W - \\eta ..., or with W^+ on the left")
        if name.base in ("\\delta", "\\Delta") and not self.is_declared(name):
            self.deltas.append(line)
            return
        values = self.numeric(statement.sides[1])
        if values is not None and self.data(line, name, values, len(statement.relations) == 1):
            return
        for labels in self.instances(statement):
            for reading in self.left_readings(name, labels):
                key = (self.key_of(name, reading)[0].rstrip("'"), reading.label)
                if key in taken or reading.label.startswith("-"):
                    break
                if any(labels.get(letter) == 0 for letter in self.table.generic):
                    break
                taken.add(key)
                self.pending.append(Pending(line, labels, key, reading.indices, reading.sample))
                self.defined_lines.add((line.number, 0))
                break

    def is_of_the_network(self, line: Line, left: Node) -> bool:
        """Whether an equation is about what the given network has; numbers that it lacks are put in."""
        if not self.given:
            return False
        name = name_of(left)
        if name is None:
            # sigma(z) = ... says what a known function is; L(y, \hat{y}) is L.
            head = self.called_loss(left) or _head_of_call(left)
            return head is not None and (head.base in KNOWN or self.is_given(head, line.statement))
        if not self.is_given(name, line.statement):
            return False
        values = self.numeric(line.statement.sides[1])
        if values is not None:
            self.numbers_of_the_notes(name, values)
        return True

    def is_given(self, name: Name, statement: Statement) -> bool:
        """Whether the given network has what a name stands for."""
        for labels in self.instances(statement):
            for reading in readings(name, labels):
                find = self.table.find_entry if reading.indices or reading.sample is not None else self.table.find
                found = find(name.key, reading.label)
                keys = {(name.key, reading.label), (other_case(name.key), reading.label)}
                # L_n may be the loss of one example; z_{jn} is no other z, even where its indices do not fit.
                if found is not None and keys & self.given and (found.shape or not reading.indices):
                    return True
        return False

    def is_update(self, name: Name, statement: Statement) -> bool:
        """Whether the symbol on the left stands on the right as well, as the old value."""
        own = statement.sides[0].latex.replace(" ", "")
        for side in statement.sides[1:]:
            for node in nodes(self.tree(side)):
                other = name_of(node)
                if other is not None and other.base == name.base and not other.tops:
                    text = "".join(token.text for token in side.tokens[node.start : node.stop])
                    if text.replace(" ", "") == own and self.has_derivative(side):
                        return True
        return False

    def is_step(self, name: Name, statement: Statement) -> bool:
        """Whether the right side is another of the same letter and a derivative by it: W_{t+1} = W_t - eta dL/dW_t."""
        right = statement.sides[1]
        tree = self.tree(right)
        derivatives = [node for node in nodes(tree) if isinstance(node, Derivative | Differential)]
        by = [node.by if isinstance(node, Derivative) else node.body for node in derivatives]
        letters = {found.base for node in by if node is not None and (found := name_of(node)) is not None}
        terms = tree.terms if isinstance(tree, Addition) else ()
        return name.base in letters and any(
            (found := name_of(term)) is not None and found.base == name.base for _, term in terms
        )

    def has_derivative(self, side: Side) -> bool:
        """Whether a side has a derivative, or a letter that stands for one or for a learning rate."""
        for node in nodes(self.tree(side)):
            name = name_of(node)
            if isinstance(node, Derivative | Differential):
                return True
            if name is not None and name.base in ("\\delta", "\\Delta", "\\eta", "\\nabla"):
                return True
        return False


def _head_of_call(node: Node) -> Name | None:
    """The function of ``f(z)``."""
    if isinstance(node, Product) and len(node.factors) == 2 and isinstance(node.factors[1], Group):
        return name_of(node.factors[0])
    return None
