"""The change of an array where single entries of another move, for many such entries at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.forms.arrays import Axes

__all__ = [
    "At",
    "Change",
    "Place",
    "alike",
    "dense",
    "densified",
    "expanded",
    "open_axes",
    "picked",
    "same_place",
    "single_entries",
    "spread",
    "taken",
    "total_change",
]

Array = npt.NDArray[Any]
Place = int | Array
At = tuple[Place | None, ...]


@dataclass(frozen=True)
class Change:
    """The change of one array in each of B cases.

    ``at`` has an entry for each axis of the array: None, or the one position along it where anything changes, a number
    for all cases or an array of B. ``values`` has B rows, and behind them the axes for which ``at`` is None.
    """

    values: Array
    at: At

    @property
    def rows(self) -> int:
        """How many cases, B."""
        return len(self.values)


def single_entries(places: Array, steps: Array, shape: tuple[int, ...]) -> Change:
    """One entry of an array of this ``shape`` a case, moved by its step."""
    at: list[Place] = []
    for positions in np.unravel_index(places, shape) if shape else ():
        first = int(positions[0])
        at.append(first if (positions == first).all() else positions)
    return Change(np.asarray(steps), tuple(at))


def open_axes(at: At) -> tuple[int, ...]:
    """The axes along which there are values."""
    return tuple(axis for axis, place in enumerate(at) if place is None)


def taken(array: Array, at: At) -> Array:
    """``array`` where a change is: a row for each case, or a single one for all, and behind it the open axes."""
    closed = [axis for axis, place in enumerate(at) if place is not None]
    if not closed:
        return array[None]
    found: Array = array.transpose([*closed, *open_axes(at)])[tuple(place for place in at if place is not None)]
    return found[None] if all(isinstance(at[axis], int) for axis in closed) else found


def same_place(one: Place | None, other: Place | None) -> bool:
    """Whether two places along an axis are known to be the same one in all cases."""
    return one is other or (isinstance(one, int) and isinstance(other, int) and one == other)


def densified(change: Change, shape: tuple[int, ...], axes: Sequence[int]) -> Change:
    """``change`` with values along ``axes`` too, zeros but for one position."""
    closed = [axis for axis in axes if change.at[axis] is not None]
    if not closed:
        return change
    at = tuple(None if axis in closed else place for axis, place in enumerate(change.at))
    values = np.zeros((change.rows, *(shape[axis] for axis in open_axes(at))), dtype=change.values.dtype)
    index = tuple(slice(None) if change.at[axis] is None else change.at[axis] for axis in open_axes(at))
    values[(np.arange(change.rows), *index)] = change.values
    return Change(values, at)


def dense(change: Change, shape: tuple[int, ...]) -> Change:
    """The same change with every entry of an array of ``shape`` written out."""
    return densified(change, shape, range(len(shape)))


def alike(changes: Sequence[Change | None], rows: int, shape: tuple[int, ...]) -> tuple[list[Array], At]:
    """The values of ``changes`` of one shape, all at the same positions; those of None are a zero."""
    given = [change for change in changes if change is not None]
    shared = tuple(
        place if all(same_place(place, other.at[axis]) for other in given) else None
        for axis, place in enumerate(given[0].at)
    )
    zero = np.zeros((1,) * (1 + len(open_axes(shared))), dtype=np.int8)
    values = [zero if c is None else densified(c, shape, open_axes(shared)).values for c in changes]
    return values, shared


def total_change(changes: Sequence[Change], shape: tuple[int, ...]) -> Change | None:
    """The sum of ``changes`` of one array; None where there are none."""
    if len(changes) <= 1:
        return changes[0] if changes else None
    values, at = alike(changes, changes[0].rows, shape)
    return Change(reduce(np.add, values), at)


def expanded(change: Change, own: Axes, axes: Axes, shape: tuple[int, ...]) -> Change:
    """A change along the axes ``own`` as one along all of ``axes``, repeated along those that are new."""
    if own == axes:
        return change
    at = tuple(change.at[own.index(axis)] if axis in own else None for axis in axes)
    order = [own.index(axis) for axis in axes if axis in own and change.at[own.index(axis)] is None]
    ordered = change.values.transpose([0, *(1 + open_axes(change.at).index(axis) for axis in order)])
    slots = tuple(slice(None) if axes[axis] in own else None for axis in open_axes(at))
    extents = (shape[axis] for axis in open_axes(at))
    return Change(np.broadcast_to(ordered[(slice(None), *slots)], (change.rows, *extents)), at)


def spread(array: Array, own: Axes, axes: Axes) -> Array:
    """``array`` with its axes in the order of ``axes``, and axes of extent 1 for those that it does not have."""
    ordered = array.transpose([own.index(axis) for axis in axes if axis in own])
    return ordered[tuple(slice(None) if axis in own else None for axis in axes)]


def picked(change: Change, places: Sequence[Array], rows: int, shape: tuple[int, ...]) -> Array:
    """The change of the entries at ``places``, an array of positions for each axis of what changes."""
    case = np.arange(rows).reshape(-1, *(1,) * len(shape))
    values = change.values[(case, *(places[axis] for axis in open_axes(change.at)))]
    for place, at in zip(places, change.at, strict=True):
        if at is not None:
            here = at if isinstance(at, int) else at.reshape(case.shape)
            values = values * (place == here)
    return np.broadcast_to(values, (rows, *shape))
