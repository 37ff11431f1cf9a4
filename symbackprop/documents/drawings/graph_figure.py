"""The computational graph of a program as a drawing: values on the way to the loss, derivatives on the way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import hypot

from symbackprop.adjoint.records import Differentiation
from symbackprop.documents.drawings.alignment import Place
from symbackprop.documents.drawings.channels import STRAIGHT, Net, levels
from symbackprop.documents.drawings.drawing import Box, Drawing, Ink, Label, Lettering, Line, Mark, Point, Size, Tip
from symbackprop.documents.drawings.extents import ascent, descent, width
from symbackprop.documents.drawings.graph_parts import LEFT_OUT, Graph, graph_of
from symbackprop.documents.drawings.layered import Node, arranged
from symbackprop.documents.drawings.wire_labels import Block, Signals
from symbackprop.documents.languages.words import Words
from symbackprop.notation.program import Program, Role

__all__ = ["graph_figure"]

_WIDEST = 520.0
_MARGIN = 6.0
_HIGH = 24.0
_ASIDE = 2.6
"""How far the two lines of a wire are from its middle."""
_OFF = 6.0
"""How far a label is from the middle of its wire."""
_JOINT = 5.0
_BEFORE_LEVELS, _LEVEL, _AFTER_LEVELS = 4.0, 9.5, 12.0
"""From the labels to the first wire across, from one to the next, and on to the boxes."""
_BETWEEN = 10.0
_PULLS = {Role.PARAMETER: 1e-5, Role.INPUT: 0.1, Role.TARGET: 1e-4}
"""How strongly a wire is drawn straight. Those of equations pull by their layers, so that the longest chain is one."""


def graph_figure(differentiation: Differentiation, signals: Mapping[str, Signals], words: Words) -> Drawing:
    """The drawing; ``signals`` says what stands at the wires. From left to right where that fits a page, else down."""
    graph = graph_of(differentiation)
    across = _Plan(differentiation, graph, signals, words, downwards=False)
    plan = across if across.size[0] <= _WIDEST else _Plan(differentiation, graph, signals, words, downwards=True)
    title = words.plain("graph drawing title", name=differentiation.program.name)
    return Drawing(*plan.size, tuple(plan.marks()), title, _in_words(differentiation.program, graph, signals, words))


# -- where it stands ---------------------------------------------------------------------------------------------------


class _Plan:
    """Coordinates along the wires and across them; along is to the right, or down."""

    def __init__(
        self,
        differentiation: Differentiation,
        graph: Graph,
        signals: Mapping[str, Signals],
        words: Words,
        downwards: bool,
    ) -> None:
        self.program = differentiation.program
        self.graph, self.signals, self.words, self.downwards = graph, signals, words, downwards
        nodes = [Node(name, layer, *self.sides(name), self.pull(name)) for name, layer in graph.layers.items()]
        self.arrangement = arranged(nodes, graph.wires, _BETWEEN)
        self.levels = self.across()
        self.starts, self.boxes, self.ends = self.along()
        along = self.ends[-1] + _MARGIN
        across = self.arrangement.high - self.arrangement.low + 2 * _MARGIN
        self.size = (across, along) if downwards else (along, across)

    def pull(self, name: str) -> float:
        depth = float(self.graph.layers[name])
        return depth if name == LEFT_OUT else _PULLS.get(self.program.variables[name].role, depth)

    def blocks(self, name: str) -> tuple[Block | None, Block | None]:
        """The labels before and after the wire that leaves a node; none where no wire does."""
        if name not in self.signals or not self.graph.leaves(name):
            return None, None
        return self.signals[name].forward, self.signals[name].backward

    def text(self, name: str) -> Lettering:
        if name == LEFT_OUT:
            return (self.words.plain("more equations", count=self.graph.left_out),)
        return self.signals[name].name

    def box_width(self, name: str) -> float:
        return max(34.0, width(self.text(name), Size.NORMAL) + 14)

    def sides(self, name: str) -> tuple[float, float]:
        """How far a node and its labels reach to both sides of the wire."""
        half = self.box_width(name) / 2 if self.downwards else _HIGH / 2
        forward, backward = self.blocks(name)
        return max(half, self.reach(forward)), max(half, self.reach(backward))

    def reach(self, block: Block | None) -> float:
        if block is None:
            return 0.0
        return _OFF + (block.wide if self.downwards else block.high)

    def box_length(self, name: str) -> float:
        return _HIGH if self.downwards else self.box_width(name)

    def label_length(self, name: str) -> float:
        sides = [block for block in self.blocks(name) if block is not None]
        return max(((b.high if self.downwards else b.wide) for b in sides), default=0.0)

    def across(self) -> dict[Place, int]:
        """The level on which the wires out of each place run across; -1 where they are straight."""
        arrivals: dict[Place, list[float]] = {}
        for source, target in self.arrangement.links:
            arrivals.setdefault(source, []).append(self.arrangement.arrival(source, target))
        found: dict[Place, int] = {}
        for layer in range(max(self.graph.layers.values())):
            nets = {s: Net(self.arrangement.spines[s], tuple(ends)) for s, ends in arrivals.items() if s[1] == layer}
            found.update(zip(nets, levels(tuple(nets.values())), strict=True))
        return found

    def along(self) -> tuple[list[float], list[float], list[float]]:
        """Where each layer begins, how long its boxes are, and where it ends, after the labels."""
        starts, boxes, ends = [], [], []
        here = _MARGIN
        for layer in range(max(self.graph.layers.values()) + 1):
            names = [name for name, at in self.graph.layers.items() if at == layer]
            starts.append(here)
            boxes.append(max((self.box_length(name) for name in names), default=0.0))
            ends.append(here + boxes[-1] + max(12.0, *(self.label_length(name) + 10 for name in names), 0.0))
            here = ends[-1] + self.zone(layer)
        return starts, boxes, ends

    def zone(self, layer: int) -> float:
        """How much room the wires after a layer take."""
        count = 1 + max((level for (_, at), level in self.levels.items() if at == layer), default=-1)
        return _BEFORE_LEVELS + _LEVEL * max(count - 1, 0) + _AFTER_LEVELS

    def point(self, along: float, across: float) -> Point:
        across += _MARGIN - self.arrangement.low
        return (across, along) if self.downwards else (along, across)

    # -- marks -----------------------------------------------------------------------------------------------------

    def marks(self) -> Iterator[Mark]:
        for link in self.arrangement.links:
            yield from self.link(*link)
        for name, layer in self.graph.layers.items():
            if self.graph.leaves(name):
                yield from self.trunk(name, layer)
                yield from self.labels(name, layer)
            yield from self.box(name, layer)

    def box(self, name: str, layer: int) -> Iterator[Mark]:
        spine = self.arrangement.spines[(name, layer)]
        half = max(self.box_width(name) / 2 if self.downwards else _HIGH / 2, self.arrangement.halves[name])
        a = self.point(self.starts[layer], spine - half)
        b = self.point(self.starts[layer] + self.boxes[layer], spine + half)
        given = name in self.program.variables and name not in self.program.definitions
        yield Box(a, b[0] - a[0], b[1] - a[1], rounded=not given)
        text = self.text(name)
        baseline = (a[1] + b[1] + ascent(text, Size.NORMAL) - descent(text, Size.NORMAL)) / 2
        yield Label(((a[0] + b[0]) / 2, baseline), text)

    def trunk(self, name: str, layer: int) -> Iterator[Mark]:
        """The wire out of a node as far as its labels reach."""
        spine = self.arrangement.spines[(name, layer)]
        start, end = self.starts[layer] + self.boxes[layer], self.ends[layer] - _JOINT
        forward = Tip.END if name == self.graph.loss else Tip.NONE
        yield from self.wire(name, [(start, spine), (end, spine)], self.graph.returns(name), forward, Tip.START)

    def labels(self, name: str, layer: int) -> Iterator[Mark]:
        spine = self.arrangement.spines[(name, layer)]
        middle = (self.starts[layer] + self.boxes[layer] + self.ends[layer] - 4) / 2
        for block, side in zip(self.blocks(name), (-1, 1), strict=True):
            if block is not None:
                x, y = self.point(middle, spine + side * (_OFF + (block.wide if self.downwards else block.high) / 2))
                yield from block.marks((x - block.wide / 2, y - block.high / 2))

    def link(self, source: Place, target: Place) -> Iterator[Mark]:
        """From the end of one layer into a node of the next one, or into the lane through it."""
        (name, layer), (taker, following) = source, target
        spine, arrival = self.arrangement.spines[source], self.arrangement.arrival(source, target)
        level = self.levels[source]
        turn = self.ends[layer] + _BEFORE_LEVELS + _LEVEL * level
        corners = [(turn, spine), (turn, arrival)] if abs(arrival - spine) >= STRAIGHT else []
        in_lane = name == taker
        end = self.ends[following] - _JOINT if in_lane else self.starts[following]
        further = self.graph.takers(name, following) if in_lane else [taker]
        back = any((name, other) in self.graph.back for other in further)
        points = [(self.ends[layer] - _JOINT, spine), *corners, (end, arrival)]
        yield from self.wire(name, points, back, Tip.NONE if in_lane else Tip.END, Tip.NONE)

    def wire(self, name: str, points: Iterable[Point], back: bool, forward: Tip, backward: Tip) -> Iterator[Line]:
        """One line for the values, and one beside it for the derivatives if they come ``back`` here."""
        path = [self.point(*point) for point in points]
        aside = 0.0 if not self.graph.returns(name) else -_ASIDE if self.downwards else _ASIDE
        yield Line(_aside(path, aside), Ink.FORWARD, forward, rounded=True)
        if back:
            yield Line(_aside(path, -aside), Ink.BACKWARD, backward, rounded=True)


def _aside(path: Sequence[Point], distance: float) -> tuple[Point, ...]:
    """The parallel of a path, to the left of its direction as one sees it."""
    normals = []
    for (x, y), (u, v) in pairwise(path):
        length = hypot(u - x, v - y) or 1.0
        normals.append(((v - y) / length, (x - u) / length))
    found = []
    for place, (x, y) in enumerate(path):
        (a, b), (c, d) = normals[max(place - 1, 0)], normals[min(place, len(normals) - 1)]
        # On the line that halves the angle, further out so that the parallels keep their distance.
        scale = distance / (1 + a * c + b * d)
        found.append((x + scale * (a + c), y + scale * (b + d)))
    return tuple(found)


# -- in words ----------------------------------------------------------------------------------------------------------


def _in_words(program: Program, graph: Graph, signals: Mapping[str, Signals], words: Words) -> str:
    parts = []
    for name in graph.layers:
        sources = [graph.spoken(source, words) for source, target in graph.wires if target == name]
        if sources:
            parts.append(words.plain("node", name=graph.spoken(name, words), sources=", ".join(sources)))
    given = ", ".join(name for name in graph.layers if name not in program.definitions and name != LEFT_OUT)
    numbers = "; ".join(filter(None, (signals[name].spoken for name in program.variables if name in graph.layers)))
    said = words.plain("graph drawing", given=given, computed="; ".join(parts))
    return said + (words.plain("graph drawing numbers", numbers=numbers) if numbers else "")
