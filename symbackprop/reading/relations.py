"""The statements of a text, the relations that they claim, and what falls apart before it is one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from symbackprop.reading.sources import Formula, Source, UnreadFormulaError
from symbackprop.reading.statements import Side, Statement, statements
from symbackprop.reading.tokens import tokenize
from symbackprop.reading.watch import begun, place_of, reason_for

__all__ = ["Line", "Relation", "Unread", "is_condition", "relations_of"]

_WHOLE = re.compile(r"-?\d+\Z")
_CONDITION = re.compile(r"\b(?:if|when|where|at|unless|wenn|wo|bei)\s+\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Relation:
    """Two sides that are said to be equal, and where; ``update`` says that the right side is the new value of the left.

    ``chain`` is the number of the statement that it is part of.
    """

    left: Side
    right: Side
    sign: str
    formula: Formula
    update: bool = False
    chain: int = 0

    @property
    def line(self) -> int:
        """The line on which it begins."""
        return self.right.line if self.chain_goes_on else self.left.line

    @property
    def chain_goes_on(self) -> bool:
        """Whether its left side was the right side of the relation before."""
        return self.sign.startswith("&")

    @property
    def column(self) -> int:
        """The column in which it begins."""
        return self.right.column if self.chain_goes_on else self.left.column

    @property
    def latex(self) -> str:
        """The relation as it stands there."""
        return f"{self.left.latex} {self.sign.lstrip('&')} {self.right.latex}"


@dataclass(frozen=True)
class Unread:
    """A formula, or a part of one, that cannot be read."""

    formula: Formula
    line: int
    column: int
    latex: str
    reason: str
    misfit: bool = False


@dataclass(frozen=True)
class Line:
    """A statement, the formula that it stands in, and its number in the text."""

    statement: Statement
    formula: Formula
    number: int


def relations_of(source: Source) -> tuple[tuple[Line, ...], tuple[Unread, ...]]:
    """Every statement of the notes, and the formulas that fall apart before they are statements."""
    lines: list[Line] = []
    unread: list[Unread] = []
    for formula in source.formulas:
        reason = begun(place_of("read", formula))
        if reason:
            unread.append(Unread(formula, formula.line, formula.column, formula.latex.strip(), reason))
            continue
        try:
            for statement in statements(tokenize(formula.latex, formula.line, formula.column, source.macros)):
                lines.append(Line(statement, formula, len(lines)))
        except UnreadFormulaError as error:
            unread.append(Unread(formula, error.line, error.column, formula.latex.strip(), error.reason))
        except Exception as error:
            unread.append(Unread(formula, formula.line, formula.column, formula.latex.strip(), reason_for(error)))
    return tuple(lines), tuple(unread)


def is_condition(line: Line, source: Source) -> bool:
    """Whether an equation in the middle of a sentence says when something is so: "where $z = 0$"."""
    formula, statement = line.formula, line.statement
    if formula.is_display or statement.relations != ("=",) or not _WHOLE.match(statement.sides[1].latex.strip()):
        return False
    return _CONDITION.search(source.text[max(0, formula.start - 20) : formula.start]) is not None
