"""What is known before notes are read: a network, the names it goes by, and the numbers of its worked example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy

from symbackprop.notation.program import Program
from symbackprop.reading.table import Table

__all__ = ["Entries", "Ground"]

Entries = Mapping[str, Mapping[tuple[int, ...], sympy.Expr]]
"""Numbers by the name of the variable and the position, which counts from 0."""


@dataclass(frozen=True)
class Ground:
    """A network that notes are about: ``table`` says how people write its variables, ``layers`` how many there are.

    ``likely`` are numbers that the notes may be worked with where ``numbers`` has none, if they print the same.
    """

    program: Program
    table: Table
    numbers: Entries = field(default_factory=dict)
    layers: int = 0
    likely: Entries = field(default_factory=dict)
