"""Which arrays of a kernel are stored column by column, once sizes are known."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symbackprop.codegen.kernels import Kernel, Value
from symbackprop.codegen.memory import Memory
from symbackprop.codegen.operations import OPERATIONS

__all__ = ["stored_by_columns"]

_NARROW = 4
"""From how many rows for each column loops are so much longer by columns that this decides."""
_SMALL = 2**14
"""Up to how many entries products are faster by columns: X W^T then runs along the rows of one factor alone."""


def stored_by_columns(kernel: Kernel, memory: Memory, sizes: Mapping[sympy.Symbol, int]) -> frozenset[int]:
    """The owners of memory that holds one row for each example, and is small or narrow: it is stored by columns.

    What is returned, read entry by entry along with another array, or seen in another shape stays as NumPy stores it.
    So does one of two small arrays whose product is summed over the examples, since both would run along that sum.
    """
    numbers = dict(sizes)
    fits: dict[int, bool] = {}
    narrow: set[int] = set()
    alike = _Groups()

    def owner(value: Value) -> int:
        return memory.owner.get(memory.root.get(value.number, value.number), -1)

    for statement in kernel.statements:
        result = statement.result
        if result.number in memory.owner:
            mine = memory.owner[result.number]
            fit = _fit(result, kernel.batch, numbers)
            fits[mine] = fits.get(mine, True) and fit is not None
            if fit == "narrow":
                narrow.add(mine)
            for value in statement.values:
                if statement.operation in OPERATIONS and value.shape == result.shape:
                    alike.join(mine, owner(value))
        if (statement.operation == "inner" and len(set(statement.values)) > 1) or statement.operation == "reshape":
            for value in statement.values:
                fits[owner(value)] = False
    fits = {mine: all(fits.get(other, True) for other in alike.group(mine)) for mine in fits}
    for statement in kernel.statements:
        if statement.operation == "dot" and kernel.batch not in statement.result.shape:
            left, right = map(owner, statement.values)
            if fits.get(left) and fits.get(right) and right not in narrow:
                fits.update(dict.fromkeys(alike.group(right), False))
    return frozenset(mine for mine, is_fit in fits.items() if is_fit) - memory.returned


def _fit(value: Value, batch: sympy.Expr | None, sizes: Mapping[sympy.Symbol, int]) -> str | None:
    """Why an array should be stored by columns, if it should."""
    if value.rank != 2 or value.shape[0] != batch:
        return None
    rows, columns = (int(sympy.sympify(extent).xreplace(sizes)) for extent in value.shape)
    if rows >= _NARROW * columns:
        return "narrow"
    return "small" if rows * columns <= _SMALL else None


class _Groups:
    """Which memory is worked through together, entry by entry, and so should be stored alike."""

    def __init__(self) -> None:
        self._members: dict[int, set[int]] = {}

    def group(self, owner: int) -> set[int]:
        return self._members.setdefault(owner, {owner})

    def join(self, one: int, other: int) -> None:
        together = self.group(one) | self.group(other)
        for member in together:
            self._members[member] = together
