"""On which side of every kink a program stands: what tells a kink from a wrong gradient.

Source: ``symbackprop.functions.kinks`` says where a program has no derivative; here those places become numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.forms.evaluate import evaluate
from symbackprop.forms.lower import Lowered, lower
from symbackprop.functions.kinks import Kink, kinks
from symbackprop.notation.expressions import REDUCTIONS, Limit, Maximum, is_occurrence, limits, walk
from symbackprop.notation.indices import free_indices
from symbackprop.notation.program import Equation, Program, Variable

__all__ = ["Border", "Pattern", "borders"]

Array = npt.NDArray[Any]
Sizes = Mapping[sympy.Symbol, int]


@dataclass(frozen=True)
class Pattern:
    """The side of each kink at one point; ``on`` says whether some argument lies exactly on one."""

    sides: tuple[bytes, ...]
    on: bool


@dataclass(frozen=True)
class Border:
    """Where one function has no derivative: ``argument`` equals ``point``, or two entries of it tie for the largest.

    ``argument`` has an axis for each index in it; the one that a maximum runs over comes last.
    """

    argument: Lowered
    point: float | None

    def gaps(self, arrays: Mapping[str, Array], sizes: Sizes) -> Array:
        """How far each argument lies from the kink, with a sign; for a maximum, how far the runner-up lies below."""
        value = np.asarray(evaluate(self.argument, arrays, sizes))
        if self.point is not None:
            return value - self.point
        in_order = np.sort(value, axis=-1)
        return in_order[..., -1] - in_order[..., -2] if value.shape[-1] > 1 else np.full(value.shape[:-1], np.inf)

    def sides(self, arrays: Mapping[str, Array], sizes: Sizes) -> tuple[bytes, bool]:
        """The side of each argument as bytes, and whether one lies exactly on the kink."""
        gaps = self.gaps(arrays, sizes)
        if self.point is not None:
            return np.sign(gaps).astype(np.float32).tobytes(), bool((gaps == 0).any())
        value = np.asarray(evaluate(self.argument, arrays, sizes))
        return np.argmax(value, axis=-1).astype(np.int64).tobytes(), bool((gaps == 0).any())


def borders(program: Program) -> tuple[Border, ...]:
    """The borders of every kink of ``program``, in its order."""
    found: list[Border] = []
    for kink in kinks(program):
        equation = program.definitions[kink.equation]
        over = _maximised(equation, kink.argument) if kink.point is None else ()
        free = [index for index in free_indices(kink.argument) if index not in over]
        names = (*sorted(free, key=str), *over)
        shape = tuple(_extent(index, equation, kink, program) for index in names)
        left = Variable("kink_argument", shape, indices=names)
        point = None if kink.point is None else float(kink.point)
        found.append(Border(lower(Equation(left, kink.argument), program), point))
    return tuple(found)


def _maximised(equation: Equation, body: sympy.Expr) -> tuple[sympy.Symbol, ...]:
    """The index that the maximum of ``body`` in ``equation`` runs over."""
    for node in walk(equation.right):
        if isinstance(node, Maximum) and node.args[0] == body:
            return (limits(node)[0][0],)
    return ()


def _extent(index: sympy.Symbol, equation: Equation, kink: Kink, program: Program) -> sympy.Expr:
    """The size that ``index`` runs over. Where an equation binds the name twice, the axis it stands at says."""
    candidates = {extent for name, extent in _binders(equation) if name == index}
    if len(candidates) > 1:
        for node in walk(kink.argument):
            if is_occurrence(node) and isinstance(node, sympy.Indexed) and index in node.indices:
                axis = program.variable(node.base.label.name).shape[node.indices.index(index)]
                if axis in candidates:
                    return axis
    return sorted(candidates, key=str)[0]


def _binders(equation: Equation) -> tuple[Limit, ...]:
    inner = [limit for node in walk(equation.right) if isinstance(node, REDUCTIONS) for limit in limits(node)]
    return (*equation.scope, *inner)
