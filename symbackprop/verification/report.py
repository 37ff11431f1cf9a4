"""What a verification found: a table for each array, the worst entries, and one sentence."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from symbackprop.documents.formats.fragment import html_fragment
from symbackprop.documents.formats.tex_text import escape
from symbackprop.documents.tree import Block, Bullets, Paragraph, Table
from symbackprop.verification.curve import Curve, plot_curves
from symbackprop.verification.judgements import Judgements, Verdicts, joined, judgements
from symbackprop.verification.verdicts import DECIDERS, Judgement, Verdict

__all__ = ["ArrayReport", "Entry", "Report", "array_report", "worst_entries"]

_WORST = 10
_PLACES = 3
_COLUMNS = ("array", "weights", "pass", "kink", "blind", "fail", "worst error", "detectable")


@dataclass(frozen=True)
class Entry:
    """One weight at one point: ``index`` counts from 0, ``point`` is the place of the point in the report's."""

    array: str
    index: tuple[int, ...]
    point: int
    judgement: Judgement

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON can say it: a number that is not finite is None."""
        judgement = self.judgement
        return {
            "array": self.array,
            "index": list(self.index),
            "point": self.point,
            "verdict": judgement.verdict.value,
            "decided_by": judgement.decided_by,
            "gradient": _number(judgement.gradient),
            "estimate": _number(judgement.estimate),
            "bound": _number(judgement.bound),
            "error": _number(judgement.error),
            "digits": _number(judgement.digits),
            "left": _number(judgement.left),
            "right": _number(judgement.right),
        }

    def __str__(self) -> str:
        judgement = self.judgement
        name = f"{self.array}[{', '.join(map(str, self.index))}]" if self.index else self.array
        words = [f"{judgement.verdict.value:<5} {name}", f"gradient {judgement.gradient:.10g}"]
        if judgement.left == -math.inf:
            words.append("what is differentiated jumps here: it has no derivative")
        elif judgement.left is not None:
            words.append(f"from the left {judgement.left:.10g}, from the right {judgement.right:.10g}")
        else:
            words.append(f"{judgement.decided_by} {judgement.estimate:.10g} +- {judgement.bound:.1e}")
        if judgement.verdict is Verdict.PASS and judgement.digits is not None:
            words.append(f"{judgement.digits:.1f} digits")
        return ", ".join(words)


@dataclass(frozen=True)
class ArrayReport:
    """The counts of one array. A weight that was checked at several points counts once, with its worst verdict.

    ``worst``        the largest relative error |gradient - derivative| / max(|gradient|, |derivative|) that was seen
    ``detectable``   the smallest relative error that would have been caught in *every* passing weight of the array: a
                     gradient entry g that passed would have failed as g (1 + r) for any |r| above it. Weights with
                     gradient 0 have no relative error and do not count here; None where no other weight passed
    ``detectable_at_zero``  the same for the passing weights with gradient 0, as an absolute number: any entry of
                     larger size would have failed there; None where there is none
    ``verdicts``     the verdict of every weight, by its index from 0; empty for data, whose batches differ in size
    ``decided_by``   how many weights were decided by what, by the names in ``DECIDERS``
    ``jumps``        at how many of those on a kink what is differentiated jumps, so that no derivative is required
    """

    weights: int
    counts: Mapping[Verdict, int]
    worst: float
    detectable: float | None
    detectable_at_zero: float | None
    verdicts: Mapping[tuple[int, ...], Verdict] = field(default_factory=dict, repr=False)
    decided_by: Mapping[str, int] = field(default_factory=dict)
    jumps: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The counts by the names of the verdicts, and the figures."""
        return {
            "weights": self.weights,
            **{verdict.value: self.counts[verdict] for verdict in Verdict},
            "worst": _number(self.worst),
            "detectable": _number(self.detectable),
            "detectable_at_zero": _number(self.detectable_at_zero),
            "decided_by": dict(self.decided_by),
        }

    def row(self, name: str) -> tuple[str, ...]:
        """The array's row of the table."""
        counts = (str(self.counts[verdict]) for verdict in Verdict)
        return (name, str(self.weights), *counts, _short(self.worst), _short(self.detectable))


def array_report(points: Sequence[Sequence[Judgement]], shape: tuple[int, ...]) -> ArrayReport:
    """The report of one array of this ``shape`` from the judgements of its weights, one sequence for each point.

    An array of data differs in size between batches; then each entry at each point counts.
    """
    columns = list(map(judgements, points))
    every = joined(columns)
    alike = len(set(map(len, columns))) == 1
    ranks = np.stack([column.verdict for column in columns]) if alike else every.verdict[None]
    deciders = np.stack([column.decided_by for column in columns]) if alike else every.decided_by[None]
    worst = np.argmax(ranks, axis=0)
    verdicts = ranks.max(axis=0)
    numbers = np.bincount(verdicts, minlength=len(Verdict))
    jumping = np.isneginf(np.stack([column.left for column in columns]) if alike else every.left[None]).any(axis=0)
    deciding = np.bincount(deciders[worst, np.arange(len(worst))], minlength=len(DECIDERS))
    error = every.error
    moving, still = every.passed & (every.gradient != 0), every.passed & (every.gradient == 0)
    at_zero = np.abs(every.estimate[still]) + every.tolerance[still]
    return ArrayReport(
        weights=len(verdicts),
        counts={verdict: int(numbers[verdict.rank]) for verdict in Verdict},
        worst=float(np.where(np.isnan(error), np.inf, error).max(initial=0.0)),
        detectable=float(every.detectable[moving].max()) if moving.any() else None,
        detectable_at_zero=float(at_zero.max()) if still.any() else None,
        verdicts=Verdicts(verdicts.reshape(shape)) if alike else {},
        decided_by={name: int(number) for name, number in zip(DECIDERS, deciding, strict=True) if number},
        jumps=int(np.count_nonzero(jumping & (verdicts == Verdict.KINK.rank))),
    )


@dataclass(frozen=True)
class Report:
    """The outcome of a verification.

    ``arrays`` has an ``ArrayReport`` for each array, ``worst`` the entries to look at first (failures, then what could
    not be seen, kinks, and what passed with the fewest digits), ``points`` says in words where it was checked.
    """

    arrays: Mapping[str, ArrayReport]
    worst: tuple[Entry, ...]
    points: tuple[str, ...]
    method: str
    evaluations: int
    seconds: float
    notes: tuple[str, ...] = ()
    curves: tuple[Curve, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """Whether no weight fails or stays blind, and at a kink the gradient lies between left and right.

        Where what is differentiated jumps, as a first derivative does at a kink, there is nothing to lie between.
        """
        return not any(self._count(verdict) for verdict in (Verdict.FAIL, Verdict.BLIND))

    @property
    def weights(self) -> int:
        """How many weights were checked."""
        return sum(array.weights for array in self.arrays.values())

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON can say it. Indices count from 0; a number that is not finite is None."""
        return {
            "ok": self.ok,
            "arrays": {name: array.as_dict() for name, array in self.arrays.items()},
            "worst": [entry.as_dict() for entry in self.worst],
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "method": self.method,
            "points": list(self.points),
            "notes": list(self.notes),
        }

    def plot(self, path: str | Path) -> Path:
        """Draw the error of the plain difference quotients against their step to ``path``; needs matplotlib."""
        return plot_curves(self.curves, path)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        return f"Report({self._outcome()})"

    def _repr_html_(self) -> str:
        entries = [f"{entry}{self._where(entry)}" for entry in self._shown()]
        items = tuple((words,) for words in (*entries, *self._unshown()))
        blocks: list[Block] = [
            Table(
                tuple((column,) for column in _COLUMNS),
                tuple(tuple((cell,) for cell in array.row(name)) for name, array in self.arrays.items()),
                numeric=frozenset(range(1, len(_COLUMNS))),
            ),
            *([Bullets(items)] if items else []),
            Paragraph((self._outcome(),)),
            Paragraph(("; ".join((*(f"checked {point}" for point in self.points), self._effort())),)),
            *(Paragraph((note,)) for note in (*self.notes, *self._deciders())),
        ]
        return html_fragment(blocks)

    def _repr_latex_(self) -> str:
        """A ``tabular`` that needs no package, and a sentence."""
        rows = (_COLUMNS, *(array.row(name) for name, array in self.arrays.items()))
        header, *body = (" & ".join(map(escape, row)) + r" \\" for row in rows)
        lines = [r"\hline", header, r"\hline", *body, r"\hline", r"\end{tabular}\par"]
        columns = "l" + "r" * (len(_COLUMNS) - 1)
        return "\n".join([rf"\begin{{tabular}}{{{columns}}}", *lines, escape(self._outcome())])

    def _outcome(self) -> str:
        return f"{'ok' if self.ok else 'not ok'}: {self._sentence()}"

    def _effort(self) -> str:
        return f"{self.evaluations} evaluations of the loss ({self.method}), {self.seconds:.2g} s"

    def _deciders(self) -> Iterator[str]:
        """What decided how many weights, where it was not differences of the loss alone."""
        counts = {name: sum(array.decided_by.get(name, 0) for array in self.arrays.values()) for name in DECIDERS}
        if sum(counts.values()) > counts[DECIDERS[0]]:
            yield "decided by " + ", ".join(f"{name}: {number}" for name, number in counts.items() if number)

    def _lines(self) -> Iterator[str]:
        yield from _aligned([_COLUMNS, *(array.row(name) for name, array in self.arrays.items())])
        shown = self._shown()
        if shown:
            yield ""
            yield from (f"{entry}{self._where(entry)}" for entry in shown)
            yield from self._unshown()
        yield ""
        for point in self.points:
            yield f"checked {point}"
        yield from self.notes
        yield from self._deciders()
        yield self._effort()
        yield self._sentence()

    def _unshown(self) -> Iterator[str]:
        """How many more entries did not pass than are shown, if there are any."""
        more = sum(self._count(verdict) for verdict in Verdict if verdict is not Verdict.PASS) - len(self._shown())
        if more > 0:
            yield f"... and {more} more that did not pass; see report.arrays[name].verdicts"

    def _where(self, entry: Entry) -> str:
        return f" ({self.points[entry.point]})" if len(self.points) > 1 else ""

    def _shown(self) -> list[Entry]:
        """The worst entries that a reader should see: those that did not pass, else the few least certain."""
        other = [entry for entry in self.worst if entry.judgement.verdict is not Verdict.PASS]
        return other or list(self.worst[:_PLACES])

    def _count(self, verdict: Verdict) -> int:
        return sum(array.counts[verdict] for array in self.arrays.values())

    def _sentence(self) -> str:
        fail, blind, kink = (self._count(verdict) for verdict in (Verdict.FAIL, Verdict.BLIND, Verdict.KINK))
        total = f"{self.weights} weights"
        if fail or blind:
            counted = ((fail, "fail"), (blind, "could not be seen"))
            return f"Of {total}, {' and '.join(f'{number} {what}' for number, what in counted if number)}."
        if kink:
            jumps = sum(array.jumps for array in self.arrays.values())
            said = [f"{self.weights - kink} of {total} agree with the derivative"]
            if kink > jumps:
                said.append(
                    f"{kink - jumps} lie on a kink, with the gradient between the left and the right derivative"
                )
            if jumps:
                said.append(f"at {jumps} what is differentiated jumps, so that there is no derivative to agree with")
            return f"{'; '.join(said)}."
        return f"All {total} agree with the derivative."


def worst_entries(
    points: Sequence[Mapping[str, Judgements]], shapes: Sequence[Mapping[str, tuple[int, ...]]]
) -> tuple[Entry, ...]:
    """The entries to look at first, the worst in front, from the judgements at each point and the arrays' shapes."""
    candidates = (
        Entry(name, tuple(int(axis) for axis in np.unravel_index(place, shapes[number][name])), number, found[place])
        for number, arrays in enumerate(points)
        for name, found in arrays.items()
        for place in _worst_places(found)
    )
    return tuple(heapq.nlargest(_WORST, candidates, key=_badness))


def _worst_places(found: Judgements) -> list[int]:
    """The places of the worst few, in their order in the array."""
    size = np.where(found.passed & (found.gradient != 0), found.detectable, found.error)
    size = np.where(np.isnan(size), np.inf, size)
    # The last key counts most; of equals the first.
    return sorted(np.lexsort((np.arange(len(size)), -size, -found.verdict))[:_WORST].tolist())


def _badness(entry: Entry) -> tuple[int, float]:
    judgement = entry.judgement
    passed = judgement.verdict is Verdict.PASS and judgement.gradient != 0
    size = judgement.detectable if passed else judgement.error
    return judgement.verdict.rank, size if not math.isnan(size) else math.inf


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows with the first column to the left and the others to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells[0] = row[0].ljust(widths[0])
        yield "  ".join(cells).rstrip()


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _short(value: float | None) -> str:
    if value is None:
        return "-"
    return "0" if value == 0 else f"{value:.1e}"
