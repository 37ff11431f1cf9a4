"""The lines of a text in Markdown: which are code, quoted, headings, items of lists, rows of tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from symbackprop.reading.places import Lines, Span

__all__ = ["Line", "Page", "markdown_page"]


class Line(NamedTuple):
    """A line without its end. ``kind`` is "text", "blank", "code", "fence", "heading", "item", "rule" or "table".

    ``inside`` is the column, from 0, at which what belongs to the innermost item of a list around it begins.
    """

    start: int
    stop: int
    kind: str
    inside: int = 0
    is_quoted: bool = False
    table: int = 0
    row: int = -1


class Page(NamedTuple):
    """The lines, the stretches in which nothing is mathematics, the marks of quotes, and the fences of mathematics."""

    lines: tuple[Line, ...]
    opaque: tuple[Span, ...]
    quotes: tuple[Span, ...]
    fenced: tuple[tuple[Span, Span], ...]


_QUOTE = re.compile(r"[ \t]*>(?:[ \t]{0,4}>)* ?")
_FENCE = re.compile(r"[ \t]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)?(?P<fence>`{3,}(?=[^`]*$)|~{3,})[ \t]*(?P<info>.*)$")
_ITEM = re.compile(r"([ \t]*)([-+*]|\d{1,9}[.)])([ \t]+|$)")
_RULE = re.compile(r"[ \t]{0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}(?:[ \t]|$)")
_DELIMITERS = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_HIDDEN = re.compile(r"<!--|<(?:pre|script|style)\b", re.IGNORECASE)
_HIDDEN_ENDS = {"<!--": "-->", "<pre": "</pre>", "<script": "</script>", "<style": "</style>"}
_FRONT_MATTER = re.compile(
    r"---[ \t]*\r?\n(?=\w+[ \t]*:)(?:(?!---|\.\.\.)[^\n]*\n){1,200}?(?:---|\.\.\.)[ \t]*\r?$", re.MULTILINE
)
_TAB = 4


class _Fence(NamedTuple):
    """An open fence: the marks, its place, the column it may not be left of, and whether it holds mathematics."""

    marks: str
    start: int
    inside: int
    is_quoted: bool
    content: int
    is_mathematics: bool


class _Reader:
    """One pass over the lines."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = list[Line]()
        self._opaque = list[Span]()
        self._quotes = list[Span]()
        self._fenced = list[tuple[Span, Span]]()
        self._items = list[int]()
        self._fence: _Fence | None = None
        self._hidden_until = 0
        self._never = set[str]()

    def page(self) -> Page:
        front = _FRONT_MATTER.match(self._text)
        if front is not None:
            self._hide(Span(0, front.end()))
        starts = Lines(self._text).starts
        for start, after in zip(starts, (*starts[1:], len(self._text) + 1), strict=True):
            stop = min(after - 1, len(self._text))
            self._lines.append(self._line(start, stop - self._text.endswith("\r", start, stop)))
        if self._fence is not None:
            self._opaque.append(Span(self._fence.start, len(self._text)))
        return Page(
            _with_tables(self._text, self._lines), tuple(self._opaque), tuple(self._quotes), tuple(self._fenced)
        )

    def _hide(self, span: Span) -> None:
        self._opaque.append(span)
        self._hidden_until = span.stop

    def _line(self, start: int, stop: int) -> Line:
        if start < self._hidden_until:
            self._look_for_hidden(self._hidden_until, stop)
            return Line(start, stop, "code" if stop <= self._hidden_until else "text", self._inside())
        quote = _QUOTE.match(self._text, start, stop)
        is_quoted = quote is not None
        if self._fence is not None:
            return self._in_fence(self._fence, start, stop)
        if quote is not None and self._is_code(start, stop, False):
            quote, is_quoted = None, False
        if quote is not None:
            self._quotes.append(Span(quote.start(), quote.end()))
        return self._outside(start, quote.end() if quote else start, stop, is_quoted)

    def _in_fence(self, fence: _Fence, start: int, stop: int) -> Line:
        quote = _QUOTE.match(self._text, start, stop) if fence.is_quoted else None
        place = quote.end() if quote else start
        rest = self._text[place:stop]
        left = bool(rest.strip()) and _width(rest) < fence.inside
        if (fence.is_quoted and quote is None) or left:
            self._fence = None
            self._opaque.append(Span(fence.start, start))
            return self._line(start, stop)
        if quote is not None:
            self._quotes.append(Span(quote.start(), quote.end()))
        marks = rest.strip()
        if marks[:1] == fence.marks[0] and set(marks) == {marks[0]} and len(marks) >= len(fence.marks):
            end = place + len(rest.rstrip())
            self._fence = None
            self._opaque.append(Span(fence.start, end))
            if fence.is_mathematics:
                self._fenced.append((Span(fence.start, end), Span(fence.content, start)))
            return Line(start, stop, "fence", fence.inside, fence.is_quoted)
        return Line(start, stop, "code", fence.inside, fence.is_quoted)

    def _outside(self, start: int, place: int, stop: int, is_quoted: bool) -> Line:
        rest = self._text[place:stop]
        if not rest.strip():
            return Line(start, stop, "blank", self._inside(), is_quoted)
        if self._is_code(place, stop, is_quoted):
            self._opaque.append(Span(place, stop))
            return Line(start, stop, "code", 0, is_quoted)
        item = None if _RULE.match(rest) else _ITEM.match(rest)
        fence = _FENCE.match(rest)
        self._leave_items(rest, item is not None or fence is not None)
        if item is not None:
            spaces = len(item[3]) if item[3] and len(item[3]) <= _TAB else 1
            self._items.append(_width(item[1]) + len(item[2]) + spaces)
        if fence is not None:
            is_mathematics = fence["info"].strip() == "math"
            opened = place + fence.start("fence")
            self._fence = _Fence(fence["fence"], opened, self._inside(), is_quoted, stop + 1, is_mathematics)
            return Line(start, stop, "fence", self._inside(), is_quoted)
        self._look_for_hidden(place, stop)
        kind = "item" if item else "heading" if _HEADING.match(rest) else "rule" if _RULE.match(rest) else "text"
        return Line(start, stop, "code" if self._hidden_until >= stop else kind, self._inside(), is_quoted)

    def _inside(self) -> int:
        return self._items[-1] if self._items else 0

    def _previous(self) -> str:
        return self._lines[-1].kind if self._lines else "blank"

    def _is_code(self, place: int, stop: int, is_quoted: bool) -> bool:
        """Whether this line is indented code, or goes on with it."""
        rest = self._text[place:stop]
        if _width(rest) < _TAB or not rest.strip():
            return False
        goes_on = self._previous() == "code" and self._lines[-1].is_quoted == is_quoted
        return not self._items and (goes_on or self._previous() == "blank")

    def _leave_items(self, rest: str, is_item: bool) -> None:
        """After an empty line, or with a new item, what is further to the left is outside of the items before."""
        if is_item or self._previous() == "blank" or _HEADING.match(rest):
            width = _width(rest)
            while self._items and self._items[-1] > width:
                self._items.pop()

    def _look_for_hidden(self, place: int, stop: int) -> None:
        """A comment, or an element of HTML that is shown as it stands; one that never ends hides nothing."""
        while match := _HIDDEN.search(self._text, place, stop):
            place = match.end()
            last = _HIDDEN_ENDS[match.group().lower()]
            if last in self._never or self._text.count("`", self._line_start(match.start()), match.start()) % 2:
                continue
            end = self._text.find(last, place)
            if end < 0:
                self._never.add(last)
                continue
            self._hide(Span(match.start(), end + len(last)))
            place = end + len(last)

    def _line_start(self, offset: int) -> int:
        return max(self._text.rfind("\n", max(offset - 1000, 0), offset) + 1, offset - 1000, 0)


def _width(rest: str) -> int:
    blank = rest[: len(rest) - len(rest.lstrip(" \t"))]
    return len(blank.expandtabs(_TAB))


def _with_tables(text: str, lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines, with the rows of tables told: the heading is row 0, the line of dashes below it has none."""
    done, table, row = list(lines), 0, -1
    for number in range(1, len(done)):
        line, before = done[number], done[number - 1]
        if before.kind == "table" and line.kind == "text":
            row += 1
            done[number] = line._replace(kind="table", table=table, row=row)
        elif _is_delimiter(text, line) and before.kind in ("text", "item") and "|" in text[before.start : before.stop]:
            table, row = table + 1, 0
            kind = before.kind if before.kind == "item" else "table"
            done[number - 1] = before._replace(kind=kind, table=table, row=0)
            done[number] = line._replace(kind="table", table=table)
    return tuple(done)


def _is_delimiter(text: str, line: Line) -> bool:
    if line.kind not in ("text", "item", "rule"):
        return False
    written = text[line.start : line.stop]
    unquoted = written[written.rfind(">") + 1 :] if line.is_quoted else written
    return "|" in unquoted and _DELIMITERS.match(unquoted) is not None


def markdown_page(text: str) -> Page:
    """What the lines of a text in Markdown are."""
    return _Reader(text).page()
