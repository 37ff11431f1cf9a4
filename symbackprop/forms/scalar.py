"""Scalar form: at given sizes, every single weight with its chain of factors, by name and in numbers.

The chains are read off the same contributions that the index form was accumulated from: the adjoint of v[q] is the sum
over its successors u[e] of (adjoint of u[e]) * du[e]/dv[q], with numbers in place of indices.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy.typing as npt
import sympy

from symbackprop.adjoint.records import Contribution, Differentiation, Factor
from symbackprop.errors import NoRuleError, SizeError, UsageError, nearest
from symbackprop.notation.expressions import base_name
from symbackprop.notation.indices import substitute
from symbackprop.notation.interpreter import FLOAT, evaluate_expression
from symbackprop.notation.program import Variable
from symbackprop.notation.sizes import concrete_shape
from symbackprop.notation.text import expression_text

__all__ = ["Link", "Path", "Place", "ScalarForm", "ScalarGradient"]

Array = npt.NDArray[Any]
Place = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class Link:
    """One factor of a chain for single numbers: d ``of`` / d ``by`` = ``expression``; ``value`` if data are given."""

    of: sympy.Expr
    by: sympy.Expr
    expression: sympy.Expr
    rule: str
    reason: str
    identity: str
    value: float | None

    @property
    def name(self) -> str:
        """The factor by name."""
        return f"d{expression_text(self.of)}/d{expression_text(self.by)}"

    def __str__(self) -> str:
        value = "" if self.value is None else f" = {self.value:.6g}"
        return f"{self.name} = {expression_text(self.expression)}{value}"


@dataclass(frozen=True)
class Path:
    """One way from the loss to a weight: its factors, from the loss inwards."""

    links: tuple[Link, ...]

    @property
    def expression(self) -> sympy.Expr:
        """The product of the factors."""
        return sympy.Mul(*(link.expression for link in self.links))

    @property
    def value(self) -> float | None:
        """The product of the factors' numbers."""
        result = 1.0
        for link in self.links:
            if link.value is None:
                return None
            result *= link.value
        return result

    def __str__(self) -> str:
        return " * ".join(link.name for link in self.links)


@dataclass(frozen=True)
class ScalarGradient:
    """The derivative of the loss by one number.

    ``successors`` are the quantities that it enters directly, each with the adjoint's value and the local derivative;
    ``path_count`` says how many paths lead to the loss, ``paths()`` walks them.
    """

    element: sympy.Expr
    adjoint: sympy.Expr
    successors: tuple[Link, ...]
    path_count: int
    value: float | None
    form: ScalarForm
    place: Place

    def paths(self, limit: int | None = None) -> tuple[Path, ...]:
        """The chains, one for each path from the loss; at most ``limit`` of them."""
        return tuple(itertools.islice(self.form.walk(self.place), limit))

    @property
    def expression(self) -> sympy.Expr:
        """The sum over the successors of (adjoint) * (local derivative), adjoints by name."""
        return sympy.Add(*(self.form.adjoint_of(link.of) * link.expression for link in self.successors))

    def __str__(self) -> str:
        value = "" if self.value is None else f" = {self.value:.6g}"
        names = (expression_text(expression) for expression in (self.element, self.expression))
        return f"dL/d{' = '.join(names)}{value}"


class ScalarForm:
    """Every number of a differentiated program, at sizes given as ``sizes`` by name or by the arrays in ``values``.

    ``values`` holds the arrays of the whole adjoint program (forward values and adjoints); without them the chains
    come by name only.
    """

    def __init__(
        self,
        differentiation: Differentiation,
        sizes: Mapping[sympy.Symbol, int],
        values: Mapping[str, Array] | None = None,
    ) -> None:
        self.differentiation = differentiation
        self.program = differentiation.adjoint_program
        self.sizes = dict(sizes)
        self.values = values
        self._counts: dict[Place, int] = {}
        self._links: dict[Place, tuple[tuple[Place, Link], ...]] = {}

    @cached_property
    def _numbers(self) -> dict[sympy.Symbol, sympy.Integer]:
        return {symbol: sympy.Integer(number) for symbol, number in self.sizes.items()}

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a variable in numbers."""
        return concrete_shape(self.program.variable(name).shape, self.sizes)

    def places(self, name: str) -> tuple[tuple[int, ...], ...]:
        """Every position of a variable, in order."""
        return tuple(itertools.product(*map(range, self.shape(name))))

    def gradient(self, name: str, *position: int) -> ScalarGradient:
        """The derivative of the loss by ``name[position]``, positions counted from 0."""
        adjoints = self.differentiation.by_variable
        if name not in adjoints:
            raise UsageError(f"{self.program.name} has no gradient for {name!r}; {nearest(name, adjoints)}")
        shape = self.shape(name)
        whole = all(isinstance(p, Integral) and not isinstance(p, bool) for p in position)
        if (
            not whole
            or len(position) != len(shape)
            or not all(0 <= p < e for p, e in zip(position, shape, strict=True))
        ):
            raise SizeError(f"{name} has shape {shape}; position {position} is not in it (positions count from 0)")
        place = (name, tuple(position))
        adjoint = adjoints[name]
        return ScalarGradient(
            element=self._variable(name).at(*position),
            adjoint=adjoint.equation.left.at(*position),
            successors=tuple(link for _, link in self.links(place)),
            path_count=self.count(place),
            value=None if self.values is None else float(self.values[adjoint.name][tuple(position)]),
            form=self,
            place=place,
        )

    def __iter__(self) -> Iterator[ScalarGradient]:
        """The gradient of each single weight, in the order of the parameters."""
        for name in self.differentiation.wrt:
            if name in self.differentiation.by_variable:
                for position in self.places(name):
                    yield self.gradient(name, *position)

    def _variable(self, name: str) -> Variable:
        return self.program.variable(name)

    def adjoint_of(self, element: sympy.Expr) -> sympy.Expr:
        """The adjoint of an element, by name; 1 for the loss."""
        name = base_name(element)
        if name == self.differentiation.loss:
            return sympy.Integer(1)
        positions = element.indices if isinstance(element, sympy.Indexed) else ()
        return self.differentiation.by_variable[name].equation.left.at(*positions)

    def links(self, place: Place) -> tuple[tuple[Place, Link], ...]:
        """The quantities that a number enters directly, with the local derivatives."""
        if place not in self._links:
            self._links[place] = self._find_links(place)
        return self._links[place]

    def _find_links(self, place: Place) -> tuple[tuple[Place, Link], ...]:
        name, position = place
        variable = self._variable(name)
        here = dict(zip(variable.indices, map(sympy.Integer, position), strict=True))
        found: dict[sympy.Expr, list[tuple[sympy.Expr, Contribution]]] = {}
        for contribution in self.differentiation.by_variable[name].contributions:
            for at in self._each(contribution, here):
                local = self._at(contribution.derivative, at)
                if local != 0:
                    element = self._at(contribution.element, at)
                    found.setdefault(element, []).append((local, contribution))
        by = variable.at(*position)
        links = []
        for element, parts in found.items():
            expression = sympy.Add(*(local for local, _ in parts))
            link = Link(element, by, expression, *_explanation(parts[0][1].chain), self.number(expression))
            links.append((_place(element), link))
        return tuple(links)

    def _each(
        self, contribution: Contribution, here: Mapping[sympy.Symbol, sympy.Integer]
    ) -> Iterator[dict[sympy.Symbol, sympy.Integer]]:
        """The values of every index of a contribution: the variable's own, and each of those summed over."""
        extents = concrete_shape(tuple(size for _, size in contribution.sums), self.sizes)
        for at in itertools.product(*map(range, extents)):
            summed = {i: sympy.Integer(number) for (i, _), number in zip(contribution.sums, at, strict=True)}
            yield {**here, **summed}

    def _at(self, expression: sympy.Expr, at: dict[sympy.Symbol, sympy.Integer]) -> sympy.Expr:
        return substitute(expression, at).xreplace(self._numbers)

    def number(self, expression: sympy.Expr) -> float | None:
        """The value of an expression in elements, where data are given."""
        if self.values is None:
            return None
        return float(evaluate_expression(expression, self.values, self.sizes, FLOAT))

    def count(self, place: Place) -> int:
        """How many paths lead from a number to the loss."""
        if place not in self._counts:
            if place[0] == self.differentiation.loss:
                self._counts[place] = 1
            else:
                self._counts[place] = sum(self.count(further) for further, _ in self.links(place))
        return self._counts[place]

    def walk(self, place: Place) -> Iterator[Path]:
        """Every path from the loss to ``place``."""
        if place[0] == self.differentiation.loss:
            yield Path(())
            return
        for further, link in self.links(place):
            for path in self.walk(further):
                yield Path((*path.links, link))


def _place(element: sympy.Expr) -> Place:
    positions = element.indices if isinstance(element, sympy.Indexed) else ()
    if not all(position.is_Integer for position in positions):
        raise NoRuleError(f"{element} stands at a computed position, which the scalar form does not follow")
    return base_name(element), tuple(int(position) for position in positions)


def _explanation(chain: tuple[Factor, ...]) -> tuple[str, str, str]:
    """The rules of a chain within one equation, without the ones that only take a summand out of a sum."""
    telling = [factor for factor in chain if factor.rule not in ("sum rule", "identity")] or [chain[-1]]
    names = dict.fromkeys(factor.rule for factor in telling)
    reasons = dict.fromkeys(factor.reason for factor in telling)
    identities = dict.fromkeys(factor.identity for factor in telling if factor.identity)
    return ", then ".join(names), "; ".join(reasons), r",\ ".join(identities)
