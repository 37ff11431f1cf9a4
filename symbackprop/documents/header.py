"""How a document begins: which network and loss, who made it, and how to make it again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import sympy

from symbackprop._version import __version__
from symbackprop.documents.context import Context
from symbackprop.documents.example import WorkedExample
from symbackprop.documents.tree import Block, Code, Inline, Math, Paragraph, Text
from symbackprop.documents.words import Words, joined
from symbackprop.layers.dense import Dense
from symbackprop.network import NetworkDescription

__all__ = ["command", "header_blocks", "network_sentence"]

Layer = tuple[int, Dense]
Sized = Callable[[str], Inline]
"""How the name of a size is written."""


def header_blocks(
    context: Context, network: NetworkDescription | None, source: str | None, example: WorkedExample | None
) -> list[Block]:
    """The network, the loss, and how the document came about."""
    words, program = context.words, context.views.differentiation.program
    blocks: list[Block] = []
    if network is None:
        blocks.append(Paragraph(words("program", count=len(program.equations), loss=context.loss)))
    else:
        told = network_sentence(words, network, lambda size: Math(context.views.symbols.size(size)))
        blocks += [Paragraph(told), Paragraph(_loss(words, network))]
    made = words("made", version=__version__, command=Code(command(context, source)))
    if example is not None and example.drawn:
        made += words("made drawn", seed=example.seed)
    return [*blocks, Paragraph(made)]


def command(context: Context, source: str | None) -> str:
    """What to type to make the document again."""
    return " ".join(("symbackprop derive", source or "NETWORK", *context.options.as_flags, "-o FILE"))


def network_sentence(words: Words, network: NetworkDescription, sized: Sized) -> Text:
    """The inputs and the layers, those alike and next to each other said once."""
    told = []
    for _, alike in groupby(enumerate(network.layers, 1), key=lambda layer: layer[1]):
        first, *others = alike
        told.append(_alike(words, sized, first, others[-1] if others else first))
    return words("network", inputs=_count(words, sized, "input", network.inputs), layers=joined("; ", told))


def _alike(words: Words, sized: Sized, first: Layer, last: Layer) -> Text:
    layer = first[1]
    count = last[0] - first[0] + 1
    said = words(
        {1: "layer", 2: "two layers"}.get(count, "layers"),
        first=first[0],
        last=last[0],
        units=_count(words, sized, "unit", layer.units),
        activation=words.phrase(layer.resolved().name.replace("_", " ")),
    )
    return said if layer.bias else (*said, *words("without bias"))


def _count(words: Words, sized: Sized, what: str, count: int | str) -> Text:
    if count == 1:
        return words(f"one {what}")
    return words(f"{what}s", count=sized(count) if isinstance(count, str) else count)


def _loss(words: Words, network: NetworkDescription) -> Text:
    loss = network.loss
    kind = f"loss {network.reduction} {loss.average}" if loss.average else "loss"
    said = words(kind, name=words.phrase(loss.name.replace("_", " ")))
    penalties = [words(f"penalty {name}", factor=f"{float(c):g}") for name, c in _penalties(network) if c]
    return (*said, *words("penalties", penalties=words.listed(penalties))) if penalties else said


def _penalties(network: NetworkDescription) -> tuple[tuple[str, sympy.Expr], ...]:
    return ("l1", network.l1), ("l2", network.l2)
