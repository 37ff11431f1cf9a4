from __future__ import annotations

import random
import time

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from known_programs import (
    KNOWN,
    ONES,
    known_case,
    softmax_cross_entropy_fused,
    softmax_cross_entropy_unfused,
    two_layers,
)
from random_programs import Case, cases

from symbackprop.adjoint.sweep import differentiate
from symbackprop.claims.proof import proved_for_all_sizes, written_out
from symbackprop.functions.library import FUNCTIONS
from symbackprop.notation.canonical import unfold
from symbackprop.notation.expressions import Bracket, Limit, index, occurrence, size, total
from symbackprop.notation.program import Program

i, j, k, m, n, q = (index(name) for name in "ijkmnq")
D, H, K, N = map(size, "DHKN")
sigmoid, exp, log, tanh = FUNCTIONS["sigmoid"], sympy.exp, sympy.log, sympy.tanh
HIDDEN, OUTPUT = ((n, N), (j, H)), ((n, N), (k, K))


def at(name: str, *positions: sympy.Expr) -> sympy.Expr:
    return occurrence(name, *positions)


def adjoint_program(program: Program) -> Program:
    return differentiate(program, [v.name for v in program.inputs if not v.integer]).adjoint_program


def back(weight: str = "W2") -> sympy.Expr:
    return total(at(weight, k, j) * at("z2_bar", n, k), (k, K))


SIGMOID, TANH, RELU, SILU, UNFUSED, FUSED = "sigmoid", "tanh", "relu", "silu", "unfused", "fused"
PROGRAMS = {
    SIGMOID: adjoint_program(two_layers(sigmoid)),
    TANH: adjoint_program(two_layers(tanh)),
    RELU: adjoint_program(two_layers(FUNCTIONS["relu"])),
    SILU: adjoint_program(two_layers(FUNCTIONS["silu"])),
    UNFUSED: adjoint_program(softmax_cross_entropy_unfused()),
    FUSED: adjoint_program(softmax_cross_entropy_fused()),
}

z1, a1, z1m, a1m = at("z1", n, j), at("a1", n, j), at("z1", m, j), at("a1", m, j)
residual = at("z2", n, k) - at("y", n, k)
shares = exp(at("z2", n, k)) / total(exp(at("z2", n, q)), (q, K))
Claim = tuple[str, sympy.Expr, sympy.Expr, tuple[Limit, ...]]

CLAIMS: dict[str, Claim] = {
    "by the argument": (SIGMOID, at("z1_bar", n, j), back() * sigmoid(z1) * (1 - sigmoid(z1)), HIDDEN),
    "by the value": (SIGMOID, at("z1_bar", n, j), back() * a1 * (1 - a1), HIDDEN),
    "a difference of squares": (SIGMOID, at("z1_bar", n, j), back() * (a1 - a1**2), HIDDEN),
    "in exponentials": (SIGMOID, at("z1_bar", n, j), back() * exp(-z1) / (1 + exp(-z1)) ** 2, HIDDEN),
    "the derivative as SymPy has it": (
        SIGMOID,
        at("z1_bar", n, j),
        back() * sigmoid(at("s")).definition.diff(at("s")).xreplace({at("s"): z1}),
        HIDDEN,
    ),
    "a gradient": (
        SIGMOID,
        at("W1_bar", j, i),
        total(at("x", m, i) * a1m * (1 - a1m) * at("W2", k, j) * (at("z2", m, k) - at("y", m, k)) / N, (k, K), (m, N)),
        ((j, H), (i, D)),
    ),
    "a gradient, all in exponentials": (
        SIGMOID,
        at("W1_bar", j, i),
        total(
            at("x", m, i)
            * exp(z1m)
            / (1 + exp(z1m)) ** 2
            * total(at("W2", k, j) * (at("z2", m, k) - at("y", m, k)), (k, K)),
            (m, N),
        )
        / N,
        ((j, H), (i, D)),
    ),
    "all in the data": (
        SIGMOID,
        at("z2_bar", n, k),
        (
            total(at("W2", k, j) * sigmoid(total(at("W1", j, i) * at("x", n, i), (i, D)) + at("b1", j)), (j, H))
            + at("b2", k)
            - at("y", n, k)
        )
        / N,
        OUTPUT,
    ),
    "the square of tanh": (TANH, at("z1_bar", n, j), back() * (1 - tanh(z1) ** 2), HIDDEN),
    "sech": (TANH, at("z1_bar", n, j), back() / sympy.cosh(z1) ** 2, HIDDEN),
    "tanh in exponentials": (TANH, a1, (exp(2 * z1) - 1) / (exp(2 * z1) + 1), HIDDEN),
    "tanh by sigmoid": (TANH, a1, 2 * sigmoid(2 * z1) - 1, HIDDEN),
    "the step of relu": (RELU, at("z1_bar", n, j), back() * Bracket(z1 > 0), HIDDEN),
    "the step by the value": (RELU, at("z1_bar", n, j), back() * Bracket(a1 > 0), HIDDEN),
    "relu by cases": (RELU, a1, sympy.Piecewise((0, z1 <= 0), (z1, True)), HIDDEN),
    "silu": (SILU, at("z1_bar", n, j), back() * (sigmoid(z1) + z1 * sigmoid(z1) * (1 - sigmoid(z1))), HIDDEN),
    "softmax": (UNFUSED, at("p", n, k), shares, OUTPUT),
    "softmax in the gradient": (
        UNFUSED,
        at("z2_bar", n, k),
        (at("p", n, k) * total(at("y", n, q), (q, K)) - at("y", n, k)) / N,
        OUTPUT,
    ),
    "the loss from the logits": (
        UNFUSED,
        at("L"),
        -total(at("y", n, k) * (at("z2", n, k) - log(total(exp(at("z2", n, q)), (q, K)))), (k, K), (n, N)) / N,
        (),
    ),
    "the softmax of log-softmax": (
        FUSED,
        at("z2_bar", n, k),
        (shares * total(at("y", n, q), (q, K)) - at("y", n, k)) / N,
        OUTPUT,
    ),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_right_claim_is_proved(name: str) -> None:
    program, left, right, free = CLAIMS[name]
    assert proved_for_all_sizes(left, right, PROGRAMS[program], free)


@pytest.mark.parametrize("name", CLAIMS)
def test_a_wrong_claim_is_not_proved(name: str) -> None:
    program, left, right, free = CLAIMS[name]
    for factor in (-1, 2, N):
        assert not proved_for_all_sizes(left, factor * right, PROGRAMS[program], free), factor
    assert not proved_for_all_sizes(left, right + 1, PROGRAMS[program], free)


WRONG: dict[str, Claim] = {
    "the transpose": (SIGMOID, at("z1_bar", n, j), total(at("W2", j, k) * at("z2_bar", n, k), (k, K)), HIDDEN),
    "no slope": (SIGMOID, at("z1_bar", n, j), back(), HIDDEN),
    "the slope of the value": (SIGMOID, at("z1_bar", n, j), back() * sigmoid(a1) * (1 - sigmoid(a1)), HIDDEN),
    "1 - a": (SIGMOID, at("z1_bar", n, j), back() * (1 - a1), HIDDEN),
    "1 - a^2 for the sigmoid": (SIGMOID, at("z1_bar", n, j), back() * (1 - a1**2), HIDDEN),
    "no mean": (SIGMOID, at("z2_bar", n, k), residual, OUTPUT),
    "the step at 0": (RELU, at("z1_bar", n, j), back() * Bracket(z1 >= 0), HIDDEN),
    "softmax for all examples": (
        UNFUSED,
        at("p", n, k),
        exp(at("z2", n, k)) / total(exp(at("z2", m, q)), (q, K), (m, N)),
        OUTPUT,
    ),
    "no assumption": (UNFUSED, at("z2_bar", n, k), (at("p", n, k) - at("y", n, k)) / N, OUTPUT),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_not_proved(name: str) -> None:
    program, left, right, free = WRONG[name]
    assert not proved_for_all_sizes(left, right, PROGRAMS[program], free)


@pytest.mark.parametrize("program", [UNFUSED, FUSED])
def test_under_an_assumption(program: str) -> None:
    claim = at("z2_bar", n, k), (shares - at("y", n, k)) / N, PROGRAMS[program], OUTPUT
    assert not proved_for_all_sizes(*claim)
    assert proved_for_all_sizes(*claim, assuming=(ONES,))
    assert not proved_for_all_sizes(claim[0], -claim[1], *claim[2:], assuming=(ONES,))


def half_unfolded(program: Program, expression: sympy.Expr, generator: random.Random) -> sympy.Expr:
    for equation in reversed(program.equations):
        if generator.random() < 0.5:
            expression = unfold(expression, equation)
    return expression


@settings(max_examples=40)
@given(case=cases("general", equations=(2, 4)), generator=st.randoms(use_true_random=False))
def test_adjoints_are_proved_to_be_themselves(case: Case, generator: random.Random) -> None:
    program = adjoint_program(case.program)
    for equation in program.equations:
        right = half_unfolded(program, equation.right, generator)
        if sum(1 for _ in sympy.preorder_traversal(right)) < 300:
            deadline = time.monotonic() + 20
            assert proved_for_all_sizes(equation.left.everywhere, right, program, equation.scope, deadline=deadline)


@pytest.mark.parametrize("name", KNOWN)
def test_known_adjoints_are_proved_to_be_themselves(name: str) -> None:
    program = adjoint_program(known_case(name).program)
    generator = random.Random(3)
    for equation in program.equations:
        right = half_unfolded(program, equation.right, generator)
        assert proved_for_all_sizes(equation.left.everywhere, right, program, equation.scope)


def test_functions_are_written_out() -> None:
    assert written_out(sigmoid(z1)) == 1 / (1 + exp(-z1))
    assert not written_out(FUNCTIONS["gelu_tanh_slope"](tanh(z1))).atoms(tanh, *FUNCTIONS.values())


def test_time_is_limited() -> None:
    program, left, right, free = CLAIMS["all in the data"]
    assert not proved_for_all_sizes(left, right, PROGRAMS[program], free, deadline=0.0)
