"""What a check of somebody's gradients found."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.diagnosis.candidates import Candidate
from symbackprop.diagnosis.evidence import Evidence
from symbackprop.documents.formats.fragment import html_fragment
from symbackprop.documents.tree import Block, Bullets, Paragraph, Table

__all__ = ["ArrayCheck", "EntryCheck", "GradientCheck", "checked_array"]

Array = npt.NDArray[Any]

_WORST = 5
_FORMULAS = 4
VERDICTS = ("right", "kink", "transposed", "shape", "not finite", "wrong")
"""What is said of an array, from good to bad."""


@dataclass(frozen=True)
class EntryCheck:
    """One entry: its index from 0, their number, the derived one, and what differences of the loss say, if asked."""

    index: tuple[int, ...]
    theirs: float
    right: float
    differences: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON can say it."""
        return {
            "index": list(self.index),
            "theirs": _number(self.theirs),
            "right": _number(self.right),
            "differences": _number(self.differences),
        }


@dataclass(frozen=True)
class ArrayCheck:
    """The verdict on one gradient array.

    ``verdict``     "right"; "kink": right, with another slope than the derived one where there is no derivative;
                    "transposed"; "shape"; "not finite"; "wrong"
    ``shape``       the shape it was given in, laid out as the network's
    ``entries``     how many entries, ``wrong`` how many of them are wrong
    ``worst``       the entries that are farthest off
    ``error``       the largest relative error of an entry, |theirs - right| / max(|theirs|, |right|)
    ``detectable``  the smallest relative error that would have been caught in every entry that is right and not 0: such
                    an entry g would have been called wrong as g (1 + r) for any |r| above it; None where there is none
    """

    verdict: str
    shape: tuple[int, ...]
    entries: int
    wrong: int
    worst: tuple[EntryCheck, ...] = ()
    error: float = 0.0
    detectable: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the array counts as right."""
        return self.verdict in ("right", "kink")

    def as_dict(self) -> dict[str, Any]:
        """The verdict as JSON can say it."""
        return {
            "verdict": self.verdict,
            "shape": list(self.shape),
            "entries": self.entries,
            "wrong": self.wrong,
            "error": _number(self.error),
            "detectable": _number(self.detectable),
            "worst": [entry.as_dict() for entry in self.worst],
        }


def checked_array(
    evidence: Evidence, name: str, at_kink: bool, differences: Callable[[tuple[int, ...]], float] | None
) -> ArrayCheck:
    """The verdict on the array ``name``.

    ``at_kink`` says that what is right takes another slope than the derived gradient at a point without derivative.
    ``differences`` gives the derivative by one entry from differences of the loss.
    """
    theirs, right, tolerance = evidence.theirs[name], evidence.right[name], evidence.tolerance[name]
    if theirs.shape != right.shape:
        verdict = "transposed" if evidence.is_transposed(name) else "shape"
        return ArrayCheck(verdict, theirs.shape, theirs.size, theirs.size, error=math.inf)
    distance = evidence.differences(name)
    bad = ~(distance <= tolerance)
    largest = np.maximum(np.abs(theirs), np.abs(right))
    with np.errstate(all="ignore"):
        relative = np.where(distance > 0, distance / largest, 0.0)
        seen = np.where((right != 0) & ~bad, (distance + tolerance) / np.abs(theirs), -1.0)
    detectable = float(seen.max(initial=-1.0))
    if not bad.any():
        verdict = "kink" if at_kink else "right"
    elif not np.isfinite(theirs).all():
        verdict = "not finite"
    else:
        verdict = "transposed" if evidence.is_transposed(name) else "wrong"
    places = np.argsort(-np.where(bad, distance, -1.0), axis=None, kind="stable")[: min(_WORST, int(bad.sum()))]
    worst = []
    for number, place in enumerate(places):
        at = tuple(int(axis) for axis in np.unravel_index(int(place), right.shape))
        asked = differences(at) if differences is not None and number == 0 else None
        worst.append(EntryCheck(at, float(theirs[at]), float(right[at]), asked))
    error = float(np.where(np.isnan(relative), np.inf, relative).max(initial=0.0))
    shown = detectable * (1 + 1e-15) if detectable >= 0 else None
    return ArrayCheck(verdict, theirs.shape, right.size, int(bad.sum()), tuple(worst), error, shown)


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """The outcome of ``check_gradients``.

    ``ok``          whether every array is right
    ``diagnosis``   what is wrong, in a sentence or two
    ``candidates``  every fault that gives exactly these arrays, the most specific first; none where nothing fits
    ``arrays``      an ``ArrayCheck`` for each gradient
    ``points``      where it was checked, in words
    ``report``      finite differences of the loss against the *derived* gradients at the first point, which were the
                    standard here; taken when it is first asked for
    """

    diagnosis: str
    candidates: tuple[Candidate, ...]
    arrays: Mapping[str, ArrayCheck]
    points: tuple[str, ...]
    notes: tuple[str, ...] = ()
    tried: int = 0
    _report: Callable[[], Any] = field(default=lambda: None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether every array is right."""
        return all(array.ok for array in self.arrays.values())

    @cached_property
    def report(self) -> Any:
        """Finite differences of the loss against the derived gradients, a ``Report``."""
        return self._report()

    def as_dict(self) -> dict[str, Any]:
        """The outcome as JSON can say it. Indices count from 0; a number that is not finite is None."""
        return {
            "ok": self.ok,
            "diagnosis": self.diagnosis,
            "candidates": [candidate.as_dict() for candidate in self.candidates],
            "arrays": {name: array.as_dict() for name, array in self.arrays.items()},
            "points": list(self.points),
            "notes": list(self.notes),
            "tried": self.tried,
        }

    def __repr__(self) -> str:
        named = [f"{candidate.kind}, {candidate.place}" for candidate in self.candidates[:1]]
        wrong = ", ".join(name for name, array in self.arrays.items() if not array.ok)
        said = f"{wrong} wrong: {named[0] if named else 'no known fault'}"
        return f"GradientCheck({'ok' if self.ok else said})"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        formulas = [
            (f"used {used}; right {right}",)
            for candidate in self.candidates[:1]
            for used, right in zip(candidate.used, candidate.right, strict=True)
        ]
        blocks: list[Block] = [
            Table(
                tuple((column,) for column in _COLUMNS),
                tuple(tuple((cell,) for cell in _row(name, array)) for name, array in self.arrays.items()),
                numeric=frozenset(range(2, len(_COLUMNS))),
            ),
            Paragraph((self.diagnosis,)),
            *([Bullets(tuple(formulas))] if formulas else []),
        ]
        return html_fragment(blocks)

    def _lines(self) -> Iterator[str]:
        yield from _aligned([_COLUMNS, *(_row(name, array) for name, array in self.arrays.items())])
        for name, array in self.arrays.items():
            if array.worst:
                yield ""
                yield from (_entry_line(name, entry) for entry in array.worst)
        yield ""
        yield from (f"checked {point}" for point in self.points)
        yield from self.notes
        yield self.diagnosis
        for candidate in self.candidates[:1]:
            for used, right in list(zip(candidate.used, candidate.right, strict=True))[1:_FORMULAS]:
                yield f"  and used {used}"
                yield f"     right {right}"


_COLUMNS = ("array", "verdict", "entries", "wrong", "worst error", "detectable")


def _row(name: str, array: ArrayCheck) -> tuple[str, ...]:
    return (name, array.verdict, str(array.entries), str(array.wrong), _short(array.error), _short(array.detectable))


def _entry_line(name: str, entry: EntryCheck) -> str:
    at = f"{name}[{', '.join(map(str, entry.index))}]" if entry.index else name
    asked = "" if entry.differences is None else f", differences of the loss give {entry.differences:.10g}"
    return f"wrong {at}: {entry.theirs:.10g}, derived {entry.right:.10g}{asked}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _short(value: float | None) -> str:
    if value is None:
        return "-"
    return "0" if value == 0 else f"{value:.1e}"
