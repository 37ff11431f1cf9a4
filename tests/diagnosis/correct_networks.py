"""Random networks and points for the correct implementations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from bank_case import Array, Arrays

import symbackprop as sbp

__all__ = ["SHAPES", "STRUCTURES", "Structure", "compiled_of", "point_of", "structure"]

STRUCTURES = 64
SHAPES = 256
"""So many networks, and so many choices of widths and batch; each serves several implementations."""

_HIDDEN = ("sigmoid", "tanh", "relu", "softplus", "identity", "softmax")
_OUTPUTS = {
    "half_squared_error": _HIDDEN,
    "mean_squared_error": _HIDDEN,
    "mean_absolute_error": _HIDDEN,
    "huber": _HIDDEN,
    "log_cosh": _HIDDEN,
    "hinge": ("identity", "tanh"),
    "binary_cross_entropy": ("sigmoid", "sigmoid", "softmax"),
    "categorical_cross_entropy": ("softmax", "softmax", "sigmoid"),
    "binary_cross_entropy_with_logits": ("identity",),
    "categorical_cross_entropy_with_logits": ("identity",),
    "upstream": _HIDDEN,
}


@dataclass(frozen=True)
class Structure:
    """A network and what a backward pass by hand has to know of it. ``widths`` has None where sizes are symbols."""

    network: Any
    kinds: tuple[str, ...]
    biases: tuple[bool, ...]
    widths: tuple[int, ...] | None
    loss: str
    reduction: str
    layout: str
    l1: float
    l2: float

    def __str__(self) -> str:
        penalties = ", ".join(f"{name} {value}" for name, value in (("l1", self.l1), ("l2", self.l2)) if value)
        words = f"{', '.join(self.kinds)}; {self.loss}, {self.reduction}, {self.layout}"
        return f"{words}, {penalties}" if penalties else words


@cache
def structure(number: int) -> Structure:
    """The network of this number; every second one has symbolic sizes."""
    rng = np.random.default_rng([41, number])
    depth = 1 + number % 3
    loss = list(_OUTPUTS)[number % len(_OUTPUTS)]
    kinds = (*(str(kind) for kind in rng.choice(_HIDDEN, size=depth - 1)), str(rng.choice(_OUTPUTS[loss])))
    biases = tuple(bool(rng.random() < 0.85) for _ in kinds)
    widths = None if number % 2 else tuple(int(w) for w in rng.integers(1, 13, size=depth + 1))
    sizes: tuple[Any, ...] = widths or ("D", *(f"H{n}" for n in range(1, depth)), "K")
    options = {
        "reduction": str(rng.choice(["mean", "mean", "sum"])),
        "weight_layout": str(rng.choice(["out_in", "out_in", "in_out"])),
        "l1": float(rng.choice([0, 0, 0.01])),
        "l2": float(rng.choice([0, 0, 0.1])),
    }
    layers = [sbp.Dense(*layer) for layer in zip(sizes[1:], kinds, biases, strict=True)]
    network = sbp.Network(sizes[0], layers, loss, **options)
    layout = options.pop("weight_layout")
    return Structure(network, kinds, biases, widths, loss, layout=layout, **options)


@cache
def compiled_of(number: int) -> Any:
    """The derived gradients of the network of this number."""
    return structure(number).network.derive().compile()


def point_of(made: Structure, shape: int, rng: np.random.Generator) -> tuple[dict[str, Array], Array, Array]:
    """Widths from 1 to 12, batches from 1 to 20, weights from small to saturating; so many kinds of ``shape``."""
    sizes = np.random.default_rng([47, shape])
    widths = made.widths or tuple(int(w) for w in sizes.integers(1, 13, size=len(made.kinds) + 1))
    batch, scale = int(sizes.choice([1, 2, sizes.integers(3, 21)])), float(rng.choice([0.3, 1, 1, 1, 3, 8]))
    parameters = {}
    for number, (inputs, units) in enumerate(pairwise(widths), 1):
        shape = (units, inputs) if made.layout == "out_in" else (inputs, units)
        parameters[f"W{number}"] = rng.normal(size=shape) * scale / np.sqrt(inputs)
        if made.biases[number - 1]:
            parameters[f"b{number}"] = rng.normal(size=units)
    x = rng.normal(size=(batch, widths[0]))
    return parameters, x, _targets(made.loss, (batch, widths[-1]), rng)


def _targets(loss: str, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    if loss.startswith("categorical"):
        return np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
    if loss.startswith("binary"):
        return rng.integers(2, size=shape).astype(float)
    if loss == "hinge":
        return rng.choice([-1.0, 1.0], size=shape)
    return rng.normal(size=shape)


def as_dtype(arrays: Arrays, dtype: str) -> dict[str, Array]:
    return {name: array.astype(dtype) for name, array in arrays.items()}
