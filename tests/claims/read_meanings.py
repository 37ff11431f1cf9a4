"""What the reader makes of the last formula of some notes, in numbers; derivatives are limits, not rules."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import mpmath
import numpy as np

from symbackprop.claims.document import _best
from symbackprop.claims.judge import Item, Judge
from symbackprop.notation.interpreter import arbitrary_precision, interpret
from symbackprop.notation.program import Program, Role
from symbackprop.reading.elaborate import Elaborator
from symbackprop.reading.names import name_of
from symbackprop.reading.notes import Notes, Relation, relations_of
from symbackprop.reading.parser import parse
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.statements import Statement, statements
from symbackprop.reading.tokens import tokenize
from symbackprop.reading.walker import walk

Array = np.ndarray
DIGITS = 50
STEP = mpmath.mpf(10) ** -18


@dataclass(frozen=True)
class Sides:
    """A formula as it was read, at one point: the values of its sides, relation by relation.

    ``v``, ``D``, ``J`` give values, derivatives and Jacobians of the declared network there, as notation.toml says.
    """

    relations: tuple[tuple[Array, ...], ...]
    v: Callable[[str], Array]
    D: Callable[[str, str], Array]
    J: Callable[[str, str], Array]


@dataclass
class Values:
    """The declared network at one point: values by interpreting it, derivatives by differences in many digits."""

    notes: Notes
    program: Program
    sizes: dict[str, int]
    arrays: dict[str, Array]

    @cached_property
    def forward(self) -> dict[str, Array]:
        """The value of every variable."""
        return self.computed(self.program, {})

    def computed(self, program: Program, fixed: dict[str, Array]) -> dict[str, Array]:
        """The program's variables where some are what ``fixed`` says."""
        mpmath.mp.dps = DIGITS
        given = {v.name: fixed.get(v.name, self.arrays.get(v.name)) for v in program.inputs}
        exact = np.frompyfunc(mpmath.mpf, 1, 1)
        numbers = {name: np.asarray(exact(array), dtype=object) for name, array in given.items()}
        sizes = {size.name: self.sizes[size.name] for size in program.sizes}
        return interpret(program, numbers, sizes, arbitrary_precision())

    def declared(self, symbol: str) -> tuple[str, tuple[int, ...]]:
        """The variable that a symbol stands for, and where its axes on paper are."""
        side = statements(tokenize(symbol, 1, 1, {}))[0].sides[0]
        name = name_of(parse(side.tokens, self.notes.table.words))
        assert name is not None, symbol
        reader = Elaborator(self.notes.table, self.notes.context, self.notes.sizes, dict(self.notes.table.last))
        found = reader.resolved(name, ask=False)
        assert found is not None, f"{symbol} is not declared"
        assert found[0].variable in self.program.variables, f"{symbol} is no variable"
        return found[0].variable, found[0].axes

    def value(self, symbol: str) -> Array:
        """The value of a symbol, in the shape on paper."""
        name, axes = self.declared(symbol)
        return np.transpose(np.asarray(self.forward[name], dtype=float), axes)

    def jacobian(self, of: str, by: str) -> Array:
        """The derivative of one symbol by another."""
        (above, above_axes), (below, below_axes) = self.declared(of), self.declared(by)
        program = self.opened(below)
        start = self.forward[below]
        found = np.empty((*self.forward[above].shape, *start.shape))
        for place in itertools.product(*map(range, start.shape)):
            ends = []
            for step in (STEP, -STEP):
                moved = np.array(np.asarray(start, dtype=object))
                moved[place] = moved[place] + step
                fixed = {v.name: self.forward[v.name] for v in program.inputs}
                ends.append(self.computed(program, {**fixed, below: moved})[above])
            slope = np.frompyfunc(float, 1, 1)((ends[0] - ends[1]) / (2 * STEP))
            found[(..., *place)] = np.asarray(slope, dtype=float)
        rank = len(above_axes)
        return np.transpose(found, (*above_axes, *(rank + axis for axis in below_axes)))

    def opened(self, name: str) -> Program:
        """The program with a variable given, not computed."""
        definition = self.program.definitions.get(name)
        if definition is None:
            return self.program
        free = replace(definition.left, role=Role.INPUT)
        return replace(
            self.program,
            inputs=(*self.program.inputs, free),
            equations=tuple(e for e in self.program.equations if e.name != name),
        )


def sides_of_last_formula(text: str) -> dict[int, Sides] | str:
    """What the reader makes of the last formula, for each layer l that exists (0 where there is none), or why not."""
    source = walk(text, "markdown")
    session = _best(source, None)
    notes, judge = session.notes, session.judge
    refused = list(notes.unread)
    if refused:
        return f"{refused[0].latex}: {refused[0].reason}"
    lines = [line for line in relations_of(source)[0] if line.formula.start == source.formulas[-1].start]
    try:
        chains = [chain for line in lines for chain in [_chain(notes, judge, line.statement, line.number)] if chain]
    except UnreadFormulaError as error:
        return error.reason
    layers = sorted(set.intersection(*(set(chain) for chain in chains)))
    return {layer: _sides(notes, judge, [chain[layer] for chain in chains]) for layer in layers}


Chain = list[tuple[Any, Any, tuple[Any, ...]]]
"""Pairs of sides with the indices that are free in them."""


def _chain(notes: Notes, judge: Judge, statement: Statement, number: int) -> dict[int, Chain]:
    """The sides of one statement, by layer."""
    claims = [relation for relation in notes.relations if relation.chain == number]
    if not claims or len(claims) < len(statement.relations):
        found = _definition(notes, judge, statement)
        if not claims:
            return found
        assert set(found) == {0}
        for relation in claims:
            found[0] += [(item.derived, item.claimed, item.free) for item in _items(judge, relation)]
        return found
    by_layer: dict[int, Chain] = {}
    for relation in claims:
        for item in _items(judge, relation):
            by_layer.setdefault(_layer(notes, item), []).append((item.derived, item.claimed, item.free))
    return {layer: chain for layer, chain in by_layer.items() if len(chain) == len(claims)}


def _items(judge: Judge, relation: Relation) -> list[Item]:
    """A relation in the reading that is taken for it."""
    first: list[Item] | None = None
    reason: UnreadFormulaError | None = None
    for options in judge.options:
        try:
            items = judge.items(relation, options)
        except UnreadFormulaError as error:
            reason = reason or error
            continue
        if judge.holds_here(items):
            return items
        first = first or items
    if first is None:
        assert reason is not None
        raise reason
    return first


def _layer(notes: Notes, item: Item) -> int:
    numbers = [number for letter, number in item.labels.items() if letter in notes.table.generic]
    return numbers[0] if numbers else 0


def _definition(notes: Notes, judge: Judge, statement: Statement) -> dict[int, Chain]:
    """The equation of what a statement defines, for each layer."""
    found: dict[int, Chain] = {}
    node = parse(statement.sides[0].tokens, notes.table.words)
    name = name_of(node) or name_of(node.factors[0])  # type: ignore[attr-defined]
    assert name is not None
    letters = [
        letter for letter in notes.table.generic if any(letter in script.text for script in (*name.above, *name.below))
    ]
    for number in notes.table.generic[letters[0]] if letters else (0,):
        labels = {**notes.table.last, **({letters[0]: number} if letters else {})}
        resolved = Elaborator(notes.table, notes.context, notes.sizes, labels).resolved(name, ask=False)
        assert resolved is not None
        equation = notes.program.definitions.get(resolved[0].variable)
        if equation is None:
            raise UnreadFormulaError(f"{resolved[0].variable} has no equation", 1, 1)
        left = equation.left.everywhere
        limits = [
            (i, notes.sizes.find(extent)) for i, extent in zip(equation.left.indices, equation.left.shape, strict=True)
        ]
        ordered = tuple(limits[axis] for axis in resolved[0].axes)
        found[number] = [(left, equation.right, ordered)]
    return found


def _sides(notes: Notes, judge: Judge, chains: Sequence[Chain]) -> Sides:
    point = judge.bench.points()[0]
    given = {variable.name: point.arrays[variable.name] for variable in notes.program.inputs}
    values = Values(notes, notes.program, dict(point.sizes), given)
    relations = []
    for chain in chains:
        sides: list[Array] = []
        for derived, claimed, free in chain:
            left, right = (np.asarray(point.floats.entries(side, free), dtype=float) for side in (derived, claimed))
            if not sides:
                sides.append(left)
            assert np.allclose(np.squeeze(left), np.squeeze(sides[-1])), (
                "a side means one thing on its left and another"
            )
            sides.append(right)
        relations.append(tuple(sides))
    return Sides(tuple(relations), values.value, values.jacobian, values.jacobian)
