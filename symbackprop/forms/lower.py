"""The lowering: an equation in index notation, once, to an array expression.

    equation --terms in reading order--> products of labelled arrays --contract--> matrix products, sums, broadcasts

An orientation says how examples lie: as rows (what is executed), as columns, or a single example as a column vector.
"""

from __future__ import annotations

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
    Gather,
    Indicator,
    Leaf,
    Logic,
    LogSumExp,
    MaxOver,
    Multiply,
    Node,
    Position,
    Power,
    Scalar,
    Softmax,
)
from symbackprop.forms.contract import added, arranged, broadcast, contracted, union
from symbackprop.forms.notation import Orientation
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

__all__ = ["Lowered", "lower"]


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
    return Lowered(left, arranged(added(nodes, left.axes), left.axes))


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
        term = term.without_idle_sums()
        self.ranges.update(term.sums)
        factors = [self.expression(factor) for factor in self.softmaxes(term.factors)]
        product = contracted(factors, self.dropped(term.sums), axes)
        coefficient = self.scalar(term.coefficient)
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
        # An index that the denominator fixes, as in exp(s[n,n]) / sum_k exp(s[n,k]), is not the one summed over.
        free = free_indices(quotient.base)
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
            return added(terms, union(terms))
        if isinstance(node, sympy.Mul | sympy.Sum):
            (term,) = self.terms(node)
            return self.term(term, ())
        if isinstance(node, sympy.Pow) and not isinstance(node, sympy.exp):
            base, exponent = self.expression(node.base), self.expression(node.exp)
            axes = union((base, exponent))
            return Power(axes, broadcast(base, axes), broadcast(exponent, axes))
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
        axes = union(places)
        return Gather(axes, name, tuple(broadcast(place, axes) for place in places))

    def position(self, node: sympy.Expr) -> Node:
        """An integer expression in indices and integer data."""
        if is_index(node):
            return Position(((node, self.ranges[node]),))
        if is_occurrence(node):
            return self.occurrence(node)
        if isinstance(node, sympy.Add):
            parts = [self.position(argument) for argument in node.args]
            axes = union(parts)
            return Add(axes, tuple((1, broadcast(part, axes)) for part in parts))
        if isinstance(node, sympy.Mul):
            parts = [self.position(argument) for argument in node.args]
            axes = union(parts)
            return Multiply(axes, tuple(broadcast(part, axes) for part in parts))
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
        axes = union([part for pair in pairs for part in pair])
        return Cases(axes, tuple((broadcast(value, axes), broadcast(test, axes)) for value, test in pairs))

    def condition(self, node: sympy.Basic) -> Node:
        if node in (sympy.true, sympy.false):
            return Scalar((), sympy.Integer(bool(node)))
        if isinstance(node, sympy.And | sympy.Or | sympy.Not):
            parts = [self.condition(argument) for argument in node.args]
            axes = union(parts)
            return Logic(axes, type(node).__name__.lower(), tuple(broadcast(part, axes) for part in parts))
        if isinstance(node, Relational):
            counts = any(is_position(side) for side in node.args)
            left, right = (self.position(s) if counts else self.expression(s) for s in node.args)
            axes = union((left, right))
            return Compare(axes, node.rel_op, broadcast(left, axes), broadcast(right, axes))
        raise NoRuleError(f"{node} is no condition")


def _positive_first(arguments: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    return sorted(arguments, key=lambda argument: bool(argument.could_extract_minus_sign()))
