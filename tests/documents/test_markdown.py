"""Markdown that GitHub and Jupyter show: mathematics, tables and code come through what reads the Markdown."""

from __future__ import annotations

import html
import re

import pytest
from documents import NAMES, document
from markdown_it import MarkdownIt

from symbackprop.documents.drawings.drawing import Circle, Drawing
from symbackprop.documents.formats.markdown import markdown
from symbackprop.documents.formats.markdown_math import inline_math, table_math
from symbackprop.documents.tree import Bullets, Captions, Code, Document, Figure, Heading, Math, Paragraph, Ref, Table

DRAWING = Drawing(20, 20, (Circle((10, 10), 5),), "A circle", "A circle,\nround.")


def written(*blocks, **more):
    return markdown(Document("t", blocks, "m", **more))


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"a\,b\;c\!d", r"$a\thinspace b\thickspace c\negthinspace d$"),
        (r"\{1, \dots\}", r"$\lbrace 1, \dots\rbrace$"),
        (r"\mathbf{1}_N + x_i", r"$\mathbf{1} _ N + x_i$"),
        (r"w^{(1)}_{ji} + \delta^{(2)}_n", r"$w_{ji}^{(1)} + \delta_n^{(2)}$"),
        ("a < b > c * d", r"$a \lt  b \gt  c \ast  d$"),
        (r"\left| x \right|", r"$\left| x \right|$"),
    ],
)
def test_inline_mathematics_without_what_markdown_would_read(latex, shown):
    assert inline_math(latex) == shown


def test_a_bar_in_a_cell():
    assert table_math(r"\left|x\right| + |y| + \|z\|") == (r"$\left\vert x\right\vert  + \vert y\vert  + \Vert z\Vert$")


@pytest.mark.parametrize("name", NAMES)
def test_no_blank_line_in_a_display_and_nothing_before_its_dollars(name):
    text = markdown(document(name))
    displays = re.findall(r"^\$\$\n(.*?)\n\$\$$", text, re.MULTILINE | re.DOTALL)
    assert text.count("$$") == 2 * len(displays)
    for display in displays:
        assert display.startswith("\\begin{aligned}\n")
        assert all(line.strip() for line in display.splitlines())
        assert all(line.endswith(r" \\") for line in display.splitlines()[1:-2])


@pytest.mark.parametrize("name", NAMES)
def test_rows_have_as_many_cells_as_the_header(name):
    for table in re.findall(r"(?:^\|.*\|\n)+", markdown(document(name)), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_what_reads_markdown_leaves_inline_mathematics_alone(name):
    reader = MarkdownIt("commonmark").enable("table")
    text = re.sub(r"^\$\$\n.*?\n\$\$$", "", markdown(document(name)), flags=re.MULTILINE | re.DOTALL)
    shown = html.unescape(reader.render(text))
    for formula in re.findall(r"(?<!\\)\$[^$\n]+\$", text):
        assert formula in shown


def test_author_and_date_stand_under_the_title():
    assert written(author="A_B", date="3 May 2024").startswith("# t\n\nA\\_B, 3 May 2024\n\n<!-- m -->\n")
    assert written().startswith("# t\n\n<!-- m -->\n")
    assert "<!-- a -- > b -->" in markdown(Document("t", (), "a --> b"))


def test_figures_are_called_what_the_document_says():
    figures = [Figure(DRAWING, (caption,), DRAWING.alternative, caption) for caption in ("one", "two")]
    text = written(Paragraph((Ref("two", figure=True),)), *figures, captions=Captions("Abbildung", "In Worten"))
    assert "\n\nAbbildung 2\n\n**Abbildung 1.** one\n\n> In Worten: A circle, round.\n\n**Abbildung 2.** two" in text


@pytest.mark.parametrize(
    ("words", "shown"),
    [("a --b *c*", "`a --b *c*`"), ("a `b` c", "``a `b` c``"), ("`", "`` ` ``"), ("``a", "``` ``a ```")],
)
def test_code(words, shown):
    assert shown in written(Paragraph((Code(words),)))


def test_code_with_a_bar_in_a_cell():
    assert r"| `a \| b` |" in written(Table((("x",),), (((Code("a | b"),),),)))


def test_text_is_text():
    text = written(Heading("a $b$ *c*"), Paragraph(("- no list & <b> ~~x~~",)), Bullets((("1. x",),)))
    assert "## a \\$b\\$ \\*c\\*" in text
    assert "\n\\- no list \\& \\<b\\> \\~\\~x\\~\\~\n" in text
    assert "\n- 1\\. x\n" in text
    assert written(Paragraph((Math("x"), " - y"))).endswith("$x$ - y\n")
