"""One layer, several labels, residual and recurrent nets: the rest of the bank's code."""

from __future__ import annotations

from typing import Any

import numpy as np
from bank_case import NONE, Array, Arrays, Faults, Point, cases, sigmoid
from bank_networks import labels_4_6_3, line_4_1, logistic_4_1, recurrent_3, residual_3

__all__ = ["CASES"]

LASSO = 0.02


def logistic(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    """Logistic regression."""
    p = sigmoid(x @ parameters["W1"].T + parameters["b1"])
    error = y - p if "label minus probability" in faults else p - y
    if "slope of the squared error" in faults:
        error = error * p * (1 - p)
    if "threshold in place of p" in faults:
        error = (p > 0.5) - y
    grad = error.T @ x / len(x)
    if "divided by D" in faults:
        grad = error.T @ x / x.shape[1]
    bias = error.mean(axis=0)
    if "bias summed" in faults:
        bias = error.sum(axis=0)
    return {"W1": grad, "b1": bias}


def line(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    """Linear regression with a folded bias."""
    ones = np.hstack([x, np.ones((len(x), 1))])
    w = np.hstack([parameters["W1"], parameters["b1"][:, None]])
    residual = ones @ w.T - y
    grad = 2 / len(x) * residual.T @ ones
    if "no 2" in faults:
        grad = grad / 2
    if "mean twice" in faults:
        grad = grad / len(x)
    if "absolute error" in faults:
        grad = np.sign(residual).T @ ones / len(x)
    if "y for x" in faults:
        grad = 2 / len(x) * residual.T @ np.hstack([y * np.ones_like(x), np.ones((len(x), 1))])
    if "step size" in faults:
        grad = 0.03 * grad
    return {"W1": grad[:, :-1], "b1": grad[:, -1]}


def labels(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    """Several yes-or-no labels, with a penalty on absolute weights, by einsum."""
    z = np.einsum("ni,ji->nj", x, parameters["W1"]) + parameters["b1"]
    h = np.where(z > 0, z, 0)
    scores = np.einsum("nj,kj->nk", h, parameters["W2"]) + parameters["b2"]
    p = sigmoid(scores)
    if "softmax for sigmoid" in faults:
        p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    e = (p - y) / (len(x) if "no 1/K" in faults else y.size)
    if "extra slope" in faults:
        e = e * p * (1 - p)
    d = np.einsum("nk,kj->nj", e, parameters["W2"])
    if "mask left out" not in faults:
        d = d * (z > 0)
    signs = {name: LASSO * np.sign(array) for name, array in parameters.items()}
    if "lasso as ridge" in faults:
        signs = {name: LASSO * array for name, array in parameters.items()}
    if "no lasso" in faults:
        signs = {name: 0 * array for name, array in parameters.items()}
    found = {
        "W1": np.einsum("nj,ni->ji", d, x) + signs["W1"],
        "b1": np.einsum("nj->j", d),
        "W2": np.einsum("nk,nj->kj", e, z if "z for h" in faults else h) + signs["W2"],
        "b2": np.einsum("nk->k", e),
    }
    if "lasso on the biases" in faults:
        found["b1"] = found["b1"] + signs["b1"]
        found["b2"] = found["b2"] + signs["b2"]
    return found


def residual_block(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    w1, b1, w2, b2, w3, b3 = (parameters[name] for name in ("W1", "b1", "W2", "b2", "W3", "b3"))
    h1 = np.tanh(x @ w1.T + b1)
    r = np.tanh(h1 @ w2.T + b2)
    h2 = h1 + r
    d3 = (h2 @ w3.T + b3 - y) / len(x)
    g2 = d3 @ w3
    d2 = g2 * (1 - (h2 if "slope at the sum" in faults else r) ** 2)
    shortcut = 0 if "shortcut left out" in faults else 2 if "shortcut twice" in faults else 1
    g1 = shortcut * g2 + (0 if "branch left out" in faults else 1) * (d2 @ (w2.T if "not transposed" in faults else w2))
    d1 = g1 * (1 - h1**2)
    stored = r if "r for h2" in faults else h2
    return {
        "W1": d1.T @ x,
        "b1": d1.sum(0),
        "W2": d2.T @ h1,
        "b2": d2.sum(0),
        "W3": d3.T @ stored,
        "b3": d3.sum(0),
    }


def recurrent(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    """Back through time."""
    w, u, b = parameters["W"], parameters["U"], parameters["b"]
    states = [np.zeros(3)]
    for row in x:
        states.append(np.tanh(w @ row + u @ states[-1] + b))
    found = {name: np.zeros_like(array) for name, array in parameters.items()}
    g = states[-1] - y
    for t in (3, 2, 1):
        d = g if "slope left out" in faults else g * (1 - states[t] ** 2)
        found["W"] += np.outer(d, x[t - 1])
        found["U"] += np.outer(d, states[t] if "state of the same step" in faults else states[t - 1])
        found["b"] += d
        g = (u if "not transposed" in faults else u.T) @ d
        if "one step back alone" in faults:
            break
    return found


LEFT_OUT = ("derivative left out", "wrong error signal", "derivative of another activation")

CASES = [
    *cases(
        "logistic regression",
        logistic,
        logistic_4_1,
        Point(6, seed=25),
        {
            "label minus probability": ("sign", "constant ratio", "scale"),
            "slope of the squared error": ("derivative twice", "another network"),
            "divided by D": ("scale", "constant ratio", "learning rate"),
            "bias summed": ("scale", "constant ratio"),
        },
    ),
    *cases(
        "logistic regression",
        logistic,
        logistic_4_1,
        Point(10, trained=400, seed=26),
        {
            "label minus probability": ("sign", "constant ratio", "scale"),
            "slope of the squared error": ("derivative twice",),
        },
    ),
    *cases(
        "linear regression",
        line,
        line_4_1,
        Point(7, seed=27),
        {
            "no 2": ("scale", "constant ratio"),
            "mean twice": ("averaged", "scale", "constant ratio"),
            "absolute error": ("another network",),
            "step size": ("learning rate", "constant ratio"),
        },
    ),
    *cases(
        "labels 4-6-3",
        labels,
        labels_4_6_3,
        Point(5, seed=28),
        {
            "softmax for sigmoid": ("another network",),
            "no 1/K": ("scale",),
            "extra slope": ("derivative twice", "another network"),
            "mask left out": LEFT_OUT,
            "lasso as ridge": ("penalty scale", "another network"),
            "no lasso": ("penalty missing", "penalty scale"),
            "lasso on the biases": ("penalty on biases",),
            "z for h": ("wrong activation",),
            "lasso on the biases + mask left out": ("penalty on biases", *LEFT_OUT),
        },
    ),
    *cases(
        "residual block",
        residual_block,
        residual_3,
        Point(4, seed=29),
        {
            "shortcut left out": ("cut off",),
            "branch left out": ("cut off",),
            "shortcut twice": ("scale",),
            "r for h2": ("wrong activation",),
            "slope at the sum": ("derivative at the wrong argument", "wrong activation"),
            "not transposed": ("not transposed",),
        },
    ),
    *cases(
        "recurrent layer",
        recurrent,
        recurrent_3,
        Point(3, seed=30),
        {
            "slope left out": LEFT_OUT,
            "state of the same step": ("wrong activation",),
            "not transposed": ("not transposed",),
            "one step back alone": ("cut off",),
        },
    ),
]
