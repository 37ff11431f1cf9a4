"""The descent: one epoch after the other, until the end, or until there is a reason to stop."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from symbackprop.errors import UsageError
from symbackprop.interrupts import Interrupts
from symbackprop.progress import Progress
from symbackprop.training.compiled_step import Carried, CompiledStep, NotFiniteError, StoppedError
from symbackprop.training.result import epochs_in_words

__all__ = ["Reached", "descend"]

_SECONDS_BETWEEN_REPORTS = 0.2


@dataclass(frozen=True)
class Reached:
    """Where a descent has come to: after so many epochs and steps, what is carried, and its loss.

    ``losses`` are those that each epoch began with. ``stopped`` says why it went no further, where it did not,
    and ``interrupted`` whether that was Ctrl-C.
    """

    carried: Carried
    epochs: int = 0
    steps: int = 0
    losses: tuple[float, ...] = ()
    loss: float = math.nan
    stopped: str | None = None
    interrupted: bool = False


def descend(
    step: CompiledStep, start: Reached, epochs: int, interrupts: Interrupts, progress: Progress | None = None
) -> Reached:
    """From ``start`` to the end of ``epochs``, or to the last arrays that are finite and have a finite loss.

    An interrupt ends it too, after a step. ``progress`` is called now and then with the epochs done, ``epochs`` and the
    loss. Raises UsageError where the loss is not finite from the start.

    Now and then what is reached is copied. Where something is not finite in the end, the same steps lead there again
    from the last copy, and each is looked at.
    """
    errors = np.geterr()
    with np.errstate(all="ignore"):
        kept = replace(start, loss=step.loss(start.carried))
        if not math.isfinite(kept.loss):
            raise UsageError(f"the loss is {kept.loss:g} before the first step; give other parameters or other data")
        # What was copied last is kept from when its loss is known.
        copied: Reached | None = None
        here, carried, losses = start.epochs, start.carried, list(start.losses)
        problem: str | None = None
        due = time.perf_counter() + _SECONDS_BETWEEN_REPORTS
        try:
            while here < epochs and not interrupts.pressed:
                loss, carried = step.epoch(carried, here, _steps(step, start, here), interrupts)
                losses.append(loss)
                here += 1
                if copied is not None:
                    kept, copied = replace(copied, loss=loss), None
                if time.perf_counter() >= due:
                    copied = Reached(_copies(carried), here, _steps(step, start, here))
                    if _infinite(step, carried):
                        break
                    with np.errstate(**errors):
                        _report(progress, here, epochs, loss, interrupts)
                    due = time.perf_counter() + _SECONDS_BETWEEN_REPORTS
            end = Reached(carried, here, _steps(step, start, here), loss=step.loss(carried))
            if _problem(step, end) is not None:
                end, problem = _again(step, kept, here)
        except StoppedError:
            end, problem = _again(step, kept, here)
        except NotFiniteError as error:
            end, found = _again(step, kept, here)
            problem = found or f"{error} in epoch {here + 1}"
    if problem is not None:
        good = f"the parameters after {epochs_in_words(end.epochs)} are kept" if end.epochs else "nothing has changed"
        problem = f"{problem}; {good}; take a learning rate below {step.settings.learning_rate:g}, or scale the data"
    interrupted = problem is None and end.epochs < epochs
    if interrupted:
        problem = f"interrupted after {end.epochs} of {epochs_in_words(epochs)}"
    _report(progress, end.epochs, epochs, end.loss, Interrupts())
    return replace(end, losses=tuple(map(float, losses[: end.epochs])), stopped=problem, interrupted=interrupted)


def _steps(step: CompiledStep, start: Reached, epochs: int) -> int:
    return start.steps + (epochs - start.epochs) * step.steps


def _again(step: CompiledStep, kept: Reached, epochs: int) -> tuple[Reached, str | None]:
    """From ``kept`` to the end of ``epochs`` once more, or to the last good epoch; then also what is wrong after it."""
    here = kept
    while here.epochs < epochs:
        try:
            _, carried = step.epoch(_copies(here.carried), here.epochs, here.steps, Interrupts())
        except NotFiniteError as error:
            return here, f"{error} in epoch {here.epochs + 1}"
        further = Reached(_copies(carried), here.epochs + 1, here.steps + step.steps, loss=step.loss(carried))
        problem = _problem(step, further)
        if problem is not None:
            return here, f"{problem} after {epochs_in_words(further.epochs)}"
        here = further
    return here, None


def _problem(step: CompiledStep, reached: Reached) -> str | None:
    """What is not finite, in words."""
    if not math.isfinite(reached.loss):
        return f"the loss is {reached.loss:g}"
    return next((f"{name} is not finite" for name in _infinite(step, reached.carried)), None)


def _infinite(step: CompiledStep, carried: Carried) -> list[str]:
    """The names of arrays that are not finite; a saturated unit hides them from the loss."""
    named = zip(step.step.carried, carried, strict=True)
    return [name for name, array in named if not np.isfinite(array).all()]


def _copies(carried: Carried) -> Carried:
    return tuple(array.copy() for array in carried)


def _report(progress: Progress | None, done: int, of: int, loss: float, interrupts: Interrupts) -> None:
    if progress is not None:
        try:
            progress(done, of, f"loss {loss:.6g}")
        except KeyboardInterrupt:
            interrupts.pressed = True
