"""Functions and conditions in canonical index forms: what is known of each, and how one is made anew from other parts.

exp(a + b) is exp(a) exp(b), log takes out what is above 0 for certain, a condition is one of [d > 0] and [d = 0].
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType

import sympy

from symbackprop.notation.canonical_algebra import (
    BRACKETS,
    Algebra,
    Builder,
    NoCanonicalForm,
    Values,
    added,
    negative,
    scaled,
)
from symbackprop.notation.canonical_terms import (
    UNIT,
    Atom,
    Number,
    Open,
    SumOfTerms,
    atom,
    closed,
    index_form,
    product,
    single,
)

__all__ = ["BUILDERS", "COMPARISONS", "bound_name", "exponential", "function", "is_zero", "logarithm", "positive"]

_MOST_CASES = 3
_WHOLE = frozenset(("index", "size"))
_EVEN = frozenset(("cosh", "cos", "Abs", "absolute", "huber", "log_cosh", "normal_pdf"))
_ODD = frozenset(("sinh", "tanh", "sin", "tan", "atan", "erf", "clamp"))


def exponential(algebra: Algebra, argument: Open) -> Open:
    """exp, one factor for each summand: exp(2 a + b) is exp(a)^2 exp(b)."""
    result: Open = {UNIT: 1}
    for head, coefficient in algebra.seal(argument).terms:
        alone = closed({head: 1}).as_atom
        if alone is not None and alone.kind == "log":
            part = algebra.power(algebra.opened(alone.parts[0]), coefficient)
        else:
            part = algebra.factor(atom("exp", "", closed({head: 1})), coefficient)
        result = algebra.multiply(result, part)
    return result


def logarithm(algebra: Algebra, argument: Open) -> Open:
    """log, without the factors of its argument that are above 0 whatever the values are."""
    form = algebra.seal(argument)
    if not form.terms:
        raise NoCanonicalForm("0 has no logarithm; look at the formula")
    number, common, rest = algebra.content(form, algebraic=False)
    parts = [scaled(_log_of(algebra, base), exponent) for base, exponent in common.items()]
    for value, sign in ((Fraction(number).numerator, 1), (Fraction(number).denominator, -1)):
        parts.extend(
            scaled(_log_of(algebra, atom("prime", str(prime))), sign * times)
            for prime, times in sympy.factorint(value).items()
        )
    return added([*parts, _log_of_rest(algebra, rest)])


def _log_of(algebra: Algebra, base: Atom) -> Open:
    """The logarithm of an atom that is above 0."""
    if base.kind == "exp":
        return algebra.opened(base.parts[0])
    return single(atom("log", "", closed(single(base))))


def _log_of_rest(algebra: Algebra, rest: SumOfTerms) -> Open:
    head, coefficient = rest.terms[0]
    if len(rest) > 1 or head.sums or coefficient != 1:
        return single(atom("log", "", rest))
    if not head.factors:
        return {}
    if len(head.factors) == 1:
        ((base, exponent),) = head.factors
        # Where the log of an odd power is, the base is above 0; a square may have a base below 0.
        if not (isinstance(exponent, int) and exponent % 2 == 0):
            inner = base.parts[0] if base.kind == "base" else closed(single(base))
            return scaled(single(atom("log", "", inner)), exponent)
    if all(exponent < 0 for _, exponent in head.factors):
        upside_down = product((), {base: -exponent for base, exponent in head.factors})
        if not any(base.kind == "base" for base, _ in head.factors):
            return {product((), {atom("log", "", closed({upside_down: 1})): 1}): -1}
    return single(atom("log", "", rest))


def function(algebra: Algebra, name: str, arguments: tuple[Open, ...]) -> Open:
    """A function that is known by its name alone, or by being even or odd."""
    forms = tuple(map(algebra.seal, arguments))
    if len(forms) == 1 and name in _EVEN | _ODD and forms[0].terms and forms[0].terms[0][1] < 0:
        upright = single(atom("function", name, negative(forms[0])))
        return upright if name in _EVEN else scaled(upright, -1)
    return single(atom("function", name, *forms))


# -- conditions --------------------------------------------------------------------------------------------------------


def positive(algebra: Algebra, difference: Open) -> Open:
    """[difference > 0]."""
    form = algebra.seal(difference)
    lowest = form.constant if form.constant is not None else _lowest(algebra, form)
    if lowest is not None and lowest > 0:
        return {UNIT: 1}
    if form.constant is not None:
        return {}
    _, _, rest = algebra.content(form, algebraic=False)
    return _by_cases(algebra, rest, positive) or single(atom("positive", "", rest))


def is_zero(algebra: Algebra, difference: Open) -> Open:
    """[difference = 0]."""
    form = algebra.seal(difference)
    number = form.constant
    if number is not None:
        return {} if number else {UNIT: 1}
    _, _, rest = algebra.content(form, algebraic=False)
    upright = negative(rest) if rest.terms[0][1] < 0 else rest
    return single(atom("zero", "", upright))


def _by_cases(algebra: Algebra, form: SumOfTerms, make: Callable[[Algebra, Open], Open]) -> Open | None:
    """f(d) where d contains brackets: [c] f(d where c holds) + (1 - [c]) f(d where it does not)."""
    brackets = sorted(
        {a for head, _ in form.terms for a, _ in head.factors if a.kind in BRACKETS}, key=lambda a: a.text
    )
    brackets = [a for a in brackets if all(not a.free & head.own for head, _ in form.terms)]
    if not brackets or len(brackets) > _MOST_CASES:
        return None
    parts = []
    for truth in itertools.product((True, False), repeat=len(brackets)):
        holds = dict(zip(brackets, truth, strict=True))
        chosen: Open = {UNIT: 1}
        for bracket, true in holds.items():
            within = single(bracket)
            chosen = algebra.multiply(chosen, within if true else added(({UNIT: 1}, scaled(within, -1))))
        parts.append(algebra.multiply(chosen, make(algebra, _decided(algebra.opened(form), holds))))
    return added(parts)


def _decided(part: Open, holds: Mapping[Atom, bool]) -> Open:
    kept: list[Open] = []
    for head, coefficient in part.items():
        powers = dict(head.factors)
        truths = [holds[a] for a in powers if a in holds]
        if all(truths):
            kept.append({product(head.sums, {a: e for a, e in powers.items() if a not in holds}): coefficient})
    return added(kept)


def _lowest(algebra: Algebra, form: SumOfTerms) -> Number | None:
    """A number that a linear form of indices and sizes is never below: indices are at least 0, sizes at least 1."""
    if not _is_whole(form):
        return None
    reach = {name: algebra.extents[name] for name in form.free if name in algebra.extents}
    last = [
        scaled(added((algebra.opened(reach[head.text]), {UNIT: -1})), coefficient)
        for head, coefficient in form.terms
        if coefficient < 0 and head.text in reach
    ]
    others = {head: c for head, c in form.terms if not (c < 0 and head.text in reach)}
    lowest: Number = 0
    for head, coefficient in added((*last, others)).items():
        if head.factors and (coefficient < 0 or len(head.factors) > 1 or head.sums):
            return None
        lowest += 0 if head.text in form.free else coefficient
    return lowest


def _is_whole(form: SumOfTerms) -> bool:
    """Whether this is an integer for what it looks like: a sum of indices and sizes, times integers."""
    return all(
        isinstance(c, int) and not head.sums and all(a.kind in _WHOLE and e == 1 for a, e in head.factors)
        for head, c in form.terms
    )


def _not_below(algebra: Algebra, difference: Open) -> Open:
    """[difference >= 0]; of an integer it is [difference + 1 > 0], so that a range stays one bracket."""
    form = algebra.seal(difference)
    if _is_whole(form):
        return positive(algebra, added((algebra.opened(form), {UNIT: 1})))
    return added(({UNIT: 1}, scaled(_below(algebra, algebra.opened(form)), -1)))


def _not_above(algebra: Algebra, difference: Open) -> Open:
    return _not_below(algebra, scaled(difference, -1))


def _below(algebra: Algebra, difference: Open) -> Open:
    return positive(algebra, scaled(difference, -1))


def _not_zero(algebra: Algebra, difference: Open) -> Open:
    return added(({UNIT: 1}, scaled(is_zero(algebra, difference), -1)))


COMPARISONS: Mapping[str, Callable[[Algebra, Open], Open]] = MappingProxyType(
    {
        ">": positive,
        "<": _below,
        "<=": _not_above,
        ">=": _not_below,
        "==": is_zero,
        "!=": _not_zero,
    }
)
"""The bracket of each comparison of left - right with 0."""


# -- making anew -------------------------------------------------------------------------------------------------------


def _parts(algebra: Algebra, base: Atom, values: Values) -> tuple[SumOfTerms, ...]:
    return tuple(algebra.replaced(part, values) for part in base.parts)


def _again(make: Callable[[Algebra, Open], Open]) -> Builder:
    return lambda algebra, base, values: make(algebra, algebra.opened(algebra.replaced(base.parts[0], values)))


def _index(algebra: Algebra, base: Atom, values: Values) -> Open:
    return algebra.opened(values[base.name])


def _same_kind(algebra: Algebra, base: Atom, values: Values) -> Open:
    return single(atom(base.kind, base.name, *_parts(algebra, base, values)))


def _reduction(algebra: Algebra, base: Atom, values: Values) -> Open:
    extent, body = _parts(algebra, base, values)
    before, after = bound_name(base.parts[1]), bound_name(body)
    if before != after:
        body = algebra.replaced(body, {before: index_form(after)})
    return single(atom(base.kind, base.name, extent, body, bound=after))


def bound_name(body: SumOfTerms) -> str:
    """What the index of a reduction over ``body`` is called."""
    return f"#{body.level + 1}.0"


def _function(algebra: Algebra, base: Atom, values: Values) -> Open:
    return function(algebra, base.name, tuple(map(algebra.opened, _parts(algebra, base, values))))


BUILDERS: Mapping[str, Builder] = MappingProxyType(
    {
        "index": _index,
        "variable": _same_kind,
        "power": _same_kind,
        "maximum": _reduction,
        "function": _function,
        "exp": _again(exponential),
        "log": _again(logarithm),
        "positive": _again(positive),
        "zero": _again(is_zero),
        "base": _again(lambda algebra, inside: algebra.power(inside, 1)),
    }
)
"""How an atom of each kind is made anew with indices replaced."""
