r"""A text of notes cut into the few pieces that decide where mathematics begins and ends, in one pass.

pylatexenc's ``LatexWalker`` was measured for this and is not used: one brace that is never closed takes the rest of the
document into one argument, one ``\begin`` that is never ended the rest into one environment, and some 300 open braces
raise RecursionError. Here nothing calls itself, every piece is looked at once, and what is broken stays one piece.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["Piece", "brace_pairs", "code_pairs", "environment_pairs", "markdown_pieces", "tex_pieces"]


class Piece(NamedTuple):
    """One piece: ``kind`` is the name of its group in the patterns below, ``name`` of an environment or a command."""

    kind: str
    start: int
    stop: int
    name: str = ""


_SHARED = r"""
(?P<environment>\\begin[ \t]*\{(?P<begun>[^{}\\\n]{1,60})\})
|(?P<ending>\\end[ \t]*\{(?P<ended>[^{}\\\n]{1,60})\})
|(?P<bracket>\\[()\[\]])
|(?P<line>\\\\)
|(?P<opaque>\\(?:url|path|nolinkurl|label|ref|eqref|pageref|[cC]ref|autoref|cite[a-z]*|includegraphics|input|include)
  \*?(?:\[[^\]\n]{0,200}\])?\{[^{}\n]{0,1000}\})
|(?P<command>\\[A-Za-z@]+)
|(?P<escape>\\.)
|(?P<dollar>\$)
|(?P<opened>\{)
|(?P<closed>\})
|(?P<column>&)
|(?P<blank>\n[ \t\r]*(?=\n))
"""
_TEX = re.compile(
    r"""
(?P<comment>%[^\n]*)
|(?P<verb>\\(?:verb|lstinline)\*?(?:\[[^\]\n]{0,200}\])?(?P<bar>[^\sA-Za-z*\[{])[^\n]{0,1000}?(?P=bar)
  |\\lstinline(?:\[[^\]\n]{0,200}\])?\{[^{}\n]{0,1000}\}
  |\\mintinline(?:\[[^\]\n]{0,200}\])?\{[^{}\n]{0,100}\}
   (?:\{[^{}\n]{0,1000}\}|(?P<rod>[^\sA-Za-z{])[^\n]{0,1000}?(?P=rod)))
|"""
    + _SHARED,
    re.VERBOSE | re.DOTALL,
)
_MARKDOWN = re.compile(
    r"""
(?P<ticked>\$`(?:[^`\n]|\n(?![ \t\r]*\n)){1,2000}`\$)
|(?P<ticks>`+)
|"""
    + _SHARED,
    re.VERBOSE | re.DOTALL,
)
_SWALLOWED = frozenset(
    ("verbatim", "verbatim*", "Verbatim", "lstlisting", "minted", "comment", "tikzpicture", "filecontents",
     "filecontents*", "alltt", "tikzcd", "forest", "pgfpicture")
)  # fmt: skip
"""Environments in which nothing is mathematics of the notes."""
_CONDITION = re.compile(r"\\(?:if(?!f(?![A-Za-z@])|thenelse)[A-Za-z@]+|else|fi)(?![A-Za-z@])")


class _Finder:
    """``str.find`` for places that only grow: what was found is kept, so that all searches together are one pass."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[str, int] = {}

    def find(self, wanted: str, place: int) -> int:
        found = self._found.get(wanted, 0)
        if 0 <= found < place or wanted not in self._found:
            found = self._text.find(wanted, place)
            self._found[wanted] = found
        return found


class _Scan:
    """One pass over a text."""

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        self._text = text
        self._pattern = pattern
        self._finder = _Finder(text)
        self._conditions_fit = True

    def pieces(self) -> tuple[Piece, ...]:
        found, place = list[Piece](), 0
        while match := self._pattern.search(self._text, place):
            piece = self._whole(_piece(match))
            found.append(piece)
            place = piece.stop
        return tuple(found)

    def _whole(self, piece: Piece) -> Piece:
        """The piece, or the whole of what is swallowed with it; what never ends is not swallowed."""
        if piece.kind == "environment" and piece.name in _SWALLOWED:
            last = f"\\end{{{piece.name}}}"
            stop = self._finder.find(last, piece.stop)
            return piece if stop < 0 else Piece("skipped", piece.start, stop + len(last))
        if piece.kind == "command" and piece.name == "iffalse":
            stop = self._end_of_condition(piece.stop)
            return piece if stop < 0 else Piece("skipped", piece.start, stop)
        return piece

    def _end_of_condition(self, place: int) -> int:
        r"""Where the ``\fi`` or ``\else`` of a condition ends; once one has none, the next ``\fi`` is taken for all."""
        if self._conditions_fit:
            depth = 0
            for match in _CONDITION.finditer(self._text, place):
                word = match.group()
                if not depth and word in ("\\fi", "\\else"):
                    return match.end()
                depth += (word not in ("\\fi", "\\else")) - (word == "\\fi")
            self._conditions_fit = False
        found = self._finder.find("\\fi", place)
        return found if found < 0 else found + len("\\fi")


def _piece(match: re.Match[str]) -> Piece:
    kind = match.lastgroup or ""
    name = match["begun"] or match["ended"] or ""
    if kind == "command":
        name = match.group()[1:]
    return Piece(kind, match.start(), match.end(), name.strip())


def tex_pieces(text: str) -> tuple[Piece, ...]:
    """The pieces of a text in LaTeX."""
    return _Scan(text, _TEX).pieces()


def markdown_pieces(text: str) -> tuple[Piece, ...]:
    """The pieces of a text in Markdown, whose blocks of code are blanked: ``%`` is no comment, backticks are code."""
    return _Scan(text, _MARKDOWN).pieces()


def brace_pairs(pieces: Sequence[Piece]) -> Mapping[int, int]:
    """For every brace that is closed, the number of its piece to the number of the one that closes it."""
    pairs, opened = dict[int, int](), list[int]()
    for number, piece in enumerate(pieces):
        if piece.kind == "opened":
            opened.append(number)
        elif piece.kind == "closed" and opened:
            pairs[opened.pop()] = number
    return pairs


def environment_pairs(pieces: Sequence[Piece]) -> Mapping[int, int]:
    r"""For every environment that ends, the number of its ``\begin`` to that of its ``\end``.

    An ``\end`` without a ``\begin`` is passed over; a ``\begin`` whose outer environment ends first has none.
    """
    pairs, begun, names = dict[int, int](), list[int](), Counter[str]()
    for number, piece in enumerate(pieces):
        if piece.kind == "environment":
            begun.append(number)
            names[piece.name] += 1
        elif piece.kind == "ending" and names[piece.name]:
            while True:
                last = begun.pop()
                names[pieces[last].name] -= 1
                if pieces[last].name == piece.name:
                    break
            pairs[last] = number
    return pairs


def code_pairs(pieces: Sequence[Piece]) -> Mapping[int, int]:
    """For every run of backticks, the number of the next run of the same length in the same paragraph."""
    pairs, waiting = dict[int, int](), dict[int, int]()
    for number in range(len(pieces) - 1, -1, -1):
        piece = pieces[number]
        if piece.kind == "blank":
            waiting.clear()
        elif piece.kind == "ticks":
            length = piece.stop - piece.start
            if length in waiting:
                pairs[number] = waiting[length]
            waiting[length] = number
    return pairs
