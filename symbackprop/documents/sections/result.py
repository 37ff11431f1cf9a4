"""The final formulas first: what the document arrives at."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.adjoint.records import Adjoint
from symbackprop.documents.sections.context import Context
from symbackprop.documents.sections.recursion import Recursion
from symbackprop.documents.sections.steps import assumption_math, index_row, matrix_row
from symbackprop.documents.tree import Block, Display, Heading, Math, Paragraph, Row, Text
from symbackprop.notation.expressions import base_name
from symbackprop.notation.program import Equation, occurrences

__all__ = ["is_deep", "result_section"]

_MOST_ADJOINTS = 26
"""Of a deeper network the last layer and any other layer are shown: each layer has four formulas."""


def result_section(context: Context, general: Recursion | None, *, alone: bool = False) -> list[Block]:
    """The gradients, from the loss inwards, in the order they are computed; ``alone`` where nothing comes below."""
    words, differentiation = context.words, context.views.differentiation
    adjoints = _in_use(context)
    blocks: list[Block] = [Heading(words.plain("result"))]
    if general is not None and is_deep(context):
        last = [a for a in adjoints if a.of.name not in general.instances]
        above = Context(general.views, context.options, general.layer)
        blocks += [Paragraph(words("result deep")), _display(context, last)]
        blocks.append(
            Paragraph(words("result any layer", layer=Math(general.layer), activation=Math(general.activation)))
        )
        blocks.append(_display(above, general.gradients))
    else:
        key = "result batch" if differentiation.program.batch is not None else "result single"
        blocks += [Paragraph(words(key)), _display(context, adjoints)] if adjoints else []
    assumptions: list[Text] = [(assumption_math(context, a),) for a in differentiation.program.assumptions]
    if assumptions and any(adjoint.assuming for adjoint in differentiation.adjoints):
        blocks.append(
            Paragraph(
                words(
                    "result assumption alone" if alone else "result assumption", assumptions=words.listed(assumptions)
                )
            )
        )
    if differentiation.unreached:
        names: list[Text] = [(context.symbol(name),) for name in differentiation.unreached]
        blocks.append(Paragraph(words("unreached", names=words.listed(names))))
    return blocks


def is_deep(context: Context) -> bool:
    """Whether the formulas of the layers are given once, for any layer."""
    return len(_in_use(context)) > _MOST_ADJOINTS


def _display(context: Context, adjoints: Sequence[Adjoint]) -> Display:
    return Display(tuple(_row(context, a.assuming[0][1] if a.assuming else a.equation) for a in adjoints))


def _row(context: Context, equation: Equation) -> Row:
    return matrix_row(context, equation) or index_row(context, equation)


def _in_use(context: Context) -> list[Adjoint]:
    """The adjoints that were asked for, and those that another adjoint's equation still mentions."""
    differentiation = context.views.differentiation
    mentioned = {base_name(o) for adjoint in differentiation.adjoints for o in occurrences(adjoint.equation.right)}
    return [a for a in differentiation.adjoints if a.name in mentioned or a.of.name in differentiation.wrt]
