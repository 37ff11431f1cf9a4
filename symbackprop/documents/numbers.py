"""Numbers in LaTeX and in drawings, to a stated count of significant figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.documents.layout import glyphs
from symbackprop.forms.signs import Letters, Sign, Style

__all__ = ["DIGITS", "array_latex", "array_width", "in_product", "number_latex", "number_signs"]

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


def number_signs(value: float, digits: int) -> tuple[Sign | str, ...]:
    """The number as a label says it."""
    if not np.isfinite(value):
        return ("not finite",)
    mantissa, _, exponent = f"{float(value):.{digits}g}".partition("e")
    if float(mantissa) == 0:
        mantissa = "0"
    if not exponent:
        return (Sign(_upright(mantissa)),)
    times = Letters(r" \cdot 10", "\u00b710", Style.UPRIGHT)
    return Sign(_upright(mantissa)), Sign(times, (_upright(str(int(exponent))),))


def _upright(number: str) -> Letters:
    return Letters(number, number.replace("-", "\u2212"), Style.UPRIGHT)


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
