"""Random straight-line programs, with a point to evaluate them at: what the laws of the package are tried on.

    @given(case=cases("rational"))
    def test_a_law(case):
        ...  # case.program, case.sizes, case.values

Two families. ``rational`` programs use sums, products, quotients, powers and piecewise rational functions only, so
that every number is a ``Fraction`` and laws hold exactly. ``general`` programs use every elementwise function of the
package beside exp, log, tanh, sqrt, sin, softmax and log-sum-exp.

Every program is well formed: it passes the checker, its quotients have denominators that are at least 1, its
logarithms positive arguments, and at its point no number is large.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from hypothesis import assume
from hypothesis import strategies as st

from symbackprop.functions.library import FUNCTIONS
from symbackprop.notation.checker import check
from symbackprop.notation.expressions import Bracket, Limit, index, maximum, size, total
from symbackprop.notation.interpreter import FLOAT, interpret
from symbackprop.notation.program import Equation, Program, Role, Variable

__all__ = ["FAMILIES", "Case", "cases", "random_values", "rational_point"]

FAMILIES = ("rational", "general")

_INDEX_NAMES = ("i", "j", "k", "l", "m", "n", "p", "q")
_SIZES = tuple(map(size, ("A", "B", "C")))
_RATIONAL_FUNCTIONS = ("relu", "leaky_relu", "absolute", "huber", "clamp", "hard_sigmoid")
_LARGEST = 25.0


@dataclass(frozen=True)
class Case:
    """A program, numbers for its symbolic sizes, and values for its declared variables (nested lists)."""

    program: Program
    sizes: Mapping[str, int]
    values: Mapping[str, Any]
    constructs: frozenset[str] = field(default=frozenset(), compare=False)

    def __repr__(self) -> str:
        declared = ", ".join(f"{v.everywhere}: {v}" for v in self.program.inputs)
        return f"Case of\n{self.program}\nover {declared}\nsizes {dict(self.sizes)}\nvalues {dict(self.values)}"


def cases(
    family: str = "general",
    *,
    maxima: bool = True,
    equations: tuple[int, int] = (2, 6),
    largest_size: int = 3,
) -> st.SearchStrategy[Case]:
    """Programs of ``family`` with ``equations`` (fewest, most) equations, each with sizes and values."""
    if family not in FAMILIES:
        raise ValueError(f"unknown family {family!r}; known are {', '.join(FAMILIES)}")
    return _cases(family, maxima, equations, largest_size)


def rational_point(generator: random.Random) -> Fraction:
    """A rational of moderate size and small denominator, hardly ever the same twice, never a whole number."""
    denominator = generator.choice((11, 13, 17, 19))
    numerator = generator.choice([n for n in range(1, 24) if n % denominator])
    return Fraction(generator.choice((-1, 1)) * numerator, denominator)


def random_values(program: Program, sizes: Mapping[str, int], generator: random.Random) -> dict[str, Any]:
    """A value for every declared variable of ``program``: rationals, and labels from 0 for integer data."""
    by_symbol = {symbol: sizes[symbol.name] for symbol in program.sizes}

    def fill(shape: tuple[int, ...], entry: Callable[[], Any]) -> Any:
        return [fill(shape[1:], entry) for _ in range(shape[0])] if shape else entry()

    values: dict[str, Any] = {}
    for variable in program.inputs:
        shape = tuple(int(extent.xreplace(by_symbol)) for extent in variable.shape)
        values[variable.name] = fill(
            shape, (lambda: generator.randrange(3)) if variable.integer else (lambda: rational_point(generator))
        )
    return values


@st.composite
def _cases(draw: st.DrawFn, family: str, maxima: bool, equations: tuple[int, int], largest_size: int) -> Case:
    builder = _Builder(draw, family, maxima)
    program = check(builder.program(draw(st.integers(*equations))))
    sizes = {symbol.name: draw(st.integers(1, largest_size)) for symbol in program.sizes}
    values = random_values(program, sizes, random.Random(draw(st.integers(0, 1 << 16))))
    assume(_moderate(program, sizes, values))
    return Case(program, sizes, values, frozenset(builder.constructs))


def _moderate(program: Program, sizes: Mapping[str, int], values: Mapping[str, Any]) -> bool:
    """Whether no number is so large that digits are lost, or an exponential of it out of reach."""
    integers = {variable.name for variable in program.inputs if variable.integer}
    floats = {
        name: value if name in integers else np.array(value, dtype=float).tolist() for name, value in values.items()
    }
    try:
        arrays = interpret(program, floats, sizes, FLOAT)
    except (OverflowError, ValueError, ZeroDivisionError):
        return False
    return all(abs(entry) < _LARGEST for array in arrays.values() for entry in array.ravel())


@lru_cache
def _numbers_below(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


class _Builder:
    """One program in the making: the declared variables and the equations so far."""

    def __init__(self, draw: st.DrawFn, family: str, maxima: bool) -> None:
        self.draw = draw
        self.general = family == "general"
        self.maxima = maxima
        self.inputs: list[Variable] = []
        self.equations: list[Equation] = []
        self.known: list[Variable] = []
        self.constructs: set[str] = set()

    # Choices

    def number(self, below: int) -> int:
        return self.draw(_numbers_below(below))

    def pick(self, options: Iterable[Any]) -> Any:
        listed = tuple(options)
        return listed[self.number(len(listed))]

    def chance(self, one_in: int) -> bool:
        return self.number(one_in) == one_in - 1

    def constant(self) -> sympy.Expr:
        return self.pick((sympy.Integer(2), sympy.Integer(-1), sympy.Rational(1, 2), sympy.Rational(-3, 2)))

    def recent(self) -> Variable:
        """A known variable, a recently defined one with preference."""
        place = min(self.number(len(self.known)), self.number(len(self.known)))
        return self.known[-1 - place]

    def shape(self, most: int = 3) -> tuple[sympy.Expr, ...]:
        rank = min(most, self.pick((0, 1, 1, 1, 2, 2, 2, 3)))
        return tuple(self.pick(_SIZES) for _ in range(rank))

    def new_indices(self, shape: tuple[sympy.Expr, ...]) -> tuple[sympy.Symbol, ...]:
        names = list(_INDEX_NAMES)
        chosen = []
        for _ in shape:
            chosen.append(index(names.pop(self.number(len(names)))))
        return tuple(chosen)

    # Declarations and equations

    def declare(self, name: str, shape: tuple[sympy.Expr, ...], role: Role, integer: bool = False) -> Variable:
        variable = Variable(name, shape, role, self.new_indices(shape), integer)
        self.inputs.append(variable)
        return variable

    def program(self, count: int) -> Program:
        self.known.append(self.declare("x", self.shape(2), Role.INPUT))
        for number in range(self.pick((1, 2, 2, 3))):
            self.known.append(self.declare(f"w{number}", self.shape(), Role.PARAMETER))
        for number in range(count - 1):
            kind = self.pick(self.kinds())
            shape = self.shape(3 if self.chance(4) else 2)
            left = Variable(f"v{number}", shape, Role.DEFINED, self.new_indices(shape))
            right = kind(self, dict(zip(left.indices, shape, strict=True)))
            self.equations.append(Equation(left, right))
            self.known.append(left)
        left = Variable("L")
        self.equations.append(Equation(left, self.loss()))
        self.declare_sizes()
        return Program(tuple(self.inputs), tuple(self.equations), loss="L", name="random")

    def declare_sizes(self) -> None:
        """Data that fixes every size: an input that has it as an axis."""
        plain = {extent for variable in self.inputs for extent in variable.shape if extent.is_Symbol}
        program = Program(tuple(self.inputs), tuple(self.equations))
        missing = tuple(symbol for symbol in program.sizes if symbol not in plain)
        if missing:
            self.declare("sized", missing, Role.INPUT)

    def loss(self) -> sympy.Expr:
        """A scalar of what no equation has used yet, so that most of the program reaches the loss."""
        names = {symbol.name for e in self.equations for symbol in e.right.atoms(sympy.Symbol)}
        ends = [v for v in self.known if v.name not in names and v.role is not Role.INPUT] or [self.known[-1]]
        parts = []
        for variable in ends[-3:]:
            over, value = self.everywhere(variable)
            body = self.wrapped(value) if self.chance(2) else value * value
            parts.append(self.constant() * total(body, *over))
        if len(parts) == 1 and self.chance(3):
            return parts[0] ** 2
        return sympy.Add(*parts)

    def everywhere(self, variable: Variable) -> tuple[tuple[Limit, ...], sympy.Expr]:
        indices = self.new_indices(variable.shape)
        return tuple(zip(indices, variable.shape, strict=True)), variable.at(*indices)

    def kinds(self) -> tuple[Callable[[_Builder, dict[sympy.Symbol, sympy.Expr]], sympy.Expr], ...]:
        always = (
            _Builder.linear,
            _Builder.linear,
            _Builder.product,
            _Builder.elementwise,
            _Builder.elementwise,
            _Builder.elementwise,
            _Builder.quotient,
            _Builder.shared_reduction,
            _Builder.piecewise,
            _Builder.convolution,
            _Builder.gather,
            _Builder.normalisation,
        )
        if self.maxima:
            always = (*always, _Builder.largest)
        return (*always, _Builder.softmax, _Builder.log_sum_exp) if self.general else always

    # Right-hand sides. ``scope`` says which indices may be used, and the size each runs over.

    def fresh_binder(self, scope: Mapping[sympy.Symbol, sympy.Expr], extent: sympy.Expr) -> sympy.Symbol:
        taken = {i.name for i in scope}
        return index(self.pick(name for name in _INDEX_NAMES if name not in taken))

    def atom(
        self, scope: dict[sympy.Symbol, sympy.Expr], binders: list[Limit], variable: Variable | None = None
    ) -> sympy.Expr:
        """An occurrence; an axis that no index of ``scope`` fits gets one, which is added to scope and binders."""
        variable = variable or self.recent()
        positions = []
        for extent in variable.shape:
            fitting = [i for i, reach in scope.items() if reach == extent]
            if fitting and not self.chance(4):
                position: sympy.Expr = self.pick(fitting)
                if position in positions:
                    self.constructs.add("diagonal")
                if self.chance(12):
                    position = extent - 1 - position
                    self.constructs.add("reversed index")
            elif self.chance(5) or len(scope) > 4:
                position = sympy.Integer(0)
                self.constructs.add("constant index")
            else:
                position = self.fresh_binder(scope, extent)
                scope[position] = extent
                binders.append((position, extent))
            positions.append(position)
        return variable.at(*positions)

    def reduced(self, body: sympy.Expr, binders: list[Limit], linear: bool = False) -> sympy.Expr:
        """``body`` with its binders closed: summed, each by itself or all at once, or the largest taken."""
        if not binders:
            return body
        self.constructs.add(f"reduction over {min(len(binders), 2)}")
        if self.maxima and not linear and len(binders) == 1 and self.chance(4):
            self.constructs.add("maximum")
            return maximum(body, binders[0])
        if len(binders) > 1 and self.chance(2):
            self.constructs.add("nested sums")
            return total(total(body, *binders[1:]), binders[0])
        return total(body, *binders)

    def wrapped(self, e: sympy.Expr) -> sympy.Expr:
        """An elementwise function of ``e``."""
        rational = (
            lambda: e**2,
            lambda: e**3 / 2,
            lambda: 1 / (2 + e**2),
            lambda: e / (1 + e**2),
            lambda: self.function(self.pick(_RATIONAL_FUNCTIONS), e),
            lambda: Bracket(e > sympy.Rational(1, 10)) * e**2,
        )
        general = (
            *(lambda: self.function(self.pick(FUNCTIONS), e),) * 8,
            lambda: sympy.exp(e / 2),
            lambda: sympy.exp(-(e**2)),
            lambda: sympy.log(1 + e**2),
            lambda: sympy.tanh(e),
            lambda: sympy.sqrt(1 + e**2),
            lambda: (1 + e**2) ** sympy.Rational(-3, 2),
            lambda: sympy.sin(e),
        )
        return self.pick((*rational, *general) if self.general else rational)()

    def function(self, name: str, e: sympy.Expr) -> sympy.Expr:
        self.constructs.add(name)
        return FUNCTIONS[name](e)

    def linear(self, scope: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
        """c Sum(a b) + d, as a dense layer has it."""
        parts = []
        for _ in range(self.pick((1, 2, 2, 3))):
            binders: list[Limit] = []
            inner = dict(scope)
            factors = [self.atom(inner, binders) for _ in range(self.pick((1, 2, 2)))]
            parts.append(self.reduced(sympy.Mul(*factors), binders, linear=True))
        if self.chance(4):
            parts[0] = self.constant() * parts[0]
        return sympy.Add(*parts)

    def product(self, scope: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
        """A product of atoms, reductions and wrapped atoms, one of them maybe twice."""
        factors = []
        for _ in range(2):
            binders: list[Limit] = []
            factors.append(self.reduced(self.atom(dict(scope), binders), binders))
        if self.chance(2):
            factors.append(self.wrapped(factors[0]))
        if self.chance(4):
            self.constructs.add("variable twice")
            factors.append(factors[0])
        return sympy.Mul(*factors)

    def elementwise(self, scope: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
        binders: list[Limit] = []
        inner = dict(scope)
        argument = self.atom(inner, binders)
        if self.chance(3):
            argument = argument + self.constant() * self.atom(inner, binders)
        if self.chance(2):
            return self.reduced(self.wrapped(argument), binders)
        return self.wrapped(self.reduced(argument, binders))

    def quotient(self, scope: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
        self.constructs.add("quotient")
        above, below = self.linear(scope), self.product(scope)
        return above / (1 + below**2)

    def shared_reduction(self, scope: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
        """The same reduction twice: once inside a function."""
        binders: list[Limit] = []
        inner = dict(scope)
        body = self.atom(inner, binders) * self.atom(inner, binders)
        value = self.reduced(body, binders)
        return value + self.wrapped(value)

    def piecewise(self, scope: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
        self.constructs.add("piecewise")
        outer: list[Limit] = []
        inner = dict(scope)
        a, b = self.atom(inner, outer), self.atom(inner, outer)
        border = sympy.Rational(self.pick((0, 1, -1)), 7)
        value = sympy.Piecewise((a**2 + b, a > border), (2 * a * b, b > border), (a, True))
        return self.reduced(value, outer)

    def convolution(self, scope: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
        """Sum over p of s[n + p, ...] * w[p], s longer by one less than w; or s read backwards."""
        self.constructs.add("convolution")
        inner = dict(scope)
        n = self.pick(scope) if scope and not self.chance(5) else self.fresh_binder(inner, _SIZES[0])
        binders: list[Limit] = [] if n in scope else [(n, self.pick(_SIZES))]
        inner.update(binders)
        p = self.fresh_binder(inner, _SIZES[0])
        reach = self.pick(_SIZES)
        inner[p] = reach
        signal = self.parameter(f"s{len(self.inputs)}", (inner[n] + reach - 1,))
        backwards = self.chance(3)
        position = n - p + reach - 1 if backwards else n + p
        kernel = self.atom(inner, binders)
        return self.reduced(signal.at(position) * kernel, [*binders, (p, reach)], linear=self.chance(2))

    def gather(self, scope: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
        """Rows of a table picked by labels, E[t[n], d]."""
        self.constructs.add("gather")
        inner, binders = dict(scope), []
        labels = next((v for v in self.inputs if v.integer), None)
        if labels is None:
            labels = self.declare("t", (self.pick(_SIZES),), Role.INPUT, integer=True)
        table = self.parameter(f"e{len(self.inputs)}", (sympy.Integer(3), self.pick(_SIZES)))
        row = self.atom(inner, binders, labels)
        column = self.atom(inner, binders, Variable("dummy", table.shape[1:], indices=table.indices[1:]))
        picked = table.at(row, *column.indices)
        return self.reduced(picked * self.atom(inner, binders), binders)

    def parameter(self, name: str, shape: tuple[sympy.Expr, ...]) -> Variable:
        return self.declare(name, shape, Role.PARAMETER)

    def normalisation(self, scope: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
        """(z - mean) / (1 + mean of the squared differences), in one equation."""
        self.constructs.add("normalisation")
        variable = self.recent()
        inner, outer = dict(scope), []
        here = self.atom(inner, outer, variable)
        if not variable.shape:
            return here / (1 + here**2)
        extent = variable.shape[-1]
        *rest, _ = here.indices
        k = self.fresh_binder(inner, extent)
        mean = total(variable.at(*rest, k), (k, extent)) / extent
        j = self.fresh_binder({**inner, k: extent}, extent)
        spread = total((variable.at(*rest, j) - mean) ** 2, (j, extent)) / extent
        below = sympy.sqrt(1 + spread) if self.general else 1 + spread
        return self.reduced((here - mean) / below, outer)

    def largest(self, scope: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
        self.constructs.add("maximum")
        variable = self.recent()
        inner, outer = dict(scope), []
        here = self.atom(inner, outer, variable)
        if not variable.shape:
            return self.function("relu", here)
        k = self.fresh_binder(inner, variable.shape[0])
        body = variable.at(k, *here.indices[1:]) * self.atom({**inner, k: variable.shape[0]}, outer)
        value = maximum(body, (k, variable.shape[0]))
        return self.reduced(value * here if self.chance(2) else value - here, outer)

    def softmax(self, scope: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
        self.constructs.add("softmax")
        inner, outer = dict(scope), []
        variable = self.recent()
        here = self.atom(inner, outer, variable)
        if not variable.shape:
            return FUNCTIONS["sigmoid"](here)
        k = self.fresh_binder(inner, variable.shape[-1])
        others = variable.at(*here.indices[:-1], k)
        return self.reduced(sympy.exp(here) / total(sympy.exp(others), (k, variable.shape[-1])), outer)

    def log_sum_exp(self, scope: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
        self.constructs.add("log-sum-exp")
        inner, outer = dict(scope), []
        variable = self.recent()
        here = self.atom(inner, outer, variable)
        if not variable.shape:
            return sympy.log(1 + sympy.exp(here))
        k = self.fresh_binder(inner, variable.shape[-1])
        others = variable.at(*here.indices[:-1], k)
        return self.reduced(here - sympy.log(total(sympy.exp(others), (k, variable.shape[-1]))), outer)
