"""Array expressions: what an equation is when whole arrays are computed at once.

Every node knows its ``axes``: the indices its entries are numbered by, each with its size, in order. A node with two
axes is a matrix, with one a vector, with none a number. Elementwise nodes take operands with exactly their own axes,
or numbers; transposes, products, sums and broadcasts are explicit. So LaTeX, SymPy matrices and NumPy are printers of
the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbackprop.notation.expressions import Limit

__all__ = [
    "Add",
    "Apply",
    "ArgMax",
    "Cases",
    "Compare",
    "Einsum",
    "Expand",
    "Gather",
    "Indicator",
    "Leaf",
    "LogSumExp",
    "Logic",
    "MatMul",
    "MaxOver",
    "Multiply",
    "Node",
    "Outer",
    "Permute",
    "Position",
    "Power",
    "Scalar",
    "Softmax",
    "SumOver",
]

Axes = tuple[Limit, ...]


@dataclass(frozen=True)
class Node:
    """An array expression with labelled axes."""

    axes: Axes

    @property
    def labels(self) -> frozenset[sympy.Symbol]:
        """The indices of the axes."""
        return frozenset(i for i, _ in self.axes)

    @property
    def rank(self) -> int:
        """How many axes."""
        return len(self.axes)


@dataclass(frozen=True)
class Scalar(Node):
    """A number, or an expression in sizes."""

    value: sympy.Expr


@dataclass(frozen=True)
class Leaf(Node):
    """A variable as it is stored or, ``flipped``, with its axes in the opposite order (examples as columns).

    ``single`` says that it has no batch axis because there is a single example; it is stored as a batch of one.
    """

    name: str
    flipped: bool = False
    single: bool = False


@dataclass(frozen=True)
class Position(Node):
    """The numbers 0, ..., size - 1 along one axis."""


@dataclass(frozen=True)
class Gather(Node):
    """Entries of a variable at computed positions, one integer array for each of its axes.

    Positions out of range count as the nearest entry: an indicator beside them annihilates the term.
    """

    name: str
    positions: tuple[Node, ...]


@dataclass(frozen=True)
class Permute(Node):
    """The operand with its axes in another order; a transpose where there are two."""

    operand: Node


@dataclass(frozen=True)
class Expand(Node):
    """The operand repeated along the axes that it does not have."""

    operand: Node


@dataclass(frozen=True)
class Add(Node):
    """Elementwise sum; each operand comes with its sign, +1 or -1."""

    operands: tuple[tuple[int, Node], ...]


@dataclass(frozen=True)
class Multiply(Node):
    """Elementwise product, in reading order."""

    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Power(Node):
    """Elementwise power."""

    base: Node
    exponent: Node


@dataclass(frozen=True)
class Apply(Node):
    """A function of every entry."""

    function: type[sympy.Function]
    operand: Node


@dataclass(frozen=True)
class MatMul(Node):
    """A matrix product: the last axis of ``left`` is summed against the first of ``right``."""

    left: Node
    right: Node


@dataclass(frozen=True)
class Outer(Node):
    """The product of a column and a row: left[j] right[i]."""

    left: Node
    right: Node


@dataclass(frozen=True)
class SumOver(Node):
    """The operand summed over those of its axes that the result does not have."""

    operand: Node


@dataclass(frozen=True)
class MaxOver(Node):
    """The largest entry along the axes that the result does not have."""

    operand: Node


@dataclass(frozen=True)
class ArgMax(Node):
    """The first position of the largest entry along the one axis that the result does not have."""

    operand: Node


@dataclass(frozen=True)
class Softmax(Node):
    """exp(z) / sum exp(z) along the axis ``over``, without overflow."""

    operand: Node
    over: Limit


@dataclass(frozen=True)
class LogSumExp(Node):
    """log sum exp(z) along the one axis that the result does not have, without overflow."""

    operand: Node


@dataclass(frozen=True)
class Einsum(Node):
    """A sum of products that is no chain of matrix products: all operands at once, by their labels."""

    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Compare(Node):
    """An elementwise comparison: ``==``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``."""

    relation: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Logic(Node):
    """``and``, ``or`` or ``not`` of conditions, elementwise."""

    operation: str
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Indicator(Node):
    """1 where the condition holds, 0 elsewhere."""

    condition: Node


@dataclass(frozen=True)
class Cases(Node):
    """The value of the first condition that holds, entry by entry; the last condition always does."""

    cases: tuple[tuple[Node, Node], ...]
