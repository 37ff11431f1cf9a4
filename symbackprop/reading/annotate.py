"""Notes given back with remarks beside their formulas: every character that was there stays, in its order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from symbackprop.reading.annotate_markdown import markdown_insertions
from symbackprop.reading.annotate_tex import tex_insertions
from symbackprop.reading.remarks import Insertion, Remark
from symbackprop.reading.sources import Source

__all__ = ["Insertion", "Remark", "annotate", "insertions"]


def insertions(source: Source, remarks: Sequence[Remark]) -> tuple[Insertion, ...]:
    """What is put into the notes, and before which character of them, in order."""
    in_order = sorted(remarks, key=lambda remark: (remark.start, remark.stop))
    joined = [list(group) for _, group in groupby(in_order, key=lambda remark: (remark.start, remark.stop))]
    put = tex_insertions if source.kind == "tex" else markdown_insertions
    return tuple(sorted(put(source, joined), key=lambda insertion: insertion.place))


def annotate(source: Source, remarks: Sequence[Remark]) -> str:
    """The notes with every remark beside its formula."""
    parts, place = list[str](), 0
    for insertion in insertions(source, remarks):
        parts += (source.text[place : insertion.place], insertion.text)
        place = insertion.place
    return "".join((*parts, source.text[place:]))
