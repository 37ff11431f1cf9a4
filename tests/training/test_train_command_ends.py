"""``symbackprop train``: what it leaves in files, and the status it exits with, whatever ends it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_runs import RUN, loaded, run, strict_json, text
from descents import same_bytes
from training_laws import equal

import symbackprop as sbp
from symbackprop.training.compiled_step import CompiledStep
from symbackprop.training.report import error_lines

# -- files -------------------------------------------------------------------------------------------------------------


def test_a_run_is_written_and_gone_on_with(place: Path):
    first = run("network.toml", "--epochs", 8, "-o", "run.npz")
    assert (first.exit_code, first.stderr) == (0, "")
    equal(sbp.Training.load("run.npz"), loaded(epochs=8))
    # Onto itself, with the settings that it was begun with whatever the file says by now.
    (place / "network.toml").write_text(text(run=RUN.replace("0.05", "0.5").replace("batch_size = 2", "")))
    second = run("network.toml", "--resume", "run.npz", "--epochs", 20, "-o", "run.npz")
    assert (second.exit_code, second.stderr) == (0, "")
    (place / "network.toml").write_text(text())
    whole = loaded(epochs=20)
    equal(sbp.Training.load("run.npz"), whole)
    assert second.stdout.splitlines() == list(error_lines(whole))
    assert sorted(path.name for path in place.iterdir() if path.suffix == ".npz") == ["run.npz"]
    with np.load("run.npz") as archive:
        same_bytes({"W1": archive["W1"]}, {"W1": whole.parameters["W1"]})


def test_a_finished_run_goes_on_to_the_epochs_of_the_file(place: Path):
    run("network.toml", "--epochs", 8, "-o", "run.npz")
    assert run("network.toml", "--resume", "run.npz", "-o", "run.npz").exit_code == 0
    equal(sbp.Training.load(place / "run.npz"), loaded(epochs=20))


@pytest.mark.usefixtures("place")
def test_what_cannot_be_gone_on_with():
    run("network.toml", "--epochs", 8, "-o", "run.npz")
    for arguments, says in (
        (["--epochs", 8], "epochs is 8, counted from the start, and the run to resume has done 8; give more"),
        (["--epochs", 20, "--optimizer", "adam"], "which keeps no mean of W1"),
    ):
        result = run("network.toml", "--resume", "run.npz", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert says in result.stderr
    result = run("line.toml", "--resume", "run.npz", "--epochs", 20)
    assert result.exit_code == 2
    assert "run.npz: the run to resume is of 'small', whose equations are not those of 'line'" in result.stderr


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_it_draws(suffix: str, place: Path):
    pytest.importorskip("matplotlib")
    result = run("network.toml", "--plot", f"curve{suffix}", "--report", "sum")
    assert (result.exit_code, result.stderr) == (0, "")
    content = (place / f"curve{suffix}").read_bytes()
    assert content.startswith(b"<?xml" if suffix == ".svg" else b"\x89PNG")
    assert result.stdout.splitlines() == run("network.toml", "--report", "sum").stdout.splitlines()


# -- exit statuses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--json"], ["--report", "sum"]])
def test_a_loss_that_is_no_longer_finite_is_status_1(options: list[str], place: Path):
    """What was reached is printed and written all the same."""
    steep = ["--learning-rate", 1e3, "--batch-size", 5, "--momentum", 0]
    result = run("network.toml", "--epochs", 1000, *steep, "-o", "run.npz", *options)
    kept = sbp.Training.load("run.npz")
    assert result.exit_code == 1
    assert kept.stopped is not None
    assert 0 < kept.epochs < 1000
    assert result.stderr == f"symbackprop train: {kept.stopped}\n"
    assert "take a learning rate below 1000" in result.stderr
    if "--json" in options:
        printed = strict_json(result.stdout)
        assert (printed["ok"], printed["stopped"], printed["epochs"]) == (False, kept.stopped, kept.epochs)
    else:
        assert result.stdout.splitlines()[-1].startswith(f"Error after {kept.epochs} epoch")


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.usefixtures("place")
def test_ctrl_c_is_status_130(options: list[str], monkeypatch: pytest.MonkeyPatch):
    epoch, count = CompiledStep.epoch, 0

    def stop(self: CompiledStep, *given: Any) -> Any:
        nonlocal count
        count += 1
        if count == 8:
            signal.raise_signal(signal.SIGINT)
        return epoch(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(CompiledStep, "epoch", stop)
        result = run("network.toml", "-o", "run.npz", *options)
    assert result.exit_code == 130
    assert result.stderr == "symbackprop train: interrupted after 7 of 20 epochs\n"
    equal(sbp.Training.load("run.npz"), loaded(epochs=7))
    if options:
        printed = strict_json(result.stdout)
        assert (printed["ok"], printed["epochs"]) == (False, 7)
    else:
        assert result.stdout.splitlines() == list(error_lines(sbp.Training.load("run.npz")))
    again = run("network.toml", "--resume", "run.npz", "-o", "run.npz", "--epochs", 20)
    assert again.exit_code == 0
    equal(sbp.Training.load("run.npz"), loaded())


@pytest.mark.usefixtures("place")
def test_ctrl_c_before_the_first_epoch(monkeypatch: pytest.MonkeyPatch):
    epoch = CompiledStep.epoch

    def stop(self: CompiledStep, *given: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return epoch(self, *given)

    monkeypatch.setattr(CompiledStep, "epoch", stop)
    result = run("network.toml", "-o", "run.npz", "--plot", "curve.png")
    assert result.exit_code == 130
    assert "interrupted after 0 of 20 epochs" in result.stderr
    assert "curve.png is not drawn, since no epoch was done" in result.stderr
    assert sbp.Training.load("run.npz").epochs == 0
    assert not Path("curve.png").exists()
