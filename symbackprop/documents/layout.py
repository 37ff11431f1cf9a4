"""How wide mathematics is, and where a line of it is broken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from symbackprop.forms.breaks import beginning, is_sign, split, unmarked
from symbackprop.forms.widths import glyphs

__all__ = ["WIDTH", "ems", "glyphs", "lines"]

WIDTH = 72
"""About how many glyphs fit on a line."""
_RELATION, _INDENT = 3, 2
"""What a relation takes, and the indent of a line that goes on, which stands to the right of the relation."""

_EM_A_GLYPH, _EM_A_DIGIT, _EM_BETWEEN, _EM_BRACKETS, _EM_MORE = 0.6, 0.5, 0.8, 1.75, 0.4
"""Measured in the font of the documents."""
_WIDER = re.compile(r"\\left\b|\\right\b|\\bigg[lr]|\\odot\b| [-+] ")
"""Brackets that grow, and signs with space around them: wider than other glyphs."""
_MATRIX = re.compile(r"\\begin\{[a-z]*matrix\}(.*?)\\end\{[a-z]*matrix\}", re.DOTALL)


def lines(left: str, pieces: Sequence[str], width: int = WIDTH) -> Iterator[str]:
    """``pieces`` joined to lines of at most ``width`` glyphs, broken between them and at the best of their marks."""
    filled = _Lines(width - glyphs(left) - _RELATION)
    filled.add([(beginning(piece), piece if place == 0 else f" {piece}") for place, piece in enumerate(pieces)])
    return (unmarked(line).strip() for line in filled.done)


class _Lines:
    """Lines that are being filled; ``room`` is that of the first."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.done = [""]
        self.used = 0.0

    def add(self, parts: Sequence[tuple[str, str]]) -> None:
        """The parts between places to break, each behind its mark: whole where they fit on a line, else broken too.

        A summand that is longer than a line begins a line, and a factor goes on where the line is.
        """
        for place, part in parts:
            size = ems(part) / _EM_A_GLYPH + 1
            smaller = split(part)
            further = self.room - _INDENT
            fits = self.used + size <= (self.room if len(self.done) == 1 else further)
            goes_on = size > further and len(smaller) > 1 and not is_sign(place)
            if self.used and not fits and not goes_on:
                self.done.append("")
                self.used = 0.0
                fits = size <= further
            if fits or len(smaller) == 1:
                self.done[-1] += part
                self.used += size
            else:
                self.add((("", smaller[0][1]), *smaller[1:]))


def ems(latex: str) -> float:
    """About how wide ``latex`` is, in ems; seldom less wide than it turns out."""
    latex = unmarked(latex)
    matrix = _MATRIX.search(latex)
    if matrix is None:
        return _EM_A_GLYPH * glyphs(latex) + _EM_MORE * len(_WIDER.findall(latex))
    before, after = latex[: matrix.start()], latex[matrix.end() :]
    rows = [row.split("&") for row in matrix[1].split(r"\\")]
    columns = zip_longest(*rows, fillvalue="")
    inside = sum(_EM_A_DIGIT * max(map(glyphs, column)) + _EM_BETWEEN for column in columns)
    return ems(before) + _EM_BRACKETS + inside + ems(after)
