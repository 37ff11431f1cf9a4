"""Wires between two layers, with right angles: each has a level of its own where it runs across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

__all__ = ["STRAIGHT", "Net", "levels"]

STRAIGHT = 0.5
"""Ends that differ by less than this are taken to face each other."""
_CLEAR = 8.0
"""How far apart wires of different nets are to be."""
_ON_TOP = 10
"""Two wires on top of each other count as so many crossings."""


@dataclass(frozen=True)
class Net:
    """What leaves one place: where, and where its wires arrive in the next layer."""

    start: float
    arrivals: tuple[float, ...]

    @property
    def is_straight(self) -> bool:
        """Whether it needs no level."""
        return all(abs(arrival - self.start) < STRAIGHT for arrival in self.arrivals)

    @property
    def low(self) -> float:
        """Where it begins, across."""
        return min(self.start, *self.arrivals)

    @property
    def high(self) -> float:
        """Where it ends, across."""
        return max(self.start, *self.arrivals)

    @property
    def bend(self) -> float:
        """How far it goes to the one side, less how far to the other."""
        return sum(arrival - self.start for arrival in self.arrivals)


def levels(nets: Sequence[Net]) -> tuple[int, ...]:
    """The level of each net, from 0 on; -1 for one without. Nets that are clear of each other may share one."""
    bent = [number for number, net in enumerate(nets) if not net.is_straight]
    # Of the wires to one side the one that goes furthest is the first, so that those beside it need not cross it.
    order = sorted(bent, key=lambda n: nets[n].low if nets[n].bend < 0 else -nets[n].high)
    order = _with_few_crossings(nets, order)
    found: dict[int, int] = {}
    for place, number in enumerate(order):
        above = [found[other] + 1 for other in order[:place] if not _clear(nets[number], nets[other])]
        found[number] = max(above, default=0)
    return tuple(found.get(number, -1) for number in range(len(nets)))


def _clear(net: Net, other: Net) -> bool:
    return net.high + _CLEAR <= other.low or other.high + _CLEAR <= net.low


def _with_few_crossings(nets: Sequence[Net], order: Sequence[int]) -> list[int]:
    """``order`` with neighbours exchanged as long as that saves crossings."""
    current = list(order)
    costs = {(a, b): _crossings(nets[a], nets[b]) for pair in combinations(order, 2) for a, b in (pair, pair[::-1])}
    improved = True
    while improved:
        improved = False
        for place in range(len(current) - 1):
            a, b = current[place : place + 2]
            if costs[(b, a)] < costs[(a, b)]:
                current[place : place + 2] = [b, a]
                improved = True
    return current


def _crossings(first: Net, second: Net) -> int:
    """How often two nets cross if ``first`` has the level before that of ``second``."""
    # The first one's arrivals pass the level of the second, and the second one's start that of the first.
    count = sum(second.low < arrival < second.high for arrival in first.arrivals)
    count += first.low < second.start < first.high
    return count + _ON_TOP * sum(abs(arrival - second.start) < _CLEAR for arrival in first.arrivals)
