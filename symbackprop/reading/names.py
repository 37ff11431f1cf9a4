"""Which declared thing a name with its scripts is: the ways to tell labels, indices, examples and powers apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symbackprop.reading.syntax import Node, Script, Scripted, Symbol

__all__ = ["Name", "Reading", "name_of", "readings"]

_GENERIC = re.compile(r"([A-Za-z]|\\ell)(?:([+-])(\d+))?\Z")
_POSITION = re.compile(r"(?:[A-Za-z]|\\[a-z]+|\d+)(?:[+-](?:[A-Za-z]|\d+))*\Z")


@dataclass(frozen=True)
class Name:
    """A symbol with its scripts: ``tops`` counts transposes, ``plus`` says that a mark for "updated" stands there."""

    base: str
    below: tuple[Script, ...]
    above: tuple[Script, ...]
    primes: int
    tops: int
    plus: bool
    bold: bool
    node: Node

    @property
    def key(self) -> str:
        """The base as a name that was declared: primes belong to it, where they make no derivative."""
        return self.base + "'" * self.primes


@dataclass(frozen=True)
class Reading:
    """One way to read a name: its label, the texts of its indices, the example it belongs to, and a power."""

    label: str
    indices: tuple[str, ...]
    sample: str | None = None
    power: Script | None = None
    circ: bool = False


def name_of(node: Node) -> Name | None:
    """``node`` as a name, None where it is none."""
    if isinstance(node, Symbol):
        return Name(node.name, (), (), 0, 0, False, node.bold, node)
    if isinstance(node, Scripted) and isinstance(node.base, Symbol):
        tops = sum(script.kind == "top" for script in node.above)
        plus = any(script.kind == "plus" for script in node.above)
        above = tuple(script for script in node.above if script.kind not in ("top", "plus"))
        return Name(node.base.name, node.below, above, node.primes, tops, plus, node.base.bold, node)
    return None


def label_value(text: str, labels: Mapping[str, int]) -> str:
    """A label with the number of a layer put in for its letter: l+1 is 2 where l is 1."""
    match = _GENERIC.match(text)
    if match and match[1] in labels:
        offset = int(match[3] or 0) * (-1 if match[2] == "-" else 1)
        return str(labels[match[1]] + offset)
    return text


def readings(name: Name, labels: Mapping[str, int]) -> Iterator[Reading]:
    """The ways to read the scripts of ``name``, the likeliest first."""
    circ = any(script.kind == "circ" for script in name.above)
    above = tuple(script for script in name.above if script.kind != "circ")
    below = tuple(script.text for script in name.below)
    # A mark for "entry by entry" stands at a power, never at a label.
    for label, rest_above in _labels_above(above, labels) if not circ else (("", above),):
        for under, rest_below in _labels_below(below, labels):
            both = ",".join(filter(None, (under, label)))
            for sample, power in _samples(rest_above):
                for indices in _positions(rest_below):
                    yield Reading(both, indices, sample, power, circ)


def _labels_above(above: tuple[Script, ...], labels: Mapping[str, int]) -> Iterator[tuple[str, tuple[Script, ...]]]:
    for place, script in enumerate(above):
        if script.text:
            yield label_value(script.text, labels), above[:place] + above[place + 1 :]
    yield "", above


def _labels_below(below: tuple[str, ...], labels: Mapping[str, int]) -> Iterator[tuple[str, tuple[str, ...]]]:
    if below:
        whole = ",".join(below)
        yield label_value(whole, labels), ()
        for place, text in enumerate(below):
            if len(below) > 1:
                yield label_value(text, labels), below[:place] + below[place + 1 :]
        if len(below) > 2:
            yield ",".join(below[:-1]), below[-1:]
        first = below[0]
        if len(first) > 1 and first.isalnum():
            # w_{211}: the number of the layer first, then the indices; h_{ti}: the time first.
            yield label_value(first[0], labels), (first[1:], *below[1:])
            # net_{o1}: the name of the layer, then the number of the unit.
            letters = first.rstrip("0123456789")
            if len(letters) > 1 and letters != first:
                yield letters, (first[len(letters) :], *below[1:])
    yield "", below


def _samples(above: tuple[Script, ...]) -> Iterator[tuple[str | None, Script | None]]:
    if not above:
        yield None, None
    elif len(above) == 1:
        script = above[0]
        if script.kind in ("(", "["):
            yield script.text, None
        else:
            yield None, script
            yield script.text, None
    elif len(above) == 2 and above[0].kind in ("(", "[") and above[1].kind == "plain":
        yield above[0].text, above[1]


def _positions(below: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not below:
        yield ()
        return
    whole = all(_POSITION.match(text) for text in below)
    if len(below) == 1 and len(below[0]) > 1 and below[0].isalnum():
        yield tuple(below[0])
        if whole:
            yield below
        return
    if whole:
        yield below
        return
    split = [part for text in below for part in (tuple(text) if text.isalnum() and not text.isdigit() else (text,))]
    if all(_POSITION.match(text) for text in split):
        yield tuple(split)
