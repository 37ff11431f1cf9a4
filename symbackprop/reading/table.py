"""The strict table of declared symbols: what a name on paper stands for. Nothing that is not in it has a meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sympy

from symbackprop.notation.expressions import size
from symbackprop.reading.statements import Side

__all__ = ["FAMILY", "Abbreviation", "Declared", "Key", "Table", "UserFunction", "other_case", "shown_key"]

FAMILY = "[]"
"""Marks a letter that is one thing with an index, C_k, where the letter alone is another, C."""
_LARGE = 32
"""The largest size at which formulas are evaluated as it stands there."""
Key = tuple[str, str]
"""A base letter and its label: ("W", "2") for W^{(2)}, W^{[2]}, W^2 and W_2."""


@dataclass(frozen=True)
class Declared:
    """A symbol that stands for a variable.

    ``shape`` is the shape on paper, and ``axes[k]`` the axis of the variable that axis k on paper is. ``sample`` is the
    axis on paper that counts examples. ``adjoint`` says that it stands for the derivative of the loss by the variable,
    ``updated`` that it is the variable after an update.
    """

    variable: str
    shape: tuple[sympy.Expr, ...] = ()
    axes: tuple[int, ...] = ()
    sample: int | None = None
    adjoint: bool = False
    updated: bool = False


@dataclass(frozen=True)
class Abbreviation:
    """A symbol that was defined by a formula with derivatives in it: ``indices`` are those on its left side."""

    indices: tuple[str, ...]
    side: Side
    labels: Mapping[str, int] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class UserFunction:
    """A function that the notes define: ``parameters`` are symbols of its ``body``."""

    parameters: tuple[str, ...]
    body: Side
    elementwise: Callable[[sympy.Expr], sympy.Expr] | None = None


@dataclass
class Table:
    r"""What every name stands for, while notes are read.

    ``generic`` are the letters that number layers or time steps, with the numbers they run through; ``last`` those
    that mean the last of them; ``bracketed`` says that such numbers stand in brackets,
    ``subscripted`` of which symbols they stand below. ``activations`` has the function
    that a layer applies to a pre-activation, by the variable, None where it is none of single entries; a letter such as
    ``\varphi`` before that variable means it.
    """

    declared: dict[Key, Declared] = field(default_factory=dict)
    entries: dict[Key, Key] = field(default_factory=dict)
    functions: dict[Key, Callable[[sympy.Expr], sympy.Expr]] = field(default_factory=dict)
    user: dict[Key, UserFunction] = field(default_factory=dict)
    abbreviations: dict[Key, Abbreviation] = field(default_factory=dict)
    sizes: dict[Key, sympy.Expr] = field(default_factory=dict)
    activations: dict[str, Callable[[sympy.Expr], sympy.Expr] | None] = field(default_factory=dict)
    generic: dict[str, tuple[int, ...]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    bracketed: bool = False
    subscripted: frozenset[str] = frozenset()
    loss: str | None = None
    batch: sympy.Expr | None = None
    kept: frozenset[int] | None = None

    def size_of(self, number: int) -> sympy.Expr:
        """A size that is a number.

        A large one with which no formula computes (those are ``kept``; None keeps all) becomes a letter: what holds for
        all sizes holds for it, and it can be tried at small ones.
        """
        if self.kept is None or number <= _LARGE or number in self.kept:
            return sympy.Integer(number)
        return size(f"n_{number}")

    def find(self, base: str, label: str) -> Declared | None:
        """What the name stands for; an entry may have the small letter of its matrix."""
        key = (base, label)
        if key in self.declared:
            return self.declared[key]
        if key in self.entries:
            return self.declared.get(self.entries[key])
        return None

    def find_entry(self, base: str, label: str) -> Declared | None:
        """The array whose entries have this letter, in the other case where it has no meaning of its own."""
        found = self.find(f"{base}{FAMILY}", label) or self.find(base, label)
        if found is None:
            found = self.find(other_case(base), label)
        return found

    def labels_of(self, base: str) -> tuple[str, ...]:
        """The labels under which the letter is declared."""
        return tuple(label for name, label in self.declared if name == base and label)

    def known_names(self) -> tuple[str, ...]:
        """Every declared name as people write it, for messages."""
        keys = [*self.declared, *self.functions, *self.user, *self.abbreviations, *self.sizes]
        return tuple(dict.fromkeys(shown_key(key) for key in keys))


_ACCENTS = ("hat", "bar", "tilde", "dot")
_CASES = {
    "\\delta": "\\Delta", "\\Delta": "\\delta", "\\ell": "\\Lambda", "\\Lambda": "\\ell", "\\lambda": "\\Lambda",
    "\\gamma": "\\Gamma", "\\Gamma": "\\gamma", "\\theta": "\\Theta", "\\Theta": "\\theta",
}  # fmt: skip


def other_case(base: str) -> str:
    """The capital letter of a small one, and the small letter of a capital."""
    accent, _, name = base.rpartition(":")
    other = _CASES.get(name, name.swapcase() if len(name) == 1 else name)
    return f"{accent}:{other}" if accent else other


def shown_key(key: Key) -> str:
    """The name as LaTeX."""
    base, label = key
    accent, _, name = base.removesuffix(FAMILY).rpartition(":")
    if len(name) > 1 and not name.startswith("\\"):
        name = f"\\mathrm{{{name}}}"
    text = f"\\{accent}{{{name}}}" if accent else name
    return f"{text}^{{({label})}}" if label.isdigit() else f"{text}_{{{label}}}" if label else text
