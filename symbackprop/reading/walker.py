"""The stretches of mathematics in a text of notes, with their places, and the commands that the notes define.

Where mathematics begins and ends is told by a scanner of our own (see ``scanner``, which says why pylatexenc does not
do it); pylatexenc turns the headings of tables in LaTeX into plain words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from symbackprop.errors import UsageError, nearest
from symbackprop.reading.markdown_walker import walk_markdown
from symbackprop.reading.sources import Source
from symbackprop.reading.tex_walker import walk_tex

__all__ = ["kind_of", "walk"]

_SUFFIXES: Mapping[str, str] = {
    ".tex": "tex",
    ".ltx": "tex",
    ".latex": "tex",
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdown": "markdown",
}
_WALKERS: Mapping[str, Callable[[str], Source]] = {"tex": walk_tex, "markdown": walk_markdown}


def walk(text: str, kind: str) -> Source:
    """Every stretch of mathematics in ``text``, in order, and the macros; ``kind`` is "tex" or "markdown"."""
    if kind not in _WALKERS:
        raise UsageError(f"notes are of the kind tex or markdown, not {kind!r}; {nearest(kind, _WALKERS)}")
    return _WALKERS[kind](text)


def kind_of(path: str | Path) -> str:
    """The kind of notes that a file holds, by its suffix."""
    suffix = Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        known = ", ".join(_SUFFIXES)
        raise UsageError(f"{path} is no file of notes by its suffix {suffix!r}; known are {known}")
    return _SUFFIXES[suffix]
