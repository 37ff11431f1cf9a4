"""Article 001: descent on a parabola, the slope of the sigmoid, and updates without that slope."""

from __future__ import annotations

import numpy as np
import sympy
from article_claims import claim, exactly, example

import symbackprop as sbp

# -- y = (x + 2)^2 -----------------------------------------------------------------------------------------------------


def parabola():
    return sbp.Program(equations=["y = (x + 2)**2"], loss="y", parameters={"x": ()}).derive()


def descended(function, rate, steps, x=0.0):
    """Where ``steps`` steps against the slope lead from ``x``."""
    x = np.array(x)
    for _ in range(steps):
        x = x - rate * function({"x": x})[1]["x"]
    return x


def test_s001_parabola_values_and_slopes():
    fact = claim("S001-parabola")
    derivation = parabola()
    at_0, at_minus_4 = (derivation.values({"x": x}) for x in (0.0, -4.0))
    found = {"y0": at_0["y"], "slope0": at_0["x_bar"], "slope_m4": at_minus_4["x_bar"]}
    assert found == {name: fact.verified[name] for name in found} == {name: fact.claimed[name] for name in found}
    for x in (0.0, -4.0):
        assert derivation.verify({"x": x}).ok


def test_s001_parabola_descent_reaches_minus_2():
    fact = claim("S001-parabola")
    function = parabola().compile()
    for start in (0.0, -4.0):
        end = descended(function, **fact.data, x=start)
        assert end == exactly(fact.claimed["x_end"])
        assert function.loss({"x": end}) < 1e-30
    assert descended(function, **fact.data) == exactly(fact.verified["x_end"])


def test_s001_gd_no_local_minima_but_its_own_example_has_one():
    fact = claim("S001-gd-no-local-minima")
    slope = parabola()["x"].index.right
    (x,) = slope.free_symbols
    # Where the slope is 0 and rises there is a minimum: the package derives the slope, and the slope of that.
    (place,) = map(float, sympy.solve(slope, x))
    assert place == fact.data["minimum"]
    bend = sbp.Program(equations=[f"s = {slope}"], loss="s", parameters={"x": ()}).derive()
    is_minimum = parabola().values({"x": place})["x_bar"] == 0 < bend.values({"x": place})["x_bar"]
    assert is_minimum == fact.verified["is_local_minimum"] != fact.claimed["is_local_minimum"]
    # It is what descent finds.
    assert descended(parabola().compile(), rate=0.1, steps=200) == exactly(place)


def test_s001_gd_no_local_minima_means_that_descent_never_ends():
    derivation = sbp.Program(equations=["y = 3*x"], loss="y", parameters={"x": ()}).derive()
    assert derivation["x"].index.right == 3  # no x has slope 0
    assert descended(derivation.compile(), rate=0.1, steps=1000) == exactly(-300)
    assert descended(derivation.compile(), rate=0.1, steps=2000) == exactly(-600)


# -- the slope of the sigmoid ------------------------------------------------------------------------------------------


def sigmoid():
    return sbp.Program(equations=["a = sigmoid(z)"], loss="a", parameters={"z": ()}).derive()


def test_s001_sigmoid_bound_is_a_quarter():
    fact = claim("S001-sigmoid-bound")
    # The package states the slope in terms of a, and a's range in its record.
    slope = sigmoid()["z"].index.right
    (a,) = slope.free_symbols
    low, high = sigmoid().network.program.equations[0].right.record.bounds
    supremum = sympy.maximum(slope, a, sympy.Interval(low, high))
    assert supremum == sympy.Rational(1, 4)
    assert float(supremum) == fact.verified["supremum"]
    assert sympy.solve(slope - supremum, a) == [sympy.Rational(1, 2)]
    # It is reached, at z = 0, and the claimed one is not.
    assert sigmoid().values({"z": 0.0})["z_bar"] == fact.verified["supremum"]
    reached = sympy.solveset(slope - sympy.Rational(fact.claimed["supremum"]), a, sympy.Interval(low, high))
    assert reached == sympy.S.EmptySet


def test_s001_sigmoid_bound_is_kept_by_the_compiled_slope():
    fact = claim("S001-sigmoid-bound")
    function = sigmoid().compile()
    slopes = [function({"z": np.array(z)})[1]["z"] for z in np.linspace(-20, 20, 2001)]
    assert min(slopes) > 0
    assert max(slopes) == fact.verified["supremum"] == fact.claimed["supremum"] / 2


# -- updates without the slope -----------------------------------------------------------------------------------------


def two_layers(hidden, outputs):
    layers = [sbp.Dense(hidden, "sigmoid", bias=False), sbp.Dense(outputs, "sigmoid")]
    return sbp.Network(1, layers, "half_squared_error").derive()


def without_slopes(parameters, x, y, output_slope=np.ones_like, hidden_slope=np.ones_like):
    """Backpropagation that leaves the slopes of the sigmoids out; with them, the right one."""
    h = 1 / (1 + np.exp(-x @ parameters["W1"].T))
    o = 1 / (1 + np.exp(-h @ parameters["W2"].T - parameters["b2"]))
    d_output = (o - y) * output_slope(o) / len(x)
    d_hidden = d_output @ parameters["W2"] * hidden_slope(h)
    return {"W1": d_hidden.T @ x, "W2": d_output.T @ h, "b2": d_output.sum(0)}


def with_slopes(parameters, x, y):
    def slope(a):
        return a * (1 - a)

    return without_slopes(parameters, x, y, slope, slope)


def drawn(rng, hidden, outputs, examples):
    parameters = {
        "W1": rng.normal(size=(hidden, 1)),
        "W2": rng.normal(size=(outputs, hidden)),
        "b2": rng.normal(size=outputs),
    }
    return parameters, rng.normal(size=(examples, 1)), rng.uniform(size=(examples, outputs))


def signs(gradients):
    return {name: np.sign(gradient).tolist() for name, gradient in gradients.items()}


def test_s001_drop_sigmoid_terms_is_no_gradient():
    parameters, x, y = example(claim("S001-drop-sigmoid-terms").example)
    derivation = two_layers(1, 2)
    assert not derivation.verify(parameters, x, y, gradients=without_slopes).ok
    assert derivation.verify(parameters, x, y, gradients=with_slopes).ok


def test_s001_drop_sigmoid_terms_turns_a_sign_with_two_outputs():
    fact = claim("S001-drop-sigmoid-terms")
    parameters, x, y = example(fact.example)
    function = two_layers(1, 2).compile()
    loss, gradients = function(parameters, x, y)
    assert signs(gradients)["W1"] == [fact.verified["sign_dE_dW"]]
    theirs = without_slopes(parameters, x, y)
    assert signs(theirs)["W1"] == [fact.claimed["sign_dE_dW"]] != [fact.verified["sign_dE_dW"]]
    # A small step of W1 the one way climbs, the other way descends.
    for step, falls in ((gradients["W1"], True), (theirs["W1"], False)):
        moved = {**parameters, "W1": parameters["W1"] - 1e-3 * step}
        assert bool(function.loss(moved, x, y) < loss) is falls


def test_s001_drop_sigmoid_terms_keeps_all_signs_with_one_output_and_one_example():
    rng = np.random.default_rng(0)
    function = two_layers(3, 1).compile()
    for _ in range(200):
        parameters, x, y = drawn(rng, 3, 1, examples=1)
        assert signs(without_slopes(parameters, x, y)) == signs(function(parameters, x, y)[1])


def test_s001_drop_sigmoid_terms_turns_signs_of_a_batch_even_with_one_output():
    rng = np.random.default_rng(0)
    function = two_layers(3, 1).compile()
    turned = 0
    for _ in range(200):
        parameters, x, y = drawn(rng, 3, 1, examples=5)
        turned += signs(without_slopes(parameters, x, y)) != signs(function(parameters, x, y)[1])
    assert turned > 0
