"""Array expressions in NumPy, node by node: the numbers of documents, and what the forms are tested with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.errors import NoRuleError
from symbackprop.forms.arrays import (
    Add,
    Apply,
    ArgMax,
    Cases,
    Compare,
    Einsum,
    Expand,
    Gather,
    Indicator,
    Leaf,
    Logic,
    LogSumExp,
    MatMul,
    MaxOver,
    Multiply,
    Node,
    Outer,
    Permute,
    Position,
    Power,
    Scalar,
    Softmax,
    SumOver,
)
from symbackprop.forms.lower import Lowered, lower
from symbackprop.forms.recognise import einsum_pattern
from symbackprop.functions.elementary import elementary
from symbackprop.notation.expressions import ElementwiseFunction
from symbackprop.notation.program import Program
from symbackprop.notation.sizes import bind_sizes, concrete_shape

__all__ = ["COMPARISONS", "evaluate", "evaluate_program", "node_values"]

Array = npt.NDArray[Any]
Sizes = Mapping[sympy.Symbol, int]


def evaluate_program(
    program: Program, values: Mapping[str, Any], sizes: Mapping[str, int] | None = None
) -> dict[str, Array]:
    """Every variable of ``program`` as a NumPy array, from arrays for the declared ones."""
    arrays = {name: np.asarray(value) for name, value in values.items()}
    for variable in program.inputs:
        if variable.name not in arrays:
            raise NoRuleError(f"{program.name} needs a value for {variable}; none was given")
    bound = bind_sizes(program, {name: array.shape for name, array in arrays.items()}, sizes)
    with np.errstate(all="ignore"):
        _fill(program, arrays, bound)
    return arrays


def _fill(program: Program, arrays: dict[str, Array], bound: Sizes) -> None:
    """The value of each equation. Infinities are values here; who shows them says so."""
    for equation in program.equations:
        shape = concrete_shape(equation.left.shape, bound)
        value = evaluate(lower(equation, program), arrays, bound)
        arrays[equation.name] = np.array(np.broadcast_to(value, shape))


def evaluate(form: Lowered | Node, arrays: Mapping[str, Array], sizes: Sizes) -> Array:
    """The value of an array expression. A ``Lowered`` equation's value has the axes of its left side."""
    node = form.right if isinstance(form, Lowered) else form
    return np.asarray(_Machine(arrays, sizes).value(node))


def node_values(form: Lowered, arrays: Mapping[str, Array], sizes: Sizes) -> dict[int, Array]:
    """The value of every node of the right side, with the node's axes, by the node's ``id``."""
    machine = _Remembering(arrays, sizes, {})
    machine.value(form.right)
    return machine.found


@dataclass(frozen=True)
class _Machine:
    arrays: Mapping[str, Array]
    sizes: Sizes

    def value(self, node: Node) -> Any:
        rule = _RULES.get(type(node))
        if rule is None:
            raise NoRuleError(f"{type(node).__name__} has no value")
        return rule(self, node)

    def extent(self, size: sympy.Expr) -> int:
        return concrete_shape((size,), self.sizes)[0]

    def shape(self, node: Node) -> tuple[int, ...]:
        return tuple(self.extent(size) for _, size in node.axes)

    def gone(self, operand: Node, result: Node) -> tuple[int, ...]:
        """The places of the operand's axes that the result does not have."""
        return tuple(place for place, axis in enumerate(operand.axes) if axis not in result.axes)

    def scalar(self, node: Scalar) -> Any:
        value = sympy.sympify(node.value.xreplace(dict(self.sizes)))
        return int(value) if value.is_Integer else float(value)

    def leaf(self, node: Leaf) -> Array:
        array = self.arrays[node.name]
        if node.single:
            (array,) = array
        return array.T if node.flipped else array

    def position(self, node: Position) -> Array:
        return np.arange(self.shape(node)[0])

    def gather(self, node: Gather) -> Array:
        array = self.arrays[node.name]
        places = []
        for place, extent in zip(node.positions, array.shape, strict=True):
            index = np.broadcast_to(self.value(place), self.shape(node))
            places.append(np.clip(index.astype(np.intp), 0, extent - 1))
        return np.asarray(array[tuple(places)])

    def permute(self, node: Permute) -> Array:
        return np.transpose(self.value(node.operand), [node.operand.axes.index(axis) for axis in node.axes])

    def expand(self, node: Expand) -> Array:
        value = np.asarray(self.value(node.operand))
        slots = tuple(slice(None) if axis in node.operand.axes else None for axis in node.axes)
        return np.broadcast_to(value[slots] if node.operand.rank else value, self.shape(node))

    def add(self, node: Add) -> Any:
        sign, first = node.operands[0]
        result = self.value(first) if sign > 0 else -self.value(first)
        for sign, operand in node.operands[1:]:
            result = result + self.value(operand) if sign > 0 else result - self.value(operand)
        return result

    def multiply(self, node: Multiply) -> Any:
        # A false indicator annihilates, even where another factor is not finite.
        masks = [self.value(operand) for operand in node.operands if isinstance(operand, Indicator)]
        rest = [self.value(operand) for operand in node.operands if not isinstance(operand, Indicator)]
        product = reduce(np.multiply, rest) if rest else 1
        if not masks:
            return product
        mask = reduce(np.multiply, masks)
        return np.where(mask, product, np.zeros_like(product))

    def power(self, node: Power) -> Any:
        base, exponent = self.value(node.base), node.exponent
        if exponent == Scalar((), sympy.Integer(-1)):
            return 1 / np.asarray(base)
        if exponent == Scalar((), sympy.Rational(1, 2)):
            return np.sqrt(base)
        return np.power(np.asarray(base, dtype=np.result_type(base, np.float32)), self.value(exponent))

    def apply(self, node: Apply) -> Any:
        operand = np.asarray(self.value(node.operand))
        if not np.issubdtype(operand.dtype, np.floating):
            operand = operand.astype(float)
        if issubclass(node.function, ElementwiseFunction):
            return node.function.record.numpy(operand)
        return elementary(node.function).numpy(operand)

    def matmul(self, node: MatMul) -> Any:
        return np.matmul(self.value(node.left), self.value(node.right))

    def outer(self, node: Outer) -> Array:
        return np.outer(self.value(node.left), self.value(node.right))

    def sum_over(self, node: SumOver) -> Any:
        value = np.broadcast_to(self.value(node.operand), self.shape(node.operand))
        return np.sum(value, axis=self.gone(node.operand, node))

    def max_over(self, node: MaxOver) -> Any:
        return np.max(self.value(node.operand), axis=self.gone(node.operand, node))

    def argmax(self, node: ArgMax) -> Any:
        return np.argmax(self.value(node.operand), axis=self.gone(node.operand, node)[0])

    def softmax(self, node: Softmax) -> Any:
        value = self.value(node.operand)
        axis = node.operand.axes.index(node.over)
        raised = np.exp(value - np.max(value, axis=axis, keepdims=True))
        return raised / np.sum(raised, axis=axis, keepdims=True)

    def logsumexp(self, node: LogSumExp) -> Any:
        value = self.value(node.operand)
        axis = self.gone(node.operand, node)
        top = np.max(value, axis=axis, keepdims=True)
        return np.squeeze(top, axis) + np.log(np.sum(np.exp(value - top), axis=axis))

    def einsum(self, node: Einsum) -> Any:
        return np.einsum(einsum_pattern(node), *(self.value(operand) for operand in node.operands))

    def compare(self, node: Compare) -> Any:
        return COMPARISONS[node.relation](self.value(node.left), self.value(node.right))

    def logic(self, node: Logic) -> Any:
        values = [self.value(operand) for operand in node.operands]
        if node.operation == "not":
            return np.logical_not(values[0])
        return reduce(np.logical_and if node.operation == "and" else np.logical_or, values)

    def indicator(self, node: Indicator) -> Any:
        return np.asarray(self.value(node.condition)).astype(np.int8)

    def cases(self, node: Cases) -> Any:
        result = self.value(node.cases[-1][0])
        for value, condition in reversed(node.cases[:-1]):
            result = np.where(self.value(condition), self.value(value), result)
        return result


@dataclass(frozen=True)
class _Remembering(_Machine):
    """A machine that keeps the value of each node."""

    found: dict[int, Array]

    def value(self, node: Node) -> Any:
        if id(node) not in self.found:
            self.found[id(node)] = np.broadcast_to(super().value(node), self.shape(node))
        return self.found[id(node)]


COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}

_RULES: dict[type[Node], Callable[[_Machine, Any], Any]] = {
    Scalar: _Machine.scalar,
    Leaf: _Machine.leaf,
    Position: _Machine.position,
    Gather: _Machine.gather,
    Permute: _Machine.permute,
    Expand: _Machine.expand,
    Add: _Machine.add,
    Multiply: _Machine.multiply,
    Power: _Machine.power,
    Apply: _Machine.apply,
    MatMul: _Machine.matmul,
    Outer: _Machine.outer,
    SumOver: _Machine.sum_over,
    MaxOver: _Machine.max_over,
    ArgMax: _Machine.argmax,
    Softmax: _Machine.softmax,
    LogSumExp: _Machine.logsumexp,
    Einsum: _Machine.einsum,
    Compare: _Machine.compare,
    Logic: _Machine.logic,
    Indicator: _Machine.indicator,
    Cases: _Machine.cases,
}
