"""What the drawing of a computational graph shows: which equations, in which layers, and what enters which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.adjoint.records import Differentiation
from symbackprop.documents.languages.words import Words
from symbackprop.notation.program import Program

__all__ = ["LEFT_OUT", "MOST_EQUATIONS", "Graph", "graph_of"]

MOST_EQUATIONS = 12
"""Up to this many equations all are drawn; of more, the first four and the last four."""
_FIRST, _LAST = 4, 4
LEFT_OUT = "..."
"""The node that stands for the equations that are left out. No variable is called so."""


@dataclass(frozen=True)
class Graph:
    """Nodes with their layers, and wires; ``back`` are those on which a derivative returns from the loss."""

    layers: Mapping[str, int]
    wires: tuple[tuple[str, str], ...]
    back: frozenset[tuple[str, str]]
    left_out: int
    loss: str

    def leaves(self, name: str) -> bool:
        """Whether a wire leaves a node."""
        return name == self.loss or any(source == name for source, _ in self.wires)

    def returns(self, name: str) -> bool:
        """Whether a derivative comes back to it."""
        return name == self.loss or any(source == name for source, _ in self.back)

    def takers(self, name: str, layer: int) -> list[str]:
        """What takes it in later layers than this one."""
        return [target for source, target in self.wires if source == name and self.layers[target] > layer]

    def spoken(self, name: str, words: Words) -> str:
        """A node in words."""
        return words.plain("node left out", count=self.left_out) if name == LEFT_OUT else name


def graph_of(differentiation: Differentiation) -> Graph:
    """The graph of a program that was differentiated."""
    program = differentiation.program
    names = [equation.name for equation in program.equations]
    hidden = frozenset(names[_FIRST:-_LAST] if len(names) > MOST_EQUATIONS else ())
    wires: dict[tuple[str, str], None] = {}
    for source, target in _wires(program):
        # What goes into the part that is left out, and what comes out, is shown; what only it takes is not.
        if target in hidden and (source in hidden or source not in program.definitions):
            continue
        wires[(LEFT_OUT if source in hidden else source, LEFT_OUT if target in hidden else target)] = None
    back = {
        (LEFT_OUT if adjoint.of.name in hidden else adjoint.of.name, LEFT_OUT if c.through in hidden else c.through)
        for adjoint in differentiation.adjoints
        for c in adjoint.contributions
    }
    order = [name for name in program.variables if name not in hidden]
    if hidden:
        order.insert(order.index(names[-_LAST]), LEFT_OUT)
    return Graph(
        _layers(program, order, tuple(wires)), tuple(wires), frozenset(back), len(hidden), differentiation.loss
    )


def _wires(program: Program) -> Iterator[tuple[str, str]]:
    """Which variable enters which equation, in the program's order."""
    for target, used in program.uses.items():
        yield from ((source, target) for source in program.variables if source in used)


def _layers(program: Program, order: Sequence[str], wires: Sequence[tuple[str, str]]) -> dict[str, int]:
    """One more than what enters it, for an equation; one less than what takes it, for what is given."""
    layers: dict[str, int] = {}
    for name in order:
        if name in program.definitions or name == LEFT_OUT:
            layers[name] = 1 + max((layers.get(source, 0) for source, target in wires if target == name), default=0)
    for name in order:
        taken = [layers[target] for source, target in wires if source == name]
        if name not in layers and taken:
            layers[name] = min(taken) - 1
    return layers
