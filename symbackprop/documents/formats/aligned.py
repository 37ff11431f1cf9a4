"""The lines of a display in LaTeX, aligned at their relation signs and no longer than a page is wide."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.documents.layout import lines
from symbackprop.documents.tree import Display
from symbackprop.forms.breaks import unmarked

__all__ = ["aligned_lines"]


def aligned_lines(display: Display) -> Iterator[str]:
    """Each line with its ``&``; what goes on is set a little to the right of the relation sign."""
    for row in display.rows:
        first, *more = lines(row.left, row.right)
        yield f"{unmarked(row.left)} &{row.relation} {first}"
        yield from (rf"&\quad {line}" for line in more)
