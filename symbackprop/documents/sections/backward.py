"""The backward pass: any layer once, then this network's layers from the loss inwards."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.adjoint.accumulate import put_in
from symbackprop.adjoint.records import Adjoint
from symbackprop.documents.example import WorkedExample
from symbackprop.documents.languages.words import Words, sentence
from symbackprop.documents.sections.context import Context
from symbackprop.documents.sections.figures import graph_blocks
from symbackprop.documents.sections.forward import definition
from symbackprop.documents.sections.recursion import GENERAL_FORWARD, Recursion, before_the_first
from symbackprop.documents.sections.steps import adjoint_blocks, final_blocks, index_row, local_blocks, result_blocks
from symbackprop.documents.tree import Block, Display, Heading, Math, Paragraph, Ref
from symbackprop.forms.symbols import split_name
from symbackprop.forms.views import Views
from symbackprop.network import NetworkDescription
from symbackprop.notation.program import Equation, Role

__all__ = ["any_layer", "backward_section", "output_and_signal", "probabilities_section"]


def backward_section(
    context: Context, network: NetworkDescription | None, general: Recursion | None, example: WorkedExample | None
) -> list[Block]:
    """The derivation of every adjoint."""
    words = context.words
    blocks: list[Block] = [Heading(words.plain("backward"))]
    graph = graph_blocks(context, example) if context.says("figures") else []
    if context.options.detail != "result":
        seen = words("graph shown", figure=Ref("graph", figure=True)) if graph else ()
        blocks.append(Paragraph((*words("backward introduction"), *seen)))
    blocks += graph
    if general is not None:
        blocks += any_layer(context, general)
    for title, adjoints in _groups(context, network):
        blocks.append(Heading(title, 2))
        for adjoint in adjoints:
            blocks += _adjoint(context, adjoint, general)
    return blocks


def any_layer(context: Context, general: Recursion) -> list[Block]:
    """The recursion, derived for layer l."""
    words, above = context.words, _above(context, general)
    differentiation, layer = general.views.differentiation, Math(general.layer)
    signal = Math(general.views.symbols.whole("z2_bar", len(differentiation.by_variable["z2"].of.shape)))
    behind, activation = Math(f"{general.layer} + 1"), Math(general.activation)
    said = words("any layer introduction", layer=layer, next=behind, activation=activation)
    inputs = words("any layer inputs", first=before_the_first(context, general), inputs=context.symbol("x"))
    blocks: list[Block] = [Heading(words.plain("any layer"), 2), Paragraph((*said, *inputs))]
    for name in GENERAL_FORWARD:
        blocks += definition(above, differentiation.program.definitions[name])
    blocks.append(Paragraph(words("any layer signal", layer=layer, variable=above.symbol("z2"), signal=signal)))
    for adjoint in general.gradients:
        blocks += adjoint_blocks(above, adjoint)
    return blocks


def _above(context: Context, general: Recursion) -> Context:
    return Context(general.views, context.options, general.layer)


def _groups(context: Context, network: NetworkDescription | None) -> Iterator[tuple[str, list[Adjoint]]]:
    """The adjoints by layer, with a title for each; one by one where there are no layers."""
    words = context.words
    groups: dict[str, list[Adjoint]] = {}
    for adjoint in context.views.differentiation.adjoints:
        title = _title(words, adjoint) if network else words.plain("variable", name=adjoint.of.name)
        groups.setdefault(title, []).append(adjoint)
    yield from groups.items()


def _title(words: Words, adjoint: Adjoint) -> str:
    """The layer that a variable belongs to, the inputs, or what is behind the layers."""
    base, number = split_name(adjoint.of.name)
    if number and base in ("W", "b", "z", "a"):
        return words.plain("layer title", number=number)
    return words.plain("from the loss" if adjoint.of.role is Role.DEFINED else "inputs title")


def _adjoint(context: Context, adjoint: Adjoint, general: Recursion | None) -> list[Block]:
    """The derivation, or for an instance of the general one a reference to it."""
    instance = None if general is None else general.instances.get(adjoint.of.name)
    if general is None or instance is None:
        return adjoint_blocks(context, adjoint)
    known = general.views.differentiation.by_variable[instance.role].name
    concrete = instance.role == "z1" and context.options.detail != "result"
    said = context.words(
        "by the general one with" if concrete else "by the general one",
        meaning=context.meaning(adjoint.of.name),
        equation=_above(context, general).ref(known),
        layer=Math(f"{general.layer} = {instance.layer}"),
    )
    if not concrete:
        return [Paragraph(sentence(said)), *final_blocks(context, adjoint)]
    return [
        Paragraph(sentence(said)),
        *local_blocks(context, adjoint.contributions[0]),
        *result_blocks(context, adjoint),
    ]


def probabilities_section(context: Context, unfused: Context) -> list[Block]:
    """The same derivative with the cross-entropy left on top of the probabilities."""
    words = context.words
    if unfused.views.differentiation.program.output not in unfused.views.differentiation.by_variable:
        return []
    output, signal = output_and_signal(unfused.views)
    loss = Math(unfused.views.printer.equation(_loss_of_output(unfused.views)))
    blocks: list[Block] = [
        Heading(words.plain("probabilities"), 2),
        Paragraph(words("through probabilities", loss=loss)),
    ]
    blocks.append(Display((index_row(unfused, output), index_row(unfused, signal))))
    stages = put_in(output, signal)
    if stages is not None:
        blocks.append(Paragraph(words("cancel")))
        blocks.append(Display(tuple(index_row(unfused, stage) for stage in stages)))
    return blocks


def output_and_signal(views: Views) -> tuple[Equation, Equation]:
    """The adjoint of the probabilities, and that of the pre-activations they are computed from."""
    program = views.differentiation.program
    assert program.output is not None
    adjoints = views.differentiation.by_variable
    (before,) = (name for name in program.uses[program.output] if name in adjoints)
    return adjoints[program.output].equation, adjoints[before].equation


def _loss_of_output(views: Views) -> Equation:
    """The equation that makes a loss of the probabilities."""
    program = views.differentiation.program
    ending = [equation for equation in program.equations if program.output in program.uses[equation.name]]
    return ending[0] if ending else program.definitions[views.differentiation.loss]
