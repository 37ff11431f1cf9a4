"""Array expressions in LaTeX: the printed formula is the executed formula.

Numbers are added to every entry; the vector of ones, with its length, says where a vector is repeated or summed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from symbackprop.errors import NoRuleError
from symbackprop.forms.arrays import (
    Add,
    Apply,
    Cases,
    Compare,
    Expand,
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
    Power,
    Scalar,
    Softmax,
    SumOver,
)
from symbackprop.forms.lower import Lowered
from symbackprop.forms.printing import RELATIONS, IndexPrinter
from symbackprop.functions.elementary import elementary
from symbackprop.notation.expressions import ElementwiseFunction, Limit

__all__ = ["MatrixPrinter"]

# How tightly a printed node binds: sums, elementwise products, matrix products, single symbols.
_SUM, _HADAMARD, _PRODUCT, _ATOM = range(4)


class MatrixPrinter:
    """Prints array expressions whose nodes have two axes at most.

    Raises NoRuleError for what has no matrix notation (three axes, computed positions); the index form says it then.
    """

    def __init__(self, printer: IndexPrinter) -> None:
        self.printer = printer
        self.symbols = printer.symbols

    def equation(self, lowered: Lowered) -> str:
        """``left = right``."""
        return f"{self.print(lowered.left)} = {self.right(lowered)}"

    def right(self, lowered: Lowered) -> str:
        """The right side."""
        return self.print(lowered.right)

    def print(self, node: Node) -> str:
        """Any node."""
        return self._printed(node)[0]

    def _printed(self, node: Node) -> tuple[str, int]:
        rule = _RULES.get(type(node))
        if rule is None or node.rank > 2:
            raise NoRuleError(f"{type(node).__name__} with {node.rank} axes has no matrix notation")
        return rule(self, node)

    def _within(self, node: Node, binding: int) -> str:
        """``node`` in brackets where it binds less tightly than its surroundings."""
        text, own = self._printed(node)
        if own >= binding:
            return text
        return rf"\left({text}\right)" if r"\frac" in text else f"({text})"

    def _ones(self, size: sympy.Expr) -> str:
        """The vector of ones."""
        return rf"\mathbf{{1}}_{{{self.printer.doprint(size)}}}"

    def _scalar(self, node: Scalar) -> tuple[str, int]:
        text = str(self.printer.doprint(node.value))
        return text, _SUM if node.value.is_Add or text.startswith("-") else _ATOM

    def _leaf(self, node: Leaf) -> tuple[str, int]:
        return self.symbols.whole(node.name, node.rank), _ATOM

    def _permute(self, node: Permute) -> tuple[str, int]:
        if isinstance(node.operand, Leaf):
            return self.symbols.whole(node.operand.name, node.operand.rank, transposed=True), _ATOM
        text = self._within(node.operand, _ATOM)
        # A power or a transpose has a superscript already, and TeX allows one.
        if not text.startswith("(") and ("^" in text or r"\frac" in text):
            text = rf"\left({text}\right)"
        return rf"{text}^{{\top}}", _ATOM

    def _expand(self, node: Expand) -> tuple[str, int]:
        operand = node.operand
        if operand.rank == 0:
            ones = [self._ones(size) for _, size in node.axes]
            shape = ones[0] if len(ones) == 1 else rf"{ones[0]} {ones[1]}^{{\top}}"
            return (shape if operand == _ONE else rf"{self._within(operand, _PRODUCT)}\,{shape}"), _PRODUCT
        if node.axes[0] == operand.axes[0]:
            return rf"{self._within(operand, _PRODUCT)} {self._ones(node.axes[1][1])}^{{\top}}", _PRODUCT
        row = Permute(operand.axes, operand)
        return rf"{self._ones(node.axes[0][1])} {self._permute(row)[0]}", _PRODUCT

    def _add(self, node: Add) -> tuple[str, int]:
        text = ""
        for sign, operand in node.operands:
            part = self._within(operand, _SUM if not text and sign > 0 else _HADAMARD)
            if not text:
                text = part if sign > 0 else f"-{part}"
            else:
                text += f" + {part}" if sign > 0 else f" - {part}"
        return text, _SUM

    def _multiply(self, node: Multiply) -> tuple[str, int]:
        numbers = [operand for operand in node.operands if operand.rank == 0]
        arrays = [operand for operand in node.operands if operand.rank]
        sign = "-" if numbers and numbers[0] == _MINUS_ONE else ""
        front = r"\,".join(self._coefficient(number) for number in numbers[bool(sign) :])
        above = [a for a in arrays if not _is_reciprocal(a)]
        below = [a.base for a in arrays if isinstance(a, Power) and _is_reciprocal(a)]
        single = len(arrays) == 1
        bare = single and not front and not sign
        body = r" \odot ".join(self._within(a, _SUM if bare else _PRODUCT) for a in above)
        if below:
            body = (body or "1") + "".join(rf" \oslash {self._within(b, _ATOM)}" for b in below)
        text = sign + (rf"{front}\,{body}" if front and body else front or body)
        tight = _PRODUCT if single and not below else _HADAMARD
        return text, _SUM if text.startswith("-") else tight

    def _coefficient(self, number: Node) -> str:
        """A number as a factor: in brackets unless it is a plain one."""
        text, own = self._printed(number)
        plain = own >= _ATOM or (isinstance(number, Scalar) and not number.value.is_Add)
        return text if plain else rf"\left({text}\right)" if r"\frac" in text else f"({text})"

    def _power(self, node: Power) -> tuple[str, int]:
        if node.exponent == _HALF:
            return rf"\sqrt{{{self.print(node.base)}}}", _ATOM
        exponent = self.print(node.exponent)
        if node.base.rank == 0:
            return rf"{self._within(node.base, _ATOM)}^{{{exponent}}}", _ATOM
        base = self._within(node.base, _ATOM)
        if "^" in base and not base.endswith(")"):
            base = f"({base})"
        return rf"{base}^{{\circ {exponent}}}", _ATOM

    def _apply(self, node: Apply) -> tuple[str, int]:
        inside = self.print(node.operand)
        brackets = (r"\left(", r"\right)") if r"\frac" in inside else ("(", ")")
        if issubclass(node.function, ElementwiseFunction):
            if node.function.record.name == "absolute":
                return rf"\left|{inside}\right|", _ATOM
            head = node.function.record.latex
        else:
            head = elementary(node.function).latex
        return f"{head}{brackets[0]}{inside}{brackets[1]}", _ATOM

    def _matmul(self, node: MatMul) -> tuple[str, int]:
        left, right = node.left, node.right
        if left.rank == 1:
            left = Permute(left.axes, left)
        return rf"{self._within(left, _PRODUCT)} {self._within(right, _PRODUCT)}", _PRODUCT

    def _outer(self, node: Outer) -> tuple[str, int]:
        row = Permute(node.right.axes, node.right)
        return rf"{self._within(node.left, _PRODUCT)} {self._within(row, _PRODUCT)}", _PRODUCT

    def _sum_over(self, node: SumOver) -> tuple[str, int]:
        operand = node.operand
        middle = self._within(operand, _PRODUCT)
        gone = [axis for axis in operand.axes if axis not in node.axes]
        if operand.rank == 1:
            return rf"{self._ones(gone[0][1])}^{{\top}} {middle}", _PRODUCT
        if len(gone) == 2:
            first, last = operand.axes
            return rf"{self._ones(first[1])}^{{\top}} {middle} {self._ones(last[1])}", _PRODUCT
        if gone[0] == operand.axes[1]:
            return rf"{middle} {self._ones(gone[0][1])}", _PRODUCT
        turned = Permute(tuple(reversed(operand.axes)), operand)
        return rf"{self._permute(turned)[0]} {self._ones(gone[0][1])}", _PRODUCT

    def _max_over(self, node: MaxOver) -> tuple[str, int]:
        return rf"\max{_along(node.operand, node)}({self.print(node.operand)})", _ATOM

    def _softmax(self, node: Softmax) -> tuple[str, int]:
        where = _by(node.operand, node.over)
        return rf"\operatorname{{softmax}}{where}({self.print(node.operand)})", _ATOM

    def _logsumexp(self, node: LogSumExp) -> tuple[str, int]:
        return rf"\operatorname{{logsumexp}}{_along(node.operand, node)}({self.print(node.operand)})", _ATOM

    def _compare(self, node: Compare) -> tuple[str, int]:
        return f"{self.print(node.left)} {RELATIONS[node.relation]} {self.print(node.right)}", _SUM

    def _logic(self, node: Logic) -> tuple[str, int]:
        joint = rf" \text{{ {node.operation} }} "
        return joint.join(self.print(operand) for operand in node.operands), _SUM

    def _indicator(self, node: Indicator) -> tuple[str, int]:
        return f"[{self.print(node.condition)}]", _ATOM

    def _cases(self, node: Cases) -> tuple[str, int]:
        rows = [rf"{self.print(value)} & \text{{if }} {self.print(test)}" for value, test in node.cases[:-1]]
        rows.append(rf"{self.print(node.cases[-1][0])} & \text{{otherwise}}")
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}", _ATOM


_ONE = Scalar((), sympy.Integer(1))
_HALF = Scalar((), sympy.Rational(1, 2))
_MINUS_ONE = Scalar((), sympy.Integer(-1))


def _is_reciprocal(node: Node) -> bool:
    return isinstance(node, Power) and node.exponent == _MINUS_ONE


def _along(operand: Node, result: Node) -> str:
    """Which axis was reduced: rows are meant where nothing is said."""
    gone = [axis for axis in operand.axes if axis not in result.axes]
    return "" if len(gone) != 1 else _by(operand, gone[0])


def _by(operand: Node, axis: Limit) -> str:
    if operand.rank < 2:
        return ""
    return r"_{\text{rows}}" if operand.axes[1] == axis else r"_{\text{columns}}"


_RULES: dict[type[Node], Callable[[MatrixPrinter, Any], tuple[str, int]]] = {
    Scalar: MatrixPrinter._scalar,
    Leaf: MatrixPrinter._leaf,
    Permute: MatrixPrinter._permute,
    Expand: MatrixPrinter._expand,
    Add: MatrixPrinter._add,
    Multiply: MatrixPrinter._multiply,
    Power: MatrixPrinter._power,
    Apply: MatrixPrinter._apply,
    MatMul: MatrixPrinter._matmul,
    Outer: MatrixPrinter._outer,
    SumOver: MatrixPrinter._sum_over,
    MaxOver: MatrixPrinter._max_over,
    Softmax: MatrixPrinter._softmax,
    LogSumExp: MatrixPrinter._logsumexp,
    Compare: MatrixPrinter._compare,
    Logic: MatrixPrinter._logic,
    Indicator: MatrixPrinter._indicator,
    Cases: MatrixPrinter._cases,
}
