"""Layers and a loss, put together to a program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy

from symbackprop.errors import UsageError
from symbackprop.functions.library import FUNCTIONS
from symbackprop.layers.activations import Activation, Softmax
from symbackprop.layers.dense import Dense, WeightLayout, check_layout, check_size
from symbackprop.layers.losses import Loss, loss_equations, loss_named
from symbackprop.notation.checker import check
from symbackprop.notation.expressions import index, size, total
from symbackprop.notation.program import Equation, Program, Role, Variable
from symbackprop.notation.terms import Term

__all__ = ["NetworkDescription", "describe", "network_program"]


@dataclass(frozen=True)
class NetworkDescription:
    """A network as it was described: everything that ``network_program`` makes a program of."""

    inputs: int | str
    layers: tuple[Dense, ...]
    loss: Loss
    reduction: str = "mean"
    weight_layout: WeightLayout = "out_in"
    l1: sympy.Expr = sympy.S.Zero
    l2: sympy.Expr = sympy.S.Zero
    name: str = "network"
    batch: str = "N"


def describe(
    inputs: int | str,
    layers: Sequence[Dense],
    loss: str | Loss,
    reduction: str = "mean",
    weight_layout: str = "out_in",
    l1: float = 0,
    l2: float = 0,
    name: str = "network",
    batch: str = "N",
) -> NetworkDescription:
    """The arguments of ``Network``, checked one by one."""
    check_size(inputs, "inputs")
    if isinstance(layers, Dense) or not isinstance(layers, Iterable):
        raise UsageError(f"layers is {layers!r}; give a list of layers, [sbp.Dense(...), ...]")
    layers = tuple(layers)
    if not layers:
        raise UsageError("layers is empty; a network has at least one layer")
    for number, layer in enumerate(layers, 1):
        if not isinstance(layer, Dense):
            raise UsageError(f"layer {number} is {layer!r}; give sbp.Dense(...)")
    if not isinstance(loss, str | Loss):
        raise UsageError(f"loss is {loss!r}; give a name, or sbp.Loss(name, function)")
    check_layout(weight_layout)
    check_size(batch, "batch")
    if batch in (inputs, *(layer.units for layer in layers)):
        raise UsageError(f"{batch!r} names both the batch size and a width; rename the width, or say batch='B'")
    layout: WeightLayout = "in_out" if weight_layout == "in_out" else "out_in"
    return NetworkDescription(
        inputs=inputs,
        layers=layers,
        loss=loss_named(loss) if isinstance(loss, str) else loss,
        reduction=reduction,
        weight_layout=layout,
        l1=_penalty(l1, "l1"),
        l2=_penalty(l2, "l2"),
        name=name,
        batch=batch,
    )


def _penalty(value: float, what: str) -> sympy.Expr:
    if isinstance(value, bool) or not isinstance(value, int | float | sympy.Number):
        raise UsageError(f"{what} is {value!r}; give a number, 0 for no penalty")
    # The decimal digits that were written are meant, not the nearest binary fraction.
    exact = sympy.Rational(str(value)) if value == value and abs(value) != float("inf") else sympy.nan
    if exact is sympy.nan or exact < 0:
        raise UsageError(f"{what} is {value}; a penalty is a finite number, 0 or larger")
    return exact


def network_program(network: NetworkDescription, fused: bool = True) -> Program:
    """The program of ``network``: one equation for each pre-activation and activation, then the loss.

    ``fused=False`` keeps the cross-entropies on top of the probabilities.
    """
    n, k, i = index("n"), index("k"), index("i")
    examples = size(network.batch)
    source = Variable("x", (examples, size(network.inputs)), Role.INPUT, (n, i), meaning="inputs")
    declared = [source]
    weights: list[Variable] = []
    equations: list[Equation] = []
    activation: Activation | Softmax | None = None
    for number, layer in enumerate(network.layers, 1):
        parameters = layer.parameters(number, source, network.weight_layout)
        new = layer.equations(number, source, parameters)
        declared.extend(parameters)
        weights.append(parameters[0])
        equations.extend(new)
        z, source, activation = new[0].left, new[-1].left, layer.resolved()
    assert activation is not None
    target = Variable("y", source.shape, Role.TARGET, (n, k), meaning="targets")
    penalised = bool(network.l1 or network.l2)
    ending = loss_equations(
        network.loss,
        activation,
        z,
        source,
        target,
        network.reduction,
        name="E" if penalised else "L",
        fused=fused,
        hint=_hidden_softmax(network),
    )
    equations.extend(ending.equations)
    if penalised:
        equations.extend(_penalties(network, weights))
    program = Program(
        inputs=(*declared, target),
        equations=tuple(equations),
        loss="L",
        output=source.name,
        batch=examples,
        name=network.name,
        assumptions=ending.assumptions,
    )
    return check(program)


def _hidden_softmax(network: NetworkDescription) -> str:
    """What to say where a loss misses the softmax that stands in a hidden layer."""
    hidden = [n for n, layer in enumerate(network.layers[:-1], 1) if layer.resolved().name == "softmax"]
    return f" (the softmax of layer {hidden[-1]} is in a hidden layer)" if hidden else ""


def _penalties(network: NetworkDescription, weights: list[Variable]) -> tuple[Equation, ...]:
    """R_l = c2/2 sum W_l^2 + c1 sum |W_l| for each weight, and the loss as the sum of all parts."""
    equations = []
    for number, weight in enumerate(weights, 1):
        over = tuple(zip(reversed(weight.indices), reversed(weight.shape), strict=True))
        w = weight.everywhere
        kinds = ((network.l2 / 2, w**2), (network.l1, FUNCTIONS["absolute"](w)))
        terms = tuple(Term(scale, over, (body,)) for scale, body in kinds if scale != 0)
        right = sympy.Add(*(scale * total(body, *over) for scale, body in kinds if scale != 0))
        left = Variable(f"R{number}", meaning=f"penalty on the weights of layer {number}")
        equations.append(Equation(left, right, terms))
    parts = ["E", *(equation.name for equation in equations)]
    everything = [Variable(part).everywhere for part in parts]
    loss = Variable("L", meaning="the loss, penalties included")
    terms = tuple(Term(sympy.Integer(1), (), (part,)) for part in everything)
    equations.append(Equation(loss, sympy.Add(*everything), terms))
    return tuple(equations)
