"""The notation section: conventions, then every symbol once, with its meaning and shape."""

from __future__ import annotations

import sympy

from symbackprop.documents.layout import WIDTH, glyphs
from symbackprop.documents.tree import Block, Bullets, Display, Heading, Math, Paragraph, Row, Table, Text
from symbackprop.forms.views import Views
from symbackprop.functions.records import NamedConstant
from symbackprop.notation.expressions import Bracket, ElementwiseFunction, walk
from symbackprop.notation.program import Program, Role, Variable

__all__ = ["notation_blocks"]

_MEANINGS = {
    Role.INPUT: "input",
    Role.TARGET: "target",
    Role.PARAMETER: "parameter",
    Role.DEFINED: "intermediate",
}


def notation_blocks(views: Views) -> list[Block]:
    """Layout convention, symbols, and the functions with their derivatives."""
    program = views.differentiation.adjoint_program
    conventions: list[Text] = [
        ("Indices count from 1. A derivative by an array has the shape of the array.",),
        (
            "A matrix is written with a capital letter, or bold where that is taken, its entries with the small one. ",
            Math(r"\odot"),
            " multiplies entry by entry, ",
            Math(r"\mathbf{1}_N"),
            " is the column of ",
            Math("N"),
            " ones; a number added to an array is added to each entry. Products of matrices bind more tightly than ",
            Math(r"\odot"),
            ".",
        ),
    ]
    if program.batch is not None:
        size = views.printer.doprint(program.batch)
        conventions.append(
            (
                "A batch of ",
                Math(size),
                " examples is stored as rows.",
            )
        )
    if any(node for equation in program.equations for node in walk(equation.right) if isinstance(node, Bracket)):
        conventions.append(
            (
                Math(r"[\,\cdot\,]"),
                " is 1 where the condition holds and 0 elsewhere.",
            )
        )
    written = " ".join(filter(None, (views.matrix_latex(equation) for equation in program.equations)))
    if r"\oslash" in written:
        conventions.append((Math(r"\oslash"), " divides entry by entry."))
    if r"{\circ" in written:
        conventions.append(
            (Math(r"A^{\circ p}"), " raises each entry of ", Math("A"), " to the power ", Math("p"), ".")
        )
    if r"_{\text{rows}}" in written:
        conventions.append(("The subscript 'rows' says that each row is taken by itself.",))
    blocks: list[Block] = [Heading("Notation"), Bullets(tuple(conventions)), _symbols(views, program)]
    blocks += _functions(views, program)
    return blocks


def _symbols(views: Views, program: Program) -> Table:
    rows: list[tuple[Text, ...]] = []
    for variable in views.differentiation.program.variables.values():
        rows.append(_row(views, variable))
    for adjoint in views.differentiation.adjoints:
        if views.symbols.is_delta(adjoint.equation.left):
            rows.append(_row(views, adjoint.equation.left))
    for symbol in program.sizes:
        meaning = "number of examples" if symbol == program.batch else "a size"
        rows.append(((Math(views.printer.doprint(symbol)),), (meaning,), ("",)))
    return Table((("symbol",), ("meaning",), ("shape",)), tuple(rows))


def _row(views: Views, variable: Variable) -> tuple[Text, ...]:
    element = views.printer.doprint(variable.everywhere)
    symbol: Text = (Math(element),)
    if variable.shape:
        symbol = (Math(views.symbols.whole(variable.name, len(variable.shape))), " = ", Math(f"({element})"))
    shape = r" \times ".join(views.printer.doprint(extent) for extent in variable.shape)
    meaning: Text = (variable.meaning or _MEANINGS.get(variable.role, ""),)
    if variable.of is not None:
        derivative = rf"\partial {views.symbols.loss(variable)} / \partial {views.symbols.element(variable.of)}"
        meaning = ("error signal, ", Math(derivative))
    return symbol, meaning, (Math(shape),) if shape else ("number",)


def _functions(views: Views, program: Program) -> list[Block]:
    """The definition of every named function in use, and the derivative that is used."""
    z = sympy.Symbol("z", real=True)
    found: dict[type[ElementwiseFunction], None] = {}
    waiting: list[sympy.Basic] = [equation.right for equation in program.equations]
    while waiting:
        for node in walk(waiting.pop(0)):
            if isinstance(node, ElementwiseFunction) and type(node) not in found:
                found[type(node)] = None
                # A definition may rest on further functions.
                waiting.append(node.record.definition(z))
    if not found:
        return []
    constants: dict[NamedConstant, None] = {}
    rows = []
    for function in found:
        definition = views.printer.doprint(function.record.definition(z))
        name = views.printer.doprint(function(z))
        if glyphs(name + definition + function.record.identity) > WIDTH - 10:
            rows += [Row(name, (definition,)), Row("", (function.record.identity,), "")]
        else:
            rows.append(Row(name, (definition, r",\qquad", function.record.identity)))
        constants.update(dict.fromkeys(sorted(function.record.definition(z).atoms(NamedConstant), key=str)))
    rows.extend(Row(views.printer.doprint(constant), (constant.digits[:18],), r"\approx") for constant in constants)
    return [Paragraph(("Functions, with the derivatives that are used:",)), Display(tuple(rows))]
