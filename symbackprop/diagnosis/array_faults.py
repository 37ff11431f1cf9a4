"""Faults that show in the arrays themselves: not finite, of another shape, transposed, exchanged, single entries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.diagnosis.candidates import Candidate
from symbackprop.diagnosis.evidence import Evidence

__all__ = ["array_faults", "not_finite", "of_few_decimals", "of_lower_precision", "wrong_shapes"]

Array = npt.NDArray[Any]

_FEW = 0.2
"""Up to what share of an array's entries may differ for the difference to be one of single entries."""
_LEAST = 2
_LARGEST = 8
_SMALLEST = 4096
"""What is called a rounding is at most an eighth of the tolerance for it, and not by far too small to be one."""
_MOST_DECIMALS = 13
_MOST_LINES = 400
"""Up to how many rows it is asked whether they have changed places."""


def not_finite(evidence: Evidence) -> list[Candidate]:
    """Arrays with an entry that is NaN or infinite: nothing else can be said of them."""
    found = []
    for name in sorted(evidence.wrong):
        bad = np.argwhere(~np.isfinite(evidence.theirs[name]))
        if len(bad):
            at = _at(name, bad[0])
            array = evidence.theirs[name]
            what = f"{len(bad)} of {array.size} entries of the gradient of {name} are not finite"
            text = f"{what}; {at} is {array[tuple(bad[0])]}."
            found.append(Candidate("not finite", ("not finite",), name, text, entries=len(bad)))
    return found


def of_lower_precision(evidence: Evidence, wider: Evidence, dtype: str) -> list[Candidate]:
    """Whether what is wrong is right in a coarser type: somewhere inside something is computed in that."""
    if not evidence.wrong:
        return []
    names = ", ".join(sorted(evidence.wrong))
    remedy = f"if it is meant to be, say dtype={dtype!r}"
    if all(_is_cast(evidence, name, dtype) for name in evidence.wrong):
        text = f"{names}: rounded to {dtype}, and right but for that; {remedy}."
        return [Candidate("rounding", ("rounding",), names, text, "rounded")]
    # What passes through a coarser type shows in every gradient.
    everywhere = all(name in evidence.wrong or not array.any() for name, array in evidence.right.items())
    if everywhere and all(_is_rough(evidence, wider, name) for name in evidence.wrong):
        text = (
            f"{names}: right to the precision of {dtype}, and no further: something is computed in {dtype} on the "
            f"way; {remedy}."
        )
        return [Candidate("rounding", ("rounding",), names, text, "computed in a coarser type")]
    return []


def of_few_decimals(evidence: Evidence) -> list[Candidate]:
    """Whether what is wrong is the right number rounded to so many decimals."""
    places = {name: _decimals(evidence, name) for name in evidence.wrong}
    if not evidence.wrong or None in places.values() or len(set(places.values())) > 1:
        return []
    names, decimals = ", ".join(sorted(evidence.wrong)), next(iter(places.values()))
    text = f"{names}: rounded to {decimals} decimals, and right but for that."
    return [Candidate("rounding", ("rounding",), names, text, f"rounded to {decimals} decimals")]


def array_faults(evidence: Evidence) -> dict[str, list[Candidate]]:
    """For each wrong array what its entries alone tell."""
    found: dict[str, list[Candidate]] = {}
    for name in sorted(evidence.wrong):
        candidates = [candidate for check in _CHECKS for candidate in check(evidence, name)]
        if candidates:
            found[name] = candidates
    return found


def wrong_shapes(evidence: Evidence) -> list[Candidate]:
    """Arrays whose shape cannot be that of the gradient."""
    found = []
    for name in sorted(evidence.wrong):
        theirs, mine = evidence.theirs[name], evidence.right[name]
        if theirs.shape != mine.shape:
            text = f"The gradient of {name} has shape {theirs.shape}, but {name} has {mine.shape}."
            found.append(Candidate("shape", ("shape",), name, text))
    return found


def _is_rough(evidence: Evidence, wider: Evidence, name: str) -> bool:
    """Whether an array is off by roundings of single precision: everywhere, each entry by its own."""
    theirs, mine = evidence.theirs[name], evidence.right[name]
    if theirs.shape != mine.shape:
        return False
    distance, some = evidence.differences(name), mine != 0
    share = distance[some] / wider.tolerance[name][some]
    if not (distance <= wider.tolerance[name] / _LARGEST).all() or not some.any() or np.median(share) < 1 / _SMALLEST:
        return False
    errors = (theirs[some] - mine[some]) / mine[some]
    everywhere = np.count_nonzero(distance[some] > evidence.tolerance[name][some]) >= errors.size / 2
    return bool(everywhere and (errors.size < _LEAST or np.ptp(errors) > np.abs(errors).max() / 10))


def _is_cast(evidence: Evidence, name: str, dtype: str) -> bool:
    """Whether an array is the right one rounded to the type ``dtype``."""
    theirs, mine = evidence.theirs[name], evidence.right[name]
    if theirs.shape != mine.shape:
        return False
    with np.errstate(all="ignore"):
        same = theirs.astype(dtype).astype(float) == theirs
        half = np.abs(np.spacing(mine.astype(dtype)).astype(float))
    return bool(same.all() and (evidence.differences(name) <= half + evidence.tolerance[name]).all())


def _decimals(evidence: Evidence, name: str) -> int | None:
    """To how many decimals an array was rounded, if it was."""
    theirs, mine = evidence.theirs[name], evidence.right[name]
    if theirs.shape != mine.shape or not theirs.any():
        return None
    for decimals in range(_MOST_DECIMALS):
        if (np.abs(theirs - np.round(mine, decimals)) <= evidence.tolerance[name]).all():
            return decimals
    return None


def _transposed(evidence: Evidence, name: str) -> Iterator[Candidate]:
    theirs, mine = evidence.theirs[name], evidence.right[name]
    if evidence.is_transposed(name):
        text = f"The gradient of {name} is right, but transposed: shape {theirs.shape} where {name} has {mine.shape}."
        yield Candidate("transposed", ("transposed",), name, text, entries=theirs.size)


def _nothing(evidence: Evidence, name: str) -> Iterator[Candidate]:
    theirs = evidence.theirs[name]
    if theirs.shape == evidence.right[name].shape and not theirs.any():
        text = f"The gradient of {name} is 0 in every entry."
        yield Candidate("cut off", ("cut off",), name, text, "0 in every entry", entries=evidence.wrong_entries(name))


def _swapped(evidence: Evidence, name: str) -> Iterator[Candidate]:
    for other in evidence.right:
        if other != name and evidence.right[other].any() and _same(evidence, name, other):
            text = f"The array given for {name} is the gradient of {other}."
            yield Candidate("swapped arrays", ("swapped arrays",), name, text, entries=evidence.theirs[name].size)


def _single_entries(evidence: Evidence, name: str) -> Iterator[Candidate]:
    theirs, mine = evidence.theirs[name], evidence.right[name]
    if theirs.shape != mine.shape or mine.size < _LEAST:
        return
    bad = np.argwhere(evidence.differences(name) > evidence.tolerance[name])
    if not 0 < len(bad) <= max(1, int(_FEW * mine.size)):
        return
    shown = ", ".join(
        f"{_at(name, at)} is {theirs[tuple(at)]:.10g} and should be {mine[tuple(at)]:.10g}" for at in bad[:3]
    )
    more = f", and {len(bad) - 3} more" if len(bad) > 3 else ""
    pair = _exchanged_pair(evidence, name, bad)
    what = f"Two entries of the gradient of {name} have changed places" if pair else _counted(len(bad), mine.size, name)
    text = f"{what}: {shown}{more}; the other {mine.size - len(bad)} are right."
    yield Candidate("entries", ("entries",), name, text, entries=len(bad))


def _moved_lines(evidence: Evidence, name: str) -> Iterator[Candidate]:
    """Rows, or columns, that are right but stand in another order."""
    theirs, mine = evidence.theirs[name], evidence.right[name]
    if theirs.shape != mine.shape or mine.ndim != 2:
        return
    for axis, what in enumerate(("row", "column")):
        if not 1 < mine.shape[axis] <= _MOST_LINES:
            continue
        given, right, slack = (np.moveaxis(a, axis, 0) for a in (theirs, mine, evidence.tolerance[name]))
        same = (np.abs(given[:, None] - right[None]) <= slack[None]).all(axis=-1)
        if not same.any(axis=1).all() or not same.any(axis=0).all():
            continue
        place = int(np.argmin(np.diagonal(same)))
        holds = int(np.argmax(same[place]))
        text = (
            f"The {what}s of the gradient of {name} are right, but stand in another order: "
            f"{what} {place} holds {what} {holds}."
        )
        yield Candidate("entries", ("entries",), name, text, entries=theirs.size)


def _counted(bad: int, size: int, name: str) -> str:
    return f"{bad} of {size} entries of the gradient of {name} {'is' if bad == 1 else 'are'} wrong"


def _exchanged_pair(evidence: Evidence, name: str, bad: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> bool:
    if len(bad) != 2:
        return False
    first, second = map(tuple, bad)
    theirs, mine, slack = evidence.theirs[name], evidence.right[name], evidence.tolerance[name]
    distance = max(abs(theirs[first] - mine[second]), abs(theirs[second] - mine[first]))
    return bool(distance <= slack[first] + slack[second])


def _same(evidence: Evidence, name: str, other: str) -> bool:
    """Whether the array given for ``name`` is the right one for ``other``."""
    theirs, mine = evidence.theirs[name], evidence.right[other]
    return theirs.shape == mine.shape and bool((np.abs(theirs - mine) <= evidence.tolerance[other]).all())


def _at(name: str, position: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> str:
    return f"{name}[{', '.join(str(int(axis)) for axis in position)}]" if len(position) else name


_CHECKS = (_nothing, _transposed, _swapped, _single_entries, _moved_lines)
