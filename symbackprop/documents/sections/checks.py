"""The checks of a worked example: three ways to one derivative, side by side."""

from __future__ import annotations

from symbackprop.documents.example import WeightCheck, WorkedExample
from symbackprop.documents.numbers import Numbers
from symbackprop.documents.sections.context import Context
from symbackprop.documents.sections.weights import product_of_steps
from symbackprop.documents.tree import Block, Heading, Math, Paragraph, Table, Text

__all__ = ["checks_section"]

_SMALL_ERROR = 1e-6
"""An error below this is rounding, which differs from machine to machine; the document says no more of it."""


def checks_section(context: Context, example: WorkedExample) -> list[Block]:
    """A table with a row for each weight that was checked, beside the product of its displayed factors."""
    if not example.checks:
        return []
    words = context.words
    header: tuple[Text, ...] = (
        (words.plain("weight"),),
        (words.plain("product of the steps"),),
        ("SymPy",),
        (words.plain("difference"),),
        (Math(r"\epsilon"),),
        (words.plain("error"),),
    )
    loss = context.loss.latex
    quotient = Math(rf"({loss}(w + \epsilon) - {loss}(w - \epsilon)) / (2 \epsilon)")
    rows = tuple(_row(context, example, check) for check in example.checks)
    said = words("checks explained", loss=context.loss, quotient=quotient)
    if len(example.checks) < sum(example.array(name).size for name in example.form.differentiation.wrt):
        said += words("some checked")
    if any(check.derivative is None for check in example.checks):
        said += words("some not taken")
    return [
        Heading(words.plain("checks")),
        Paragraph(said),
        Table(header, rows, numeric=frozenset(range(1, 6))),
    ]


def _row(context: Context, example: WorkedExample, check: WeightCheck) -> tuple[Text, ...]:
    name, at = check.place
    symbol = context.views.printer.doprint(context.views.symbols.variable(name).at(*at))
    product = product_of_steps(example.form.gradient(name, *at))
    values = (product, check.derivative, check.difference)
    numbers = tuple(
        context.words("not taken") if value is None else (Math(context.numbers.latex(value)),) for value in values
    )
    return (Math(symbol),), *numbers, (Math(Numbers(1).latex(check.eps)),), (Math(_error(check.error(product))),)


def _error(error: float) -> str:
    if error < _SMALL_ERROR:
        return f"< {Numbers(1).latex(_SMALL_ERROR)}"
    return Numbers(2).latex(error)
