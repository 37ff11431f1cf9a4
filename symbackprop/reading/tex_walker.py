r"""Notes in LaTeX: the formulas of the body, and the definitions of the preamble and the body."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from symbackprop.reading.definitions import definitions, macros
from symbackprop.reading.mathematics import OUTER, Stretch, stretches
from symbackprop.reading.places import Lines, Span, blanked, holder
from symbackprop.reading.scanner import Piece, tex_pieces
from symbackprop.reading.sources import Cell, Formula, Macro, Source
from symbackprop.reading.tex_tables import CellSpan, cells, specifications

__all__ = ["body", "hidden_stretches", "walk_tex"]

_HIDDEN = ("comment", "skipped")
_ABBREVIATION = re.compile(r"\s*\\(begin|end)\s*\{([A-Za-z]+\*?)\}\s*")
_KINDS = {"begin": "environment", "end": "ending"}


def body(text: str) -> tuple[Piece, ...]:
    """The pieces between beginning and end of the document, without definitions and without looks of tables."""
    return _body(text)[0]


def hidden_stretches(text: str) -> tuple[Span, ...]:
    """Verbatim text, pictures, definitions and looks of tables: where no line of a comment may be put in."""
    pieces = tex_pieces(text)
    skipped = [Span(piece.start, piece.stop) for piece in pieces if piece.kind in ("skipped", "verb")]
    defined = (definition.span for definition in definitions(text, pieces))
    return _apart(sorted((*skipped, *defined, *specifications(text, pieces))))


def walk_tex(text: str) -> Source:
    """The formulas and macros of a text in LaTeX."""
    pieces, hidden, table, looks = _body(text)
    found, _ = stretches(text, pieces)
    spans = cells(text, pieces, found, hidden, looks)
    lines = Lines(text)
    formulas = (_formula(text, stretch, hidden, lines) for stretch in found)
    placed = _with_cells([formula for formula in formulas if formula.latex.strip()], spans)
    return Source(text, "tex", tuple(placed), table)


def _body(text: str) -> tuple[tuple[Piece, ...], tuple[Span, ...], Mapping[str, Macro], tuple[Span, ...]]:
    """The pieces that may be formulas, the stretches of comments and definitions, the macros, the looks of tables."""
    pieces = tex_pieces(text)
    defined = definitions(text, pieces)
    table = macros(defined)
    hidden = [Span(piece.start, piece.stop) for piece in pieces if piece.kind in _HIDDEN]
    looks = specifications(text, pieces)
    without = sorted((*(definition.span for definition in defined), *looks))
    start, stop = _document(text, pieces)
    apart = _apart(without)
    kept = tuple(
        _spelled_out(piece, table)
        for piece in pieces
        if start <= piece.start < stop and piece.kind not in _HIDDEN and holder(apart, piece.start) is None
    )
    return kept, _apart(sorted((*hidden, *(definition.span for definition in defined)))), table, looks


def _document(text: str, pieces: Sequence[Piece]) -> Span:
    begun = (piece.stop for piece in pieces if piece.kind == "environment" and piece.name == "document")
    start = next(begun, 0)
    ended = (
        piece.start for piece in pieces if piece.kind == "ending" and piece.name == "document" and piece.start >= start
    )
    return Span(start, next(ended, len(text)))


def _apart(spans: Sequence[Span]) -> tuple[Span, ...]:
    """``spans``, which are in order, without those that begin inside an earlier one."""
    kept = list[Span]()
    for span in spans:
        if span.start < span.stop and (not kept or span.start >= kept[-1].stop):
            kept.append(span)
    return tuple(kept)


def _spelled_out(piece: Piece, table: Mapping[str, Macro]) -> Piece:
    r"""What the piece stands for where notes say ``\be`` for ``\begin{equation}``; its place stays."""
    macro = table.get(f"\\{piece.name}") if piece.kind == "command" else None
    match = _ABBREVIATION.fullmatch(macro.body) if macro is not None and not macro.arity else None
    if match is None or match[2] not in OUTER:
        return piece
    return Piece(_KINDS[match[1]], piece.start, piece.stop, match[2])


def _formula(text: str, stretch: Stretch, hidden: Sequence[Span], lines: Lines) -> Formula:
    line, column = lines.place(stretch.inside.start)
    latex = blanked(text, stretch.inside, hidden)
    return Formula(latex, line, column, stretch.whole.start, stretch.whole.stop, stretch.environment)


def _with_cells(formulas: Sequence[Formula], spans: Sequence[CellSpan]) -> list[Formula]:
    """The formulas with their cells; inner tables come later, so that theirs is the last cell that holds a formula."""
    starts = [formula.start for formula in formulas]
    found: dict[int, Cell] = {}
    for (start, stop), cell in spans:
        number = bisect_right(starts, start - 1)
        while number < len(formulas) and formulas[number].start < stop:
            found[number] = cell
            number += 1
    return [
        Formula(one.latex, one.line, one.column, one.start, one.stop, one.environment, found.get(number))
        for number, one in enumerate(formulas)
    ]
