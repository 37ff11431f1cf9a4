"""Formulas are broken where a reader would, and nowhere else."""

from __future__ import annotations

import pytest
from documents import NAMES, document, formulas

from symbackprop.documents.breaking import MOST, chunks, ems
from symbackprop.documents.layout import glyphs


@pytest.mark.parametrize(
    ("latex", "parts"),
    [
        (r"a = b", ["a = b"]),
        (r"aaaa = bbbb + cccc", ["aaaa ", "= bbbb ", "+ cccc"]),
        (r"aaaaaaaa + \frac{bb}{cc} \frac{dd}{ee}", ["aaaaaaaa ", r"+ \frac{bb}{cc} \frac{dd}{ee}"]),
        (r"aaaaaa \odot bbbbbb", ["aaaaaa ", r"\odot bbbbbb"]),
        (r"\frac{aaaaaa}{b} \frac{cccccc}{d}", [r"\frac{aaaaaa}{b} ", r"\frac{cccccc}{d}"]),
        (r"\frac{aaaaaa}{b}\,\sum_{i=1}^{N} cccc", [r"\frac{aaaaaa}{b}\,", r"\sum_{i=1}^{N} cccc"]),
        (r"(aaaaaa + bbbbbb)", ["(aaaaaa ", "+ bbbbbb)"]),
        (r"\left(aaaaaa + bbbbbb\right)", [r"\left(aaaaaa + bbbbbb\right)"]),
        (r"\begin{pmatrix} 1 & -2 \\ 3 & 4 \end{pmatrix}", [r"\begin{pmatrix} 1 & -2 \\ 3 & 4 \end{pmatrix}"]),
        (r"-aaaaaaaaaaaaaa", ["-aaaaaaaaaaaaaa"]),
        (r"aaaaaa,\qquad bbbbbb", [r"aaaaaa,\qquad ", "bbbbbb"]),
        (r"\partial aaaaaaaaaaaa", [r"\partial aaaaaaaaaaaa"]),
        (r"\operatorname{aaaaaaaa}(bbbbbb)", [r"\operatorname{aaaaaaaa}(bbbbbb)"]),
        (r"aaaaaaa \cdot (-2.5)", ["aaaaaaa ", r"\cdot (-2.5)"]),
    ],
)
def test_relations_first_then_signs_then_products(latex, parts):
    assert chunks(latex, most=9) == tuple(parts)


@pytest.mark.parametrize("name", NAMES)
def test_the_parts_are_the_formula(name):
    for latex in formulas(document(name)):
        assert "".join(chunks(latex)) == latex


def test_what_fits_is_whole():
    for name in ("softmax", "six layers"):
        for latex in formulas(document(name)):
            assert glyphs(latex) > MOST or chunks(latex) == (latex,)


def test_widths():
    assert ems("abcdefghij") == pytest.approx(6)
    one, two = (ems(rf"\begin{{pmatrix}} {row} \end{{pmatrix}}") for row in ("1.5", r"1.5 & 2 \\ 3 & -4.25"))
    assert one < two < 8
    assert ems(r"a \begin{pmatrix} 1.5 \end{pmatrix}") == pytest.approx(one + ems("a"))


@pytest.mark.parametrize("latex", ["", " ", "(", ")", r"\left(", "{", "a_", r"\frac{a}", r"\begin{pmatrix} 1"])
def test_what_is_not_whole_comes_back(latex):
    assert "".join(chunks(latex, most=0)) == latex
