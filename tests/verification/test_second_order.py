"""The Hessian times a direction, held against differences of the gradient."""

from __future__ import annotations

import numpy as np
import pytest
from known_programs import attention, recurrent

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.errors import UsageError
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.verification.adjudicators import Adjudicators
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


@pytest.mark.parametrize("method", ["ladder", "incremental"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_where_the_first_derivative_jumps_there_is_no_second_one(method, seed):
    derived = sbp.Network(3, [sbp.Dense(4, "relu"), sbp.Dense(2)], "half_squared_error").derive()
    rng = np.random.default_rng(seed)
    shapes = {"W1": (4, 3), "b1": (4,), "W2": (2, 4), "b2": (2,)}
    parameters = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    parameters["W1"][0], parameters["b1"][0] = 0, 0
    x, y = rng.normal(size=(3, 3)), rng.normal(size=(3, 2))
    report = derived.verify(parameters, x, y, order=2, method=method)
    assert report.ok, str(report)
    kinks = {
        (name, index)
        for name, array in report.arrays.items()
        for index, verdict in array.verdicts.items()
        if verdict is Verdict.KINK
    }
    assert kinks == {("W1", (0, 0)), ("W1", (0, 1)), ("W1", (0, 2)), ("b1", (0,))}
    assert (report.arrays["W1"].jumps, report.arrays["b1"].jumps, report.arrays["W2"].jumps) == (3, 1, 0)
    assert "what is differentiated jumps here: it has no derivative" in str(report)
    assert "at 4 what is differentiated jumps" in str(report)
    assert "between the left and the right" not in str(report)
    # Elsewhere a wrong number is found as ever, and here one that is none.
    right = evaluated(hessian_times_direction(derived.differentiation)[0])

    def wrong(parameters, x, y, **more):
        found = right({**parameters, "x": x, "y": y, **more})
        w, b = found["W1"] * 1.01, found["b1"].copy()
        b[0] = np.nan
        return {**found, "W1": w, "b1": b}

    report = derived.verify(parameters, x, y, order=2, method=method, gradients=wrong)
    assert report.arrays["W1"].counts[Verdict.FAIL] >= 3
    assert report.arrays["b1"].verdicts[(0,)] is Verdict.FAIL


@pytest.mark.parametrize("method", ["ladder", "central"])
def test_a_jump_shows_where_there_are_no_many_digits(monkeypatch, method):
    monkeypatch.setattr(Adjudicators, "sides", lambda self, *arguments: None)
    derived = sbp.Network(1, [sbp.Dense(1, "relu")], "half_squared_error").derive()
    given = ({"W1": [[0.0]], "b1": [0.0]}, [[2.0]], [[3.0]])
    report = derived.verify(*given, order=2, method=method)
    assert report.ok, str(report)
    assert (report.arrays["W1"].jumps, report.arrays["b1"].jumps) == (1, 1)
    # What only has a kink does not jump.
    report = derived.verify(*given, method=method)
    assert (report.arrays["W1"].counts[Verdict.KINK], report.arrays["W1"].jumps) == (1, 0)
