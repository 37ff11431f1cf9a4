"""Nodes in layers, and the wires between them, side by side so that wires are short and seldom cross.

A node stands in one layer; what it sends out runs on through the layers up to the last node that takes it, in a lane of
its own. So between two layers every wire is a single stroke, and beside the nodes of a layer there are only lanes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from symbackprop.documents.drawings.alignment import Place, Pull, aligned

__all__ = ["Arrangement", "Node", "arranged"]

_SWEEPS = 4
_LANE = 4.0
_PORT = 10.0
_BORDER = 7.0
_NEARLY = 4.0
_LANE_PULL = 8.0


@dataclass(frozen=True)
class Node:
    """A node: its layer, how far it reaches to either side of its middle line, and how strongly its wires pull."""

    name: str
    layer: int
    before: float
    after: float
    pull: float


@dataclass(frozen=True)
class Arrangement:
    """The middle line of each place, across the layers, and where at each node its wires arrive."""

    spines: Mapping[Place, float]
    ports: Mapping[tuple[str, str], float]
    halves: Mapping[str, float]
    links: tuple[tuple[Place, Place], ...]
    low: float
    high: float

    def arrival(self, source: Place, target: Place) -> float:
        """Where a link from ``source`` reaches ``target``: straight ahead, where that is nearly the port."""
        start, end = self.spines[source], self.spines[target] + self.ports.get((source[0], target[0]), 0.0)
        return start if source[0] != target[0] and abs(start - end) < _NEARLY else end


def arranged(nodes: Sequence[Node], wires: Iterable[tuple[str, str]], gap: float) -> Arrangement:
    """``nodes`` side by side in their layers, ``gap`` apart; ``wires`` lead from layers to later ones."""
    return _Layers(nodes, tuple(wires), gap).arrangement()


class _Layers:
    def __init__(self, nodes: Sequence[Node], wires: Sequence[tuple[str, str]], gap: float) -> None:
        self.nodes = {node.name: node for node in nodes}
        self.wires = wires
        self.gap = gap

    @cached_property
    def links(self) -> tuple[tuple[Place, Place], ...]:
        """The strokes between neighbouring layers: along a lane, and from there into a node."""
        found: dict[tuple[Place, Place], None] = {}
        for source, target in self.wires:
            first, last = self.nodes[source].layer, self.nodes[target].layer
            for layer in range(first, last - 1):
                found[((source, layer), (source, layer + 1))] = None
            found[((source, last - 1), (target, last))] = None
        return tuple(found)

    @cached_property
    def start(self) -> list[list[Place]]:
        """The places of each layer: nodes as they were given, then lanes."""
        layers: list[dict[Place, None]] = [{} for _ in range(1 + max(node.layer for node in self.nodes.values()))]
        for node in sorted(self.nodes.values(), key=lambda node: -node.pull):
            layers[node.layer][(node.name, node.layer)] = None
        for link in self.links:
            for place in link:
                layers[place[1]][place] = None
        return [list(layer) for layer in layers]

    # -- order -----------------------------------------------------------------------------------------------------

    def order(self) -> list[list[Place]]:
        """The places of each layer in an order with few crossings: each by the mean of its neighbours, to and fro."""
        orders = [self.start]
        for sweep in range(_SWEEPS):
            orders.append(self.swept(orders[-1], forwards=sweep % 2 == 0))
        return min(orders, key=lambda layers: (self.crossings(layers), self.length(layers)))

    def swept(self, layers: Sequence[Sequence[Place]], forwards: bool) -> list[list[Place]]:
        ranks = {place: float(rank) for layer in layers for rank, place in enumerate(layer)}
        neighbours = self.sources if forwards else self.targets
        result = [list(layer) for layer in layers]
        for number in range(len(layers)) if forwards else reversed(range(len(layers))):

            def mean(place: Place) -> float:
                near = neighbours.get(place, ())
                return sum(ranks[other] for other in near) / len(near) if near else ranks[place]

            result[number].sort(key=mean)
            ranks.update((place, float(rank)) for rank, place in enumerate(result[number]))
        return result

    @cached_property
    def sources(self) -> dict[Place, list[Place]]:
        return _grouped((target, source) for source, target in self.links)

    @cached_property
    def targets(self) -> dict[Place, list[Place]]:
        return _grouped(self.links)

    def crossings(self, layers: Sequence[Sequence[Place]]) -> int:
        ranks = {place: rank for layer in layers for rank, place in enumerate(layer)}
        by_layer: dict[int, list[tuple[int, int]]] = {}
        for source, target in self.links:
            by_layer.setdefault(source[1], []).append((ranks[source], ranks[target]))
        pairs = (pair for ends in by_layer.values() for pair in combinations(ends, 2))
        return sum((a - c) * (b - d) < 0 for (a, b), (c, d) in pairs)

    def length(self, layers: Sequence[Sequence[Place]]) -> int:
        """How many places the links move by, all together."""
        ranks = {place: rank for layer in layers for rank, place in enumerate(layer)}
        return sum(abs(ranks[source] - ranks[target]) for source, target in self.links)

    # -- positions -------------------------------------------------------------------------------------------------

    def arrangement(self) -> Arrangement:
        """Every place as near to its neighbours as the others of its layer allow."""
        layers = self.order()
        ports = self.ports(layers)
        halves = {name: self.half(name, ports) for name in self.nodes}
        rooms = {place: self.room(place, halves) for layer in layers for place in layer}
        spines = aligned(layers, rooms, {place: self.pulls(place, ports) for place in rooms}, self.gap)
        low = min(spines[place] - before for place, (before, _) in rooms.items())
        high = max(spines[place] + after for place, (_, after) in rooms.items())
        return Arrangement(spines, ports, halves, self.links, low, high)

    def ports(self, layers: Sequence[Sequence[Place]]) -> dict[tuple[str, str], float]:
        """Where each wire arrives: side by side, the one that pulls the most in the middle."""
        ranks = {place: rank for layer in layers for rank, place in enumerate(layer)}
        found = {}
        for name, node in self.nodes.items():
            places = sorted(self.sources.get((name, node.layer), ()), key=ranks.__getitem__)
            pulls = [self.nodes[source].pull for source, _ in places]
            middle = (len(places) - 1) / 2
            if pulls and pulls.count(max(pulls)) == 1:
                middle = pulls.index(max(pulls))
            for rank, (source, _) in enumerate(places):
                found[(source, name)] = (rank - middle) * _PORT
        return found

    def half(self, name: str, ports: Mapping[tuple[str, str], float]) -> float:
        """Half of the side of a node that its wires need."""
        source_ports = (abs(offset) for (_, target), offset in ports.items() if target == name)
        return max(source_ports, default=0.0) + _BORDER

    def room(self, place: Place, halves: Mapping[str, float]) -> tuple[float, float]:
        name, layer = place
        node = self.nodes[name]
        if layer != node.layer:
            return _LANE, _LANE
        return max(node.before, halves[name]), max(node.after, halves[name])

    def pulls(self, place: Place, ports: Mapping[tuple[str, str], float]) -> list[Pull]:
        """What pulls at a place: the ends of its wires."""
        sources = [(s, -ports.get((s[0], place[0]), 0.0), self.pull(s, place)) for s in self.sources.get(place, ())]
        targets = [(t, ports.get((place[0], t[0]), 0.0), self.pull(place, t)) for t in self.targets.get(place, ())]
        return sources + targets

    def pull(self, source: Place, target: Place) -> float:
        return self.nodes[source[0]].pull * (_LANE_PULL if source[0] == target[0] else 1)


def _grouped(pairs: Iterable[tuple[Place, Place]]) -> dict[Place, list[Place]]:
    found: dict[Place, list[Place]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
