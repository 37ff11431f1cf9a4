"""Array expressions in LaTeX: the printed formula is the executed formula.

Numbers are added to every entry; the vector of ones, with its length, says where a vector is repeated or summed.
Where shapes are asked for, they stand below the factors of matrix products, so that one sees them fit together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
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
from symbackprop.forms.breaks import LONG, Rank, bracketed, deeper, unmarked
from symbackprop.forms.lower import Lowered
from symbackprop.forms.printing import RELATIONS, IndexPrinter
from symbackprop.forms.widths import glyphs
from symbackprop.functions.elementary import elementary
from symbackprop.notation.expressions import ElementwiseFunction, Limit

__all__ = ["MatrixPrinter"]

# How tightly a printed node binds: sums, elementwise products, matrix products, single symbols.
_SUM, _HADAMARD, _PRODUCT, _ATOM = range(4)


class MatrixPrinter:
    """Prints array expressions whose nodes have two axes at most.

    Raises NoRuleError for what has no matrix notation (three axes, computed positions); the index form says it then.
    Lines may be broken where they may be in what ``printer`` prints. ``shapes`` writes below each factor of a matrix
    product its shape; a vector is a column, (H, 1).
    """

    def __init__(self, printer: IndexPrinter, shapes: bool = False) -> None:
        self.printer = printer
        self.symbols = printer.symbols
        self.shapes = shapes

    @cached_property
    def with_shapes(self) -> MatrixPrinter:
        """The same printer, writing shapes."""
        return MatrixPrinter(self.printer, shapes=True)

    @cached_property
    def _without_shapes(self) -> MatrixPrinter:
        return MatrixPrinter(self.printer)

    def equation(self, lowered: Lowered) -> str:
        """``left = right``."""
        return self._related([self.print(lowered.left), self.right(lowered)], "=")

    def right(self, lowered: Lowered, shapes: bool = False) -> str:
        """The right side, with the shapes of factors below them where that is asked for."""
        return (self.with_shapes if shapes else self).print(lowered.right)

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
        return text if own >= binding else self._bracketed(text)

    @staticmethod
    def _bracketed(text: str) -> str:
        return bracketed(text, r"\frac" in text)

    def _beside(self, parts: Sequence[str], between: str | None = None) -> str:
        """Factors; where shapes are below them with a space, so that the shapes stay apart too."""
        return self.printer.joined(parts, Rank.FACTOR, between or (r"\;" if self.shapes else " "))

    def _related(self, sides: Sequence[str], sign: str) -> str:
        return self.printer.joined(sides, Rank.RELATION, after=f"{sign} ")

    # -- factors of matrix products and their shapes -----------------------------------------------------------------

    def _factor(self, node: Node, binding: int = _PRODUCT) -> str:
        """A factor of a matrix product, with its shape below it.

        Of a product in a product each factor has its own; so it is in what is too long to stay on a line.
        """
        text = self._without_shapes._within(node, binding) if self.shapes else ""
        if not self.shapes or _is_product(node) or glyphs(text) > LONG:
            return self._within(node, binding)
        extents = [size for _, size in node.axes]
        extents = [*extents, _ONE.value] if len(extents) == 1 else extents
        # A vector turned round is a row.
        turned = isinstance(node, Permute) and node.rank == 1
        return self._shaped(text, extents[::-1] if turned else extents)

    def _ones(self, size: sympy.Expr, row: bool = False) -> str:
        """The vector of ones, a column or a row, as a factor."""
        text = rf"\mathbf{{1}}_{{{unmarked(self.printer.doprint(size))}}}" + r"^{\top}" * row
        return self._shaped(text, [_ONE.value, size] if row else [size, _ONE.value])

    def _shaped(self, text: str, extents: Sequence[sympy.Expr]) -> str:
        if not self.shapes:
            return text
        shape = r" \times ".join(self.printer.doprint(extent) for extent in extents)
        return unmarked(rf"\underset{{\scriptscriptstyle {shape}}}{{{text}}}")

    # -- nodes ---------------------------------------------------------------------------------------------------------

    def _scalar(self, node: Scalar) -> tuple[str, int]:
        text = str(self.printer.doprint(node.value))
        return text, _SUM if node.value.is_Add or text.startswith("-") else _ATOM

    def _leaf(self, node: Leaf) -> tuple[str, int]:
        return self.symbols.whole(node.name, node.rank), _ATOM

    def _permute(self, node: Permute) -> tuple[str, int]:
        if isinstance(node.operand, Leaf):
            return self.symbols.whole(node.operand.name, node.operand.rank, transposed=True), _ATOM
        text, own = self._printed(node.operand)
        # A power or a transpose has a superscript already, and TeX allows one.
        if own < _ATOM or "^" in text or r"\frac" in text:
            text = bracketed(text, r"\frac" in text or (own == _ATOM and "^" in text))
        return rf"{text}^{{\top}}", _ATOM

    def _expand(self, node: Expand) -> tuple[str, int]:
        operand = node.operand
        if operand.rank == 0:
            first, *more = (size for _, size in node.axes)
            ones = self._beside([self._ones(first), *(self._ones(size, row=True) for size in more)])
            return (ones if operand == _ONE else self._beside([self._within(operand, _PRODUCT), ones], r"\,")), _PRODUCT
        if node.axes[0] == operand.axes[0]:
            return self._beside([self._factor(operand), self._ones(node.axes[1][1], row=True)]), _PRODUCT
        row = Permute(operand.axes, operand)
        return self._beside([self._ones(node.axes[0][1]), self._factor(row, _ATOM)]), _PRODUCT

    def _add(self, node: Add) -> tuple[str, int]:
        (sign, operand), *more = sorted(node.operands, key=lambda signed: signed[0] < 0)
        parts = [self._within(operand, _SUM) if sign > 0 else f"-{self._within(operand, _HADAMARD)}"]
        parts += [f"{'+' if sign > 0 else '-'} {self._within(operand, _HADAMARD)}" for sign, operand in more]
        return self.printer.joined(parts, Rank.SIGN), _SUM

    def _multiply(self, node: Multiply) -> tuple[str, int]:
        numbers = [operand for operand in node.operands if operand.rank == 0]
        arrays = [operand for operand in node.operands if operand.rank]
        sign = "-" if numbers and numbers[0] == _MINUS_ONE else ""
        front = [self._coefficient(number) for number in numbers[bool(sign) :]]
        above = [a for a in arrays if not _is_reciprocal(a)]
        below = [a.base for a in arrays if isinstance(a, Power) and _is_reciprocal(a)]
        single = len(arrays) == 1
        bare = single and not front and not sign
        body = [self._within(a, _SUM if bare else _PRODUCT) for a in above] or (["1"] if below else [])
        product = self.printer.joined(body, Rank.TIMES, after=r"\odot ")
        product = self.printer.joined(
            [product, *(self._within(b, _ATOM) for b in below)], Rank.TIMES, after=r"\oslash "
        )
        text = sign + self._beside([*front, product] if product else front, r"\,")
        tight = _PRODUCT if single and not below else _HADAMARD
        return text, _SUM if text.startswith("-") else tight

    def _coefficient(self, number: Node) -> str:
        """A number as a factor: in brackets unless it is a plain one."""
        text, own = self._printed(number)
        plain = own >= _ATOM or (isinstance(number, Scalar) and not number.value.is_Add)
        return text if plain else self._bracketed(text)

    def _power(self, node: Power) -> tuple[str, int]:
        if node.exponent == _HALF:
            return rf"\sqrt{{{unmarked(self.print(node.base))}}}", _ATOM
        exponent = unmarked(self.print(node.exponent))
        base, own = self._printed(node.base)
        if own < _ATOM:
            base = self._bracketed(base)
        elif "^" in base and not base.endswith(")"):
            base = bracketed(base)
        entrywise = "" if node.base.rank == 0 else r"\circ "
        return f"{base}^{{{entrywise}{exponent}}}", _ATOM

    def _apply(self, node: Apply) -> tuple[str, int]:
        inside = self.print(node.operand)
        if issubclass(node.function, ElementwiseFunction):
            if node.function.record.name == "absolute":
                return rf"\left|{unmarked(inside)}\right|", _ATOM
            head = node.function.record.latex
        else:
            head = elementary(node.function).latex
        return head + self._bracketed(inside), _ATOM

    def _matmul(self, node: MatMul) -> tuple[str, int]:
        left = Permute(node.left.axes, node.left) if node.left.rank == 1 else node.left
        return self._beside([self._factor(left), self._factor(node.right)]), _PRODUCT

    def _outer(self, node: Outer) -> tuple[str, int]:
        row = Permute(node.right.axes, node.right)
        return self._beside([self._factor(node.left), self._factor(row)]), _PRODUCT

    def _sum_over(self, node: SumOver) -> tuple[str, int]:
        operand = node.operand
        gone = [axis for axis in operand.axes if axis not in node.axes]
        first, last = operand.axes[0], operand.axes[-1]
        if operand.rank == 1:
            parts = [self._ones(first[1], row=True), self._factor(operand)]
        elif len(gone) == 2:
            parts = [self._ones(first[1], row=True), self._factor(operand), self._ones(last[1])]
        elif gone[0] == last:
            parts = [self._factor(operand), self._ones(last[1])]
        else:
            turned = Permute(tuple(reversed(operand.axes)), operand)
            parts = [self._factor(turned, _ATOM), self._ones(first[1])]
        return self._beside(parts), _PRODUCT

    def _max_over(self, node: MaxOver) -> tuple[str, int]:
        return rf"\max{_along(node.operand, node)}{bracketed(self.print(node.operand))}", _ATOM

    def _softmax(self, node: Softmax) -> tuple[str, int]:
        where = _by(node.operand, node.over)
        return rf"\operatorname{{softmax}}{where}{bracketed(self.print(node.operand))}", _ATOM

    def _logsumexp(self, node: LogSumExp) -> tuple[str, int]:
        where = _along(node.operand, node)
        return rf"\operatorname{{logsumexp}}{where}{bracketed(self.print(node.operand))}", _ATOM

    def _compare(self, node: Compare) -> tuple[str, int]:
        return self._related([self.print(node.left), self.print(node.right)], RELATIONS[node.relation]), _SUM

    def _logic(self, node: Logic) -> tuple[str, int]:
        parts = [self.print(operand) for operand in node.operands]
        return self.printer.joined(parts, Rank.RELATION, after=rf"\text{{ {node.operation} }} "), _SUM

    def _indicator(self, node: Indicator) -> tuple[str, int]:
        return f"[{deeper(self.print(node.condition))}]", _ATOM

    def _cases(self, node: Cases) -> tuple[str, int]:
        rows = [rf"{self.print(value)} & \text{{if }} {self.print(test)}" for value, test in node.cases[:-1]]
        rows.append(rf"{self.print(node.cases[-1][0])} & \text{{otherwise}}")
        return unmarked(r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"), _ATOM


_ONE = Scalar((), sympy.Integer(1))
_HALF = Scalar((), sympy.Rational(1, 2))
_MINUS_ONE = Scalar((), sympy.Integer(-1))


def _is_reciprocal(node: Node) -> bool:
    return isinstance(node, Power) and node.exponent == _MINUS_ONE


def _is_product(node: Node) -> bool:
    """Whether it is printed as a matrix product, a number in front or not."""
    if isinstance(node, Multiply):
        arrays = [operand for operand in node.operands if operand.rank]
        return len(arrays) == 1 and _is_product(arrays[0])
    return isinstance(node, MatMul | Outer | SumOver | Expand)


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
