"""The worked example: every value, every local factor, every weight with its chain in numbers, and the update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from symbackprop.documents.example import WorkedExample, known
from symbackprop.documents.layout import WIDTH, glyphs
from symbackprop.documents.sections.context import Context
from symbackprop.documents.sections.update import update_blocks
from symbackprop.documents.sections.weights import chains, weight_display
from symbackprop.documents.tree import Block, Display, Heading, Math, Paragraph, Row, Table, Text
from symbackprop.forms.scalar import Link, ScalarForm, ScalarGradient
from symbackprop.notation.program import Role, Variable

__all__ = ["worked_section"]

_MOST_WEIGHTS = 120
"""Up to this many weights each is worked in full; of more, the first of each array is."""
_MOST_ENTRIES = 100
"""Up to this many entries an array is shown whole."""


def worked_section(context: Context, example: WorkedExample) -> list[Block]:
    """The section of numbers."""
    words, form = context.words, example.form
    names = [name for name in form.differentiation.wrt if name in form.differentiation.by_variable]
    if not names:
        return []
    weights = [name for name in names if form.differentiation.program.variable(name).role is Role.PARAMETER]
    few = sum(example.array(name).size for name in names) <= _MOST_WEIGHTS
    in_full = list(form) if few else [form.gradient(name, *form.places(name)[0]) for name in names]
    blocks: list[Block] = [Heading(words.plain("worked")), _given(context, example), *_values(context, example)]
    if context.options.detail != "result":
        blocks += _local_factors(context, form, in_full)
        blocks.append(Heading(words.plain("every weight" if few else "one weight of each array"), 2))
        blocks += [weight_display(context, example, gradient) for gradient in in_full]
    places = [gradient.place for gradient in in_full if gradient.place[0] in weights]
    return [*blocks, *(update_blocks(context, example, weights, places) if weights else [])]


def _given(context: Context, example: WorkedExample) -> Paragraph:
    words = context.words
    said = words("rounded", digits=context.options.digits)
    if example.examples is not None:
        single = context.views.differentiation.program.batch is None
        said += words("first example alone" if single else "first example", count=example.examples)
    if example.drawn:
        drawn: list[Text] = [(context.symbol(name),) for name in example.drawn]
        said += words("drawn", seed=example.seed, names=words.listed(drawn))
    return Paragraph(said)


def _values(context: Context, example: WorkedExample) -> list[Block]:
    """All arrays: what is given, what the forward pass gives, and the derivatives on the way back."""
    differentiation = context.views.differentiation
    groups: tuple[tuple[str, Sequence[Variable]], ...] = (
        ("given", differentiation.program.inputs),
        ("values forward", [equation.left for equation in differentiation.program.equations]),
        ("values backward", [adjoint.equation.left for adjoint in differentiation.adjoints]),
    )
    blocks: list[Block] = []
    for title, variables in groups:
        rows = []
        for variable in variables:
            array = example.array(variable.name)
            if array.ndim <= 2 and array.size <= _MOST_ENTRIES:
                rows += _array_rows(context, variable, array)
        if rows:
            blocks += [Heading(context.words.plain(title), 2), Display(tuple(rows))]
    return blocks


def _array_rows(context: Context, variable: Variable, array: npt.NDArray[Any]) -> list[Row]:
    """The array, or its transpose where only that fits on a line; nothing where neither does."""
    shown = array.T if context.views.symbols.is_flipped(variable.name) else array
    for transposed in (False, True) if array.ndim == 2 else (False,):
        symbol = context.views.symbols.whole(variable.name, len(variable.shape), transposed)
        turned = shown.T if transposed else shown
        if glyphs(symbol) + 3 + context.numbers.width(turned) <= WIDTH:
            return [Row(symbol, (context.numbers.array(turned),))]
    return []


def _local_factors(context: Context, form: ScalarForm, gradients: Sequence[ScalarGradient]) -> list[Block]:
    """Every local derivative that occurs in a chain, once, with its number."""
    words, printer = context.words, context.views.printer
    rows: list[tuple[Text, ...]] = []
    for link in _links(form, gradients):
        of, by = (printer.doprint(side) for side in (link.of, link.by))
        value = Math(context.numbers.latex(known(link.value)))
        formula = Math(printer.doprint(link.expression))
        rows.append(((Math(rf"\partial {of} / \partial {by}"),), (formula,), (value,), (words.phrase(link.rule),)))
    if not rows:
        return []
    header: tuple[Text, ...] = tuple((words.plain(key),) for key in ("factor", "formula", "value", "rule"))
    return [
        Heading(words.plain("local factors"), 2),
        Paragraph(words("local factors once")),
        Table(header, tuple(rows), numeric=frozenset({2}), wide=frozenset({3})),
    ]


def _links(form: ScalarForm, gradients: Sequence[ScalarGradient]) -> list[Link]:
    """The links of the chains that are shown, each once: those of the last layer's weights first."""
    links: dict[tuple[Any, Any], Link] = {}
    for gradient in reversed(gradients):
        for _, chain in chains(form, gradient):
            for link in chain:
                links.setdefault((link.of, link.by), link)
    return list(links.values())
