"""The Markdown emitter, with the mathematics that GitHub and Jupyter show."""

from __future__ import annotations

import re
from collections.abc import Callable

from symbackprop.documents.formats.aligned import aligned_lines
from symbackprop.documents.formats.markdown_math import inline_math, table_math
from symbackprop.documents.formats.numbering import numbers
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

__all__ = ["markdown"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~&])")
_LIST = re.compile(r"^(\d*)([-+.)])(?= )")
"""What would make a list of a paragraph."""


def markdown(document: Document) -> str:
    """``document`` as Markdown; displays and figures are numbered in order, since Markdown cannot do that."""
    byline = ", ".join(map(_escape, filter(None, (document.author, document.date))))
    comment = f"<!-- {document.made_by.replace('-->', '-- >')} -->"
    emitter = _Emitter(document)
    parts = [f"# {_escape(document.title)}", byline, comment, *map(emitter.block, document.blocks)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _code(text: str) -> str:
    """A code span, with more backticks around it than it has in a row."""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    room = " " * (text.startswith(("`", " ")) or text.endswith(("`", " ")))
    return f"{fence}{room}{text}{room}{fence}"


class _Emitter:
    def __init__(self, document: Document) -> None:
        self.numbers = numbers(document.blocks)
        self.captions = document.captions

    def inline(self, part: Inline, math: Callable[[str], str] = inline_math) -> str:
        match part:
            case Math(latex):
                return math(latex)
            case Ref(label, figure):
                if figure:
                    return f"{_escape(self.captions.figure)} {self.numbers.labelled(label)}"
                return f"({self.numbers.display(label)})"
            case Code(words):
                return _code(words)
            case _:
                return _escape(part)

    def text(self, text: Text) -> str:
        return _LIST.sub(r"\1\\\2", "".join(map(self.inline, text)))

    def block(self, block: Block) -> str:
        match block:
            case Heading(title, level):
                return f"{'#' * (level + 1)} {_escape(title)}"
            case Paragraph(text):
                return self.text(text)
            case Bullets(items):
                return "\n".join(f"- {self.text(item)}" for item in items)
            case Display():
                return self.display(block)
            case Table():
                return self.table(block)
            case Figure():
                return self.figure(block)

    def display(self, display: Display) -> str:
        rows = " \\\\\n".join(aligned_lines(display))
        tag = rf" \tag{{{self.numbers.display(display.label)}}}" if display.label else ""
        return f"$$\n\\begin{{aligned}}\n{rows}\n\\end{{aligned}}{tag}\n$$"

    def figure(self, figure: Figure) -> str:
        """The caption, and in words what is seen, since Markdown cannot draw."""
        name = f"{_escape(self.captions.figure)} {self.numbers.figure(figure)}"
        words = _escape(" ".join(figure.alternative.split()))
        return f"**{name}.** {self.text(figure.caption)}\n\n> {_escape(self.captions.in_words)}: {words}"

    def table(self, table: Table) -> str:
        rules = (" ---: " if place in table.numeric else " --- " for place in range(len(table.header)))
        return "\n".join([self.row(table.header), f"|{'|'.join(rules)}|", *map(self.row, table.rows)])

    def row(self, cells: tuple[Text, ...]) -> str:
        return f"| {' | '.join(map(self.cell, cells))} |"

    def cell(self, text: Text) -> str:
        """A cell; even in code a bar would end it."""
        return "".join(
            _code(part.text).replace("|", r"\|") if isinstance(part, Code) else self.inline(part, table_math)
            for part in text
        )
