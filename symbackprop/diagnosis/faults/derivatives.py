"""Mistakes about the derivative of an activation: left out, taken elsewhere, of another function, taken twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import sympy

from symbackprop.adjoint.records import Adjoint, Contribution
from symbackprop.diagnosis.edits import Edit, edited, moved_like, terms_of, through, times
from symbackprop.diagnosis.faults.variables import alike
from symbackprop.diagnosis.scene import Scene
from symbackprop.layers.activations import ACTIVATIONS, Activation
from symbackprop.notation.expressions import REDUCTIONS, ElementwiseFunction, base_name, walk
from symbackprop.notation.program import Equation, occurrences
from symbackprop.notation.terms import Term

__all__ = ["another_activation", "by_assumption", "left_out", "left_out_inside", "twice", "wrong_argument"]

_ONE = sympy.Integer(1)


def left_out(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """dL/dz = dL/da: the error goes back through an activation unchanged."""
    for name, own, others in through(adjoint):
        equation = scene.differentiation.program.definitions[name]
        if own[0].cotangent is None or not any(c.local for c in own) or not _is_entrywise(equation, adjoint):
            continue
        cotangent = scene.differentiation.by_variable[name].equation.left.at(*adjoint.of.indices)
        plain = Term(_ONE, (), (cotangent,))
        terms = (plain, *(c.term for c in others))
        function = _function_name(equation)
        yield Edit(
            "derivative left out",
            adjoint.name,
            edited(adjoint.equation, terms),
            f"the derivative of {function} is left out",
        )


def left_out_inside(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """The derivative left out where the activation has no equation of its own, as in h = tanh(W x + U h)."""
    terms = terms_of(adjoint.equation)
    plain = [_without_slopes(scene, term) for term in terms]
    for place, (term, without) in enumerate(zip(terms, plain, strict=True)):
        if without != term:
            words = "the derivative of the activation is left out"
            equation = edited(adjoint.equation, (*terms[:place], without, *terms[place + 1 :]))
            yield Edit("derivative left out", adjoint.name, equation, words, (f"in summand {place}",))
    if sum(without != term for term, without in zip(terms, plain, strict=True)) > 0:
        words = "the derivative of the activation is left out"
        yield Edit("derivative left out", adjoint.name, edited(adjoint.equation, plain), words, ("in every summand",))


def by_assumption(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """The shorter form that an adjoint has under an assumption which the data may not keep."""
    for assumption, equation in adjoint.assuming:
        words = f"the form that holds only if {assumption.text}"
        yield Edit("assumption", adjoint.name, equation, words, (assumption.text,))


def wrong_argument(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """The derivative at a in place of z or, where it is written in terms of the output, at z in place of a."""
    variables = scene.differentiation.adjoint_program.variables
    for equation, own, others, z, a in _elementwise(scene, adjoint):
        slope = sympy.Mul(*own.local)
        function = _function_name(equation)
        rest = tuple(c.term for c in others)
        turned = slope.xreplace({a: equation.right.xreplace({z: -z}), z: -z})
        words = f"the derivative of {function} is taken at -{base_name(z)}"
        yield _slope_edit(adjoint, own, rest, turned, words, "derivative at the wrong argument", "at -z")
        for offset, variable in ((0, variables[base_name(z)]), *alike(scene, base_name(z), variables)):
            here = moved_like(z, variable)
            if variable.name == adjoint.name:
                continue
            if here != z:
                found = slope.xreplace({a: equation.right.xreplace({z: here}), z: here})
                words = f"the derivative of {function} is taken at {variable.name} in place of {base_name(z)}"
                yield _slope_edit(adjoint, own, rest, found, words, "derivative at the wrong argument", f"at {offset}")
            if here != a and slope.has(a):
                found = slope.xreplace({a: here})
                words = f"the derivative of {function}, written for its output {base_name(a)}, is given {variable.name}"
                habit = f"given {offset}"
                yield _slope_edit(adjoint, own, rest, found, words, "derivative at the wrong argument", habit)


def another_activation(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """The derivative of another activation, at z or written for the output and given a."""
    for equation, own, others, z, a in _elementwise(scene, adjoint):
        function = _function_name(equation)
        rest = tuple(c.term for c in others)
        for name, at_z, at_output in _slopes():
            if name == function:
                continue
            words = f"the derivative of {name} in place of that of {function}"
            kind = "derivative of another activation"
            yield _slope_edit(adjoint, own, rest, at_z.xreplace({_Z: z}), words, kind, f"{name} at z")
            if at_output is not None:
                found = at_output.xreplace({_A: a, _Z: z})
                yield _slope_edit(adjoint, own, rest, found, words, kind, f"{name} at a")


def twice(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """A factor sigma' more than there is, as for squared errors on top of a cross-entropy."""
    z = adjoint.of.everywhere
    definition = scene.differentiation.program.definitions.get(adjoint.of.name)
    if definition is None or not isinstance(z, sympy.Indexed) or not _is_weighted_sum(definition):
        return
    terms = terms_of(adjoint.equation)
    activations = [e for e in scene.differentiation.program.equations if _applies_to(e, z)]
    for equation in activations:
        a = equation.left.at(*adjoint.of.indices)
        function = _function_name(equation)
        if _single(equation) is not None:
            slope = sympy.diff(equation.right.xreplace({z: _Z}), _Z)
            slope = slope.xreplace({_Z: z})
        else:
            slope = a * (1 - a)
        words = f"multiplied by the derivative of {function} once too often"
        yield Edit("derivative twice", adjoint.name, edited(adjoint.equation, [times(t, slope) for t in terms]), words)
    if activations:
        return
    for name, at_z, at_output in _slopes():
        for slope in filter(None, (at_z, at_output)):
            # Without an activation z is the output itself.
            found = slope.xreplace({_Z: z, _A: z})
            words = f"multiplied by a derivative of {name}, though no such function is applied here"
            terms_with = [times(term, found) for term in terms]
            yield Edit("derivative twice", adjoint.name, edited(adjoint.equation, terms_with), words)


# -- activations -------------------------------------------------------------------------------------------------------

_Z = sympy.Symbol("z", real=True)
_A = sympy.Symbol("a", real=True)


@lru_cache(maxsize=1)
def _slopes() -> tuple[tuple[str, sympy.Expr, sympy.Expr | None], ...]:
    """For each activation its derivative by z and, where it has such a form, by its output."""
    found = []
    for name, activation in ACTIVATIONS.items():
        if not isinstance(activation, Activation) or activation.is_identity:
            continue
        slope = sympy.diff(activation.expression, _Z)
        output = slope.xreplace({activation.expression: _A})
        found.append((name, slope, output if output != slope else None))
    return tuple(found)


def _elementwise(
    scene: Scene, adjoint: Adjoint
) -> Iterator[tuple[Equation, Contribution, tuple[Contribution, ...], sympy.Expr, sympy.Expr]]:
    """The elementwise functions a = f(z) of the variable: equation, contribution, the others, z and a."""
    for name, own, others in through(adjoint):
        equation = scene.differentiation.program.definitions[name]
        z = _single(equation)
        if z is None or own[0].cotangent is None or len(own) != 1 or not own[0].local:
            continue
        here = adjoint.of.everywhere
        if base_name(z) != adjoint.of.name or own[0].sums or own[0].brackets:
            continue
        renamed = Equation(equation.left, equation.right.xreplace({z: here}))
        yield renamed, own[0], others, here, equation.left.at(*adjoint.of.indices)


def _single(equation: Equation) -> sympy.Expr | None:
    """The one occurrence on the right side of an elementwise equation, with the left side's indices."""
    found = tuple(dict.fromkeys(occurrences(equation.right)))
    if len(found) != 1 or any(isinstance(node, REDUCTIONS) for node in walk(equation.right)):
        return None
    (z,) = found
    return z if isinstance(z, sympy.Indexed) and tuple(z.indices) == equation.indices else None


def _is_entrywise(equation: Equation, adjoint: Adjoint) -> bool:
    """Whether the equation gives one entry for each entry of the variable, by more than sums and products with it."""
    return equation.left.shape == adjoint.of.shape and not _is_linear(equation, adjoint.of.name)


def _is_linear(equation: Equation, name: str) -> bool:
    own = [o for o in dict.fromkeys(occurrences(equation.right)) if base_name(o) == name]
    slots = {o: sympy.Dummy(real=True) for o in own}
    opened = equation.right.xreplace(slots)
    return all(not (sympy.diff(opened, slot).free_symbols & set(slots.values())) for slot in slots.values()) and not (
        any(isinstance(node, REDUCTIONS) for node in walk(equation.right))
        and any(isinstance(node, ElementwiseFunction | sympy.exp) for node in walk(equation.right))
    )


def _is_weighted_sum(equation: Equation) -> bool:
    """Whether an equation is a sum of products, as a pre-activation is."""
    return equation.right.has(sympy.Sum) and not equation.right.has(sympy.Function)


def _without_slopes(scene: Scene, term: Term) -> Term:
    """``term`` without the factors that are derivatives of functions, where something is left that they multiply."""
    kept = tuple(f for f in term.factors if isinstance(f, sympy.Indexed | sympy.Symbol) or not _is_slope(scene, f))
    return replace(term, factors=kept) if any(True for f in kept for _ in occurrences(f)) else term


def _is_slope(scene: Scene, factor: sympy.Expr) -> bool:
    """Whether a factor is computed from values of the forward pass alone, some of which have a function in them."""
    definitions = scene.differentiation.program.definitions
    names = {base_name(o) for o in occurrences(factor)}
    return (
        bool(names)
        and all(n in definitions for n in names)
        and any(definitions[n].right.has(sympy.Function) for n in names)
    )


def _applies_to(equation: Equation, z: sympy.Expr) -> bool:
    """Whether ``equation`` is an activation of z: elementwise, or a softmax."""
    names = {base_name(o) for o in occurrences(equation.right)}
    if names != {base_name(z)} or len(equation.indices) != len(z.indices):
        return False
    is_softmax = equation.right.is_Mul and any(isinstance(node, REDUCTIONS) for node in walk(equation.right))
    return is_softmax or (_single(equation) is not None and not _is_linear(equation, base_name(z)))


def _function_name(equation: Equation) -> str:
    """What the function of an activation's equation is called."""
    right = equation.right
    if any(isinstance(node, REDUCTIONS) for node in walk(right)):
        return "softmax"
    return str(right.func.__name__) if isinstance(right, sympy.Function) else f"{equation.name}'s function"


def _slope_edit(
    adjoint: Adjoint,
    own: Contribution,
    rest: tuple[Term, ...],
    slope: sympy.Expr,
    words: str,
    kind: str,
    habit: str,
) -> Edit:
    term = replace(own.term, factors=(own.cotangent, slope))
    return Edit(kind, adjoint.name, edited(adjoint.equation, (term, *rest)), words, (habit,))
