"""The LaTeX document: what stands in it is what was meant, and pdflatex has nothing to say against it."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import pairwise

import pytest

from symbackprop.documents.drawings.drawing import Circle, Drawing
from symbackprop.documents.formats.tex import tex
from symbackprop.documents.formats.tex_text import code, escape
from symbackprop.documents.tree import (
    Captions,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Math,
    Paragraph,
    Ref,
    Row,
    Table,
)

needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
needs_reader = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
PROBLEM = r"^(?:(?:LaTeX|LaTeX Font|Package \w+|pdfTeX) [Ww]arning|Overfull|Underfull \\hbox).*"
COMMAND = (
    "symbackprop derive ../a_very/long path/to-a/network.toml -o x.tex --digits 4 --title 'a \"b\" `c`' <<EOF #~^&%$"
)
LOW = 680
"""In points from above: a page with its last row further up has a gap."""
DRAWING = Drawing(200, 100, (Circle((100, 50), 40),), "A circle", "A circle, 50% & more.")
SPECIAL = 'Größe & <ф> -- 50% of #1_{a}^~\\ "b" $'
EVERYTHING = Document(
    SPECIAL,
    (
        Heading(SPECIAL),
        Paragraph(("See ", Ref("z"), " and ", Ref("one", figure=True), ". ", SPECIAL, Code(COMMAND), " and go on.")),
        Display((Row("z", ("x", "+ y")),), "z"),
        Display((Row("z", ("x", "+ y")), Row("", ("1",)))),
        *(Figure(DRAWING, (SPECIAL, Ref("z")), DRAWING.alternative, name) for name in ("one", "two", "three", "four")),
        Heading("A part", 2),
        Table(
            (("name",), ("about it",)),
            tuple(((str(n),), ("Some words that are longer than a line of the column",)) for n in range(40)),
            wide=frozenset({1}),
        ),
    ),
    "by hand\nin two lines",
    author="Ä. {Ö}",
    date="3 May 2024",
    language="de",
    captions=Captions("Abbildung", "In Worten"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return typeset(tmp_path_factory.mktemp("tex"), EVERYTHING)


def typeset(place, document):
    (place / "d.tex").write_text(tex(document), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "d.tex"]
    for _ in range(3):
        run = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout[-2000:]
    return place


@needs_latex
def test_there_is_no_warning(folder):
    assert not re.findall(PROBLEM, (folder / "d.log").read_text(encoding="latin-1"), re.MULTILINE)


@needs_latex
@needs_reader
def test_what_is_read_is_what_was_said(folder):
    run = subprocess.run(["pdftotext", "d.pdf", "-"], cwd=folder, capture_output=True, text=True, check=True)
    words = " ".join(run.stdout.split())
    assert COMMAND in words
    assert SPECIAL.replace("\N{CYRILLIC SMALL LETTER EF}", "[U+0444]") in words
    assert "See (1) and Abbildung 1." in words
    assert "Ä. {Ö} 3 May 2024" in words
    for number in range(1, 5):
        assert f"Abbildung {number}: " in words


@needs_latex
def test_sections_are_bookmarks(folder):
    outline = (folder / "d.out").read_text(encoding="latin-1")
    assert len(re.findall(r"\\BOOKMARK \[\d\]\[-\]\{(?:sub)?section", outline)) == 2


def test_only_these_packages_and_hyperref_last():
    packages = re.findall(r"\\usepackage(?:\[[^]]*\])?\{(\w+)\}", tex(EVERYTHING))
    assert packages == ["fontenc", "lmodern", "amsmath", "booktabs", "tikz", "hyperref"]


@pytest.mark.parametrize(
    ("author", "date", "lines", "room"),
    [
        ("A", "B", (r"\author{A}", r"\date{B}"), ""),
        ("A", "", (r"\author{A}", r"\date{}"), r"\vspace{-1em}"),
        ("", "B", (r"\author{B}", r"\date{}"), r"\vspace{-1em}"),
        ("", "", (r"\author{}", r"\date{}"), r"\vspace{-4em}"),
    ],
)
def test_the_title_leaves_no_room_for_who_is_not_named(author, date, lines, room):
    written = tex(Document("t", (), "m", author=author, date=date))
    assert "\n".join((r"\title{t}", *lines, r"\begin{document}", r"\maketitle", room)) in written
    assert written.count("vspace") == bool(room)


def test_how_it_was_made_is_a_comment_of_one_line():
    assert tex(EVERYTHING).splitlines()[:2] == ["% by hand in two lines", r"\documentclass[11pt,a4paper]{article}"]


def test_a_display_belongs_to_the_paragraph_before_it():
    written = tex(Document("t", (Paragraph(("Text:",)), Display((Row("a", ("b",)),)), Paragraph(("More.",))), "m"))
    assert "Text:\n\\begin{align*}\na &= b\n\\end{align*}\n\nMore.\n" in written


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("--digits", r"\texttt{-{}-digits}"),
        ("'a' `b`", r"\texttt{\textquotesingle{}a\textquotesingle{} \textasciigrave{}b\textasciigrave{}}"),
        ("a/b  c", r"\texttt{a/\allowbreak{}b \ c}"),
    ],
)
def test_code_can_be_copied(words, written):
    assert code(words) == written


def test_two_hyphens_are_no_dash():
    assert escape("a -- b --- c, 'd'") == "a -{}- b -{}-{}- c, 'd'"


def test_what_no_font_has_is_spelled():
    assert escape("\N{CYRILLIC SMALL LETTER EF}\x07\xa0") == "[U+0444][U+0007]~"


def numbered(rows):
    """A table with names and numbers of many lengths; every fifth row has two lines."""
    words = "Some words that are longer than a line of the column"
    return Table(
        (("name",), ("number",), ("about it",)),
        tuple(((f"row{n}",), (Math(str(2**n)),), (words if n % 5 == 4 else "Words",)) for n in range(rows)),
        numeric=frozenset({1}),
        wide=frozenset({2}),
    )


@pytest.mark.parametrize(("rows", "environment"), [(1, "tabular"), (8, "tabular"), (9, "longrows"), (70, "longrows")])
def test_a_table_of_many_rows_may_be_broken(rows, environment):
    written = tex(Document("t", (numbered(rows),), "m"))
    body = written.partition(r"\begin{document}")[2]
    assert re.findall(r"\\begin\{(tabular|longrows)\}", body) == [environment]
    assert re.findall(r"row\d+", body) == [f"row{n}" for n in range(rows)]
    assert (r"\newenvironment{longrows}" in written) == (environment == "longrows")


@needs_latex
@needs_reader
@pytest.mark.parametrize("lines", [0, 12, 24, 26, 28, 30, 36])
def test_a_long_table_goes_on_over_pages(lines, tmp_path):
    filling = tuple(Paragraph((f"Line {n}.",)) for n in range(lines))
    document = Document("t", (*filling, Heading("H"), Paragraph(("Before.",)), numbered(62), Paragraph(("End.",))), "m")
    place = typeset(tmp_path, document)
    assert not re.findall(r"^(?:Overfull|Underfull).*", (place / "d.log").read_text(encoding="latin-1"), re.MULTILINE)
    run = subprocess.run(["pdftotext", "-bbox", "d.pdf", "-"], cwd=place, capture_output=True, text=True, check=True)
    pages = [words_at(page) for page in run.stdout.split("<page ")[1:]]
    tabular = [page for page in pages if any(word.startswith("row") for word, *_ in page)]
    assert [word for page in pages for word, *_ in page if word.startswith("row")] == [f"row{n}" for n in range(62)]
    assert [word for word, *_ in tabular[0]].count("Before.") == 1
    assert all([word for word, *_ in page].count("name") == 1 for page in tabular)
    assert len({left for page in tabular for word, left, *_ in page if word.startswith("row")}) == 1
    assert len({right for page in tabular for word, _, right, _ in page if is_power(word)}) == 1
    for page in tabular[:-1]:
        heights = [low for word, _, _, low in page if word.startswith("row")]
        assert heights[-1] > LOW
        assert len({round(below - above, 1) for above, below in pairwise(heights)}) <= 2, "rows of one line and of two"


def words_at(page):
    """The words of a page, each with its left and right end, and how far down it stands."""
    found = re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="[\d.]+">(.*?)</word>', page)
    return [(word, round(float(left), 1), round(float(right), 1), float(top)) for left, top, right, word in found]


def is_power(word):
    return word.isdigit() and int(word) > 2**12
