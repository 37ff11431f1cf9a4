"""The worked example: every value, every local factor, every weight with its chain in numbers, and the update."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.documents.checks import WeightCheck, check_blocks
from symbackprop.documents.layout import WIDTH, glyphs, lines
from symbackprop.documents.numbers import array_latex, array_width, in_product, number_latex
from symbackprop.documents.tree import Block, Display, Heading, Math, Paragraph, Ref, Row, Table, Text
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.forms.scalar import Link, Path, Place, ScalarForm, ScalarGradient
from symbackprop.forms.views import Views
from symbackprop.notation.program import Variable

__all__ = ["WorkedExample", "worked_blocks"]

_MOST_WEIGHTS = 120
"""Up to this many weights each is worked in full; of more, the first of each array is."""
_MOST_ROWS = 600
"""Up to this many weights all stand in the table of the update; of more, those that are worked."""
_MOST_PATHS = 8
"""Up to this many paths a chain is written out from the loss; beyond, from the next variables' derivatives."""
_MOST_ENTRIES = 100
"""Up to this many entries an array is shown whole."""
_LEFT_SIDE = r"\frac{\partial L}{\partial W^{(1)}_{11}}"
"""As wide as what stands left of a chain."""


@dataclass(frozen=True)
class WorkedExample:
    """Numbers for a derivation: the scalar form with its values, the learning rate, and what was drawn from a seed.

    ``examples`` is how many examples the data have, where only the first of them is worked. ``checks`` are the weights
    whose derivatives were taken in other ways.
    """

    form: ScalarForm
    learning_rate: float
    drawn: tuple[str, ...] = ()
    seed: int = 0
    examples: int | None = None
    checks: tuple[WeightCheck, ...] = ()


def worked_blocks(views: Views, example: WorkedExample) -> list[Block]:
    """The section of numbers."""
    form = example.form
    names = [name for name in form.differentiation.wrt if name in form.differentiation.by_variable]
    count = sum(_array(example, name).size for name in names)
    few = count <= _MOST_WEIGHTS
    in_full = list(form) if few else [form.gradient(name, *form.places(name)[0]) for name in names]
    blocks: list[Block] = [Heading("Worked in numbers"), _given(example)]
    blocks += _values(views, example)
    blocks += _local_factors(views, form, [g for g in in_full if g.path_count <= _MOST_PATHS])
    blocks.append(Heading("Every weight" if few else "One weight of each array", 2))
    for gradient in in_full:
        blocks += _weight(views, example, gradient)
    blocks += _update(views, example, names, [g.place for g in in_full] if count > _MOST_ROWS else None)
    checked = [form.gradient(check.place[0], *check.place[1]) for check in example.checks]
    blocks += check_blocks(views, tuple(zip(example.checks, map(_product, checked), strict=True)))
    return blocks


def _product(gradient: ScalarGradient) -> float:
    """What the displayed factors of a weight multiply out to."""
    if gradient.path_count <= _MOST_PATHS:
        return sum(math.prod(_known(link.value) for link in path.links) for path in gradient.paths())
    form = gradient.form
    return sum(_known(form.number(form.adjoint_of(link.of))) * _known(link.value) for link in gradient.successors)


def _known(value: float | None) -> float:
    """A number of the worked example; without numbers there is none to work."""
    assert value is not None
    return value


def _given(example: WorkedExample) -> Paragraph:
    said = "Numbers are computed in double precision and rounded for display to six significant figures."
    if example.examples is not None:
        said += f" The data have {example.examples} examples; the first one is worked here, as a batch of one."
    if example.drawn:
        said += f" Not given, and drawn with seed {example.seed}: {', '.join(example.drawn)}."
    return Paragraph((said,))


def _array(example: WorkedExample, name: str) -> npt.NDArray[Any]:
    assert example.form.values is not None
    return example.form.values[name]


def _values(views: Views, example: WorkedExample) -> list[Block]:
    """All arrays: what is given, what the forward pass gives, and the derivatives on the way back."""
    program = views.differentiation.program
    groups: tuple[tuple[str, Sequence[Variable]], ...] = (
        ("Given", program.inputs),
        ("Forward pass", [equation.left for equation in program.equations]),
        ("Backward pass, examples as rows", [a.equation.left for a in views.differentiation.adjoints]),
    )
    blocks: list[Block] = []
    for title, variables in groups:
        rows = []
        for variable in variables:
            array = _array(example, variable.name)
            if array.ndim <= 2 and array.size <= _MOST_ENTRIES:
                rows += _array_rows(views, variable, array)
        if rows:
            blocks += [Heading(title, 2), Display(tuple(rows))]
    return blocks


def _array_rows(views: Views, variable: Variable, array: npt.NDArray[Any]) -> list[Row]:
    """The array, or its transpose where only that fits on a line; nothing where neither does."""
    for transposed in (False, True) if array.ndim == 2 else (False,):
        symbol = views.symbols.whole(variable.name, len(variable.shape), transposed)
        shown = array.T if transposed else array
        if glyphs(symbol) + 3 + array_width(shown) <= WIDTH:
            return [Row(symbol, (array_latex(shown),))]
    return []


def _local_factors(views: Views, form: ScalarForm, gradients: Sequence[ScalarGradient]) -> list[Block]:
    """Every local derivative that occurs in a chain, once, with its number."""
    links: dict[tuple[Any, Any], Link] = {}
    waiting = [gradient.place for gradient in gradients]
    seen = set(waiting)
    while waiting:
        place = waiting.pop(0)
        for further, link in form.links(place):
            links[(link.of, link.by)] = link
            if further not in seen and further[0] != form.differentiation.loss:
                seen.add(further)
                waiting.append(further)
    rows: list[tuple[Text, ...]] = []
    for link in reversed(links.values()):
        symbol = (Math(_link_latex(views, link)),)
        formula = (Math(views.printer.doprint(link.expression)),)
        rows.append((symbol, formula, (Math(number_latex(_known(link.value))),), (link.rule,)))
    header: tuple[Text, ...] = (("factor",), ("formula",), ("value",), ("rule",))
    if not rows:
        return []
    return [
        Heading("Local factors", 2),
        Paragraph(("Each factor of the chains below, once:",)),
        Table(header, tuple(rows), numeric=frozenset({2}), wide=frozenset({3})),
    ]


def _link_latex(views: Views, link: Link) -> str:
    of, by = (views.printer.doprint(side) for side in (link.of, link.by))
    return rf"\partial {of} / \partial {by}"


def _fraction(views: Views, link: Link) -> str:
    of, by = (views.printer.doprint(side) for side in (link.of, link.by))
    return rf"\frac{{\partial {of}}}{{\partial {by}}}"


def _weight(views: Views, example: WorkedExample, gradient: ScalarGradient) -> list[Block]:
    """One weight: its chain by name, in numbers, the product, and the update."""
    loss = views.symbols.element(views.differentiation.loss)
    weight = views.printer.doprint(gradient.element)
    left = rf"\frac{{\partial {loss}}}{{\partial {weight}}}"
    value = _known(gradient.value)
    if gradient.path_count <= _MOST_PATHS:
        names, numbers = _by_paths(views, gradient.paths())
    else:
        names, numbers = _by_successors(views, example.form, gradient)
    rows = [Row(left, names), Row("", numbers), Row("", (number_latex(value),))]
    old = float(_array(example, gradient.place[0])[gradient.place[1]])
    rate = example.learning_rate
    step = f"{number_latex(old)} - {number_latex(rate)} \\cdot {in_product(value)}"
    arrow = rf"{weight} - \eta \frac{{\partial {loss}}}{{\partial {weight}}}"
    rows.append(Row(weight, (arrow, f"= {step}", f"= {number_latex(old - rate * value)}"), r"\leftarrow"))
    return [Display(tuple(rows))]


def _by_paths(views: Views, paths: Sequence[Path]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names: list[str] = []
    numbers: list[str] = []
    for path in paths:
        plus = "+ " if names else ""
        fractions = [_fraction(views, link) for link in path.links]
        values = [in_product(_known(link.value)) for link in path.links]
        # A long path is broken between its factors; a short one stays on a line.
        names.extend(lines(_LEFT_SIDE, [plus + fractions[0], *fractions[1:]]))
        numbers.extend(lines(_LEFT_SIDE, [plus + values[0], *(rf"\cdot {value}" for value in values[1:])]))
    return tuple(names), tuple(numbers)


def _by_successors(views: Views, form: ScalarForm, gradient: ScalarGradient) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names: list[str] = []
    numbers: list[str] = []
    for link in gradient.successors:
        plus = "+ " if names else ""
        adjoint = form.adjoint_of(link.of)
        value = _known(form.number(adjoint))
        names.append(f"{plus}{views.printer.doprint(adjoint)} {_fraction(views, link)}")
        numbers.append(rf"{plus}{in_product(value)} \cdot {in_product(_known(link.value))}")
    return tuple(names), tuple(numbers)


def _update(views: Views, example: WorkedExample, names: Sequence[str], places: Sequence[Place] | None) -> list[Block]:
    """Weights before and after one step of gradient descent (all, or those at ``places``), and the loss."""
    program = views.differentiation.program
    rate = example.learning_rate
    gradients = {name: _array(example, views.differentiation.by_variable[name].name) for name in names}
    new = {variable.name: _array(example, variable.name) for variable in program.inputs}
    for name in names:
        new[name] = new[name] - rate * gradients[name]
    rows: list[tuple[Text, ...]] = []
    every = [(name, at) for name in names for at in np.ndindex(gradients[name].shape)]
    for name, at in places or every:
        numbers = (float(array[at]) for array in (_array(example, name), gradients[name], new[name]))
        symbol = views.printer.doprint(program.variable(name).at(*at))
        rows.append(((Math(symbol),), *((Math(number_latex(number)),) for number in numbers)))
    sizes = {symbol.name: number for symbol, number in example.form.sizes.items()}
    before = float(_array(example, views.differentiation.loss))
    after = float(np.asarray(evaluate_program(program, new, sizes)[views.differentiation.loss]))
    loss = views.symbols.element(views.differentiation.loss)
    header: tuple[Text, ...] = (("weight",), ("before",), ("gradient",), ("after",))
    sentence: Text = (
        "One step of gradient descent with learning rate ",
        Math(rf"\eta = {number_latex(rate)}"),
        " takes the loss ",
        Ref(views.differentiation.loss),
        " from ",
        Math(f"{loss} = {number_latex(before)}"),
        " to ",
        Math(number_latex(after)),
        ".",
    )
    return [Heading("The update", 2), Table(header, tuple(rows), frozenset({1, 2, 3})), Paragraph(sentence)]
