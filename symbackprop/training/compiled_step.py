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


class Generations:
    """Memory for what steps return: a step writes into the arrays of a ``generation``, made when it is first theirs.

    New memory for large arrays in each step would cost as much as the update itself. Whoever calls for a step says
    which generation nobody needs any more.
    """

    def __init__(self) -> None:
        self._arrays: dict[int, list[Array]] = {}
        self._now: list[Array] | None = None
        self._taken = 0

    def begin(self, generation: int) -> None:
        """From here on hand out the arrays of ``generation``, the first one first."""
        self._now = self._arrays.setdefault(generation, [])
        self._taken = 0

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """What a kernel calls for memory: once and for all when it is bound, and then in each step for its results."""
        if self._now is None:
            return np.empty(shape, dtype)
        if self._taken == len(self._now):
            self._now.append(np.empty(shape, dtype))
        self._taken += 1
        return self._now[self._taken - 1]


# For the generations in which an epoch begins, and began before: two that it can write into by turns.
_SPARE = {
    (here, before): [g for g in range(4) if g not in (here, before)] for here in range(-1, 4) for before in range(-1, 4)
}


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
        self._memory = Generations()
        # Arrays of the caller's own are of no generation.
        self._here, self._before = -1, -1
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

        Raises NotFiniteError where a loss is not. ``carried`` is left as it is, and so is what it was an epoch before;
        what is older is written over.
        """
        spare = _SPARE[self._here, self._before]
        if self._batches is None:
            loss, *carried = self._stepped(carried, 0, done, spare[0])
            if not -math.inf < loss < math.inf:
                raise NotFiniteError(float(loss), on_the_way=False)
            self._here, self._before = spare[0], self._here
            return loss, carried
        whole = self.loss(carried)
        if not math.isfinite(whole):
            raise NotFiniteError(whole, on_the_way=False)
        self._batches.shuffle(next(self._orders))
        for number in range(self.steps):
            loss, *carried = self._stepped(carried, number, done + number, spare[number % 2])
            if not -math.inf < loss < math.inf:
                raise NotFiniteError(float(loss), on_the_way=True)
        self._here, self._before = spare[(self.steps - 1) % 2], self._here
        return whole, carried

    def _stepped(self, carried: Carried, number: int, done: int, generation: int) -> Sequence[Any]:
        if not self.settings.optimizer.steady:
            self._set_numbers(done + 1)
        self._memory.begin(generation)
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
        numbers = self._arguments.numbers(kernel.code.sizes, sizes)
        return kernel.bind(self._given.dtype, numbers, {**NAMESPACE, "empty": self._memory.empty})
