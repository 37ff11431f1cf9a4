"""What several printers of array expressions want to know about a node."""

from __future__ import annotations

import string

import sympy

from symbackprop.forms.arrays import Add, Einsum, Expand, Gather, Leaf, LogSumExp, Node, Position
from symbackprop.notation.expressions import Limit

__all__ = ["einsum_pattern", "log_softmax_of", "within_range"]


def einsum_pattern(node: Einsum) -> str:
    """The subscripts of an Einsum as NumPy writes them: ``"ab,bc->ac"``."""
    letters: dict[Limit, str] = {}
    for operand in node.operands:
        for axis in operand.axes:
            letters.setdefault(axis, string.ascii_letters[len(letters)])
    inputs = ",".join("".join(letters[axis] for axis in operand.axes) for operand in node.operands)
    return f"{inputs}->{''.join(letters[axis] for axis in node.axes)}"


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
