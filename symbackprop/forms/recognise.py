"""Patterns of array expressions that are better computed in one go."""

from __future__ import annotations

import sympy

from symbackprop.forms.arrays import Add, Expand, Gather, Leaf, LogSumExp, Node, Position

__all__ = ["log_softmax_of", "within_range"]


def within_range(node: Gather, shape: tuple[sympy.Expr, ...]) -> tuple[bool, ...]:
    """For each axis of the array of this ``shape`` whether the positions are surely in range: 0, 1, ..., its last."""
    places = (place.operand if isinstance(place, Expand) else place for place in node.positions)
    return tuple(
        isinstance(place, Position) and place.axes[0][1] == extent for place, extent in zip(places, shape, strict=True)
    )


def log_softmax_of(node: Node) -> tuple[Leaf, int] | None:
    """(z, axis) where ``node`` is z - log sum exp z along that axis of a variable z; None for anything else.

    As (z - max z) - log sum exp (z - max z) it cancels nothing.
    """
    if not isinstance(node, Add) or len(node.operands) != 2:
        return None
    (sign, whole), (other_sign, reduced) = node.operands
    reduced = reduced.operand if isinstance(reduced, Expand) else reduced
    if (sign, other_sign) != (1, -1) or not isinstance(reduced, LogSumExp) or not isinstance(whole, Leaf):
        return None
    inside = reduced.operand
    if not isinstance(inside, Leaf) or inside.name != whole.name or whole.axes != node.axes:
        return None
    (axis,) = (place for place, a in enumerate(inside.axes) if a not in reduced.axes)
    same = all(
        one == other for place, (one, other) in enumerate(zip(whole.axes, inside.axes, strict=True)) if place != axis
    )
    return (whole, axis) if same else None
