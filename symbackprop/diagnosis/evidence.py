"""The gradients somebody computed, beside the derived ones, and what counts as the same number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Evidence"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

_SLACK = 4096
"""How many roundings of the largest entry a *wrong* value may be off from what predicts it: it may have been summed
in any order, and the tolerance that was measured belongs to the right one."""
_EXPLAINED = 1e-2
"""How much of the difference a prediction may leave over, at most: a small error is not explained by no error."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """``theirs`` and the ``right`` gradients by name, how far an entry may be off by rounding, and the unit roundoff.

    ``tolerance`` has an array of the right shape for each name; theirs may have any shape.
    """

    theirs: Arrays
    right: Arrays
    tolerance: Arrays
    unit: float

    @cached_property
    def wrong(self) -> frozenset[str]:
        """The names of the arrays that are not right."""
        return frozenset(name for name in self.right if not self.is_right(name))

    def is_right(self, name: str) -> bool:
        """Whether their array is the right one, but for rounding."""
        mine, theirs = self.right[name], self.theirs[name]
        # A comparison with NaN is false: agreement is what has to be shown.
        return mine.shape == theirs.shape and bool((np.abs(theirs - mine) <= self.tolerance[name]).all())

    def differences(self, name: str) -> Array:
        """|theirs - right| for arrays of the same shape, infinite where theirs is not finite."""
        distance = np.abs(self.theirs[name] - self.right[name])
        return np.where(np.isfinite(distance), distance, np.inf)

    def is_transposed(self, name: str) -> bool:
        """Whether their array is the transpose of the right one."""
        theirs, mine = self.theirs[name], self.right[name]
        turned = mine.ndim == 2 and theirs.shape == mine.T.shape
        return turned and bool((np.abs(theirs.T - mine) <= self.tolerance[name]).all())

    def wrong_entries(self, name: str) -> int:
        """How many entries are wrong; all of an array of another shape."""
        if self.theirs[name].shape != self.right[name].shape:
            return int(self.theirs[name].size)
        return int((~(self.differences(name) <= self.tolerance[name])).sum())

    def without(self, names: Iterable[str]) -> Evidence:
        """The same evidence with the arrays called ``names`` taken for right."""
        return replace(self, theirs={**self.theirs, **{name: self.right[name] for name in names}})

    def fits(self, name: str, predicted: Array) -> bool:
        """Whether their array is the ``predicted`` one in every entry."""
        theirs, mine = self.theirs[name], self.right[name]
        if theirs.shape != predicted.shape or not np.isfinite(predicted).all() or not np.isfinite(theirs).all():
            return False
        left_over = np.abs(theirs - predicted)
        slack = _SLACK * self.unit * _sizes(predicted)
        if mine.shape != theirs.shape:
            return bool((left_over <= slack).all())
        size, right = (float(np.abs(array).max(initial=0.0)) for array in (predicted, mine))
        rounding = (size / right if size > right > 0 else 1.0) * self.tolerance[name]
        if self.is_right(name):
            return bool((left_over <= slack + rounding).all())
        # Where something is wrong, what is left over must be rounding, or next to nothing beside what was wrong.
        explained = (left_over <= slack) & (left_over <= _EXPLAINED * np.abs(theirs - mine))
        off = float(np.abs(theirs - mine).max(initial=0.0))
        return bool(((left_over <= rounding) | explained).all()) and left_over.max(initial=0.0) <= _EXPLAINED * off

    def digits(self, name: str, predicted: Array) -> float:
        """To how many digits the array was predicted, of its largest entry."""
        size = float(np.abs(predicted).max(initial=0.0))
        off = float(np.abs(self.theirs[name] - predicted).max(initial=0.0))
        return float(-np.log10(max(off / size, self.unit))) if size else float(-np.log10(self.unit))


def _sizes(array: Array) -> Array:
    """About how large the entries of a gradient are by their row and column: features may differ in scale."""
    sizes = np.abs(array)
    if array.ndim < 2 or not sizes.any():
        return np.full(array.shape, sizes.max(initial=0.0))
    rows, columns = sizes.max(axis=1, keepdims=True), sizes.max(axis=0, keepdims=True)
    return np.asarray(rows * (columns / sizes.max()))
