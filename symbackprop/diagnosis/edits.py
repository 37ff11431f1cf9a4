"""Edits: one equation of a backward pass, written as somebody might have written it who made one mistake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import sympy

from symbackprop.adjoint.records import Adjoint, Contribution
from symbackprop.notation.expressions import Limit
from symbackprop.notation.program import Equation, Variable, occurrences
from symbackprop.notation.terms import Term

__all__ = [
    "FACTOR",
    "UNKNOWN",
    "Edit",
    "edited",
    "exchanged",
    "moved_like",
    "occurrences_of",
    "terms_of",
    "through",
    "times",
    "with_term",
    "without",
]

FACTOR = Variable("_factor")
UNKNOWN = FACTOR.everywhere
"""A number that is not known beforehand, such as a learning rate, as it stands in an edited equation."""


@dataclass(frozen=True)
class Edit:
    """One mistake at one place.

    ``kind``      what it is called in ``symbackprop.diagnosis.kinds``
    ``adjoint``   the adjoint variable whose equation it is
    ``equation``  the equation with the mistake
    ``words``     the mistake in words
    ``habits``    what the mistake has in common with the same one in another layer
    ``neutral``   the value of the unknown factor at which nothing is wrong; None where there is no unknown factor
    """

    kind: str
    adjoint: str
    equation: Equation
    words: str
    habits: tuple[str, ...] = ("",)
    neutral: float | None = None


def terms_of(equation: Equation) -> tuple[Term, ...]:
    """The summands of the right side."""
    return equation.terms or (Term(sympy.Integer(1), (), (equation.right,)),)


def edited(equation: Equation, terms: Iterable[Term], left: Variable | None = None) -> Equation:
    """``equation`` with other summands, and under other indices where ``left`` is given."""
    kept = tuple(term.without_idle_sums() for term in terms)
    return Equation(left or equation.left, sympy.Add(*(term.expression for term in kept)), kept)


def with_term(equation: Equation, place: int, *new: Term) -> Equation:
    """``equation`` with ``new`` summands in place of one."""
    terms = terms_of(equation)
    return edited(equation, (*terms[:place], *new, *terms[place + 1 :]))


def occurrences_of(term: Term) -> tuple[sympy.Expr, ...]:
    """The occurrences of variables in a summand, each once, in reading order."""
    return tuple(dict.fromkeys(o for factor in term.factors for o in occurrences(factor)))


def exchanged(term: Term, old: sympy.Expr, new: sympy.Expr) -> Term:
    """``term`` with ``new`` in place of the occurrence ``old``."""
    return replace(term, factors=tuple(factor.xreplace({old: new}) for factor in term.factors))


def times(term: Term, *more: sympy.Expr) -> Term:
    """``term`` with more factors."""
    return replace(term, factors=(*term.factors, *more))


def through(adjoint: Adjoint) -> Iterator[tuple[str, tuple[Contribution, ...], tuple[Contribution, ...]]]:
    """For each equation that uses the variable: its name, what comes through it, and what comes through others."""
    names: Sequence[str] = tuple(dict.fromkeys(contribution.through for contribution in adjoint.contributions))
    for name in names:
        own = tuple(c for c in adjoint.contributions if c.through == name)
        yield name, own, tuple(c for c in adjoint.contributions if c.through != name)


def moved_like(occurrence: sympy.Expr, variable: Variable) -> sympy.Expr:
    """``variable`` at the positions of ``occurrence``."""
    positions = occurrence.indices if isinstance(occurrence, sympy.Indexed) else ()
    return variable.at(*positions)


def without(limits: tuple[Limit, ...], index: sympy.Symbol) -> tuple[Limit, ...]:
    """``limits`` without the one of ``index``."""
    return tuple(limit for limit in limits if limit[0] != index)
