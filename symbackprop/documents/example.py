"""The numbers that a document works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from symbackprop.forms.scalar import Place, ScalarForm

__all__ = ["WeightCheck", "WorkedExample", "known"]


@dataclass(frozen=True)
class WeightCheck:
    """The derivative of the loss by the weight at ``place``, in two ways that know nothing of the derivation.

    ``derivative`` is what SymPy makes of the loss written out as an expression in this weight alone, None where that
    expression is too long; ``difference`` is (C(w + eps) - C(w - eps)) / (2 eps).
    """

    place: Place
    derivative: float | None
    difference: float
    eps: float

    def error(self, value: float) -> float:
        """The larger distance of the two from ``value``, relative to it where it is not 0."""
        ways = [way for way in (self.derivative, self.difference) if way is not None]
        return max(abs(way - value) for way in ways) / (abs(value) or 1.0)


@dataclass(frozen=True)
class WorkedExample:
    """Numbers for a derivation: the scalar form with its values, the learning rate, and what was drawn from a seed.

    ``examples`` is how many examples the data have, where only the first of them is worked. ``checks`` are the weights
    whose derivatives were taken in other ways.
    """

    form: ScalarForm
    learning_rate: float
    drawn: tuple[str, ...] = ()
    seed: int = 0
    examples: int | None = None
    checks: tuple[WeightCheck, ...] = ()

    def array(self, name: str) -> npt.NDArray[Any]:
        """The array called ``name``."""
        assert self.form.values is not None
        return self.form.values[name]


def known(value: float | None) -> float:
    """A number of the worked example; without numbers there is none to work."""
    assert value is not None
    return value
