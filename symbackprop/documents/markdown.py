"""The Markdown emitter, with the mathematics that GitHub and Jupyter show."""

from __future__ import annotations

import re

from symbackprop.documents.layout import lines
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

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|])")


def markdown(document: Document) -> str:
    """``document`` as Markdown; displays and figures are numbered in order, since Markdown cannot do that."""
    labels = [block.label for block in document.blocks if isinstance(block, Display) and block.label]
    figures = [block for block in document.blocks if isinstance(block, Figure)]
    emitter = _Emitter({label: number for number, label in enumerate(labels, 1)}, figures)
    blocks = "\n\n".join(emitter.block(block) for block in document.blocks)
    return f"# {_escape(document.title)}\n\n<!-- {document.made_by} -->\n\n{blocks}\n"


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


class _Emitter:
    def __init__(self, numbers: dict[str, int], figures: list[Figure]) -> None:
        self.numbers = numbers
        self.figures = figures

    def inline(self, part: Inline) -> str:
        match part:
            case Math(latex):
                return f"${latex}$"
            case Ref(label):
                return f"({self.numbers[label]})"
            case Code(words):
                return f"`{words}`"
            case _:
                return _escape(part)

    def text(self, text: Text) -> str:
        return "".join(map(self.inline, text))

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
        body = []
        for row in display.rows:
            first, *more = lines(row.left, row.right)
            body.append(f"{row.left} &{row.relation} {first}")
            body.extend(rf"&\quad {line}" for line in more)
        tag = rf" \tag{{{self.numbers[display.label]}}}" if display.label else ""
        rows = " \\\\\n".join(body)
        return f"$$\n\\begin{{aligned}}\n{rows}\n\\end{{aligned}}{tag}\n$$"

    def figure(self, figure: Figure) -> str:
        """The caption, and in words what is seen, since Markdown cannot draw."""
        words = " ".join(figure.alternative.split())
        return (
            f"**Figure {self.figures.index(figure) + 1}.** {self.text(figure.caption)}\n\n> In words: {_escape(words)}"
        )

    def table(self, table: Table) -> str:
        def row(cells: tuple[Text, ...]) -> str:
            return (
                "| "
                + " | ".join(
                    self.text(cell).replace(r"\left|", r"\left\vert ").replace(r"\right|", r"\right\vert ")
                    for cell in cells
                )
                + " |"
            )

        rule = (
            "|" + "|".join(" ---: " if place in table.numeric else " --- " for place in range(len(table.header))) + "|"
        )
        return "\n".join([row(table.header), rule, *map(row, table.rows)])
