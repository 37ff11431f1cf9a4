"""What a program means: a naive interpreter, one scalar at a time, straight from the text of the equations.

It is slow and it is the reference: forms, code and checks are tested against it. The numbers may be SymPy's
(``EXACT``: rationals stay rationals, symbols stay symbols, so it also expands a loss for brute force),
Python floats (``FLOAT``) or mpmath's (``arbitrary_precision()``).
"""

from __future__ import annotations

import cmath
import itertools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy.core.relational import Relational

from symbackprop.errors import EquationError, SizeError
from symbackprop.notation.expressions import (
    ArgMaximum,
    Bracket,
    ElementwiseFunction,
    Maximum,
    base_name,
    is_occurrence,
    limits,
    walk,
)
from symbackprop.notation.program import Equation, Program
from symbackprop.notation.sizes import bind_sizes, concrete_shape

__all__ = ["COMPLEX", "EXACT", "FLOAT", "Arithmetic", "arbitrary_precision", "evaluate_expression", "interpret"]

Environment = dict[sympy.Symbol, int]


@dataclass(frozen=True)
class Arithmetic:
    """A kind of number: how an exact constant becomes one, and where its elementary functions are."""

    number: Callable[[sympy.Expr], Any]
    function: Callable[[str], Callable[..., Any]]


def _float_function(name: str) -> Callable[..., Any]:
    function: Callable[..., Any] = getattr(math, {"Abs": "fabs"}.get(name, name))
    return function


EXACT = Arithmetic(number=lambda value: value, function=lambda name: getattr(sympy, name))
"""SymPy's own numbers and expressions."""

FLOAT = Arithmetic(number=float, function=_float_function)
"""Python floats."""

COMPLEX = Arithmetic(number=complex, function=lambda name: getattr(cmath, name))
"""Python complex numbers, for complex steps."""


def arbitrary_precision() -> Arithmetic:
    """mpmath's numbers, at mpmath's current precision."""
    names = {"Abs": "fabs"}
    return Arithmetic(
        number=lambda value: mpmath.mpmathify(value.evalf(mpmath.mp.dps)),
        function=lambda name: getattr(mpmath, names.get(name, name)),
    )


def interpret(
    program: Program,
    values: Mapping[str, Any],
    sizes: Mapping[str, int] | None = None,
    arithmetic: Arithmetic = EXACT,
) -> dict[str, np.ndarray[Any, Any]]:
    """The value of every variable of ``program``, as object arrays of the variables' shapes.

    ``values`` gives nested sequences, arrays or scalars for the declared variables.
    """
    arrays = {name: np.array(value, dtype=object) for name, value in values.items()}
    for variable in program.inputs:
        if variable.name not in arrays:
            raise SizeError(f"{program.name} needs a value for {variable}; none was given")
    bound = bind_sizes(program, {name: array.shape for name, array in arrays.items()}, sizes)
    machine = _Machine(arrays, bound, arithmetic)
    for equation in program.equations:
        arrays[equation.name] = machine.array(equation)
    return arrays


def evaluate_expression(
    expression: sympy.Expr,
    arrays: Mapping[str, np.ndarray[Any, Any]],
    sizes: Mapping[sympy.Symbol, int],
    arithmetic: Arithmetic = EXACT,
) -> Any:
    """The value of one expression without free indices, from the values of the variables in it."""
    return _Machine(dict(arrays), dict(sizes), arithmetic).value(expression, {})


@dataclass(frozen=True)
class _Machine:
    arrays: dict[str, np.ndarray[Any, Any]]
    sizes: dict[sympy.Symbol, int]
    arithmetic: Arithmetic

    def array(self, equation: Equation) -> np.ndarray[Any, Any]:
        shape = concrete_shape(equation.left.shape, self.sizes)
        result = np.empty(shape, dtype=object)
        for position in itertools.product(*map(range, shape)):
            here = dict(zip(equation.indices, position, strict=True))
            result[position] = self.value(equation.right, here)
        return result

    def extent(self, size: sympy.Expr) -> int:
        return concrete_shape((size,), self.sizes)[0]

    def value(self, node: sympy.Basic, here: Environment) -> Any:
        """The number that ``node`` is where the indices have the values ``here``."""
        if is_occurrence(node):
            return self.look_up(node, here)
        if node.is_Symbol:
            return self.arithmetic.number(sympy.Integer(here[node] if node in here else self.sizes[node]))
        if node.is_Number or node.is_NumberSymbol:
            return self.arithmetic.number(node)
        if isinstance(node, sympy.Add):
            return _fold(operator.add, [self.value(argument, here) for argument in node.args])
        if isinstance(node, sympy.Mul):
            return self.product(node, here)
        if isinstance(node, sympy.Pow):
            return self.power(node, here)
        if isinstance(node, sympy.Sum):
            terms = [self.value(node.args[0], inner) for inner in self.inside(node, here)]
            return _fold(operator.add, terms)
        if isinstance(node, Maximum):
            return self.maximum(node, here)
        if isinstance(node, Bracket):
            return self.bracket(node, here)
        if isinstance(node, sympy.Piecewise):
            return self.piecewise(node, here)
        if isinstance(node, ElementwiseFunction):
            return self.value(node.definition, here)
        if isinstance(node, sympy.Function):
            function = self.arithmetic.function(node.func.__name__)
            return function(*(self.value(argument, here) for argument in node.args))
        raise EquationError(f"{type(node).__name__} has no meaning in an equation: {node}")

    def look_up(self, node: sympy.Expr, here: Environment) -> Any:
        array = self.arrays[base_name(node)]
        if not isinstance(node, sympy.Indexed):
            return array[()]
        position = tuple(self.position(e, here) for e in node.indices)
        for where, extent in zip(position, array.shape, strict=True):
            if not 0 <= where < extent:
                raise EquationError(f"{node} is out of range at {position}, shape {array.shape}")
        return array[position]

    def position(self, node: sympy.Expr, here: Environment) -> int:
        """An index expression in plain integers, whatever the arithmetic."""
        if node.is_Integer:
            return int(node)
        if node.is_Symbol and not is_occurrence(node):
            return here[node] if node in here else self.sizes[node]
        return int(_Machine(self.arrays, self.sizes, EXACT).value(node, here))

    def inside(self, node: sympy.Expr, here: Environment) -> list[Environment]:
        over = limits(node)
        ranges = [range(self.extent(size)) for _, size in over]
        return [{**here, **dict(zip((i for i, _ in over), at, strict=True))} for at in itertools.product(*ranges)]

    def product(self, node: sympy.Mul, here: Environment) -> Any:
        guards = [argument for argument in node.args if isinstance(argument, Bracket)]
        # Those about indices alone go first: where one is false, nothing else in the term need be in range.
        guards.sort(key=lambda guard: any(is_occurrence(inner) for inner in walk(guard)))
        brackets = []
        for guard in guards:
            brackets.append(self.bracket(guard, here))
            if brackets[-1] == 0:
                return self.arithmetic.number(sympy.Integer(0))
        rest = [self.value(argument, here) for argument in node.args if not isinstance(argument, Bracket)]
        return _fold(operator.mul, [*brackets, *rest])

    def power(self, node: sympy.Pow, here: Environment) -> Any:
        base = self.value(node.base, here)
        if node.exp.is_Integer:
            return (
                base ** int(node.exp)
                if node.exp > 0
                else self.arithmetic.number(sympy.Integer(1)) / base ** -int(node.exp)
            )
        if node.exp == sympy.Rational(1, 2):
            return self.arithmetic.function("sqrt")(base)
        return base ** self.value(node.exp, here)

    def maximum(self, node: Maximum, here: Environment) -> Any:
        values = [self.value(node.args[0], inner) for inner in self.inside(node, here)]
        best = 0
        for place, value in enumerate(values):
            if self.decided(_real(value) > _real(values[best])):
                best = place
        return self.arithmetic.number(sympy.Integer(best)) if isinstance(node, ArgMaximum) else values[best]

    def piecewise(self, node: sympy.Piecewise, here: Environment) -> Any:
        cases = []
        for value, condition in node.args:
            truth = self.truth(condition, here)
            if truth == sympy.false:
                continue
            cases.append((self.value(value, here), truth))
            if truth == sympy.true:
                return cases[0][0] if len(cases) == 1 else sympy.Piecewise(*cases)
        raise EquationError(f"no case of {node} applies")

    def bracket(self, node: Bracket, here: Environment) -> Any:
        truth = self.truth(node.condition, here)
        if truth in (sympy.true, sympy.false):
            return self.arithmetic.number(sympy.Integer(bool(truth)))
        return Bracket(truth)

    def truth(self, condition: sympy.Basic, here: Environment) -> sympy.Basic:
        """The condition with numbers put in: true, false, or what is left of it where symbols stand in."""
        if isinstance(condition, sympy.And | sympy.Or | sympy.Not):
            return condition.func(*(self.truth(argument, here) for argument in condition.args))
        if isinstance(condition, Relational):
            left, right = (_real(self.value(side, here)) for side in condition.args)
            return sympy.sympify(_COMPARISONS[condition.rel_op](left, right))
        if condition in (sympy.true, sympy.false):
            return condition
        raise EquationError(f"{condition} is no condition")

    def decided(self, truth: Any) -> bool:
        if truth in (True, False):
            return bool(truth)
        raise EquationError(f"the condition {truth} cannot be decided for symbols; give numbers")


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda left, right: sympy.Eq(left, right) if isinstance(left, sympy.Basic) else left == right,
    "!=": lambda left, right: sympy.Ne(left, right) if isinstance(left, sympy.Basic) else left != right,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _real(value: Any) -> Any:
    return value.real if isinstance(value, complex) else value


def _fold(combine: Callable[[Any, Any], Any], values: Sequence[Any]) -> Any:
    result = values[0]
    for value in values[1:]:
        result = combine(result, value)
    return result
