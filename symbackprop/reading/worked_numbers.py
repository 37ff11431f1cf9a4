"""The numbers of a worked example: x_1 = 0.05, and arrays of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbackprop.reading.draft import Draft
from symbackprop.reading.letters import GREEK_NUMBERS
from symbackprop.reading.names import Name, readings
from symbackprop.reading.relations import Line
from symbackprop.reading.statements import Side
from symbackprop.reading.syntax import Addition, Group, Listing, Matrix, Node, Number, Scripted
from symbackprop.reading.table import Declared, shown_key

__all__ = ["WorkedNumbers", "plain_number"]


class WorkedNumbers(Draft):
    """Numbers beside symbols, which define nothing but the example."""

    def numeric(self, side: Side) -> list[tuple[tuple[int, ...], sympy.Expr]] | None:
        """The numbers of a side that is one number, or an array of numbers."""
        node = self.tree(side)
        transposed = False
        if isinstance(node, Scripted) and isinstance(node.base, Matrix) and [s.kind for s in node.above] == ["top"]:
            node, transposed = node.base, True
        number = plain_number(node)
        if number is not None:
            return [((), number)]
        rows: list[list[sympy.Expr | None]] | None = None
        if isinstance(node, Matrix):
            rows = [[plain_number(entry) for entry in row] for row in node.rows]
        elif isinstance(node, Group) and isinstance(node.body, Listing):
            rows = [[plain_number(entry)] for entry in node.body.items]
        if rows is None or any(entry is None for row in rows for entry in row):
            return None
        if transposed:
            rows = [list(row) for row in zip(*rows, strict=True)]
        return [((i, j), entry) for i, row in enumerate(rows) for j, entry in enumerate(row) if entry is not None]

    def data(self, line: Line, name: Name, values: Sequence[tuple[tuple[int, ...], sympy.Expr]], alone: bool) -> bool:
        """Numbers of the worked example: x_1 = 0.05. They define nothing but the example."""
        labels = dict(self.table.last)
        for reading in readings(name, labels):
            if reading.power is not None:
                continue
            find = self.table.find_entry if reading.indices else self.table.find
            declared = find(name.base, reading.label)
            if declared is None or any(p.key == (name.base, reading.label) for p in self.pending):
                continue
            if any(not text.isdigit() for text in reading.indices):
                continue
            at = tuple(int(text) - 1 for text in reading.indices)
            if len(values) == 1 and len(at) in (0, len(declared.shape)):
                self.put(declared, at or (0,) * len(declared.shape), values[0][1])
            else:
                for place, number in values:
                    self.put(declared, place[: len(declared.shape)] if len(declared.shape) < 2 else place, number)
            self.defined_lines.add((line.number, 0))
            return True
        if any(p.key[0] == name.base and p.key[1] in {r.label for r in readings(name, labels)} for p in self.pending):
            return False
        if len(values) != 1 or values[0][0]:
            return False
        options = [r for r in readings(name, labels) if not r.indices and r.sample is None and r.power is None]
        if not options or (self.survey.ranks.get(name.base) and not options[0].label):
            return False
        if name.base in ("n", "m", "N", "M", "K", "D", "H", "T", "l", "k", "i", "j") and not options[0].label:
            # A number of something: it names a size, no value.
            number = values[0][1]
            extent = self.table.size_of(int(number)) if number.is_Integer and number > 0 else number
            self.sizes.same(self.table.sizes.setdefault((name.base, ""), extent), extent)
            self.defined_lines.add((line.number, 0))
            return True
        declared = self.new_variable((name.base, options[0].label), ())
        if name.base not in GREEK_NUMBERS:
            self.scalars[declared.variable] = shown_key((name.base, options[0].label))
        self.put(declared, (), values[0][1])
        self.defined_lines.add((line.number, 0))
        return True

    def numbers_of_the_notes(self, name: Name, values: Sequence[tuple[tuple[int, ...], sympy.Expr]]) -> None:
        """Numbers for what is given to the network, where it has none: those of the notes' own worked example.

        More or fewer examples than the network's are the notes' own as well.
        """
        found = self.table.find(name.key, next(readings(name, self.table.last)).label)
        if found is None or found.adjoint or found.variable in self.equations:
            return
        rank = len(found.shape)
        turned = name.tops % 2 == 1 and rank == 2
        shown = {at[::-1] if turned else at[:rank]: number for at, number in values}
        ours: dict[tuple[int, ...], sympy.Expr] = {}
        for at, number in shown.items():
            ordered = [0] * len(at)
            for place, position in enumerate(at):
                ordered[found.axes[place]] = position
            ours[tuple(ordered)] = number
        if len(ours) != len(values) or ours.keys() == self.numbers.get(found.variable, {}).keys():
            return
        likely = self.likely.get(found.variable, {})
        # The notes print them rounded.
        same = ours.keys() == likely.keys() and all(abs(ours[at] - likely[at]) <= abs(likely[at]) / 100 for at in ours)
        self.numbers[found.variable] = dict(likely) if same else ours

    def put(self, declared: Declared, at: tuple[int, ...], number: sympy.Expr) -> None:
        """Note one entry of the worked example."""
        ordered = [0] * len(at)
        for place, position in enumerate(at):
            ordered[declared.axes[place]] = position
        self.numbers.setdefault(declared.variable, {})[tuple(ordered)] = number


def plain_number(node: Node) -> sympy.Expr | None:
    """The value of a number with its sign, None for anything else."""
    if isinstance(node, Number):
        return sympy.Rational(node.text)
    if isinstance(node, Group) and node.bracket == "(":
        return plain_number(node.body)
    if isinstance(node, Addition) and len(node.terms) == 1:
        inner = plain_number(node.terms[0][1])
        return None if inner is None else -inner if node.terms[0][0] else inner
    return None
