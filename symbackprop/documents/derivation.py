"""The derivation document: result first, then notation, forward pass, loss, every step of the chain, and numbers."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop._version import __version__
from symbackprop.adjoint.accumulate import put_in
from symbackprop.adjoint.records import Adjoint
from symbackprop.documents.chain import adjoint_blocks, assumption_math, equation_rows
from symbackprop.documents.figures import graph_blocks, network_blocks
from symbackprop.documents.notation_table import notation_blocks
from symbackprop.documents.tree import (
    Block,
    Bullets,
    Display,
    Document,
    Heading,
    Inline,
    Math,
    Paragraph,
    Ref,
    Text,
)
from symbackprop.documents.worked import WorkedExample, worked_blocks
from symbackprop.forms.notation import Orientation
from symbackprop.forms.views import Views
from symbackprop.network import NetworkDescription
from symbackprop.notation.expressions import base_name
from symbackprop.notation.program import Equation, Role, occurrences

__all__ = ["Story", "WorkedExample", "derivation_document"]


@dataclass(frozen=True)
class Story:
    """What a derivation document tells.

    ``description`` says in sentences which network and loss it is about; ``unfused`` is the same network with the
    cross-entropy on top of the probabilities; ``example`` the numbers to work, if there are any; ``source`` the name of
    the file that describes the network; ``network`` its description, where it is one and no other program.
    """

    views: Views
    title: str
    description: tuple[str, ...]
    unfused: Views | None = None
    example: WorkedExample | None = None
    source: str | None = None
    network: NetworkDescription | None = None


def derivation_document(story: Story) -> Document:
    """The whole document."""
    blocks: list[Block] = [Paragraph((sentence,)) for sentence in story.description]
    blocks += network_blocks(story.views, story.network)
    blocks += _result(story.views)
    blocks += notation_blocks(story.views)
    blocks += _forward(story.views)
    blocks += _backward(story.views, story.example)
    blocks += _all_gradients(story.views)
    if story.unfused is not None:
        blocks += _through_probabilities(story.unfused)
    blocks += _kinks(story.views)
    if story.example is not None:
        blocks += worked_blocks(story.views, story.example)
    made_by = (
        f"Made by symbackprop {__version__}; make it again: symbackprop derive {story.source or 'NETWORK'} -o FILE"
    )
    return Document(f"Backpropagation through {story.title}", tuple(blocks), made_by)


def _result(views: Views) -> list[Block]:
    """The final formulas first, in the order they are computed."""
    rows = []
    for adjoint in _in_use(views):
        equation = adjoint.assuming[0][1] if adjoint.assuming else adjoint.equation
        rows.extend(equation_rows(views, equation, matrix_only=True))
    text: Text = ("For a batch of examples as rows, the gradients are, from the loss inwards:",)
    blocks: list[Block] = [Heading("Result"), Paragraph(text), Display(tuple(rows))]
    assumptions = views.differentiation.program.assumptions
    if assumptions and any(adjoint.assuming for adjoint in views.differentiation.adjoints):
        said: list[Inline] = []
        for assumption in assumptions:
            said += [" and " if said else "", assumption_math(views, assumption)]
        blocks.append(Paragraph(("This holds if ", *said, "; without it the longer form derived below holds.")))
    if views.differentiation.unreached:
        names = ", ".join(views.differentiation.unreached)
        blocks.append(Paragraph((f"The loss does not depend on {names}: no gradient.",)))
    return blocks


def _in_use(views: Views) -> list[Adjoint]:
    """The adjoints that were asked for, and those that another adjoint's equation still mentions."""
    adjoints = views.differentiation.adjoints
    mentioned = {base_name(o) for adjoint in adjoints for o in occurrences(adjoint.equation.right)}
    return [a for a in adjoints if a.name in mentioned or a.of.name in views.differentiation.wrt]


def _forward(views: Views) -> list[Block]:
    """One numbered equation for each intermediate, in computing order; the loss in a section of its own."""
    program = views.differentiation.program
    names = [equation.name for equation in program.equations]
    start = names.index(program.output) + 1 if program.output in names else names.index(views.differentiation.loss)
    blocks: list[Block] = [Heading("Forward pass")]
    for equation in program.equations[:start]:
        blocks += _forward_equation(views, equation)
    blocks.append(Heading("Loss"))
    for equation in program.equations[start:]:
        blocks += _forward_equation(views, equation)
    return blocks


def _forward_equation(views: Views, equation: Equation) -> list[Block]:
    meaning = equation.left.meaning
    lead: Text = (f"{meaning[:1].upper()}{meaning[1:]}",) if meaning else (equation.name,)
    if equation.left.shape:
        shape = r" \times ".join(views.printer.doprint(extent) for extent in equation.left.shape)
        lead = (
            *lead,
            ", ",
            Math(views.symbols.whole(equation.name, len(equation.left.shape))),
            " of shape ",
            Math(shape),
        )
    if equation.note:
        lead = (*lead, "; ", equation.note)
    blocks: list[Block] = [Paragraph((*lead, ":"))]
    blocks.append(Display(tuple(equation_rows(views, equation)), label=equation.name))
    return blocks


def _backward(views: Views, example: WorkedExample | None) -> list[Block]:
    intro = (
        "The chain rule is applied to one equation at a time, the last one first. A variable's derivative is the sum "
        "of one contribution for each place where the variable stands. Each local derivative has a line of its own."
    )
    blocks: list[Block] = [Heading("Backward pass"), Paragraph((intro,)), *graph_blocks(views, example)]
    for adjoint in views.differentiation.adjoints:
        blocks += adjoint_blocks(views, adjoint)
    return blocks


_ORIENTED = {
    Orientation.ROWS: "",
    Orientation.COLUMNS: "; here each matrix with one row an example stands for its transpose",
    Orientation.VECTOR: "; here each matrix with one row an example is one column, in small letters",
}


def _all_gradients(views: Views) -> list[Block]:
    """Every gradient in index form and in the three orientations of the matrix form."""
    blocks: list[Block] = [Heading("All gradients")]
    program = views.differentiation.program
    orientations = {Orientation.ROWS: "examples as rows"}
    if program.batch is not None:
        orientations |= {Orientation.COLUMNS: "examples as columns", Orientation.VECTOR: "one example, column vectors"}
    wanted = [
        a
        for a in views.differentiation.adjoints
        if a.of.role is Role.PARAMETER or a.of.name in views.differentiation.wrt
    ]
    index = tuple(row for a in wanted for row in equation_rows(views, a.equation, index_only=True))
    blocks += [Paragraph(("Index form:",)), Display(index)]
    for orientation, words in orientations.items():
        lines = []
        # The file's own orientation was shown on the way; the others need the error signals too.
        for adjoint in wanted if orientation is Orientation.ROWS else _in_use(views):
            lines.extend(equation_rows(views, adjoint.equation, matrix_only=True, orientation=orientation))
        blocks += [Paragraph((f"Matrix form, {words}{_ORIENTED[orientation]}:",)), Display(tuple(lines))]
    return blocks


def _through_probabilities(views: Views) -> list[Block]:
    """The same derivative with the cross-entropy left on top of the probabilities."""
    lead = "The loss above is computed from the pre-activations, for numerical stability. Written on top of the "
    text: Text = (
        lead + "probabilities it is ",
        Math(_last_equation(views)),
        ", and the chain through them gives the same:",
    )
    blocks: list[Block] = [Heading("The chain through the probabilities"), Paragraph(text)]
    output, signal = _output_and_signal(views)
    rows = equation_rows(views, output, index_only=True) + equation_rows(views, signal, index_only=True)
    blocks.append(Display(tuple(rows)))
    stages = put_in(output, signal)
    if stages is not None:
        blocks.append(Paragraph(("Put the first line into the second, and cancel:",)))
        blocks.append(Display(tuple(row for stage in stages for row in equation_rows(views, stage, index_only=True))))
    return blocks


def _output_and_signal(views: Views) -> tuple[Equation, Equation]:
    """The adjoint of the probabilities, and that of the pre-activations they are computed from."""
    program = views.differentiation.program
    assert program.output is not None
    adjoints = views.differentiation.by_variable
    (before,) = (name for name in program.uses[program.output] if name in adjoints)
    return adjoints[program.output].equation, adjoints[before].equation


def _last_equation(views: Views) -> str:
    loss = views.differentiation.program.definitions[views.differentiation.loss]
    program = views.differentiation.program
    ending = [equation for equation in program.equations if program.output in program.uses[equation.name]]
    return views.printer.equation(ending[0] if ending else loss)


def _kinks(views: Views) -> list[Block]:
    kinks = views.differentiation.kinks
    if not kinks:
        return []
    items: list[Text] = []
    for kink in kinks:
        argument = views.printer.doprint(kink.argument)
        where = Math(f"{argument} = {views.printer.doprint(kink.point)}") if kink.point is not None else Math(argument)
        how = " has no derivative where " if kink.point is not None else " has no derivative at a tie in "
        items.append(
            (
                f"{kink.function.replace('_', ' ')} in ",
                Ref(kink.equation),
                how,
                where,
                "; taken there: ",
                kink.convention,
            )
        )
    return [Heading("Points without derivative"), Bullets(tuple(items))]
