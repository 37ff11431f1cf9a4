"""Small networks with numbers, their derived gradients, and shorthand for checking them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from symbackprop.adjoint.sweep import differentiate
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.layers.dense import Dense
from symbackprop.network import describe, network_program
from symbackprop.notation.program import Program
from symbackprop.verification.checks import PointResult, Scheme, verify_point
from symbackprop.verification.verdicts import Judgement, Verdict
from symbackprop.verification.witness import Witness, witness_of

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Case:
    """A network at one point."""

    program: Program
    names: Mapping[str, str]
    witness: Witness
    arrays: dict[str, np.ndarray]
    loss: str

    def gradients_of(self, arrays: Arrays) -> dict[str, np.ndarray]:
        values = evaluate_program(self.program, arrays)
        return {name: values[adjoint] for name, adjoint in self.names.items()}

    @cached_property
    def gradients(self) -> dict[str, np.ndarray]:
        return self.gradients_of(self.arrays)

    def at(self, **arrays: Any) -> Case:
        """The same network elsewhere."""
        moved = {name: np.asarray(array, dtype=float) for name, array in arrays.items()}
        return replace(self, arrays={**self.arrays, **moved})

    def check(self, gradients: Arrays | None = None, method: str = "ladder", eps: float = 0.0) -> PointResult:
        found = self.gradients if gradients is None else gradients
        return verify_point(self.witness, found, self.arrays, Scheme(method, eps), adjoint=self.program)

    def judgements(self, gradients: Arrays | None = None, **options: Any) -> list[Judgement]:
        return [j for array in self.check(gradients, **options).judgements.values() for j in array]

    def verdicts(self, gradients: Arrays | None = None, **options: Any) -> list[Verdict]:
        return [judgement.verdict for judgement in self.judgements(gradients, **options)]


@lru_cache(maxsize=256)
def network(
    inputs: int,
    layers: tuple[tuple[Any, ...], ...],
    loss: str,
    batch: int = 3,
    seed: int = 0,
    **options: Any,
) -> Case:
    """A network of dense layers, each (units, activation, bias), with numbers drawn from ``seed``."""
    described = describe(inputs, [Dense(*layer) for layer in layers], loss, **options)
    derivation = differentiate(network_program(described))
    program = derivation.adjoint_program
    rng = np.random.default_rng(seed)
    shapes = {v.name: tuple(batch if not e.is_Integer else int(e) for e in v.shape) for v in program.inputs}
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    arrays["y"] = targets(loss, shapes["y"], rng)
    names = {name: adjoint.name for name, adjoint in derivation.by_variable.items() if name in derivation.wrt}
    return Case(program, names, witness_of(program), arrays, described.loss.name)


def targets(loss: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Targets that ``loss`` can take."""
    if loss.startswith("categorical"):
        return np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
    if loss.startswith("binary"):
        return rng.integers(2, size=shape).astype(float)
    if loss == "hinge":
        return rng.choice([-1.0, 1.0], size=shape)
    return rng.normal(size=shape)


def one_weight(
    activation: str = "relu", weight: float = 0.0, x: float = 1.0, y: float = 1.0, bias: float = 0.0
) -> Case:
    """y * activation(w x + b): a network of one weight and one bias."""
    case = network(1, ((1, activation),), "upstream", batch=1)
    return case.at(W1=[[weight]], b1=[bias], x=[[x]], y=[[y]])


def counted(verdicts: list[Verdict]) -> dict[str, int]:
    return {verdict.value: verdicts.count(verdict) for verdict in Verdict if verdict in verdicts}


Change = Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
