"""Sums of products of arrays, some of which change: rank 1 where one position does, matrix products over a block."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.forms.arrays import Axes
from symbackprop.forms.change import Change, Place, open_axes, same_place, taken
from symbackprop.notation.expressions import Limit

__all__ = ["Fixed", "Moving", "contracted", "labelled"]

Array = npt.NDArray[Any]

_ONE_THREAD = 1 << 18
"""Up to how many multiplications OpenBLAS computes a product of matrices on one thread."""
_FEWEST_ROWS = 8


@dataclass(frozen=True)
class Fixed:
    """A factor that does not change."""

    value: Array
    axes: Axes


@dataclass(frozen=True)
class Moving:
    """A factor that is a change: its values, a row a case, and the axes that these have behind the rows."""

    values: Array
    axes: Axes
    at: Mapping[Limit, Place]

    def arranged(self, axes: Axes) -> Change:
        """The change with all its axes in this order."""
        order = [1 + self.axes.index(axis) for axis in axes if axis in self.axes]
        return Change(self.values.transpose([0, *order]), tuple(self.at.get(axis) for axis in axes))


def labelled(change: Change, axes: Axes) -> Moving:
    """A change as a factor of a product, with the names of its axes."""
    at = {axis: place for axis, place in zip(axes, change.at, strict=True) if place is not None}
    return Moving(change.values, tuple(axes[number] for number in open_axes(change.at)), at)


def contracted(factors: Sequence[Fixed | Moving], axes: Axes, shape: tuple[int, ...], rows: int) -> Change:
    """The product of ``factors``, of which one moves at least, summed over what ``axes`` does not have.

    Where one factor changes at a single position, nothing but the entries there of the others matters.
    """
    at: dict[Limit, Place] = {}
    for factor in factors:
        if isinstance(factor, Moving):
            at = {**factor.at, **at}
    parts = [_at_positions(factor, at, rows) for factor in factors]
    kept = tuple(axis for axis in axes if axis not in at)
    where = tuple(at.get(axis) for axis in axes)
    extents = tuple(extent for extent, place in zip(shape, where, strict=True) if place is None)
    values = _multiplied(parts, kept)
    return Change(np.broadcast_to(values, (rows, *extents)), where)


def _at_positions(factor: Fixed | Moving, at: Mapping[Limit, Place], rows: int) -> tuple[Array, Axes]:
    """The entries of ``factor`` at these positions, with rows in front (one for all cases, or one each)."""
    if isinstance(factor, Fixed):
        where = tuple(at.get(axis) for axis in factor.axes)
        return taken(factor.value, where), tuple(axis for axis in factor.axes if axis not in at)
    values, axes = factor.values, factor.axes
    for axis, place in at.items():
        if axis in axes:
            number = axes.index(axis)
            values = np.moveaxis(values, 1 + number, 1)[np.arange(rows), place]
            axes = axes[:number] + axes[number + 1 :]
        elif axis in factor.at and not same_place(factor.at[axis], place):
            # Both change at one position each: the product does where these are the same.
            values = values * (np.asarray(factor.at[axis]) == place).reshape(-1, *(1,) * (values.ndim - 1))
    return values, axes


def _multiplied(parts: Sequence[tuple[Array, Axes]], kept: Axes) -> Array:
    summed = {axis for _, axes in parts for axis in axes if axis not in kept}
    if not summed:
        spread = (_rows_spread(values, axes, kept) for values, axes in parts)
        return reduce(np.multiply, sorted(spread, key=lambda values: values.size))
    if len(parts) == 2:
        (one, one_axes), (other, other_axes) = sorted(parts, key=lambda part: -len(part[0]))
        shared = [axis for axis in one_axes if axis in other_axes]
        if len(other) == 1 and set(shared) == summed:
            left = [axis for axis in one_axes if axis not in summed]
            right = [axis for axis in other_axes if axis not in summed]
            moving = one.transpose([0, *(1 + one_axes.index(axis) for axis in (*left, *shared))])
            fixed = other[0].transpose([other_axes.index(axis) for axis in (*shared, *right)])
            shape = moving.shape[: 1 + len(left)] + fixed.shape[len(shared) :]
            inner = math.prod(fixed.shape[: len(shared)])
            found = _matrix_product(moving.reshape(-1, inner), fixed.reshape(inner, -1)).reshape(shape)
            return found.transpose([0, *(1 + (*left, *right).index(axis) for axis in kept)])
    numbers = {axis: number + 1 for number, axis in enumerate(dict.fromkeys(a for _, axes in parts for a in axes))}
    operands: list[Any] = []
    for values, axes in parts:
        single = len(values) == 1
        operands += [values[0] if single else values, [*(() if single else (0,)), *(numbers[axis] for axis in axes)]]
    rows = any(len(values) > 1 for values, _ in parts)
    found = np.einsum(*operands, [*((0,) if rows else ()), *(numbers[axis] for axis in kept)], optimize=len(parts) > 2)
    return np.asarray(found if rows else found[None])


def _matrix_product(one: Array, other: Array) -> Array:
    """A product of matrices, in slices for which BLAS makes no threads: blocks have threads of their own."""
    rows = _ONE_THREAD // max(1, other.size)
    if rows < _FEWEST_ROWS or rows >= len(one):
        return np.asarray(one @ other)
    found = np.empty((len(one), other.shape[1]))
    for start in range(0, len(one), rows):
        np.matmul(one[start : start + rows], other, out=found[start : start + rows])
    return found


def _rows_spread(values: Array, axes: Axes, kept: Axes) -> Array:
    ordered = values.transpose([0, *(1 + axes.index(axis) for axis in kept if axis in axes)])
    return ordered[(slice(None), *(slice(None) if axis in axes else None for axis in kept))]
