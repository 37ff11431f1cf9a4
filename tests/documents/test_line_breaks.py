"""Lines of documents are broken at the marks of their formulas, and nowhere else."""

from __future__ import annotations

import re

import pytest
from browser import CHROMIUM, Browser
from documents import NAMES, document, formulas
from known_programs import KNOWN
from marked import multiplied, related, summed

from symbackprop.adjoint.sweep import differentiate
from symbackprop.documents.formats.html import html
from symbackprop.documents.formats.html_formulas import inline
from symbackprop.documents.formats.markdown import markdown
from symbackprop.documents.formats.mathml import mathml
from symbackprop.documents.formats.tex import tex
from symbackprop.documents.layout import WIDTH, glyphs, lines
from symbackprop.documents.tree import Display, Document, Math, Paragraph, Row, Table
from symbackprop.errors import NoRuleError
from symbackprop.forms.breaks import bracketed, chunks, unmarked
from symbackprop.forms.views import Views

PRIVATE = re.compile("[\ue000-\uf8ff]")
MARKED = related(["aaaa", summed(["bbbb", multiplied(["+ cccc", bracketed(summed(["dddd", "- eeee"]))])])])


def balanced(latex):
    growing = re.findall(r"\\(left|right)\b", latex)
    return latex.count("{") == latex.count("}") and growing.count("left") == growing.count("right")


def rows(name):
    """The rows of every equation of a known program, in index and in matrix form, which may be broken."""
    views = Views(differentiate(KNOWN[name].build()), breakable=True)
    for equation in views.differentiation.adjoint_program.equations:
        yield Row(views.printer.doprint(equation.left.everywhere), views.printer.pieces(equation))
        try:
            form = views.lowered(equation)
            yield Row(views.matrix_printer.print(form.left), (views.matrix_printer.right(form),))
            yield Row(views.matrix_printer.print(form.left), (views.matrix_printer.right(form, shapes=True),))
        except NoRuleError:
            continue


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_no_line_is_wider_than_the_page(name):
    for row in rows(name):
        shown = list(lines(row.left, row.right))
        right = unmarked(" ".join(row.right))
        assert "".join(" ".join(shown).split()).replace("biggl", "left").replace("biggr", "right") == squeezed(right)
        room = WIDTH - glyphs(row.left) - 3
        for place, line in enumerate(shown):
            assert balanced(line)
            alone = {glyphs(chunk) for piece in row.right for chunk in chunks(piece, 0)}
            assert glyphs(line) <= room - 2 * (place > 0) or glyphs(line) in alone, line


def squeezed(latex):
    return "".join(latex.split())


def test_lines_are_broken_at_marks():
    assert list(lines("x", [MARKED], width=100)) == [r"aaaa = bbbb + cccc\,(dddd - eeee)"]
    assert list(lines("x", [MARKED], width=25)) == ["aaaa = bbbb", r"+ cccc\,(dddd - eeee)"]
    assert list(lines("x", [MARKED], width=16)) == ["aaaa = bbbb", r"+ cccc\,", "(dddd", "- eeee)"]


@pytest.mark.parametrize("emit", [tex, markdown, html])
def test_marks_are_never_shown(emit):
    blocks = (
        Paragraph((Math(MARKED),)),
        Display((Row(MARKED, (MARKED, summed(["+ a", "- b"]))),)),
        Display((Row(MARKED, (MARKED,)),), label="e"),
        Table(((Math(MARKED),),), ((("a", Math(MARKED)),),)),
    )
    # In HTML the font and the style sheet have letters of their own.
    shown = re.sub(r"<style.*?</style>", "", emit(Document("t", blocks, "m")), flags=re.DOTALL)
    assert not PRIVATE.search(shown)
    assert not PRIVATE.search(mathml(MARKED))


def test_inline_formulas_are_broken_too():
    assert inline(MARKED).count("<wbr/>") >= 2
    assert inline(unmarked(MARKED)).count("<wbr/>") == 0


@pytest.mark.parametrize("name", NAMES)
def test_every_chunk_of_a_document_is_whole(name):
    for latex in formulas(document(name)):
        assert all(map(balanced, chunks(latex, 0)))


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [500, 1400])
def test_layer_norm_in_one_equation_fits_a_narrow_window(width, tmp_path):
    displays = tuple(Display((row,)) for row in rows("layer norm in one"))
    page = tmp_path / "page.html"
    page.write_text(html(Document("layer norm", displays, "m")), encoding="utf-8")
    wide = '[...document.querySelectorAll(".lines")].filter(e => e.scrollWidth > e.clientWidth).length'
    with Browser() as browser:
        browser.open(page, width)
        assert browser.evaluate(wide) == 0
        assert browser.evaluate("document.scrollingElement.scrollWidth") <= width
