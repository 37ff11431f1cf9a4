"""The record of an elementwise function: everything the package knows about it, in one row.

A new function is one ``Record`` in ``symbackprop.functions.library``; no other module needs to hear of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import mpmath
import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.notation.expressions import ElementwiseFunction

__all__ = ["NamedConstant", "Record", "constant", "erf", "erfc", "function_class"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Record:
    """One elementwise function f of one real argument z.

    ``definition``   f(z) in elementary functions, exact; what the function *means*
    ``derivative``   f'(z), given z and f(z), in terms of f(z) where there is such a form
    ``identity``     the same as a LaTeX identity, the reason printed beside a step
    ``latex``        the function's symbol
    ``numpy``        a form that neither overflows nor cancels, for float arrays
    ``kinks``        the points without derivative; ``convention`` says which slope is taken there
    ``bounds``       the least and the largest value
    """

    name: str
    latex: str
    definition: Callable[[sympy.Expr], sympy.Expr]
    derivative: Callable[[sympy.Expr, sympy.Expr], sympy.Expr]
    identity: str
    numpy: Callable[[Array], Array]
    kinks: tuple[sympy.Expr, ...] = ()
    convention: str = ""
    bounds: tuple[sympy.Expr, sympy.Expr] = (-sympy.oo, sympy.oo)


def function_class(record: Record) -> type[ElementwiseFunction]:
    """The SymPy function that carries ``record``."""
    namespace = {"record": record, "__doc__": f"{record.name}(z), elementwise."}
    return type(record.name, (ElementwiseFunction,), namespace)


class NamedConstant(sympy.NumberSymbol):  # type: ignore[misc]
    """A number that is written as a symbol: exact to the digits it was published with."""

    is_real = True
    is_positive = True
    is_negative = False
    is_irrational = None
    is_number = True
    digits: ClassVar[str]
    symbol: ClassVar[str]

    def _as_mpf_val(self, prec: int) -> Any:
        return mpmath.libmp.from_str(self.digits, prec)

    def approximation_interval(self, number_cls: type[sympy.Number]) -> tuple[sympy.Number, sympy.Number]:
        """Two integers that the constant lies between."""
        exact = sympy.Rational(self.digits)
        return sympy.floor(exact), sympy.floor(exact) + 1

    def _latex(self, printer: Any) -> str:
        return self.symbol

    def _sympystr(self, printer: Any) -> str:
        return type(self).__name__


def constant(name: str, latex: str, digits: str) -> sympy.NumberSymbol:
    """The constant called ``name``, given by its decimal digits."""
    return type(name, (NamedConstant,), {"digits": digits, "symbol": latex})()


def erf(z: Array) -> Array:
    """The error function of every entry. NumPy has none; the standard library's is right to the last bit."""
    return _entry_by_entry(math.erf, z)


def erfc(z: Array) -> Array:
    """1 - erf of every entry, with all its digits where that is small."""
    return _entry_by_entry(math.erfc, z)


def _entry_by_entry(function: Callable[[float], float], z: Array) -> Array:
    return np.asarray(np.vectorize(function, otypes=[np.result_type(z, np.float32)])(z))
