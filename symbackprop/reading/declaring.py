r"""What notes declare: W \in \mathbb{R}^{m \times n}, and the letters that sums end at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from symbackprop.reading.declarations import shape_of, space_of
from symbackprop.reading.draft import Draft, mentions
from symbackprop.reading.names import Name, Reading, name_of, readings
from symbackprop.reading.relations import Line
from symbackprop.reading.sources import Formula, UnreadFormulaError
from symbackprop.reading.statements import Side
from symbackprop.reading.syntax import Addition, Listing, Node, Summation, Symbol

__all__ = ["Declaring"]


class Declaring(Draft):
    """The declarations of the notes."""

    def declare_all(self) -> None:
        """Read what is said about the spaces that symbols lie in."""
        waiting: list[Side] = []
        formula: Formula | None = None
        for line in self.lines:
            statement = line.statement
            if line.formula is not formula:
                waiting, formula = [], line.formula
            if not statement.relations:
                waiting.append(statement.sides[0])
                continue
            if statement.relations[0] != "\\in":
                waiting = []
                continue
            factors = space_of(statement.sides[1])
            self.defined_lines.add((line.number, 0))
            if factors is None:
                waiting = []
                continue
            for side in (*waiting, statement.sides[0]):
                try:
                    with self.reading(line):
                        self.declare(side, line, factors)
                except UnreadFormulaError as error:
                    self.refuse(line, error)
            waiting = []

    def declare(self, side: Side, line: Line, factors: Sequence[Sequence[object]]) -> None:
        r"""Declare the symbols that stand on the left of \in."""
        names = [name_of(item) for item in _items(self.tree(side))]
        for labels in self.instances(line.statement):
            for name in names:
                if name is None:
                    continue
                whole = (r for r in readings(name, labels) if not r.indices and r.sample is None and r.power is None)
                reading = next(whole, Reading("", ()))
                if labels and any(value == 0 for value in labels.values()) and not _is_generic(name, labels):
                    continue
                if reading.label.startswith("-"):
                    continue
                key = (name.key, reading.label)
                shape = shape_of(factors, self.table, labels)  # type: ignore[arg-type]
                zero = [labels[letter] for letter in labels if letter in self.table.generic]
                if zero and min(zero) == 0 and (len(shape) > 1 or reading.label != "0"):
                    continue
                if zero and min(zero) == 0 and name.base[-1:] not in ("a", "A", "h", "H", "x", "X", "o", "y"):
                    continue
                if key in self.table.declared:
                    continue
                letter = name.below[0].text if len(name.below) == 1 and not name.above else ""
                if letter in self.survey.indices and letter not in self.table.generic:
                    # x_n \in R^D: one vector for each n.
                    declared = self.new_variable((name.key, ""), (self.sizes.fresh(letter), *shape))
                    self.table.declared[name.key, ""] = replace(declared, sample=0 if shape else None)
                    continue
                self.new_variable(key, shape)

    def find_sizes(self) -> None:
        """A letter that a sum ends at is a size, where nothing else was said of it."""
        for node in self.all_nodes():
            ends = [last for _, _, last in node.indices if last is not None] if isinstance(node, Summation) else []
            for end in ends:
                parts = [term for _, term in end.terms] if isinstance(end, Addition) else [end]
                for part in parts:
                    if isinstance(part, Symbol) and not self.is_something(part.name):
                        self.table.sizes[part.name, ""] = self.sizes.fresh(part.name.lstrip("\\"))

    def is_something(self, letter: str) -> bool:
        """Whether a letter has a meaning already, or is an index."""
        key = (letter, "")
        known = key in self.table.sizes or key in self.table.declared or letter in self.survey.indices
        return known or letter in self.table.last or letter in self.table.generic


def _is_generic(name: Name, labels: Mapping[str, int]) -> bool:
    return any(mentions(script.text, letter) for script in (*name.above, *name.below) for letter in labels)


def _items(node: Node) -> Iterable[Node]:
    return node.items if isinstance(node, Listing) else (node,)
