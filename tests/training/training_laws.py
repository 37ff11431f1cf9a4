"""The laws of training, each a function that raises AssertionError where it does not hold.

They are functions so that they can be tried on random descents, and, with a fault planted in the package, to see that
they would notice.
"""

from __future__ import annotations

import math
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from by_hand import close, descend_by_hand
from descents import Descent, same_bytes

import symbackprop as sbp
from symbackprop.training import descent as descent_module
from symbackprop.training.compiled_step import CompiledStep

__all__ = [
    "equal",
    "equals_descent_by_hand",
    "goes_on_as_if_it_had_not_ended",
    "interrupted_at",
    "keeps_what_is_finite",
    "keeps_whole_epochs",
    "leaves_the_rest",
    "leaves_what_it_is_given",
    "repeats_itself",
    "reports_every_epoch",
]

_DIGITS = 1e-12


def equal(found: sbp.Training, expected: sbp.Training) -> None:
    """Two runs that came to the same, bit for bit; what they say of how they ended and how long it took aside."""
    same_bytes(found.parameters, expected.parameters)
    assert found.losses.tobytes() == expected.losses.tobytes()
    assert found.losses.shape == expected.losses.shape
    assert found.loss == expected.loss
    assert found.steps == expected.steps
    assert (found.network, found.equations, found.trained) == (expected.network, expected.equations, expected.trained)
    assert set(found.remembered) == set(expected.remembered)
    for kind, kept in expected.remembered.items():
        same_bytes(found.remembered[kind], kept)
    if expected.predictions is None:
        assert found.predictions is None
    else:
        same_bytes({"predictions": found.predictions}, {"predictions": expected.predictions})


def equals_descent_by_hand(descent: Descent, relative: float = _DIGITS) -> None:
    """Parameters, losses, predictions and steps are those of a plain loop with the textbook's update."""
    run, expected = descent.train(), descend_by_hand(descent)
    assert list(run.parameters) == [variable.name for variable in descent.model.program.parameters]
    for name, array in expected.parameters.items():
        close(run.parameters[name], array, relative, name)
    assert run.losses.shape == (len(expected.losses),)
    close(run.losses, expected.losses, relative, "losses")
    close(run.loss, expected.loss, relative, "loss")
    assert (run.epochs, run.steps) == (len(expected.losses), expected.steps)
    assert run.stopped is None
    assert not run.interrupted
    if expected.predictions is None:
        assert run.predictions is None
    else:
        close(run.predictions, expected.predictions, relative, "predictions")


def repeats_itself(descent: Descent) -> None:
    """The same arguments give the same bytes, and no result shares memory with an argument or another result."""
    first, again = descent.train(), descent.train()
    equal(again, first)
    results = [_results(run) for run in (first, again)]
    given = [*descent.parameters.values(), *descent.data.values()]
    for mine, others in (results, results[::-1]):
        for number, array in enumerate(mine):
            others_and_rest = [*given, *others, *mine[:number], *mine[number + 1 :]]
            assert not any(np.shares_memory(array, other) for other in others_and_rest)


def _results(run: sbp.Training) -> list[np.ndarray]:
    kept = [array for arrays in run.remembered.values() for array in arrays.values()]
    predictions = [] if run.predictions is None else [run.predictions]
    return [*run.parameters.values(), *kept, run.losses, *predictions]


def leaves_what_it_is_given(descent: Descent) -> None:
    """Nothing that was given is changed, nor written to on the way."""
    given = {**descent.parameters, **descent.data}
    before = {name: np.array(array, copy=True) for name, array in given.items()}
    for array in given.values():
        array.flags.writeable = False
    try:
        descent.train()
    finally:
        for array in given.values():
            array.flags.writeable = True
    same_bytes(given, before)


def leaves_the_rest(descent: Descent, wrt: list[str]) -> None:
    """With ``wrt`` the others stay as they are, to the bit, and those named go the way of the loop by hand."""
    equals_descent_by_hand(descent.but(wrt=wrt))
    run = descent.train(wrt=wrt)
    others = [name for name in descent.parameters if name not in wrt]
    same_bytes({name: run.parameters[name] for name in others}, {name: descent.parameters[name] for name in others})
    assert all(set(kept) == set(wrt) for kept in run.remembered.values())


def goes_on_as_if_it_had_not_ended(descent: Descent, at: int, path: Path) -> None:
    """A run of some epochs, saved, loaded and resumed is the run of all of them; so is one that was not saved."""
    epochs = descent.settings["epochs"]
    assert 0 < at < epochs
    whole, part = descent.train(), descent.train(epochs=at)
    loaded = sbp.Training.load(part.save(path))
    equal(loaded, part)
    assert loaded.settings == part.settings
    assert (loaded.stopped, loaded.interrupted, loaded.seconds) == (part.stopped, part.interrupted, part.seconds)
    for resume in (path, part):
        # Whatever the call leaves open is that of the run.
        run = descent.model.train(**descent.data, resume=resume, epochs=epochs, progress=False)
        equal(run, whole)
        assert run.settings == whole.settings
        assert run.seconds > part.seconds


def interrupted_at(descent: Descent, step: int, **settings: Any) -> sbp.Training:
    """The run where Ctrl-C is pressed at the end of the ``step``-th update."""
    stepped, count = CompiledStep._stepped, 0

    def stop(self: CompiledStep, *arguments: Any) -> Any:
        nonlocal count
        count += 1
        result = stepped(self, *arguments)
        if count == step:
            signal.raise_signal(signal.SIGINT)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CompiledStep, "_stepped", stop)
        return descent.train(**settings)


def keeps_whole_epochs(descent: Descent, step: int) -> None:
    """What is kept at Ctrl-C is a run of the epochs that were done, bit for bit."""
    stopped = interrupted_at(descent, step)
    whole, epochs = descend_by_hand(descent), descent.settings["epochs"]
    each = whole.steps // epochs
    done = stopped.epochs
    # Whether the epoch that ends with this very update is done is left open.
    assert (step - 1) // each <= done <= step // each
    if done == epochs:
        assert (stopped.stopped, stopped.interrupted) == (None, False)
        equal(stopped, descent.train())
        return
    assert stopped.interrupted
    assert stopped.stopped == f"interrupted after {done} of {epochs} epoch{'s' * (epochs > 1)}"
    if done:
        equal(stopped, descent.train(epochs=done))
    else:
        same_bytes(stopped.parameters, {name: np.array(array) for name, array in descent.parameters.items()})
        assert stopped.steps == 0
        close(stopped.loss, whole.losses[0], _DIGITS)
    equal(descent.train(resume=stopped), descent.train())


def looked_at_now_and_then(descent: Descent) -> sbp.Training:
    """The run, which does not depend on how often what is reached is looked at."""
    run = descent.train()
    for seconds in (0.0, math.inf):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(descent_module, "_SECONDS_BETWEEN_REPORTS", seconds)
            again = descent.train()
        equal(again, run)
        assert again.stopped == run.stopped
    return run


def keeps_what_is_finite(descent: Descent, by_hand: float | None = None) -> sbp.Training:
    """Whatever the learning rate, what is kept is finite, is a run of so many epochs, and is explained.

    With ``by_hand`` it is to so much of it what the plain loop comes to; chaos may forbid that.
    """
    run = looked_at_now_and_then(descent)
    epochs = descent.settings["epochs"]
    function = descent.model.derive().compile()
    with np.errstate(all="ignore"):
        loss = float(function.loss(run.parameters, **descent.data))
    assert np.isfinite(run.loss)
    assert np.isfinite(run.losses).all()
    for name, array in run.parameters.items():
        assert np.isfinite(array).all(), name
    assert np.isfinite(run.predictions).all()
    close(run.loss, loss, 1e-6 if run.predictions.dtype == np.float32 else _DIGITS)
    assert len(run.losses) == run.epochs <= epochs
    assert (run.stopped is None) == (run.epochs == epochs)
    assert not run.interrupted
    if by_hand is not None:
        expected = descend_by_hand(descent, run.epochs)
        for name, array in expected.parameters.items():
            close(run.parameters[name], array, by_hand, name)
        close(run.losses, expected.losses, by_hand)
    if run.stopped is None:
        return run
    plural = "s" * (run.epochs > 1)
    kept = f"the parameters after {run.epochs} epoch{plural} are kept" if run.epochs else "nothing has changed"
    assert f"; {kept}; take a learning rate below {descent.settings['learning_rate']:g}" in run.stopped
    if run.epochs:
        equal(run, descent.train(epochs=run.epochs))
    else:
        same_bytes(run.parameters, {name: np.array(array) for name, array in descent.parameters.items()})
    return run


def reports_every_epoch(descent: Descent) -> None:
    """With no time between reports, each epoch is reported with its loss, and the last one again."""
    seen: list[tuple[int, int, str]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(descent_module, "_SECONDS_BETWEEN_REPORTS", 0)
        run = descent.train(progress=lambda done, of, note="": seen.append((done, of, note)))
    epochs = descent.settings["epochs"]
    notes = [f"loss {loss:.6g}" for loss in (*run.losses, run.loss)]
    assert seen == list(zip((*range(1, epochs + 1), epochs), [epochs] * (epochs + 1), notes, strict=True))
