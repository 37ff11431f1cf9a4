"""Where along its edge each label stands, so that none touches another and few edges have to make way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.documents.drawings.drawing import Line, Point
from symbackprop.documents.drawings.extents import Extent

__all__ = ["Edge", "Placement", "cut", "placed"]

_PLACES = tuple(sorted((step / 32 for step in range(4, 29)), key=lambda place: (abs(place - 0.5), place)))
"""Fractions of an edge's length, the middle first."""
_ROUNDS = 6
_TOUCHING, _CROSSED, _NEAR = 1000, 5, 1
"""What it costs that a label touches another, that the edge of another runs into it, and that it runs close by."""
_APART, _CLOSE = 2.0, 5.0


@dataclass(frozen=True)
class Edge:
    """A stroke, and the room that its label takes: how wide, and how far above and below its middle."""

    start: Point
    end: Point
    wide: float
    high: float

    def room(self, place: float) -> Extent:
        """The rectangle of the label at this fraction of the edge."""
        x, y = self.at(place)
        return Extent(x - self.wide / 2, y - self.high / 2, x + self.wide / 2, y + self.high / 2)

    def at(self, place: float) -> Point:
        """The point at this fraction of the edge."""
        (x, y), (u, v) = self.start, self.end
        return x + place * (u - x), y + place * (v - y)


@dataclass(frozen=True)
class Placement:
    """A fraction of each edge; ``cost`` is the larger the more edges run through the labels of others, or close by."""

    places: tuple[float, ...]
    cost: int


def placed(edges: Sequence[Edge]) -> Placement | None:
    """A place for each edge's label between the columns that the edges join; None where they cannot but touch."""
    choices = [_choices(edges, number) for number in range(len(edges))]
    if not all(choices):
        return None
    chosen = [options[0] for options in choices]

    def touching(number: int, choice: _Choice) -> int:
        near = choice.room.grown(_APART)
        return sum(near.meets(other.room) for place, other in enumerate(chosen) if place != number)

    # Each label moves to its best place while the others stay, until none of them moves any more.
    for _ in range(_ROUNDS):
        before = list(chosen)
        for number, options in enumerate(choices):
            costs = [option.cost + _TOUCHING * touching(number, option) for option in options]
            chosen[number] = options[costs.index(min(costs))]
        if chosen == before:
            break
    if any(touching(number, choice) for number, choice in enumerate(chosen)):
        return None
    return Placement(tuple(choice.place for choice in chosen), sum(choice.cost for choice in chosen))


@dataclass(frozen=True)
class _Choice:
    """A place for a label, the room that it takes there, and what it costs because of the other edges."""

    place: float
    room: Extent
    cost: int


def _choices(edges: Sequence[Edge], number: int) -> list[_Choice]:
    """The places that a label can have, between the columns; the middle first."""
    left, right = max(edge.start[0] for edge in edges), min(edge.end[0] for edge in edges)
    strokes = [(edge.start, edge.end) for other, edge in enumerate(edges) if other != number]
    found = []
    for place in _PLACES:
        room = edges[number].room(place)
        if left <= room.left and room.right <= right:
            close = room.grown(_CLOSE)
            near = [stroke for stroke in strokes if close.part(*stroke) is not None]
            crossed = sum(room.part(*stroke) is not None for stroke in near)
            found.append(_Choice(place, room, _CROSSED * crossed + _NEAR * len(near)))
    return found


def cut(start: Point, end: Point, rooms: Sequence[Extent]) -> tuple[Line, ...]:
    """The stroke without what lies in one of the rectangles."""
    parts = sorted(filter(None, (room.part(start, end) for room in rooms)))
    lines = []
    here = 0.0

    def at(place: float) -> Point:
        return start[0] + place * (end[0] - start[0]), start[1] + place * (end[1] - start[1])

    for enters, leaves in parts:
        if enters > here:
            lines.append(Line((at(here), at(enters))))
        here = max(here, leaves)
    if here < 1:
        lines.append(Line((at(here), at(1.0))))
    return tuple(lines)
