"""``symbackprop train``: what it prints where, what it writes, and the status it exits with."""

from __future__ import annotations

import dataclasses
import json
import math
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from descents import same_bytes, small
from training_laws import equal

import symbackprop as sbp
from symbackprop.cli.application import application
from symbackprop.cli.training_json import training_json
from symbackprop.training.compiled_step import CompiledStep
from symbackprop.training.report import error_lines, report_scale

BARE = """
[network]
name = "small"
inputs = 2
loss = "{loss}"
reduction = "{reduction}"
[[layers]]
type = "dense"
units = 3
activation = "tanh"
[[layers]]
type = "dense"
units = 1
"""
DATA = """
[data]
x = [[1.0, 2.0], [0.5, -1.0], [-0.75, 0.25], [2.0, 1.0], [0.0, -0.5]]
y = [[0.5], [-1.0], [0.75], [1.0], [-0.25]]
"""
RUN = """
[run]
seed = 4
initialization = "he_normal"
learning_rate = 0.05
epochs = 20
batch_size = 2
optimizer = "sgd"
momentum = 0.5
"""
PROGRAM = """
[program]
name = "line"
inputs = { x = ["N"] }
targets = { y = ["N"] }
parameters = { w = [], b = [] }
equations = ["z[n] = w*x[n] + b", "L = Sum((z[n] - y[n])**2, n)/N"]
loss = "L"
output = "z"
batch = "N"
[data]
x = [0.0, 1.0, 2.0]
y = [1.0, 3.0, 5.0]
[parameters]
w = 0.0
b = 0.0
[run]
learning_rate = 0.2
epochs = 200
"""
MODULE = """
import numpy as np
import symbackprop as sbp

print("noise")
net = sbp.Network.load("network.toml")
line = sbp.Network.load("line.toml")
without_data = sbp.Network(2, [sbp.Dense(1)], "huber", name="bare")
"""


def text(loss: str = "half_squared_error", reduction: str = "mean", data: str = DATA, run: str = RUN) -> str:
    return BARE.format(loss=loss, reduction=reduction) + data + run


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a network, a program and a module in it, the current one."""
    (tmp_path / "network.toml").write_text(text())
    (tmp_path / "line.toml").write_text(PROGRAM)
    (tmp_path / "trained_of_test.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "trained_of_test", raising=False)
    return tmp_path


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(application, ["train", *map(str, arguments)])


def strict_json(content: str) -> Any:
    """JSON without NaN and Infinity, which are none."""

    def none(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    return json.loads(content, parse_constant=none)


def loaded(**settings: Any) -> sbp.Training:
    """What the package makes of the file."""
    return sbp.Network.load("network.toml").train(progress=False, **settings)


def same_as(printed: dict[str, Any], expected: sbp.Training) -> None:
    """The JSON says everything of a run, to the last bit."""
    assert printed["losses"] == expected.losses.tolist()
    assert printed["loss"] == expected.loss
    assert printed["parameters"] == {name: array.tolist() for name, array in expected.parameters.items()}
    assert printed["predictions"] == expected.predictions.tolist()
    assert (printed["epochs"], printed["steps"]) == (expected.epochs, expected.steps)
    assert printed["settings"] == expected.settings.as_dict()
    assert (printed["ok"], printed["stopped"]) == (expected.stopped is None, expected.stopped)
    assert printed["network"] == expected.network


# -- the curve ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("place")
def test_it_prints_the_loss_as_it_falls():
    result = run("network.toml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == list(error_lines(loaded()))
    assert result.stdout.startswith("Error at epoch 0 is ")
    assert result.stdout.splitlines()[-1].startswith("Error after 20 epochs is ")


@pytest.mark.usefixtures("place")
def test_every_so_many_epochs():
    lines = run("network.toml", "--every", 7).stdout.splitlines()
    assert [line.split()[3] for line in lines[:-1]] == ["0", "7", "14"]
    assert len(run("network.toml", "--every", 1).stdout.splitlines()) == 21


@pytest.mark.parametrize(("reduction", "report", "factor"), [("mean", "sum", 5.0), ("sum", "mean", 0.2)])
@pytest.mark.parametrize("by", ["option", "file"])
def test_the_loss_as_mean_or_sum(reduction: str, report: str, factor: float, by: str, place: Path):
    told = f'report = "{report}"\n' if by == "file" else ""
    (place / "network.toml").write_text(text(reduction=reduction, run=RUN.replace("0.05", "0.01") + told))
    options = ["--report", report] if by == "option" else []
    result = run("network.toml", "--every", 1, *options)
    expected = loaded()
    printed = [float(line.split()[-1]) for line in result.stdout.splitlines()]
    np.testing.assert_allclose(printed, np.array([*expected.losses, expected.loss]) * factor, atol=6e-6)
    as_json = strict_json(run("network.toml", "--json", *options).stdout)
    # In JSON the losses are as they are defined, and the scale stands beside them.
    same_as(as_json, expected)
    assert (as_json["report"], as_json["scale"]) == (report, factor)
    assert factor == report_scale(sbp.Network.load("network.toml").description, report, (5, 1))
    # An option goes before the file.
    as_defined = run("network.toml", "--report", reduction).stdout.splitlines()
    assert as_defined == list(error_lines(expected))


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("place")
def test_the_file_says_how():
    printed = strict_json(run("network.toml", "--json").stdout)
    model = sbp.Network(2, [sbp.Dense(3, "tanh"), sbp.Dense(1)], "half_squared_error", name="small")
    data = sbp.Network.load("network.toml").data
    rule = {"learning_rate": 0.05, "epochs": 20, "batch_size": 2, "optimizer": "sgd", "momentum": 0.5}
    same_as(printed, model.train(**data, **rule, seed=4, initialization="he_normal", progress=False))


OPTIONS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "epochs": (["--epochs", 3], {"epochs": 3}),
    "learning rate": (["--learning-rate", 0.125], {"learning_rate": 0.125}),
    "batch size": (["--batch-size", 3], {"batch_size": 3}),
    "all in one batch": (["--batch-size", 5], {"batch_size": 5}),
    "optimizer": (["--optimizer", "adam"], {"optimizer": "adam"}),
    "momentum": (["--momentum", 0.75], {"momentum": 0.75}),
    "no momentum": (["--momentum", 0], {"momentum": 0}),
    "the same rule": (["--optimizer", "sgd"], {"optimizer": sbp.SGD(0.5)}),
    "seed": (["--seed", 9], {"seed": 9}),
    "initialization": (["--initialization", "uniform"], {"initialization": "uniform"}),
    "one parameter": (["--wrt", "W1"], {"wrt": "W1"}),
    "two parameters": (["--wrt", "b2", "--wrt", "W1"], {"wrt": ["b2", "W1"]}),
    "everything": (
        ["--epochs", 4, "--learning-rate", 0.25, "--batch-size", 1, "--optimizer", "sgd", "--momentum", 0.25,
         "--seed", 1, "--initialization", "normal", "--wrt", "W2"],
        {"epochs": 4, "learning_rate": 0.25, "batch_size": 1, "optimizer": "sgd", "momentum": 0.25, "seed": 1,
         "initialization": "normal", "wrt": "W2"},
    ),
}  # fmt: skip


def test_the_file_says_what_is_trained(place: Path):
    (place / "network.toml").write_text(text(run=RUN + 'wrt = ["W2", "b1"]\n'))
    printed = strict_json(run("network.toml", "--json").stdout)
    assert printed["trained"] == ["W2", "b1"]
    same_as(printed, loaded(wrt=["W2", "b1"]))
    other = strict_json(run("network.toml", "--wrt", "W1", "--json").stdout)
    assert other["trained"] == ["W1"]
    same_as(other, loaded(wrt="W1"))


@pytest.mark.parametrize("what", OPTIONS)
@pytest.mark.usefixtures("place")
def test_options_go_before_the_file(what: str):
    arguments, settings = OPTIONS[what]
    result = run("network.toml", "--json", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    printed = strict_json(result.stdout)
    same_as(printed, loaded(**settings))
    assert printed["losses"] != loaded().losses.tolist()[: printed["epochs"]] or what in ("epochs", "the same rule")


def test_a_file_without_run_has_the_defaults(place: Path):
    (place / "network.toml").write_text(text(run=""))
    printed = strict_json(run("network.toml", "--json").stdout)
    assert printed["settings"] == {
        "learning_rate": 0.01,
        "epochs": 1000,
        "batch_size": None,
        "seed": 0,
        "optimizer": {"name": "sgd", "momentum": 0.0},
    }
    same_as(printed, loaded())


def test_parameters_of_the_file_are_the_start(place: Path):
    given = "[parameters]\nW1 = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]\n"
    (place / "network.toml").write_text(text(run=given + RUN))
    printed = strict_json(run("network.toml", "--json", "--epochs", 1, "--learning-rate", 1e-12).stdout)
    np.testing.assert_allclose(printed["parameters"]["W1"], [[1, 0], [0, 1], [1, 1]], atol=1e-10)
    assert np.abs(printed["parameters"]["W2"]).max() > 0.1


# -- other models ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["line.toml", "trained_of_test:line"])
@pytest.mark.usefixtures("place")
def test_programs_are_trained_too(network: str):
    result = run(network, "--json")
    assert result.exit_code == 0, result.stderr
    printed = strict_json(result.stdout)
    # By a closed form: y = 2 x + 1 is what three points say.
    assert printed["parameters"]["w"] == pytest.approx(2, abs=1e-6)
    assert printed["parameters"]["b"] == pytest.approx(1, abs=1e-6)
    assert printed["predictions"] == pytest.approx([1, 3, 5], abs=1e-5)
    assert run(network).stdout.splitlines()[0] == f"Error at epoch 0 is {35 / 3:.5f}"
    assert run(network, "--batch-size", 2, "--epochs", 3, "--json").exit_code == 0


@pytest.mark.usefixtures("place")
def test_module_and_attribute():
    result = run("trained_of_test:net", "--json", "--epochs", 2)
    assert result.exit_code == 0
    same_as(strict_json(result.stdout), loaded(epochs=2))


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.usefixtures("place")
def test_a_program_has_no_report(options: list[str]):
    result = run("line.toml", "--report", "mean", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "report is 'mean', but the loss of a program says itself what it averages" in result.stderr


def test_a_program_without_targets_has_no_report_either(place: Path):
    (place / "line.toml").write_text(
        '[program]\nparameters = { w = ["D"] }\ninputs = { x = ["D"] }\nloss = "L"\n'
        'equations = ["L = Sum((w[i] - x[i])**2, i)"]\n[data]\nx = [1.0, 2.0]\n'
    )
    assert run("line.toml", "--epochs", 2).exit_code == 0
    result = run("line.toml", "--report", "mean", "--epochs", 2)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "report is 'mean'" in result.stderr


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


# -- JSON --------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("place")
def test_json_is_one_object_and_nothing_else():
    result = run("trained_of_test:net", "--json", "-o", "run.npz", "--every", 1)
    assert result.exit_code == 0
    printed = strict_json(result.stdout)
    assert result.stdout.startswith("{")
    assert result.stdout.endswith("}\n")
    assert set(printed) == {
        "network", "ok", "stopped", "epochs", "steps", "settings", "report", "scale", "loss", "losses", "parameters",
        "predictions", "seconds", "trained",
    }  # fmt: skip
    assert printed["seconds"] > 0
    assert (printed["report"], printed["scale"]) == (None, 1)
    equal(sbp.Training.load("run.npz"), loaded())


def test_what_is_not_finite_is_null():
    run_of = dataclasses.replace(
        small().train(),
        losses=np.array([1.0, math.inf, math.nan]),
        loss=-math.inf,
        predictions=np.array([[0.5, math.nan], [math.inf, 1.0]]),
    )
    printed = strict_json(training_json(run_of, "sum", 5.0))
    assert printed["losses"] == [1.0, None, None]
    assert printed["loss"] is None
    assert printed["predictions"] == [[0.5, None], [None, 1.0]]
    assert (printed["report"], printed["scale"]) == ("sum", 5.0)


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


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was trained in spite of all."""
    calls: list[Any] = []
    epoch = CompiledStep.epoch
    monkeypatch.setattr(CompiledStep, "epoch", lambda self, *given: (calls.append(given), epoch(self, *given))[1])
    return calls


USAGE = {
    "another suffix": (["network.toml", "-o", "run.npy"], ["run.npy", "ends in .npz, such as 'run.npz'"]),
    "no suffix": (["network.toml", "-o", "run"], ["run: a run of training is kept in a file whose name ends in .npz"]),
    "no folder": (["network.toml", "-o", "absent/run.npz"], ["absent/run.npz", "no directory"]),
    "a folder": (["network.toml", "-o", "folder.npz"], ["folder.npz", "directory"]),
    "another format of pictures": (["network.toml", "--plot", "curve.doc"], ["'.doc'", "known are .png, .pdf, .svg"]),
    "no folder for the picture": (["network.toml", "--plot", "absent/curve.png"], ["absent/curve.png", "no directory"]),
    "a rate of 0": (["network.toml", "--learning-rate", "0"], ["learning_rate is 0.0; give a positive number"]),
    "a rate that is no number": (["network.toml", "--learning-rate", "nan"], ["learning_rate is nan"]),
    "a rate in words": (["network.toml", "--learning-rate", "fast"], ["--learning-rate", "'fast' is not a valid"]),
    "no epochs": (["network.toml", "--epochs", "0"], ["--epochs", "0 is not in the range x>=1"]),
    "no batch": (["network.toml", "--batch-size", "0"], ["--batch-size", "0 is not in the range x>=1"]),
    "too large a batch": (["network.toml", "--batch-size", "6"], ["batch_size is 6, but there are 5 examples"]),
    "half a batch": (["network.toml", "--batch-size", "2.5"], ["--batch-size", "'2.5' is not a valid integer"]),
    "an unknown rule": (["network.toml", "--optimizer", "adm"], ["--optimizer", "'sgd', 'adam'"]),
    "momentum of 1": (["network.toml", "--momentum", "1"], ["momentum is 1.0; give a number from 0 to below 1"]),
    "momentum of Adam": (
        ["network.toml", "--optimizer", "adam", "--momentum", "0.9"],
        ["momentum is 0.9, but adam takes none"],
    ),
    "a negative seed": (["network.toml", "--seed", "-1"], ["--seed", "-1 is not in the range x>=0"]),
    "an unknown initialization": (
        ["network.toml", "--initialization", "hee"],
        ["unknown initialization 'hee'; did you mean 'he"],
    ),
    "an unknown parameter": (["network.toml", "--wrt", "W3"], ["'W3'", "did you mean"]),
    "data are no parameter": (["network.toml", "--wrt", "x"], ["wrt names 'x', which is no parameter to train"]),
    "an unknown report": (["network.toml", "--report", "avg"], ["--report", "'mean', 'sum'"]),
    "every 0 epochs": (["network.toml", "--every", "0"], ["--every", "0 is not in the range x>=1"]),
    "no file to resume": (["network.toml", "--resume", "absent.npz"], ["absent.npz", "no such file"]),
    "arrays to resume": (["network.toml", "--resume", "arrays.npz"], ["arrays.npz", "no run of training"]),
    "no network": (["absent.toml"], ["absent.toml"]),
    "no data": (["bare.toml"], ["small has no data for x(N, 2), y(N, 1)", "[data]"]),
    "no data in a module": (["trained_of_test:without_data"], ["bare has no data for x(N, 2), y(N, 1)"]),
    "no targets": (["inputs.toml"], ["small has no data for y(N, 1)", "[data]"]),
    "Adam with momentum in the file": (["adam.toml"], ["momentum is 0.5, but adam takes none"]),
    "a loss that is infinite": (["steep.toml"], ["the loss is inf before the first step; give other"]),
    "penalties": (["penalty.toml", "--report", "sum"], ["report is 'sum'", "penalties", "leave report out"]),
}


@pytest.mark.parametrize("what", USAGE)
def test_what_does_not_fit_is_status_2_before_anything_is_trained(what: str, place: Path, trained: list[Any]):
    files = {
        "bare.toml": text(data="", run=""),
        "inputs.toml": text(data="[data]\nx = [[1.0, 2.0]]\n"),
        "adam.toml": text(run=RUN.replace('"sgd"', '"adam"')),
        "steep.toml": text(data=DATA + "[parameters]\nb2 = [1e200]\n", run=RUN.replace("batch_size = 2", "")),
        "penalty.toml": text().replace("inputs = 2", "inputs = 2\nl2 = 0.5"),
    }
    for name, content in files.items():
        (place / name).write_text(content)
    (place / "folder.npz").mkdir()
    np.savez(place / "arrays.npz", W1=np.ones((3, 2)))
    before = sorted(path.name for path in place.rglob("*") if "__pycache__" not in path.parts)
    arguments, says = USAGE[what]
    for more in ([], ["--json"]):
        result = run(*arguments, *more)
        assert result.exit_code == 2, result.output
        assert result.stdout == ""
        last = result.stderr.splitlines()[-1]
        assert last.startswith("symbackprop: ")
        for part in says:
            assert part in last
    assert trained == [] or what == "a loss that is infinite"
    assert sorted(path.name for path in place.rglob("*") if "__pycache__" not in path.parts) == before


# -- help --------------------------------------------------------------------------------------------------------------


def test_help():
    result = run("--help")
    assert result.exit_code == 0
    for option in (
        "--epochs", "--learning-rate", "--batch-size", "--optimizer", "--momentum", "--seed", "--initialization",
        "--wrt", "--report", "--every", "--resume", "-o, --output", "--plot", "--json", "--debug",
    ):  # fmt: skip
        assert f"  {option}" in result.stdout
    plain = " ".join(result.stdout.split())
    assert "Exit status: 0 all epochs were done, 1 the loss was no longer finite, 130 interrupted" in plain
    assert "[data]" in result.stdout


def test_the_examples_of_the_help_run(place: Path):
    pytest.importorskip("matplotlib")
    small_steps = RUN.replace("0.05", "0.001").replace("momentum = 0.5\n", "").replace("batch_size = 2\n", "")
    many = (
        "x = " + repr([[float(n % 7), 1.0] for n in range(40)]) + "\ny = " + repr([[float(n % 2)] for n in range(40)])
    )
    (place / "network.toml").write_text(text(data=f"[data]\n{many}\n", run=small_steps))
    lines = [line.strip() for line in run("--help").stdout.splitlines()]
    examples = [line.split()[2:] for line in lines if line.startswith("symbackprop train network")]
    assert len(examples) >= 4
    for example in examples:
        result = run(*example)
        assert result.exit_code == 0, (example, result.stderr)
    assert sbp.Training.load("run.npz").epochs == 10000
    assert (place / "curve.png").exists()
