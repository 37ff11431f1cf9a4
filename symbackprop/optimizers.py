"""Gradient descent and its kin: what one step makes of a weight, as equations.

An update rule is a short program for one weight, elementwise like an activation: from the weight w, its gradient g
and what is remembered of earlier steps to their successors. ``after`` marks a successor.

    velocity' = momentum*velocity + gradient
    weight'   = weight - rate*velocity'
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import sympy

from symbackprop.errors import UsageError, nearest

__all__ = [
    "GRADIENT",
    "OPTIMIZERS",
    "SGD",
    "WEIGHT",
    "Adam",
    "Optimizer",
    "Update",
    "after",
    "is_real",
    "optimizer_named",
]

Update = tuple[sympy.Symbol, sympy.Expr]
"""An array, and what a step makes of it."""


def _symbol(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, real=True)


def after(array: sympy.Symbol) -> sympy.Symbol:
    """``array`` as it is after the step."""
    return _symbol(f"{array.name}'")


WEIGHT, GRADIENT = _symbol("weight"), _symbol("gradient")
_RATE = _symbol("rate")
_VELOCITY, _MOMENTUM = _symbol("velocity"), _symbol("momentum")
_MEAN, _SQUARE = _symbol("mean"), _symbol("square")
_BETA1, _REST1, _BETA2, _REST2 = map(_symbol, ("beta1", "rest1", "beta2", "rest2"))
_BIAS, _EPSILON = _symbol("bias"), _symbol("epsilon")


@dataclass(frozen=True)
class Optimizer(ABC):
    """An update rule with its settings."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def updates(self) -> tuple[Update, ...]:
        """What becomes of each array, in computing order; what is remembered begins at zero."""

    @abstractmethod
    def numbers(self, learning_rate: float, step: int) -> Mapping[str, float]:
        """The numbers that the updates mention, by name, for the step counted from 1."""

    @property
    def steady(self) -> bool:
        """Whether the numbers are the same for every step."""
        return True

    @property
    def remembered(self) -> tuple[sympy.Symbol, ...]:
        """The arrays that are kept beside each weight from step to step."""
        return tuple(array for array, _ in self.updates if array != WEIGHT)

    @property
    def mentioned(self) -> tuple[sympy.Symbol, ...]:
        """The numbers that the updates mention."""
        arrays = {GRADIENT} | {symbol for array, _ in self.updates for symbol in (array, after(array))}
        found = {symbol for _, value in self.updates for symbol in value.free_symbols - arrays}
        return tuple(sorted(found, key=str))

    def settings(self) -> dict[str, Any]:
        """Name and settings as plain values: what ``optimizer_named`` makes it of again."""
        return {"name": self.name, **{name: float(value) for name, value in asdict(self).items()}}


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent, w' = w - eta g; with ``momentum`` mu, v' = mu v + g and w' = w - eta v'.

    Momentum is the heavy ball of Polyak (1964), in the form of Rumelhart, Hinton and Williams (1986) and of PyTorch's
    ``SGD``. Whether it is stochastic is a matter of the batches.
    """

    momentum: float = 0.0
    name: ClassVar[str] = "sgd"

    def __post_init__(self) -> None:
        _check_fraction("momentum", self.momentum)

    @property
    def updates(self) -> tuple[Update, ...]:
        """w' = w - eta g, or by way of the velocity."""
        if not self.momentum:
            return ((WEIGHT, WEIGHT - _RATE * GRADIENT),)
        return (
            (_VELOCITY, _MOMENTUM * _VELOCITY + GRADIENT),
            (WEIGHT, WEIGHT - _RATE * after(_VELOCITY)),
        )

    def numbers(self, learning_rate: float, step: int) -> Mapping[str, float]:
        """The rate, and the momentum where there is one."""
        return {"rate": learning_rate} | ({"momentum": self.momentum} if self.momentum else {})


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015, algorithm 1, in the order of computation of its section 2).

    m' = beta1 m + (1 - beta1) g,  v' = beta2 v + (1 - beta2) g^2,
    w' = w - eta mhat / (sqrt(vhat) + epsilon)  with  mhat = m' / (1 - beta1^t),  vhat = v' / (1 - beta2^t).
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    name: ClassVar[str] = "adam"

    def __post_init__(self) -> None:
        _check_fraction("beta1", self.beta1)
        _check_fraction("beta2", self.beta2)
        if not (is_real(self.epsilon) and self.epsilon > 0 and math.isfinite(self.epsilon)):
            raise UsageError(f"epsilon is {self.epsilon!r}; give a small positive number, such as 1e-8")

    @property
    def updates(self) -> tuple[Update, ...]:
        """The two running means, then the weight."""
        return (
            (_MEAN, _BETA1 * _MEAN + _REST1 * GRADIENT),
            (_SQUARE, _BETA2 * _SQUARE + _REST2 * GRADIENT**2),
            (WEIGHT, WEIGHT - _RATE * after(_MEAN) / (sympy.sqrt(after(_SQUARE)) / _BIAS + _EPSILON)),
        )

    @property
    def steady(self) -> bool:
        """No: the means start at zero, and this is corrected ever less."""
        return False

    def numbers(self, learning_rate: float, step: int) -> Mapping[str, float]:
        """Both corrections belong to numbers, not to arrays: eta / (1 - beta1^t) and sqrt(1 - beta2^t)."""
        return {
            "rate": learning_rate / (1 - self.beta1**step),
            "bias": math.sqrt(1 - self.beta2**step),
            "beta1": self.beta1,
            "rest1": 1 - self.beta1,
            "beta2": self.beta2,
            "rest2": 1 - self.beta2,
            "epsilon": self.epsilon,
        }


OPTIMIZERS: Mapping[str, type[SGD] | type[Adam]] = MappingProxyType({kind.name: kind for kind in (SGD, Adam)})
"""Every update rule by name."""


def optimizer_named(name: str, **settings: float) -> Optimizer:
    """The update rule called ``name`` with ``settings``; UsageError for a name or a setting that it does not know."""
    if name not in OPTIMIZERS:
        raise UsageError(f"unknown optimizer {name!r}; {nearest(str(name), OPTIMIZERS)}")
    kind = OPTIMIZERS[name]
    known = [field.name for field in fields(kind)]
    for setting in settings:
        if setting not in known:
            raise UsageError(f"{name} has no {setting}; {nearest(setting, known)}")
    return kind(**settings)


def is_real(value: Any) -> bool:
    """Whether ``value`` is a real number, Python's or NumPy's."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _check_fraction(name: str, value: Any) -> None:
    if not (is_real(value) and 0 <= value < 1):
        raise UsageError(f"{name} is {value!r}; give a number from 0 to below 1")
