"""Arrays on paper as index expressions: numbers, columns and matrices, and the few operations that notes use.

A value is an entry as a SymPy expression over its axes. A column has one axis, a row is a matrix of one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sympy

from symbackprop.notation.expressions import Limit, index, total
from symbackprop.notation.indices import substitute
from symbackprop.reading.sizes import Sizes

__all__ = ["Arrays", "ShapeError", "Value"]


class ShapeError(Exception):
    """Shapes that do not fit together, as a clause that says which."""


@dataclass(frozen=True)
class Value:
    """``entry`` at the positions ``axes``; the same for every position where an axis does not occur in it."""

    entry: sympy.Expr
    axes: tuple[Limit, ...] = ()

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.axes)


@dataclass
class Arrays:
    """Operations on values; ``sizes`` says which shapes fit."""

    sizes: Sizes
    count: int = field(default=0)

    def axis(self, extent: sympy.Expr) -> Limit:
        """A new axis."""
        self.count += 1
        return index(f"_a{self.count}"), extent

    def shape(self, value: Value) -> tuple[sympy.Expr, ...]:
        """The sizes of the axes."""
        return tuple(self.sizes.find(extent) for _, extent in value.axes)

    def shown(self, value: Value) -> str:
        """The shape as people write it."""
        shape = self.shape(value)
        if not shape:
            return "a number"
        return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"

    def at(self, value: Value, positions: Sequence[sympy.Expr]) -> sympy.Expr:
        """The entry at ``positions``, one for each axis."""
        return substitute(value.entry, dict(zip((i for i, _ in value.axes), positions, strict=True)))

    def is_row(self, value: Value) -> bool:
        """Whether it is a matrix of one row."""
        return value.rank == 2 and self.sizes.find(value.axes[0][1]) == 1

    def is_column_matrix(self, value: Value) -> bool:
        """Whether it is a matrix of one column."""
        return value.rank == 2 and self.sizes.find(value.axes[1][1]) == 1

    def as_column(self, value: Value) -> Value:
        """A matrix of one column as a column."""
        return Value(substitute(value.entry, {value.axes[1][0]: sympy.S.Zero}), value.axes[:1])

    def as_matrix(self, value: Value) -> Value:
        """A column as a matrix of one column."""
        return Value(value.entry, (*value.axes, self.axis(sympy.S.One)))

    def squeezed(self, value: Value) -> Value:
        """A number, where the value has one entry; a column, where it is a matrix of one column."""
        if value.rank == 2 and all(extent == 1 for extent in self.shape(value)):
            return Value(self.at(value, (sympy.S.Zero, sympy.S.Zero)))
        return value

    def transpose(self, value: Value) -> Value:
        """Rows for columns; a column becomes a row."""
        if value.rank == 0:
            return value
        if value.rank == 1:
            value = self.as_matrix(value)
        return Value(value.entry, (value.axes[1], value.axes[0]))

    def aligned(self, first: Value, second: Value, join: str) -> tuple[tuple[Limit, ...], sympy.Expr, sympy.Expr]:
        """The axes that both have, and both entries at them. What has no axes is the same everywhere.

        A column beside a matrix goes along the axis that has its size: a bias. Raises ShapeError.
        """
        if first.rank == 0 or second.rank == 0:
            axes = first.axes or second.axes
            return axes, first.entry, second.entry
        if first.rank == 1 and second.rank == 2 and self.is_column_matrix(second):
            second = self.as_column(second)
        elif first.rank == 2 and second.rank == 1 and self.is_column_matrix(first):
            first = self.as_column(first)
        if first.rank == second.rank:
            if first.rank == 2 and (self.is_row(first) != self.is_row(second)):
                return self.along_rows(first, second, join)
            if first.rank == 2 and (self.is_column_matrix(first) != self.is_column_matrix(second)):
                return self.along_columns(first, second, join)
            for (_, one), (_, other) in zip(first.axes, second.axes, strict=True):
                if not self.sizes.same(one, other):
                    raise ShapeError(f"{self.shown(first)} {join} {self.shown(second)}")
            return first.axes, first.entry, self.at(second, [i for i, _ in first.axes])
        if first.rank == 1:
            axes, there, here = self.aligned(second, first, join)
            return axes, here, there
        if (first.rank, second.rank) != (2, 1):
            raise ShapeError(f"{self.shown(first)} {join} {self.shown(second)}")
        return self.along_matrix(first, second, join)

    def along_matrix(self, matrix: Value, column: Value, join: str) -> tuple[tuple[Limit, ...], sympy.Expr, sympy.Expr]:
        """A column beside a matrix: along the axis that has its size."""
        fits = [k for k in range(2) if self.sizes.equal(matrix.axes[k][1], column.axes[0][1])]
        if not fits:
            fits = [k for k in range(2) if column.axes[0][1] in self.sizes.made_up]
            fits = fits[-1:]
        if len(fits) != 1 or self.is_row(matrix) or not self.sizes.same(matrix.axes[fits[0]][1], column.axes[0][1]):
            raise ShapeError(f"{self.shown(matrix)} {join} {self.shown(column)}")
        return matrix.axes, matrix.entry, self.at(column, [matrix.axes[fits[0]][0]])

    def along_rows(self, first: Value, second: Value, join: str) -> tuple[tuple[Limit, ...], sympy.Expr, sympy.Expr]:
        """A row beside a matrix: the same in every row."""
        row, matrix = (first, second) if self.is_row(first) else (second, first)
        if not self.sizes.same(row.axes[1][1], matrix.axes[1][1]):
            raise ShapeError(f"{self.shown(first)} {join} {self.shown(second)}")
        entry = self.at(row, (sympy.S.Zero, matrix.axes[1][0]))
        return (matrix.axes, entry, matrix.entry) if row is first else (matrix.axes, matrix.entry, entry)

    def along_columns(self, first: Value, second: Value, join: str) -> tuple[tuple[Limit, ...], sympy.Expr, sympy.Expr]:
        """A matrix of one column beside a matrix: the same in every column."""
        column, matrix = (first, second) if self.is_column_matrix(first) else (second, first)
        if not self.sizes.same(column.axes[0][1], matrix.axes[0][1]):
            raise ShapeError(f"{self.shown(first)} {join} {self.shown(second)}")
        entry = self.at(column, (matrix.axes[0][0], sympy.S.Zero))
        return (matrix.axes, entry, matrix.entry) if column is first else (matrix.axes, matrix.entry, entry)

    def can_multiply(self, first: Value, second: Value) -> bool:
        """Whether the matrix product exists, by sizes that are known."""
        if first.rank < 2 and not (first.rank == 1 and self.is_row(second)):
            return False
        if second.rank == 0:
            return False
        if first.rank == 1:
            return True
        return self.sizes.equal(first.axes[1][1], second.axes[0][1]) or bool(
            {self.sizes.find(first.axes[1][1]), self.sizes.find(second.axes[0][1])} & self.sizes.made_up
        )

    def multiplied(self, first: Value, second: Value, product: sympy.Expr | None = None) -> Value:
        """The matrix product. Raises ShapeError."""
        if first.rank == 1 and second.rank == 2 and self.is_row(second):
            second = Value(self.at(second, (sympy.S.Zero, second.axes[1][0])), second.axes[1:])
            return Value(first.entry * second.entry, (first.axes[0], second.axes[0]))
        if first.rank != 2 or second.rank == 0:
            raise ShapeError(f"{self.shown(first)} times {self.shown(second)}")
        inner, extent = first.axes[1]
        if not self.sizes.same(extent, second.axes[0][1]):
            raise ShapeError(f"{self.shown(first)} times {self.shown(second)}")
        entry = first.entry * self.at(second, (inner, *(i for i, _ in second.axes[1:])))
        if self.sizes.find(extent) == 1:
            summed = substitute(entry, {inner: sympy.S.Zero})
        else:
            summed = total(entry, (inner, extent))
        value = Value(summed, (first.axes[0], *second.axes[1:]))
        if value.rank == 1 and self.sizes.find(value.axes[0][1]) == 1:
            return Value(substitute(value.entry, {value.axes[0][0]: sympy.S.Zero}))
        return self.squeezed(value)

    def summed(self, value: Value, places: Sequence[int]) -> Value:
        """The sum over some axes."""
        over = [value.axes[place] for place in places]
        kept = tuple(axis for place, axis in enumerate(value.axes) if place not in places)
        return Value(total(value.entry, *over), kept)
