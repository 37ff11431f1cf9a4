"""The laws of differentiation, each a function of a ``Case`` that raises ``BrokenLawError`` where they do not hold.

They are functions so that they can be tried on random programs, on named ones, and, with a wrong rule planted in the
package, to see that they would notice. In the rational family numbers must be equal; in the general one they must
agree to ``DIGITS`` digits.
"""

from __future__ import annotations

import functools
import random
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import sympy
from brute_force import Evaluator, expanded_loss
from dual_numbers import combined, derivative_along, dual, second_derivative
from random_programs import Case, rational_point
from renaming import with_other_indices, with_other_sizes, with_other_variables

from symbackprop.adjoint.records import Differentiation
from symbackprop.adjoint.sweep import differentiate
from symbackprop.notation.checker import check
from symbackprop.notation.expressions import total
from symbackprop.notation.interpreter import interpret
from symbackprop.notation.program import Equation, Program, Role, Variable
from symbackprop.notation.terms import Term

__all__ = [
    "DIGITS",
    "LAWS",
    "BrokenLawError",
    "evaluated",
    "forget_derivations",
    "forget_everything",
    "with_slope",
    "written",
]

DIGITS = 25
_WORKING_DIGITS = 50

Law = Callable[[Case, str], None]


class BrokenLawError(AssertionError):
    """A law does not hold."""


LAWS: dict[str, Law] = {}
"""Every law by what it says."""


def law(says: str) -> Callable[[Law], Law]:
    """Enters a function in ``LAWS``, to be run with many digits."""

    def enter(holds: Law) -> Law:
        @functools.wraps(holds)
        def precise(case: Case, family: str) -> None:
            with mpmath.workdps(_WORKING_DIGITS):
                holds(case, family)

        LAWS[says] = precise
        return precise

    return enter


def forget_everything() -> None:
    """Empty every cache that a derivation fills, SymPy's own included."""
    forget_derivations()
    sympy.core.cache.clear_cache()


def forget_derivations() -> None:
    """Empty the caches of the package."""
    modules = [module for name, module in sorted(sys.modules.items()) if name.split(".")[0] == "symbackprop"]
    for value in [value for module in modules for value in vars(module).values()]:
        if hasattr(value, "cache_clear"):
            value.cache_clear()


# Numbers


def _numbers(nested: Any, family: str) -> Any:
    """Nested rationals as the numbers of ``family``; labels stay what they are."""
    if family == "rational":
        return nested

    def number(entry: Any) -> Any:
        return mpmath.mpf(entry.numerator) / entry.denominator if isinstance(entry, Fraction) else entry

    return combined(number, nested)


def _all_numbers(values: dict[str, Any], family: str) -> dict[str, Any]:
    return {name: _numbers(value, family) for name, value in values.items()}


def evaluated(program: Program, case: Case, family: str, **more: Any) -> dict[str, Any]:
    """Every variable of ``program`` at the point of ``case``, and of the declared variables ``more``."""
    return interpret(program, _all_numbers({**case.values, **more}, family), case.sizes, dual(family))


def _agree(left: Any, right: Any, family: str) -> bool:
    if family == "rational":
        return bool(left == right)
    left, right = mpmath.mpmathify(left), mpmath.mpmathify(right)
    # Not ">": the comparison with what is not a number must fail.
    return bool(abs(left - right) <= mpmath.mpf(10) ** -DIGITS * max(1, abs(left), abs(right)))


def _compare(what: str, found: Any, expected: Any, family: str, case: Case) -> None:
    found, expected = np.asarray(found, dtype=object), np.asarray(expected, dtype=object)
    if found.shape != expected.shape:
        raise BrokenLawError(f"{what} has shape {found.shape}, not {expected.shape}, in\n{case}")
    for at in np.ndindex(found.shape):
        if not _agree(found[at], expected[at], family):
            raise BrokenLawError(f"{what} at {list(at)} is {found[at]}, not {expected[at]}, in\n{case}")


def _direction(case: Case, names: Iterable[str], family: str, seed: int = 0) -> dict[str, Any]:
    """A random direction for each of the variables ``names``."""
    generator = random.Random(seed)
    return {name: _numbers(combined(lambda _: rational_point(generator), case.values[name]), family) for name in names}


def _inner(left: Any, right: Any) -> Any:
    left, right = np.asarray(left, dtype=object), np.asarray(right, dtype=object)
    return sum(a * b for a, b in zip(left.ravel(), right.ravel(), strict=True))


def _map(function: Callable[[Any], Any], array: Any) -> Any:
    result = np.empty(np.shape(array), dtype=object)
    for at in np.ndindex(result.shape):
        result[at] = function(array[at])
    return result


def _real_inputs(program: Program) -> list[str]:
    return [variable.name for variable in program.inputs if not variable.integer]


# First derivatives


def _brute_force(case: Case, wrt: list[str], family: str) -> tuple[sympy.Expr, dict[str, Any], Evaluator]:
    """The expanded loss, its symbols, and the evaluator of scalar expressions at the point."""
    loss, symbols = expanded_loss(case.program, case.sizes, case.values, wrt)
    point = {}
    for name, array in symbols.items():
        value = np.array(_numbers(case.values[name], family), dtype=object)
        point.update({array[at]: value[at] for at in np.ndindex(array.shape)})
    return loss, symbols, Evaluator(point, family, smooth=True)


@law("gradients equal SymPy's derivatives of the expanded loss")
def gradient_is_brute_force(case: Case, family: str) -> None:
    """Entry by entry, for parameters and data alike."""
    wrt = _real_inputs(case.program)
    derivation = differentiate(case.program, wrt)
    computed = evaluated(derivation.adjoint_program, case, family)
    loss, symbols, evaluate = _brute_force(case, wrt, family)
    for name, array in symbols.items():
        expected = _map(lambda symbol: evaluate(sympy.diff(loss, symbol)), array)
        found = expected * 0 if name in derivation.unreached else computed[derivation.by_variable[name].name]
        _compare(f"the adjoint of {name}", found, expected, family, case)


@law("gradients equal forward mode")
def gradient_is_forward_mode(case: Case, family: str) -> None:
    """Along a random direction for each variable by itself."""
    wrt = _real_inputs(case.program)
    derivation = differentiate(case.program, wrt)
    computed = evaluated(derivation.adjoint_program, case, family)
    values = _all_numbers(dict(case.values), family)
    for name, direction in _direction(case, wrt, family).items():
        expected = derivative_along(case.program, case.sizes, values, {name: direction}, family)
        reached = name not in derivation.unreached
        found = _inner(computed[derivation.by_variable[name].name], direction) if reached else 0
        _compare(f"the derivative by {name} along {direction}", found, expected, family, case)


@law("adjoints of intermediates equal forward mode")
def intermediate_adjoints_are_derivatives(case: Case, family: str) -> None:
    """The adjoint of a defined variable is the derivative of the rest of the program, with that variable declared."""
    program = case.program
    derivation = differentiate(program)
    computed = evaluated(derivation.adjoint_program, case, family)
    for place, equation in enumerate(program.equations):
        adjoint = derivation.by_variable.get(equation.name)
        if adjoint is None:
            continue
        before = tuple(replace(e.left, role=Role.INPUT) for e in program.equations[: place + 1])
        rest = replace(program, inputs=(*program.inputs, *before), equations=program.equations[place + 1 :])
        values = {variable.name: computed[variable.name].tolist() for variable in rest.inputs}
        direction = _direction(replace(case, values=values), [equation.name], family)
        expected = derivative_along(rest, case.sizes, values, direction, family)
        found = _inner(computed[adjoint.name], direction[equation.name])
        _compare(f"the derivative by {equation.name}", found, expected, family, case)


# What the records say


def _like(name: str, variable: Variable, right: sympy.Expr) -> Equation:
    return Equation(Variable(name, variable.shape, Role.DEFINED, variable.indices), right)


@law("contributions and terms sum to the adjoint")
def contributions_sum_to_the_adjoint(case: Case, family: str) -> None:
    """Each contribution, and each term of an adjoint's equation, evaluated by itself."""
    derivation = differentiate(case.program)
    parts: dict[str, list[sympy.Expr]] = {}
    for adjoint in derivation.adjoints:
        parts[f"{adjoint.name}_contribution"] = [c.expression for c in adjoint.contributions]
        parts[f"{adjoint.name}_term"] = [term.expression for term in adjoint.equation.terms]
    extra = [
        _like(f"{name}{number}", derivation.adjoint_program.variables[name.rpartition("_")[0]], expression)
        for name, expressions in parts.items()
        for number, expression in enumerate(expressions)
    ]
    computed = evaluated(derivation.adjoint_program.extended(tuple(extra)), case, family)
    for name, expressions in parts.items():
        adjoint_name, _, kind = name.rpartition("_")
        found = computed[adjoint_name] * 0
        for number in range(len(expressions)):
            found = found + computed[f"{name}{number}"]
        _compare(f"the sum of the {kind}s of {adjoint_name}", found, computed[adjoint_name], family, case)


@law("chains multiply to the contribution")
def chains_multiply_to_the_contribution(case: Case, family: str) -> None:
    """The factors that are derived one by one, times cotangent and brackets, are what is contributed.

    A sum over what does not depend on its index was carried out, so there a whole number may lie between.
    """
    derivation = differentiate(case.program)
    extra, pairs = [], []
    for adjoint in derivation.adjoints:
        for number, contribution in enumerate(adjoint.contributions):
            cotangent = sympy.S.One if contribution.cotangent is None else contribution.cotangent
            factors = (cotangent, *(factor.expression for factor in contribution.chain), *contribution.brackets)
            chain = Term(sympy.S.One, contribution.sums, factors).expression
            names = (f"{adjoint.name}_contribution{number}", f"{adjoint.name}_chain{number}")
            extra.append(_like(names[0], adjoint.equation.left, contribution.expression))
            extra.append(_like(names[1], adjoint.equation.left, chain))
            pairs.append((names, any(step.rule == "constant sum" for step in contribution.steps)))
    computed = evaluated(derivation.adjoint_program.extended(tuple(extra)), case, family)
    for (contribution_name, chain_name), counted in pairs:
        expected, found = computed[contribution_name], computed[chain_name]
        if counted:
            found = found * _count(found, expected)
        _compare(f"the product of {chain_name}", found, expected, family, case)


def _count(found: Any, expected: Any) -> int:
    """The whole number that ``expected`` is of ``found``, by an entry that is not 0."""
    return next((round(expected[at] / found[at]) for at in np.ndindex(found.shape) if found[at] != 0), 1)


@law("the adjoint program is a program")
def adjoint_program_is_a_program(case: Case, family: str) -> None:
    """It passes the checker, starts with the forward equations, and shows no internal name."""
    derivation = differentiate(case.program)
    program = check(derivation.adjoint_program)
    if program.equations[: len(case.program.equations)] != case.program.equations:
        raise BrokenLawError(f"the forward equations changed in\n{case}")
    missing = set(derivation.wrt) - set(derivation.unreached) - {adjoint.of.name for adjoint in derivation.adjoints}
    if missing:
        raise BrokenLawError(f"there is no adjoint of {sorted(missing)} in\n{case}")
    for adjoint in derivation.adjoints:
        left = adjoint.equation.left
        if (left.shape, left.indices, left.role) != (adjoint.of.shape, adjoint.of.indices, Role.ADJOINT):
            raise BrokenLawError(f"{left.everywhere} does not lie like {adjoint.of.everywhere} in\n{case}")
        internal = [s.name for s in adjoint.equation.right.atoms(sympy.Symbol) if re.match(r"_|u_\d", s.name)]
        if internal:
            raise BrokenLawError(f"the internal name {internal[0]} came out in {adjoint.equation} of\n{case}")


# Renaming


def _adjoints(case: Case, family: str) -> list[tuple[str, Any]]:
    derivation = differentiate(case.program)
    computed = evaluated(derivation.adjoint_program, case, family)
    order = list(case.program.variables)
    found = [(adjoint.of.name, computed[adjoint.name]) for adjoint in derivation.adjoints]
    return sorted(found, key=lambda pair: order.index(pair[0]))


def _renaming_changes_nothing(rename: Callable[[Case], Case]) -> Law:
    def holds(case: Case, family: str) -> None:
        again = rename(case)
        check(again.program)
        before, after = _adjoints(case, family), _adjoints(again, family)
        if len(before) != len(after):
            raise BrokenLawError(f"renaming changes which adjoints there are, in\n{case}")
        for (name, expected), (_, found) in zip(before, after, strict=True):
            _compare(f"after renaming, the adjoint of {name}", found, expected, family, case)

    return holds


law("renaming the indices changes nothing")(_renaming_changes_nothing(with_other_indices))
law("renaming the sizes changes nothing")(_renaming_changes_nothing(with_other_sizes))
law("renaming the variables changes nothing")(_renaming_changes_nothing(with_other_variables))


# Determinism


def written(derivation: Differentiation) -> str:
    """Everything about a derivation, as text."""
    lines = [str(derivation.adjoint_program), *map(str, derivation.unreached), *map(str, derivation.kinks)]
    for adjoint in derivation.adjoints:
        lines.append(f"{adjoint.name} {adjoint.steps} {adjoint.assuming} {adjoint.equation.terms}")
        lines.append(sympy.srepr(adjoint.equation.right))
        for c in adjoint.contributions:
            lines.append(f"{c} {c.chain} {c.expression}")
    return "\n".join(lines)


@law("deriving twice gives the same")
def deriving_twice_is_the_same(case: Case, family: str) -> None:
    """The same text and equal values, from warm caches and from empty ones."""
    first, second = differentiate(case.program), differentiate(case.program)
    forget_derivations()
    third = differentiate(case.program)
    for other in (second, third):
        if written(first) != written(other):
            raise BrokenLawError(f"a second derivation reads differently for\n{case}")
        if first.adjoint_program != other.adjoint_program:
            raise BrokenLawError(f"a second derivation differs for\n{case}")


# Second derivatives


def with_slope(derivation: Differentiation) -> tuple[Program, dict[str, str]]:
    """The adjoint program with the loss's slope along V_W, the sum of W_bar * V_W over all W, as its new loss.

    Also the name of each V_W by that of W.
    """
    directions, parts = {}, []
    inputs = list(derivation.program.inputs)
    for name in derivation.wrt:
        if name in derivation.by_variable:
            left = derivation.by_variable[name].equation.left
            direction = Variable(f"V_{name}", left.shape, Role.INPUT, left.indices)
            directions[name] = direction.name
            inputs.append(direction)
            parts.append(total(left.everywhere * direction.everywhere, *zip(left.indices, left.shape, strict=True)))
    slope = Equation(Variable("slope"), sympy.Add(*parts))
    program = replace(derivation.adjoint_program.extended((slope,)), inputs=tuple(inputs), loss="slope")
    return program, directions


def _hessian_vector_products(case: Case, family: str, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A direction, and the Hessian times it, for each parameter that reaches the loss."""
    derivation = differentiate(case.program)
    program, directions = with_slope(derivation)
    along = _direction(case, directions, family, seed)
    if not directions:
        return {}, {}
    again = differentiate(check(program))
    check(again.adjoint_program)
    given = {directions[name]: direction for name, direction in along.items()}
    computed = evaluated(again.adjoint_program, case, family, **given)
    products = {}
    for name in directions:
        zero = _map(lambda _: 0, computed[name])
        products[name] = computed[again.by_variable[name].name] if name in again.by_variable else zero
    return along, products


@law("second derivatives equal forward mode")
def second_derivatives_are_right(case: Case, family: str) -> None:
    """Along two random directions, against dual numbers over dual numbers."""
    first, products = _hessian_vector_products(case, family, seed=1)
    second = _direction(case, first, family, seed=2)
    found = sum(_inner(products[name], second[name]) for name in first)
    values = _all_numbers(dict(case.values), family)
    expected = second_derivative(case.program, case.sizes, values, first, second, family)
    _compare("the second derivative", found, expected, family, case)


@law("Hessian-vector products equal SymPy's second derivatives")
def hessian_is_brute_force(case: Case, family: str) -> None:
    """Entry by entry."""
    along, products = _hessian_vector_products(case, family, seed=3)
    loss, symbols, evaluate = _brute_force(case, list(along), family)
    slopes = [
        (sympy.diff(loss, symbol), step)
        for name, array in symbols.items()
        for symbol, step in zip(array.ravel(), np.asarray(along[name], dtype=object).ravel(), strict=True)
    ]
    for name, array in symbols.items():
        expected = _map(lambda symbol: sum(evaluate(sympy.diff(slope, symbol)) * step for slope, step in slopes), array)
        _compare(f"the Hessian-vector product of {name}", products[name], expected, family, case)
