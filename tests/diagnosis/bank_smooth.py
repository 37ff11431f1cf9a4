"""Three layers with softplus, other losses and no bias in the end; written when the others had been looked at."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from bank_case import NONE, Array, Arrays, Faults, Point, cases, sigmoid

import symbackprop as sbp

__all__ = ["CASES"]


@cache
def smooth_5_4_3_1() -> sbp.Network:
    layers = [sbp.Dense(4, "sigmoid"), sbp.Dense(3, "softplus"), sbp.Dense(1)]
    return sbp.Network(5, layers, "log_cosh", weight_layout="in_out", l2=0.2)


@cache
def classes_3_3_3_3() -> sbp.Network:
    layers = [sbp.Dense(3, "softplus"), sbp.Dense(3, "tanh"), sbp.Dense(3, "softmax")]
    return sbp.Network(3, layers, "categorical_cross_entropy", reduction="sum", l1=0.04)


@cache
def bare_2_5_5_2() -> sbp.Network:
    layers = [sbp.Dense(5, "tanh"), sbp.Dense(5, "sigmoid"), sbp.Dense(2, bias=False)]
    return sbp.Network(2, layers, "half_squared_error")


FUNCTIONS = {
    "sigmoid": (sigmoid, lambda z, a: a * (1 - a)),
    "tanh": (np.tanh, lambda z, a: 1 - a**2),
    "softplus": (lambda z: np.logaddexp(0, z), lambda z, a: sigmoid(z)),
}


def _three(kinds: tuple[str, str], w: list[Array], b: list[Any], x: Array, head: Any, faults: Faults) -> dict[str, Any]:
    """Gradients by name, weights as units x inputs; ``head`` gives dL/dz3."""
    z1 = x @ w[0].T + b[0]
    a1 = FUNCTIONS[kinds[0]][0](z1)
    z2 = a1 @ w[1].T + b[1]
    a2 = FUNCTIONS[kinds[1]][0](z2)
    z3 = a2 @ w[2].T + b[2]
    d3 = head(z3)
    stored = {"z2 for a2": z2, "a1 for a2": a1}
    g = {"W3": d3.T @ next((v for k, v in stored.items() if k in faults), a2), "b3": d3.sum(0)}
    w3 = w[2] - 0.3 * g["W3"] if "W3 updated first" in faults else w[2]
    if "W3 not transposed" in faults:
        back = d3 @ w3.T
    elif "diagonal of W3" in faults:
        back = d3 * np.diag(w3)
    else:
        back = d3 @ w3
    s2, s1 = FUNCTIONS[kinds[1]][1](z2, a2), FUNCTIONS[kinds[0]][1](z1, a1)
    if "slope 2 left out" in faults:
        s2 = 1
    if "slope 2 at a2" in faults:
        s2 = FUNCTIONS[kinds[1]][1](a2, FUNCTIONS[kinds[1]][0](a2))
    if "slope 2 a step" in faults:
        s2 = z2 > 0
    if "slope 1 twice" in faults:
        s1 = s1**2
    if "slope 1 left out" in faults:
        s1 = 1
    if "slope 1 - z1^2" in faults:
        s1 = 1 - z1**2
    if "slope 1 of sigmoid" in faults:
        s1 = a1 * (1 - a1)
    d2 = back * s2
    if "sign of d2" in faults:
        d2 = -d2
    g["W2"], g["b2"] = d2.T @ a1, (back if "b2 before the slope" in faults else d2).sum(0)
    if "W2 of the first example" in faults:
        g["W2"] = np.outer(d2[0], a1[0])
    d1 = d2 @ (w[1].T if "W2 not transposed" in faults else w[1]) * s1
    if "cut off" in faults:
        d1 = 0 * d1
    g["W1"], g["b1"] = d1.T @ x, d1.sum(0)
    if "b2 of the last example" in faults:
        g["b2"] = d2[-1]
    if "b2 summed over the units" in faults:
        g["b2"] = d2.sum(1)
    return g


def smooth(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    w = [parameters[f"W{n}"].T for n in (1, 2, 3)]
    b = [parameters[f"b{n}"] for n in (1, 2, 3)]

    def head(z3: Array) -> Array:
        error = z3 - y if "error without tanh" in faults else np.tanh(z3 - y)
        return error / y.size

    g = _three(("sigmoid", "softplus"), w, b, x, head, faults)
    for n in (1, 2, 3):
        c = 0.2 * (len(x) if "decay times N" in faults else 1)
        g[f"W{n}"] = g[f"W{n}"].T + (0 if n == 3 and "no decay in W3" in faults else c) * parameters[f"W{n}"]
        if "biases without 1/N" in faults:
            g[f"b{n}"] = g[f"b{n}"] * len(x)
    return g


def classes(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    w = [parameters[f"W{n}"] for n in (1, 2, 3)]
    b = [parameters[f"b{n}"] for n in (1, 2, 3)]

    def head(z3: Array) -> Array:
        p = np.exp(z3) / np.exp(z3).sum(1, keepdims=True)
        d = p - (np.roll(y, 1, 0) if "labels shifted" in faults else y)
        if "extra slope" in faults:
            d = d * p * (1 - p)
        return d / len(x) if "averaged" in faults else d

    g = _three(("softplus", "tanh"), w, b, x, head, faults)
    for name, array in parameters.items():
        if (name[0] == "W" and "no lasso" not in faults) or "lasso on the biases" in faults:
            g[name] = g[name] + (-0.04 if "lasso subtracted" in faults else 0.04) * np.sign(array)
    if "W2 turned" in faults:
        g["W2"] = g["W2"].T
    if "W1 and W2 exchanged" in faults:
        g["W1"], g["W2"] = g["W2"], g["W1"]
    return g


def bare(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    w = [parameters[f"W{n}"] for n in (1, 2, 3)]
    b = [parameters["b1"], parameters["b2"], 0]

    def head(z3: Array) -> Array:
        d = (z3 - y) / len(x)
        return d / 2 if "error halved" in faults else d

    g = _three(("tanh", "sigmoid"), w, b, x, head, faults)
    del g["b3"]
    return {name: (0.02 if "small steps" in faults else 1) * array for name, array in g.items()}


LEFT = ("derivative left out", "wrong error signal", "derivative of another activation")
WRONG = ("derivative at the wrong argument", "wrong activation")

CASES = [
    *cases(
        "smooth 5-4-3-1",
        smooth,
        smooth_5_4_3_1,
        Point(6, seed=61),
        {
            "slope 2 left out": LEFT,
            "slope 2 at a2": WRONG,
            "slope 2 a step": ("derivative of another activation",),
            "slope 1 twice": ("derivative twice",),
            "error without tanh": ("another network", "derivative left out"),
            "no decay in W3": ("penalty missing", "penalty scale"),
            "decay times N": ("penalty scale",),
            "z2 for a2": ("wrong activation",),
            "biases without 1/N": ("scale", "constant ratio"),
            "b2 of the last example": ("examples", "bias not summed"),
            "W3 updated first": ("weights updated",),
            "b2 before the slope": ("wrong error signal", "derivative left out"),
        },
    ),
    *cases(
        "classes 3-3-3-3",
        classes,
        classes_3_3_3_3,
        Point(5, seed=62),
        {
            "W3 not transposed": ("not transposed",),
            "W2 not transposed": ("not transposed",),
            "diagonal of W3": ("elementwise",),
            "W2 turned": ("transposed",),
            "W1 and W2 exchanged": ("swapped arrays",),
            "labels shifted": ("examples",),
            "extra slope": ("derivative twice", "diagonal", "another network"),
            "averaged": ("averaged", "scale"),
            "lasso subtracted": ("penalty scale", "sign"),
            "lasso on the biases": ("penalty on biases",),
            "a1 for a2": ("wrong activation",),
            "slope 2 at a2": WRONG,
            "slope 1 twice": ("derivative twice",),
            "no lasso + averaged": ("penalty missing", "averaged", "scale", "penalty scale"),
        },
    ),
    *cases(
        "classes 3-3-3-3", classes, classes_3_3_3_3, Point(3, seed=63), {"b2 summed over the units": ("wrong axis",)}
    ),
    *cases(
        "bare 2-5-5-2",
        bare,
        bare_2_5_5_2,
        Point(4, trained=80, seed=64),
        {
            "slope 1 - z1^2": WRONG,
            "slope 1 of sigmoid": ("derivative of another activation",),
            "small steps": ("learning rate", "constant ratio"),
            "error halved": ("scale", "constant ratio"),
            "cut off": ("cut off", "constant ratio", "scale"),
            "W2 of the first example": ("examples",),
            "W2 not transposed": ("not transposed",),
            "W3 updated first": ("weights updated",),
            "a1 for a2": ("wrong activation",),
            "sign of d2": ("sign", "constant ratio"),
            "sign of d2 + slope 1 left out": ("sign", *LEFT),
        },
    ),
]
