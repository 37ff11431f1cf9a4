"""The derivative by every weight of a large network, from how the loss changes when the weight does.

    D+ = (C(w + h) - C(w)) / h        D- = (C(w) - C(w - h)) / h

Only what changes is computed (``symbackprop.forms.changes``), for blocks of weights at once. Where every function on
the way knows its own differences, nothing cancels, so that h is as small as the last digit of w and each quotient is
the derivative of its side to nearly all digits; they differ at a kink and nowhere else. Otherwise h is larger, and two
steps are extrapolated to 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.forms.changes import Changes
from symbackprop.forms.lower import lower
from symbackprop.notation.program import Program
from symbackprop.notation.sizes import bind_sizes

__all__ = ["Derivatives", "Increments"]

Array = npt.NDArray[Any]

_TINY = 2.0**-60
_CLOSER = 2.0**-30
"""A jump of less than this part of the derivative counts as bending, which a step as much smaller makes smaller."""
_LEAP = 2.0**20
"""By how much that smaller step makes a quotient larger only where the loss itself jumps."""
_STEPS = tuple(2.0**-exponent for exponent in (8, 12, 16, 20))
_ENOUGH = 1e-7
_TILE = 1 << 18
"""How many numbers a change may have: the arrays of one step stay in the processor's cache."""
_ROW = 64
"""From how many weights on a row of an array is moved by itself: all its weights enter the same unit."""


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Derivatives by some weights: both sides' mean with a bound on its error, and each side with another.

    What rounding does to all of them is not in the bounds. Where the loss itself jumps, the sides are minus and plus
    infinity.
    """

    value: Array
    bound: Array
    left: Array
    right: Array
    side_bound: Array

    @property
    def columns(self) -> tuple[Array, ...]:
        """Every column, in the order of the fields."""
        return tuple(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, eq=False)
class Increments:
    """The loss of ``program`` at one point; ``noise`` bounds the rounding error of its values.

    It travels between processes as what it was made from.
    """

    program: Program
    arrays: Mapping[str, Array]
    given: Mapping[str, int]
    noise: float

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def changes(self) -> Changes:
        """What evaluates changes at this point."""
        sizes = bind_sizes(self.program, {name: array.shape for name, array in self.arrays.items()}, self.given)
        return Changes(self.program, [lower(e, self.program) for e in self.program.equations], self.arrays, sizes)

    def derivatives(self, name: str, start: int, stop: int) -> Derivatives:
        """The derivatives by the entries ``start`` to ``stop`` of ``name``, counted along the flattened array."""
        assert self.program.loss is not None
        exact = self.changes.keeps_digits(self.program.loss, name)
        method = self._by_sides if exact else self._extrapolated
        parts = [method(name, places) for places in self._tiles(name, start, stop)]
        return Derivatives(*map(np.concatenate, zip(*(part.columns for part in parts), strict=True)))

    def _tiles(self, name: str, start: int, stop: int) -> Iterator[Array]:
        """Places that are moved at once: few enough for the cache, and a long row by itself."""
        assert self.program.loss is not None
        most = max(1, _TILE // self.changes.widest(self.program.loss, name))
        shape = self.arrays[name].shape
        row = shape[-1] if shape and shape[-1] >= _ROW else stop - start
        while start < stop:
            end = min(stop, start + most, start + row - start % row if row < stop - start else stop)
            yield np.arange(start, end)
            start = end

    def _quotient(self, name: str, places: Array, steps: Array) -> Array:
        assert self.program.loss is not None
        return self.changes.of(self.program.loss, name, places, steps) / steps

    def _scale(self, name: str, places: Array) -> Array:
        """A power of two of about the size of each weight, and at least 1."""
        sizes = np.maximum(np.abs(self.arrays[name].reshape(-1)[places]), 1.0)
        return np.asarray(np.exp2(np.ceil(np.log2(sizes))))

    def _by_sides(self, name: str, places: Array) -> Derivatives:
        steps = _TINY * self._scale(name, places)
        right, left = (self._quotient(name, places, sign * steps) for sign in (1, -1))
        gap = np.abs(right - left)
        side_bound = gap.copy()
        # A second derivative that is huge beside the first looks like a kink; a smaller step tells them apart.
        again = gap > _CLOSER * np.maximum(np.abs(right), np.abs(left))
        if again.any():
            closer = _CLOSER * steps[again]
            near = [self._quotient(name, places[again], sign * closer) for sign in (1, -1)]
            leaps = [np.abs(new) > _LEAP * np.abs(old[again]) for new, old in zip(near, (right, left), strict=True)]
            right[again], left[again] = near
            before, gap[again] = gap[again], np.abs(right[again] - left[again])
            side_bound[again] = np.where(gap[again] > before / 2, 0.0, gap[again])
            value = left + (right - left) / 2
            leaping = np.flatnonzero(again)[leaps[0] | leaps[1]]
            left[leaping], right[leaping] = -np.inf, np.inf
            return Derivatives(value, gap, left, right, side_bound)
        return Derivatives(left + (right - left) / 2, gap, left, right, side_bound)

    def _extrapolated(self, name: str, places: Array) -> Derivatives:
        nothing = (np.nan, np.inf, np.nan, np.nan, np.inf)
        best = Derivatives(*(np.full(len(places), number) for number in nothing))
        open_ = np.arange(len(places))
        for step in _STEPS:
            steps = step * self._scale(name, places[open_])
            found = self._two_steps(name, places[open_], steps)
            better = found.bound < best.bound[open_]
            for column, new in zip(best.columns, found.columns, strict=True):
                column[open_[better]] = new[better]
            open_ = open_[~(best.bound[open_] <= _ENOUGH * np.abs(best.value[open_]))]
            if not len(open_):
                break
        return best

    def _two_steps(self, name: str, places: Array, steps: Array) -> Derivatives:
        """One extrapolation from a step and its half: in h^2 for the mean of both sides, in h for each side."""
        right, near_right = (self._quotient(name, places, steps * part) for part in (1, 0.5))
        left, near_left = (self._quotient(name, places, steps * part) for part in (-1, -0.5))
        mean, near = (right + left) / 2, (near_right + near_left) / 2
        value = near + (near - mean) / 3
        from_right, from_left = 2 * near_right - right, 2 * near_left - left
        side = np.maximum(np.abs(from_right - near_right), np.abs(from_left - near_left))
        # A change of the loss errs by its noise at most; the weights of the four are 4/3 and 1/3, or 2 and 1.
        roundoff = self.noise / np.abs(steps)
        return Derivatives(value, np.abs(value - near) + 3 * roundoff, from_left, from_right, side + 5 * roundoff)
