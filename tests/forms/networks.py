"""Networks that the tests of the forms share, with numbers for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from symbackprop.adjoint.records import Differentiation
from symbackprop.adjoint.sweep import differentiate
from symbackprop.layers.dense import Dense
from symbackprop.network import describe, network_program
from symbackprop.notation.program import Program

SIZES = {"N": 3, "D": 2, "H": 4, "K": 2}

CASES: dict[str, dict[str, Any]] = {
    "sigmoid": {"layers": [Dense("H", "sigmoid"), Dense("K")], "loss": "half_squared_error"},
    "fused softmax": {"layers": [Dense("H", "tanh"), Dense("K", "softmax")], "loss": "categorical_cross_entropy"},
    "logits": {"layers": [Dense("H", "relu"), Dense("K")], "loss": "categorical_cross_entropy_with_logits"},
    "fused sigmoid": {"layers": [Dense("H", "silu"), Dense("K", "sigmoid")], "loss": "binary_cross_entropy"},
    "binary logits": {"layers": [Dense("H", "gelu"), Dense("K")], "loss": "binary_cross_entropy_with_logits"},
    "hidden softmax": {"layers": [Dense("H", "softmax"), Dense("K")], "loss": "mean_squared_error"},
    "no bias, in_out": {
        "layers": [Dense("H", "elu", bias=False), Dense("K", "hard_sigmoid")],
        "loss": "mean_absolute_error",
        "weight_layout": "in_out",
    },
    "penalties": {"layers": [Dense("H", "selu"), Dense("K")], "loss": "huber", "l1": 0.1, "l2": 0.01},
    "sum": {"layers": [Dense("H", "softplus"), Dense("K")], "loss": "log_cosh", "reduction": "sum"},
    "hinge": {"layers": [Dense("H", "leaky_relu"), Dense("K", "tanh")], "loss": "hinge"},
    "upstream": {"layers": [Dense("H", "gelu_tanh"), Dense("K", "sigmoid")], "loss": "upstream"},
    "three layers": {
        "layers": [Dense("H", "tanh"), Dense(3, "sigmoid"), Dense("K")],
        "loss": "half_squared_error",
    },
}


def program(name: str, fused: bool = True) -> Program:
    case = {"inputs": "D", "name": name, **CASES[name]}
    return network_program(describe(**case), fused=fused)


def derived(name: str) -> Differentiation:
    return differentiate(program(name))


def arrays(prog: Program, seed: int = 0, sizes: dict[str, int] | None = None) -> dict[str, np.ndarray]:
    """Numbers for the declared variables; targets such that every loss is defined."""
    rng = np.random.default_rng(seed)
    numbers = {symbol: (sizes or SIZES)[symbol.name] for symbol in prog.sizes}
    values = {}
    for variable in prog.inputs:
        shape = tuple(int(sympy.sympify(extent.xreplace(numbers))) for extent in variable.shape)
        values[variable.name] = rng.normal(size=shape)
    values["y"] = rng.uniform(0.1, 0.9, size=values["y"].shape)
    return values
