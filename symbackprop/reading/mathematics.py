r"""Where mathematics begins and ends among the pieces of a text; what never ends is passed over, and later is found.

One opening costs one search for its end, and the search stops at the next opening of the same kind: so a text of
nothing but openings takes no longer than any other of its length.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from symbackprop.reading.places import Span
from symbackprop.reading.scanner import Piece, brace_pairs, code_pairs, environment_pairs

__all__ = ["OUTER", "Stretch", "stretches"]

_STARRED = ("equation", "align", "alignat", "gather", "multline", "eqnarray", "flalign", "xalignat", "IEEEeqnarray",
            "dmath")  # fmt: skip
OUTER = frozenset((*_STARRED, *(f"{name}*" for name in _STARRED), "math", "displaymath"))
"""The environments that begin mathematics."""
_INNER = re.compile(
    r"[A-Za-z]*(?:matrix|cases|array)\*?|split|aligned|alignedat|gathered|multlined|lgathered|rgathered|tabular|"
    r"math|tikzpicture|darray"
)
"""The environments that stand inside mathematics."""
_ARGUMENT = re.compile(r"[ \t]*(?:\[[^\]\n]*\])?[ \t]*\{[^{}\n]*\}")
_WITH_ARGUMENT = frozenset(("alignat", "alignat*", "xalignat", "xalignat*", "IEEEeqnarray", "IEEEeqnarray*"))
_TEXT = frozenset(
    ("text", "textrm", "textit", "textbf", "textsf", "texttt", "textnormal", "textup", "mbox", "hbox", "intertext",
     "shortintertext", "tag", "fbox", "makebox", "parbox", "vbox")
)  # fmt: skip
"""Commands in whose argument a dollar begins mathematics of its own."""
_STRUCTURE = frozenset(
    ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph", "item", "caption",
     "par", "maketitle", "bibliography", "appendix", "newpage", "clearpage")
)  # fmt: skip
"""Commands that cannot stand in mathematics: before them something was not closed."""


class Stretch(NamedTuple):
    """A stretch of mathematics: with its delimiters, without them, and what they are."""

    whole: Span
    inside: Span
    environment: str


class _Opening(NamedTuple):
    """The opening delimiter: what it is, the place after it, the number of the piece after it, and its rules."""

    environment: str
    start: int
    inside: int
    following: int

    @property
    def is_dollar(self) -> bool:
        return self.environment in ("$", "$$")

    @property
    def ends_at_blank(self) -> bool:
        """In LaTeX an empty line is an error in any mathematics, but nobody takes it for its end in an environment."""
        return self.environment in ("$", "$$", "\\(")


_CLOSING = {"\\(": "\\)", "\\[": "\\]"}


def stretches(
    text: str, pieces: Sequence[Piece], is_markdown: bool = False
) -> tuple[tuple[Stretch, ...], tuple[Span, ...]]:
    """All mathematics among the pieces, in order; and the inline code between it, which only Markdown has."""
    return _Search(text, pieces, is_markdown).run()


class _Search:
    """One pass over the pieces of a text."""

    def __init__(self, text: str, pieces: Sequence[Piece], is_markdown: bool) -> None:
        self._text = text
        self._pieces = pieces
        self._is_markdown = is_markdown
        self._braces = brace_pairs(pieces)
        self._opened_by: Mapping[int, int] = {last: first for first, last in self._braces.items()}
        self._ends = environment_pairs(pieces)
        self._code = code_pairs(pieces) if is_markdown else {}

    def run(self) -> tuple[tuple[Stretch, ...], tuple[Span, ...]]:
        found, code, number = list[Stretch](), list[Span](), 0
        while number < len(self._pieces):
            piece = self._pieces[number]
            if piece.kind == "ticked":
                whole, inside = Span(piece.start, piece.stop), Span(piece.start + 2, piece.stop - 2)
                found.append(Stretch(whole, inside, "$"))
            if number in self._code:
                code.append(Span(piece.start, self._pieces[self._code[number]].stop))
                number = self._code[number]
            opening = self._opening(number)
            if opening is None:
                number += 1
                continue
            closed = self._closed(opening)
            number = opening.following
            if closed is not None:
                stop, number = closed
                whole = Span(opening.start, self._pieces[number - 1].stop)
                found.append(Stretch(whole, Span(opening.inside, stop), opening.environment))
        return tuple(found), tuple(code)

    def _spelling(self, number: int) -> str:
        return self._text[self._pieces[number].start : self._pieces[number].stop]

    def _is_double(self, number: int) -> bool:
        """Whether this dollar and the next piece are two dollars side by side."""
        if number + 1 >= len(self._pieces):
            return False
        first, second = self._pieces[number : number + 2]
        return first.kind == second.kind == "dollar" and first.stop == second.start

    def _opening(self, number: int) -> _Opening | None:
        piece = self._pieces[number]
        if piece.kind == "dollar":
            if self._is_double(number):
                return _Opening("$$", piece.start, piece.stop + 1, number + 2)
            if self._is_markdown and self._text[piece.stop : piece.stop + 1].strip() == "":
                return None
            return _Opening("$", piece.start, piece.stop, number + 1)
        if piece.kind == "bracket" and self._spelling(number) in _CLOSING:
            return _Opening(self._spelling(number), piece.start, piece.stop, number + 1)
        if piece.kind == "environment" and piece.name in OUTER:
            argument = _ARGUMENT.match(self._text, piece.stop) if piece.name in _WITH_ARGUMENT else None
            following = number + 1
            if argument is None:
                return _Opening(piece.name, piece.start, piece.stop, following)
            while following < len(self._pieces) and self._pieces[following].start < argument.end():
                following += 1
            return _Opening(piece.name, piece.start, argument.end(), following)
        return None

    def _closed(self, opening: _Opening) -> tuple[int, int] | None:
        """Where the inside ends, and the number of the piece after the closing delimiter."""
        number = opening.following
        while number < len(self._pieces):
            piece = self._pieces[number]
            if self._closes(opening, number):
                return piece.start, number + (2 if opening.environment == "$$" else 1)
            if self._breaks(opening, number):
                return None
            number = self._after(opening, number)
        return None

    def _closes(self, opening: _Opening, number: int) -> bool:
        piece = self._pieces[number]
        if opening.environment == "$$":
            return self._is_double(number)
        if opening.environment == "$":
            return piece.kind == "dollar" and not self._is_loose(piece)
        if opening.environment in _CLOSING:
            return piece.kind == "bracket" and self._spelling(number) == _CLOSING[opening.environment]
        # The wrong name is a slip in a formula, and no reason to lose it.
        return piece.kind == "ending" and (
            piece.name == opening.environment or (piece.name in OUTER and piece.name != "math")
        )

    def _is_loose(self, dollar: Piece) -> bool:
        """Whether this dollar cannot close mathematics in Markdown, where ``$5 and $6`` is money."""
        before, after = self._text[dollar.start - 1], self._text[dollar.stop : dollar.stop + 1]
        return self._is_markdown and (before.isspace() or after.isdigit())

    def _breaks(self, opening: _Opening, number: int) -> bool:
        """Whether here it is certain that the mathematics was not closed."""
        piece = self._pieces[number]
        match piece.kind:
            case "blank":
                return opening.ends_at_blank or (self._is_markdown and opening.environment == "\\[")
            case "dollar":
                return opening.is_dollar
            case "bracket":
                return self._spelling(number) in ("\\[", opening.environment)
            case "environment":
                return not (_INNER.fullmatch(piece.name) or self._is_doubled(opening, number))
            case "ending":
                return not _INNER.fullmatch(piece.name)
            case "command":
                return piece.name in _STRUCTURE
            case "break":
                return opening.environment in ("$", "\\(")
            case "ticked":
                return opening.environment == "$"
            case "ticks":
                return opening.environment == "$" and number in self._code
            case "closed":
                first = self._opened_by.get(number)
                return opening.ends_at_blank and first is not None and first < opening.following
        return False

    def _is_doubled(self, opening: _Opening, number: int) -> bool:
        r"""Whether this is the ``align`` of ``$$\begin{align}``: the display has two delimiters."""
        piece = self._pieces[number]
        before = self._text[opening.inside : min(piece.start, opening.inside + 200)]
        is_display = opening.environment not in ("$", "\\(")
        return is_display and piece.name in OUTER and number in self._ends and not before.strip()

    def _after(self, opening: _Opening, number: int) -> int:
        """The piece to look at next: after text set in mathematics, or after the inner one of two delimiters."""
        piece = self._pieces[number]
        if piece.kind == "environment" and piece.name in OUTER and piece.name != "math":
            return self._ends[number] + 1
        if piece.kind != "command" or piece.name not in _TEXT:
            return number + 1
        last = self._braces.get(number + 1)
        if last is None or self._text[piece.stop : self._pieces[number + 1].start].strip():
            return number + 1
        inside = self._pieces[number + 1 : min(last, number + 200)]
        is_whole = last < number + 200 and not any(piece.kind in ("blank", "break") for piece in inside)
        return last + 1 if is_whole else number + 1
