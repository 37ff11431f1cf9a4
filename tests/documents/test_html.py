"""The HTML document needs nothing else, says all that the tree says, and says it in valid markup."""

from __future__ import annotations

import base64
import re
import time
import xml.etree.ElementTree as ElementTree
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from documents import MODELS, NAMES, document, formulas, references

import symbackprop as sbp
from symbackprop.documents.drawings.drawing import Circle, Drawing
from symbackprop.documents.formats import html as emitter
from symbackprop.documents.formats.html import html
from symbackprop.documents.tree import (
    Bullets,
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
from symbackprop.forms.breaks import unmarked

DATA = Path(emitter.__file__).parent / "data"
SOME = ["softmax", "six layers", "symbolic", "Greek", "program attention", "program layer norm in one"]
DRAWING = Drawing(20, 20, (Circle((10, 10), 5),), "A circle", "A circle.")
SVG = "{http://www.w3.org/2000/svg}"
ITALIC = {
    **{chr(ord("A") + n): chr(0x1D434 + n) for n in range(26)},
    **{chr(ord("a") + n): chr(0x1D44E + n) for n in range(26)},
    "h": "\u210e",
    **{chr(0x3B1 + n): chr(0x1D6FC + n) for n in range(25)},
    "\u2202": "\U0001d715",
    "\u03d5": "\U0001d719",
}
"""What browsers show for a letter that stands alone."""


def parsed(doc):
    return ElementTree.fromstring(html(doc))


@cache
def page(name):
    return parsed(document(name))


def squeezed(latex):
    """What is said, however it is broken: brackets that go on in the next line do not grow."""
    return re.sub(r"\\(?:left|right|bigg[lr])(?![a-z])", "", "".join(unmarked(latex).split()))


@pytest.mark.parametrize("name", SOME)
def test_it_is_html_and_xml(name):
    text = html(document(name))
    assert text.startswith("<!DOCTYPE html>\n<!-- ")
    root = ElementTree.fromstring(text)
    assert (root.tag, root.get("lang")) == ("html", "en")
    assert [element.tag for element in root] == ["head", "body"]
    assert root.find("head/meta[@name='viewport']") is not None
    assert root.find("head/title").text == document(name).title == root.find("body/main/h1").text
    # Only these elements have no end tag in HTML; SVG and MathML know the short form.
    without_drawings = re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)
    assert set(re.findall(r"<(\w+)[^<>]*/>", without_drawings)) <= {"meta", "wbr"}


@pytest.mark.parametrize("name", SOME)
def test_nothing_is_run_and_nothing_is_fetched(name):
    text = html(document(name))
    assert "<script" not in text
    assert not re.search(r"<[^>]*\son\w+=", text)
    assert "javascript:" not in text
    for value in re.findall(r'\b(?:src|href|action|data)="([^"]*)"', text):
        assert value.startswith("#")
    assert [url[:16] for url in re.findall(r'url\("?([^)]*)', text)] == ["data:font/woff2;"]
    assert "@import" not in text
    comment, rest = text.split("-->", 1)
    assert "GUST Font License" in comment
    assert "http" not in rest.replace('xmlns="http://www.w3.org/2000/svg"', "")


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_arrives(name):
    root = page(name)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert not any(re.search(r"\s", identifier) for identifier in ids)
    links = [element.get("href") for element in root.iter("a")]
    assert {link.removeprefix("#") for link in links} <= set(ids)
    labels = [block.label for block in document(name).blocks if isinstance(block, Display) and block.label]
    headings = [block for block in document(name).blocks if isinstance(block, Heading)]
    listed = len(root.findall("body/main/nav//a"))
    assert listed in (0, sum(heading.level < 3 for heading in headings))
    assert len(links) == len(references(document(name))) + len(labels) + len(headings) + listed
    numbers = [element.text for element in root.iter("a") if element.get("class") == "number"]
    assert numbers == [f"({number})" for number in range(1, len(labels) + 1)]


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_is_there_in_order(name):
    shown = [element.get("alttext") for element in page(name).iter("math")]
    assert squeezed("".join(shown)) == squeezed("".join(formulas(document(name))))


@pytest.mark.parametrize("name", SOME)
def test_sections_headings_and_figures(name):
    root = page(name)
    headings = [block for block in document(name).blocks if isinstance(block, Heading)]
    found = [element for element in root.iter() if re.fullmatch(r"h[2-6]", element.tag)]
    assert [(element.tag, element[0].text) for element in found] == [(f"h{h.level + 1}", h.title) for h in headings]
    for section in root.iter("section"):
        assert section[0].tag in ("h2", "h3", "h4")
        assert [element.get("href") for element in section[0]] == [f"#{section.get('id')}"]
    sections = root.findall("body/main/section")
    assert len(sections) == sum(heading.level == 1 for heading in headings)
    figures = [block for block in document(name).blocks if isinstance(block, Figure)]
    assert len(root.findall(".//figure")) == len(figures)
    for element, figure in zip(root.iter("figure"), figures, strict=True):
        assert element.find(f"div/{SVG}svg/{SVG}desc").text == figure.alternative
        assert "".join(element.find("figcaption").itertext()).startswith("Figure ")


@pytest.mark.parametrize("name", SOME)
def test_tables_have_heads(name):
    root = page(name)
    tables = [block for block in document(name).blocks if isinstance(block, Table)]
    assert len(root.findall(".//table")) == len(tables)
    for element, table in zip(root.iter("table"), tables, strict=True):
        head = element.findall("thead/tr/th")
        assert [cell.get("scope") for cell in head] == ["col"] * len(table.header)
        rows = element.findall("tbody/tr")
        assert len(rows) == len(table.rows)
        assert all([cell.tag for cell in row] == ["th"] + ["td"] * (len(table.header) - 1) for row in rows)
        assert all(row[0].get("scope") == "row" for row in rows)
        numeric = {place for place, cell in enumerate(head) if cell.get("class") == "numeric"}
        assert numeric == table.numeric - table.wide


def headed(*titles, level=1):
    return tuple(Heading(title, level) for title in titles)


def test_sections_have_names_of_their_own():
    blocks = (*headed("The Loss!", "the loss", "Größe", "?", "equation z"), Display((Row("z", ("1",)),), "z"))
    root = parsed(Document("t", blocks, "m"))
    found = [section.get("id") for section in root.iter("section")]
    assert found == ["the-loss", "the-loss-2", "größe", "section", "equation-z-2"]
    assert root.find(".//div[@id='equation-z']") is not None


def test_four_sections_have_a_table_of_contents():
    assert parsed(Document("t", headed("a", "b", "c"), "m")).find("body/main/nav") is None
    blocks = (*headed("a", "b"), *headed("b1", "b2", level=2), *headed("deep", level=3), *headed("c", "d & e"))
    root = parsed(Document("t", blocks, "m"))
    items = root.findall("body/main/nav/details/ol/li")
    assert [item[0].text for item in items] == ["a", "b", "c", "d & e"]
    assert [[link.text for link in item.findall("ul/li/a")] for item in items] == [[], ["b1", "b2"], [], []]
    assert root.find("body/main/nav/details/summary") is not None
    links = {link.get("href") for link in root.findall("body/main/nav//a")}
    assert links < {f"#{section.get('id')}" for section in root.iter("section")}


def test_author_date_and_language():
    root = parsed(Document("t", (), "m", author="Ä & Ö", date="3 May 2024", language="de"))
    assert root.get("lang") == "de"
    assert root.find("head/meta[@name='author']").get("content") == "Ä & Ö"
    assert root.find("body/main/p[@class='byline']").text == "Ä & Ö, 3 May 2024"
    without = parsed(Document("t", (), "m"))
    assert without.find("head/meta[@name='author']") is None
    assert without.find(".//p[@class='byline']") is None


def test_figures_are_called_what_the_document_says():
    figures = (Figure(DRAWING, ("One.",), "x", "one"), Figure(DRAWING, ("Two.",), "x", "two"))
    blocks = (Paragraph((Ref("two", figure=True),)), *figures)
    root = parsed(Document("t", blocks, "m", captions=Captions("Abbildung", "In Worten")))
    assert [caption.text for caption in root.iter("figcaption")] == ["Abbildung 1: One.", "Abbildung 2: Two."]
    link = root.find("body/main/p/a")
    assert (link.text, link.get("href")) == ("Abbildung 2", "#figure-2")


def test_code_is_code():
    root = parsed(Document("t", (Paragraph(("run ", Code("a <b> --c 'd'"))),), "m"))
    assert root.find("body/main/p/code").text == "a <b> --c 'd'"


def test_lines_of_a_display_have_three_parts():
    display = Display((Row("a", ("b", "+ c")), Row("", ("d",)), Row("e", ("f",), r"\approx"), Row("", ("g",), "")), "z")
    root = parsed(Document("t", (display,), "m"))
    lines = root.findall(".//div[@class='line']")
    assert [[cell.get("class") for cell in line] for line in lines] == [["left", "relation", "right"]] * 4
    alone = [[math.get("alttext") for math in cell.iter("math")] for line in lines for cell in line]
    assert alone == [["a"], ["="], ["b", "+ c"], [], ["="], ["d"], ["e"], [r"\approx"], ["f"], [], [], ["g"]]
    plus = lines[0].findall(".//math")[3].find("mo")
    assert plus.get("form") == "infix"


# -- what is embedded --------------------------------------------------------------------------------------------------


def test_the_font_is_embedded_once_with_its_licence_beside_it():
    text = html(document("softmax"))
    embedded = re.findall(r"base64,([A-Za-z0-9+/=]*)", text)
    assert [base64.b64decode(font) for font in embedded] == [(DATA / "mathematics.woff2").read_bytes()]
    assert 40_000 < (DATA / "mathematics.woff2").stat().st_size < 60_000
    assert text.count("@font-face") == 1
    assert "GUST Font License" in (DATA / "GUST-FONT-LICENSE.txt").read_text()
    assert "GUST-FONT-LICENSE.txt" in text
    assert "Latin Modern Math" in (DATA / "README.md").read_text()


@pytest.fixture(scope="module")
def characters():
    fonts = pytest.importorskip("fontTools.ttLib")
    pytest.importorskip("brotli")
    return {chr(code) for code in fonts.TTFont(BytesIO((DATA / "mathematics.woff2").read_bytes())).getBestCmap()}


@pytest.mark.parametrize("name", NAMES)
def test_the_font_has_every_character(name, characters):
    for math in page(name).iter("math"):
        for element in math.iter():
            text = element.text or ""
            italic = element.tag == "mi" and element.get("mathvariant") is None and len(text) == 1
            shown = ITALIC.get(text, text) if italic else text
            assert set(shown) <= characters, (shown, math.get("alttext"))


def test_the_data_are_in_the_wheel():
    building = pytest.importorskip("hatchling.builders.wheel")
    builder = building.WheelBuilder(str(Path(__file__).parents[2]))
    files = {file.distribution_path for file in builder.recurse_included_files()}
    for name in ("mathematics.woff2", "GUST-FONT-LICENSE.txt", "README.md", "page.css", "formulas.css"):
        assert f"symbackprop/documents/formats/data/{name}" in files


# -- what may not go wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ['<b>&"quoted"</b>', "a -- b --> c", "]]>", "</title><script>alert(1)</script>"])
def test_names_are_text(title):
    doc = Document(
        title,
        (Heading(title), Paragraph((title,)), Bullets(((title,),)), Table(((title,),), (((title,),),))),
        f"by {title}",
    )
    root = parsed(doc)
    assert root.find("head/title").text == title
    for path in ("h1", "section/h2/a", "section/p", "section/ul/li", ".//thead//th", ".//tbody//th"):
        assert root.find(f"body/main/{path}").text == title
    assert root.find("body/footer").text == f"by {title}"
    assert "<script" not in html(doc)


def test_a_name_with_signs_of_markup_in_a_whole_document(tmp_path):
    net = sbp.Network(2, [sbp.Dense(1)], "half_squared_error", name='<i>&"x"')
    text = net.derive().save(tmp_path / "d.html").read_text(encoding="utf-8")
    assert ElementTree.fromstring(text).find("head/title").text == 'Backpropagation through <i>&"x"'


def test_control_characters_are_shown_as_such():
    root = parsed(Document("a\x00b\x1fc\ufffe", (), "m"))
    assert root.find("head/title").text == "a\ufffdb\ufffdc\ufffd"


def test_braces_in_names_are_no_fields():
    assert parsed(Document("{font} {0} {", (Paragraph(("{x}", Math(r"\frac{a}{b}"))),), "m")).find("body") is not None


@pytest.mark.parametrize("name", list(MODELS)[:3])
def test_the_same_bytes_each_time(name):
    assert html(document(name)) == html(document(name))


def test_a_hundred_layers_take_seconds(tmp_path):
    net = sbp.Network("D", [sbp.Dense("H", "tanh")] * 100, "half_squared_error")
    start = time.process_time()
    path = net.derive().save(tmp_path / "d.html")
    # About three on an ordinary processor.
    assert time.process_time() - start < 12
    assert path.stat().st_size < 6_000_000
