"""How much room a label takes: never less than it does in the fonts that documents are set in.

Which font a browser has is not known, so a letter counts as wide as in the widest of Computer Modern, Times (STIX) and
DejaVu Serif; bold letters a tenth more.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.documents.drawings.drawing import Anchor, Label, Lettering, Point, Size
from symbackprop.forms.signs import Letters, Sign, Style

__all__ = ["ASCENT", "DROP", "RAISE", "SCRIPT", "Extent", "ascent", "descent", "extent", "width"]

SCRIPT = 0.72
"""The size of what stands above and below, of that of the letters."""
RAISE = 0.42
DROP = 0.24
"""How far the baselines of what stands above and below are away, of the size of the letters."""
ASCENT = 0.78
_DESCENT = 0.25
_BOLD = 1.12
_CLASSES = (
    (0.36, " ,.;:'il\u00b7"),
    (0.42, "()[]!-jt"),
    (0.50, "rfI/\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089"),
    (0.58, 'csvxyzJ\u2202?\u2113"*'),
    (0.66, "0123456789abdeghnopqu_{}k"),
    (0.77, "AEFLPRSTVYZ"),
    (0.88, "BCDGHKNOQUXw+=<>\u2212\u00d7"),
    (1.08, "mMW\u2026"),
)
_WIDTHS = {letter: width for width, letters in _CLASSES for letter in letters}
_GREEK_WIDTHS = {"\u03c9": 0.86, "\u03c6": 0.82, "\u03c8": 0.85, "\u03b9": 0.5}
_SMALL_GREEK, _CAPITAL_GREEK = 0.70, 0.90
_LATIN = 0.9
_BEYOND = 0x180
_SPELLED = 5.2
"""A letter that the fonts of LaTeX do not have is spelled there by its code point."""


@dataclass(frozen=True)
class Extent:
    """A rectangle between two corners."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Extent) -> bool:
        """Whether the two have a point inside in common."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def holds(self, other: Extent) -> bool:
        """Whether ``other`` lies in this one."""
        across = self.left <= other.left and other.right <= self.right
        return across and self.top <= other.top and other.bottom <= self.bottom

    def part(self, start: Point, end: Point) -> tuple[float, float] | None:
        """The part of the stroke from ``start`` to ``end`` that lies inside, as fractions of it; None if none does."""
        first, last = 0.0, 1.0
        for low, high, a, b in (
            (self.left, self.right, start[0], end[0]),
            (self.top, self.bottom, start[1], end[1]),
        ):
            if a == b and not low < a < high:
                return None
            if a != b:
                enters, leaves = sorted(((low - a) / (b - a), (high - a) / (b - a)))
                first, last = max(first, enters), min(last, leaves)
        return (first, last) if first < last else None

    def grown(self, margin: float) -> Extent:
        """The same with a margin around."""
        return Extent(self.left - margin, self.top - margin, self.right + margin, self.bottom + margin)


def extent(label: Label) -> Extent:
    """The rectangle that a label lies in."""
    x, y = label.at
    wide = width(label.text, label.size)
    left = x - {Anchor.LEFT: 0.0, Anchor.MIDDLE: wide / 2, Anchor.RIGHT: wide}[label.anchor]
    return Extent(left, y - ascent(label.text, label.size), left + wide, y + descent(label.text, label.size))


def width(text: Lettering, size: Size) -> float:
    """How wide a label is, at most."""
    return size.value * sum(_words(part) if isinstance(part, str) else _sign(part) for part in text)


def ascent(text: Lettering, size: Size) -> float:
    """How high it reaches above its baseline, at most."""
    raised = any(isinstance(part, Sign) and part.above for part in text)
    return size.value * (RAISE + SCRIPT * ASCENT if raised else ASCENT)


def descent(text: Lettering, size: Size) -> float:
    """How deep it reaches below its baseline, at most."""
    lowered = any(isinstance(part, Sign) and part.below for part in text)
    return size.value * (DROP + SCRIPT * _DESCENT if lowered else _DESCENT)


def _sign(sign: Sign) -> float:
    scripts = max(sum(map(_letters, part)) for part in (sign.above, sign.below))
    return _letters(sign.base) + SCRIPT * scripts


def _letters(letters: Letters) -> float:
    return _words(letters.plain) * (_BOLD if letters.style is Style.BOLD else 1)


def _words(text: str) -> float:
    return sum(map(_letter, text))


def _letter(letter: str) -> float:
    if letter in _WIDTHS:
        return _WIDTHS[letter]
    if "\u0391" <= letter <= "\u03c9":
        return _GREEK_WIDTHS.get(letter, _SMALL_GREEK if letter.islower() else _CAPITAL_GREEK)
    return _LATIN if ord(letter) < _BEYOND else _SPELLED
