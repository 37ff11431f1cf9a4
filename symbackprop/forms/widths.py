"""How wide LaTeX formulas are, counted in the glyphs that they show in a row."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["glyphs"]

_INVISIBLE = frozenset(
    (
        "left",
        "right",
        "biggl",
        "biggr",
        "quad",
        "scriptscriptstyle",
        "mathrm",
        "mathbf",
        "mathit",
        "operatorname",
        "text",
    )
)
_SPELLED = frozenset(("log", "exp", "tanh", "max", "cosh", "sinh", "sin", "cos"))
_STACKS = (r"\frac{", r"\tfrac{", r"\underset{")
_TOKEN = re.compile("\\\\([A-Za-z]+)|\\\\(.)|([{}^_\\s&\ue000-\ue0ff])|(.)")
"""A command, an escaped letter, what shows nothing (marks of ``breaks`` too), and any other letter."""


@lru_cache(maxsize=1 << 14)
def glyphs(latex: str) -> int:
    r"""Roughly how many glyphs ``latex`` shows in a row. Of a fraction or an ``\underset`` its wider half counts."""
    width = 0
    rest = latex
    while rest:
        if rest.startswith(_STACKS):
            one, rest = _group(rest[rest.index("{") :])
            other, rest = _group(rest)
            width += max(glyphs(one), glyphs(other))
            continue
        match = _TOKEN.match(rest)
        if match is None:
            rest = rest[1:]
            continue
        command, escaped, silent, _ = match.groups()
        if command is not None:
            width += 0 if command in _INVISIBLE else len(command) if command in _SPELLED else 1
        elif escaped is None and silent is None:
            width += 1
        rest = rest[match.end() :]
    return width


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
