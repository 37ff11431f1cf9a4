"""Training is a plain loop over compiled gradients with the textbook's update, whatever the network and the batches."""

from __future__ import annotations

import numpy as np
import pytest
from by_hand import descend_by_hand
from descents import PROGRAMS, Descent, any_way, descents, network, program_descent, running, same_bytes, small
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kernel_runs import way_of_running
from random_programs import cases
from training_laws import equals_descent_by_hand, reports_every_epoch

import symbackprop as sbp
from symbackprop.errors import NoRuleError

RULES = {"sgd": sbp.SGD(), "momentum": sbp.SGD(0.9), "adam": sbp.Adam()}


@settings(max_examples=30)
@given(descent=descents(), way=any_way())
def test_a_random_descent_is_that_by_hand(descent: Descent, way: str):
    with running(way):
        equals_descent_by_hand(descent)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("name", ["small", *PROGRAMS])
def test_every_program_under_every_rule(name: str, batch_size: int | None, rule: str):
    descent = small() if name == "small" else program_descent(name, learning_rate=0.02, epochs=3)
    if batch_size and not descent.axes:
        with pytest.raises(sbp.UsageError, match="does not say which size counts examples"):
            descent.but(batch_size=batch_size).train()
        return
    equals_descent_by_hand(descent.but(optimizer=RULES[rule], batch_size=batch_size, seed=5))


@settings(max_examples=10)
@given(case=cases("general"), rule=st.sampled_from(sorted(RULES)), way=any_way())
def test_a_random_program_is_descended_as_by_hand(case, rule: str, way: str):
    program = case.program
    kinds = {variable.name: np.int64 if variable.integer else np.float64 for variable in program.inputs}
    arrays = {name: np.asarray(value, dtype=object).astype(kinds[name]) for name, value in case.values.items()}
    parameters = {variable.name: arrays.pop(variable.name) for variable in program.parameters}
    descent = Descent(
        sbp.Program._of(program), parameters, arrays, {}, {"learning_rate": 1e-3, "epochs": 3, "optimizer": RULES[rule]}
    )
    assume(descent.model.derive().gradients)
    try:
        with running(way), np.errstate(all="ignore"):
            expected = descend_by_hand(descent)
    except NoRuleError:
        assume(False)
    assume(all(np.isfinite(array).all() for array in (*expected.gradients.values(), expected.loss)))
    with running(way):
        equals_descent_by_hand(descent, 1e-9)


PLAIN = {
    "a regression": sbp.Network(2, [sbp.Dense(3, "sigmoid"), sbp.Dense(2)], "half_squared_error"),
    "two classes": sbp.Network(3, [sbp.Dense(4, "tanh"), sbp.Dense(1, "sigmoid")], "binary_cross_entropy"),
    "three classes": sbp.Network(2, [sbp.Dense(3, "relu"), sbp.Dense(3, "softmax")], "categorical_cross_entropy"),
}


@pytest.mark.parametrize("batch_size", [None, 1, 2])
@pytest.mark.parametrize("what", PLAIN)
def test_plain_descent_is_that_by_hand_bit_for_bit(what: str, batch_size: int | None):
    """w - eta g is rounded as in NumPy where statements on single numbers leave no order of summation to choose."""
    descent = network(PLAIN[what], 5, learning_rate=0.1, epochs=20, batch_size=batch_size, seed=2)
    with way_of_running("numbers"):
        run, expected = descent.train(), descend_by_hand(descent)
    same_bytes(run.parameters, expected.parameters)
    assert run.losses.tolist() == expected.losses
    assert run.loss == expected.loss


def test_losses_are_of_all_examples_before_each_epoch():
    """Not of the batches, not after the updates, and one for each epoch."""
    descent = small(batch_size=2, epochs=3)
    function = descent.model.derive().compile()
    parameters = dict(descent.parameters)
    for epoch in range(3):
        run = descent.train(epochs=epoch + 1)
        assert run.losses.shape == (epoch + 1,)
        assert run.losses[epoch] == function.loss(parameters, **descent.data)
        parameters = dict(run.parameters)
        assert run.loss == function.loss(parameters, **descent.data)


def test_without_settings_it_is_plain_descent_from_drawn_parameters():
    descent = small()
    run = sbp.Network(2, [sbp.Dense(3, "tanh"), sbp.Dense(1)], "half_squared_error").train(**descent.data, epochs=7)
    drawn = descent.model.initial_parameters(seed=0)
    expected = descend_by_hand(Descent(descent.model, drawn, descent.data, {}, {"learning_rate": 0.01, "epochs": 7}))
    same_bytes(run.parameters, expected.parameters)
    assert (run.settings.learning_rate, run.settings.batch_size, run.settings.seed) == (0.01, None, 0)
    assert run.settings.optimizer == sbp.SGD()
    assert sbp.Network(1, [sbp.Dense(1)], "huber").train(x=[[1]], y=[[2]]).epochs == 1000


@pytest.mark.parametrize(("named", "rule"), [
    ({"optimizer": "sgd"}, sbp.SGD()),
    ({"momentum": 0.9}, sbp.SGD(0.9)),
    ({"optimizer": "sgd", "momentum": 0.9}, sbp.SGD(0.9)),
    ({"optimizer": "sgd", "momentum": 0}, sbp.SGD()),
    ({"optimizer": "adam"}, sbp.Adam()),
    ({"optimizer": "adam", "momentum": 0}, sbp.Adam()),
])  # fmt: skip
def test_rules_by_name(named, rule):
    run = small().train(**named)
    assert run.settings.optimizer == rule
    same_bytes(run.parameters, small(optimizer=rule).train().parameters)


@settings(max_examples=10)
@given(descent=descents())
def test_progress_is_told(descent: Descent):
    reports_every_epoch(descent)
