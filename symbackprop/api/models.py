"""Networks and programs: what can be derived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy.typing as npt

from symbackprop.adjoint.sweep import differentiate
from symbackprop.api.derivation import Derivation
from symbackprop.documents.summary import Summary, summarize
from symbackprop.layers.dense import Dense
from symbackprop.layers.losses import Loss
from symbackprop.network import NetworkDescription, describe, network_program
from symbackprop.notation.program import Program as CoreProgram
from symbackprop.specification.equations import parse_program
from symbackprop.specification.toml import RunSettings, Specification
from symbackprop.specification.toml import load as load_specification

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
        self._description = describe(inputs, layers, loss, reduction, weight_layout, l1, l2, name, batch)
        super().__init__(network_program(self._description))

    @property
    def description(self) -> NetworkDescription:
        """The layers and the loss."""
        return self._description

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
