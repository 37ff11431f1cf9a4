"""The plane of a run whose examples are two numbers: the data, and what the network says around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.codegen.arguments import Arguments
from symbackprop.codegen.function import CompiledFunction
from symbackprop.errors import UsageError
from symbackprop.notation.program import Role
from symbackprop.specification.batch import batch_axes

__all__ = ["Plane", "are_classes", "plane_of"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

_MOST_CLASSES = 8


@dataclass(frozen=True, eq=False)
class Plane:
    """Examples (N, 2) with their targets (N, K), and how to ask for the outputs anywhere.

    ``threshold`` is the output between two classes; None where there are not two.
    """

    points: Array
    targets: Array
    threshold: float | None
    arguments: Arguments
    parameters: Arrays

    def outputs(self, horizontal: Array, vertical: Array) -> Array | None:
        """The outputs (V, H, K) on the grid of these coordinates; None where they are not finite."""
        program = self.arguments.program
        assert program.output is not None
        grid = np.stack(np.meshgrid(horizontal, vertical), axis=-1).reshape(-1, 2).astype(self.points.dtype)
        predict = CompiledFunction(self.arguments, program.output)
        (name,) = (v.name for v in predict.kernel.inputs if v.role is not Role.PARAMETER)
        with np.errstate(all="ignore"):
            outputs: Array = predict(self.parameters, **{name: grid})
        return outputs.reshape(len(vertical), len(horizontal), -1) if np.isfinite(outputs).all() else None


def plane_of(arguments: Arguments, parameters: Arrays, data: Arrays) -> Plane | None:
    """The plane of ``data`` and ``parameters``, copied; None unless examples are two numbers with one or a class."""
    program = arguments.program
    try:
        axes = batch_axes(program)
    except UsageError:
        return None
    if program.output is None:
        return None
    output = program.variables[program.output]
    used = program.used_by((program.output,))
    inputs = [v for v in program.inputs if v.name in used and v.role is not Role.PARAMETER]
    targets = [v for v in program.inputs if v.role is Role.TARGET and v.shape == output.shape and v.name in data]
    if len(inputs) != 1 or len(targets) != 1 or inputs[0].name not in data or len(output.shape) != 2:
        return None
    points, said = data[inputs[0].name], data[targets[0].name]
    by_example = axes.get(inputs[0].name) == 0 and output.shape[0] == program.batch
    if not by_example or inputs[0].integer or points.shape[1:] != (2,) or len(points) < 2:
        return None
    if said.shape[1] != 1 and not are_classes(said):
        return None
    kept = {name: array.copy() for name, array in parameters.items()}
    return Plane(points.copy(), said.copy(), _threshold(said, arguments.loss), arguments, kept)


def are_classes(targets: Array) -> bool:
    """Whether every row says one class, of a few."""
    one_hot = ((targets == 0) | (targets == 1)).all() and (targets.sum(axis=1) == 1).all()
    return bool(one_hot and 2 <= targets.shape[1] <= _MOST_CLASSES)


def _threshold(targets: Array, loss: str) -> float | None:
    values = np.unique(targets)
    if targets.shape[1] != 1 or values.size != 2:
        return None
    return 0.0 if loss.endswith("_with_logits") else float(values.mean())
