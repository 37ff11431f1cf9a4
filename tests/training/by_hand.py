"""Descent by hand: a plain loop over compiled gradients, and every update rule as its textbook has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from descents import Arrays, Descent

import symbackprop as sbp

__all__ = ["ByHand", "close", "descend_by_hand", "parts_of_an_epoch"]

Rule = Callable[[dict[str, Any], np.ndarray, np.ndarray, int], np.ndarray]
"""From what is remembered of a weight, the weight, its gradient and the number of the step to the new weight."""


@dataclass(frozen=True)
class ByHand:
    """What a descent came to."""

    parameters: Arrays
    losses: list[float]
    loss: float
    predictions: np.ndarray | None
    steps: int
    gradients: Arrays


def descend_by_hand(descent: Descent, epochs: int | None = None) -> ByHand:
    """Train ``descent`` with ``derivation.compile()`` and nothing else of the package."""
    settings = {"batch_size": None, "seed": 0, "optimizer": sbp.SGD(), "wrt": None, **descent.settings}
    function = descent.model.derive(settings["wrt"]).compile()
    rule = _rule(settings["optimizer"], settings["learning_rate"])
    weights = {name: np.array(array, float) for name, array in descent.parameters.items()}
    memory: dict[str, dict[str, Any]] = {name: {} for name in weights}
    losses, steps, gradients = [], 0, {}
    for epoch in range(settings["epochs"] if epochs is None else epochs):
        losses.append(float(function.loss(weights, **descent.data)))
        for part in parts_of_an_epoch(descent, settings["batch_size"], settings["seed"], epoch):
            steps += 1
            _, gradients = function(weights, **part)
            weights = {
                name: rule(memory[name], array, gradients[name], steps) if name in gradients else array
                for name, array in weights.items()
            }
    output = descent.model.program.output
    predictions = None if output is None else function.predict(weights, **descent.data)
    return ByHand(weights, losses, float(function.loss(weights, **descent.data)), predictions, steps, gradients)


def parts_of_an_epoch(descent: Descent, size: int | None, seed: int, epoch: int) -> Iterator[Mapping[str, Any]]:
    """The data of each step: all examples, or shuffled batches, the last of which may be smaller."""
    if size is None or size == descent.examples:
        yield descent.data
        return
    order = np.random.default_rng((seed, epoch)).permutation(descent.examples)
    for start in range(0, descent.examples, size):
        chosen = order[start : start + size]
        yield {
            name: np.take(array, chosen, axis=descent.axes[name]) if name in descent.axes else array
            for name, array in descent.data.items()
        }


def _rule(optimizer: sbp.SGD | sbp.Adam, eta: float) -> Rule:
    if isinstance(optimizer, sbp.Adam):
        return _adam(eta, optimizer.beta1, optimizer.beta2, optimizer.epsilon)
    return _heavy_ball(eta, optimizer.momentum) if optimizer.momentum else _gradient_descent(eta)


def _gradient_descent(eta: float) -> Rule:
    return lambda memory, weight, gradient, t: weight - eta * gradient


def _heavy_ball(eta: float, mu: float) -> Rule:
    """Rumelhart, Hinton and Williams (1986): the change of a weight is -eta g and mu times the change before."""

    def rule(memory: dict[str, Any], weight: np.ndarray, gradient: np.ndarray, t: int) -> np.ndarray:
        memory["change"] = -eta * gradient + mu * memory.get("change", 0.0)
        return weight + memory["change"]

    return rule


def _adam(alpha: float, beta1: float, beta2: float, epsilon: float) -> Rule:
    """Kingma and Ba (2015), algorithm 1, line by line."""

    def rule(memory: dict[str, Any], weight: np.ndarray, gradient: np.ndarray, t: int) -> np.ndarray:
        memory["m"] = beta1 * memory.get("m", 0.0) + (1 - beta1) * gradient
        memory["v"] = beta2 * memory.get("v", 0.0) + (1 - beta2) * gradient**2
        m_hat = memory["m"] / (1 - beta1**t)
        v_hat = memory["v"] / (1 - beta2**t)
        return weight - alpha * m_hat / (np.sqrt(v_hat) + epsilon)

    return rule


def close(found: Any, expected: Any, relative: float, what: str = "") -> None:
    """Equal to ``relative`` of the largest entry."""
    expected = np.asarray(expected)
    assert np.shape(found) == expected.shape, what
    scale = float(np.abs(expected).max(initial=0))
    np.testing.assert_allclose(found, expected, rtol=relative, atol=relative * scale, err_msg=what)
