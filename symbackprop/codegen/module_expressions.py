"""Array expressions as readable NumPy source: ``x @ W1.T + b1``, in the reading order of the formula."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sympy

from symbackprop.codegen.numpy_source import SizePrinter
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
from symbackprop.forms.recognise import einsum_pattern, log_softmax_of, within_range
from symbackprop.functions.primitives import PRIMITIVES
from symbackprop.notation.expressions import ElementwiseFunction
from symbackprop.notation.program import Program

__all__ = ["ModuleExpressions"]


class Binding(enum.IntEnum):
    """How tightly Python binds an expression's outermost operation."""

    SUM = 1
    PRODUCT = 2
    SIGN = 3
    POWER = 4
    ATOM = 5


@dataclass(frozen=True)
class Code:
    """Source text, and how tightly it holds together."""

    text: str
    binding: Binding = Binding.ATOM

    def within(self, binding: Binding) -> str:
        """The text as an operand of an operation that binds like ``binding``."""
        return self.text if self.binding >= binding else f"({self.text})"


class ModuleExpressions:
    """Prints the array expressions of ``program``.

    ``names`` are the identifiers of variables, ``sizes`` those of symbolic sizes. ``functions`` collects the
    elementwise functions that were called, ``helpers`` the names of other helpers; ``needs_dtype`` says whether
    ``dtype`` was mentioned.
    """

    def __init__(self, program: Program, names: Mapping[str, str], sizes: Mapping[sympy.Symbol, str]) -> None:
        self.shapes = {name: variable.shape for name, variable in program.variables.items()}
        self.integer = {name: variable.integer for name, variable in program.variables.items()}
        self.names = names
        self.sizes = SizePrinter(dict(sizes))
        self.functions: dict[type[ElementwiseFunction], None] = {}
        self.helpers: set[str] = set()
        self.needs_dtype = False
        # Inside positions, integers stay integers.
        self.whole_numbers = False

    def reset(self) -> None:
        """Forget which sizes and whether the floating type were mentioned: a new function begins."""
        self.sizes.met.clear()
        self.needs_dtype = False

    def text(self, node: Node) -> str:
        """The source of ``node``."""
        return self.code(node).text

    def shape(self, axes: Axes) -> str:
        """The shape of an array with ``axes``."""
        inside = ", ".join(str(self.sizes.doprint(extent)) for _, extent in axes)
        return f"({inside},)" if len(axes) == 1 else f"({inside})"

    def code(self, node: Node) -> Code:
        """The source of ``node``, and how it binds."""
        rule = _RULES.get(type(node))
        if rule is None:
            raise NoRuleError(f"{type(node).__name__} has no place in a module")
        return rule(self, node)

    def whole(self, node: Node) -> str:
        """The source of ``node`` with every axis at its full extent."""
        return self.widened(node, node.axes)

    def widened(self, node: Node, axes: Axes) -> str:
        """The source of ``node`` as an array with ``axes``, each at its full extent."""
        value = node.operand if isinstance(node, Expand) else node
        if axes and isinstance(value, Scalar):
            self.needs_dtype = True
            return f"np.full({self.shape(axes)}, {self.text(value)}, dtype)"
        text = self.real(node).text
        return f"np.broadcast_to({text}, {self.shape(axes)})" if node.axes != axes or repeats(node) else text

    def within(self, node: Node, binding: Binding) -> str:
        """``node`` as an operand."""
        return self.code(node).within(binding)

    # -- leaves --------------------------------------------------------------------------------------------------

    def _leaf(self, node: Leaf) -> Code:
        return Code(self.names[node.name])

    def _scalar(self, node: Scalar) -> Code:
        text = str(self.sizes.doprint(node.value))
        if "np." in text:
            # NumPy's numbers would make float64 of float32 arrays; Python's do not.
            return Code(f"float({text})")
        if node.value.is_Symbol or (node.value.is_number and node.value.is_nonnegative and "/" not in text):
            return Code(text)
        return Code(text, Binding.SUM)

    def _position(self, node: Position) -> Code:
        return Code(f"np.arange({self.sizes.doprint(node.axes[0][1])})")

    def _gather(self, node: Gather) -> Code:
        array, surely = self.names[node.name], within_range(node, self.shapes[node.name])
        before, self.whole_numbers = self.whole_numbers, True
        places = [
            # Out of range, the nearest entry will do: an indicator beside it annihilates the term.
            self.text(place) if exact else f"np.clip({self.text(place)}, 0, {array}.shape[{axis}] - 1)"
            for axis, (place, exact) in enumerate(zip(node.positions, surely, strict=True))
        ]
        self.whole_numbers = before
        return Code(f"{array}[{', '.join(places)}]")

    # -- axes ----------------------------------------------------------------------------------------------------

    def _permute(self, node: Permute) -> Code:
        places = tuple(node.operand.axes.index(axis) for axis in node.axes)
        operand = self.within(node.operand, Binding.ATOM)
        if repeats(node.operand):
            operand = self.whole(node.operand)
        return Code(f"{operand}.T" if places == (1, 0) else f"{operand}.transpose({places})")

    def _expand(self, node: Expand) -> Code:
        own = node.operand.axes
        if not own or own == node.axes[len(node.axes) - len(own) :]:
            return self.code(node.operand)
        slots = ", ".join(":" if axis in own else "None" for axis in node.axes)
        operand = self.whole(node.operand) if repeats(node.operand) else self.within(node.operand, Binding.ATOM)
        return Code(f"{operand}[{slots}]")

    def _matmul(self, node: MatMul) -> Code:
        left, right = (
            self.whole(side) if repeats(side) else self.real(side).within(binding)
            for side, binding in ((node.left, Binding.PRODUCT), (node.right, Binding.SIGN))
        )
        return Code(f"{left} @ {right}", Binding.PRODUCT)

    def _outer(self, node: Outer) -> Code:
        return Code(f"np.outer({self.whole(node.left)}, {self.whole(node.right)})")

    def _reduced(self, function: str, node: Node, operand: Node) -> Code:
        gone = tuple(place for place, axis in enumerate(operand.axes) if axis not in node.axes)
        axis = f", axis={gone[0] if len(gone) == 1 else gone}" if node.axes else ""
        return Code(f"{function}({self.whole(operand)}{axis})")

    def _softmax(self, node: Softmax) -> Code:
        self.helpers.add("softmax")
        return Code(f"softmax({self.whole(node.operand)}, axis={node.operand.axes.index(node.over)})")

    def _logsumexp(self, node: LogSumExp) -> Code:
        self.helpers.add("logsumexp")
        return self._reduced("logsumexp", node, node.operand)

    def _einsum(self, node: Einsum) -> Code:
        return Code(f'np.einsum("{einsum_pattern(node)}", {", ".join(map(self.whole, node.operands))})')

    # -- elementwise ---------------------------------------------------------------------------------------------

    def _add(self, node: Add) -> Code:
        special = log_softmax_of(node)
        if special is not None:
            self.helpers.add("log_softmax")
            return Code(f"log_softmax({self.whole(special[0])}, axis={special[1]})")
        text = ""
        for sign, operand in node.operands:
            binding = Binding.SUM if not text and sign > 0 else Binding.PRODUCT
            code = self.real(operand).within(binding)
            text = f"{text} {'+' if sign > 0 else '-'} {code}" if text else f"{'' if sign > 0 else '-'}{code}"
        return Code(text, Binding.SUM)

    def _multiply(self, node: Multiply) -> Code:
        masks = [operand for operand in node.operands if isinstance(operand, Indicator)]
        rest = [operand for operand in node.operands if not isinstance(operand, Indicator)]
        if masks and any(map(may_overflow, rest)):
            # A false condition annihilates, even where the other factor is not finite.
            condition = reduce(lambda a, b: f"np.logical_and({a}, {b})", (self.text(m.condition) for m in masks))
            return Code(f"np.where({condition}, {self.product(rest).text}, 0)")
        if masks and not any(operand.rank for operand in rest):
            return self.product([*rest, *masks], real=True)
        return self.product([*rest, *masks])

    def product(self, operands: list[Node], real: bool = False) -> Code:
        """A product; a fraction of numbers and sizes in front is what it is divided by."""
        above: list[Node] = []
        below: list[Node] = []
        sign = ""
        for operand in operands:
            if isinstance(operand, Scalar):
                number, under = operand.value.as_numer_denom()
                if number.could_extract_minus_sign():
                    number, sign = -number, "-" if not sign else ""
                if number != 1:
                    above.append(Scalar((), number))
                if under != 1:
                    below.append(Scalar((), under))
            elif isinstance(operand, Power) and operand.exponent == Scalar((), sympy.Integer(-1)):
                below.append(operand.base)
            else:
                above.append(operand)
        factors = [self._factor(f, real).within(Binding.SIGN) for f in above] or ["1"]
        text = sign + "*".join(factors)
        for divisor in below:
            text += f"/{self.real(divisor).within(Binding.SIGN)}"
        single = len(factors) == 1 and not below and not sign
        return self._factor(above[0], real) if single else Code(text, Binding.PRODUCT)

    def _factor(self, node: Node, real: bool) -> Code:
        """A factor; true and false may stand as they are beside a real one."""
        return self.code(node) if isinstance(node, Indicator) and not real else self.real(node)

    def _power(self, node: Power) -> Code:
        exponent = node.exponent.value if isinstance(node.exponent, Scalar) else None
        if exponent == -1:
            return Code(f"1/{self.real(node.base).within(Binding.SIGN)}", Binding.PRODUCT)
        if exponent == sympy.Rational(1, 2):
            return Code(f"np.sqrt({self.real(node.base).text})")
        base = self.real(node.base).within(Binding.ATOM)
        return Code(f"{base}**{self.within(node.exponent, Binding.ATOM)}", Binding.POWER)

    def _apply(self, node: Apply) -> Code:
        if issubclass(node.function, ElementwiseFunction):
            self.functions[node.function] = None
            return Code(f"{node.function.record.name}({self.real(node.operand).text})")
        row = PRIMITIVES[node.function]
        if row.name is None:
            self.helpers.add(row.call)
        return Code(f"{row.call}({self.real(node.operand).text})")

    def _compare(self, node: Compare) -> Code:
        left, right = (self.within(side, Binding.SUM) for side in (node.left, node.right))
        return Code(f"({left} {node.relation} {right})")

    def _logic(self, node: Logic) -> Code:
        if node.operation == "not":
            return Code(f"np.logical_not({self.text(node.operands[0])})")
        function = f"np.logical_{node.operation}"
        return Code(reduce(lambda a, b: f"{function}({a}, {b})", map(self.text, node.operands)))

    def _indicator(self, node: Indicator) -> Code:
        return self.code(node.condition)

    def real(self, node: Node) -> Code:
        """``node`` in the floating type: what is true or false, or an integer, would not keep to it."""
        if self.whole_numbers or not self._is_whole(node):
            return self.code(node)
        self.needs_dtype = True
        return Code(f"{self.within(node, Binding.ATOM)}.astype(dtype)")

    def _is_whole(self, node: Node) -> bool:
        """Whether the array of ``node`` holds truth values or integers."""
        if isinstance(node, Leaf | Gather):
            return self.integer[node.name]
        if isinstance(node, Expand | Permute):
            return self._is_whole(node.operand)
        if isinstance(node, Cases):
            return all(isinstance(value, Scalar) for value, _ in node.cases)
        return isinstance(node, Indicator | Position | ArgMax)

    def _cases(self, node: Cases) -> Code:
        text = self.real(node.cases[-1][0]).text
        for value, condition in reversed(node.cases[:-1]):
            text = f"np.where({self.text(condition)}, {self.real(value).text}, {text})"
        return Code(text)


def repeats(node: Node) -> bool:
    """Whether the source of ``node`` may lack axes that it has: its array must be widened before it is summed."""
    if isinstance(node, Expand):
        return True
    if isinstance(node, Scalar | Leaf) or not node.axes:
        return False
    inside = _elementwise_operands(node)
    return bool(inside) and all(repeats(operand) or not operand.axes for operand in inside)


def _elementwise_operands(node: Node) -> list[Node]:
    if isinstance(node, Add):
        return [operand for _, operand in node.operands]
    if isinstance(node, Multiply | Logic):
        return list(node.operands)
    if isinstance(node, Power):
        return [node.base, node.exponent]
    if isinstance(node, Apply):
        return [node.operand]
    if isinstance(node, Compare):
        return [node.left, node.right]
    if isinstance(node, Indicator):
        return [node.condition]
    if isinstance(node, Cases):
        return [part for pair in node.cases for part in pair]
    return []


def may_overflow(node: Node) -> bool:
    """Whether finite variables can make it infinite: sums and products of variables are taken to stay finite."""
    if isinstance(node, Apply) or (isinstance(node, Power) and not _is_positive_power(node)):
        return True
    return any(map(may_overflow, _elementwise_operands(node)))


def _is_positive_power(node: Power) -> bool:
    return isinstance(node.exponent, Scalar) and bool(node.exponent.value.is_positive)


_RULES: dict[type[Node], Callable[[ModuleExpressions, Any], Code]] = {
    Scalar: ModuleExpressions._scalar,
    Leaf: ModuleExpressions._leaf,
    Position: ModuleExpressions._position,
    Gather: ModuleExpressions._gather,
    Permute: ModuleExpressions._permute,
    Expand: ModuleExpressions._expand,
    Add: ModuleExpressions._add,
    Multiply: ModuleExpressions._multiply,
    Power: ModuleExpressions._power,
    Apply: ModuleExpressions._apply,
    MatMul: ModuleExpressions._matmul,
    Outer: ModuleExpressions._outer,
    SumOver: lambda self, node: self._reduced("np.sum", node, node.operand),
    MaxOver: lambda self, node: self._reduced("np.max", node, node.operand),
    ArgMax: lambda self, node: self._reduced("np.argmax", node, node.operand),
    Softmax: ModuleExpressions._softmax,
    LogSumExp: ModuleExpressions._logsumexp,
    Einsum: ModuleExpressions._einsum,
    Compare: ModuleExpressions._compare,
    Logic: ModuleExpressions._logic,
    Indicator: ModuleExpressions._indicator,
    Cases: ModuleExpressions._cases,
}
