"""What a formula says, as a tree: nothing is resolved yet. Every node knows which tokens it came from."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Addition",
    "Bars",
    "Cases",
    "Comparison",
    "Derivative",
    "Differential",
    "Fraction",
    "Group",
    "Listing",
    "Marked",
    "Matrix",
    "Node",
    "Number",
    "Product",
    "Root",
    "Script",
    "Scripted",
    "Summation",
    "Symbol",
    "core",
]


@dataclass(frozen=True)
class Node:
    """A part of a formula: the tokens from ``start`` up to ``stop``."""

    start: int
    stop: int


@dataclass(frozen=True)
class Number(Node):
    """A number as it is written."""

    text: str


@dataclass(frozen=True)
class Symbol(Node):
    """A letter, a Greek letter or a word: ``name`` without what only dresses it; a hat, bar or tilde belongs to it."""

    name: str
    bold: bool = False
    word: bool = False


@dataclass(frozen=True)
class Script(Node):
    """One piece of a sub- or superscript.

    ``kind`` is "(" or "[" for a label in such brackets, "top", "plus", "circ" or "plain"; ``text`` what it says without
    spaces; ``body`` the same as an expression, where it is one.
    """

    kind: str
    text: str
    body: Node | None = None


@dataclass(frozen=True)
class Scripted(Node):
    """A base with sub- and superscripts and primes."""

    base: Node
    below: tuple[Script, ...] = ()
    above: tuple[Script, ...] = ()
    primes: int = 0


@dataclass(frozen=True)
class Group(Node):
    """Something in brackets; ``bracket`` is the opening one."""

    body: Node
    bracket: str


@dataclass(frozen=True)
class Listing(Node):
    """Several expressions with commas between them."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Addition(Node):
    """Terms, each with whether a minus stands before it."""

    terms: tuple[tuple[bool, Node], ...]


@dataclass(frozen=True)
class Product(Node):
    r"""Factors; ``operators[k]`` stands before factor k + 1: empty, ``\cdot``, ``\odot``, ``/`` or the like."""

    factors: tuple[Node, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True)
class Fraction(Node):
    r"""``\frac{above}{below}``."""

    above: Node
    below: Node


@dataclass(frozen=True)
class Differential(Node):
    r"""``\partial`` and what it stands before; None where it stands alone, as in ``\frac{\partial}{\partial x}``."""

    body: Node | None


@dataclass(frozen=True)
class Derivative(Node):
    """d ``of`` / d ``by``; without ``of`` an operator on what follows."""

    of: Node | None
    by: Node


@dataclass(frozen=True)
class Marked(Node):
    r"""``\left. body \right|_{place}``."""

    body: Node
    place: str


@dataclass(frozen=True)
class Root(Node):
    """A square root, or another."""

    body: Node
    degree: Node | None


@dataclass(frozen=True)
class Bars(Node):
    """An absolute value, or a norm where ``double``."""

    body: Node
    double: bool


@dataclass(frozen=True)
class Comparison(Node):
    """``left relation right``, as in a bracket [z > 0] or a case."""

    left: Node
    relation: str
    right: Node


@dataclass(frozen=True)
class Cases(Node):
    """Values with their conditions; None is "otherwise"."""

    rows: tuple[tuple[Node, Node | None], ...]


@dataclass(frozen=True)
class Matrix(Node):
    """A matrix written out."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class Summation(Node):
    r"""``\sum``, ``\max`` over an index and the like: the indices with their ranges, and the body.

    ``indices`` holds (name, first, last) where first and last are expressions or None; ``excluded`` pairs (index,
    other) of ``\sum_{k \ne j}``.
    """

    operator: str
    indices: tuple[tuple[str, Node | None, Node | None], ...]
    body: Node
    excluded: tuple[tuple[str, str], ...] = ()


def core(node: Node) -> Node:
    """What stands under the scripts of a node."""
    return node.base if isinstance(node, Scripted) else node
