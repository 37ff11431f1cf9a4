"""A loss that is trained as the sum and read as the mean, or the other way round; and how losses are printed."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from by_hand import close
from descents import Descent, network, small
from hypothesis import given
from hypothesis import strategies as st

import symbackprop as sbp
from symbackprop.layers.losses import LOSSES
from symbackprop.training.report import error_lines, error_text, report_scale

OUTPUTS = {"binary_cross_entropy": "sigmoid", "categorical_cross_entropy": "softmax"}
LOSSES_OF_ALL_KINDS: dict[str, Any] = {
    **{name: name for name in LOSSES},
    "own, over examples": sbp.Loss("quartic", lambda a, y: (a - y) ** 4),
    "own, over entries": sbp.Loss("quartic", lambda a, y: (a - y) ** 4, "entries"),
}


def pair(loss: str, **more: Any) -> tuple[Descent, Descent]:
    """The same network with the mean and with the sum, and the same numbers."""
    output = OUTPUTS.get(loss, "identity")
    mean, total = (
        network(
            sbp.Network(
                2, [sbp.Dense(3, "tanh"), sbp.Dense(4, output)], LOSSES_OF_ALL_KINDS[loss], reduction=r, **more
            ),
            examples=5,
        )
        for r in ("mean", "sum")
    )
    return mean, total


def check_scale(loss: str, report_scale: Any = report_scale) -> None:
    """The scale is what lies between the two networks, at the start and all the way."""
    mean, total = pair(loss)
    first = [float(d.model.derive().compile().loss(d.parameters, **d.data)) for d in (mean, total)]
    up, down = (
        report_scale(d.model.description, report, d.data["y"].shape) for d, report in ((mean, "sum"), (total, "mean"))
    )
    assert up == pytest.approx(first[1] / first[0], rel=1e-12)
    assert down == pytest.approx(first[0] / first[1], rel=1e-12)
    # A rate that is so much smaller makes the same steps; then the losses agree all the way.
    rate = 0.002
    run_mean = mean.train(learning_rate=rate * first[1] / first[0], epochs=10)
    run_sum = total.train(learning_rate=rate, epochs=10)
    for name, array in run_mean.parameters.items():
        close(run_sum.parameters[name], array, 1e-10, name)
    close(run_sum.losses * down, run_mean.losses, 1e-10)
    close(run_mean.losses * up, run_sum.losses, 1e-10)
    close(run_mean.loss * up, run_sum.loss, 1e-10)
    for descent, report in ((mean, "mean"), (total, "sum"), (mean, None), (total, None)):
        assert report_scale(descent.model.description, report, descent.data["y"].shape) == 1


@pytest.mark.parametrize("loss", LOSSES_OF_ALL_KINDS)
def test_the_scale_is_between_the_mean_and_the_sum(loss: str):
    check_scale(loss)


SCALES: dict[str, Any] = {
    "upside down": lambda network, report, shape: 1 / report_scale(network, report, shape),
    "always of entries": lambda network, report, shape: 1.0 if report in (None, network.reduction)
    else (20.0 if report == "sum" else 1 / 20),
    "of outputs and not of examples": lambda network, report, shape: report_scale(network, report, shape[::-1]),
    "none": lambda network, report, shape: 1.0,
}  # fmt: skip


@pytest.mark.parametrize("fault", SCALES)
def test_a_wrong_scale_is_noticed(fault: str):
    with pytest.raises(AssertionError):
        check_scale("half_squared_error", SCALES[fault])


@pytest.mark.parametrize("penalty", [{"l1": 0.1}, {"l2": 0.1}])
def test_penalties_belong_to_neither(penalty: dict[str, float]):
    mean, total = pair("huber", **penalty)
    for descent, report, is_now in ((mean, "sum", "mean"), (total, "mean", "sum")):
        with pytest.raises(
            sbp.UsageError, match=f"report is '{report}', but the loss of network is a {is_now} and pen"
        ):
            report_scale(descent.model.description, report, (5, 4))
        for same in (None, is_now):
            assert report_scale(descent.model.description, same, (5, 4)) == 1


def test_a_program_says_itself_what_it_averages():
    for report in ("mean", "sum"):
        with pytest.raises(sbp.UsageError, match=f"report is '{report}', but the loss of a program says itself"):
            report_scale(None, report, (5, 4))
    assert report_scale(None, None, (5, 4)) == 1
    with pytest.raises(sbp.UsageError, match=r"unknown report 'avg'; known are mean, sum"):
        report_scale(small().model.description, "avg", (5, 1))


# -- lines -------------------------------------------------------------------------------------------------------------

RUN = small(epochs=1).train()


def run_of(losses: list[float], loss: float, epochs: int | None = None) -> sbp.Training:
    """A run with these losses, of as many epochs as were wanted."""
    settings = dataclasses.replace(RUN.settings, epochs=epochs or max(len(losses), 1))
    return dataclasses.replace(RUN, losses=np.array(losses), loss=loss, settings=settings)


def test_lines_as_the_articles_have_them():
    losses = [0.11553441] * 1000
    losses[100] = 0.110824
    lines = list(error_lines(run_of(losses, 0.0119)))
    assert lines[:2] == ["Error at epoch 0 is 0.11553", "Error at epoch 100 is 0.11082"]
    assert [line.split()[3] for line in lines[:-1]] == [str(epoch) for epoch in range(0, 1000, 100)]
    assert lines[-1] == "Error after 1000 epochs is 0.01190"


@pytest.mark.parametrize(("epochs", "every", "at"), [
    (1, None, [0]),
    (9, None, list(range(9))),
    (10, None, list(range(10))),
    (25, None, list(range(0, 25, 2))),
    (10, 1, list(range(10))),
    (10, 3, [0, 3, 6, 9]),
    (10, 10, [0]),
    (10, 99, [0]),
])  # fmt: skip
def test_which_epochs_have_a_line(epochs: int, every: int | None, at: list[int]):
    lines = list(error_lines(run_of([float(k) for k in range(1, epochs + 1)], 0.5), every=every))
    # losses[k], the loss before epoch k, stands in the line of epoch k.
    assert lines[:-1] == [f"Error at epoch {k} is {k + 1:.5f}" for k in at]
    assert lines[-1] == f"Error after {epochs} epoch{'s' * (epochs > 1)} is 0.50000"


def test_lines_of_a_run_that_stopped():
    assert list(error_lines(run_of([1.0, 2.0, 4.0], 8.0, epochs=20))) == [
        "Error at epoch 0 is 1.00000",
        "Error at epoch 1 is 2.00000",
        "Error at epoch 2 is 4.00000",
        "Error after 3 epochs is 8.00000",
    ]
    assert list(error_lines(run_of([], 8.0, epochs=20))) == ["Error after 0 epochs is 8.00000"]


def test_lines_are_scaled():
    assert list(error_lines(run_of([2.0, 1.0], 0.5), scale=0.25)) == [
        "Error at epoch 0 is 0.50000",
        "Error at epoch 1 is 0.25000",
        "Error after 2 epochs is 0.12500",
    ]


def test_a_loss_that_the_scale_makes_infinite_is_no_warning():
    lines = list(error_lines(run_of([1e10, 1e308], 1e308), scale=100.0))
    assert lines[1:] == ["Error at epoch 1 is inf", "Error after 2 epochs is inf"]


@pytest.mark.parametrize(("value", "text"), [
    (0.11082, "0.11082"),
    (0.0, "0.00000"),
    (1.0, "1.00000"),
    (123456.789, "123456.78900"),
    (0.001, "0.00100"),
    (0.00099, "0.00099000"),
    (3.5108e-05, "3.5108e-05"),
    (1.23456789e-12, "1.2346e-12"),
    (5e-324, "4.9407e-324"),
    (9999999.0, "9999999.00000"),
    (1e7, "1.0000e+07"),
    (1.7e308, "1.7000e+308"),
    (-0.5, "-0.50000"),
    (-3.5108e-05, "-3.5108e-05"),
    (math.inf, "inf"),
    (math.nan, "nan"),
])  # fmt: skip
def test_losses_as_text(value: float, text: str):
    assert error_text(value) == text


@given(st.floats(-1e308, 1e308))
def test_a_text_says_what_the_loss_is(value: float):
    text = error_text(value)
    assert len(text) <= 14
    moderate = 1e-3 <= abs(value) < 1e7
    assert abs(float(text) - value) <= (5.01e-6 if moderate else 5.01e-5 * abs(value))
    # Never fewer than three digits that count, so that a falling loss is seen to fall.
    assert value == 0 or abs(float(text) / value - 1) < 6e-3
