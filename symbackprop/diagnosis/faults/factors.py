"""Mistakes about factors and summands: a sign, 2, 1/N; a part left out; the penalty; an index that runs wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy

from symbackprop.adjoint.records import Adjoint
from symbackprop.diagnosis.edits import UNKNOWN, Edit, edited, occurrences_of, terms_of, times, with_term
from symbackprop.diagnosis.scene import Scene
from symbackprop.notation.expressions import Bracket, base_name, walk
from symbackprop.notation.program import Role, occurrences
from symbackprop.notation.terms import Term

__all__ = ["another_index", "is_penalty", "part_left_out", "penalty", "scaled"]

_ONE = sympy.Integer(1)


def scaled(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """A factor that does not belong there; which one is found from the numbers."""
    terms = terms_of(adjoint.equation)
    if not terms or adjoint.of.name == scene.differentiation.loss:
        return
    fixed = [term for term in terms if is_penalty(scene, adjoint, term)]
    data = [term for term in terms if term not in fixed]
    if not data:
        return
    new = [times(term, UNKNOWN) for term in data]
    words = "the error's part has another factor" if fixed else "there is another factor"
    habits = ("data",) if fixed else ("data", "all")
    yield Edit("scale", adjoint.name, edited(adjoint.equation, (*new, *fixed)), words, habits, neutral=1.0)
    for place, term in enumerate(terms if len(data) > 1 else ()):
        if term in data:
            one = with_term(adjoint.equation, place, times(term, UNKNOWN))
            words = f"the part {term.expression} has another factor"
            yield Edit("scale", adjoint.name, one, words, (f"part {place}",), neutral=1.0)
    if fixed:
        every = [times(term, UNKNOWN) for term in terms]
        words = "there is another factor"
        yield Edit("scale", adjoint.name, edited(adjoint.equation, every), words, ("all",), neutral=1.0)


def part_left_out(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """One of several contributions, or one summand inside a factor, is missing."""
    terms = terms_of(adjoint.equation)
    for place, term in enumerate(terms):
        if len(terms) > 1 and not is_penalty(scene, adjoint, term):
            new = replace(term, coefficient=-term.coefficient)
            words = f"the part {term.expression} has the wrong sign"
            yield Edit("sign", adjoint.name, with_term(adjoint.equation, place, new), words, (f"part {place}",))
            words = f"the part {term.expression} is left out"
            yield Edit("cut off", adjoint.name, with_term(adjoint.equation, place), words, (f"part {place}",))
        for number, factor in enumerate(term.factors):
            if not isinstance(factor, sympy.Add):
                continue
            for summand in factor.args:
                if not any(True for _ in occurrences(summand)):
                    continue
                factors = (*term.factors[:number], factor - summand, *term.factors[number + 1 :])
                new = replace(term, factors=factors)
                words = f"{summand} is left out"
                habits = (f"summand {factor.args.index(summand)}",)
                yield Edit("cut off", adjoint.name, with_term(adjoint.equation, place, new), words, habits)
                factors = (*term.factors[:number], factor - 2 * summand, *term.factors[number + 1 :])
                new = replace(term, factors=factors)
                words = f"{summand} has the wrong sign"
                yield Edit("sign", adjoint.name, with_term(adjoint.equation, place, new), words, habits)


def penalty(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """The penalty's part missing or with another factor; and weight decay where no penalty asks for it."""
    if adjoint.of.role is not Role.PARAMETER:
        return
    terms = terms_of(adjoint.equation)
    mine = [place for place, term in enumerate(terms) if is_penalty(scene, adjoint, term)]
    for place in mine:
        words = "the penalty's part is left out"
        yield Edit("penalty missing", adjoint.name, with_term(adjoint.equation, place), words)
        new = times(terms[place], UNKNOWN)
        words = "the penalty's part has another factor"
        yield Edit("penalty scale", adjoint.name, with_term(adjoint.equation, place, new), words, neutral=1.0)
    w = adjoint.of.everywhere
    data = [term for place, term in enumerate(terms) if place not in mine]
    for habit, pull in (("squares", w), ("absolute values", Bracket(w > 0) - Bracket(w < 0))):
        if mine:
            pulls = (Term(_ONE, (), (UNKNOWN, pull)),)
            words = f"the gradient of a penalty on {habit} in place of the penalty's"
            equation = edited(adjoint.equation, (*data, *pulls))
            yield Edit("penalty scale", adjoint.name, equation, words, (habit,), neutral=0.0)
        else:
            words = f"a penalty on {habit} of a parameter that has none"
            equation = edited(adjoint.equation, (*terms, Term(_ONE, (), (UNKNOWN, pull))))
            yield Edit("penalty on biases", adjoint.name, equation, words, (habit,), neutral=0.0)


def another_index(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """A summed index that runs backwards, such as a kernel that is not rotated, or one without its stride."""
    for place, term in enumerate(terms_of(adjoint.equation)):
        extents = dict(term.sums)
        for old in occurrences_of(term):
            if not isinstance(old, sympy.Indexed):
                continue
            axes = scene.differentiation.adjoint_program.variables[base_name(old)].shape
            turned = [
                extent - 1 - position if position.free_symbols & set(extents) or position.is_Add else position
                for position, extent in zip(old.indices, axes, strict=True)
            ]
            if tuple(turned) == tuple(old.indices) or not _is_shifted(term):
                continue
            factors = tuple(factor.xreplace({old: sympy.Indexed(old.base, *turned)}) for factor in term.factors)
            words = f"{base_name(old)} runs the wrong way: rotated where it should not be, or not where it should"
            new = replace(term, factors=factors)
            yield Edit("wrong index", adjoint.name, with_term(adjoint.equation, place, new), words)
        unstrided = tuple(_without_strides(factor) for factor in term.factors)
        if unstrided != term.factors:
            new = replace(term, factors=unstrided)
            words = "the stride is left out"
            yield Edit("wrong index", adjoint.name, with_term(adjoint.equation, place, new), words)


def is_penalty(scene: Scene, adjoint: Adjoint, term: Term) -> bool:
    """Whether a summand of a gradient comes from the parameter alone."""
    if adjoint.of.role is not Role.PARAMETER:
        return False
    names = {base_name(o) for o in occurrences_of(term)}
    return bool(names) and all(name == adjoint.of.name or _is_constant(scene, name) for name in names)


def _is_constant(scene: Scene, name: str) -> bool:
    """Whether an adjoint does not depend on any data: that of a summand of the loss."""
    program = scene.differentiation.adjoint_program
    declared = {variable.name for variable in program.inputs}
    return not (program.used_by([name]) & declared)


def _is_shifted(term: Term) -> bool:
    """Whether some position in the summand is a sum of indices, as in a convolution."""
    shifted = (o for o in occurrences_of(term) if isinstance(o, sympy.Indexed))
    brackets = any(isinstance(node, Bracket) for factor in term.factors for node in walk(factor))
    return brackets or any(position.is_Add for o in shifted for position in o.indices)


def _without_strides(expression: sympy.Expr) -> sympy.Expr:
    """``expression`` with the numbers left out that multiply an index in a position or a condition."""
    strided = {
        node: node.args[1]
        for node in sympy.preorder_traversal(expression)
        if isinstance(node, sympy.Mul)
        and len(node.args) == 2
        and node.args[0].is_Integer
        and node.args[0] > 1
        and node.args[1].is_integer
        and node.args[1].is_Symbol
    }
    return expression.xreplace(strided) if strided else expression
