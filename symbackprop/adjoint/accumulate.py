"""From contributions to an adjoint: add them up, and bring the sum to its final form by named rules.

Nothing here calls ``simplify``: each rule has a name, is recorded as a step, and says why it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sympy

from symbackprop.adjoint.local import content
from symbackprop.adjoint.records import Adjoint, Contribution, Step
from symbackprop.notation.expressions import base_name, is_occurrence
from symbackprop.notation.indices import matches, same_up_to_names, substitute
from symbackprop.notation.program import Assumption, Equation, Role, Variable, occurrences
from symbackprop.notation.terms import Term

__all__ = ["Context", "accumulate", "put_in"]


@dataclass(frozen=True)
class Context:
    """What the rules may look at: the program's declarations, its assumptions, and the adjoints found so far."""

    variables: Mapping[str, Variable]
    assumptions: tuple[Assumption, ...]
    adjoints: Mapping[str, Equation]


def accumulate(of: Variable, adjoint: Variable, contributions: tuple[Contribution, ...], context: Context) -> Adjoint:
    """The adjoint of ``of`` as the sum of its ``contributions``."""
    steps: list[Step] = []
    terms = []
    for contribution in contributions:
        terms.append(_put_in_known_adjoint(contribution.term, context, steps))
    final = _collect(_merge(terms, steps), steps)
    assuming = []
    for assumption in context.assumptions:
        under = _assume(final, assumption)
        if under is not None:
            assuming.append((assumption, _equation(adjoint, _collect(_merge(under, []), []))))
    return Adjoint(of, _equation(adjoint, final), contributions, tuple(dict.fromkeys(steps)), tuple(assuming))


def _equation(left: Variable, terms: tuple[Term, ...]) -> Equation:
    return Equation(left, sympy.Add(*(term.expression for term in terms)), terms)


def _put_in_known_adjoint(term: Term, context: Context, steps: list[Step]) -> Term:
    """Write out a cotangent whose equation holds nothing but data and constants, such as -y / N or 1."""
    for place, factor in enumerate(term.factors):
        equation = context.adjoints.get(base_name(factor)) if is_occurrence(factor) else None
        if equation is None or not _is_plain(equation, context):
            continue
        steps.append(Step("put in", "it holds data and constants only", equation.name))
        return _written_out(term, place, equation).without_idle_sums()
    return term


def _written_out(term: Term, place: int, equation: Equation) -> Term:
    """``term`` with the factor at ``place`` replaced by the one term of its equation."""
    (known,) = equation.terms
    factor = term.factors[place]
    positions = factor.indices if isinstance(factor, sympy.Indexed) else ()
    values = dict(zip(equation.indices, positions, strict=True))
    written = tuple(substitute(part, values) for part in known.factors)
    factors = term.factors[:place] + written + term.factors[place + 1 :]
    return Term(term.coefficient * known.coefficient, term.sums, factors)


def put_in(known: Equation, equation: Equation) -> tuple[Equation, Equation] | None:
    """``equation`` with ``known``, an equation of one term without sums, put in: as it stands, and multiplied out.

    None where ``known`` does not occur, or is a sum that does not go into one term.
    """
    if len(known.terms) != 1 or known.terms[0].sums:
        return None
    raw = []
    for term in equation.terms:
        places = [n for n, f in enumerate(term.factors) if is_occurrence(f) and base_name(f) == known.name]
        raw.append(_written_out(term, places[0], known) if places else term)
    if tuple(raw) == equation.terms:
        return None
    products = [part for term in raw for part in _multiplied_out(term)]
    final = _collect(_merge(products, []), [])
    return _equation(equation.left, tuple(raw)), _equation(equation.left, final)


def _multiplied_out(term: Term) -> list[Term]:
    """``term`` as products without brackets; SymPy cancels what stands above and below."""
    parts = []
    for summand in sympy.Add.make_args(sympy.expand(sympy.Mul(*_distributed(term.factors)))):
        number, factors = content(summand)
        parts.append(Term(term.coefficient * number, term.sums, factors).without_idle_sums())
    return parts


def _distributed(factors: tuple[sympy.Expr, ...]) -> tuple[sympy.Expr, ...]:
    """A sum among the factors multiplied by the others summand by summand, so that fractions cancel first."""
    sums = [factor for factor in factors if factor.is_Add and any(_has_quotient(part) for part in factor.args)]
    if not sums:
        return factors
    rest = sympy.Mul(*(factor for factor in factors if factor is not sums[0]))
    return (sympy.Add(*(part * rest for part in sums[0].args)),)


def _has_quotient(expression: sympy.Expr) -> bool:
    return any(isinstance(f, sympy.Pow) and f.exp.is_negative for f in sympy.Mul.make_args(expression))


def _is_plain(equation: Equation, context: Context) -> bool:
    if len(equation.terms) != 1 or equation.terms[0].sums:
        return False
    return all(is_occurrence(factor) and _is_data(base_name(factor), context) for factor in equation.terms[0].factors)


def _is_data(name: str, context: Context) -> bool:
    variable = context.variables.get(name)
    return variable is not None and variable.role in (Role.INPUT, Role.TARGET)


def _merge(terms: Iterable[Term], steps: list[Step]) -> tuple[Term, ...]:
    """Add up terms that differ in their coefficient at most (x x gives two equal contributions)."""
    merged: list[Term] = []
    for term in terms:
        for place, earlier in enumerate(merged):
            if _alike(earlier, term):
                coefficient = earlier.coefficient + term.coefficient
                merged[place] = Term(coefficient, earlier.sums, earlier.factors)
                steps.append(Step("like terms", "equal up to their coefficients"))
                break
        else:
            merged.append(term)
    return tuple(term for term in merged if term.coefficient != 0)


def _alike(left: Term, right: Term) -> bool:
    if len(left.factors) != len(right.factors):
        return False
    bare = (Term(sympy.S.One, t.sums, t.factors).expression for t in (left, right))
    return same_up_to_names(*bare)


def _collect(terms: tuple[Term, ...], steps: list[Step]) -> tuple[Term, ...]:
    """Take a coefficient that all terms share, up to sign, out in front: (p - y) / N."""
    if len(terms) < 2:
        return terms
    common = terms[0].coefficient
    if common.could_extract_minus_sign():
        common = -common
    signs = [term.coefficient / common for term in terms]
    if common == 1 or any(sign not in (1, -1) for sign in signs):
        return terms
    # A minus first reads badly, so the positive terms come first; SymPy would sort them anyway.
    bare = [Term(sympy.S.One, term.sums, term.factors).expression for term in terms]
    inside = sympy.Add(*(sign * expression for sign, expression in zip(signs, bare, strict=True)))
    steps.append(Step("common factor", "the same coefficient stands in every term"))
    return (Term(common, (), (inside,)),)


def _assume(terms: tuple[Term, ...], assumption: Assumption) -> list[Term] | None:
    """``terms`` with the assumption's left side replaced by its value; None where it does not occur."""
    data = base_name(next(occurrences(assumption.left)))
    if not any(base_name(o) == data for term in terms for factor in term.factors for o in occurrences(factor)):
        return None
    changed = False
    result = []
    for term in _spread(terms):
        for place, factor in enumerate(_as_factors(term)):
            if matches(assumption.left, factor, frozenset(assumption.indices), {}) is None:
                continue
            rest = [f for other, f in enumerate(_as_factors(term)) if other != place]
            term = Term(term.coefficient * assumption.value, (), tuple(rest))
            changed = True
            break
        result.append(term)
    return result if changed else None


def _spread(terms: tuple[Term, ...]) -> list[Term]:
    """Terms with a single bracketed sum multiplied out again."""
    result = []
    for term in terms:
        if len(term.factors) == 1 and term.factors[0].is_Add and not term.sums:
            for part in term.factors[0].args:
                number, rest = content(part)
                result.append(Term(term.coefficient * number, (), rest))
        else:
            result.append(term)
    return result


def _as_factors(term: Term) -> tuple[sympy.Expr, ...]:
    number, rest = content(term.expression / term.coefficient) if term.sums else (sympy.S.One, term.factors)
    return rest if number == 1 else term.factors
