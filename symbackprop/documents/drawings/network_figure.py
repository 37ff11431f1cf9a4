"""The network as a drawing: a column of circles for the inputs and for each layer, and an edge for each weight."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, sqrt

from symbackprop.documents.drawings.drawing import Circle, Dots, Drawing, Label, Lettering, Line, Mark, Point, Size
from symbackprop.documents.drawings.edge_labels import Edge, Placement, cut, placed
from symbackprop.documents.drawings.extents import ascent, descent, extent, width
from symbackprop.documents.drawings.network_parts import Bundle, Column, columns_and_bundles
from symbackprop.documents.languages.network import network_sentence
from symbackprop.documents.languages.words import Words
from symbackprop.forms.symbols import Symbols
from symbackprop.network import NetworkDescription

__all__ = ["network_figure"]

_WIDEST = 620.0
_DISTANCES = {
    True: ((110.0, 24.0), (110.0, 40.0), (130.0, 32.0), (130.0, 48.0), (150.0, 40.0), (180.0, 60.0)),
    False: ((64.0, 16.0),),
}
"""Between two columns, and between two circles of a column: with a weight at each edge, and without."""
_LINE = 15.0
_MARGIN = 6.0


def network_figure(symbols: Symbols, words: Words, network: NetworkDescription) -> Drawing:
    """The drawing of ``network``, in the symbols of its program."""
    marks, wide, high = _best(*columns_and_bundles(symbols, words, network))
    title = words.plain("network drawing title", name=network.name)
    alternative = words.plain("network drawing", network="".join(map(str, network_sentence(words, network, str))))
    return Drawing(wide, high, tuple(marks), title, alternative)


# -- where it stands ---------------------------------------------------------------------------------------------------


def _best(columns: Sequence[Column], bundles: Sequence[Bundle]) -> tuple[list[Mark], float, float]:
    """The layout in which the fewest edges run through or near the label of another; the smallest of those."""
    plans = []
    for labelled in (True, False):
        for gap, spacing in _DISTANCES[labelled]:
            plan = _Plan(columns, bundles, labelled, gap, spacing)
            placements = plan.placements() if plan.wide <= _WIDEST or not labelled else None
            if placements is not None:
                plans.append((sum(p.cost for p in placements), plan.wide * plan.high, plan, placements))
        if plans:
            break
    *_, plan, placements = min(plans, key=lambda entry: entry[:2])
    return plan.marks(placements), plan.wide, plan.high


class _Plan:
    """Coordinates for one choice of the distances."""

    def __init__(
        self,
        columns: Sequence[Column],
        bundles: Sequence[Bundle],
        labelled: bool,
        gap: float,
        spacing: float,
    ) -> None:
        self.columns = columns
        self.bundles = [Bundle(b.labels if labelled else (), b.together) for b in bundles]
        self.radius = _radius(columns)
        self.pitch = 2 * self.radius + spacing
        self.head_lines = 2 if any(bundle.together and not bundle.labels for bundle in self.bundles) else 1
        self.heads = self.head_lines * _LINE + 8
        self.rows = max(column.rows for column in columns)
        self.feet = max(len(column.footing) for column in columns) * _LINE + 6
        self.high = 2 * _MARGIN + self.heads + (self.rows - 1) * self.pitch + 2 * self.radius + self.feet
        self.xs = self._across(gap)
        self.wide = self.xs[-1] + self._half(len(columns) - 1) + _MARGIN

    def _half(self, place: int) -> float:
        """Half of the widest thing in a column."""
        column = self.columns[place]
        texts = [width((column.heading,), Size.SMALL), *(width(line, Size.SMALL) for line in column.footing)]
        return max(self.radius, *(text / 2 for text in texts))

    def _across(self, gap: float) -> list[float]:
        xs = [_MARGIN + self._half(0)]
        for place, bundle in enumerate(self.bundles):
            texts = self._half(place) + self._half(place + 1) + 10
            heading = (width((self.columns[p].heading,), Size.SMALL) / 2 for p in (place, place + 1))
            above = sum(heading) + max((width(line, Size.SMALL) for line in bundle.together), default=0.0) + 16
            between = 2 * self.radius + (gap if bundle.together else 70.0)
            xs.append(xs[-1] + max(texts, above, between, self._not_too_steep(place)))
        return xs

    def _not_too_steep(self, place: int) -> float:
        """So far from a column to the next that no edge touches the circle above or below the one it comes from."""
        before, after = self.columns[place], self.columns[place + 1]
        steepest = (before.rows + after.rows - 2) / 2 * self.pitch
        clear = self.radius + 2
        return steepest * clear / sqrt(self.pitch**2 - clear**2)

    def center(self, place: int, row: float) -> Point:
        """The middle of a row of a column; columns are centred on one line."""
        middle = _MARGIN + self.heads + self.radius + (self.rows - 1) * self.pitch / 2
        return self.xs[place], middle + (row - (self.columns[place].rows - 1) / 2) * self.pitch

    def ends(self, place: int, before: int, after: int) -> tuple[Point, Point]:
        """Where the edge between two units leaves the one circle and reaches the other."""
        (x, y), (u, v) = (
            self.center(place, self.columns[place].row(before)),
            self.center(place + 1, self.columns[place + 1].row(after)),
        )
        length = hypot(u - x, v - y)
        dx, dy = (u - x) * self.radius / length, (v - y) * self.radius / length
        return (x + dx, y + dy), (u - dx, v - dy)

    def edges(self, place: int) -> list[Edge]:
        """The labelled edges after a column."""
        edges = []
        for before, after, text in self.bundles[place].labels:
            high = ascent(text, Size.SMALL) + descent(text, Size.SMALL)
            edges.append(Edge(*self.ends(place, before, after), width(text, Size.SMALL) + 4, high + 1))
        return edges

    def placements(self) -> list[Placement] | None:
        """Places for all labels at edges; None where some would touch."""
        found = [placed(self.edges(place)) for place in range(len(self.bundles))]
        return None if None in found else [placement for placement in found if placement is not None]

    def marks(self, placements: Sequence[Placement]) -> list[Mark]:
        """Everything, edges first."""
        marks: list[Mark] = []
        for place, placement in enumerate(placements):
            marks += self._between(place, placement)
        for place, column in enumerate(self.columns):
            for unit, text in enumerate(column.units):
                x, y = self.center(place, column.row(unit))
                marks.append(Circle((x, y), self.radius))
                marks.append(Label((x, _baseline(y, text, Size.NORMAL)), text))
            if column.whole < len(column.units):
                marks.append(Dots(self.center(place, column.whole), upright=True))
            marks += self._texts(place)
        return marks

    def _between(self, place: int, placement: Placement) -> list[Mark]:
        bundle = self.bundles[place]
        if not bundle.together:
            return self._left_out(place)
        texts = [text for _, _, text in bundle.labels]
        edges = self.edges(place)
        labels: list[Label] = []
        for edge, fraction, text in zip(edges, placement.places, texts, strict=True):
            x, y = edge.at(fraction)
            labels.append(Label((x, _baseline(y, text, Size.SMALL)), text, Size.SMALL))
        if not labels:
            x = (self.xs[place] + self.xs[place + 1]) / 2
            above = enumerate(bundle.together)
            labels = [Label((x, self._head_line(line)), text, Size.SMALL) for line, text in above]
        rooms = [extent(label).grown(1) for label in labels]
        units = (
            (i, j) for i in range(len(self.columns[place].units)) for j in range(len(self.columns[place + 1].units))
        )
        lines = [line for i, j in units for line in cut(*self.ends(place, i, j), rooms)]
        return [*lines, *labels]

    def _head_line(self, line: int) -> float:
        return _MARGIN + _LINE * (line + 1) - 4

    def _left_out(self, place: int) -> list[Mark]:
        """Stubs and dots where layers are left out."""
        marks: list[Mark] = []
        stub = (self.xs[place + 1] - self.xs[place] - 2 * self.radius) / 4
        for side, sign in ((place, 1), (place + 1, -1)):
            for unit in range(len(self.columns[side].units)):
                x, y = self.center(side, self.columns[side].row(unit))
                start = x + sign * self.radius
                marks.append(Line(((start, y), (start + sign * min(stub, 12.0), y))))
        middle = (self.xs[place] + self.xs[place + 1]) / 2
        marks.append(Dots((middle, self.center(place, (self.columns[place].rows - 1) / 2)[1])))
        return marks

    def _texts(self, place: int) -> list[Label]:
        column, x = self.columns[place], self.xs[place]
        below = self.high - _MARGIN - self.feet + 4
        heading = Label((x, self._head_line(self.head_lines - 1)), (column.heading,), Size.SMALL)
        lines = enumerate(column.footing, 1)
        return [heading, *(Label((x, below + _LINE * line - 4), text, Size.SMALL) for line, text in lines)]


def _radius(columns: Sequence[Column]) -> float:
    """So large that every unit's symbol fits."""
    texts = [text for column in columns for text in column.units]
    return max(hypot(width(t, Size.NORMAL), ascent(t, Size.NORMAL) + descent(t, Size.NORMAL)) / 2 + 1 for t in texts)


def _baseline(middle: float, text: Lettering, size: Size) -> float:
    """The baseline of text whose extent is centred at ``middle``."""
    return middle + (ascent(text, size) - descent(text, size)) / 2
