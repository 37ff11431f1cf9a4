"""The functions that notes may call, by their names, with their derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import sympy

from symbackprop.functions.library import FUNCTIONS
from symbackprop.functions.records import Record, function_class
from symbackprop.functions.translate import translate
from symbackprop.notation.expressions import ElementwiseFunction

__all__ = ["KNOWN", "OPAQUE", "Function", "derivative_of", "opaque"]

Function = Callable[[sympy.Expr], sympy.Expr]

_Z = sympy.Symbol("z", real=True)

_ELEMENTARY: dict[str, Function] = {
    "exp": sympy.exp,
    "log": sympy.log,
    "ln": sympy.log,
    "sqrt": sympy.sqrt,
    "tanh": sympy.tanh,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "arctan": sympy.atan,
    "abs": FUNCTIONS["absolute"],
    "sgn": lambda z: translate(sympy.sign(z)),
    "sign": lambda z: translate(sympy.sign(z)),
}
_ALIASES = {
    "\\sigma": "sigmoid",
    "sigm": "sigmoid",
    "logistic": "sigmoid",
    "logsig": "sigmoid",
    "lrelu": "leaky_relu",
    "leakyrelu": "leaky_relu",
    "leaky relu": "leaky_relu",
    "silu": "swish",
}


def _table() -> dict[str, Function]:
    found: dict[str, Function] = {**_ELEMENTARY, **FUNCTIONS}
    found.update({f"\\{name}": function for name, function in _ELEMENTARY.items()})
    found.update({alias: found[name] for alias, name in _ALIASES.items() if name in found})
    return found


KNOWN: Mapping[str, Function] = MappingProxyType(_table())
"""Every known function of one argument by its name, in small letters, or by its command."""

OPAQUE = frozenset(("f", "g", "h", "\\phi", "\\varphi", "\\psi", "\\chi", "\\rho", "\\sigma", "\\theta", "\\Phi"))
"""Letters that stand for an activation which the notes do not say more about."""


def derivative_of(function: Function) -> Function:
    """The derivative of ``function``, at the kinks what its record says."""

    def slope(z: sympy.Expr) -> sympy.Expr:
        value = function(_Z)
        if isinstance(value, ElementwiseFunction):
            return value.record.derivative(z, function(z))
        return translate(sympy.diff(value, _Z)).xreplace({_Z: z})

    return slope


@lru_cache(maxsize=64)
def opaque(symbol: str) -> type[ElementwiseFunction]:
    """A function of which nothing is known but its symbol, and that of its derivative.

    For evaluation it is a smooth function that keeps no law which people write down.
    """
    stand_in = _STAND_INS[sum(map(ord, symbol)) % len(_STAND_INS)]
    slope = function_class(
        Record(
            f"derivative of {symbol}",
            f"{symbol}'",
            lambda z: sympy.diff(stand_in, _Z).xreplace({_Z: z}),
            lambda z, a: sympy.diff(stand_in, _Z, 2).xreplace({_Z: z}),
            identity="",
        )
    )
    return function_class(
        Record(symbol, symbol, lambda z: stand_in.xreplace({_Z: z}), lambda z, a: slope(z), identity="")
    )


_STAND_INS = tuple(
    sympy.Rational(p, 7) * _Z + sympy.sin(q * _Z + 1) / 3 + sympy.exp(_Z / (q + 3)) / 5
    for p, q in ((5, 2), (4, 3), (9, 2))
)
