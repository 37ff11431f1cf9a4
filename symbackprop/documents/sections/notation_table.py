"""The notation section: conventions, then every symbol once, with its meaning and shape."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symbackprop.documents.example import WorkedExample
from symbackprop.documents.layout import WIDTH, glyphs
from symbackprop.documents.sections.context import Context
from symbackprop.documents.sections.identities import identity_blocks
from symbackprop.documents.sections.recursion import Recursion, before_the_first
from symbackprop.documents.sections.result import is_deep
from symbackprop.documents.sections.steps import factors_shown, shown_form
from symbackprop.documents.tree import Block, Bullets, Display, Heading, Math, Paragraph, Row, Table, Text
from symbackprop.forms.lower import Lowered
from symbackprop.forms.notation import Orientation
from symbackprop.forms.symbols import split_name
from symbackprop.functions.records import NamedConstant
from symbackprop.notation.expressions import REDUCTIONS, Bracket, ElementwiseFunction, Limit, limits, walk
from symbackprop.notation.indices import free_indices
from symbackprop.notation.program import Equation, Program, Role, Variable

__all__ = ["notation_section"]

_MOST_ALIKE = 6
"""Up to this many layers each has rows of its own."""
_Z = sympy.Symbol("z", real=True)


def notation_section(context: Context, general: Recursion | None, example: WorkedExample | None) -> list[Block]:
    """Layout conventions, symbols, the functions with their derivatives, and what matrix notation means."""
    program = context.views.differentiation.adjoint_program
    title = Heading(context.words.plain("notation"))
    table = Table(
        tuple((context.words.plain(key),) for key in ("symbol", "meaning", "shape")),
        (*_symbols(context, program, general), *_general_symbols(context, general), *_rate(context, example)),
    )
    blocks: list[Block] = [title, Bullets(tuple(_conventions(context, program))), table, *_functions(context, program)]
    forms = [*_forms(context), *(_forms(Context(general.views, context.options, general.layer)) if general else ())]
    return [*blocks, *identity_blocks(context, forms)]


def _forms(context: Context) -> Iterator[Lowered]:
    """The matrix forms that are shown."""
    for equation in context.views.differentiation.adjoint_program.equations:
        form = shown_form(context, equation)
        if form is not None:
            yield form


def _conventions(context: Context, program: Program) -> Iterator[Text]:
    words = context.words
    yield words("counted from one")
    yield words("capitals" if context.views.notation.scheme.capitals else "no capitals")
    yield words("derivative by an array")
    if program.batch is not None:
        columns = context.orientation is Orientation.COLUMNS
        size = Math(context.views.printer.doprint(program.batch))
        yield words("examples as columns" if columns else "examples as rows", size=size)
    elif context.views.notation.examples_as is Orientation.VECTOR:
        yield words("one example")
    printed = list(_printed(context))
    for sign, (key, shown) in _OPERATIONS.items():
        if any(sign in formula for formula in printed):
            yield words(key, sign=Math(shown))
    if any(isinstance(node, Bracket) for equation in program.equations for node in walk(equation.right)):
        yield words("bracket", bracket=Math(r"[\,\cdot\,]"))


_OPERATIONS = {
    r"\odot": ("hadamard", r"\odot"),
    r"\oslash": ("entrywise division", r"\oslash"),
    r"{\circ": ("entrywise power", r"A^{\circ p}"),
    r"\mathbf{1}": ("ones", r"\mathbf{1}"),
    r"_{\text{rows}}": ("by rows", ""),
    r"_{\text{columns}}": ("by columns", ""),
}
"""What needs explaining where it is printed: the sentence, and the sign in it."""


def _printed(context: Context) -> Iterator[str]:
    for form in _forms(context):
        yield context.views.matrix_printer.right(form)


def _symbols(context: Context, program: Program, general: Recursion | None) -> Iterator[tuple[Text, ...]]:
    differentiation = context.views.differentiation
    signals = [a.equation.left for a in differentiation.adjoints if context.views.symbols.is_delta(a.equation.left)]
    for alike in _alike([*differentiation.program.variables.values(), *signals]):
        yield _row(context, alike[0], _meaning(context, alike[0])) if len(alike) == 1 else _rows(context, alike)
    for size in program.sizes:
        key = "number of examples" if size == program.batch else "a size"
        yield (Math(context.views.printer.doprint(size)),), context.words(key), ()
    yield from _indices(context, program, general)
    if _has_functions(context, program):
        yield (Math("z"),), context.words("any argument"), ()


def _has_functions(context: Context, program: Program) -> bool:
    """Whether the definition or the derivative of a function is shown, which are functions of z."""
    chains = (c.chain for adjoint in context.views.differentiation.adjoints for c in adjoint.contributions)
    shown = context.says("backward") and context.options.detail != "result"
    known = shown and any(factor.identity for chain in chains for factor in chain)
    return known or bool(_named(program.equations))


def _indices(context: Context, program: Program, general: Recursion | None) -> Iterator[tuple[Text, ...]]:
    """The indices, those over the examples apart."""
    counted: dict[str, bool] = {}
    for i, extent in _limits(context, general):
        counted.setdefault(i.name, extent == program.batch)
    for key, over_examples in (("index of examples", True), ("index of units", False)):
        letters = (name for name, examples in counted.items() if examples is over_examples)
        names = sorted(map(context.views.symbols.index, letters))
        if names:
            yield (Math(", ".join(names)),), context.words(key), ()


def _limits(context: Context, general: Recursion | None) -> Iterator[Limit]:
    """Every index that is shown, with its size: of the equations, and of the steps to them."""
    derived = [(context, adjoint) for adjoint in context.views.differentiation.adjoints]
    for equation in context.views.differentiation.adjoint_program.equations:
        yield from equation.scope
        yield from _bound(equation.right)
    if not context.says("backward") or context.options.detail == "result":
        return
    if general is not None:
        above = Context(general.views, context.options, general.layer)
        roles = {name: instance.role for name, instance in general.instances.items()}
        derived = [(context, adjoint) for _, adjoint in derived if roles.get(adjoint.of.name, "z1") == "z1"]
        derived += [(above, adjoint) for adjoint in general.gradients]
    for place, adjoint in derived:
        for contribution in adjoint.contributions:
            yield from contribution.sums
            for factor in factors_shown(place, contribution):
                for part in (factor.of, factor.by, factor.expression):
                    yield from _bound(part)
                    yield from ((i, sympy.S.One) for i in free_indices(part))


def _bound(expression: sympy.Basic) -> Iterator[Limit]:
    return (limit for node in walk(expression) if isinstance(node, REDUCTIONS) for limit in limits(node))


def _general_symbols(context: Context, general: Recursion | None) -> Iterator[tuple[Text, ...]]:
    """What the derivation for any layer is written in."""
    in_result = context.says("result") and is_deep(context)
    if general is None or not (context.says("backward") or in_result):
        return
    words, symbols, layer = context.words, general.views.symbols, Math(general.layer)
    yield (layer,), words("a layer"), ()
    above = Context(general.views, context.options, general.layer)
    for name in ("W1", "b1", "z1", "a1"):
        if name in general.views.differentiation.program.variables:
            yield _row(above, symbols.variable(name), above.meaning(name))
    if symbols.is_delta(symbols.variable("z1_bar")):
        yield _row(above, symbols.variable("z1_bar"), _meaning(above, symbols.variable("z1_bar")))
    yield (before_the_first(context, general),), words("layer zero", inputs=context.symbol("x")), ()
    yield (Math(general.activation),), words("any activation", layer=layer), ()
    yield (Math(symbols.size("H1")),), words("units of any layer", layer=layer), ()


def _rate(context: Context, example: WorkedExample | None) -> Iterator[tuple[Text, ...]]:
    if example is not None and context.says("numbers"):
        yield (Math(r"\eta"),), context.words("learning rate"), ()
    if example is not None and example.checks and context.says("checks"):
        yield (Math("w"),), context.words("any weight"), ()
        yield (Math(r"\epsilon"),), context.words("step of a check"), ()


def _alike(variables: list[Variable]) -> Iterator[list[Variable]]:
    """Variables by themselves; those that many layers have, of one shape, together."""
    families: dict[tuple[str, Role, tuple[sympy.Expr, ...]], list[Variable]] = {}
    for variable in variables:
        families.setdefault(_family(variable), []).append(variable)
    for variable in variables:
        family = families[_family(variable)]
        if len(family) <= _MOST_ALIKE or not _follow_each_other(sorted(map(_number, family))):
            yield [variable]
        elif variable is family[0]:
            yield sorted(family, key=_number)


def _family(variable: Variable) -> tuple[str, Role, tuple[sympy.Expr, ...]]:
    return split_name(variable.of or variable.name)[0], variable.role, variable.shape


def _number(variable: Variable) -> int:
    """The layer's number; -1 where there is none."""
    return int(split_name(variable.of or variable.name)[1] or -1)


def _follow_each_other(numbers: list[int]) -> bool:
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _rows(context: Context, alike: list[Variable]) -> tuple[Text, ...]:
    """One row for many layers: what is said of the first holds up to the last."""
    symbol, meaning, shape = _row(context, alike[0], _meaning(context, alike[0]))
    last = context.symbol(alike[-1].name)
    further = context.words("to layer", meaning=meaning, last=_number(alike[-1]))
    return (*symbol, ", ", Math(r"\ldots"), ", ", last), further, shape


def _row(context: Context, variable: Variable, meaning: Text) -> tuple[Text, ...]:
    element = context.views.printer.doprint(variable.everywhere)
    symbol: Text = (Math(element),)
    if variable.shape:
        symbol = (context.symbol(variable.name), " = ", Math(f"({element})"))
    shape = context.shape(variable.name)
    return symbol, meaning, (Math(shape),) if shape else context.words("a number")


def _meaning(context: Context, variable: Variable) -> Text:
    words, symbols = context.words, context.views.symbols
    if variable.of is None:
        return (words.phrase(variable.meaning or variable.role.value),)
    derivative = rf"\partial {symbols.loss(variable)} / \partial {symbols.element(variable.of)}"
    return words("error signal", derivative=Math(derivative))


def _functions(context: Context, program: Program) -> list[Block]:
    """The definition of every named function in use, and the derivative that is used."""
    printer = context.views.printer
    rows = []
    constants: dict[NamedConstant, None] = {}
    for function in _named(program.equations):
        name, body = printer.named(function(_Z)), function.record.definition(_Z)
        definition = printer.doprint(body)
        if glyphs(name + definition + function.record.identity) > WIDTH - 10:
            rows += [Row(name, (definition,)), Row("", (function.record.identity,), "")]
        else:
            rows.append(Row(name, (definition, r",\qquad", function.record.identity)))
        constants.update(dict.fromkeys(sorted(body.atoms(NamedConstant), key=str)))
    rows.extend(Row(printer.doprint(constant), (constant.digits[:18],), r"\approx") for constant in constants)
    return [Paragraph(context.words("functions")), Display(tuple(rows))] if rows else []


def _named(equations: tuple[Equation, ...]) -> list[type[ElementwiseFunction]]:
    """The named functions in ``equations``, and those that their definitions rest on."""
    found: dict[type[ElementwiseFunction], None] = {}
    waiting: list[sympy.Basic] = [equation.right for equation in equations]
    while waiting:
        for node in walk(waiting.pop(0)):
            if isinstance(node, ElementwiseFunction) and type(node) not in found:
                found[type(node)] = None
                waiting.append(node.record.definition(_Z))
    return list(found)
