"""Claims in numbers: a printed result holds if it is the value rounded, as far as rounded operands allow to tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import mpmath
import numpy as np
import sympy

from symbackprop.claims.judge import Judge
from symbackprop.claims.points import Numbers
from symbackprop.claims.result import Counterexample, Outcome
from symbackprop.errors import SymbackpropError
from symbackprop.notation.expressions import Limit, base_name
from symbackprop.notation.indices import free_indices, substitute
from symbackprop.notation.interpreter import FLOAT
from symbackprop.notation.program import Program, occurrences
from symbackprop.notation.sizes import bind_sizes, concrete_shape
from symbackprop.reading.elaborate import Elaborator
from symbackprop.reading.names import name_of
from symbackprop.reading.notes import Relation, with_known_sizes
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.statements import Side
from symbackprop.reading.survey import nodes
from symbackprop.reading.syntax import Addition, Group, Matrix, Node, Number, Product, Scripted, Symbol

__all__ = ["Figures", "NumberVerdict", "is_numeric"]

_LITERAL = re.compile(r"-?\d*\.?\d+\Z")
_CONSTANTS = frozenset(("e", "\\pi"))


@dataclass(frozen=True)
class NumberVerdict:
    """What became of a claim in numbers; ``right`` is the right number with as many digits as were printed."""

    outcome: Outcome
    by: str
    right: str = ""
    counterexample: Counterexample | None = None
    given: tuple[int, ...] = ()


def is_numeric(node: Node, judge: Judge) -> bool:
    """Whether a side is numbers alone, functions of numbers included."""
    found = False
    heads = {id(n.base) for n in nodes(node) if isinstance(n, Scripted)}
    for inside in nodes(node):
        if isinstance(inside, Number):
            found = True
        if isinstance(inside, Matrix):
            return False
        name = name_of(inside)
        if name is None or id(inside) in heads:
            continue
        if name.base in _CONSTANTS and judge.notes.table.find(name.base, "") is None:
            continue
        if judge.is_known_function(name):
            continue
        return False
    return found


def table_of_numbers(node: Node) -> list[list[str]] | None:
    """The numbers of a matrix as they are printed, None for anything else."""
    transposed = isinstance(node, Scripted) and [script.kind for script in node.above] == ["top"] and not node.below
    body = node.base if transposed and isinstance(node, Scripted) else node
    if not isinstance(body, Matrix):
        return None
    rows = [[_printed_number(entry) for entry in row] for row in body.rows]
    kept = [[text for text in row if text is not None] for row in rows]
    if any(len(row) != len(whole) for row, whole in zip(kept, rows, strict=True)):
        return None
    return [list(column) for column in zip(*kept, strict=True)] if transposed else kept


def _printed_number(node: Node) -> str | None:
    """A number with its sign."""
    if isinstance(node, Number):
        return node.text
    if isinstance(node, Group) and node.bracket == "(":
        return _printed_number(node.body)
    if isinstance(node, Addition) and len(node.terms) == 1:
        minus, term = node.terms[0]
        inner = _printed_number(term)
        return None if inner is None else f"-{inner}" if minus else inner
    if isinstance(node, Product) and len(node.factors) == 2:
        number, exponent = _printed_number(node.factors[0]), _power_of_ten(node.factors[1])
        return None if number is None or exponent is None else f"{number}e{exponent}"
    return None


def _power_of_ten(node: Node) -> str | None:
    """The exponent of ``10^{-5}``."""
    if not (isinstance(node, Scripted) and isinstance(node.base, Number) and node.base.text == "10" and not node.below):
        return None
    bodies = [script.body for script in node.above if script.kind == "plain"]
    text = _printed_number(bodies[0]) if len(bodies) == len(node.above) == 1 and bodies[0] is not None else None
    return text if text is not None and text.lstrip("-").isdigit() else None


def _placed(table: Sequence[Sequence[str]], rank: int) -> Iterator[tuple[tuple[int, ...], str]]:
    """Each number with its position on ``rank`` axes; a column has one."""
    for i, row in enumerate(table):
        for j, text in enumerate(row):
            at = (i,) if len(row) == 1 else (i, j)
            yield (at if rank == 1 else (i, j)[:rank]), text


def _extent(positions: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(max(places) + 1 for places in zip(*positions, strict=True))


def significant(text: str) -> int:
    """How many significant digits a number is printed with."""
    digits = text.lstrip("-").replace(".", "").lstrip("0")
    return len(digits) if "." in text else len(digits.rstrip("0"))


def half_unit(text: str, approximate: bool = False) -> float:
    """Half a unit of the last digit that is printed; 0 for a whole number, which is exact."""
    text, _, exponent = text.partition("e")
    _, point, decimals = text.partition(".")
    if not point:
        return 0.5 if approximate else 0.0
    return 0.5 * 10.0 ** (int(exponent or 0) - len(decimals))


@dataclass
class Figures:
    """The numbers of a worked example: what is given, what was printed on the way, and what of that was wrong."""

    judge: Judge
    printed: dict[str, tuple[float, float]] = field(default_factory=dict)
    wrong: dict[str, tuple[int, float]] = field(default_factory=dict)
    _sizes: dict[str, int] | None = None
    _at_given: Numbers | None = None

    # -- a claim -----------------------------------------------------------------------------------------------------

    def verdict(self, relation: Relation) -> NumberVerdict | None:
        """The outcome of a claim one of whose sides is numbers alone; None where neither is."""
        left, right = self.judge.tree(relation.left), self.judge.tree(relation.right)
        table = table_of_numbers(right)
        if table is not None and self.judge.notes.numbers and table_of_numbers(left) is None:
            return self.entries(relation, table)
        left_is, right_is = is_numeric(left, self.judge), is_numeric(right, self.judge)
        if not right_is and not left_is:
            return None
        if left_is and right_is:
            return self.arithmetic(relation)
        side, numbers = (relation.left, relation.right) if right_is else (relation.right, relation.left)
        if not any("." in token.text for token in numbers.tokens) and self.is_array(relation, side):
            # An array that is 1 everywhere: a formula like any other.
            return None
        if not self.judge.notes.numbers and not self.printed:
            return None
        return self.value(relation, side, numbers)

    def entries(self, relation: Relation, table: Sequence[Sequence[str]]) -> NumberVerdict | None:
        """A matrix of numbers: every entry is the value, rounded as it is printed."""
        judge = self.judge
        labels = judge.instances(relation)[0]
        reader = Elaborator(judge.notes.table, judge.notes.context, judge.notes.sizes, labels, unknown=judge.unknown)
        value = reader.side(relation.left)
        found = [(at, text) for at, text in _placed(table, value.rank)]
        entry = with_known_sizes(value.entry, judge.notes.sizes)
        axes = tuple((i, judge.notes.sizes.find(extent)) for i, extent in value.axes)
        shape = self.shape_of(axes)
        place = relation.right.tokens[0]
        if shape != _extent(at for at, _ in found):
            place.fail(f"the matrix has another shape than what stands on the left, which has {shape}")
        for at, text in found:
            numbers = {i: sympy.Integer(position) for (i, _), position in zip(axes, at, strict=True)}
            try:
                exact = self.evaluate(substitute(entry, numbers), {})
            except KeyError:
                place.fail(f"no numbers are given for {self.missing(entry)}, so this cannot be computed")
            if abs(exact - float(text)) > half_unit(text) * (1 + 1e-9) + 1e-9 * abs(exact):
                counterexample = Counterexample({}, 0, at, float(text), exact)
                decimals = max(len(text.partition(".")[2]), 1)
                shown = f"{exact:.{decimals}f}" if "e" not in text else f"{exact:.{decimals}g}"
                right = f"{shown} in the entry {', '.join(str(position + 1) for position in at)}"
                return NumberVerdict(Outcome.DIFFERS, "the value of the numbers", right, counterexample)
        return NumberVerdict(Outcome.AGREES, "the values of the worked example, rounded as printed")

    def is_array(self, relation: Relation, side: Side) -> bool:
        """Whether a side has more than one entry, or stands for every value of an index."""
        labels = self.judge.instances(relation)[0]
        reader = Elaborator(
            self.judge.notes.table, self.judge.notes.context, self.judge.notes.sizes, labels, unknown=self.judge.unknown
        )
        value = reader.side(side)
        return bool(value.rank or free_indices(value.entry) or reader.scope)

    def shape_of(self, axes: Sequence[Limit]) -> tuple[int, ...]:
        """The numbers of entries along axes, in the worked example."""
        worked = self.worked_sizes()
        known = {symbol: sympy.Integer(worked[symbol.name]) for symbol in self.program().sizes if symbol.name in worked}
        return tuple(int(extent.xreplace(known)) for _, extent in axes)

    def lacks_numbers(self, relation: Relation) -> bool:
        """Whether a printed number stands beside something that no numbers were given for."""
        sides = (relation.left, relation.right)
        numeric = [side for side in sides if is_numeric(self.judge.tree(side), self.judge)]
        printed = any("." in token.text for side in numeric for token in side.tokens)
        return len(numeric) == 1 and printed and not self.judge.notes.numbers and not self.printed

    def arithmetic(self, relation: Relation) -> NumberVerdict:
        """Numbers on both sides."""
        literals: dict[sympy.Symbol, str] = {}
        left, right = self.read(relation.left, literals), self.read(relation.right, literals)
        result = self.single(relation.right) or self.single(relation.left) or ""
        exact = self.number(left - right, literals)
        allowed = self.allowance(left - right, literals, result, relation)
        if abs(exact) <= allowed:
            return NumberVerdict(Outcome.AGREES, "arithmetic, within the rounding of what is printed")
        value, claimed = self.number(left, literals), self.number(right, literals)
        return self.differing(relation, claimed, value, self.single(relation.right) or "")

    def value(self, relation: Relation, side: Side, numbers: Side) -> NumberVerdict:
        """A variable, a derivative or a formula on one side, numbers on the other."""
        literals: dict[sympy.Symbol, str] = {}
        printed = self.read(numbers, literals)
        result = self.single(numbers) or ""
        claimed = self.number(printed, literals)
        expression, name = self.expression(relation, side)
        best: float | None = None
        for known in ({}, self.printed):
            try:
                value = self.evaluate(expression, known)
            except (SymbackpropError, KeyError, ArithmeticError, ValueError):
                continue
            best = value if best is None else best
            allowed = self.allowance(printed, literals, result, relation)
            allowed += self.slack(expression, known, value)
            if abs(value - claimed) <= allowed:
                if name and result:
                    self.printed[name] = (claimed, half_unit(result))
                return NumberVerdict(Outcome.AGREES, "the value of the worked example, rounded as printed")
        if best is None:
            missing = self.missing(expression)
            place = side.tokens[0]
            raise UnreadFormulaError(
                f"no numbers are given for {missing}, so this cannot be computed; write them, as in x_1 = 0.5",
                place.line,
                place.column,
            )
        given = self.from_wrong(relation, printed, literals, best, result)
        if name and result:
            self.wrong[result.lstrip("-")] = (relation.line, best)
        return self.differing(relation, claimed, best, result, given)

    def differing(
        self, relation: Relation, claimed: float, value: float, result: str, given: tuple[int, ...] = ()
    ) -> NumberVerdict:
        """The verdict on a number that is another: the right one, with as many decimals as were printed."""
        decimals = len(result.partition(".")[2]) if "." in result else None
        right = f"{value:.{decimals}f}" if decimals is not None else f"{value:.6g}"
        if float(right) == claimed or (value != 0 and float(right) == 0):
            right = f"{value:.{max(6, (decimals or 0) + 2)}g}"
        counterexample = Counterexample({}, 0, (), claimed, value)
        return NumberVerdict(Outcome.DIFFERS, "the value of the numbers", right, counterexample, given)

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self, side: Side, literals: dict[sympy.Symbol, str]) -> sympy.Expr:
        """A numeric side with a symbol for each number that may be rounded."""
        reader = Elaborator(self.judge.notes.table, self.judge.notes.context, self.judge.notes.sizes)
        reader.literals = literals
        value = reader.side(side)
        if value.rank:
            side.tokens[0].fail("an array where one number is wanted")
        return value.entry

    def worked_sizes(self) -> dict[str, int]:
        """The sizes that the given numbers say, by name."""
        if self._sizes is None:
            program = self.program()
            shapes = {name: array.shape for name, array in self.arrays(program).items()}
            try:
                bound = bind_sizes(program, shapes)
            except SymbackpropError:
                bound = {}
            self._sizes = {str(extent): number for extent, number in bound.items()}
        return self._sizes

    def single(self, side: Side) -> str | None:
        """The number that a side is, as it is printed."""
        text = side.latex.replace(" ", "").strip("()").replace("\\left(", "").replace("\\right)", "")
        return text if _LITERAL.match(text) else None

    def expression(self, relation: Relation, side: Side) -> tuple[sympy.Expr, str]:
        """A side as an expression, and the name of the variable that it is, if it is one."""
        labels = self.judge.instances(relation)[0]
        reader = Elaborator(
            self.judge.notes.table, self.judge.notes.context, self.judge.notes.sizes, labels, unknown=self.judge.unknown
        )
        is_update = relation.update and side is relation.left
        value = self.judge.updated(relation, reader) if is_update else reader.side(side)
        if value.rank or free_indices(value.entry):
            side.tokens[0].fail("an array beside one number")
        entry = with_known_sizes(value.entry, self.judge.notes.sizes)
        return entry, entry.name if isinstance(entry, sympy.Symbol) and not relation.update else ""

    # -- numbers -----------------------------------------------------------------------------------------------------

    def number(
        self,
        expression: sympy.Expr,
        literals: Mapping[sympy.Symbol, str],
        moved: Mapping[sympy.Symbol, float] | None = None,
    ) -> float:
        """The value of numbers, some of them moved a little."""
        values = {}
        for symbol, text in literals.items():
            exact = sympy.Rational(text)
            values[symbol] = exact + sympy.Rational(repr((moved or {}).get(symbol, 0.0)))
        found = sympy.N(expression.xreplace(values), 30)
        if not found.is_real:
            raise UnreadFormulaError("this is not a real number", 1, 1)
        return float(found)

    def allowance(
        self, expression: sympy.Expr, literals: Mapping[sympy.Symbol, str], result: str, relation: Relation
    ) -> float:
        """How far the sides may be apart: what half a unit in each rounded number makes of the difference."""
        center = self.number(expression, literals)
        allowed = 1e-9 * max(abs(center), 1e-12)
        approximate = "approx" in relation.sign
        digits = significant(result) if result else 3
        for symbol, text in literals.items():
            unit = half_unit(text, approximate and text == result)
            is_result = bool(result) and text == result.lstrip("-")
            if not unit or not (is_result or self.may_be_rounded(text, digits)):
                continue
            moved = max(abs(self.number(expression, literals, {symbol: sign * unit}) - center) for sign in (1, -1))
            allowed += moved * (1 + 1e-9)
        if approximate and result and not half_unit(result):
            allowed += 0.5
        return allowed

    def may_be_rounded(self, text: str, digits: int) -> bool:
        """Whether a number was rounded on the way: it has about as many digits as the result, and is not given."""
        given = any(
            abs(float(number) - float(text)) < 1e-15
            for values in self.judge.notes.numbers.values()
            for number in (*values.values(), *(-value for value in values.values()))
        )
        return not given and significant(text) >= max(3, digits - 1)

    def slack(self, expression: sympy.Expr, known: Mapping[str, tuple[float, float]], value: float) -> float:
        """What the rounding of earlier printed values makes of a value that is computed from them."""
        allowed = 1e-9 * abs(value)
        for name, (printed, unit) in known.items():
            moved = {**known, name: (printed + unit, unit)}
            try:
                allowed += abs(self.evaluate(expression, moved) - value)
            except (SymbackpropError, KeyError, ArithmeticError, ValueError):
                continue
        return allowed

    def program(self) -> Program:
        """The forward equations and the derivatives."""
        return self.judge.derived.program()

    def evaluate(self, expression: sympy.Expr, known: Mapping[str, tuple[float, float]]) -> float:
        """The value of an expression at the worked example, with printed values in place of computed ones."""
        value = float((self.at_printed(known) if known else self.at_given()).at(expression, (), ()))
        if not mpmath.isfinite(value):
            raise ArithmeticError
        return value

    def at_given(self) -> Numbers:
        """The values at the worked example; what was computed once stays, while the program grows."""
        program = self.program()
        if self._at_given is None:
            self._at_given = self.at_printed({})
        elif self._at_given.program is not program:
            self._at_given = Numbers(program, self._at_given.sizes, self._at_given.arrays, FLOAT)
        return self._at_given

    def at_printed(self, known: Mapping[str, tuple[float, float]]) -> Numbers:
        """The values at the worked example, with printed values in place of computed ones."""
        program = self.program()
        arrays = self.arrays(program)
        bound = bind_sizes(program, {name: array.shape for name, array in arrays.items()})
        arrays.update({name: np.array(printed, dtype=object) for name, (printed, _) in known.items()})
        return Numbers(program, {str(size): number for size, number in bound.items()}, arrays, FLOAT)

    def arrays(self, program: Program) -> dict[str, np.ndarray]:
        """The given arrays of which every entry is known."""
        found = {}
        for name, entries in self.judge.notes.numbers.items():
            variable = program.variables.get(name)
            if variable is None:
                continue
            shape = tuple(max(at[axis] for at in entries) + 1 for axis in range(len(variable.shape)))
            try:
                declared = concrete_shape(variable.shape, {})
            except (SymbackpropError, KeyError):
                declared = shape
            if declared != shape or len(entries) != int(np.prod(shape, dtype=int)):
                continue
            array = np.empty(shape, dtype=object)
            for at, number in entries.items():
                array[at] = float(number)
            found[name] = array
        return found

    def missing(self, expression: sympy.Expr) -> str:
        """What an expression needs that no number was given for."""
        program = self.program()
        names = {base_name(o) for o in occurrences(expression)}
        needed = program.used_by(names)
        known = set(self.arrays(program))
        lacking = [v.name for v in program.inputs if v.name in needed and v.name not in known]
        return ", ".join(lacking) or "what stands here"

    def from_wrong(
        self,
        relation: Relation,
        printed: sympy.Expr,
        literals: Mapping[sympy.Symbol, str],
        value: float,
        result: str,
    ) -> tuple[int, ...]:
        """The lines of earlier wrong numbers, where with the right ones in their place this would hold."""
        used = {symbol: self.wrong[text] for symbol, text in literals.items() if text in self.wrong}
        if not used:
            return ()
        moved = {}
        for symbol, (_, right) in used.items():
            text = literals[symbol]
            sign = 1.0 if right >= 0 else -1.0
            moved[symbol] = sign * right - float(text)
        try:
            corrected = self.number(printed, literals, moved)
        except UnreadFormulaError:
            return ()
        near = abs(corrected - value) <= 1e-3 * abs(value)
        return tuple(sorted({line for line, _ in used.values()})) if near else ()


def plain(node: Node) -> bool:
    """Whether a node is one symbol."""
    return isinstance(node, Symbol)
