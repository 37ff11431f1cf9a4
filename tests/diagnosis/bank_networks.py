"""The networks of the bank."""

from __future__ import annotations

from functools import cache

import symbackprop as sbp

__all__ = [
    "binary_3_5_1",
    "deep_relu",
    "deep_tanh",
    "gate_3_4_2",
    "labels_4_6_3",
    "line_4_1",
    "logistic_4_1",
    "mixed_3_4_3",
    "recurrent_3",
    "regression_3_6_2",
    "residual_3",
    "sigmoid_3_4_2",
    "softmax_4_5_3",
    "square_sigmoid",
    "summed_sigmoid",
    "tanh_3_4_2",
]


def _network(inputs: int, layers: list[tuple[int, str]], loss: str, **options: object) -> sbp.Network:
    return sbp.Network(inputs, [sbp.Dense(*layer) for layer in layers], loss, **options)


@cache
def sigmoid_3_4_2() -> sbp.Network:
    return _network(3, [(4, "sigmoid"), (2, "sigmoid")], "half_squared_error")


@cache
def square_sigmoid() -> sbp.Network:
    return _network(4, [(4, "sigmoid"), (4, "sigmoid")], "half_squared_error")


@cache
def summed_sigmoid() -> sbp.Network:
    return _network(3, [(3, "sigmoid"), (3, "sigmoid")], "half_squared_error", reduction="sum")


@cache
def softmax_4_5_3() -> sbp.Network:
    return _network(4, [(5, "tanh"), (3, "softmax")], "categorical_cross_entropy", l2=0.05)


@cache
def deep_relu() -> sbp.Network:
    layers = [(6, "relu"), (6, "relu"), (3, "softmax")]
    return _network(5, layers, "categorical_cross_entropy", reduction="sum")


@cache
def deep_tanh() -> sbp.Network:
    return _network(4, [(4, "tanh"), (4, "tanh"), (4, "tanh"), (2, "identity")], "half_squared_error")


@cache
def binary_3_5_1() -> sbp.Network:
    return _network(3, [(5, "tanh"), (1, "sigmoid")], "binary_cross_entropy")


@cache
def labels_4_6_3() -> sbp.Network:
    return _network(4, [(6, "relu"), (3, "sigmoid")], "binary_cross_entropy", l1=0.02)


@cache
def regression_3_6_2() -> sbp.Network:
    layers = [(6, "relu"), (2, "identity")]
    return _network(3, layers, "mean_squared_error", weight_layout="in_out", l2=0.1)


@cache
def tanh_3_4_2() -> sbp.Network:
    return _network(3, [(4, "tanh"), (2, "identity")], "half_squared_error", reduction="sum")


@cache
def gate_3_4_2() -> sbp.Network:
    return _network(3, [(4, "softmax"), (2, "identity")], "half_squared_error")


@cache
def mixed_3_4_3() -> sbp.Network:
    return _network(3, [(4, "tanh"), (3, "softmax")], "mean_squared_error")


@cache
def logistic_4_1() -> sbp.Network:
    return _network(4, [(1, "sigmoid")], "binary_cross_entropy")


@cache
def line_4_1() -> sbp.Network:
    return _network(4, [(1, "identity")], "mean_squared_error")


@cache
def residual_3() -> sbp.Program:
    """A hidden layer, a residual block around a second one, and an output."""
    return sbp.Program(
        [
            "h1[n,j] = tanh(Sum(W1[j,i]*x[n,i], i) + b1[j])",
            "r[n,j] = tanh(Sum(W2[j,i]*h1[n,i], i) + b2[j])",
            "h2[n,j] = h1[n,j] + r[n,j]",
            "out[n,k] = Sum(W3[k,j]*h2[n,j], j) + b3[k]",
            "L = Sum((out[n,k] - y[n,k])**2, n, k)/(2*N)",
        ],
        "L",
        inputs={"x": ("N", 3)},
        targets={"y": ("N", 2)},
        parameters={"W1": (3, 3), "b1": (3,), "W2": (3, 3), "b2": (3,), "W3": (2, 3), "b3": (2,)},
        output="out",
        batch="N",
        name="residual block",
    )


@cache
def recurrent_3() -> sbp.Program:
    """Three steps of a recurrent layer, with an error at the last."""
    return sbp.Program(
        [
            "h1[j] = tanh(Sum(W[j,i]*x[0,i], i) + b[j])",
            "h2[j] = tanh(Sum(W[j,i]*x[1,i], i) + Sum(U[j,k]*h1[k], k) + b[j])",
            "h3[j] = tanh(Sum(W[j,i]*x[2,i], i) + Sum(U[j,k]*h2[k], k) + b[j])",
            "L = Sum((h3[j] - y[j])**2, j)/2",
        ],
        "L",
        inputs={"x": (3, 2)},
        targets={"y": (3,)},
        parameters={"W": (3, 2), "U": (3, 3), "b": (3,)},
        output="h3",
        name="recurrent layer",
    )
