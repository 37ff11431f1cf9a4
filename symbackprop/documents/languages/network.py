"""A network in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from symbackprop.documents.languages.words import Words, joined
from symbackprop.documents.tree import Inline, Text
from symbackprop.layers.dense import Dense
from symbackprop.network import NetworkDescription

__all__ = ["network_sentence"]

Layer = tuple[int, Dense]
Sized = Callable[[str], Inline]
"""How the name of a size is written."""


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
