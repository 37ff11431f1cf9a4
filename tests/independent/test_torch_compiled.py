"""Compiled gradients against PyTorch's autograd: random networks over all activations, losses and settings."""

from __future__ import annotations

import random

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.losses import LOSSES

torch = pytest.importorskip("torch", reason="PyTorch is an optional extra")
from torch_definitions import TORCH_ACTIVATIONS, TORCH_LOSSES  # noqa: E402  # it imports PyTorch

OUTPUTS = {
    "binary_cross_entropy": ["sigmoid", "softmax"],
    "categorical_cross_entropy": ["softmax", "sigmoid"],
    "binary_cross_entropy_with_logits": ["identity"],
    "categorical_cross_entropy_with_logits": ["identity"],
}


@pytest.mark.parametrize("seed", range(80))
def test_a_random_network_agrees_with_autograd(seed):
    draw = random.Random(seed)
    loss = sorted(LOSSES)[seed % len(LOSSES)]
    depth = draw.randint(1, 4)
    names = [draw.choice(sorted(ACTIVATIONS)) for _ in range(depth - 1)]
    names.append(draw.choice(OUTPUTS.get(loss, ["identity", "tanh"])))
    units = [draw.randint(1, 6) for _ in range(depth - 1)] + [draw.randint(2, 4)]
    biases = [draw.random() < 0.7 for _ in range(depth)]
    layout, reduction = draw.choice(["out_in", "in_out"]), draw.choice(["mean", "sum"])
    l1, l2 = draw.choice([0, 0.02]), draw.choice([0, 0.05])
    inputs, batch = draw.randint(1, 5), draw.choice([1, 1, 3, 8])
    layers = [sbp.Dense(u, activation=a, bias=b) for u, a, b in zip(units, names, biases, strict=True)]
    net = sbp.Network(inputs, layers, loss, reduction=reduction, weight_layout=layout, l1=l1, l2=l2)
    rng = np.random.default_rng(seed)
    parameters = {v.name: rng.normal(size=[int(s) for s in v.shape]) for v in net.program.parameters}
    x, y = rng.normal(size=(batch, inputs)), target(loss, rng, (batch, units[-1]))
    found, gradients = net.derive().compile()(parameters, x, y)

    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    a = torch.tensor(x)
    for number, (name, bias) in enumerate(zip(names, biases, strict=True), 1):
        weight = tensors[f"W{number}"]
        a = a @ (weight.T if layout == "out_in" else weight)
        a = TORCH_ACTIVATIONS[name](a + tensors[f"b{number}"] if bias else a)
    total = TORCH_LOSSES[loss](a, torch.tensor(y), reduction)
    for number in range(1, depth + 1):
        weight = tensors[f"W{number}"]
        total = total + l1 * weight.abs().sum() + l2 / 2 * (weight**2).sum()
    total.backward()

    assert float(found) == pytest.approx(total.item(), rel=1e-9, abs=1e-12)
    for name, gradient in gradients.items():
        expected = tensors[name].grad.numpy()
        scale = max(np.abs(expected).max(), 1e-3)
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-10 * scale, err_msg=name)


def target(loss, rng, shape):
    if loss.startswith("categorical"):
        return rng.dirichlet(np.ones(shape[1]), size=shape[0])
    if loss.startswith("binary"):
        return rng.uniform(size=shape)
    if loss == "hinge":
        return rng.choice([-1.0, 1.0], size=shape)
    return rng.normal(size=shape)
