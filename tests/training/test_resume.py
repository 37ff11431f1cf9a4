"""A run that is gone on with is the run that had not ended, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from descents import PROGRAMS, Descent, any_way, descents, network, program_descent, running, same_bytes, small
from hypothesis import given, settings
from hypothesis import strategies as st
from training_laws import equal, goes_on_as_if_it_had_not_ended, interrupted_at

import symbackprop as sbp

RULES = {"sgd": sbp.SGD(), "momentum": sbp.SGD(0.9), "adam": sbp.Adam(beta1=0.8, epsilon=1e-4)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@settings(max_examples=10)
@given(descent=descents(), way=any_way(), data=st.data())
def test_a_random_run_is_resumed(place: Path, descent: Descent, way: str, data: st.DataObject):
    epochs = descent.settings["epochs"] + 1
    with running(way):
        goes_on_as_if_it_had_not_ended(
            descent.but(epochs=epochs), data.draw(st.integers(1, epochs - 1)), place / "run.npz"
        )


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("batch_size", [None, 2])
def test_every_rule_and_batch_is_resumed(rule: str, batch_size: int | None, tmp_path: Path):
    descent = small(epochs=6, batch_size=batch_size, optimizer=RULES[rule], seed=3)
    goes_on_as_if_it_had_not_ended(descent, 2, tmp_path / "run.npz")


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_are_resumed(name: str, tmp_path: Path):
    descent = program_descent(name, learning_rate=0.01, epochs=4, optimizer=sbp.Adam())
    goes_on_as_if_it_had_not_ended(descent, 3, tmp_path / "run.npz")


def test_float32_is_resumed(tmp_path: Path):
    descent = small(epochs=5, optimizer=sbp.SGD(0.5), batch_size=2)
    single = {name: array.astype(np.float32) for name, array in descent.parameters.items()}
    single_descent = Descent(descent.model, single, descent.data, descent.axes, descent.settings)
    goes_on_as_if_it_had_not_ended(single_descent, 3, tmp_path / "run.npz")


@pytest.mark.parametrize("wrt", [["W1"], ["b2", "W2"]])
@pytest.mark.parametrize("rule", RULES)
def test_what_was_not_trained_is_not_trained_when_it_goes_on(rule: str, wrt: list[str], tmp_path: Path):
    """The run's settings are the defaults, and which parameters it trains is one of them."""
    goes_on_as_if_it_had_not_ended(small(epochs=5, optimizer=RULES[rule], wrt=wrt), 2, tmp_path / "run.npz")


def test_a_run_is_named_in_any_way(tmp_path: Path):
    descent = small(epochs=5, momentum=0.9)
    whole, part = descent.train(), descent.train(epochs=2)
    path = part.save(tmp_path / "run.npz")
    for resume in (path, str(path), sbp.Training.load(path), part):
        equal(descent.model.train(**descent.data, resume=resume, epochs=5), whole)


def test_in_three_parts():
    descent = small(epochs=9, batch_size=2, optimizer=sbp.Adam())
    run = descent.train(epochs=2)
    for epochs in (5, 6, 9):
        run = descent.model.train(**descent.data, resume=run, epochs=epochs)
    equal(run, descent.train())


def test_how_far_a_run_goes_on_where_nobody_says():
    """To where it was going; a run that has come there must be told how far."""
    descent = small(epochs=5, batch_size=2)
    going = descent.model.train(**descent.data, resume=interrupted_at(descent, 8), progress=False)
    equal(going, descent.train())
    assert going.settings.epochs == 5
    with pytest.raises(sbp.UsageError, match="epochs is 5, counted from the start, and the run to resume has done 5"):
        descent.model.train(**descent.data, resume=going, progress=False)


def test_other_settings_are_for_what_is_still_to_do():
    descent = small(epochs=3, optimizer=sbp.SGD(0.5))
    run = descent.train()
    more = descent.model.train(**descent.data, resume=run, epochs=5, learning_rate=0.02)
    assert more.settings.learning_rate == 0.02
    assert more.settings.optimizer == sbp.SGD(0.5)
    assert more.losses[:3].tobytes() == run.losses.tobytes()
    # By hand: the velocity goes on with the new rate.
    function = descent.model.derive().compile()
    weights, velocity = dict(run.parameters), dict(run.remembered["velocity"])
    for _ in range(2):
        _, gradients = function(weights, **descent.data)
        velocity = {name: 0.5 * velocity[name] + gradients[name] for name in weights}
        weights = {name: weights[name] - 0.02 * velocity[name] for name in weights}
    for name, array in weights.items():
        np.testing.assert_allclose(more.parameters[name], array, rtol=1e-13)


def test_the_momentum_of_a_run_is_kept_where_only_the_rule_is_said():
    descent = small(epochs=3, momentum=0.5)
    more = descent.model.train(**descent.data, resume=descent.train(), epochs=5, optimizer="sgd")
    assert more.settings.optimizer == sbp.SGD(0.5)


def test_a_resumed_run_leaves_the_first_one_as_it_was():
    descent = small(epochs=2, momentum=0.9)
    run = descent.train()
    before = {name: array.copy() for name, array in (*run.parameters.items(), *run.remembered["velocity"].items())}
    losses = run.losses.copy()
    more = descent.model.train(**descent.data, resume=run, epochs=4)
    same_bytes({**run.parameters, **run.remembered["velocity"]}, before)
    assert run.losses.tobytes() == losses.tobytes()
    for name, array in more.parameters.items():
        assert not np.shares_memory(array, run.parameters[name])


OTHER = network(sbp.Network(2, [sbp.Dense(3, "tanh"), sbp.Dense(1, bias=False)], "huber", name="other"), 5)
WIDER = network(sbp.Network(2, [sbp.Dense(4, "tanh"), sbp.Dense(1)], "half_squared_error", name="wider"), 5)
REFUSED = {
    "as many epochs": ({"epochs": 3}, "epochs is 3, counted from the start, and the run to resume has done 3; give mo"),
    "fewer epochs": ({"epochs": 2}, "epochs is 2, counted from the start, and the run to resume has done 3; give more"),
    "another rule": (
        {"epochs": 5, "optimizer": "adam"},
        r"made with SGD\(momentum=0.5\), which keeps no mean of W1; go on with the same optimizer, or start anew",
    ),
    "a rate of 0": ({"epochs": 5, "learning_rate": 0}, "learning_rate is 0; give a positive number"),
    "a way to draw beside it": (
        {"epochs": 5, "initialization": "he"},
        "initialization draws parameters, but resume has",
    ),
    "parameters beside it": ({"epochs": 5, "parameters": {"W1": np.ones((3, 2))}}, "parameters and resume are both"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_go_on_is_refused(what: str):
    given, says = REFUSED[what]
    descent = small(epochs=3, momentum=0.5)
    run = descent.train()
    with pytest.raises(sbp.UsageError, match=says):
        descent.model.train(**descent.data, resume=run, **given)


def test_the_run_of_another_network_is_refused():
    run = OTHER.but(epochs=2, learning_rate=0.1).train()
    says = "is of 'other', whose equations are not those of 'small' .*; resume a run of the same network"
    with pytest.raises(sbp.UsageError, match=says):
        small().model.train(**small().data, resume=run, epochs=5)
    # What it has too many, and what has another shape.
    run = small(epochs=2).train()
    with pytest.raises(sbp.UsageError, match="the run to resume is of 'small'"):
        OTHER.model.train(**OTHER.data, resume=run, epochs=5)
    for momentum in (0, 0.5):
        run = WIDER.but(epochs=2, learning_rate=0.1, momentum=momentum).train()
        with pytest.raises(sbp.SizeError, match=r"W1 has shape \(4, 2\), but \(3, 2\) was expected"):
            small().model.train(**small().data, resume=run, epochs=5)


@pytest.mark.parametrize("resume", [5, {"W1": 1}, [], b"run.npz"])
def test_what_is_no_run_is_refused(resume):
    with pytest.raises(sbp.UsageError, match="resume is"):
        small().model.train(**small().data, resume=resume, epochs=5)
