"""Drawings as TikZ and as SVG: both can be read by what reads them, and say the same each time."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest
from figure_cases import all_drawings

from symbackprop.documents.drawings.drawing import Anchor, Box, Circle, Dots, Drawing, Ink, Label, Line, Size, Tip
from symbackprop.documents.formats.svg import svg
from symbackprop.documents.formats.tex import tex
from symbackprop.documents.formats.tikz import tikz
from symbackprop.documents.tree import Document, Figure, Math, Paragraph
from symbackprop.figures import BLUE, ORANGE
from symbackprop.forms.signs import Letters, Sign, Style

DRAWINGS = all_drawings()
NAMESPACE = "{http://www.w3.org/2000/svg}"
_A = Sign(Letters("a", "a"), (Letters("(1)", "(1)", Style.UPRIGHT),), (Letters("2", "2", Style.UPRIGHT),))
EVERYTHING = Drawing(
    200,
    100,
    (
        Circle((20, 20), 10),
        Box((40, 10), 30, 20, rounded=True),
        Box((80, 10), 30, 20),
        Line(((10, 60), (60, 60)), Ink.FORWARD, Tip.END),
        Line(((10, 70), (60, 70), (60, 90)), Ink.BACKWARD, Tip.START, rounded=True),
        Line(((10, 80), (60, 80))),
        Dots((150, 20)),
        Dots((180, 20), upright=True),
        Label((100, 60), (_A,)),
        Label((100, 90), ("bias ", _A, " & <b> 50% \u0444"), Size.SMALL, Anchor.LEFT),
        Label((190, 60), (Sign(Letters("-2", "\u22122", Style.UPRIGHT)),), Size.SMALL, Anchor.RIGHT),
    ),
    'A <title> & "more"',
    "Everything that there is, 50% of it & <so on>.",
)


@pytest.mark.parametrize("name", DRAWINGS)
def test_svg_is_xml_with_a_title_and_a_description(name):
    drawing = DRAWINGS[name]
    root = ET.fromstring(svg(drawing))
    assert root.tag == f"{NAMESPACE}svg"
    assert root.get("role") == "img"
    assert [child.tag for child in root[:2]] == [f"{NAMESPACE}title", f"{NAMESPACE}desc"]
    assert root[0].text == drawing.title
    assert root[1].text == drawing.alternative
    _, _, wide, high = map(float, root.get("viewBox").split())
    assert (float(root.get("width")), float(root.get("height"))) == (wide, high)
    assert (wide, high) == pytest.approx((drawing.width, drawing.height), abs=0.06)
    assert "max-width:100%" in root.get("style")


@pytest.mark.parametrize("name", DRAWINGS)
def test_svg_says_every_label_in_the_colour_of_the_page(name):
    texts = ET.fromstring(svg(DRAWINGS[name])).findall(f".//{NAMESPACE}text")
    assert ["".join(text.itertext()) for text in texts] == [
        mark.plain for mark in DRAWINGS[name].marks if isinstance(mark, Label)
    ]
    assert not any(part.get("fill") for text in texts for part in text.iter())
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg(DRAWINGS[name])))
    assert colours <= {"none", "currentColor", BLUE, ORANGE}


def test_the_two_ways_differ_without_colour():
    root = ET.fromstring(svg(EVERYTHING))
    strokes = {part.get("stroke"): part.get("stroke-dasharray") for part in root if part.get("stroke-width")}
    assert strokes[BLUE] is None
    assert strokes[ORANGE]
    lines = [line for line in tikz(EVERYTHING).splitlines() if line.startswith(r"\draw")]
    assert ["dash pattern" in line for line in lines if "stealth" in line] == [False, True]


def test_svg_escapes_what_is_not_xml():
    root = ET.fromstring(svg(EVERYTHING))
    assert root[0].text == EVERYTHING.title
    assert "bias a(1)2 & <b> 50% \u0444" in {"".join(text.itertext()) for text in root.iter(f"{NAMESPACE}text")}


def test_tikz_escapes_what_is_not_latex():
    written = tikz(EVERYTHING)
    assert r"bias $a^{(1)}_{2}$ \& \textless{}b\textgreater{} 50\% [U+0444]" in written


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_same_bytes_each_time(name):
    assert tikz(DRAWINGS[name]) == tikz(all_drawings()[name])
    assert svg(DRAWINGS[name]).isascii() == all(ord(letter) < 128 for letter in svg(DRAWINGS[name]))


def test_no_more_than_the_page_is_taken():
    wide = Drawing(2000, 100, (Label((1000, 50), ("wide",)),), "", "")
    (corner,) = re.findall(r"rectangle \(([\d.]+)pt", tikz(wide))
    assert float(corner) <= 455
    assert "scale=0.3" in tikz(wide)
    assert "scale" not in tikz(EVERYTHING)


def test_a_document_asks_for_tikz_only_where_it_draws():
    plain = Document("No figure", (Paragraph(("Text.",)),), "")
    assert "tikz" not in tex(plain)
    figure = Figure(EVERYTHING, ("A caption with ", Math("x"), "."), "In words: 50%.", "one")
    written = tex(Document("Figure", (figure,), ""))
    assert written.count(r"\usepackage{tikz}") == 1
    assert "\\caption[]{A caption with $x$.}\\label{fig:one}" in written
    assert "% In words: 50%." in written


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_tikz_compiles_without_a_warning(tmp_path):
    drawings = {**DRAWINGS, "everything": EVERYTHING}
    blocks = tuple(Figure(drawing, (f"{name}.",), drawing.alternative) for name, drawing in drawings.items())
    (tmp_path / "d.tex").write_text(tex(Document("Figures", blocks, "")), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "d.tex"]
    for _ in range(2):
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout[-2000:]
    log = (tmp_path / "d.log").read_text(encoding="latin-1")
    problem = r"^(?:(?:LaTeX|LaTeX Font|Package \w+|pdfTeX) [Ww]arning|Overfull|Underfull \\hbox).*"
    assert not re.findall(problem, log, re.MULTILINE)
