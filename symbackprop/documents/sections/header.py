"""How a document begins: which network and loss, who made it, and how to make it again."""

from __future__ import annotations

import sympy

from symbackprop._version import __version__
from symbackprop.documents.example import WorkedExample
from symbackprop.documents.languages.network import network_sentence
from symbackprop.documents.languages.words import Words
from symbackprop.documents.sections.context import Context
from symbackprop.documents.tree import Block, Code, Math, Paragraph, Text
from symbackprop.network import NetworkDescription

__all__ = ["header_blocks"]


def header_blocks(
    context: Context, network: NetworkDescription | None, command: str, example: WorkedExample | None
) -> list[Block]:
    """The network, the loss, and how the document came about."""
    words, program = context.words, context.views.differentiation.program
    blocks: list[Block] = []
    if network is None:
        blocks.append(Paragraph(words("program", count=len(program.equations), loss=context.loss)))
    else:
        told = network_sentence(words, network, lambda size: Math(context.views.symbols.size(size)))
        blocks += [Paragraph(told), Paragraph(_loss(words, network, single=program.batch is None))]
    made = (
        words("made", version=__version__, command=Code(command))
        if command
        else words("made alone", version=__version__)
    )
    if example is not None and example.drawn:
        made += words("made drawn", seed=example.seed)
    return [*blocks, Paragraph(made)]


def _loss(words: Words, network: NetworkDescription, single: bool) -> Text:
    loss = network.loss
    kind = f"loss {network.reduction} {loss.average}" if loss.average and not single else "loss"
    entry = f"entry {loss.name}"
    known = entry in words.language.sentences
    said = words(kind, name=words.plain(entry) if known else words.phrase(loss.name.replace("_", " ")))
    penalties = [words(f"penalty {name}", factor=f"{float(c):g}") for name, c in _penalties(network) if c]
    return (*said, *words("penalties", penalties=words.listed(penalties))) if penalties else said


def _penalties(network: NetworkDescription) -> tuple[tuple[str, sympy.Expr], ...]:
    return ("l1", network.l1), ("l2", network.l2)
