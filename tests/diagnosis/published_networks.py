"""The networks and programs that the published code is about."""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy

import symbackprop as sbp

__all__ = [
    "chain_1_1_1",
    "classifier_4",
    "convolution",
    "filter_of_two",
    "leaky",
    "line_2",
    "lstm",
    "memory_cell",
    "neuron_2",
    "notebook_4_3_1",
    "probabilities_4",
    "single",
    "sums_3_3_2",
    "yes_or_no_3",
]


@cache
def single(activation: str) -> sbp.Network:
    """Four units that get nothing but 1 times their weight, so that the gradients of the weights are those of z."""
    return sbp.Network(1, [sbp.Dense(4, activation, bias=False)], "upstream")


@cache
def leaky() -> sbp.Network:
    """The same with a leaky relu of slope 0.3."""
    slope = sbp.Activation(
        "leaky relu of slope 0.3", lambda z: sympy.Max(z, 0) + sympy.Rational(3, 10) * sympy.Min(z, 0)
    )
    return sbp.Network(1, [sbp.Dense(4, slope, bias=False)], "upstream")


@cache
def probabilities_4() -> sbp.Network:
    return single("softmax")


@cache
def classifier_4() -> sbp.Network:
    """Three examples that are the rows of a unit matrix: the weights' gradients are those of z, turned."""
    layers = [sbp.Dense(4, "softmax", bias=False)]
    return sbp.Network(3, layers, "categorical_cross_entropy", reduction="sum")


@cache
def yes_or_no_3() -> sbp.Network:
    layers = [sbp.Dense(3, "sigmoid", bias=False)]
    return sbp.Network(1, layers, "binary_cross_entropy", reduction="sum")


@cache
def notebook_4_3_1() -> sbp.Network:
    return _summed(4, [(3, "sigmoid"), (1, "sigmoid")])


@cache
def sums_3_3_2() -> sbp.Network:
    return _summed(3, [(3, "sigmoid"), (2, "sigmoid")])


def _summed(inputs: int, layers: list[tuple[int, str]]) -> sbp.Network:
    made = [sbp.Dense(*layer) for layer in layers]
    return sbp.Network(inputs, made, "half_squared_error", reduction="sum", weight_layout="in_out")


@cache
def chain_1_1_1() -> sbp.Network:
    return sbp.Network(1, [sbp.Dense(1, "sigmoid"), sbp.Dense(1, "sigmoid")], "mean_squared_error")


@cache
def neuron_2() -> sbp.Network:
    return sbp.Network(2, [sbp.Dense(1, "sigmoid", bias=False)], "half_squared_error")


@cache
def line_2() -> sbp.Network:
    return sbp.Network(2, [sbp.Dense(1, bias=False)], "half_squared_error")


@cache
def convolution(image: int, kernel: int, stride: int) -> sbp.Program:
    """A convolution as libraries compute it, without turning the kernel, and the gradient that reaches it as y."""
    out = (image - kernel) // stride + 1
    places = ("i+a", "j+b") if stride == 1 else (f"{stride}*i+a", f"{stride}*j+b")
    return sbp.Program(
        [f"z[i,j] = Sum(k[a,b]*image[{places[0]},{places[1]}], a, b)", "L = Sum(y[i,j]*z[i,j], i, j)"],
        "L",
        targets={"y": (out, out)},
        parameters={"image": (image, image), "k": (kernel, kernel)},
        shapes={"z": (out, out)},
        name=f"convolution with stride {stride}",
    )


@cache
def filter_of_two() -> sbp.Program:
    """A filter of two weights, turned, whose gradient is added to what lies in the place of the weights."""
    return sbp.Program(
        ["z = w[0]*x[1] + w[1]*x[0]", "L = y[0]*z + Sum(w[i]**2, i)/2"],
        "L",
        inputs={"x": (2,)},
        targets={"y": (1,)},
        parameters={"w": (2,)},
        name="filter",
    )


@cache
def memory_cell() -> sbp.Program:
    """Two steps of a memory cell whose output is not squashed; x holds o1, o2, f2 and what is added."""
    return sbp.Program(
        [
            "h1[j] = x[0,j]*s[j]",
            "s2[j] = x[2,j]*s[j] + x[3,j]",
            "h2[j] = x[1,j]*s2[j]",
            "L = Sum(y[0,j]*h1[j], j) + Sum(y[1,j]*h2[j], j)",
        ],
        "L",
        inputs={"x": (4, 3)},
        targets={"y": (2, 3)},
        parameters={"s": (3,)},
        name="memory cell",
    )


@cache
def lstm(steps: int = 2, inputs: int = 2, units: int = 3) -> sbp.Program:
    """Some steps of an LSTM, written out, and the gradients that reach its outputs as y."""
    equations: list[Any] = []
    for t in range(1, steps + 1):
        for gate, function in (("f", "sigmoid"), ("i", "sigmoid"), ("o", "sigmoid"), ("g", "tanh")):
            net = f"Sum(W{gate}x[j,i]*x[{t - 1},i], i) + b{gate}[j]"
            if t > 1:
                net += f" + Sum(W{gate}h[j,k]*h{t - 1}[k], k)"
            equations.append(f"{gate}{t}[j] = {function}({net})")
        kept = f" + f{t}[j]*c{t - 1}[j]" if t > 1 else f" + f{t}[j]*c0[j]"
        equations += [f"c{t}[j] = i{t}[j]*g{t}[j]{kept}", f"h{t}[j] = o{t}[j]*tanh(c{t}[j])"]
    ends = " + ".join(f"Sum(y[{t - 1},j]*h{t}[j], j)" for t in range(1, steps + 1))
    parameters: dict[str, tuple[int, ...]] = {"c0": (units,)}
    for gate in "fiog":
        parameters |= {f"W{gate}x": (units, inputs), f"W{gate}h": (units, units), f"b{gate}": (units,)}
    return sbp.Program(
        [*equations, f"L = {ends}"],
        "L",
        inputs={"x": (steps, inputs)},
        targets={"y": (steps, units)},
        parameters=parameters,
        name="LSTM",
    )
