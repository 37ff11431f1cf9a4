"""Which figures a document has, and what is said under them."""

from __future__ import annotations

from symbackprop.documents.drawings.drawing import Drawing
from symbackprop.documents.drawings.graph_figure import graph_figure
from symbackprop.documents.drawings.graph_parts import MOST_EQUATIONS
from symbackprop.documents.drawings.network_figure import network_figure
from symbackprop.documents.drawings.network_parts import MOST_LAYERS, MOST_UNITS
from symbackprop.documents.drawings.wire_labels import in_names, in_numbers
from symbackprop.documents.example import WorkedExample
from symbackprop.documents.sections.context import Context
from symbackprop.documents.tree import Block, Figure, Math
from symbackprop.network import NetworkDescription

__all__ = ["graph_blocks", "network_blocks"]

_WIDEST, _HIGHEST = 760.0, 950.0
"""A graph with numbers that is larger is drawn with names."""


def network_blocks(context: Context, network: NetworkDescription | None) -> list[Block]:
    """The network; nothing for a program that is none."""
    if network is None:
        return []
    words, symbols = context.words, context.views.symbols
    drawing = network_figure(symbols, words, network)
    weight = Math(symbols.element("W1", tuple(index.name for index in symbols.variable("W1").indices)))
    caption = words("network caption", weight=weight, source=Math("i"), target=Math("j"))
    sizes = (network.inputs, *(layer.units for layer in network.layers))
    if any(isinstance(size, str) or size > MOST_UNITS for size in sizes):
        caption = (*caption, *words("units not drawn"))
    if len(network.layers) > MOST_LAYERS:
        caption = (*caption, *words("layers not drawn", count=len(network.layers)))
    return [Figure(drawing, caption, drawing.alternative, "network")]


def graph_blocks(context: Context, example: WorkedExample | None) -> list[Block]:
    """The computational graph, with the numbers of the worked example where they are few."""
    differentiation, symbols = context.views.differentiation, context.views.symbols
    drawing = _with_numbers(context, example)
    key = "graph caption" if drawing is None else "graph caption numbers"
    if drawing is None:
        drawing = graph_figure(differentiation, in_names(symbols, differentiation), context.words)
    caption = context.words(key, loss=context.loss)
    count = len(differentiation.program.equations)
    if count > MOST_EQUATIONS:
        caption = (*caption, *context.words("equations not drawn", count=count))
    return [Figure(drawing, caption, drawing.alternative, "graph")]


def _with_numbers(context: Context, example: WorkedExample | None) -> Drawing | None:
    """The graph with numbers at the wires; None where there are none, or too many."""
    differentiation = context.views.differentiation
    signals = in_numbers(context.views.symbols, differentiation, example, context.words)
    if signals is None:
        return None
    drawing = graph_figure(differentiation, signals, context.words)
    return drawing if drawing.width <= _WIDEST and drawing.height <= _HIGHEST else None
