"""Article 000: cross entropy, the number of weights, the cost of differences, and the chain rule."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from article_claims import as_printed, claim, exactly, example

import symbackprop as sbp
from symbackprop.layers.losses import LOSSES

CLASSES = 5


def softmax_classifier():
    """Its logits are its inputs where W1 is the identity, so that log p as input gives p as output."""
    layers = [sbp.Dense(CLASSES, "softmax", bias=False)]
    return sbp.Network(CLASSES, layers, "categorical_cross_entropy").derive().compile()


def cross_entropy(probability):
    """The loss and the prediction for one example whose target class has this probability."""
    others = (1 - probability) / (CLASSES - 1)
    logits = np.log([[probability, *[others] * (CLASSES - 1)]])
    function = softmax_classifier()
    parameters = {"W1": np.eye(CLASSES)}
    return function.loss(parameters, logits, np.array([0])), function.predict(parameters, logits)[0, 0]


def test_s000_ce_value_is_printed_right():
    fact = claim("S000-ce-value")
    loss, probability = cross_entropy(fact.data["p"])
    assert probability == exactly(fact.data["p"])
    assert loss == exactly(fact.verified["loss"])
    assert loss == as_printed(fact.claimed["loss"])


def test_s000_ce_value_is_least_0_and_has_no_greatest():
    fact = claim("S000-ce-value")
    falling = [cross_entropy(probability)[0] for probability in (1e-300, 1e-30, 1e-3, 0.5, 0.999)]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] == exactly(300 * np.log(10))
    # So far above the others that the probability is 1 in floating point:
    function, parameters = softmax_classifier(), {"W1": np.eye(CLASSES)}
    logits = np.array([[1000.0, *[0.0] * (CLASSES - 1)]])
    assert function.predict(parameters, logits)[0, 0] == 1
    assert function.loss(parameters, logits, np.array([0])) == fact.verified["loss_at_p1"] == fact.claimed["loss_at_p1"]
    # No network's probability is 0; what the loss tends to there, its definition says.
    entry, (a, y) = LOSSES["categorical_cross_entropy"].entry, sympy.symbols("a y", real=True)
    assert entry.subs({y: 1, a: 1}) == 0
    assert sympy.limit(entry.subs(y, 1), a, 0, "+") == sympy.oo


def without_biases(inputs=2, hidden=3, loss="mean_squared_error"):
    layers = [sbp.Dense(hidden, "sigmoid", bias=False), sbp.Dense(1, bias=False)]
    return sbp.Network(inputs, layers, loss, weight_layout="in_out").derive()


def test_s000_weight_count_is_6_and_3():
    fact = claim("S000-weight-count")
    report = without_biases().verify(*example("2-3-1 without biases"))
    assert report.ok
    counted = {"first": report.arrays["W1"].weights, "second": report.arrays["W2"].weights, "total": report.weights}
    assert counted == fact.verified == fact.claimed


def test_s000_fd_evaluations_are_one_more_than_the_weights():
    fact = claim("S000-fd-evaluations")
    derivation = without_biases(inputs=99, hidden=10)
    function = derivation.compile()
    rng = np.random.default_rng(0)
    parameters = {"W1": rng.normal(size=(99, 10)) / 10, "W2": rng.normal(size=(10, 1))}
    x, y, eps = rng.normal(size=(1, 99)), np.zeros((1, 1)), 1e-6
    evaluated = set()

    def cost():
        evaluated.add(b"".join(array.tobytes() for array in parameters.values()))
        return function.loss(parameters, x, y)

    base, quotients = cost(), {name: np.empty_like(array) for name, array in parameters.items()}
    for name, array in parameters.items():
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + eps
            quotients[name][place] = (cost() - base) / eps
            array[place] = kept

    weights = sum(array.size for array in parameters.values())
    assert weights == fact.data["weights"]
    assert len(evaluated) - weights == fact.verified["evaluations_minus_N"] != fact.claimed["evaluations_minus_N"]
    # That these were the differences that make a gradient, and that one pass back gives the same.
    for name, gradient in function(parameters, x, y)[1].items():
        np.testing.assert_allclose(quotients[name], gradient, atol=1e-4)


def test_s000_chain_rule_has_four_factors():
    fact = claim("S000-chain-rule")
    parameters, x, y = example(fact.example)
    derivation = without_biases()
    scalar = derivation.scalar(parameters, x, y)
    (path,) = scalar.gradient("W1", 0, 0).paths()
    assert str(path) == "dL/dz2[0,0] * dz2[0,0]/da1[0,0] * da1[0,0]/dz1[0,0] * dz1[0,0]/dW1[0,0]"
    output, activation = scalar.values["z2"][0, 0], scalar.values["a1"][0, 0]
    factors = [-2 * (y[0, 0] - output), parameters["W2"][0, 0], activation * (1 - activation), x[0, 0]]
    assert [link.value for link in path.links] == exactly(factors)
    assert path.value == exactly(fact.claimed["dC_dw11"])
    assert path.value == exactly(fact.verified["dC_dw11"])


@pytest.mark.parametrize("place", list(np.ndindex(2, 3)))
def test_s000_chain_rule_is_one_path_for_each_weight(place):
    parameters, x, y = example(claim("S000-chain-rule").example)
    derivation = without_biases()
    (path,) = derivation.scalar(parameters, x, y).gradient("W1", *place).paths()
    assert len(path.links) == 4
    _, gradients = derivation.compile()(parameters, x, y)
    assert path.value == exactly(gradients["W1"][place])


def test_s000_chain_rule_as_a_gradient_passes_and_without_a_factor_fails():
    parameters, x, y = example(claim("S000-chain-rule").example)
    derivation = without_biases()

    def four_factors(parameters, x, y, slope=lambda a: a * (1 - a)):
        a = 1 / (1 + np.exp(-x @ parameters["W1"]))
        error = -2 * (y - a @ parameters["W2"]) / len(x)
        return {"W1": x.T @ (error @ parameters["W2"].T * slope(a)), "W2": a.T @ error}

    def three_factors(parameters, x, y):
        return four_factors(parameters, x, y, slope=np.ones_like)

    assert derivation.verify(parameters, x, y, gradients=four_factors).ok
    assert not derivation.verify(parameters, x, y, gradients=three_factors).ok
