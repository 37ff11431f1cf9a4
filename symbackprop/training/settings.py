"""How a network is trained."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from symbackprop.errors import UnreadableError, UsageError
from symbackprop.optimizers import OPTIMIZERS, SGD, Optimizer, is_real, optimizer_named
from symbackprop.specification.values import check_count

__all__ = ["DEFAULT_EPOCHS", "Settings", "changed_optimizer", "check_rate", "chosen_optimizer"]

DEFAULT_EPOCHS = 1000


@dataclass(frozen=True)
class Settings:
    """The settings of a run, checked.

    ``epochs`` is how often all examples are gone through, ``batch_size`` how many examples make one step (all of them
    where it is None), ``seed`` what shuffles them. Raises UsageError for a value that does not fit.
    """

    learning_rate: float = 0.01
    epochs: int = DEFAULT_EPOCHS
    batch_size: int | None = None
    seed: int = 0
    optimizer: Optimizer = field(default_factory=SGD)

    def __post_init__(self) -> None:
        plain: dict[str, Any] = {
            "learning_rate": check_rate(self.learning_rate),
            "epochs": check_count("epochs", self.epochs, 1),
            "batch_size": None if self.batch_size is None else check_count("batch_size", self.batch_size, 1),
            "seed": check_count("seed", self.seed, 0),
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)
        if not isinstance(self.optimizer, Optimizer):
            raise UsageError(f"optimizer is {self.optimizer!r}; give one of {', '.join(OPTIMIZERS)}, or sbp.Adam(...)")

    def in_words(self) -> str:
        """Rule, batches and rate, for a title."""
        momentum = getattr(self.optimizer, "momentum", 0)
        rule = self.optimizer.name + (f" with momentum {momentum:g}" if momentum else "")
        batches = "" if self.batch_size is None else f", batches of {self.batch_size}"
        return f"{rule}{batches}, learning rate {self.learning_rate:g}"

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values; ``Settings.of`` takes them back."""
        return {**asdict(self), "optimizer": self.optimizer.settings()}

    @staticmethod
    def of(values: Any) -> Settings:
        """The settings that ``as_dict`` said; UnreadableError where it cannot have been that."""
        names = {entry.name for entry in fields(Settings)}
        if not (isinstance(values, dict) and values.keys() == names and isinstance(values["optimizer"], dict)):
            raise UnreadableError(f"its settings are {str(values)[:80]}")
        try:
            return Settings(**{**values, "optimizer": optimizer_named(**values["optimizer"])})
        except (UsageError, TypeError) as error:
            raise UnreadableError(f"its settings do not fit: {error}") from error


def chosen_optimizer(optimizer: str | Optimizer, momentum: float | None) -> Optimizer:
    """``optimizer``, by name or as it is, with ``momentum`` where that is given."""
    if isinstance(optimizer, str):
        return changed_optimizer(optimizer_named(optimizer), momentum)
    if not isinstance(optimizer, Optimizer):
        raise UsageError(f"optimizer is {optimizer!r}; give one of {', '.join(OPTIMIZERS)}, or sbp.Adam(...)")
    if momentum is not None:
        raise UsageError(f"momentum is {momentum}, beside optimizer={optimizer}; say it there: sbp.SGD({momentum})")
    return optimizer


def changed_optimizer(optimizer: Optimizer, momentum: float | None) -> Optimizer:
    """``optimizer`` with another ``momentum``, unless that is None."""
    if momentum is None or (momentum == 0 and not isinstance(optimizer, SGD)):
        return optimizer
    if not isinstance(optimizer, SGD):
        raise UsageError(f"momentum is {momentum}, but {optimizer.name} takes none; leave momentum out, or take 'sgd'")
    return replace(optimizer, momentum=momentum)


def check_rate(value: Any) -> float:
    """``value`` as a learning rate; UsageError unless it is a positive finite number."""
    try:
        rate = float(value) if is_real(value) else math.nan
    except OverflowError:
        # An integer may be beyond the greatest float.
        rate = math.inf
    if not 0 < rate < math.inf:
        raise UsageError(f"learning_rate is {repr(value)[:40]}; give a positive number, such as 0.01")
    return rate
