"""Remarks on formulas, and the pieces that they become in the notes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Insertion", "Remark", "parts"]

_FORMULA = re.compile(r"\$((?:[^$\\]|\\.)+)\$")
_ATOM = re.compile(r"\\(?:begin|end|left|right|def|newcommand|input)\b|\\\\|\\.|[{}%#&`\x00-\x1f\x7f]|[^\x00-\x7f]")


@dataclass(frozen=True)
class Remark:
    """What is said of the formula from ``start`` up to ``stop``: ``mark`` in a few words, ``text`` in full.

    ``brief`` is what stands in a margin, where there is little room; None for the whole text.
    """

    start: int
    stop: int
    text: str
    mark: str
    brief: str | None = None


class Insertion(NamedTuple):
    """A piece that is put into the notes before the character at ``place``."""

    place: int
    text: str


def parts(text: str) -> list[tuple[bool, str]]:
    """The words and the formulas of a remark, told apart by whether it is a formula; what is not sound is words."""
    found, place = list[tuple[bool, str]](), 0
    plain = " ".join(text.split())
    for match in _FORMULA.finditer(plain):
        inside = match[1].strip()
        if not _is_sound(inside) or plain[match.end() : match.end() + 1].isdigit():
            continue
        found += ((False, plain[place : match.start()]), (True, inside))
        place = match.end()
    found.append((False, plain[place:]))
    return found


def _is_sound(latex: str) -> bool:
    """Whether this can be set as it is, anywhere: braces in pairs, and nothing that reaches out of the formula."""
    depth = 0
    for atom in _ATOM.findall(latex):
        if atom in ("{", "}"):
            depth += 1 if atom == "{" else -1
        elif not re.fullmatch(r"\\[A-Za-z,;:!_{}|]", atom):
            return False
        if depth < 0:
            return False
    return bool(latex) and not depth and not latex.endswith("\\")
