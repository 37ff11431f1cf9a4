"""What canonical index forms are made of: sums of terms, each a product under sums, with atoms in it.

    coefficient * Sum over indices of  atom^exponent * atom^exponent * ...

Everything is identified by its text, which is computed once: two values are equal exactly where their texts are. The
name of an index says what it is: ``@n`` is free, ``?7`` is open (bound by a sum of the term at hand, under a name that
nothing else has), ``#2.0`` is closed (bound, under its canonical name: how deep, and which). What is nested in a term
binds names of lower levels only, so that no name is ever captured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

__all__ = [
    "ONE",
    "UNIT",
    "Atom",
    "Exponent",
    "Number",
    "Open",
    "Product",
    "SumOfTerms",
    "atom",
    "closed",
    "index_atom",
    "index_form",
    "plain",
    "product",
    "single",
]

Number = int | Fraction
Exponent = int | Fraction


def plain(number: Number) -> Number:
    """The same number, as an integer where it is one."""
    return number.numerator if isinstance(number, Fraction) and number.denominator == 1 else number


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """What a product is a product of: a variable at positions, a size, an index, a function of sums of terms, ...

    ``free`` holds the names of the indices that occur free in it, ``level`` how deep the sums inside it are nested.
    """

    kind: str
    name: str
    parts: tuple[SumOfTerms, ...]
    text: str
    free: frozenset[str]
    level: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """Powers of atoms, summed over indices; each index comes with its size."""

    sums: tuple[tuple[str, SumOfTerms], ...]
    factors: tuple[tuple[Atom, Exponent], ...]
    text: str
    free: frozenset[str]
    level: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Product) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def own(self) -> frozenset[str]:
        """The indices that are summed over."""
        return frozenset(name for name, _ in self.sums)


@dataclass(frozen=True, slots=True, eq=False)
class SumOfTerms:
    """A finished sum of terms, under canonical names and in canonical order. Equal texts mean equal values."""

    terms: tuple[tuple[Product, Number], ...]
    text: str
    free: frozenset[str]
    level: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SumOfTerms) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __len__(self) -> int:
        return len(self.terms)

    def __str__(self) -> str:
        return self.text

    @property
    def constant(self) -> Number | None:
        """The number that this is; None where it is none."""
        if not self.terms:
            return 0
        head, coefficient = self.terms[0]
        return coefficient if len(self.terms) == 1 and not head.factors and not head.sums else None

    @property
    def as_index(self) -> str | None:
        """The name of the index that this is; None where it is none."""
        found = self.as_atom
        return found.name if found is not None and found.kind == "index" else None

    @property
    def as_atom(self) -> Atom | None:
        """The one atom that this is; None where it is more or less than that."""
        if len(self.terms) != 1:
            return None
        head, coefficient = self.terms[0]
        if coefficient != 1 or head.sums or len(head.factors) != 1 or head.factors[0][1] != 1:
            return None
        return head.factors[0][0]


Open = dict[Product, Number]
"""A sum of terms that is being worked on: products under open names, with their coefficients."""

_NONE: frozenset[str] = frozenset()
_LEAVES = {"index": "{}", "size": "&{}", "constant": "!{}", "prime": "!{}"}


def atom(kind: str, name: str, *parts: SumOfTerms, bound: str = "") -> Atom:
    """The atom of a kind, with its name and parts; ``bound`` is the index that it binds in its last part."""
    inside = ",".join(part.text for part in parts)
    if kind in _LEAVES:
        text = _LEAVES[kind].format(name)
    elif kind == "variable":
        text = f"{name}[{inside}]"
    else:
        text = f"{kind}:{name}({bound}{inside})"
    free = frozenset((name,)) if kind == "index" else _NONE.union(*(part.free for part in parts))
    level = max((part.level for part in parts), default=0) + bool(bound)
    return Atom(kind, name, parts, text, free - {bound} if bound else free, level)


def product(sums: Iterable[tuple[str, SumOfTerms]], powers: Mapping[Atom, Exponent]) -> Product:
    """The product of ``powers``, summed."""
    over = tuple(sums)
    factors = tuple(sorted(powers.items(), key=lambda pair: pair[0].text))
    text = "*".join([a.text if e == 1 else f"{a.text}^{e}" for a, e in factors])
    level = max((a.level for a, _ in factors), default=0)
    free = _NONE.union(*(a.free for a, _ in factors))
    if over:
        text = f"S{{{','.join(f'{name}<{extent.text}' for name, extent in over)}}}({text})"
        level += 1
        free = free - frozenset(name for name, _ in over)
    return Product(over, factors, text, free, level)


def closed(terms: Mapping[Product, Number]) -> SumOfTerms:
    """The sum of terms that are under canonical names already."""
    kept = sorted(((head, c) for head, c in terms.items() if c), key=lambda pair: pair[0].text)
    text = "+".join([head.text if c == 1 and head.text else f"{c}*{head.text}" for head, c in kept])
    free = _NONE.union(*(head.free for head, _ in kept))
    return SumOfTerms(tuple(kept), text, free, max((head.level for head, _ in kept), default=0))


UNIT = product((), {})
"""The product of nothing."""
ONE = closed({UNIT: 1})


def single(factor: Atom, exponent: Exponent = 1) -> Open:
    """A power of one atom."""
    return {product((), {factor: exponent}): 1}


def index_atom(name: str) -> Atom:
    """The index called ``name``, as a number."""
    return atom("index", name)


def index_form(name: str) -> SumOfTerms:
    """The index called ``name``, as a finished sum."""
    return closed(single(index_atom(name)))
