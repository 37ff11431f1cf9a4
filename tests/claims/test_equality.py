from __future__ import annotations

import math
import random

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from known_programs import KNOWN, ONES, known_case, softmax_cross_entropy_unfused, two_layers
from random_programs import Case, cases

from symbackprop.adjoint.sweep import differentiate
from symbackprop.claims.equality import compare
from symbackprop.claims.points import Point, UndefinedError, points, small_sizes
from symbackprop.claims.result import Outcome
from symbackprop.errors import EquationError, UsageError
from symbackprop.functions.library import FUNCTIONS
from symbackprop.notation.expressions import index, occurrence, size, total
from symbackprop.notation.interpreter import arbitrary_precision, interpret
from symbackprop.notation.program import Equation, Program, Role, Variable

i, j, k, m, n, q = (index(name) for name in "ijkmnq")
D, H, K, N = map(size, "DHKN")
HIDDEN = ((n, N), (j, H))
PROGRAM = differentiate(two_layers(FUNCTIONS["sigmoid"])).adjoint_program
POINTS = points(PROGRAM)


def at(name: str, *positions: sympy.Expr) -> sympy.Expr:
    return occurrence(name, *positions)


def plain(*equations: Equation) -> Program:
    return Program((Variable("x", (N,), Role.INPUT, (n,)), Variable("y", (N,), Role.INPUT, (n,))), equations)


def adjoint_program(program: Program) -> Program:
    return differentiate(program, [v.name for v in program.inputs if not v.integer]).adjoint_program


back = total(at("W2", k, j) * at("z2_bar", n, k), (k, K))
slope = at("a1", n, j) * (1 - at("a1", n, j))


def test_a_proof() -> None:
    found = compare(at("z1_bar", n, j), back * slope, HIDDEN, PROGRAM, POINTS)
    assert (found.outcome, found.by) == (Outcome.PROVED, "canonical index form, for all sizes")
    assert found.counterexample is None


def test_exact_algebra_at_sizes() -> None:
    program = plain()
    here = points(program, {"N": 2})
    found = compare(total(at("x", n), (n, N)), at("x", 0) + at("x", 1), (), program, here)
    assert (found.outcome, found.by) == (Outcome.PROVED, "exact algebra at sizes N = 2")


def test_digits() -> None:
    program = plain()
    sine, cosine = sympy.sin(at("x", n)), sympy.cos(at("x", n))
    found = compare(sine**2 + cosine**2, sympy.S.One, ((n, N),), program, points(program))
    assert (found.outcome, found.by) == (Outcome.AGREES, "3 random points, 50 digits")


WRONG = {
    "sign": -back * slope,
    "slope": back,
    "factor": 2 * back * slope,
    "mean": N * back * slope,
    "transpose": total(at("W2", j, k) * at("z2_bar", n, k), (k, K)) * slope,
    "another entry": total(at("W2", k, j) * at("z2_bar", 0, k), (k, K)) * slope,
    "hardly anything": back * slope + sympy.Rational(1, 10**13),
}


@pytest.mark.parametrize("name", [name for name in WRONG if name != "transpose"])
def test_a_counterexample_is_true(name: str) -> None:
    found = compare(WRONG[name], at("z1_bar", n, j), HIDDEN, PROGRAM, POINTS)
    assert found.outcome is Outcome.DIFFERS
    example = found.counterexample
    assert example is not None
    point = next(p for p in POINTS if p.seed == example.seed)
    assert dict(example.sizes) == dict(point.sizes)
    again = Equation(Variable("claimed", (N, H), indices=(n, j)), WRONG[name])
    with mpmath.workdps(50):
        given = {v.name: np.vectorize(mpmath.mpf, otypes=[object])(point.arrays[v.name]) for v in PROGRAM.inputs}
        values = interpret(PROGRAM.extended((again,)), given, point.sizes, arbitrary_precision())
        claimed, derived = (values[key][example.entry] for key in ("claimed", "z1_bar"))
        assert abs(claimed - derived) > 1e-30
        assert (float(claimed), float(derived)) == (example.claimed, example.derived)


def test_a_position_out_of_range_has_no_value() -> None:
    found = compare(WRONG["transpose"], at("z1_bar", n, j), HIDDEN, PROGRAM, POINTS)
    assert found.outcome is Outcome.DIFFERS
    assert found.counterexample is not None
    # The entry at which j runs past the last of W2, or one before at which there are two numbers.
    assert found.counterexample.claimed != found.counterexample.derived


def test_cancellation_is_no_difference() -> None:
    large = sympy.Integer(10) ** 12
    program = plain()
    left = (at("x", n) + large) ** 2 - large**2 - 2 * large * at("x", n)
    found = compare(left + sympy.sin(0), at("x", n) ** 2, ((n, N),), program, points(program))
    assert found.outcome is Outcome.PROVED
    sine, cosine = sympy.sin(at("x", n)), sympy.cos(at("x", n))
    found = compare(large * (sine**2 + cosine**2) - large, sympy.S.Zero, ((n, N),), program, points(program))
    assert found.outcome is Outcome.AGREES


def test_a_claim_with_no_value_is_wrong() -> None:
    program = plain()
    left = sympy.log(-(at("x", n) ** 2))
    found = compare(left, sympy.log(at("x", n) ** 2), ((n, N),), program, points(program))
    assert found.outcome is Outcome.DIFFERS
    assert found.counterexample is not None
    assert math.isnan(found.counterexample.claimed)
    assert math.isfinite(found.counterexample.derived)


def test_what_a_comparison_needs() -> None:
    with pytest.raises(UsageError, match="points"):
        compare(at("x", n), at("x", n), ((n, N),), plain(), ())
    with pytest.raises(EquationError, match="'m'"):
        compare(at("x", n), at("x", m), ((n, N),), plain(), points(plain()))


def test_under_an_assumption() -> None:
    program = differentiate(softmax_cross_entropy_unfused()).adjoint_program
    claim = at("z2_bar", n, k), (at("p", n, k) - at("y", n, k)) / N, ((n, N), (k, K)), program
    assert compare(*claim, points(program)).outcome is Outcome.DIFFERS
    assert compare(*claim, points(program, assuming=(ONES,)), assuming=(ONES,)).outcome is Outcome.PROVED


@settings(max_examples=12)
@given(case=cases("general", equations=(2, 4)), generator=st.randoms(use_true_random=False))
def test_adjoints_hold_and_distorted_ones_do_not(case: Case, generator: random.Random) -> None:
    program = adjoint_program(case.program)
    try:
        here = points(program, dict(case.sizes), seeds=(0, 1))
    except UndefinedError:
        return
    for equation in program.equations:
        left, right = equation.left.everywhere, equation.right
        assert compare(left, right, equation.scope, program, here).outcome.holds
        if right != 0:
            found = compare(
                left, right * (1 + generator.choice((-2, 1, -1)) * sympy.Rational(1, 10)), equation.scope, program, here
            )
            values = [abs(entry) for point in here for entry in point.arrays[equation.name].ravel()]
            assert (found.outcome is Outcome.DIFFERS) == any(value > 1e-15 for value in values)


# -- points ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KNOWN)
def test_a_point_has_every_variable(name: str) -> None:
    program = adjoint_program(known_case(name).program)
    for point in points(program):
        assert point.arrays.keys() == program.variables.keys()
        assert len(set(point.sizes.values())) == len(point.sizes)
        assert all(number > 1 for number in point.sizes.values())
        for variable in program.inputs:
            values = point.arrays[variable.name].ravel()
            assert all(0.2 <= abs(value) <= 1.5 for value in values) or variable.integer
        again = points(program, seeds=(point.seed,))[0]
        assert all((again.arrays[key] == point.arrays[key]).all() for key in point.arrays)


def test_the_batch_comes_first() -> None:
    program = Program(PROGRAM.inputs, PROGRAM.equations, batch=N)
    assert next(iter(small_sizes(program).items())) == ("N", 2)
    assert small_sizes(program, {"D": 2})["N"] == 3


def values_of(definition: sympy.Expr) -> Point:
    return points(plain(Equation(Variable("v", (N,), indices=(n,)), definition)))[0]


def test_a_point_stays_within_the_domain() -> None:
    assert values_of(sympy.log(at("x", n))).arrays["x"].min() > 0
    assert values_of(sympy.log(at("x", n)) + sympy.log(1 - at("x", n))).arrays["x"].max() < 1
    assert values_of(sympy.sqrt(at("x", n) * at("y", n)))
    with pytest.raises(UndefinedError, match="no value"):
        values_of(sympy.log(-(at("x", n) ** 2)))


def test_an_assumption_is_kept() -> None:
    point = points(softmax_cross_entropy_unfused(), assuming=(ONES,))[0]
    assert point.arrays["y"].sum(axis=1).tolist() == [1.0] * point.sizes["N"]
