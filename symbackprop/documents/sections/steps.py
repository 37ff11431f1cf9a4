"""The derivation of one adjoint: where the variable stands, the local derivatives one by one, and the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import sympy

from symbackprop.adjoint.local import content
from symbackprop.adjoint.records import Adjoint, Contribution, Factor, Step
from symbackprop.documents.languages.words import joined, sentence
from symbackprop.documents.sections.context import Context
from symbackprop.documents.sections.identities import identity_refs
from symbackprop.documents.tree import Block, Display, Math, Paragraph, Row, Text
from symbackprop.errors import NoRuleError
from symbackprop.forms.breaks import Rank, bracketed, unmarked
from symbackprop.forms.lower import Lowered
from symbackprop.notation.expressions import is_occurrence
from symbackprop.notation.program import Assumption, Equation
from symbackprop.notation.terms import Term

__all__ = [
    "adjoint_blocks",
    "assumption_math",
    "equation_rows",
    "factors_shown",
    "final_blocks",
    "index_row",
    "local_blocks",
    "matrix_row",
    "result_blocks",
    "shown_form",
]

_SPACE = r"\,"
_TRIVIAL = ("sum rule", "identity")
_STEP_WORDS = {"index": "plain step", "constant sum": "plain step", "fold": "fold"}


def equation_rows(context: Context, equation: Equation, *, shapes: bool = False) -> list[Row]:
    """The index form and the matrix form of an equation; the index form alone where there is no matrix form."""
    rows = [index_row(context, equation)]
    matrix = matrix_row(context, equation, shapes=shapes)
    return rows if matrix is None else [*rows, matrix]


def index_row(context: Context, equation: Equation) -> Row:
    """The index form of an equation."""
    printer = context.views.printer
    return Row(printer.doprint(equation.left.everywhere), printer.pieces(equation))


def matrix_row(context: Context, equation: Equation, *, shapes: bool = False) -> Row | None:
    """The matrix form of an equation; None where matrix notation cannot say it."""
    form = shown_form(context, equation)
    printer = context.views.matrix_printer
    return None if form is None else Row(printer.print(form.left), (printer.right(form, shapes),))


def shown_form(context: Context, equation: Equation) -> Lowered | None:
    """The matrix form of an equation as its examples lie; None for a number, and where notation cannot say it."""
    if not equation.left.shape:
        return None
    try:
        form = context.views.lowered(equation, context.orientation)
        context.views.matrix_printer.equation(form)
    except NoRuleError:
        return None
    return form


def adjoint_blocks(context: Context, adjoint: Adjoint) -> list[Block]:
    """The derivation of one adjoint, its final form numbered under the adjoint's name."""
    words = context.words
    places = _places(context, adjoint)
    symbol = Math(context.views.printer.doprint(adjoint.of.everywhere))
    meaning = context.meaning(adjoint.of.name)
    if context.options.detail == "result":
        said = words("by the chain rule", meaning=meaning or (symbol,), places=places)
        return [Paragraph(sentence(said)), *final_blocks(context, adjoint)]
    marks = _marks(adjoint.contributions)
    key = "stands in" if meaning else "stands in without meaning"
    text = words(key, meaning=meaning, symbol=symbol, places=places)
    if any(marks):
        text = (*text, *words("marked", mark=Math(r"|_1")))
    blocks: list[Block] = [Paragraph(sentence(text))]
    if len(adjoint.contributions) > 1 or adjoint.contributions[0].cotangent is not None:
        blocks.append(Display((_by_names(context, adjoint, marks),)))
    alone = len(adjoint.contributions) == 1 and adjoint.contributions[0].cotangent is None
    for contribution, mark in zip(adjoint.contributions, marks, strict=True):
        blocks += local_blocks(context, contribution, mark, alone=alone)
    return [*blocks, *result_blocks(context, adjoint)]


def _places(context: Context, adjoint: Adjoint) -> Text:
    through = dict.fromkeys(contribution.through for contribution in adjoint.contributions)
    return joined(", ", [(context.ref(name),) for name in through])


def _marks(contributions: Sequence[Contribution]) -> list[int]:
    """Which place of the variable a contribution is for, where one equation has several; else 0."""
    counts: dict[str, int] = {}
    several = Counter(contribution.through for contribution in contributions)
    marks = []
    for contribution in contributions:
        counts[contribution.through] = counts.get(contribution.through, 0) + 1
        marks.append(counts[contribution.through] if several[contribution.through] > 1 else 0)
    return marks


def _by_names(context: Context, adjoint: Adjoint, marks: Sequence[int]) -> Row:
    """dL/dv = sum of dL/du * du/dv, with names only."""
    printer = context.views.printer
    of = printer.doprint(adjoint.of.everywhere)
    pieces: list[str] = []
    for contribution, mark in zip(adjoint.contributions, marks, strict=True):
        factors = [_partial(context, contribution, mark)]
        if contribution.cotangent is not None:
            factors.insert(0, printer.doprint(contribution.cotangent))
        sums = printer.sums(contribution.sums_over_elements)
        pieces.append(f"{'+ ' if pieces else ''}{sums} {printer.joined(factors, Rank.FACTOR, _SPACE)}".strip())
    return Row(rf"\frac{{\partial {context.loss.latex}}}{{\partial {of}}}", tuple(pieces))


def _partial(context: Context, contribution: Contribution, mark: int) -> str:
    printer = context.views.printer
    element = printer.doprint(contribution.element)
    variable = context.views.symbols.variable(contribution.variable)
    fraction = rf"\frac{{\partial {element}}}{{\partial {printer.doprint(variable.everywhere)}}}"
    return rf"\left.{fraction}\right|_{{{mark}}}" if mark else fraction


def local_blocks(context: Context, contribution: Contribution, mark: int = 0, *, alone: bool = False) -> list[Block]:
    """The local derivative of one equation by one variable: each factor with its reason, then the product.

    One that is ``alone`` is the whole derivative, so its product is left to the result.
    """
    every = context.options.detail == "every"
    telling = _telling(context, contribution)
    rows = [_factor_row(context, factor) for factor in factors_shown(context, contribution)]
    left = _partial(context, contribution, mark)
    right = context.views.printer.term_pieces((contribution.partial,))
    if every:
        product = context.views.printer.term_pieces((_product(contribution),))
        if product != right:
            rows.append(Row(left, product))
            left = ""
    if not alone:
        rows.append(Row(left, right))
    reasons = Paragraph(_reasons(context, contribution, telling))
    return [reasons, Display(tuple(rows))] if rows else [reasons]


def _telling(context: Context, contribution: Contribution) -> list[Factor]:
    """The factors that say something: all but those that are 1 and known to everybody."""
    every = context.options.detail == "every"
    return [f for f in contribution.chain if every or f.rule not in _TRIVIAL] or [contribution.chain[-1]]


def factors_shown(context: Context, contribution: Contribution) -> list[Factor]:
    """The factors that have a line of their own; a single one is the local derivative itself."""
    telling = _telling(context, contribution)
    return telling if len(telling) > 1 else []


def _product(contribution: Contribution) -> Term:
    """The factors of the chain as they were found, before anything is taken out or written by name."""
    factors = tuple(factor.expression for factor in contribution.chain if factor.expression != 1)
    return Term(sympy.S.One, contribution.partial.sums, factors + contribution.brackets)


def _reasons(context: Context, contribution: Contribution, telling: Sequence[Factor]) -> Text:
    words = context.words
    said: list[Text] = []
    for rule, reason, identity in dict.fromkeys((f.rule, f.reason, f.identity) for f in telling):
        if identity:
            said.append(words("rule with identity", rule=words.phrase(rule), identity=Math(identity)))
        else:
            said.append(words("rule with reason", rule=words.phrase(rule), reason=words.phrase(reason)))
    said += [_step(context, step, _STEP_WORDS.get(step.rule, "step")) for step in contribution.steps]
    return words("from", equation=context.ref(contribution.through), reasons=joined("; ", said))


def _step(context: Context, step: Step, key: str) -> Text:
    words = context.words
    text = words(key, rule=words.phrase(step.rule), reason=words.phrase(step.reason))
    return words("citing", text=text, equation=context.ref(step.equation)) if step.equation else text


def _factor_row(context: Context, factor: Factor) -> Row:
    printer = context.views.printer
    of, by = printer.doprint(factor.of), printer.doprint(factor.by)
    by = by if is_occurrence(factor.by) else unmarked(bracketed(by, tall=True))
    if is_occurrence(factor.of):
        left = rf"\frac{{\partial {of}}}{{\partial {by}}}"
    else:
        left = rf"\frac{{\partial}}{{\partial {by}}} {bracketed(of, tall=True)}"
    coefficient, factors = content(factor.expression)
    return Row(left, printer.term_pieces((Term(coefficient, (), factors),)))


def result_blocks(context: Context, adjoint: Adjoint) -> list[Block]:
    """The contributions together, in index form and in matrix form."""
    said = [_step(context, step, "step") for step in adjoint.steps]
    steps = joined("; ", [("",), *said]) if said else ()
    form = shown_form(context, adjoint.equation)
    refs = identity_refs(context, form)
    key = "together as matrices" if refs else "together"
    lead = Paragraph(context.words(key, steps=steps, identities=context.words.listed(refs)))
    rows: list[Block] = []
    if context.options.detail == "every":
        rows += _put_together(context, adjoint)
    return [*rows, lead, *final_blocks(context, adjoint)]


def _put_together(context: Context, adjoint: Adjoint) -> list[Block]:
    """The sum of the contributions as they come, where the final form is another one."""
    printer = context.views.printer
    raw = printer.term_pieces(tuple(contribution.term for contribution in adjoint.contributions))
    if raw == printer.pieces(adjoint.equation):
        return []
    left = printer.doprint(adjoint.equation.left.everywhere)
    return [Paragraph(context.words("put in")), Display((Row(left, raw),))]


def final_blocks(context: Context, adjoint: Adjoint) -> list[Block]:
    """The final form, numbered, and the forms it takes under assumptions."""
    rows = equation_rows(context, adjoint.equation, shapes=context.options.detail != "result")
    blocks: list[Block] = [Display(tuple(rows), label=context.label(adjoint.name))]
    for assumption, equation in adjoint.assuming:
        blocks.append(Paragraph(context.words("assuming", assumption=assumption_math(context, assumption))))
        blocks.append(Display(tuple(equation_rows(context, equation))))
    return blocks


def assumption_math(context: Context, assumption: Assumption) -> Math:
    """An assumption as a formula."""
    printer = context.views.printer
    return Math(f"{printer.doprint(assumption.left)} = {printer.doprint(assumption.value)}")
