"""Gradients that ask for a false name: what is said of them is true, whole, and the same at every point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sbp

SLOPES = {"tanh": lambda z, a: 1 - a**2, "relu": lambda z, a: (z > 0) * 1.0, "sigmoid": lambda z, a: a * (1 - a)}
FORWARDS = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "sigmoid": lambda z: 1 / (1 + np.exp(-z))}


def network(activation: str = "tanh", outputs: int = 2, **changes: Any) -> sbp.Network:
    layers = [sbp.Dense(4, activation), sbp.Dense(outputs)]
    return sbp.Network(3, layers, "half_squared_error", **changes)


def backward(
    activation: str = "tanh",
    slope: Callable[..., Any] | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    **after: Callable[[Any], Any],
):
    """A right backward pass, or one with another ``slope``; each gradient goes through the function of its name."""

    def run(p, x, y):
        z1 = x @ p["W1"].T + p["b1"]
        a1 = FORWARDS[activation](z1)
        d2 = (a1 @ p["W2"].T + p["b2"] - y) / len(x)
        back = d2 @ p["W2"]
        d1 = back * (slope(z1, a1, x) if slope else SLOPES[activation](z1, a1))
        found = {"W1": d1.T @ x, "b1": d1.sum(0), "W2": d2.T @ a1, "b2": d2.sum(0)}
        for name in ("W1", "W2"):
            found[name] = found[name] + l1 * np.sign(p[name]) + l2 * p[name]
        return {name: after[name](array) if name in after else array for name, array in found.items()}

    return run


def point(net: sbp.Network, batch: int = 5, seed: int = 3):
    rng = np.random.default_rng(seed)
    shapes = {v.name: tuple(int(e) if e.is_Integer else batch for e in v.shape) for v in net.program.inputs}
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return {n: arrays[n] for n in ("W1", "b1", "W2", "b2")}, arrays["x"], arrays["y"]


# -- several points ----------------------------------------------------------------------------------------------------


def test_a_fault_has_to_fit_at_every_point():
    def slope(z, a, x):
        return a * (1 - a) if len(x) == 1 else (z > 0) * 1.0

    result = sbp.check_gradients(backward(slope=slope), network())
    assert not result.ok
    assert result.candidates == ()
    assert "No other mistake" not in result.diagnosis


@pytest.mark.parametrize("seed", range(3))
def test_a_factor_is_called_by_the_names_it_keeps_at_every_point(seed):
    result = sbp.check_gradients(backward(W2=lambda g: 2 * g), network(outputs=3), seed=seed)
    assert result.candidates[0].kind == "scale"
    assert result.candidates[0].factor == 2
    assert "= N" not in result.diagnosis
    half = sbp.check_gradients(backward(W1=lambda g: g / 2), network(outputs=3), seed=seed)
    assert half.candidates[0].kind in ("scale", "learning rate")
    assert half.candidates[0].factor == 0.5


def test_what_is_by_the_batch_is_called_so():
    result = sbp.check_gradients(
        lambda p, x, y: {name: array * len(x) for name, array in backward()(p, x, y).items()}, network()
    )
    assert result.candidates[0].kind == "scale"
    assert "multiplied by N" in result.diagnosis


def test_the_wrong_penalty_is_not_a_part_of_the_batch():
    result = sbp.check_gradients(backward(l2=0.1), network(l1=0.1))
    assert {candidate.kind for candidate in result.candidates} == {"penalty scale"}
    assert "1/(2 N)" not in result.diagnosis


# -- every entry -------------------------------------------------------------------------------------------------------


def test_small_entries_count_as_large_ones_do():
    net = network()
    p, x, y = point(net)
    p["W1"][:, 0] *= 1e-9
    x[:, 0] *= 1.7e9
    x[:, 1] *= 1e-3

    def spoilt(g):
        g = 2 * g
        g[:, 1] = 1e-4 * np.arange(1, 5)
        return g

    result = sbp.check_gradients(backward(W1=spoilt), net, p, x, y)
    assert not result.ok
    assert result.candidates == ()


# -- rounding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_each_rounding_is_called_what_it_is(seed):
    net = network()
    p, x, y = point(net, seed=seed)
    right = backward()(p, x, y)

    def said(theirs):
        result = sbp.check_gradients(theirs, net, p, x, y)
        assert not result.ok
        assert [candidate.kind for candidate in result.candidates] == ["rounding"], result.diagnosis
        return result.diagnosis

    assert "3 decimals" in said({name: array.round(3) for name, array in right.items()})
    for dtype in ("float32", "float16"):
        assert f"rounded to {dtype}" in said({name: array.astype(dtype).astype(float) for name, array in right.items()})


def test_a_small_error_is_no_rounding_of_a_coarse_type():
    for error in (1e-3, 1e-6):
        result = sbp.check_gradients(backward(slope=lambda z, a, x: 1 - a**2 + error), network())  # noqa: B023
        assert not result.ok
        assert "rounding" not in {candidate.kind for candidate in result.candidates}


# -- everything that is wrong ------------------------------------------------------------------------------------------


def test_a_shape_does_not_hide_what_else_is_wrong():
    net = network()
    p, x, y = point(net)
    right = backward()(p, x, y)
    for theirs in (
        {**right, "b1": np.ones(7), "W2": np.cos(right["W2"])},
        {**right, "W1": right["W1"].T, "W2": np.cos(right["W2"])},
        {**right, "W1": right["W1"] * np.nan, "W2": np.cos(right["W2"])},
    ):
        result = sbp.check_gradients(theirs, net, p, x, y)
        assert "first difference is in the gradient of W2" in result.diagnosis
        assert "No other mistake" not in result.diagnosis
    result = sbp.check_gradients({**right, "W1": right["W1"].T, "b2": right["b2"] / 5}, net, p, x, y)
    assert set(result.candidates[0].kinds) >= {"transposed"}
    assert "averaged" in {kind for candidate in result.candidates for kind in candidate.kinds}


def test_gradients_of_zero_are_called_that():
    net = network()
    p, x, y = point(net)
    result = sbp.check_gradients(lambda p, x, y: {n: 0 * a for n, a in backward()(p, x, y).items()}, net, p, x, y)
    assert result.candidates[0].kind == "cut off"
    assert "is 0 in every entry" in result.diagnosis
    whole = sbp.check_gradients({n: a.astype(int) for n, a in backward()(p, x, y).items()}, net, p, x, y)
    assert any("came as integers" in note for note in whole.notes)


def test_a_name_goes_before_single_entries():
    net = sbp.Network(3, [sbp.Dense(10, "tanh"), sbp.Dense(2)], "half_squared_error")
    p, x, y = point(net)

    def theirs(p, x, y):
        weights = p["W2"].copy()
        a1 = np.tanh(x @ p["W1"].T + p["b1"])
        d2 = (a1 @ weights.T + p["b2"] - y) / len(x)
        weights[:, 0] = 0
        d1 = d2 @ weights * (1 - a1**2)
        return {"W1": d1.T @ x, "b1": d1.sum(0), "W2": d2.T @ a1, "b2": d2.sum(0)}

    assert sbp.check_gradients(theirs, net, p, x, y).candidates[0].kind == "cut off"


# -- factors -----------------------------------------------------------------------------------------------------------


def test_the_words_say_what_the_formula_says():
    net = sbp.Network(3, [sbp.Dense(4, "tanh"), sbp.Dense(2, "softmax")], "categorical_cross_entropy")
    p, x, _ = point(net, batch=3)
    y = np.eye(2)[[0, 1, 1]]

    def theirs(p, x, y):
        a1 = np.tanh(x @ p["W1"].T + p["b1"])
        raised = np.exp(a1 @ p["W2"].T + p["b2"])
        d2 = (raised / raised.sum(1, keepdims=True) - 2 * y) / len(x)
        d1 = d2 @ p["W2"] * (1 - a1**2)
        return {"W1": d1.T @ x, "b1": d1.sum(0), "W2": d2.T @ a1, "b2": d2.sum(0)}

    result = sbp.check_gradients(theirs, net, p, x, y)
    assert not result.ok
    for candidate in result.candidates:
        assert not candidate.text.startswith("Layer 2: dL/dz2 is multiplied by 2")


@pytest.mark.parametrize("error", [1e-8, 1e-10])
def test_a_factor_near_1_is_told_with_its_digits(error):
    result = sbp.check_gradients(backward(b1=lambda g: g * (1 + error)), network())
    assert not result.ok
    for candidate in result.candidates:
        assert candidate.kind == "learning rate"
        assert f"{1 + error:.12g}"[:10] in candidate.text
    twice = sbp.check_gradients(backward(W2=lambda g: g * 2 * (1 + 1e-7)), network())
    assert "multiplied by 2," not in twice.diagnosis


def test_in_single_precision_a_sign_is_a_sign():
    net = network()
    p, x, y = point(net, batch=500)
    y = np.tanh(x @ p["W1"].T + p["b1"]) @ p["W2"].T + p["b2"] + 1e-3 * y
    p, x, y = {n: a.astype(np.float32) for n, a in p.items()}, x.astype(np.float32), y.astype(np.float32)
    flipped = sbp.check_gradients(lambda p, x, y: {n: -a for n, a in backward()(p, x, y).items()}, net, p, x, y)
    assert {candidate.kind for candidate in flipped.candidates} == {"sign"}
    doubled = sbp.check_gradients(lambda p, x, y: {n: 2 * a for n, a in backward()(p, x, y).items()}, net, p, x, y)
    assert doubled.candidates[0].kind == "scale"


def test_what_is_nearly_nothing_is_left_out():
    def theirs(p, x, y):
        found = backward(l2=0.1)(p, x, y)
        return {**found, "W1": found["W1"] - 0.1 * p["W1"], "W2": found["W2"] + 0.1 * p["W2"]}

    result = sbp.check_gradients(theirs, network(l2=0.1))
    assert 1 <= len(result.candidates) <= 3, [c.text for c in result.candidates]
    assert "e-1" not in result.candidates[0].text


# -- kinks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dead", [1, 4])
def test_any_slope_between_the_sides_is_right_at_a_kink(dead):
    net = network("relu")
    p, x, y = point(net)
    p["W1"][:dead], p["b1"][:dead] = 0, 0
    for slope in (0.0, 0.5, 1.0):
        theirs = backward("relu", slope=lambda z, a, x: (z > 0) + slope * (z == 0))  # noqa: B023
        result = sbp.check_gradients(theirs, net, p, x, y)
        assert result.ok, result.diagnosis
        assert result.arrays["W1"].verdict == ("kink" if slope else "right")
        assert bool(result.notes) == bool(slope)
    assert not sbp.check_gradients(backward("relu", slope=lambda z, a, x: (z > 0) + 3.0 * (z == 0)), net, p, x, y).ok
