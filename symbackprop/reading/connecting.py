"""Variables that the notes name after using what they stand for: a = f(Wx + b) first, then z = Wx + b."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy

from symbackprop.notation.expressions import base_name, is_occurrence, occurrence
from symbackprop.notation.indices import matches
from symbackprop.notation.program import Equation, occurrences

__all__ = ["connected"]


def connected(equations: Mapping[str, Equation], loss: str | None) -> dict[str, Equation]:
    """The equations with each variable that nothing uses written by its name wherever its right side stands."""
    found = dict(equations)
    used = {base_name(o) for equation in found.values() for o in occurrences(equation.right)}
    for name, equation in equations.items():
        if name in used or name == loss or is_occurrence(equation.right) or equation.right.is_number:
            continue
        for other, old in list(found.items()):
            if other != name:
                right = _written(old.right, found[name])
                if right != old.right:
                    found[other] = replace(old, right=right, terms=())
    return found


def _written(node: sympy.Expr, equation: Equation) -> sympy.Expr:
    holes = frozenset(equation.indices)
    binding = matches(equation.right, node, holes, {})
    if binding is not None and holes <= set(binding):
        return occurrence(equation.name, *(binding[i] for i in equation.indices))
    if isinstance(node, sympy.Indexed) or not node.args:
        return node
    return node.func(*(_written(argument, equation) for argument in node.args))
