r"""Any layer of a network: how the error signal of the next layer becomes its own, derived once for all layers.

The derivation is the engine's, of a program of two layers: layer l with an activation that is not known, and layer
l + 1. Of what comes after, nothing is used but the derivative by the pre-activations of layer l + 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from symbackprop.adjoint.records import Differentiation
from symbackprop.adjoint.sweep import differentiate
from symbackprop.forms.notation import Orientation
from symbackprop.forms.views import Views
from symbackprop.functions.records import Record, function_class
from symbackprop.layers.activations import Activation
from symbackprop.layers.dense import Dense
from symbackprop.layers.losses import Loss
from symbackprop.network import NetworkDescription, describe, network_program
from symbackprop.notation.expressions import ElementwiseFunction, indexed_base, size
from symbackprop.notation.indices import bound_indices, free_indices, same_up_to_names
from symbackprop.notation.program import Equation
from symbackprop.notation.single import one_example

__all__ = ["GENERAL_FORWARD", "GENERAL_GRADIENTS", "Instance", "Recursion", "recursion"]

GENERAL_FORWARD = ("z1", "a1", "z2")
"""The equations of the two layers that are shown, by the names they have in the general program."""
GENERAL_GRADIENTS = ("a1", "z1", "W1", "b1")
"""The variables whose derivatives are shown."""


def _unknown(name: str, latex: str, slope: type[ElementwiseFunction] | None = None) -> type[ElementwiseFunction]:
    """A function of which nothing is known but its symbol, and that of its derivative."""

    def definition(z: sympy.Expr) -> sympy.Expr:
        return made(z)

    def derivative(z: sympy.Expr, value: sympy.Expr) -> sympy.Expr:
        return made(z) if slope is None else slope(z)

    made = function_class(Record(name, latex, definition, derivative, identity=""))
    return made


_ACTIVATION = _unknown("the activation", r"\varphi", _unknown("its derivative", r"\varphi'"))
_REST = _unknown("the rest", r"\psi", _unknown("the derivative of the rest", r"\psi'"))
_LETTERS = ("l", "q", "r", "s", "t")
"""What the number of a layer is called: the first letter that is no index."""


@dataclass(frozen=True)
class Instance:
    """An adjoint of a network that is the general one, ``role``, in layer ``layer``."""

    role: str
    layer: int


@dataclass(frozen=True)
class Recursion:
    """The derivation for any layer, called ``layer``, and the variables of the network it holds for, by their names.

    The role "z1" holds once the derivative of the activation at hand is put in.
    """

    views: Views
    instances: Mapping[str, Instance]
    layer: str


def recursion(views: Views, network: NetworkDescription) -> Recursion | None:
    """The derivation for any layer; None where no layer of ``network`` is followed by another as it says."""
    if len(network.layers) < 2:
        return None
    program = _two_layers(network, views)
    general = Views(program, views.notation)
    instances: dict[str, Instance] = {}
    for number in range(1, len(network.layers) + 1):
        instances.update(_instances(views, general, network, number))
    hidden = any(instance.role in ("a1", "z1") for instance in instances.values())
    if not hidden:
        return None
    layer = _letter(views, instances)
    return Recursion(Views(program, views.notation, _aliases(layer), views.breakable), instances, layer)


def _aliases(layer: str) -> dict[str, tuple[str, str]]:
    """How the variables of the two layers are written."""
    numbers = {"0": f"{layer}-1", "1": layer, "2": f"{layer}+1"}
    names = {f"{base}{number}": (base, label) for base in "WbzaH" for number, label in numbers.items()}
    return {"x": ("a", numbers["0"]), **names}


def _letter(views: Views, instances: Mapping[str, Instance]) -> str:
    """The letter for the number of a layer: no index that is shown, and no variable."""
    taken = set(views.differentiation.program.variables)
    shown: list[sympy.Basic] = [equation.right for equation in views.differentiation.adjoint_program.equations]
    for adjoint in views.differentiation.adjoints:
        if adjoint.of.name not in instances or instances[adjoint.of.name].role == "z1":
            shown += [part for c in adjoint.contributions for f in c.chain for part in (f.of, f.by, f.expression)]
    for expression in shown:
        taken |= {i.name for i in free_indices(expression) | bound_indices(expression)}
    return next(letter for letter in _LETTERS if letter not in taken)


def _two_layers(network: NetworkDescription, views: Views) -> Differentiation:
    bias = any(layer.bias for layer in network.layers)
    layers = (Dense("H1", Activation("activation", _ACTIVATION), bias), Dense("H2", "identity", bias))
    rest = Loss("rest", lambda a, y: _REST(a), average=None)
    program = network_program(describe("H0", layers, rest, weight_layout=network.weight_layout, batch=network.batch))
    if views.notation.examples_as is Orientation.VECTOR:
        program = one_example(program)
    return differentiate(program, ("W1", "b1") if bias else ("W1",))


def _instances(views: Views, general: Views, network: NetworkDescription, number: int) -> dict[str, Instance]:
    """The variables of layer ``number`` whose adjoints are the general ones."""
    last = number == len(network.layers)
    names = {"x": _output(views, number - 1), "z1": f"z{number}", "a1": _output(views, number), "W1": f"W{number}"}
    names |= {"b1": f"b{number}"} | ({} if last else {"W2": f"W{number + 1}", "z2": f"z{number + 1}"})
    found = {}
    for role in ("W1", "b1") if last else GENERAL_GRADIENTS:
        name = names[role]
        own, known = (v.differentiation.by_variable.get(n) for v, n in ((views, name), (general, role)))
        if own is None or known is None or name in found:
            continue
        if role == "z1":
            fits = _is_elementwise(views, name, names["a1"])
        else:
            fits = _same(views, own.equation, known.equation, names)
        if fits:
            found[name] = Instance(role, number)
    return found


def _output(views: Views, number: int) -> str:
    """What layer ``number`` gives to the next one: its activations, or what stands for them."""
    if number == 0:
        return "x"
    return f"a{number}" if f"a{number}" in views.differentiation.program.variables else f"z{number}"


def _same(views: Views, own: Equation, known: Equation, names: Mapping[str, str]) -> bool:
    """Whether ``own`` is ``known`` under the names of its layer."""
    variables = views.differentiation.adjoint_program.variables
    bars = {f"{general}_bar": f"{name}_bar" for general, name in names.items()}
    mapping: dict[sympy.Basic, sympy.Basic] = {
        indexed_base(general): indexed_base(name) for general, name in {**names, **bars}.items()
    }
    for general, name, axis in (("H0", names["x"], -1), ("H1", names["z1"], -1), ("H2", names.get("z2"), -1)):
        if name is not None:
            mapping[size(general)] = variables[name].shape[axis]
    return own.indices == known.indices and same_up_to_names(known.right.xreplace(mapping), own.right)


def _is_elementwise(views: Views, name: str, output: str) -> bool:
    """Whether the layer's activation works on each entry by itself, and nothing else uses the pre-activations."""
    contributions = views.differentiation.by_variable[name].contributions
    one = len(contributions) == 1 and contributions[0].through == output and not contributions[0].sums
    return one and not contributions[0].brackets
