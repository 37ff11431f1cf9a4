"""Whether a plan of memory is right, by following it: each statement must find its operands where they were put."""

from __future__ import annotations

from symbackprop.codegen.kernels import Constant, Kernel, Operand, Value
from symbackprop.codegen.memory import Memory
from symbackprop.codegen.operations import FIXED, OPERATIONS, VIEWS

__all__ = ["OverwrittenError", "follow"]

_MADE_ANEW = {"gather"}


class OverwrittenError(AssertionError):
    """A value is read after its memory went to another, or memory does not fit what is put there."""


def follow(kernel: Kernel, memory: Memory) -> int:
    """Run through the statements with names for numbers. Returns how many values took over used memory.

    ``holds`` says which value each piece of memory holds; ``looks`` at which value a view looks.
    """
    holds: dict[int, int] = {}
    looks: dict[int, int] = {}
    shapes: dict[int, object] = {}
    apart = {value.number for _, value in kernel.inputs}
    taken_over = 0

    def base(value: Value) -> int:
        return looks.get(value.number, value.number)

    def read(operand: Operand, where: str) -> None:
        if isinstance(operand, Constant):
            return
        number = base(operand)
        if number in apart:
            return
        piece = memory.owner[number]
        if holds.get(piece) != number:
            raise OverwrittenError(f"{where} reads value {number}, but its memory holds {holds.get(piece)}")

    for place, statement in enumerate(kernel.statements):
        result = statement.result
        where = f"statement {place}, {statement.operation}"
        for operand in statement.operands:
            read(operand, where)
        if statement.operation in VIEWS and statement.values:
            looks[result.number] = base(statement.values[0])
            continue
        if not result.shape or statement.operation in FIXED | VIEWS | _MADE_ANEW:
            apart.add(result.number)
            continue
        piece = memory.owner[result.number]
        here = [v for v in statement.values if base(v) not in apart and memory.owner[base(v)] == piece]
        if here and statement.operation not in OPERATIONS:
            raise OverwrittenError(f"{where} writes over what it reads in another order")
        if any(value.number in looks or value.shape != result.shape for value in here):
            raise OverwrittenError(f"{where} writes over what it sees as a view")
        if shapes.setdefault(piece, (result.shape, result.kind)) != (result.shape, result.kind):
            raise OverwrittenError(f"{where} puts another shape or kind into memory of value {piece}")
        taken_over += piece in holds
        holds[piece] = result.number
    pieces = set()
    for name, operand in kernel.outputs:
        read(operand, f"the caller, of {name},")
        if isinstance(operand, Value) and operand.shape:
            if operand.number in looks or operand.number in apart:
                raise OverwrittenError(f"{name} is a view, or no memory that was made for it")
            if memory.owner[operand.number] in pieces:
                raise OverwrittenError(f"{name} shares its memory with another output")
            pieces.add(memory.owner[operand.number])
    if pieces != memory.returned:
        raise OverwrittenError(f"{pieces} is returned, not {set(memory.returned)}")
    return taken_over
