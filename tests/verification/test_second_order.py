"""The Hessian times a direction, held against differences of the gradient."""

from __future__ import annotations

import numpy as np
import pytest
from known_programs import attention, recurrent

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.errors import UsageError
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.verification.points import Drawing
from symbackprop.verification.second_order import draw_directions, hessian_times_direction
from symbackprop.verification.verdicts import Verdict
from symbackprop.verification.verify import verify

NETWORKS = {
    "tanh, softmax": ([sbp.Dense(4, "tanh"), sbp.Dense(3, "softmax")], "categorical_cross_entropy", {}),
    "sigmoid, penalty": ([sbp.Dense(3, "sigmoid"), sbp.Dense(2)], "half_squared_error", {"l2": 0.3}),
    "relu": ([sbp.Dense(5, "relu"), sbp.Dense(2)], "half_squared_error", {"l1": 0.1}),
    "gelu, huber": ([sbp.Dense(3, "gelu"), sbp.Dense(2)], "huber", {}),
    "softplus, logits": ([sbp.Dense(3, "softplus"), sbp.Dense(1)], "binary_cross_entropy_with_logits", {}),
}
PROGRAMS = {"recurrent": recurrent, "attention": attention}


def derivation(name):
    layers, loss, options = NETWORKS[name]
    return sbp.Network(2, layers, loss, **options).derive()


def evaluated(derived):
    names = {name: derived.by_variable[name].name for name in derived.wrt if name in derived.by_variable}

    def gradients(arrays):
        values = evaluate_program(derived.adjoint_program, arrays)
        return {name: values[adjoint] for name, adjoint in names.items()}

    return gradients


@pytest.mark.parametrize("method", ["ladder", "incremental"])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name, method):
    report = derivation(name).verify(order=2, method=method, seed=1)
    assert report.ok, str(report)
    assert report.notes[0].startswith("order 2: the Hessian times a direction drawn from seed 1")
    assert set(report.arrays) == set(derivation(name).gradients)
    assert report.points == ("drawn from seed 1, a batch of 1", report.points[1])


@pytest.mark.parametrize("method", ["ladder", "incremental"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name, method):
    second, _ = hessian_times_direction(differentiate(PROGRAMS[name]()))
    report = verify(second.adjoint_program, evaluated(second), {}, Drawing(trains=False), wrt=second.wrt, method=method)
    assert report.ok, str(report)


@pytest.mark.parametrize("name", ["tanh, softmax", "sigmoid, penalty"])
def test_it_is_symmetric(name):
    """v H w = w H v, which no derivative but a second one fulfils."""
    derived = derivation(name)
    second, directions = hessian_times_direction(derived.differentiation)
    rng = np.random.default_rng(3)
    shapes = {v.name: tuple(int(e) if e.is_Integer else 4 for e in v.shape) for v in derived.program.inputs}
    arrays = {n: rng.normal(size=shape) for n, shape in shapes.items()}
    v, w = (draw_directions(directions, arrays, seed) for seed in (1, 2))
    gradients = evaluated(second)

    def product(one, other):
        found = gradients({**arrays, **one})
        return sum(float((found[n] * other[d]).sum()) for n, d in directions.items() if n in found)

    assert product(v, w) == pytest.approx(product(w, v), rel=1e-12)


@pytest.mark.parametrize("name", [*NETWORKS, *PROGRAMS])
def test_a_second_derivative_with_a_part_left_out_is_caught(name):
    """For each equation of a second derivative the same without its last summand."""
    first = differentiate(PROGRAMS[name]()) if name in PROGRAMS else derivation(name).differentiation
    second, _ = hessian_times_direction(first)
    program, right = second.adjoint_program, evaluated(second)
    caught = 0
    for wanted in second.wrt:
        if wanted not in second.by_variable or len(second.by_variable[wanted].contributions) < 2:
            continue
        adjoint = second.by_variable[wanted]
        equation = adjoint.equation
        lost = equation.right.as_ordered_terms()[-1]
        values = type(equation)(equation.left, equation.right - lost)
        equations = tuple(values if e.name == equation.name else e for e in program.equations)
        wrong_program = type(program)(program.inputs, equations, loss=program.loss, batch=program.batch)

        def wrong(arrays, wanted=wanted, adjoint=adjoint, wrong_program=wrong_program):
            return {**right(arrays), wanted: evaluate_program(wrong_program, arrays)[adjoint.name]}

        drawing = Drawing("categorical_cross_entropy" if "softmax" in name else "", trains=False)
        report = verify(program, wrong, {}, drawing, wrt=second.wrt, unreached=second.unreached)
        assert report.arrays[wanted].counts[Verdict.FAIL], (wanted, str(lost))
        caught += 1
    assert caught or name in ("relu",)


def test_a_wrong_function_of_ones_own():
    derived = derivation("tanh, softmax")
    second, directions = hessian_times_direction(derived.differentiation)
    right = evaluated(second)

    def doubled(parameters, x, y, **more):
        found = right({**parameters, "x": x, "y": y, **more})
        return {**found, "W1": 2 * found["W1"]}

    report = derived.verify(order=2, gradients=doubled)
    assert not report.ok
    assert report.arrays["W1"].counts[Verdict.FAIL] == report.arrays["W1"].weights
    assert report.arrays["W2"].counts[Verdict.PASS] == report.arrays["W2"].weights
    assert set(directions.values()) == {"W1_direction", "b1_direction", "W2_direction", "b2_direction"}


def test_at_one_point_that_is_given():
    derived = derivation("sigmoid, penalty")
    rng = np.random.default_rng(0)
    parameters = {
        "W1": rng.normal(size=(3, 2)), "b1": rng.normal(size=3), "W2": rng.normal(size=(2, 3)), "b2": rng.normal(size=2)
    }  # fmt: skip
    report = derived.verify(parameters, [[1.0, 2.0]], [[0.5, 1.0]], order=2)
    assert report.ok
    assert report.points == ("as given",)


def test_names_that_are_taken():
    program = sbp.Program(
        parameters={"W": ("D",), "slope": ()},
        inputs={"x": ("N", "D"), "W_direction": ("N",)},
        equations=["z[n] = tanh(Sum(W[i]*x[n,i], i))*slope", "L = Sum((z[n] - W_direction[n])**2, n)"],
        loss="L",
    )
    _, directions = hessian_times_direction(program.derive().differentiation)
    assert directions == {"W": "W_direction2", "slope": "slope_direction"}
    assert program.derive().verify(order=2).ok


@pytest.mark.parametrize("order", [0, 3, True, "2", 1.5])
def test_orders_that_there_are_not(order):
    with pytest.raises(UsageError, match="order is"):
        derivation("relu").verify(order=order)
