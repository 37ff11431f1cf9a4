"""A network and a program in files, and runs of ``symbackprop train`` with them."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

import symbackprop as sbp
from symbackprop.cli.application import application

__all__ = ["DATA", "MODULE", "PROGRAM", "RUN", "loaded", "run", "same_as", "strict_json", "text"]

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
