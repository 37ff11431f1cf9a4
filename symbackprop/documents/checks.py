"""The checks of a worked example: three ways to one derivative, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.documents.numbers import number_latex
from symbackprop.documents.tree import Block, Heading, Inline, Math, Paragraph, Table, Text
from symbackprop.forms.scalar import Place
from symbackprop.forms.views import Views

__all__ = ["WeightCheck", "check_blocks"]


@dataclass(frozen=True)
class WeightCheck:
    """The derivative of the loss by the weight at ``place``, in two ways that know nothing of the derivation.

    ``derivative`` is what SymPy makes of the loss written out as an expression in this weight alone, None where that
    expression is too long; ``difference`` is (C(w + eps) - C(w - eps)) / (2 eps).
    """

    place: Place
    derivative: float | None
    difference: float
    eps: float

    def error(self, value: float) -> float:
        """The larger distance of the two from ``value``, relative to it where it is not 0."""
        ways = [way for way in (self.derivative, self.difference) if way is not None]
        return max(abs(way - value) for way in ways) / (abs(value) or 1.0)


def check_blocks(views: Views, checks: Sequence[tuple[WeightCheck, float]]) -> list[Block]:
    """A table with a row for each weight that was checked, beside the product of its displayed factors."""
    if not checks:
        return []
    loss = views.symbols.element(views.differentiation.loss)
    text: list[Inline] = [
        "The product of the factors displayed above, summed over the paths; the derivative that SymPy takes of ",
        Math(loss),
        " written out as an expression in this one weight, with numbers for all else; and the difference quotient ",
        Math(r"(C(w + \epsilon) - C(w - \epsilon)) / (2 \epsilon)"),
        ". The error is the largest distance of the last two from the first, relative to it.",
    ]
    header: tuple[Text, ...] = (
        ("weight",),
        ("product of the steps",),
        ("SymPy",),
        ("difference",),
        (Math(r"\epsilon"),),
        ("error",),
    )
    rows = tuple(_row(views, check, product) for check, product in checks)
    return [Heading("Checks", 2), Paragraph(tuple(text)), Table(header, rows, numeric=frozenset(range(1, 6)))]


def _row(views: Views, check: WeightCheck, product: float) -> tuple[Text, ...]:
    name, at = check.place
    symbol = views.printer.doprint(views.differentiation.program.variable(name).at(*at))
    values = (product, check.derivative, check.difference)
    numbers = tuple(("not taken",) if value is None else (Math(number_latex(value)),) for value in values)
    return (
        (Math(symbol),),
        *numbers,
        (Math(number_latex(check.eps, 1)),),
        (Math(number_latex(check.error(product), 2)),),
    )
