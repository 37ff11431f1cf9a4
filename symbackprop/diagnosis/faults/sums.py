"""Mistakes about sums: over the batch or over units, left out, averaged, cut short, or an elementwise product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy

from symbackprop.adjoint.records import Adjoint
from symbackprop.diagnosis.edits import Edit, edited, occurrences_of, terms_of, with_term, without
from symbackprop.diagnosis.scene import Scene
from symbackprop.notation.expressions import Bracket, Limit, base_name, index, limits, total, walk
from symbackprop.notation.indices import substitute
from symbackprop.notation.program import Role, Variable
from symbackprop.notation.terms import Term

__all__ = ["averaged", "cut_short", "diagonal", "elementwise", "not_summed", "wrong_axis"]

_OTHER = index("_m")


def not_summed(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """The error signals of all examples in place of their sum."""
    if not scene.is_leaf(adjoint.name):
        return
    left = adjoint.equation.left
    for place, term, over in _batch_sums(scene, adjoint):
        for axes in ((over, *_axes(left)), (*_axes(left), over)):
            terms = [*terms_of(adjoint.equation)]
            terms[place] = replace(term, sums=without(term.sums, over[0]))
            equation = edited(adjoint.equation, terms, _with_axes(left, axes))
            yield Edit("bias not summed", adjoint.name, equation, "the sum over the examples is left out")


def wrong_axis(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """Summed over the units of each example in place of over the examples, or over both."""
    left = adjoint.equation.left
    axes, terms = _axes(left), terms_of(adjoint.equation)
    if scene.is_leaf(adjoint.name) and len(axes) == len(terms) == 1:
        for _, term, over in _batch_sums(scene, adjoint):
            summed = replace(term, sums=(*without(term.sums, over[0]), axes[0]))
            words = "summed over the units of each example in place of over the examples"
            yield Edit(
                "wrong axis", adjoint.name, edited(adjoint.equation, (summed,), _with_axes(left, (over,))), words
            )
            unit = {axes[0][0]: _OTHER}
            body = sympy.Mul(*(substitute(factor, unit) for factor in term.factors))
            both = Term(term.coefficient, (), (total(body, *term.sums, (_OTHER, axes[0][1])),))
            for over_all in (left, _with_axes(left, ())):
                words = "summed over the units too, not over the examples alone"
                yield Edit("wrong axis", adjoint.name, edited(adjoint.equation, (both,), over_all), words, ("both",))
    if len(axes) != 2 or scene.batch is None or axes[0][1] != scene.batch:
        return
    (n, examples), (j, _) = axes
    for place, term in enumerate(terms):
        if len(term.sums) == 1 and not _parameters(scene, term):
            k = term.sums[0][0]
            inside = tuple(substitute(f, {n: _OTHER, k: j}) for f in term.inside)
            new = Term(term.coefficient, ((_OTHER, examples),), (*term.outside, *inside))
            words = "summed over the examples in place of over the units of each"
            yield Edit("wrong axis", adjoint.name, with_term(adjoint.equation, place, new), words)


def averaged(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """The mean over the batch where the sum belongs."""
    for place, term, (_, extent) in _batch_sums(scene, adjoint):
        new = replace(term, coefficient=term.coefficient / extent)
        words = "averaged over the examples in place of summed"
        yield Edit("averaged", adjoint.name, with_term(adjoint.equation, place, new), words)


def cut_short(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """A sum without its first or last summand, or with only one; units of a layer that are left out."""
    for place, term in enumerate(terms_of(adjoint.equation)):
        for i, extent in term.sums:
            if scene.extent(extent) == 1:
                continue
            in_batch = extent == scene.batch
            what, kind = ("example", "examples") if in_batch else ("unit", "cut off")
            rest, last = without(term.sums, i), extent - 1
            for words, new in (
                (f"of the first {what} alone", _at(term, rest, i, sympy.Integer(0))),
                (f"of the last {what} alone", _at(term, rest, i, last)),
                (f"without the first {what}", _guarded(term, sympy.Gt(i, 0))),
                (f"without the last {what}", _guarded(term, sympy.Lt(i, last))),
            ):
                yield Edit(kind, adjoint.name, with_term(adjoint.equation, place, new), words, (words,))
                if in_batch and "alone" in words:
                    more = replace(new, coefficient=new.coefficient * extent)
                    words = f"{words}, and not divided by their number"
                    yield Edit(kind, adjoint.name, with_term(adjoint.equation, place, more), words, (words,))
        if adjoint.of.role is Role.PARAMETER:
            continue
        for i, extent in _axes(adjoint.equation.left):
            if scene.extent(extent) == 1:
                continue
            what = "example" if extent == scene.batch else "unit"
            for words, condition in (
                (f"0 for the first {what}", sympy.Gt(i, 0)),
                (f"0 for the last {what}", sympy.Lt(i, extent - 1)),
            ):
                new = _guarded(term, condition)
                kind = "examples" if extent == scene.batch else "cut off"
                yield Edit(kind, adjoint.name, with_term(adjoint.equation, place, new), words, (words,))


def elementwise(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """Two arrays multiplied entry by entry, where a matrix product belongs."""
    left = adjoint.equation.left
    axes, terms = _axes(left), terms_of(adjoint.equation)
    for place, term in enumerate(terms):
        factors = [f for f in term.factors if isinstance(f, sympy.Indexed)]
        if len(factors) != 2 or len(term.sums) != 1 or any(len(f.indices) != 2 for f in factors):
            continue
        names = [base_name(factor) for factor in factors]
        ((summed, extent),) = term.sums
        for i, own in axes:
            if scene.extent(own) != scene.extent(extent):
                continue
            same = tuple(substitute(f, {summed: i}) for f in factors)
            words = f"{names[0]} and the diagonal of {names[1]} are multiplied entry by entry"
            yield _product(adjoint, place, Term(term.coefficient, (), same), words, "diagonal")
            for number in (0, 1):
                alone = total(factors[number], term.sums[0])
                apart = (alone, same[1 - number]) if number == 0 else (same[0], alone)
                words = f"{names[number]} is summed by itself, not together with {names[1 - number]}"
                yield _product(adjoint, place, Term(term.coefficient, (), apart), words, f"apart {number}")
        if len(axes) != 2:
            continue
        yield from _entry_by_entry(scene, adjoint, place, term, factors)


def diagonal(scene: Scene, adjoint: Adjoint) -> Iterator[Edit]:
    """Only da_j/dz_j, without the other entries of the Jacobian: a softmax taken for an elementwise function."""
    words = "only the diagonal of the Jacobian, as if each output depended on its own input alone"
    axes = _axes(adjoint.equation.left)
    for place, term in enumerate(terms_of(adjoint.equation)):
        if len(term.sums) == 1 and not _parameters(scene, term):
            for j, own in axes:
                if scene.extent(own) == scene.extent(term.sums[0][1]):
                    factors = tuple(substitute(f, {term.sums[0][0]: j}) for f in term.factors)
                    new = Term(term.coefficient, (), factors)
                    yield Edit("diagonal", adjoint.name, with_term(adjoint.equation, place, new), words)
        sums = [node for factor in term.factors for node in walk(factor) if isinstance(node, sympy.Sum)]
        for node in dict.fromkeys(sums):
            for j, own in axes:
                if len(limits(node)) != 1 or scene.extent(own) != scene.extent(limits(node)[0][1]):
                    continue
                only = substitute(node.args[0], {limits(node)[0][0]: j})
                new = replace(term, factors=tuple(factor.xreplace({node: only}) for factor in term.factors))
                yield Edit("diagonal", adjoint.name, with_term(adjoint.equation, place, new), words)


# -- products ----------------------------------------------------------------------------------------------------------


def _entry_by_entry(
    scene: Scene, adjoint: Adjoint, place: int, term: Term, factors: list[sympy.Expr]
) -> Iterator[Edit]:
    """The two arrays as they are stored, each as it is or transposed, in every way in which their shapes agree."""
    left = adjoint.equation.left
    here = left.indices
    names = [base_name(factor) for factor in factors]
    for turned in ((False, False), (True, False), (False, True), (True, True)):
        shapes = [scene.shape(n)[::-1] if t else scene.shape(n) for n, t in zip(names, turned, strict=True)]
        if shapes[0] != shapes[1]:
            continue
        product = tuple(
            sympy.Indexed(f.base, *(reversed(here) if t else here)) for f, t in zip(factors, turned, strict=True)
        )
        words = f"{names[0]} and {names[1]} are multiplied entry by entry"
        new = Term(term.coefficient, (), product)
        if shapes[0] == tuple(scene.extent(extent) for extent in left.shape):
            yield _product(adjoint, place, new, words, str(turned))
        elif scene.is_leaf(adjoint.name) and len(terms_of(adjoint.equation)) == 1:
            sizes = [sympy.Integer(number) for number in shapes[0]]
            other = _with_axes(left, tuple(zip(here, sizes, strict=True)))
            yield Edit("elementwise", adjoint.name, edited(adjoint.equation, (new,), other), words, (str(turned),))


def _product(adjoint: Adjoint, place: int, new: Term, words: str, habit: str) -> Edit:
    return Edit("elementwise", adjoint.name, with_term(adjoint.equation, place, new), words, (habit,))


def _parameters(scene: Scene, term: Term) -> bool:
    """Whether a summand has parameters in it: then its sum is a layer's, not that of a Jacobian."""
    variables = scene.program.variables
    return any(variables[base_name(o)].role is Role.PARAMETER for o in occurrences_of(term))


# -- axes and sums -----------------------------------------------------------------------------------------------------


def _axes(left: Variable) -> tuple[Limit, ...]:
    return tuple(zip(left.indices, left.shape, strict=True))


def _with_axes(left: Variable, axes: tuple[Limit, ...]) -> Variable:
    return replace(left, indices=tuple(i for i, _ in axes), shape=tuple(extent for _, extent in axes))


def _batch_sums(scene: Scene, adjoint: Adjoint) -> Iterator[tuple[int, Term, Limit]]:
    """The summands that sum over the batch, with that sum."""
    for place, term in enumerate(terms_of(adjoint.equation)):
        for limit in term.sums:
            if limit[1] == scene.batch and scene.extent(limit[1]) > 1:
                yield place, term, limit


def _at(term: Term, rest: tuple[Limit, ...], position: sympy.Symbol, value: sympy.Expr) -> Term:
    return Term(term.coefficient, rest, tuple(substitute(factor, {position: value}) for factor in term.factors))


def _guarded(term: Term, condition: sympy.Basic) -> Term:
    return replace(term, factors=(*term.factors, Bracket(condition)))
