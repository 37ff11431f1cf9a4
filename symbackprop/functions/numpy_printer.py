"""Scalar expressions as NumPy code: what computes a record's stable form, and what generated code says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
import sympy
from sympy.core.relational import Relational
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.precedence import PRECEDENCE

from symbackprop.functions.primitives import PRIMITIVES
from symbackprop.notation.expressions import Bracket, ElementwiseFunction, walk

__all__ = ["NumpyPrinter", "compiled", "literal"]

# As many digits as decide how a number is rounded to double precision.
_DIGITS = 40


class NumpyPrinter(NumPyPrinter):  # type: ignore[misc]
    """Prints an expression as NumPy computes it, entry by entry.

    Whatever is a number is a Python number in the code, never one of NumPy's, so that float32 arrays stay float32.
    """

    def _print(self, expr: sympy.Basic, **kwargs: Any) -> str:
        # SymPy chooses a printing method by the name of a class; these are chosen by what a node is.
        if _is_constant(expr):
            return literal(expr)
        if expr.func in PRIMITIVES:
            return self._call(PRIMITIVES[expr.func].call, expr)
        if isinstance(expr, ElementwiseFunction):
            return self._call(expr.record.name, expr)
        return str(super()._print(expr, **kwargs))

    def _call(self, name: str, expr: sympy.Expr) -> str:
        return f"{name}({', '.join(self._print(argument) for argument in expr.args)})"

    def _print_Mul(self, expr: sympy.Mul) -> str:
        """``0.3*a*b/(c*d)``: one number in front; where it is 1/n, it is n below."""
        number = sympy.Mul(*(factor for factor in expr.args if factor.is_number))
        if not number.is_Rational:
            number = number.evalf(_DIGITS)
        factors = [factor for factor in expr.as_ordered_factors() if not factor.is_number]
        above = [factor for factor in factors if not _is_inverse(factor)]
        below = [1 / factor for factor in factors if _is_inverse(factor)]
        size = abs(number)
        if not (size.is_Rational and size.p == 1):
            above = [size, *above]
        elif size != 1:
            below = [1 / size, *below]
        return ("-" if number.is_negative else "") + self._quotient(above, below)

    def _print_Pow(self, expr: sympy.Pow, rational: bool = False) -> str:
        """``np.sqrt(b)``, ``1/b`` and ``b**n``."""
        if _is_inverse(expr):
            return self._quotient([], [1 / expr])
        if expr.exp == sympy.Rational(1, 2):
            return f"np.sqrt({self._print(expr.base)})"
        return f"{self._operand(expr.base, 'Pow', True)}**{self._operand(expr.exp, 'Pow', True)}"

    def _quotient(self, above: list[sympy.Expr], below: list[sympy.Expr]) -> str:
        numerator = "*".join(self._operand(factor, "Mul") for factor in above) or "1"
        if not below:
            return numerator
        if len(below) == 1:
            return f"{numerator}/{self._operand(below[0], 'Mul', True)}"
        return f"{numerator}/({'*'.join(self._operand(factor, 'Mul') for factor in below)})"

    def _operand(self, expr: sympy.Basic, of: str, binds_tighter: bool = False) -> str:
        """``expr`` as an operand of ``of``, in parentheses where Python needs them."""
        if _is_constant(expr) and not expr.is_negative:
            return self._print(expr)
        return str(self.parenthesize(expr, PRECEDENCE[of] + binds_tighter))

    def _print_Bracket(self, expr: Bracket) -> str:
        condition = self._print(expr.condition)
        return f"({condition})" if isinstance(expr.condition, Relational) else condition

    def _print_Relational(self, expr: Relational) -> str:
        left, right = (self._operand(side, "Relational", True) for side in expr.args)
        return f"{left} {expr.rel_op} {right}"

    def _print_And(self, expr: sympy.And) -> str:
        return self._nested("np.logical_and", expr)

    def _print_Or(self, expr: sympy.Or) -> str:
        return self._nested("np.logical_or", expr)

    def _print_Not(self, expr: sympy.Not) -> str:
        return self._call("np.logical_not", expr)

    def _nested(self, name: str, expr: sympy.Basic) -> str:
        conditions = [self._print(condition) for condition in sorted(expr.args, key=sympy.default_sort_key)]
        return reduce(lambda first, second: f"{name}({first}, {second})", conditions)

    def _print_Piecewise(self, expr: sympy.Piecewise) -> str:
        *cases, (otherwise, last) = expr.args
        if last != sympy.true:
            cases, otherwise = list(expr.args), sympy.nan
        result = self._print(otherwise)
        for value, condition in reversed(cases):
            result = f"np.where({self._print(condition)}, {self._print(value)}, {result})"
        return result

    def _print_Infinity(self, expr: sympy.Expr) -> str:
        return "np.inf"

    def _print_NegativeInfinity(self, expr: sympy.Expr) -> str:
        return "-np.inf"

    def _print_NaN(self, expr: sympy.Expr) -> str:
        return "np.nan"


def _is_constant(expr: sympy.Basic) -> bool:
    return bool(expr.is_number) and expr.is_finite is not False and expr is not sympy.nan


def _is_inverse(expr: sympy.Basic) -> bool:
    return isinstance(expr, sympy.Pow) and bool(expr.exp.is_Rational and expr.exp.is_negative)


def literal(number: sympy.Expr) -> str:
    """A number as Python writes it: an integer, or the nearest double."""
    return str(number) if number.is_Integer else repr(float(number.evalf(_DIGITS)))


def compiled(arguments: Sequence[sympy.Symbol], expressions: Any, *, shared: bool = False) -> Callable[..., Any]:
    """``expressions``, one or several, as a function of arrays in the places of ``arguments``.

    ``shared`` computes what occurs more than once only once.
    """
    names: dict[str, Any] = {"np": np}
    for expression in expressions if isinstance(expressions, Sequence) else (expressions,):
        for node in walk(expression):
            if isinstance(node, ElementwiseFunction):
                names[node.record.name] = node.record.numpy
            elif node.func in PRIMITIVES and PRIMITIVES[node.func].name is None:
                names[PRIMITIVES[node.func].call] = PRIMITIVES[node.func].numpy
    function: Callable[..., Any] = sympy.lambdify(
        list(arguments), expressions, [names], printer=NumpyPrinter, cse=shared
    )
    return function
