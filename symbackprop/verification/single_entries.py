"""Single entries of a gradient: what differences of the loss say of them, and whether a kink excuses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.verification.adjudicators import Adjudicators
from symbackprop.verification.ladder import Estimate, ladder
from symbackprop.verification.noise import measured_noise
from symbackprop.verification.verdicts import Verdict, between
from symbackprop.verification.witness import Witness

__all__ = ["SingleEntries"]

Array = npt.NDArray[Any]

_ON_KINK = 1e-9
"""How near an argument counts as lying on a kink: nearer than rounding may have brought it."""
_MOST = 500
"""Up to how many entries a kink is asked about."""


class SingleEntries:
    """The derivatives of one loss at one point, entry by entry, from values of the loss alone."""

    def __init__(self, witness: Witness, arrays: Mapping[str, Array]) -> None:
        self.witness = witness
        self.arrays = {name: np.array(array, order="C") for name, array in arrays.items()}
        names = tuple(v.name for v in witness.program.parameters)
        self._noise = measured_noise(witness, self.arrays, names)
        self._adjudicators = Adjudicators(witness, dict(arrays), self._noise)

    def difference(self, name: str, index: tuple[int, ...]) -> float:
        """The derivative by the entry ``index`` of ``name``, by extrapolated central differences."""
        return self._estimate(name, index).value

    def on_kink(self) -> bool:
        """Whether the point lies where there is no derivative."""
        return self.witness.distance(self.arrays) < _ON_KINK

    def at_kinks(self, name: str, gradient: Array, asked: Array) -> Array:
        """Which of the entries ``asked`` about have no derivative, and lie between those from the left and right."""
        found = np.zeros_like(asked)
        for index in list(zip(*np.nonzero(asked), strict=True))[:_MOST] if asked.ndim else [()]:
            at = tuple(int(axis) for axis in index)
            found[at] = self._is_between(name, at, float(gradient[at]))
        return found

    def _is_between(self, name: str, index: tuple[int, ...], gradient: float) -> bool:
        place = int(np.ravel_multi_index(index, self.arrays[name].shape)) if index else 0
        judgement = self._adjudicators.at_kink(name, place, gradient, self._estimate(name, index))
        if judgement is None:
            found = self._estimate(name, index)
            judgement = between(gradient, found) if found.jumps else None
        return judgement is not None and judgement.verdict in (Verdict.KINK, Verdict.PASS)

    def _estimate(self, name: str, index: tuple[int, ...]) -> Estimate:
        array = self.arrays[name].copy()
        value = float(array[index])

        def cost(w: float) -> float:
            array[index] = w
            return self.witness.loss({**self.arrays, name: array})

        return ladder(cost, value, self._noise)
