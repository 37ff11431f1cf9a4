"""Formulas in HTML: lines below each other at their relation signs, and where they go on where a window is narrow.

A line is a row of ``math`` elements between which the browser may break it. What it must know about their widths is
estimated here, and the style sheet, ``data/page.css``, does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from symbackprop.documents.formats.mathml import mathml
from symbackprop.documents.layout import ems
from symbackprop.documents.tree import Display, Row
from symbackprop.forms.breaks import Rank, beginning, chunks, mark, marked_chunks

__all__ = ["inline", "lines"]

_MOST = 18
"""Up to this many glyphs stay together; beside the left side, a telephone has room for about so many."""
_LARGER = 1.1
"""How much larger mathematics is set than text, as the style sheet says."""
_INDENT = 2.6
"""How many ems a relation sign takes, and the indent of a line that goes on."""
_LARGE, _SMALL, _TINY = 42, 23, 17
"""About how many ems of mathematics fit on any window, on one of 500 pixels, and on a telephone."""
_JOINTS = (mark(Rank.RELATION), mark(Rank.SIGN))
"""Where a line goes on: rather before a relation than before a term."""
_TERMS = ((14, "term"), (26, "long term"))
"""Up to how many ems a term stays on one line: everywhere, and on wide windows."""


def inline(latex: str) -> str:
    """A formula in running text."""
    return _joined([latex])


def lines(display: Display) -> str:
    """The lines of a display.

    What is wider than small windows is not aligned there, and set smaller where one part of it is wider than they are;
    what is wider than any window is not aligned at all.
    """
    left, right = max(ems(row.left) for row in display.rows), max(map(_widest, display.rows))
    aligned = left + right < _LARGE
    flows = aligned and left > _SMALL / 3 and left + right > _SMALL
    shown = (_line(row if aligned else _unaligned(row), left if aligned and not flows else 0) for row in display.rows)
    return f'<div class="lines{" flows" * flows}"><div>\n{"".join(shown)}</div></div>'


def _widest(row: Row) -> float:
    """How many ems the widest part takes that is not broken, with what stands before it."""
    return _INDENT + max(ems(chunk) for piece in row.right for chunk in chunks(piece, _MOST))


def _unaligned(row: Row) -> Row:
    first, *more = row.right
    return Row("", (row.left, f"{row.relation} {first}", *more), "")


def _line(row: Row, left: float) -> str:
    """One line, to the right of what takes ``left`` ems."""
    cells = (
        ("left", _joined([row.left], display=True)),
        ("relation", mathml(row.relation) if row.relation else ""),
        ("right", _joined(row.right, display=True)),
    )
    wide = _widest(row)
    sizes = f"--left: {left * _LARGER:.1f}; --wide: {wide * _LARGER:.1f}"
    shrinks = f' shrinks" style="{sizes}' if left + wide > _TINY else ""
    content = "".join(f'<div class="{name}">{shown}</div>' for name, shown in cells)
    return f'<div class="line{shrinks}">{content}</div>\n'


def _joined(pieces: Sequence[str], *, display: bool = False) -> str:
    """Formulas side by side, between which the line may be broken."""
    marked = [
        (place or beginning(piece), chunk)
        for piece in pieces
        for place, chunk in marked_chunks(piece, _MOST)
        if chunk.strip()
    ]
    parts = [chunk for _, chunk in marked]
    shown = [mathml(part, display=display, continued=place > 0) for place, part in enumerate(parts)]
    joint = next((joint for joint in _JOINTS if any(place == joint for place, _ in marked[1:])), None)
    starts = [0, *(place for place in range(1, len(parts)) if marked[place][0] == joint), len(parts)]
    return "<wbr/>".join(_term(parts[start:end], shown[start:end]) for start, end in pairwise(starts))


def _term(parts: Sequence[str], shown: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(shown)
    wide = sum(map(ems, parts))
    kind = next((kind for limit, kind in _TERMS if wide < limit), "wide term")
    return f'<span class="{kind}">{"<wbr/>".join(shown)}</span>'
