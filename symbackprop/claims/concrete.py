"""Programs and expressions at given sizes: every sum written out, every bracket about positions decided."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

import sympy

from symbackprop.notation.expressions import limits
from symbackprop.notation.indices import substitute
from symbackprop.notation.program import Program, Variable

__all__ = ["TERMS", "at_sizes", "program_at_sizes"]

TERMS = 500
"""The most terms that one sum is written out with."""

Sizes = Mapping[sympy.Symbol, sympy.Integer]


def at_sizes(expression: sympy.Expr, sizes: Sizes) -> sympy.Expr:
    """``expression`` with numbers for sizes and its sums written out; a long sum stays."""
    return _written(expression.xreplace(dict(sizes)))


def _written(node: sympy.Expr) -> sympy.Expr:
    if isinstance(node, sympy.Indexed) or not node.args:
        return node
    if isinstance(node, sympy.Sum):
        over = limits(node)
        if all(extent.is_Integer for _, extent in over) and sympy.Mul(*(extent for _, extent in over)) <= TERMS:
            body = _written(node.args[0])
            ranges = [range(int(extent)) for _, extent in over]
            terms = []
            for position in itertools.product(*ranges):
                values = {i: sympy.Integer(number) for (i, _), number in zip(over, position, strict=True)}
                terms.append(substitute(body, values))
            return sympy.Add(*terms)
        return node
    return node.func(*(_written(argument) for argument in node.args))


def program_at_sizes(program: Program, sizes: Sizes) -> Program:
    """``program`` at given sizes."""

    def sized(variable: Variable) -> Variable:
        return replace(variable, shape=tuple(extent.xreplace(dict(sizes)) for extent in variable.shape))

    equations = tuple(
        replace(equation, left=sized(equation.left), right=at_sizes(equation.right, sizes), terms=())
        for equation in program.equations
    )
    return replace(program, inputs=tuple(map(sized, program.inputs)), equations=equations, batch=None, assumptions=())
