"""Softmax where it does not cancel: in a hidden layer, and below the squared error."""

from __future__ import annotations

from typing import Any

import numpy as np
from bank_case import NONE, Array, Arrays, Faults, Point, cases
from bank_networks import gate_3_4_2, mixed_3_4_3

__all__ = ["CASES"]


def softmax(z: Array, axis: int = 1) -> Array:
    raised = np.exp(z - z.max(axis=axis, keepdims=True))
    return raised / raised.sum(axis=axis, keepdims=True)


def gate(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    """A hidden layer of softmax."""
    p = softmax(x @ parameters["W1"].T + parameters["b1"])
    delta = (p @ parameters["W2"].T + parameters["b2"] - y) / len(x)
    g = delta @ parameters["W2"]
    if "diagonal" in faults:
        back = p * (1 - p) * g
    elif "left out" in faults:
        back = g
    elif "first term alone" in faults:
        back = p * g
    elif "sum over the batch" in faults:
        back = p * (g - (p * g).sum(axis=0, keepdims=True))
    elif "plus the sum" in faults:
        back = p * (g + (p * g).sum(axis=1, keepdims=True))
    elif "Jacobian of the first example" in faults:
        back = g @ (np.diag(p[0]) - np.outer(p[0], p[0]))
    else:
        back = p * (g - (p * g).sum(axis=1, keepdims=True))
    return {"W1": back.T @ x, "b1": back.sum(0), "W2": delta.T @ p, "b2": delta.sum(0)}


def mixed(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    """Softmax outputs and their mean squared error, with the whole Jacobian of each example."""
    h = np.tanh(x @ parameters["W1"].T + parameters["b1"])
    scores = h @ parameters["W2"].T + parameters["b2"]
    p = softmax(scores, axis=0 if "softmax over the batch" in faults else 1)
    by_p = 2 * (p - y) / y.size
    delta = np.empty_like(p)
    for n, one in enumerate(p):
        jacobian = np.diagflat(one) - np.outer(one, one)
        if "diagonal" in faults:
            jacobian = np.diag(np.diag(jacobian))
        delta[n] = jacobian @ by_p[n]
    if "softmax left out" in faults:
        delta = by_p
    if "delta of the cross-entropy" in faults:
        delta = (p - y) / len(y)
    dz = delta @ parameters["W2"] * (1 - h**2)
    return {"W1": dz.T @ x, "b1": dz.sum(0), "W2": delta.T @ h, "b2": delta.sum(0)}


DIAGONAL = ("diagonal", "derivative of another activation")
LEFT_OUT = ("derivative left out", "wrong error signal", "derivative of another activation")

CASES = [
    *cases(
        "gate 3-4-2",
        gate,
        gate_3_4_2,
        Point(5, seed=21),
        {
            "diagonal": DIAGONAL,
            "left out": LEFT_OUT,
            "first term alone": ("cut off",),
            "sum over the batch": ("wrong axis",),
            "plus the sum": ("sign",),
            "Jacobian of the first example": ("examples",),
        },
    ),
    *cases("gate 3-4-2", gate, gate_3_4_2, Point(1, seed=22), {"diagonal": DIAGONAL, "left out": LEFT_OUT}),
    *cases(
        "mixed 3-4-3",
        mixed,
        mixed_3_4_3,
        Point(6, seed=23),
        {
            "diagonal": DIAGONAL,
            "softmax left out": LEFT_OUT,
            "delta of the cross-entropy": ("another network", "derivative left out"),
            "softmax over the batch": ("wrong axis", "another network"),
        },
    ),
    *cases("mixed 3-4-3", mixed, mixed_3_4_3, Point(5, trained=200, seed=24), {"diagonal": DIAGONAL}),
]
