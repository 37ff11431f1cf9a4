"""The public objects: thin views of what the lower floors compute."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.adjoint.records import Adjoint, Contribution, Differentiation, Step
from symbackprop.adjoint.sweep import differentiate
from symbackprop.documents.derivation import Story, WorkedExample, derivation_document
from symbackprop.documents.description import in_words
from symbackprop.documents.emitters import write_document
from symbackprop.documents.summary import Summary, summarize
from symbackprop.errors import UsageError, nearest
from symbackprop.forms.arrays import Node
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.forms.lower import Orientation
from symbackprop.forms.scalar import ScalarForm
from symbackprop.forms.views import Formula, Views
from symbackprop.functions.kinks import Kink
from symbackprop.layers.dense import Dense
from symbackprop.layers.losses import Loss
from symbackprop.network import NetworkDescription, describe, network_program
from symbackprop.notation.program import Program as CoreProgram
from symbackprop.notation.sizes import bind_sizes
from symbackprop.specification.equations import parse_program
from symbackprop.specification.examples import complete_arrays, is_categorical
from symbackprop.specification.toml import RunSettings, Specification
from symbackprop.specification.toml import load as load_specification
from symbackprop.specification.values import check_arrays, in_dtype_of_parameters

__all__ = ["Derivation", "Gradient", "Model", "Network", "Program"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Any]


class Model:
    """What networks and programs have in common: a program of named equations that can be derived.

    ``data``, ``parameters``, ``sizes`` and ``run`` are what the file it was loaded from gives; empty otherwise.
    """

    def __init__(self, program: CoreProgram, specification: Specification | None = None) -> None:
        self.program = program
        self.specification = specification

    @property
    def name(self) -> str:
        """The name of the network."""
        return self.program.name

    @property
    def source(self) -> str | None:
        """The name of the file it was loaded from."""
        path = self.specification.path if self.specification else None
        return path.name if path else None

    @property
    def equations(self) -> tuple[str, ...]:
        """The forward equations, as text."""
        return tuple(map(str, self.program.equations))

    @property
    def data(self) -> Mapping[str, Array]:
        """The data of the worked example, by name."""
        return self.specification.data if self.specification else {}

    @property
    def parameters(self) -> Mapping[str, Array]:
        """The parameters that the file gives."""
        return self.specification.parameters if self.specification else {}

    @property
    def sizes(self) -> Mapping[str, int]:
        """The numbers that the file gives for symbolic sizes."""
        return self.specification.sizes if self.specification else {}

    @property
    def run(self) -> RunSettings:
        """Seed, learning rate and the like."""
        return self.specification.run if self.specification else RunSettings()

    def derive(self, wrt: str | Iterable[str] | None = None) -> Derivation:
        """Derive dL/dv of every parameter, or of every variable of ``wrt``, by the chain rule. Needs no number."""
        return Derivation(self, differentiate(self.program, wrt))

    def summary(self) -> Summary:
        """A table of the equations with their shapes and parameters."""
        return summarize(self.program, repr(self))

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


class Network(Model):
    """A feed-forward network: inputs, dense layers, a loss.

    ``inputs``          number of inputs, or the name of a symbolic size
    ``layers``          ``Dense`` layers, first to last
    ``loss``            a name (see ``symbackprop.layers.losses.LOSSES``) or a ``Loss``
    ``reduction``       "mean" over the batch, or "sum"
    ``weight_layout``   "out_in" (W1[j, i], units x inputs) or "in_out"
    ``l1``, ``l2``      penalties c sum |W| and c/2 sum W^2 over weights, not biases, after the reduction
    ``name``            a name for titles and messages
    ``batch``           the name of the batch size

    A batch is rows: x is (N, D), y is (N, K). Parameters are numbered by the position of their layer: W1, b1, ...
    Raises UsageError and SizeError for what does not fit.

    >>> net = Network(inputs=2, layers=[Dense(3, activation="sigmoid"), Dense(1)], loss="half_squared_error")
    >>> print(net.derive()["W1"].index)
    W1_bar[j,i] = Sum(z1_bar[n,j]*x[n,i], n)
    """

    def __init__(
        self,
        inputs: int | str,
        layers: Sequence[Dense],
        loss: str | Loss,
        *,
        reduction: str = "mean",
        weight_layout: str = "out_in",
        l1: float = 0,
        l2: float = 0,
        name: str = "network",
        batch: str = "N",
    ) -> None:
        self.description = describe(inputs, layers, loss, reduction, weight_layout, l1, l2, name, batch)
        super().__init__(network_program(self.description))

    @staticmethod
    def load(path: str | Path) -> Model:
        """The network, or the program, that a TOML file describes."""
        specification = load_specification(path)
        if specification.description is None:
            return Program._of(specification.program, specification)
        return Network._of(specification.description, specification)

    @classmethod
    def _of(cls, description: NetworkDescription, specification: Specification) -> Network:
        network = cls.__new__(cls)
        network.description = description
        Model.__init__(network, specification.program, specification)
        return network

    @cached_property
    def unfused(self) -> CoreProgram:
        """The program with the cross-entropy on top of the probabilities, for the chain through them."""
        return network_program(self.description, fused=False)

    def __repr__(self) -> str:
        sizes = [self.description.inputs, *(layer.units for layer in self.description.layers)]
        activations = ", ".join(layer.resolved().name for layer in self.description.layers)
        loss = self.description.loss.name
        return f"Network({self.name!r}: {'-'.join(map(str, sizes))}, {activations}; {loss})"


class Program(Model):
    """Any straight-line program, given as named equations in index notation.

    ``inputs``, ``targets`` and ``parameters`` map names to shapes (tuples of sizes: names or integers; ``()`` for a
    number), ``integers`` those of labels that index other variables. Equations are strings or SymPy equations::

        Program(
            inputs={"x": ("N", "D")}, targets={"y": ("N", "K")}, parameters={"W": ("K", "D")},
            equations=["z[n,k] = Sum(W[k,i]*x[n,i], i)", "L = Sum((z[n,k] - y[n,k])**2, n, k)/(2*N)"],
            loss="L",
        )

    ``output`` names the prediction, ``batch`` the size that counts examples, ``shapes`` the shapes of variables that
    no other variable fixes. Raises EquationError, SizeError and UsageError with the equation and the remedy.
    """

    def __init__(
        self,
        equations: Sequence[Any],
        loss: str,
        *,
        inputs: Mapping[str, Sequence[int | str]] | None = None,
        targets: Mapping[str, Sequence[int | str]] | None = None,
        parameters: Mapping[str, Sequence[int | str]] | None = None,
        integers: Mapping[str, Sequence[int | str]] | None = None,
        shapes: Mapping[str, Sequence[int | str]] | None = None,
        output: str | None = None,
        batch: str | None = None,
        name: str = "program",
    ) -> None:
        super().__init__(
            parse_program(
                inputs=inputs or {},
                targets=targets or {},
                parameters=parameters or {},
                equations=equations,
                loss=loss,
                integers=integers or {},
                shapes=shapes or {},
                output=output,
                batch=batch,
                name=name,
            )
        )

    @classmethod
    def _of(cls, program: CoreProgram, specification: Specification | None = None) -> Program:
        model = cls.__new__(cls)
        Model.__init__(model, program, specification)
        return model

    def __repr__(self) -> str:
        return f"Program({self.name!r}: {len(self.program.equations)} equations, loss {self.program.loss})"


class Gradient:
    """The derivative of the loss by one variable, and how it came about."""

    def __init__(self, adjoint: Adjoint, views: Views) -> None:
        self._adjoint = adjoint
        self._views = views

    @property
    def name(self) -> str:
        """The name of the variable that the loss is differentiated by."""
        return self._adjoint.of.name

    @property
    def shape(self) -> tuple[sympy.Expr, ...]:
        """The shape, in sizes."""
        return self._adjoint.of.shape

    @property
    def index(self) -> Formula:
        """Index form: dL/dW1[j,i] = sum_n delta1[n,j] x[n,i]."""
        return self._views.index(self._adjoint.equation)

    @property
    def matrix(self) -> Formula:
        """Matrix form with examples as rows, which is what is executed: dL/dW1 = Delta1^T X."""
        return self.matrix_form()

    def matrix_form(self, orientation: str = "rows") -> Formula:
        """Matrix form with examples as "rows", as "columns", or for one example as a column "vector".

        Raises NoRuleError where SymPy's matrices cannot say it (three axes, computed positions, maxima, cases);
        ``matrix_latex`` may know a way even then.
        """
        return self._views.matrix(self._adjoint.equation, _orientation(orientation))

    def matrix_latex(self, orientation: str = "rows") -> str | None:
        """The LaTeX of the matrix form; None where matrix notation cannot say it. Asks less of SymPy than the form."""
        return self._views.matrix_latex(self._adjoint.equation, _orientation(orientation))

    def array_form(self, orientation: str = "rows") -> Node:
        """The array expression that the matrix form is printed from."""
        return self._views.lowered(self._adjoint.equation, _orientation(orientation)).right

    @property
    def contributions(self) -> tuple[Contribution, ...]:
        """What each occurrence of the variable contributes, with the chain of local derivatives and their rules."""
        return self._adjoint.contributions

    @property
    def steps(self) -> tuple[Step, ...]:
        """The named simplifications from the sum of the contributions to the index form."""
        return self._adjoint.steps

    @property
    def assuming(self) -> Mapping[str, Formula]:
        """The forms under named assumptions about the data, such as targets that sum to one."""
        return {a.text: self._views.index(equation) for a, equation in self._adjoint.assuming}

    def __repr__(self) -> str:
        return f"Gradient({self._adjoint.equation})"

    def _repr_latex_(self) -> str:
        return self.index._repr_latex_()


def _orientation(name: str) -> Orientation:
    known = [orientation.value for orientation in Orientation]
    if name not in known:
        raise UsageError(f"unknown orientation {name!r}; {nearest(str(name), known)}")
    return Orientation(name)


class Derivation:
    """Every gradient of a network, and every intermediate's adjoint, in three forms.

    ``derivation["W1"]`` is a ``Gradient``; iterating gives the names in the order the adjoints are computed.
    """

    def __init__(self, model: Model, differentiation: Differentiation) -> None:
        self.network = model
        self.differentiation = differentiation
        self._views = Views(differentiation)

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

    # -- documents -------------------------------------------------------------------------------------------------

    def save(
        self,
        path: str | Path,
        parameters: Arrays | None = None,
        x: Any = None,
        y: Any = None,
        *,
        learning_rate: float | None = None,
        **more: Any,
    ) -> Path:
        """Write the derivation document; the format follows the suffix (.tex or .md). Returns the path.

        The worked example uses ``parameters``, ``x`` and ``y``, or what the network's file gives. A network of small
        fixed sizes without data is worked with numbers drawn from its seed, and the document says so.
        The file is written whole or not at all.
        """
        return write_document(derivation_document(self._story(parameters, x, y, learning_rate, more)), _path(path))

    def _story(
        self,
        parameters: Arrays | None,
        x: Any,
        y: Any,
        learning_rate: float | None,
        more: Arrays = MappingProxyType({}),
    ) -> Story:
        unfused = None
        if isinstance(self.network, Network) and self.network.unfused != self.network.program:
            unfused = Views(differentiate(self.network.unfused, self.differentiation.wrt))
        return Story(
            views=self._views,
            title=self.network.name,
            description=in_words(self.network.program, getattr(self.network, "description", None)),
            unfused=unfused,
            example=self._example(parameters, x, y, learning_rate, more),
            source=self.network.source,
        )

    def _example(
        self, parameters: Arrays | None, x: Any, y: Any, learning_rate: float | None, more: Arrays
    ) -> WorkedExample | None:
        model = self.network
        given = {**model.data, **(model.parameters if parameters is None else parameters), **more}
        given.update({name: value for name, value in (("x", x), ("y", y)) if value is not None})
        complete = complete_arrays(
            model.program,
            given,
            model.sizes,
            seed=model.run.seed,
            initialization=model.run.initialization,
            loss=_loss_name(model),
            layout=_layout(model),
        )
        if complete is None:
            return None
        values = evaluate_program(self.program, complete.arrays)
        if not np.isfinite(values[self.differentiation.loss]).all():
            raise UsageError(f"{model.name}: with these numbers the loss is not finite; give smaller data or weights")
        return WorkedExample(
            form=ScalarForm(self.differentiation, complete.sizes, values),
            learning_rate=model.run.learning_rate if learning_rate is None else learning_rate,
            drawn=complete.drawn,
            seed=model.run.seed,
        )

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


def _layout(model: Model) -> str:
    return model.description.weight_layout if isinstance(model, Network) else "out_in"


def _path(path: str | Path) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"{path!r} is no path; give the file's name, such as 'derivation.tex'")
    return Path(path)


def _loss_name(model: Model) -> str:
    return model.description.loss.name if isinstance(model, Network) else ""
