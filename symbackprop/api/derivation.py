"""The derivation of a network: its formulas, documents, functions and checks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from symbackprop.adjoint.records import Differentiation
from symbackprop.api.gradient import Gradient
from symbackprop.api.story import core_of, document_of
from symbackprop.codegen.arguments import Arguments
from symbackprop.codegen.gradient_function import GradientFunction
from symbackprop.codegen.module_source import module_source
from symbackprop.documents.description import in_words
from symbackprop.documents.formats.emitters import check_suffix, write_document
from symbackprop.documents.formats.fragment import html_fragment
from symbackprop.documents.options import Options
from symbackprop.errors import UsageError, nearest
from symbackprop.files import write_whole
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.forms.scalar import ScalarForm
from symbackprop.forms.views import Views
from symbackprop.functions.kinks import Kink
from symbackprop.notation.program import Program as CoreProgram
from symbackprop.notation.sizes import bind_sizes
from symbackprop.specification.examples import is_categorical
from symbackprop.specification.values import check_arrays, in_dtype_of_parameters
from symbackprop.verification.points import Drawing
from symbackprop.verification.report import Report
from symbackprop.verification.second_order import draw_directions, hessian_times_direction
from symbackprop.verification.verify import check_order, given_values, gradient_function, verify

__all__ = ["Derivation"]

if TYPE_CHECKING:
    from symbackprop.api.models import Model
    from symbackprop.claims.result import Check

_BACKENDS = ("numpy",)

Array = npt.NDArray[Any]
Arrays = Mapping[str, Any]


class Derivation:
    """Every gradient of a network, and every intermediate's adjoint, in three forms.

    ``derivation["W1"]`` is a ``Gradient``; iterating gives the names in the order the adjoints are computed.
    """

    def __init__(self, model: Model, differentiation: Differentiation) -> None:
        self.network = model
        self.differentiation = differentiation

    @cached_property
    def _views(self) -> Views:
        """The forms, written as the network's file says, with examples as rows."""
        return Views(self.differentiation, replace(self.network.document.as_notation, orientation="rows"))

    @cached_property
    def adjoints(self) -> Mapping[str, Gradient]:
        """Every variable's adjoint by the variable's name, from the loss inwards."""
        found = {adjoint.of.name: Gradient(adjoint, self._views) for adjoint in self.differentiation.adjoints}
        return MappingProxyType(found)

    @cached_property
    def gradients(self) -> Mapping[str, Gradient]:
        """The gradients that were asked for, by name. What does not reach the loss has none: see ``unreached``."""
        return MappingProxyType({n: self.adjoints[n] for n in self.differentiation.wrt if n in self.adjoints})

    @property
    def program(self) -> CoreProgram:
        """Forward and adjoint equations as one program, which can be differentiated again."""
        return self.differentiation.adjoint_program

    @property
    def unreached(self) -> tuple[str, ...]:
        """The variables asked for that the loss does not depend on."""
        return self.differentiation.unreached

    @property
    def kinks(self) -> tuple[Kink, ...]:
        """Where there is no derivative, and which slope is taken there."""
        return self.differentiation.kinks

    @property
    def assumptions(self) -> tuple[str, ...]:
        """The named assumptions under which a gradient has a shorter form."""
        return tuple(assumption.text for assumption in self.differentiation.program.assumptions)

    def __getitem__(self, name: str) -> Gradient:
        if name not in self.adjoints:
            raise UsageError(f"there is no gradient for {name!r}; {nearest(name, self.adjoints)}")
        return self.adjoints[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.adjoints)

    def __len__(self) -> int:
        return len(self.adjoints)

    # -- numbers ---------------------------------------------------------------------------------------------------

    def values(self, parameters: Arrays, x: Any = None, y: Any = None, **more: Any) -> dict[str, Array]:
        """Every variable and every adjoint as an array, computed by the matrix forms.

        ``x`` is (N, D), ``y`` (N, K); ``more`` gives other inputs of a program by name.
        """
        given = {**parameters, **more}
        given.update({name: value for name, value in (("x", x), ("y", y)) if value is not None})
        one_hot = is_categorical(_loss_name(self.network))
        arrays = check_arrays(self.network.program, given, one_hot=one_hot)
        return evaluate_program(self.program, in_dtype_of_parameters(self.network.program, arrays))

    def scalar(
        self,
        parameters: Arrays | None = None,
        x: Any = None,
        y: Any = None,
        *,
        sizes: Mapping[str, int] | None = None,
        **more: Any,
    ) -> ScalarForm:
        """Scalar form: each single weight's chain of factors; by name at ``sizes``, in numbers where data are given.

        >>> net = Network(2, [Dense(3, "sigmoid"), Dense(1)], "half_squared_error")
        >>> print(net.derive().scalar(sizes={"N": 1}).gradient("W1", 0, 1).paths()[0])
        dL/dz2[0,0] * dz2[0,0]/da1[0,0] * da1[0,0]/dz1[0,0] * dz1[0,0]/dW1[0,1]
        """
        if parameters is None:
            return ScalarForm(self.differentiation, bind_sizes(self.program, {}, sizes))
        arrays = self.values(parameters, x, y, **more)
        declared = {variable.name: arrays[variable.name].shape for variable in self.program.inputs}
        return ScalarForm(self.differentiation, bind_sizes(self.program, declared, sizes), arrays)

    # -- code ------------------------------------------------------------------------------------------------------

    def compile(self, backend: str = "numpy", *, reuse_buffers: bool = False) -> GradientFunction:
        """The gradients as a function of arrays: ``function(parameters, x, y) -> (loss, gradients)``.

        With ``reuse_buffers`` a call overwrites what the call before returned, which saves making new arrays.

        >>> net = Network(2, [Dense(3, "sigmoid"), Dense(1)], "half_squared_error")
        >>> function = net.derive().compile()
        >>> parameters = {"W1": np.ones((3, 2)), "b1": np.zeros(3), "W2": np.ones((1, 3)), "b2": np.zeros(1)}
        >>> loss, gradients = function(parameters, [[1.0, 2.0]], [[3.0]])
        >>> gradients["b2"].round(6)
        array([-0.142278])
        """
        if backend not in _BACKENDS:
            raise UsageError(f"unknown backend {backend!r}; {nearest(str(backend), _BACKENDS)}")
        loss = self.differentiation.loss
        gradients = {name: self.adjoints[name].adjoint_name for name in self.gradients}
        return GradientFunction(self.arguments, loss, gradients, reuse_buffers=reuse_buffers)

    def module(self) -> str:
        """The source of a stand-alone module: see ``save_module``."""
        gradients = {name: gradient.adjoint_name for name, gradient in self.gradients.items()}
        source = f", from {self.network.source}" if self.network.source else ""
        about = [f"Loss and gradients of {self.network.name}{source}.", ""]
        about += in_words(self.network.program, self.network.description)
        return module_source(self.program, self.differentiation.loss, gradients, about)

    def save_module(self, path: str | Path) -> Path:
        """Write a stand-alone module, which imports NumPy and nothing else. Returns the path.

        It has ``loss_and_gradients(parameters, x, y)``, ``loss(parameters, x, y)``, ``predict(parameters, x)`` and
        ``PARAMETERS``, a dict from name to shape; one statement for each equation, with the formula as its comment.
        The file is written whole or not at all, and is the same each time.
        """
        target = _path(path)
        if target.suffix != ".py":
            raise UsageError(f"{target}: a module's name ends in .py, such as 'gradients.py'")
        return write_whole(self.module(), target)

    @property
    def arguments(self) -> Arguments:
        """What checks the arrays that compiled functions are called with."""
        return Arguments(self.program, _loss_name(self.network), self.network.sizes)

    # -- checks ------------------------------------------------------------------------------------------------------

    def verify(
        self,
        parameters: Arrays | None = None,
        x: Any = None,
        y: Any = None,
        *,
        method: str = "auto",
        eps: float | None = None,
        seed: int | None = None,
        gradients: Any = None,
        executor: Executor | None = None,
        jobs: int | None = None,
        order: int = 1,
        progress: Callable[[int, int], None] | None = None,
        **more: Any,
    ) -> Report:
        """Hold every gradient against finite differences of the loss; ``print`` the report, or ask for its ``ok``.

        What is not given is the network file's, or drawn from ``seed``; then several points are checked. ``gradients``
        are those under test: by default the compiled function, else a function of (parameters, x, y), or arrays by
        name. ``progress`` is called with the number of weights done and of all.

        ``method``    "ladder" (extrapolated, with a bound for each weight), "incremental" (the same for a million
                      weights: only what a weight changes is computed), or "auto", one of these two by the size of the
                      network; or "central" or "forward" with the step ``eps``
        ``executor``  a concurrent.futures.Executor for the blocks of weights that incremental differences are taken
                      of; or ``jobs``, a number of processes of this machine
        ``order``     2 holds the Hessian times a direction drawn from the seed, derived from the gradient, against
                      differences of the gradient

        >>> net = Network(2, [Dense(3, "sigmoid"), Dense(1)], "half_squared_error")
        >>> net.derive().verify().ok
        True
        """
        model = self.network
        data = {**more, **{name: value for name, value in (("x", x), ("y", y)) if value is not None}}
        given = given_values(model.program, {**model.data, **model.parameters}, parameters, data)
        seed = model.run.seed if seed is None else seed
        check_order(order)
        drawing = Drawing(_loss_name(model), _layout(model), model.sizes, seed, model.run.initialization, order == 1)
        derived, compiled, note = self.differentiation, self.compile, ""
        if order == 2:
            derived, directions = hessian_times_direction(self.differentiation)
            if all(variable.name in given for variable in model.program.inputs):
                given |= draw_directions(directions, given, seed)
            compiled = partial(self._compiled, derived)
            note = f"order 2: the Hessian times a direction drawn from seed {seed}, against differences of the gradient"
        report = verify(
            derived.adjoint_program,
            gradient_function(compiled() if gradients is None else gradients, derived.program, given),
            given,
            drawing,
            wrt=derived.wrt,
            unreached=derived.unreached,
            method=method,
            eps=eps,
            executor=executor,
            jobs=jobs,
            progress=progress,
        )
        return replace(report, notes=(note, *report.notes)) if note else report

    def _compiled(self, derived: Differentiation) -> GradientFunction:
        """The derivatives of ``derived``, compiled."""
        arguments = Arguments(derived.adjoint_program, _loss_name(self.network), self.network.sizes)
        gradients = {name: derived.by_variable[name].name for name in derived.wrt if name in derived.by_variable}
        return GradientFunction(arguments, derived.loss, gradients)

    def check(self, latex: str) -> Check:
        r"""Hold a formula that somebody derived by hand against this derivation; say what is wrong, and what is right.

        ``latex`` is one formula, or several as rows: with ``$`` or ``\[ \]`` around it or without, a chain of
        equalities, an ``align``. Its names are the usual ones for this network: W^{(1)}, W^{[1]}, w^1_{jk} or W_1,
        \delta^{(1)} or dZ^{[1]}, x, \hat{y}. It is tried with the examples as rows, as columns, and with one of them as
        a column vector; the reading under which most of it holds is taken, and named in ``readings``. The result is
        that of ``check_document``. UsageError for what is no formula, UnreadableError for one that claims nothing.

        >>> derivation = Network(2, [Dense(3, "sigmoid"), Dense(1)], "half_squared_error").derive()
        >>> check = derivation.check(r"\delta^{(1)} = (W^{(2)})^\top \delta^{(2)} \odot \sigma'(z^{(1)})")
        >>> check.outcome.value, check.readings
        ('proved', ('read with one example, as a column vector',))
        >>> check = derivation.check(r"\frac{\partial L}{\partial W^{(2)}} = -\Delta^{(2)\top} A^{(1)}")
        >>> check.outcome.value, check.worst.fault
        ('differs', 'sign')
        """
        # The parsers of formulas are for those who have formulas.
        from symbackprop.api.claims import checked_network
        from symbackprop.claims.document import check_formula

        return check_formula(latex, checked_network(self.network))

    # -- documents -------------------------------------------------------------------------------------------------

    def save(
        self,
        path: str | Path,
        parameters: Arrays | None = None,
        x: Any = None,
        y: Any = None,
        *,
        learning_rate: float | None = None,
        notation: str | None = None,
        derivative: str | None = None,
        functions: str | None = None,
        orientation: str | None = None,
        sections: Iterable[str] | None = None,
        detail: str | None = None,
        digits: int | None = None,
        title: str | None = None,
        author: str | None = None,
        date: str | None = None,
        language: str | None = None,
        **more: Any,
    ) -> Path:
        """Write the derivation document in the format of the suffix (.tex, .md, .html, .pdf). Returns the path.

        The worked example uses ``parameters``, ``x`` (N, D) and ``y`` (N, K), or what the network's file gives; of more
        than 8 examples the first. A network of small fixed sizes without data is worked with numbers drawn from its
        seed, and the document says so. What is not given is the file's, or the first of each list:

        ``learning_rate`` of the update
        ``notation``      "superscript" W^(1), "subscript" W_1, "nielsen" w^1, "ng" W^[1]
        ``derivative``    "delta" names error signals, "partial" writes them as derivatives
        ``functions``     "named" sigma(z), "expanded" 1 / (1 + e^-z)
        ``orientation``   examples as "rows", as "columns", or one as a column "vector"
        ``sections``      some of "figures", "result", "notation", "forward", "backward", "kinks", "numbers", "checks"
        ``detail``        "steps" of the derivation, only their "result", or "every" step of the algebra
        ``digits``        significant figures, 6 by default
        ``title``, ``author``, ``date``  of the title block; a date is 2026-01-31, today, or "" for none
        ``language``      of the text: "en", or "de" for German

        The file is written whole or not at all. PDF is made by pdflatex; where that cannot be, UsageError says why, and
        the document is kept in LaTeX. UsageError too for a choice that there is not, naming those there are.
        """
        chosen = {
            "notation": notation,
            "derivative": derivative,
            "functions": functions,
            "orientation": orientation,
            "sections": sections,
            "detail": detail,
            "digits": digits,
            "title": title,
            "author": author,
            "date": date,
            "language": language,
        }
        target = _path(path)
        check_suffix(target)
        given = self._given(parameters, x, y, more)
        return write_document(document_of(self, given, learning_rate, self._options(chosen)), target)

    def _options(self, chosen: Mapping[str, Any]) -> Options:
        """The file's choices, and those ``chosen`` here."""
        return self.network.document.changed(chosen)

    def _given(self, parameters: Arrays | None, x: Any, y: Any, more: Arrays) -> dict[str, Any]:
        """The arrays of the network's file, and those given here in their place."""
        model = self.network
        given = {**model.data, **(model.parameters if parameters is None else parameters), **more}
        return {**given, **{name: value for name, value in (("x", x), ("y", y)) if value is not None}}

    def __repr__(self) -> str:
        return f"Derivation of {self.network!r} by {', '.join(self.differentiation.wrt)}"

    def __str__(self) -> str:
        return "\n".join(str(adjoint.equation) for adjoint in self.differentiation.adjoints)

    def latex(self) -> str:
        """Every adjoint equation in index form, as one aligned display."""
        rows = []
        for adjoint in self.differentiation.adjoints:
            formula = self._views.index(adjoint.equation)
            rows.append(f"{formula.left_latex} &= {formula.right_latex}")
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str:
        return html_fragment(core_of(self, self.network.document))


def _layout(model: Model) -> str:
    return "out_in" if model.description is None else model.description.weight_layout


def _path(path: str | Path) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"{path!r} is no path; give the file's name, such as 'derivation.tex'")
    return Path(path)


def _loss_name(model: Model) -> str:
    return "" if model.description is None else model.description.loss.name
