"""Loops over every unit, as in a language without arrays."""

from __future__ import annotations

from math import tanh
from typing import Any

import numpy as np
from bank_case import NONE, Array, Arrays, Faults, Point, cases
from bank_networks import tanh_3_4_2

__all__ = ["CASES"]


def loops(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    w1, b1, w2, b2 = (parameters[name].tolist() for name in ("W1", "b1", "W2", "b2"))
    inputs, hidden, outputs = len(w1[0]), len(w1), len(w2)
    gw1, gb1 = np.zeros((hidden, inputs)), np.zeros(hidden)
    gw2, gb2 = np.zeros((outputs, hidden)), np.zeros(outputs)
    for row, target in zip(x.tolist(), y.tolist(), strict=True):
        net = [sum(w1[j][i] * row[i] for i in range(inputs)) + b1[j] for j in range(hidden)]
        act = [tanh(v) for v in net]
        out = [sum(w2[k][j] * act[j] for j in range(hidden)) + b2[k] for k in range(outputs)]
        delta = [out[k] - target[k] for k in range(outputs)]
        for k in range(outputs):
            for j in range(hidden):
                gw2[k, j] += delta[k] * (w2[k][j] if "weight in place of its input" in faults else act[j])
            if "b2 set, not added" in faults:
                gb2[k] = delta[k]
            else:
                gb2[k] += delta[k]
        if "W2 updated in the loop" in faults:
            w2 = [[w2[k][j] - 0.05 * delta[k] * act[j] for j in range(hidden)] for k in range(outputs)]
        for j in range(1 if "first unit missed" in faults else 0, hidden):
            error = 0.0
            for k in range(outputs - 1 if "last output missed" in faults else outputs):
                if "error set, not added" in faults:
                    error = delta[k] * w2[k][j]
                else:
                    error += delta[k] * w2[k][j]
            slope = 1 - act[j] ** 2
            if "a^2 added to 1" in faults:
                slope = 1 + act[j] ** 2
            if "slope left out" in faults:
                slope = 1.0
            for i in range(inputs):
                gw1[j, i] += error * slope * (net[j] if "net for the input" in faults else row[i])
            gb1[j] += error * slope
    if "first weight with the wrong sign" in faults:
        gw1[0, 0] = -gw1[0, 0]
    if "last weight not stored" in faults:
        gw2[-1, -1] = 0
    if "two entries exchanged" in faults:
        gw1[0, 1], gw1[1, 0] = gw1[1, 0], gw1[0, 1]
    return {"W1": gw1, "b1": gb1, "W2": gw2, "b2": gb2}


CASES = [
    *cases(
        "loops 3-4-2",
        loops,
        tanh_3_4_2,
        Point(5, seed=19),
        {
            "weight in place of its input": ("wrong activation",),
            "b2 set, not added": ("examples", "bias not summed"),
            "first unit missed": ("entries", "cut off"),
            "last output missed": ("cut off",),
            "error set, not added": ("cut off",),
            "a^2 added to 1": ("sign",),
            "slope left out": ("derivative left out", "wrong error signal", "derivative of another activation"),
            "net for the input": ("wrong activation",),
            "first weight with the wrong sign": ("entries", "sign"),
            "last weight not stored": ("entries",),
            "two entries exchanged": ("entries",),
        },
    ),
    *cases(
        "loops 3-4-2",
        loops,
        tanh_3_4_2,
        Point(1, seed=20),
        {
            "W2 updated in the loop": ("weights updated",),
            "weight in place of its input": ("wrong activation",),
            "a^2 added to 1": ("sign",),
            "first weight with the wrong sign": ("entries", "sign"),
        },
    ),
]
