"""Two sigmoid layers and the squared error, in matrices, line by line."""

from __future__ import annotations

from typing import Any

import numpy as np
from bank_case import NONE, Array, Arrays, Faults, Point, cases, sigmoid, sigmoid_prime
from bank_networks import sigmoid_3_4_2, square_sigmoid

__all__ = ["CASES"]


def two_layers(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    w1, b1, w2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
    if "float32" in faults:
        w1, b1, w2, b2, x, y = (np.asarray(array, np.float32) for array in (w1, b1, w2, b2, x, y))
    n = len(x)

    z1 = x @ w1.T + b1
    hidden = np.tanh(z1) if "tanh in the hidden layer" in faults else sigmoid(z1)
    z2 = hidden @ w2.T + b2
    output = sigmoid(z2)

    # output layer
    error = y - output if "target minus output" in faults else output - y
    if "factor 2" in faults:
        error = 2 * error
    if "no 1/N" not in faults:
        error = error / n
    slope = output * (1 - output)
    if "output slope left out" in faults:
        slope = 1
    if "output slope of tanh" in faults:
        slope = 1 - output**2
    if "output slope at the output" in faults:
        slope = sigmoid_prime(output)
    delta2 = error * slope

    stored = hidden
    if "input in place of hidden" in faults:
        stored = x
    if "output in place of hidden" in faults:
        stored = output
    if "z1 in place of hidden" in faults:
        stored = z1
    dw2 = delta2.T @ stored
    if "error in place of delta for W2" in faults:
        dw2 = error.T @ stored
    if "elementwise for W2" in faults:
        dw2 = delta2.T * stored
    db2 = delta2.sum(axis=0)

    # hidden layer
    if "W2 updated first" in faults:
        w2 = w2 - 0.5 * dw2
    sent = error if "error sent back" in faults else delta2
    if "not transposed" in faults:
        back = sent @ w2.T
    elif "elementwise back" in faults:
        back = sent * w2
    else:
        back = sent @ w2
    slope = hidden * (1 - hidden)
    if "tanh in the hidden layer" in faults:
        slope = 1 - hidden**2
    if "hidden slope left out" in faults:
        slope = 1
    if "hidden slope at hidden" in faults:
        slope = sigmoid_prime(hidden)
    if "hidden slope z(1 - z)" in faults:
        slope = z1 * (1 - z1)
    if "hidden slope twice" in faults:
        slope = slope**2
    if "slope of the output layer in the hidden one" in faults:
        slope = output * (1 - output)
    delta1 = back * slope
    dw1 = delta1.T @ x
    if "examples shifted" in faults:
        dw1 = delta1.T @ np.roll(x, 1, axis=0)
    db1 = delta1.sum(axis=0)

    # what is done with them in the end
    if "bias averaged" in faults:
        db1, db2 = delta1.mean(axis=0), delta2.mean(axis=0)
    if "b2 of the first example" in faults:
        db2 = delta2[0]
    if "bias not summed" in faults:
        db1, db2 = delta1, delta2
    if "bias over the units" in faults:
        db1 = delta1.sum(axis=1)
    if "delta2 for b1" in faults:
        db1 = delta2.sum(axis=0)
    if "1/N again on the weights" in faults:
        dw1, dw2 = dw1 / n, dw2 / n
    if "1/N missing in W1" in faults:
        dw1 = dw1 * n
    if "W1 transposed" in faults:
        dw1 = dw1.T
    if "weights swapped" in faults:
        dw1, dw2 = dw2, dw1
    if "biases swapped" in faults:
        db1, db2 = db2, db1
    rate = 0.01 if "learning rate" in faults else 1
    found = {"W1": rate * dw1, "b1": rate * db1, "W2": rate * dw2, "b2": rate * db2}
    return {name: gradient.astype(float) for name, gradient in found.items()}


SQUARED = Point(4, seed=1)

CASES = [
    *cases(
        "two layers 3-4-2",
        two_layers,
        sigmoid_3_4_2,
        Point(5),
        {
            "target minus output": ("sign", "constant ratio"),
            "factor 2": ("scale", "constant ratio"),
            "no 1/N": ("scale", "constant ratio"),
            "output slope left out": (
                "derivative left out",
                "wrong error signal",
                "another network",
                "derivative of another activation",
            ),
            "output slope of tanh": ("derivative of another activation",),
            "hidden slope left out": ("derivative left out", "wrong error signal", "derivative of another activation"),
            "hidden slope at hidden": ("derivative at the wrong argument",),
            "hidden slope z(1 - z)": ("derivative at the wrong argument", "wrong activation"),
            "hidden slope twice": ("derivative twice",),
            "error in place of delta for W2": ("wrong error signal", "derivative left out"),
            "error sent back": ("wrong error signal", "derivative left out"),
            "W2 updated first": ("weights updated",),
            "bias averaged": ("averaged", "scale", "constant ratio"),
            "b2 of the first example": ("examples", "bias not summed"),
            "bias not summed": ("bias not summed", "shape"),
            "bias over the units": ("wrong axis", "shape"),
            "1/N again on the weights": ("averaged", "scale", "constant ratio"),
            "1/N missing in W1": ("scale", "constant ratio"),
            "W1 transposed": ("transposed", "shape"),
            "learning rate": ("learning rate", "constant ratio"),
            "float32": ("rounding",),
            "tanh in the hidden layer": ("another network",),
            "target minus output + bias averaged": ("sign", "averaged", "scale", "constant ratio"),
            "hidden slope left out + b2 of the first example": (
                "derivative left out",
                "examples",
                "wrong error signal",
                "derivative of another activation",
                "bias not summed",
            ),
        },
    ),
    *cases(
        "two layers 3-4-2",
        two_layers,
        sigmoid_3_4_2,
        Point(6, trained=300, seed=2),
        {
            "hidden slope left out": ("derivative left out", "wrong error signal", "derivative of another activation"),
            "hidden slope at hidden": ("derivative at the wrong argument",),
            "output slope at the output": ("derivative at the wrong argument",),
            "error sent back": ("wrong error signal", "derivative left out"),
            "W2 updated first": ("weights updated",),
            "examples shifted": ("examples",),
            "bias averaged": ("averaged", "scale", "constant ratio"),
            "target minus output": ("sign", "constant ratio"),
        },
    ),
    *cases(
        "two layers 4-4-4",
        two_layers,
        square_sigmoid,
        SQUARED,
        {
            "not transposed": ("not transposed",),
            "elementwise back": ("elementwise",),
            "elementwise for W2": ("elementwise",),
            "bias over the units": ("wrong axis",),
            "input in place of hidden": ("wrong activation",),
            "output in place of hidden": ("wrong activation",),
            "z1 in place of hidden": ("wrong activation",),
            "slope of the output layer in the hidden one": ("derivative at the wrong argument", "wrong activation"),
            "W1 transposed": ("transposed",),
            "weights swapped": ("swapped arrays",),
            "biases swapped": ("swapped arrays",),
            "delta2 for b1": ("wrong error signal", "swapped arrays"),
            "not transposed + hidden slope at hidden": ("not transposed", "derivative at the wrong argument"),
            "input in place of hidden + bias averaged": ("wrong activation", "averaged", "scale", "constant ratio"),
        },
    ),
    *cases(
        "two layers 4-4-4",
        two_layers,
        square_sigmoid,
        Point(7, trained=200, seed=3),
        {
            "not transposed": ("not transposed",),
            "input in place of hidden": ("wrong activation",),
            "z1 in place of hidden": ("wrong activation",),
            "W1 transposed": ("transposed",),
        },
    ),
]
