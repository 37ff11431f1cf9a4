"""The descent: one epoch after the other, until the end, or until there is a reason to stop."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from symbackprop.errors import UsageError
from symbackprop.progress import Progress
from symbackprop.training.compiled_step import Carried, CompiledStep, NotFiniteError

__all__ = ["Reached", "descend"]

_SECONDS_BETWEEN_REPORTS = 0.1


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


def descend(step: CompiledStep, start: Reached, epochs: int, progress: Progress | None = None) -> Reached:
    """From ``start`` to the end of ``epochs``, or to the last arrays with a finite loss; Ctrl-C ends it too.

    ``progress`` is called now and then with the epochs done, ``epochs`` and the loss. Raises UsageError where the loss
    is not finite from the start.
    """
    losses = list(start.losses)
    here = (start.epochs, start.carried)
    before: tuple[int, Carried] | None = None
    stopped, interrupted = None, False
    due = time.perf_counter() + _SECONDS_BETWEEN_REPORTS
    # What overflows ends in a loss that is not finite, and that is looked at.
    with np.errstate(all="ignore"):
        try:
            for epoch in range(start.epochs, epochs):
                loss, carried = step.epoch(here[1], start.steps + (epoch - start.epochs) * step.steps)
                losses.append(loss)
                before, here = here, (epoch + 1, carried)
                if progress is not None and time.perf_counter() >= due:
                    progress(epoch + 1, epochs, f"loss {loss:.6g}")
                    due = time.perf_counter() + _SECONDS_BETWEEN_REPORTS
        except KeyboardInterrupt:
            stopped, interrupted = f"interrupted after {here[0]} of {epochs} epochs", True
        except NotFiniteError as error:
            what = f"the loss of a batch is {error.loss:g} in epoch {here[0] + 1}"
            if not error.on_the_way:
                what = f"the loss is {error.loss:g} after {_epochs(here[0])}"
                here = _last_good(before, error.loss)
            stopped = _diverged(what, here[0], step)
        final = step.loss(here[1])
        # The last update has not been looked at yet; a saturated unit hides from the loss that a weight is infinite.
        if not (math.isfinite(final) and all(np.isfinite(array).all() for array in here[1])):
            what = "a parameter is infinite" if math.isfinite(final) else f"the loss is {final:g}"
            what = f"{what} after {_epochs(here[0])}"
            here = _last_good(before, final)
            stopped, final = _diverged(what, here[0], step), step.loss(here[1])
    if progress is not None:
        progress(here[0], epochs, f"loss {final:.6g}")
    steps = start.steps + (here[0] - start.epochs) * step.steps
    return Reached(here[1], here[0], steps, tuple(map(float, losses[: here[0]])), final, stopped, interrupted)


def _last_good(before: tuple[int, Carried] | None, loss: float) -> tuple[int, Carried]:
    if before is None:
        raise UsageError(f"with these parameters the loss is {loss:g} before the first step; give smaller ones")
    return before


def _diverged(what: str, epochs: int, step: CompiledStep) -> str:
    rate = step.settings.learning_rate
    kept = f"the parameters after {_epochs(epochs)} are kept" if epochs else "the parameters are as they were"
    return f"{what}; {kept}; try a learning rate below {rate:g}"


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"
