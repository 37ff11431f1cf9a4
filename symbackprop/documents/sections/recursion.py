r"""Any layer of a network: how the error signal of the next layer becomes its own, derived once for all layers.

The derivation is the engine's, of a program of two layers: layer l with an activation that is not known, and layer
l + 1. Of what comes after, nothing is used but the derivative by the pre-activations of layer l + 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import sympy

from symbackprop.adjoint.records import Adjoint, Differentiation
from symbackprop.adjoint.sweep import differentiate
from symbackprop.documents.sections.context import Context
from symbackprop.documents.tree import Math
from symbackprop.forms.notation import Orientation
from symbackprop.forms.symbols import Symbols
from symbackprop.forms.views import Views
from symbackprop.functions.records import Record, function_class
from symbackprop.layers.activations import Activation
from symbackprop.layers.dense import Dense
from symbackprop.layers.losses import Loss
from symbackprop.network import NetworkDescription, describe, network_program
from symbackprop.notation.expressions import ElementwiseFunction, indexed_base, walk
from symbackprop.notation.indices import bound_indices, free_indices, same_up_to_names
from symbackprop.notation.program import Equation, Variable
from symbackprop.notation.single import one_example

__all__ = ["GENERAL_FORWARD", "Instance", "Recursion", "before_the_first", "recursion"]

GENERAL_FORWARD = ("z1", "a1", "z2")
"""The equations of the two layers that are shown, by the names they have in the general program."""
_GRADIENTS = ("a1", "z1", "W1", "b1")
"""The variables whose derivatives are shown, where the network has such."""


def _unknown(name: str, latex: str, slope: type[ElementwiseFunction] | None = None) -> type[ElementwiseFunction]:
    """A function of which nothing is known but its symbol, and that of its derivative."""

    def definition(z: sympy.Expr) -> sympy.Expr:
        return made(z)

    def derivative(z: sympy.Expr, value: sympy.Expr) -> sympy.Expr:
        return made(z) if slope is None else slope(z)

    made = function_class(Record(name, latex, definition, derivative, identity=""))
    return made


@cache
def _activation(symbol: str) -> type[ElementwiseFunction]:
    return _unknown("the activation", symbol, _unknown("its derivative", f"{symbol}'"))


_REST = _unknown("the rest", r"\psi", _unknown("the derivative of the rest", r"\psi'"))
_ACTIVATIONS = (r"\varphi", r"\psi", r"\chi")
_LETTERS = ("l", "q", "r", "s", "t")
"""What the number of a layer is called: the first letter that is no index."""


@dataclass(frozen=True)
class Instance:
    """An adjoint of a network that is the general one, ``role``, in layer ``layer``."""

    role: str
    layer: int


@dataclass(frozen=True)
class Recursion:
    """The derivation for any layer, and the variables of the network it holds for, by their names.

    ``layer`` is the letter for its number, ``activation`` the symbol of its activation.

    The role "z1" holds once the derivative of the activation at hand is put in.
    """

    views: Views
    instances: Mapping[str, Instance]
    layer: str
    activation: str

    @property
    def gradients(self) -> tuple[Adjoint, ...]:
        """The general adjoints that something in the network is an instance of."""
        roles = {instance.role for instance in self.instances.values()}
        by_variable = self.views.differentiation.by_variable
        return tuple(by_variable[name] for name in _GRADIENTS if name in roles)


def recursion(views: Views, network: NetworkDescription) -> Recursion | None:
    """The derivation for any layer; None where no layer of ``network`` is followed by another as it says."""
    if len(network.layers) < 2:
        return None
    symbol = _symbol(views)
    program = _two_layers(network, views, symbol)
    general = Views(program, views.notation)
    instances: dict[str, Instance] = {}
    for number in range(1, len(network.layers) + 1):
        instances.update(_instances(views, general, network, number))
    hidden = any(instance.role in ("a1", "z1") for instance in instances.values())
    if not hidden:
        return None
    layer = _letter(views, instances)
    return Recursion(Views(program, views.notation, _aliases(layer), views.breakable), instances, layer, symbol)


def _symbol(views: Views) -> str:
    """The symbol of any activation: that of no function in use."""
    used = {
        node.record.latex
        for equation in views.differentiation.adjoint_program.equations
        for node in walk(equation.right)
        if isinstance(node, ElementwiseFunction)
    }
    return next(symbol for symbol in _ACTIVATIONS if symbol not in used)


def before_the_first(context: Context, general: Recursion) -> Math:
    """The activations before the first layer, which are the inputs."""
    program = general.views.differentiation.program
    symbols = Symbols(program, context.views.notation, {"x": ("a", "0")})
    return Math(symbols.whole("x", len(program.variable("x").shape)))


def _aliases(layer: str) -> dict[str, tuple[str, str]]:
    """How the variables of the two layers are written."""
    numbers = {"0": f"{layer}-1", "1": layer, "2": f"{layer}+1"}
    names = {
        f"{base}{number}": ("H" if base == "U" else base, label)
        for base in "WbzaHU"
        for number, label in numbers.items()
    }
    return {"x": ("a", numbers["0"]), **names}


def _letter(views: Views, instances: Mapping[str, Instance]) -> str:
    """The letter for the number of a layer: no index that is shown, and no variable."""
    program = views.differentiation.program
    taken = {*program.variables, *(size.name for size in program.sizes)}
    shown: list[sympy.Basic] = [equation.right for equation in views.differentiation.adjoint_program.equations]
    for adjoint in views.differentiation.adjoints:
        if adjoint.of.name not in instances or instances[adjoint.of.name].role == "z1":
            shown += [part for c in adjoint.contributions for f in c.chain for part in (f.of, f.by, f.expression)]
    for expression in shown:
        taken |= {i.name for i in free_indices(expression) | bound_indices(expression)}
    return next(letter for letter in _LETTERS if letter not in taken)


def _two_layers(network: NetworkDescription, views: Views, symbol: str) -> Differentiation:
    bias = any(layer.bias for layer in network.layers)
    # Widths that are no name for the number of examples; they are written H whatever they are called.
    letter = "U" if network.batch.startswith("H") else "H"
    inputs, first, second = (f"{letter}{number}" for number in range(3))
    layers = (Dense(first, Activation("activation", _activation(symbol)), bias), Dense(second, "identity", bias))
    rest = Loss("rest", lambda a, y: _REST(a), average=None)
    program = network_program(describe(inputs, layers, rest, weight_layout=network.weight_layout, batch=network.batch))
    if views.notation.examples_as is Orientation.VECTOR:
        program = one_example(program)
    return differentiate(program, ("W1", "b1") if bias else ("W1",))


def _instances(views: Views, general: Views, network: NetworkDescription, number: int) -> dict[str, Instance]:
    """The variables of layer ``number`` whose adjoints are the general ones."""
    last = number == len(network.layers)
    names = {"x": _output(views, number - 1), "z1": f"z{number}", "a1": _output(views, number), "W1": f"W{number}"}
    names |= {"b1": f"b{number}"} | ({} if last else {"W2": f"W{number + 1}", "z2": f"z{number + 1}"})
    found = {}
    for role in ("W1", "b1") if last else _GRADIENTS:
        name = names[role]
        own, known = (v.differentiation.by_variable.get(n) for v, n in ((views, name), (general, role)))
        if own is None or known is None or name in found:
            continue
        if role == "z1":
            fits = _is_elementwise(views, name, names["a1"])
        else:
            fits = _same(views, own.equation, general, known.equation, names)
        if fits:
            found[name] = Instance(role, number)
    return found


def _output(views: Views, number: int) -> str:
    """What layer ``number`` gives to the next one: its activations, or what stands for them."""
    if number == 0:
        return "x"
    return f"a{number}" if f"a{number}" in views.differentiation.program.variables else f"z{number}"


def _same(views: Views, own: Equation, general_views: Views, known: Equation, names: Mapping[str, str]) -> bool:
    """Whether ``own`` is ``known`` under the names of its layer."""
    variables, known_variables = (v.differentiation.adjoint_program.variables for v in (views, general_views))
    bars = {f"{general}_bar": f"{name}_bar" for general, name in names.items()}
    mapping: dict[sympy.Basic, sympy.Basic] = {
        indexed_base(general): indexed_base(name) for general, name in {**names, **bars}.items()
    }
    for general, name in (("x", names["x"]), ("z1", names["z1"]), ("z2", names.get("z2"))):
        if name is not None:
            mapping[_width(known_variables, general)] = _width(variables, name)
    return own.indices == known.indices and same_up_to_names(known.right.xreplace(mapping), own.right)


def _width(variables: Mapping[str, Variable], name: str) -> sympy.Expr:
    return variables[name].shape[-1]


def _is_elementwise(views: Views, name: str, output: str) -> bool:
    """Whether the layer's activation works on each entry by itself, and nothing else uses the pre-activations."""
    contributions = views.differentiation.by_variable[name].contributions
    one = len(contributions) == 1 and contributions[0].through == output and not contributions[0].sums
    return one and not contributions[0].brackets
