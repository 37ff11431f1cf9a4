"""Kernels in complex numbers, for complex steps: cases are decided by real parts, so that each branch is analytic.

Im C(w + i h) / h  is  dC/dw  to rounding, for h as small as one likes (Squire and Trapp, 1998).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.codegen.kernels import Kernel
from symbackprop.codegen.operations import NAMESPACE

__all__ = ["COMPLEX_NAMESPACE", "is_analytic"]

Array = npt.NDArray[Any]

_NOT_ANALYTIC = frozenset({"erf", "erfc"})
"""Functions that NumPy and this package have for real numbers alone."""


def is_analytic(kernel: Kernel) -> bool:
    """Whether every operation of ``kernel`` has a complex form."""
    return not any(statement.operation in _NOT_ANALYTIC for statement in kernel.statements)


def _comparing(compare: Callable[..., Any]) -> Callable[..., Any]:
    def compared(left: Array, right: Array, out: Array | None = None) -> Any:
        return compare(np.real(left), np.real(right), out)

    return compared


class _Chosen:
    """The larger or the smaller of two, by real parts, with NumPy's interface."""

    def __init__(self, first: Callable[..., Any], reduce: Callable[..., Any]) -> None:
        self.first = first
        self.reduce = reduce

    def __call__(self, left: Array, right: Array, out: Array | None = None) -> Any:
        chosen = np.where(self.first(np.real(left), np.real(right)), left, right)
        return _into(out, chosen)


def _absolute(z: Array, out: Array | None = None) -> Any:
    return _into(out, np.where(np.real(z) < 0, -z, z))


def _into(out: Array | None, values: Array) -> Any:
    if out is None:
        return values[()]
    np.copyto(out, values)
    return out


COMPLEX_NAMESPACE: Mapping[str, Any] = MappingProxyType(
    {
        **NAMESPACE,
        **{
            name: _comparing(NAMESPACE[name])
            for name in ("greater", "greater_equal", "less", "less_equal", "equal", "not_equal")
        },
        # NumPy's largest of complex numbers is the one of largest real part.
        "maximum": _Chosen(np.greater_equal, np.maximum.reduce),
        "minimum": _Chosen(np.less_equal, np.minimum.reduce),
        "absolute": _absolute,
    }
)
"""What the source of a kernel can use where its numbers are complex."""
