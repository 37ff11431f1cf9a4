r"""Tables in LaTeX: which stretch of the text is which cell of which table, and what its column is called."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pylatexenc.latex2text import LatexNodes2Text

from symbackprop.reading.mathematics import Stretch
from symbackprop.reading.places import Span, blanked
from symbackprop.reading.scanner import Piece, brace_pairs, environment_pairs
from symbackprop.reading.sources import Cell

__all__ = ["TABLES", "CellSpan", "cells", "specifications"]

TABLES: Mapping[str, int] = {
    "tabular": 1,
    "tabular*": 2,
    "tabularx": 2,
    "tabulary": 2,
    "longtable": 1,
    "longrows": 1,
    "array": 1,
}
"""The environments of tables, with the number of arguments that say how it looks."""
_OPTION = re.compile(r"\s{0,99}(?:\[[^\]\n]*\]\s{0,99})?")
_ROW_ENDS = frozenset(("tabularnewline", "cr"))
_HEAD_ENDS = frozenset(("endhead", "endfirsthead", "endfoot", "endlastfoot"))
_RULES = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|specialrule|addlinespace|keeprows|noalign\b|endhead|endfirsthead|endfoot|"
    r"endlastfoot|(?:cmidrule|cline)(?:\([^)]*\))?\{[^}]*\})(?:\[[^\]\n]*\])?"
)
_MANY_COLUMNS = re.compile(r"\s*\\multicolumn\s*\{\s*(\d{1,2})\s*\}\s*\{[^{}]*\}")
_PLAIN = LatexNodes2Text(math_mode="remove")
_LONGEST = 120
"""A longer text is no heading."""
_ENOUGH = 1000
"""So many characters show whether a row says something."""


class CellSpan(NamedTuple):
    """The stretch of the text that is one cell."""

    span: Span
    cell: Cell


class _Row(NamedTuple):
    cells: tuple[Span, ...]
    ends_head: bool = False


def specifications(text: str, pieces: Sequence[Piece]) -> tuple[Span, ...]:
    r"""The arguments that say how a table looks: the ``$`` of ``>{$}c<{$}`` delimits nothing."""
    last_of = brace_pairs(pieces)
    found = list[Span]()
    for number, piece in enumerate(pieces):
        if piece.kind != "environment" or piece.name not in TABLES:
            continue
        place, following = piece.stop, number + 1
        for _ in range(TABLES[piece.name]):
            option = _OPTION.match(text, place)
            after = option.end() if option else place
            while following < len(pieces) and pieces[following].start < after:
                following += 1
            if following not in last_of or pieces[following].start != after:
                break
            place, following = pieces[last_of[following]].stop, last_of[following] + 1
        found.append(Span(piece.stop, place))
    return tuple(found)


def cells(
    text: str,
    pieces: Sequence[Piece],
    formulas: Sequence[Stretch],
    hidden: Sequence[Span],
    looks: Sequence[Span],
) -> tuple[CellSpan, ...]:
    """The cells of all tables that end, inner ones after outer ones; ``looks`` are as in ``specifications``."""
    reader = _Reader(text, pieces, formulas, hidden, looks)
    begun = [
        number
        for number, piece in enumerate(pieces)
        if piece.kind == "environment" and piece.name in TABLES and not reader.is_formula(piece.start)
    ]
    return tuple(cell for count, number in enumerate(begun, start=1) for cell in reader.table(count, number))


class _Reader:
    def __init__(
        self,
        text: str,
        pieces: Sequence[Piece],
        formulas: Sequence[Stretch],
        hidden: Sequence[Span],
        looks: Sequence[Span],
    ) -> None:
        self._text = text
        self._pieces = pieces
        self._formulas = formulas
        self._hidden = hidden
        self._looks: Mapping[int, int] = dict(looks)
        self._braces = brace_pairs(pieces)
        self._ends = environment_pairs(pieces)

    def is_formula(self, offset: int) -> bool:
        return self._formula(offset) is not None

    def _formula(self, offset: int) -> Stretch | None:
        number = bisect_right(self._formulas, offset, key=lambda stretch: stretch.whole.start) - 1
        return self._formulas[number] if number >= 0 and offset < self._formulas[number].whole.stop else None

    def table(self, count: int, begun: int) -> list[CellSpan]:
        if begun not in self._ends:
            return []
        first, last = begun + 1, self._ends[begun]
        place = self._looks.get(self._pieces[begun].stop, self._pieces[begun].stop)
        rows = list[_Row]()
        if self._pieces[begun].name == "longrows" and self._braces.get(first, last) < last:
            inner = self._braces[first]
            rows += self._rows(first + 1, inner, self._pieces[first].stop)[:1]
            first, place = inner + 1, self._pieces[inner].stop
        rows += [row for row in self._rows(first, last, place) if self._says_something(row)]
        if not rows:
            return []
        headings = self._headings(rows[0])
        first_of_body = max((number for number, row in enumerate(rows) if row.ends_head), default=1)
        return [
            CellSpan(span, Cell(count, max(number - first_of_body + 1, 0), headings.get(column, "")))
            for number, row in enumerate(rows)
            for column, span in self._columns(row)
        ]

    def _rows(self, first: int, last: int, place: int) -> list[_Row]:
        """The rows between two pieces; braces, formulas and tables in them are parts of a cell."""
        rows, row, number, ends_head = list[_Row](), list[Span](), first, False
        while number < last:
            piece = self._pieces[number]
            formula = self._formula(piece.start)
            is_end = piece.kind == "line" or (piece.kind == "command" and piece.name in _ROW_ENDS)
            ends_head = ends_head or (piece.kind == "command" and piece.name in _HEAD_ENDS)
            if formula is not None:
                while number < last and self._pieces[number].start < formula.whole.stop:
                    number += 1
                continue
            if piece.kind == "column" or is_end:
                row.append(Span(place, piece.start))
                place = piece.stop
            if is_end:
                rows.append(_Row(tuple(row), ends_head))
                row, ends_head = [], False
            inner = self._braces.get(number, self._ends.get(number, number))
            number = inner + 1 if inner < last else number + 1
        if first <= last < len(self._pieces):
            row.append(Span(place, self._pieces[last].start))
        return [*rows, _Row(tuple(row), ends_head)]

    def _says_something(self, row: _Row) -> bool:
        """Whether this is more than rules between rows; a caption in a long table is no row either."""
        if len(row.cells) > 1:
            return True
        # The beginning is enough: a cell may hold a table that is as long as the text.
        beginnings = (Span(start, min(stop, start + _ENOUGH)) for start, stop in row.cells)
        written = _RULES.sub("", "".join(blanked(self._text, span, self._hidden) for span in beginnings)).strip()
        return bool(written) and not written.startswith("\\caption")

    def _columns(self, row: _Row) -> list[tuple[int, Span]]:
        """The cells with the number of the column in which each begins."""
        found, column = list[tuple[int, Span]](), 0
        for span in row.cells:
            found.append((column, span))
            many = _MANY_COLUMNS.match(self._text, span.start, span.stop)
            column += int(many[1]) if many else 1
        return found

    def _headings(self, row: _Row) -> Mapping[int, str]:
        found = dict[int, str]()
        for column, span in self._columns(row):
            many = _MANY_COLUMNS.match(self._text, span.start, span.stop)
            inside = Span(many.end(), span.stop) if many else span
            heading = self._plain(inside)
            found |= {column + more: heading for more in range(int(many[1]) if many else 1)}
        return found

    def _plain(self, span: Span) -> str:
        """The words of a cell, in small letters and without its mathematics."""
        if span.stop - span.start > _ENOUGH:
            return ""
        maths, place = list[Span](), span.start
        while (stretch := self._next_formula(place, span.stop)) is not None:
            maths.append(stretch.whole)
            place = stretch.whole.stop
        shown = blanked(self._text, span, self._hidden)
        here = [Span(start - span.start, stop - span.start) for start, stop in maths]
        written = _RULES.sub("", blanked(shown, Span(0, len(shown)), here))
        if not 0 < len(written.strip()) <= _LONGEST:
            return ""
        plain = _PLAIN.latex_to_text(written, tolerant_parsing=True)
        return " ".join(plain.split()).casefold()

    def _next_formula(self, place: int, stop: int) -> Stretch | None:
        number = bisect_right(self._formulas, place - 1, key=lambda stretch: stretch.whole.start)
        is_there = number < len(self._formulas) and self._formulas[number].whole.stop <= stop
        return self._formulas[number] if is_there else None
