"""LaTeX as MathML, with the faults of browsers and of latex2mathml mended."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from documents import NAMES, document, formulas

from symbackprop.documents.formats.mathml import mathml
from symbackprop.forms.breaks import unmarked

ZERO = ' lspace="0" rspace="0"'


@pytest.mark.parametrize(
    ("latex", "inside"),
    [
        ("a_1^2", "<msubsup><mi>a</mi><mn>1</mn><mn>2</mn></msubsup>"),
        (r"\Delta", '<mi mathvariant="normal">Δ</mi>'),
        (r"A^{\top}", '<msup><mi>A</mi><mi mathvariant="normal">⊤</mi></msup>'),  # noqa: RUF001
        (r"\mathbf{1}_{N}", "<msub><mn>𝟏</mn><mi>N</mi></msub>"),  # noqa: RUF001
        (r"\mathbf{\lambda}", "<mi>𝛌</mi>"),
        (r"\mathbf{\Lambda}", "<mi>𝚲</mi>"),
        (r"\mathbf{ab}", "<mi>\U0001d41a\U0001d41b</mi>"),
        (r"\mathrm{loss}_{i}", "<msub><mi>loss</mi><mi>i</mi></msub>"),
        (r"\mathrm{a\_b}", "<mi>a_b</mi>"),
        (r"\operatorname{erf}(z)", '<mi>erf</mi><mo stretchy="false">(</mo>'),
        (
            r"\operatorname{gelu_{tanh}}''",
            "<msub><mi>gelu</mi><mi>tanh</mi></msub><mi>\u2032</mi></mrow><mi>\u2032</mi>",
        ),
        (r"\sigma'(z)", "<mi>σ</mi><mi>\u2032</mi>"),  # noqa: RUF001
        ("a - b", '<mo form="infix">\u2212</mo>'),
        ("-b", '<mo form="prefix">\u2212</mo>'),
        ("a (-2)", '<mo form="prefix">\u2212</mo>'),
        ("[-3 < z]", '<mo form="prefix">\u2212</mo>'),
        ("a = -b", '<mo form="prefix">\u2212</mo>'),
        (r"a,\qquad -b", '<mo form="prefix">\u2212</mo>'),
        (r"\sum_{n=1}^{N} x", f"<munderover><mo>∑</mo><mrow><mi>n</mi><mo{ZERO}>=</mo><mn>1</mn></mrow>"),
        (r"\max_{i} x", f'<munder><mo movablelimits="true"{ZERO}>max</mo><mi>i</mi></munder><mspace'),
        (r"\operatorname*{arg\,max}_{k} x", f'<munder><mo movablelimits="true"{ZERO}>arg\u2009max</mo>'),
        (r"\log(z)", '<mi>log</mi><mo stretchy="false">'),
        (r"\log\left(z\right)", '<mi>log</mi><mrow><mo stretchy="false" form="prefix">(</mo>'),
        (r"\log\left(\frac{a}{b}\right)", '<mi>log</mi><mrow><mo stretchy="true" form="prefix">(</mo>'),
        (r"\log z", '<mi>log</mi><mspace width="0.167em"></mspace><mi>z</mi>'),
        (r"\left.\frac{a}{b}\right|_{1}", "<msub><mrow><mfrac>"),
        (r"\left|z\right|", f'<mo stretchy="false" form="prefix"{ZERO}>|</mo>'),
        (r"\partial L / \partial z", f"<mi>∂</mi><mi>L</mi><mo{ZERO}>/</mo>"),
        (r"a \cdot b", "<mo>⋅</mo>"),
        (r"\underset{N \times 3}{A^{\top}}", "<munder><msup><mi>A</mi>"),
        (r"\underset{\scriptscriptstyle N \times 3}{X}", f"<mi>N</mi><mo{ZERO}>×</mo><mn>3</mn>"),  # noqa: RUF001
        (r"\biggl(a", '<mo stretchy="true" minsize="2.047em" maxsize="2.047em">(</mo>'),
        (r"\left(\frac{a}{b} - c\right)^{2}", '<mo form="infix">\u2212</mo>'),
        (r"\tfrac16", '<mstyle displaystyle="false" scriptlevel="0"><mfrac>'),
        (r"W_{1in}", "<msub><mi>W</mi><mrow><mn>1</mn><mi>i</mi><mi>n</mi></mrow></msub>"),
        (r"W_{1,2pt}", "<mn>2</mn><mi>p</mi><mi>t</mi>"),
        (r"\odot", f'<mo largeop="false"{ZERO}>⊙</mo>'),
        ("=", f"<mo{ZERO}>=</mo>"),
        (r"\operatorname{relu}'(z)", "<mi>relu\u2032</mi><mo "),
        (r"z < 0", "<mo>&lt;</mo>"),
        (r"\text{if } z", "<mtext>if\u00a0</mtext>"),
        (r"\begin{cases} a & \text{if } b \\ c & d \end{cases}", '<mtable class="cases"><mtr><mtd><mi>a</mi></mtd>'),
        (r"\begin{pmatrix} 1 & 2 \end{pmatrix}", "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr>"),
    ],
)
def test_it_is_set_as_tex_sets_it(latex, inside):
    assert inside in mathml(latex)


def test_displays_have_large_sums():
    assert mathml("x", display=True) == '<math displaystyle="true" alttext="x"><mi>x</mi></math>'
    assert "displaystyle" not in mathml("x")


def test_a_sign_at_the_beginning_of_what_is_continued_adds():
    assert 'form="infix"' in mathml("+ b", continued=True)
    assert 'form="prefix"' in mathml("+ b")
    assert 'form="prefix"' in mathml("(-b)", continued=True)


def test_nothing_is_nothing():
    assert mathml("") == mathml(" ") == '<math alttext=""></math>'


def test_text_is_escaped():
    assert mathml(r"\text{<b>&}") == '<math alttext="\\text{&lt;b&gt;&amp;}"><mtext>&lt;b&gt;&amp;</mtext></math>'


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_is_whole(name):
    """Well-formed, with the right number of children everywhere, and without a command that was not understood."""
    children = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "munderover": 3, "mover": 2, "mroot": 2}
    for latex in formulas(document(name)):
        for display in (True, False):
            tree = ElementTree.fromstring(mathml(latex, display=display))
            assert tree.get("alttext") == unmarked(latex).strip()
            for element in tree.iter():
                assert len(element) == children.get(element.tag, len(element)), latex
                assert not {"columnalign", "fence", "xmlns"} & set(element.attrib), latex
                assert "\\" not in (element.text or ""), latex
                assert element.get("mathvariant") in (None, "normal"), latex
