"""One weight in full: its chain by name, as a formula, in numbers, the product, and the update."""

from __future__ import annotations

import math
from collections.abc import Sequence

import sympy

from symbackprop.documents.example import WorkedExample, known
from symbackprop.documents.sections.context import Context
from symbackprop.documents.tree import Display, Row
from symbackprop.forms.breaks import Rank
from symbackprop.forms.scalar import Link, ScalarForm, ScalarGradient
from symbackprop.notation.program import Role
from symbackprop.notation.terms import Term

__all__ = ["chains", "product_of_steps", "weight_display"]

_MOST_PATHS = 4
"""Up to this many paths a chain is written out from the loss; beyond, from the next variables' derivatives."""

Chain = tuple[sympy.Expr | None, tuple[Link, ...]]
"""The derivative that a chain begins with, None for the loss itself, and its local factors."""


def weight_display(context: Context, example: WorkedExample, gradient: ScalarGradient) -> Display:
    """symbol = chain = formula = numbers = result, and the update."""
    printer, numbers = context.views.printer, context.numbers
    loss, weight = context.loss.latex, printer.doprint(gradient.element)
    left = rf"\frac{{\partial {loss}}}{{\partial {weight}}}"
    value = known(gradient.value)
    shown = chains(example.form, gradient)
    products = [math.prod(_values(example.form, chain)) for chain in shown]
    rows = [
        Row(left, _summed([_names(context, chain) for chain in shown])),
        Row("", _summed([_formula(context, chain) for chain in shown])),
        Row("", _summed([_in_numbers(context, example.form, chain) for chain in shown])),
    ]
    if len(shown) > 1:
        rows.append(Row("", _summed([numbers.latex(product) for product in products])))
    rows.append(Row("", (numbers.latex(value),)))
    if context.views.symbols.variable(gradient.place[0]).role is not Role.PARAMETER:
        return Display(tuple(rows))
    old, rate = float(example.array(gradient.place[0])[gradient.place[1]]), example.learning_rate
    step = rf"{numbers.latex(old)} - {numbers.factor(rate)} \cdot {numbers.factor(value)}"
    arrow = rf"{weight} - \eta\,{left}"
    rows.append(Row(weight, (arrow, f"= {step}", f"= {numbers.latex(old - rate * value)}"), r"\leftarrow"))
    return Display(tuple(rows))


def product_of_steps(gradient: ScalarGradient) -> float:
    """What the displayed factors of a weight multiply out to."""
    return sum(math.prod(_values(gradient.form, chain)) for chain in chains(gradient.form, gradient))


def chains(form: ScalarForm, gradient: ScalarGradient) -> list[Chain]:
    """The chains that are shown: from the loss, or where these are many, from the next variables' derivatives."""
    if gradient.path_count <= _MOST_PATHS:
        return [(None, path.links) for path in gradient.paths()]
    return [(form.adjoint_of(link.of), (link,)) for link in gradient.successors]


def _values(form: ScalarForm, chain: Chain) -> list[float]:
    start, links = chain
    first = [] if start is None else [known(form.number(start))]
    return first + [known(link.value) for link in links]


def _names(context: Context, chain: Chain) -> str:
    printer = context.views.printer
    start, links = chain
    names = [] if start is None else [printer.doprint(start)]
    for link in links:
        of, by = (printer.doprint(side) for side in (link.of, link.by))
        names.append(rf"\frac{{\partial {of}}}{{\partial {by}}}")
    return printer.joined(names, Rank.FACTOR, r"\,")


def _formula(context: Context, chain: Chain) -> str:
    start, links = chain
    factors = tuple(link.expression for link in links)
    return context.views.printer.term(Term(sympy.S.One, (), factors if start is None else (start, *factors)), False)


def _in_numbers(context: Context, form: ScalarForm, chain: Chain) -> str:
    values = [context.numbers.factor(value) for value in _values(form, chain)]
    return context.views.printer.joined(values, Rank.TIMES, after=r"\cdot ")


def _summed(parts: Sequence[str]) -> tuple[str, ...]:
    """Summands with their signs, between which the line may be broken."""
    first, *rest = parts
    return first, *(f"- {part[1:]}" if part.startswith("-") else f"+ {part}" for part in rest)
