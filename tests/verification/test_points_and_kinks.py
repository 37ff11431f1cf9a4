"""Single weights whose derivative is known: kinks, dead units, saturation, gradients that are not finite."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from cases import counted, network, one_weight

from symbackprop.verification.judgements import judgements
from symbackprop.verification.ladder import UNIT, Estimate
from symbackprop.verification.verdicts import Verdict, allowing, between, by_differences, by_value, jumping, lost
from symbackprop.verification.witness import Witness

EPS = {"ladder": 0.0, "central": 1e-5, "forward": 1e-6}
METHODS = list(EPS)


def judged(case, gradient=None, name="W1", method="ladder"):
    """The judgement of the one weight called ``name``, whose gradient may be given."""
    gradients = {name: case.gradients[name]} if gradient is None else {name: np.full_like(case.arrays[name], gradient)}
    (judgement,) = case.judgements(gradients, method=method, eps=EPS[method])
    return judgement


# -- kinks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_an_exact_kink_is_a_kink_with_left_and_right(method):
    found = judged(one_weight("relu", weight=0.0, x=2.0, y=3.0), method=method)
    assert found.verdict is Verdict.KINK
    assert found.left == pytest.approx(0, abs=1e-9)
    assert found.right == pytest.approx(6, rel=1e-9)
    assert found.gradient == 0
    assert found.error == 0
    assert found.digits is None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("gradient", [6.0, 3.0, 1e-3])
def test_at_a_kink_anything_between_left_and_right_is_accepted(gradient, method):
    assert judged(one_weight(x=2.0, y=3.0), gradient, method=method).verdict is Verdict.KINK


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("gradient", [-0.01, 6.01, -6.0, math.nan, math.inf])
def test_at_a_kink_anything_else_fails(gradient, method):
    found = judged(one_weight(x=2.0, y=3.0), gradient, method=method)
    assert found.verdict is Verdict.FAIL
    assert found.error != 0


@pytest.mark.parametrize(("activation", "weight", "slopes"), [
    ("relu", 0.0, (0, 1)),
    ("leaky_relu", 0.0, (0.01, 1)),
    ("selu", 0.0, (1.7580993408473768, 1.0507009873554805)),
    ("hard_sigmoid", -3.0, (0, 1 / 6)),
    ("hard_sigmoid", 3.0, (1 / 6, 0)),
])  # fmt: skip
def test_every_kinked_activation(activation, weight, slopes):
    found = judged(one_weight(activation, weight))
    assert found.verdict is Verdict.KINK
    assert (found.left, found.right) == (pytest.approx(slopes[0], abs=1e-9), pytest.approx(slopes[1], abs=1e-9))


def test_elu_has_no_kink():
    assert judged(one_weight("elu", 0.0)).verdict is Verdict.PASS


@pytest.mark.parametrize("distance", [1e-3, 1e-6, 1e-7, 1e-9, 1e-12])
@pytest.mark.parametrize("side", [-1, 1])
def test_beside_a_kink_the_slope_of_this_side_is_right(side, distance):
    case = one_weight("relu", side * distance)
    assert judged(case).verdict in ((Verdict.PASS, Verdict.KINK) if distance < 1e-8 else (Verdict.PASS,))


@pytest.mark.parametrize("distance", [1e-3, 1e-6, 1e-7])
def test_beside_a_kink_the_slope_of_the_other_side_fails(distance):
    assert judged(one_weight("relu", distance), 0.0).verdict is Verdict.FAIL
    assert judged(one_weight("relu", -distance), 1.0).verdict is Verdict.FAIL


def test_a_kink_among_many_examples():
    case = network(1, ((1, "relu"),), "half_squared_error", batch=4)
    case = case.at(W1=[[1.0]], b1=[0.0], x=[[0.5], [0.0], [-1.0], [2.0]], y=[[0.1], [1.0], [0.0], [-1.0]])
    # Only the second example is on the kink: it moves with the bias and not with the weight, as its input is 0.
    assert judged(case).verdict is Verdict.PASS
    found = judged(case, name="b1")
    assert found.verdict is Verdict.KINK
    assert found.left - found.right == pytest.approx(1 / 4, rel=1e-6)


def test_a_penalty_on_absolute_values_has_a_kink_at_zero():
    case = network(2, ((1, "identity"),), "half_squared_error", l1=0.5).at(W1=[[0.0, 1.0]])
    at_zero, elsewhere = case.judgements({"W1": case.gradients["W1"]})
    assert (at_zero.verdict, elsewhere.verdict) == (Verdict.KINK, Verdict.PASS)
    assert at_zero.right - at_zero.left == pytest.approx(1.0, rel=1e-9)


def test_absolute_error_at_its_kink():
    case = network(1, ((1, "identity"),), "mean_absolute_error", batch=1).at(W1=[[1.0]], b1=[0], x=[[1]], y=[[1]])
    found = judged(case)
    assert (found.verdict, found.gradient) == (Verdict.KINK, 0)
    assert (found.left, found.right) == (pytest.approx(-1), pytest.approx(1))


# -- gradients that differences cannot see -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_a_dead_unit_passes(method):
    found = judged(one_weight("relu", -2.0), method=method)
    assert found.verdict is Verdict.PASS
    assert found.decided_by == "complex step"
    assert (found.gradient, found.estimate) == (0, 0)


def test_a_dead_unit_with_a_gradient_fails():
    assert judged(one_weight("relu", -2.0), 1e-30).verdict is Verdict.FAIL


def test_a_dead_unit_passes_without_a_complex_step(monkeypatch):
    monkeypatch.setattr(Witness, "complex_loss", lambda self, arrays: None)
    case = network(1, ((1, "relu"), (1, "gelu")), "upstream", batch=1)
    case = case.at(W1=[[-2.0]], b1=[0], W2=[[1.5]], b2=[0.3], x=[[1]], y=[[1]])
    found = judged(case)
    assert (found.verdict, found.decided_by) == (Verdict.PASS, "many digits")


def saturated(activation, weight):
    """A unit far out on its left, in front of an output that is not small."""
    case = network(1, ((1, activation), (1, "identity")), "upstream", batch=1)
    return case.at(W1=[[weight]], b1=[-0.5], W2=[[1.5]], b2=[1], x=[[1]], y=[[1]])


@pytest.mark.parametrize("activation", ["sigmoid", "softplus", "silu", "gelu"])
def test_a_saturated_unit_is_decided_to_nearly_all_digits(activation):
    case = saturated(activation, -8.0 if activation == "gelu" else -46.0)
    found = judged(case)
    assert 0 < abs(found.gradient) < 1e-14
    assert found.verdict is Verdict.PASS
    assert found.decided_by == "complex step"
    assert found.digits > 12
    for factor in (-1, 2, 1.001, 0, 1 + 1e-6):
        assert judged(case, factor * found.gradient).verdict is Verdict.FAIL


@pytest.mark.parametrize("activation", ["elu", "selu"])
def test_a_unit_whose_slope_is_taken_from_its_output_may_lose_all_digits(activation):
    # a + 1 with a = -1 + 1e-20: what is left is rounding, and says so.
    found = judged(saturated(activation, -46.0))
    assert found.verdict is Verdict.PASS
    assert not found.digits
    assert judged(saturated(activation, -46.0), 1e-14).verdict is Verdict.FAIL


def test_a_slope_that_rounding_has_made_zero_is_no_fault():
    # a = 1 to the last digit, so that a (1 - a) is 0, where the derivative is 1e-20.
    found = judged(one_weight("sigmoid", 46.0))
    assert (found.gradient, found.verdict) == (0, Verdict.PASS)
    assert 0 < found.estimate < 1e-19


def test_an_error_that_cancels_is_no_fault():
    # p - y with p and y equal to 1 but for rounding.
    case = network(1, ((1, "sigmoid"),), "binary_cross_entropy", batch=1)
    for weight in (30.0, 36.0, 37.0, 40.0, 46.0):
        case = case.at(W1=[[weight]], b1=[0.3], x=[[1]], y=[[1]])
        assert judged(case).verdict is Verdict.PASS


def test_a_loss_that_is_nearly_zero():
    case = network(2, ((3, "tanh"), (1, "identity")), "half_squared_error", seed=3)
    values = case.witness._values(case.arrays)
    for shift in (0.0, 1e-12, 1e-6):
        near = case.at(y=np.array(values["z2"]) + shift)
        assert Verdict.FAIL not in near.verdicts()


def test_blind_where_nothing_can_see(monkeypatch):
    # Without complex numbers, and too large for the interpreter, so that there is no step in many digits either.
    monkeypatch.setattr(Witness, "complex_loss", lambda self, arrays: None)
    case = network(200, ((60, "gelu"), (1, "identity")), "half_squared_error", batch=2)
    case = case.at(b1=-1e3 * np.ones(60))
    assert counted(case.verdicts({"b1": case.gradients["b1"]})) == {"blind": 60}


# -- the rules alone ---------------------------------------------------------------------------------------------------


def estimate(value, bound, left=None, right=None, side=1e-12):
    left, right = value if left is None else left, value if right is None else right
    return Estimate(value, bound, left, side, right, side, 9)


@pytest.mark.parametrize(("gradient", "value", "bound", "verdict"), [
    (1.0, 1.0, 1e-12, Verdict.PASS),
    (1.0, 1.0 + 1.9e-12, 1e-12, Verdict.PASS),
    (1.0, 1.0 + 2.1e-12, 1e-12, Verdict.FAIL),
    (math.nan, 1.0, 1e-12, Verdict.FAIL),
    (math.nan, 1.0, math.inf, Verdict.FAIL),
    (math.inf, 1.0, 1e-12, Verdict.FAIL),
    (-math.inf, math.nan, math.inf, Verdict.FAIL),
    (math.nan, math.nan, math.nan, Verdict.FAIL),
    (1.0, math.nan, 1e-12, Verdict.FAIL),
    (1.0, math.nan, math.inf, Verdict.BLIND),
    (1.0, math.nan, math.nan, Verdict.FAIL),
    (1e-13, 0.0, 1e-12, Verdict.BLIND),
    (0.0, 0.0, 1e-12, Verdict.BLIND),
    (0.0, 0.0, 0.0, Verdict.BLIND),
    (1e-11, 0.0, 1e-12, Verdict.FAIL),
])  # fmt: skip
def test_the_rule_of_differences(gradient, value, bound, verdict):
    assert by_differences(gradient, estimate(value, bound)).verdict is verdict


@pytest.mark.parametrize(("gradient", "verdict"), [
    (0.0, Verdict.KINK), (1.0, Verdict.KINK), (0.5, Verdict.KINK), (1.1, Verdict.FAIL), (-0.1, Verdict.FAIL),
    (math.nan, Verdict.FAIL), (math.inf, Verdict.FAIL),
])  # fmt: skip
def test_the_rule_at_a_kink(gradient, verdict):
    assert between(gradient, estimate(0.5, 1e-12, 0.0, 1.0)).verdict is verdict
    assert between(gradient, estimate(0.5, 1e-12, 1.0, 0.0)).verdict is verdict


@pytest.mark.parametrize(("gradient", "value", "rounding", "verdict"), [
    (0.0, 0.0, 0.0, Verdict.PASS),
    (1e-30, 0.0, 0.0, Verdict.FAIL),
    (1e-30, 1e-30 * (1 + 50 * UNIT), 0.0, Verdict.PASS),
    (1e-30, 1e-30 * (1 + 80 * UNIT), 0.0, Verdict.FAIL),
    (0.0, 1e-20, 1e-20, Verdict.PASS),
    (0.0, 1e-20, 0.9e-20, Verdict.FAIL),
    (math.nan, 0.0, 0.0, Verdict.FAIL),
    (math.nan, math.nan, math.inf, Verdict.FAIL),
    (1.0, math.nan, 0.0, Verdict.FAIL),
])  # fmt: skip
def test_the_rule_of_a_known_value(gradient, value, rounding, verdict):
    assert allowing(by_value(gradient, value, "complex step"), rounding).verdict is verdict


@pytest.mark.parametrize("gradient", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("weight", [-2.0, 0.0, 0.5])
def test_what_is_not_finite_never_passes(gradient, method, weight):
    assert judged(one_weight("relu", weight), gradient, method=method).verdict is Verdict.FAIL


# -- what is no evidence -----------------------------------------------------------------------------------------------


def test_a_bound_that_is_a_large_part_of_the_derivative_shows_nothing():
    vague = Estimate(624.9, 480.0, 0.0, math.inf, 0.0, math.inf, 19)
    assert by_differences(0.0, vague).verdict is Verdict.BLIND
    assert by_differences(600.0, vague).verdict is Verdict.BLIND
    assert by_differences(-600.0, vague).verdict is Verdict.FAIL
    assert by_differences(620.0, replace(vague, bound=6.0)).verdict is Verdict.PASS


def test_what_is_lost_to_rounding_passes_and_what_is_not_does_not():
    failed = by_value(1e-17, -2e-17, "complex step")
    assert failed.verdict is Verdict.FAIL
    assert lost(failed, 1e-16).verdict is Verdict.PASS
    # Rounding that is a small part of the gradient, is not known, or is none.
    for rounding in (1e-19, math.inf, math.nan, 0.0):
        assert lost(failed, rounding) == failed
    assert lost(by_value(1e-15, -2e-17, "complex step"), 1e-16).verdict is Verdict.FAIL
    assert lost(by_value(math.nan, -2e-17, "complex step"), 1e-16).verdict is Verdict.FAIL


def test_where_the_function_jumps_any_finite_number_will_do():
    assert jumping(3.0, "differences").verdict is Verdict.KINK
    assert jumping(3.0, "differences").error == 0
    assert jumping(math.inf, "differences").verdict is Verdict.FAIL
    assert judgements([jumping(3.0, "differences")]).error.tolist() == [0.0]
