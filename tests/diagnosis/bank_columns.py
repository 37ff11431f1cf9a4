"""One example at a time as a column, and sums over the examples; negative indices count layers from the last."""

from __future__ import annotations

from typing import Any

import numpy as np
from bank_case import NONE, Array, Arrays, Faults, Point, cases, sigmoid, sigmoid_prime
from bank_networks import summed_sigmoid

__all__ = ["CASES"]


def _one_example(
    weights: list[Array], biases: list[Array], x: Array, y: Array, faults: Faults
) -> tuple[list[Array], list[Array]]:
    activation, activations, zs = x, [x], []
    for b, w in zip(biases, weights, strict=True):
        zs.append(w @ activation + b)
        activation = sigmoid(zs[-1])
        activations.append(activation)
    prime = (lambda z: z * (1 - z)) if "prime of an output" in faults else sigmoid_prime
    at = activations[1:] if "primes at the activations" in faults else zs
    nabla_b = [np.zeros_like(b) for b in biases]
    nabla_w = [np.zeros_like(w) for w in weights]
    delta = activations[-1] - y
    if "delta of the cross-entropy" not in faults:
        delta = delta * prime(at[-1])
    if "2 from the square" in faults:
        delta = 2 * delta
    nabla_b[-1] = delta
    nabla_w[-1] = delta @ activations[-1 if "activations off by one" in faults else -2].T
    for layer in range(2, len(weights) + 1):
        z = at[-layer + 1] if "z off by one" in faults else at[-layer]
        weight = weights[-layer + 1]
        back = weight if "not transposed" in faults else weight.T
        error = (weight.sum(0)[:, None] * delta) if "weights summed" in faults else back @ delta
        delta = error * (1 if "hidden prime left out" in faults else prime(z))
        nabla_b[-layer] = delta
        nabla_w[-layer] = delta @ activations[-layer - 1].T
        if "outer product turned" in faults:
            nabla_w[-layer] = activations[-layer - 1] @ delta.T
    return nabla_b, nabla_w


def columns(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    weights = [parameters["W1"], parameters["W2"]]
    biases = [parameters["b1"][:, None], parameters["b2"][:, None]]
    nabla_b = [np.zeros_like(b) for b in biases]
    nabla_w = [np.zeros_like(w) for w in weights]
    batch = list(zip(x, y, strict=True))
    if "last example skipped" in faults:
        batch = batch[:-1]
    if "targets in reverse" in faults:
        batch = list(zip(x, y[::-1], strict=True))
    for number, (one, target) in enumerate(batch):
        delta_b, delta_w = _one_example(weights, biases, one[:, None], target[:, None], faults)
        if "weights overwritten" in faults:
            nabla_w = delta_w
        else:
            nabla_w = [nw + dw for nw, dw in zip(nabla_w, delta_w, strict=True)]
        if "biases overwritten" in faults:
            nabla_b = delta_b
        else:
            nabla_b = [nb + db for nb, db in zip(nabla_b, delta_b, strict=True)]
        if "returned in the loop" in faults and number == 0:
            break
    if "averaged" in faults:
        nabla_b = [nb / len(x) for nb in nabla_b]
        nabla_w = [nw / len(x) for nw in nabla_w]
    return {"W1": nabla_w[0], "b1": nabla_b[0][:, 0], "W2": nabla_w[1], "b2": nabla_b[1][:, 0]}


CASES = [
    *cases(
        "columns 3-3-3",
        columns,
        summed_sigmoid,
        Point(6, seed=9),
        {
            "delta of the cross-entropy": (
                "derivative left out",
                "another network",
                "wrong error signal",
                "derivative of another activation",
            ),
            "primes at the activations": ("derivative at the wrong argument",),
            "prime of an output": ("derivative at the wrong argument", "wrong activation"),
            "z off by one": ("derivative at the wrong argument", "wrong activation"),
            "activations off by one": ("wrong activation",),
            "not transposed": ("not transposed",),
            "weights summed": ("elementwise",),
            "outer product turned": ("transposed",),
            "weights overwritten": ("examples",),
            "biases overwritten": ("examples", "bias not summed"),
            "last example skipped": ("examples",),
            "targets in reverse": ("examples",),
            "returned in the loop": ("examples",),
            "averaged": ("averaged", "scale", "constant ratio"),
            "2 from the square": ("scale", "constant ratio"),
            "weights overwritten + averaged": ("examples", "averaged", "scale"),
        },
    ),
    *cases(
        "columns 3-3-3",
        columns,
        summed_sigmoid,
        Point(1, seed=10),
        {
            "hidden prime left out": ("derivative left out", "wrong error signal", "derivative of another activation"),
            "primes at the activations": ("derivative at the wrong argument",),
            "activations off by one": ("wrong activation",),
            "not transposed": ("not transposed",),
            "outer product turned": ("transposed",),
            "2 from the square": ("scale", "constant ratio"),
        },
    ),
    *cases(
        "columns 3-3-3",
        columns,
        summed_sigmoid,
        Point(1, trained=60, seed=11),
        {
            "delta of the cross-entropy": (
                "derivative left out",
                "another network",
                "wrong error signal",
                "derivative of another activation",
            ),
            "z off by one": ("derivative at the wrong argument", "wrong activation"),
        },
    ),
]
