"""Running text in LaTeX."""

from __future__ import annotations

__all__ = ["escape"]

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
}
_BEYOND = 0x180
"""The fonts have Latin letters with their accents up to here."""


def escape(text: str) -> str:
    """Running text with LaTeX's special characters made harmless."""
    return "".join(_ESCAPES.get(letter, letter) if ord(letter) < _BEYOND else _spelled(letter) for letter in text)


def _spelled(letter: str) -> str:
    """A letter that the fonts do not have, by its code point."""
    return f"[U+{ord(letter):04X}]"
