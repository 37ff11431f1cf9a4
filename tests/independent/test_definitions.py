"""Losses and activations against their definitions written out by hand, so that a wrong scale shows without PyTorch."""

from __future__ import annotations

import math

import numpy as np
import pytest

from symbackprop.forms.evaluate import evaluate_program
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.dense import Dense
from symbackprop.layers.losses import LOSSES
from symbackprop.network import describe, network_program

N, K = 4, 3


def log_softmax(z):
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


# What is summed over all entries, and what the mean divides by.
BY_HAND = {
    "half_squared_error": (lambda a, y: (a - y) ** 2 / 2, N),
    "mean_squared_error": (lambda a, y: (a - y) ** 2, N * K),
    "mean_absolute_error": (lambda a, y: abs(a - y), N * K),
    "huber": (lambda a, y: np.where(abs(a - y) <= 1, (a - y) ** 2 / 2, abs(a - y) - 0.5), N * K),
    "log_cosh": (lambda a, y: np.log(np.cosh(a - y)), N * K),
    "hinge": (lambda a, y: np.maximum(0, 1 - y * a), N * K),
    "binary_cross_entropy": (lambda a, y: -y * np.log(a) - (1 - y) * np.log(1 - a), N * K),
    "binary_cross_entropy_with_logits": (lambda z, y: np.log(1 + np.exp(z)) - y * z, N * K),
    "categorical_cross_entropy": (lambda a, y: -y * np.log(a), N),
    "categorical_cross_entropy_with_logits": (lambda z, y: -y * log_softmax(z), N),
    "upstream": (lambda a, y: y * a, 1),
}
OUTPUTS = {"binary_cross_entropy": ["sigmoid", "softmax"], "categorical_cross_entropy": ["softmax", "sigmoid"]}


def values_of(activation, loss, reduction="sum", penalties=(0, 0), scale=1.0):
    l1, l2 = penalties
    network = describe(2, [Dense(K, activation)], loss, reduction, l1=l1, l2=l2)
    rng = np.random.default_rng(5)
    given = {
        "x": rng.normal(size=(N, 2)) * scale,
        "W1": rng.normal(size=(K, 2)),
        "b1": rng.normal(size=K),
        "y": rng.uniform(0.1, 0.9, size=(N, K)),
    }
    program = network_program(network)
    return evaluate_program(program, given), program.output


def test_the_table_is_complete():
    assert set(BY_HAND) == set(LOSSES)


@pytest.mark.parametrize("penalties", [(0, 0), (0.25, 0.5)])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("loss", "activation"), [(loss, output) for loss in BY_HAND for output in OUTPUTS.get(loss, ["identity"])]
)
def test_losses(loss, activation, reduction, penalties):
    values, output = values_of(activation, loss, reduction, penalties)
    entry, divisor = BY_HAND[loss]
    expected = entry(values[output], values["y"]).sum() / (divisor if reduction == "mean" else 1)
    l1, l2 = penalties
    expected += l1 * abs(values["W1"]).sum() + l2 / 2 * (values["W1"] ** 2).sum()
    assert float(values["L"]) == pytest.approx(float(expected), rel=1e-12)


ACTIVATIONS_BY_HAND = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "relu": lambda z: max(0.0, z),
    "leaky_relu": lambda z: z if z > 0 else 0.01 * z,
    "elu": lambda z: z if z > 0 else math.exp(z) - 1,
    "selu": lambda z: 1.0507009873554805 * (z if z > 0 else 1.6732632423543772 * (math.exp(z) - 1)),
    "softplus": lambda z: math.log(1 + math.exp(z)),
    "gelu": lambda z: z * (1 + math.erf(z / math.sqrt(2))) / 2,
    "gelu_tanh": lambda z: z / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))),
    "silu": lambda z: z / (1 + math.exp(-z)),
    "hard_sigmoid": lambda z: min(1.0, max(0.0, z / 6 + 0.5)),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation):
    values, _ = values_of(activation, "upstream", scale=3.0)
    if activation == "softmax":
        expected = np.exp(log_softmax(values["z1"]))
    else:
        expected = np.vectorize(ACTIVATIONS_BY_HAND[activation])(values["z1"])
    np.testing.assert_allclose(values.get("a1", values["z1"]), expected, rtol=1e-12, atol=1e-14)
    assert values["z1"].min() < -3
    assert values["z1"].max() > 1
