"""Activations: what a layer applies to its pre-activations z. One row a name, or the user's own expression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import sympy

from symbackprop.errors import UsageError, nearest
from symbackprop.functions.library import FUNCTIONS
from symbackprop.functions.translate import translate
from symbackprop.notation.expressions import total
from symbackprop.notation.program import Equation, Variable

__all__ = ["ACTIVATIONS", "Activation", "activation_named"]

_Z = sympy.Symbol("z", real=True)


@dataclass(frozen=True, init=False)
class Activation:
    """An elementwise activation of one's own.

    ``function`` is a callable of one SymPy argument, or a SymPy expression with one free symbol::

        Activation("swish", lambda z: z / (1 + sympy.exp(-z)))

    Raises UsageError where the expression has no symbol, or more than one.
    """

    name: str
    expression: sympy.Expr
    bounds: tuple[sympy.Expr, sympy.Expr] = (-sympy.oo, sympy.oo)

    def __init__(
        self,
        name: str,
        function: Callable[[sympy.Expr], sympy.Expr] | sympy.Expr,
        bounds: tuple[sympy.Expr, sympy.Expr] = (-sympy.oo, sympy.oo),
    ) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "expression", translate(_of_one_symbol(name, function)))
        object.__setattr__(self, "bounds", bounds)

    @property
    def is_identity(self) -> bool:
        """Whether the activation leaves its argument as it is."""
        return bool(self.expression == _Z)

    def equation(self, left: Variable, z: Variable) -> Equation:
        """The equation ``left = f(z)``, elementwise."""
        return Equation(left, self.expression.xreplace({_Z: z.at(*left.indices)}))


@dataclass(frozen=True)
class Softmax:
    """exp(z_j) / sum_k exp(z_k) over the units of a layer; the one activation that is not elementwise."""

    name: str = "softmax"
    bounds: tuple[sympy.Expr, sympy.Expr] = (sympy.Integer(0), sympy.Integer(1))
    is_identity: bool = False

    def equation(self, left: Variable, z: Variable) -> Equation:
        """The equation ``left = softmax(z)`` over the last axis."""
        *outer, unit = left.indices
        other = next(i for i in sympy.symbols("k l m", integer=True) if i not in left.indices)
        normaliser = total(sympy.exp(z.at(*outer, other)), (other, left.shape[-1]))
        return Equation(left, sympy.exp(z.at(*outer, unit)) / normaliser)


def _of_one_symbol(name: str, function: Callable[[sympy.Expr], sympy.Expr] | sympy.Expr) -> sympy.Expr:
    if isinstance(function, str):
        raise UsageError(
            f"activation {name!r} is given as the string {function!r}; give a SymPy expression, a callable, or "
            "{ name = ..., latex = ... } in a TOML file"
        )
    if isinstance(function, sympy.Basic) and not isinstance(function, sympy.Lambda):
        expression = function
    else:
        try:
            expression = sympy.sympify(function(_Z))
        except Exception as error:  # Whatever the user's function raises is the answer to its being called here.
            raise UsageError(f"activation {name!r} cannot be applied to a SymPy symbol: {error}") from error
    if not isinstance(expression, sympy.Expr) or expression.has(
        sympy.I, sympy.nan, sympy.zoo, sympy.oo, sympy.Integral
    ):
        raise UsageError(f"activation {name!r} gives {expression}, which is no real expression; give one in z")
    symbols = sorted(expression.free_symbols, key=str)
    if len(symbols) != 1:
        listed = ", ".join(map(str, symbols)) or "none"
        raise UsageError(
            f"activation {name!r} must be a function of one symbol, but {expression} has {len(symbols)}: {listed}; "
            "put numbers in place of the others"
        )
    return expression.xreplace({symbols[0]: _Z})


def _from_function(name: str) -> Activation:
    function = FUNCTIONS[name]
    return Activation(name, function, function.record.bounds)


_ELEMENTWISE = (
    "sigmoid",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "softplus",
    "gelu",
    "gelu_tanh",
    "silu",
    "hard_sigmoid",
)

ACTIVATIONS: MappingProxyType[str, Activation | Softmax] = MappingProxyType(
    {
        "identity": Activation("identity", lambda z: z),
        "tanh": Activation("tanh", sympy.tanh, (sympy.Integer(-1), sympy.Integer(1))),
        **{name: _from_function(name) for name in _ELEMENTWISE},
        "softmax": Softmax(),
    }
)
"""Every activation that has a name."""


def activation_named(name: str, where: str) -> Activation | Softmax:
    """The activation called ``name``; ``where`` says in the error who asked for it."""
    if name not in ACTIVATIONS:
        raise UsageError(f"{where}: unknown activation {name!r}; {nearest(name, ACTIVATIONS)}")
    return ACTIVATIONS[name]
