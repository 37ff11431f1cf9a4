"""``Derivation.verify`` and ``symbackprop verify``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import symbackprop as sbp
from symbackprop.cli.application import application

NETWORK = """
[network]
name = "small"
inputs = 2
loss = "half_squared_error"
[[layers]]
type = "dense"
units = 2
activation = "relu"
[[layers]]
type = "dense"
units = 1
"""
DATA = """
[data]
x = [[1.0, 2.0]]
y = [[3.0]]
[parameters]
W1 = [[0.5, 0.25], [0.1, 0.2]]
b1 = [{bias}, 0.3]
W2 = [[1.0, -0.5]]
b2 = [0.2]
"""


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "network.toml"
    path.write_text(NETWORK)
    return path


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(application, ["verify", *map(str, arguments)])


def parameters(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"W1": rng.normal(size=(3, 2)), "b1": rng.normal(size=3), "W2": rng.normal(size=(1, 3)), "b2": np.ones(1)}


def derivation() -> sbp.Derivation:
    return sbp.Network(2, [sbp.Dense(3, "tanh"), sbp.Dense(1)], "half_squared_error").derive()


# -- the method --------------------------------------------------------------------------------------------------------


def test_the_compiled_gradients_hold():
    report = derivation().verify(parameters(), [[1.0, 2.0], [0.5, -1.0]], [[1.0], [2.0]])
    assert report.ok
    assert report.points == ("as given",)


def test_without_numbers_they_are_drawn():
    first, again, other = (derivation().verify(seed=seed) for seed in (1, 1, 2))
    assert first.ok
    assert len(first.points) == 3
    assert first.as_dict()["arrays"] == again.as_dict()["arrays"] != other.as_dict()["arrays"]


@pytest.mark.parametrize("method", ["forward", "central"])
def test_the_plain_schemes(method: str):
    report = derivation().verify(method=method, eps=1e-5)
    assert (report.ok, report.method) == (True, method)


def test_gradients_of_ones_own():
    derived = derivation()
    given = (parameters(), [[1.0, 2.0]], [[1.0]])
    function = derived.compile()
    right = function(*given)[1]
    assert derived.verify(*given, gradients=right).ok
    assert derived.verify(gradients=function).ok
    assert not derived.verify(*given, gradients={**right, "W2": -right["W2"]}).ok
    assert not derived.verify(*given, gradients={**right, "b1": right["b1"] * math.nan}).ok
    with pytest.raises(sbp.UsageError, match="would be drawn"):
        derived.verify(gradients=right)


def test_parameters_are_given_completely_or_not_at_all():
    some = parameters()
    del some["b1"]
    with pytest.raises(sbp.UsageError, match="parameters lack 'b1'"):
        derivation().verify(some, [[1.0, 2.0]], [[1.0]])


def test_a_parameter_that_is_not_reached():
    program = sbp.Program(
        parameters={"w": (), "idle": (2,)}, inputs={"x": ("N",)}, equations=["L = Sum((w*x[n] - 1)**2, n)"], loss="L"
    )
    report = program.derive().verify()
    assert report.ok
    assert set(report.arrays) == {"w", "idle"}


def test_the_gradient_of_the_input():
    report = sbp.Network(2, [sbp.Dense(2, "tanh")], "half_squared_error").derive(wrt=("x", "W1")).verify()
    assert report.ok
    assert set(report.arrays) == {"x", "W1"}


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True])
def test_a_seed_that_is_none(seed: Any):
    with pytest.raises(sbp.UsageError, match="seed is"):
        derivation().verify(seed=seed)


# -- the command -------------------------------------------------------------------------------------------------------


def test_it_prints_a_table(network: Path):
    result = run(network)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[0].split()[:2] == ["array", "weights"]
    assert "All 9 weights agree with the derivative." in result.stdout
    assert result.stderr == ""


def test_it_prints_json_and_nothing_else(network: Path):
    result = run(network, "--json", "--method", "central", "--eps", "1e-4", "--seed", "7")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["ok"] is True
    assert found["method"] == "central"
    assert found["points"][0] == "drawn from seed 7, a batch of 1"
    assert set(found["arrays"]) == {"W1", "b1", "W2", "b2"}
    assert result.stderr == ""


def test_incremental_differences_in_processes(network: Path):
    result = run(network, "--json", "--jobs", "2")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["ok"], found["method"]) == (True, "incremental")
    assert found["arrays"]["W1"]["decided_by"] == {"incremental differences": 4}
    assert all("validated at" in note for note in found["notes"])


def test_the_second_order(network: Path):
    result = run(network, "--order", "2", "--seed", "3")
    assert result.exit_code == 0, result.stderr
    assert "order 2: the Hessian times a direction drawn from seed 3" in result.stdout


def test_an_exact_kink_holds_and_is_said(network: Path):
    network.write_text(NETWORK + DATA.format(bias=-1.0))
    result = run(network, "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["ok"]) == (0, True)
    assert found["arrays"]["W1"]["kink"] == 2
    kinks = [entry for entry in found["worst"] if entry["verdict"] == "kink"]
    assert len(kinks) == 3
    assert all(entry["left"] != entry["right"] for entry in kinks)
    assert "on a kink" in run(network).stdout


def test_a_failure_is_status_1(network: Path, monkeypatch: pytest.MonkeyPatch):
    right = sbp.Derivation.compile

    def wrong(self: sbp.Derivation, *arguments: Any, **options: Any) -> Any:
        function = right(self, *arguments, **options)
        return lambda *given: {name: 2 * gradient for name, gradient in function(*given)[1].items()}

    monkeypatch.setattr(sbp.Derivation, "compile", wrong)
    result = run(network)
    assert result.exit_code == 1
    assert "fail" in result.stdout
    assert run(network, "--json").exit_code == 1


def test_it_draws(network: Path, tmp_path: Path):
    pytest.importorskip("matplotlib")
    result = run(network, "--plot", tmp_path / "errors.svg")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "errors.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(("arguments", "says"), [
    (("--eps", "1e-6"), "--eps is the step of --method central or forward"),
    (("--eps", "-1", "--method", "forward"), "is not a positive finite number"),
    (("--eps", "nan", "--method", "forward"), "is not a positive finite number"),
    (("--eps", "1e-6", "--method", "incremental"), "--eps is the step of --method central or forward"),
    (("--jobs", "2", "--method", "ladder"), "--method ladder runs in one process"),
    (("--jobs", "0"), "invalid value for '--jobs'"),
    (("--order", "3"), "invalid value for '--order'"),
    (("--method", "magic"), "invalid value for '--method'"),
    (("--seed", "-1"), "invalid value for '--seed'"),
    (("--plot", "errors.doc"), "known are .png, .pdf, .svg"),
])  # fmt: skip
def test_wrong_options(arguments: tuple[str, ...], says: str, network: Path):
    result = run(network, *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1


def test_targets_that_the_loss_cannot_take(network: Path):
    text = NETWORK.replace("half_squared_error", "hinge") + DATA.format(bias=0.1)
    network.write_text(text)
    result = run(network)
    assert result.exit_code == 2
    assert "y[0, 0] is 3, but the loss hinge takes targets -1 and 1" in result.stderr
