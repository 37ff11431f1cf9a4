"""The Hessian times a direction, by differentiating the derived gradient once more.

    s = sum over the weights of g[w] v[w]        ds/dw = (H v)[w]

The gradient's equations and s are a program like any other, with the direction v as data. So its derivative is derived,
compiled and verified like a gradient: differences of s are differences of the gradient, along each weight.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import sympy

from symbackprop.adjoint.records import Differentiation
from symbackprop.adjoint.sweep import differentiate
from symbackprop.notation.expressions import total
from symbackprop.notation.program import Equation, Role, Variable

__all__ = ["draw_directions", "hessian_times_direction"]


def hessian_times_direction(first: Differentiation) -> tuple[Differentiation, dict[str, str]]:
    """The derivative of s by every weight, and for each weight's array the name of its part of the direction."""
    program = first.adjoint_program
    taken = set(program.variables)
    directions: dict[str, str] = {}
    inputs: list[Variable] = []
    products: list[sympy.Expr] = []
    for name in first.wrt:
        if name not in first.by_variable:
            continue
        variable, adjoint = program.variable(name), first.by_variable[name].equation.left
        directions[name] = _unused(f"{name}_direction", taken)
        direction = Variable(directions[name], variable.shape, Role.INPUT, variable.indices)
        inputs.append(direction)
        product = adjoint.at(*variable.indices) * direction.everywhere
        products.append(total(product, *zip(variable.indices, variable.shape, strict=True)))
    slope = Equation(Variable(_unused("slope", taken)), sympy.Add(*products))
    whole = replace(program, inputs=(*program.inputs, *inputs), loss=slope.name).extended((slope,))
    needed = replace(whole, equations=whole.needed_for([slope.name]))
    return differentiate(needed, first.wrt), directions


def draw_directions(directions: Mapping[str, str], arrays: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """A direction for the arrays that are given."""
    rng = np.random.default_rng([seed, 2])
    return {direction: rng.normal(size=np.shape(arrays[name])) for name, direction in directions.items()}


def _unused(name: str, taken: set[str]) -> str:
    candidates = (f"{name}{number or ''}" for number in itertools.chain((0,), itertools.count(2)))
    found = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(found)
    return found
