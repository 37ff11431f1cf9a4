"""``symbackprop verify --against``: a module's function, or a file of arrays."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner, Result

import symbackprop as sbp
from symbackprop.cli.application import application

NETWORK = """
[network]
inputs = 2
loss = "half_squared_error"
[[layers]]
type = "dense"
units = 3
activation = "tanh"
[[layers]]
type = "dense"
units = 1
"""

CODE = """
import numpy as np

note = "no function"


def right(p, x, y, slope=lambda a: 1 - a**2):
    a1 = np.tanh(x @ p["W1"].T + p["b1"])
    d2 = (a1 @ p["W2"].T + p["b2"] - y) / len(x)
    d1 = d2 @ p["W2"] * slope(a1)
    print("on the way")
    return {"W1": d1.T @ x, "b1": d1.sum(0), "W2": d2.T @ a1, "b2": d2.sum(0)}


def wrong(p, x, y):
    return right(p, x, y, lambda a: 1.0)


def renamed(p, x, y):
    found = right({"W1": p["w1"], "b1": p["b1"], "W2": p["W2"], "b2": p["b2"]}, x, y)
    return {"w1": found.pop("W1"), **found}


def broken(p, x, y):
    return p["W7"]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "network.toml").write_text(NETWORK)
    (tmp_path / "code_under_test.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    sys.modules.pop("code_under_test", None)
    return tmp_path


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(application, ["verify", "network.toml", *arguments])


def test_a_right_function_exits_with_0(here):
    result = verify("--against", "code_under_test:right")
    assert result.exit_code == 0, result.stderr
    assert "All 4 gradients are right." in result.stdout


def test_a_wrong_function_exits_with_1_and_says_what_is_wrong(here):
    result = verify("--against", "code_under_test:wrong")
    assert result.exit_code == 1
    assert "Layer 1: the derivative of tanh is left out" in result.stdout


def test_json_is_one_object_and_nothing_else(here):
    said = json.loads(verify("--against", "code_under_test:wrong", "--json").stdout)
    assert said["ok"] is False
    assert said["candidates"][0]["kind"] == "derivative left out"
    assert said["arrays"]["W1"]["verdict"] == "wrong"
    assert said["arrays"]["W2"]["verdict"] == "right"


def test_names_are_mapped(here):
    assert verify("--against", "code_under_test:renamed", "--name", "W1=w1").exit_code == 0


@pytest.mark.parametrize("prefix", ["d", ""])
def test_arrays_of_a_file_are_checked_where_the_file_says(here, prefix):
    net = sbp.Network.load("network.toml")
    parameters, x, y = net.initial_parameters(seed=4), np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[1.0], [0.0]])
    _, gradients = net.derive().compile()(parameters, x, y)
    point = {**parameters, "x": x, "y": y} if prefix else {}
    np.savez("gradients.npz", **point, **{prefix + name: array for name, array in gradients.items()})
    result = verify("--against", "gradients.npz")
    if not prefix:
        assert result.exit_code == 2
        assert "belong to one point" in result.stderr
        return
    assert result.exit_code == 0, result.stderr
    gradients["b1"] = gradients["b1"] / 2
    np.savez("gradients.npz", **point, **{prefix + name: array for name, array in gradients.items()})
    assert "averaged over the examples" in verify("--against", "gradients.npz").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--against", "code_under_test:rihgt"), "did you mean 'right'"),
        (("--against", "code_under_test:note"), "name a function"),
        (("--against", "code_under_test:broken"), "raised KeyError"),
        (("--against", "nowhere:function"), "no module 'nowhere'"),
        (("--against", "nowhere.npz"), "no such file"),
        (("--against", "network.toml"), "neither module:function nor a .npz file"),
        (("--against", "code_under_test:right", "--name", "W1"), "no pair"),
        (("--against", "code_under_test:right", "--name", "W9=w"), "'W9'"),
        (("--against", "code_under_test:right", "--plot", "x.png"), "leave it out"),
        (("--layout", "in_out"), "name them with --against"),
    ],
)
def test_an_error_is_one_line_and_status_2(here, arguments, words):
    result = verify(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_file_that_is_no_archive_is_unreadable(here):
    (here / "gradients.npz").write_bytes(b"PK nonsense")
    result = verify("--against", "gradients.npz")
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr
