"""Random correct implementations of backward passes: other orders of operations, other forms, other precision."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from bank_case import Array, Arrays
from correct_networks import SHAPES, STRUCTURES, Structure, as_dtype, point_of, structure
from correct_parts import ACTIVATIONS, BACKS, ERRORS, PRODUCTS, SLOPES, SOFTMAX_BACKS, SUMS

__all__ = ["COUNT", "Implementation", "implementation", "largest_scale"]

COUNT = 1000
"""How many implementations the tests ask for."""


@dataclass(frozen=True)
class Style:
    """How one author writes it; a number chooses a row of the tables in ``correct_parts``."""

    order: str
    mean: str
    folded: bool
    fused: bool
    penalty: int
    numbers: tuple[int, ...]

    def choose(self, table: tuple[Any, ...], place: int) -> Any:
        return table[self.numbers[place % len(self.numbers)] % len(table)]


@dataclass(frozen=True)
class Implementation:
    """A correct backward pass at a point. ``dtype`` is what it computes in; the parameters have it where ``declared``
    is by them, and are float64 otherwise."""

    number: int
    made: Structure
    style: Style
    dtype: str
    declared: str
    parameters: dict[str, Array]
    x: Array
    y: Array

    @property
    def network(self) -> Any:
        return self.made.network

    def backward(self, parameters: Arrays, x: Any, y: Any) -> dict[str, Array]:
        """The gradients in this style."""
        given = as_dtype(parameters, self.dtype)
        return gradients(self.made, self.style, given, np.asarray(x, self.dtype), np.asarray(y, self.dtype))

    def options(self) -> dict[str, str]:
        """What has to be said to the checker."""
        return {"dtype": self.dtype} if self.declared == "by keyword" else {}

    def __str__(self) -> str:
        return f"implementation {self.number}: {self.made}; {self.dtype}, {self.style}"


@cache
def implementation(number: int) -> Implementation:
    """The implementation of this number."""
    rng = np.random.default_rng([43, number])
    made = structure(number % STRUCTURES)
    parameters, x, y = point_of(made, number % SHAPES, rng)
    declared = str(rng.choice(["by nothing", "by nothing", "by nothing", "by keyword", "by parameters"]))
    dtype = "float64" if declared == "by nothing" else "float32"
    if declared == "by parameters":
        parameters, x, y = as_dtype(parameters, dtype), x.astype(dtype), y.astype(dtype)
    style = Style(
        str(rng.choice(["together", "one by one", "reversed", "shuffled", "halves"])),
        str(rng.choice(["early", "late", "in two parts"])),
        bool(rng.random() < 0.2),
        bool(rng.random() < 0.7) or not _moderate(made, parameters, x),
        int(rng.integers(3)),
        tuple(int(n) for n in rng.integers(60, size=7)),
    )
    return Implementation(number, made, style, dtype, declared, parameters, x, y)


def _moderate(made: Structure, parameters: Arrays, x: Array) -> bool:
    """Whether the last layer's z are so small that dividing by p (1 - p) loses no more than a few digits."""
    a: Any = x
    for number, kind in enumerate(made.kinds, 1):
        weight = parameters[f"W{number}"]
        z = a @ (weight.T if made.layout == "out_in" else weight) + parameters.get(f"b{number}", 0)
        a = ACTIVATIONS[kind][0](z)
    return bool(np.abs(z).max() < 4)


def gradients(made: Structure, style: Style, parameters: Arrays, x: Array, y: Array) -> dict[str, Array]:
    """The gradients of a network in a style."""
    n = len(x)
    factor = _factor(made, y)
    early, late = {"early": (factor, 1), "late": (1, factor), "in two parts": (factor * n, 1 / n)}[style.mean]
    total: dict[str, Array] = {}
    for rows in _parts(n, style):
        for name, part in _sums(made, style, parameters, x[rows], y[rows], early).items():
            total[name] = total[name] + part if name in total else part
    found = {name: (array * late).reshape(parameters[name].shape) for name, array in total.items()}
    for name, array in parameters.items():
        if name.startswith("W"):
            found[name] = _penalised(found[name], array, made, style)
    return {name: array.astype(x.dtype) for name, array in found.items()}


def _factor(made: Structure, y: Array) -> float:
    """What the loss multiplies its sum by."""
    if made.reduction == "sum" or made.loss == "upstream":
        return 1.0
    entries = made.loss.startswith("binary") or made.loss in (
        "mean_squared_error",
        "mean_absolute_error",
        "huber",
        "log_cosh",
        "hinge",
    )
    return 1 / y.size if entries else 1 / len(y)


def _parts(n: int, style: Style) -> list[Array]:
    rows = np.arange(n)
    if style.order == "one by one":
        return [rows[i : i + 1] for i in range(n)]
    if style.order == "reversed":
        return [rows[::-1]]
    if style.order == "shuffled":
        return [np.random.default_rng(n).permutation(n)]
    if style.order == "halves" and n > 1:
        return [rows[: n // 2], rows[n // 2 :]]
    return [rows]


def _penalised(gradient: Array, weight: Array, made: Structure, style: Style) -> Array:
    l1, l2 = made.l1, made.l2
    if style.penalty == 0:
        return gradient + l2 * weight + l1 * np.sign(weight)
    if style.penalty == 1:
        return l1 * (weight > 0) - l1 * (weight < 0) + (l2 / 2 * (weight + weight) + gradient)
    return (gradient + weight * l2) + l1 * weight / np.abs(weight)


def _sums(made: Structure, style: Style, parameters: Arrays, x: Array, y: Array, factor: float) -> dict[str, Array]:
    """The sums over some examples, before what is late."""
    out_in = made.layout == "out_in"
    weights = [parameters[f"W{n}"] if out_in else parameters[f"W{n}"].T for n in range(1, len(made.kinds) + 1)]
    a, zs = [x], []
    for number, (kind, weight) in enumerate(zip(made.kinds, weights, strict=True), 1):
        zs.append(_affine(a[-1], weight, parameters.get(f"b{number}"), style, number))
        a.append(style.choose(ACTIVATIONS[kind], number)(zs[-1]))
    delta = _last(made, style, zs[-1], a[-1], y) * factor
    found: dict[str, Array] = {}
    for number in range(len(weights), 0, -1):
        weight, bias = weights[number - 1], parameters.get(f"b{number}")
        if style.folded and bias is not None:
            ones = np.ones((len(x), 1), x.dtype)
            both = style.choose(SUMS, number)(delta, np.hstack([a[number - 1], ones]))
            by_weight, found[f"b{number}"] = both[:, :-1], both[:, -1]
        else:
            by_weight = style.choose(SUMS, number)(delta, a[number - 1])
            if bias is not None:
                found[f"b{number}"] = style.choose(_BIAS_SUMS, number)(delta)
        found[f"W{number}"] = by_weight if out_in else by_weight.T
        if number > 1:
            back = style.choose(BACKS, number)(delta, weight)
            delta = _through(made.kinds[number - 2], style, zs[number - 2], a[number - 1], back, number)
    return found


_BIAS_SUMS = (
    lambda d: d.sum(axis=0),
    lambda d: d.sum(axis=0, keepdims=True),
    lambda d: np.ones(len(d), d.dtype) @ d,
    lambda d: sum(d[n] for n in reversed(range(len(d)))),
    lambda d: np.einsum("nj->j", d),
)


def _affine(a: Array, weight: Array, bias: Array | None, style: Style, place: int) -> Array:
    if bias is None:
        return style.choose(PRODUCTS, place)(a, weight)
    if style.folded:
        return np.hstack([a, np.ones((len(a), 1), a.dtype)]) @ np.hstack([weight, bias[:, None]]).T
    return style.choose(PRODUCTS, place)(a, weight) + bias.reshape(1, -1)


def _last(made: Structure, style: Style, z: Array, a: Array, y: Array) -> Array:
    """The derivative by z of the last layer, through the activation or with it cancelled."""
    kind = made.kinds[-1]
    if (made.loss, kind) == ("binary_cross_entropy", "sigmoid") and style.fused:
        return a - y
    if (made.loss, kind) == ("categorical_cross_entropy", "softmax") and style.fused:
        return a - y if style.penalty else a * y.sum(axis=1, keepdims=True) - y
    if (made.loss, kind) == ("categorical_cross_entropy", "sigmoid") and style.fused:
        return y * (a - 1)
    return _through(kind, style, z, a, style.choose(ERRORS[made.loss], 0)(a, y), 0)


def _through(kind: str, style: Style, z: Array, a: Array, g: Array, place: int) -> Array:
    if kind == "softmax":
        return style.choose(SOFTMAX_BACKS, place)(a, g)
    return g * style.choose(SLOPES[kind], place)(z, a)


def largest_scale(made: Structure, parameters: Arrays, x: Array, y: Array) -> dict[str, float]:
    """How large each gradient could be if no unit were saturated: what rounding is measured by where units are."""
    a, outputs = x, []
    for number, kind in enumerate(made.kinds, 1):
        weight = parameters[f"W{number}"] if made.layout == "out_in" else parameters[f"W{number}"].T
        outputs.append(a)
        a = ACTIVATIONS[kind][0](a @ weight.T + parameters.get(f"b{number}", 0))
    delta = (1 + np.abs(y) + np.abs(a)) * _factor(made, y)
    found = {}
    for number in range(len(made.kinds), 0, -1):
        weight = parameters[f"W{number}"] if made.layout == "out_in" else parameters[f"W{number}"].T
        found[f"W{number}"] = float((delta.T @ np.abs(outputs[number - 1])).max() + np.abs(weight).max())
        found[f"b{number}"] = float(delta.sum(0).max())
        delta = delta @ np.abs(weight)
    return found
