"""Derives the gradients of neural networks symbolically and proves them right.

import symbackprop as sbp

net = sbp.Network(inputs=2, layers=[sbp.Dense(3, activation="sigmoid"), sbp.Dense(1)],
                  loss="half_squared_error")
derivation = net.derive()
print(derivation["W1"].index)        # index form, as a SymPy expression and as LaTeX
print(derivation["W1"].matrix.latex)
derivation.save("derivation.tex")
function = derivation.compile()      # function(parameters, x, y) -> (loss, gradients)
print(derivation.verify())           # every weight against finite differences
print(sbp.check_gradients(backward, net, parameters, x, y))   # a backward pass of one's own: what is wrong with it
print(sbp.check_document("notes.tex"))   # formulas of somebody's notes: which hold, and what is wrong with the others
run = net.train(x=x, y=y, learning_rate=0.1, epochs=1000)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from symbackprop._version import __version__

if TYPE_CHECKING:
    from symbackprop.api import Derivation, Gradient, Network, Program, check_document, check_gradients
    from symbackprop.claims.result import Check, Claim
    from symbackprop.diagnosis.result import GradientCheck
    from symbackprop.errors import (
        EquationError,
        NoRuleError,
        SizeError,
        SymbackpropError,
        UnreadableError,
        UsageError,
    )
    from symbackprop.layers.activations import Activation
    from symbackprop.layers.dense import Dense
    from symbackprop.layers.losses import Loss
    from symbackprop.optimizers import SGD, Adam
    from symbackprop.training.result import Training
    from symbackprop.verification.report import Report

# SymPy takes most of a second to import; nothing is loaded before it is used.
_HOMES = {
    "Activation": "layers.activations",
    "Adam": "optimizers",
    "Check": "claims.result",
    "Claim": "claims.result",
    "Dense": "layers.dense",
    "Derivation": "api",
    "EquationError": "errors",
    "Gradient": "api",
    "GradientCheck": "diagnosis.result",
    "Loss": "layers.losses",
    "Network": "api",
    "NoRuleError": "errors",
    "Program": "api",
    "Report": "verification.report",
    "SGD": "optimizers",
    "SizeError": "errors",
    "SymbackpropError": "errors",
    "Training": "training.result",
    "UnreadableError": "errors",
    "UsageError": "errors",
    "check_document": "api",
    "check_gradients": "api",
}

__all__ = [
    "SGD",
    "Activation",
    "Adam",
    "Check",
    "Claim",
    "Dense",
    "Derivation",
    "EquationError",
    "Gradient",
    "GradientCheck",
    "Loss",
    "Network",
    "NoRuleError",
    "Program",
    "Report",
    "SizeError",
    "SymbackpropError",
    "Training",
    "UnreadableError",
    "UsageError",
    "__version__",
    "check_document",
    "check_gradients",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'symbackprop' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"symbackprop.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
