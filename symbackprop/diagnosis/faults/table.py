"""Every mistake that is tried, one row each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from symbackprop.adjoint.records import Adjoint
from symbackprop.diagnosis.edits import Edit
from symbackprop.diagnosis.faults import derivatives, factors, sums, variables
from symbackprop.diagnosis.scene import Scene

__all__ = ["FAULTS", "edits_of"]

FAULTS: tuple[Callable[[Scene, Adjoint], Iterator[Edit]], ...] = (
    derivatives.left_out,
    derivatives.left_out_inside,
    derivatives.by_assumption,
    derivatives.wrong_argument,
    derivatives.another_activation,
    derivatives.twice,
    factors.scaled,
    factors.penalty,
    factors.part_left_out,
    factors.another_index,
    sums.not_summed,
    sums.wrong_axis,
    sums.averaged,
    sums.cut_short,
    sums.elementwise,
    sums.diagonal,
    variables.another_value,
    variables.another_example,
    variables.another_error_signal,
    variables.not_transposed,
    variables.updated_weights,
    variables.another_shape,
)
"""Each gives the ways in which one adjoint's equation goes wrong by one mistake."""


def edits_of(scene: Scene, adjoint: Adjoint) -> tuple[Edit, ...]:
    """Every edit of one adjoint's equation, each equation once; the same equation may come of several habits."""
    own = (adjoint.equation.left.shape, adjoint.equation.right)
    found: dict[object, Edit] = {}
    for fault in FAULTS:
        for edit in fault(scene, adjoint):
            key = (edit.equation.left.shape, edit.equation.right)
            if key == own:
                continue
            first = found.setdefault(key, edit)
            if first is not edit and first.kind == edit.kind:
                found[key] = replace(first, habits=tuple(dict.fromkeys((*first.habits, *edit.habits))))
    return tuple(found.values())
