"""What every part of reading a relation needs: its state, refusals with a place, arithmetic entry by entry, sizes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import sympy

from symbackprop.errors import UnreadableError
from symbackprop.reading.arithmetic import arithmetic
from symbackprop.reading.context import Context
from symbackprop.reading.names import name_of, readings
from symbackprop.reading.sizes import Sizes
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.statements import Side
from symbackprop.reading.syntax import Addition, Node, Number, Script
from symbackprop.reading.table import Declared, Table
from symbackprop.reading.tokens import Token
from symbackprop.reading.values import Arrays, ShapeError, Value

__all__ = ["Options", "Reader", "ShapeMismatchError"]


class ShapeMismatchError(UnreadFormulaError):
    """A formula whose shapes cannot be: read well, and wrong."""


@dataclass(frozen=True)
class Options:
    """How derivatives of and by whole arrays are read where notes differ.

    ``numerator``   the derivative of a number by a column is a row (numerator layout), not a column
    ``entrywise``   the derivative of a column by a column, where each entry depends on one, is the column of those
    """

    numerator: bool = False
    entrywise: bool = False


@dataclass
class Reader(ABC):
    """What reading one relation needs and remembers. ``scope`` holds the indices that are free in it, with their sizes.

    ``unknown`` is asked for a name that the table has not; it may declare it, or refuse.
    """

    table: Table
    context: Context
    sizes: Sizes
    labels: Mapping[str, int] = field(default_factory=dict)
    options: Options = field(default_factory=Options)
    unknown: Callable[..., Declared | None] | None = None
    about: str = ""
    tokens: Sequence[Token] = ()
    scope: dict[str, sympy.Expr | None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    arguments: dict[str, Value] = field(default_factory=dict)
    deep: int = 0
    by_example: bool = False
    literals: dict[sympy.Symbol, str] | None = None
    sliced: bool = False
    arrays: Arrays = field(init=False)

    def __post_init__(self) -> None:
        self.arrays = Arrays(self.sizes)

    @abstractmethod
    def side(self, side: Side, expected: Value | None = None) -> Value:
        """The value of one side of a relation."""

    @abstractmethod
    def value(self, node: Node, expected: Value | None = None) -> Value:
        """The value of a node; ``expected`` is what stands on the other side, where it is known."""

    def token(self, node: Node) -> Token:
        """Where ``node`` begins."""
        return self.tokens[min(node.start, len(self.tokens) - 1)]

    def note(self, text: str) -> None:
        """Remember how something was read."""
        self.notes[text] = None

    def fail(self, node: Node, reason: str) -> NoReturn:
        """Raise, with the place of ``node``."""
        token = self.token(node)
        raise UnreadFormulaError(reason, token.line, token.column)

    def misfit(self, node: Node, error: ShapeError, remedy: str = "") -> NoReturn:
        """Raise for shapes that do not fit."""
        token = self.token(node)
        reason = f"the shapes do not fit: {error}{remedy}"
        raise ShapeMismatchError(reason, token.line, token.column) from error

    def combined(self, pattern: str, *values: Value) -> Value:
        """Arithmetic on entries of the same axes."""
        letters = dict(zip("abcg", (value.entry for value in values), strict=False))
        axes = next((value.axes for value in values if value.axes), ())
        return Value(self.compute(pattern, letters), axes)

    def compute(self, pattern: str, letters: Mapping[str, sympy.Expr]) -> sympy.Expr:
        """Arithmetic on expressions: the value of a pattern with its letters put in."""
        return arithmetic(pattern, letters)

    def together(self, node: Node, pattern: str, first: Value, second: Value, join: str) -> Value:
        """Arithmetic entry by entry."""
        try:
            axes, one, other = self.arrays.aligned(first, second, join)
        except ShapeError as error:
            self.misfit(node, error)
        try:
            return Value(self.compute(pattern, {"a": one, "b": other}), axes)
        except UnreadableError as error:
            self.fail(node, str(error))

    def size_of(self, script: Script) -> sympy.Expr | None:
        """The size that a subscript names, if it does."""
        if script.text.isdecimal():
            return self.table.size_of(int(script.text))
        found = self.table.sizes.get((script.text, ""))
        if found is None and script.body is not None:
            found = self.size_value(script.body)
        return found

    def size_value(self, node: Node) -> sympy.Expr | None:
        """A declared size, or arithmetic with such: N - 1."""
        if isinstance(node, Number):
            return self.table.size_of(int(node.text)) if node.text.isdecimal() else None
        name = name_of(node)
        if name is not None:
            for reading in readings(name, self.labels):
                if not reading.indices and reading.sample is None and reading.power is None:
                    found = self.table.sizes.get((name.base, reading.label))
                    if found is not None:
                        return found
            return None
        if isinstance(node, Addition):
            parts: list[sympy.Expr] = []
            for minus, term in node.terms:
                part = self.size_value(term)
                if part is None:
                    return None
                parts.append(-part if minus else part)
            return sympy.Add(*parts)
        return None
