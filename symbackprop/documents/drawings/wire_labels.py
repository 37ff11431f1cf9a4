"""What stands at the wires of a computational graph: numbers where they are few, names otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.adjoint.records import Differentiation
from symbackprop.documents.drawings.drawing import Anchor, Label, Lettering, Line, Mark, Point, Size, plain_text
from symbackprop.documents.drawings.extents import width
from symbackprop.documents.example import WorkedExample
from symbackprop.documents.languages.words import Words
from symbackprop.documents.numbers import Numbers
from symbackprop.forms.signs import Letters, Sign, Style
from symbackprop.forms.symbols import Symbols
from symbackprop.notation.program import Variable

__all__ = ["Block", "Signals", "in_names", "in_numbers"]

_ROUNDED = Numbers(3, given=3)
"""Significant figures in a drawing."""
_MOST_ROWS, _MOST_COLUMNS = 4, 3
_LINE = 13.0
_GAP = 7.0
_BRACKET = 5.0
_PARTIAL = Sign(Letters(r"\partial", "\u2202", Style.UPRIGHT))
_OVER = Sign(Letters("/", "/", Style.UPRIGHT))
_ONE = Sign(Letters("1", "1", Style.UPRIGHT))


@dataclass(frozen=True)
class Block:
    """Lettering in rows and columns, in square brackets where there is more than one entry."""

    rows: tuple[tuple[Lettering, ...], ...]

    @property
    def _columns(self) -> list[float]:
        return [max(width(entry, Size.SMALL) for entry in column) for column in zip(*self.rows, strict=True)]

    @property
    def _bracket(self) -> float:
        return _BRACKET if len(self.rows) * len(self.rows[0]) > 1 else 0.0

    @property
    def wide(self) -> float:
        """How wide it is."""
        return sum(self._columns) + _GAP * (len(self._columns) - 1) + 2 * self._bracket

    @property
    def high(self) -> float:
        """How high it is."""
        return _LINE * len(self.rows) + (4.0 if self._bracket else 3.0)

    @property
    def spoken(self) -> str:
        """The entries, row by row."""
        rows = "; ".join(", ".join(plain_text(entry) for entry in row) for row in self.rows)
        return f"[{rows}]" if self._bracket else rows

    def marks(self, corner: Point) -> Iterator[Mark]:
        """The labels and brackets, from an upper left corner on."""
        x, y = corner
        rights = list(accumulate(self._columns, lambda before, column: before + _GAP + column))
        for number, row in enumerate(self.rows, 1):
            baseline = y + _LINE * number - (1.0 if self._bracket else 2.0)
            for right, entry in zip(rights, row, strict=True):
                yield Label((x + self._bracket + right, baseline), entry, Size.SMALL, Anchor.RIGHT)
        if self._bracket:
            for side, inwards in ((x + 1, 3.0), (x + self.wide - 1, -3.0)):
                top, bottom = y + 1, y + self.high - 1
                yield Line(((side + inwards, top), (side, top), (side, bottom), (side + inwards, bottom)))


@dataclass(frozen=True)
class Signals:
    """What stands in a node, and at the wire out of it: the value, and the derivative of the loss by it.

    ``spoken`` says the numbers in words, where they are numbers.
    """

    name: Lettering
    forward: Block
    backward: Block | None
    spoken: str = ""


def in_names(symbols: Symbols, differentiation: Differentiation) -> dict[str, Signals]:
    """Every variable with its symbol, and the symbol of its adjoint."""
    found = {}
    for variable in differentiation.program.variables.values():
        name: Lettering = (symbols.whole_sign(variable.name, len(variable.shape)),)
        backward = _derivative(symbols, differentiation, variable)
        returns = None if backward is None else Block(((backward,),))
        found[variable.name] = Signals(name, Block(((name,),)), returns)
    return found


def _derivative(symbols: Symbols, differentiation: Differentiation, variable: Variable) -> Lettering | None:
    """The adjoint's symbol, 1 for the loss; None where there is no adjoint."""
    if variable.name == differentiation.loss:
        return (_ONE,)
    if variable.name not in differentiation.by_variable:
        return None
    adjoint = differentiation.by_variable[variable.name].equation.left
    if symbols.is_delta(adjoint):
        return (symbols.whole_sign(adjoint.name, len(adjoint.shape)),)
    of = symbols.whole_sign(variable.name, len(variable.shape))
    return _PARTIAL, symbols.loss_sign(adjoint), _OVER, _PARTIAL, of


def in_numbers(
    symbols: Symbols, differentiation: Differentiation, example: WorkedExample | None, words: Words
) -> dict[str, Signals] | None:
    """The same with the numbers of one example, vectors as columns; None where there is none, or too many numbers."""
    values = None if example is None else example.form.values
    if values is None:
        return None
    found = {}
    for variable in differentiation.program.variables.values():
        array = _of_one_example(variable, values[variable.name], differentiation)
        if array is None:
            return None
        adjoint = differentiation.by_variable.get(variable.name)
        derivative = _ones(differentiation, variable) if adjoint is None else values[adjoint.name].reshape(array.shape)
        forward, backward = _block(array), None if derivative is None else _block(derivative)
        if backward is None:
            spoken = words.plain("wire", name=variable.name, value=forward.spoken)
        else:
            both = {"value": forward.spoken, "derivative": backward.spoken}
            spoken = words.plain("wire with derivative", name=variable.name, **both)
        name = symbols.whole_sign(variable.name, array.ndim)
        found[variable.name] = Signals((name,), forward, backward, spoken)
    return found


def _ones(differentiation: Differentiation, variable: Variable) -> npt.NDArray[Any] | None:
    """The derivative of the loss by itself; there is none of what has no adjoint."""
    return np.ones(()) if variable.name == differentiation.loss else None


def _of_one_example(
    variable: Variable, array: npt.NDArray[Any], differentiation: Differentiation
) -> npt.NDArray[Any] | None:
    """The array without the axis that counts examples; None where there are several, or too many numbers."""
    axes = tuple(axis for axis, extent in enumerate(variable.shape) if extent == differentiation.program.batch)
    if any(array.shape[axis] != 1 for axis in axes):
        return None
    array = np.squeeze(array, axes)
    rows, columns = (*array.shape, 1, 1)[:2]
    return array if array.ndim <= 2 and rows <= _MOST_ROWS and columns <= _MOST_COLUMNS else None


def _block(array: npt.NDArray[Any]) -> Block:
    """Numbers as a matrix, a column or alone."""
    matrix = array.reshape(array.shape if array.ndim == 2 else (-1, 1))
    return Block(tuple(tuple(_ROUNDED.signs(float(entry)) for entry in row) for row in matrix))
