"""A few weights of a worked example, checked in two ways that know nothing of the derivation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.documents.example import WeightCheck
from symbackprop.forms.scalar import Place, ScalarForm, ScalarGradient
from symbackprop.notation.expressions import ArgMaximum, Bracket, ElementwiseFunction, Maximum, walk
from symbackprop.notation.interpreter import EXACT, interpret
from symbackprop.notation.program import Program
from symbackprop.verification.ladder import central
from symbackprop.verification.witness import Witness, scalar_operations, witness_of

__all__ = ["weight_checks"]

Array = npt.NDArray[Any]

_MOST_WEIGHTS = 20
"""Up to this many weights all are checked; of more, the first of each array."""
_MOST_OPERATIONS = 2_000
"""Up to how many scalar operations the loss is written out: SymPy takes some 50 microseconds for each."""
_MOST_NODES = 1_000
"""From how many nodes on the loss is not differentiated as one expression: it grows several times with every layer."""
_UNDECIDED = (Maximum, ArgMaximum, Bracket)
"""What cannot be said of a weight that is a symbol: which entry is the largest, and whether a condition holds."""
_DIGITS = 30
_EPS = 1e-5


def weight_checks(form: ScalarForm) -> tuple[WeightCheck, ...]:
    """The checks of the weights of ``form``, which has numbers."""
    assert form.values is not None
    program = form.differentiation.program
    arrays = {variable.name: form.values[variable.name] for variable in program.inputs}
    witness = witness_of(program, {size.name: number for size, number in form.sizes.items()})
    written_out = _can_be_written_out(form)
    return tuple(
        WeightCheck(
            place=gradient.place,
            derivative=_by_sympy(program, arrays, form, gradient.place) if written_out else None,
            difference=_difference(witness, arrays, gradient.place),
            eps=_EPS,
        )
        for gradient in _chosen(form)
    )


def _chosen(form: ScalarForm) -> Sequence[ScalarGradient]:
    names = [name for name in form.differentiation.wrt if name in form.differentiation.by_variable]
    if sum(math.prod(form.shape(name)) for name in names) <= _MOST_WEIGHTS:
        return list(form)
    return [form.gradient(name, *form.places(name)[0]) for name in names]


def _can_be_written_out(form: ScalarForm) -> bool:
    """Whether SymPy can be given the loss as one expression: not too long, and without cases inside of cases."""
    program = form.differentiation.program
    if any(equation.right.has(*_UNDECIDED) for equation in program.equations):
        return False
    with_cases = sum(_has_cases(equation.right) for equation in program.equations)
    return with_cases <= 1 and scalar_operations(program, form.sizes) <= _MOST_OPERATIONS


def _has_cases(expression: sympy.Expr) -> bool:
    written = (node.definition if isinstance(node, ElementwiseFunction) else node for node in walk(expression))
    return any(part.has(sympy.Piecewise) for part in written)


def _by_sympy(program: Program, arrays: Mapping[str, Array], form: ScalarForm, place: Place) -> float | None:
    """``sympy.diff`` of the loss in the one weight at ``place``, with numbers of more digits for all else.

    None where the loss is too long for that, or the result is no number.
    """
    name, at = place
    weight = sympy.Symbol("w", real=True)
    given: dict[str, Any] = {v.name: arrays[v.name] if v.integer else _exact(arrays[v.name]) for v in program.inputs}
    value = given[name][at]
    given[name][at] = weight
    sizes = {size.name: form.sizes[size] for size in program.sizes}
    loss = interpret(program, given, sizes, EXACT)[form.differentiation.loss][()]
    if sum(1 for _ in itertools.islice(sympy.preorder_traversal(loss), _MOST_NODES)) == _MOST_NODES:
        return None
    found = sympy.diff(loss, weight).subs(weight, value).evalf(_DIGITS)
    return float(found) if found.is_number and found.is_finite else None


def _exact(array: Array) -> Array:
    """The entries as SymPy's numbers, with the digits that a float has and zeros behind them."""
    exact = np.empty(array.shape, dtype=object)
    for at in np.ndindex(array.shape):
        exact[at] = sympy.Float(repr(float(array[at])), _DIGITS)
    return exact


def _difference(witness: Witness, arrays: Mapping[str, Array], place: Place) -> float:
    name, at = place

    def cost(w: float) -> float:
        moved = arrays[name].copy()
        moved[at] = w
        return witness.loss({**arrays, name: moved})

    return central(cost, float(arrays[name][at]), 0.0, _EPS).value
