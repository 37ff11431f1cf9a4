"""The dense layer: z[n,j] = sum_i W[j,i] x[n,i] + b[j], then an activation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from symbackprop.errors import UsageError, nearest
from symbackprop.layers.activations import Activation, Softmax, activation_named
from symbackprop.notation.expressions import index, size, total
from symbackprop.notation.program import Equation, Role, Variable
from symbackprop.notation.terms import Term

__all__ = ["Dense", "WeightLayout", "check_layout", "check_size"]

WeightLayout = Literal["out_in", "in_out"]


@dataclass(frozen=True)
class Dense:
    """A dense (fully connected) layer.

    ``units``       how many units: a positive integer, or the name of a symbolic size
    ``activation``  a name from ``ACTIVATIONS`` or an ``Activation``; the identity by default
    ``bias``        whether a bias is added

    With weight layout "out_in" the weight has shape (units, inputs), as in PyTorch's ``nn.Linear``; with
    "in_out" shape (inputs, units), as in Keras, so that z = x W + b.
    """

    units: int | str
    activation: str | Activation | Softmax = "identity"
    bias: bool = True

    def __post_init__(self) -> None:
        check_size(self.units, "Dense: units")
        if not isinstance(self.bias, bool):
            raise UsageError(f"Dense: bias is {self.bias!r}; it is True or False")
        if isinstance(self.activation, str):
            activation_named(self.activation, "Dense")
        elif not isinstance(self.activation, Activation | Softmax):
            raise UsageError(
                f"Dense: activation is {self.activation!r}; give a name, or sbp.Activation(name, function)"
            )

    def resolved(self) -> Activation | Softmax:
        """The activation itself, where it was given by name."""
        return activation_named(self.activation, "Dense") if isinstance(self.activation, str) else self.activation

    def parameters(self, number: int, source: Variable, layout: WeightLayout) -> tuple[Variable, ...]:
        """The layer's weight first and, if it has one, its bias."""
        j, i = index("j"), index("i")
        units, inputs = size(self.units), source.shape[-1]
        if layout == "out_in":
            weight = Variable(
                f"W{number}", (units, inputs), Role.PARAMETER, (j, i), meaning=f"weights of layer {number}"
            )
        else:
            weight = Variable(
                f"W{number}", (inputs, units), Role.PARAMETER, (i, j), meaning=f"weights of layer {number}"
            )
        bias = Variable(f"b{number}", (units,), Role.PARAMETER, (j,), meaning=f"biases of layer {number}")
        return (weight, bias) if self.bias else (weight,)

    def equations(self, number: int, source: Variable, parameters: tuple[Variable, ...]) -> tuple[Equation, ...]:
        """The pre-activation of the layer and, unless it is the identity, its activation."""
        n, j, i = index("n"), index("j"), index("i")
        shape = (source.shape[0], size(self.units))
        z = Variable(f"z{number}", shape, indices=(n, j), meaning=f"pre-activations of layer {number}")
        weight = parameters[0]
        over = (i, source.shape[-1])
        terms = [Term(size(1), (over,), (weight.everywhere, source.at(n, i)))]
        terms.extend(Term(size(1), (), (bias.everywhere,)) for bias in parameters[1:])
        right = total(weight.everywhere * source.at(n, i), over)
        for bias in parameters[1:]:
            right = right + bias.everywhere
        equations = (Equation(z, right, tuple(terms)),)
        activation = self.resolved()
        if activation.is_identity:
            return equations
        a = Variable(f"a{number}", shape, indices=(n, j), meaning=f"activations of layer {number}")
        return (*equations, activation.equation(a, z))


def check_size(value: object, what: str) -> None:
    """UsageError unless ``value`` is a positive integer or a name for a symbolic size."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise UsageError(f"{what} is {value!r}; give a positive integer, or a name such as 'H' for a symbolic size")
    if isinstance(value, int) and value < 1:
        raise UsageError(f"{what} is {value}; give a positive integer")
    if isinstance(value, str) and not (value.isascii() and value[:1].isalpha() and value.isalnum()):
        raise UsageError(
            f"{what} is {value!r}; a symbolic size is named by letters and digits, such as 'H1'; numbers have no quotes"
        )


def check_layout(layout: str) -> None:
    """UsageError unless ``layout`` is one of the two weight layouts."""
    known = ("out_in", "in_out")
    if layout not in known:
        raise UsageError(f"unknown weight_layout {layout!r}; {nearest(str(layout), known)}")
