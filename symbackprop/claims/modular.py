"""Exact algebra at given sizes: both sides at random numbers modulo a large prime.

An exponential is a random number for each argument, with exp(a + b) = exp(a) exp(b) kept wherever the three come up,
and other functions are random numbers of their arguments. What is equal for all those is equal.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import sympy

from symbackprop.claims.points import Array, Numbers, UndefinedError, keep_assumptions, label_reach
from symbackprop.notation.expressions import Limit, base_name
from symbackprop.notation.interpreter import Arithmetic
from symbackprop.notation.program import Assumption, Program, occurrences
from symbackprop.notation.sizes import concrete_shape

__all__ = ["equal_at_sizes"]

_PRIME = 2**61 - 1
_POINTS = 3
_DRAWS = 6
# exp(v) is generator^12, so that exp(v/2), exp(v/3), ..., exp(4 v) are powers of it.
_PARTS = 12
_REACH = 48
_MOST_PAIRED = 120
_EVEN = frozenset(("cos", "Abs"))


class UndecidableError(ArithmeticError):
    """Something that residues do not say: whether a value is above another, or what its root is."""


class Residue:
    """A number modulo the prime; ``exact`` is its value where that is a known rational, as for indices and sizes."""

    __slots__ = ("exact", "value")

    def __init__(self, value: int, exact: Fraction | None = None) -> None:
        self.value = value % _PRIME
        self.exact = exact

    def __add__(self, other: Any) -> Residue:
        other = _lifted(other)
        both = self.exact is not None and other.exact is not None
        return Residue(self.value + other.value, self.exact + other.exact if both else None)

    def __mul__(self, other: Any) -> Residue:
        other = _lifted(other)
        both = self.exact is not None and other.exact is not None
        return Residue(self.value * other.value, self.exact * other.exact if both else None)

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Residue:
        return Residue(-self.value, None if self.exact is None else -self.exact)

    def __sub__(self, other: Any) -> Residue:
        return self + -_lifted(other)

    def __rsub__(self, other: Any) -> Residue:
        return _lifted(other) - self

    def __truediv__(self, other: Any) -> Residue:
        other = _lifted(other)
        if other.value == 0:
            raise ZeroDivisionError("division by a residue that is 0")
        exact = self.exact / other.exact if self.exact is not None and other.exact is not None else None
        return Residue(self.value * pow(other.value, -1, _PRIME), exact)

    def __rtruediv__(self, other: Any) -> Residue:
        return _lifted(other) / self

    def __pow__(self, exponent: Any) -> Residue:
        power = exponent if isinstance(exponent, int) else _lifted(exponent).exact
        if power is None or int(power) != power:
            raise UndecidableError("a residue has no power with this exponent")
        if power < 0:
            return Residue(1, Fraction(1)) / self ** -int(power)
        exact = None if self.exact is None else Fraction(self.exact ** int(power))
        return Residue(pow(self.value, int(power), _PRIME), exact)

    def _compared(self, other: Any, holds: Callable[[Fraction, Fraction], bool]) -> bool:
        other = _lifted(other)
        if self.exact is None or other.exact is None:
            raise UndecidableError("residues have no order")
        return holds(self.exact, other.exact)

    def __eq__(self, other: object) -> bool:
        return self._compared(other, lambda a, b: a == b)

    def __lt__(self, other: Any) -> bool:
        return self._compared(other, lambda a, b: a < b)

    def __le__(self, other: Any) -> bool:
        return self._compared(other, lambda a, b: a <= b)

    def __gt__(self, other: Any) -> bool:
        return self._compared(other, lambda a, b: a > b)

    def __ge__(self, other: Any) -> bool:
        return self._compared(other, lambda a, b: a >= b)

    def __hash__(self) -> int:
        return hash(self.value)


def _lifted(value: Any) -> Residue:
    return value if isinstance(value, Residue) else Residue(int(value), Fraction(int(value)))


class _Model:
    """What the functions are at one point: a random number for each argument that has come up."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.exponentials: dict[int, int] = {0: 1}
        self.logarithms: dict[int, int] = {1: 0}
        self.others: dict[tuple[str, int], int] = {}
        self.numbers: dict[sympy.Expr, Residue] = {}
        self.arithmetic = Arithmetic(self.number, self.function)

    def drawn(self) -> int:
        return self.random.randrange(2, _PRIME - 1)

    def number(self, value: sympy.Expr) -> Residue:
        if value not in self.numbers:
            self.numbers[value] = self._number(value)
        return self.numbers[value]

    def _number(self, value: sympy.Expr) -> Residue:
        if value is sympy.E:
            return self.exponential(Residue(1))
        if value.is_NumberSymbol:
            return Residue(self.drawn())
        exact = sympy.Rational(value)
        return Residue(int(exact.p) * pow(int(exact.q), -1, _PRIME), Fraction(int(exact.p), int(exact.q)))

    def function(self, name: str) -> Callable[..., Any]:
        if name in ("sqrt", "Max", "Min", "floor", "sign"):
            raise UndecidableError(f"residues have no {name}")
        return self._known.get(name, lambda *arguments: self.other(name, *arguments))

    @property
    def _known(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "exp": self.exponential,
            "log": self.logarithm,
            "sinh": lambda v: (self.exponential(v) - self.exponential(-v)) / 2,
            "cosh": lambda v: (self.exponential(v) + self.exponential(-v)) / 2,
            "tanh": lambda v: 1 - 2 / (self.exponential(2 * v) + 1),
        }

    def exponential(self, argument: Any) -> Residue:
        wanted = _lifted(argument).value
        if wanted not in self.exponentials:
            for value, part in self._products():
                rest = self.exponentials.get((wanted - part) % _PRIME)
                if rest is not None:
                    self._compose(part, (wanted - part) % _PRIME)
                    self._learn(wanted, value * rest % _PRIME)
                    break
            else:
                self._generator(wanted)
        elif self.exponentials[wanted] not in self.logarithms:
            self._learn(wanted, self.exponentials[wanted])
        return Residue(self.exponentials[wanted])

    def logarithm(self, argument: Any) -> Residue:
        wanted = _lifted(argument).value
        if wanted == 0:
            raise ZeroDivisionError("the logarithm of a residue that is 0")
        if wanted not in self.logarithms:
            for value, part in self._products():
                rest = self.logarithms.get(wanted * value % _PRIME)
                if rest is not None:
                    self._learn((rest - part) % _PRIME, wanted)
                    break
            else:
                self._learn(self.drawn(), wanted)
        return Residue(self.logarithms[wanted])

    def _products(self) -> Iterator[tuple[int, int]]:
        """Values whose logarithms are known, with those, and products of two of them, with their sums."""
        known = list(self.logarithms.items())
        yield from known
        if len(known) <= _MOST_PAIRED:
            for (one, ours), (other, theirs) in itertools.combinations(known, 2):
                yield one * other % _PRIME, (ours + theirs) % _PRIME

    def _compose(self, one: int, other: int) -> None:
        """The exponentials of the multiples of a sum, as far as those of its parts are known."""
        unit = pow(_PARTS, -1, _PRIME)
        for times in range(-_REACH, _REACH + 1):
            ours, theirs = (times * unit * part % _PRIME for part in (one, other))
            if ours in self.exponentials and theirs in self.exponentials:
                value = self.exponentials[ours] * self.exponentials[theirs] % _PRIME
                self.exponentials.setdefault((ours + theirs) % _PRIME, value)

    def _generator(self, wanted: int) -> None:
        part = wanted * pow(_PARTS, -1, _PRIME) % _PRIME
        generator = self.drawn()
        inverse = pow(generator, -1, _PRIME)
        for sign, base in ((1, generator), (-1, inverse)):
            value = 1
            for times in range(1, _REACH + 1):
                value = value * base % _PRIME
                self.exponentials.setdefault(sign * times * part % _PRIME, value)
        self._learn(wanted, self.exponentials[wanted])

    def _learn(self, argument: int, value: int) -> None:
        """That exp(argument) is value, and so log(value) is argument; and the same for their opposites."""
        opposite = pow(value, -1, _PRIME)
        self.exponentials[argument], self.logarithms[value] = value, argument
        self.exponentials[-argument % _PRIME], self.logarithms[opposite] = opposite, -argument % _PRIME

    def other(self, name: str, *arguments: Any) -> Residue:
        """A function of which no more is known than that it is even, or else odd."""
        if len(arguments) != 1:
            raise UndecidableError(f"{name} is not known for residues")
        value = _lifted(arguments[0]).value
        upright = min(value, -value % _PRIME)
        found = self.others.setdefault((name, upright), self.drawn())
        return Residue(found if value == upright or name in _EVEN else -found)


def equal_at_sizes(
    left: sympy.Expr,
    right: sympy.Expr,
    program: Program,
    free: tuple[Limit, ...],
    sizes: Mapping[str, int],
    *,
    assuming: tuple[Assumption, ...] = (),
    seed: int = 0,
) -> bool | None:
    """Whether the two sides are equal at ``sizes``, for all values of the declared variables.

    True: every entry is the same at three random points modulo 2^61 - 1. Two rational functions of degree d that differ
    agree at one point with a probability of at most d/2^61, so that this is wrong with one of about
    entries * (d/2^61)^3: less than 10^-40 for a degree of a hundred. False: the sides are rational functions, and
    differ. None: they cannot be told apart, or not be told equal, in this way; a condition on values, a root or a
    function that does more than is known of it here stands in between.
    """
    for point in range(_POINTS):
        answer = _equal_at_a_point(left, right, program, free, tuple(sorted(sizes.items())), (assuming, seed, point))
        if answer is not True:
            return answer
    return True


def _equal_at_a_point(
    left: sympy.Expr,
    right: sympy.Expr,
    program: Program,
    free: tuple[Limit, ...],
    sizes: tuple[tuple[str, int], ...],
    which: tuple[tuple[Assumption, ...], int, int],
) -> bool | None:
    assuming, seed, point = which
    for draw in range(_DRAWS):
        numbers = _drawn(program, sizes, assuming, f"{seed} {point} {draw}")
        try:
            ours, theirs = (numbers.entries(side, free).ravel() for side in (left, right))
        except UndefinedError as error:
            if isinstance(error.__cause__, ZeroDivisionError):
                continue
            return None
        if all(a.value == b.value for a, b in zip(map(_lifted, ours), map(_lifted, theirs), strict=True)):
            return True
        return False if _is_rational(left, right, program) else None
    return None


def _is_rational(left: sympy.Expr, right: sympy.Expr, program: Program) -> bool:
    """Whether no function stands in the sides, nor in what they depend on: then a difference is a difference."""
    used = {base_name(node) for side in (left, right) for node in occurrences(side)}
    sides = (left, right, *(equation.right for equation in program.needed_for(used)))
    return not any(side.has(sympy.Function, sympy.NumberSymbol) for side in sides)


@lru_cache(maxsize=32)
def _drawn(
    program: Program, sizes: tuple[tuple[str, int], ...], assuming: tuple[Assumption, ...], seed: str
) -> Numbers:
    model = _Model(seed)
    by_name = dict(sizes)
    by_symbol = {symbol: by_name[symbol.name] for symbol in program.sizes}
    arrays: dict[str, Array] = {}
    for variable in program.inputs:
        shape = concrete_shape(variable.shape, by_symbol)
        array = np.empty(shape, dtype=object)
        reach = label_reach(program, variable.name, by_symbol) if variable.integer else 0
        for place in itertools.product(*map(range, shape)):
            array[place] = model.random.randrange(reach) if variable.integer else Residue(model.drawn())
        arrays[variable.name] = array
    keep_assumptions(program, arrays, assuming)
    return Numbers(program, by_name, arrays, model.arithmetic)
