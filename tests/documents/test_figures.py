"""Figures of networks and graphs: nothing touches, what is left out is said, and the symbols are those of the text."""

from __future__ import annotations

import re

import pytest
from documents import OPTIONS, story
from figure_cases import MODELS, NETWORKS, all_drawings, graph, network, numbered_graph, views
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import cases

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.documents.derivation import derivation_document
from symbackprop.documents.drawings.collisions import collisions
from symbackprop.documents.drawings.drawing import Box, Circle, Dots, Ink, Label, Line, Tip
from symbackprop.documents.drawings.graph_figure import graph_figure
from symbackprop.documents.drawings.network_figure import network_figure
from symbackprop.documents.drawings.wire_labels import in_names
from symbackprop.documents.languages.tables import LANGUAGES
from symbackprop.documents.languages.words import words_of
from symbackprop.documents.sections.context import Context
from symbackprop.documents.sections.notation_table import notation_section
from symbackprop.documents.tree import Figure, Heading, Math, Table
from symbackprop.errors import SymbackpropError
from symbackprop.forms.signs import Sign
from symbackprop.forms.views import Views
from symbackprop.layers.activations import ACTIVATIONS

DRAWINGS = all_drawings()
SIZES = st.one_of(st.integers(1, 8), st.sampled_from([10, 784, 10**7, "H", "K", "Alpha", "Hidden12"]))
OWN = (
    sbp.Activation("an_activation_whose_name_is_long", lambda z: z**3),
    sbp.Activation("\u0444\u0443\u043d\u043a\u0446\u0438\u044f", lambda z: z**3),
)
LAYERS = st.builds(sbp.Dense, SIZES, st.sampled_from([*ACTIVATIONS, *OWN]), st.booleans())


@pytest.mark.parametrize("name", DRAWINGS)
def test_nothing_touches(name):
    assert collisions(DRAWINGS[name]) == ()


@settings(max_examples=25)
@given(
    SIZES,
    st.lists(LAYERS, min_size=1, max_size=9),
    st.sampled_from(["out_in", "in_out"]),
    st.sampled_from(sorted(LANGUAGES)),
)
def test_nothing_touches_in_any_network(inputs, layers, layout, language):
    net = sbp.Network(inputs, layers, "half_squared_error", weight_layout=layout)
    made = Views(differentiate(net.program))
    words = words_of(language)
    assert collisions(network_figure(made.symbols, words, net.description)) == ()
    signals = in_names(made.symbols, made.differentiation)
    assert collisions(graph_figure(made.differentiation, signals, words)) == ()


@settings(max_examples=40)
@given(st.one_of(cases("general"), cases("rational", equations=(8, 18))))
def test_nothing_touches_in_any_program(case):
    try:
        made = Views(differentiate(case.program))
    except SymbackpropError:
        return
    drawing = graph_figure(made.differentiation, in_names(made.symbols, made.differentiation), words_of("en"))
    assert collisions(drawing) == ()
    assert sum(isinstance(mark, Box) for mark in drawing.marks) >= min(len(case.program.equations), 9)


# Symbols


def symbols_of_the_text(name):
    """The mathematics of the notation table."""
    (table,) = (
        block for block in notation_section(Context(views(name), OPTIONS), None, None) if isinstance(block, Table)
    )
    return [part.latex for row in table.rows for cell in row for part in cell if isinstance(part, Math)]


@pytest.mark.parametrize("name", MODELS)
def test_every_symbol_is_in_the_notation_table(name):
    known = symbols_of_the_text(name)
    drawings = [graph(name), numbered_graph(name), network(name) if name in NETWORKS else None]
    signs = {
        part
        for drawing in drawings
        if drawing is not None
        for mark in drawing.marks
        if isinstance(mark, Label)
        for part in mark.text
        if isinstance(part, Sign)
    }
    for sign in signs:
        whole = Sign(sign.base, sign.above).latex
        if re.fullmatch(r"-?[\d.]+|/|\\partial| \\cdot 10(\^\{.*\})?| \\times ", whole):
            continue
        # Where many layers are alike, the table names the first and says how far it goes on.
        first = re.sub(r"\^\{\(\d+\)\}", "^{(1)}", whole)
        found = [
            latex for latex in known if re.search(rf"(?:{re.escape(whole)}|{re.escape(first)})(?![\^A-Za-z}}])", latex)
        ]
        assert found, whole
        for below in sign.below:
            assert below.latex.isdigit() or below.latex == "," or below.latex in known


def plain(drawing):
    return [mark.plain for mark in drawing.marks if isinstance(mark, Label)]


# Networks


def test_a_small_network_is_drawn_whole():
    drawing = network("2-3-1")
    assert sum(isinstance(mark, Circle) for mark in drawing.marks) == 6
    assert not any(isinstance(mark, Dots) for mark in drawing.marks)
    labels = plain(drawing)
    assert {"x1", "x2", "a(1)1", "a(1)2", "a(1)3", "z(2)1"} <= set(labels)
    weights = {f"w(1){j}{i}" for j in (1, 2, 3) for i in (1, 2)} | {f"w(2)1{i}" for i in (1, 2, 3)}
    assert weights <= set(labels)
    assert {"inputs", "layer 1", "layer 2", "sigmoid", "identity", "bias b(1)", "bias b(2)"} <= set(labels)


def test_the_weights_have_the_indices_of_the_layout():
    assert "w(1)43" in plain(network("4-3-1"))
    assert "no bias" in plain(network("4-3-1"))


@pytest.mark.parametrize(
    ("name", "shown", "weights"),
    [
        ("2-10-1", {"a(1)1", "a(1)2", "a(1)3", "a(1)10"}, {"w(1)10,2", "w(2)1,10"}),
        ("784-128-10", {"x1", "x2", "x3", "x784", "a(1)128", "a(2)10"}, {"W(1)", "128 \u00d7 784"}),
        ("symbolic", {"x1", "x2", "xD", "a(1)1", "a(1)2", "a(1)H\u2081", "z(2)K"}, {"w(1)H\u2081,D"}),
    ],
)
def test_of_many_units_the_first_and_the_last_are_drawn(name, shown, weights):
    labels = plain(network(name))
    assert shown | weights <= set(labels)
    assert not {"x4", "a(1)4", "a(1)9", "a(2)9"} & set(labels)
    assert any(isinstance(mark, Dots) and mark.upright for mark in network(name).marks)


def test_of_many_layers_the_first_and_the_last_are_drawn():
    headings = [text for text in plain(network("100 layers")) if text.startswith("layer")]
    assert headings == ["layer 1", "layer 2", "layer 3", "layer 99", "layer 100"]
    assert any(isinstance(mark, Dots) and not mark.upright for mark in network("100 layers").marks)
    assert len([text for text in plain(network("6 layers")) if text.startswith("layer")]) == 6


def test_a_name_that_is_long_is_cut(tmp_path):
    net = sbp.Network(1, [sbp.Dense(1, OWN[0])], "half_squared_error", name="cut")
    text = net.derive().save(tmp_path / "d.tex").read_text(encoding="utf-8")
    assert "{an activation w...}" in text
    assert "[U+" not in text


def test_layers_that_are_alike_are_said_once():
    text = network("100 layers").alternative
    assert "3 inputs; layers 1 to 99 have 4 units each and the activation tanh; layer 100 has one unit" in text
    assert len(text) < 400


def test_a_drawing_is_in_the_language_of_the_document():
    assert {"Eing\u00e4nge", "Schicht 1", "Identit\u00e4t", "Bias b(2)", "kein Bias"} <= set(
        plain(network("4-3-1", "de"))
    )
    assert "192 weitere Gleichungen" in plain(graph("100 layers", "de"))
    text = network("symbolic", "de").alternative
    assert "mit D Eing\u00e4ngen; Schicht 1 hat H1 Einheiten und die Aktivierung GELU mit tanh;" in text
    assert "a1 ist" in numbered_graph("2-3-1", "de").alternative


# Graphs


def test_a_graph_has_a_box_for_each_variable():
    boxes = [mark for mark in graph("attention").marks if isinstance(mark, Box)]
    program = MODELS["attention"].program
    assert sum(box.rounded for box in boxes) == len(program.equations)
    assert sum(not box.rounded for box in boxes) == len(program.inputs)


def test_names_stand_at_the_wires():
    labels = plain(graph("2-3-1"))
    assert labels.count("Z(1)") == 2
    assert {"\u0394(1)", "\u2202L/\u2202A(1)", "\u2202L/\u2202W(2)", "1"} <= set(labels)
    assert not {"\u2202L/\u2202X", "\u2202L/\u2202Y"} & set(labels)


def test_numbers_stand_at_the_wires_where_they_are_few():
    net = sbp.Network(1, [sbp.Dense(1)], "half_squared_error")
    told = story(net, {"W1": [[2.0]], "b1": [0.5]}, [[3.0]], [[5.0]])
    (figure,) = (b for b in derivation_document(told).blocks if isinstance(b, Figure) and b.label == "graph")
    assert {"2", "0.5", "3", "5", "6.5", "1.5", "4.5", "1.12", "1"} <= set(plain(figure.drawing))
    assert "z1 is 6.5 with derivative 1.5" in figure.alternative


@pytest.mark.parametrize("name", ["784-128-10", "symbolic", "6 layers", "100 layers"])
def test_names_stand_there_where_numbers_are_many_or_none(name):
    assert numbered_graph(name) is None


def test_several_examples_are_not_drawn_as_one():
    told = story(MODELS["2-3-1"], None, [[1.0, 2.0], [3.0, 4.0]], [[1.0], [2.0]])
    (figure,) = (b for b in derivation_document(told).blocks if isinstance(b, Figure) and b.label == "graph")
    assert "Z(1)" in plain(figure.drawing)


def test_derivatives_come_back_only_where_there_are_any():
    lines = [mark for mark in graph("2-3-1").marks if isinstance(mark, Line)]
    taken = [line for line in lines if line.ink is Ink.FORWARD and line.tip is Tip.END]
    started = [line for line in lines if line.ink is Ink.BACKWARD and line.tip is Tip.START]
    # Into the equations lead x, W1, b1; z1; a1, W2, b2; z2, y, and the loss leads out. x and y get nothing back.
    assert (len(taken), len(started)) == (10, 8)


def test_of_many_equations_the_first_and_the_last_are_drawn():
    labels = plain(graph("100 layers"))
    assert "192 more equations" in labels
    assert {"Z(1)", "A(2)", "Z(99)", "Z(100)", "L"} <= set(labels)
    assert not {"Z(3)", "Z(50)", "W(50)"} & set(labels)
    assert "more equations" not in " ".join(plain(graph("6 layers")))


@pytest.mark.parametrize(("name", "weight"), [("recurrent", "W"), ("penalised", "W(1)")])
def test_what_is_taken_twice_has_one_name_and_one_derivative(name, weight):
    labels = plain(graph(name))
    # In its box and at the wire; the derivative at the wire alone.
    assert labels.count(weight) == 2
    assert labels.count(f"\u2202L/\u2202{weight}") == 1


# Documents


def test_the_figures_stand_where_they_belong():
    blocks = derivation_document(story(MODELS["2-3-1"])).blocks
    places = {block.label: place for place, block in enumerate(blocks) if isinstance(block, Figure)}
    titles = {block.title: place for place, block in enumerate(blocks) if isinstance(block, Heading)}
    assert places["network"] < titles["Result"]
    assert places["graph"] == titles["Backward pass"] + 2


def test_a_program_has_no_network():
    blocks = derivation_document(story(MODELS["attention"])).blocks
    assert [block.label for block in blocks if isinstance(block, Figure)] == ["graph"]


def test_markdown_says_in_words_what_is_drawn(tmp_path):
    text = MODELS["2-10-1"].derive().save(tmp_path / "d.md").read_text()
    assert "**Figure 1.** The network, for one example." in text
    assert "> In words: Columns of circles from left to right" in text
    assert "Dots stand for units that are not drawn." in text
    assert "**Figure 2.** The computational graph" in text
