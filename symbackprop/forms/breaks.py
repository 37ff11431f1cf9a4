r"""Where a formula may be broken: marks that are written between its parts by those who know the expression.

A mark is one character of Unicode's private use area. It says between what it stands, its ``Rank``, and how many plain
brackets are around it, its depth. A line is broken first where the depth is least, then where the rank is: outside
brackets before inside, relations before signs before factors. A mark stands before the sign that begins the next line,
and behind the space that ends the last one. Nothing is broken inside a fraction, a root, a script, a matrix, or
brackets that grow (``\left( \right)``), so whoever writes one of these takes the marks out with ``unmarked``. Two more
letters stand for brackets that grow around something long: on one line they are brackets that grow, on different lines
large ones (``\biggl( \biggr)``).

    joined(["a", "- b"], Rank.SIGN)                  a |- b
    joined(["a", "b"], Rank.FACTOR, r"\,")           a\,|b
    joined(["a", "b"], Rank.TIMES, after=r"\odot ")  a |\odot b
    joined(["a", "b"], Rank.RELATION, after="= ")    a |= b
    bracketed("a |- b")                              (a |- b), the mark one deeper
    fraction("a |- b", "c")                          \frac{a - b}{c}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import lru_cache

from symbackprop.forms.widths import glyphs

__all__ = [
    "LONG",
    "Rank",
    "beginning",
    "bracketed",
    "chunks",
    "deeper",
    "fraction",
    "is_sign",
    "joined",
    "mark",
    "marked_chunks",
    "split",
    "unmarked",
]


class Rank(IntEnum):
    """Between what a mark stands; what is broken first comes first."""

    RELATION = 0
    SIGN = 1
    TIMES = 2
    FACTOR = 3


_FIRST = 0xE000
_DEEPEST = 63
_OPENING, _CLOSING = "\uf000", "\uf001"
_TALL = {_OPENING: r"\left(", _CLOSING: r"\right)"}
_LARGE = {_OPENING: r"\biggl(", _CLOSING: r"\biggr)"}
LONG = 24
"""Beyond so many glyphs what stands in tall brackets may be broken."""
# Marks are in the order of their letters: the best place to break a formula is at the least of its marks.
_MARKS = tuple(tuple(chr(_FIRST + depth * len(Rank) + rank) for rank in Rank) for depth in range(_DEEPEST + 1))
_ALL = frozenset(letter for letters in _MARKS for letter in letters)
_SIGNS = frozenset(letters[Rank.SIGN] for letters in _MARKS)
_GONE = dict.fromkeys(map(ord, _ALL))
# What is deeper than that is as good as never broken.
_DEEPER = {
    ord(letter): _MARKS[min(depth + 1, _DEEPEST)][rank]
    for depth in range(_DEEPEST + 1)
    for rank, letter in enumerate(_MARKS[depth])
}
_BEGINNINGS = {
    **dict.fromkeys(("=", "<", ">", r"\ne", r"\le", r"\ge", r"\approx", r"\leftarrow"), Rank.RELATION),
    **dict.fromkeys(("+", "-"), Rank.SIGN),
    **dict.fromkeys((r"\cdot", r"\times", r"\odot", r"\oslash"), Rank.TIMES),
}


def mark(rank: Rank, depth: int = 0) -> str:
    """The mark itself."""
    return _MARKS[min(depth, _DEEPEST)][rank]


def beginning(latex: str) -> str:
    """The mark before a part that begins with a relation, with a sign, or with neither."""
    return mark(_BEGINNINGS.get(latex.partition(" ")[0], Rank.FACTOR))


def is_sign(place: str) -> bool:
    """Whether a mark stands before a summand."""
    return place in _SIGNS


def unmarked(latex: str) -> str:
    """A formula, or a part of one, as it is shown: without marks, brackets tall where both are there, else large."""
    if latex.isascii():
        return latex
    plain = latex.translate(_GONE)
    return plain if plain.isascii() else _with_brackets(plain)


def _with_brackets(latex: str) -> str:
    """The text with each bracket that grows written out."""
    opened: list[int] = []
    written = [_LARGE.get(letter, letter) for letter in latex]
    for place, letter in enumerate(latex):
        if letter == _OPENING:
            opened.append(place)
        elif letter == _CLOSING and opened:
            written[opened.pop()], written[place] = _TALL[_OPENING], _TALL[_CLOSING]
    return "".join(written)


def deeper(latex: str) -> str:
    """What is put in plain brackets: broken after all that stands outside of them."""
    return latex if latex.isascii() else latex.translate(_DEEPER)


# -- composing ---------------------------------------------------------------------------------------------------------


def joined(parts: Sequence[str], rank: Rank, before: str = " ", after: str = "") -> str:
    """Parts with a mark between each two; ``before`` ends a line, ``after`` begins the next one."""
    return f"{before}{mark(rank)}{after}".join(parts)


def fraction(above: str, below: str) -> str:
    """A fraction, in which nothing is broken."""
    return rf"\frac{{{unmarked(above)}}}{{{unmarked(below)}}}"


def bracketed(latex: str, tall: bool = False) -> str:
    """In plain brackets, or in brackets that grow where it is ``tall``; what is long may be broken even there."""
    if not tall:
        return f"({deeper(latex)})"
    if glyphs(latex) > LONG and not _ALL.isdisjoint(latex):
        return f"{_OPENING}{deeper(latex)}{_CLOSING}"
    return rf"\left({unmarked(latex)}\right)"


# -- breaking ----------------------------------------------------------------------------------------------------------


def split(latex: str) -> tuple[tuple[str, str], ...]:
    """The parts between the best marks of a formula, each behind its mark; the first has none."""
    best = min(_ALL.intersection(latex), default=None)
    if best is None:
        return (("", latex),)
    first, *more = latex.split(best)
    return (("", first), *((best, part) for part in more))


@lru_cache(maxsize=1 << 12)
def marked_chunks(latex: str, most: int) -> tuple[tuple[str, str], ...]:
    """The formula in parts of at most ``most`` glyphs, where its marks allow it, each behind the mark before it."""
    return tuple(_cut("", latex, most))


def chunks(latex: str, most: int) -> tuple[str, ...]:
    """The same parts alone; joined they are the formula without marks."""
    return tuple(part for _, part in marked_chunks(latex, most))


def _cut(before: str, latex: str, most: int) -> Iterator[tuple[str, str]]:
    parts = split(latex) if glyphs(latex) > most else ()
    if len(parts) < 2:
        yield before, unmarked(latex)
        return
    for place, part in parts:
        yield from _cut(place or before, part, most)
