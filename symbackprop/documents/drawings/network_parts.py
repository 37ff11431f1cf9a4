"""What the drawing of a network shows: which layers, which of their units, and which weights by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symbackprop.documents.drawings.drawing import Lettering
from symbackprop.documents.languages.words import Words
from symbackprop.forms.signs import Letters, Sign, Style
from symbackprop.forms.symbols import Symbols
from symbackprop.network import NetworkDescription
from symbackprop.notation.program import Variable

__all__ = ["MOST_LAYERS", "MOST_UNITS", "Bundle", "Column", "columns_and_bundles"]

MOST_UNITS = 6
"""Up to this many units a layer is drawn whole; of more, the first three and the last."""
_FIRST_UNITS, _FIRST_UNITS_BY_NAME = 3, 2
MOST_LAYERS = 6
"""Up to this many layers all are drawn; of more, the first three and the last two."""
_FIRST_LAYERS, _LAST_LAYERS = 3, 2
_MOST_LABELS = 12
"""Up to this many edges between two layers each has its weight; of more, they have one name together."""
_LONGEST_NAME, _AND_SO_ON = 18, "..."
"""A longer name is cut. The one letter for three dots is not in the fonts of LaTeX."""


@dataclass(frozen=True)
class Column:
    """What one column shows: its units from the top, with a gap of dots after ``whole`` of them, and lines of text."""

    units: tuple[Lettering, ...]
    positions: tuple[Letters, ...]
    whole: int
    heading: str
    footing: tuple[Lettering, ...]

    @property
    def rows(self) -> int:
        """How many rows it has, with that of the dots."""
        return len(self.units) + (self.whole < len(self.units))

    def row(self, unit: int) -> int:
        """The row that a unit stands in; the dots have one, too."""
        return unit + (unit >= self.whole)


@dataclass(frozen=True)
class Bundle:
    """The edges between two columns: a label for each, as (from, to, label), and lines of text for all together.

    Without any text the two are not neighbours: layers between them are left out.
    """

    labels: tuple[tuple[int, int, Lettering], ...]
    together: tuple[Lettering, ...]


def columns_and_bundles(
    symbols: Symbols, words: Words, network: NetworkDescription
) -> tuple[list[Column], list[Bundle]]:
    """The columns that are drawn, and what is between each and the next."""
    shown = _layers_shown(len(network.layers))
    columns = [_column(symbols, words, network, number) for number in shown]
    return columns, [_bundle(symbols, columns, shown, place) for place in range(len(shown) - 1)]


def _layers_shown(layers: int) -> list[int]:
    """The numbers of the layers that are drawn; the inputs are 0."""
    if layers <= MOST_LAYERS:
        return list(range(layers + 1))
    return [*range(_FIRST_LAYERS + 1), *range(layers - _LAST_LAYERS + 1, layers + 1)]


def _column(symbols: Symbols, words: Words, network: NetworkDescription, number: int) -> Column:
    units = network.layers[number - 1].units if number else network.inputs
    positions, whole = _positions(symbols, units)
    name = _unit_name(symbols, number)
    circles = tuple((symbols.element_sign(name, (position,)),) for position in positions)
    if number == 0:
        return Column(circles, positions, whole, words.plain("input units"), ())
    layer = network.layers[number - 1]
    bias: Lettering = (words.plain("no bias"),)
    if layer.bias:
        bias = (f"{words.plain('bias')} ", symbols.whole_sign(f"b{number}", 1))
    footing: tuple[Lettering, ...] = ((_shortened(words.phrase(layer.resolved().name.replace("_", " "))),), bias)
    return Column(circles, positions, whole, words.plain("layer units", number=number), footing)


def _positions(symbols: Symbols, units: int | str) -> tuple[tuple[Letters, ...], int]:
    """Which units are drawn, counted from 1, and how many of them stand before the dots."""
    if isinstance(units, str):
        first, last = _FIRST_UNITS_BY_NAME, symbols.size_letters(units)
    elif units > MOST_UNITS:
        first, last = _FIRST_UNITS, _digits(units)
    else:
        return tuple(map(_digits, range(1, units + 1))), units
    return (*map(_digits, range(1, first + 1)), last), first


def _digits(number: int) -> Letters:
    return Letters(str(number), str(number), Style.UPRIGHT)


def _unit_name(symbols: Symbols, number: int) -> str:
    """The variable that a column shows: the inputs, or a layer's activations, or what stands for them."""
    if number == 0:
        return "x"
    return f"a{number}" if f"a{number}" in symbols.program.variables else f"z{number}"


def _shortened(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - len(_AND_SO_ON)]}{_AND_SO_ON}"


def _bundle(symbols: Symbols, columns: Sequence[Column], shown: Sequence[int], place: int) -> Bundle:
    """The weights between a column and the next, unless layers between the two are left out."""
    number = shown[place + 1]
    if number - shown[place] > 1:
        return Bundle((), ())
    weight = symbols.variable(f"W{number}")
    before, after = columns[place], columns[place + 1]
    labels = tuple(
        (i, j, (_weight_sign(symbols, weight, before.positions[i], after.positions[j]),))
        for i in range(len(before.units))
        for j in range(len(after.units))
    )
    together: tuple[Lettering, ...] = ((symbols.whole_sign(weight.name, 2),), _shape(symbols, weight))
    return Bundle(labels if len(labels) <= _MOST_LABELS else (), together)


def _weight_sign(symbols: Symbols, weight: Variable, before: Letters, after: Letters) -> Sign:
    """The weight between two units, its indices in the order that the program has them in."""
    positions = tuple(before if index.name == "i" else after for index in weight.indices)
    return symbols.element_sign(weight.name, positions)


def _shape(symbols: Symbols, weight: Variable) -> Lettering:
    rows, columns = (_size(symbols, extent) for extent in weight.shape)
    return Sign(rows), Sign(Letters(r" \times ", " \u00d7 ", Style.UPRIGHT)), Sign(columns)


def _size(symbols: Symbols, extent: sympy.Expr) -> Letters:
    return _digits(int(extent)) if extent.is_Integer else symbols.size_letters(extent.name)
