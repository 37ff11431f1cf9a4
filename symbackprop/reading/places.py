"""Where things stand in a text: line and column of an offset, and stretches that are blanked in place."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Lines", "Span", "blanked", "holder"]


class Span(NamedTuple):
    """A stretch of a text, from ``start`` up to ``stop``."""

    start: int
    stop: int


class Lines:
    """The lines of a text."""

    def __init__(self, text: str) -> None:
        starts, place = [0], text.find("\n")
        while place >= 0:
            starts.append(place + 1)
            place = text.find("\n", place + 1)
        self.starts: tuple[int, ...] = tuple(starts)

    def number(self, offset: int) -> int:
        """The number of the line that holds ``offset``, from 0."""
        return bisect_right(self.starts, offset) - 1

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of ``offset``, both from 1."""
        line = self.number(offset)
        return line + 1, offset - self.starts[line] + 1


def holder(spans: Sequence[Span], offset: int) -> Span | None:
    """The one of ``spans``, which stand in order and apart from each other, that holds ``offset``."""
    number = bisect_right(spans, offset, key=lambda span: span.start) - 1
    return spans[number] if number >= 0 and offset < spans[number].stop else None


def blanked(text: str, whole: Span, spans: Sequence[Span]) -> str:
    """What stands in ``whole``, with spaces for all that is in ``spans`` (in order); ends of lines stay."""
    parts, place = list[str](), whole.start
    number = max(bisect_right(spans, whole.start, key=lambda span: span.start) - 1, 0)
    while number < len(spans) and spans[number].start < whole.stop:
        start, stop = max(spans[number].start, place), min(spans[number].stop, whole.stop)
        if start < stop:
            hidden = "".join(letter if letter in "\r\n" else " " for letter in text[start:stop])
            parts += (text[place:start], hidden)
            place = stop
        number += 1
    return "".join((*parts, text[place : whole.stop]))
