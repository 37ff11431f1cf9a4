"""Networks over all activations, losses and settings, with numbers that suit the loss."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

import symbackprop as sbp
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.losses import LOSSES

__all__ = ["all_networks", "arrays_for", "close", "mlp"]

_OUTPUTS = {
    "binary_cross_entropy": ["sigmoid", "hard_sigmoid", "softmax"],
    "categorical_cross_entropy": ["softmax", "sigmoid"],
    "binary_cross_entropy_with_logits": ["identity"],
    "categorical_cross_entropy_with_logits": ["identity"],
}


def mlp(
    *sizes: int | str,
    hidden: str = "tanh",
    output: str = "identity",
    loss: str = "half_squared_error",
    bias: bool = True,
    **more: Any,
) -> sbp.Network:
    """A network of dense layers with these sizes."""
    inputs, *units = sizes
    layers = [sbp.Dense(number, activation=hidden, bias=bias) for number in units[:-1]]
    return sbp.Network(inputs, [*layers, sbp.Dense(units[-1], activation=output, bias=bias)], loss, **more)


def all_networks() -> Iterator[tuple[str, dict[str, Any], int]]:
    """A name, the arguments of ``mlp``, and a batch size: each activation under each loss, the settings in turn."""
    settings = itertools.product(["mean", "sum"], ["out_in", "in_out"], [True, False], [0.0, 0.03], [1, 5])
    endless = itertools.cycle(settings)
    for loss in LOSSES:
        outputs = itertools.cycle(_OUTPUTS.get(loss, ["identity", "tanh"]))
        for hidden in ACTIVATIONS:
            reduction, layout, bias, penalty, batch = next(endless)
            output = next(outputs)
            arguments = {
                "hidden": hidden,
                "output": output,
                "loss": loss,
                "reduction": reduction,
                "weight_layout": layout,
                "bias": bias,
                "l1": penalty,
                "l2": 2 * penalty,
            }
            yield f"{loss}-{hidden}-{output}-{batch}", arguments, batch


def arrays_for(
    net: sbp.Network, batch: int, seed: int = 0, scale: float = 1.0, dtype: Any = np.float64
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Parameters, x and y for a network of numeric sizes."""
    rng = np.random.default_rng(seed)
    loss = net.description.loss.name
    if net.description.layers[-1].resolved().name == "hard_sigmoid":
        # Small enough that the output stays off 0 and 1, where the cross-entropy is infinite.
        scale *= 0.3
    parameters = {
        v.name: np.asarray(scale * rng.normal(size=[int(s) for s in v.shape]), dtype) for v in net.program.parameters
    }
    x = np.asarray(rng.normal(size=(batch, int(net.program.variable("x").shape[1]))), dtype)
    outputs = int(net.program.variable("y").shape[1])
    if loss.startswith("categorical"):
        y = rng.dirichlet(np.ones(outputs), size=batch)
    elif loss.startswith("binary"):
        y = rng.uniform(size=(batch, outputs))
    elif loss == "hinge":
        y = rng.choice([-1.0, 1.0], size=(batch, outputs))
    else:
        y = rng.normal(size=(batch, outputs))
    return parameters, x, np.asarray(y, dtype)


def close(found: Any, expected: Any, relative: float, what: str = "") -> None:
    """Equal to ``relative`` of the largest entry."""
    expected = np.asarray(expected)
    assert np.shape(found) == expected.shape, what
    scale = float(np.abs(expected).max(initial=0))
    np.testing.assert_allclose(found, expected, rtol=relative, atol=relative * scale, err_msg=what)
