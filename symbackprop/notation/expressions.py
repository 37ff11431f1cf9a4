"""The language's expressions: SymPy's own, and the few that index notation needs beside them.

A right-hand side is a SymPy expression over occurrences ``v[e1, ..., er]`` (``Indexed``; a plain real symbol for
a variable without axes), sizes, numbers, elementwise functions, ``Sum`` over an index, ``Maximum`` over an index
and ``Bracket`` of a condition. Indices count from 0: a reduction runs over ``(i, 0, size - 1)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, ClassVar

import sympy
from sympy.concrete.expr_with_limits import ExprWithLimits

__all__ = [
    "REDUCTIONS",
    "ArgMaximum",
    "Bracket",
    "ElementwiseClass",
    "ElementwiseFunction",
    "Limit",
    "Maximum",
    "Sum",
    "base_name",
    "index",
    "indexed_base",
    "is_occurrence",
    "limits",
    "maximum",
    "occurrence",
    "size",
    "total",
    "walk",
]

Limit = tuple[sympy.Symbol, sympy.Expr]
"""An index and the size it runs over: 0, ..., size - 1."""


def index(name: str) -> sympy.Symbol:
    """The index called ``name``: an integer symbol."""
    return sympy.Symbol(name, integer=True)


def size(value: str | int | sympy.Expr) -> sympy.Expr:
    """A size: a positive integer, a positive integer symbol by its name, or an expression of such."""
    if isinstance(value, str):
        return sympy.Symbol(value, integer=True, positive=True)
    return sympy.sympify(value)


def occurrence(name: str, *indices: Any) -> sympy.Expr:
    """The occurrence ``name[indices]``; a real symbol where there are no indices."""
    if not indices:
        return sympy.Symbol(name, real=True)
    return sympy.Indexed(indexed_base(name), *indices)


@lru_cache(maxsize=4096)
def indexed_base(name: str) -> sympy.IndexedBase:
    """What SymPy calls the base of the occurrences of ``name``."""
    return sympy.IndexedBase(name)


def is_occurrence(expression: sympy.Basic) -> bool:
    """Whether ``expression`` is an occurrence of a variable (not an index, not a size)."""
    if isinstance(expression, sympy.Indexed):
        return True
    return isinstance(expression, sympy.Symbol) and expression.is_integer is None


def base_name(expression: sympy.Basic) -> str:
    """The name of the variable that ``expression`` is an occurrence of."""
    if isinstance(expression, sympy.Indexed):
        name: str = expression.base.label.name
    else:
        name = expression.name
    return name


class Bracket(sympy.Expr):  # type: ignore[misc]
    """Iverson's bracket: 1 where the condition holds, 0 where it does not.

    Locally constant, so its derivative is 0; a false bracket annihilates the term it stands in, whatever the
    other factors are (they may be out of range there).
    """

    is_commutative = True
    is_extended_real = True
    is_finite = True

    def __new__(cls, condition: Any) -> Any:
        """The bracket of a condition; 1 or 0 where the condition is decided."""
        condition = sympy.sympify(condition)
        if condition == sympy.true:
            return sympy.Integer(1)
        if condition == sympy.false:
            return sympy.Integer(0)
        return sympy.Expr.__new__(cls, condition)

    @property
    def condition(self) -> sympy.Basic:
        """The condition inside."""
        return self.args[0]

    def _eval_derivative(self, symbol: sympy.Symbol) -> sympy.Expr:
        return sympy.Integer(0)

    def _eval_power(self, exponent: sympy.Expr) -> sympy.Expr | None:
        return self if exponent.is_positive else None

    def _sympystr(self, printer: Any) -> str:
        return f"[{printer._print(self.condition)}]"


class Maximum(ExprWithLimits):  # type: ignore[misc]
    """The largest value of a body over an index: ``Maximum(z[n, k], (k, 0, K - 1))``."""

    is_extended_real = True
    is_finite = True

    def __new__(cls, body: Any, *limits: Any) -> Any:
        """The largest value of ``body`` over the index of each ``(index, 0, last)``."""
        result = sympy.Expr.__new__(cls, sympy.sympify(body), *(sympy.Tuple(*limit) for limit in limits))
        result.is_commutative = True
        return result


class ArgMaximum(Maximum):
    """The first position at which a body is largest. An integer, locally constant."""

    def _eval_derivative(self, symbol: sympy.Symbol) -> sympy.Expr:
        return sympy.Integer(0)


class Sum(sympy.Sum):  # type: ignore[misc]
    """SymPy's sum, kept as it was written, and equal to SymPy's own.

    SymPy's constructor carries a ``Piecewise`` inside an inner sum or maximum outwards past the index that its
    conditions are about.
    """

    def __new__(cls, body: Any, *limits: Any) -> Any:
        """``body`` summed over the index of each ``(index, 0, last)``, the first innermost."""
        body, limits = sympy.sympify(body), tuple(sympy.Tuple(*limit) for limit in limits)
        if isinstance(body, sympy.Sum):
            body, limits = body.args[0], (*body.args[1:], *limits)
        result = sympy.Expr.__new__(cls, body, *limits)
        result.is_commutative = True
        return result

    def __eq__(self, other: object) -> bool:
        return isinstance(other, sympy.Sum) and self.args == other.args

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = sympy.Sum.__hash__


REDUCTIONS = (sympy.Sum, Maximum)
"""The binders of the language (``ArgMaximum`` is a ``Maximum``)."""


def limits(reduction: sympy.Expr) -> tuple[Limit, ...]:
    """The (index, size) pairs of a reduction, outermost last as SymPy writes them."""
    return tuple((limit[0], limit[2] - limit[1] + 1) for limit in reduction.args[1:])


def total(body: sympy.Expr, *over: Limit) -> sympy.Expr:
    """``body`` summed over each (index, size) of ``over``; ``body`` itself where there is none."""
    if not over:
        return body
    return Sum(body, *((i, 0, extent - 1) for i, extent in over))


def maximum(body: sympy.Expr, over: Limit) -> sympy.Expr:
    """The largest value of ``body`` over one index."""
    return Maximum(body, (over[0], 0, over[1] - 1))


class ElementwiseClass(type(sympy.Function)):  # type: ignore[misc]
    """What elementwise functions are instances of: a class of its own, so that they can say how they are pickled."""


class ElementwiseFunction(sympy.Function, metaclass=ElementwiseClass):  # type: ignore[misc]
    """A named function of one real argument. A subclass is made from each record of ``symbackprop.functions``."""

    nargs = 1
    is_extended_real = True
    record: ClassVar[Any] = None

    @property
    def definition(self) -> sympy.Expr:
        """The function written out at its argument."""
        expanded: sympy.Expr = self.record.definition(self.args[0])
        return expanded

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """The derivative, in terms of the function's own value where it has such a form."""
        slope: sympy.Expr = self.record.derivative(self.args[0], self)
        return slope

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return self.definition._evalf(prec)


def walk(expression: sympy.Basic) -> Iterator[sympy.Basic]:
    """Every node, outermost first, without the names of variables and their occurrences' bases."""
    yield expression
    arguments = expression.indices if isinstance(expression, sympy.Indexed) else expression.args
    for argument in arguments:
        yield from walk(argument)
