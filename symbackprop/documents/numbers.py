"""Numbers in LaTeX and in drawings, to a stated count of significant figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.documents.layout import glyphs
from symbackprop.forms.signs import Letters, Sign, Style

__all__ = ["Numbers", "number_signs"]


_CERTAIN = 12
"""Figures beyond these are rounding errors of double precision, which differ from machine to machine."""
_MOST = 1e15
"""Up to here an integer is written with all of its figures."""


@dataclass(frozen=True)
class Numbers:
    """Numbers with ``digits`` significant figures.

    A number that has fewer is shown as it is: an integer stays an integer, and 0.5 is exactly a half. A number that
    is rounded has all of its figures, zeros at the end too.
    """

    digits: int = 6

    def latex(self, value: float) -> str:
        """``value`` in LaTeX; never a zero that is none."""
        value = float(value)
        if not np.isfinite(value):
            return r"\text{not finite}"
        if value.is_integer() and abs(value) < _MOST:
            return str(int(value))
        short = f"{value:.{self.digits}g}"
        exact = float(short) == float(f"{value:.{max(self.digits, _CERTAIN)}g}")
        text = short if exact else f"{value:#.{self.digits}g}"
        mantissa, _, exponent = text.partition("e")
        mantissa = mantissa.removesuffix(".")
        if not exponent:
            return mantissa
        times = "" if mantissa.lstrip("-") == "1" else rf"{mantissa} \cdot "
        sign = "-" if mantissa == "-1" else ""
        return f"{times or sign}10^{{{int(exponent)}}}"

    def factor(self, value: float) -> str:
        """The number as a factor: in brackets where it is negative or has a power of ten."""
        text = self.latex(value)
        return f"({text})" if text.startswith("-") or "10^" in text else text

    def array(self, array: npt.NDArray[Any]) -> str:
        """A number, a column vector or a matrix."""
        if array.ndim == 0:
            return self.latex(float(array))
        lines = [" & ".join(row) for row in self._entries(array)]
        return r"\begin{pmatrix} " + r" \\ ".join(lines) + r" \end{pmatrix}"

    def width(self, array: npt.NDArray[Any]) -> int:
        """About how many glyphs wide ``array`` is: a column is as wide as its widest number, and a gap."""
        if array.ndim == 0:
            return glyphs(self.latex(float(array)))
        columns = zip(*self._entries(array), strict=True)
        return 1 + sum(max(map(glyphs, column)) + 2 for column in columns)

    def _entries(self, array: npt.NDArray[Any]) -> list[list[str]]:
        rows = array.reshape(-1, 1) if array.ndim == 1 else array
        return [[self.latex(float(entry)) for entry in row] for row in rows]


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
