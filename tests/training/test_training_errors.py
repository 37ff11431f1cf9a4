"""Every wrong argument is named, with its value and the remedy, before anything is trained."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from descents import small
from training_laws import equal

import symbackprop as sbp

DESCENT = small()
X, Y = DESCENT.data["x"], DESCENT.data["y"]
PARAMETERS = DESCENT.parameters


def spoiled(array: np.ndarray, value: float) -> np.ndarray:
    array = array.copy()
    array.flat[-1] = value
    return array


def but(**more: Any) -> dict[str, Any]:
    return {name: array for name, array in {**PARAMETERS, **more}.items() if array is not None}


# The arguments, and what the message must say.
SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "a rate of 0": ({"learning_rate": 0}, "learning_rate is 0; give a positive number, such as 0.01"),
    "a negative rate": ({"learning_rate": -0.1}, r"learning_rate is -0\.1; give a positive number"),
    "a rate that is no number": ({"learning_rate": math.nan}, "learning_rate is nan; give a positive number"),
    "an infinite rate": ({"learning_rate": math.inf}, "learning_rate is inf; give a positive number"),
    "a rate in words": ({"learning_rate": "0.1"}, "learning_rate is '0.1'; give a positive number"),
    "a true rate": ({"learning_rate": True}, "learning_rate is True; give a positive number"),
    "a rate as an array": ({"learning_rate": np.array([0.1])}, r"learning_rate is array\(\[0\.1\]\); give"),
    "a complex rate": ({"learning_rate": 0.1 + 0j}, "learning_rate is .*j.*; give a positive number"),
    "a complex rate of NumPy's": ({"learning_rate": np.complex128(0.1)}, "learning_rate is .*j.*; give a positive"),
    "a rate beyond floats": ({"learning_rate": 10**400}, "learning_rate is 1000.*; give a positive number"),
    "no epochs": ({"epochs": 0}, "epochs is 0; give an integer, 1 or larger"),
    "less than no epochs": ({"epochs": -3}, "epochs is -3; give an integer, 1 or larger"),
    "half an epoch": ({"epochs": 1.5}, r"epochs is 1\.5; give an integer, 1 or larger"),
    "true epochs": ({"epochs": True}, "epochs is True; give an integer"),
    "epochs in words": ({"epochs": "10"}, "epochs is '10'; give an integer"),
    "momentum of 1": ({"momentum": 1}, "momentum is 1; give a number from 0 to below 1"),
    "negative momentum": ({"momentum": -0.1}, r"momentum is -0\.1; give a number from 0 to below 1"),
    "momentum in words": ({"momentum": "0.9"}, "momentum is '0.9'; give a number from 0 to below 1"),
    "momentum that is no number": ({"momentum": math.nan}, "momentum is nan; give a number"),
    "true momentum": ({"momentum": True}, "momentum is True; give a number"),
    "an unknown rule": ({"optimizer": "adm"}, r"unknown optimizer 'adm'; did you mean 'adam'\?"),
    "a rule that is none": ({"optimizer": 3}, "optimizer is 3; give one of sgd, adam, or sbp.Adam"),
    "a rule that is not made yet": ({"optimizer": sbp.Adam}, r"optimizer is .*Adam.*; give one of sgd"),
    "momentum for Adam": (
        {"optimizer": "adam", "momentum": 0.9},
        r"momentum is 0\.9, but adam takes none; leave momentum out, or take 'sgd'",
    ),
    "momentum beside a rule": (
        {"optimizer": sbp.SGD(), "momentum": 0.9},
        r"momentum is 0\.9, beside optimizer=SGD\(.*\); say it there: sbp\.SGD\(0\.9\)",
    ),
    "momentum beside Adam": ({"optimizer": sbp.Adam(), "momentum": 0.9}, r"momentum is 0\.9.*Adam"),
    "a negative seed": ({"seed": -1}, "seed is -1; give an integer, 0 or larger"),
    "a seed in words": ({"seed": "one"}, "seed is 'one'; give an integer, 0 or larger"),
    "a true seed": ({"seed": True}, "seed is True; give an integer"),
    "an unknown initialization": (
        {"initialization": "glorott", "parameters": None},
        r"unknown initialization 'glorott'; did you mean 'glorot'\?",
    ),
    "a way to draw what is given": ({"initialization": "he"}, "initialization draws parameters, but parameters has"),
    "progress that cannot be called": ({"progress": "yes"}, "progress is 'yes'; give"),
    "data that are none": ({"data": 5}, "data is"),
    "another data name": ({"z": X}, "small has no input, target or parameter 'z'; known are x, "),
}
ARRAYS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no data": (
        {"x": None, "y": None},
        sbp.UsageError,
        r"small has no data for x\(N, 2\), y\(N, 1\); give train\(x=..., y=...\), or the table \[data\] of a TOML file",
    ),
    "no targets": ({"y": None}, sbp.UsageError, r"small has no data for y\(N, 1\); give train\(x=..., y=...\)"),
    "no data and no parameters": (
        {"x": None, "y": None, "parameters": None},
        sbp.UsageError,
        r"small has no data for x\(N, 2\), y\(N, 1\); give train\(x=..., y=...\)",
    ),
    "a parameter too few": (
        {"parameters": but(b1=None)},
        sbp.UsageError,
        r"small needs the parameter 'b1' of shape \(3,\); none was given",
    ),
    "no parameters at all": ({"parameters": {}}, sbp.UsageError, r"needs the parameter 'W1' of shape \(3, 2\)"),
    "a misspelt parameter": (
        {"parameters": but(W2=None, w2=np.ones((1, 3)))},
        sbp.UsageError,
        r"small has no input, target or parameter 'w2'; did you mean 'W2'\?",
    ),
    "a parameter too many": ({"parameters": but(W3=X)}, sbp.UsageError, "no input, target or parameter 'W3'; did you"),
    "parameters in a list": (
        {"parameters": list(PARAMETERS.values())},
        sbp.UsageError,
        "parameters is of type list; give a dict of arrays by name",
    ),
    "data among the parameters": ({"parameters": but(x=X)}, sbp.UsageError, "'x' is given twice"),
    "a transposed weight": (
        {"parameters": but(W1=np.ones((2, 3)))},
        sbp.SizeError,
        r"W1 has shape \(2, 3\), but \(3, 2\) was expected",
    ),
    "other inputs": ({"x": np.ones((5, 3))}, sbp.SizeError, r"x has shape \(5, 3\), but \(5, 2\) was expected"),
    "one example without its axis": ({"x": X[0]}, sbp.SizeError, r"x has shape \(2,\), but \(N, 2\).*one example"),
    "targets without their axis": ({"y": Y[:, 0]}, sbp.SizeError, r"y has shape \(5,\).* give y\[:, None\]"),
    "a target too few": ({"y": Y[:4]}, sbp.SizeError, "axis 1 of y has size 4, but N is 5 in x"),
    "no example": ({"x": X[:0], "y": Y[:0]}, sbp.SizeError, r"x has shape \(0, 2\).*give at least one example"),
    "no number in x": ({"x": spoiled(X, np.nan)}, sbp.UsageError, r"x\[4, 1\] is nan; give finite numbers"),
    "infinity in y": ({"y": spoiled(Y, -np.inf)}, sbp.UsageError, r"y\[4, 0\] is -inf; give finite numbers"),
    "no number in a weight": (
        {"parameters": but(W2=spoiled(PARAMETERS["W2"], np.nan))},
        sbp.UsageError,
        r"W2\[0, 2\] is nan; give finite numbers",
    ),
    "words": ({"x": [["a", "b"]] * 5}, sbp.UsageError, "x holds strings, 'a' at .*; give real numbers"),
    "complex numbers": ({"x": X + 1j}, sbp.UsageError, "x holds complex numbers.*; give real numbers"),
    "ragged rows": ({"x": [[1, 2], [3]]}, sbp.UsageError, "x is no array of numbers: its rows have different lengths"),
}


@pytest.mark.parametrize("what", SETTINGS)
def test_a_wrong_setting_is_named(what: str, trained: list[Any]):
    given, says = SETTINGS[what]
    with pytest.raises(sbp.UsageError, match=says):
        DESCENT.model.train(**{"parameters": PARAMETERS, "x": X, "y": Y, "epochs": 2, **given})
    assert trained == []


@pytest.mark.parametrize("what", ARRAYS)
def test_a_wrong_array_is_named(what: str, trained: list[Any]):
    given, error, says = ARRAYS[what]
    with pytest.raises(error, match=says):
        DESCENT.model.train(**{"parameters": PARAMETERS, "x": X, "y": Y, "epochs": 2, **given})
    assert trained == []


@pytest.mark.parametrize("given", [
    {"learning_rate": np.float32(0.125)},
    {"learning_rate": np.float64(0.125)},
    {"epochs": np.int32(4)},
    {"seed": np.uint8(7)},
    {"momentum": np.float64(0.5)},
    {"momentum": np.float32(0.5)},
])  # fmt: skip
def test_numbers_of_numpys_are_numbers(given: dict[str, Any], tmp_path):
    plain = {name: value.item() for name, value in given.items()}
    run = DESCENT.train(batch_size=2, **given)
    equal(run, DESCENT.train(batch_size=2, **plain))
    assert sbp.Training.load(run.save(tmp_path / "run.npz")).settings == DESCENT.train(batch_size=2, **plain).settings


def test_a_fraction_is_no_number_yet():
    with pytest.raises(sbp.UsageError, match=r"learning_rate is Fraction\(1, 10\); give a positive number"):
        DESCENT.train(learning_rate=Fraction(1, 10))


def test_targets_that_the_loss_cannot_take():
    net = sbp.Network(2, [sbp.Dense(1)], "hinge")
    with pytest.raises(sbp.UsageError, match=r"y\[0, 0\] is 0, but the loss hinge takes targets -1 and 1"):
        net.train(x=[[1.0, 2.0]], y=[[0.0]])


def test_labels_that_choose_what_is_not_there():
    program = sbp.Program(["L = Sum(E[c[n]]**2, n)"], "L", integers={"c": ("N",)}, parameters={"E": (3,)})
    with pytest.raises(sbp.UsageError, match=r"c\[1\] is 7, but it chooses one of 3; give 0 to 2"):
        program.train({"E": [1.0, 2.0, 3.0]}, c=[0, 7])


def test_a_size_that_nothing_fixes():
    net = sbp.Network("D", [sbp.Dense("H", "tanh"), sbp.Dense(1)], "half_squared_error")
    with pytest.raises(sbp.SizeError, match="size H has no positive number; give it in sizes"):
        net.train(x=X, y=Y)


@pytest.mark.parametrize("name", ["seed", "epochs", "self", "data", "parameters", "resume"])
def test_data_that_are_called_like_an_argument(name: str):
    """They are given in a mapping; a setting of that name is still one."""
    program = sbp.Program([f"L = Sum({name}[i]*w**2, i)"], "L", inputs={name: ("D",)}, parameters={"w": ()})
    run = program.train({"w": 1.0}, data={name: [1.0, 2.0]}, epochs=3, learning_rate=0.01)
    assert run.parameters["w"] == pytest.approx(0.94**3)
    if name in ("seed", "epochs"):
        with pytest.raises(sbp.UsageError, match=name):
            program.train({"w": 1.0}, **{name: [1.0, 2.0]})


def test_a_number_that_the_floating_type_does_not_have():
    single = {name: array.astype(np.float32) for name, array in PARAMETERS.items()}
    with pytest.raises(sbp.UsageError, match="learning_rate gives 1e-50, which is 0 in float32; use float64 param"):
        DESCENT.train(single, learning_rate=1e-50)
    with pytest.raises(sbp.UsageError, match="epsilon gives 1e-60, which is 0 in float32; use float64 parameters"):
        DESCENT.train(single, optimizer=sbp.Adam(epsilon=1e-60))
    assert DESCENT.train(learning_rate=1e-50).epochs == 4
