"""Elementwise expressions as instructions: right, and nothing twice."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from symbackprop.codegen.elementwise import Instructions, instructions, placeholder
from symbackprop.codegen.kernels import Constant
from symbackprop.codegen.operations import OPERATIONS, SCALAR_NAMESPACE
from symbackprop.errors import NoRuleError
from symbackprop.functions.library import FUNCTIONS
from symbackprop.notation.expressions import Bracket

A, B = placeholder(0), placeholder(1)
POINTS = {A: np.array([0.5, -1.25, 2.0, 0.0]), B: np.array([1.5, 0.75, -0.5, 3.0])}


def operations(expression):
    return [step.operation for step in instructions(expression).steps]


def computed(code: Instructions, values):
    results: list = []

    def found(reference):
        if isinstance(reference, Constant):
            return float(reference.value)
        return results[reference] if isinstance(reference, int) else values[reference]

    for step in code.steps:
        operands = [found(reference) for reference in step.operands]
        results.append(
            np.where(*operands) if step.operation == "where" else OPERATIONS[step.operation].numpy(*operands)
        )
    return found(code.result)


EXPRESSIONS = {
    "a(1 - a)": (A * (1 - A), lambda a, b: a * (1 - a)),
    "differences": (-A - B - 1, lambda a, b: -a - b - 1),
    "a quotient": (2 * A / (1 + B**2), lambda a, b: 2 * a / (1 + b * b)),
    "powers": (A**2 + A**3 + A**4 + A**5, lambda a, b: a**2 + a**3 + a**4 + a**5),
    "a root": (1 / sympy.sqrt(1 + A**2), lambda a, b: 1 / np.sqrt(1 + a * a)),
    "a negative power": ((2 + B**2) ** -3, lambda a, b: (2 + b * b) ** -3.0),
    "a fractional power": ((1 + A**2) ** sympy.Rational(-3, 2), lambda a, b: (1 + a * a) ** -1.5),
    "an exponent": (2**A, lambda a, b: 2**a),
    "functions": (sympy.tanh(A) * sympy.exp(-B), lambda a, b: np.tanh(a) * np.exp(-b)),
    "a bracket": (Bracket(A > 0) * B, lambda a, b: (a > 0) * b),
    "two brackets": (Bracket(A > 0) * Bracket(B < 1) * A, lambda a, b: ((a > 0) & (b < 1)) * a),
    "cases": (
        sympy.Piecewise((A**2, A > 1), (B, sympy.And(A > -1, B > 1)), (-A, True)),
        lambda a, b: np.where(a > 1, a * a, np.where((a > -1) & (b > 1), b, -a)),
    ),
    "either or": (Bracket(sympy.Or(A > 1, B >= 3)) + 0 * A, lambda a, b: (a > 1) | (b >= 3)),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_instructions_compute_the_expression(name):
    expression, meant = EXPRESSIONS[name]
    found = computed(instructions(expression), POINTS)
    np.testing.assert_allclose(np.asarray(found, float), np.asarray(meant(POINTS[A], POINTS[B]), float), rtol=1e-14)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_are_computed_by_their_stable_forms(name):
    function = FUNCTIONS[name]
    np.testing.assert_allclose(
        computed(instructions(function(A)), POINTS), function.record.numpy(POINTS[A]), rtol=1e-14, atol=1e-16
    )


def test_what_occurs_twice_is_computed_once():
    e = sympy.exp(A + B)
    assert operations(e / (1 + e)).count("exp") == 1
    assert operations(sympy.tanh(A) ** 2 + sympy.tanh(A)).count("tanh") == 1
    assert operations((A - B) ** 2 + (A - B) * sympy.tanh(A)).count("subtract") == 1
    sigmoid = FUNCTIONS["sigmoid"](A)
    assert operations(sigmoid * (1 - sigmoid)).count("exp") == len([o for o in operations(sigmoid) if o == "exp"])


def test_a_square_is_a_product():
    assert operations(A**2) == ["multiply"]
    assert operations(A**4) == ["multiply", "multiply"]


def test_equal_expressions_share_their_instructions():
    assert instructions(A * (1 - A)) is instructions(A * (1 - A))


def test_a_bracket_beside_what_may_overflow_selects_and_beside_what_does_not_multiplies():
    assert "where" in operations(Bracket(A > 0) * sympy.exp(B))
    assert "where" in operations(Bracket(A > 0) / B)
    assert "where" not in operations(Bracket(A > 0) * B)


def test_what_numpy_cannot_compute_is_told():
    with pytest.raises(NoRuleError, match="gamma has no NumPy form"):
        instructions(sympy.gamma(A))


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_row_says_the_same_for_arrays_and_for_single_numbers(name):
    row = OPERATIONS[name]
    count = 2 if "{1}" in row.scalar else 1
    for a in (-1.5, -0.25, 0.0, 0.5, 2.0):
        for b in (-0.75, 0.5, 2.0):
            operands = [a, b][:count]
            with np.errstate(all="ignore"):
                expected = row.numpy(*map(np.float64, operands))
            if not np.isfinite(expected):
                continue
            found = eval(row.scalar.format(*(f"({o!r})" for o in operands)), dict(SCALAR_NAMESPACE))
            assert bool(found) == bool(expected) if row.truth else found == pytest.approx(float(expected), rel=1e-15)
            if row.infix and not row.truth:
                assert found == expected
