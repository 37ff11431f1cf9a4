"""A document as a tree of plain values. It knows mathematics as LaTeX, and nothing of any format."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.documents.drawings.drawing import Drawing

__all__ = [
    "Block",
    "Bullets",
    "Captions",
    "Code",
    "Display",
    "Document",
    "Figure",
    "Heading",
    "Inline",
    "Math",
    "Paragraph",
    "Ref",
    "Row",
    "Table",
    "Text",
]


@dataclass(frozen=True)
class Math:
    """Inline mathematics; ``latex`` may hold marks where it may be broken (``symbackprop.forms.breaks``)."""

    latex: str


@dataclass(frozen=True)
class Ref:
    """A reference by its label: to a numbered display, or to a ``figure``."""

    label: str
    figure: bool = False


@dataclass(frozen=True)
class Code:
    """Words for a computer, such as a command."""

    text: str


Inline = str | Math | Ref | Code
Text = tuple[Inline, ...]


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is a section."""

    title: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: Text


@dataclass(frozen=True)
class Bullets:
    """An unordered list."""

    items: tuple[Text, ...]


@dataclass(frozen=True)
class Row:
    """One line of a display, ``left = right``.

    ``right`` comes in pieces between which the line may be broken. Both sides may hold marks where they may be broken
    besides (``symbackprop.forms.breaks``).
    """

    left: str
    right: tuple[str, ...]
    relation: str = "="


@dataclass(frozen=True)
class Display:
    """Aligned lines of mathematics; numbered where there is a label."""

    rows: tuple[Row, ...]
    label: str = ""


@dataclass(frozen=True)
class Table:
    """A table; ``numeric`` columns are set flush right, ``wide`` ones hold text that may run over several lines."""

    header: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    numeric: frozenset[int] = frozenset()
    wide: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Figure:
    """A drawing with its caption; ``alternative`` says in words what is seen."""

    drawing: Drawing
    caption: Text
    alternative: str
    label: str = ""


Block = Heading | Paragraph | Bullets | Display | Table | Figure


@dataclass(frozen=True)
class Captions:
    """The words that emitters add: of a figure, before its description, and over the table of contents."""

    figure: str = "Figure"
    in_words: str = "In words"
    contents: str = "Contents"


@dataclass(frozen=True)
class Document:
    """A title and blocks; ``made_by`` says how to make it again, ``language`` is a code such as "en"."""

    title: str
    blocks: tuple[Block, ...]
    made_by: str
    author: str = ""
    date: str = ""
    language: str = "en"
    captions: Captions = Captions()
