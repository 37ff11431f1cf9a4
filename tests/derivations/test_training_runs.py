"""The runs that the articles show: their errors to the digits they print, and the data and weights they begin with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import symbackprop as sbp
from symbackprop.cli.application import application
from symbackprop.specification.points import read_columns

FOLDER = Path(__file__).parents[2] / "derivations"
WITH_A_RUN = ("article-001-three-layers", "article-002-4-3-1", "article-002-moons", "mazur-2-2-2")

# "Neural Networks From Scratch in Python & R" (article 002): what it prints at each hundredth, and thousandth, epoch.
CURVE = [0.11553, 0.11082, 0.10606, 0.09845, 0.08483, 0.06396, 0.04206, 0.02641, 0.01719, 0.01190]
MOONS = [0.23478, 0.25000, 0.25000, 0.25000, 0.05129, 0.02163, 0.01157, 0.00775, 0.00689, 0.07556]


def network(name: str, file: str = "network.toml") -> sbp.Network:
    return sbp.Network.load(FOLDER / name / file)


def printed(*arguments: str) -> list[str]:
    return CliRunner().invoke(application, ["train", *arguments], standalone_mode=False).stdout.splitlines()


def mean_errors(run, every):
    """The mean over the examples of a loss that was summed."""
    return run.losses[::every] / len(run.predictions)


# -- article 002, 4-3-1 ------------------------------------------------------------------------------------------------


def test_article_002_curve_as_it_is_printed():
    lines = printed(str(FOLDER / "article-002-4-3-1" / "network.toml"))
    assert lines[:10] == [f"Error at epoch {100 * k} is {error:.5f}" for k, error in enumerate(CURVE)]
    assert lines[10:] == ["Error after 1000 epochs is 0.00872"]


def test_article_002_curve_in_full():
    run = network("article-002-4-3-1").train()
    verified = [0.11553441281891715, 0.11082497771795351, 0.106058276893693, 0.09845220316539595, 0.08482806360831764]
    verified += [0.06395611330958116, 0.04206407121586469, 0.02640961314850329, 0.017194765472714982]
    np.testing.assert_allclose(mean_errors(run, 100), [*verified, 0.011900639413842687], rtol=1e-11)


def test_article_002_taken_literally_does_not_give_its_curve():
    """Learning rate 0.01 and the weights of the worked step, as the text says."""
    run = network("article-002-4-3-1", "first_draw.toml").train()
    errors = mean_errors(run, 100)
    assert errors[0] == pytest.approx(0.11376256042350628, rel=1e-12)
    assert errors[-1] == pytest.approx(0.10620191101240563, rel=1e-11)
    assert not np.allclose(errors, CURVE, atol=1e-3)


@pytest.mark.parametrize(
    "changes",
    [{"learning_rate": 0.01}, {"learning_rate": 0.1 / 3}],
    ids=["the rate of the text", "the gradient of the mean"],
)
def test_article_002_nothing_else_gives_its_curve(changes):
    run = network("article-002-4-3-1").train(**changes)
    assert abs(mean_errors(run, 100)[-1] - CURVE[-1]) > 0.05


def test_article_002_weights_are_the_draws_that_are_said():
    uniform = np.random.RandomState(42).uniform
    for file in ("first_draw.toml", "network.toml"):
        given = network("article-002-4-3-1", file).parameters
        for name, shape in (("W1", (4, 3)), ("W2", (3, 1))):
            np.testing.assert_array_equal(given[name], uniform(size=shape))
    given = network("article-002-moons").parameters
    for name, shape in (("W1", (2, 10)), ("W2", (10, 1))):
        np.testing.assert_array_equal(given[name], uniform(size=shape))


def test_article_002_unseeded_run_with_biases_lies_among_ours():
    """The code of 2017 has biases, other data, and no seed: its result cannot be reproduced, only be placed."""
    layers = [sbp.Dense(3, "sigmoid"), sbp.Dense(1, "sigmoid")]
    net = sbp.Network(4, layers, "half_squared_error", reduction="sum", weight_layout="in_out")
    x, y = [[1, 0, 1, 0], [1, 0, 1, 1], [0, 1, 0, 1]], [[1], [1], [0]]
    reached = []
    for seed in range(20):
        uniform = np.random.default_rng(seed).uniform
        drawn = {name: uniform(size=array.shape) for name, array in net.initial_parameters().items()}
        reached.append(net.train(drawn, x, y, learning_rate=0.1, epochs=5000).predictions.ravel())
    claimed = [0.98032096, 0.96845624, 0.04532167]
    assert (np.min(reached, axis=0) < claimed).all()
    assert (claimed < np.max(reached, axis=0)).all()
    assert (np.array([0.96, 0.95, 0.03]) < np.min(reached, axis=0)).all()
    assert (np.max(reached, axis=0) < np.array([0.99, 0.98, 0.065])).all()


# -- article 002, moons ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def moons():
    return network("article-002-moons").train()


def test_moons_through_epoch_6000(moons):
    # The steps are far above the stable ones, so that rounding grows: ways to order the sums differ by 2e-7 at epoch
    # 6000, which is 2e-7 from where the fifth decimal changes.
    np.testing.assert_allclose(mean_errors(moons, 1000)[:7], MOONS[:7], atol=0.5e-5 + 5e-7)


def test_moons_later_is_chance(moons):
    """The last printed error, a leap to ten times the one before, is a matter of the last bits."""
    assert not np.allclose(mean_errors(moons, 1000)[7:], MOONS[7:], atol=1e-4)
    other = network("article-002-moons")
    nudged = {name: np.nextafter(array, 1) for name, array in other.parameters.items()}
    run = other.train(nudged)
    np.testing.assert_allclose(mean_errors(run, 1000)[:6], MOONS[:6], atol=0.6e-5)
    assert np.abs(mean_errors(run, 1000)[7:] - mean_errors(moons, 1000)[7:]).max() > 1e-5


def test_moons_are_told_apart(moons):
    labels = network("article-002-moons").data["y"]
    assert ((moons.predictions > 0.5) == labels).mean() > 0.98


def test_moons_are_those_of_scikit_learn():
    """What make_moons(n_samples=1000, random_state=42, noise=0.1) draws, and how the article scales it."""
    rng = np.random.RandomState(42)
    outer, inner = np.linspace(0, np.pi, 500), np.linspace(0, np.pi, 500)
    x = np.append(np.cos(outer), 1 - np.cos(inner))
    points = np.vstack([x, np.append(np.sin(outer), 1 - np.sin(inner) - 0.5)]).T
    order = np.arange(1000)
    rng.shuffle(order)
    points = points[order] + rng.normal(scale=0.1, size=(1000, 2))
    points = points - points.min()
    points = points / points.max()
    committed = read_columns(FOLDER / "article-002-moons" / "moons.csv").values
    np.testing.assert_allclose(committed[:, :2], points, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(committed[:, 2], (order >= 500).astype(float))


# -- article 001 -------------------------------------------------------------------------------------------------------


def test_the_teacher_of_article_001():
    layers = [sbp.Dense(5, "sigmoid", bias=False), sbp.Dense(2, "sigmoid", bias=False)]
    teacher = sbp.Network(3, layers, "mean_squared_error")
    weights = {name: 3 * array for name, array in teacher.initial_parameters("normal", seed=1).items()}
    x = np.round(np.random.default_rng(2).uniform(-1, 1, (100, 3)), 3)
    committed = read_columns(FOLDER / "article-001-three-layers" / "teacher.csv").values
    np.testing.assert_array_equal(committed[:, :3], x)
    said = teacher.derive().compile().predict(weights, x)
    np.testing.assert_allclose(committed[:, 3:], said, rtol=0, atol=0.5e-4 * (1 + 1e-9))


def test_article_001_learns_what_the_teacher_says():
    run = network("article-001-three-layers").train()
    assert run.losses[0] > 0.1
    assert run.loss < 2.5e-4
    assert (np.diff(run.losses) < 0).all()


# -- the others --------------------------------------------------------------------------------------------------------


def test_article_000_brings_the_output_to_zero():
    run = network("article-000-2-3-1").train()
    assert run.losses[0] > 1
    assert abs(run.predictions[0, 0]) < 1e-6


def test_mazur_ten_thousand_times():
    """With the biases held, as Mazur does, and with biases that learn, which is faster."""
    net = network("mazur-2-2-2")
    held = net.train()
    assert held.losses[0] == pytest.approx(0.298371109, abs=5e-10)
    assert held.loss == pytest.approx(3.510e-05, abs=1e-8)
    assert (held.parameters["b1"] == 0.35).all()
    assert net.train(wrt=("W1", "b1", "W2", "b2")).loss < 0.1 * held.loss


@pytest.mark.parametrize("name", WITH_A_RUN)
def test_the_figure_is_there(name, accept, tmp_path):
    pytest.importorskip("matplotlib")
    committed = FOLDER / name / "training.png"
    if accept:
        printed(str(FOLDER / name / "network.toml"), "--plot", str(committed))
    assert committed.read_bytes().startswith(b"\x89PNG")
