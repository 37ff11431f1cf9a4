"""Every symbol of a document is in its notation table, and every symbol of the table in the document."""

from __future__ import annotations

import dataclasses
import re

import pytest
from documents import MODELS, OPTIONS, derivation_document, formulas, story
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import networks
from symbols import leading, symbols

import symbackprop as sbp
from symbackprop.documents.options import Options
from symbackprop.documents.tree import Display, Math, Paragraph, Table

CONSTANTS = {"e"}
"""Euler's number is everybody's."""


def test_symbols_of_formulas():
    assert symbols(r"\frac{\partial L}{\partial w^{(1)}_{ji}} = \sum_{n=1}^{N} \delta^{(1)}_{nj}\,x_{ni}") == {
        *("L", "w^{(1)}", "j", "i", "n", "N", r"\delta^{(1)}", "x")
    }
    assert symbols(r"W^{[2]\top} \mathbf{1}_{m} + \mathrm{rate}^{2}") == {"W^{[2]}", "m", r"\mathrm{rate}"}
    assert symbols(r"e^{-z^{(l+1)}_{n}} + \text{if } \log(H_{l-1})") == {"e", "z^{(l)}", "n", "H", "l"}


def parts(document, bare):
    """The formulas of the notation table, of what defines functions and identities, and of all else."""
    (table,) = (b for b in document.blocks if isinstance(b, Table) and b.header[0] == ("symbol",))
    defined = {s for row in table.rows for part in row[0] if isinstance(part, Math) for s in symbols(part.latex, bare)}
    meanings = {
        s for row in table.rows for cell in row[1:] for p in cell if isinstance(p, Math) for s in symbols(p.latex, bare)
    }
    # The conventions before the table say what they mean with letters of their own.
    place = document.blocks.index(table)
    rest = [*document.blocks[: place - 1], *document.blocks[place + 1 :]]
    place = next((n for n, b in enumerate(rest) if isinstance(b, Paragraph) and b.text == FUNCTIONS), None)
    functions = set()
    if place is not None:
        # A function is defined at z, and z is defined there too.
        functions = {s for row in rest[place + 1].rows for s in symbols(row.left, bare)}
        local = functions | {s for row in rest[place + 1].rows for piece in row.right for s in symbols(piece, bare)}
        del rest[place + 1]
        functions = local
    rest = [b for b in rest if not (isinstance(b, Display) and b.label.startswith("identity-"))]
    used = {s for latex in formulas(dataclasses.replace(document, blocks=tuple(rest))) for s in symbols(latex, bare)}
    return defined, meanings, functions, used


FUNCTIONS = ("Functions, with the derivatives that are used:",)


def check(document, bare=False):
    (table,) = (b for b in document.blocks if isinstance(b, Table) and b.header[0] == ("symbol",))
    cells = [[part.latex for part in row[0] if isinstance(part, Math)] for row in table.rows]
    meant = [
        symbol
        for cell in cells
        for symbol in ({leading(latex, bare) for latex in cell} if len(cell) > 1 else cell[0].split(", "))
    ]
    assert len(set(meant)) == len(meant)
    defined, meanings, functions, used = parts(document, bare)
    assert used | meanings <= defined | functions | CONSTANTS
    assert defined <= used | meanings | functions


@settings(max_examples=40)
@given(
    networks(),
    st.sampled_from(["superscript", "ng", "nielsen"]),
    st.sampled_from(["delta", "partial"]),
    st.sampled_from(["rows", "columns", "vector"]),
    st.sampled_from(["steps", "every"]),
)
def test_random_networks(network, notation, derivative, orientation, detail):
    options = Options(notation, derivative, orientation=orientation, detail=detail, date="")
    check(derivation_document(story(network, options=options), options), bare=notation == "nielsen")


@pytest.mark.parametrize("name", MODELS)
def test_known_models(name):
    check(derivation_document(story(MODELS[name]), OPTIONS))


@pytest.mark.parametrize("sections", [("result",), ("forward",), ("backward",), ("numbers",), ("result", "checks")])
@pytest.mark.parametrize("depth", [2, 9])
def test_whatever_is_shown_is_explained(depth, sections):
    layers = [sbp.Dense(2, "tanh")] * (depth - 1) + [sbp.Dense(1)]
    options = Options(sections=(*sections, "notation"), date="")
    network = sbp.Network(2, layers, "half_squared_error")
    defined, meanings, functions, used = parts(derivation_document(story(network, options=options), options), False)
    if depth > 6:
        # Of many layers that are alike the first has the row.
        used = {re.sub(r"\(\d\)", "(1)", symbol) for symbol in used}
    assert used | meanings <= defined | functions | CONSTANTS


def test_a_row_too_few_or_too_many_is_noticed():
    document = derivation_document(story(MODELS["softmax"]), OPTIONS)
    place = next(n for n, b in enumerate(document.blocks) if isinstance(b, Table))
    table = document.blocks[place]
    for rows in (table.rows[1:], (*table.rows, ((Math(r"\omega"),), ("nothing",), ()))):
        blocks = (*document.blocks[:place], dataclasses.replace(table, rows=rows), *document.blocks[place + 1 :])
        with pytest.raises(AssertionError):
            check(dataclasses.replace(document, blocks=blocks))
