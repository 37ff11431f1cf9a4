"""The rounding noise of a loss, measured.

The unit roundoff times the loss is not it: a loss of 1e-10 may be the difference of numbers near 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.verification.ladder import UNIT
from symbackprop.verification.witness import Witness

__all__ = ["measured_noise", "nearby"]

Array = npt.NDArray[Any]

_SAMPLES = 5
_TABLE = 9
_ORDER = 5


def measured_noise(witness: Witness, arrays: Mapping[str, Array], names: tuple[str, ...]) -> float:
    """A bound on the rounding error of the loss near ``arrays``; ``names`` are the arrays that will be perturbed.

    Twice the largest difference between the loss in float64 and in long double at a few nearby points. Where long
    double is no wider than float64, and for functions that are only known in float64, the differences of high order
    of closely spaced values tell: there a smooth function vanishes and its rounding errors stay (Hamming 1962; Moré
    and Wild 2011, ECnoise). The largest of both counts, and never less than the last rounding itself.
    """
    rng = np.random.default_rng(0)
    at_least = UNIT * abs(witness.loss(arrays))
    differences = [0.0]
    for _ in range(_SAMPLES):
        point = nearby(arrays, names, rng, 1e-3)
        difference = abs(float(np.longdouble(witness.loss(point)) - witness.precise(point)))
        differences.append(difference if math.isfinite(difference) else 0.0)
    return max(2 * max(differences), 4 * _roughness(witness, arrays, names, rng), at_least)


def nearby(
    arrays: Mapping[str, Array], names: tuple[str, ...], rng: np.random.Generator, relative: float
) -> dict[str, Array]:
    """``arrays`` with every entry of those in ``names`` moved by up to ``relative`` times its size."""
    moved = {name: arrays[name] * (1 + relative * rng.uniform(-1, 1, arrays[name].shape)) for name in names}
    return {**arrays, **moved}


def _roughness(
    witness: Witness, arrays: Mapping[str, Array], names: tuple[str, ...], rng: np.random.Generator
) -> float:
    """The standard deviation of the noise, from differences of order k: sqrt(mean(T^2) (k!)^2 / (2k)!)."""
    direction = {name: rng.uniform(-1, 1, arrays[name].shape) for name in names}
    values = []
    for step in range(_TABLE):
        point = {name: arrays[name] * (1 + 2.0**-40 * step * direction[name]) for name in names}
        values.append(witness.loss({**arrays, **point}))
    table = np.diff(np.array(values), n=_ORDER)
    gamma = math.factorial(_ORDER) ** 2 / math.factorial(2 * _ORDER)
    return math.sqrt(gamma * float(np.mean(table**2))) if np.isfinite(table).all() else 0.0
