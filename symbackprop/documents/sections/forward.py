"""The forward pass and the loss: one numbered equation for each intermediate, in computing order."""

from __future__ import annotations

from symbackprop.documents.languages.words import sentence
from symbackprop.documents.sections.context import Context
from symbackprop.documents.sections.steps import assumption_math, equation_rows
from symbackprop.documents.tree import Block, Display, Heading, Math, Paragraph, Text
from symbackprop.network import NetworkDescription
from symbackprop.notation.program import Equation

__all__ = ["definition", "forward_section"]


def forward_section(context: Context, network: NetworkDescription | None) -> list[Block]:
    """The forward pass; the loss in a section of its own."""
    words, program = context.words, context.views.differentiation.program
    names = [equation.name for equation in program.equations]
    start = (
        names.index(program.output) + 1 if program.output in names else names.index(context.views.differentiation.loss)
    )
    blocks: list[Block] = [Heading(words.plain("forward"))] if start else []
    for equation in program.equations[:start]:
        blocks += definition(context, equation)
    blocks.append(Heading(words.plain("loss section")))
    for equation in program.equations[start:]:
        blocks += definition(context, equation)
    if network is not None and f"remark {network.loss.name}" in words.language.sentences:
        blocks.append(Paragraph(words(f"remark {network.loss.name}")))
    assumptions: list[Text] = [(assumption_math(context, a),) for a in program.assumptions]
    if assumptions:
        blocks.append(Paragraph(words("assumed", assumptions=words.listed(assumptions))))
    return blocks


def definition(context: Context, equation: Equation) -> list[Block]:
    """What a variable means, its shape, and its equation, which is numbered under its name."""
    words, meaning = context.words, context.meaning(equation.name)
    said: Text = meaning or (context.symbol(equation.name),)
    shape = context.shape(equation.name)
    if shape:
        key = "definition" if meaning else "definition without meaning"
        said = words(key, meaning=said, symbol=context.symbol(equation.name), shape=Math(shape))
    if equation.note:
        said = words("note", text=said, note=words.phrase(equation.note))
    shapes = context.options.detail != "result"
    rows = tuple(equation_rows(context, equation, shapes=shapes))
    return [Paragraph((*sentence(said), ":")), Display(rows, label=context.label(equation.name))]
