"""Blocks in HTML: in a page, where they are linked with each other, and in a place where nothing has a name."""

from __future__ import annotations

import html as markup
import re
from collections.abc import Iterator, Sequence
from itertools import chain

from symbackprop.documents.formats.anchors import anchors
from symbackprop.documents.formats.html_formulas import inline, lines
from symbackprop.documents.formats.numbering import numbers
from symbackprop.documents.formats.svg import svg
from symbackprop.documents.tree import (
    Block,
    Bullets,
    Captions,
    Code,
    Display,
    Figure,
    Heading,
    Inline,
    Math,
    Paragraph,
    Ref,
    Table,
    Text,
)

__all__ = ["Blocks", "escape"]

_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What no HTML file may contain."""


def escape(text: str) -> str:
    """Text with the signs of markup made harmless."""
    return markup.escape(_NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", text))


def _display_anchor(label: str) -> str:
    return f"equation-{escape(label)}"


def _figure_anchor(number: int) -> str:
    return f"figure-{number}"


class Blocks:
    """Blocks as HTML; ``linked`` says whether displays, figures and sections have names that are linked to."""

    def __init__(self, blocks: Sequence[Block], captions: Captions, *, linked: bool = True) -> None:
        self.blocks = blocks
        self.captions = captions
        self.linked = linked
        self.numbers = numbers(blocks)
        self.headings = [block for block in blocks if isinstance(block, Heading)]
        displays = map(_display_anchor, self.numbers.displays)
        figures = map(_figure_anchor, range(1, len(self.numbers.figures) + 1))
        self.anchors = anchors((heading.title for heading in self.headings), chain(displays, figures))

    def sections(self) -> Iterator[str]:
        """The blocks, those below a heading in a section of its own."""
        open_levels: list[int] = []
        names = iter(self.anchors)
        for block in self.blocks:
            if not isinstance(block, Heading):
                yield self.block(block)
                continue
            while open_levels and open_levels[-1] >= block.level:
                open_levels.pop()
                yield "</section>"
            open_levels.append(block.level)
            yield from self.section(block, next(names))
        yield from ["</section>"] * len(open_levels)

    def section(self, heading: Heading, name: str) -> Iterator[str]:
        """How a section begins: its heading leads to itself, for those who want its address."""
        tag, title = f"h{heading.level + 1}", escape(heading.title)
        yield f'<section id="{name}">' if self.linked else "<section>"
        yield f'<{tag}><a href="#{name}">{title}</a></{tag}>' if self.linked else f"<{tag}>{title}</{tag}>"

    def block(self, block: Block) -> str:
        """One block; a heading here begins no section."""
        match block:
            case Heading(title, level):
                return f"<h{level + 1}>{escape(title)}</h{level + 1}>"
            case Paragraph(text):
                return f"<p>{self.text(text)}</p>"
            case Bullets(items):
                listed = "\n".join(f"<li>{self.text(item)}</li>" for item in items)
                return f"<ul>\n{listed}\n</ul>"
            case Display():
                return self.display(block)
            case Table():
                return self.table(block)
            case Figure():
                return self.figure(block)

    # -- running text --------------------------------------------------------------------------------------------------

    def inline(self, part: Inline) -> str:
        """One part of running text."""
        match part:
            case Math(latex):
                return inline(latex)
            case Ref():
                return self.reference(part)
            case Code(words):
                return f"<code>{escape(words)}</code>"
            case _:
                return escape(part)

    def reference(self, reference: Ref) -> str:
        """The number of a display, or the name of a figure."""
        if reference.figure:
            number = self.numbers.labelled(reference.label)
            anchor, shown = _figure_anchor(number), f"{escape(self.captions.figure)} {number}"
        else:
            anchor, shown = _display_anchor(reference.label), f"({self.numbers.display(reference.label)})"
        return f'<a href="#{anchor}">{shown}</a>' if self.linked else shown

    def text(self, text: Text) -> str:
        """Running text."""
        return "".join(map(self.inline, text))

    # -- displays and figures ------------------------------------------------------------------------------------------

    def display(self, display: Display) -> str:
        """The lines, and the number where there is one."""
        block = lines(display)
        if not display.label:
            return f'<div class="display">{block}</div>'
        anchor, number = _display_anchor(display.label), f"({self.numbers.display(display.label)})"
        if not self.linked:
            return f'<div class="display">{block}<span class="number">{number}</span></div>'
        return f'<div class="display" id="{anchor}">{block}<a class="number" href="#{anchor}">{number}</a></div>'

    def figure(self, figure: Figure) -> str:
        """The drawing, which has its alternative in words within, and its caption."""
        number = self.numbers.figure(figure)
        caption = f"{escape(self.captions.figure)} {number}: {self.text(figure.caption)}"
        name = f' id="{_figure_anchor(number)}"' if self.linked else ""
        return f"<figure{name}>\n<div>{svg(figure.drawing)}</div>\n<figcaption>{caption}</figcaption>\n</figure>"

    # -- tables --------------------------------------------------------------------------------------------------------

    def table(self, table: Table) -> str:
        """The table in a frame that scrolls where the window is narrow."""
        header = "".join(self.cell(table, "th", place, text, "col") for place, text in enumerate(table.header))
        rows = "\n".join(f"<tr>{self.row(table, row)}</tr>" for row in table.rows)
        return (
            f'<div class="table"><table>\n<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>'
        )

    def row(self, table: Table, row: Sequence[Text]) -> str:
        """The cells of a row, the first of which names it."""
        first, *others = row
        cells = (self.cell(table, "td", place, text) for place, text in enumerate(others, 1))
        return self.cell(table, "th", 0, first, "row") + "".join(cells)

    def cell(self, table: Table, tag: str, place: int, text: Text, scope: str = "") -> str:
        """One cell, with the kinds of its column."""
        kinds = [kind for kind, places in (("numeric", table.numeric), ("wide", table.wide)) if place in places]
        attributes = [f'scope="{scope}"'] if scope else []
        attributes += [f'class="{" ".join(kinds)}"'] if kinds else []
        return f"<{' '.join([tag, *attributes])}>{self.text(text)}</{tag}>"
