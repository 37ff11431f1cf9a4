r"""LaTeX cut into tokens with their places: what only spaces or sizes falls away, spellings become one, the rest stays.

Digits stay single, since TeX takes them so: ``\frac12`` is a half, and ``z^12`` prints as z to the 1, times 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from symbackprop.specification.bounds import LENGTH

__all__ = ["TOKENS", "Fail", "Token", "tokenize"]

TOKENS = 1000
"""The most tokens of one formula."""


@dataclass(frozen=True)
class Token:
    """One token: its text, its line and column from 1, and whether a space stands before it."""

    text: str
    line: int
    column: int
    spaced: bool = False


Fail = Callable[[str, Token], NoReturn]

_TOKEN = re.compile(r"\\[A-Za-z]+|\\[^A-Za-z]|\s+|.", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9+\-*/^(){}\[\]|.,]")
_SPACES = frozenset(("\\,", "\\;", "\\:", "\\!", "\\ ", "~", "\\quad", "\\qquad", "\\displaystyle", "\\textstyle"))
_BIG = {f"\\{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")}
_SIZES = frozenset(("\\left", "\\right", "\\middle", *_BIG))
_BARS = {"\\left": "\\lvert", "\\right": "\\rvert"}
_SPELLINGS = {
    "\\dfrac": "\\frac",
    "\\tfrac": "\\frac",
    "\\cfrac": "\\frac",
    "\\cdot": "*",
    "\\times": "*",
    "\\ast": "*",
    "\\div": "/",
    "\\vert": "|",
    "\\lbrace": "\\{",
    "\\rbrace": "\\}",
    "\\lbrack": "[",
    "\\rbrack": "]",
}
_REMEDIES = {
    "$": "leave the dollar signs out",
    "=": "give the expression alone, without an equation around it",
    "_": "symbols have no subscripts here, and logarithms no base: write \\frac{\\ln(z)}{\\ln(2)}",
    "'": "write derivatives out",
    "!": "factorials are not read",
    "%": "comments and percent signs are not read",
    "&": "give one expression, without alignment",
    "\\\\": "give one expression on one line",
    "\\|": "an absolute value is |z|",
    "\\begin": "for a definition by cases use \\max, \\min, |z| or a named function",
    "\N{MINUS SIGN}": "write -",
    "\N{MIDDLE DOT}": "write \\cdot",
}


def tokenize(latex: str, fail: Fail) -> tuple[Token, ...]:
    """The tokens of ``latex``, the last one an empty one that marks the end."""
    if len(latex) > LENGTH:
        fail(f"the formula has {len(latex)} characters, at most {LENGTH} are read", Token("", 1, 1))
    tokens: list[Token] = []
    line, start, spaced, dropped = 1, 0, False, ""
    for match in _TOKEN.finditer(latex):
        text, column = match.group(), match.start() - start + 1
        if text.isspace() or text in _SPACES or text in _SIZES:
            # A line break ends the number before it as a space does; \left and \right say which way a bar opens.
            spaced = True
            dropped = text if text in _SIZES else dropped
            if "\n" in text:
                line, start = line + text.count("\n"), match.start() + text.rindex("\n") + 1
            continue
        text = _SPELLINGS.get(text, text)
        if text == "|":
            text = _BARS.get(dropped, text)
        token = Token(text, line, column, spaced)
        if text in _REMEDIES or not (text.startswith("\\") or _PLAIN.fullmatch(text)):
            remedy = _REMEDIES.get(text, "use letters, digits, + - / ^ ( ) and commands such as \\frac and \\exp")
            fail(f"{text!r} cannot be read; {remedy}", token)
        tokens.append(token)
        if len(tokens) > TOKENS:
            fail(f"the formula has more than {TOKENS} tokens", token)
        spaced, dropped = False, ""
    tokens.append(Token("", line, len(latex) - start + 1))
    return tuple(tokens)
