"""How wide mathematics is, and where a line of it is broken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

__all__ = ["WIDTH", "glyphs", "lines"]

WIDTH = 72
"""About how many glyphs fit on a line."""

_INVISIBLE = frozenset(("left", "right", "quad", "mathrm", "mathbf", "mathit", "operatorname", "text"))
_TOKEN = re.compile(r"\\([A-Za-z]+)|\\(.)|([{}^_\s&])|(.)")


def glyphs(latex: str) -> int:
    """Roughly how many glyphs ``latex`` shows in a row. A fraction counts as its wider half."""
    width = 0
    rest = latex
    while rest:
        if rest.startswith((r"\frac{", r"\tfrac{")):
            above, rest = _group(rest[rest.index("{") :])
            below, rest = _group(rest)
            width += max(glyphs(above), glyphs(below))
            continue
        match = _TOKEN.match(rest)
        if match is None:
            rest = rest[1:]
            continue
        command, escaped, silent, _ = match.groups()
        if command is not None:
            width += (
                1 if command == "partial" else 0 if command in _INVISIBLE else len(command) if _spelled(command) else 1
            )
        elif escaped is None and silent is None:
            width += 1
        rest = rest[match.end() :]
    return width


def _spelled(command: str) -> bool:
    return command in ("log", "exp", "tanh", "max", "cosh", "sinh", "sin", "cos")


def _group(text: str) -> tuple[str, str]:
    """The first braced group of ``text`` and what follows."""
    if not text.startswith("{"):
        return text[:1], text[1:]
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        if depth == 0:
            return text[1:place], text[place + 1 :]
    return text[1:], ""


def lines(left: str, pieces: Sequence[str], width: int = WIDTH) -> Iterator[str]:
    """``pieces`` joined to lines of at most ``width`` glyphs where they allow it."""
    line = ""
    used = glyphs(left) + 3
    for piece in pieces:
        size = glyphs(piece) + 1
        if line and used + size > width:
            yield line
            line, used = "", 6
        line = f"{line} {piece}" if line else piece
        used += size
    yield line
