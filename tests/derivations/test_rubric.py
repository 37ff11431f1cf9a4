"""The rubric of twenty points, as far as a program can hold it, for every committed derivation."""

from __future__ import annotations

import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

import symbackprop as sbp
from symbackprop import __version__
from symbackprop.api.story import story_of
from symbackprop.documents.derivation import derivation_document
from symbackprop.documents.languages.english import ENGLISH
from symbackprop.documents.layout import WIDTH, ems, glyphs, lines
from symbackprop.documents.sections.context import Context
from symbackprop.documents.sections.recursion import recursion
from symbackprop.documents.sections.steps import shown_form
from symbackprop.documents.tree import Bullets, Code, Display, Figure, Heading, Math, Paragraph, Ref, Table
from symbackprop.forms.breaks import unmarked

FOLDER = Path(__file__).parents[2] / "derivations"
DERIVATIONS = sorted(path.parent.name for path in FOLDER.glob("*/network.toml"))
SCORES = tomllib.loads((Path(__file__).parent / "scores.toml").read_text(encoding="utf-8"))["points"]
LINE = 45
"""How many ems of mathematics fit on a line of the page, its relation sign included."""
pytestmark = pytest.mark.parametrize("name", DERIVATIONS)


class Read:
    """A committed derivation: what it is about, and its document taken apart."""

    def __init__(self, name):
        self.model = sbp.Network.load(FOLDER / name / "network.toml")
        self.options = self.model.document
        derivation = self.model.derive()
        self.story = story_of(derivation, derivation._given(None, None, None, {}), None, self.options)
        self.document = derivation_document(self.story, self.options)
        self.blocks = self.document.blocks
        self.views = self.story.views
        self.program = self.views.differentiation.program
        self.context = Context(self.views, self.options)

    def section(self, title):
        """The blocks below a heading, up to the next one that is not below it."""
        start = next(n for n, b in enumerate(self.blocks) if isinstance(b, Heading) and b.title == title)
        level = self.blocks[start].level
        after = (n for n, b in enumerate(self.blocks) if n > start and isinstance(b, Heading) and b.level <= level)
        return self.blocks[start + 1 : next(after, len(self.blocks))]

    def said(self, blocks=None):
        return " ".join(
            "".join(
                part.text if isinstance(part, Code) else part for part in block.text if isinstance(part, str | Code)
            )
            for block in (self.blocks if blocks is None else blocks)
            if isinstance(block, Paragraph)
        )

    def rows(self, blocks=None):
        found = (block for block in (self.blocks if blocks is None else blocks) if isinstance(block, Display))
        return [row for block in found for row in block.rows]

    def derived(self):
        """The adjoints that are derived step by step."""
        general = recursion(self.views, self.model.description)
        known = {} if general is None else general.instances
        return [a for a in self.views.differentiation.adjoints if a.of.name not in known]


@pytest.fixture
def read(name):
    return _read(name)


@cache
def _read(name):
    return Read(name)


def test_header(read):
    said = read.said(read.blocks[:4])
    network = read.model.description
    for layer in network.layers:
        assert layer.resolved().name.replace("_", " ") in said
    assert ENGLISH[f"entry {network.loss.name}"] in said
    assert f"symbackprop {__version__}" in said
    assert "symbackprop derive network.toml" in said
    assert read.document.date == "22 November 2026"
    assert ("seed" in said) == bool(read.story.example.drawn)


def test_notation_table(read):
    sys.path.insert(0, str(Path(__file__).parents[1] / "documents"))
    from test_symbols import check

    check(read.document, bare=read.options.notation == "nielsen")


def test_layout_convention(read):
    (conventions,) = (b for b in read.section("Notation") if isinstance(b, Bullets))
    said = ["".join(part for part in item if isinstance(part, str)) for item in conventions.items]
    expected = {
        "rows": "stored as rows",
        "columns": "stored as columns",
        "vector": "One example at a time",
    }[read.options.orientation]
    assert any(expected in sentence for sentence in said)
    assert any("A vector is a column" in sentence for sentence in said)
    assert any("has the shape of the array" in sentence for sentence in said)


def test_shapes(read):
    for equation in read.views.differentiation.adjoint_program.equations:
        (display,) = (b for b in read.blocks if isinstance(b, Display) and b.label == equation.name)
        form = shown_form(read.context, equation)
        if form is None:
            continue
        printer = read.views.matrix_printer
        products = printer.right(form, shapes=True).count(r"\underset")
        assert display.rows[-1].right == (printer.right(form, shapes=True),)
        assert (products > 0) == any(
            sign in type_names(form.right) for sign in ("MatMul", "Outer", "SumOver", "Expand")
        )
    for equation in read.program.equations:
        if equation.left.shape:
            place = next(n for n, b in enumerate(read.blocks) if isinstance(b, Display) and b.label == equation.name)
            assert " of shape " in read.said([read.blocks[place - 1]])


def type_names(node):
    names = {type(node).__name__}
    for value in vars(node).values():
        for part in value if isinstance(value, tuple) else (value,):
            for child in part if isinstance(part, tuple) else (part,):
                if hasattr(child, "axes"):
                    names |= type_names(child)
    return names


def test_figures(read):
    network, graph = (block for block in read.blocks if isinstance(block, Figure))
    assert network.label == "network"
    assert graph.label == "graph"
    assert min(len(network.alternative), len(graph.alternative)) > 100


def test_forward_pass(read):
    labels = [b.label for b in read.blocks if isinstance(b, Display) and b.label in read.program.definitions]
    assert labels == [equation.name for equation in read.program.equations]


def test_loss(read):
    kind = "The loss is: " if read.options.orientation == "vector" else r"The loss is the (mean|sum) over"
    assert re.search(kind, read.said(read.blocks[:4]))
    assert bool(read.program.assumptions) == ("It is assumed that" in read.said(read.section("Loss")))
    if read.model.description.loss.name == "half_squared_error":
        assert "The half is there" in read.said(read.section("Loss"))


def test_road_map(read):
    first = next(block for block in read.blocks if isinstance(block, Heading))
    assert first.title == "Result"
    lefts = {unmarked(row.left) for row in read.rows(read.section("Result"))}
    for name in read.views.differentiation.wrt:
        adjoint = read.views.differentiation.by_variable[name]
        assert read.views.symbols.whole(adjoint.name, len(adjoint.of.shape)) in lefts


def test_chain_by_names(read):
    lefts = [unmarked(row.left) for row in read.rows(read.section("Backward pass"))]
    for adjoint in read.derived():
        if len(adjoint.contributions) > 1 or adjoint.contributions[0].cotangent is not None:
            of = read.views.printer.doprint(adjoint.of.everywhere)
            assert rf"\frac{{\partial {read.context.loss.latex}}}{{\partial {unmarked(of)}}}" in lefts
    for block in read.section("Every weight"):
        assert r"\frac{\partial" in unmarked(block.rows[0].right[0])


def test_local_factors(read):
    paragraphs = [b for b in read.section("Backward pass") if isinstance(b, Paragraph) and b.text[0] == "From "]
    assert all(isinstance(block.text[1], Ref) for block in paragraphs)
    assert len(paragraphs) >= sum(len(adjoint.contributions) for adjoint in read.derived())
    (table,) = (b for b in read.section("Local factors") if isinstance(b, Table))
    assert all(row[1] and row[2] and row[3] for row in table.rows)


def test_nothing_twice(read):
    labels = [block.label for block in read.blocks if isinstance(block, Display) and block.label]
    assert len(set(labels)) == len(labels)
    rows = [(unmarked(row.left), unmarked(" ".join(row.right))) for row in read.rows() if row.left]
    long = [row for row in rows if glyphs("".join(row)) > WIDTH]
    assert len(set(long)) == len(long)


def test_reading_order(read):
    for row in read.rows(read.section("Result") + read.section("Backward pass")):
        right = unmarked(" ".join(row.right))
        assert not re.match(r"-[^()]*[^e]\+", right), right
        assert not re.search(r"\(-[^()]*\+", right), right


def test_both_forms(read):
    for adjoint in read.views.differentiation.adjoints:
        place = next(n for n, b in enumerate(read.blocks) if isinstance(b, Display) and b.label == adjoint.name)
        form = shown_form(read.context, adjoint.equation)
        assert len(read.blocks[place].rows) == (1 if form is None else 2)
        above = read.blocks[place - 1]
        # An identity of matrix notation, or the equation for any layer, which cites its identities itself.
        cited = [part for part in above.text if isinstance(part, Ref)]
        if form is not None and re.search(r"\\top|\\odot|\\mathbf\{1\}", unmarked(read.blocks[place].rows[1].right[0])):
            assert cited, adjoint.name


def test_made_concrete(read):
    said = read.said(read.section("Backward pass"))
    for layer in read.model.description.layers:
        activation = layer.resolved()
        if not activation.is_identity and activation.name != "softmax":
            assert f"derivative of {activation.name}" in said
    if read.program.assumptions:
        assert any(adjoint.assuming for adjoint in read.views.differentiation.adjoints)
        assert "If " in said


def test_worked(read):
    displays = [block for block in read.section("Every weight") if isinstance(block, Display)]
    assert len(displays) == sum(read.story.example.array(p).size for p in read.views.differentiation.wrt)
    for display in displays:
        chain, formula, numbers, *products, result, update = display.rows
        assert len(products) == (len(chain.right) > 1)
        assert (chain.left, formula.left, numbers.left, result.left) == (chain.left, "", "", "")
        assert update.relation == r"\leftarrow"
        assert re.fullmatch(r"-?[\d.]+(?: \\cdot 10\^\{-?\d+\})?", unmarked(result.right[0]))


def test_significant_figures(read):
    assert "rounded for display to 6 significant figures" in read.said()
    for block in read.section("Worked in numbers"):
        cells = (
            [p.latex for row in block.rows for c in row for p in c if isinstance(p, Math)]
            if isinstance(block, Table)
            else []
        )
        shown = cells + [latex for row in read.rows([block]) for latex in row.right]
        for number in (n for latex in shown for n in re.findall(r"(?<![\d_{])-?\d+\.\d+", unmarked(latex))):
            assert float(number) != 0, number
            assert len(number.lstrip("-0.").replace(".", "")) <= 6, number


def test_every_weight(read):
    (table,) = (b for b in read.section("The update") if isinstance(b, Table))
    names = [row[0][0].latex for row in table.rows]
    assert len(set(names)) == sum(read.story.example.array(p).size for p in read.views.differentiation.wrt)


def test_update(read):
    said = [
        part.latex
        for b in read.section("The update")
        if isinstance(b, Paragraph)
        for part in b.text
        if isinstance(part, Math)
    ]
    rate, before, after = said
    assert rate.startswith(r"\eta = ")
    assert before.startswith(f"{read.context.loss.latex} = ")
    assert float(after) < float(before.partition(" = ")[2])


def test_checks(read):
    (table,) = (b for b in read.section("Checks") if isinstance(b, Table))
    assert len(table.rows) >= len(read.views.differentiation.wrt)
    for row in table.rows:
        assert row[-1] == (Math("< 10^{-6}"),)
    kinks = [b for b in read.blocks if isinstance(b, Heading) and b.title == "Points without derivative"]
    assert bool(kinks) == bool(read.views.differentiation.kinks)


def test_lines_fit(read):
    for row in read.rows():
        for place, line in enumerate(lines(row.left, row.right)):
            assert ems(line) + (ems(row.left) if place == 0 else 0) < LINE, unmarked(line)


def test_the_scores_are_complete(name):
    assert [point["number"] for point in SCORES] == list(range(1, 21))
    for point in SCORES:
        assert point["test"] in globals(), point["test"]
        scores = point.get("exceptions", {}).get(name, point)
        assert scores["score"] in (0, 1, 2)
        assert scores["reason"].endswith(".")
    assert sum(point.get("exceptions", {}).get(name, point)["score"] for point in SCORES) >= 38
