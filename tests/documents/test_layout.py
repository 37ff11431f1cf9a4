"""Widths of mathematics, and where lines are broken."""

from __future__ import annotations

import pytest

from symbackprop.documents.layout import ems, glyphs, lines


@pytest.mark.parametrize(
    ("latex", "count"),
    [
        ("a + b", 3),
        (r"\frac{\partial L}{\partial W^{(1)}}", 5),
        (r"\sum_{i=1}^{D} x_{i}", 7),
        (r"\log(z)", 6),
        (r"\left(a\right)", 3),
        (r"\underset{\scriptscriptstyle N \times 3}{X}", 3),
        (r"\underset{\scriptscriptstyle 1}{X^{(1)\top}}", 5),
    ],
)
def test_glyphs_counts_what_is_seen(latex, count):
    assert glyphs(latex) == count


def test_lines_break_between_pieces():
    pieces = ["aaaa", "+ bbbb", "+ cccc"]
    assert list(lines("x", pieces, width=100)) == ["aaaa + bbbb + cccc"]
    assert list(lines("x", pieces, width=14)) == ["aaaa", "+ bbbb", "+ cccc"]


def test_widths_in_ems():
    assert ems("abcdefghij") == pytest.approx(6)
    one, two = (ems(rf"\begin{{pmatrix}} {row} \end{{pmatrix}}") for row in ("1.5", r"1.5 & 2 \\ 3 & -4.25"))
    assert one < two < 8
    assert ems(r"a \begin{pmatrix} 1.5 \end{pmatrix}") == pytest.approx(one + ems("a"))
