"""f(z + t) - f(z) without cancellation: every form against mpmath, and wrong ones that must be noticed."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy

from symbackprop.functions.differences import ELEMENTARY_DIFFERENCES, _compiled, difference_of
from symbackprop.functions.elementary import ELEMENTARY
from symbackprop.functions.library import FUNCTIONS
from symbackprop.notation.expressions import occurrence
from symbackprop.notation.interpreter import arbitrary_precision, evaluate_expression

EVERY = {**FUNCTIONS, **{function.__name__: function for function in ELEMENTARY}}
# No addition theorem: the error function, what is made of it, and a slope that only a second derivative needs.
WITHOUT = {"erf", "normal_cdf", "gelu", "gelu_tanh_slope"}
POSITIVE = {"log"}
DIGITS = 60


def points(name):
    """Arguments and steps: kinks and what lies beside them, large and small, steps down to 1e-300."""
    rng = np.random.default_rng(len(name))
    z = np.concatenate([
        [-3.0, -1.0, 0.0, 1.0, 3.0, 1e-17, -1e-17, 1e-8, -1e-8, 30.0, -30.0, np.nextafter(1, 2), np.nextafter(-1, 0)],
        rng.normal(size=40) * 2,
        rng.normal(size=20) * 10,
        10.0 ** rng.uniform(-12, 1, 20) * rng.choice([-1, 1], 20),
    ])  # fmt: skip
    if name in POSITIVE:
        z = np.abs(z) + (z == 0)
    steps = [0.5, 0.1, 1e-3, 1e-8, 2.0**-40, 1e-14, 2.0**-60, 1e-30, 1e-100, 1e-280]
    t = np.array([sign * step for step in steps for sign in (1, -1)])
    z, t = (grid.ravel() for grid in np.meshgrid(z, t))
    if name in POSITIVE:
        keep = z + t > z / 2
        z, t = z[keep], t[keep]
    return z, t


def exactly(function, z, t):
    """f(z + t) - f(z) of the definition, in digits enough for any t."""
    digits = (400 if "gelu" in function.__name__ else DIGITS) + int(max(0, -np.log10(abs(t))))
    with mpmath.workdps(digits):
        z, t = mpmath.mpf(float(z)), mpmath.mpf(float(t))
        return value_at(function, z + t) - value_at(function, z)


def value_at(function, number):
    arrays = {"z": np.array(number, dtype=object)}
    return evaluate_expression(function(occurrence("z")), arrays, {}, arbitrary_precision())


def wrong(function, form, name):
    """Where ``form`` is farther from the exact change than rounding z, or the result, explains."""
    z, t = points(name)
    with np.errstate(all="ignore"):
        value = function.record.numpy(z) if name in FUNCTIONS else ELEMENTARY[function].numpy(z)
        found = form.change(t, *form.coefficients(z, value))
    bad = []
    for place in range(0, len(z), 3):
        exact = exactly(function, z[place], t[place])
        near = exactly(function, z[place] * (1 + 2.0**-50), t[place])
        allowed = 60 * 2.0**-53 * abs(exact) + 40 * abs(near - exact) + mpmath.mpf(2) ** -1060
        if not abs(mpmath.mpf(float(found[place])) - exact) <= allowed:
            bad.append((z[place], t[place], found[place], float(exact)))
    return bad


def test_which_functions_have_a_difference():
    assert {name for name, function in EVERY.items() if difference_of(function) is None} == WITHOUT


@pytest.mark.parametrize("name", sorted(set(EVERY) - WITHOUT))
def test_differences_keep_their_digits(name):
    assert wrong(EVERY[name], difference_of(EVERY[name]), name) == []


@pytest.mark.parametrize(("name", "form"), [
    ("sigmoid", lambda z, a, t: a * (1 - a) * t),
    ("tanh", lambda z, a, t: sympy.tanh(z + t) - a),
    ("exp", lambda z, a, t: a * t),
    ("relu", lambda z, a, t: t * a / z),
    ("softplus", lambda z, a, t: 1.0000001 * FUNCTIONS["softplus"].record.difference(z, a, t)),
    ("cos", lambda z, a, t: 2 * sympy.sin(t / 2) * sympy.sin(z + t / 2)),
])  # fmt: skip
def test_a_wrong_difference_is_noticed(name, form):
    z, a, t = sympy.symbols("z a t", real=True)
    assert wrong(EVERY[name], _compiled(form(z, a, t)), name)


def test_what_does_not_move_is_computed_once():
    form = difference_of(sympy.tanh)
    z = np.linspace(-1, 1, 5)
    coefficients = form.coefficients(z, np.tanh(z))
    assert all(coefficient.shape == z.shape for coefficient in coefficients)
    steps = np.array([[1e-3], [1e-9]])
    np.testing.assert_allclose(form.change(steps, *coefficients)[0], np.tanh(z + 1e-3) - np.tanh(z), rtol=1e-12)


def test_every_form_is_a_row():
    assert set(ELEMENTARY_DIFFERENCES) <= set(ELEMENTARY)
