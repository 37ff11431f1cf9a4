"""Where a loss is no longer finite, what was reached before is kept, and what happened is said."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from descents import Descent, any_way, descents, network, running, small
from hypothesis import assume, given, settings
from kernel_runs import WAYS, way_of_running
from training_laws import keeps_what_is_finite

import symbackprop as sbp

LINE = sbp.Network(1, [sbp.Dense(1, bias=False)], "half_squared_error", name="line")


def line(epochs: int, learning_rate: float = 4.0, examples: int = 1, **settings) -> Descent:
    """w' = w - eta w: with one example, x = 1 and y = 0, each step multiplies w with 1 - eta."""
    data = {"x": np.ones((examples, 1)), "y": np.zeros((examples, 1))}
    given = {"learning_rate": learning_rate, "epochs": epochs, **settings}
    return Descent(LINE, {"W1": np.ones((1, 1))}, data, {"x": 0, "y": 0}, given)


@settings(max_examples=25)
@given(descent=descents(12, rates=(0.1, 30.0, 1e4, 1e60, 1e200, 1e300)), way=any_way())
def test_whatever_the_learning_rate_what_is_kept_is_finite(descent: Descent, way: str):
    assume(descent.model.program.output is not None)
    with running(way):
        keeps_what_is_finite(descent)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 10])
def test_the_epoch_is_named(epochs: int, way: str):
    """With eta 1e100 w is -1e100 after one epoch, and its square overflows after the second."""
    with way_of_running(way):
        run = keeps_what_is_finite(line(epochs, learning_rate=1e100), by_hand=1e-12)
    if epochs == 1:
        assert run.stopped is None
        return
    # Also where it was the very last update, which no epoch looks at.
    assert run.stopped == (
        "the loss is inf after 2 epochs; the parameters after 1 epoch are kept; "
        "take a learning rate below 1e+100, or scale the data"
    )
    assert run.epochs == run.steps == 1
    assert run.losses.tolist() == [0.5]
    assert run.parameters["W1"] == -1e100
    assert run.loss == pytest.approx(0.5e200)
    assert run.predictions.tolist() == [[-1e100]]


def test_after_the_first_update_they_are_as_they_were():
    run = keeps_what_is_finite(line(5, learning_rate=1e200), by_hand=1e-12)
    assert run.stopped == (
        "the loss is inf after 1 epoch; nothing has changed; take a learning rate below 1e+200, or scale the data"
    )
    assert (run.epochs, run.steps, run.losses.size, run.loss) == (0, 0, 0, 0.5)


@pytest.mark.parametrize("way", WAYS)
def test_in_the_middle_of_an_epoch_the_whole_epoch_is_given_up(way: str):
    # 1, -1e60, 1e120, -1e180: the loss of the fourth batch overflows, and that of all examples before it does not.
    with way_of_running(way):
        run = keeps_what_is_finite(line(5, learning_rate=1e60, examples=4, batch_size=1))
    assert run.stopped == (
        "the loss of a batch is inf in epoch 1; nothing has changed; "
        "take a learning rate below 1e+60, or scale the data"
    )
    assert (run.epochs, run.steps, run.loss) == (0, 0, 0.5)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("batch_size", [None, 2])
def test_every_end_near_the_edge(batch_size: int | None, way: str):
    """The number of epochs decides which update is the last; what is kept does not depend on it."""
    descent = line(1000, learning_rate=4.0, examples=3, batch_size=batch_size)
    with way_of_running(way):
        most = keeps_what_is_finite(descent).epochs
        for epochs in range(most - 1, most + 3):
            run = keeps_what_is_finite(descent.but(epochs=epochs), by_hand=1e-9)
            assert run.epochs == min(epochs, most)
            assert (run.stopped is None) == (epochs <= most)


@pytest.mark.parametrize("epochs", [30, 95, 1000])
def test_a_sum_that_overflows_where_its_batches_do_not(epochs: int):
    """Each example has a finite loss for a while after all of them together have none."""
    net = sbp.Network(1, [sbp.Dense(1, bias=False)], "half_squared_error", reduction="sum")
    data = {"x": np.ones((3, 1)), "y": np.zeros((3, 1))}
    settings = {"learning_rate": 2.01, "epochs": epochs, "batch_size": 1}
    run = keeps_what_is_finite(Descent(net, {"W1": np.full((1, 1), 1e153)}, data, {"x": 0, "y": 0}, settings), 1e-9)
    # 1.01^3 an epoch: 69 of them from 1e153 to 7.84e153, where the sum of three squares is too much.
    assert run.epochs == min(epochs, 68)


SATURATED = {
    "a sigmoid": ("sigmoid", "upstream", -3e3, 1e308),
    "a tanh": ("tanh", "upstream", -3e3, 1e308),
    "a sigmoid under a cross-entropy": ("sigmoid", "binary_cross_entropy", 1.0, 1.7e308),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("epochs", [1, 2, 3, 10])
@pytest.mark.parametrize("what", SATURATED)
def test_a_saturated_unit_does_not_hide_an_infinite_weight(what: str, epochs: int, way: str):
    """sigmoid(inf) is 1 and its slope 0: the loss stays finite for ever, and so the weight infinite."""
    output, loss, y, rate = SATURATED[what]
    net = sbp.Network(1, [sbp.Dense(1, output)], loss)
    data = {"x": np.ones((1, 1)), "y": np.full((1, 1), y)}
    parameters = {"W1": np.ones((1, 1)), "b1": np.ones(1)}
    with way_of_running(way):
        keeps_what_is_finite(
            Descent(net, parameters, data, {"x": 0, "y": 0}, {"learning_rate": rate, "epochs": epochs})
        )


@pytest.mark.parametrize("epochs", [1, 2, 20])
def test_what_adam_remembers_is_finite_too(epochs: int):
    """The square of a gradient of 1e22 is infinite in float32, and Adam would stand still for ever."""
    one = np.ones((1, 1), np.float32)
    data = {"x": np.float32(1e11) * one, "y": 0 * one}
    settings = {"learning_rate": 0.01, "epochs": epochs, "optimizer": "adam"}
    with way_of_running("arrays"):
        run = keeps_what_is_finite(Descent(LINE, {"W1": one}, data, {"x": 0, "y": 0}, settings))
    assert all(np.isfinite(array).all() for kept in run.remembered.values() for array in kept.values())


def test_a_function_that_overflows_on_its_way_is_no_warning():
    """exp(-z) overflows where z/(1 + exp(-z)) is nearly 0; loss and predictions are finite all the time."""
    swish = sbp.Activation("swish", lambda z: z / (1 + sympy.exp(-z)))
    descent = network(sbp.Network(1, [sbp.Dense(2, swish), sbp.Dense(1)], "half_squared_error"), 3)
    steep = {**descent.parameters, "W1": np.array([[-900.0], [-800.0]])}
    data = {**descent.data, "x": np.array([[1.0], [2.0], [0.5]])}
    # The slopes of the function itself are no numbers there.
    settings = {"learning_rate": 0.1, "epochs": 3, "wrt": ["W2", "b2"]}
    run = keeps_what_is_finite(Descent(descent.model, steep, data, descent.axes, settings))
    assert run.stopped is None


@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_loss_that_is_infinite_from_the_start_is_an_error(dtype: type, batch_size: int | None):
    descent = small(batch_size=batch_size)
    large = {name: np.asarray(array, dtype) for name, array in descent.parameters.items()}
    large["b2"] = np.array([1e30 if dtype is np.float32 else 1e200], dtype)
    with pytest.raises(sbp.UsageError, match="the loss is inf before the first step; give other parameters"):
        descent.train(large)


def test_from_what_was_kept_one_can_go_on():
    descent = line(1000, learning_rate=3.5)
    run = descent.train()
    assert run.stopped is not None
    healed = LINE.train(**descent.data, resume=run, learning_rate=0.5, epochs=1000)
    assert (healed.stopped, healed.epochs) == (None, 1000)
    assert healed.losses[: run.epochs].tobytes() == run.losses.tobytes()
    assert healed.loss < 1e-6
    # With the same rate it stops at once, for the same reason, and keeps what it had.
    again = LINE.train(**descent.data, resume=run, epochs=1000)
    assert again.stopped == run.stopped.replace("nothing has changed", "are kept")
    assert again.losses.tobytes() == run.losses.tobytes()
