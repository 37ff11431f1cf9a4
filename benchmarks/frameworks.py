"""The same loss and gradients in jax, torch and HIPS autograd, for ``compile.py``; what is not installed is left out.

Each gets its own arrays before anything is timed, so that no conversion is in its time, and returns its own.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Function = Callable[[Any, Any, Any], tuple[Any, Mapping[str, Any]]]


@dataclass(frozen=True)
class Model:
    """A multilayer perceptron, as far as a framework has to know it."""

    activations: Sequence[str]
    bias: bool = True
    in_out: bool = False
    mean: bool = True


Framework = tuple[Function, tuple[Any, Any, Any]]


def frameworks(model: Model, parameters: Mapping[str, Any], x: Any, y: Any) -> dict[str, Framework]:
    """Name to (function, its arguments) of all that are installed."""
    makers = {"jax": _jax, "torch": _torch, "autograd": _autograd}
    return {name: make(model, parameters, x, y) for name, make in makers.items() if importlib.util.find_spec(name)}


def _logits(model: Model, parameters: Any, x: Any, functions: Mapping[str, Callable[[Any], Any]]) -> Any:
    for layer, activation in enumerate(model.activations, 1):
        w = parameters[f"W{layer}"]
        x = x @ (w if model.in_out else w.T)
        if model.bias:
            x = x + parameters[f"b{layer}"]
        if activation in functions:
            x = functions[activation](x)
    return x


def _jax(model: Model, parameters: Mapping[str, Any], x: Any, y: Any) -> Framework:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    known = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        z = _logits(model, parameters, x, known)
        entropy = model.activations[-1] == "softmax"
        total = -(y * jax.nn.log_softmax(z)).sum() if entropy else ((z - y) ** 2).sum() / 2
        return total / len(x) if model.mean else total

    compiled, ready = jax.jit(jax.value_and_grad(loss)), jax.block_until_ready
    arrays = {name: jnp.asarray(value) for name, value in parameters.items()}
    return lambda p, x, y: ready(compiled(p, x, y)), (arrays, jnp.asarray(x), jnp.asarray(y))


def _torch(model: Model, parameters: Mapping[str, Any], x: Any, y: Any) -> Framework:
    import torch

    torch.set_num_threads(1)
    known = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}
    weights = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    entropy, linear = torch.nn.functional.cross_entropy, torch.nn.functional.linear

    def step(parameters: Any, x: Any, y: Any) -> tuple[Any, Mapping[str, Any]]:
        for parameter in parameters.values():
            parameter.grad = None
        z = x
        for layer, activation in enumerate(model.activations, 1):
            w = parameters[f"W{layer}"]
            z = z @ w if model.in_out else linear(z, w, parameters[f"b{layer}"] if model.bias else None)
            if activation in known:
                z = known[activation](z)
        if model.activations[-1] == "softmax":
            loss = entropy(z, y)
        else:
            loss = ((z - y) ** 2).sum() / (2 * len(x) if model.mean else 2)
        loss.backward()
        return loss.detach(), {name: parameter.grad for name, parameter in parameters.items()}

    return step, (weights, torch.tensor(x), torch.tensor(y))


def _autograd(model: Model, parameters: Mapping[str, Any], x: Any, y: Any) -> Framework:
    import autograd
    import autograd.numpy as anp

    def relu(z: Any) -> Any:
        return z * (z > 0)

    def sigmoid(z: Any) -> Any:
        return 0.5 * (anp.tanh(0.5 * z) + 1)

    known = {"sigmoid": sigmoid, "tanh": anp.tanh, "relu": relu}

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        z = _logits(model, parameters, x, known)
        if model.activations[-1] == "softmax":
            z = z - anp.max(z, axis=1, keepdims=True)
            total = -anp.sum(y * (z - anp.log(anp.sum(anp.exp(z), axis=1, keepdims=True))))
        else:
            total = anp.sum((z - y) ** 2) / 2
        return total / len(x) if model.mean else total

    step = autograd.value_and_grad(loss)
    return (lambda p, x, y: step(p, x, y)), (dict(parameters), x, y)
