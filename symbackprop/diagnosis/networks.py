"""The same network with one thing changed: gradients may be right, and belong to another network than the one told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.errors import SymbackpropError
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.losses import LOSSES, loss_named
from symbackprop.network import NetworkDescription, network_program
from symbackprop.notation.program import Program

__all__ = ["other_networks"]


def other_networks(description: NetworkDescription) -> Iterator[tuple[str, str, Program]]:
    """Networks with one activation, or the loss, exchanged: where, what was changed in words, and the program."""
    seen = {description}
    for place, words, other in _changed(description):
        if other in seen:
            continue
        seen.add(other)
        try:
            yield place, words, network_program(other)
        # Not every loss goes with every output.
        except SymbackpropError:
            continue


def _changed(description: NetworkDescription) -> Iterator[tuple[str, str, NetworkDescription]]:
    layers = description.layers
    for number, layer in enumerate(layers):
        used = layer.resolved().name
        for name in ACTIVATIONS:
            changed = replace(layer, activation=name)
            others = (*layers[:number], changed, *layers[number + 1 :])
            words = f"{name} in place of {used} forwards and backwards"
            yield f"layer {number + 1}", words, replace(description, layers=others)
    for name in ACTIVATIONS:
        hidden = tuple(replace(layer, activation=name) for layer in layers[:-1])
        words = f"{name} in every hidden layer, forwards and backwards"
        yield "the hidden layers", words, replace(description, layers=(*hidden, layers[-1]))
    for name in LOSSES:
        words = f"the loss is {name} in place of {description.loss.name}"
        yield "the loss", words, replace(description, loss=loss_named(name))
    if description.l1 or description.l2:
        words = "the network without its penalty"
        yield "the loss", words, replace(description, l1=description.l1 * 0, l2=description.l2 * 0)
