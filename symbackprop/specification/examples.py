"""The numbers of a worked example: what is given, checked, and what is missing, drawn from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.errors import SizeError, UsageError
from symbackprop.notation.program import Program, Role
from symbackprop.notation.sizes import bind_sizes
from symbackprop.specification.batch import batch_axes
from symbackprop.specification.values import check_arrays, draw_parameters

__all__ = ["CompleteArrays", "complete_arrays", "draw_data", "is_categorical", "is_small"]

Array = npt.NDArray[Any]

_SMALL = 64
"""Up to how many weights a network without data is worked in numbers."""
_MOST_EXAMPLES = 8
"""Up to how many examples are worked together; of more, the first is worked alone."""
_MOST_WEIGHTS = 200_000
"""Up to how many weights a network is worked in numbers at all."""


@dataclass(frozen=True)
class CompleteArrays:
    """An array for every declared variable, the numbers of the sizes, and the names of what was drawn.

    ``examples`` is the number of examples that were given, where only the first of them is here.
    """

    arrays: Mapping[str, Array]
    sizes: Mapping[sympy.Symbol, int]
    drawn: tuple[str, ...]
    examples: int | None = None


def complete_arrays(
    program: Program,
    given: Mapping[str, Any],
    sizes: Mapping[str, int],
    *,
    seed: int,
    initialization: str,
    loss: str = "",
    layout: str = "out_in",
) -> CompleteArrays | None:
    """``given`` arrays, checked, and the missing ones drawn; None where data are missing and the network is not small.

    ``loss`` is the name of the network's loss, which says what targets look like, ``layout`` that of its weights.
    """
    if not given and not is_small(program, sizes):
        return None
    parameters = {variable.name for variable in program.parameters}
    needed = [variable.name for variable in program.inputs if variable.name not in parameters]
    drawn = tuple(name for name in needed if name not in given)
    data = {name: given[name] for name in needed if name in given}
    if drawn:
        if not is_small(program, sizes):
            return None
        data = {**draw_data(program, loss, sizes, seed), **data}
    checked, examples = _few_examples(program, check_arrays(program, data, one_hot=is_categorical(loss)))
    if examples is not None:
        sizes = {name: number for name, number in sizes.items() if name != str(program.batch)}
    weights = {name: value for name, value in given.items() if name not in data}
    drawn += tuple(variable.name for variable in program.parameters if variable.name not in weights)
    shapes = {name: np.shape(value) for name, value in {**weights, **checked}.items()}
    bound = bind_sizes(program, shapes, sizes)
    unknown = [size.name for size in program.sizes if size not in bound]
    if unknown:
        raise SizeError(
            f"{program.name}: how large {unknown[0]} is cannot be told from the data; give a number for it in "
            "sizes, or the parameters"
        )
    if _count(program, bound) > _MOST_WEIGHTS:
        raise SizeError(
            f"{program.name} has {_count(program, bound)} weights, too many for a worked example (at most "
            f"{_MOST_WEIGHTS}); leave the data out for the derivation alone"
        )
    filled = draw_parameters(program, bound, weights, seed, initialization, layout=layout)
    return CompleteArrays({**checked, **filled}, bound, drawn, examples)


def _few_examples(program: Program, data: dict[str, Array]) -> tuple[dict[str, Array], int | None]:
    """``data``; of many examples the first one, with how many there are."""
    try:
        axes = {name: axis for name, axis in batch_axes(program).items() if name in data}
    except UsageError:
        return data, None
    examples = min((data[name].shape[axis] for name, axis in axes.items()), default=0)
    if examples <= _MOST_EXAMPLES:
        return data, None
    return {**data, **{name: data[name].take([0], axis=axis) for name, axis in axes.items()}}, examples


def is_categorical(loss: str) -> bool:
    """Whether integer labels stand for one-hot targets of the loss called ``loss``."""
    return loss.startswith("categorical")


def is_small(program: Program, sizes: Mapping[str, int]) -> bool:
    """Whether every size but the batch is known, and the weights are few."""
    numbers = {symbol: sizes.get(symbol.name, 1 if symbol == program.batch else None) for symbol in program.sizes}
    if any(number is None for number in numbers.values()):
        return False
    return _count(program, numbers) <= _SMALL


def _count(program: Program, numbers: Mapping[sympy.Symbol, int | None]) -> int:
    return sum(int(sympy.Mul(*parameter.shape).xreplace(dict(numbers))) for parameter in program.parameters)


def draw_data(program: Program, loss: str, sizes: Mapping[str, int], seed: int) -> dict[str, Array]:
    """One example for every input and target: inputs in quarters, targets as the loss called ``loss`` wants them."""
    rng = np.random.default_rng(seed)
    numbers = {symbol: sizes.get(symbol.name, 1) for symbol in program.sizes}
    data: dict[str, Array] = {}
    for variable in program.inputs:
        if variable.role is Role.PARAMETER:
            continue
        shape = tuple(int(sympy.sympify(extent.xreplace(numbers))) for extent in variable.shape)
        if variable.integer:
            data[variable.name] = np.zeros(shape, dtype=int)
        elif variable.role is Role.TARGET and is_categorical(loss):
            data[variable.name] = np.eye(shape[-1])[rng.integers(shape[-1], size=shape[0])]
        elif variable.role is Role.TARGET and loss.startswith("binary"):
            data[variable.name] = rng.integers(2, size=shape).astype(float)
        elif variable.role is Role.TARGET and loss == "hinge":
            data[variable.name] = 2.0 * rng.integers(2, size=shape) - 1
        else:
            data[variable.name] = rng.integers(-8, 9, size=shape) / 4
    return data
