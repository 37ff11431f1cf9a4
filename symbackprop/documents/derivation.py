"""The derivation document: result first, then notation, forward pass, loss, every step of the chain, and numbers."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

from symbackprop._version import __version__
from symbackprop.documents.example import WorkedExample
from symbackprop.documents.options import Options
from symbackprop.documents.sections.backward import backward_section, probabilities_section
from symbackprop.documents.sections.checks import checks_section
from symbackprop.documents.sections.context import Context
from symbackprop.documents.sections.figures import network_blocks
from symbackprop.documents.sections.forward import forward_section
from symbackprop.documents.sections.header import header_blocks
from symbackprop.documents.sections.kinks import kinks_section
from symbackprop.documents.sections.notation_table import notation_section
from symbackprop.documents.sections.recursion import recursion
from symbackprop.documents.sections.references import resolved
from symbackprop.documents.sections.result import result_section
from symbackprop.documents.sections.worked import worked_section
from symbackprop.documents.tree import Block, Captions, Document
from symbackprop.forms.views import Views
from symbackprop.network import NetworkDescription

__all__ = ["Story", "derivation_document"]


@dataclass(frozen=True)
class Story:
    """What a derivation document tells.

    ``unfused`` is the same network with the cross-entropy on top of the probabilities; ``example`` the numbers to work,
    if there are any; ``command`` what to type to make the document again, if there is a file to make it of;
    ``network`` the description of the network, where it is one and no other program.
    """

    views: Views
    title: str
    unfused: Views | None = None
    example: WorkedExample | None = None
    command: str = ""
    network: NetworkDescription | None = None


def derivation_document(story: Story, options: Options | None = None) -> Document:
    """The whole document; the views must be in the notation of ``options``."""
    options = options or Options()
    context = Context(story.views, options)
    words = context.words
    known = f"symbackprop {__version__}"
    return Document(
        title=options.title or words.plain("title", name=story.title),
        blocks=resolved(context, tuple(_blocks(context, story))),
        made_by=words.plain("made by" if story.command else "made by alone", version=known, command=story.command),
        author=options.author,
        date=words.date(options.date or _today()) if options.date != "" else "",
        language=options.language,
        captions=Captions(words.plain("figure"), words.plain("in words"), words.plain("contents")),
    )


def _blocks(context: Context, story: Story) -> Iterator[Block]:
    """The sections that are asked for, in reading order."""
    says, example = context.says, story.example
    general = None if story.network is None else recursion(story.views, story.network)
    yield from header_blocks(context, story.network, story.command, example)
    if says("figures"):
        yield from network_blocks(context, story.network)
    if says("result"):
        yield from result_section(context, general)
    if says("notation"):
        yield from notation_section(context, general, example)
    if says("forward"):
        yield from forward_section(context, story.network)
    if says("backward"):
        yield from backward_section(context, story.network, general, example)
        if story.unfused is not None:
            yield from probabilities_section(context, replace(context, views=story.unfused))
    if says("kinks"):
        yield from kinks_section(context)
    if example is not None and says("numbers"):
        yield from worked_section(context, example)
    if example is not None and says("checks"):
        yield from checks_section(context, example)


def _today() -> str:
    """Today, or the day that reproducible builds set."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    if fixed is None:
        return datetime.date.today().isoformat()
    return datetime.datetime.fromtimestamp(int(fixed), datetime.UTC).date().isoformat()
