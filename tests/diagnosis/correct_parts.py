"""The parts of a backward pass, each written in all the ways that come to mind; each row of a table is right."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np

Array = np.ndarray

__all__ = ["ACTIVATIONS", "BACKS", "ERRORS", "PRODUCTS", "SLOPES", "SOFTMAXES", "SOFTMAX_BACKS", "SUMS"]


def _sigmoid_by_cases(z: Array) -> Array:
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + small), small / (1 + small))


def _plain_sigmoid(z: Array) -> Array:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def _leading(z: Array) -> Array:
    return z - z.max(axis=1, keepdims=True)


def _by_sum(z: Array) -> Array:
    raised = np.exp(_leading(z))
    return raised / raised.sum(axis=1, keepdims=True)


def _by_logarithm(z: Array) -> Array:
    top = z.max(axis=1, keepdims=True)
    return np.exp(z - top - np.log(np.exp(z - top).sum(axis=1, keepdims=True)))


def _row_by_row(z: Array) -> Array:
    return np.array([[1 / np.exp(np.minimum(row - one, 80)).sum() for one in row] for row in z], dtype=z.dtype)


SOFTMAXES = (_by_sum, _by_logarithm, _row_by_row)

ACTIVATIONS: MappingProxyType[str, tuple[Callable[[Array], Array], ...]] = MappingProxyType(
    {
        "identity": (lambda z: z, np.copy),
        "sigmoid": (_plain_sigmoid, _sigmoid_by_cases, lambda z: (1 + np.tanh(z / 2)) / 2),
        "tanh": (
            np.tanh,
            lambda z: 2 * _sigmoid_by_cases(2 * z) - 1,
            lambda z: np.sinh(np.clip(z, -40, 40)) / np.cosh(np.clip(z, -40, 40)),
        ),
        "relu": (lambda z: np.maximum(z, 0), lambda z: z * (z > 0), lambda z: (z + np.abs(z)) / 2),
        "softplus": (
            lambda z: np.logaddexp(0, z).astype(z.dtype),
            lambda z: np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0),
        ),
        "softmax": SOFTMAXES,
    }
)

SLOPES: MappingProxyType[str, tuple[Callable[[Array, Array], Array], ...]] = MappingProxyType(
    {
        "identity": (lambda z, a: np.ones_like(z), lambda z, a: 1),
        "sigmoid": (
            lambda z, a: a * (1 - a),
            lambda z, a: a - a**2,
            lambda z, a: np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))) ** 2,
            lambda z, a: 1 / (2 + 2 * np.cosh(np.clip(z, -80, 80))),
            lambda z, a: _sigmoid_by_cases(z) * _sigmoid_by_cases(-z),
        ),
        "tanh": (
            lambda z, a: 1 - a**2,
            lambda z, a: (1 - a) * (1 + a),
            lambda z, a: 1 / np.cosh(np.clip(z, -40, 40)) ** 2,
            lambda z, a: 4 / (np.exp(np.clip(z, -40, 40)) + np.exp(-np.clip(z, -40, 40))) ** 2,
        ),
        "relu": (
            lambda z, a: z > 0,
            lambda z, a: np.sign(a),
            lambda z, a: np.heaviside(z, 0).astype(z.dtype),
            lambda z, a: np.where(a > 0, 1, 0).astype(z.dtype),
        ),
        "softplus": (
            lambda z, a: _sigmoid_by_cases(z),
            lambda z, a: 1 - np.exp(-a),
            lambda z, a: -np.expm1(-a),
            lambda z, a: (1 + np.tanh(z / 2)) / 2,
        ),
    }
)

SOFTMAX_BACKS: tuple[Callable[[Array, Array], Array], ...] = (
    lambda p, g: p * (g - (p * g).sum(axis=1, keepdims=True)),
    lambda p, g: p * g - p * np.einsum("nj,nj->n", p, g)[:, None],
    lambda p, g: np.stack([(np.diag(one) - np.outer(one, one)) @ by for one, by in zip(p, g, strict=True)]),
    lambda p, g: np.einsum("nij,nj->ni", p[:, :, None] * (np.eye(p.shape[1], dtype=p.dtype) - p[:, None, :]), g),
)

ERRORS: MappingProxyType[str, tuple[Callable[[Array, Array], Array], ...]] = MappingProxyType(
    {
        "half_squared_error": (lambda a, y: a - y, lambda a, y: -(y - a)),
        "mean_squared_error": (lambda a, y: 2 * (a - y), lambda a, y: (a - y) + (a - y)),
        "mean_absolute_error": (
            lambda a, y: np.sign(a - y),
            lambda a, y: (a > y).astype(a.dtype) - (a < y).astype(a.dtype),
        ),
        "huber": (
            lambda a, y: np.clip(a - y, -1, 1),
            lambda a, y: np.where(np.abs(a - y) <= 1, a - y, np.sign(a - y)),
        ),
        "log_cosh": (lambda a, y: np.tanh(a - y), lambda a, y: 1 - 2 * _sigmoid_by_cases(-2 * (a - y))),
        "hinge": (lambda a, y: -y * (1 - y * a > 0), lambda a, y: np.where(y * a < 1, -y, np.zeros_like(y))),
        "binary_cross_entropy": (
            lambda a, y: -y / a + (1 - y) / (1 - a),
            lambda a, y: (a - y) / (a * (1 - a)),
        ),
        "categorical_cross_entropy": (lambda a, y: -y / a,),
        "binary_cross_entropy_with_logits": (
            lambda a, y: _sigmoid_by_cases(a) - y,
            lambda a, y: (1 - y) * _sigmoid_by_cases(a) - y * _sigmoid_by_cases(-a),
        ),
        "categorical_cross_entropy_with_logits": (
            lambda a, y: _by_sum(a) - y,
            lambda a, y: _by_logarithm(a) * y.sum(axis=1, keepdims=True) - y,
        ),
        "upstream": (lambda a, y: y, lambda a, y: 1 * y),
    }
)
"""The loss of one entry differentiated by the output, before anything is averaged."""

PRODUCTS: tuple[Callable[[Array, Array], Array], ...] = (
    lambda a, w: a @ w.T,
    lambda a, w: (w @ a.T).T,
    lambda a, w: np.einsum("ni,ji->nj", a, w),
    lambda a, w: sum(a[:, i, None] * w[None, :, i] for i in reversed(range(w.shape[1]))),
    lambda a, w: np.stack([w @ one for one in a]),
)
"""z without its bias, from the inputs and a weight (units x inputs)."""

BACKS: tuple[Callable[[Array, Array], Array], ...] = (
    lambda d, w: d @ w,
    lambda d, w: (w.T @ d.T).T,
    lambda d, w: np.einsum("nj,ji->ni", d, w),
    lambda d, w: sum(d[:, j, None] * w[None, j, :] for j in reversed(range(w.shape[0]))),
    lambda d, w: np.tensordot(d, w, axes=(1, 0)),
)

SUMS: tuple[Callable[[Array, Array], Array], ...] = (
    lambda d, a: d.T @ a,
    lambda d, a: (a.T @ d).T,
    lambda d, a: np.einsum("nj,ni->ji", d, a),
    lambda d, a: sum(np.outer(d[n], a[n]) for n in reversed(range(len(d)))),
    lambda d, a: (d[:, :, None] * a[:, None, :]).sum(axis=0),
)
"""The gradient of a weight (units x inputs), a sum over the examples."""
