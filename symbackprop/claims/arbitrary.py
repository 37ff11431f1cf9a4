r"""Identities about any matrices: the letters of ``(A B)_{ik} = \sum_j a_{ij} b_{jk}`` are arrays of any shape."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from symbackprop.notation.program import Role, Variable, default_indices
from symbackprop.reading.names import name_of
from symbackprop.reading.notes import Notes
from symbackprop.reading.survey import nodes
from symbackprop.reading.syntax import Group, Node, Product, Scripted
from symbackprop.reading.table import Declared, other_case

__all__ = ["arbitrary_arrays", "is_arbitrary"]

_MARK = "_any_"


@contextmanager
def arbitrary_arrays(notes: Notes, left: Node) -> Iterator[None]:
    """Declare the letters of an identity, whose ``left`` side is an entry of something in brackets, while it is read.

    Letters that the notes or the network know keep their meaning.
    """
    table, context = notes.table, notes.context
    added = [letter for letter in _letters(left) if not _is_known(notes, letter)]
    names = {}
    for letter in added:
        rank = 2 if letter.isupper() else 1
        shape = tuple(notes.sizes.fresh(letter) for _ in range(rank))
        name = f"{_MARK}{letter}{len(context.program.inputs)}"
        variable = Variable(name, shape, Role.INPUT, default_indices(rank), symbol=letter)
        context.program = replace(context.program, inputs=(*context.program.inputs, variable))
        table.declared[letter, ""] = Declared(name, shape, tuple(range(rank)))
        names[name] = letter
    try:
        yield
    finally:
        for letter in added:
            del table.declared[letter, ""]
        if names:
            known = (_with_known_sizes(notes, v) if v.name in names else v for v in context.program.inputs)
            context.program = replace(context.program, inputs=tuple(known))


def is_arbitrary(name: str) -> bool:
    """Whether a variable is one of the letters of an identity."""
    return name.startswith(_MARK)


def _letters(left: Node) -> list[str]:
    """The bare letters inside the brackets of ``(...)_{ij}`` or ``f(...)_{ij}``."""
    body: Node | None = None
    if isinstance(left, Product) and len(left.factors) == 2 and left.operators == ("",):
        left = left.factors[1]
    if isinstance(left, Scripted) and isinstance(left.base, Group) and left.below:
        body = left.base.body
    found: dict[str, None] = {}
    inside = list(nodes(body)) if body is not None else []
    heads = {id(node.base) for node in inside if isinstance(node, Scripted)}
    for node in inside:
        name = name_of(node)
        if name is None or id(node) in heads or name.below or name.above or name.bold or name.primes:
            continue
        if len(name.base) == 1 and name.base.isalpha():
            found[name.base] = None
    return list(found)


def _is_known(notes: Notes, letter: str) -> bool:
    return any(notes.table.find(base, "") is not None for base in (letter, other_case(letter)))


def _with_known_sizes(notes: Notes, variable: Variable) -> Variable:
    return replace(variable, shape=tuple(map(notes.sizes.find, variable.shape)))
