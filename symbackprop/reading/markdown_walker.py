"""Notes in Markdown: the formulas outside code and comments, with their cells in tables, and the macros."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from symbackprop.reading.definitions import Definition, definitions, macros
from symbackprop.reading.markdown_lines import Line, Page, markdown_page
from symbackprop.reading.mathematics import Stretch, stretches
from symbackprop.reading.places import Lines, Span, blanked, holder
from symbackprop.reading.scanner import Piece, markdown_pieces
from symbackprop.reading.sources import Cell, Formula, Source

__all__ = ["walk_markdown"]

_COMMENT = re.compile(r"\\.|(%[^\n]*)", re.DOTALL)
_BAR = re.compile(r"\\.|(\|)")
_LINK = re.compile(r"!?\[([^\]\n]{0,200})\]\([^)\n]{0,500}\)")
_MARKUP = re.compile(r"[`*_~]|<[^<>\n]{0,200}>|\\(?=[^A-Za-z])")
_LETTER = re.compile(r"[A-Za-z]")
FENCE = "```math"
"""What the environment of a fenced formula is called."""


def walk_markdown(text: str) -> Source:
    """The formulas and macros of a text in Markdown."""
    page = markdown_page(text)
    hidden = _ordered((*page.opaque, *page.quotes))
    shown = blanked(text, Span(0, len(text)), hidden)
    pieces = _with_breaks(markdown_pieces(shown), page.lines)
    found, code = stretches(shown, pieces, is_markdown=True)
    defined = _defined(shown, pieces, code)
    fenced = [Stretch(whole, inside, FENCE) for whole, inside in page.fenced]
    kept = [stretch for stretch in found if _is_mathematics(shown, stretch, defined)]
    in_order = sorted((*kept, *fenced))
    lines = Lines(text)
    places = _cells(shown, page, in_order, code)
    formulas = [_formula(text, stretch, page, defined, lines) for stretch in in_order]
    placed = (
        Formula(one.latex, one.line, one.column, one.start, one.stop, one.environment, places.get(one.start))
        for one in formulas
        if one.latex.strip()
    )
    fences = definitions(text, _inside_fences(text, fenced))
    return Source(text, "markdown", tuple(placed), macros(sorted((*defined, *fences))))


def _ordered(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The spans in order; one inside another falls away."""
    kept = list[Span]()
    for span in sorted(spans):
        if not kept or span.start >= kept[-1].stop:
            kept.append(span)
        elif span.stop > kept[-1].stop:
            kept[-1] = Span(kept[-1].start, span.stop)
    return tuple(kept)


def _with_breaks(pieces: Sequence[Piece], lines: Sequence[Line]) -> tuple[Piece, ...]:
    """The pieces, with the ends of headings, items and rows told, over which inline mathematics does not go."""
    breaks = [
        Piece("break", place, place)
        for line in lines
        if line.kind in ("heading", "item", "table", "rule")
        for place in ((line.start,) if line.kind == "item" else (line.start, line.stop))
    ]
    return tuple(sorted((*breaks, *pieces), key=lambda piece: piece.start))


def _defined(shown: str, pieces: Sequence[Piece], code: Sequence[Span]) -> tuple[Definition, ...]:
    return definitions(shown, [piece for piece in pieces if holder(code, piece.start) is None])


def _inside_fences(text: str, fenced: Sequence[Stretch]) -> tuple[Piece, ...]:
    return tuple(
        piece._replace(start=piece.start + stretch.inside.start, stop=piece.stop + stretch.inside.start)
        for stretch in fenced
        for piece in markdown_pieces(text[stretch.inside.start : stretch.inside.stop])
    )


def _is_mathematics(shown: str, stretch: Stretch, defined: Sequence[Definition]) -> bool:
    r"""Not what is defined, and not ``\[1\]``, which in most Markdown is a bracket that is no link."""
    spans = [definition.span for definition in defined]
    if holder(spans, stretch.whole.start) is not None:
        return False
    inside = shown[stretch.inside.start : stretch.inside.stop]
    return stretch.environment not in ("\\[", "\\(") or _LETTER.search(inside) is not None


def _formula(text: str, stretch: Stretch, page: Page, defined: Sequence[Definition], lines: Lines) -> Formula:
    start, stop = stretch.inside
    first = page.lines[lines.number(stretch.whole.start)]
    comments = (Span(match.start(1), match.end(1)) for match in _COMMENT.finditer(text, start, stop) if match[1])
    quotes = _between(page.quotes, start, stop) if first.is_quoted else []
    definitions_here = _between([definition.span for definition in defined], start, stop)
    latex = blanked(text, stretch.inside, _ordered((*comments, *quotes, *definitions_here)))
    line, column = lines.place(start)
    return Formula(latex, line, column, *stretch.whole, stretch.environment)


def _between(spans: Sequence[Span], start: int, stop: int) -> Sequence[Span]:
    first = bisect_left(spans, start, key=lambda span: span.start)
    return spans[first : bisect_left(spans, stop, key=lambda span: span.start)]


def _cells(shown: str, page: Page, formulas: Sequence[Stretch], code: Sequence[Span]) -> Mapping[int, Cell]:
    """For the start of every formula in a table, its cell."""
    found = dict[int, Cell]()
    rows = [line for line in page.lines if line.table]
    for table, lines in groupby(rows, key=lambda line: line.table):
        headings = list[str]()
        for line in lines:
            if line.row < 0:
                continue
            inside = [stretch.whole for stretch in _starting(formulas, line.start, line.stop)]
            columns = list(_columns(shown, line, (*inside, *_between(code, line.start, line.stop))))
            if not line.row:
                headings = [_plain(shown, span, _between(inside, *span)) for span in columns]
            for number, span in enumerate(columns):
                heading = headings[number] if number < len(headings) else ""
                cell = Cell(table, line.row, heading)
                found |= {whole.start: cell for whole in _between(inside, span.start, span.stop)}
    return found


def _starting(formulas: Sequence[Stretch], start: int, stop: int) -> Sequence[Stretch]:
    first = bisect_left(formulas, start, key=lambda stretch: stretch.whole.start)
    return formulas[first : bisect_right(formulas, stop, key=lambda stretch: stretch.whole.start)]


def _columns(shown: str, line: Line, apart: Sequence[Span]) -> Iterator[Span]:
    """The cells of a row: bars in formulas and code divide nothing, nor does one after a backslash."""
    held = _ordered(apart)
    bars = [
        match.start(1)
        for match in _BAR.finditer(shown, line.start, line.stop)
        if match[1] and holder(held, match.start(1)) is None
    ]
    place = line.start
    if bars and not shown[line.start : bars[0]].strip(" \t-+*.)0123456789"):
        place, bars = bars[0] + 1, bars[1:]
    for bar in (*bars, line.stop):
        yield Span(place, bar)
        place = bar + 1


def _plain(shown: str, span: Span, formulas: Sequence[Span]) -> str:
    """The words of a cell, in small letters, without mathematics and markup."""
    words = _LINK.sub(r"\1", blanked(shown, span, formulas))
    return " ".join(_MARKUP.sub("", words).split()).casefold()
