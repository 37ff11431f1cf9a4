"""``symbackprop train``: the losses that it prints, and where its settings come from."""

from __future__ import annotations

import dataclasses
import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_runs import RUN, loaded, run, same_as, strict_json, text
from descents import small
from training_laws import equal

import symbackprop as sbp
from symbackprop.cli.training_json import training_json
from symbackprop.training.report import error_lines, report_scale

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


@functools.cache
def losses_of_the_file() -> list[float]:
    """What comes without options, so that every option can be seen to change it."""
    return loaded().losses.tolist()


@pytest.mark.parametrize("what", OPTIONS)
@pytest.mark.usefixtures("place")
def test_options_go_before_the_file(what: str):
    arguments, settings = OPTIONS[what]
    result = run("network.toml", "--json", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    printed = strict_json(result.stdout)
    same_as(printed, loaded(**settings))
    assert printed["losses"] != losses_of_the_file()[: printed["epochs"]] or what in ("epochs", "the same rule")


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
