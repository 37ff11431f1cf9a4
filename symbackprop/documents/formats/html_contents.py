"""The table of contents of a page, which opens without a script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbackprop.documents.formats.html_blocks import escape
from symbackprop.documents.tree import Heading

__all__ = ["contents"]

_FEWEST = 4
"""With fewer sections there is nothing to look up."""


def contents(title: str, headings: Sequence[Heading], anchors: Sequence[str]) -> str:
    """Links to the sections and to their parts, below ``title``; empty where they are few."""
    if sum(heading.level == 1 for heading in headings) < _FEWEST:
        return ""
    listed = "\n".join(_items(list(zip(headings, anchors, strict=True))))
    return f"<nav><details>\n<summary>{escape(title)}</summary>\n<ol>\n{listed}\n</ol>\n</details></nav>\n"


def _items(entries: Sequence[tuple[Heading, str]]) -> Iterator[str]:
    """One item a section, with a list of its parts."""
    starts = [place for place, (heading, _) in enumerate(entries) if heading.level == 1]
    for start, end in zip(starts, [*starts[1:], len(entries)], strict=True):
        parts = "".join(f"<li>{_link(*entry)}</li>" for entry in entries[start + 1 : end] if entry[0].level == 2)
        yield f"<li>{_link(*entries[start])}{f'<ul>{parts}</ul>' if parts else ''}</li>"


def _link(heading: Heading, anchor: str) -> str:
    return f'<a href="#{anchor}">{escape(heading.title)}</a>'
