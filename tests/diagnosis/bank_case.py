"""What a case of the bank is: a network, a point, code with a switch for each fault, and what may be said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import symbackprop as sbp

Array = np.ndarray
Arrays = Mapping[str, Array]
Faults = frozenset[str]
Code = Callable[[Arrays, Any, Any, Faults], dict[str, Any]]
Make = Callable[[], Any]

NONE: Faults = frozenset()

KINDS = (
    "not finite",
    "shape",
    "constant ratio",
    "entries",
    "transposed",
    "swapped arrays",
    "derivative left out",
    "derivative at the wrong argument",
    "derivative of another activation",
    "derivative twice",
    "wrong activation",
    "wrong error signal",
    "bias not summed",
    "averaged",
    "wrong axis",
    "examples",
    "scale",
    "sign",
    "weights updated",
    "not transposed",
    "elementwise",
    "diagonal",
    "penalty missing",
    "penalty on biases",
    "penalty scale",
    "learning rate",
    "another network",
    "rounding",
    "cut off",
    "wrong index",
)
"""The kinds of faults there are names for."""


@dataclass(frozen=True)
class Point:
    """Where a backward pass is looked at: so many examples, drawn from ``seed``, weights after ``trained`` steps."""

    batch: int
    trained: int = 0
    seed: int = 0
    scale: float = 1.0

    def __str__(self) -> str:
        return f"batch {self.batch}, {'trained' if self.trained else 'initial'}"


@dataclass(frozen=True)
class Case:
    """A backward pass with a fault. ``kinds`` are the names that are true of it, the most telling one first."""

    name: str
    network: Make
    point: Point
    code: Code
    faults: Faults
    kinds: tuple[str, ...]

    def backward(self, parameters: Arrays, x: Any, y: Any) -> dict[str, Any]:
        """The gradients as the faulty code has them."""
        return self.code(parameters, x, y, self.faults)

    def right(self, parameters: Arrays, x: Any, y: Any) -> dict[str, Any]:
        """The gradients as the same code has them without the fault."""
        return self.code(parameters, x, y, NONE)


def cases(about: str, code: Code, network: Make, point: Point, table: Mapping[str, tuple[str, ...]]) -> list[Case]:
    """A case for each row of ``table``: from a fault, or several joined by " + ", to the names that are true of it."""
    return [
        Case(f"{about}, {point}: {fault}", network, point, code, frozenset(fault.split(" + ")), kinds)
        for fault, kinds in table.items()
    ]


@cache
def compiled(network: Make) -> Any:
    """The derived gradients of a network as a function."""
    return network().derive().compile()


@cache
def arrays_at(network: Make, point: Point) -> tuple[dict[str, Array], Array, Array]:
    """Parameters, x and y at a point; biases lie away from 0."""
    rng = np.random.default_rng([point.seed, 29])
    variables = network().program.inputs
    shapes = {v.name: tuple(int(e) if e.is_Integer else point.batch for e in v.shape) for v in variables}
    x, y = rng.normal(size=shapes.pop("x")), targets(network(), shapes.pop("y"), rng)
    parameters = {
        name: rng.normal(size=shape) * point.scale / (1 if len(shape) < 2 else np.sqrt(min(shape)))
        for name, shape in shapes.items()
    }
    for _ in range(point.trained):
        _, gradients = compiled(network)(parameters, x, y)
        parameters = {name: array - 0.3 * gradients[name] for name, array in parameters.items()}
    return parameters, x, y


def targets(network: Any, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Targets that the network's loss can take."""
    loss = network.description.loss.name if isinstance(network, sbp.Network) else ""
    if loss.startswith("categorical"):
        return np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
    if loss.startswith("binary"):
        return rng.integers(2, size=shape).astype(float)
    if loss == "hinge":
        return rng.choice([-1.0, 1.0], size=shape)
    return rng.uniform(0.1, 0.9, size=shape) if loss == "half_squared_error" else rng.normal(size=shape)


def difference(theirs: Mapping[str, Any], derived: Arrays) -> float:
    """The largest difference of an entry, relative to the larger of the two; infinite where the shapes differ."""
    assert theirs.keys() == derived.keys()
    found = 0.0
    for name, gradient in derived.items():
        other = np.asarray(theirs[name])
        if other.shape != gradient.shape or not np.isfinite(other).all():
            return np.inf
        larger = np.maximum(np.abs(other), np.abs(gradient)) + np.finfo(float).tiny
        found = max(found, float(np.max(np.abs(other - gradient) / larger)))
    return found


def distance(theirs: Mapping[str, Any], derived: Arrays) -> float:
    """The largest difference of an entry, relative to the largest entry of its array; infinite likewise."""
    assert theirs.keys() == derived.keys()
    found = 0.0
    for name, gradient in derived.items():
        other = np.asarray(theirs[name])
        if other.shape != gradient.shape or not np.isfinite(other).all():
            return np.inf
        found = max(found, float(np.abs(other - gradient).max() / (np.abs(gradient).max() + np.finfo(float).tiny)))
    return found


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def sigmoid_prime(z: Array) -> Array:
    return sigmoid(z) * (1 - sigmoid(z))
