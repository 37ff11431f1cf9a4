"""The slopes that may be taken where there is no derivative: at a kink any between that of the left and of the right.

Relu's slope at 0 is 0 in one book and 1 in another. A backward pass that takes the other one is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import sympy
from sympy.core.relational import Relational

from symbackprop.diagnosis.edits import edited, terms_of
from symbackprop.diagnosis.scene import Scene
from symbackprop.notation.expressions import Bracket, walk
from symbackprop.notation.indices import is_position
from symbackprop.notation.program import Equation

__all__ = ["conventions"]

_HALF = sympy.Rational(1, 2)
_FROM_RIGHT: dict[type[Relational], type[Relational]] = {
    sympy.StrictGreaterThan: sympy.GreaterThan,
    sympy.LessThan: sympy.StrictLessThan,
}
"""What a condition on x is just right of where its sides are equal."""
_FROM_LEFT: dict[type[Relational], type[Relational]] = {
    sympy.GreaterThan: sympy.StrictGreaterThan,
    sympy.StrictLessThan: sympy.LessThan,
}


def conventions(scene: Scene) -> Iterator[tuple[str, dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]]]:
    """Other right gradients at this point, if there are any: in words, and the gradients that differ by weight."""
    for words, change in (
        ("the slope from the right", lambda bracket: _moved(bracket, _FROM_RIGHT)),
        ("the slope from the left", lambda bracket: _moved(bracket, _FROM_LEFT)),
        (
            "the mean of both slopes",
            lambda bracket: _HALF * (_moved(bracket, _FROM_RIGHT) + _moved(bracket, _FROM_LEFT)),
        ),
    ):
        exchanged = {
            name: equation
            for name, adjoint in scene.adjoints.items()
            if (equation := _with_brackets(adjoint.equation, change)) != adjoint.equation
        }
        made = scene.replay(exchanged) if exchanged else None
        if made and any(not np.array_equal(array, scene.gradient(name)) for name, array in made.items()):
            yield words, made


def _with_brackets(equation: Equation, change: Callable[[Bracket], sympy.Expr]) -> Equation:
    """``equation`` with its conditions on values, not those on positions, changed."""
    found = {
        node: change(node)
        for node in walk(equation.right)
        if isinstance(node, Bracket) and not any(map(is_position, node.condition.atoms(Relational)))
    }
    if not found:
        return equation
    return edited(equation, (term.rename(found) for term in terms_of(equation)))


def _moved(bracket: Bracket, table: dict[type[Relational], type[Relational]]) -> sympy.Expr:
    swapped = {
        relation: table[type(relation)](*relation.args, evaluate=False)
        for relation in bracket.condition.atoms(Relational)
        if type(relation) in table
    }
    return Bracket(bracket.condition.xreplace(swapped)) if swapped else bracket
