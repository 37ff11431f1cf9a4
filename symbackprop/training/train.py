"""Training: from a program with its gradients, and arrays, to what descent makes of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.codegen.arguments import Arguments, Checked
from symbackprop.codegen.function import CompiledFunction
from symbackprop.errors import UsageError
from symbackprop.interrupts import noted_interrupts
from symbackprop.notation.program import Program, Role, Variable
from symbackprop.progress import Progress
from symbackprop.training.compiled_step import CompiledStep
from symbackprop.training.descent import Reached, descend
from symbackprop.training.plane import plane_of
from symbackprop.training.result import Training
from symbackprop.training.settings import Settings
from symbackprop.training.step import Step, step_of

__all__ = ["check_same_network", "forward_equations", "needed", "train"]

Array = npt.NDArray[Any]


def train(
    arguments: Arguments,
    loss: str,
    gradients: Mapping[str, str],
    arrays: Mapping[str, Any],
    settings: Settings,
    *,
    resume: Training | None = None,
    progress: Progress | None = None,
) -> Training:
    """Train the parameters in ``gradients``, which names the gradient of each in the program of ``arguments``.

    ``loss`` is its loss; ``arrays`` has the data, and every parameter where none is taken from ``resume``. Ctrl-C is
    held back while this runs, and ends the descent. ``resume`` is one that ``check_same_network`` lets pass. Raises
    UsageError and SizeError where an array does not fit, and where the loss is not finite from the start.
    """
    started = time.perf_counter()
    step = step_of(arguments.program, loss, gradients, settings.optimizer)
    if resume is not None:
        if settings.epochs <= resume.epochs:
            raise UsageError(
                f"epochs is {settings.epochs}, counted from the start, and the run to resume has done "
                f"{resume.epochs}; give more"
            )
        arguments.checked(arguments.program.parameters, resume.parameters)
        arrays = arguments.together(resume.parameters, arrays)
    given = arguments.checked(needed(arguments.program, (loss, *gradients.values())), arrays)
    start = _start(step, given, resume)
    with noted_interrupts() as interrupts:
        compiled = CompiledStep(step, arguments, given, settings)
        reached = descend(compiled, start, settings.epochs, interrupts, progress)
        seconds = time.perf_counter() - started + (0.0 if resume is None else resume.seconds)
        return _result(arguments, step, given, settings, reached, seconds)


def needed(program: Program, names: Sequence[str]) -> tuple[Variable, ...]:
    """The declared variables that those called ``names`` depend on, and every parameter."""
    used = program.used_by(names)
    return tuple(v for v in program.inputs if v.name in used or v.role is Role.PARAMETER)


def check_same_network(resume: Training, program: Program) -> None:
    """UsageError unless ``resume`` is a run of ``program``."""
    equations = forward_equations(program)
    if equations != resume.equations:
        other = next((there for here, there in zip_longest(equations, resume.equations) if here != there), None)
        raise UsageError(
            f"the run to resume is of {resume.network!r}, whose equations are not those of {program.name!r} (there: "
            f"{other or 'fewer'}); resume a run of the same network, or start with its parameters"
        )


def forward_equations(program: Program) -> tuple[str, ...]:
    """The equations that are no adjoints, as text."""
    return tuple(str(equation) for equation in program.equations if equation.left.role is not Role.ADJOINT)


def _start(step: Step, given: Checked, resume: Training | None) -> Reached:
    weights = [given.arrays[name] for name in step.weights]
    if resume is None:
        return Reached((*weights, *(np.zeros_like(given.arrays[weight]) for _, weight in step.remembered.values())))
    kept = []
    for kind, weight in step.remembered.values():
        array = resume.remembered.get(kind, {}).get(weight)
        if array is None or array.shape != given.arrays[weight].shape:
            raise UsageError(
                f"the run to resume was made with {resume.settings.optimizer}, which keeps no {kind} of {weight}; go "
                "on with the same optimizer, or start anew from its parameters"
            )
        kept.append(array.astype(given.dtype, copy=False))
    return Reached((*weights, *kept), resume.epochs, resume.steps, tuple(resume.losses.tolist()), resume.loss)


def _result(
    arguments: Arguments, step: Step, given: Checked, settings: Settings, reached: Reached, seconds: float
) -> Training:
    program = arguments.program
    carried = dict(zip(step.carried, reached.carried, strict=True))
    # Copies: what did not change is still the caller's own, and the rest is the memory of the steps.
    parameters = {v.name: np.array({**given.arrays, **carried}[v.name]) for v in program.parameters}
    remembered: dict[str, dict[str, Array]] = {}
    for name, (kind, weight) in step.remembered.items():
        remembered.setdefault(kind, {})[weight] = np.array(carried[name])
    data = {name: array for name, array in given.arrays.items() if name not in parameters}
    return Training(
        network=program.name,
        equations=forward_equations(program),
        settings=settings,
        trained=step.weights,
        parameters=parameters,
        losses=np.array(reached.losses, dtype=float),
        loss=reached.loss,
        predictions=_predictions(arguments, parameters, data),
        steps=reached.steps,
        remembered=remembered,
        stopped=reached.stopped,
        interrupted=reached.interrupted,
        seconds=seconds,
        plane=plane_of(arguments, parameters, data),
    )


def _predictions(arguments: Arguments, parameters: Mapping[str, Array], data: Mapping[str, Array]) -> Array | None:
    output = arguments.program.output
    if output is None:
        return None
    # An intermediate may overflow where the output does not, as in a sigmoid's exponential.
    with np.errstate(all="ignore"):
        return np.asarray(CompiledFunction(arguments, output)(parameters, **data))
