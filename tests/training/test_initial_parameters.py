"""Parameters to begin with: those that are given, and the rest drawn by name and seed."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from descents import network, same_bytes, small
from hypothesis import given
from hypothesis import strategies as st

import symbackprop as sbp
from symbackprop.specification.values import INITIALIZATIONS

NET = sbp.Network(5, [sbp.Dense(7, "tanh"), sbp.Dense(3)], "half_squared_error")
SHAPES = {"W1": (7, 5), "b1": (7,), "W2": (3, 7), "b2": (3,)}


@pytest.mark.parametrize("name", INITIALIZATIONS)
@given(seed=st.integers(0, 1 << 20))
def test_a_name_and_a_seed_say_the_numbers(name: str, seed: int):
    first, again = (NET.initial_parameters(name, seed) for _ in range(2))
    same_bytes(again, first)
    assert {parameter: array.shape for parameter, array in first.items()} == SHAPES
    assert all(array.dtype == np.float64 for array in first.values())
    other = NET.initial_parameters(name, seed + 1)
    assert np.array_equal(first["W1"], other["W1"]) == (name == "zeros")
    biased = name in ("uniform", "normal")
    assert first["b1"].any() == first["b2"].any() == biased


# The variance of the weights, by the papers; fan in and fan out of W1 are 5 and 7.
VARIANCES = {
    "uniform": 1 / 3,
    "normal": 1.0,
    "glorot": 2 / 12,
    "glorot_uniform": 2 / 12,
    "glorot_normal": 2 / 12,
    "he": 2 / 5,
    "he_uniform": 2 / 5,
    "he_normal": 2 / 5,
    "zeros": 0.0,
}


@pytest.mark.parametrize("layout", ["out_in", "in_out"])
@pytest.mark.parametrize("name", INITIALIZATIONS)
def test_the_weights_have_the_variance_of_the_paper(name: str, layout: str):
    net = sbp.Network(5, [sbp.Dense(7, "tanh"), sbp.Dense(3)], "half_squared_error", weight_layout=layout)
    weights = np.concatenate([net.initial_parameters(name, seed)["W1"].ravel() for seed in range(400)])
    assert weights.size == 14_000
    # Five standard deviations of the mean and of the variance of so many numbers, normal ones being the widest.
    assert abs(weights.mean()) <= 5 * math.sqrt(VARIANCES[name] / weights.size)
    assert abs(weights.var() - VARIANCES[name]) <= 5 * VARIANCES[name] * math.sqrt(2 / weights.size)
    if "normal" not in name and name != "he":
        assert np.abs(weights).max() <= math.sqrt(3 * VARIANCES[name])


def test_the_default_is_glorot_from_seed_0():
    same_bytes(NET.initial_parameters(), NET.initial_parameters("glorot_uniform", 0))


@pytest.mark.parametrize("name", [None, "he", "uniform"])
def test_training_begins_with_them(name: str | None):
    descent = small()
    start = descent.model.initial_parameters(name, seed=6)
    run = descent.model.train(**descent.data, **descent.settings, initialization=name, seed=6, progress=False)
    same_bytes(run.parameters, descent.model.train(start, **descent.data, **descent.settings).parameters)


FILE = """
[network]
inputs = "D"
loss = "half_squared_error"
[[layers]]
type = "dense"
units = "H"
activation = "tanh"
[[layers]]
type = "dense"
units = 2
[sizes]
H = 4
[data]
x = [[1.0, 2.0, 3.0]]
y = [[0.5, 1.0]]
[parameters]
W2 = [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]
b1 = [1.0, 2.0, 3.0, 4.0]
[run]
seed = 11
initialization = "normal"
"""


def test_what_a_file_gives_is_kept(tmp_path: Path):
    (tmp_path / "network.toml").write_text(FILE)
    model = sbp.Network.load(tmp_path / "network.toml")
    found = model.initial_parameters()
    assert {name: array.shape for name, array in found.items()} == {"W1": (4, 3), "b1": (4,), "W2": (2, 4), "b2": (2,)}
    assert found["W2"].tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert found["b1"].tolist() == [1, 2, 3, 4]
    # The file's seed and way for the rest: as for the plain network, whose other numbers are not drawn.
    rng = np.random.default_rng(11)
    np.testing.assert_array_equal(found["W1"], rng.normal(size=(4, 3)))
    np.testing.assert_array_equal(found["b2"], rng.normal(size=2))
    other = model.initial_parameters("zeros", seed=3)
    assert not other["W1"].any()
    assert not other["b2"].any()
    assert other["b1"].tolist() == [1, 2, 3, 4]
    run = model.train(epochs=1, learning_rate=1e-15, progress=False)
    for name, array in found.items():
        np.testing.assert_allclose(run.parameters[name], array, atol=1e-10)
    # What comes back is not what the file keeps.
    found["b1"][:] = 0
    assert model.initial_parameters()["b1"].tolist() == [1, 2, 3, 4]


SYMBOLIC = sbp.Network("D", [sbp.Dense("H", "tanh"), sbp.Dense("K")], "half_squared_error", name="wide")


def test_symbolic_sizes_are_given():
    found = SYMBOLIC.initial_parameters("he", 3, sizes={"D": 5, "H": 7, "K": 3})
    same_bytes(found, NET.initial_parameters("he", 3))
    # As data fix D and K, so that H is all that is left to say.
    with pytest.raises(sbp.SizeError, match="size H has no positive number; give it in sizes"):
        SYMBOLIC.initial_parameters(sizes={"D": 5, "K": 3})
    with pytest.raises(sbp.SizeError, match=r"size [DHK] has no positive number"):
        SYMBOLIC.initial_parameters()
    with pytest.raises(sbp.SizeError, match="wide has no symbolic size 'd'; did you mean 'D'"):
        SYMBOLIC.initial_parameters(sizes={"d": 5})


def test_a_symbolic_network_is_trained_from_them():
    numbers = network(NET, 4, learning_rate=0.05, epochs=3)
    start = SYMBOLIC.initial_parameters("he", 3, sizes={"D": 5, "H": 7, "K": 3})
    run = SYMBOLIC.train(start, **numbers.data, **numbers.settings)
    expected = numbers.train(NET.initial_parameters("he", 3)).parameters
    same_bytes(run.parameters, expected)
    # Or by themselves, with the number that the data do not tell.
    drawn = {"seed": 3, "initialization": "he", "sizes": {"H": 7}}
    same_bytes(SYMBOLIC.train(**numbers.data, **numbers.settings, **drawn).parameters, expected)
    # Without hidden widths the data say everything.
    plain = sbp.Network("D", [sbp.Dense("K")], "half_squared_error")
    assert plain.train(**numbers.data, epochs=2, progress=False).parameters["W1"].shape == (3, 5)


@pytest.mark.parametrize(("given", "says"), [
    ({"initialization": "glorott"}, r"unknown initialization 'glorott'; did you mean 'glorot'\?"),
    ({"initialization": 3}, "unknown initialization 3"),
    ({"seed": -1}, "seed is -1; give an integer, 0 or larger"),
    ({"seed": 1.5}, r"seed is 1\.5; give an integer"),
    ({"seed": True}, "seed is True; give an integer"),
])  # fmt: skip
def test_what_does_not_fit_is_named(given, says: str):
    with pytest.raises(sbp.UsageError, match=says):
        NET.initial_parameters(**given)


@pytest.mark.parametrize("number", [0, -3, 2.5, "5", True])
def test_a_size_that_is_none(number):
    with pytest.raises((sbp.SizeError, sbp.UsageError), match="D"):
        SYMBOLIC.initial_parameters(sizes={"D": number, "H": 7, "K": 3})
