"""The derivative of any variable of a program by another, as equations: a Jacobian where the first is an array.

    d_a_d_z[p, q] = d a[p] / d z[q]

The sweep is the one for the loss. For an array it is started with an unknown cotangent, and since everything after
that is linear in it, each adjoint is turned into the array of its coefficients.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import sympy

from symbackprop.adjoint.sweep import differentiate
from symbackprop.notation.expressions import Bracket, base_name, index, occurrence, total
from symbackprop.notation.program import Equation, Program, Role, Variable, occurrences

__all__ = ["derivative_name", "derivatives"]

_COTANGENT, _PRODUCT = "_cotangent", "_product"


def derivative_name(of: str, by: str) -> str:
    """The name of the array of d ``of`` / d ``by``."""
    return f"d_{of}_d_{by}"


def derivatives(program: Program, of: str, by: Iterable[str]) -> tuple[Equation, ...]:
    """Equations for the derivative of ``of`` by each of ``by`` and by what lies between, in computing order.

    The array for ``by`` is called ``derivative_name(of, by)`` and has the axes of ``of`` first, then those of ``by``.
    What ``of`` does not depend on has the derivative 0.
    """
    wanted = tuple(dict.fromkeys(by))
    variable = program.variable(of)
    needed = replace(program, equations=program.needed_for((of,)), assumptions=(), output=None)
    reached = needed.used_by((of,))
    inside = tuple(name for name in wanted if name in reached and name != of)
    found: list[Equation] = []
    if inside and variable.name in needed.definitions:
        found += _of_number(needed, of, inside) if not variable.shape else _of_array(needed, variable, inside)
    known = {equation.name for equation in found}
    for name in wanted:
        if derivative_name(of, name) not in known:
            found.append(_constant(program, variable, program.variable(name)))
    return tuple(found)


def _of_number(program: Program, of: str, by: tuple[str, ...]) -> list[Equation]:
    differentiation = differentiate(replace(program, loss=of), by)
    names = {adjoint.name: derivative_name(of, adjoint.of.name) for adjoint in differentiation.adjoints}
    return [_renamed(adjoint.equation, names, adjoint.of.name, of) for adjoint in differentiation.adjoints]


def _of_array(program: Program, variable: Variable, by: tuple[str, ...]) -> list[Equation]:
    cotangent = Variable(_COTANGENT, variable.shape, Role.INPUT, variable.indices)
    product = total(
        occurrence(_COTANGENT, *variable.indices) * variable.everywhere,
        *zip(variable.indices, variable.shape, strict=True),
    )
    started = replace(
        program,
        inputs=(*program.inputs, cotangent),
        equations=(*program.equations, Equation(Variable(_PRODUCT), product)),
        loss=_PRODUCT,
    )
    differentiation = differentiate(started, by)
    names = {adjoint.name: derivative_name(variable.name, adjoint.of.name) for adjoint in differentiation.adjoints}
    positions = tuple(index(f"_p{place}") for place in range(len(variable.shape)))
    found = []
    for adjoint in differentiation.adjoints:
        equation = adjoint.equation
        left = replace(
            equation.left,
            name=names[adjoint.name],
            shape=(*variable.shape, *equation.left.shape),
            indices=(*positions, *equation.left.indices),
            loss=variable.name,
        )
        found.append(Equation(left, _coefficients(equation.right, names, positions)))
    return found


def _coefficients(expression: sympy.Expr, names: Mapping[str, str], at: tuple[sympy.Symbol, ...]) -> sympy.Expr:
    """``expression`` with the cotangent replaced by 1 at one position and 0 elsewhere."""
    replacements: dict[sympy.Basic, sympy.Expr] = {}
    for node in occurrences(expression):
        name = base_name(node)
        indices = tuple(node.indices) if isinstance(node, sympy.Indexed) else ()
        if name == _COTANGENT:
            replacements[node] = sympy.Mul(*(Bracket(sympy.Eq(e, p)) for e, p in zip(indices, at, strict=True)))
        elif name in names:
            replacements[node] = occurrence(names[name], *at, *indices)
    return expression.xreplace(replacements)


def _renamed(equation: Equation, names: Mapping[str, str], by: str, of: str) -> Equation:
    replacements: dict[sympy.Basic, sympy.Expr] = {}
    for node in occurrences(equation.right):
        if base_name(node) in names:
            indices = tuple(node.indices) if isinstance(node, sympy.Indexed) else ()
            replacements[node] = occurrence(names[base_name(node)], *indices)
    left = replace(equation.left, name=derivative_name(of, by))
    return Equation(left, equation.right.xreplace(replacements), tuple(t.rename(replacements) for t in equation.terms))


def _constant(program: Program, of: Variable, by: Variable) -> Equation:
    """The derivative by what a variable does not depend on, or by itself."""
    ours = tuple(index(f"_p{place}") for place in range(len(of.shape)))
    theirs = tuple(index(f"_q{place}") for place in range(len(by.shape)))
    left = Variable(
        derivative_name(of.name, by.name),
        (*of.shape, *by.shape),
        Role.ADJOINT,
        (*ours, *theirs),
        of=by.name,
        loss=of.name,
    )
    same = of.name == by.name
    value = sympy.Mul(*(Bracket(sympy.Eq(p, q)) for p, q in zip(ours, theirs, strict=True))) if same else sympy.S.Zero
    return Equation(left, value)
