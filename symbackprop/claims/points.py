"""Random points: numbers for the sizes, values for the declared variables, and with them the value of anything else."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.errors import EquationError, SizeError, SymbackpropError
from symbackprop.notation.expressions import Limit, base_name, is_occurrence, limits, walk
from symbackprop.notation.indices import free_indices, substitute
from symbackprop.notation.interpreter import FLOAT, Arithmetic, arbitrary_precision, interpret
from symbackprop.notation.program import Assumption, Equation, Program, Variable, occurrences
from symbackprop.notation.sizes import concrete_shape

__all__ = ["DIGITS", "Numbers", "Point", "UndefinedError", "keep_assumptions", "label_reach", "points", "small_sizes"]

Array = npt.NDArray[Any]

DIGITS = 50
"""How many digits a number has where floats do not decide."""

_ENTRIES = 20_000
"""The most entries of all variables at one point."""
_GRID = 4096
# Signed first; where the program leaves its domain above 0, then below 1 too, as probabilities and their like are.
_RANGES = (*((0.2, 1.5, True),) * 6, *((0.2, 1.5, False),) * 4, *((0.2, 0.8, False),) * 4)
_RESULT = "the value of an expression"
_OUTSIDE = (ArithmeticError, ValueError, TypeError)


class UndefinedError(SymbackpropError, ArithmeticError):
    """Something that has no real, finite value at a point."""


class Numbers:
    """The values of a program's variables at one point, in one arithmetic, each computed when it is first needed."""

    def __init__(
        self, program: Program, sizes: Mapping[str, int], arrays: Mapping[str, Array], arithmetic: Arithmetic
    ) -> None:
        self.program = program
        self.sizes = sizes
        self.arrays = dict(arrays)
        self.arithmetic = arithmetic

    def entries(self, expression: sympy.Expr, free: Sequence[Limit]) -> Array:
        """The value of ``expression`` for every entry of its free indices, as an array of objects.

        Raises UndefinedError where one is not a finite real number, EquationError where an index is in no limit.
        """
        open_indices = free_indices(expression) - {i for i, _ in free}
        if open_indices:
            raise EquationError(f"{sorted(map(str, open_indices))} run over nothing in {expression}; give their sizes")
        result = Variable(_RESULT, tuple(extent for _, extent in free), indices=tuple(i for i, _ in free))
        return self._computed(Equation(result, expression))

    def at(self, expression: sympy.Expr, free: Sequence[Limit], entry: Sequence[int]) -> Any:
        """The value of ``expression`` at one entry."""
        numbers = {i: sympy.Integer(place) for (i, _), place in zip(free, entry, strict=True)}
        return self.entries(substitute(expression, numbers), ())[()]

    def _computed(self, equation: Equation) -> Array:
        used = {base_name(node) for node in occurrences(equation.right)}
        missing = [e for e in self.program.needed_for(used) if e.name not in self.arrays]
        equations = (*missing, equation)
        mentioned = {base_name(node) for e in equations for node in occurrences(e.right)}
        known = tuple(v for name, v in self.program.variables.items() if name in mentioned and name in self.arrays)
        program = Program(known, equations, name=self.program.name)
        sizes = {symbol.name: self.sizes[symbol.name] for symbol in program.sizes if symbol.name in self.sizes}
        given = {variable.name: self.arrays[variable.name] for variable in known}
        try:
            found = interpret(program, given, sizes, self.arithmetic)
        except UndefinedError:
            raise
        except _OUTSIDE as error:
            if isinstance(error, SizeError):
                raise
            raise UndefinedError(f"{equation} has no value at this point: {error}") from error
        for e in equations:
            if not all(map(_is_real, found[e.name].ravel())):
                raise UndefinedError(f"{e} is not a finite real number at this point")
        self.arrays.update({e.name: found[e.name] for e in missing})
        return found[_RESULT]


def _is_real(value: Any) -> bool:
    if isinstance(value, complex | mpmath.mpc):
        return False
    return not isinstance(value, float | mpmath.mpf) or bool(mpmath.isfinite(value))


@dataclass(frozen=True, eq=False)
class Point:
    """Numbers for the sizes, the seed, and the values of all variables of a program in floats."""

    sizes: Mapping[str, int]
    seed: int
    arrays: Mapping[str, Array] = field(repr=False)
    program: Program = field(repr=False)

    @cached_property
    def floats(self) -> Numbers:
        """The values in Python's floats."""
        return Numbers(self.program, self.sizes, self.arrays, FLOAT)

    @cached_property
    def digits(self) -> Numbers:
        """The values with ``DIGITS`` digits. To be used inside ``mpmath.workdps(DIGITS)``."""
        exact = np.frompyfunc(mpmath.mpf, 1, 1)
        declared = {
            v.name: self.arrays[v.name] if v.integer else np.asarray(exact(self.arrays[v.name]), dtype=object)
            for v in self.program.inputs
        }
        return Numbers(self.program, self.sizes, declared, _precise())


@lru_cache(maxsize=1)
def _precise() -> Arithmetic:
    """mpmath's numbers, where a constant is made just once."""
    plain = arbitrary_precision()
    number = lru_cache(maxsize=4096)(lambda value, digits: plain.number(value))
    return Arithmetic(lambda value: number(value, mpmath.mp.dps), plain.function)


def points(
    program: Program,
    sizes: Mapping[str, int] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    assuming: tuple[Assumption, ...] = (),
) -> tuple[Point, ...]:
    """A point for each seed, with small sizes that differ, at which every equation of ``program`` has a value.

    ``sizes`` gives numbers to some of the sizes. An assumption about the sum of a declared variable over its last
    axis is kept. Raises UndefinedError where no values were found that the program is defined for.
    """
    numbers = small_sizes(program, sizes)
    by_symbol = {symbol: numbers[symbol.name] for symbol in program.sizes}
    entries = sum(math.prod(concrete_shape(variable.shape, by_symbol)) for variable in program.variables.values())
    if entries > _ENTRIES:
        raise SizeError(f"arrays of {entries:,} entries are too large to be evaluated; write letters for their sizes")
    return tuple(_point(program, numbers, seed, assuming) for seed in seeds)


def small_sizes(program: Program, given: Mapping[str, int] | None = None) -> dict[str, int]:
    """A number for each size: the batch first, from 2 on, all different and different from those in the program."""
    known = dict(given or {})
    ordered = sorted(program.sizes, key=lambda symbol: symbol != program.batch)
    unknown = [symbol.name for symbol in ordered if symbol.name not in known]
    taken = {int(e) for v in program.variables.values() for e in v.shape if e.is_Integer} | set(known.values())
    free = list(itertools.islice((n for n in itertools.count(2) if n not in taken), len(unknown)))
    # A window must fit into what it slides over, whichever of the two was named first.
    for order in (free, free[::-1], [2 * number for number in free]):
        numbers = {**known, **dict(zip(unknown, order, strict=True))}
        by_symbol = {symbol: numbers[symbol.name] for symbol in program.sizes}
        if all(_fits(v.shape, by_symbol) for v in program.variables.values()):
            return {symbol.name: numbers[symbol.name] for symbol in ordered}
    raise SizeError(f"{program.name}: no small numbers fit the sizes {', '.join(unknown)}; give them in sizes")


def _fits(shape: tuple[sympy.Expr, ...], numbers: Mapping[sympy.Symbol, int]) -> bool:
    return all(bool(sympy.sympify(extent.xreplace(dict(numbers))) > 0) for extent in shape)


def _point(program: Program, sizes: Mapping[str, int], seed: int, assuming: tuple[Assumption, ...]) -> Point:
    last: UndefinedError | None = None
    for attempt, (low, high, signed) in enumerate(_RANGES):
        rng = np.random.default_rng([seed, attempt])
        arrays = _declared(program, sizes, rng, (low, high, signed))
        keep_assumptions(program, arrays, assuming)
        numbers = Numbers(program, sizes, arrays, FLOAT)
        try:
            numbers.entries(_everything(program), ())
        except UndefinedError as error:
            last = error
            continue
        return Point(sizes, seed, numbers.arrays, program)
    raise UndefinedError(f"{program.name} has no value at any of {len(_RANGES)} points drawn from seed {seed}: {last}")


def _everything(program: Program) -> sympy.Expr:
    """Something that needs each variable that the program defines."""
    zero = {i: sympy.Integer(0) for e in program.equations for i in e.indices}
    return sympy.Add(*(substitute(e.left.everywhere, zero) for e in program.equations))


def _declared(
    program: Program, sizes: Mapping[str, int], rng: np.random.Generator, interval: tuple[float, float, bool]
) -> dict[str, Array]:
    by_symbol = {symbol: sizes[symbol.name] for symbol in program.sizes}
    low, high, signed = interval
    arrays: dict[str, Array] = {}
    for variable in program.inputs:
        shape = concrete_shape(variable.shape, by_symbol)
        if variable.integer:
            arrays[variable.name] = rng.integers(0, label_reach(program, variable.name, by_symbol), shape).astype(
                object
            )
            continue
        # Multiples of 1/4096: the same number in floats and with 50 digits.
        drawn = rng.integers(math.ceil(low * _GRID), math.floor(high * _GRID), shape) / _GRID
        numbers = drawn * rng.choice((-1.0, 1.0), shape) if signed else drawn
        # Python's own numbers, also where there is one only: NumPy's warn where those leave the reals.
        arrays[variable.name] = np.array(np.asarray(numbers).tolist(), dtype=object).reshape(shape)
    return arrays


def label_reach(program: Program, name: str, sizes: Mapping[sympy.Symbol, int]) -> int:
    """How many values the labels ``name`` may have: the size of the shortest axis that they are positions on."""
    extents = [
        concrete_shape((extent,), sizes)[0]
        for equation in program.equations
        for node in walk(equation.right)
        if isinstance(node, sympy.Indexed)
        for position, extent in zip(node.indices, program.variables[base_name(node)].shape, strict=True)
        if any(is_occurrence(inner) and base_name(inner) == name for inner in walk(position))
    ]
    return min(extents, default=3)


# -- assumptions -------------------------------------------------------------------------------------------------------


def keep_assumptions(program: Program, arrays: dict[str, Array], assuming: tuple[Assumption, ...]) -> None:
    """Change the last entries of declared variables so that their sums over the last axis are what is assumed."""
    for name, value in _sums(program, assuming):
        array = arrays[name] = arrays[name].copy()
        array[..., -1] = value - np.sum(array[..., :-1], axis=-1)


def _sums(program: Program, assuming: tuple[Assumption, ...]) -> Iterator[tuple[str, int]]:
    declared = {variable.name: variable for variable in program.inputs}
    for assumption in assuming:
        left, value = assumption.left, assumption.value
        if not (isinstance(left, sympy.Sum) and value.is_Integer and isinstance(left.args[0], sympy.Indexed)):
            continue
        body, over = left.args[0], limits(left)
        if base_name(body) in declared and body.indices == (*assumption.indices, *(i for i, _ in over)):
            yield base_name(body), int(value)
