"""The rule "fold": where a product contains what an equation of the program computes, the equation's name is written.

This is how a derivative comes to stand in terms of the output, a (1 - a) for the sigmoid, and how softmax's
exp(z_k) / sum_l exp(z_l) becomes p_k again, without a rule for either. Products are kept as lists of factors
throughout, because SymPy merges exp(a) exp(b) into exp(a + b) as soon as it multiplies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy

from symbackprop.adjoint.records import Step
from symbackprop.notation.expressions import REDUCTIONS, Bracket, base_name, is_occurrence, walk
from symbackprop.notation.indices import matches
from symbackprop.notation.program import Equation, Variable

__all__ = ["fold", "foldable", "has_functions"]

Powers = tuple[tuple[sympy.Expr, sympy.Expr], ...]


def powers(factors: Iterable[sympy.Expr]) -> Powers:
    """(base, exponent) of each factor; an exponential is a base of its own."""
    pairs = []
    for factor in factors:
        for part in sympy.Mul.make_args(factor):
            pairs.append(part.args if isinstance(part, sympy.Pow) and part.exp.is_Rational else (part, sympy.S.One))
    return tuple(pairs)


def has_functions(factors: Iterable[sympy.Expr]) -> bool:
    """Whether any factor still contains something an equation could be folded into."""
    return any(
        isinstance(node, (sympy.Function, sympy.Pow, *REDUCTIONS)) and not isinstance(node, Bracket)
        for factor in factors
        for node in walk(factor)
    )


def foldable(equation: Equation, variables: Mapping[str, Variable]) -> bool:
    """Whether the equation's right side is worth recognising: a function value, or a product with one in it.

    Each index of its left side must stand alone on an axis of its own size on the right side: then no instance of
    the right side lies outside the range that the equation defines.
    """
    right = equation.right
    if is_occurrence(right) or right.is_number or isinstance(right, sympy.Add | sympy.Sum):
        return False
    found = [node for node in walk(right) if is_occurrence(node)]
    if not found or not has_functions((right,)):
        return False
    axes = {
        axis
        for node in found
        if isinstance(node, sympy.Indexed)
        for axis in zip(node.indices, variables[base_name(node)].shape, strict=True)
    }
    return axes.issuperset(equation.scope)


def fold(
    factors: tuple[sympy.Expr, ...], equations: Iterable[Equation]
) -> tuple[tuple[sympy.Expr, ...], tuple[Step, ...]]:
    """``factors`` with the right sides of ``equations`` replaced by the names they define, and the steps taken."""
    steps: list[Step] = []
    for equation in equations:
        before = factors
        if not isinstance(equation.right, sympy.Mul):
            factors = tuple(_fold_inside(factor, equation) for factor in factors)
        factors = _fold_product(factors, equation)
        if factors != before:
            steps.append(Step("fold", "the program computes this already", equation.name))
    return factors, tuple(steps)


def _fold_inside(node: sympy.Basic, equation: Equation) -> sympy.Basic:
    if is_occurrence(node) or not node.args:
        return node
    if node.func is equation.right.func:
        binding = matches(equation.right, node, frozenset(equation.indices), {})
        if binding is not None and len(binding) == len(equation.indices):
            return equation.left.at(*(binding[i] for i in equation.indices))
    arguments = tuple(_fold_inside(argument, equation) for argument in node.args)
    return node if arguments == node.args else node.func(*arguments)


def _fold_product(factors: tuple[sympy.Expr, ...], equation: Equation) -> tuple[sympy.Expr, ...]:
    pattern, given = powers((equation.right,)), powers(factors)
    if any(base.is_number for base, _ in pattern) or len(pattern) > len(given):
        return factors
    for place, (base, _) in enumerate(given):
        binding = matches(pattern[0][0], base, frozenset(equation.indices), {})
        found = None if binding is None else _complete(pattern, given, place, equation, binding)
        if found is not None:
            return _fold_product(found, equation)
    return factors


def _complete(
    pattern: Powers,
    given: Powers,
    place: int,
    equation: Equation,
    binding: dict[sympy.Symbol, sympy.Expr],
) -> tuple[sympy.Expr, ...] | None:
    """The factors with one instance of ``pattern`` divided out, if all of it is there."""
    holes = frozenset(equation.indices)
    places = [place]
    for base, _ in pattern[1:]:
        for other, (candidate, _) in enumerate(given):
            extended = None if other in places else matches(base, candidate, holes, binding)
            if extended is not None:
                places.append(other)
                binding = extended
                break
        else:
            return None
    if len(binding) != len(equation.indices):
        return None
    pairs = [(*given[at], exponent) for at, (_, exponent) in zip(places, pattern, strict=True)]
    if any(_is_plainer(base, own, exponent) for base, own, exponent in pairs):
        return None
    ratios = [own / exponent for _, own, exponent in pairs]
    times = _whole_instances(ratios)
    if times == 0:
        return None
    left = list(given)
    for at, (_, exponent) in zip(places, pattern, strict=True):
        left[at] = (given[at][0], given[at][1] - times * exponent)
    name = equation.left.at(*(binding[i] for i in equation.indices))
    result = [base**exponent for base, exponent in left]
    result.insert(min(places), name**times)
    return tuple(factor for factor in result if factor != 1)


def _is_plainer(base: sympy.Expr, own: sympy.Expr, exponent: sympy.Expr) -> bool:
    """Whether a power v**own of a variable is plainer than any power of the equation's v**exponent."""
    return is_occurrence(base) and own.is_Integer and not (exponent.is_Integer and own * exponent > 0)


def _whole_instances(ratios: list[sympy.Expr]) -> int:
    """How often the pattern is contained: at least once, or exactly a negative number of times."""
    if all(ratio >= 1 for ratio in ratios):
        return int(min(ratios))
    if all(ratio == ratios[0] and ratio.is_Integer for ratio in ratios):
        return int(ratios[0])
    return 0
