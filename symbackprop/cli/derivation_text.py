"""A derivation as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sympy
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.printing.str import StrPrinter

from symbackprop.api import Derivation, Gradient
from symbackprop.errors import NoRuleError

__all__ = ["derivation_text"]


def derivation_text(derivation: Derivation) -> str:
    """The gradients that were asked for, then the adjoints and equations that their names stand for."""
    loss = derivation.differentiation.loss
    asked = derivation.gradients
    rest = [gradient for name, gradient in derivation.adjoints.items() if name not in asked]
    unreached = (f"{loss} does not depend on {name}" for name in derivation.unreached)
    blocks = (
        ("Gradients", _gradients(asked.values(), loss)),
        ("where, backwards", _gradients(rest, loss)),
        ("and, forwards", derivation.network.equations),
        ("Kinks", map(str, derivation.kinks)),
        ("Unreached", unreached),
    )
    lines = [repr(derivation.network)]
    for title, content in blocks:
        body = [f"  {line}" for line in content]
        if body:
            lines += ["", title, *body]
    return "\n".join(lines)


def _gradients(gradients: Iterable[Gradient], loss: str) -> Iterator[str]:
    for gradient in gradients:
        shape = ", ".join(map(str, gradient.shape))
        yield f"d{loss}/d{gradient.name}" + (f", shape ({shape}{',' * (len(gradient.shape) == 1)})" if shape else "")
        yield f"  index   {gradient.index}"
        yield f"  matrix  {_matrix(gradient)}"
        for text, formula in gradient.assuming.items():
            yield f"  where {text}:  {formula}"


def _matrix(gradient: Gradient) -> str:
    try:
        formula = gradient.matrix
    except NoRuleError as error:
        return f"none: {error}"
    printer = _MatrixText()
    return f"{printer.doprint(formula.left)} = {printer.doprint(formula.right)}"


class _MatrixText(StrPrinter):  # type: ignore[misc]
    """SymPy's text, where it says too little or too much: a matrix of ones is not the number 1."""

    def _print_OneMatrix(self, matrix: sympy.MatrixExpr) -> str:  # noqa: N802
        return f"ones({self._print(matrix.shape[0])}, {self._print(matrix.shape[1])})"

    def _print_ElementwiseApplyFunction(self, applied: ElementwiseApplyFunction) -> str:  # noqa: N802
        text = self._print(applied.expr)
        argument = text if isinstance(applied.expr, sympy.MatrixSymbol) else f"({text})"
        (entry,) = applied.function.variables
        return str(self._print(applied.function.expr.xreplace({entry: sympy.Symbol(argument)})))
