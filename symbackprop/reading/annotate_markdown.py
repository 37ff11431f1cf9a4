"""Remarks in notes in Markdown: a quote below the paragraph, the item, the table or the display of the formula."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from symbackprop.reading.markdown_lines import Line, markdown_page
from symbackprop.reading.places import Lines, Span, holder
from symbackprop.reading.remarks import Insertion, Remark, parts
from symbackprop.reading.sources import Source

__all__ = ["markdown_insertions"]

_SPECIAL = re.compile(r"([\\`*_<>\[\]#|~&$])")


def markdown_insertions(source: Source, remarks: Sequence[Sequence[Remark]]) -> Iterator[Insertion]:
    """The quotes; all ``remarks`` of one inner sequence are about the same formula."""
    page, lines = markdown_page(source.text), Lines(source.text)
    formulas = [Span(formula.start, formula.stop) for formula in source.formulas]
    placed = ((_last_line(page.lines, lines, formulas, same[0]), remark) for same in remarks for remark in same)
    # A formula that goes on over more than one block has its remark after those of the formulas before it.
    for number, group in groupby(sorted(placed, key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        yield _quote(source.text, page.lines, number, [remark for _, remark in group])


def _last_line(lines: Sequence[Line], places: Lines, formulas: Sequence[Span], remark: Remark) -> int:
    """The number of the last line of the block in which the formula ends."""
    number = places.number(max(remark.stop - 1, remark.start))
    while number + 1 < len(lines):
        inside = holder(formulas, lines[number].stop)
        if inside is not None and inside.start < lines[number].stop:
            number = max(places.number(inside.stop - 1), number + 1)
        elif _goes_on(lines[number], lines[number + 1]):
            number += 1
        else:
            break
    return number


def _goes_on(line: Line, following: Line) -> bool:
    """Whether the next line belongs to the same block."""
    if line.is_quoted:
        return following.is_quoted or following.kind == "text"
    if following.is_quoted or line.kind in ("heading", "rule", "fence", "blank"):
        return False
    if line.kind == "table" or line.table:
        return following.kind == "table"
    return following.kind in ("text", "code") or (following.kind == "rule" and line.kind == "text")


def _quote(text: str, lines: Sequence[Line], number: int, remarks: Sequence[Remark]) -> Insertion:
    line = lines[number]
    margin = " " * line.inside
    between = f"{margin}>\n"
    quote = between.join(
        f"{margin}> **{_escaped(remark.mark)}** {_words(remark.text)}".rstrip() + "\n" for remark in remarks
    )
    end = text.find("\n", line.stop)
    if end < 0:
        return Insertion(len(text), f"\n\n{quote}")
    is_followed = number + 1 < len(lines) and lines[number + 1].kind != "blank"
    is_last = end + 1 == len(text)
    return Insertion(end + 1, f"\n{quote}" + ("\n" if is_followed and not is_last else ""))


def _words(text: str) -> str:
    return "".join(f"${part}$" if is_formula else _escaped(part) for is_formula, part in parts(text))


def _escaped(words: str) -> str:
    return _SPECIAL.sub(r"\\\1", words)
