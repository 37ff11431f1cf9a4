"""What differences of the loss say of single entries of a gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.verification.ladder import ladder
from symbackprop.verification.noise import measured_noise
from symbackprop.verification.witness import Witness

__all__ = ["SingleEntries"]

Array = npt.NDArray[Any]


class SingleEntries:
    """The derivatives of one loss at one point, entry by entry, from values of the loss alone."""

    def __init__(self, witness: Witness, arrays: Mapping[str, Array]) -> None:
        self.witness = witness
        self.arrays = {name: np.array(array, order="C") for name, array in arrays.items()}
        self._noise = measured_noise(witness, self.arrays, tuple(v.name for v in witness.program.parameters))

    def difference(self, name: str, index: tuple[int, ...]) -> float:
        """The derivative by the entry ``index`` of ``name``, by extrapolated central differences."""
        array = self.arrays[name].copy()
        value = float(array[index])

        def cost(w: float) -> float:
            array[index] = w
            return self.witness.loss({**self.arrays, name: array})

        return ladder(cost, value, self._noise).value
