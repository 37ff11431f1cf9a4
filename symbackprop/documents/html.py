"""The HTML emitter: one file that needs nothing else, with MathML and the font for it, and no script."""

from __future__ import annotations

import html as markup
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

from symbackprop.documents.html_formulas import inline, lines
from symbackprop.documents.svg import svg
from symbackprop.documents.tree import (
    Block,
    Bullets,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Inline,
    Math,
    Paragraph,
    Ref,
    Table,
    Text,
)

__all__ = ["html"]

_PAGE = """<!DOCTYPE html>
<!-- The font in this file is a modified version of Latin Modern Math 1.959, copyright 2012-2014 by B. Jackowski,
P. Strzelczyk and P. Pianowski (on behalf of TeX users groups), under the GUST Font License: see
symbackprop/documents/data/GUST-FONT-LICENSE.txt, http://www.gust.org.pl/fonts/licenses/GUST-FONT-LICENSE.txt -->
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>{title}</title>
<style>
@font-face {{
  font-family: "Mathematics of symbackprop";
  src: url("data:font/woff2;base64,{font}") format("woff2");
}}
{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
<footer>{made_by}</footer>
</body>
</html>
"""
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What no HTML file may contain."""


def html(document: Document) -> str:
    """``document`` as a complete HTML file, which is well-formed XML too."""
    return _PAGE.format(
        title=_escape(document.title),
        font=b64encode(_data("mathematics.woff2")).decode("ascii"),
        style=_data("page.css").decode("utf-8"),
        body="\n".join(_Emitter(document.blocks).sections(document.blocks)),
        made_by=_escape(document.made_by),
    )


@cache
def _data(name: str) -> bytes:
    return files("symbackprop.documents").joinpath("data", name).read_bytes()


def _escape(text: str) -> str:
    return markup.escape(_NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", text))


def _anchor(label: str) -> str:
    return f"equation-{_escape(label)}"


class _Emitter:
    def __init__(self, blocks: Sequence[Block]) -> None:
        labels = [block.label for block in blocks if isinstance(block, Display) and block.label]
        self.numbers = {label: number for number, label in enumerate(labels, 1)}
        self.figures = [block for block in blocks if isinstance(block, Figure)]

    def sections(self, blocks: Sequence[Block]) -> Iterator[str]:
        """The blocks, those below a heading in a section of its own."""
        open_levels: list[int] = []
        for block in blocks:
            if isinstance(block, Heading):
                while open_levels and open_levels[-1] >= block.level:
                    open_levels.pop()
                    yield "</section>"
                open_levels.append(block.level)
                yield "<section>"
            yield self.block(block)
        yield from ["</section>"] * len(open_levels)

    def block(self, block: Block) -> str:
        match block:
            case Heading(title, level):
                return f"<h{level + 1}>{_escape(title)}</h{level + 1}>"
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
        match part:
            case Math(latex):
                return inline(latex)
            case Ref(label):
                return f'<a href="#{_anchor(label)}">({self.numbers[label]})</a>'
            case Code(words):
                return f"<code>{_escape(words)}</code>"
            case _:
                return _escape(part)

    def text(self, text: Text) -> str:
        return "".join(map(self.inline, text))

    # -- displays ------------------------------------------------------------------------------------------------------

    def display(self, display: Display) -> str:
        block = lines(display)
        if not display.label:
            return f'<div class="display">{block}</div>'
        anchor, number = _anchor(display.label), self.numbers[display.label]
        link = f'<a class="number" href="#{anchor}">({number})</a>'
        return f'<div class="display" id="{anchor}">{block}{link}</div>'

    # -- figures -------------------------------------------------------------------------------------------------------

    def figure(self, figure: Figure) -> str:
        """The drawing, which has its alternative in words within, and its caption."""
        number = self.figures.index(figure) + 1
        caption = f"<figcaption>Figure {number}: {self.text(figure.caption)}</figcaption>"
        return f'<figure id="figure-{number}">\n<div>{svg(figure.drawing)}</div>\n{caption}\n</figure>'

    # -- tables --------------------------------------------------------------------------------------------------------

    def table(self, table: Table) -> str:
        header = "".join(self.cell(table, "th", place, text, "col") for place, text in enumerate(table.header))
        rows = "\n".join(f"<tr>{self.row(table, row)}</tr>" for row in table.rows)
        return (
            f'<div class="table"><table>\n<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>'
        )

    def row(self, table: Table, row: Sequence[Text]) -> str:
        first, *others = row
        cells = (self.cell(table, "td", place, text) for place, text in enumerate(others, 1))
        return self.cell(table, "th", 0, first, "row") + "".join(cells)

    def cell(self, table: Table, tag: str, place: int, text: Text, scope: str = "") -> str:
        kinds = [kind for kind, places in (("numeric", table.numeric), ("wide", table.wide)) if place in places]
        attributes = [f'scope="{scope}"'] if scope else []
        attributes += [f'class="{" ".join(kinds)}"'] if kinds else []
        return f"<{' '.join([tag, *attributes])}>{self.text(text)}</{tag}>"
