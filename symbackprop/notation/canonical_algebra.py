"""The algebra of canonical index forms: products, powers, replacing indices, and closing a sum of terms.

Algebra as one does it by hand: x * x^-1 is 1, without asking whether x can vanish, and a root is taken for what it is
where it is defined.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

import sympy

from symbackprop.notation.canonical_naming import NoCanonicalForm, named
from symbackprop.notation.canonical_terms import (
    ONE,
    UNIT,
    Atom,
    Exponent,
    Number,
    Open,
    Product,
    SumOfTerms,
    atom,
    closed,
    index_form,
    plain,
    product,
)

__all__ = [
    "BRACKETS",
    "POSITIVE",
    "Algebra",
    "Builder",
    "NoCanonicalForm",
    "Rule",
    "Values",
    "added",
    "negative",
    "scaled",
]

Values = Mapping[str, SumOfTerms]
Builder = Callable[["Algebra", Atom, Values], Open]
Rule = Callable[["Algebra", Product], Open | None]

BRACKETS = frozenset(("positive", "zero"))
"""Atoms that are 0 or 1."""
POSITIVE = frozenset(("size", "exp", "prime", "constant"))
"""Atoms that are above 0 whatever the values are."""

_LARGEST_POWER = 12
_MOST_DIGITS = 10**14


def added(parts: Iterable[Open]) -> Open:
    """The sum."""
    result: Open = {}
    for part in parts:
        for head, coefficient in part.items():
            total = result.pop(head, 0) + coefficient
            if total:
                result[head] = total
    return result


def scaled(part: Open, by: Number) -> Open:
    """``part`` times a number."""
    return {head: plain(coefficient * by) for head, coefficient in part.items()} if by else {}


class Algebra:
    """Sums of terms, and what is known while they are worked on: the sizes that indices run over, and the bounds.

    ``builders`` says for a kind of atom how it is made anew from other parts, ``rules`` what a term is rewritten by.
    """

    def __init__(
        self,
        builders: Mapping[str, Builder],
        rules: tuple[Rule, ...],
        most_terms: int = 2000,
        deadline: float = math.inf,
    ) -> None:
        self.builders = builders
        self.rules = rules
        self.most_terms = most_terms
        self.deadline = deadline
        self.extents: dict[str, SumOfTerms] = {}
        self._count = itertools.count()
        self._steps = 0
        self._replaced: dict[tuple[str, tuple[tuple[str, str], ...]], SumOfTerms] = {}

    def tick(self, terms: int = 0) -> None:
        """NoCanonicalForm where there are too many terms, or the time is over."""
        self._steps += 1
        if terms > self.most_terms or self._steps > 50 * self.most_terms:
            raise NoCanonicalForm(f"more than {self.most_terms} terms; give a smaller formula")
        if self._steps % 16 == 0 and time.monotonic() > self.deadline:
            raise NoCanonicalForm("there was no time for a canonical form; give more")

    def fresh(self, extent: SumOfTerms) -> str:
        """A new open name for an index of this size."""
        name = f"?{next(self._count)}"
        self.extents[name] = extent
        return name

    # -- products and powers -------------------------------------------------------------------------------------------

    def multiply(self, left: Open, right: Open) -> Open:
        """The product, distributed. The two must not share an open name."""
        if len(left) * len(right) > self.most_terms:
            self.tick(len(left) * len(right))
        if right == {UNIT: 1}:
            return left
        result: Open = {}
        for one, ours in left.items():
            for other, theirs in right.items():
                self.tick(len(result))
                for head, coefficient in self._merged(one, other).items():
                    total = plain(result.pop(head, 0) + ours * theirs * coefficient)
                    if total:
                        result[head] = total
        return result

    def _merged(self, one: Product, other: Product) -> Open:
        powers = dict(one.factors)
        whole: list[tuple[Atom, int]] = []
        coefficient: Number = 1
        for factor, exponent in other.factors:
            exponent = plain(powers.pop(factor, 0) + exponent)
            if factor.kind in BRACKETS and exponent > 0:
                powers[factor] = 1
            elif factor.kind == "prime":
                lowest = math.floor(exponent)
                coefficient *= Fraction(int(factor.name)) ** lowest
                if exponent != lowest:
                    powers[factor] = exponent - lowest
            elif factor.kind == "base" and isinstance(exponent, int) and exponent > 0:
                whole.append((factor, exponent))
            elif exponent:
                powers[factor] = exponent
        if self._contradictory(powers):
            return {}
        result: Open = {product((*one.sums, *other.sums), powers): plain(coefficient)}
        for factor, exponent in whole:
            for _ in range(exponent):
                result = self.multiply(result, self.opened(factor.parts[0]))
        return result

    def _contradictory(self, powers: Mapping[Atom, Exponent]) -> bool:
        """Whether something is asked to be above 0 and below 0 at once."""
        signs = [a.parts[0] for a in powers if a.kind == "positive"]
        return len(signs) > 1 and any(negative(a) in signs for a in signs)

    def factor(self, base: Atom, exponent: Exponent) -> Open:
        """A power of an atom, expanded where it is one of a sum."""
        return self._merged(UNIT, product((), {base: exponent}))

    def power(self, base: Open, exponent: Exponent) -> Open:
        """A power with a number as exponent."""
        if isinstance(exponent, int) and exponent >= 0:
            if exponent > _LARGEST_POWER:
                raise NoCanonicalForm(f"the exponent {exponent} is too large to expand; give a smaller one")
            result: Open = {UNIT: 1}
            for _ in range(exponent):
                result = self.multiply(result, self.renewed(base))
            return result
        if len(base) == 1:
            ((head, coefficient),) = base.items()
            kinds = {a.kind for a, _ in head.factors}
            if not head.sums and ((kinds <= POSITIVE and coefficient == 1) or isinstance(exponent, int)):
                _refuse_brackets(kinds)
                powers = self._powers({a: plain(e * exponent) for a, e in head.factors})
                return powers if coefficient == 1 else scaled(powers, rational_power(coefficient, exponent))
        return self._closed_power(self.seal(base), exponent)

    def _powers(self, powers: Mapping[Atom, Exponent]) -> Open:
        result: Open = {UNIT: 1}
        for base, exponent in powers.items():
            result = self.multiply(result, self.factor(base, exponent))
        return result

    def _closed_power(self, base: SumOfTerms, exponent: Exponent) -> Open:
        if not base.terms:
            raise NoCanonicalForm("0 has no reciprocal; look at the formula")
        whole = isinstance(exponent, int)
        number, common, rest = self.content(base, algebraic=whole)
        if whole and rest.terms[0][1] < 0:
            number, rest = -number, negative(rest)
        result = (
            scaled({UNIT: 1}, rational_power(number, exponent)) if whole else self._root(Fraction(number), exponent)
        )
        result = self.multiply(result, self._powers({a: plain(e * exponent) for a, e in common.items()}))
        if rest == ONE:
            return result
        return self.multiply(result, self._rest_power(rest, exponent))

    def _rest_power(self, rest: SumOfTerms, exponent: Exponent) -> Open:
        head, coefficient = rest.terms[0]
        if len(rest) == 1 and coefficient == 1 and not head.sums and len(head.factors) == 1:
            ((inner, own),) = head.factors
            _refuse_brackets({inner.kind})
            # (x^2)^(1/2) is not x, but what is under a root or in it already is not negative.
            if own == 1 or not isinstance(own, int):
                return self.factor(inner, plain(own * exponent))
        return self.factor(atom("base", "", rest), exponent)

    def _root(self, number: Fraction, exponent: Exponent) -> Open:
        if max(number.numerator, number.denominator) > _MOST_DIGITS:
            raise NoCanonicalForm(f"{number} is too long to take a root of; give a shorter number")
        powers: dict[Atom, Exponent] = {}
        for value, sign in ((number.numerator, 1), (number.denominator, -1)):
            for prime, times in sympy.factorint(value).items():
                powers[atom("prime", str(prime))] = plain(sign * times * exponent)
        return self._powers(powers)

    def content(self, base: SumOfTerms, algebraic: bool) -> tuple[Number, dict[Atom, Exponent], SumOfTerms]:
        """A positive number, powers and a rest, whose product is ``base``: what its terms have in common.

        Where not ``algebraic``, the powers are of atoms that are above 0 alone.
        """
        gathered: dict[Atom, Exponent] = {}
        for _ in range(8):
            common = self.common_powers(base, algebraic)
            if not common:
                break
            for factor, exponent in common.items():
                gathered[factor] = plain(gathered.get(factor, 0) + exponent)
            base = self.divided(base, common)
            if not base.terms:
                raise NoCanonicalForm("0 in a quotient or a root; look at the formula")
        number = _content([coefficient for _, coefficient in base.terms])
        rest = closed({head: plain(coefficient / number) for head, coefficient in base.terms})
        return plain(number), {a: e for a, e in gathered.items() if e}, rest

    def divided(self, base: SumOfTerms, common: Mapping[Atom, Exponent]) -> SumOfTerms:
        """``base`` without the powers that its terms have in common."""
        inverse = product((), {a: -e for a, e in common.items()})
        return self.seal(added(self.multiply({head: c}, {inverse: 1}) for head, c in self.opened(base).items()))

    def common_powers(self, base: SumOfTerms, algebraic: bool = True) -> dict[Atom, Exponent]:
        """The lowest power of each atom in any term, below 0 too: so denominators are common as well."""
        lowest: dict[Atom, Exponent] = {}
        for place, (head, _) in enumerate(base.terms):
            own, here = head.own, dict(head.factors)
            free = {a: e for a, e in here.items() if not (own and a.free & own)}
            usable = {a: e for a, e in free.items() if a.kind in POSITIVE or (algebraic and a.kind not in BRACKETS)}
            for a in {*lowest, *usable}:
                before = lowest.get(a, 0 if place else usable.get(a, 0))
                lowest[a] = min(before, usable.get(a, 0))
        return {a: e for a, e in lowest.items() if e}

    # -- replacing indices ---------------------------------------------------------------------------------------------

    def opened(self, form: SumOfTerms) -> Open:
        """The terms of a finished sum, under open names."""
        if all(not head.sums for head, _ in form.terms):
            return dict(form.terms)
        return added(scaled(self.reopened(head), c) for head, c in form.terms)

    def reopened(self, head: Product) -> Open:
        """The same product with new open names for its sums."""
        if not head.sums:
            return {head: 1}
        names = {old: self.fresh(extent) for old, extent in head.sums}
        inside = self.replaced_product(head, {old: index_form(new) for old, new in names.items()})
        over = [(names[old], extent) for old, extent in head.sums]
        return self.summed(inside, over)

    def summed(self, part: Open, over: Iterable[tuple[str, SumOfTerms]]) -> Open:
        """``part`` summed over indices that go by open names; one that a term does not contain stays to be counted."""
        sums = tuple(over)
        return {product((*sums, *head.sums), dict(head.factors)): c for head, c in part.items()}

    def renewed(self, part: Open) -> Open:
        """The same sum of terms with new open names."""
        if all(not head.sums for head in part):
            return part
        return added(scaled(self.reopened(head), c) for head, c in part.items())

    def replaced_product(self, head: Product, values: Values) -> Open:
        """The factors of ``head``, without its sums, with indices replaced."""
        kept = {a: e for a, e in head.factors if not any(name in a.free for name in values)}
        result: Open = {product((), kept): 1}
        for base, exponent in head.factors:
            if base not in kept:
                result = self.multiply(result, self.replaced_factor(base, exponent, values))
        return result

    def replaced_factor(self, base: Atom, exponent: Exponent, values: Values) -> Open:
        """A power of an atom with indices replaced."""
        self.tick()
        found = self.builders[base.kind](self, base, values)
        if len(found) == 1:
            ((head, coefficient),) = found.items()
            if coefficient == 1 and not head.sums and len(head.factors) == 1 and head.factors[0][1] == 1:
                return self.factor(head.factors[0][0], exponent)
        return found if exponent == 1 else self.power(found, exponent)

    def replaced(self, form: SumOfTerms, values: Values) -> SumOfTerms:
        """A finished sum with indices replaced, finished again."""
        here = {name: value for name, value in values.items() if name in form.free}
        if not here:
            return form
        alone = form.as_index
        if alone is not None:
            return here[alone]
        key = form.text, tuple(sorted((name, value.text) for name, value in here.items()))
        if key not in self._replaced:
            self._replaced[key] = self.seal(
                added(
                    scaled(self.summed(self.replaced_product(head, here), head.sums), c)
                    for head, c in self.opened(form).items()
                )
            )
        return self._replaced[key]

    # -- closing -------------------------------------------------------------------------------------------------------

    def seal(self, part: Open) -> SumOfTerms:
        """The sum of terms, rewritten by the rules as far as they go, under canonical names."""
        found: Open = {}
        work = list(part.items())
        while work:
            head, coefficient = work.pop()
            self.tick(len(found) + len(work))
            rewritten = next((new for rule in self.rules if (new := rule(self, head)) is not None), None)
            if rewritten is not None:
                work.extend((other, plain(coefficient * c)) for other, c in rewritten.items())
                continue
            renamed, sign = named(self, head)
            found[renamed] = plain(found.get(renamed, 0) + coefficient * sign)
        return closed(found)


def rational_power(number: Number, exponent: Exponent) -> Number:
    """The power of a rational with a whole exponent."""
    return plain(Fraction(Fraction(number) ** int(exponent)))


def _refuse_brackets(kinds: Iterable[str]) -> None:
    if not BRACKETS.isdisjoint(kinds):
        raise NoCanonicalForm("a bracket has no reciprocal and no root; look at the formula")


def negative(form: SumOfTerms) -> SumOfTerms:
    """``form`` with the other sign."""
    return closed({head: -coefficient for head, coefficient in form.terms})


def _content(numbers: list[Number]) -> Fraction:
    """The largest positive rational that divides all of ``numbers`` into integers."""
    fractions = [Fraction(number) for number in numbers]
    denominator = math.lcm(*(number.denominator for number in fractions))
    return Fraction(math.gcd(*(int(number * denominator) for number in fractions)), denominator)
