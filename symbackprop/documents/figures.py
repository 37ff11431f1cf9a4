"""Which figures a document has, and what is said under them."""

from __future__ import annotations

from symbackprop.documents.drawing import Drawing
from symbackprop.documents.graph_figure import graph_figure
from symbackprop.documents.graph_parts import MOST_EQUATIONS
from symbackprop.documents.network_figure import network_figure
from symbackprop.documents.network_parts import MOST_LAYERS, MOST_UNITS
from symbackprop.documents.tree import Block, Figure, Math, Text
from symbackprop.documents.wire_labels import in_names, in_numbers
from symbackprop.documents.worked import WorkedExample
from symbackprop.forms.views import Views
from symbackprop.network import NetworkDescription

__all__ = ["graph_blocks", "network_blocks"]

_WIDEST, _HIGHEST = 760.0, 950.0
"""A graph with numbers that is larger is drawn with names."""


def network_blocks(views: Views, network: NetworkDescription | None) -> list[Block]:
    """The network; nothing for a program that is none."""
    if network is None:
        return []
    drawing = network_figure(views.symbols, network)
    weight = views.symbols.variable("W1")
    names = tuple(index.name for index in weight.indices)
    caption: Text = (
        "The network, for one example. An edge is a weight: ",
        Math(views.symbols.element("W1", names)),
        " leads from unit ",
        Math("i"),
        " to unit ",
        Math("j"),
        " of the next layer.",
    )
    sizes = (network.inputs, *(layer.units for layer in network.layers))
    if any(isinstance(size, str) or size > MOST_UNITS for size in sizes):
        caption = (*caption, " Dots stand for units that are not drawn.")
    if len(network.layers) > MOST_LAYERS:
        caption = (*caption, f" Of the {len(network.layers)} layers the first three and the last two are drawn.")
    return [Figure(drawing, caption, drawing.alternative, "network")]


def graph_blocks(views: Views, example: WorkedExample | None) -> list[Block]:
    """The computational graph, with the numbers of the worked example where they are few."""
    differentiation = views.differentiation
    loss = Math(views.symbols.element(differentiation.loss))
    drawing = _with_numbers(views, example)
    if drawing is None:
        drawing = graph_figure(differentiation, in_names(views.symbols, differentiation))
        caption: Text = (
            "The computational graph. The solid arrows carry the values to ",
            loss,
            ", the dashed ones its derivatives on the way back.",
        )
    else:
        caption = (
            "The computational graph of the worked example, vectors as columns. The solid arrows carry the values to ",
            loss,
            ", the dashed ones its derivatives on the way back; both are rounded to three significant figures.",
        )
    count = len(differentiation.program.equations)
    if count > MOST_EQUATIONS:
        caption = (*caption, f" Of the {count} equations the first four and the last four are drawn.")
    return [Figure(drawing, caption, drawing.alternative, "graph")]


def _with_numbers(views: Views, example: WorkedExample | None) -> Drawing | None:
    """The graph with numbers at the wires; None where there are none, or too many."""
    signals = in_numbers(views.symbols, views.differentiation, example)
    if signals is None:
        return None
    drawing = graph_figure(views.differentiation, signals)
    return drawing if drawing.width <= _WIDEST and drawing.height <= _HIGHEST else None
