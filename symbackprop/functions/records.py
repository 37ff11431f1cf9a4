"""The record of an elementwise function: everything the package knows about it, in one row.

A new function is one ``Record`` in ``symbackprop.functions.library``; no other module needs to hear of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import mpmath
import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.functions.numpy_printer import compiled
from symbackprop.notation.expressions import ElementwiseFunction

__all__ = ["NamedConstant", "Record", "constant", "function_class", "packed"]

Array = npt.NDArray[Any]

_Z, _A, _T = sympy.symbols("z a t", real=True)


@dataclass(frozen=True)
class Record:
    """One elementwise function f of one real argument z.

    ``definition``   f(z) in elementary functions, exact; what the function *means*
    ``derivative``   f'(z), given z and f(z), in terms of f(z) where there is such a form
    ``identity``     the same as a LaTeX identity, the reason printed beside a step
    ``latex``        the function's symbol
    ``kinks``        the points without derivative; ``convention`` says which slope is taken there
    ``bounds``       the least and the largest value
    ``stable``       f(z) in primitives, neither overflowing nor cancelling, where the definition does; what is computed
    ``direct``       whether the definition itself keeps all digits, as long as nothing overflows
    ``difference``   f(z + t) - f(z), given z, f(z) and t, in primitives: without cancellation for |t| up to 1/2, and
                     without a derivative. None where there is no such form
    """

    name: str
    latex: str
    definition: Callable[[sympy.Expr], sympy.Expr]
    derivative: Callable[[sympy.Expr, sympy.Expr], sympy.Expr]
    identity: str
    kinks: tuple[sympy.Expr, ...] = ()
    convention: str = ""
    bounds: tuple[sympy.Expr, sympy.Expr] = (-sympy.oo, sympy.oo)
    stable: Callable[[sympy.Expr], sympy.Expr] | None = None
    direct: bool = False
    difference: Callable[[sympy.Expr, sympy.Expr, sympy.Expr], sympy.Expr] | None = None

    def stable_form(self, z: sympy.Expr) -> sympy.Expr:
        """f(z) as it is computed."""
        return (self.stable or self.definition)(z)

    @cached_property
    def numpy(self) -> Callable[[Array], Array]:
        """The stable form, for float arrays; the result has their type and shape."""
        z = sympy.Symbol("z")
        function = compiled([z], self.stable_form(z))
        # NumPy makes scalars of arrays without axes.
        return lambda array: np.asarray(function(array), dtype=np.asarray(array).dtype)


def function_class(record: Record) -> type[ElementwiseFunction]:
    """The SymPy function that carries ``record``."""
    namespace = {"record": record, "__doc__": f"{record.name}(z), elementwise."}
    return type(record.name, (ElementwiseFunction,), namespace)


def packed(record: Record) -> tuple[Any, ...]:
    """A call that makes the function of ``record`` again, for pickle: callables travel as what they make of symbols."""
    forms = {
        "definition": record.definition(_Z),
        "derivative": record.derivative(_Z, _A),
        "stable": None if record.stable is None else record.stable(_Z),
        "difference": None if record.difference is None else record.difference(_Z, _A, _T),
    }
    plain = {field.name: getattr(record, field.name) for field in fields(record) if field.name not in forms}
    return _rebuilt, (tuple(forms.items()), tuple(plain.items()))


@lru_cache(maxsize=256)
def _rebuilt(forms: tuple[tuple[str, sympy.Expr | None], ...], plain: tuple[tuple[str, Any], ...]) -> Any:
    arguments = {"definition": (_Z,), "derivative": (_Z, _A), "stable": (_Z,), "difference": (_Z, _A, _T)}
    given: dict[str, Any] = dict(plain)
    given.update({name: None if form is None else sympy.Lambda(arguments[name], form) for name, form in forms})
    return function_class(Record(**given))


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

    def __eq__(self, other: object) -> bool:
        # One that comes from another process is of a class of its own.
        return isinstance(other, NamedConstant) and (self.symbol, self.digits) == (other.symbol, other.digits)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self.symbol, self.digits))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return constant, (type(self).__name__, self.symbol, self.digits)

    def _latex(self, printer: Any) -> str:
        return self.symbol

    def _sympystr(self, printer: Any) -> str:
        return type(self).__name__


def constant(name: str, latex: str, digits: str) -> sympy.NumberSymbol:
    """The constant called ``name``, given by its decimal digits."""
    return type(name, (NamedConstant,), {"digits": digits, "symbol": latex})()
