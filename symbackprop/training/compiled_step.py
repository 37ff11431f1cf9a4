"""A step of descent, compiled for the data at hand: an epoch is one call, or one for each batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.codegen.arguments import Arguments, Checked
from symbackprop.codegen.bound import KernelFunction
from symbackprop.codegen.operations import NAMESPACE
from symbackprop.errors import UsageError
from symbackprop.interrupts import Interrupts
from symbackprop.training.batches import batches_of
from symbackprop.training.settings import Settings
from symbackprop.training.step import Step

__all__ = ["Carried", "CompiledStep", "NotFiniteError", "StoppedError"]

Array = npt.NDArray[Any]
Carried = Sequence[Array]
"""The weights that are trained, then what the optimizer remembers of them."""
Run = Callable[..., tuple[Any, ...]]


class NotFiniteError(Exception):
    """A loss is no finite number; the text says which."""


class StoppedError(Exception):
    """Ctrl-C was pressed."""


class _Turns:
    """Memory for what steps return: two sets of arrays that they write into by turns.

    New memory for large arrays in each step would cost as much as the update itself.
    """

    def __init__(self) -> None:
        self._sets: tuple[list[Array], list[Array]] = ([], [])
        self._turn = 0
        self._taken = -1

    def begin(self) -> None:
        """The next step writes into the set that the last one did not write into."""
        self._turn = 1 - self._turn
        self._taken = 0

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """What a kernel calls for memory: once and for all when it is bound, and then in each step for its results."""
        if self._taken < 0:
            return np.empty(shape, dtype)
        arrays = self._sets[self._turn]
        if self._taken == len(arrays):
            arrays.append(np.empty(shape, dtype))
        self._taken += 1
        return arrays[self._taken - 1]


class CompiledStep:
    """The step of a program, with data: ``epoch`` goes once through all examples.

    ``given`` holds arrays that ``arguments`` has checked: the data, and every parameter. ``steps`` is the number of
    steps of an epoch. Raises UsageError where a setting is no number of the floating type.
    """

    def __init__(self, step: Step, arguments: Arguments, given: Checked, settings: Settings) -> None:
        self.step = step
        self.settings = settings
        self._arguments = arguments
        self._given = given
        self._numbers = _numbers(step, settings, given.dtype)
        self._arrays = {**given.arrays, **{step.numbers[name]: array for name, array in self._numbers.items()}}
        self._turns = _Turns()
        self._loss_kernel = KernelFunction(step.program, step.outputs[:1])
        self._loss = self._bind(self._loss_kernel)
        self._batches = batches_of(step.program, given.arrays, settings.batch_size)
        self._calls = self._bound_calls()
        self.steps = len(self._calls)

    def loss(self, carried: Carried) -> float:
        """The loss over all examples."""
        arrays = {**self._arrays, **dict(zip(self.step.carried, carried, strict=True))}
        (loss,) = self._loss(*(arrays[variable.name] for variable in self._loss_kernel.inputs))
        return float(loss)

    def epoch(self, carried: Carried, number: int, done: int, interrupts: Interrupts) -> tuple[float, Carried]:
        """The loss over all examples, and what is carried on after epoch ``number``, which ``done`` steps went before.

        What came of this epoch is written over by the next but one step; ``carried`` itself is written over only where
        there are several batches. Raises NotFiniteError where a loss is not, StoppedError between batches.
        """
        if self._batches is None:
            loss, *carried = self._stepped(carried, 0, done)
            if not -math.inf < loss < math.inf:
                raise NotFiniteError(f"the loss is {loss:g}")
            return loss, carried
        whole = self.loss(carried)
        if not math.isfinite(whole):
            raise NotFiniteError(f"the loss is {whole:g}")
        self._batches.shuffle(self.settings.seed, number)
        for batch in range(self.steps):
            loss, *carried = self._stepped(carried, batch, done + batch)
            if not -math.inf < loss < math.inf:
                raise NotFiniteError(f"the loss of a batch is {loss:g}")
            if interrupts.pressed:
                raise StoppedError
        return whole, carried

    def _stepped(self, carried: Carried, batch: int, done: int) -> Sequence[Any]:
        if not self.settings.optimizer.steady:
            for name, value in self.settings.optimizer.numbers(self.settings.learning_rate, done + 1).items():
                self._numbers[name][...] = value
        self._turns.begin()
        run, fixed = self._calls[batch]
        return run(*carried, *fixed)

    def _bound_calls(self) -> list[tuple[Run, tuple[Array, ...]]]:
        """For each step of an epoch its function, and the arguments after what is carried."""
        kernel = KernelFunction(self.step.program, self.step.outputs)
        # What is carried comes first; the rest stays the same from epoch to epoch, or is shuffled in its place.
        rest = [variable.name for variable in kernel.inputs[len(self.step.carried) :]]
        if self._batches is None:
            return [(self._bind(kernel), tuple(self._arrays[name] for name in rest))]
        bound = {examples: self._bind(kernel, examples) for examples in {part[1] for part in self._batches.parts}}
        return [
            (bound[examples], tuple({**self._arrays, **views}[name] for name in rest))
            for views, examples in self._batches.parts
        ]

    def _bind(self, kernel: KernelFunction, examples: int | None = None) -> Run:
        sizes = dict(self._given.sizes)
        if examples is not None:
            sizes[self.step.program.batch] = examples
        numbers = self._arguments.numbers(kernel.code.sizes, sizes)
        return kernel.bind(self._given.dtype, numbers, {**NAMESPACE, "empty": self._turns.empty})


def _numbers(step: Step, settings: Settings, dtype: np.dtype[Any]) -> dict[str, Array]:
    """The optimizer's numbers for the first step, as arrays that are changed in place."""
    found: dict[str, Array] = {}
    for name, value in settings.optimizer.numbers(settings.learning_rate, 1).items():
        with np.errstate(all="ignore"):
            found[name] = np.array(value, dtype)
        if not np.isfinite(found[name]) or bool(found[name] == 0) != (value == 0):
            what = "learning_rate" if name == "rate" else name
            raise UsageError(f"{what} gives {value:g}, which is {found[name]:g} in {dtype}; use float64 parameters")
    return found
