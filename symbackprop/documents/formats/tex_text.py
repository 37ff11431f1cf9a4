"""Running text, commands and the strings of a PDF in LaTeX."""

from __future__ import annotations

import re

from symbackprop.documents.tree import Code, Inline, Math, Ref, Text
from symbackprop.forms.breaks import unmarked

__all__ = ["code", "escape", "pdf_string", "running"]

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "\0": "{}",
    "\xa0": "~",
}
_STRAIGHT = {"'": r"\textquotesingle{}", "`": r"\textasciigrave{}"}
"""Quotes that a command line understands when they are copied."""
_LIGATURE = re.compile(r"(?<=([-,'`]))(?=\1)|(?<=[?!])(?=`)")
"""Where the fonts would make one letter of two, such as a dash of two hyphens."""
_BEYOND = 0x180
"""The fonts have Latin letters with their accents up to here."""


def running(text: Text) -> str:
    """Running text with what stands in it."""
    return "".join(map(_inline, text))


def _inline(part: Inline) -> str:
    match part:
        case Math(latex):
            return f"${unmarked(latex)}$"
        case Ref(label, figure):
            return rf"\figurename~\ref{{fig:{label}}}" if figure else rf"\eqref{{eq:{label}}}"
        case Code(words):
            return code(words)
        case _:
            return escape(part)


def escape(text: str) -> str:
    """Running text with LaTeX's special characters made harmless."""
    return "".join(map(_letter, _LIGATURE.sub("\0", text)))


def code(text: str) -> str:
    """Words for a computer, which come out as they went in when they are copied; broken at spaces and slashes."""
    written = "".join(_STRAIGHT.get(letter) or _letter(letter) for letter in _LIGATURE.sub("\0", text))
    written = written.replace("  ", r" \ ").replace("/", r"/\allowbreak{}")
    return rf"\texttt{{{written}}}"


def pdf_string(text: str) -> str:
    """Text for a PDF's own data, where every letter can be said."""
    letters = _LIGATURE.sub("\0", text)
    return "".join(_letter(letter) if ord(letter) < _BEYOND else rf"\unichar{{{ord(letter)}}}" for letter in letters)


def _letter(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    known = ord(letter) < _BEYOND and (letter.isprintable() or letter in "\t\n")
    return letter if known else _spelled(letter)


def _spelled(letter: str) -> str:
    """A letter that the fonts do not have, by its code point."""
    return f"[U+{ord(letter):04X}]"
