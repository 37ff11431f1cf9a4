"""A step of descent, compiled for the data at hand: an epoch is one call, or one for each batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.codegen.arguments import Arguments, Checked
from symbackprop.codegen.bound import KernelFunction
from symbackprop.training.batches import batches_of
from symbackprop.training.settings import Settings
from symbackprop.training.step import Step

__all__ = ["Carried", "CompiledStep", "NotFiniteError"]

Array = npt.NDArray[Any]
Carried = Sequence[Array]
"""The weights that are trained, then what the optimizer remembers of them."""
Run = Callable[..., tuple[Any, ...]]


class NotFiniteError(Exception):
    """A loss is no finite number: that of all examples before the epoch, or that of a batch on the way."""

    def __init__(self, loss: float, on_the_way: bool) -> None:
        super().__init__(loss)
        self.loss = loss
        self.on_the_way = on_the_way


class CompiledStep:
    """The step of a program, with data: ``epoch`` goes once through all examples.

    ``given`` holds arrays that ``arguments`` has checked: the data, and every parameter. ``skip`` says how many epochs
    were shuffled before. ``steps`` is the number of steps of an epoch.
    """

    def __init__(self, step: Step, arguments: Arguments, given: Checked, settings: Settings, skip: int = 0) -> None:
        self._step = step
        self._arguments = arguments
        self.settings = settings
        self._given = given
        self._numbers = {name: np.zeros((), given.dtype) for name in step.numbers}
        self._arrays = {**given.arrays, **{step.numbers[name]: array for name, array in self._numbers.items()}}
        self._set_numbers(1)
        self._loss_kernel = KernelFunction(step.program, step.outputs[:1])
        self._loss = self._bind(self._loss_kernel)
        kernel = KernelFunction(step.program, step.outputs)
        # What is carried comes first; the rest stays the same from epoch to epoch, or is shuffled in its place.
        rest = [variable.name for variable in kernel.inputs[len(step.carried) :]]
        self._batches = batches_of(step.program, given.arrays, settings.batch_size)
        parts = (({}, None),) if self._batches is None else self._batches.parts
        self._calls: list[tuple[Run, tuple[Array, ...]]] = []
        bound: dict[int | None, Run] = {}
        for views, examples in parts:
            if examples not in bound:
                bound[examples] = self._bind(kernel, examples)
            arrays = {**self._arrays, **views}
            self._calls.append((bound[examples], tuple(arrays[name] for name in rest)))
        self._orders = iter(()) if self._batches is None else self._batches.orders(settings.seed, skip)
        self.steps = len(self._calls)

    def loss(self, carried: Carried) -> float:
        """The loss over all examples."""
        arrays = {**self._arrays, **dict(zip(self._step.carried, carried, strict=True))}
        (loss,) = self._loss(*(arrays[variable.name] for variable in self._loss_kernel.inputs))
        return float(loss)

    def epoch(self, carried: Carried, done: int) -> tuple[float, Carried]:
        """The loss over all examples, and what is carried on after one epoch that ``done`` steps went before.

        Raises NotFiniteError where a loss is not; ``carried`` itself is left as it is.
        """
        if self._batches is None:
            loss, *carried = self._stepped(carried, 0, done)
            if not -math.inf < loss < math.inf:
                raise NotFiniteError(float(loss), on_the_way=False)
            return loss, carried
        whole = self.loss(carried)
        if not math.isfinite(whole):
            raise NotFiniteError(whole, on_the_way=False)
        self._batches.shuffle(next(self._orders))
        for number in range(self.steps):
            loss, *carried = self._stepped(carried, number, done + number)
            if not -math.inf < loss < math.inf:
                raise NotFiniteError(float(loss), on_the_way=True)
        return whole, carried

    def _stepped(self, carried: Carried, number: int, done: int) -> Sequence[Any]:
        if not self.settings.optimizer.steady:
            self._set_numbers(done + 1)
        run, fixed = self._calls[number]
        return run(*carried, *fixed)

    def _set_numbers(self, step: int) -> None:
        for name, value in self.settings.optimizer.numbers(self.settings.learning_rate, step).items():
            if name in self._numbers:
                self._numbers[name][...] = value

    def _bind(self, kernel: KernelFunction, examples: int | None = None) -> Run:
        sizes = dict(self._given.sizes)
        if examples is not None:
            sizes[self._step.program.batch] = examples
        return kernel.bind(self._given.dtype, self._arguments.numbers(kernel.code.sizes, sizes))
