"""The stand-alone module: readable NumPy source, one statement an equation, the formula as its comment."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from textwrap import fill, indent

import sympy

from symbackprop._version import __version__
from symbackprop.codegen import module_helpers
from symbackprop.codegen.identifiers import Identifiers
from symbackprop.codegen.module_expressions import ModuleExpressions, repeats
from symbackprop.errors import NoRuleError, UsageError
from symbackprop.forms.arrays import Leaf, Permute
from symbackprop.forms.lower import lower
from symbackprop.functions import error_function
from symbackprop.functions.library import FUNCTIONS
from symbackprop.functions.numpy_printer import NumpyPrinter
from symbackprop.functions.primitives import PRIMITIVES
from symbackprop.notation.expressions import ElementwiseFunction, walk
from symbackprop.notation.program import Program, Role, Variable

__all__ = ["module_source"]

_FUNCTIONS = ("loss_and_gradients", "loss", "predict")
_RESERVED = (
    "np",
    "dtype",
    "given",
    "gradients",
    "shapes",
    "parameters",
    "PARAMETERS",
    "DATA",
    "INTEGERS",
    *_FUNCTIONS,
    *module_helpers.__all__,
    *error_function.__all__,
)


def module_source(program: Program, loss: str, gradients: Mapping[str, str], about: Sequence[str]) -> str:
    """The source of a module with ``loss_and_gradients``, ``loss``, ``predict`` and ``PARAMETERS``.

    ``program`` holds forward and adjoint equations, ``gradients`` the adjoint's name of each variable that is
    differentiated by, ``about`` lines that say which network this is. The same program gives the same bytes.
    """
    return _Module(program, loss, gradients, about).source()


class _Module:
    def __init__(self, program: Program, loss: str, gradients: Mapping[str, str], about: Sequence[str]) -> None:
        self.program = program
        self.loss = loss
        self.gradients = gradients
        self.about = about
        records = (function.record.name for function in FUNCTIONS.values())
        own = (
            node.record.name
            for equation in program.equations
            for node in walk(equation.right)
            if isinstance(node, ElementwiseFunction)
        )
        identifiers = Identifiers({*_RESERVED, *records, *own})
        self.names = {name: identifiers.take(name) for name in program.variables}
        self.sizes = {size: identifiers.take(size.name) for size in program.sizes}
        self.expressions = ModuleExpressions(program, self.names, self.sizes)
        unusable = [v.name for v in self.data() if self.names[v.name] != v.name]
        if unusable:
            raise UsageError(f"{unusable[0]!r} cannot be the name of an argument in Python; call it otherwise")

    def data(self) -> tuple[Variable, ...]:
        """The inputs and targets, x and y first."""
        found = [v for v in self.program.inputs if v.role is not Role.PARAMETER]
        return tuple(sorted(found, key=lambda v: {"x": 0, "y": 1}.get(v.name, 2)))

    def source(self) -> str:
        functions = [self.gradient_function(), self.loss_function()]
        if self.program.output is not None:
            functions.append(self.predict_function())
        # Printed last, when it is known which are called.
        helpers = [*self.own_helpers(), *self.elementwise()]
        parts = [self.header(), *helpers, *functions]
        return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"

    def header(self) -> str:
        about = "\n".join(fill(line, width=100) for line in self.about)
        about = about.replace("\\", "\\\\").replace('"', '\\"') if '"' in about or "\\" in about else about
        defined = ["loss_and_gradients", "loss", *(["predict"] if self.program.output is not None else [])]
        lines = [f'"""{about}\n\nMade by symbackprop {__version__}; needs NumPy and nothing else.\n"""', ""]
        lines += ["import numpy as np", "", f"__all__ = {_strings(['PARAMETERS', *defined])}", ""]
        lines += ["# The shape of each parameter; a name stands for any size that is the same throughout."]
        lines += ["PARAMETERS = {", *self.shapes(self.program.parameters), "}"]
        lines += ["DATA = {", *self.shapes(self.data()), "}"]
        lines += [f"INTEGERS = {_strings([variable.name for variable in self.program.inputs if variable.integer])}"]
        return "\n".join(lines)

    def shapes(self, variables: Iterable[Variable]) -> list[str]:
        return [f'    "{v.name}": {_tuple([_extent(extent) for extent in v.shape])},' for v in variables]

    # -- helpers -------------------------------------------------------------------------------------------------

    def own_helpers(self) -> list[str]:
        called = {"arrays_of", *self.expressions.helpers}
        for function in self.functions():
            for node in walk(_stable(function)):
                if node.func in PRIMITIVES and PRIMITIVES[node.func].name is None:
                    called.add(PRIMITIVES[node.func].call)
        texts = []
        if called & set(error_function.__all__):
            texts.append(_without_header(inspect.getsource(error_function)))
        helpers = [getattr(module_helpers, name) for name in module_helpers.__all__ if name in called]
        return [*texts, *(inspect.getsource(helper) for helper in helpers)]

    def functions(self) -> list[type[ElementwiseFunction]]:
        """Every function that is called, also by another."""
        found: dict[type[ElementwiseFunction], None] = {}
        pending = list(self.expressions.functions)
        while pending:
            function = pending.pop(0)
            found.setdefault(function)
            inside = (node.func for node in walk(_stable(function)) if isinstance(node, ElementwiseFunction))
            pending.extend(other for other in inside if other not in found)
        return sorted(found, key=lambda function: str(function.record.name))

    def elementwise(self) -> list[str]:
        printer = NumpyPrinter()
        texts = []
        for function in self.functions():
            record = function.record
            texts.append(
                f"def {record.name}(z):\n"
                f'    """{record.name}(z) = {_plain(record.definition(sympy.Symbol("z")))}, entry by entry."""\n'
                f"    return {printer.doprint(_stable(function))}"
            )
        return texts

    # -- functions -----------------------------------------------------------------------------------------------

    def gradient_function(self) -> str:
        names = self.gradients
        what = "the loss, and its derivative by each parameter as a dict of arrays"
        if set(names) != {parameter.name for parameter in self.program.parameters}:
            what = f"the loss, and its derivatives by {', '.join(names)} as a dict of arrays"
        return self.function(
            "loss_and_gradients",
            self.data(),
            (self.loss, *names.values()),
            f"Return {what}.",
            _Module.gradients_returned,
        )

    def gradients_returned(self) -> list[str]:
        listed = [f'    "{name}": {self.own(adjoint)},' for name, adjoint in self.gradients.items()]
        return ["gradients = {", *listed, "}", f"return {self.names[self.loss]}, gradients"]

    def loss_function(self) -> str:
        return self.function("loss", self.data(), (self.loss,), "Return the loss.", _returning(self.loss))

    def predict_function(self) -> str:
        output = str(self.program.output)
        used = self.used((output,))
        shown = [variable for variable in self.program.inputs if variable.name in used]
        told = {extent for variable in shown for extent in variable.shape}
        mentioned = {s for equation in self.program.needed_for((output,)) for s in equation.right.free_symbols}
        # Where a formula mentions a size that nothing else tells, an array that has it comes along.
        untold = {size for size in self.sizes if size in mentioned} - told
        data = tuple(v for v in self.data() if v.name in used or untold & set(v.shape))
        return self.function("predict", data, (output,), "Return the network's output.", _returning(output))

    def used(self, outputs: Sequence[str]) -> frozenset[str]:
        equations = self.program.needed_for(outputs)
        return frozenset(outputs).union(*(self.program.uses[equation.name] for equation in equations))

    def function(
        self,
        name: str,
        data: Sequence[Variable],
        outputs: Sequence[str],
        says: str,
        returned: Callable[[_Module], list[str]],
    ) -> str:
        used = self.used(outputs)
        variables = [v for v in (*self.program.parameters, *data) if v.name in used or v in data or len(outputs) > 1]
        statements = []
        self.expressions.reset()
        for equation in self.program.needed_for(outputs):
            text = self.expressions.widened(lower(equation, self.program).right, equation.scope)
            statements += [f"# {equation}", f"{self.names[equation.name]} = {text}"]
        own = returned(self)
        lines = [f'"""{says}"""', *self.unpacking(variables, data), *self.facts(variables), *statements, *own]
        arguments = ", ".join(["parameters", *(variable.name for variable in data)])
        return f"def {name}({arguments}):\n{indent(chr(10).join(lines), '    ')}"

    def unpacking(self, variables: Sequence[Variable], data: Sequence[Variable]) -> list[str]:
        """The lines that check what came in and give the arrays their names."""
        parameters = [v.name for v in variables if v.role is Role.PARAMETER]
        shapes = "**PARAMETERS"
        if parameters != [v.name for v in self.program.parameters]:
            shapes = ", ".join(f'"{name}": PARAMETERS["{name}"]' for name in parameters)
        entries = [f'"{v.name}": {v.name}' for v in data]
        expected = "**DATA"
        if tuple(data) != self.data():
            expected = ", ".join(f'"{v.name}": DATA["{v.name}"]' for v in data)
        names = [self.names[v.name] for v in variables]
        return [
            f"shapes = {{{', '.join(filter(None, (shapes, expected)))}}}",
            f"given = {{{', '.join(['**parameters', *entries])}}}",
            f"{', '.join(names)}{',' * (len(names) == 1)} = arrays_of(shapes, given, PARAMETERS, INTEGERS)",
        ]

    def facts(self, variables: Sequence[Variable]) -> list[str]:
        """``N = x.shape[0]`` for each size that a formula mentions, and the floating type where it is needed."""
        lines = []
        for size in self.sizes:
            if size in self.expressions.sizes.met:
                places = [(v, v.shape.index(size)) for v in variables if size in v.shape]
                if not places:
                    raise NoRuleError(f"{self.program.name}: no array says what {size} is; declare one with that axis")
                variable, axis = places[0]
                lines.append(f"{self.sizes[size]} = {self.names[variable.name]}.shape[{axis}]")
        if self.expressions.needs_dtype:
            real = next(variable for variable in variables if not variable.integer)
            lines.append(f"dtype = {self.names[real.name]}.dtype")
        return lines

    def own(self, name: str) -> str:
        """An output as an array of its own, and not a view of another or an input."""
        variable = self.program.variables[name]
        axes = tuple(zip(variable.indices, variable.shape, strict=True))
        form = lower(self.program.definitions[name], self.program).right
        if isinstance(form, Leaf | Permute) or form.axes != axes or repeats(form):
            return f"np.array({self.names[name]})"
        return self.names[name]


def _returning(name: str) -> Callable[[_Module], list[str]]:
    return lambda module: [f"return {module.names[name]}"]


def _stable(function: type[ElementwiseFunction]) -> sympy.Expr:
    return function.record.stable_form(sympy.Symbol("z"))


def _plain(expression: sympy.Expr) -> str:
    return str(expression)


def _extent(extent: sympy.Expr) -> str:
    return str(extent) if extent.is_Integer else f'"{extent}"'


def _tuple(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


def _strings(names: Sequence[str]) -> str:
    return _tuple([f'"{name}"' for name in names])


def _without_header(source: str) -> str:
    """The text of a module after its imports and its list of names."""
    lines = source.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("__all__"))
    return "\n".join(lines[start + 1 :])
