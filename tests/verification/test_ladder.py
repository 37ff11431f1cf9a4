"""The ladder on functions whose derivatives are known: its bound encloses the derivative."""

from __future__ import annotations

import math

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbackprop.verification.ladder import STEPS, UNIT, Estimate, central, first_step, forward, ladder

# name: a cost in float64, and the same in mpmath's numbers
SMOOTH = {
    "exp": (math.exp, mpmath.exp),
    "sin": (math.sin, mpmath.sin),
    "wave": (lambda w: math.sin(30 * w), lambda w: mpmath.sin(30 * w)),
    "tanh": (math.tanh, mpmath.tanh),
    "cube": (lambda w: w**3, lambda w: w**3),
    "steep": (lambda w: math.tanh(20 * w), lambda w: mpmath.tanh(20 * w)),
    "tiny": (lambda w: 1 + 1e-9 * math.sin(w), lambda w: 1 + mpmath.mpf(1e-9) * mpmath.sin(w)),
    "bump": (lambda w: 1 / (1 + 25 * w * w), lambda w: 1 / (1 + 25 * w * w)),
    "square root": (lambda w: math.sqrt(w * w + 1e-4), lambda w: mpmath.sqrt(w * w + mpmath.mpf(1e-4))),
}
WEIGHTS = st.floats(-4, 4, allow_subnormal=False)


def noise_near(function, w: float) -> float:
    """A bound on the rounding error of a few elementary operations near ``w``."""
    return 8 * UNIT * max(1.0, *(abs(function(w + h)) for h in (-0.5, 0.0, 0.5)))


def derivative(exact, w: float) -> float:
    with mpmath.workdps(50):
        step = mpmath.mpf(10) ** -20
        return float((exact(mpmath.mpf(w) + step) - exact(mpmath.mpf(w) - step)) / (2 * step))


@pytest.mark.parametrize("name", SMOOTH)
@given(w=WEIGHTS)
def test_the_bound_encloses_the_derivative(name, w):
    function, exact = SMOOTH[name]
    found = ladder(function, w, noise_near(function, w))
    true = derivative(exact, w)
    # The safety factor of 2 that every verdict allows.
    assert abs(found.value - true) <= 2 * found.bound + 4 * UNIT * abs(true)
    assert not found.jumps
    assert 9 <= found.evaluations <= 1 + 2 * STEPS


@pytest.mark.parametrize("name", ["exp", "sin", "tanh", "cube"])
@given(w=st.floats(-2, 2))
def test_the_bound_is_small_for_smooth_functions(name, w):
    function, exact = SMOOTH[name]
    found = ladder(function, w, noise_near(function, w))
    assert found.bound <= 1e-9 * max(abs(derivative(exact, w)), 0.1)


@pytest.mark.parametrize("name", SMOOTH)
@given(w=WEIGHTS)
def test_the_sides_enclose_the_derivative(name, w):
    function, exact = SMOOTH[name]
    found = ladder(function, w, noise_near(function, w))
    true = derivative(exact, w)
    assert abs(found.left - true) <= 2 * found.left_bound + 4 * UNIT * abs(true)
    assert abs(found.right - true) <= 2 * found.right_bound + 4 * UNIT * abs(true)


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize(("scheme", "eps"), [(forward, 1e-6), (central, 1e-5), (forward, 1e-3), (central, 1e-3)])
@given(w=WEIGHTS)
def test_the_plain_schemes_enclose_the_derivative(name, scheme, eps, w):
    function, exact = SMOOTH[name]
    found = scheme(function, w, noise_near(function, w), eps)
    true = derivative(exact, w)
    assert abs(found.value - true) <= 2 * found.bound + 4 * UNIT * abs(true)
    assert found.evaluations == 5


@given(w=st.floats(-3, 3), slopes=st.tuples(st.floats(-2, 2), st.floats(-2, 2)))
def test_a_kink_has_a_left_and_a_right_derivative(w, slopes):
    left, right = slopes

    def cost(v):
        return (right if v > w else left) * (v - w) + math.sin(v)

    found = ladder(cost, w, 8 * UNIT)
    assert abs(found.left - (left + math.cos(w))) <= 2 * found.left_bound + 1e-15
    assert abs(found.right - (right + math.cos(w))) <= 2 * found.right_bound + 1e-15
    assert found.jumps or abs(left - right) < 1e-3


def test_steps_that_cross_a_kink_can_be_left_out():
    def cost(w):
        return math.sin(w) + 1e-3 * max(w - 1e-7, 0)

    assert abs(ladder(cost, 0.0, 1e-17).value - 1) > 1e-5
    found = ladder(cost, 0.0, 1e-17, start=11)
    assert abs(found.value - 1) <= 2 * found.bound < 1e-6


def test_a_cost_that_is_not_finite_everywhere_still_has_a_derivative():
    def cost(w):
        return math.log(w) if w > 0 else math.nan

    found = ladder(cost, 0.01, 1e-16)
    assert abs(found.value - 100) <= 2 * found.bound < 1e-4


def test_a_cost_that_is_never_finite_has_no_bound():
    found = ladder(lambda w: math.nan, 1.0, 1e-16)
    assert math.isinf(found.bound)
    assert math.isnan(found.value)
    assert not found.jumps


def test_a_step_that_vanishes_beside_the_weight_has_no_bound():
    for scheme in (forward, central):
        assert math.isinf(scheme(math.sin, 1e20, 1e-16, 1e-6).bound)


@given(w=st.floats(-1e12, 1e12, allow_subnormal=False))
def test_the_first_step_is_a_power_of_two_of_the_size_of_the_weight(w):
    step = first_step(w)
    assert math.frexp(step)[0] == 0.5
    assert max(1.0, abs(w)) / 8 <= step <= max(1.0, abs(w)) / 4


def test_it_stops_early_where_there_is_nothing_left_to_gain():
    assert ladder(lambda w: 3 * w, 0.5, 1e-17).evaluations == 9


def test_no_jump_without_bounds():
    assert not Estimate(0.0, 1.0, -1.0, math.inf, 1.0, 0.0, 5).jumps
