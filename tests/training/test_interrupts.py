"""Ctrl-C keeps the epochs that were done, as if no more had been asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from descents import Descent, any_way, descents, running, same_bytes, small
from hypothesis import given, settings
from hypothesis import strategies as st
from training_laws import equal, interrupted_at, keeps_whole_epochs

import symbackprop as sbp
from symbackprop.training import descent as descent_module
from symbackprop.training.compiled_step import CompiledStep


@settings(max_examples=12)
@given(descent=descents(), way=any_way(), data=st.data())
def test_whole_epochs_are_kept_wherever_it_happens(descent: Descent, way: str, data: st.DataObject):
    steps = descent.settings["epochs"] * -(-descent.examples // (descent.settings["batch_size"] or descent.examples))
    with running(way):
        keeps_whole_epochs(descent, data.draw(st.integers(1, steps)))


@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize("at", [1, 7])
def test_from_what_tells_the_progress(at: int, batch_size: int | None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(descent_module, "_SECONDS_BETWEEN_REPORTS", 0)
    descent = small(epochs=10, batch_size=batch_size, optimizer=sbp.SGD(0.9))
    seen = []

    def progress(done: int, of: int, note: str = "") -> None:
        seen.append(done)
        if len(seen) == at:
            raise KeyboardInterrupt

    run = descent.train(progress=progress)
    assert run.stopped == f"interrupted after {at} of 10 epochs"
    assert run.interrupted
    # The last word on the progress is that of the end.
    assert seen == [*range(1, at + 1), at]
    equal(run, descent.train(epochs=at))
    equal(descent.train(resume=run), descent.train())


def test_before_the_first_epoch_there_is_nothing_but_the_loss():
    descent = small(epochs=5, batch_size=2)
    run = interrupted_at(descent, 1)
    assert (run.epochs, run.steps, run.losses.shape) == (0, 0, (0,))
    assert run.losses.dtype == np.float64
    same_bytes(run.parameters, dict(descent.parameters))
    assert run.loss == descent.train().losses[0]
    assert "interrupted after 0 of 5 epochs" in repr(run)
    with pytest.raises(sbp.UsageError, match="no epoch was done"):
        run.plot("curve.png")


def test_a_run_can_be_interrupted_and_resumed_again_and_again(tmp_path: Path):
    descent = small(epochs=9, batch_size=2, optimizer=sbp.Adam())
    path = tmp_path / "run.npz"
    interrupted_at(descent, 5).save(path)
    for step in (2, 8, 12):
        run = interrupted_at(descent, step, resume=path)
        assert run.interrupted
        run.save(path)
    equal(descent.train(resume=path), descent.train())


def test_interrupted_where_the_loss_has_just_become_infinite():
    """Both happened; what is kept is finite all the same."""
    net = sbp.Network(1, [sbp.Dense(1, bias=False)], "half_squared_error")
    data = {"x": np.ones((1, 1)), "y": np.zeros((1, 1))}
    descent = Descent(net, {"W1": np.ones((1, 1))}, data, {}, {"learning_rate": 1e100, "epochs": 9})
    run = interrupted_at(descent, 2)
    assert run.epochs == 1
    assert run.stopped is not None
    assert np.isfinite(run.loss)
    equal(run, descent.train(epochs=1))


def test_ctrl_c_is_held_back_only_while_it_trains():
    before = signal.getsignal(signal.SIGINT)
    descent = small(epochs=5, batch_size=2)
    assert interrupted_at(descent, 4).interrupted
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(sbp.UsageError):
        descent.train({**descent.parameters, "b2": np.array([1e200])})
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_whoever_presses_again_and_again_is_obeyed(monkeypatch: pytest.MonkeyPatch):
    """Where nothing comes of the first, say because a step takes hours."""

    def stuck(self: CompiledStep, *given: object) -> None:
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
        raise AssertionError

    monkeypatch.setattr(CompiledStep, "_stepped", stuck)
    with pytest.raises(KeyboardInterrupt):
        small(epochs=5).train()


def test_other_threads_train_too():
    """Signals do not reach them, and they leave alone what does."""
    descent, runs = small(epochs=5, batch_size=2), []
    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=lambda: runs.append(descent.train()))
    thread.start()
    thread.join()
    equal(runs[0], descent.train())
    assert signal.getsignal(signal.SIGINT) is before


def test_no_other_exception_is_taken_for_ctrl_c(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(descent_module, "_SECONDS_BETWEEN_REPORTS", 0)

    def progress(done: int, of: int, note: str = "") -> None:
        raise RuntimeError("the caller's own")

    with pytest.raises(RuntimeError, match="the caller's own"):
        small().train(progress=progress)


# -- a process, and a signal -------------------------------------------------------------------------------------------

NETWORK = """
[network]
name = "long"
inputs = 2
loss = "half_squared_error"
[[layers]]
type = "dense"
units = 3
activation = "tanh"
[[layers]]
type = "dense"
units = 1
[data]
x = [[1.0, 2.0], [0.5, -1.0], [0.0, 1.0]]
y = [[0.5], [-0.25], [0.0]]
[run]
seed = 4
learning_rate = 0.001
momentum = 0.5
batch_size = 2
"""
# What python -m symbackprop does, with the signal heard even where tests run in the background, which ignores it.
MODULE = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("symbackprop", run_name="__main__", alter_sys=True)
"""


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudoterminal")
def test_a_signal_to_a_process(tmp_path: Path):
    """The bar appears on the terminal when epochs have been done; that is when Ctrl-C is pressed."""
    (tmp_path / "network.toml").write_text(NETWORK)
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", MODULE, "train", "network.toml", "--epochs", "1000000000", "-o", "run.npz"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(sbp.__file__).parent.parent)},
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    try:
        while b"loss" not in shown:
            shown += os.read(ours, 1000)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        # A terminal that nobody has open any more ends in an error, after all that was written.
        with suppress(OSError):
            while more := os.read(ours, 1000):
                shown += more
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert process.returncode == 130
    assert b"epochs" in shown
    assert b"symbackprop train: interrupted after" in shown
    run = sbp.Training.load(tmp_path / "run.npz")
    assert run.interrupted
    assert run.stopped == f"interrupted after {run.epochs} of 1000000000 epochs"
    lines = output.splitlines()
    assert lines[0] == f"Error at epoch 0 is {run.losses[0]:.5f}"
    says, last = lines[-1].rsplit(" ", 1)
    assert says == f"Error after {run.epochs} epochs is"
    assert float(last) == pytest.approx(run.loss, rel=1e-4)
    # What is in the file is a run of so many epochs, and can be gone on with.
    model = sbp.Network.load(tmp_path / "network.toml")
    equal(run, model.train(epochs=run.epochs, progress=False))
    longer = model.train(resume=run, epochs=run.epochs + 3, progress=False)
    equal(longer, model.train(epochs=run.epochs + 3, progress=False))
