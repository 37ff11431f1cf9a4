"""A classifier with tanh, softmax, cross-entropy and a penalty on the squares, from the labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from bank_case import NONE, Array, Arrays, Faults, Point, cases
from bank_networks import softmax_4_5_3

__all__ = ["CASES"]

REG = 0.05


def classifier(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    labels = y.argmax(axis=1)
    if "labels of the next example" in faults:
        labels = np.roll(labels, -1)
    num = x.shape[0]
    z = x.dot(parameters["W1"].T) + parameters["b1"]
    h = np.tanh(z)
    scores = h.dot(parameters["W2"].T) + parameters["b2"]
    scores -= scores.max(axis=1, keepdims=True)
    probs = np.exp(scores)
    probs /= probs.sum(axis=1, keepdims=True)

    dscores = probs.copy()
    if "one not subtracted" not in faults:
        dscores[np.arange(num), labels] -= 1
    if "one added" in faults:
        dscores[np.arange(num), labels] += 2
    if "extra slope" in faults:
        dscores *= probs * (1 - probs)
    if "no 1/N" not in faults:
        dscores /= num
    if "last example left out" in faults:
        dscores[-1] = 0

    grads = {"W2": dscores.T.dot(h), "b2": dscores.sum(axis=0)}
    dh = dscores.dot(parameters["W2"])
    if "hidden slope left out" in faults:
        dz = dh
    elif "relu's mask" in faults:
        dz = dh.copy()
        dz[h <= 0] = 0
    elif "sigmoid's slope" in faults:
        dz = dh * h * (1 - h)
    elif "1 - z^2" in faults:
        dz = dh * (1 - z**2)
    elif "slope at h" in faults:
        dz = dh * (1 - np.tanh(h) ** 2)
    else:
        dz = dh * (1 - h**2)
    grads["W1"] = dz.T.dot(x)
    grads["b1"] = dz.sum(axis=0)

    reg = REG
    if "penalty doubled" in faults:
        reg = 2 * REG
    if "penalty over N" in faults:
        reg = REG / num
    if "penalty subtracted" in faults:
        reg = -REG
    if "penalty missing" not in faults:
        grads["W2"] += reg * parameters["W2"]
        if "penalty missing in W1" not in faults:
            grads["W1"] += reg * parameters["W1"]
    if "penalty on the biases" in faults:
        grads["b1"] += reg * parameters["b1"]
        grads["b2"] += reg * parameters["b2"]
    if "learning rate" in faults:
        grads = {name: 0.003 * grad for name, grad in grads.items()}
    return grads


CASES = [
    *cases(
        "classifier 4-5-3",
        classifier,
        softmax_4_5_3,
        Point(7),
        {
            "one not subtracted": ("cut off",),
            "one added": ("sign",),
            "extra slope": ("derivative twice", "diagonal", "another network"),
            "no 1/N": ("scale",),
            "penalty missing": ("penalty missing", "penalty scale"),
            "penalty missing in W1": ("penalty missing", "penalty scale"),
            "penalty doubled": ("penalty scale",),
            "penalty over N": ("penalty scale",),
            "penalty subtracted": ("penalty scale", "sign"),
            "penalty on the biases": ("penalty on biases",),
            "relu's mask": ("derivative of another activation",),
            "sigmoid's slope": ("derivative of another activation",),
            "1 - z^2": ("derivative at the wrong argument", "wrong activation"),
            "slope at h": ("derivative at the wrong argument",),
            "last example left out": ("examples",),
            "labels of the next example": ("examples",),
            "penalty missing + hidden slope left out": (
                "penalty missing",
                "derivative left out",
                "penalty scale",
                "wrong error signal",
                "derivative of another activation",
            ),
            "penalty on the biases + no 1/N": ("penalty on biases", "scale"),
        },
    ),
    *cases(
        "classifier 4-5-3",
        classifier,
        softmax_4_5_3,
        Point(9, trained=300, seed=4),
        {
            "hidden slope left out": ("derivative left out", "wrong error signal", "derivative of another activation"),
            "penalty missing": ("penalty missing", "penalty scale"),
            "penalty doubled": ("penalty scale",),
            "penalty on the biases": ("penalty on biases",),
            "extra slope": ("derivative twice", "diagonal", "another network"),
            "slope at h": ("derivative at the wrong argument",),
            "learning rate": ("learning rate", "constant ratio"),
        },
    ),
]
