"""Which arrays of a kernel are stored column by column, once sizes are known."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symbackprop.codegen.kernels import Kernel, Value
from symbackprop.codegen.memory import Memory

__all__ = ["stored_by_columns"]

_TALL = 4
"""From how many rows a column on an array is worked through faster by columns."""


def stored_by_columns(kernel: Kernel, memory: Memory, sizes: Mapping[sympy.Symbol, int]) -> frozenset[int]:
    """The owners of memory that is tall and narrow, as of 200 examples of 10 units: stored by columns, loops are long.

    What is returned, read entry by entry along with another array, or seen in another shape stays as NumPy stores it.
    """
    numbers = dict(sizes)
    tall: dict[int, bool] = {}
    for statement in kernel.statements:
        result = statement.result
        if result.number in memory.owner:
            owner = memory.owner[result.number]
            tall[owner] = tall.get(owner, True) and _is_tall(result, numbers)
        if (statement.operation == "inner" and len(set(statement.values)) > 1) or statement.operation == "reshape":
            for value in statement.values:
                tall[memory.owner.get(memory.root.get(value.number, value.number), -1)] = False
    return frozenset(owner for owner, is_tall in tall.items() if is_tall) - memory.returned


def _is_tall(value: Value, sizes: Mapping[sympy.Symbol, int]) -> bool:
    if value.rank != 2:
        return False
    rows, columns = (int(sympy.sympify(extent).xreplace(sizes)) for extent in value.shape)
    return rows >= _TALL * columns
