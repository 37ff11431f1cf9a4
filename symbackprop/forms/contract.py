"""Products and sums of labelled arrays, as matrix products, sums along axes and broadcasts where those suffice.

Factors with the same labels are one matrix as far as sums go; a label that two of them share and that is summed over
is a matrix product; what is left over is one einsum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sympy

from symbackprop.forms.arrays import (
    Add,
    Axes,
    Einsum,
    Expand,
    Indicator,
    MatMul,
    Multiply,
    Node,
    Outer,
    Permute,
    Scalar,
    SumOver,
)
from symbackprop.notation.expressions import Limit

__all__ = ["added", "arranged", "broadcast", "contracted", "multiplied", "transpose", "union"]


def union(nodes: Iterable[Node]) -> Axes:
    """All axes of ``nodes``, those of the node with most axes first."""
    found: dict[Limit, None] = {}
    for node in sorted(nodes, key=lambda node: -node.rank):
        found.update(dict.fromkeys(node.axes))
    return tuple(found)


def transpose(node: Node) -> Node:
    """The transpose of a matrix, taken inside where that makes it simpler."""
    axes = tuple(reversed(node.axes))
    if isinstance(node, Permute):
        return node.operand
    if isinstance(node, MatMul) and node.left.rank == node.right.rank == 2:
        return MatMul(axes, transpose(node.right), transpose(node.left))
    if isinstance(node, Outer):
        return Outer(axes, node.right, node.left)
    return Permute(axes, node)


def arranged(node: Node, axes: Axes) -> Node:
    """``node`` with exactly ``axes``, in that order."""
    if node.axes == axes:
        return node
    if len(node.axes) < len(axes):
        own = tuple(axis for axis in axes if axis in node.axes)
        return Expand(axes, arranged(node, own))
    if len(axes) == 2:
        return transpose(node)
    return Permute(axes, node)


def broadcast(node: Node, axes: Axes) -> Node:
    """An operand of an elementwise node: with its axes, or a number."""
    return node if node.rank == 0 else arranged(node, axes)


def added(nodes: Sequence[Node], axes: Axes) -> Node:
    """The elementwise sum, broadcast to ``axes`` or to all axes there are; signs are taken out of the summands."""
    if not nodes:
        return Scalar((), sympy.Integer(0))
    if len(nodes) == 1:
        return nodes[0]
    if any(node.rank for node in nodes):
        axes = axes or union(nodes)
    operands = []
    for node in nodes:
        sign, positive = _signed(node)
        operands.append((sign, broadcast(positive, axes)))
    return Add(axes, tuple(operands))


def _signed(node: Node) -> tuple[int, Node]:
    if isinstance(node, Scalar) and node.value.could_extract_minus_sign():
        return -1, Scalar((), -node.value)
    if isinstance(node, Multiply) and isinstance(node.operands[0], Scalar):
        first = node.operands[0]
        if first.value.could_extract_minus_sign():
            rest = node.operands[1:]
            if first.value == -1:
                return -1, rest[0] if len(rest) == 1 else Multiply(node.axes, rest)
            return -1, Multiply(node.axes, (Scalar((), -first.value), *rest))
    return 1, node


def multiplied(nodes: Sequence[Node], axes: Axes) -> Node:
    """The elementwise product, with numbers in front."""
    numbers = [node for node in nodes if node.rank == 0]
    arrays = [node for node in nodes if node.rank]
    if len(arrays) == 2 and all(node.rank == 1 for node in arrays) and arrays[0].labels != arrays[1].labels:
        first, second = arrays if not axes or axes[0] in arrays[0].axes else reversed(arrays)
        arrays = [Outer(first.axes + second.axes, first, second)]
    if not numbers and len(arrays) == 1:
        return arrays[0]
    if not numbers and not arrays:
        return Scalar((), sympy.Integer(1))
    wanted = tuple(axis for axis in axes if any(axis in node.axes for node in arrays))
    shared = wanted if len(wanted) == len(union(arrays)) else union(arrays)
    operands = (*numbers, *(broadcast(node, shared) for node in arrays))
    return operands[0] if len(operands) == 1 else Multiply(shared, operands)


def contracted(factors: Sequence[Node], over: tuple[Limit, ...], axes: Axes) -> Node:
    """The product of ``factors`` summed over ``over``, towards a result with ``axes``."""
    summed = frozenset(over)
    outside = [node for node in factors if not summed & frozenset(node.axes)]
    inside = _grouped([node for node in factors if summed & frozenset(node.axes)], axes)
    # Each contraction leaves fewer summed axes or fewer factors, so this ends.
    while summed & frozenset(axis for node in inside for axis in node.axes):
        inside = _grouped(_one_contraction(inside, over, axes), axes)
    return multiplied([*outside, *inside], axes)


def _grouped(nodes: Sequence[Node], axes: Axes) -> list[Node]:
    """Factors with the same labels multiplied together: they are one matrix as far as sums go."""
    groups: dict[frozenset[sympy.Symbol], list[Node]] = {}
    for node in nodes:
        groups.setdefault(node.labels, []).append(node)
    return [members[0] if len(members) == 1 else multiplied(members, axes) for members in groups.values()]


def _one_contraction(nodes: list[Node], over: tuple[Limit, ...], axes: Axes) -> list[Node]:
    present = [axis for axis in over if any(axis in node.axes for node in nodes)]
    alone = [node for node in nodes if _private(node, nodes, over)]
    if alone:
        node = alone[0]
        gone = _private(node, nodes, over)
        return [_summed(n, gone) if n is node else n for n in nodes]
    axis = present[0]
    members = [node for node in nodes if axis in node.axes]
    rest = [node for node in nodes if axis not in node.axes]
    if len(members) == 2:
        left, right = members
        if left.labels & right.labels == {axis[0]} and left.rank <= 2 and right.rank <= 2:
            return [_matmul(left, right, axis, axes), *rest]
    vectors = [node for node in members if node.rank == 1]
    if vectors and len(members) > 2:
        matrix = next(node for node in members if node.rank > 1)
        absorbed = multiplied([matrix, vectors[0]], matrix.axes)
        return [absorbed, *(n for n in nodes if n is not matrix and n is not vectors[0])]
    return [_einsum(members, over, rest, axes), *rest]


def _private(node: Node, nodes: Sequence[Node], over: tuple[Limit, ...]) -> frozenset[Limit]:
    """The summed axes that no other factor has."""
    others = frozenset(axis for other in nodes if other is not node for axis in other.axes)
    return frozenset(axis for axis in node.axes if axis in over and axis not in others)


def _summed(node: Node, gone: frozenset[Limit]) -> Node:
    axes = tuple(axis for axis in node.axes if axis not in gone)
    if not axes and node.rank == 1 and isinstance(node, Multiply) and len(node.operands) == 2:
        left, right = node.operands
        # A false indicator annihilates what may be infinite, which a product of vectors would not.
        if left.rank == right.rank == 1 and not isinstance(left, Indicator) and not isinstance(right, Indicator):
            return MatMul((), left, right)
    return SumOver(axes, node)


def _matmul(left: Node, right: Node, axis: Limit, axes: Axes) -> Node:
    left_rest = tuple(a for a in left.axes if a != axis)
    right_rest = tuple(a for a in right.axes if a != axis)
    if not left_rest or (right_rest and axes and axes[0] in right_rest):
        left, right, left_rest, right_rest = right, left, right_rest, left_rest
    return MatMul(left_rest + right_rest, arranged(left, (*left_rest, axis)), arranged(right, (axis, *right_rest)))


def _einsum(members: Sequence[Node], over: tuple[Limit, ...], rest: Sequence[Node], axes: Axes) -> Node:
    elsewhere = frozenset(axis for node in rest for axis in node.axes)
    every = union(members)
    kept = tuple(axis for axis in every if axis not in over or axis in elsewhere)
    ordered = tuple(a for a in axes if a in kept) + tuple(a for a in kept if a not in axes)
    return Einsum(ordered, tuple(members))
