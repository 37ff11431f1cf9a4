"""Names for the sections of a page, to link to."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["anchors"]

_WORD = re.compile(r"\w+")


def anchors(titles: Iterable[str], taken: Iterable[str] = ()) -> tuple[str, ...]:
    """A name for each title, made of its words; none twice, and none that is ``taken``."""
    used = set(taken)
    found = []
    for title in titles:
        plain = "-".join(_WORD.findall(title.lower())) or "section"
        name, count = plain, 1
        while name in used:
            count += 1
            name = f"{plain}-{count}"
        used.add(name)
        found.append(name)
    return tuple(found)
