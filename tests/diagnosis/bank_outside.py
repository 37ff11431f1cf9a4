"""Faults that no dictionary of faults holds: what people do to a backward pass on purpose, or by rare accidents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from bank_case import NONE, Array, Arrays, Case, Faults, Point, sigmoid

import symbackprop as sbp

__all__ = ["CASES"]

Gradients = dict[str, Array]


@cache
def regression_4_5_5_2() -> sbp.Network:
    layers = [sbp.Dense(5, "sigmoid"), sbp.Dense(5, "sigmoid"), sbp.Dense(2)]
    return sbp.Network(4, layers, "half_squared_error")


@cache
def classes_4_4_3() -> sbp.Network:
    layers = [sbp.Dense(4, "tanh"), sbp.Dense(4, "tanh"), sbp.Dense(3, "softmax")]
    return sbp.Network(4, layers, "categorical_cross_entropy", l2=0.03)


def random(*shape: int) -> Array:
    """The same random numbers in every run."""
    return np.random.default_rng(shape).normal(size=shape)


@dataclass(frozen=True)
class Parts:
    """The parts of a backward pass of three layers, each of which can be exchanged."""

    error: Callable[[Array, Array], Array] = lambda out, y: (out - y) / len(y)
    back: Callable[[Array, Array], Array] = lambda delta, w: delta @ w
    slope: Callable[[str, Array, Array], Array] = lambda kind, z, a: a * (1 - a) if kind == "sigmoid" else 1 - a**2
    delta: Callable[[Array], Array] = lambda delta: delta
    weight: Callable[[Array, Array], Array] = lambda delta, a: delta.T @ a
    bias: Callable[[Array], Array] = lambda delta: delta.sum(0)
    stored: Callable[[Array], Array] = lambda a: a
    end: Callable[[Gradients, Arrays], Gradients] = lambda gradients, parameters: gradients


def _pass(parameters: Arrays, x: Array, y: Array, parts: Parts, kind: str, l2: float) -> Gradients:
    activations, zs = [x], [x]
    for n in (1, 2, 3):
        zs.append(activations[-1] @ parameters[f"W{n}"].T + parameters[f"b{n}"])
        if n < 3:
            activations.append(sigmoid(zs[-1]) if kind == "sigmoid" else np.tanh(zs[-1]))
    out = zs[-1]
    if kind == "tanh":
        out = np.exp(out - out.max(1, keepdims=True))
        out = out / out.sum(1, keepdims=True)
    found: Gradients = {}
    delta = parts.error(out, y)
    for n in (3, 2, 1):
        found[f"W{n}"] = parts.weight(delta, parts.stored(activations[n - 1])) + l2 * parameters[f"W{n}"]
        found[f"b{n}"] = parts.bias(delta)
        if n > 1:
            slope = parts.slope(kind, zs[n - 1], activations[n - 1])
            delta = parts.delta(parts.back(delta, parameters[f"W{n}"]) * slope)
    return parts.end(found, parameters)


def _turned(array: Array) -> Array:
    """Rows and columns in a random order."""
    rng = np.random.default_rng(array.shape)
    return array[rng.permutation(array.shape[0])] if array.ndim == 1 else rng.permuted(array)


def _differences(gradients: Gradients, parameters: Arrays) -> Gradients:
    """What a difference quotient with a large step would give, roughly: the slope some way off."""
    return {name: g + 0.01 * parameters[name] ** 3 for name, g in gradients.items()}


def _every(change: Callable[[Array], Array]) -> Callable[[Gradients, Arrays], Gradients]:
    return lambda gradients, parameters: {name: change(g) for name, g in gradients.items()}


def _right_slope(kind: str, z: Array, a: Array) -> Array:
    return Parts().slope(kind, z, a)


RIGHT = Parts()
SCALED = ("constant ratio", "scale", "learning rate")
ENTRIES = ("entries",)

PARTS: dict[str, tuple[Parts, tuple[str, ...]]] = {
    # what goes back
    "noise on the hidden error": (replace(RIGHT, delta=lambda d: d + 0.1 * np.abs(d).max() * random(*d.shape)), ()),
    "a random matrix in place of W": (replace(RIGHT, back=lambda d, w: d @ random(*w.shape)), ()),
    "the signs of W in place of W": (replace(RIGHT, back=lambda d, w: d @ np.sign(w)), ()),
    "the sizes of W in place of W": (replace(RIGHT, back=lambda d, w: d @ np.abs(w)), ()),
    "W rounded": (replace(RIGHT, back=lambda d, w: d @ np.round(w, 1)), ()),
    "W clipped": (replace(RIGHT, back=lambda d, w: d @ np.clip(w, -0.3, 0.3)), ()),
    "the pseudo-inverse of W": (replace(RIGHT, back=lambda d, w: d @ np.linalg.pinv(w).T), ()),
    "W with its rows normalised": (
        replace(RIGHT, back=lambda d, w: d @ (w / np.linalg.norm(w, axis=1, keepdims=True))),
        (),
    ),
    "W with a random mask": (replace(RIGHT, back=lambda d, w: d @ (w * (random(*w.shape) > -0.5))), ()),
    "the cube of W": (replace(RIGHT, back=lambda d, w: d @ w**3), ()),
    "dropout on the way back alone": (replace(RIGHT, delta=lambda d: d * (random(*d.shape) > -0.3) * 1.6), ()),
    "odd power of the error": (replace(RIGHT, delta=lambda d: np.sign(d) * d**2 * 10), ()),
    "error through tanh": (replace(RIGHT, delta=lambda d: np.tanh(5 * d)), ()),
    "error without its sign": (replace(RIGHT, delta=np.abs), ("sign",)),
    "error centred over the batch": (replace(RIGHT, delta=lambda d: d - d.mean(0)), ()),
    "error centred over the units": (replace(RIGHT, delta=lambda d: d - d.mean(1, keepdims=True)), ()),
    "error divided by its deviation": (replace(RIGHT, delta=lambda d: d / (d.std(0) + 1e-8)), ()),
    "error clipped": (
        replace(RIGHT, delta=lambda d: np.clip(d, -0.6 * np.abs(d).max(), 0.6 * np.abs(d).max())),
        ("entries",),
    ),
    "error of unit length": (replace(RIGHT, delta=lambda d: d / np.linalg.norm(d, axis=1, keepdims=True)), ()),
    "largest half of the error": (replace(RIGHT, delta=lambda d: d * (np.abs(d) > np.median(np.abs(d)))), ("entries",)),
    "units of the error turned round": (replace(RIGHT, delta=lambda d: d[:, ::-1]), ()),
    "error fading over the batch": (replace(RIGHT, delta=lambda d: d * 0.9 ** np.arange(len(d))[:, None]), ()),
    # slopes
    "slope with 0.1 added": (replace(RIGHT, slope=lambda k, z, a: _right_slope(k, z, a) + 0.1), ()),
    "slope with 1e-3 added": (replace(RIGHT, slope=lambda k, z, a: _right_slope(k, z, a) + 1e-3), ()),
    "slope with 1e-6 added": (replace(RIGHT, slope=lambda k, z, a: _right_slope(k, z, a) + 1e-6), ()),
    "slope in straight lines": (replace(RIGHT, slope=lambda k, z, a: np.clip(1 - np.abs(z) / 3, 0, 1)), ()),
    "slope 1 / (1 + z^2)": (replace(RIGHT, slope=lambda k, z, a: 1 / (1 + z**2)), ()),
    "slope 1 / (1 + |z|)": (replace(RIGHT, slope=lambda k, z, a: 1 / (1 + np.abs(z))), ()),
    "slope with a gain": (replace(RIGHT, slope=lambda k, z, a: _right_slope(k, 1.5 * z, np.tanh(1.5 * z))), ()),
    "root of the slope": (replace(RIGHT, slope=lambda k, z, a: np.sqrt(_right_slope(k, z, a))), ()),
    "slope 1 - a": (replace(RIGHT, slope=lambda k, z, a: 1 - a), ()),
    "slope of a rounded to a tenth": (
        replace(RIGHT, slope=lambda k, z, a: _right_slope(k, z, np.round(a, 1))),
        ("rounding",),
    ),
    "slope averaged over the batch": (
        replace(RIGHT, slope=lambda k, z, a: np.ones_like(z) * _right_slope(k, z, a).mean(0)),
        (),
    ),
    "slope over 1 + eps": (replace(RIGHT, slope=lambda k, z, a: _right_slope(k, z, a) / (1 + 0.01 * a)), ()),
    "slope by a wide difference": (
        replace(RIGHT, slope=lambda k, z, a: (np.tanh(z + 0.7) - np.tanh(z - 0.7)) / 1.4),
        (),
    ),
    # the error of the output
    "error cut off at 0.2": (
        replace(RIGHT, error=lambda o, y: np.clip(o - y, -0.2, 0.2) / len(y)),
        ("another network",),
    ),
    "cubed error": (replace(RIGHT, error=lambda o, y: (o - y) ** 3 / len(y)), ("another network",)),
    "targets smoothed": (replace(RIGHT, error=lambda o, y: (o - 0.9 * y - 0.03) / len(y)), ("another network",)),
    "random weights of the examples": (
        replace(RIGHT, error=lambda o, y: (o - y) * np.abs(random(len(y), 1)) / len(y)),
        (),
    ),
    "error with noise": (replace(RIGHT, error=lambda o, y: (o - y + 0.05 * random(*o.shape)) / len(y)), ()),
    # what is multiplied and added up
    "product of the averages": (
        replace(RIGHT, weight=lambda d, a: len(d) * np.outer(d.mean(0), a.mean(0))),
        ("averaged", "examples"),
    ),
    "input with noise": (replace(RIGHT, stored=lambda a: a + 0.05 * random(*a.shape)), ()),
    "input standardised": (replace(RIGHT, stored=lambda a: (a - a.mean(0)) / a.std(0)), ()),
    "input squared": (replace(RIGHT, stored=lambda a: a**2), ()),
    "inputs in one bit": (replace(RIGHT, stored=lambda a: (a > 0.5).astype(float)), ()),
    "bias by the root of the squares": (replace(RIGHT, bias=lambda d: np.sqrt((d**2).sum(0))), ()),
    "bias by the median": (replace(RIGHT, bias=lambda d: len(d) * np.median(d, axis=0)), ()),
    "bias by the largest": (replace(RIGHT, bias=lambda d: d.max(0)), ()),
    # the end
    "clipped by value": (
        replace(RIGHT, end=_every(lambda g: np.clip(g, -0.6 * np.abs(g).max(), 0.6 * np.abs(g).max()))),
        ENTRIES,
    ),
    "clipped by norm": (replace(RIGHT, end=_every(lambda g: g * 0.03 / np.linalg.norm(g))), SCALED),
    "normalised": (replace(RIGHT, end=_every(lambda g: g / np.linalg.norm(g))), SCALED),
    "signs alone": (replace(RIGHT, end=_every(np.sign)), ()),
    "divided by its root mean square": (replace(RIGHT, end=_every(lambda g: g / (np.abs(g) + 0.01))), ()),
    "entries in random order": (replace(RIGHT, end=_every(_turned)), ENTRIES),
    "momentum of a random gradient": (
        replace(RIGHT, end=_every(lambda g: g + 0.9 * np.abs(g).max() * random(*g.shape))),
        (),
    ),
    "quantised": (
        replace(RIGHT, end=_every(lambda g: np.round(g / np.abs(g).max() * 15) / 15 * np.abs(g).max())),
        ("rounding",),
    ),
    "small entries dropped": (
        replace(RIGHT, end=_every(lambda g: np.where(np.abs(g) > np.median(np.abs(g)), g, 0))),
        ENTRIES,
    ),
    "rows centred": (replace(RIGHT, end=_every(lambda g: g - g.mean(-1, keepdims=True))), ()),
    "cubes of the weights added": (replace(RIGHT, end=_differences), ()),
    "shrunk towards 0": (
        replace(RIGHT, end=_every(lambda g: np.sign(g) * np.maximum(np.abs(g) - 0.1 * np.abs(g).max(), 0))),
        (),
    ),
}


def regression(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    parts = PARTS[next(iter(faults))][0] if faults else RIGHT
    return _pass(parameters, x, y, parts, "sigmoid", 0)


def classes(parameters: Arrays, x: Array, y: Array, faults: Faults = NONE) -> dict[str, Any]:
    parts = PARTS[next(iter(faults))][0] if faults else RIGHT
    return _pass(parameters, x, y, parts, "tanh", 0.03)


_PLACES = (
    ("regression 4-5-5-2", regression, regression_4_5_5_2, Point(6, seed=31)),
    ("classes 4-4-3", classes, classes_4_4_3, Point(5, seed=32)),
    ("regression 4-5-5-2", regression, regression_4_5_5_2, Point(7, trained=100, seed=33)),
)

CASES = [
    Case(f"{about}, {point}: {fault}", network, point, code, frozenset({fault}), kinds)
    for number, (fault, (_, kinds)) in enumerate(PARTS.items())
    for about, code, network, point in (_PLACES[number % 3],)
]
"""Each fault on one of the networks by turns."""
