"""Numbers in LaTeX and in drawings, to a stated count of significant figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.documents.layout import glyphs
from symbackprop.forms.signs import Letters, Sign, Style

__all__ = ["Numbers"]


_CERTAIN = 12
"""Figures beyond these are rounding errors of double precision, which differ from machine to machine."""
_MOST = 1e15
"""Up to here an integer is written with all of its figures."""


@dataclass(frozen=True)
class Numbers:
    """Numbers with ``digits`` significant figures.

    An exact number is shown as it is: an integer stays an integer, and 0.2954 is what was given. A number that is
    rounded has all of its figures, zeros at the end too. One of at most ``given`` figures counts as exact.
    """

    digits: int = 6
    given: int = 6

    def parts(self, value: float) -> tuple[str, str]:
        """The figures, and the power of ten they are multiplied by, empty where that is 1."""
        value = float(value)
        if value.is_integer() and abs(value) < _MOST:
            return str(int(value)), ""
        short = f"{value:.{max(self.digits, self.given)}g}"
        exact = float(short) == float(f"{value:.{max(self.digits + 3, _CERTAIN)}g}")
        mantissa, _, exponent = (short if exact else f"{value:#.{self.digits}g}").partition("e")
        return mantissa.removesuffix("."), str(int(exponent)) if exponent else ""

    def latex(self, value: float) -> str:
        """``value`` in LaTeX; never a zero that is none."""
        if not np.isfinite(value):
            return r"\text{not finite}"
        mantissa, exponent = self.parts(value)
        if not exponent:
            return mantissa
        if mantissa in ("1", "-1"):
            return f"{mantissa[:-1]}10^{{{exponent}}}"
        return rf"{mantissa} \cdot 10^{{{exponent}}}"

    def signs(self, value: float) -> tuple[Sign | str, ...]:
        """The same as a label in a drawing."""
        if not np.isfinite(value):
            return ("not finite",)
        mantissa, exponent = self.parts(value)
        if not exponent:
            return (Sign(_upright(mantissa)),)
        if mantissa in ("1", "-1"):
            return (Sign(_upright(f"{mantissa[:-1]}10"), (_upright(exponent),)),)
        times = Letters(r" \cdot 10", "\u00b710", Style.UPRIGHT)
        return Sign(_upright(mantissa)), Sign(times, (_upright(exponent),))

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


def _upright(number: str) -> Letters:
    return Letters(number, number.replace("-", "\u2212"), Style.UPRIGHT)
