"""A drawing as a plain value: circles, boxes, lines, dots and labels, which know of no format.

A unit is about 0.7 points on paper and a pixel on a screen; x goes to the right and y down, as on a screen.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from symbackprop.forms.signs import Sign

__all__ = [
    "Anchor",
    "Box",
    "Circle",
    "Dots",
    "Drawing",
    "Ink",
    "Label",
    "Lettering",
    "Line",
    "Mark",
    "Point",
    "Size",
    "Tip",
    "plain_text",
]

Point = tuple[float, float]
Lettering = tuple[Sign | str, ...]
"""What a label says: symbols and numbers as signs, running text as strings."""


class Ink(enum.Enum):
    """What a line stands for: the way of the values, the way of the derivatives, or neither."""

    FORWARD = "forward"
    BACKWARD = "backward"
    PLAIN = "plain"


class Tip(enum.Enum):
    """Which end of a line has an arrowhead."""

    NONE = "none"
    START = "start"
    END = "end"


class Anchor(enum.Enum):
    """Which part of a label stands at its point."""

    LEFT = "left"
    MIDDLE = "middle"
    RIGHT = "right"


class Size(enum.Enum):
    """The size of a label's letters, in units."""

    NORMAL = 14.0
    SMALL = 11.2


@dataclass(frozen=True)
class Circle:
    """A circle without filling."""

    center: Point
    radius: float


@dataclass(frozen=True)
class Box:
    """A box without filling from ``corner``, its upper left one; ``rounded`` at the corners or not."""

    corner: Point
    width: float
    height: float
    rounded: bool = False

    @property
    def opposite(self) -> Point:
        """The lower right corner."""
        return self.corner[0] + self.width, self.corner[1] + self.height


@dataclass(frozen=True)
class Line:
    """Straight strokes from point to point; the corners between them are ``rounded`` or not."""

    points: tuple[Point, ...]
    ink: Ink = Ink.PLAIN
    tip: Tip = Tip.NONE
    rounded: bool = False


@dataclass(frozen=True)
class Dots:
    """Three dots that say "and so on", around ``center``."""

    center: Point
    upright: bool = False


@dataclass(frozen=True)
class Label:
    """Text at a point of its baseline."""

    at: Point
    text: Lettering
    size: Size = Size.NORMAL
    anchor: Anchor = Anchor.MIDDLE

    @property
    def plain(self) -> str:
        """The letters alone, in reading order."""
        return plain_text(self.text)


Mark = Circle | Box | Line | Dots | Label


@dataclass(frozen=True)
class Drawing:
    """Marks on a ground of ``width`` by ``height``; ``alternative`` says in words what is seen."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    title: str
    alternative: str


def plain_text(text: Lettering) -> str:
    """The letters of a text alone, in reading order."""
    return "".join(part if isinstance(part, str) else _plain(part) for part in text)


def _plain(sign: Sign) -> str:
    return "".join(letters.plain for letters in (sign.base, *sign.above, *sign.below))
