"""The expanded loss in scalar symbols, and the value of scalar SymPy expressions: the way of differentiation that
knows nothing of programs, indices or adjoints.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import mpmath
import numpy as np
import sympy
from dual_numbers import TieError, combined, fractions, high_precision

from symbackprop.notation.expressions import Bracket, ElementwiseFunction
from symbackprop.notation.interpreter import EXACT, interpret
from symbackprop.notation.program import Program

__all__ = ["Evaluator", "expanded_loss"]


def expanded_loss(
    program: Program, sizes: Mapping[str, int], values: Mapping[str, Any], wrt: Collection[str]
) -> tuple[sympy.Expr, dict[str, Any]]:
    """The loss written out, with a symbol for each entry of the variables ``wrt``, and those symbols."""
    given: dict[str, Any] = {}
    symbols: dict[str, Any] = {}
    for variable in program.inputs:
        value = values[variable.name]
        if variable.name in wrt:
            array = np.empty(np.shape(value), dtype=object)
            for at in np.ndindex(array.shape):
                array[at] = sympy.Symbol("_".join([variable.name, *map(str, at)]), real=True)
            given[variable.name] = symbols[variable.name] = array
        else:
            given[variable.name] = value if variable.integer else combined(sympy.Rational, value)
    return sympy.sympify(interpret(program, given, sizes, EXACT)[str(program.loss)][()]), symbols


class Evaluator:
    """The value of scalar SymPy expressions at a point, each shared part computed once.

    With ``smooth`` it raises ``TieError`` where a condition compares equal numbers: a derivative means nothing there.
    """

    def __init__(self, point: Mapping[sympy.Symbol, Any], family: str, smooth: bool = False) -> None:
        self.known: dict[sympy.Basic, Any] = dict(point)
        self.smooth = smooth
        self.number = fractions if family == "rational" else high_precision

    def __call__(self, node: sympy.Basic) -> Any:
        if node not in self.known:
            self.known[node] = self._compute(node)
        return self.known[node]

    def _compute(self, node: sympy.Basic) -> Any:
        if node.is_Number or node.is_NumberSymbol:
            return self.number(node)
        if node in (sympy.true, sympy.false):
            return bool(node)
        if isinstance(node, ElementwiseFunction):
            return self(node.definition)
        if isinstance(node, Bracket):
            return self.number(sympy.Integer(self(node.condition)))
        if isinstance(node, sympy.Piecewise):
            return next(self(value) for value, condition in node.args if self(condition))
        if isinstance(node, sympy.ITE):
            return self(node.args[1] if self(node.args[0]) else node.args[2])
        arguments = [self(argument) for argument in node.args]
        if isinstance(node, sympy.core.relational.Relational):
            if self.smooth and arguments[0] == arguments[1]:
                raise TieError(f"{node} is decided by a tie")
            return bool(_RELATIONS[node.rel_op](*arguments))
        for kind, compute in _OPERATIONS:
            if isinstance(node, kind):
                return compute(arguments)
        return _FUNCTIONS.get(type(node).__name__, getattr(mpmath, type(node).__name__, None))(*arguments)


_FUNCTIONS: dict[str, Callable[..., Any]] = {"Abs": mpmath.fabs, "DiracDelta": lambda z: 0 if z else mpmath.nan}

_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def _product(factors: Iterable[Any]) -> Any:
    result: Any = 1
    for factor in factors:
        result = result * factor
    return result


def _power(arguments: list[Any]) -> Any:
    base, exponent = arguments
    return base ** int(exponent) if exponent == int(exponent) else base**exponent


_OPERATIONS: tuple[tuple[type[sympy.Basic], Callable[[list[Any]], Any]], ...] = (
    (sympy.Add, sum),
    (sympy.Mul, _product),
    (sympy.Pow, _power),
    (sympy.And, all),
    (sympy.Or, any),
    (sympy.Not, lambda arguments: not arguments[0]),
)
