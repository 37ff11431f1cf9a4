"""Update rules in symbols: three steps of each, unrolled, are what the textbooks say; and their settings."""

from __future__ import annotations

import math
from collections.abc import Mapping

import mpmath
import pytest
import sympy

import symbackprop as sbp
from symbackprop.optimizers import GRADIENT, OPTIMIZERS, WEIGHT, Optimizer, after, optimizer_named

ETA, MU, BETA1, BETA2, EPSILON = sympy.symbols("eta mu beta_1 beta_2 epsilon", positive=True)
START = sympy.Symbol("w0", real=True)
GRADIENTS = sympy.symbols("g1:4", real=True)
STEPS = len(GRADIENTS)


def unrolled(optimizer: Optimizer, numbers: list[Mapping[str, sympy.Expr]]) -> list[sympy.Expr]:
    """The weight after each step, where what is remembered begins at zero."""
    known = dict.fromkeys(optimizer.remembered, sympy.S.Zero) | {WEIGHT: START}
    weights = []
    for gradient, of_step in zip(GRADIENTS, numbers, strict=True):
        values = {**known, GRADIENT: gradient}
        values |= {symbol: of_step[symbol.name] for symbol in optimizer.mentioned}
        for array, update in optimizer.updates:
            values[after(array)] = known[array] = update.xreplace(values)
        weights.append(known[WEIGHT])
    return weights


def same(found: list[sympy.Expr], expected: list[sympy.Expr]) -> None:
    assert [sympy.simplify(a - b) for a, b in zip(found, expected, strict=True)] == [0] * STEPS


def check_gradient_descent() -> None:
    found = unrolled(sbp.SGD(), [{"rate": ETA}] * STEPS)
    same(found, [START - ETA * sympy.Add(*GRADIENTS[:t]) for t in range(1, STEPS + 1)])


def check_momentum() -> None:
    """In closed form: each gradient goes on to act with mu, mu^2, ..."""
    found = unrolled(sbp.SGD(momentum=0.5), [{"rate": ETA, "momentum": MU}] * STEPS)
    velocities = [sum(MU ** (t - s) * GRADIENTS[s] for s in range(t + 1)) for t in range(STEPS)]
    same(found, [START - ETA * sympy.Add(*velocities[: t + 1]) for t in range(STEPS)])


def check_adam() -> None:
    """By the sums that the paper's section 3 has for the means, and the order of algorithm 1."""
    numbers = [
        {
            "rate": ETA / (1 - BETA1**t),
            "bias": sympy.sqrt(1 - BETA2**t),
            "beta1": BETA1,
            "rest1": 1 - BETA1,
            "beta2": BETA2,
            "rest2": 1 - BETA2,
            "epsilon": EPSILON,
        }
        for t in range(1, STEPS + 1)
    ]
    found = unrolled(sbp.Adam(), numbers)
    weight, expected = START, []
    for t in range(1, STEPS + 1):
        m = (1 - BETA1) * sum(BETA1 ** (t - s) * GRADIENTS[s - 1] for s in range(1, t + 1))
        v = (1 - BETA2) * sum(BETA2 ** (t - s) * GRADIENTS[s - 1] ** 2 for s in range(1, t + 1))
        weight -= ETA * (m / (1 - BETA1**t)) / (sympy.sqrt(v / (1 - BETA2**t)) + EPSILON)
        expected.append(weight)
    # Rational numbers for every symbol; radicals are left as they are, so that the difference is exactly zero.
    primes = iter(sympy.primerange(2, 100))
    point = {symbol: sympy.Rational(next(primes), 101) for symbol in (START, *GRADIENTS, ETA, BETA1, BETA2, EPSILON)}
    for mine, theirs in zip(found, expected, strict=True):
        assert sympy.simplify((mine - theirs).subs(point)) == 0
    # And where the gradients are all alike the corrections cancel: every step is the first one.
    same_gradient = dict.fromkeys(GRADIENTS[1:], GRADIENTS[0])
    step = ETA * GRADIENTS[0] / (sympy.Abs(GRADIENTS[0]) + EPSILON)
    for t, mine in enumerate(found, 1):
        assert sympy.simplify((START - t * step - mine).subs(same_gradient)) == 0


@pytest.mark.parametrize("check", [check_gradient_descent, check_momentum, check_adam])
def test_three_steps_are_the_textbooks(check):
    check()


def test_the_first_step_of_adam_is_as_long_as_the_rate():
    (weight, *_) = unrolled(
        sbp.Adam(),
        [{**{name: sympy.Rational(1, 2) for name in ("beta1", "rest1", "beta2", "rest2")}, "epsilon": sympy.S.Zero,
          "rate": 2 * ETA, "bias": sympy.sqrt(sympy.Rational(1, 2))}] * STEPS,
    )  # fmt: skip
    assert sympy.simplify(weight - START + ETA * GRADIENTS[0] / sympy.Abs(GRADIENTS[0])) == 0


def _nesterov(self):
    velocity, rate, momentum = (sympy.Symbol(name, real=True) for name in ("velocity", "rate", "momentum"))
    return (
        (velocity, momentum * velocity + GRADIENT),
        (WEIGHT, WEIGHT - rate * (GRADIENT + momentum * after(velocity))),
    )


def _damped(self):
    updates = dict(_right_momentum(self))
    velocity, momentum = sympy.Symbol("velocity", real=True), sympy.Symbol("momentum", real=True)
    return ((velocity, momentum * velocity + (1 - momentum) * GRADIENT), (WEIGHT, updates[WEIGHT]))


def _late(self):
    velocity = sympy.Symbol("velocity", real=True)
    return tuple((array, value.xreplace({after(velocity): velocity})) for array, value in _right_momentum(self))


def _right_momentum(self):
    return _RIGHT[sbp.SGD](self)


def _epsilon_in_the_root(self):
    square, bias, epsilon, mean, rate = (
        sympy.Symbol(name, real=True) for name in ("square", "bias", "epsilon", "mean", "rate")
    )
    step = rate * after(mean) / sympy.sqrt(after(square) / bias**2 + epsilon)
    return (*_RIGHT[sbp.Adam](self)[:2], (WEIGHT, WEIGHT - step))


def _epsilon_before_the_correction(self):
    square, bias, epsilon, mean, rate = (
        sympy.Symbol(name, real=True) for name in ("square", "bias", "epsilon", "mean", "rate")
    )
    step = rate * after(mean) * bias / (sympy.sqrt(after(square)) + epsilon)
    return (*_RIGHT[sbp.Adam](self)[:2], (WEIGHT, WEIGHT - step))


_RIGHT = {kind: kind.updates.fget for kind in (sbp.SGD, sbp.Adam)}
FAULTS = {
    "uphill": (sbp.SGD, lambda self: ((WEIGHT, WEIGHT + sympy.Symbol("rate", real=True) * GRADIENT),)),
    "Nesterov": (sbp.SGD, _nesterov),
    "damped": (sbp.SGD, _damped),
    "one step late": (sbp.SGD, _late),
    "epsilon in the root": (sbp.Adam, _epsilon_in_the_root),
    "epsilon before the correction": (sbp.Adam, _epsilon_before_the_correction),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_rule_is_seen(fault, monkeypatch):
    kind, updates = FAULTS[fault]
    check = check_adam if kind is sbp.Adam else check_gradient_descent if fault == "uphill" else check_momentum
    monkeypatch.setattr(kind, "updates", property(updates))
    with pytest.raises(AssertionError):
        check()


@pytest.mark.parametrize("step", [1, 2, 10, 1000, 10**6])
@pytest.mark.parametrize("optimizer", [sbp.Adam(), sbp.Adam(0.5, 0.25, 1e-3), sbp.Adam(0.0, 0.0)])
def test_the_corrections_are_those_of_the_step(optimizer, step):
    numbers = optimizer.numbers(0.01, step)
    with mpmath.workdps(40):
        rate = mpmath.mpf(0.01) / (1 - mpmath.mpf(optimizer.beta1) ** step)
        bias = mpmath.sqrt(1 - mpmath.mpf(optimizer.beta2) ** step)
    # What is left of 16 digits after 1 - 0.999.
    assert math.isclose(numbers["rate"], rate, rel_tol=1e-12)
    assert math.isclose(numbers["bias"], bias, rel_tol=1e-12)
    assert numbers["beta1"] + numbers["rest1"] == pytest.approx(1, abs=1e-16)
    assert numbers["beta2"] + numbers["rest2"] == pytest.approx(1, abs=1e-16)
    assert (numbers["beta1"], numbers["beta2"]) == (optimizer.beta1, optimizer.beta2)
    assert numbers["epsilon"] == optimizer.epsilon
    assert numbers.keys() == {symbol.name for symbol in optimizer.mentioned}


def test_what_is_remembered_and_what_changes():
    names = {str(o): [array.name for array in o.remembered] for o in (sbp.SGD(), sbp.SGD(0.9), sbp.Adam())}
    assert list(names.values()) == [[], ["velocity"], ["mean", "square"]]
    assert (sbp.SGD().steady, sbp.SGD(0.9).steady, sbp.Adam().steady) == (True, True, False)
    assert sbp.SGD(0.9).numbers(0.1, 1) == sbp.SGD(0.9).numbers(0.1, 7) == {"rate": 0.1, "momentum": 0.9}
    # Without momentum nothing is kept that would always be the gradient.
    assert [symbol.name for symbol in sbp.SGD(0).mentioned] == ["rate"]


@pytest.mark.parametrize("optimizer", [sbp.SGD(), sbp.SGD(0.25), sbp.Adam(), sbp.Adam(0.5, 0.75, 0.01)])
def test_settings_make_it_again(optimizer):
    assert optimizer_named(**optimizer.settings()) == optimizer
    assert OPTIMIZERS[optimizer.name] is type(optimizer)


WRONG = {
    "momentum of 1": (lambda: sbp.SGD(1), "momentum is 1; give a number from 0 to below 1"),
    "negative momentum": (lambda: sbp.SGD(-0.1), "momentum is -0.1; give"),
    "momentum that is true": (lambda: sbp.SGD(True), "momentum is True; give"),
    "momentum in words": (lambda: sbp.SGD("0.9"), "momentum is '0.9'; give"),
    "momentum that is no number": (lambda: sbp.SGD(math.nan), "momentum is nan; give"),
    "beta1 of 1": (lambda: sbp.Adam(beta1=1.0), r"beta1 is 1\.0; give a number from 0 to below 1"),
    "beta2 of 2": (lambda: sbp.Adam(beta2=2), "beta2 is 2; give"),
    "epsilon of 0": (lambda: sbp.Adam(epsilon=0), "epsilon is 0; give a small positive number, such as 1e-8"),
    "infinite epsilon": (lambda: sbp.Adam(epsilon=math.inf), "epsilon is inf; give a small positive number"),
    "no such rule": (lambda: optimizer_named("adm"), "unknown optimizer 'adm'; did you mean 'adam'?"),
    "no such setting": (lambda: optimizer_named("adam", beta=0.9), "adam has no beta; did you mean 'beta"),
    "a setting of another": (lambda: optimizer_named("adam", momentum=0.9), "adam has no momentum; known are beta1"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_is_named(what):
    make, says = WRONG[what]
    with pytest.raises(sbp.UsageError, match=says.replace("?", r"\?")):
        make()
