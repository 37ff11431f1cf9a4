"""Where a kernel's arrays are stored: which of them share memory, and which are the caller's own.

A value may take over the memory of an operand that is not needed any more, and so may any later value of the same
shape. What is returned has memory to itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symbackprop.codegen.kernels import Kernel, Statement, Value
from symbackprop.codegen.operations import FIXED, OPERATIONS, VIEWS

__all__ = ["Memory", "is_buffered", "plan"]

_MADE_ANEW = frozenset({"gather"})
"""Operations that cannot write into memory that is there."""


@dataclass(frozen=True)
class Memory:
    """``owner`` is the value in whose memory a value lies, itself where it was the first there.

    ``returned`` are the owners whose memory is given to the caller. What is a number, a view or made anew by its
    operation has no owner. ``root`` is the array that a view looks at.
    """

    owner: Mapping[int, int]
    root: Mapping[int, int]
    returned: frozenset[int]


def plan(kernel: Kernel) -> Memory:
    """The memory of every array that ``kernel`` computes."""
    statements = kernel.statements
    outputs = frozenset(value.number for _, value in kernel.outputs if isinstance(value, Value))
    root = _roots(statements)
    last = {
        root.get(value.number, value.number): place
        for place, statement in enumerate(statements)
        for value in statement.values
    }
    dying: dict[int, list[int]] = {}
    for number, place in last.items():
        if number not in outputs:
            dying.setdefault(place, []).append(number)
    owner: dict[int, int] = {}
    described: dict[int, Any] = {}
    free: dict[Any, list[int]] = {}
    for place, statement in enumerate(statements):
        result, ended = statement.result, dying.get(place, ())
        if is_buffered(statement):
            described[result.number] = (result.shape, result.kind)
            taken = _in_place(statement, [n for n in ended if n in owner], root)
            if taken is not None:
                owner[result.number] = owner[taken]
            elif result.number not in outputs and free.get(described[result.number]):
                owner[result.number] = free[described[result.number]].pop()
            else:
                owner[result.number] = result.number
        for number in ended:
            if number in owner and owner[number] != owner.get(result.number):
                free.setdefault(described[number], []).append(owner[number])
    return Memory(owner, root, frozenset(owner[number] for number in outputs if number in owner))


def is_buffered(statement: Statement) -> bool:
    """Whether the result is an array that is written into memory kept for it."""
    return bool(statement.result.shape) and statement.operation not in VIEWS | FIXED | _MADE_ANEW


def _roots(statements: tuple[Statement, ...]) -> dict[int, int]:
    root: dict[int, int] = {}
    for statement in statements:
        if statement.operation in VIEWS and statement.values:
            seen = statement.values[0].number
            root[statement.result.number] = root.get(seen, seen)
    return root


def _in_place(statement: Statement, ended: list[int], root: Mapping[int, int]) -> int | None:
    """The operand whose memory the result can take: it is not needed any more, and is read entry by entry."""
    if statement.operation not in OPERATIONS:
        return None
    result, operands = statement.result, statement.values
    for value in operands:
        same = value.number in ended and value.shape == result.shape and value.kind is result.kind
        if same and not any(root.get(other.number) == value.number for other in operands):
            return value.number
    return None
