"""The witness: one loss in several kinds of numbers, and on which side of its kinks it stands."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from cases import Case, network, one_weight

from symbackprop.forms.evaluate import evaluate_program
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.losses import LOSSES
from symbackprop.verification import adjudicators
from symbackprop.verification.adjudicators import Adjudicators, complex_step, many_digits
from symbackprop.verification.noise import measured_noise
from symbackprop.verification.verdicts import Judgement, Verdict
from symbackprop.verification.witness import Witness

OUTPUTS = {"binary_cross_entropy": "sigmoid", "categorical_cross_entropy": "softmax"}


def small(activation="tanh", loss="half_squared_error", **options) -> Case:
    return network(2, ((3, activation), (2, OUTPUTS.get(loss, "identity"))), loss, seed=7, **options)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_kind_of_number_gives_the_same_loss(activation):
    case = small(activation, l1=0.1)
    loss = case.witness.loss(case.arrays)
    assert loss == pytest.approx(float(evaluate_program(case.program, case.arrays)["L"]), rel=1e-15)
    assert float(case.witness.precise(case.arrays)) == pytest.approx(loss, rel=1e-14)
    assert float(case.witness.digits_loss(case.arrays, 40)) == pytest.approx(loss, rel=1e-14)
    by_complex = case.witness.complex_loss(case.arrays)
    assert by_complex == pytest.approx(loss, rel=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
def test_steps_of_every_kind_give_the_gradient(loss):
    case = small("sigmoid", loss)
    for name, gradient in case.gradients.items():
        for place in (0, gradient.size - 1):
            exact = many_digits(case.witness, case.arrays, name, place)
            assert exact == pytest.approx(gradient.flat[place], rel=1e-12)
            assert complex_step(case.witness, case.arrays, name, place) == pytest.approx(exact, rel=1e-13)


def test_a_complex_step_takes_cases_by_the_real_part():
    for weight, slope in ((-1.0, 0.0), (1.0, 1.0)):
        case = one_weight("relu", weight)
        assert complex_step(case.witness, case.arrays, "W1", 0) == slope


def test_overflow_is_no_answer_and_no_warning():
    # 1 / (1 + exp(800)), as the definition has it, overflows; the stable form does not.
    case = one_weight("sigmoid", -800.0)
    assert case.witness.complex_loss(case.arrays) == case.witness.loss(case.arrays) == 0
    far = one_weight("identity", 1e308, x=1e308)
    assert np.isinf(far.witness.loss(far.arrays))
    assert far.witness.complex_loss(far.arrays) is None


def test_many_digits_see_the_smallest_gradients():
    case = network(1, ((1, "sigmoid"), (1, "identity")), "upstream", batch=1)
    for weight in (-46.0, -300.0, -700.0):
        at = case.at(W1=[[weight]], b1=[0], W2=[[1.5]], b2=[1], x=[[1]], y=[[1]])
        exact = 1.5 * float(mpmath.exp(weight) / (1 + mpmath.exp(weight)) ** 2)
        assert many_digits(at.witness, at.arrays, "W1", 0) == pytest.approx(exact, rel=1e-15)


def test_many_digits_of_nothing_are_nothing():
    case = one_weight("relu", -1.0)
    assert many_digits(case.witness, case.arrays, "W1", 0) == 0


# -- noise -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["sigmoid", "gelu", "relu", "softmax"])
def test_the_noise_covers_what_rounding_does(activation):
    case = network(3, ((4, activation), (2, "identity")), "half_squared_error", seed=3)
    noise = measured_noise(case.witness, case.arrays, tuple(case.gradients))
    rng = np.random.default_rng(0)
    for _ in range(50):
        moved = {**case.arrays, "W1": case.arrays["W1"] + 1e-3 * rng.normal(size=case.arrays["W1"].shape)}
        exact = case.witness.digits_loss(moved, 40)
        assert abs(float(exact - case.witness.loss(moved))) <= 2 * noise
    assert noise <= 1e-14 * case.witness.loss(case.arrays)


def test_the_noise_of_a_loss_that_cancels_is_not_its_last_digit():
    # The output is 1e8 times larger than what is left of it.
    case = network(1, ((1, "identity"),), "half_squared_error", batch=1).at(W1=[[0.1]], b1=[1e8], x=[[0.3]], y=[[1e8]])
    loss = case.witness.loss(case.arrays)
    assert measured_noise(case.witness, case.arrays, ("W1", "b1")) > 1e3 * loss * 2**-53


def test_without_a_wide_long_double_roughness_tells(monkeypatch):
    case = small()
    wide = measured_noise(case.witness, case.arrays, tuple(case.gradients))
    monkeypatch.setattr(Witness, "precise", lambda self, arrays: np.longdouble(self.loss(arrays)))
    narrow = measured_noise(case.witness, case.arrays, tuple(case.gradients))
    assert wide / 30 < narrow < 30 * wide


# -- patterns ----------------------------------------------------------------------------------------------------------


def test_a_pattern_says_on_which_side():
    left, on, right = (one_weight("relu", weight) for weight in (-1.0, 0.0, 1.0))
    found = [case.witness.pattern(case.arrays) for case in (left, on, right)]
    assert [pattern.on for pattern in found] == [False, True, False]
    assert len({pattern.sides for pattern in found}) == 3
    assert [case.witness.distance(case.arrays) for case in (left, on, right)] == [1, 0, 1]


def test_every_border_is_read():
    case = network(2, ((2, "hard_sigmoid"), (2, "identity")), "huber", seed=1, l1=0.1)
    # Two of hard_sigmoid; of huber's slope there are none; two weights' penalties.
    assert [border.point for border in case.witness.borders] == [-3, 3, 0, 0]


def test_without_kinks_there_is_nothing_to_say():
    case = small("tanh")
    assert case.witness.pattern(case.arrays).sides == ()
    assert case.witness.distance(case.arrays) == np.inf


@pytest.mark.parametrize("loss", ["hinge", "mean_absolute_error"])
def test_kinks_inside_a_sum(loss):
    case = small("tanh", loss)
    (border,) = case.witness.borders
    gaps = border.gaps(case.witness._values(case.arrays), case.witness.sizes(case.arrays))
    assert sorted(gaps.shape) == [2, 3]


# -- adjudicators ------------------------------------------------------------------------------------------------------


def adjudicators_of(case: Case, **changes) -> Adjudicators:
    return Adjudicators(changes.get("witness", case.witness), case.arrays, 1e-16, case.program)


def seen(case: Case, verdict: Verdict, estimate: float, bound: float = 1e-12) -> Judgement:
    return Judgement(verdict, float(case.gradients["W1"].flat[0]), estimate, bound, 2 * bound)


def test_a_bound_that_was_too_small_is_no_alarm():
    case = small()
    right = float(case.gradients["W1"].flat[0])
    found = adjudicators_of(case).decide("W1", 0, right, seen(case, Verdict.FAIL, right + 1e-6))
    assert (found.verdict, found.decided_by) == (Verdict.PASS, "complex step")


def test_a_fault_that_is_confirmed_stays_one():
    case = small()
    right = float(case.gradients["W1"].flat[0])
    found = adjudicators_of(case).decide("W1", 0, 1.5 * right, seen(case, Verdict.FAIL, right))
    assert (found.verdict, found.decided_by) == (Verdict.FAIL, "complex step")


def test_a_complex_step_that_lost_its_imaginary_part_is_refused(monkeypatch):
    case = small()
    right = float(case.gradients["W1"].flat[0])
    honest = Witness.complex_loss
    monkeypatch.setattr(Witness, "complex_loss", lambda self, arrays: complex(honest(self, arrays).real, 0.0))
    found = adjudicators_of(case).decide("W1", 0, right, seen(case, Verdict.BLIND, 0.0))
    assert (found.verdict, found.decided_by) == (Verdict.PASS, "many digits")
    assert adjudicators_of(case).decide("W1", 0, 0.0, seen(case, Verdict.BLIND, 0.0)).verdict is Verdict.FAIL


def test_where_nothing_can_decide_what_was_seen_stays(monkeypatch):
    case = small()
    monkeypatch.setattr(adjudicators, "_METHODS", ())
    before = seen(case, Verdict.BLIND, 0.0)
    assert adjudicators_of(case).decide("W1", 0, 1.0, before) is before
