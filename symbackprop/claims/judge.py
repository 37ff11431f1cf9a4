"""One claim held against the derivation: read for every layer it speaks of, compared at each, the outcome of all."""

from __future__ import annotations

import itertools
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sympy

from symbackprop.claims.arbitrary import arbitrary_arrays
from symbackprop.claims.concrete import at_sizes, program_at_sizes
from symbackprop.claims.derived import Derived
from symbackprop.claims.equality import Evidence, compare
from symbackprop.claims.points import Point, UndefinedError, points, small_sizes
from symbackprop.claims.proof import proved_for_all_sizes
from symbackprop.claims.result import Outcome
from symbackprop.errors import SymbackpropError
from symbackprop.notation.expressions import Bracket, ElementwiseFunction, Limit, base_name, index, occurrence
from symbackprop.notation.indices import free_indices, substitute
from symbackprop.notation.program import Assumption, Equation, Program, Role, Variable, occurrences
from symbackprop.reading.context import Request
from symbackprop.reading.elaborate import Elaborator, Options, ShapeMismatchError
from symbackprop.reading.layers import layer_before_indices
from symbackprop.reading.names import Name, label_value, name_of
from symbackprop.reading.notes import Notes, Relation, with_known_sizes
from symbackprop.reading.parser import parse
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.statements import Side
from symbackprop.reading.survey import nodes
from symbackprop.reading.syntax import Derivative, Differential, Node, Summation
from symbackprop.reading.table import Declared, shown_key
from symbackprop.reading.values import ShapeError, Value

__all__ = ["GRADIENTS", "JACOBIANS", "Bench", "Item", "Judge", "Verdict"]

GRADIENTS = (Options(), Options(entrywise=True))
"""Derivatives by arrays in the shape of the array."""
JACOBIANS = (Options(numerator=True), Options(numerator=True, entrywise=True))
"""Derivatives by arrays as Jacobians, in numerator layout."""
_SEEDS = (0, 1, 2)
_SECONDS_AT_SIZES = 1.0
_MANY = tuple(range(12))


@dataclass(frozen=True)
class Item:
    """A claim for one layer: ``claimed`` and ``derived`` at every position of ``free``."""

    labels: Mapping[str, int]
    derived: sympy.Expr
    claimed: sympy.Expr
    free: tuple[Limit, ...]
    notes: tuple[str, ...] = ()
    shape: tuple[sympy.Expr, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The evidence for all layers of a claim, and how it was read."""

    outcome: Outcome
    by: str
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    evidence: Evidence | None = None
    assumption: str = ""


@dataclass
class Bench:
    """Points at which claims are tried; they stay the same while the program grows by derivatives."""

    derived: Derived
    least: Mapping[str, int] = field(default_factory=dict)
    drawn: dict[tuple[Hashable, ...], tuple[Point, ...]] = field(default_factory=dict)

    def points(
        self,
        assuming: tuple[Assumption, ...] = (),
        larger: int = 0,
        given: Mapping[str, int] | None = None,
        many: bool = False,
    ) -> tuple[Point, ...]:
        """Three points, or ``many``, so that every case comes up.

        ``larger`` moves all sizes up, ``given`` says what some of them are.
        """
        forward = self.derived.forward()
        how = (assuming, larger, many, tuple((given or {}).items()))
        key = (*how, tuple(v.name for v in forward.inputs))
        before = next((k for k in reversed(self.drawn) if k[: len(how)] == how), None)
        if key not in self.drawn and before is not None:
            self.drawn[key] = tuple(_with_more(point, forward) for point in self.drawn[before])
        elif key not in self.drawn:
            # Sizes follow the forward equations, so that derivatives asked for later change nothing.
            sizes = small_sizes(forward)
            sizes = {name: max(number, self.least.get(name, 0)) for name, number in sizes.items()}
            sizes.update(given or {})
            if larger:
                sizes = {name: number + larger + place for place, (name, number) in enumerate(sizes.items())}
            self.drawn[key] = points(forward, sizes, _MANY if many else _SEEDS if not larger else _SEEDS[:2], assuming)
        program = self.derived.program()
        found = []
        for point in self.drawn[key]:
            missing = [e for e in program.equations if e.name not in point.arrays]
            known = [point] if not missing else [Point(point.sizes, point.seed, point.arrays, program)]
            found += known
        if program.equations and any(point.program is not program for point in found):
            found = [Point(point.sizes, point.seed, point.arrays, program) for point in found]
        return tuple(found)


def _with_more(point: Point, forward: Program) -> Point:
    """A point with numbers for what was declared since it was drawn: the letters of a claim."""
    new = tuple(variable for variable in forward.inputs if variable.name not in point.arrays)
    if not new:
        return point
    sizes = small_sizes(forward, point.sizes)
    (more,) = points(Program(new, ()), {**sizes}, (point.seed,))
    return Point(sizes, point.seed, {**point.arrays, **more.arrays}, forward)


class Judge:
    """Holds the claims of some notes against what is derived."""

    def __init__(self, notes: Notes, scale: sympy.Expr = sympy.S.One, options: tuple[Options, ...] = GRADIENTS) -> None:
        self.notes = notes
        self._at_sizes: tuple[Equation, dict[sympy.Symbol, sympy.Integer], Program] | None = None
        self._trees: dict[int, tuple[Side, Node]] = {}
        self.options = options
        self.notes.context.scale = scale
        self.derived = Derived(notes.context, notes.sizes)
        least = {str(size): number for size, number in notes.sizes.least.items()}
        self.bench = Bench(self.derived, least)
        self._points: tuple[int, tuple[Point, ...]] | None = None

    # -- reading -----------------------------------------------------------------------------------------------------

    def instances(self, relation: Relation) -> list[dict[str, int]]:
        """The numbers of the layers that a relation is for."""
        table = self.notes.table
        used: set[str] = set()
        bound: set[str] = set()
        for side in (relation.left, relation.right):
            for node in nodes(self.tree(side)):
                name = name_of(node)
                if isinstance(node, Summation):
                    bound |= {letter for letter, _, _ in node.indices}
                if name is not None:
                    for script in (*name.above, *name.below):
                        used |= {letter for letter in table.generic if _mentions(script.text, letter)}
                    used |= layer_before_indices(name, table)
        letters = sorted(used - bound)
        ranges = [table.generic[letter] for letter in letters]
        return [{**table.last, **dict(zip(letters, numbers, strict=True))} for numbers in itertools.product(*ranges)]

    def tree(self, side: Side) -> Node:
        """The tree of a side, parsed once."""
        known = self._trees.get(id(side))
        if known is None or known[0] is not side:
            known = self._trees[id(side)] = (side, parse(side.tokens, self.notes.table.words))
        return known[1]

    def is_known_function(self, name: Name) -> bool:
        """Whether a name is that of a function."""
        reader = Elaborator(self.notes.table, self.notes.context, self.notes.sizes)
        return reader.is_function(name, True)

    def items(self, relation: Relation, options: Options | None = None, right: Side | None = None) -> list[Item]:
        """The claim for every layer that it can be for. Raises UnreadFormulaError, ShapeMismatchError."""
        found: list[Item] = []
        errors: list[UnreadFormulaError] = []
        for labels in self.instances(relation):
            try:
                chosen = GRADIENTS[0] if relation.update else options or self.options[0]
                found.append(self.item(relation, labels, chosen, right or relation.right))
            except ShapeMismatchError:
                raise
            except UnreadFormulaError as error:
                errors.append(error)
        if not found:
            raise errors[0]
        return found

    def item(self, relation: Relation, labels: Mapping[str, int], options: Options, right: Side) -> Item:
        """The claim for the layers that ``labels`` number."""
        reader = Elaborator(
            self.notes.table,
            self.notes.context,
            self.notes.sizes,
            labels,
            options,
            self.unknown,
            about=self.about_label(relation.left, labels),
        )
        with arbitrary_arrays(self.notes, self.tree(relation.left)):
            left = self.updated(relation, reader) if relation.update else self.whole(reader, relation.left, right)
            outer = set(reader.scope)
            value = reader.side(right, left)
        return self.made(relation, reader, labels, left, value, outer)

    def whole(self, reader: Elaborator, side: Side, right: Side) -> Value:
        """The left side; an entry beside whole arrays, as in delta_j = W^T delta, is the array it belongs to."""
        left = reader.side(side)
        letters = [letter for letter in reader.scope if index(letter) in free_indices(left.entry)]
        extents = [reader.scope[letter] for letter in letters]
        inside = [name for node in nodes(self.tree(right)) if (name := name_of(node)) is not None]
        written = {letter for name in inside for script in (*name.below, *name.above) for letter in script.text}
        below = [name.below for node in nodes(self.tree(side)) if (name := name_of(node)) is not None]
        together = (
            [letters] if len(letters) == 1 else [list("".join(script.text for script in found)) for found in below]
        )
        if left.rank or not letters or None in extents or written & set(letters) or letters not in together:
            return left
        axes = [reader.arrays.axis(extent) for extent in extents if extent is not None]
        entry = substitute(left.entry, {index(letter): axis for letter, (axis, _) in zip(letters, axes, strict=True)})
        for letter in letters:
            del reader.scope[letter]
        return Value(entry, tuple(axes))

    def made(
        self,
        relation: Relation,
        reader: Elaborator,
        labels: Mapping[str, int],
        left: Value,
        value: Value,
        outer: set[str],
    ) -> Item:
        """The claim as two entries over the indices that both sides have."""
        if reader.sliced and reader.arrays.is_row(left) and value.rank == 1:
            # P_n is a row of P.
            value = reader.arrays.transpose(value)
        if not left.rank and value.rank and set(reader.arrays.shape(value)) == {sympy.S.One}:
            # An array of one entry is that number.
            value = Value(reader.arrays.at(value, [sympy.S.Zero] * value.rank))
        if left.rank == 1 and reader.arrays.is_row(value) and self.rows_of_examples():
            # A bias beside rows of examples is the row that is added to each.
            value = reader.arrays.transpose(value)
            value = reader.arrays.as_column(value) if reader.arrays.is_column_matrix(value) else value
            reader.note("the row on the right is read as the column on the left")
        derived_shape, claimed_shape = reader.arrays.shown(left), reader.arrays.shown(value)
        try:
            if left.rank and value.rank and not self.same_kind(reader, left, value):
                raise ShapeError("")
            axes, one, other = reader.arrays.aligned(left, value, "equal to")
            if len(axes) > max(left.rank, 1) and left.rank:
                raise ShapeError("")
        except ShapeError as error:
            place = relation.right.tokens[0]
            raise ShapeMismatchError(
                f"the left side is {_shaped(derived_shape)}, the right side {_shaped(claimed_shape)}",
                place.line,
                place.column,
            ) from error
        if not left.rank and value.rank:
            place = relation.right.tokens[0]
            raise ShapeMismatchError(
                f"the left side is a number, the right side {_shaped(claimed_shape)}", place.line, place.column
            )
        # An axis of one entry has no index.
        alone = {i: sympy.S.Zero for i, extent in axes if self.notes.sizes.find(extent) == 1}
        one, other = substitute(one, alone), substitute(other, alone)
        axes = tuple((i, extent) for i, extent in axes if i not in alone)
        free: list[Limit] = []
        used = free_indices(one) | free_indices(other)
        for letter, extent in reader.scope.items():
            if index(letter) not in used:
                continue
            if extent is None:
                place = relation.right.tokens[0]
                place.fail(f"nothing says how far the index {letter} runs")
            free.append((index(letter), extent))
        sizes = self.notes.sizes
        known = tuple((i, sizes.find(extent)) for i, extent in (*free, *axes))
        return Item(
            dict(labels),
            with_known_sizes(one, sizes),
            with_known_sizes(other, sizes),
            known,
            tuple(reader.notes),
            tuple(sizes.find(extent) for _, extent in left.axes),
        )

    def rows_of_examples(self) -> bool:
        """Whether the examples are rows."""
        return any(declared.sample == 0 and len(declared.shape) == 2 for declared in self.notes.table.declared.values())

    def same_kind(self, reader: Elaborator, left: Value, value: Value) -> bool:
        """Whether two arrays may be equal: the same shape, where a column may be a matrix of one column."""
        arrays, sizes = reader.arrays, self.notes.sizes
        one = arrays.as_column(left) if arrays.is_column_matrix(left) else left
        other = arrays.as_column(value) if arrays.is_column_matrix(value) else value
        if one.rank != other.rank:
            return False
        return all(sizes.same(a, b) for (_, a), (_, b) in zip(one.axes, other.axes, strict=True))

    def about_label(self, side: Side, labels: Mapping[str, int]) -> str:
        """The number of the layer that the left side is of."""
        for node in nodes(self.tree(side)):
            name = name_of(node)
            if name is not None and name.above and name.base not in ("\\partial",):
                return label_value(name.above[0].text, labels)
        return ""

    def updated(self, relation: Relation, reader: Elaborator) -> Value:
        """What the left side becomes in a step of gradient descent."""
        table = self.notes.table
        name = name_of(self.tree(relation.left))
        if name is None or table.loss is None:
            relation.left.tokens[0].fail("an update of something that is no variable")
        plain = replace(name, plus=False)
        found = reader.resolved(plain, ask=False)
        if found is None or not found[0].variable:
            relation.left.tokens[0].fail("an update of something that is no variable")
        declared, reading = found
        old = reader.occurrence(replace(declared, adjoint=False, updated=False), reading, plain)
        slope = reader.occurrence(replace(declared, adjoint=True, updated=False), reading, plain)
        slope = Value(slope.entry / self.notes.context.scale, slope.axes)
        rate = self.rate(relation, reader)
        if rate == 1:
            reader.note("right with the learning rate 1")
        entry = reader.arrays.at(slope, [i for i, _ in old.axes]) if old.axes else slope.entry
        return Value(old.entry - rate * entry, old.axes)

    def rate(self, relation: Relation, reader: Elaborator) -> sympy.Expr:
        """The learning rate that a relation uses: a letter, or a number."""
        for node in nodes(self.tree(relation.right)):
            name = name_of(node)
            if name is not None and name.base in RATES and not name.below and not name.above:
                found = reader.resolved(name)
                if found is not None and found[0].variable and not found[0].shape:
                    return occurrence(found[0].variable)
        from symbackprop.reading.syntax import Number

        for node in nodes(self.tree(relation.right)):
            if isinstance(node, Number) and 0 < float(node.text) < 1:
                return sympy.Rational(node.text)
        return sympy.S.One

    def unknown(self, reader: Elaborator, name: Name, expected: Sequence[str] | None) -> Declared | None:
        """A number that only claims mention: a learning rate, a factor."""
        if name.below or name.above or name.bold or name.primes or name.base.isupper() or ":" in name.base:
            return None
        if name.base in ("d", "e", "i", "\\partial", "\\nabla", "\\delta") or name.base in reader.scope:
            return None
        if len(name.base) > 1 and not name.base.startswith("\\"):
            return None
        variable = Variable(_plain(name.base, self.notes.program), (), Role.INPUT, ())
        context = self.notes.context
        context.program = replace(context.program, inputs=(*context.program.inputs, variable))
        declared = Declared(variable.name)
        self.notes.table.declared[name.base, ""] = declared
        if name.base not in RATES:
            self.notes.scalars[variable.name] = shown_key((name.base, ""))
        return declared

    # -- comparing ---------------------------------------------------------------------------------------------------

    def verdict(self, relation: Relation, seconds: float = 2.0) -> Verdict:
        """What becomes of a claim, read in the way in which it holds, if there is one."""
        first: Verdict | None = None
        misfit: ShapeMismatchError | None = None
        unread: UnreadFormulaError | None = None
        for options in GRADIENTS if relation.update else self.options:
            if options != self.options[0] and not self.has_derivative(relation):
                break
            try:
                items = self.items(relation, options)
            except ShapeMismatchError as error:
                misfit = misfit or error
                continue
            except UnreadFormulaError as error:
                unread = unread or error
                continue
            found = self.compared(items, seconds)
            if found.outcome.holds:
                return found
            first = first or found
        if first is not None:
            return first
        if misfit is not None:
            raise misfit
        assert unread is not None
        raise unread

    def has_derivative(self, relation: Relation) -> bool:
        """Whether a relation speaks of derivatives, which may be read in more than one way."""
        sides = (relation.left, relation.right)
        return any(isinstance(node, Derivative | Differential) for side in sides for node in nodes(self.tree(side)))

    def compared(
        self,
        items: Sequence[Item],
        seconds: float = 2.0,
        assuming: tuple[Assumption, ...] = (),
        sizes: Mapping[str, int] | None = None,
    ) -> Verdict:
        """The outcome of all items: the least certain, or the first that differs."""
        worst: Evidence | None = None
        chosen = self.bench.points(assuming, given=sizes, many=self.by_cases(items))
        program = self.derived.program()
        notes = tuple(dict.fromkeys(note for item in items for note in item.notes))
        for item in items:
            evidence = compare(item.claimed, item.derived, item.free, program, chosen, seconds, assuming=assuming)
            by_luck = evidence.outcome.holds and "all sizes" not in evidence.by and sizes is None
            if by_luck and not self.holds_here([item], assuming, larger=2):
                # Where a batch has two examples, 2/m is 1.
                others = self.bench.points(assuming, larger=2)
                evidence = compare(item.claimed, item.derived, item.free, program, others, seconds, assuming=assuming)
            if evidence.outcome is Outcome.DIFFERS:
                return Verdict(Outcome.DIFFERS, evidence.by + _of_layers((item,)), tuple(items), notes, evidence)
            if worst is None or worst.outcome is Outcome.PROVED:
                worst = evidence if worst is None or evidence.outcome is not Outcome.PROVED else worst
                if "exact" in evidence.by:
                    worst = evidence
        assert worst is not None
        return Verdict(worst.outcome, worst.by + _of_layers(items), tuple(items), notes, worst)

    def proved_at(self, items: Sequence[Item], sizes: Mapping[str, int]) -> bool:
        """Whether the sides are the same with all sums written out at the given sizes."""
        program = self.derived.program()
        numbers = {size: sympy.Integer(sizes[size.name]) for size in program.sizes if size.name in sizes}
        if self._at_sizes is None or self._at_sizes[0] is not program.equations[-1] or self._at_sizes[1] != numbers:
            self._at_sizes = (program.equations[-1], numbers, program_at_sizes(program, numbers))
        at = self._at_sizes[2]
        deadline = time.monotonic() + _SECONDS_AT_SIZES
        for item in items:
            free = tuple((i, extent.xreplace(numbers)) for i, extent in item.free)
            sides = (at_sizes(item.claimed, numbers), at_sizes(item.derived, numbers))
            if not proved_for_all_sizes(*sides, at, free, deadline=deadline):
                return False
        return True

    def by_cases(self, items: Sequence[Item]) -> bool:
        """Whether a few numbers decide which case of a function comes up, so that a few points might miss one."""
        if any(not extent.is_Integer for item in items for _, extent in item.free):
            return False
        return has_brackets(items) or any(map(_has_cases, self.derived.forward().equations))

    def holds_here(
        self,
        items: Sequence[Item],
        assuming: tuple[Assumption, ...] = (),
        larger: int = 0,
        sizes: Mapping[str, int] | None = None,
    ) -> bool:
        """Whether a claim holds at the random points, in floats: a quick look."""
        try:
            chosen = self.few_points(items, assuming, larger, sizes)
        except SymbackpropError:
            return False
        return all(agree(item, point) for item in items for point in chosen)

    def few_points(
        self,
        items: Sequence[Item],
        assuming: tuple[Assumption, ...] = (),
        larger: int = 0,
        sizes: Mapping[str, int] | None = None,
    ) -> tuple[Point, ...]:
        """The points for a quick look: two, or as many as it takes to meet every case."""
        many = self.by_cases(items)
        chosen = self.bench.points(assuming, larger, sizes, many)
        return chosen if many else chosen[:2]


RATES = ("\\eta", "\\alpha", "\\epsilon", "lr", "\\gamma", "\\mu", "\\rho", "\\lambda")
"""The letters of learning rates, the likeliest first."""


def agree(item: Item, point: Point) -> bool:
    """Whether both sides have the same values at a point."""
    found = ratios(item, point)
    return found is not None and all(abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-12) for a, b in found)


def ratios(item: Item, point: Point) -> list[tuple[float, float]] | None:
    """The claimed and the derived number of every entry."""
    try:
        ours = point.floats.entries(item.claimed, item.free)
        theirs = point.floats.entries(item.derived, item.free)
    except (UndefinedError, SymbackpropError, ArithmeticError, ValueError, KeyError):
        return None
    return [(float(a), float(b)) for a, b in zip(ours.ravel(), theirs.ravel(), strict=True)]


def _shaped(shape: str) -> str:
    return shape


def _of_layers(items: Sequence[Item]) -> str:
    """For which layers, where a relation speaks of any."""
    letters = [letter for letter in items[0].labels if letter not in ("L",)]
    if not letters:
        return ""
    letter = letters[0]
    numbers = ", ".join(str(item.labels[letter]) for item in items)
    return f", for {letter} = {numbers}"


def _mentions(text: str, letter: str) -> bool:
    rest = text.removeprefix(letter)
    return text.startswith(letter) and (not rest or (rest[0] in "+-" and rest[1:].isdigit()))


def _plain(base: str, program: Program) -> str:
    name = base.lstrip("\\")
    while name in program.variables:
        name += "_"
    return name


def uses_derivatives(expression: sympy.Expr, requests: Mapping[Request, str]) -> bool:
    """Whether an expression has a derivative in it."""
    names = set(requests.values())
    return any(base_name(o) in names for o in occurrences(expression))


def has_brackets(items: Sequence[Item]) -> bool:
    """Whether a claim has steps in it that are about values."""
    return any(
        free_indices(bracket.condition) != bracket.condition.free_symbols
        for item in items
        for side in (item.claimed, item.derived)
        for bracket in side.atoms(Bracket)
        if any(True for _ in occurrences(bracket.condition))
    )


def _has_cases(equation: Equation) -> bool:
    """Whether an equation has steps, or functions with kinks, in it."""
    right = equation.right
    return bool(right.atoms(Bracket)) or any(f.record.kinks for f in right.atoms(ElementwiseFunction))


def sides_of(relation: Relation) -> Iterator[Side]:
    """Both sides."""
    yield relation.left
    yield relation.right
