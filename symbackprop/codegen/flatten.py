"""From a program to a kernel: the equations that the outputs need, lowered, as flat statements.

What two equations both compute is computed once: a value is known by its operation and its operands. So softmax and
log-softmax share their exponentials, and the loss and the output's adjoint their residual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy

from symbackprop.codegen.elementwise import instructions, placeholder
from symbackprop.codegen.kernels import Block, Constant, Kernel, Kind, Operand, Statement, Value
from symbackprop.codegen.operations import OPERATIONS, VIEWS
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
from symbackprop.forms.lower import lower
from symbackprop.forms.recognise import einsum_pattern, log_softmax_of
from symbackprop.notation.expressions import Bracket
from symbackprop.notation.program import Program, Variable

__all__ = ["flatten"]

_ONE = sympy.Integer(1)


def flatten(program: Program, outputs: Sequence[str], direct: bool = False) -> Kernel:
    """The kernel that computes the variables called ``outputs``; its inputs are those that they depend on.

    ``direct`` is for numbers that raise an error on overflow, so that functions may be computed as they are defined.
    """
    return _Flattening(program, direct).kernel(tuple(outputs))


class _Flattening:
    def __init__(self, program: Program, direct: bool) -> None:
        self.program = program
        self.direct = direct
        self.operands: dict[str, Operand] = {}
        self.values: dict[tuple[Any, ...], Value] = {}
        self.names: dict[int, str] = {}
        self.turned: dict[int, tuple[Value, tuple[int, ...]]] = {}
        self.statements: list[Statement] = []
        self.count = 0
        self.quiet: frozenset[str] = frozenset()

    def kernel(self, outputs: tuple[str, ...]) -> Kernel:
        program = self.program
        equations = program.needed_for(outputs)
        used = program.used_by(outputs)
        inputs = [self.input(variable) for variable in program.inputs if variable.name in used]
        blocks = []
        for equation in equations:
            self.statements = []
            operand = self.node(lower(equation, program).right)
            self.operands[equation.name] = self.widened(operand, equation.left.shape)
            self.name(operand, equation.name)
            blocks.append(Block(str(equation), tuple(self.statements)))
        self.statements = []
        results = self.outputs(outputs, frozenset(value.number for _, value in inputs))
        if self.statements:
            blocks.append(Block("what is returned is the caller's own", tuple(self.statements)))
        kernel = Kernel(tuple(inputs), tuple(blocks), results, self.names, self.quiet, program.batch)
        # Where a size comes in as a number, an array that has it as an axis says which.
        told = {extent for variable, _ in inputs for extent in variable.shape}
        untold = set(kernel.sizes) - told
        telling = [self.input(v) for v in program.inputs if v.name not in used and untold & set(v.shape)]
        return replace(kernel, inputs=(*inputs, *telling), names=self.names)

    def input(self, variable: Variable) -> tuple[Variable, Value]:
        value = self.fresh(variable.shape, Kind.POSITION if variable.integer else Kind.REAL)
        self.operands[variable.name] = value
        self.names[value.number] = variable.name
        return variable, value

    def outputs(self, outputs: Sequence[str], inputs: frozenset[int]) -> tuple[tuple[str, Operand], ...]:
        """Each output as an array of its own: no input, no view, no second name of another output."""
        computed = {v.number for v in self.values.values()} - {
            v.number for key, v in self.values.items() if key[0] in VIEWS or key[0] in ("ones", "position")
        }
        taken: set[int] = set(inputs)
        results: list[tuple[str, Operand]] = []
        for name in outputs:
            operand, shape = self.operands[name], self.program.variables[name].shape
            own = isinstance(operand, Value) and operand.number in computed - taken and operand.kind is Kind.REAL
            if shape and not own:
                operand = self.emit("copy", (operand,), shape, Kind.REAL, (len(results),))
                self.names[operand.number] = name
            if isinstance(operand, Value):
                taken.add(operand.number)
            results.append((name, operand))
        return tuple(results)

    # -- values --------------------------------------------------------------------------------------------------

    def fresh(self, shape: tuple[sympy.Expr, ...], kind: Kind) -> Value:
        self.count += 1
        return Value(self.count - 1, shape, kind)

    def emit(
        self,
        operation: str,
        operands: tuple[Operand, ...],
        shape: tuple[sympy.Expr, ...],
        kind: Kind = Kind.REAL,
        detail: tuple[int | str | None, ...] = (),
    ) -> Value:
        # The order of two operands that may change places does not make another value.
        known = frozenset(operands) if operation in ("add", "multiply") else operands
        key = (operation, known, shape, detail)
        if key not in self.values:
            self.values[key] = self.fresh(shape, kind)
            self.statements.append(Statement(self.values[key], operation, operands, detail))
        return self.values[key]

    def name(self, operand: Operand, name: str) -> None:
        if isinstance(operand, Value):
            self.names.setdefault(operand.number, name)

    def widened(self, operand: Operand, shape: tuple[sympy.Expr, ...]) -> Operand:
        """The operand with all its axes: what repeats along an axis is seen as repeated."""
        if not shape or operand.shape == shape:
            return operand
        kind = operand.kind if isinstance(operand, Value) else Kind.REAL
        return self.emit("broadcast", (operand,), shape, kind)

    def real(self, operand: Operand) -> Operand:
        """The operand as real numbers, as products of matrices want them."""
        if isinstance(operand, Constant) or operand.kind is Kind.REAL:
            return operand
        return self.emit("as_real", (operand,), operand.shape)

    # -- nodes ---------------------------------------------------------------------------------------------------

    def node(self, node: Node) -> Operand:
        """The operand for ``node``. It may repeat along an axis, and then has extent 1 there or lacks it in front."""
        if type(node) in _ELEMENTWISE:
            return self.elementwise(node)
        rule = _RULES.get(type(node))
        if rule is None:
            raise NoRuleError(f"{type(node).__name__} has no place in a kernel")
        return rule(self, node)

    def whole(self, node: Node) -> Value:
        """The real array for ``node``, with every axis at its full extent."""
        shape = _shape(node.axes)
        operand = self.widened(self.real(self.node(node)), shape)
        if isinstance(operand, Constant):
            raise NoRuleError("a number stands where an array is summed")
        return operand

    def scalar(self, node: Scalar) -> Operand:
        """A number. Functions in it, as in tanh(N) or sigmoid(0), are computed like any others."""
        if not node.value.has(sympy.Function, Bracket):
            return Constant(node.value)
        sizes = sorted(node.value.free_symbols, key=str)
        places = {size: placeholder(number) for number, size in enumerate(sizes)}
        return self.computed(node.value.xreplace(places), {place: Constant(size) for size, place in places.items()})

    def leaf(self, node: Leaf) -> Operand:
        return self.operands[node.name]

    def position(self, node: Position) -> Operand:
        return self.emit("position", (), _shape(node.axes), Kind.POSITION)

    def permute(self, node: Permute) -> Operand:
        places = tuple(node.operand.axes.index(axis) for axis in node.axes)
        return self.transposed(self.widened(self.node(node.operand), _shape(node.operand.axes)), places)

    def transposed(self, operand: Operand, places: tuple[int, ...]) -> Operand:
        if isinstance(operand, Constant) or places == tuple(range(len(places))):
            return operand
        base, before = self.turned.get(operand.number, (None, ()))
        if base is not None and tuple(before[place] for place in places) == tuple(range(len(places))):
            return base
        shape = tuple(operand.shape[place] for place in places)
        view = self.emit("transpose", (operand,), shape, operand.kind, places)
        self.turned[view.number] = (operand, places)
        return view

    def expand(self, node: Expand) -> Operand:
        operand, own = self.node(node.operand), node.operand.axes
        if isinstance(operand, Constant) or not operand.shape or own == node.axes[len(node.axes) - len(own) :]:
            return operand
        operand = self.widened(operand, _shape(own))
        slots = tuple(own.index(axis) if axis in own else None for axis in node.axes)
        shape = tuple(_ONE if slot is None else operand.shape[slot] for slot in slots)
        return self.emit("expand", (operand,), shape, _kind(operand), slots)

    def matmul(self, node: MatMul) -> Operand:
        left, right = self.whole(node.left), self.whole(node.right)
        if not node.axes:
            return self.inner(left, right)
        return self.emit("dot", (left, right), _shape(node.axes))

    def inner(self, left: Value, right: Value) -> Value:
        flat = [v if v.rank == 1 else self.emit("flat", (v,), (sympy.Mul(*v.shape),), v.kind) for v in (left, right)]
        return self.emit("inner", (flat[0], flat[1]), ())

    def outer(self, node: Outer) -> Operand:
        axes = node.axes
        return self.elementwise(Multiply(axes, (Expand(axes, node.left), Expand(axes, node.right))))

    def sum_over(self, node: SumOver) -> Operand:
        gone = tuple(place for place, axis in enumerate(node.operand.axes) if axis not in node.axes)
        product = self.sum_of_product(node) if not node.axes else None
        if product is not None:
            return product
        return self.summed(self.whole(node.operand), gone)

    def summed(self, array: Value, gone: tuple[int, ...]) -> Value:
        shape = tuple(extent for place, extent in enumerate(array.shape) if place not in gone)
        if array.rank == 2 and len(gone) == 1:
            # One pass of the BLAS over the matrix, which is faster than a sum along an axis.
            ones = self.emit("ones", (), (array.shape[gone[0]],))
            return self.emit("dot", (ones, array) if gone == (0,) else (array, ones), shape)
        return self.emit("sum", (array,), shape, Kind.REAL, gone)

    def sum_of_product(self, node: SumOver) -> Operand | None:
        """The sum of all products of two arrays as one inner product; None where it is none."""
        inside = node.operand
        numbers: tuple[Node, ...] = ()
        if isinstance(inside, Multiply) and any(isinstance(operand, Indicator) for operand in inside.operands):
            # A false bracket annihilates what may be infinite: an elementwise matter.
            return None
        if isinstance(inside, Multiply):
            numbers = tuple(operand for operand in inside.operands if operand.rank == 0)
            arrays = tuple(operand for operand in inside.operands if operand.rank)
            if len(arrays) == 1:
                inside = arrays[0]
            elif len(arrays) > 1:
                rest = arrays[0] if len(arrays) == 2 else Multiply(inside.axes, arrays[:-1])
                return self.scaled(numbers, self.inner(self.whole(rest), self.whole(arrays[-1])))
        if isinstance(inside, Power) and inside.exponent == Scalar((), sympy.Integer(2)) and inside.base.rank:
            base = self.whole(inside.base)
            return self.scaled(numbers, self.inner(base, base))
        return None

    def scaled(self, numbers: Sequence[Node], value: Operand) -> Operand:
        for number in numbers:
            value = self.apply("multiply", (value, self.node(number)))
        return value

    def max_over(self, node: MaxOver) -> Operand:
        gone = tuple(place for place, axis in enumerate(node.operand.axes) if axis not in node.axes)
        if not gone:
            # The largest of copies of a number is that number.
            return self.node(node.operand)
        return self.emit("largest", (self.whole(node.operand),), _shape(node.axes), Kind.REAL, gone)

    def argmax(self, node: ArgMax) -> Operand:
        (gone,) = (place for place, axis in enumerate(node.operand.axes) if axis not in node.axes)
        return self.emit("argmax", (self.whole(node.operand),), _shape(node.axes), Kind.POSITION, (gone,))

    def shifted(self, operand: Node, axis: int) -> tuple[Value, Value, Value]:
        """z - max z, the exponentials of that, and their sum along ``axis``: what softmax and log-softmax share."""
        array = self.whole(operand)
        rest = tuple(extent for place, extent in enumerate(array.shape) if place != axis)
        top = self.emit("largest", (array,), rest, Kind.REAL, (axis,))
        below = self.apply("subtract", (array, self.along(top, axis)))
        raised = self.apply("exp", (below,))
        assert isinstance(below, Value)
        assert isinstance(raised, Value)
        return below, raised, self.summed(raised, (axis,))

    def along(self, array: Value, axis: int) -> Operand:
        """An array without ``axis`` as one that repeats along it."""
        if axis == 0:
            return array
        slots = (*range(axis), None, *range(axis, array.rank))
        shape = tuple(_ONE if slot is None else array.shape[slot] for slot in slots)
        return self.emit("expand", (array,), shape, array.kind, slots)

    def softmax(self, node: Softmax) -> Operand:
        axis = node.operand.axes.index(node.over)
        _, raised, total = self.shifted(node.operand, axis)
        return self.apply("divide", (raised, self.along(total, axis)))

    def logsumexp(self, node: LogSumExp) -> Operand:
        (axis,) = (place for place, a in enumerate(node.operand.axes) if a not in node.axes)
        array = self.whole(node.operand)
        _, _, total = self.shifted(node.operand, axis)
        top = self.emit("largest", (array,), total.shape, Kind.REAL, (axis,))
        return self.apply("add", (top, self.apply("log", (total,))))

    def log_softmax(self, operand: Node, axis: int) -> Operand:
        """(z - max z) - log sum exp (z - max z)."""
        below, _, total = self.shifted(operand, axis)
        log = self.apply("log", (total,))
        assert isinstance(log, Value)
        return self.apply("subtract", (below, self.along(log, axis)))

    def einsum(self, node: Einsum) -> Operand:
        operands = tuple(self.whole(operand) for operand in node.operands)
        if len(operands) == 2:
            product = self.stacked_product(node, operands) or self.merged_product(node, operands)
            if product is not None:
                return product
        return self.emit("einsum", operands, _shape(node.axes), Kind.REAL, (einsum_pattern(node),))

    def stacked_product(self, node: Einsum, operands: Sequence[Value]) -> Operand | None:
        """A product of stacks of matrices, on views; None where the sum is none."""
        left, right = (operand.axes for operand in node.operands)
        stack = tuple(axis for axis in node.axes if axis in left and axis in right)
        summed = tuple(axis for axis in left if axis in right and axis not in node.axes)
        rows = tuple(axis for axis in left if axis not in right)
        columns = tuple(axis for axis in right if axis not in left)
        if len(summed) != 1 or len(rows) != 1 or len(columns) != 1:
            return None
        first, second = operands
        if node.axes[-2:] == columns + rows:
            first, second, left, right, rows, columns = second, first, right, left, columns, rows
        views = [
            self.transposed(value, tuple(axes.index(axis) for axis in wanted))
            for value, axes, wanted in (
                (first, left, stack + rows + summed),
                (second, right, stack + summed + columns),
            )
        ]
        made = stack + rows + columns
        product = self.emit("matmul", tuple(views), _shape(made))
        return self.transposed(product, tuple(made.index(axis) for axis in node.axes))

    def merged_product(self, node: Einsum, operands: Sequence[Value]) -> Operand | None:
        """A sum over several axes, or with several axes left over, as one matrix product; None where it is none.

        Axes that stand side by side count as one, as in W[d,i] x[b,t,i], where the rows are all b and t.
        """
        left, right = (operand.axes for operand in node.operands)
        summed = tuple(axis for axis in left if axis in right)
        rows = tuple(axis for axis in left if axis not in right)
        columns = tuple(axis for axis in right if axis not in left)
        if not (summed and rows and columns) or set(summed) & set(node.axes):
            return None
        matrices = []
        for value, axes, kept in ((operands[0], left, rows), (operands[1], right, columns)):
            if axes not in (kept + summed, summed + kept):
                return None
            extents = [sympy.Mul(*_shape(group)) for group in (kept, summed)]
            swapped = axes == summed + kept
            matrix = self.reshaped(value, tuple(reversed(extents)) if swapped else tuple(extents))
            matrices.append(self.transposed(matrix, (1, 0)) if swapped else matrix)
        if node.axes == columns + rows:
            rows, columns = columns, rows
            matrices.reverse()
        product = (matrices[0], self.transposed(matrices[1], (1, 0)))
        made = rows + columns
        shape = tuple(sympy.Mul(*_shape(group)) for group in (rows, columns))
        result = self.reshaped(self.emit("dot", product, shape), _shape(made))
        return self.transposed(result, tuple(made.index(axis) for axis in node.axes))

    def reshaped(self, value: Value, shape: tuple[sympy.Expr, ...]) -> Value:
        return value if value.shape == shape else self.emit("reshape", (value,), shape, value.kind)

    def gather(self, node: Gather) -> Operand:
        array = self.operands[node.name]
        places = tuple(self.node(place) for place in node.positions)
        exact = tuple(
            int(isinstance(place, Position) and _shape(place.axes) == (extent,))
            for place, extent in zip(node.positions, array.shape, strict=True)
        )
        kind = _kind(array)
        return self.emit("gather", (array, *places), _shape(node.axes), kind, exact)

    # -- elementwise expressions ---------------------------------------------------------------------------------

    def elementwise(self, node: Node) -> Operand:
        special = log_softmax_of(node)
        if special is not None:
            return self.log_softmax(*special)
        atoms: dict[Operand, sympy.Symbol] = {}
        expression = self.scalar_expression(node, atoms)
        return self.computed(expression, {symbol: operand for operand, symbol in atoms.items()})

    def computed(self, expression: sympy.Expr, atoms: Mapping[sympy.Symbol, Operand]) -> Operand:
        """The value of an expression in placeholders, which ``atoms`` says the operands of."""
        code = instructions(expression, self.direct)
        self.quiet |= code.quiet
        operands: dict[Any, Operand] = dict(atoms)

        def found(reference: Any) -> Operand:
            return reference if isinstance(reference, Constant) else operands[reference]

        for number, step in enumerate(code.steps):
            operands[number] = self.apply(step.operation, tuple(map(found, step.operands)))
        return found(code.result)

    def scalar_expression(self, node: Node, atoms: dict[Operand, sympy.Symbol]) -> sympy.Expr:
        """``node`` as an expression in placeholders for all that is not elementwise in it."""

        def inside(operand: Node) -> sympy.Expr:
            return self.scalar_expression(operand, atoms)

        rule = _ELEMENTWISE.get(type(node))
        if rule is not None:
            return rule(node, inside)
        return atoms.setdefault(self.node(node), placeholder(len(atoms)))

    def apply(self, operation: str, operands: tuple[Operand, ...]) -> Operand:
        """The value of an elementwise operation on operands that broadcast."""
        row = OPERATIONS.get(operation)
        if all(isinstance(operand, Constant) for operand in operands):
            folded = _FOLDS.get(operation)
            if folded is not None:
                return Constant(folded(*(operand.value for operand in operands)))  # type: ignore[union-attr]
        shape = _broadcast([operand.shape for operand in operands])
        if operation == "greater":
            # z > 0 where max(z, 0) > 0, so that z itself need not be kept.
            operands = (self.values.get(("maximum", operands, shape, ()), operands[0]), operands[1])
        if row is None:  # where
            kind = Kind.REAL
            operands = (operands[0], *(self.real(operand) for operand in operands[1:]))
        elif row.truth:
            kind = Kind.TRUTH
        else:
            operands, kind = self.arithmetic(operation, operands)
        return self.emit(operation, operands, shape, kind)

    def arithmetic(self, operation: str, operands: tuple[Operand, ...]) -> tuple[tuple[Operand, ...], Kind]:
        kinds = [operand.kind for operand in operands if isinstance(operand, Value)]
        whole = operation in ("add", "subtract", "multiply", "negative")
        constants = [operand.value for operand in operands if isinstance(operand, Constant)]
        if whole and kinds and set(kinds) == {Kind.POSITION} and all(value.is_integer for value in constants):
            return operands, Kind.POSITION
        # A product takes a truth value as 0 or 1 as it is, if it has a real factor; nothing else does.
        if operation == "multiply" and len(operands) == 2 and (Kind.REAL in kinds or constants):
            return operands, Kind.REAL
        return tuple(self.real(operand) for operand in operands), Kind.REAL


def _shape(axes: Axes) -> tuple[sympy.Expr, ...]:
    return tuple(extent for _, extent in axes)


def _kind(operand: Operand) -> Kind:
    return operand.kind if isinstance(operand, Value) else Kind.REAL


def _broadcast(shapes: Sequence[tuple[sympy.Expr, ...]]) -> tuple[sympy.Expr, ...]:
    rank = max(map(len, shapes))
    padded = [(_ONE,) * (rank - len(shape)) + shape for shape in shapes]
    return tuple(next((extent for extent in extents if extent != 1), _ONE) for extents in zip(*padded, strict=True))


_FOLDS: dict[str, Callable[..., sympy.Expr]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negative": lambda a: -a,
    "sqrt": sympy.sqrt,
}

Inside = Callable[[Node], sympy.Expr]


def _exponent(node: Power, inside: Inside) -> sympy.Expr:
    return node.exponent.value if isinstance(node.exponent, Scalar) else inside(node.exponent)


_LOGIC = {"and": sympy.And, "or": sympy.Or, "not": sympy.Not}

_ELEMENTWISE: dict[type[Node], Callable[[Any, Inside], sympy.Expr]] = {
    Add: lambda node, inside: sympy.Add(*(sign * inside(operand) for sign, operand in node.operands)),
    Multiply: lambda node, inside: sympy.Mul(*map(inside, node.operands)),
    Power: lambda node, inside: sympy.Pow(inside(node.base), _exponent(node, inside)),
    Apply: lambda node, inside: node.function(inside(node.operand)),
    Compare: lambda node, inside: sympy.Rel(inside(node.left), inside(node.right), node.relation),
    Logic: lambda node, inside: _LOGIC[node.operation](*map(inside, node.operands)),
    Indicator: lambda node, inside: Bracket(inside(node.condition)),
    Cases: lambda node, inside: sympy.Piecewise(
        *((inside(value), inside(condition)) for value, condition in node.cases[:-1]),
        (inside(node.cases[-1][0]), True),
    ),
}
"""How each elementwise node is an expression in its operands."""

_RULES: dict[type[Node], Callable[[_Flattening, Any], Operand]] = {
    Scalar: _Flattening.scalar,
    Leaf: _Flattening.leaf,
    Position: _Flattening.position,
    Permute: _Flattening.permute,
    Expand: _Flattening.expand,
    MatMul: _Flattening.matmul,
    Outer: _Flattening.outer,
    SumOver: _Flattening.sum_over,
    MaxOver: _Flattening.max_over,
    ArgMax: _Flattening.argmax,
    Softmax: _Flattening.softmax,
    LogSumExp: _Flattening.logsumexp,
    Einsum: _Flattening.einsum,
    Gather: _Flattening.gather,
}
