"""A backward pass written by hand, in parts that can be got wrong, and the ways to get them wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray
Gradients = dict[str, Array]

FORWARDS = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(1, keepdims=True),
}
SLOPES = {
    "identity": lambda z, a: np.ones_like(z),
    "sigmoid": lambda z, a: a * (1 - a),
    "tanh": lambda z, a: 1 - a**2,
    "relu": lambda z, a: (z > 0).astype(float),
}


@dataclass(frozen=True)
class Pass:
    """What one backward pass knows: activations a[0] = x, ..., pre-activations z[1], ..., weights, targets."""

    kinds: tuple[str, ...]
    loss: str
    l2: float
    a: tuple[Array, ...]
    z: tuple[Any, ...]
    weights: tuple[Any, ...]
    biases: tuple[Any, ...]
    y: Array

    @property
    def batch(self) -> int:
        return len(self.y)

    @property
    def outputs(self) -> int:
        return self.y.shape[1]


def _delta(run: Pass) -> Array:
    """dL/dz of the last layer."""
    kind, a, z = run.kinds[-1], run.a[-1], run.z[-1]
    if run.loss == "categorical_cross_entropy":
        return (a * run.y.sum(1, keepdims=True) - run.y) / run.batch
    by_output = (a - run.y) / run.batch
    if run.loss == "mean_squared_error":
        by_output = 2 * by_output / run.outputs
    return by_output * SLOPES[kind](z, a)


@dataclass(frozen=True)
class Recipe:
    """The parts of a backward pass; layer numbers count from 1."""

    delta: Callable[[Pass], Array] = _delta
    slope: Callable[[Pass, int], Array] = lambda run, layer: SLOPES[run.kinds[layer - 1]](run.z[layer], run.a[layer])
    weight: Callable[[Pass, int, Array], Array] = lambda run, layer, delta: delta.T @ run.a[layer - 1]
    bias: Callable[[Pass, int, Array], Array] = lambda run, layer, delta: delta.sum(0)
    back: Callable[[Pass, int, Array], Array] = lambda run, layer, delta: delta @ run.weights[layer]
    penalty: Callable[[Pass, int], Array] = lambda run, layer: run.l2 * run.weights[layer]
    bias_penalty: Callable[[Pass, int], Array] = lambda run, layer: 0 * run.biases[layer]


def backward(kinds: tuple[str, ...], loss: str, l2: float, arrays: Mapping[str, Array], recipe: Recipe) -> Gradients:
    """The gradients by name, as ``recipe`` computes them."""
    weights = (None, *(arrays[f"W{n}"] for n in range(1, len(kinds) + 1)))
    biases = (None, *(arrays[f"b{n}"] for n in range(1, len(kinds) + 1)))
    a, z = [arrays["x"]], [None]
    for layer, kind in enumerate(kinds, 1):
        z.append(a[-1] @ weights[layer].T + biases[layer])
        a.append(FORWARDS[kind](z[-1]))
    run = Pass(kinds, loss, l2, tuple(a), tuple(z), weights, biases, arrays["y"])
    found, delta = {}, recipe.delta(run)
    for layer in range(len(kinds), 0, -1):
        found[f"W{layer}"] = recipe.weight(run, layer, delta) + recipe.penalty(run, layer)
        found[f"b{layer}"] = recipe.bias(run, layer, delta) + recipe.bias_penalty(run, layer)
        if layer > 1:
            delta = recipe.back(run, layer, delta) * recipe.slope(run, layer - 1)
    return found


# -- wrong parts -------------------------------------------------------------------------------------------------------

RIGHT = Recipe()


def _updated(run: Pass, layer: int, delta: Array) -> Array:
    """The last layer's weights have been updated before the error went back through them."""
    stepped = run.weights[layer] - 0.1 * (delta.T @ run.a[layer - 1])
    return delta @ stepped


RECIPES = {
    "1/N missing": replace(RIGHT, delta=lambda run: _delta(run) * run.batch),
    "1/N twice": replace(RIGHT, delta=lambda run: _delta(run) / run.batch),
    "1/K too many": replace(RIGHT, delta=lambda run: _delta(run) / run.outputs),
    "the square's 2 left out, or one too many": replace(RIGHT, delta=lambda run: 2 * _delta(run)),
    "output and target exchanged": replace(RIGHT, delta=lambda run: -_delta(run)),
    "activation's derivative left out": replace(RIGHT, slope=lambda run, layer: np.ones_like(run.z[layer])),
    "derivative taken at a in place of z": replace(
        RIGHT,
        slope=lambda run, layer: SLOPES[run.kinds[layer - 1]](
            run.a[layer] - 0.5, FORWARDS[run.kinds[layer - 1]](run.a[layer] - 0.5)
        ),
    ),
    "derivative of another activation": replace(
        RIGHT,
        slope=lambda run, layer: SLOPES["tanh" if run.kinds[layer - 1] != "tanh" else "sigmoid"](
            run.z[layer], run.a[layer]
        ),
    ),
    "derivative squared": replace(RIGHT, slope=lambda run, layer: 1.0001 * RIGHT.slope(run, layer) ** 2),
    "an extra sigma' at the output": replace(RIGHT, delta=lambda run: _delta(run) * run.a[-1] * (1 - run.a[-1])),
    "bias averaged": replace(RIGHT, bias=lambda run, layer, delta: delta.mean(0)),
    "bias of the first example alone": replace(RIGHT, bias=lambda run, layer, delta: delta[0]),
    "weights not transposed": replace(RIGHT, back=lambda run, layer, delta: delta @ run.weights[layer].T),
    "weights already updated": replace(RIGHT, back=_updated),
    "elementwise product with the diagonal in place of a matrix product": replace(
        RIGHT, back=lambda run, layer, delta: delta * np.diag(run.weights[layer])
    ),
    "penalty left out": replace(RIGHT, penalty=lambda run, layer: 0 * run.weights[layer]),
    "penalty on the biases too": replace(RIGHT, bias_penalty=lambda run, layer: run.l2 * run.biases[layer]),
    "penalty with a factor 2": replace(RIGHT, penalty=lambda run, layer: 2 * run.l2 * run.weights[layer]),
    "penalty divided by the batch": replace(RIGHT, penalty=lambda run, layer: run.l2 * run.weights[layer] / run.batch),
    "input in place of the activation": replace(RIGHT, weight=lambda run, layer, delta: delta.T @ run.a[0]),
    "activation of the layer after": replace(RIGHT, weight=lambda run, layer, delta: delta.T @ run.a[layer]),
    "gradient transposed": replace(RIGHT, weight=lambda run, layer, delta: run.a[layer - 1].T @ delta),
    "examples off by one": replace(
        RIGHT, weight=lambda run, layer, delta: delta.T @ np.roll(run.a[layer - 1], 1, axis=0)
    ),
    "the first example left out": replace(RIGHT, weight=lambda run, layer, delta: delta[1:].T @ run.a[layer - 1][1:]),
    "the error cut off at the first layer": replace(
        RIGHT, back=lambda run, layer, delta: 0 * (delta @ run.weights[layer])
    ),
    "each example's error made to sum to 0": replace(
        RIGHT, delta=lambda run: _delta(run) - _delta(run).mean(1, keepdims=True) + 1e-3
    ),
}
"""A wrong part each. Some need square layers."""


def _largest(gradients: Gradients, name: str = "W1") -> tuple[int, ...]:
    return np.unravel_index(np.argmax(np.abs(gradients[name])), gradients[name].shape)


def _entry(gradients: Gradients, change: Callable[[float], float], name: str = "W1") -> Gradients:
    array = gradients[name].copy()
    place = _largest(gradients, name)
    array[place] = change(array[place])
    return {**gradients, name: array}


def _every(gradients: Gradients, change: Callable[[Array], Array]) -> Gradients:
    return {name: change(array) for name, array in gradients.items()}


def _swapped(gradients: Gradients) -> Gradients:
    array = gradients["W1"].copy()
    flat = array.reshape(-1)
    flat[[0, 1]] = flat[[1, 0]]
    return {**gradients, "W1": array}


AFTERWARDS: dict[str, Callable[[Gradients], Gradients]] = {
    "one sign flipped": lambda g: _entry(g, lambda v: -v),
    "one sign flipped in the last bias": lambda g: _entry(g, lambda v: -v, max(n for n in g if n[0] == "b")),
    "all signs flipped": lambda g: _every(g, np.negative),
    "factor 2": lambda g: _every(g, lambda a: 2 * a),
    "learning rate multiplied in": lambda g: _every(g, lambda a: 0.1 * a),
    "one entry times 1.001": lambda g: _entry(g, lambda v: 1.001 * v),
    "one entry off by a millionth": lambda g: _entry(g, lambda v: (1 + 1e-6) * v),
    "everything off by a millionth": lambda g: _every(g, lambda a: (1 + 1e-6) * a),
    "two entries swapped": _swapped,
    "one entry NaN": lambda g: _entry(g, lambda v: np.nan),
    "one entry infinite": lambda g: _entry(g, lambda v: np.inf),
    "everything NaN": lambda g: _every(g, lambda a: a * np.nan),
    "one array zero": lambda g: {**g, "W1": 0 * g["W1"]},
    "one entry zero": lambda g: _entry(g, lambda v: 0.0),
    "one unit left out": lambda g: {**g, "W1": np.vstack([np.zeros((1, g["W1"].shape[1])), g["W1"][1:]])},
    "rows off by one": lambda g: {**g, "W1": np.roll(g["W1"], 1, axis=0)},
    "columns off by one": lambda g: {**g, "W1": np.roll(g["W1"], 1, axis=1)},
    "rounded to float32": lambda g: _every(g, lambda a: a.astype(np.float32).astype(float)),
    "rounded to six decimals": lambda g: _every(g, lambda a: np.round(a, 6)),
    "clipped to half its largest": lambda g: _every(g, lambda a: np.clip(a, -np.abs(a).max() / 2, np.abs(a).max() / 2)),
    "normalised": lambda g: _every(g, lambda a: a / np.linalg.norm(a)),
}
"""What is done to right gradients afterwards."""
