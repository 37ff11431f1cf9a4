"""Whether what is called proved is true: both sides at points and sizes of their own, one number at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import mpmath
import numpy as np

from symbackprop.claims.document import _best
from symbackprop.claims.judge import Item, Judge
from symbackprop.errors import SymbackpropError
from symbackprop.notation.interpreter import arbitrary_precision, interpret
from symbackprop.notation.program import Equation, Program, Variable
from symbackprop.notation.sizes import concrete_shape
from symbackprop.reading.walker import walk

DIGITS = 40
_CLOSE = mpmath.mpf(10) ** -25
_ENTRIES = 400
_OUTSIDE = (SymbackpropError, ArithmeticError, ValueError, TypeError, IndexError, KeyError)


@dataclass(frozen=True)
class Verdicts:
    """How many claims held, how many of those were evaluated again, and those that are not true."""

    held: int
    evaluated: int
    false: tuple[str, ...]


def verdicts(text: str, kind: str) -> Verdicts:
    """Read the notes, judge every relation, and evaluate again those that hold."""
    held = evaluated = 0
    false = []
    session = _best(walk(text, kind), None)
    for relation in session.notes.relations:
        try:
            verdict = session.judge.verdict(relation)
        except Exception:
            # That nothing crashes is another law.
            continue
        if not verdict.outcome.holds:
            continue
        held += 1
        found = [is_true(session.judge, item, seed) for item in verdict.items for seed in (1, 2)]
        evaluated += any(truth is not None for truth in found)
        if False in found:
            false.append(f"{relation.latex}: {verdict.outcome.value} by {verdict.by}")
    return Verdicts(held, evaluated, tuple(false))


def is_true(judge: Judge, item: Item, seed: int) -> bool | None:
    """Whether both sides are equal at a point of its own; None where one has no value there."""
    program = judge.derived.program()
    draw = np.random.default_rng([seed, 977])
    least = {str(size): number for size, number in judge.notes.sizes.least.items()}
    names = sorted(size.name for size in program.sizes)
    sizes = {name: max(2 + (place + seed) % 3, least.get(name, 0)) for place, name in enumerate(names)}
    by_symbol = {size: sizes[size.name] for size in program.sizes}
    free = tuple(item.free)
    try:
        shapes = {v.name: concrete_shape(v.shape, by_symbol) for v in program.variables.values()}
        if sum(int(np.prod(shape)) for shape in shapes.values()) > _ENTRIES:
            return None
        given = {v.name: _drawn(v, shapes[v.name], draw, seed) for v in program.inputs}
        sides = [
            Equation(Variable(name, tuple(extent for _, extent in free), indices=tuple(i for i, _ in free)), side)
            for name, side in (("claimed side", item.claimed), ("derived side", item.derived))
        ]
        whole = replace(program, equations=(*program.equations, *sides))
        with mpmath.workdps(DIGITS):
            found = interpret(_only_needed(whole), given, sizes, arbitrary_precision())
            pairs = zip(found["claimed side"].ravel(), found["derived side"].ravel(), strict=True)
            return all(_equal(one, other) for one, other in pairs)
    except _OUTSIDE:
        return None


def _only_needed(program: Program) -> Program:
    return replace(program, loss=None)


def _drawn(variable: Variable, shape: tuple[int, ...], draw: np.random.Generator, seed: int) -> np.ndarray:
    low = 0.25 if seed == 1 else -0.9
    numbers = draw.uniform(low, 0.95, shape)
    if variable.integer:
        numbers = draw.integers(0, 2, shape)
    exact = np.frompyfunc(lambda number: mpmath.mpf(float(number)), 1, 1)
    return numbers if variable.integer else np.asarray(exact(numbers), dtype=object)


def _equal(one: object, other: object) -> bool:
    a, b = mpmath.mpmathify(one), mpmath.mpmathify(other)
    if isinstance(a, mpmath.mpc) or isinstance(b, mpmath.mpc) or not (mpmath.isfinite(a) and mpmath.isfinite(b)):
        raise ArithmeticError("no real number")
    return bool(abs(a - b) <= _CLOSE * max(abs(a), abs(b), 1))
