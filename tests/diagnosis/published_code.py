"""Published backward passes, as they are right, with the published fault as a switch."""

from __future__ import annotations

from typing import Any

import numpy as np
from bank_case import NONE, Array, Arrays, Faults, sigmoid, sigmoid_prime

__all__ = [
    "chain",
    "classes",
    "convolution_backward",
    "elu_backward",
    "filter_backward",
    "leaky_backward",
    "line",
    "lstm_backward",
    "memory_backward",
    "neuron",
    "notebook",
    "selu_backward",
    "softmax_backward",
    "tanh_backward",
    "three_layers",
    "yes_or_no",
]

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def softmax_backward(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    z = x @ parameters["W1"].T
    s = np.exp(z) / np.exp(z).sum()
    dz = y * s * (1 - s) if "diagonal" in faults else s * (y - (y * s).sum())
    return {"W1": dz.T @ x}


def leaky_backward(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    z = x @ parameters["W1"].T
    return {"W1": (y * np.where(z > 0, 1, 0 if "relu" in faults else 0.3)).T @ x}


def selu_backward(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    def selu(v: Array) -> Array:
        return SELU_SCALE * np.where(v > 0, v, SELU_ALPHA * (np.exp(v) - 1))

    out = selu(x @ parameters["W1"].T)
    below = out + SELU_SCALE * SELU_ALPHA
    if "function again" in faults:
        below = SELU_SCALE * (selu(out) + SELU_ALPHA)
    return {"W1": (y * np.where(out > 0, SELU_SCALE, below)).T @ x}


def elu_backward(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    z = x @ parameters["W1"].T
    out = np.where(z > 0, z, np.exp(z) - 1)
    below = np.exp(out) if "exponential of the output" in faults else out + 1
    return {"W1": (y * np.where(out > 0, 1, below)).T @ x}


def tanh_backward(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    values = np.tanh(x @ parameters["W1"].T)
    slope = 1 - values**2
    if "plus" in faults:
        slope = 1 + values**2
    if "tanh of the output" in faults:
        slope = 1 - np.tanh(values) ** 2
    return {"W1": (y * slope).T @ x}


def classes(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    z = x @ parameters["W1"].T
    a = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    d = (a - y) * a * (1 - a) if "slope" in faults else a - y
    return {"W1": d.T @ x}


def yes_or_no(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    z = x @ parameters["W1"].T
    d = (sigmoid(z) - y) * sigmoid_prime(z) if "slope" in faults else sigmoid(z) - y
    return {"W1": d.T @ x}


def notebook(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    hidden = sigmoid(x @ parameters["W1"] + parameters["b1"])
    output = sigmoid(hidden @ parameters["W2"] + parameters["b2"])
    d_output = (y - output) * output * (1 - output)
    d_hidden = d_output @ parameters["W2"].T * hidden * (1 - hidden)
    b1 = d_hidden.sum(axis=1 if "sums of rows" in faults else 0)
    return {"W1": -x.T @ d_hidden, "b1": -b1, "W2": -hidden.T @ d_output, "b2": -d_output.sum(0)}


def three_layers(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    """Four published mistakes, and one that somebody wanted made, in the same small network."""
    w1, b1, w2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
    h = sigmoid(x @ w1 + b1)
    net = h @ w2 + b2
    out = sigmoid(net)
    error = out - y
    delta = error * out * (1 - out)
    if "1 - error" in faults:
        delta = error * (1 - error)
    if "slope at the net input" in faults:
        delta = error * net * (1 - net)
    hidden_error = delta @ w2.T
    if "error sent back" in faults:
        hidden_error = error @ w2.T
    if "error not sent back" in faults:
        hidden_error = error.sum(axis=1, keepdims=True)
    hidden = hidden_error * h * (1 - h)
    found = {"W1": x.T @ hidden, "b1": hidden.sum(0), "W2": h.T @ delta, "b2": delta.sum(0)}
    if "no slope in W2" in faults:
        found["W2"] = h.T @ error
    if "biases averaged" in faults:
        found["b1"], found["b2"] = hidden.mean(0), delta.mean(0)
    return found


def chain(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    w1, b1, w2, b2 = (float(np.squeeze(parameters[name])) for name in ("W1", "b1", "W2", "b2"))
    z1 = w1 * x.item() + b1
    h = sigmoid(z1)
    z2 = w2 * h + b2
    out = sigmoid(z2)
    by_output = 2 * (out - y.item())
    slope2, slope1 = out * (1 - out), h * (1 - h)
    if "weights for inputs" in faults:
        back = by_output * w2
        found = {"W1": back * slope1 * w1, "b1": back * slope1, "W2": by_output * slope2 * w2, "b2": by_output * slope2}
    else:
        delta2 = by_output * slope2
        delta1 = delta2 * w2 * slope1
        found = {"W1": delta1 * x.item(), "b1": delta1, "W2": delta2 * h, "b2": delta2}
    return {name: np.full(parameters[name].shape, value) for name, value in found.items()}


def neuron(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    h = x @ parameters["W1"].T
    slope = sigmoid_prime(x) if "slope at the features" in faults else sigmoid_prime(h)
    step = (y - sigmoid(h)) * slope * x
    return {"W1": -step.sum(axis=0, keepdims=True) / len(x)}


def line(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    gradient = (x @ parameters["W1"].T - y).T @ x
    if "mean twice" in faults:
        gradient = gradient / len(x)
    return {"W1": gradient / len(x)}


def convolution_backward(parameters: Arrays, x: Any, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    """The scatter form: each output's gradient goes back through its window."""
    image, k = parameters["image"], parameters["k"]
    size, out = len(k), len(y)
    stride = 1 if len(image) - size + 1 == out else 2
    back = np.rot90(k, 2) if "kernel turned in the scatter form" in faults else k
    by_image, by_k = np.zeros_like(image), np.zeros_like(k)
    for i in range(out):
        for j in range(out):
            step = 1 if "stride left out" in faults else stride
            window = np.s_[step * i : step * i + size, step * j : step * j + size]
            by_image[window] += back * y[i, j]
            by_k += image[window] * y[i, j]
    if "kernel not turned" in faults:
        padded = np.pad(y, size - 1)
        for i, j in np.ndindex(image.shape):
            by_image[i, j] = (padded[i : i + size, j : j + size] * k).sum()
    return {"image": by_image, "k": by_k}


def filter_backward(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    w = parameters["w"]
    return {"w": y[0] * x[::-1] + (w[::-1] if "turned when added" in faults else w)}


def memory_backward(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    o1, o2, f2, _ = x
    ds = o1 * y[0] + f2 * (o2 * y[1])
    return {"s": ds / 2 if "half" in faults else ds}


def lstm_backward(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    units = len(parameters["bf"])
    h, c, kept = np.zeros(units), parameters["c0"], []
    for row in x:
        net = {k: parameters[f"W{k}x"] @ row + parameters[f"W{k}h"] @ h + parameters[f"b{k}"] for k in "fiog"}
        f, i, o, g = sigmoid(net["f"]), sigmoid(net["i"]), sigmoid(net["o"]), np.tanh(net["g"])
        before, c_before = h, c
        c = f * c + i * g
        h = o * np.tanh(c)
        kept.append((row, before, c_before, f, i, o, g, c))
    found = {name: np.zeros_like(array) for name, array in parameters.items()}
    dh, dc = np.zeros(units), np.zeros(units)
    for upstream, (row, before, c_before, f, i, o, g, c) in zip(y[::-1], kept[::-1], strict=True):
        dh = dh + upstream
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        delta = {
            "f": dc * c_before * f * (1 - f),
            "i": dc * g * i * (1 - i),
            "o": dh * np.tanh(c) * o * (1 - o),
            "g": dc * i * (1 - g**2),
        }
        for gate, d in delta.items():
            found[f"W{gate}x"] += np.outer(d, row)
            found[f"W{gate}h"] += np.outer(d, before)
            copied = "f" if "deltas copied" in faults and gate in "io" else gate
            found[f"b{gate}"] += delta[copied]
        dh = sum(parameters[f"W{gate}h"].T @ d for gate, d in delta.items())
        dc = dc * f
    found["c0"] = dc
    return found
