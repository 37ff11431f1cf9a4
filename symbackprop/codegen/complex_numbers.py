"""Kernels in complex numbers, for complex steps: cases are decided by real parts, so that each branch is analytic.

Im C(w + i h) / h  is  dC/dw  to rounding, for h as small as one likes (Squire and Trapp, 1998).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.codegen.operations import NAMESPACE
from symbackprop.functions.error_function import erf, erfc

__all__ = ["COMPLEX_NAMESPACE"]

Array = npt.NDArray[Any]


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


def _erf(z: Array) -> Any:
    """erf(a + ib) = erf(a) + ib 2 exp(-a^2)/sqrt(pi) + O(b^2), which is all of it for the smallest of steps."""
    real, slope = np.real(z), 2 / np.sqrt(np.pi) * np.exp(-np.square(np.real(z)))
    return erf(real) + 1j * np.imag(z) * slope


def _erfc(z: Array) -> Any:
    real, slope = np.real(z), 2 / np.sqrt(np.pi) * np.exp(-np.square(np.real(z)))
    return erfc(real) - 1j * np.imag(z) * slope


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
        "erf": _erf,
        "erfc": _erfc,
    }
)
"""What the source of a kernel can use where its numbers are complex."""
