"""Deep networks of layer objects, which keep on the way forward what they need on the way back."""

from __future__ import annotations

from typing import Any

import numpy as np
from bank_case import NONE, Array, Arrays, Faults, Point, cases, sigmoid
from bank_networks import deep_relu, deep_tanh

__all__ = ["CASES"]


class Layer:
    """z = x W^T + b and its activation."""

    def __init__(self, number: int, weight: Array, bias: Array, activation: str) -> None:
        self.number, self.weight, self.bias, self.activation = number, weight, bias, activation

    def forward(self, x: Array) -> Array:
        self.x = x
        self.z = x @ self.weight.T + self.bias
        self.a = {
            "tanh": np.tanh,
            "relu": lambda z: np.maximum(z, 0),
            "leaky": lambda z: np.where(z > 0, z, 0.01 * z),
            "sigmoid": sigmoid,
            "identity": lambda z: z,
        }[self.activation](self.z)
        return self.a

    def slope(self) -> Array:
        if self.activation == "tanh":
            return 1 - self.a**2
        if self.activation == "relu":
            return (self.z > 0).astype(float)
        if self.activation == "leaky":
            return np.where(self.z > 0, 1, 0.01)
        if self.activation == "sigmoid":
            return self.a * (1 - self.a)
        return np.ones_like(self.z)


def _deep(kinds: list[str], parameters: Arrays, x: Array) -> list[Layer]:
    layers, a = [], x
    for number, kind in enumerate(kinds, 1):
        layers.append(Layer(number, parameters[f"W{number}"], parameters[f"b{number}"], kind))
        a = layers[-1].forward(a)
    return layers


def _backward(layers: list[Layer], delta: Array, faults: Faults) -> dict[str, Any]:
    """From dL/dz of the last layer to all gradients."""
    grads: dict[str, Any] = {}
    for layer in reversed(layers):
        number = layer.number
        if number < len(layers):
            slope = layer.slope()
            if f"slope left out in {number}" in faults:
                slope = 1
            if f"slope of the layer before in {number}" in faults:
                slope = layers[number - 2].slope()
            if f"sigmoid's slope in {number}" in faults:
                slope = sigmoid(layer.z)
            if f"slope twice in {number}" in faults:
                slope = slope * layer.slope()
            before, delta = delta, delta * slope
            if f"sign in {number}" in faults:
                delta = -delta
        stored = layer.x
        if f"input of the layer before in {number}" in faults:
            stored = layers[number - 2].x
        if f"network's input in {number}" in faults:
            stored = layers[0].x
        if f"output of the layer in {number}" in faults:
            stored = layer.a
        if f"z for a in {number}" in faults:
            stored = layers[number - 2].z
        grads[f"W{number}"] = delta.T @ stored
        grads[f"b{number}"] = delta.sum(0)
        if f"bias before the slope in {number}" in faults:
            grads[f"b{number}"] = before.sum(0)
        if f"weight before the slope in {number}" in faults:
            grads[f"W{number}"] = before.T @ stored
        if f"bias of the layer after in {number}" in faults:
            grads[f"b{number}"] = grads[f"b{number + 1}"].copy()
        weight = layer.weight
        if "updated on the way back" in faults:
            weight = weight - 0.1 * grads[f"W{number}"]
        delta = delta @ (weight.T if f"not transposed in {number}" in faults else weight)
        if f"cut off before {number}" in faults:
            delta = 0 * delta
    return grads


def tanh_layers(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    kinds = ["tanh", "tanh", "tanh", "identity"]
    if "sigmoid in layer 2" in faults:
        kinds[1] = "sigmoid"
    layers = _deep(kinds, parameters, x)
    return _backward(layers, (layers[-1].a - y) / len(x), faults)


def relu_layers(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    kind = "leaky" if "leaky relu" in faults else "relu"
    layers = _deep([kind, kind, "identity"], parameters, x)
    raised = np.exp(layers[-1].a - layers[-1].a.max(1, keepdims=True))
    delta = raised / raised.sum(1, keepdims=True) - y
    if "averaged" in faults:
        delta /= len(x)
    return _backward(layers, delta, faults)


LEFT_OUT = ("derivative left out", "wrong error signal", "derivative of another activation")

CASES = [
    *cases(
        "deep tanh 4-4-4-4-2",
        tanh_layers,
        deep_tanh,
        Point(3, seed=5),
        {
            "input of the layer before in 3": ("wrong activation",),
            "network's input in 3": ("wrong activation",),
            "network's input in 4": ("wrong activation",),
            "output of the layer in 2": ("wrong activation",),
            "z for a in 3": ("wrong activation",),
            "not transposed in 2": ("not transposed",),
            "not transposed in 3": ("not transposed",),
            "slope left out in 2": LEFT_OUT,
            "slope left out in 3": LEFT_OUT,
            "slope of the layer before in 3": ("derivative at the wrong argument", "wrong activation"),
            "slope twice in 1": ("derivative twice",),
            "sigmoid in layer 2": ("another network",),
            "bias of the layer after in 2": ("wrong error signal", "swapped arrays"),
            "bias before the slope in 3": ("wrong error signal", "derivative left out"),
            "weight before the slope in 1": ("wrong error signal", "derivative left out"),
            "sign in 2": ("sign", "constant ratio"),
            "cut off before 2": ("cut off", "constant ratio", "scale"),
            "updated on the way back": ("weights updated",),
            "slope left out in 1 + not transposed in 3": (*LEFT_OUT, "not transposed"),
        },
    ),
    *cases(
        "deep tanh 4-4-4-4-2",
        tanh_layers,
        deep_tanh,
        Point(4, trained=150, seed=6),
        {
            "not transposed in 3": ("not transposed",),
            "input of the layer before in 2": ("wrong activation",),
            "z for a in 4": ("wrong activation",),
            "slope left out in 2": LEFT_OUT,
            "cut off before 3": ("cut off", "constant ratio", "scale"),
        },
    ),
    *cases(
        "deep relu 5-6-6-3",
        relu_layers,
        deep_relu,
        Point(6, seed=7),
        {
            "slope left out in 2": LEFT_OUT,
            "slope left out in 1": LEFT_OUT,
            "slope of the layer before in 2": ("derivative at the wrong argument", "wrong activation"),
            "sigmoid's slope in 2": ("derivative of another activation",),
            "leaky relu": ("another network",),
            "averaged": ("averaged", "scale", "constant ratio"),
            "not transposed in 2": ("not transposed",),
            "input of the layer before in 3 + averaged": ("wrong activation", "averaged", "scale"),
        },
    ),
    *cases(
        "deep relu 5-6-6-3",
        relu_layers,
        deep_relu,
        Point(1, seed=8),
        {
            "slope left out in 1": LEFT_OUT,
            "output of the layer in 2": ("wrong activation",),
            "sign in 1": ("sign", "constant ratio", "scale"),
        },
    ),
]
