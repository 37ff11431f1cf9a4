"""What is known of notes while they are read, and what every step of the reading needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import sympy

from symbackprop.notation.program import Assumption, Equation, Program, Role, Variable, default_indices
from symbackprop.reading.context import Context
from symbackprop.reading.declarations import identifier
from symbackprop.reading.elaborate import ShapeMismatchError
from symbackprop.reading.ground import Entries, Ground
from symbackprop.reading.layers import layer_before_indices
from symbackprop.reading.names import Name, Reading, name_of, readings
from symbackprop.reading.parser import parse
from symbackprop.reading.relations import Line, Relation, Unread
from symbackprop.reading.sizes import Sizes
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.statements import Side, Statement
from symbackprop.reading.survey import nodes, survey
from symbackprop.reading.syntax import Node, Number, Summation
from symbackprop.reading.table import FAMILY, Declared, Key, Table, shown_key
from symbackprop.reading.watch import Place, begun, place_of, reason_for

__all__ = ["BlockedError", "Draft", "Pending", "mentions"]


class BlockedError(Exception):
    """A symbol that another equation of the notes is still to define."""


@dataclass(frozen=True)
class Pending:
    """A definition that waits for what it is made of; ``labels`` are the numbers of its layers."""

    line: Line
    labels: Mapping[str, int]
    key: Key
    indices: tuple[str, ...]
    sample: str | None
    relation: int = 0


class Draft:
    """The state of the reading."""

    def __init__(self, lines: Sequence[Line], unread: list[Unread], ground: Ground | None = None) -> None:
        self.lines = lines
        self.unread = unread
        # By the identity of sides that live as long as the notes.
        self.trees: dict[int, Node] = {}
        begun(Place("notes", share=4 + len(lines) / 100))
        self.survey = survey([line.statement for line in lines])
        self.table = Table(
            words=set(self.survey.words),
            generic=dict(self.survey.generic),
            last=dict(self.survey.last),
            subscripted=frozenset(self.survey.subscripted),
        )
        self.sizes = Sizes()
        self.context = Context(Program((), (), name="the notes"))
        self.variables: dict[str, Variable] = {}
        self.equations: dict[str, Equation] = {}
        self.symbols: dict[str, str] = {}
        self.relations: list[Relation] = []
        self.numbers: dict[str, dict[tuple[int, ...], sympy.Expr]] = {}
        self.scalars: dict[str, str] = {}
        self.inferred: dict[str, str] = {}
        self.pending: list[Pending] = []
        self.deltas: list[Line] = []
        self.defined_lines: set[tuple[int, int]] = set()
        self.unknown_loss = False
        self.given: frozenset[Key] = frozenset()
        self.assumptions: tuple[Assumption, ...] = ()
        self.likely: Entries = {}
        self.families = self.find_families()
        if ground is not None:
            self.stand_on(ground)
        else:
            self.table.kept = frozenset(self.computed_with())

    def stand_on(self, ground: Ground) -> None:
        """Begin with a network, its names and its numbers."""
        self.table = replace(
            ground.table,
            words=self.table.words,
            generic=self.table.generic,
            last=self.table.last,
            subscripted=self.table.subscripted,
        )
        if ground.layers:
            self.table.generic = dict.fromkeys(self.table.generic, tuple(range(1, ground.layers + 1)))
            self.table.last = dict.fromkeys(self.table.last, ground.layers)
        # A letter that is an index in the notes is no size there.
        self.table.sizes = {key: extent for key, extent in self.table.sizes.items() if key not in self.index_keys()}
        self.variables = dict(ground.program.variables)
        self.equations = dict(ground.program.definitions)
        self.numbers = {name: dict(entries) for name, entries in ground.numbers.items()}
        self.likely = ground.likely
        names = (name for line in self.lines for side in line.statement.sides for name in self.names_in(side))
        above = (script for name in names for script in name.above)
        self.table.bracketed = any(script.kind in ("(", "[") and script.text.isdigit() for script in above)
        self.given = frozenset(self.table.declared)
        self.assumptions = ground.program.assumptions

    def index_keys(self) -> set[Key]:
        """The letters of indices, as keys of the table."""
        return {(letter, "") for letter in self.survey.indices}

    @contextmanager
    def reading(self, line: Line) -> Iterator[None]:
        """Whatever goes wrong inside is a formula that cannot be read."""
        begun(place_of("read", line.formula))
        try:
            yield
        except (UnreadFormulaError, BlockedError):
            raise
        except Exception as error:
            place = line.statement
            raise UnreadFormulaError(reason_for(error), place.line, place.column) from error

    def refuse(self, line: Line, error: UnreadFormulaError, latex: str = "") -> None:
        """Note that a line cannot be read, and why."""
        text = latex or f" {line.statement.relations[0] if line.statement.relations else ''} ".join(
            side.latex for side in line.statement.sides
        )
        misfit = isinstance(error, ShapeMismatchError)
        self.unread.append(Unread(line.formula, error.line, error.column, text, error.reason, misfit))

    def tree(self, side: Side) -> Node:
        """The tree of a side; it is parsed once."""
        found = self.trees.get(id(side))
        if found is None:
            found = self.trees[id(side)] = parse(side.tokens, self.table.words)
        return found

    def all_nodes(self) -> Iterator[Node]:
        """Every node of every side that can be parsed."""
        for line in self.lines:
            for side in line.statement.sides:
                try:
                    yield from nodes(self.tree(side))
                except UnreadFormulaError:
                    continue

    def names_in(self, side: Side) -> list[Name]:
        """The names in a side, none where it cannot be parsed."""
        try:
            return [name for node in nodes(self.tree(side)) if (name := name_of(node)) is not None]
        except UnreadFormulaError:
            return []

    def instances(self, statement: Statement) -> list[dict[str, int]]:
        """The numbers of the layers that a statement is for."""
        used: set[str] = set()
        for side in statement.sides:
            for node in nodes(self.tree(side)):
                name = name_of(node)
                if name is not None:
                    for script in (*name.above, *name.below):
                        used |= {letter for letter in self.table.generic if mentions(script.text, letter)}
                    used |= layer_before_indices(name, self.table)
        bound = self.bound_in(statement)
        letters = sorted(used - bound)
        found: list[dict[str, int]] = [dict(self.table.last)]
        for letter in letters:
            found = [{**labels, letter: number} for labels in found for number in (0, *self.table.generic[letter])]
        return found

    def bound_in(self, statement: Statement) -> set[str]:
        """The indices of the sums in a statement."""
        trees = (self.tree(side) for side in statement.sides)
        inside = (node for tree in trees for node in nodes(tree))
        return {name for node in inside if isinstance(node, Summation) for name, _, _ in node.indices}

    def computed_with(self) -> Iterator[int]:
        """The numbers that stand in formulas as numbers, not as sizes."""
        for line in self.lines:
            statement = line.statement
            for side in statement.sides[: 1 if "\\in" in statement.relations else None]:
                try:
                    inside = list(nodes(self.tree(side)))
                except UnreadFormulaError:
                    continue
                if len(inside) == 1 and len(statement.sides) == 2:
                    # N = 784 says what a letter is.
                    continue
                ends = [node.indices for node in inside if isinstance(node, Summation)]
                sizes = {id(node) for node in nodes(tuple(ends))}
                for node in inside:
                    if isinstance(node, Number) and node.text.isdecimal() and id(node) not in sizes:
                        yield int(node.text)

    def find_families(self) -> set[str]:
        """Letters that are one thing with an index and another without: C_k, and C = sum_k C_k."""
        found = set()
        for line in self.lines:
            try:
                name = name_of(self.tree(line.statement.sides[0]))
                bound = self.bound_in(line.statement) if name is not None else set()
            except UnreadFormulaError:
                continue
            if name is None or name.below or name.above or not bound:
                continue
            for side in line.statement.sides[1:]:
                for other in self.names_in(side):
                    letters = {script.text for script in (*other.below, *other.above)}
                    if other.base == name.base and letters & bound:
                        found.add(name.base)
        return found

    def key_of(self, name: Name, reading: Reading) -> Key:
        """What the table calls a name in one of its readings."""
        is_entry = bool(reading.indices) or reading.sample is not None
        return (f"{name.base}{FAMILY}" if is_entry and name.base in self.families else name.key, reading.label)

    def new_variable(self, key: Key, shape: Sequence[sympy.Expr], role: Role = Role.INPUT) -> Declared:
        """A variable that was not there, under a name that no other has."""
        name = identifier(*key)
        while name in self.variables:
            name += "_"
        letters = default_indices(len(shape))
        self.variables[name] = Variable(name, tuple(shape), role, letters, symbol=_symbol(key))
        self.symbols[name] = shown_key(key)
        declared = Declared(name, tuple(shape), tuple(range(len(shape))))
        self.table.declared[key] = declared
        return declared

    def left_readings(self, name: Name, labels: Mapping[str, int]) -> list[Reading]:
        """The ways to read what stands on the left of a definition: digits are labels, letters are indices."""
        found = []
        for reading in readings(name, labels):
            if reading.power is not None:
                continue
            if any(not text.isalpha() for text in reading.indices) or any(i in labels for i in reading.indices):
                continue
            label_parts = reading.label.split(",")
            if any(self.looks_like_index(part, name) for part in label_parts):
                continue
            found.append(reading)
        return found

    def looks_like_index(self, text: str, name: Name) -> bool:
        """Whether a subscript that would be a label is an index."""
        if not text or any(character.isdigit() for character in text) or not text.isalpha():
            return False
        if (name.base, text) in self.table.declared:
            return False
        count = self.survey.ranks.get(name.base, 0)
        below = "".join(script.text for script in name.below)
        above = {script.text for script in name.above}
        if text in above:
            return len(text) == 1 and text in "imnk" and text not in self.table.last
        return bool(count) and text in below and len(text) <= count and text.islower()

    def is_declared(self, name: Name) -> bool:
        """Whether the table has a name in one of its readings."""
        return any((name.key, reading.label) in self.table.declared for reading in readings(name, self.table.last))


def mentions(text: str, letter: str) -> bool:
    """Whether a script is the letter, or the letter and a step: l, l+1."""
    return bool(re.match(rf"{re.escape(letter)}(?:[+-]\d+)?\Z", text))


def _symbol(key: Key) -> str:
    """How a variable is written, where its plain name does not say it already: W1 is W^{(1)} of itself."""
    base, label = key
    plain = base.lstrip("\\").isalpha() and not base.endswith("'")
    return "" if plain and (not label or label.isdigit()) and (len(base) == 1 or base[0] == "\\") else shown_key(key)
