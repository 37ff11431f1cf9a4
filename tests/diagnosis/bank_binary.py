"""A yes-or-no classifier with the examples as columns, dA and dZ by turns."""

from __future__ import annotations

from typing import Any

import numpy as np
from bank_case import NONE, Array, Arrays, Faults, Point, cases, sigmoid
from bank_networks import binary_3_5_1

__all__ = ["CASES"]


def two_classes(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    w1, w2 = parameters["W1"], parameters["W2"]
    b1, b2 = parameters["b1"].reshape(-1, 1), parameters["b2"].reshape(-1, 1)
    X, Y = x.T, y.T  # noqa: N806
    m = X.shape[0] if "features counted as examples" in faults else X.shape[1]

    z1 = w1 @ X + b1
    a1 = np.tanh(z1)
    z2 = w2 @ a1 + b2
    a2 = sigmoid(z2)

    if "through dA" in faults:
        with np.errstate(all="ignore"):
            dz2 = (-(Y / a2) + (1 - Y) / (1 - a2)) * a2 * (1 - a2)
    elif "a sign in dA" in faults:
        dz2 = (-(Y / a2) - (1 - Y) / (1 - a2)) * a2 * (1 - a2)
    elif "dA for dZ" in faults:
        dz2 = -(Y / a2) + (1 - Y) / (1 - a2)
    else:
        dz2 = a2 - Y
    if "extra slope" in faults:
        dz2 = dz2 * a2 * (1 - a2)
    dw2 = dz2 @ a1.T / m
    db2 = np.sum(dz2, axis=1) / m
    if "W2 updated first" in faults:
        w2 = w2 - 1.2 * dw2
    da1 = w2.T @ dz2
    if "no W2" in faults:
        da1 = np.ones_like(w2).T @ dz2
    if "slope left out" in faults:
        dz1 = da1
    elif "sigmoid's slope" in faults:
        dz1 = da1 * a1 * (1 - a1)
    elif "slope at a1" in faults:
        dz1 = da1 * (1 - np.tanh(a1) ** 2)
    elif "1 - z1^2" in faults:
        dz1 = da1 * (1 - z1**2)
    else:
        dz1 = da1 * (1 - a1**2)
    dw1 = dz1 @ X.T / m
    db1 = np.sum(dz1, axis=1) / m

    if "no 1/m in the biases" in faults:
        db1, db2 = db1 * m, db2 * m
    if "1/m twice in W1" in faults:
        dw1 = dw1 / m
    if "b1 over axis 0" in faults:
        db1 = np.sum(dz1, axis=0) / m
    if "b1 over everything" in faults:
        db1 = np.full(b1.shape[0], np.sum(dz1) / m)
    if "b2 of the last example" in faults:
        db2 = dz2[:, -1]
    return {"W1": dw1, "b1": db1, "W2": dw2, "b2": db2}


LEFT_OUT = ("derivative left out", "wrong error signal", "derivative of another activation")

CASES = [
    *cases(
        "two classes 3-5-1",
        two_classes,
        binary_3_5_1,
        Point(8, seed=12),
        {
            "a sign in dA": ("sign",),
            "dA for dZ": ("derivative left out", "wrong error signal"),
            "extra slope": ("derivative twice", "another network"),
            "W2 updated first": ("weights updated",),
            "slope left out": LEFT_OUT,
            "sigmoid's slope": ("derivative of another activation",),
            "slope at a1": ("derivative at the wrong argument",),
            "no 1/m in the biases": ("scale", "constant ratio"),
            "1/m twice in W1": ("averaged", "scale", "constant ratio"),
            "features counted as examples": ("scale", "constant ratio", "learning rate"),
            "b2 of the last example": ("examples", "bias not summed"),
            "b1 over everything": ("wrong axis",),
        },
    ),
    *cases("two classes 3-5-1", two_classes, binary_3_5_1, Point(5, seed=13), {"b1 over axis 0": ("wrong axis",)}),
    *cases(
        "two classes 3-5-1",
        two_classes,
        binary_3_5_1,
        Point(1, seed=14),
        {
            "slope left out": LEFT_OUT,
            "sigmoid's slope": ("derivative of another activation",),
            "1 - z1^2": ("derivative at the wrong argument", "wrong activation"),
            "extra slope": ("derivative twice", "another network"),
        },
    ),
    *cases(
        "two classes 3-5-1",
        two_classes,
        binary_3_5_1,
        Point(8, trained=300, seed=15),
        {
            "extra slope": ("derivative twice", "another network"),
            "W2 updated first": ("weights updated",),
            "slope at a1": ("derivative at the wrong argument",),
            "sigmoid's slope": ("derivative of another activation",),
        },
    ),
    *cases(
        "two classes 3-5-1, large weights",
        two_classes,
        binary_3_5_1,
        Point(8, seed=16, scale=60),
        {"through dA": ("not finite",)},
    ),
]
