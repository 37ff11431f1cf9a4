"""Canonical names for the indices that a term sums over: the same whatever they were called before."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from symbackprop.errors import NoRuleError
from symbackprop.notation.canonical_terms import Atom, Exponent, Product, SumOfTerms, index_form, product

if TYPE_CHECKING:
    from symbackprop.notation.canonical_algebra import Algebra

__all__ = ["NoCanonicalForm", "named"]

_MOST_ORDERS = 120


class NoCanonicalForm(NoRuleError):  # noqa: N818
    """An expression that is too large for a canonical form, or has something in it that there is none for."""


def named(algebra: Algebra, head: Product) -> tuple[Product, int]:
    """The product under canonical names, and a sign: 1, -1, or 0 where it is its own opposite."""
    if not head.sums:
        return head, 1
    best: tuple[Product, int] | None = None
    for order in _orders(algebra, head):
        names = {old: f"#{head.level}.{place}" for place, (old, _) in enumerate(order)}
        inside = algebra.replaced_product(head, {old: index_form(new) for old, new in names.items()})
        if len(inside) != 1:
            raise NoCanonicalForm("a term changes its form with the names in it; there is none for it")
        ((renamed, coefficient),) = inside.items()
        if renamed.sums or abs(coefficient) != 1:
            raise NoCanonicalForm("a term changes its form with the names in it; there is none for it")
        candidate = product(((names[old], extent) for old, extent in order), dict(renamed.factors))
        if best is None or candidate.text < best[0].text:
            best = candidate, int(coefficient)
        elif candidate == best[0] and coefficient != best[1]:
            best = candidate, 0
    if best is None:
        raise NoCanonicalForm("no order of the sums was tried; there is no form")
    return best


def _orders(algebra: Algebra, head: Product) -> Iterator[tuple[tuple[str, SumOfTerms], ...]]:
    """Orders of the sums, among them one that does not depend on the names that are replaced."""
    if len(head.sums) == 1:
        yield head.sums
        return
    own = head.own
    ranks = {name: extent.text for name, extent in head.sums}
    for _ in range(2):
        ranks = _refined(algebra, head, ranks)
    groups: dict[str, list[tuple[str, SumOfTerms]]] = {}
    for name, extent in head.sums:
        groups.setdefault(ranks[name], []).append((name, extent))
    # Indices that look the same and share no factor with another can change places without a difference.
    alone = {
        name for name, _ in head.sums if not any(name in a.free and len(a.free & own) > 1 for a, _ in head.factors)
    }
    parts = [groups[rank] for rank in sorted(groups)]
    free = [len(group) if any(name not in alone for name, _ in group) else 1 for group in parts]
    if math.prod(map(math.factorial, free)) > _MOST_ORDERS:
        free = [1 for _ in parts]
    orders = (
        [tuple(group)] if count == 1 else itertools.permutations(group)
        for group, count in zip(parts, free, strict=True)
    )
    for choice in itertools.product(*orders):
        yield tuple(itertools.chain.from_iterable(choice))


def _refined(algebra: Algebra, head: Product, ranks: Mapping[str, str]) -> dict[str, str]:
    """For each index where it stands, as far as that can be said without any names."""
    places = {rank: str(place) for place, rank in enumerate(sorted(set(ranks.values())))}
    found = {}
    for name, rank in ranks.items():
        around = {other: index_form(f"%{places[own]}") for other, own in ranks.items()}
        around[name] = index_form("%")
        texts = []
        for a, e in head.factors:
            if name in a.free:
                texts.append(_text_with(algebra, a, e, around))
        found[name] = f"{rank}|{'|'.join(sorted(texts))}"
    return found


def _text_with(algebra: Algebra, base: Atom, exponent: Exponent, values: Mapping[str, SumOfTerms]) -> str:
    """What a factor looks like under names that may coincide. Without its sign, which names decide as well."""
    try:
        found = algebra.replaced_factor(base, exponent, values)
    except NoCanonicalForm:
        return base.kind
    return "+".join(sorted(f"{abs(c)}~{head.text}" for head, c in found.items()))
