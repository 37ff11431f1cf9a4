"""Numbers in LaTeX, to a stated count of significant figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.documents.layout import glyphs

__all__ = ["DIGITS", "array_latex", "array_width", "in_product", "number_latex"]

DIGITS = 6
"""Significant figures of displayed numbers."""


def number_latex(value: float, digits: int = DIGITS) -> str:
    """``value`` with ``digits`` significant figures; integers stay integers."""
    value = float(value)
    if value == 0:
        return "0"
    if not np.isfinite(value):
        return r"\text{not finite}"
    text = f"{value:.{digits}g}"
    mantissa, _, exponent = text.partition("e")
    if exponent:
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    return mantissa


def in_product(value: float, digits: int = DIGITS) -> str:
    """The number as a factor: in brackets where it is negative or has a power of ten."""
    text = number_latex(value, digits)
    return f"({text})" if text.startswith("-") or "cdot" in text else text


def array_latex(array: npt.NDArray[Any], digits: int = DIGITS) -> str:
    """A number, a column vector or a matrix."""
    if array.ndim == 0:
        return number_latex(float(array), digits)
    lines = [" & ".join(row) for row in _entries(array, digits)]
    return r"\begin{pmatrix} " + r" \\ ".join(lines) + r" \end{pmatrix}"


def array_width(array: npt.NDArray[Any], digits: int = DIGITS) -> int:
    """About how many glyphs wide ``array_latex`` is: a column is as wide as its widest number, and a gap."""
    if array.ndim == 0:
        return glyphs(number_latex(float(array), digits))
    columns = zip(*_entries(array, digits), strict=True)
    return 1 + sum(max(map(glyphs, column)) + 2 for column in columns)


def _entries(array: npt.NDArray[Any], digits: int) -> list[list[str]]:
    rows = array.reshape(-1, 1) if array.ndim == 1 else array
    return [[number_latex(float(entry), digits) for entry in row] for row in rows]
