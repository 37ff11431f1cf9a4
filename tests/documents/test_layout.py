"""Widths of mathematics, numbers in LaTeX, and where lines are broken."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.documents.layout import glyphs, lines
from symbackprop.documents.numbers import array_latex, in_product, number_latex


@pytest.mark.parametrize(
    ("latex", "count"),
    [
        ("a + b", 3),
        (r"\frac{\partial L}{\partial W^{(1)}}", 5),
        (r"\sum_{i=1}^{D} x_{i}", 7),
        (r"\log(z)", 6),
        (r"\left(a\right)", 3),
    ],
)
def test_glyphs_counts_what_is_seen(latex, count):
    assert glyphs(latex) == count


def test_lines_break_between_pieces_only():
    pieces = ["aaaa", "+ bbbb", "+ cccc"]
    assert list(lines("x", pieces, width=100)) == ["aaaa + bbbb + cccc"]
    broken = list(lines("x", pieces, width=14))
    assert len(broken) > 1
    assert " ".join(broken) == "aaaa + bbbb + cccc"


@pytest.mark.parametrize(
    ("value", "latex"),
    [
        (3, "3"),
        (0.0, "0"),
        (-1.893999, "-1.894"),
        (0.00001234567, r"1.23457 \cdot 10^{-5}"),
        (1e20, r"1 \cdot 10^{20}"),
        (float("nan"), r"\text{not finite}"),
    ],
)
def test_numbers_have_significant_figures(value, latex):
    assert number_latex(value) == latex


def test_factors_that_need_brackets_get_them():
    assert in_product(-2.0) == "(-2)"
    assert in_product(1e-9) == r"(1 \cdot 10^{-9})"
    assert in_product(0.5) == "0.5"


def test_arrays():
    assert array_latex(np.array([[1.0, 2.5]])) == r"\begin{pmatrix} 1 & 2.5 \end{pmatrix}"
    assert array_latex(np.array([1.0, 2.0])) == r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"
    assert array_latex(np.array(4.0)) == "4"
