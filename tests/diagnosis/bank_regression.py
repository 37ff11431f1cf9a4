"""A regression with relu, the mean squared error and weights as in x W, gradient by gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from bank_case import NONE, Array, Arrays, Faults, Point, cases
from bank_networks import regression_3_6_2

__all__ = ["CASES"]

WEIGHT_DECAY = 0.1


def regression(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    w1, b1, w2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
    h = x.dot(w1) + b1
    h_relu = np.maximum(h, 0)
    y_pred = h_relu.dot(w2) + b2

    number = {"divided by N alone": len(y), "divided by K alone": y.shape[1], "no mean": 1}
    divisor = next((number[fault] for fault in faults if fault in number), y.size)
    grad_y_pred = 2.0 * (y_pred - y) / divisor
    if "no 2" in faults:
        grad_y_pred = grad_y_pred / 2
    if "sign of the absolute error" in faults:
        grad_y_pred = np.sign(y_pred - y) / y.size
    grad_w2 = h_relu.T.dot(grad_y_pred)
    if "h for h_relu" in faults:
        grad_w2 = h.T.dot(grad_y_pred)
    grad_b2 = grad_y_pred.sum(0)
    grad_h = grad_y_pred.dot(w2.T)
    if "mask left out" in faults:
        pass
    elif "masked by its own sign" in faults:
        grad_h[grad_h < 0] = 0
    elif "mask turned round" in faults:
        grad_h[h > 0] = 0
    elif "leaky mask" in faults:
        grad_h[h < 0] *= 0.01
    else:
        grad_h[h < 0] = 0
    grad_w1 = x.T.dot(grad_h)
    grad_b1 = grad_h.sum(0)

    decay = WEIGHT_DECAY / 2 if "decay halved" in faults else WEIGHT_DECAY
    if "decay of the signs" in faults:
        grad_w1 = grad_w1 + decay * np.sign(w1)
        grad_w2 = grad_w2 + decay * np.sign(w2)
    else:
        grad_w1 = grad_w1 + (0 if "no decay in W1" in faults else decay) * w1
        grad_w2 = grad_w2 + (0 if "no decay in W2" in faults else decay) * w2
    if "decay of b2" in faults:
        grad_b2 = grad_b2 + decay * b2
    if "W1 as out x in" in faults:
        grad_w1 = grad_w1.T
    if "biases forgotten" in faults:
        grad_b1, grad_b2 = np.zeros_like(b1), np.zeros_like(b2)
    if "b2 averaged" in faults:
        grad_b2 = grad_y_pred.mean(0)
    if "half precision" in faults:
        grad_w1, grad_w2 = (g.astype(np.float16).astype(float) for g in (grad_w1, grad_w2))
    return {"W1": grad_w1, "b1": grad_b1, "W2": grad_w2, "b2": grad_b2}


TABLE = {
    "divided by N alone": ("scale",),
    "divided by K alone": ("scale",),
    "no mean": ("scale",),
    "no 2": ("scale",),
    "sign of the absolute error": ("another network",),
    "h for h_relu": ("wrong activation",),
    "mask left out": ("derivative left out", "wrong error signal", "derivative of another activation"),
    "masked by its own sign": ("derivative at the wrong argument",),
    "mask turned round": ("derivative at the wrong argument", "derivative of another activation", "sign"),
    "leaky mask": ("derivative of another activation",),
    "decay halved": ("penalty scale",),
    "decay of the signs": ("penalty scale", "another network"),
    "no decay in W1": ("penalty missing", "penalty scale"),
    "decay of b2": ("penalty on biases",),
    "W1 as out x in": ("transposed", "shape"),
    "biases forgotten": ("cut off", "constant ratio", "scale"),
    "b2 averaged": ("averaged", "scale", "constant ratio"),
    "half precision": ("rounding",),
    "no decay in W2 + no 2": ("penalty missing", "scale", "penalty scale"),
}

CASES = [
    *cases("regression 3-6-2", regression, regression_3_6_2, Point(4, seed=17), TABLE),
    *cases(
        "regression 3-6-2",
        regression,
        regression_3_6_2,
        Point(6, trained=300, seed=18),
        {
            fault: TABLE[fault]
            for fault in ("divided by N alone", "no decay in W1", "decay halved", "leaky mask", "mask left out")
        },
    ),
]
