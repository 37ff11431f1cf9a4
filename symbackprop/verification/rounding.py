"""What rounding may do to each entry of a gradient, measured by Monte Carlo arithmetic (Parker 1997).

Whenever a value with a name is used it is moved by a random relative error of the size of a rounding; how far the
gradients follow is how far another order of the same operations may take them. That sees sums that cancel, 1 - a near
a = 1, and whatever else makes a result uncertain, without knowing why. A sum of n terms is moved by the square root of
n besides: adding rounds as often as there are terms, and in an order that is the library's own affair.

There is more than one way to write a function. 1 - a^2 and 1 / cosh(z)^2 are the same derivative, but where it is
nearly 0 the first has an *absolute* error of a rounding of 1. ``any_form`` allows for that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.forms.evaluate import evaluate
from symbackprop.forms.lower import Lowered, lower
from symbackprop.notation.expressions import ElementwiseFunction, limits, walk
from symbackprop.notation.program import Equation, Program, Role
from symbackprop.notation.sizes import bind_sizes, concrete_shape
from symbackprop.notation.terms import Term
from symbackprop.verification.ladder import UNIT

__all__ = ["rounding"]

Array = npt.NDArray[Any]

_SAMPLES = 8
_STEP = 2.0**-44
"""By how much values are moved, relatively: far above float64's own rounding, far below what bends a function."""


def rounding(
    program: Program,
    arrays: Mapping[str, Array],
    sizes: Mapping[str, int] | None,
    names: Sequence[str],
    unit: float = UNIT,
    *,
    any_form: bool = False,
) -> dict[str, Array]:
    """For each variable in ``names`` how large the rounding errors of its entries are, as an array of its shape.

    ``unit`` is the unit roundoff of the arithmetic in question: 2^-53 for float64, 2^-24 for float32. The caller
    multiplies by a safety factor of its own: the largest of a few random errors is not the worst one. Raises SizeError
    where ``sizes`` and the arrays do not say all sizes.
    """
    numbers = bind_sizes(program, {name: array.shape for name, array in arrays.items()}, sizes)
    steps = tuple(_step(equation, program, numbers, any_form) for equation in program.needed_for(names))
    # A whole unit of float32 is moved as it is: there a function does bend.
    size = max(_STEP, unit)
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        exact = _evaluated(steps, arrays, numbers, None, size)
        largest = {name: np.zeros(exact[name].shape) for name in names}
        for _ in range(_SAMPLES):
            moved = _evaluated(steps, arrays, numbers, rng, size)
            for name in names:
                distance = np.abs(np.asarray(moved[name] - exact[name], dtype=np.float64))
                largest[name] = np.maximum(largest[name], distance)
    return {name: distance * (unit / size) for name, distance in largest.items()}


@dataclass(frozen=True)
class _Step:
    """One equation: its array form and shape, what it uses, and what its absolute error is a rounding of.

    ``additions`` is the number of terms of its longest sum.
    """

    form: Lowered
    shape: tuple[int, ...]
    uses: tuple[str, ...]
    additions: int
    absolute: Lowered | None


def _step(equation: Equation, program: Program, numbers: Mapping[Any, int], any_form: bool) -> _Step:
    absolute = _absolute(equation) if any_form else None
    return _Step(
        lower(equation, program),
        concrete_shape(equation.left.shape, numbers),
        # In an order of their own: each draws from the same random numbers in turn.
        tuple(sorted(program.uses[equation.name])),
        _longest_sum(equation, numbers),
        None if absolute is None else lower(absolute, program),
    )


def _longest_sum(equation: Equation, numbers: Mapping[Any, int]) -> int:
    sums = (node for node in walk(equation.right) if isinstance(node, sympy.Sum))
    extents = (sympy.Mul(*(extent.xreplace(dict(numbers)) for _, extent in limits(node))) for node in sums)
    return max(map(int, extents), default=1)


def _evaluated(
    steps: Sequence[_Step],
    arrays: Mapping[str, Array],
    numbers: Mapping[Any, int],
    rng: np.random.Generator | None,
    size: float,
) -> dict[str, Array]:
    """Every variable; where there is an ``rng``, each is rounded at random whenever it is used."""
    values = dict(arrays)
    for step in steps:
        used = values if rng is None else {name: _rounded(values[name], rng, size) for name in step.uses}
        value = np.broadcast_to(evaluate(step.form, used, numbers), step.shape)
        if rng is not None and step.additions > 1:
            value = _rounded(value, rng, size * math.sqrt(step.additions))
        if rng is not None and step.absolute is not None:
            scale = np.broadcast_to(evaluate(step.absolute, used, numbers), step.shape)
            value = value + size * rng.uniform(-1, 1, step.shape) * scale
        values[step.form.left.name] = value
    return values


def _rounded(array: Array, rng: np.random.Generator, size: float) -> Array:
    return np.asarray(array * (1 + size * rng.uniform(-1, 1, array.shape))) if array.dtype.kind == "f" else array


# -- other forms of the same function ----------------------------------------------------------------------------------


def _absolute(equation: Equation) -> Equation | None:
    """What the absolute error of a right side is relative to, when each function in it is only known to be about 1.

    That is the product without the factors that are functions, such as derivatives; and 1 for an activation itself.
    """
    if not _is_curved(equation.right) and equation.left.role is not Role.ADJOINT:
        return None
    terms = equation.terms or (Term(sympy.Integer(1), (), (equation.right,)),)
    kept = [
        Term(term.coefficient, term.sums, tuple(f for f in term.factors if isinstance(f, sympy.Indexed | sympy.Symbol)))
        for term in terms
    ]
    if all(len(new.factors) == len(old.factors) for new, old in zip(kept, terms, strict=True)):
        return None
    used = tuple(term.without_idle_sums() for term in kept)
    return Equation(equation.left, sympy.Add(*(term.expression for term in used)), used)


def _is_curved(expression: sympy.Expr) -> bool:
    """Whether there is a function in ``expression`` that is more than pieces of straight lines."""
    for node in walk(expression):
        if isinstance(node, ElementwiseFunction):
            if node.definition.has(sympy.exp, sympy.log, sympy.tanh, sympy.erf, sympy.cosh):
                return True
        elif isinstance(node, sympy.Function) and not isinstance(node, sympy.Piecewise):
            return True
    return False
