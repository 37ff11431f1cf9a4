"""A canonical index form: two expressions with the same one are equal for all sizes and all values.

    canonical(left) == canonical(right)        # equal for all sizes
    vanishes(left - right)                     # the same question, with denominators cleared: decides more

It is sound and not complete. Products and sums are distributed, a sum over an index is pulled apart term by term and
carried out where it counts or picks one entry, bound indices get canonical names, exponentials are taken apart, and a
condition is written with [d > 0] and [d = 0] alone. What is algebra where everything is defined counts as equal:
x * x^-1 is 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy
from sympy.core.relational import Relational

from symbackprop.notation.canonical_algebra import Algebra, NoCanonicalForm, Rule, added, scaled
from symbackprop.notation.canonical_functions import (
    BUILDERS,
    COMPARISONS,
    bound_name,
    exponential,
    function,
    logarithm,
)
from symbackprop.notation.canonical_rules import RULES, assumption_rule
from symbackprop.notation.canonical_terms import UNIT, Open, SumOfTerms, atom, index_form, plain, single
from symbackprop.notation.expressions import (
    ArgMaximum,
    Bracket,
    Limit,
    Maximum,
    base_name,
    is_occurrence,
    limits,
)
from symbackprop.notation.indices import is_index, is_size, substitute
from symbackprop.notation.program import Assumption, Equation, occurrences

__all__ = ["NoCanonicalForm", "SumOfTerms", "canonical", "unfold", "vanishes"]

_MOST_TERMS = 2000


def canonical(
    expression: sympy.Expr,
    free: tuple[Limit, ...] = (),
    *,
    assuming: tuple[Assumption, ...] = (),
    most_terms: int = _MOST_TERMS,
    deadline: float = math.inf,
) -> SumOfTerms:
    """The canonical form of ``expression``. Raises NoCanonicalForm where it would be too large, or there is none.

    ``free`` says what sizes the free indices run over: [i = n] picks the entry n only where n is certainly in range.
    ``assuming`` holds equations that the data keep: a term with the whole left side of one as a factor, such as
    c * Sum(y[n,k], k), is rewritten with its value; nothing is taken apart to make that possible. ``deadline`` is a
    moment of ``time.monotonic()``.
    """
    rules = (*RULES, *_assumed(assuming)) if assuming else RULES
    reader = _Reader(Algebra(BUILDERS, rules, most_terms, deadline), free)
    return reader.algebra.seal(reader.terms(expression, {}))


def vanishes(
    expression: sympy.Expr,
    free: tuple[Limit, ...] = (),
    *,
    assuming: tuple[Assumption, ...] = (),
    most_terms: int = _MOST_TERMS,
    deadline: float = math.inf,
) -> bool:
    """Whether ``expression`` is proved to be 0 for all sizes: its canonical form is, once denominators are cleared."""
    rules = (*RULES, *_assumed(assuming)) if assuming else RULES
    reader = _Reader(Algebra(BUILDERS, rules, most_terms, deadline), free)
    form = reader.algebra.seal(reader.terms(expression, {}))
    return not form.terms or _numerator_vanishes(reader.algebra, form)


def _numerator_vanishes(algebra: Algebra, form: SumOfTerms) -> bool:
    for _ in range(8):
        below = {
            a: exponent
            for a, exponent in algebra.common_powers(form).items()
            if exponent < 0 and (a.kind == "base" or isinstance(exponent, int))
        }
        if not below:
            return False
        form = algebra.divided(form, below)
        if not form.terms:
            return True
    return False


@lru_cache(maxsize=64)
def _assumed(assuming: tuple[Assumption, ...]) -> tuple[Rule, ...]:
    rules = []
    for assumption in assuming:
        left, value = canonical(assumption.left), canonical(assumption.value)
        holes = frozenset(_free_name(i) for i in assumption.indices)
        rule = assumption_rule(left, holes, value)
        if rule is not None:
            rules.append(rule)
    return tuple(rules)


def unfold(expression: sympy.Expr, equation: Equation) -> sympy.Expr:
    """``expression`` with the equation's right side in place of every occurrence of its left side, at its positions."""
    for _ in range(8):
        found = [node for node in occurrences(expression) if base_name(node) == equation.name]
        if not found:
            return expression
        values = {}
        for node in found:
            positions = node.indices if isinstance(node, sympy.Indexed) else ()
            values[node] = substitute(equation.right, dict(zip(equation.indices, positions, strict=True)))
        # No name is captured: what comes in has no free index but those of the positions, which were there before.
        expression = expression.xreplace(values)
    raise NoCanonicalForm(f"{equation.name} stands at a position of itself, again and again")


# -- reading SymPy's expressions ---------------------------------------------------------------------------------------

_Names = Mapping[sympy.Symbol, str]


def _free_name(symbol: sympy.Symbol) -> str:
    return f"@{symbol.name}"


class _Reader:
    """Takes expressions apart. ``names`` says what the indices that are bound around a node go by."""

    def __init__(self, algebra: Algebra, free: tuple[Limit, ...]) -> None:
        self.algebra = algebra
        for symbol, extent in free:
            algebra.extents[_free_name(symbol)] = self.form(extent, {})

    def form(self, node: sympy.Basic, names: _Names) -> SumOfTerms:
        if is_index(node):
            return index_form(names.get(node, _free_name(node)))
        return self.algebra.seal(self.terms(node, names))

    def terms(self, node: sympy.Basic, names: _Names) -> Open:
        self.algebra.tick()
        if is_occurrence(node):
            positions = node.indices if isinstance(node, sympy.Indexed) else ()
            return single(atom("variable", base_name(node), *(self.form(e, names) for e in positions)))
        for kind, read in _READERS:
            if isinstance(node, kind):
                return read(self, node, names)
        raise NoCanonicalForm(f"{type(node).__name__} has no canonical form: {node}")

    def symbol(self, node: sympy.Symbol, names: _Names) -> Open:
        if is_size(node):
            return single(atom("size", node.name))
        if is_index(node):
            return single(atom("index", names.get(node, _free_name(node))))
        raise NoCanonicalForm(f"the symbol {node} is neither a variable nor an index nor a size")

    def number(self, node: sympy.Number, names: _Names) -> Open:
        if not node.is_finite:
            raise NoCanonicalForm(f"{node} is no number")
        exact = sympy.Rational(node)
        return scaled({UNIT: 1}, plain(Fraction(int(exact.p), int(exact.q))))

    def constant(self, node: sympy.NumberSymbol, names: _Names) -> Open:
        if node is sympy.E:
            return exponential(self.algebra, {UNIT: 1})
        return single(atom("constant", str(node)))

    def sum(self, node: sympy.Add, names: _Names) -> Open:
        return added(self.terms(argument, names) for argument in node.args)

    def product(self, node: sympy.Mul, names: _Names) -> Open:
        result: Open = {UNIT: 1}
        for argument in node.args:
            result = self.algebra.multiply(result, self.terms(argument, names))
        return result

    def power(self, node: sympy.Pow, names: _Names) -> Open:
        exponent = self.form(node.exp, names)
        number = exponent.constant
        if number is not None:
            return self.algebra.power(self.terms(node.base, names), number)
        return single(atom("power", "", self.form(node.base, names), exponent))

    def reduction(self, node: sympy.Sum, names: _Names) -> Open:
        inner = dict(names)
        over = []
        # A sum of one term is that term.
        alone = {symbol: sympy.Integer(0) for symbol, reach in limits(node) if reach == 1}
        body = substitute(node.args[0], alone)
        for symbol, reach in limits(node):
            if symbol in alone:
                continue
            extent = self.form(reach, names)
            inner[symbol] = self.algebra.fresh(extent)
            over.append((inner[symbol], extent))
        return self.algebra.summed(self.terms(body, inner), over)

    def maximum(self, node: Maximum, names: _Names) -> Open:
        if len(node.args) != 2:
            raise NoCanonicalForm("a maximum over several indices has no canonical form")
        ((symbol, reach),) = limits(node)
        extent = self.form(reach, names)
        name = self.algebra.fresh(extent)
        body = self.form(node.args[0], {**names, symbol: name})
        bound = bound_name(body)
        body = self.algebra.replaced(body, {name: index_form(bound)})
        kind = "ArgMaximum" if isinstance(node, ArgMaximum) else "Maximum"
        return single(atom("maximum", kind, extent, body, bound=bound))

    def bracket(self, node: Bracket, names: _Names) -> Open:
        return self.truth(node.condition, names)

    def truth(self, condition: sympy.Basic, names: _Names) -> Open:
        """The bracket of a condition."""
        if condition in (sympy.true, sympy.false):
            return {UNIT: 1} if condition == sympy.true else {}
        if isinstance(condition, sympy.And | sympy.Or):
            # a or b is not (not a and not b).
            inside = isinstance(condition, sympy.And)
            result: Open = {UNIT: 1}
            for argument in condition.args:
                part = self.truth(argument, names)
                result = self.algebra.multiply(result, part if inside else _not(part))
            return result if inside else _not(result)
        if isinstance(condition, sympy.Not):
            return _not(self.truth(condition.args[0], names))
        if isinstance(condition, Relational) and condition.rel_op in COMPARISONS:
            left, right = (self.terms(side, names) for side in condition.args)
            return COMPARISONS[condition.rel_op](self.algebra, added((left, scaled(right, -1))))
        raise NoCanonicalForm(f"{condition} is no condition")

    def piecewise(self, node: sympy.Piecewise, names: _Names) -> Open:
        parts = []
        for place, (value, _) in enumerate(node.args):
            chosen = self.terms(value, names)
            for earlier, (_, condition) in enumerate(node.args[: place + 1]):
                truth = self.truth(condition, names)
                chosen = self.algebra.multiply(chosen, truth if earlier == place else _not(truth))
            parts.append(chosen)
        return added(parts)

    def exponential(self, node: sympy.Expr, names: _Names) -> Open:
        return exponential(self.algebra, self.terms(node.args[0], names))

    def logarithm(self, node: sympy.Expr, names: _Names) -> Open:
        if len(node.args) != 1:
            raise NoCanonicalForm(f"{node} has no canonical form")
        return logarithm(self.algebra, self.terms(node.args[0], names))

    def function(self, node: sympy.Function, names: _Names) -> Open:
        return function(self.algebra, type(node).__name__, tuple(self.terms(a, names) for a in node.args))


def _not(truth: Open) -> Open:
    return added(({UNIT: 1}, scaled(truth, -1)))


_READERS: tuple[tuple[type[Any], Callable[[_Reader, Any, _Names], Open]], ...] = (
    (sympy.Symbol, _Reader.symbol),
    (sympy.Number, _Reader.number),
    (sympy.NumberSymbol, _Reader.constant),
    (sympy.Add, _Reader.sum),
    (sympy.Mul, _Reader.product),
    (sympy.Pow, _Reader.power),
    (sympy.Sum, _Reader.reduction),
    (Maximum, _Reader.maximum),
    (Bracket, _Reader.bracket),
    (sympy.Piecewise, _Reader.piecewise),
    (sympy.exp, _Reader.exponential),
    (sympy.log, _Reader.logarithm),
    (sympy.Function, _Reader.function),
)
