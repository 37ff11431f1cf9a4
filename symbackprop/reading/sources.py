"""What stands where: a stretch of mathematics in a text, and the error that names a place in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symbackprop.errors import UnreadableError

__all__ = ["Cell", "Formula", "Macro", "Source", "UnreadFormulaError"]


class UnreadFormulaError(UnreadableError):
    """A formula that cannot be read, with the place: ``line`` and ``column`` count from 1 in the whole text."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Cell:
    """Where in a table a formula stands: the number of the table, its row, and the heading of the column."""

    table: int
    row: int
    heading: str


@dataclass(frozen=True)
class Formula:
    r"""A stretch of mathematics: what stands between the delimiters, and where.

    ``latex`` is the text itself with comments blanked, so that places in it are places in the text; its first character
    stands at ``line`` and ``column``, from 1. ``start`` and ``stop`` are the offsets of the whole, delimiters and all,
    in the text; ``environment`` is the delimiter or the environment's name: ``$``, ``$$``, ``\[``, ``align*``.
    """

    latex: str
    line: int
    column: int
    start: int
    stop: int
    environment: str = "$"
    cell: Cell | None = None

    @property
    def is_display(self) -> bool:
        """Whether it is set on lines of its own."""
        return self.environment not in ("$", "\\(")


@dataclass(frozen=True)
class Macro:
    r"""A ``\newcommand``: the number of its arguments, its body, and the default of an optional first argument."""

    name: str
    arity: int
    body: str
    default: str | None = None


@dataclass(frozen=True)
class Source:
    """A text of notes: ``kind`` is "tex" or "markdown"; its formulas in order, and the commands that it defines."""

    text: str
    kind: str
    formulas: tuple[Formula, ...]
    macros: Mapping[str, Macro] = field(default_factory=dict)
