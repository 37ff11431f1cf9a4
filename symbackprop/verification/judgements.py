"""The judgements of many weights in columns: a million of them are a dozen arrays, not a million objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.verification.ladder import UNIT
from symbackprop.verification.verdicts import DECIDERS, Judgement, Verdict

__all__ = ["Judgements", "Verdicts", "joined", "judgements"]

Array = npt.NDArray[Any]

_VERDICTS = tuple(Verdict)


@dataclass(frozen=True, eq=False)
class Judgements(Sequence[Judgement]):
    """``Judgement``s of the weights of one array, in the order of the flattened array: a column for each field.

    ``verdict`` and ``decided_by`` are places in ``Verdict`` and ``DECIDERS``; NaN in ``left`` and ``right`` is None.
    """

    verdict: Array
    gradient: Array
    estimate: Array
    bound: Array
    tolerance: Array
    decided_by: Array
    left: Array
    right: Array
    rounding: Array

    def __len__(self) -> int:
        return len(self.verdict)

    def __getitem__(self, place: Any) -> Any:
        if not isinstance(place, int | np.integer):
            return Judgements(*(column[place] for column in self.columns))
        left, right = float(self.left[place]), float(self.right[place])
        return Judgement(
            verdict=_VERDICTS[self.verdict[place]],
            gradient=float(self.gradient[place]),
            estimate=float(self.estimate[place]),
            bound=float(self.bound[place]),
            tolerance=float(self.tolerance[place]),
            decided_by=DECIDERS[self.decided_by[place]],
            left=None if np.isnan(left) else left,
            right=None if np.isnan(right) else right,
            rounding=float(self.rounding[place]),
        )

    def __iter__(self) -> Iterator[Judgement]:
        return (self[place] for place in range(len(self)))

    @property
    def columns(self) -> tuple[Array, ...]:
        """Every column, in the order of the fields."""
        return tuple(getattr(self, field.name) for field in fields(self))

    @property
    def passed(self) -> Array:
        """Which weights passed."""
        return np.asarray(self.verdict == Verdict.PASS.rank)

    @property
    def error(self) -> Array:
        """``Judgement.error`` of each."""
        with np.errstate(all="ignore"):
            sides = np.fmax(np.abs(self.left), np.abs(self.right))
            largest = np.fmax(np.maximum(np.abs(self.gradient), np.abs(self.estimate)), sides)
            low, high = np.minimum(self.left, self.right), np.maximum(self.left, self.right)
            outside = np.maximum(np.maximum(low - self.gradient, self.gradient - high), 0.0)
            off = np.abs(self.gradient - self.estimate)
            off = np.where(self.passed, np.maximum(off - self.rounding, 0.0), off)
            distance = np.where(np.isnan(self.left), off, outside)
            return np.asarray(np.divide(distance, largest, out=distance.copy(), where=largest != 0))

    @property
    def detectable(self) -> Array:
        """``Judgement.detectable`` of each."""
        with np.errstate(all="ignore"):
            found = (np.abs(self.gradient - self.estimate) + self.tolerance) / np.abs(self.gradient)
            return np.where(self.gradient == 0, np.inf, found / (1 - 4 * UNIT))

    def replaced(self, changed: Mapping[int, Judgement]) -> Judgements:
        """These with others in some places."""
        if not changed:
            return self
        places = np.fromiter(changed, dtype=np.intp, count=len(changed))
        columns = []
        for column, new in zip(self.columns, judgements(changed.values()).columns, strict=True):
            column = column.copy()
            column[places] = new
            columns.append(column)
        return Judgements(*columns)


def judgements(given: Iterable[Judgement]) -> Judgements:
    """Single judgements as columns."""
    if isinstance(given, Judgements):
        return given
    rows = [
        (
            judgement.verdict.rank,
            judgement.gradient,
            judgement.estimate,
            judgement.bound,
            judgement.tolerance,
            DECIDERS.index(judgement.decided_by),
            np.nan if judgement.left is None else judgement.left,
            np.nan if judgement.right is None else judgement.right,
            judgement.rounding,
        )
        for judgement in given
    ]
    kinds = [np.int8 if field.name in ("verdict", "decided_by") else np.float64 for field in fields(Judgements)]
    columns = zip(*rows, strict=True) if rows else ((),) * len(kinds)
    return Judgements(*(np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True)))


def joined(parts: Sequence[Judgements]) -> Judgements:
    """Several after each other."""
    return Judgements(*map(np.concatenate, zip(*(part.columns for part in parts), strict=True)))


class Verdicts(Mapping[tuple[int, ...], Verdict]):
    """The verdict of every weight of an array by its index, kept as one small number each."""

    def __init__(self, ranks: Array) -> None:
        self._ranks = ranks

    def __getitem__(self, index: tuple[int, ...]) -> Verdict:
        if not self._has(index):
            raise KeyError(index)
        return _VERDICTS[int(self._ranks[index])]

    def __contains__(self, index: object) -> bool:
        return self._has(index)

    def _has(self, index: object) -> bool:
        shape = self._ranks.shape
        return (
            isinstance(index, tuple)
            and len(index) == len(shape)
            and all(isinstance(i, int | np.integer) and 0 <= i < n for i, n in zip(index, shape, strict=True))
        )

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return iter(np.ndindex(self._ranks.shape))

    def __len__(self) -> int:
        return self._ranks.size

    def __repr__(self) -> str:
        return f"Verdicts of {len(self)} weights"
