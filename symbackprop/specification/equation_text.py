"""Equations written as text: ``z[n,j] = Sum(W[j,i]*x[n,i], i) + b[j]``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

import sympy
from sympy.core.relational import Relational

from symbackprop.errors import EquationError, SymbackpropError
from symbackprop.functions.translate import translate
from symbackprop.notation.expressions import Limit, index, is_occurrence, maximum, occurrence, size, total, walk
from symbackprop.notation.terms import Term
from symbackprop.specification.bounds import clipped, excess_of_number, excess_of_power, excess_under_exponential
from symbackprop.specification.equation_syntax import REDUCTIONS, ParsedSide, chain, parse_equation, positions
from symbackprop.specification.known_functions import KNOWN_FUNCTIONS, larger, smaller
from symbackprop.specification.scope import Names, Use, check_uses, extent_of

__all__ = ["TextEquation"]

_NOTHING: frozenset[str] = frozenset()
_ADDITIVE = (ast.Add, ast.Sub)
_MULTIPLICATIVE = (ast.Mult, ast.Div)


@dataclass(frozen=True)
class TextEquation:
    """One equation as text; ``number`` is its place in the list, from 1, ``where`` another way to call it."""

    text: str
    number: int = 0
    where: str = ""

    def error(self, reason: str, place: object = None, kind: type[SymbackpropError] = EquationError) -> Exception:
        """The error that says ``reason`` of this equation; ``place`` is a column."""
        where = self.where or f"equation {self.number} {clipped(self.text)}"
        return kind(f"{where}{f', column {place}' if place is not None else ''}: {reason}")

    def fail(self, reason: str, column: int) -> NoReturn:
        """Raise the error that says ``reason``."""
        raise self.error(reason, column)

    @cached_property
    def _sides(self) -> tuple[ParsedSide, ParsedSide]:
        return parse_equation(self.text, self.fail)

    @cached_property
    def _left(self) -> tuple[str, tuple[str, ...]]:
        side, tree = self._sides[0], self._sides[0].tree
        name = tree.value if isinstance(tree, ast.Subscript) else tree
        if not isinstance(name, ast.Name):
            self.fail("the left side is a variable, alone or with indices, as in 'z[n,j] = ...'", side.column(tree))
        found: list[str] = []
        for position in positions(tree) if isinstance(tree, ast.Subscript) else ():
            if not isinstance(position, ast.Name):
                reason = f"{side.source(position)!r} is no plain index; an equation defines all entries at once"
                self.fail(reason, side.column(position))
            if position.id in found:
                self.fail(f"index {position.id!r} stands twice on the left; rename one", side.column(position))
            found.append(position.id)
        return name.id, tuple(found)

    @property
    def name(self) -> str:
        """The variable it defines."""
        return self._left[0]

    @property
    def indices(self) -> tuple[str, ...]:
        """The index names of the left side."""
        return self._left[1]

    def uses(self, names: Names) -> tuple[Use, ...]:
        """Every occurrence on the right side, in reading order."""
        return tuple(self._reader(names).uses(self._sides[1].tree, frozenset(self.indices), _NOTHING))

    def right(self, names: Names) -> tuple[sympy.Expr, tuple[Term, ...]]:
        """The right side and its terms in reading order."""
        reader, tree = self._reader(names), self._sides[1].tree
        scope = {name: index(name) for name in self.indices}
        value = translate(reader.value(tree, scope))
        terms = tuple(reader.terms(tree, scope))
        # SymPy may have cancelled what was written; then the order of writing is not known any more.
        kept = sympy.Add(*(term.expression for term in terms)) == value
        return value, terms if kept else ()

    def _reader(self, names: Names) -> TextReader:
        return TextReader(self._sides[1], names, self)


Scope = Mapping[str, sympy.Symbol]


@dataclass(frozen=True)
class TextReader:
    """Reads a syntax tree as an expression of the language, in the light of what its names stand for."""

    side: ParsedSide
    names: Names
    equation: TextEquation

    def fail(self, reason: str, node: ast.AST) -> NoReturn:
        """Raise the error that says ``reason``, at ``node``."""
        self.equation.fail(reason, self.side.column(node))

    def uses(self, node: ast.AST, scope: frozenset[str], bound: frozenset[str]) -> Iterator[Use]:
        """Every occurrence below ``node``; ``scope`` are the indices known there, ``bound`` those bound since."""
        if isinstance(node, ast.Name):
            if node.id not in scope and (node.id in self.names.variables or self.names.value(node.id) is None):
                yield self.use(node, node.id, (), bound)
        elif isinstance(node, ast.Subscript):
            assert isinstance(node.value, ast.Name)
            places = tuple(positions(node))
            alone = [isinstance(place, ast.Name) and not self.names.has(place.id) for place in places]
            bare = tuple(getattr(p, "id", None) if ok else None for p, ok in zip(places, alone, strict=True))
            yield self.use(node, node.value.id, bare, bound)
            for place, is_index in zip(places, alone, strict=True):
                # An index that nothing binds is the checker's to refuse.
                yield from () if is_index else self.uses(place, scope, bound)
        elif isinstance(node, ast.Call):
            binders = self.binders(node)
            inside = frozenset(name for name, _, _ in binders)
            body = node.args[:1] if binders else node.args
            for argument in body:
                yield from self.uses(argument, scope | inside, bound | inside)
        elif isinstance(node, ast.BinOp):
            for _, operand in _operands(node):
                yield from self.uses(operand, scope, bound)
        else:
            for child in ast.iter_child_nodes(node):
                yield from self.uses(child, scope, bound)

    def use(self, node: ast.expr, name: str, bare: tuple[str | None, ...], bound: frozenset[str]) -> Use:
        """One occurrence."""
        return Use(name, bare, bound, self.side.source(node), self.side.column(node))

    def binders(self, call: ast.Call) -> tuple[tuple[str, ast.expr | None, ast.expr], ...]:
        """The indices that a call binds, each with its size where one is written; empty for a plain call."""
        function = _name(call.func)
        found: list[tuple[str, ast.expr | None, ast.expr]] = []
        for argument in call.args[1:] if function in REDUCTIONS else ():
            if isinstance(argument, ast.Tuple):
                found.append((_name(argument.elts[0]), argument.elts[1], argument))
            elif isinstance(argument, ast.Name) and (function == "Sum" or not self.names.has(argument.id)):
                found.append((argument.id, None, argument))
        return tuple(found)

    def value(self, node: ast.expr, scope: Scope) -> sympy.Expr:
        """The expression that ``node`` is, within the bounds."""
        result = _READERS[type(node)](self, node, scope)
        reason = excess_of_number(result)
        if reason:
            self.fail(reason, node)
        return result

    def number(self, node: ast.Constant, scope: Scope) -> sympy.Expr:
        # The decimal digits that were written are meant, not the nearest binary fraction.
        return sympy.Rational(self.side.source(node))

    def symbol(self, node: ast.Name, scope: Scope) -> sympy.Expr:
        if node.id in scope:
            return scope[node.id]
        value = self.names.value(node.id)
        if value is None:
            self.fail(self.names.unknown(node.id), node)
        return value

    def subscript(self, node: ast.Subscript, scope: Scope) -> sympy.Expr:
        return occurrence(_name(node.value), *(self.position(place, scope) for place in positions(node)))

    def position(self, node: ast.expr, scope: Scope) -> sympy.Expr:
        if isinstance(node, ast.Name) and node.id not in scope and not self.names.has(node.id):
            return index(node.id)
        value = self.value(node, scope)
        allowed = (sympy.Add, sympy.Mul, sympy.Symbol, sympy.Integer, sympy.Indexed)
        if not all(isinstance(part, allowed) for part in walk(value)):
            self.fail(f"{self.side.source(node)!r} is no position; write indices, sizes and integers with + - *", node)
        return value

    def sign(self, node: ast.UnaryOp, scope: Scope) -> sympy.Expr:
        value = self.value(node.operand, scope)
        return -value if isinstance(node.op, ast.USub) else value

    def arithmetic(self, node: ast.BinOp, scope: Scope) -> sympy.Expr:
        if isinstance(node.op, ast.Pow):
            return self.power(node, scope)
        if isinstance(node.op, _ADDITIVE):
            summands = chain(node, _ADDITIVE)
            values = [self.value(operand, scope) for _, operand in summands]
            return sympy.Add(*(-v if op is ast.Sub else v for (op, _), v in zip(summands, values, strict=True)))
        factors = []
        for operator, operand in chain(node, _MULTIPLICATIVE):
            value = self.value(operand, scope)
            if operator is ast.Div and value.is_zero:
                self.fail("division by zero", operand)
            factors.append(1 / value if operator is ast.Div else value)
        return sympy.Mul(*factors)

    def power(self, node: ast.BinOp, scope: Scope) -> sympy.Expr:
        base, exponent = self.value(node.left, scope), self.value(node.right, scope)
        reason = excess_of_power(base, exponent)
        if reason:
            self.fail(reason, node.right)
        return base**exponent

    def call(self, node: ast.Call, scope: Scope) -> sympy.Expr:
        name = _name(node.func)
        if name == "where":
            yes, no = self.value(node.args[1], scope), self.value(node.args[2], scope)
            return sympy.Piecewise((yes, self.condition(node.args[0], scope)), (no, True))
        if name in REDUCTIONS:
            return self.reduction(node, scope) if self.binders(node) else self.choice(node, scope)
        argument = self.value(node.args[0], scope)
        reason = excess_under_exponential(argument) if name == "exp" else ""
        if reason:
            self.fail(reason, node)
        return KNOWN_FUNCTIONS[name](argument)

    def choice(self, node: ast.Call, scope: Scope) -> sympy.Expr:
        if len(node.args) != 2:
            self.fail(f"{_name(node.func)} takes two values, or a body and its indices", node)
        first, second = (translate(self.value(argument, scope)) for argument in node.args)
        return {"Max": larger, "Min": smaller}[_name(node.func)](first, second)

    def reduction(self, node: ast.Call, scope: Scope) -> sympy.Expr:
        name = _name(node.func)
        over, inner = self.ranges(node, scope)
        body = self.value(node.args[0], inner)
        if name == "Sum":
            return total(body, *over)
        body = translate(body if name == "Max" else -body)
        for limit in over:
            body = maximum(body, limit)
        return body if name == "Max" else -body

    def ranges(self, node: ast.Call, scope: Scope) -> tuple[tuple[Limit, ...], Scope]:
        """The bound indices with their sizes, the innermost (last written) first, and the scope of the body."""
        binders = self.binders(node)
        if len(binders) != len(node.args) - 1:
            self.fail(f"{_name(node.func)} mixes values and indices; write one or the other", node)
        inner = dict(scope)
        for name, _, place in binders:
            if self.names.has(name):
                self.fail(f"{name!r} names a {self.names.meaning(name)}; use another name for the index", place)
            if name in inner:
                self.fail(f"index {name!r} is bound twice; rename the inner one", place)
            inner[name] = index(name)
        uses = tuple(self.uses(node.args[0], frozenset(inner), _NOTHING))
        check_uses(self.equation, uses, self.names)
        over = []
        for name, extent, place in binders:
            remedy = f"write its range, {_name(node.func)}(..., ({name}, SIZE))"
            if extent is None:
                found = extent_of(name, uses, self.names, self.equation, remedy, self.side.column(place))
            else:
                found = self.extent(extent)
            over.append((inner[name], found))
        return tuple(reversed(over)), inner

    def extent(self, node: ast.expr) -> sympy.Expr:
        """A size as it was written."""
        value = self.value(node, {})
        if any(is_occurrence(part) for part in walk(value)) or (value.is_number and not value.is_Integer):
            self.fail(f"{self.side.source(node)!r} is no size; write an integer or the names of sizes", node)
        if value.is_Integer and value < 1:
            self.fail(f"size {value} is not positive", node)
        return size(value)

    def condition(self, node: ast.expr, scope: Scope) -> sympy.Basic:
        if isinstance(node, ast.BoolOp):
            combine = sympy.And if isinstance(node.op, ast.And) else sympy.Or
            return combine(*(self.condition(value, scope) for value in node.values))
        if isinstance(node, ast.UnaryOp):
            return sympy.Not(self.condition(node.operand, scope))
        assert isinstance(node, ast.Compare)
        sides = [translate(self.value(side, scope)) for side in (node.left, *node.comparators)]
        pairs = zip(node.ops, sides, sides[1:], strict=False)
        return sympy.And(*(_COMPARISONS[type(operator)](left, right) for operator, left, right in pairs))

    def terms(self, node: ast.expr, scope: Scope) -> Iterator[Term]:
        """The summands of ``node`` as they were written."""
        for operator, summand in chain(node, _ADDITIVE):
            sign = sympy.Integer(-1 if operator is ast.Sub else 1)
            while isinstance(summand, ast.UnaryOp):
                sign = -sign if isinstance(summand.op, ast.USub) else sign
                summand = summand.operand
            coefficient, sums, factors = self.factors(summand, scope)
            yield Term(sign * coefficient, sums, factors)

    def factors(self, node: ast.expr, scope: Scope) -> tuple[sympy.Expr, tuple[Limit, ...], tuple[sympy.Expr, ...]]:
        """The coefficient, sums and factors of one summand."""
        coefficient: sympy.Expr = sympy.Integer(1)
        sums: tuple[Limit, ...] = ()
        found: list[sympy.Expr] = []
        fraction = False
        for operator, factor in chain(node, _MULTIPLICATIVE):
            if not sums and operator is ast.Mult and isinstance(factor, ast.Call) and _name(factor.func) == "Sum":
                over, inner = self.ranges(factor, scope)
                inside, deeper, more = self.factors(factor.args[0], inner)
                coefficient, sums = coefficient * inside, (*deeper, *over)
                found.extend(more)
                continue
            value = translate(self.value(factor, scope))
            value = 1 / value if operator is ast.Div else value
            if all(not is_occurrence(part) and part not in scope.values() for part in walk(value)):
                coefficient = coefficient * value
            else:
                found.append(value)
                fraction = fraction or operator is ast.Div
        # A fraction is read as one thing, not as a product with a reciprocal.
        return coefficient, sums, (sympy.Mul(*found),) if fraction else tuple(found)


def _operands(node: ast.BinOp) -> list[tuple[type[ast.operator], ast.expr]]:
    rank = next((r for r in (_ADDITIVE, _MULTIPLICATIVE) if isinstance(node.op, r)), (ast.Pow,))
    return chain(node, rank)


def _name(node: ast.expr) -> str:
    assert isinstance(node, ast.Name)
    return node.id


_READERS: dict[type[ast.expr], Callable[..., sympy.Expr]] = {
    ast.Constant: TextReader.number,
    ast.Name: TextReader.symbol,
    ast.Subscript: TextReader.subscript,
    ast.UnaryOp: TextReader.sign,
    ast.BinOp: TextReader.arithmetic,
    ast.Call: TextReader.call,
}
_COMPARISONS: dict[type[ast.cmpop], type[Relational]] = {
    ast.Lt: sympy.StrictLessThan,
    ast.LtE: sympy.LessThan,
    ast.Gt: sympy.StrictGreaterThan,
    ast.GtE: sympy.GreaterThan,
    ast.Eq: sympy.Eq,
    ast.NotEq: sympy.Ne,
}
