"""Numbers in documents: significant figures, integers, factors, and arrays."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbackprop.documents.numbers import Numbers

SIX = Numbers()
FINITE = st.floats(-1e300, 1e300)


@pytest.mark.parametrize(
    ("value", "latex"),
    [
        (3, "3"),
        (0.0, "0"),
        (-0.0, "0"),
        (-4.0, "-4"),
        (1234567.0, "1234567"),
        (0.5, "0.5"),
        (-1.893999, "-1.89400"),
        (0.1 + 0.2, "0.3"),
        (0.39249999999999996, "0.3925"),
        (0.00001234567, r"1.23457 \cdot 10^{-5}"),
        (1e20, "10^{20}"),
        (-1e-7, "-10^{-7}"),
        (2 / 3 * 1e9, r"6.66667 \cdot 10^{8}"),
        (float("nan"), r"\text{not finite}"),
        (float("-inf"), r"\text{not finite}"),
    ],
)
def test_numbers_have_significant_figures(value, latex):
    assert SIX.latex(value) == latex


def read(latex):
    match = re.fullmatch(r"(-?)(?:([\d.]+)(?: \\cdot )?)?(?:10\^\{(-?\d+)\})?", latex)
    sign, mantissa, exponent = match.groups()
    return float(f"{sign}{mantissa or 1}e{exponent or 0}")


@given(FINITE, st.integers(1, 15))
def test_what_is_shown_is_the_number_rounded(value, digits):
    shown = read(Numbers(digits).latex(value))
    if value.is_integer() and abs(value) < 1e15:
        assert shown == value
    assert shown == float(f"{value:.{digits}g}") or shown == value
    assert (shown == 0) == (value == 0)


@given(FINITE, st.integers(2, 15))
def test_a_rounded_number_has_all_its_figures(value, digits):
    latex = Numbers(digits).latex(value)
    if not value.is_integer() and read(latex) != float(f"{value:.{max(digits, 12)}g}"):
        mantissa = latex.partition(" ")[0].lstrip("-0.").replace(".", "")
        assert len(mantissa) == digits


def test_factors_that_need_brackets_get_them():
    assert SIX.factor(-2.0) == "(-2)"
    assert SIX.factor(1e-9) == "(10^{-9})"
    assert SIX.factor(3e-9) == r"(3 \cdot 10^{-9})"
    assert SIX.factor(0.5) == "0.5"


def test_arrays():
    assert SIX.array(np.array([[1.0, 2.5]])) == r"\begin{pmatrix} 1 & 2.5 \end{pmatrix}"
    assert SIX.array(np.array([1.0, 2.0])) == r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"
    assert SIX.array(np.array(4.0)) == "4"
