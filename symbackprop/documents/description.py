"""What a document is about, in sentences."""

from __future__ import annotations

from symbackprop.network import NetworkDescription
from symbackprop.notation.program import Program

__all__ = ["in_words"]


def in_words(program: Program, network: NetworkDescription | None) -> tuple[str, ...]:
    """The network and its loss, or how many equations a program has."""
    if network is None:
        return (f"A program of {len(program.equations)} equations with loss {program.loss}.",)
    layers = [
        f"layer {number}: {layer.units} {'unit' if layer.units == 1 else 'units'}, "
        f"activation {layer.resolved().name.replace('_', ' ')}" + ("" if layer.bias else ", no bias")
        for number, layer in enumerate(network.layers, 1)
    ]
    says = f" ({network.loss.says})" if network.loss.says else ""
    reduction = f"; reduction: {network.reduction}" if network.loss.average else ""
    loss = f"Loss: {network.loss.name.replace('_', ' ')}{says}{reduction}."
    penalties = [f"{name} = {float(value):g}" for name, value in (("l1", network.l1), ("l2", network.l2)) if value]
    weights = f" Penalties on the weights: {', '.join(penalties)}." if penalties else ""
    inputs = f"{network.inputs} {'input' if network.inputs == 1 else 'inputs'}"
    return (f"{inputs}; {'; '.join(layers)}.", loss + weights)
