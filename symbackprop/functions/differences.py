"""How much an elementwise function changes where its argument does: f(z + t) - f(z) to nearly all digits of it.

Subtracting two values keeps few digits of a small change. Where addition theorems give the change itself, as in
exp(z + t) - exp(z) = exp(z) (exp(t) - 1), nothing cancels, however small t is. None of these forms has a derivative in
it, so that what is computed with them can be held against one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.functions.numpy_printer import compiled
from symbackprop.functions.primitives import expm1, log1p
from symbackprop.notation.expressions import ElementwiseFunction

__all__ = ["ELEMENTARY_DIFFERENCES", "Difference", "difference_of"]

Array = npt.NDArray[Any]
Form = Callable[[sympy.Expr, sympy.Expr, sympy.Expr], sympy.Expr]

_Z, _A, _T = sympy.symbols("z a t", real=True)

ELEMENTARY_DIFFERENCES: MappingProxyType[type[sympy.Function], Form] = MappingProxyType(
    {
        sympy.exp: lambda z, a, t: a * expm1(t),
        sympy.log: lambda z, a, t: log1p(t / z),
        sympy.tanh: lambda z, a, t: sympy.tanh(t) / sympy.cosh(z) ** 2 / (1 + a * sympy.tanh(t)),
        sympy.sinh: lambda z, a, t: 2 * sympy.sinh(t / 2) * sympy.cosh(z + t / 2),
        sympy.cosh: lambda z, a, t: 2 * sympy.sinh(t / 2) * sympy.sinh(z + t / 2),
        sympy.sin: lambda z, a, t: 2 * sympy.sin(t / 2) * sympy.cos(z + t / 2),
        sympy.cos: lambda z, a, t: -2 * sympy.sin(t / 2) * sympy.sin(z + t / 2),
        sympy.tan: lambda z, a, t: sympy.sin(t) / (sympy.cos(z) * sympy.cos(z + t)),
        sympy.atan: lambda z, a, t: sympy.atan(t / (1 + z * (z + t))),
    }
)
"""f(z + t) - f(z), given z, f(z) and t, for those of SymPy's functions that have an addition theorem; erf has none."""


@dataclass(frozen=True)
class Difference:
    """f(z + t) - f(z) in two parts: ``coefficients(z, a)`` at z and a = f(z), then ``change(t, *coefficients)``.

    Coefficients are computed once for many changes of the same argument.
    """

    coefficients: Callable[[Array, Array], tuple[Array, ...]]
    change: Callable[..., Array]


@lru_cache(maxsize=256)
def difference_of(function: Any) -> Difference | None:
    """The difference of the SymPy function ``function``; None where there is no form that keeps the digits."""
    if issubclass(function, ElementwiseFunction):
        form: Form | None = function.record.difference
    else:
        form = ELEMENTARY_DIFFERENCES.get(function)
    return None if form is None else _compiled(form(_Z, _A, _T))


def _compiled(expression: sympy.Expr) -> Difference:
    found: dict[sympy.Expr, sympy.Symbol] = {}
    rest = _hoisted(expression, found)
    values = compiled([_Z, _A], list(found), shared=True)

    def coefficients(z: Array, a: Array) -> tuple[Array, ...]:
        return tuple(np.broadcast_to(value, z.shape) for value in values(z, a))

    return Difference(coefficients, compiled([_T, *found.values()], rest, shared=True))


def _hoisted(expression: sympy.Expr, found: dict[sympy.Expr, sympy.Symbol]) -> sympy.Expr:
    """``expression`` with a symbol for each largest part without t; ``found`` says what they stand for."""
    if not expression.has(_T):
        return expression if expression.is_number else found.setdefault(expression, sympy.Dummy(f"c{len(found)}"))
    if not expression.args:
        return expression
    if not isinstance(expression, sympy.Add | sympy.Mul):
        return expression.func(*(_hoisted(argument, found) for argument in expression.args))
    constant = [argument for argument in expression.args if not argument.has(_T)]
    moving = [_hoisted(argument, found) for argument in expression.args if argument.has(_T)]
    return expression.func(*([_hoisted(expression.func(*constant), found)] if constant else []), *moving)
