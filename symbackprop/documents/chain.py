"""The backward pass in a document: for each variable, where it stands, the local derivatives, and the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from symbackprop.adjoint.records import Adjoint, Contribution, Factor
from symbackprop.documents.tree import Block, Display, Heading, Inline, Math, Paragraph, Ref, Row, Text
from symbackprop.errors import NoRuleError
from symbackprop.forms.notation import Orientation
from symbackprop.forms.views import Views
from symbackprop.notation.expressions import is_occurrence
from symbackprop.notation.program import Assumption, Equation

__all__ = ["adjoint_blocks", "assumption_math", "equation_rows"]

_TRIVIAL = ("sum rule", "identity")


def equation_rows(
    views: Views,
    equation: Equation,
    *,
    index_only: bool = False,
    matrix_only: bool = False,
    orientation: Orientation = Orientation.ROWS,
) -> list[Row]:
    """The index form and the matrix form of an equation; the index form alone where there is no matrix form."""
    rows = []
    matrix = None if index_only else _matrix_row(views, equation, orientation)
    if not matrix_only or matrix is None:
        rows.append(Row(views.printer.doprint(equation.left.everywhere), views.printer.pieces(equation)))
    if matrix is not None and (matrix_only or equation.left.shape):
        rows.append(matrix)
    return rows


def _matrix_row(views: Views, equation: Equation, orientation: Orientation) -> Row | None:
    try:
        form = views.lowered(equation, orientation)
        return Row(views.matrix_printer.print(form.left), (views.matrix_printer.right(form),))
    except NoRuleError:
        return None


def adjoint_blocks(views: Views, adjoint: Adjoint) -> list[Block]:
    """The derivation of one adjoint, its final form numbered under the adjoint's name."""
    meaning = adjoint.of.meaning
    blocks: list[Block] = [Heading(f"{adjoint.of.name}: {meaning}" if meaning else adjoint.of.name, 2)]
    through: list[Inline] = []
    for equation in dict.fromkeys(contribution.through for contribution in adjoint.contributions):
        through += [", " if through else "", Ref(equation)]
    text: list[Inline] = [Math(views.printer.doprint(adjoint.of.everywhere)), " stands in ", *through, "."]
    marks = _marks(adjoint.contributions)
    if any(marks):
        marked = " A mark ", Math(r"|_1"), " says: by this place alone, the variable's other places held fixed."
        text += marked
    blocks.append(Paragraph(tuple(text)))
    if len(adjoint.contributions) > 1 or adjoint.contributions[0].cotangent is not None:
        blocks.append(Display(_by_names(views, adjoint, marks)))
    for contribution, mark in zip(adjoint.contributions, marks, strict=True):
        blocks += _local_blocks(views, contribution, mark)
    blocks += _result_blocks(views, adjoint)
    return blocks


def _marks(contributions: Sequence[Contribution]) -> list[int]:
    """Which place of the variable a contribution is for, where one equation has several; else 0."""
    counts: dict[str, int] = {}
    several = Counter(contribution.through for contribution in contributions)
    marks = []
    for contribution in contributions:
        counts[contribution.through] = counts.get(contribution.through, 0) + 1
        marks.append(counts[contribution.through] if several[contribution.through] > 1 else 0)
    return marks


def _by_names(views: Views, adjoint: Adjoint, marks: Sequence[int]) -> tuple[Row, ...]:
    """dL/dv = sum of dL/du * du/dv, with names only."""
    loss = views.symbols.element(views.differentiation.loss)
    of = views.printer.doprint(adjoint.of.everywhere)
    left = rf"\frac{{\partial {loss}}}{{\partial {of}}}"
    pieces: list[str] = []
    for contribution, mark in zip(adjoint.contributions, marks, strict=True):
        factors = [_partial(views, contribution, mark)]
        if contribution.cotangent is not None:
            factors.insert(0, views.printer.doprint(contribution.cotangent))
        sums = views.printer.sums(contribution.sums_over_elements)
        term = r"\,".join(factors)
        pieces.append(f"{'+ ' if pieces else ''}{sums} {term}".strip())
    return (Row(left, tuple(pieces)),)


def _partial(views: Views, contribution: Contribution, mark: int) -> str:
    element = views.printer.doprint(contribution.element)
    variable = views.symbols.program.variable(contribution.variable)
    fraction = rf"\frac{{\partial {element}}}{{\partial {views.printer.doprint(variable.everywhere)}}}"
    return rf"\left.{fraction}\right|_{{{mark}}}" if mark else fraction


def _local_blocks(views: Views, contribution: Contribution, mark: int) -> list[Block]:
    """The local derivative of one equation by one variable: each factor with its reason, then the product."""
    telling = [factor for factor in contribution.chain if factor.rule not in _TRIVIAL] or [contribution.chain[-1]]
    text: list[Inline] = ["From ", Ref(contribution.through), ": "]
    said = dict.fromkeys((factor.rule, factor.reason, factor.identity) for factor in telling)
    for place, (rule, reason, identity) in enumerate(said):
        text += ["; " if place else "", rule]
        text += [", ", Math(identity)] if identity else [" (", reason, ")"]
    for step in contribution.steps:
        text += ["; ", _STEP_WORDS.get(step.rule, step.rule), step.reason]
        if step.equation:
            text += [", ", Ref(step.equation)]
    rows = []
    if len(telling) > 1:
        rows += [_factor_row(views, factor) for factor in telling]
    rows.append(Row(_partial(views, contribution, mark), views.printer.term_pieces((contribution.partial,))))
    return [Paragraph((*text, ".")), Display(tuple(rows))]


_STEP_WORDS = {"index": "", "fold": "written by name, since ", "constant sum": ""}


def assumption_math(views: Views, assumption: Assumption) -> Math:
    """An assumption as a formula."""
    return Math(f"{views.printer.doprint(assumption.left)} = {views.printer.doprint(assumption.value)}")


def _factor_row(views: Views, factor: Factor) -> Row:
    of, by = views.printer.doprint(factor.of), views.printer.doprint(factor.by)
    by = by if is_occurrence(factor.by) else rf"\left({by}\right)"
    if is_occurrence(factor.of):
        left = rf"\frac{{\partial {of}}}{{\partial {by}}}"
    else:
        left = rf"\frac{{\partial}}{{\partial {by}}} \left({of}\right)"
    return Row(left, (views.printer.doprint(factor.expression),))


def _result_blocks(views: Views, adjoint: Adjoint) -> list[Block]:
    text: list[Inline] = ["Together"]
    for step in adjoint.steps:
        text += [f"; {step.rule}: {step.reason}"]
        if step.equation:
            text += [", ", Ref(step.equation)]
    lead: Text = (*text, ":")
    blocks: list[Block] = [Paragraph(lead), Display(tuple(equation_rows(views, adjoint.equation)), label=adjoint.name)]
    for assumption, equation in adjoint.assuming:
        blocks.append(Paragraph(("If ", assumption_math(views, assumption), ", this is")))
        blocks.append(Display(tuple(equation_rows(views, equation))))
    return blocks
