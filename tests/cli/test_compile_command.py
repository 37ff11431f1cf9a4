"""``symbackprop compile``: the module is written, or printed, and is the one that the API writes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import symbackprop as sbp
from symbackprop.cli.application import application

NETWORK = """
[network]
name = "small"
inputs = 2
loss = "binary_cross_entropy"
[[layers]]
type = "dense"
units = 3
activation = "relu"
[[layers]]
type = "dense"
units = 1
activation = "sigmoid"
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(NETWORK, encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application, arguments, prog_name="symbackprop")


def test_the_module_is_written(place: Path) -> None:
    result = run("compile", "small.toml", "-o", "gradients.py")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    text = (place / "gradients.py").read_text(encoding="utf-8")
    assert text == sbp.Network.load("small.toml").derive().module()
    assert "small, from small.toml" in text
    spec = importlib.util.spec_from_file_location("gradients", place / "gradients.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rng = np.random.default_rng(0)
    parameters = {name: rng.normal(size=shape) for name, shape in module.PARAMETERS.items()}
    x, y = rng.normal(size=(5, 2)), rng.integers(2, size=(5, 1))
    loss, gradients = module.loss_and_gradients(parameters, x, y)
    expected = sbp.Network.load("small.toml").derive().compile()(parameters, x, y)
    assert loss == pytest.approx(expected[0], rel=1e-13)
    for name, gradient in expected[1].items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-12)


def test_the_module_is_printed() -> None:
    result = run("compile", "small.toml")
    assert result.exit_code == 0
    assert result.stdout == sbp.Network.load("small.toml").derive().module()


def test_wrt() -> None:
    text = run("compile", "small.toml", "--wrt", "x").stdout
    assert '"x": x_bar' in text
    assert "W1_bar" not in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["small.toml", "-o", "gradients.txt"], "gradients.txt: a module's name ends in .py, such as 'gradients.py'"),
        (["small.toml", "-o", "nowhere/gradients.py"], "nowhere/gradients.py cannot be written"),
        (["absent.toml", "-o", "gradients.py"], "absent.toml: there is no such file"),
        (["small.toml", "--wrt", "W9"], "small has no variable 'W9'; did you mean"),
        ([], "missing argument 'NETWORK'"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(place: Path, arguments: list[str], says: str) -> None:
    result = run("compile", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert [path.name for path in place.iterdir()] == ["small.toml"]
