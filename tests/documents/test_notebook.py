"""What objects show in a notebook: well-formed, alone, in the notebook's colours, and no wider than its place."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from functools import cache

import numpy as np
import pytest
from browser import CHROMIUM, Browser

import symbackprop as sbp
from symbackprop.documents.drawings.drawing import Circle, Drawing
from symbackprop.documents.formats.fragment import html_fragment
from symbackprop.documents.tree import Bullets, Code, Display, Figure, Heading, Math, Paragraph, Ref, Row, Table

NAME = "<b>&'\"$ _1"
DRAWING = Drawing(60, 40, (Circle((30, 20), 15),), "A circle", "A circle.")
BLOCKS = (
    Heading(NAME),
    Paragraph((NAME, Math("x < 1"), Ref("z"), Ref("one", figure=True), Code("a <b> --c"))),
    Bullets(((NAME,),)),
    Display((Row("z", ("x", "+ y")),), "z"),
    Table(((NAME,), ("number",)), (((NAME,), ("1",)), ((NAME,), ("2",))), numeric=frozenset({1})),
    Figure(DRAWING, (NAME,), "A circle.", "one"),
)
NETWORK = sbp.Network(
    2, [sbp.Dense(3, "tanh"), sbp.Dense(2, "softmax")], "categorical_cross_entropy", l2=0.1, name=NAME
)
X, Y = [[0.5, -0.25], [1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]]


@cache
def shown(name):
    match name:
        case "blocks":
            return html_fragment(BLOCKS)
        case "report":
            return NETWORK.derive().verify(x=X, y=Y)._repr_html_()
        case "wrong":
            return wrong()._repr_html_()
        case "training":
            return training()._repr_html_()
        case "stopped":
            return training(learning_rate=1e200)._repr_html_()
        case _:
            return NETWORK.derive()[name]._repr_html_()


def wrong():
    gradients = NETWORK.derive().compile()

    def negated(parameters, x, y):
        loss, found = gradients(parameters, x, y)
        return loss, {**found, "W1": -found["W1"]}

    return NETWORK.derive().verify(x=X, y=Y, gradients=negated)


def training(**more):
    return NETWORK.train(x=X, y=Y, epochs=5, **more)


SHOWN = ["blocks", "report", "wrong", "training", "W1", "b1", "z2", "W2"]


@pytest.mark.parametrize("name", SHOWN)
def test_it_is_well_formed_and_alone(name):
    root = ElementTree.fromstring(shown(name))
    assert (root.tag, root.get("class"), root[0].tag) == ("div", "symbackprop", "style")
    assert "<script" not in shown(name)
    assert not [element for element in root.iter() if element.get("id") or element.get("href") or element.get("src")]
    assert not list(root.iter("a"))
    assert "url(" not in shown(name)
    assert "@import" not in shown(name)
    assert "@font-face" not in shown(name)


def test_names_are_text():
    root = ElementTree.fromstring(shown("blocks"))
    for path in ("section/h2", "section/ul/li", ".//thead//th", ".//tbody//th"):
        assert root.find(path).text == NAME
    assert root.find("section/figure/figcaption").text == f"Figure 1: {NAME}"


def test_references_are_plain_text():
    root = ElementTree.fromstring(shown("blocks"))
    assert "(1)Figure 1a <b> --c" in "".join(root.find("section/p").itertext())
    assert root.find(".//span[@class='number']").text == "(1)"


def test_a_gradient_shows_index_form_and_matrix_form():
    gradient = NETWORK.derive()["W1"]
    root = ElementTree.fromstring(gradient._repr_html_())
    first, second = ("".join(math.get("alttext") for math in line.iter("math")) for line in lines(root))
    assert squeezed(first) == squeezed(gradient.index.latex)
    assert squeezed(second) == squeezed(gradient.matrix_latex())


def test_a_gradient_without_matrix_form_shows_the_index_form():
    net = sbp.Program(
        ["z[n,i,j] = x[n,i]*W[i,j]", "L = Sum(z[n,i,j]**2, n, i, j)"],
        "L",
        inputs={"x": ("N", "I")},
        parameters={"W": ("I", "J")},
    )
    gradient = net.derive()["z"]
    assert gradient.matrix_latex() is None
    assert len(lines(ElementTree.fromstring(gradient._repr_html_()))) == 1


def lines(root):
    return [element for element in root.iter("div") if element.get("class", "").split()[:1] == ["line"]]


def squeezed(latex):
    return "".join(latex.split())


def test_a_report_says_whether_it_is_ok_in_words():
    assert "<p>ok: All 17 weights agree with the derivative.</p>" in shown("report")
    assert "<p>not ok: Of 17 weights, 6 fail.</p>" in shown("wrong")
    root = ElementTree.fromstring(shown("wrong"))
    assert [row[0].text for row in root.findall(".//tbody/tr")] == ["W1", "b1", "W2", "b2"]
    assert all(item.text.startswith("fail  W1[") for item in root.iter("li"))


def test_a_run_of_training_says_what_came_of_it():
    run = training()
    words = " ".join(ElementTree.fromstring(run._repr_html_()).itertext())
    assert f"5 epochs, loss from {run.losses[0]:.6g} to {run.loss:.6g}." in words
    assert NAME in words
    assert "3 \N{MULTIPLICATION SIGN} 2" in words
    run = training(learning_rate=1e200)
    assert run.stopped
    assert f"; stopped: {run.stopped}." in " ".join(ElementTree.fromstring(run._repr_html_()).itertext())


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_table_of_a_report_compiles_without_a_package(tmp_path):
    body = "\n\n".join(report._repr_latex_() for report in (NETWORK.derive().verify(x=X, y=Y), wrong()))
    (tmp_path / "d.tex").write_text(f"\\documentclass{{article}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "d.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:]
    assert not re.findall(r"^(?:LaTeX Warning|Overfull|Underfull \\hbox).*", run.stdout, re.MULTILINE)


# -- in a browser ------------------------------------------------------------------------------------------------------

PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>
body { margin: 1rem; background: #111; color: #eee; font: 14px sans-serif; } </style>
<p>before</p>%s<p>after</p>"""
COLOURS = """
[...document.querySelectorAll(".symbackprop, .symbackprop *")].filter(element => element.tagName != "STYLE").map(
  element => getComputedStyle(element)
).filter(style => style.color != "rgb(238, 238, 238)" && !style.color.startsWith("color("))
.map(style => style.color)
"""


@pytest.fixture(scope="module")
def browser():
    with Browser() as opened:
        yield opened


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [500, 1000])
def test_on_a_dark_page_nothing_is_too_wide_and_nothing_too_dark(browser, tmp_path, width):
    page = tmp_path / "page.html"
    page.write_text(PAGE % "".join(shown(name) for name in [*SHOWN, "W1"]), encoding="utf-8")
    browser.open(page, width)
    assert browser.evaluate("document.scrollingElement.scrollWidth") == width
    assert browser.evaluate(COLOURS) == []
    assert browser.evaluate("getComputedStyle(document.querySelector('.line')).display") == "contents"
    assert browser.evaluate("getComputedStyle(document.querySelector('body > p')).margin") == "14px 0px"
    assert [sent["request"]["url"] for sent in browser.of("Network.requestWillBeSent")] == [page.as_uri()]
    (tmp_path / "p.png").write_bytes(browser.picture())


def test_an_array_of_one_number_has_a_shape():
    run = sbp.Program(
        ["L = Sum((c*x[n] - y[n])**2, n)"], "L", inputs={"x": ("N",)}, targets={"y": ("N",)}, parameters={"c": ()}
    ).train({"c": np.array(1.5)}, x=[1.0, 2.0], y=[2.0, 4.0], epochs=1)
    assert "<td>number</td>" in run._repr_html_()
