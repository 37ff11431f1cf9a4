"""The lowering: an equation in index notation, once, to an array expression.

    equation --terms in reading order--> products of labelled arrays --contract--> matrix products, sums, broadcasts

An orientation says how examples lie: as rows (what is executed), as columns, or a single example as a column vector.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy
from sympy.core.relational import Relational

from symbackprop.adjoint.local import content
from symbackprop.errors import NoRuleError
from symbackprop.forms.arrays import (
    Add,
    Apply,
    ArgMax,
    Axes,
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
from symbackprop.notation.expressions import (
    REDUCTIONS,
    ArgMaximum,
    Bracket,
    Limit,
    Maximum,
    base_name,
    is_occurrence,
    limits,
)
from symbackprop.notation.indices import free_indices, is_index, is_position, is_size, substitute
from symbackprop.notation.program import Equation, Program, Variable
from symbackprop.notation.terms import Term

__all__ = ["Lowered", "Orientation", "lower"]


class Orientation(enum.Enum):
    """How the examples of a batch lie in a matrix."""

    ROWS = "rows"
    COLUMNS = "columns"
    VECTOR = "vector"


@dataclass(frozen=True)
class Lowered:
    """``left = right`` for whole arrays."""

    left: Leaf
    right: Node


def lower(equation: Equation, program: Program, orientation: Orientation = Orientation.ROWS) -> Lowered:
    """The array form of ``equation``, which stands in ``program``.

    Raises NoRuleError where the orientation asks for a batch and the program has none.
    """
    if orientation is not Orientation.ROWS and program.batch is None:
        raise NoRuleError(f"{program.name} names no batch size, so it has no orientation {orientation.value!r}")
    variables = program.variables | {equation.name: equation.left}
    machine = _Lowering(variables, program.batch, orientation, dict(equation.scope))
    left = machine.leaf(equation.name, equation.left.everywhere)
    terms = equation.terms or machine.terms(equation.right)
    nodes = [machine.term(term, left.axes) for term in terms]
    return Lowered(left, _arranged(_added(nodes, left.axes), left.axes))


class _Lowering:
    def __init__(
        self,
        variables: Mapping[str, Variable],
        batch: sympy.Expr | None,
        orientation: Orientation,
        ranges: dict[sympy.Symbol, sympy.Expr],
    ) -> None:
        self.variables = variables
        self.batch = batch
        self.orientation = orientation
        # The sizes of the indices in scope. Nested ones differ in name; a later sibling overwrites an earlier one.
        self.ranges = ranges

    # -- variables and axes -------------------------------------------------------------------------------------

    def has_batch(self, variable: Variable) -> bool:
        return self.batch is not None and bool(variable.shape) and variable.shape[0] == self.batch

    def leaf(self, name: str, node: sympy.Expr) -> Leaf:
        """A variable at distinct bare indices."""
        variable = self.variables[name]
        positions = node.indices if isinstance(node, sympy.Indexed) else ()
        axes: Axes = tuple(zip(positions, variable.shape, strict=True))
        if not self.has_batch(variable) or self.orientation is Orientation.ROWS:
            return Leaf(axes, name)
        if self.orientation is Orientation.VECTOR:
            return Leaf(axes[1:], name, single=True)
        return Leaf(tuple(reversed(axes)), name, flipped=len(axes) > 1)

    def dropped(self, over: Iterable[Limit]) -> tuple[Limit, ...]:
        """The sums that are left when there is a single example."""
        if self.orientation is not Orientation.VECTOR:
            return tuple(over)
        return tuple(limit for limit in over if limit[1] != self.batch)

    def scalar(self, value: sympy.Expr) -> Scalar:
        if self.orientation is Orientation.VECTOR and self.batch is not None:
            value = value.xreplace({self.batch: sympy.Integer(1)})
        return Scalar((), value)

    # -- expressions ---------------------------------------------------------------------------------------------

    def terms(self, expression: sympy.Expr) -> tuple[Term, ...]:
        """An expression as summands; sums and coefficients are taken out of each."""
        result = []
        for argument in _positive_first(sympy.Add.make_args(expression)):
            coefficient, factors = content(argument)
            if len(factors) == 1 and isinstance(factors[0], sympy.Sum):
                over = limits(factors[0])
                number, inside = content(factors[0].args[0])
                result.append(Term(coefficient * number, over, inside))
            else:
                result.append(Term(coefficient, (), factors))
        return tuple(result)

    def term(self, term: Term, axes: Axes) -> Node:
        """coefficient * sum of a product, with ``axes`` as far as it has them."""
        self.ranges.update(term.sums)
        factors = [self.expression(factor) for factor in self.softmaxes(term.factors)]
        over = self.dropped(term.sums)
        summed = frozenset(axis for factor in factors for axis in factor.axes)
        idle = [extent for i, extent in over if (i, extent) not in summed]
        product = _contracted(factors, tuple(axis for axis in over if axis in summed), axes)
        coefficient = self.scalar(sympy.Mul(term.coefficient, *idle))
        if coefficient.value == 1:
            return product
        inside = product.operands if isinstance(product, Multiply) else (product,)
        if product == Scalar((), sympy.Integer(1)):
            return coefficient
        return Multiply(product.axes, (coefficient, *inside))

    def softmaxes(self, factors: Sequence[sympy.Expr]) -> list[sympy.Expr | Node]:
        """Factors with each exp(z_j) / sum_k exp(z_k) recognised."""
        parts: list[sympy.Expr] = []
        for factor in factors:
            parts.extend(sympy.Mul.make_args(factor))
        result: list[sympy.Expr | Node] = []
        while parts:
            part = parts.pop(0)
            for other in parts:
                softmax = self.softmax(part, other) or self.softmax(other, part)
                if softmax is not None:
                    parts.remove(other)
                    result.append(softmax)
                    break
            else:
                result.append(part)
        return result

    def softmax(self, numerator: sympy.Expr, quotient: sympy.Expr) -> Node | None:
        if not (isinstance(numerator, sympy.exp) and isinstance(quotient, sympy.Pow) and quotient.exp == -1):
            return None
        reduction = quotient.base
        if not isinstance(reduction, sympy.Sum) or len(limits(reduction)) != 1:
            return None
        ((k, extent),) = limits(reduction)
        body = reduction.args[0]
        if not isinstance(body, sympy.exp):
            return None
        free = free_indices(quotient.base)
        if k not in free_indices(body):
            return None
        operand = self.expression(numerator.args[0])
        for j, other in operand.axes:
            if j not in free and other == extent and substitute(body.args[0], {k: j}) == numerator.args[0]:
                return Softmax(operand.axes, operand, (j, other))
        return None

    def expression(self, node: sympy.Expr | Node) -> Node:
        """Any expression, with its axes in the order that comes naturally."""
        if isinstance(node, Node):
            return node
        if is_occurrence(node):
            return self.occurrence(node)
        if all(is_size(symbol) for symbol in node.free_symbols) and not node.has(Bracket, *REDUCTIONS):
            return self.scalar(node)
        if is_index(node):
            return Position(((node, self.ranges[node]),))
        if isinstance(node, sympy.Add):
            terms = [self.term(term, ()) for term in self.terms(node)]
            return _added(terms, _union(terms))
        if isinstance(node, sympy.Mul | sympy.Sum):
            (term,) = self.terms(node)
            return self.term(term, ())
        if isinstance(node, sympy.Pow) and not isinstance(node, sympy.exp):
            base, exponent = self.expression(node.base), self.expression(node.exp)
            axes = _union((base, exponent))
            return Power(axes, _broadcast(base, axes), _broadcast(exponent, axes))
        if isinstance(node, Maximum):
            return self.largest(node)
        if isinstance(node, Bracket):
            condition = self.condition(node.condition)
            return Indicator(condition.axes, condition)
        if isinstance(node, sympy.Piecewise):
            return self.cases(node)
        if isinstance(node, sympy.log) and isinstance(node.args[0], sympy.Sum):
            found = self.logsumexp(node.args[0])
            if found is not None:
                return found
        if isinstance(node, sympy.Function):
            operand = self.expression(node.args[0])
            return Apply(operand.axes, node.func, operand)
        raise NoRuleError(f"{type(node).__name__} has no array form: {node}")

    def occurrence(self, node: sympy.Expr) -> Node:
        name = base_name(node)
        positions = node.indices if isinstance(node, sympy.Indexed) else ()
        variable = self.variables[name]
        whole = all(
            is_index(position) and self.ranges[position] == extent
            for position, extent in zip(positions, variable.shape, strict=True)
        )
        if whole and len(set(positions)) == len(positions):
            return self.leaf(name, node)
        if self.orientation is not Orientation.ROWS and self.has_batch(variable):
            raise NoRuleError(f"{node} picks single examples, which only the orientation 'rows' can show")
        places = [self.position(position) for position in positions]
        axes = _union(places)
        return Gather(axes, name, tuple(_broadcast(place, axes) for place in places))

    def position(self, node: sympy.Expr) -> Node:
        """An integer expression in indices and integer data."""
        if is_index(node):
            return Position(((node, self.ranges[node]),))
        if is_occurrence(node):
            return self.occurrence(node)
        if isinstance(node, sympy.Add):
            parts = [self.position(argument) for argument in node.args]
            axes = _union(parts)
            return Add(axes, tuple((1, _broadcast(part, axes)) for part in parts))
        if isinstance(node, sympy.Mul):
            parts = [self.position(argument) for argument in node.args]
            axes = _union(parts)
            return Multiply(axes, tuple(_broadcast(part, axes) for part in parts))
        if isinstance(node, ArgMaximum):
            return self.largest(node)
        return self.scalar(node)

    def largest(self, node: sympy.Expr) -> Node:
        over = frozenset(i for i, _ in limits(node))
        self.ranges.update(limits(node))
        operand = self.expression(node.args[0])
        axes = tuple(axis for axis in operand.axes if axis[0] not in over)
        return ArgMax(axes, operand) if isinstance(node, ArgMaximum) else MaxOver(axes, operand)

    def logsumexp(self, reduction: sympy.Sum) -> Node | None:
        over = limits(reduction)
        if len(over) != 1 or not isinstance(reduction.args[0], sympy.exp):
            return None
        self.ranges.update(over)
        operand = self.expression(reduction.args[0].args[0])
        if over[0] not in operand.axes:
            return None
        return LogSumExp(tuple(axis for axis in operand.axes if axis != over[0]), operand)

    def cases(self, node: sympy.Piecewise) -> Node:
        pairs = [(self.expression(value), self.condition(condition)) for value, condition in node.args]
        axes = _union([part for pair in pairs for part in pair])
        return Cases(axes, tuple((_broadcast(value, axes), _broadcast(test, axes)) for value, test in pairs))

    def condition(self, node: sympy.Basic) -> Node:
        if node in (sympy.true, sympy.false):
            return Scalar((), sympy.Integer(bool(node)))
        if isinstance(node, sympy.And | sympy.Or | sympy.Not):
            parts = [self.condition(argument) for argument in node.args]
            axes = _union(parts)
            return Logic(axes, type(node).__name__.lower(), tuple(_broadcast(part, axes) for part in parts))
        if isinstance(node, Relational):
            counts = any(is_position(side) for side in node.args)
            left, right = (self.position(s) if counts else self.expression(s) for s in node.args)
            axes = _union((left, right))
            return Compare(axes, node.rel_op, _broadcast(left, axes), _broadcast(right, axes))
        raise NoRuleError(f"{node} is no condition")


def _positive_first(arguments: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    return sorted(arguments, key=lambda argument: bool(argument.could_extract_minus_sign()))


# -- axes ------------------------------------------------------------------------------------------------------------


def _union(nodes: Iterable[Node]) -> Axes:
    found: dict[Limit, None] = {}
    for node in sorted(nodes, key=lambda node: -node.rank):
        found.update(dict.fromkeys(node.axes))
    return tuple(found)


def transpose(node: Node) -> Node:
    """The transpose of a matrix, taken inside where that makes it simpler."""
    axes = tuple(reversed(node.axes))
    if isinstance(node, Permute):
        return node.operand
    if isinstance(node, MatMul) and node.left.rank == node.right.rank == 2:
        return MatMul(axes, transpose(node.right), transpose(node.left))
    if isinstance(node, Outer):
        return Outer(axes, node.right, node.left)
    return Permute(axes, node)


def _arranged(node: Node, axes: Axes) -> Node:
    """``node`` with exactly ``axes``, in that order."""
    if node.axes == axes:
        return node
    if len(node.axes) < len(axes):
        own = tuple(axis for axis in axes if axis in node.axes)
        return Expand(axes, _arranged(node, own))
    if len(axes) == 2:
        return transpose(node)
    return Permute(axes, node)


def _broadcast(node: Node, axes: Axes) -> Node:
    """An operand of an elementwise node: with its axes, or a number."""
    return node if node.rank == 0 else _arranged(node, axes)


def _added(nodes: Sequence[Node], axes: Axes) -> Node:
    if not nodes:
        return Scalar((), sympy.Integer(0))
    if len(nodes) == 1:
        return nodes[0]
    if any(node.rank for node in nodes):
        axes = axes or _union(nodes)
    operands = []
    for node in nodes:
        sign, positive = _signed(node)
        operands.append((sign, _broadcast(positive, axes)))
    return Add(axes, tuple(operands))


def _signed(node: Node) -> tuple[int, Node]:
    if isinstance(node, Scalar) and node.value.could_extract_minus_sign():
        return -1, Scalar((), -node.value)
    if isinstance(node, Multiply) and isinstance(node.operands[0], Scalar):
        first = node.operands[0]
        if first.value.could_extract_minus_sign():
            rest = node.operands[1:]
            if first.value == -1:
                return -1, rest[0] if len(rest) == 1 else Multiply(node.axes, rest)
            return -1, Multiply(node.axes, (Scalar((), -first.value), *rest))
    return 1, node


# -- products and sums of products -----------------------------------------------------------------------------------


def _multiplied(nodes: Sequence[Node], axes: Axes) -> Node:
    """The elementwise product, with numbers in front."""
    numbers = [node for node in nodes if node.rank == 0]
    arrays = [node for node in nodes if node.rank]
    if len(arrays) == 2 and all(node.rank == 1 for node in arrays) and arrays[0].labels != arrays[1].labels:
        first, second = arrays if not axes or axes[0] in arrays[0].axes else reversed(arrays)
        arrays = [Outer(first.axes + second.axes, first, second)]
    if not numbers and len(arrays) == 1:
        return arrays[0]
    if not numbers and not arrays:
        return Scalar((), sympy.Integer(1))
    wanted = tuple(axis for axis in axes if any(axis in node.axes for node in arrays))
    union = wanted if len(wanted) == len(_union(arrays)) else _union(arrays)
    operands = (*numbers, *(_broadcast(node, union) for node in arrays))
    return operands[0] if len(operands) == 1 else Multiply(union, operands)


def _contracted(factors: Sequence[Node], over: tuple[Limit, ...], axes: Axes) -> Node:
    """The product of ``factors`` summed over ``over``, towards a result with ``axes``."""
    summed = frozenset(over)
    outside = [node for node in factors if not summed & frozenset(node.axes)]
    inside = _grouped([node for node in factors if summed & frozenset(node.axes)], axes)
    # Each contraction leaves fewer summed axes or fewer factors, so this ends.
    while summed & frozenset(axis for node in inside for axis in node.axes):
        inside = _grouped(_one_contraction(inside, over, axes), axes)
    return _multiplied([*outside, *inside], axes)


def _grouped(nodes: Sequence[Node], axes: Axes) -> list[Node]:
    """Factors with the same labels multiplied together: they are one matrix as far as sums go."""
    groups: dict[frozenset[sympy.Symbol], list[Node]] = {}
    for node in nodes:
        groups.setdefault(node.labels, []).append(node)
    return [members[0] if len(members) == 1 else _multiplied(members, axes) for members in groups.values()]


def _one_contraction(nodes: list[Node], over: tuple[Limit, ...], axes: Axes) -> list[Node]:
    present = [axis for axis in over if any(axis in node.axes for node in nodes)]
    alone = [node for node in nodes if _private(node, nodes, over)]
    if alone:
        node = alone[0]
        gone = _private(node, nodes, over)
        return [_summed(n, gone) if n is node else n for n in nodes]
    axis = present[0]
    members = [node for node in nodes if axis in node.axes]
    rest = [node for node in nodes if axis not in node.axes]
    if len(members) == 2:
        left, right = members
        if left.labels & right.labels == {axis[0]} and left.rank <= 2 and right.rank <= 2:
            return [_matmul(left, right, axis, axes), *rest]
    vectors = [node for node in members if node.rank == 1]
    if vectors and len(members) > 2:
        matrix = next(node for node in members if node.rank > 1)
        absorbed = _multiplied([matrix, vectors[0]], matrix.axes)
        return [absorbed, *(n for n in nodes if n is not matrix and n is not vectors[0])]
    return [_einsum(members, over, rest, axes), *rest]


def _private(node: Node, nodes: Sequence[Node], over: tuple[Limit, ...]) -> frozenset[Limit]:
    """The summed axes that no other factor has."""
    others = frozenset(axis for other in nodes if other is not node for axis in other.axes)
    return frozenset(axis for axis in node.axes if axis in over and axis not in others)


def _summed(node: Node, gone: frozenset[Limit]) -> Node:
    axes = tuple(axis for axis in node.axes if axis not in gone)
    if not axes and node.rank == 1 and isinstance(node, Multiply) and len(node.operands) == 2:
        left, right = node.operands
        if left.rank == right.rank == 1:
            return MatMul((), left, right)
    return SumOver(axes, node)


def _matmul(left: Node, right: Node, axis: Limit, axes: Axes) -> Node:
    left_rest = tuple(a for a in left.axes if a != axis)
    right_rest = tuple(a for a in right.axes if a != axis)
    if not left_rest or (right_rest and axes and axes[0] in right_rest):
        left, right, left_rest, right_rest = right, left, right_rest, left_rest
    return MatMul(left_rest + right_rest, _arranged(left, (*left_rest, axis)), _arranged(right, (axis, *right_rest)))


def _einsum(members: Sequence[Node], over: tuple[Limit, ...], rest: Sequence[Node], axes: Axes) -> Node:
    elsewhere = frozenset(axis for node in rest for axis in node.axes)
    union = _union(members)
    kept = tuple(axis for axis in union if axis not in over or axis in elsewhere)
    ordered = tuple(a for a in axes if a in kept) + tuple(a for a in kept if a not in axes)
    return Einsum(ordered, tuple(members))
