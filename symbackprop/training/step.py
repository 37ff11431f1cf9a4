"""A step of descent as a program: forward and adjoint equations, and what becomes of each weight.

    W1_velocity_next[j,i] = momentum*W1_velocity[j,i] + W1_bar[j,i]
    W1_next[j,i]          = W1[j,i] - rate*W1_velocity_next[j,i]

It is compiled like any program, so that a step is one call, and a tiny network's step a few lines on Python's numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.codegen.identifiers import Identifiers
from symbackprop.notation.program import Equation, Program, Role, Variable
from symbackprop.optimizers import GRADIENT, WEIGHT, Optimizer, after

__all__ = ["Step", "step_of"]


@dataclass(frozen=True)
class Step:
    """``program`` computes ``outputs``: the loss, and the successor of each array that is ``carried`` on.

    Its inputs begin with the carried ones, in their order: the ``weights`` that are trained, then what the optimizer
    remembers of each. ``remembered`` says of which array and of which weight that is, ``numbers`` maps the
    optimizer's names of numbers to inputs of the program.
    """

    program: Program
    outputs: tuple[str, ...]
    weights: tuple[str, ...]
    remembered: Mapping[str, tuple[str, str]]
    numbers: Mapping[str, str]

    @property
    def carried(self) -> tuple[str, ...]:
        """The inputs that a step replaces."""
        return (*self.weights, *self.remembered)


def step_of(program: Program, loss: str, gradients: Mapping[str, str], optimizer: Optimizer) -> Step:
    """The step of ``optimizer`` for the weights in ``gradients``, which names the gradient of each in ``program``."""
    free = Identifiers((*program.variables, *(size.name for size in program.sizes))).take
    numbers = {number: Variable(free(number.name), role=Role.INPUT) for number in optimizer.mentioned}
    fixed = {number: variable.everywhere for number, variable in numbers.items()}
    remembered: dict[str, tuple[str, str]] = {}
    kept: list[Variable] = []
    successors: dict[str, str] = {}
    equations: list[Equation] = []
    for name, gradient in gradients.items():
        weight = program.variable(name)
        arrays = {WEIGHT: weight}
        for array in optimizer.remembered:
            arrays[array] = _like(weight, free(f"{name}_{array.name}"), Role.INPUT)
            kept.append(arrays[array])
            remembered[kept[-1].name] = (array.name, name)
        entries = {array: variable.everywhere for array, variable in arrays.items()}
        entries |= {GRADIENT: program.variable(gradient).at(*weight.indices), **fixed}
        for array, value in optimizer.updates:
            successor = _like(weight, free(f"{arrays[array].name}_next"), Role.DEFINED)
            equations.append(Equation(successor, value.xreplace(entries)))
            entries[after(array)] = successor.everywhere
            successors[arrays[array].name] = successor.name
    trained = [program.variable(name) for name in gradients]
    others = [variable for variable in program.inputs if variable.name not in gradients]
    inputs = (*trained, *kept, *others, *numbers.values())
    return Step(
        program=program.extended(tuple(equations), inputs=inputs),
        outputs=(loss, *(successors[variable.name] for variable in (*trained, *kept))),
        weights=tuple(gradients),
        remembered=remembered,
        numbers={number.name: variable.name for number, variable in numbers.items()},
    )


def _like(variable: Variable, name: str, role: Role) -> Variable:
    return Variable(name, variable.shape, role, variable.indices)
