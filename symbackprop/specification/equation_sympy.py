"""Equations given as SymPy objects: a left side and an expression, or a ``sympy.Eq``.

Users write these with plain symbols; what each is follows from its name, not from its assumptions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import sympy
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational

from symbackprop.errors import EquationError, SymbackpropError, nearest
from symbackprop.functions.translate import translate
from symbackprop.notation.expressions import (
    ArgMaximum,
    Bracket,
    ElementwiseFunction,
    Maximum,
    index,
    maximum,
    occurrence,
    size,
    total,
)
from symbackprop.notation.terms import Term
from symbackprop.specification.bounds import clipped
from symbackprop.specification.known_functions import KNOWN_FUNCTIONS, larger, smaller
from symbackprop.specification.scope import Names, Use, check_uses, extent_of

__all__ = ["SymPyEquation"]

_NOTHING: frozenset[str] = frozenset()
_NAMED = (sympy.Symbol, sympy.Idx)
_FUNCTIONS = (
    sympy.exp,
    sympy.log,
    sympy.tanh,
    sympy.sinh,
    sympy.cosh,
    sympy.sin,
    sympy.cos,
    sympy.atan,
    sympy.erf,
    sympy.Abs,
    sympy.sign,
    sympy.Heaviside,
    ElementwiseFunction,
)
_PLAIN = (sympy.Add, sympy.Mul, sympy.Pow, *_FUNCTIONS)
_LOGIC = (sympy.And, sympy.Or, sympy.Not)


@dataclass(frozen=True)
class SymPyEquation:
    """One equation as SymPy objects; ``number`` is its place in the list, from 1."""

    left: sympy.Basic
    written: sympy.Basic
    number: int

    def error(self, reason: str, place: object = None, kind: type[SymbackpropError] = EquationError) -> Exception:
        """The error that says ``reason`` of this equation."""
        return kind(f"equation {self.number} {clipped(f'{self.left} = {self.written}')}: {reason}")

    def fail(self, reason: str) -> NoReturn:
        """Raise the error that says ``reason``."""
        raise self.error(reason)

    @property
    def name(self) -> str:
        """The variable it defines."""
        if not isinstance(self.left, sympy.Symbol | sympy.Indexed):
            self.fail(f"the left side is a Symbol or an Indexed, not {type(self.left).__name__}")
        return str(self.left.base.label if isinstance(self.left, sympy.Indexed) else self.left.name)

    @property
    def indices(self) -> tuple[str, ...]:
        """The index names of the left side."""
        positions = self.left.indices if isinstance(self.left, sympy.Indexed) else ()
        for position in positions:
            if not isinstance(position, _NAMED):
                self.fail(f"{position} is no plain index; an equation defines all entries at once")
        found = tuple(_label(position) for position in positions)
        if len(set(found)) != len(found):
            self.fail("the left side names two axes alike; rename one index")
        return found

    def uses(self, names: Names) -> tuple[Use, ...]:
        """Every occurrence on the right side, in SymPy's order."""
        return tuple(_Reader(self, names).uses(self.written, frozenset(self.indices), _NOTHING))

    def right(self, names: Names) -> tuple[sympy.Expr, tuple[Term, ...]]:
        """The right side; SymPy has sorted it, so the order of writing is not known."""
        scope = {name: index(name) for name in self.indices}
        return translate(_Reader(self, names).value(self.written, scope)), ()


Scope = Mapping[str, sympy.Symbol]


@dataclass(frozen=True)
class _Reader:
    equation: SymPyEquation
    names: Names

    def uses(self, node: sympy.Basic, scope: frozenset[str], bound: frozenset[str]) -> Iterator[Use]:
        if isinstance(node, _NAMED):
            name = _label(node)
            if name not in scope and (name in self.names.variables or self.names.value(name) is None):
                yield Use(name, (), bound, str(node))
        elif isinstance(node, sympy.Indexed):
            alone = [isinstance(p, _NAMED) and not self.names.has(_label(p)) for p in node.indices]
            bare = tuple(_label(p) if ok else None for p, ok in zip(node.indices, alone, strict=True))
            yield Use(str(node.base.label), bare, bound, str(node))
            for position, is_index in zip(node.indices, alone, strict=True):
                yield from () if is_index else self.uses(position, scope, bound)
        elif isinstance(node, sympy.Sum | Maximum):
            inside = frozenset(_label(limit[0]) for limit in node.args[1:])
            yield from self.uses(node.args[0], scope | inside, bound | inside)
        else:
            for argument in node.args:
                yield from self.uses(argument, scope, bound)

    def value(self, node: sympy.Basic, scope: Scope) -> Any:
        """``node`` in the language's own symbols."""
        read = next((read for kinds, read in _READERS if isinstance(node, kinds)), None)
        if read is None:
            self.equation.fail(f"{type(node).__name__} is not part of the language: {node}")
        return read(self, node, scope)

    def number(self, node: sympy.Expr, scope: Scope) -> sympy.Expr:
        if not (node.is_finite and node.is_real):
            self.equation.fail(f"{node} is not a real number")
        # The decimal digits that are shown are meant, not the nearest binary fraction.
        return sympy.Rational(str(node)) if node.is_Float else node

    def symbol(self, node: sympy.Expr, scope: Scope) -> sympy.Expr:
        name = _label(node)
        value = scope.get(name, self.names.value(name))
        if value is None:
            self.equation.fail(self.names.unknown(name))
        return value

    def indexed(self, node: sympy.Indexed, scope: Scope) -> sympy.Expr:
        return occurrence(str(node.base.label), *(self.position(p, scope) for p in node.indices))

    def position(self, node: sympy.Expr, scope: Scope) -> sympy.Expr:
        unbound = isinstance(node, _NAMED) and _label(node) not in scope and not self.names.has(_label(node))
        return index(_label(node)) if unbound else self.value(node, scope)

    def plain(self, node: sympy.Expr, scope: Scope) -> sympy.Expr:
        return node.func(*(self.value(argument, scope) for argument in node.args))

    def undefined(self, node: sympy.Expr, scope: Scope) -> sympy.Expr:
        name = node.func.__name__
        if name not in KNOWN_FUNCTIONS or len(node.args) != 1:
            remedy = nearest(name, KNOWN_FUNCTIONS) if name not in KNOWN_FUNCTIONS else "it takes 1 argument"
            self.equation.fail(f"unknown function {node}; {remedy}")
        return KNOWN_FUNCTIONS[name](self.value(node.args[0], scope))

    def choice(self, node: sympy.Expr, scope: Scope) -> sympy.Expr:
        choose = larger if isinstance(node, sympy.Max) else smaller
        first, *others = (translate(self.value(argument, scope)) for argument in node.args)
        for other in others:
            first = choose(first, other)
        return first

    def reduction(self, node: sympy.Expr, scope: Scope) -> sympy.Expr:
        inner = dict(scope)
        for limit in node.args[1:]:
            name = _label(limit[0])
            if self.names.has(name):
                reason = f"{name!r} names a {self.names.meaning(name)}; use another name for the index"
                self.equation.fail(reason)
            if name in inner:
                self.equation.fail(f"index {name!r} is bound twice; rename the inner one")
            inner[name] = index(name)
        uses = tuple(self.uses(node.args[0], frozenset(inner), _NOTHING))
        check_uses(self.equation, uses, self.names)
        over = tuple((inner[_label(limit[0])], self.extent(limit, uses)) for limit in node.args[1:])
        body = self.value(node.args[0], inner)
        if isinstance(node, sympy.Sum):
            return total(body, *over)
        if isinstance(node, ArgMaximum):
            return ArgMaximum(body, *((i, 0, extent - 1) for i, extent in over))
        for limit in over:
            body = maximum(body, limit)
        return body

    def extent(self, limit: sympy.Tuple, uses: tuple[Use, ...]) -> sympy.Expr:
        if len(limit) == 1:
            return extent_of(_label(limit[0]), uses, self.names, self.equation, "give its range (i, 0, D - 1)")
        low, high = (self.value(end, {}) for end in limit[1:])
        if low != 0:
            reason = f"index {limit[0]} starts at {low}; indices count from 0: write ({limit[0]}, 0, {high - low})"
            self.equation.fail(reason)
        return size(high + 1)

    def cases(self, node: sympy.Piecewise, scope: Scope) -> sympy.Expr:
        return sympy.Piecewise(*((self.value(e, scope), self.value(c, scope)) for e, c in node.args))

    def truth(self, node: sympy.Basic, scope: Scope) -> sympy.Basic:
        return node


def _label(node: sympy.Basic) -> str:
    return str(node.label) if isinstance(node, sympy.Idx) else str(node)


_READERS: tuple[tuple[Any, Callable[[_Reader, Any, Scope], Any]], ...] = (
    ((sympy.Number, sympy.NumberSymbol), _Reader.number),
    (_NAMED, _Reader.symbol),
    (sympy.Indexed, _Reader.indexed),
    ((sympy.Sum, Maximum), _Reader.reduction),
    ((sympy.Max, sympy.Min), _Reader.choice),
    (sympy.Piecewise, _Reader.cases),
    (AppliedUndef, _Reader.undefined),
    ((*_PLAIN, *_LOGIC, Relational, Bracket), _Reader.plain),
    ((type(sympy.true), type(sympy.false)), _Reader.truth),
)
