"""Networks and programs: what can be derived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy.typing as npt

from symbackprop.adjoint.sweep import differentiate
from symbackprop.api.derivation import Derivation
from symbackprop.api.notes import program_from_notes
from symbackprop.api.trained import Choices, drawn_parameters, train_model
from symbackprop.documents.options import Options
from symbackprop.documents.summary import Summary, summarize
from symbackprop.errors import UsageError
from symbackprop.layers.dense import Dense
from symbackprop.layers.losses import Loss
from symbackprop.network import NetworkDescription, describe, network_program
from symbackprop.notation.program import Program as CoreProgram
from symbackprop.notation.sizes import bind_sizes
from symbackprop.optimizers import Optimizer
from symbackprop.progress import Progress
from symbackprop.specification.equations import parse_program
from symbackprop.specification.file_arrays import at
from symbackprop.specification.toml import RunSettings, Specification
from symbackprop.specification.toml import load as load_specification
from symbackprop.specification.values import check_count
from symbackprop.training.result import Training

__all__ = ["Model", "Network", "Program"]

Array = npt.NDArray[Any]


class Model:
    """What networks and programs have in common: a program of named equations that can be derived.

    ``data``, ``parameters``, ``sizes`` and ``run`` are what the file it was loaded from gives; empty otherwise.
    """

    def __init__(self, program: CoreProgram, specification: Specification | None = None) -> None:
        self.program = program
        self.specification = specification

    @property
    def description(self) -> NetworkDescription | None:
        """The layers and the loss, where it is a network; None for any other program."""
        return None

    @property
    def unfused(self) -> CoreProgram | None:
        """The program with the loss on top of the output as it is defined, where another form is used instead."""
        return None

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

    @cached_property
    def document(self) -> Options:
        """How the file wants derivation documents to be written."""
        if self.specification is None:
            return Options()
        with at(f"{self.specification.path}: [document]"):
            return Options().changed(self.specification.document)

    def derive(self, wrt: str | Iterable[str] | None = None) -> Derivation:
        """Derive dL/dv of every parameter, or of every variable of ``wrt``, by the chain rule. Needs no number."""
        return Derivation(self, differentiate(self.program, wrt))

    def initial_parameters(
        self, initialization: str | None = None, seed: int | None = None, *, sizes: Mapping[str, int] | None = None
    ) -> dict[str, Array]:
        """Parameters to begin with: those of the file, and the rest drawn from ``seed`` by ``initialization``.

        ``initialization`` is one of "uniform" (from -1 to 1), "normal", "glorot" (Glorot and Bengio 2010), "he" (He et
        al. 2015) and the rows of ``symbackprop.specification.values.INITIALIZATIONS``; ``sizes`` gives numbers for
        symbolic sizes. Raises UsageError and SizeError for what does not fit.

        >>> net = Network(2, [Dense(3, "relu"), Dense(1)], "half_squared_error")
        >>> {name: array.shape for name, array in net.initial_parameters("he", seed=1).items()}
        {'W1': (3, 2), 'b1': (3,), 'W2': (1, 3), 'b2': (1,)}
        """
        for name, number in (sizes or {}).items():
            check_count(f"size {name}", number, 1)
        shapes = {name: array.shape for name, array in self.data.items()}
        numbers = bind_sizes(self.program, shapes, {**self.sizes, **(sizes or {})})
        return drawn_parameters(self, numbers, initialization, self.run.seed if seed is None else seed)

    def train(
        self,
        parameters: Mapping[str, Any] | None = None,
        x: Any = None,
        y: Any = None,
        *,
        learning_rate: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        optimizer: str | Optimizer | None = None,
        momentum: float | None = None,
        seed: int | None = None,
        initialization: str | None = None,
        wrt: str | Iterable[str] | None = None,
        sizes: Mapping[str, int] | None = None,
        resume: Training | str | Path | None = None,
        progress: bool | Progress = True,
        data: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Training:
        """Train by gradient descent with the compiled gradients; the result has ``parameters``, ``losses`` and more.

        ``parameters``    arrays by name, all of them; by default those of ``initial_parameters``
        ``x``, ``y``      (N, D) and (N, K), by default the file's; ``more``, or the mapping ``data``, gives other data
                          of a program by name
        ``learning_rate`` the step size eta, 0.01 by default
        ``epochs``        how often all examples are gone through, counted from the start, 1000 by default
        ``batch_size``    how many examples make one step: 1 for stochastic gradient descent, by default all
        ``optimizer``     "sgd" (the default), "adam", or an ``SGD`` or ``Adam`` with settings of its own
        ``momentum``      of "sgd", 0 by default
        ``seed``          what parameters are drawn from, and what shuffles the examples: those of epoch k come in the
                          order ``default_rng((seed, k)).permutation(N)``
        ``wrt``           the parameters to train, by default all; the others stay as they are
        ``sizes``         numbers for symbolic sizes that the data do not tell, for the parameters that are drawn
        ``resume``        a run, or the file of one, to go on with as if it had not ended; what it was made with is the
                          default
        ``progress``      whether to show a bar where standard error is a terminal, or what to call in its place

        ``losses[k]`` is the loss over all examples before the updates of epoch k; with batches that is a forward pass
        of its own. The same arguments give the same numbers. Where the loss is no longer finite, and after Ctrl-C,
        ``stopped`` says so in a sentence, and what was reached with finite numbers is kept. Raises UsageError and
        SizeError for what does not fit, naming it.

        >>> net = Network(1, [Dense(1)], "half_squared_error")
        >>> run = net.train(x=[[0.0], [1.0], [2.0]], y=[[1.0], [3.0], [5.0]], learning_rate=0.5, epochs=200)
        >>> run.parameters["W1"].round(6), run.parameters["b1"].round(6)
        (array([[2.]]), array([1.]))
        """
        if not (data is None or isinstance(data, Mapping)):
            raise UsageError(f"data is of type {type(data).__name__}; give a dict of arrays by name")
        data = {**(data or {}), **more, **{name: value for name, value in (("x", x), ("y", y)) if value is not None}}
        chosen = Choices(learning_rate, epochs, batch_size, seed, optimizer, momentum)
        return train_model(self, parameters, data, chosen, initialization, wrt, sizes, resume, progress)

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
        self._description = describe(inputs, layers, loss, reduction, weight_layout, l1, l2, name, batch)
        super().__init__(network_program(self._description))

    @property
    def description(self) -> NetworkDescription:
        """The layers and the loss."""
        return self._description

    @staticmethod
    def load(path: str | Path) -> Model:
        """The network, or the program, that a TOML file describes, or that notes in .tex or .md define."""
        if Path(path).suffix.lower() in (".tex", ".md"):
            return Program._of(program_from_notes(path))
        specification = load_specification(path)
        if specification.description is None:
            return Program._of(specification.program, specification)
        return Network._of(specification.description, specification)

    @classmethod
    def _of(cls, description: NetworkDescription, specification: Specification) -> Network:
        network = cls.__new__(cls)
        network._description = description
        Model.__init__(network, specification.program, specification)
        return network

    @cached_property
    def unfused(self) -> CoreProgram | None:
        """The program with the cross-entropy on top of the probabilities, for the chain through them."""
        program = network_program(self.description, fused=False)
        return program if program != self.program else None

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
