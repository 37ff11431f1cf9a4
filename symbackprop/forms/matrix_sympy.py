"""Array expressions as SymPy matrix expressions, for those who go on computing with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.matexpr import MatrixElement

from symbackprop.errors import NoRuleError
from symbackprop.forms.arrays import (
    Add,
    Apply,
    Compare,
    Expand,
    Indicator,
    Leaf,
    Logic,
    LogSumExp,
    MatMul,
    Multiply,
    Node,
    Outer,
    Permute,
    Power,
    Scalar,
    Softmax,
    SumOver,
)
from symbackprop.notation.expressions import Bracket, occurrence

__all__ = ["matrix_expression"]

_U = sympy.Symbol("u", real=True)


def matrix_expression(node: Node) -> sympy.Expr:
    """``node`` as a SymPy expression: matrices are ``MatrixSymbol``s, vectors columns, numbers plain symbols.

    Raises NoRuleError for what SymPy's matrices cannot say (three axes, computed positions, maxima).
    """
    rule = _RULES.get(type(node))
    if rule is None or node.rank > 2:
        raise NoRuleError(f"{type(node).__name__} with {node.rank} axes is no SymPy matrix expression")
    return rule(node)


def _shape(node: Node) -> tuple[sympy.Expr, sympy.Expr]:
    sizes = [size for _, size in node.axes]
    return (sizes[0], sizes[1]) if len(sizes) == 2 else (sizes[0], sympy.Integer(1))


def _ones(node: Node) -> sympy.Expr:
    return sympy.OneMatrix(*_shape(node))


def _column(size: sympy.Expr) -> sympy.Expr:
    return sympy.OneMatrix(size, 1)


def _entry(matrix: sympy.Expr) -> sympy.Expr:
    """The number in a 1 x 1 matrix. Indexing would write the product out as sums."""
    return MatrixElement(matrix, 0, 0)


def _leaf(node: Leaf) -> sympy.Expr:
    return sympy.MatrixSymbol(node.name, *_shape(node)) if node.rank else occurrence(node.name)


def _expand(node: Expand) -> sympy.Expr:
    operand = matrix_expression(node.operand)
    if node.operand.rank == 0:
        return operand * _ones(node)
    if node.axes[0] == node.operand.axes[0]:
        return operand * _column(node.axes[1][1]).T
    return _column(node.axes[0][1]) * operand.T


def _as_matrix(operand: Node, node: Node) -> sympy.Expr:
    """An operand of an elementwise node, a number spread over its shape."""
    value = matrix_expression(operand)
    return value * _ones(node) if node.rank and not operand.rank else value


def _add(node: Add) -> sympy.Expr:
    parts = [sign * _as_matrix(operand, node) for sign, operand in node.operands]
    return sympy.MatAdd(*parts) if node.rank else sympy.Add(*parts)


def _multiply(node: Multiply) -> sympy.Expr:
    numbers = sympy.Mul(*(matrix_expression(o) for o in node.operands if not o.rank))
    arrays = [matrix_expression(o) for o in node.operands if o.rank]
    if not arrays:
        return numbers
    return numbers * (arrays[0] if len(arrays) == 1 else sympy.HadamardProduct(*arrays))


def _power(node: Power) -> sympy.Expr:
    base, exponent = matrix_expression(node.base), matrix_expression(node.exponent)
    if node.exponent.rank or (node.rank and not node.base.rank):
        raise NoRuleError("an elementwise power with an array as exponent is no SymPy matrix expression")
    return sympy.HadamardPower(base, exponent) if node.rank else base**exponent


def _elementwise(function: Any, operand: Node) -> sympy.Expr:
    value = matrix_expression(operand)
    if not operand.rank:
        return function(value)
    return ElementwiseApplyFunction(sympy.Lambda(_U, function(_U)), value)


def _matmul(node: MatMul) -> sympy.Expr:
    left, right = matrix_expression(node.left), matrix_expression(node.right)
    product = (left.T if node.left.rank == 1 else left) * right
    return product if node.rank else _entry(product)


def _sum_over(node: SumOver) -> sympy.Expr:
    operand = matrix_expression(node.operand)
    sizes = [size for axis, size in node.operand.axes]
    gone = [axis not in node.axes for axis in node.operand.axes]
    if len(sizes) == 1:
        return _entry(_column(sizes[0]).T * operand)
    if all(gone):
        return _entry(_column(sizes[0]).T * operand * _column(sizes[1]))
    return operand * _column(sizes[1]) if gone[1] else operand.T * _column(sizes[0])


def _softmax(node: Softmax) -> sympy.Expr:
    raised = _elementwise(sympy.exp, node.operand)
    sizes = _shape(node)
    if node.rank == 1:
        total = _column(sizes[0]) * (_column(sizes[0]).T * raised)
    elif node.over == node.operand.axes[1]:
        total = raised * _column(sizes[1]) * _column(sizes[1]).T
    else:
        total = _column(sizes[0]) * (_column(sizes[0]).T * raised)
    return sympy.HadamardProduct(raised, sympy.HadamardPower(total, -1))


def _logsumexp(node: LogSumExp) -> sympy.Expr:
    raised = _elementwise(sympy.exp, node.operand)
    sizes = [size for _, size in node.operand.axes]
    if len(sizes) == 1:
        return sympy.log(_entry(_column(sizes[0]).T * raised))
    along_rows = node.operand.axes[1] not in node.axes
    total = raised * _column(sizes[1]) if along_rows else raised.T * _column(sizes[0])
    return ElementwiseApplyFunction(sympy.Lambda(_U, sympy.log(_U)), total)


def _indicator(node: Indicator) -> sympy.Expr:
    operand, condition = _condition(node.condition)
    value = matrix_expression(operand)
    if not operand.rank:
        return Bracket(condition.xreplace({_U: value}))
    return ElementwiseApplyFunction(sympy.Lambda(_U, Bracket(condition)), value)


def _condition(node: Node) -> tuple[Node, sympy.Basic]:
    """The one array that a condition is about, and the condition for a single entry."""
    if isinstance(node, Compare) and node.right.rank == 0:
        return node.left, Relational(_U, matrix_expression(node.right), node.relation)
    if isinstance(node, Logic):
        parts = [_condition(operand) for operand in node.operands]
        if all(operand == parts[0][0] for operand, _ in parts):
            combine = {"and": sympy.And, "or": sympy.Or, "not": sympy.Not}[node.operation]
            return parts[0][0], combine(*(condition for _, condition in parts))
    raise NoRuleError("a condition on several arrays is no SymPy matrix expression")


_RULES: dict[type[Node], Callable[[Any], sympy.Expr]] = {
    Scalar: lambda node: node.value,
    Leaf: _leaf,
    Permute: lambda node: matrix_expression(node.operand).T if node.rank == 2 else matrix_expression(node.operand),
    Expand: _expand,
    Add: _add,
    Multiply: _multiply,
    Power: _power,
    Apply: lambda node: _elementwise(node.function, node.operand),
    MatMul: _matmul,
    Outer: lambda node: matrix_expression(node.left) * matrix_expression(node.right).T,
    SumOver: _sum_over,
    Softmax: _softmax,
    LogSumExp: _logsumexp,
    Indicator: _indicator,
}
