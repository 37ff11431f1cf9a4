"""Kernels: a program as a flat list of array operations, each on whole arrays that are already there.

    z1[n,j] = Sum(W1[j,i]*x[n,i], i) + b1[j]        W1_t = transpose(W1)
                                                    t1   = dot(x, W1_t)
                                                    z1   = add(t1, b1)

A kernel is a plain frozen value: what is computed, not yet where it is stored. Shapes are expressions in sizes.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import sympy

from symbackprop.notation.indices import is_size
from symbackprop.notation.program import Variable

__all__ = ["Block", "Constant", "Kernel", "Kind", "Operand", "Statement", "Value"]


class Kind(enum.Enum):
    """What the entries of an array are."""

    REAL = "real"
    TRUTH = "truth"
    POSITION = "position"


@dataclass(frozen=True)
class Value:
    """An array of a kernel, or a number where it has no axes. Along an axis of extent 1 it repeats, as in NumPy."""

    number: int
    shape: tuple[sympy.Expr, ...]
    kind: Kind = Kind.REAL

    @property
    def rank(self) -> int:
        """How many axes."""
        return len(self.shape)


@dataclass(frozen=True)
class Constant:
    """A number, or an expression in sizes."""

    value: sympy.Expr
    shape: tuple[sympy.Expr, ...] = ()

    @property
    def rank(self) -> int:
        """Always 0."""
        return 0


Operand = Value | Constant


@dataclass(frozen=True)
class Statement:
    """``result = operation(*operands)``; ``detail`` says what an operation needs to know besides, such as its axes."""

    result: Value
    operation: str
    operands: tuple[Operand, ...]
    detail: tuple[int | str | None, ...] = ()

    @property
    def values(self) -> tuple[Value, ...]:
        """The operands that are no constants."""
        return tuple(operand for operand in self.operands if isinstance(operand, Value))


@dataclass(frozen=True)
class Block:
    """The statements that compute one equation; ``formula`` is its text."""

    formula: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Kernel:
    """Inputs, blocks of statements in computing order, and outputs by name.

    ``names`` calls values by the variables they are, ``batch`` is the size that counts examples; ``quiet`` lists the
    floating-point warnings that mean nothing here, as ``numpy.errstate`` calls them.
    """

    inputs: tuple[tuple[Variable, Value], ...]
    blocks: tuple[Block, ...]
    outputs: tuple[tuple[str, Operand], ...]
    names: Mapping[int, str]
    quiet: frozenset[str] = frozenset()
    batch: sympy.Expr | None = None

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """Every statement, in computing order."""
        return tuple(statement for block in self.blocks for statement in block.statements)

    @cached_property
    def sizes(self) -> tuple[sympy.Symbol, ...]:
        """The symbolic sizes that it depends on: those of its inputs in their order, then those of what it computes."""
        expressions = [extent for variable, _ in self.inputs for extent in variable.shape]
        for statement in self.statements:
            expressions += statement.result.shape
            expressions += [operand.value for operand in statement.operands if isinstance(operand, Constant)]
        expressions += [operand.value for _, operand in self.outputs if isinstance(operand, Constant)]
        found: dict[sympy.Symbol, None] = {}
        for expression in dict.fromkeys(expressions):
            found.update(dict.fromkeys(sorted(filter(is_size, expression.free_symbols), key=str)))
        return tuple(found)
