"""Mistakes about which stored value is used: another activation, error signal or weight, or one that was changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import sympy

from symbackprop.adjoint.records import Adjoint
from symbackprop.diagnosis.edits import (
    UNKNOWN,
    Edit,
    edited,
    exchanged,
    moved_like,
    occurrences_of,
    terms_of,
    with_term,
)
from symbackprop.diagnosis.faults.factors import is_penalty
from symbackprop.diagnosis.scene import Scene
from symbackprop.notation.expressions import base_name
from symbackprop.notation.indices import substitute
from symbackprop.notation.program import Role, Variable
from symbackprop.notation.terms import Term

__all__ = [
    "alike",
    "another_error_signal",
    "another_example",
    "another_shape",
    "another_value",
    "not_transposed",
    "updated_weights",
]

_NEIGHBOURS = 40
"""Of so many variables of one shape the nearest are tried: a mistake picks a layer near by."""


def another_value(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """Another stored value of the same shape: the input in place of the activation, z in place of a, a layer off."""
    variables = scene.differentiation.program.variables
    for place, term, old in _places(adjoint):
        name = base_name(old)
        if name not in variables:
            continue
        kind = "wrong weights" if variables[name].role is Role.PARAMETER else "wrong activation"
        for offset, other in alike(scene, name, variables):
            words = f"{other.name} in place of {name}"
            habits = (f"{offset} further", f"{other.name} for {name}", f"{other.name} everywhere")
            yield _exchange(adjoint, place, term, old, moved_like(old, other), kind, words, habits)
    yield from _everywhere(scene, adjoint, variables, "wrong activation")


def another_shape(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """Another stored value where a loop over single entries allows any: the weight itself in place of its input."""
    if not scene.is_leaf(adjoint.name):
        return
    variables = scene.differentiation.program.variables
    axes = tuple(zip(adjoint.equation.indices, adjoint.equation.left.shape, strict=True))
    for place, term, old in _places(adjoint):
        name = base_name(old)
        if name not in variables or not isinstance(old, sympy.Indexed) or variables[name].role is Role.PARAMETER:
            continue
        within = [(i, scene.extent(extent)) for i, extent in (*axes, *term.sums)]
        for offset, other in _nearest(scene, name, variables):
            for positions in itertools.permutations(within, len(other.shape)):
                new = other.at(*(i for i, _ in positions))
                fits = tuple(extent for _, extent in positions) == scene.shape(other.name)
                if not fits or not other.shape or new == old:
                    continue
                words = f"{other.name} in place of {name}"
                yield _exchange(adjoint, place, term, old, new, "wrong activation", words, (f"{offset} of any shape",))


def another_example(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """Values of other examples: inputs, activations or targets that do not belong to what they are multiplied with."""
    for place, term, old in _places(adjoint):
        for words, other in scene.neighbours.get(base_name(old), ()):
            said = f"{base_name(old)} is that of {words}"
            yield _exchange(adjoint, place, term, old, moved_like(old, other), "examples", said, (words,))


def another_error_signal(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """Another variable's error signal, such as dL/da in place of dL/dz: a derivative that is not passed on."""
    variables = scene.differentiation.adjoint_program.variables
    adjoints = {name: variables[name] for name in scene.adjoints}
    for place, term, old in _places(adjoint):
        name = base_name(old)
        if name not in adjoints:
            continue
        for offset, other in alike(scene, name, adjoints):
            if other.name == adjoint.name:
                continue
            words = f"dL/d{other.of} in place of dL/d{scene.adjoints[name].of.name}"
            habits = (f"{offset} further", f"{other.name} for {name}", f"{other.name} everywhere")
            yield _exchange(adjoint, place, term, old, moved_like(old, other), "wrong error signal", words, habits)


def not_transposed(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """A square matrix with its indices exchanged."""
    for place, term, old in _places(adjoint):
        name = base_name(old)
        if not isinstance(old, sympy.Indexed) or len(old.indices) != 2 or len(set(scene.shape(name))) != 1:
            continue
        if scene.shape(name) == (1, 1):
            continue
        first, second = old.indices
        new = exchanged(term, old, scene.program.variables[name].at(second, first))
        words = f"{name} is used without its transpose, or transposed once too often"
        habits = (str(scene.program.variables[name].role.value),)
        yield Edit("not transposed", adjoint.name, with_term(adjoint.equation, place, new), words, habits)


def updated_weights(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """Weights that a step of gradient descent has changed before the error goes back through them."""
    if adjoint.of.role is Role.PARAMETER:
        return
    by_variable = scene.differentiation.by_variable
    equation = adjoint.equation
    for name in dict.fromkeys(base_name(old) for _, _, old in _places(adjoint)):
        if scene.program.variables[name].role is not Role.PARAMETER or name not in by_variable:
            continue
        gradient = by_variable[name]
        left, own = gradient.equation.left, gradient.equation
        decay = [term for term in terms_of(own) if is_penalty(scene, gradient, term)]
        # The step may have been one by the error's part alone, without the penalty's.
        for habit, penalty in (("whole", ()), ("data", decay)) if decay else (("whole", ()),):
            moved = left.everywhere - sympy.Add(*(term.expression for term in penalty))
            words = f"{name} had been updated before the error went back through it"
            terms = [_stepped(term, name, left, moved) for term in terms_of(equation)]
            yield Edit("weights updated", adjoint.name, edited(equation, terms), words, (habit,), neutral=0.0)


def alike(scene: Scene, name: str, variables: Mapping[str, Variable]) -> Iterator[tuple[int, Variable]]:
    """The other variables of real numbers with the shape of ``name``, and how far behind it each stands.

    Where there are many, the nearest ones: a mistake picks a layer near by.
    """
    shape = scene.shape(name)
    return (found for found in _nearest(scene, name, variables) if scene.shape(found[1].name) == shape)


def _nearest(scene: Scene, name: str, variables: Mapping[str, Variable]) -> Iterator[tuple[int, Variable]]:
    order = list(variables)
    here = order.index(name) if name in variables else 0
    found = [(p - here, v) for p, v in enumerate(variables.values()) if v.name != name and not v.integer]
    yield from sorted(found, key=lambda item: abs(item[0]))[:_NEIGHBOURS]


def _exchange(
    adjoint: Adjoint,
    place: int,
    term: Term,
    old: sympy.Expr,
    new: sympy.Expr,
    kind: str,
    words: str,
    habits: tuple[str, ...],
) -> Edit:
    return Edit(kind, adjoint.name, with_term(adjoint.equation, place, exchanged(term, old, new)), words, habits)


def _everywhere(scene: Scene, adjoint: Adjoint, variables: Mapping[str, Variable], kind: str) -> Iterator[Edit]:
    """The variable so many places on in every summand, where there are several: a loop over time steps."""
    terms = terms_of(adjoint.equation)
    if len(terms) < 2:
        return
    names = list(variables)
    for offset in (-2, -1, 1, 2):
        changed = []
        for term in terms:
            new = term
            for old in occurrences_of(term):
                name = base_name(old)
                if name not in variables or old not in term.factors or variables[name].role is Role.PARAMETER:
                    continue
                place = names.index(name) + offset
                if 0 <= place < len(names) and scene.shape(names[place]) == scene.shape(name):
                    new = exchanged(new, old, moved_like(old, variables[names[place]]))
            changed.append(new)
        words = f"values that are {abs(offset)} too {'late' if offset > 0 else 'early'} in every summand"
        yield Edit(kind, adjoint.name, edited(adjoint.equation, changed), words, (f"{offset} in every summand",))


def _stepped(term: Term, name: str, left: Variable, step: sympy.Expr) -> Term:
    """``term`` with what a step of unknown size has made of the parameter ``name``."""
    for old in occurrences_of(term):
        if base_name(old) == name:
            positions = old.indices if isinstance(old, sympy.Indexed) else ()
            here = substitute(step, dict(zip(left.indices, positions, strict=True)))
            term = exchanged(term, old, old - UNKNOWN * here)
    return term


def _places(adjoint: Adjoint) -> Iterator[tuple[int, Term, sympy.Expr]]:
    """Every occurrence in the adjoint's equation, with its summand."""
    for place, term in enumerate(terms_of(adjoint.equation)):
        for old in occurrences_of(term):
            yield place, term, old
