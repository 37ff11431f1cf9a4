"""Kinks that differences cannot see, and points that are nearly kinks."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.verification.verdicts import Verdict


def weighted_relu():
    return sbp.Program(["L = relu(w)*x + c"], "L", inputs={"x": (), "c": ()}, parameters={"w": ()}).derive()


@pytest.mark.parametrize("slope", [1e-9, 1e-10, 1.0])
def test_a_kink_is_one_however_small_its_jump(slope):
    report = weighted_relu().verify({"w": 0.0}, slope, c=1e6)
    assert report.ok
    assert report.arrays["w"].verdicts == {(): Verdict.KINK}
    assert report.worst[0].judgement.left == 0
    assert report.worst[0].judgement.right == pytest.approx(slope, rel=1e-12)
    inside = weighted_relu().verify({"w": 0.0}, slope, c=1e6, gradients={"w": np.array(0.5 * slope)})
    assert inside.arrays["w"].counts[Verdict.KINK] == 1
    for wrong in (-slope, 2 * slope):
        assert not weighted_relu().verify({"w": 0.0}, slope, c=1e6, gradients={"w": np.array(wrong)}).ok


@pytest.mark.parametrize("method", ["ladder", "forward", "central"])
@pytest.mark.parametrize("distance", [1e-9, 1e-8, 1e-7, -1e-9])
def test_beside_a_kink_there_is_a_derivative(distance, method):
    right = 1.0 if distance > 0 else 0.0
    derivation = weighted_relu()
    report = derivation.verify({"w": distance}, 1.0, c=0.0, method=method)
    assert report.arrays["w"].verdicts == {(): Verdict.PASS}
    for wrong in (0.5, 1 - right):
        found = derivation.verify({"w": distance}, 1.0, c=0.0, method=method, gradients={"w": np.array(wrong)})
        assert found.arrays["w"].verdicts == {(): Verdict.FAIL}


def test_where_the_loss_leaves_the_real_numbers_nothing_is_believed():
    derivation = sbp.Program(["L = sqrt(w)*x"], "L", inputs={"x": ()}, parameters={"w": ()}).derive()
    assert not derivation.verify({"w": 0.0}, 1.0, gradients={"w": np.array(1.0)}).ok


def test_every_weight_has_its_verdict():
    net = sbp.Network(2, [sbp.Dense(3, "tanh"), sbp.Dense(1)], "half_squared_error")
    function = net.derive().compile()

    def wrong(parameters, x, y):
        loss, gradients = function(parameters, x, y)
        gradients["W1"][2, 1] *= 1.01
        return loss, gradients

    verdicts = net.derive().verify(gradients=wrong).arrays["W1"].verdicts
    assert {index for index, verdict in verdicts.items() if verdict is Verdict.FAIL} == {(2, 1)}
    assert len(verdicts) == 6
