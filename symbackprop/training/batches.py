"""The examples of a step: all of them, or one shuffled batch after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.errors import UsageError
from symbackprop.notation.program import Program
from symbackprop.specification.batch import batch_axes

__all__ = ["Batches", "batches_of"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Batches:
    """Examples that are shuffled in memory of their own, and views of it, one for each step of an epoch.

    ``parts`` holds for each step the arrays by name and how many examples they have; the last may have fewer.
    """

    source: Arrays
    shuffled: Arrays
    axes: Mapping[str, int]
    examples: int
    parts: tuple[tuple[Arrays, int], ...]

    def shuffle(self, seed: int, epoch: int) -> None:
        """Put the examples in the order of ``epoch``: a permutation by ``default_rng((seed, epoch))``."""
        order = np.random.default_rng((seed, epoch)).permutation(self.examples)
        for name, axis in self.axes.items():
            # With mode="clip" take writes straight into its memory; no entry of a permutation is out of range.
            np.take(self.source[name], order, axis=axis, out=self.shuffled[name], mode="clip")


def batches_of(program: Program, arrays: Arrays, size: int | None) -> Batches | None:
    """The batches of ``size`` examples; None where all examples are one batch, which nobody needs to shuffle.

    Raises UsageError where there are fewer examples, or where the program does not say what an example is.
    """
    if size is None:
        return None
    try:
        axes = {name: axis for name, axis in batch_axes(program).items() if name in arrays}
    except UsageError as error:
        raise UsageError(f"batch_size is {size}, but {error}, or leave batch_size out") from error
    if not axes:
        raise UsageError(f"batch_size is {size}, but no array was given whose examples could be batches; leave it out")
    examples = {arrays[name].shape[axis] for name, axis in axes.items()}.pop()
    if size > examples:
        raise UsageError(
            f"batch_size is {size}, but there are {examples} examples; give at most {examples}, or leave it out for "
            "all of them"
        )
    if size == examples:
        return None
    shuffled = {name: np.array(arrays[name], order="C") for name in axes}
    starts = range(0, examples, size)
    parts = []
    for start in starts:
        stop = min(start + size, examples)
        views = {name: shuffled[name][(slice(None),) * axis + (slice(start, stop),)] for name, axis in axes.items()}
        parts.append((views, stop - start))
    return Batches(arrays, shuffled, axes, examples, tuple(parts))
