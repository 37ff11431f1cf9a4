"""Positions in rows: each place as near to what pulls at it as its row allows, so that wires are straight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

__all__ = ["Place", "Pull", "aligned"]

Place = tuple[str, int]
"""A node and one of the layers that it or its lane is in."""
Pull = tuple[Place, float, float]
"""A place, how far from it one wants to be, and how strongly."""
_ROUNDS = 240
_BLUNTEST, _SHARPEST = 200.0, 0.2
_LEAST = 1e-6


def aligned(
    rows: Sequence[Sequence[Place]],
    rooms: Mapping[Place, tuple[float, float]],
    pulls: Mapping[Place, Sequence[Pull]],
    gap: float,
) -> dict[Place, float]:
    """A position for each place, in the order of its row; ``rooms`` says how far it reaches to either side."""
    spines = {place: 0.0 for row in rows for place in row}
    full = [(row, _offsets([rooms[place] for place in row], gap)) for row in rows if row]
    for number in range(_ROUNDS):
        # At first squares of the distances count, at last the distances: one bend is better than many small ones.
        blunt = _BLUNTEST * (_SHARPEST / _BLUNTEST) ** (number / _ROUNDS)
        for row, offsets in full[:: 1 if number % 2 else -1]:
            wishes = [_wish(spines, place, pulls.get(place, ()), blunt) for place in row]
            settled = _in_order([(want - offset, pull) for (want, pull), offset in zip(wishes, offsets, strict=True)])
            spines.update(zip(row, map(sum, zip(settled, offsets, strict=True)), strict=True))
    # So that the last bits of a machine's arithmetic do not show.
    return {place: round(spine, 1) for place, spine in spines.items()}


def _offsets(rooms: Sequence[tuple[float, float]], gap: float) -> list[float]:
    """How far each place of a row is at least from the first one."""
    return list(accumulate((after + gap + before for (_, after), (before, _) in pairwise(rooms)), initial=0.0))


def _wish(spines: Mapping[Place, float], place: Place, pulls: Sequence[Pull], blunt: float) -> tuple[float, float]:
    """Where a place would be, and how strongly it is pulled there."""
    here = spines[place]
    at = total = 0.0
    for other, shift, strength in pulls:
        there = spines[other] + shift
        weight = strength / (blunt + abs(there - here))
        at += there * weight
        total += weight
    return (at / total, total) if total else (here, _LEAST)


def _in_order(wishes: Sequence[tuple[float, float]]) -> list[float]:
    """The numbers nearest to those wished for, by weighted squares, of which none is smaller than the one before it."""
    blocks: list[tuple[float, float, int]] = []
    for mean, weight in wishes:
        count = 1
        while blocks and blocks[-1][0] > mean:
            before, heavy, more = blocks.pop()
            mean = (before * heavy + mean * weight) / (heavy + weight)
            weight, count = heavy + weight, count + more
        blocks.append((mean, weight, count))
    return [mean for mean, _, count in blocks for _ in range(count)]
