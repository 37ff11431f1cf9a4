"""The computation is in the floating type of the parameters; integers, truth values and labels convert."""

from __future__ import annotations

import numpy as np
import pytest
from by_hand import close
from descents import PROGRAMS, Descent, network, program_descent, small
from kernel_runs import WAYS, way_of_running
from training_laws import equal

import symbackprop as sbp

RULES = {"sgd": sbp.SGD(), "momentum": sbp.SGD(0.9), "adam": sbp.Adam()}


def of_type(descent: Descent, dtype: type, data: type | None = None) -> Descent:
    """The same with parameters of ``dtype``, and real data of ``data``."""
    changed = {name: np.asarray(array, dtype) for name, array in descent.parameters.items()}
    kept = {
        name: array if array.dtype == np.int64 else np.asarray(array, data or dtype)
        for name, array in descent.data.items()
    }
    return Descent(descent.model, changed, kept, descent.axes, descent.settings)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize(("rule", "data"), [("sgd", np.float32), ("momentum", np.float64), ("adam", np.float32)])
def test_float32_stays_and_is_near_float64(rule: str, data: type, batch_size: int | None, way: str):
    """Whatever the type of the data."""
    descent = small(epochs=20, batch_size=batch_size, optimizer=RULES[rule])
    with way_of_running(way):
        run, double = of_type(descent, np.float32, data).train(), descent.train()
    arrays = [*run.parameters.values(), *(a for kept in run.remembered.values() for a in kept.values())]
    assert {array.dtype for array in (*arrays, run.predictions)} == {np.dtype(np.float32)}
    assert run.losses.dtype == np.float64
    assert isinstance(run.loss, float)
    for name, array in double.parameters.items():
        close(run.parameters[name], array, 2e-5, name)
        # A computation in float64 that is rounded at its end would be much nearer.
        assert (run.parameters[name] != array.astype(np.float32)).any() or array.size == 1
    close(run.losses, double.losses, 2e-5)
    close(run.predictions, double.predictions, 1e-4)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_in_float32(name: str):
    descent = program_descent(name, learning_rate=0.02, epochs=5, optimizer=sbp.Adam())
    run, double = of_type(descent, np.float32).train(), descent.train()
    for parameter, array in double.parameters.items():
        assert run.parameters[parameter].dtype == np.float32
        close(run.parameters[parameter], array, 2e-5, parameter)


def test_one_parameter_in_float64_makes_all_so():
    descent = small(epochs=3)
    mixed = {**of_type(descent, np.float32).parameters, "b2": descent.parameters["b2"]}
    run = descent.train(mixed)
    widened = {name: np.asarray(array, np.float64) for name, array in mixed.items()}
    equal(run, descent.train(widened))


def test_integers_and_truth_values_convert():
    net = sbp.Network(2, [sbp.Dense(2, "tanh"), sbp.Dense(1, "sigmoid")], "binary_cross_entropy")
    parameters = {"W1": [[1, 0], [-1, 2]], "b1": [0, 1], "W2": [[True, False]], "b2": [0]}
    x, y = np.array([[0, 1], [2, 3], [1, 1]], np.int8), np.array([[True], [False], [True]])
    real = {name: np.asarray(array, float) for name, array in parameters.items()}
    for batch_size in (None, 2):
        run = net.train(parameters, x, y, epochs=4, batch_size=batch_size)
        equal(run, net.train(real, x.astype(float), y.astype(float), epochs=4, batch_size=batch_size))
        assert run.parameters["W1"].dtype == np.float64


@pytest.mark.parametrize("labels", [[0, 2, 1, 2, 0], np.array([0, 2, 1, 2, 0], np.uint8), [0.0, 2.0, 1.0, 2.0, 0.0]])
@pytest.mark.parametrize(("loss", "output", "batch_size"), [
    ("categorical_cross_entropy", "softmax", None),
    ("categorical_cross_entropy_with_logits", "identity", 2),
])  # fmt: skip
def test_integer_labels_are_one_hot_rows(loss: str, output: str, batch_size: int | None, labels):
    descent = network(sbp.Network(2, [sbp.Dense(3, output)], loss), 5, epochs=3, batch_size=batch_size)
    x, rows = descent.data["x"], np.eye(3)[[0, 2, 1, 2, 0]]
    run = descent.model.train(descent.parameters, x, labels, **descent.settings)
    equal(run, descent.model.train(descent.parameters, x, rows, **descent.settings))
    # And without parameters, where the data say what is to be drawn.
    equal(*(descent.model.train(x=x, y=y, epochs=2, progress=False) for y in (labels, rows)))


def test_labels_that_are_wrong_are_named():
    net = sbp.Network(2, [sbp.Dense(3, "softmax")], "categorical_cross_entropy")
    with pytest.raises(sbp.UsageError, match=r"y\[1\] is the label 3, but labels run from 0 to 2"):
        net.train(x=np.ones((2, 2)), y=[0, 3])
