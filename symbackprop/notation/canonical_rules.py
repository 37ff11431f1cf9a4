"""What a term of a canonical index form is rewritten by before it gets its names.

Each rule takes a product under open names and gives what stands in its place, or None where it does not apply. Each
makes something smaller, so that rewriting comes to an end.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from symbackprop.notation.canonical_algebra import Algebra, Rule, added, scaled
from symbackprop.notation.canonical_terms import (
    Atom,
    Exponent,
    Number,
    Open,
    Product,
    SumOfTerms,
    closed,
    index_form,
    plain,
    product,
    single,
)

__all__ = ["RULES", "assumption_rule"]

_MOST_ASSIGNMENTS = 60
_NUMBER_KINDS = frozenset(("constant", "prime", "size"))


def _idle_sums(algebra: Algebra, head: Product) -> Open | None:
    """A sum over an index that no factor contains counts: it becomes a factor, the size."""
    if not head.sums:
        return None
    free = frozenset[str]().union(*(a.free for a, _ in head.factors))
    idle = [extent for name, extent in head.sums if name not in free]
    if not idle:
        return None
    result: Open = {product(((n, extent) for n, extent in head.sums if n in free), dict(head.factors)): 1}
    for extent in idle:
        result = algebra.multiply(result, algebra.opened(extent))
    return result


def _contraction(algebra: Algebra, head: Product) -> Open | None:
    """A sum over i of [i = e] picks i = e, where e is certainly in the range of i."""
    if not head.sums:
        return None
    for bracket, _ in head.factors:
        if bracket.kind != "zero":
            continue
        for name, extent in head.sums:
            value = _solved(bracket.parts[0], name)
            if value is not None and _within(algebra, value, extent):
                return _with_index(algebra, head, name, value)
    return None


def _solved(equation: SumOfTerms, name: str) -> SumOfTerms | None:
    """The value of an index at which ``equation`` is 0, where it occurs in it just once, with coefficient 1 or -1."""
    slope: Number = 0
    rest: dict[Product, Number] = {}
    for head, coefficient in equation.terms:
        if name not in head.free:
            rest[head] = coefficient
        elif head.text == name:
            slope = coefficient
        else:
            return None
    return closed({head: -coefficient * slope for head, coefficient in rest.items()}) if abs(slope) == 1 else None


def _within(algebra: Algebra, value: SumOfTerms, extent: SumOfTerms) -> bool:
    number, index = value.constant, value.as_index
    reach = extent.constant
    if number is not None:
        return number == 0 or (Fraction(number).denominator == 1 and reach is not None and 0 <= number < reach)
    known = algebra.extents.get(index) if index is not None else None
    if known is None:
        return False
    own = known.constant
    return known == extent or (own is not None and reach is not None and own <= reach)


def _with_index(algebra: Algebra, head: Product, name: str, value: SumOfTerms) -> Open:
    over = [(other, extent) for other, extent in head.sums if other != name]
    return algebra.summed(algebra.replaced_product(head, {name: value}), over)


# -- quotients ---------------------------------------------------------------------------------------------------------


def _divided_out(algebra: Algebra, head: Product) -> Open | None:
    """What stands over a denominator c T + R and contains T: T is (the denominator - R)/c, and one of it cancels.

    This makes e^z/(1 + e^z) into 1 - 1/(1 + e^z), and the sum over k of e^(z_k) / sum_l e^(z_l) into 1.
    """
    for base, exponent in head.factors:
        if base.kind != "base" or exponent > 0:
            continue
        leading = _leading(base.parts[0])
        if leading is None:
            continue
        rest = next(_quotients(algebra, head, leading), None)
        if rest is None:
            continue
        coefficient = dict(base.parts[0].terms)[leading]
        others = closed({term: c for term, c in base.parts[0].terms if term != leading})
        whole = algebra.multiply(rest, single(base))
        remainder = algebra.multiply(rest, algebra.opened(others))
        return scaled(added((whole, scaled(remainder, -1))), Fraction(1) / coefficient)
    return None


@lru_cache(maxsize=1 << 12)
def _leading(form: SumOfTerms) -> Product | None:
    """The one term that is of a higher degree than all others; None where several are."""
    degrees = [_degree(head) for head, _ in form.terms]
    highest = max(degrees)
    if degrees.count(highest) > 1 or highest[0] == 0:
        return None
    return form.terms[degrees.index(highest)][0]


def _degree(head: Product) -> tuple[Fraction, Fraction]:
    exponents = [Fraction(e) for a, e in head.factors if e > 0 and a.kind not in _NUMBER_KINDS]
    return sum(exponents, Fraction(0)), sum((e * e for e in exponents), Fraction(0))


def _quotients(algebra: Algebra, head: Product, divisor: Product) -> Iterator[Open]:
    """``head`` without a part that is ``divisor``, in the ways in which its sums can be those of ``head``."""
    if not _has_enough(head, divisor):
        return
    powers = dict(head.factors)
    for choice in itertools.islice(_assignments(algebra, head, divisor, {}), _MOST_ASSIGNMENTS):
        found = algebra.replaced_product(divisor, {old: index_form(new) for old, new in choice.items()})
        if len(found) != 1:
            continue
        ((part, sign),) = found.items()
        rest = _without(dict(powers), part)
        taken = frozenset(choice.values())
        if rest is None or any(a.free & taken for a in rest):
            continue
        yield {product(((n, extent) for n, extent in head.sums if n not in taken), rest): sign}


def _has_enough(head: Product, divisor: Product) -> bool:
    """Whether ``head`` has the kinds of factors that ``divisor`` has, and as many: asked first, since it is cheap."""
    counts: dict[tuple[str, str], Fraction] = {}
    for a, e in head.factors:
        counts[a.kind, a.name] = counts.get((a.kind, a.name), Fraction(0)) + abs(Fraction(e))
    for a, e in divisor.factors:
        counts[a.kind, a.name] = counts.get((a.kind, a.name), Fraction(0)) - abs(Fraction(e))
    return min(counts.values(), default=Fraction(0)) >= 0


def _assignments(algebra: Algebra, head: Product, divisor: Product, chosen: dict[str, str]) -> Iterator[dict[str, str]]:
    """Indices of ``head`` for those of ``divisor``, one after the other, as long as the factors are there."""
    if len(chosen) == len(divisor.sums):
        yield chosen
        return
    name, extent = divisor.sums[len(chosen)]
    powers = dict(head.factors)
    later = frozenset(n for n, _ in divisor.sums[len(chosen) + 1 :])
    complete = [(a, e) for a, e in divisor.factors if name in a.free and not a.free & later]
    for candidate, reach in head.sums:
        if candidate in chosen.values() or reach != extent:
            continue
        extended = {**chosen, name: candidate}
        values = {old: index_form(new) for old, new in extended.items()}
        parts = (algebra.replaced_product(product((), {a: e}), values) for a, e in complete)
        if all(a in powers for part in parts for found in part for a, _ in found.factors):
            yield from _assignments(algebra, head, divisor, extended)


def _without(powers: dict[Atom, Exponent], part: Product) -> dict[Atom, Exponent] | None:
    for a, e in part.factors:
        own = Fraction(powers.pop(a, 0))
        if own * e <= 0 or abs(own) < abs(Fraction(e)):
            return None
        if own != e:
            powers[a] = plain(own - e)
    return powers


# -- assumptions -------------------------------------------------------------------------------------------------------


def assumption_rule(left: SumOfTerms, holes: frozenset[str], value: SumOfTerms) -> Rule | None:
    """The rule that writes ``value`` for ``left``, whatever indices stand for ``holes``.

    ``left`` is a single term; one of its factors must be a variable that has all holes as indices of its own.
    """
    if len(left) != 1:
        return None
    pattern, coefficient = left.terms[0]
    guide = next((a for a, _ in pattern.factors if a.kind == "variable" and holes <= _alone(a).keys()), None)
    if guide is None:
        return None
    axes = {name: place for name, place in _alone(guide).items() if name in holes}

    def rule(algebra: Algebra, head: Product) -> Open | None:
        for candidate, _ in head.factors:
            if candidate.kind != "variable" or candidate.name != guide.name:
                continue
            values = {name: candidate.parts[place] for name, place in axes.items()}
            instance = closed(algebra.replaced_product(pattern, values))
            for divisor, sign in instance.terms:
                summed = product(pattern.sums, dict(divisor.factors))
                rest = next(_quotients(algebra, head, summed), None) if len(instance) == 1 else None
                if rest is not None:
                    new = algebra.multiply(rest, algebra.opened(algebra.replaced(value, values)))
                    return scaled(new, Fraction(1) / (coefficient * sign))
        return None

    return rule


def _alone(variable: Atom) -> dict[str, int]:
    names = [(part.as_index, place) for place, part in enumerate(variable.parts)]
    return {name: place for name, place in names if name is not None}


RULES: tuple[Rule, ...] = (_idle_sums, _contraction, _divided_out)
"""The rules that always hold, in the order in which they are tried."""
