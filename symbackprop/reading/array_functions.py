"""Functions of whole arrays that notes may call: softmax, max, diag, sums over rows or columns, the trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy

from symbackprop.notation.expressions import Bracket, total
from symbackprop.notation.indices import substitute
from symbackprop.reading.functions import KNOWN
from symbackprop.reading.reader import Reader
from symbackprop.reading.syntax import Node
from symbackprop.reading.values import ShapeError, Value

__all__ = ["ARRAY_FUNCTIONS"]


def softmax(reader: Reader, node: Node, values: Sequence[Value]) -> Value:
    """Exponentials divided by their sum."""
    value, axis = _over_classes(reader, node, values)
    (i, extent) = value.axes[axis]
    other, _ = reader.arrays.axis(extent)
    inner = substitute(value.entry, {i: other})
    return Value(sympy.exp(value.entry) / total(sympy.exp(inner), (other, extent)), value.axes)


def logsumexp(reader: Reader, node: Node, values: Sequence[Value]) -> Value:
    """The logarithm of the sum of exponentials."""
    value, axis = _over_classes(reader, node, values)
    kept = tuple(limit for place, limit in enumerate(value.axes) if place != axis)
    return Value(sympy.log(total(sympy.exp(value.entry), value.axes[axis])), kept)


def log_softmax(reader: Reader, node: Node, values: Sequence[Value]) -> Value:
    """The logarithm of the softmax."""
    value, axis = _over_classes(reader, node, values)
    (i, extent) = value.axes[axis]
    other, _ = reader.arrays.axis(extent)
    inner = substitute(value.entry, {i: other})
    return Value(value.entry - sympy.log(total(sympy.exp(inner), (other, extent))), value.axes)


def larger(reader: Reader, node: Node, values: Sequence[Value]) -> Value:
    """The largest of several values, entry by entry."""
    return _choice(reader, node, values, 1)


def smaller(reader: Reader, node: Node, values: Sequence[Value]) -> Value:
    """The smallest of several values, entry by entry."""
    return _choice(reader, node, values, -1)


def diagonal(reader: Reader, node: Node, values: Sequence[Value]) -> Value:
    """A diagonal matrix, or the diagonal of one."""
    value = values[0]
    if len(values) != 1 or not value.rank:
        reader.fail(node, "diag takes one array")
    if value.rank == 1:
        down, extent = value.axes[0]
        across = reader.arrays.axis(extent)
        return Value(value.entry * Bracket(sympy.Eq(down, across[0])), (value.axes[0], across))
    return Value(reader.arrays.at(value, [value.axes[0][0]] * 2), value.axes[:1])


def row_sum(reader: Reader, node: Node, values: Sequence[Value]) -> Value:
    """The sums of the rows of a matrix, as a column."""
    return _axis_sum(reader, node, values, 1)


def column_sum(reader: Reader, node: Node, values: Sequence[Value]) -> Value:
    """The sums of the columns of a matrix, as a row."""
    return _axis_sum(reader, node, values, 0)


def full_sum(reader: Reader, node: Node, values: Sequence[Value]) -> Value:
    """The sum of all entries."""
    if len(values) != 1:
        reader.fail(node, "sum takes one array")
    return reader.arrays.summed(values[0], range(values[0].rank))


def trace(reader: Reader, node: Node, values: Sequence[Value]) -> Value:
    """The trace of a matrix."""
    if len(values) != 1 or values[0].rank != 2:
        reader.fail(node, "the trace is of one matrix")
    (i, extent), _ = values[0].axes
    return Value(total(reader.arrays.at(values[0], (i, i)), (i, extent)))


def transposed(reader: Reader, node: Node, values: Sequence[Value]) -> Value:
    """The transpose of an array."""
    return reader.arrays.transpose(values[0])


def _over_classes(reader: Reader, node: Node, values: Sequence[Value]) -> tuple[Value, int]:
    if len(values) != 1 or not values[0].rank:
        reader.fail(node, "softmax takes one array")
    value = values[0]
    if value.rank == 1:
        return value, 0
    batch = reader.table.batch
    extents = [] if batch is None else [extent for _, extent in value.axes]
    examples = [k for k, extent in enumerate(extents) if reader.sizes.equal(extent, batch)]
    if len(examples) == 1:
        return value, 1 - examples[0]
    reader.note("softmax is taken over each row")
    return value, 1


def _choice(reader: Reader, node: Node, values: Sequence[Value], sign: int) -> Value:
    if len(values) < 2:
        reader.fail(node, "max and min take two values or more, as in \\max(0, z)")
    result = values[0]
    for value in values[1:]:
        try:
            axes, one, other = reader.arrays.aligned(result, value, "and")
        except ShapeError as error:
            reader.misfit(node, error)
        # max(a, b) = b + relu(a - b); zero goes first, so that max(0, z) is relu(z).
        if sign * one == 0:
            one, other = other, one
        result = Value(other + sign * KNOWN["relu"](sign * (one - other)), axes)
    return result


def _axis_sum(reader: Reader, node: Node, values: Sequence[Value], axis: int) -> Value:
    if len(values) != 1 or values[0].rank != 2:
        reader.fail(node, "a sum over rows or columns takes one matrix")
    kept = reader.arrays.summed(values[0], (axis,))
    return kept if axis else reader.arrays.transpose(kept)


ARRAY_FUNCTIONS: dict[str, Callable[[Reader, Node, Sequence[Value]], Value]] = {
    "softmax": softmax,
    "logsumexp": logsumexp,
    "logsoftmax": log_softmax,
    "log softmax": log_softmax,
    "max": larger,
    "min": smaller,
    "diag": diagonal,
    "rowsum": row_sum,
    "colsum": column_sum,
    "sum": full_sum,
    "tr": trace,
    "trace": trace,
    "transpose": transposed,
}
"""Functions of whole arrays, by their names in small letters."""
