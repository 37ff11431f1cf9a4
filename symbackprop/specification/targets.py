"""Targets that a loss can take: one row a family of losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.errors import UsageError

__all__ = ["check_targets", "suits"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class _Rule:
    """For losses whose name begins with ``family``: which targets there are, said by a test and in words."""

    family: str
    allowed: Callable[[Array], Array]
    what: str
    remedy: str


_RULES = (
    _Rule(
        "binary_cross_entropy",
        lambda y: (y >= 0) & (y <= 1),
        "takes targets from 0 to 1",
        "give 0 or 1, or a probability",
    ),
    _Rule(
        "categorical_cross_entropy",
        # That a row sums to 1 is an assumption about data, not a condition of the loss.
        lambda y: (y >= 0) & np.isfinite(y),
        "takes targets that are 0 or larger",
        "give one-hot rows, probabilities, or integer labels",
    ),
    _Rule("hinge", lambda y: np.abs(y) == 1, "takes targets -1 and 1", "give -1 for one class and 1 for the other"),
)


def suits(loss: str) -> Callable[[Array], bool] | None:
    """Whether every entry of an array suits the loss called ``loss``; None where all real targets do."""
    for rule in _RULES:
        if loss.startswith(rule.family):
            return lambda array: bool(np.all(rule.allowed(array)))
    return None


def check_targets(loss: str, name: str, array: Array) -> None:
    """UsageError where an entry of the target ``array`` called ``name`` does not suit the loss called ``loss``.

    Losses that take any real target, and losses of one's own, are not restricted.
    """
    for rule in _RULES:
        if not loss.startswith(rule.family):
            continue
        # NaN is not allowed by any of the tests.
        wrong = np.argwhere(~np.asarray(rule.allowed(array)))
        if wrong.size or (array.ndim == 0 and not rule.allowed(array)):
            place = ", ".join(str(int(axis)) for axis in wrong[0])
            value = float(array[tuple(wrong[0])])
            where = f"{name}[{place}]" if place else name
            raise UsageError(f"{where} is {value:g}, but the loss {loss} {rule.what}; {rule.remedy}")
