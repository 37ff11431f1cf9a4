"""One step of gradient descent: weights before and after, and what the loss makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symbackprop.documents.example import WorkedExample
from symbackprop.documents.sections.context import Context
from symbackprop.documents.tree import Block, Heading, Math, Paragraph, Table, Text
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.forms.scalar import Place

__all__ = ["update_blocks"]

_MOST_ROWS = 600
"""Up to this many weights all stand in the table; of more, those that are worked in full."""


def update_blocks(
    context: Context, example: WorkedExample, names: Sequence[str], in_full: Sequence[Place]
) -> list[Block]:
    """The table of the weights ``names``, and the loss before and after."""
    words, numbers = context.words, context.numbers
    program, loss = context.views.differentiation.program, context.views.differentiation.loss
    gradients = {name: example.array(context.views.differentiation.by_variable[name].name) for name in names}
    new = {variable.name: example.array(variable.name) for variable in program.inputs}
    for name in names:
        new[name] = new[name] - example.learning_rate * gradients[name]
    every = [(name, at) for name in names for at in np.ndindex(gradients[name].shape)]
    rows: list[tuple[Text, ...]] = []
    for name, at in every if len(every) <= _MOST_ROWS else in_full:
        symbol = Math(context.views.printer.doprint(program.variable(name).at(*at)))
        values = (float(array[at]) for array in (example.array(name), gradients[name], new[name]))
        rows.append(((symbol,), *((Math(numbers.latex(value)),) for value in values)))
    sizes = {symbol.name: number for symbol, number in example.form.sizes.items()}
    after = float(np.asarray(evaluate_program(program, new, sizes)[loss]))
    header: tuple[Text, ...] = tuple((words.plain(key),) for key in ("weight", "before", "gradient", "after"))
    sentence = words(
        "update",
        rate=Math(rf"\eta = {numbers.latex(example.learning_rate)}"),
        equation=context.ref(loss),
        before=Math(f"{context.loss.latex} = {numbers.latex(float(example.array(loss)))}"),
        after=Math(numbers.latex(after)),
    )
    blocks: list[Block] = [Heading(words.plain("update title"), 2), Paragraph(sentence)]
    if len(every) > _MOST_ROWS:
        blocks.append(Paragraph(words("some weights", shown=len(rows), count=len(every))))
    return [*blocks, Table(header, tuple(rows), numeric=frozenset({1, 2, 3}))]
