"""Every weight at once: incremental differences, their validation, and what failures cost."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from cases import Case, counted, network, one_weight
from hypothesis import given, settings
from known_programs import recurrent
from random_networks import networks

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.errors import UsageError
from symbackprop.forms import changes
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.functions.differences import Difference
from symbackprop.verification import incremental_checks
from symbackprop.verification.checks import verify_point
from symbackprop.verification.incremental_checks import verify_point_incrementally
from symbackprop.verification.report import array_report
from symbackprop.verification.rounding import rounding
from symbackprop.verification.verdicts import Verdict
from symbackprop.verification.verify import verify
from symbackprop.verification.witness import Witness


def checked(case, gradients=None):
    found = case.gradients if gradients is None else gradients
    return verify_point_incrementally(case.witness, found, case.arrays, adjoint=case.program)


def verdicts(case, gradients=None):
    return [j.verdict for array in checked(case, gradients).judgements.values() for j in array]


def single(case, gradient=None, name="W1"):
    gradients = {name: case.gradients[name] if gradient is None else np.full_like(case.arrays[name], gradient)}
    (judgement,) = checked(case, gradients).judgements[name]
    return judgement


def wide(activation="tanh", **options):
    layers = ((70, activation), (9, activation), (4, "softmax"))
    case = network(12, layers, "categorical_cross_entropy", batch=2, **options)
    # Of moderate size: saturated outputs would leave nothing to compare.
    return case.at(**{name: array / 4 for name, array in case.arrays.items() if name.startswith("W")})


# -- agreement ---------------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(net=networks())
def test_random_networks(net):
    report = net.derive().verify(method="incremental")
    assert report.ok, str(report)
    assert not any("not believed" in note for note in report.notes), str(report)
    ladder = net.derive().verify(method="ladder")
    assert {name: array.weights for name, array in ladder.arrays.items()} == {
        name: array.weights for name, array in report.arrays.items()
    }
    for name, array in report.arrays.items():
        kinks = {index for index, verdict in ladder.arrays[name].verdicts.items() if verdict is Verdict.KINK}
        assert kinks >= {index for index, verdict in array.verdicts.items() if verdict is Verdict.KINK}


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "gelu", "silu", "elu"])
def test_a_wide_network(activation):
    case = wide(activation)
    result = checked(case)
    assert counted([j.verdict for a in result.judgements.values() for j in a]) == {"pass": case_size(case)}
    for name, found in result.judgements.items():
        digits = array_report([found], case.arrays[name].shape).detectable
        assert digits < (1e-3 if activation == "gelu" else 1e-8), name
    (note,) = result.notes
    assert note.startswith("validated at ")


def case_size(case):
    return sum(gradient.size for gradient in case.gradients.values())


def test_in_out_weights_and_penalties():
    case = network(5, ((80, "tanh"), (3, "identity")), "half_squared_error", weight_layout="in_out", l2=0.1, l1=0.01)
    assert set(verdicts(case)) == {Verdict.PASS}
    without = dict(case.gradients)
    without["W1"] = without["W1"] - 0.1 * case.arrays["W1"]
    found = checked(case, without).judgements["W1"]
    assert counted([j.verdict for j in found]) == {"fail": case.arrays["W1"].size}


def test_a_recurrent_program_uses_its_weights_several_times():
    derivation = differentiate(recurrent())

    def gradients(arrays):
        values = evaluate_program(derivation.adjoint_program, arrays)
        return {name: values[adjoint.name] for name, adjoint in derivation.by_variable.items() if name in arrays}

    report = verify(derivation.adjoint_program, gradients, {}, method="incremental")
    assert report.ok, str(report)


# -- what is caught ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
@pytest.mark.parametrize("method", ["ladder", "incremental"])
def test_errors_just_above_and_just_below_what_is_detectable(name, method):
    case = network(3, ((4, "tanh"), (2, "identity")), "half_squared_error", seed=5)
    check = checked if method == "incremental" else lambda case, gradients=None: case.check(gradients)
    right = check(case).judgements[name]
    detectable = array_report([right], case.arrays[name].shape).detectable
    assert detectable < 1e-7
    below = 0
    for place, judgement in enumerate(right):
        for sign in (1, -1):
            above = planted(case, name, place, 1 + sign * 1.05 * detectable)
            assert check(case, above).judgements[name][place].verdict is Verdict.FAIL
            # Of this very weight a little less is within its own tolerance.
            little = 0.9 * (judgement.tolerance - abs(judgement.gradient - judgement.estimate))
            small = planted(case, name, place, 1 + sign * little / abs(judgement.gradient))
            below += check(case, small).judgements[name][place].verdict is Verdict.PASS
    assert below == 2 * len(right)


def planted(case, name, place, factor):
    wrong = case.gradients[name].copy()
    wrong.flat[place] *= factor
    return {**case.gradients, name: wrong}


def test_a_single_wrong_entry_is_found():
    case = wide("sigmoid")
    gradients = {name: gradient.copy() for name, gradient in case.gradients.items()}
    gradients["W1"][17, 3] *= 1 + 1e-6
    result = checked(case, gradients)
    wrong = [
        (name, index)
        for name, found in result.judgements.items()
        for index, verdict in array_report([found], case.arrays[name].shape).verdicts.items()
        if verdict is not Verdict.PASS
    ]
    assert wrong == [("W1", (17, 3))]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_gradients_that_are_not_finite_fail(value):
    case = wide()
    gradients = {name: np.full_like(gradient, value) for name, gradient in case.gradients.items()}
    assert set(verdicts(case, gradients)) == {Verdict.FAIL}


# -- kinks and zeros ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("activation", "weight", "slopes"), [
    ("relu", 0.0, (0, 1)),
    ("leaky_relu", 0.0, (0.01, 1)),
    ("selu", 0.0, (1.7580993408473768, 1.0507009873554805)),
    ("hard_sigmoid", -3.0, (0, 1 / 6)),
    ("hard_sigmoid", 3.0, (1 / 6, 0)),
])  # fmt: skip
def test_every_kinked_activation(activation, weight, slopes):
    found = single(one_weight(activation, weight))
    assert (found.verdict, found.decided_by) == (Verdict.KINK, "incremental differences")
    assert (found.left, found.right) == (pytest.approx(slopes[0], rel=1e-14), pytest.approx(slopes[1], rel=1e-14))


@pytest.mark.parametrize(("gradient", "verdict"), [(6.0, "kink"), (3.0, "kink"), (-0.01, "fail"), (6.01, "fail")])
def test_at_a_kink_what_lies_between_is_accepted(gradient, verdict):
    assert single(one_weight(x=2.0, y=3.0), gradient).verdict.value == verdict


@pytest.mark.parametrize("distance", [1e-3, 1e-9, 1e-12])
@pytest.mark.parametrize("side", [-1, 1])
def test_beside_a_kink_the_slope_of_this_side_is_right(side, distance):
    case = one_weight("relu", side * distance)
    assert single(case).verdict is Verdict.PASS
    assert single(case, 0.0 if side > 0 else 1.0).verdict is Verdict.FAIL


def test_a_tie_of_the_largest_is_a_kink():
    program = sbp.Program(
        parameters={"W": ("K", "D")},
        inputs={"x": ("N", "D")},
        equations=["z[n,k] = Sum(W[k,i]*x[n,i], i)", "L = Sum(Max(z[n,k], k)**2, n)"],
        loss="L",
    )
    tie = {"W": [[0.5, 1.0], [0.5, 2.0], [0.1, 0.3]]}
    report = program.derive().verify(tie, [[1.0, 0.0]], method="incremental")
    assert report.ok
    assert report.arrays["W"].counts[Verdict.KINK] == 2


def test_what_changes_nothing_passes_with_a_gradient_of_zero():
    found = single(one_weight("relu", -2.0))
    assert (found.verdict, found.decided_by) == (Verdict.PASS, "incremental differences")
    assert (found.gradient, found.estimate) == (0, 0)
    assert single(one_weight("relu", -2.0), 1e-200).verdict is Verdict.FAIL


def test_zero_inputs():
    case = wide("relu")
    x = case.arrays["x"].copy()
    x[:, ::2] = 0
    assert set(verdicts(case.at(x=x))) == {Verdict.PASS}


# -- validation --------------------------------------------------------------------------------------------------------


def bent(monkeypatch, by):
    """Every difference off by a relative ``by``."""
    right = changes.difference_of

    def wrong(function):
        found = right(function)
        return (
            None
            if found is None
            else Difference(found.coefficients, lambda t, *rest: (1 + by) * found.change(t, *rest))
        )

    monkeypatch.setattr(changes, "difference_of", wrong)


def test_a_wrong_difference_is_not_believed(monkeypatch):
    case = wide("tanh")
    bent(monkeypatch, 1e-6)
    wrong = {name: gradient for name, gradient in case.gradients.items() if name.endswith("1")}
    wrong = {name: (1 + 1e-6) ** 2 * gradient for name, gradient in wrong.items()}
    # These gradients are what the wrong evaluation says. None passes by it.
    result = checked(case, wrong)
    assert any("not believed" in note for note in result.notes)
    for found in result.judgements.values():
        assert not any(
            j.verdict in (Verdict.PASS, Verdict.KINK) and j.decided_by == "incremental differences" for j in found
        )
    assert {j.verdict for j in result.judgements["b1"]} == {Verdict.FAIL}
    assert Verdict.BLIND in {j.verdict for j in result.judgements["W1"]}


def test_right_gradients_are_not_condemned_by_a_wrong_difference(monkeypatch):
    case = wide("tanh")
    bent(monkeypatch, 1e-6)
    result = checked(case)
    assert any("not believed" in note for note in result.notes)
    found = {j.verdict for array in result.judgements.values() for j in array}
    assert found == {Verdict.PASS, Verdict.BLIND}


def test_the_note_says_how_far_it_was_validated():
    report = (
        sbp.Network(3, [sbp.Dense(4, "tanh"), sbp.Dense(2)], "half_squared_error").derive().verify(method="incremental")
    )
    assert len(report.notes) == len(report.points)
    assert all("validated at " in note and "full forward passes" in note for note in report.notes)
    assert "decided by incremental differences: 26" in str(report)


# -- costs -------------------------------------------------------------------------------------------------------------


def evaluations(monkeypatch, check):
    calls = 0
    right = Witness._compiled

    def counting(self, *arguments):
        nonlocal calls
        calls += 1
        return right(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Witness, "_compiled", counting)
        check()
    return calls


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_failures_cost_no_more_than_passes(monkeypatch, activation):
    case = wide(activation)
    wrong = {name: -gradient + 1 for name, gradient in case.gradients.items()}
    right, failing = (evaluations(monkeypatch, lambda g=g: checked(case, g)) for g in (case.gradients, wrong))
    # A few second opinions for each array, and what confirms that they can be trusted.
    assert failing <= right + 60 * len(case.gradients)


def test_failures_of_the_ladder_cost_no_more_than_passes(monkeypatch):
    case = network(9, ((60, "tanh"), (1, "identity")), "half_squared_error")
    wrong = {"W1": 2 * case.gradients["W1"]}
    right = {"W1": case.gradients["W1"]}

    def check(gradients):
        return verify_point(case.witness, gradients, case.arrays, adjoint=case.program)

    passing, failing = (evaluations(monkeypatch, lambda g=g: check(g)) for g in (right, wrong))
    assert failing <= passing + 300
    assert {j.verdict for j in check(wrong).judgements["W1"]} == {Verdict.FAIL}


def test_opinions_that_change_a_verdict_go_on(monkeypatch):
    monkeypatch.setattr(incremental_checks, "ROUNDING_SAFETY", 1e16)
    # Everything is called rounding, so that differences see nothing: complex steps decide, weight by weight.
    case = network(4, ((6, "tanh"), (1, "identity")), "half_squared_error")
    result = checked(case)
    assert {j.verdict for array in result.judgements.values() for j in array} == {Verdict.PASS}
    assert "complex step" in {j.decided_by for j in result.judgements["W1"]}


# -- the choice --------------------------------------------------------------------------------------------------------


def test_small_networks_have_the_ladder_and_large_ones_do_not():
    small = sbp.Network(2, [sbp.Dense(3, "tanh"), sbp.Dense(1)], "half_squared_error").derive().verify()
    large = sbp.Network(60, [sbp.Dense(90, "tanh"), sbp.Dense(5)], "half_squared_error").derive().verify()
    assert (small.method, large.method) == ("ladder", "incremental")
    assert large.ok
    assert large.weights == 60 * 90 + 90 + 5 * 90 + 5
    assert large.as_dict()["arrays"]["W1"]["decided_by"] == {"incremental differences": 5400}


def test_progress_counts_every_weight():
    seen = []
    net = sbp.Network(3, [sbp.Dense(40, "tanh"), sbp.Dense(2)], "half_squared_error")
    report = net.derive().verify(method="incremental", progress=lambda done, total: seen.append((done, total)))
    total = report.weights * len(report.points)
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)


@pytest.mark.parametrize(("options", "says"), [
    ({"method": "incremental", "eps": 1e-3}, "incremental verification chooses its steps"),
    ({"eps": 1e-3}, "the ladder chooses its steps"),
    ({"method": "ladder", "jobs": 2}, "method 'ladder' runs in this process"),
    ({"jobs": 0}, "jobs"),
    ({"executor": 3}, "give a concurrent.futures.Executor"),
])  # fmt: skip
def test_wrong_options(options, says):
    with pytest.raises(UsageError, match=says):
        sbp.Network(2, [sbp.Dense(1)], "half_squared_error").derive().verify(**options)


def test_without_an_adjoint_program_one_is_derived():
    case = wide()
    result = verify_point_incrementally(case.witness, case.gradients, case.arrays)
    assert {j.verdict for array in result.judgements.values() for j in array} == {Verdict.PASS}
    assert result.evaluations > 0


# -- many inputs, and what is saturated --------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_a_network_of_many_inputs_is_right_by_default(activation):
    layers = [sbp.Dense(30, activation), sbp.Dense(10, "softmax")]
    derived = sbp.Network(784, layers, "categorical_cross_entropy").derive()
    report = derived.verify()
    assert report.ok, str(report)
    assert "of training" in report.points[-1]
    assert report.arrays["W1"].detectable < 1e-6
    compiled = derived.compile()

    def wrong(parameters, x, y):
        loss, gradients = compiled(parameters, x, y)
        return loss, {**gradients, "W1": 1.01 * gradients["W1"]}

    report = derived.verify(gradients=wrong)
    assert not report.ok
    assert report.arrays["W1"].counts[Verdict.FAIL] > 0.5 * report.arrays["W1"].weights


def saturated(activation):
    """Every example is classified right, with nothing left to learn."""
    case = network(40, ((20, activation), (5, "softmax")), "categorical_cross_entropy", weight_layout="out_in")
    case = case.at(W1=2 * case.arrays["W1"], W2=20 * case.arrays["W2"])
    hidden = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh}[activation]
    a = hidden(case.arrays["x"] @ case.arrays["W1"].T + case.arrays["b1"])
    return case.at(y=np.eye(5)[(a @ case.arrays["W2"].T + case.arrays["b2"]).argmax(1)])


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("method", ["ladder", "incremental"])
def test_what_rounding_leaves_nothing_of_is_lost_and_no_more(activation, method):
    case = saturated(activation)
    check = checked if method == "incremental" else Case.check
    right = check(case)
    assert {j.verdict for found in right.judgements.values() for j in found} == {Verdict.PASS}
    if method == "incremental":
        assert any("lost to rounding" in note for note in right.notes)
    largest = max(j.tolerance for j in right.judgements["W1"])
    assert largest < 1e-11
    # The ladder's own tolerances are those of a complex step where that agrees; what it allows besides is a few units.
    for error in (3 * largest, 1e-10) if method == "incremental" else (1e-10,):
        wrong = {**case.gradients, "W1": case.gradients["W1"] + error}
        assert {j.verdict for j in check(case, wrong).judgements["W1"]} == {Verdict.FAIL}


def test_long_sums_round_as_often_as_they_have_terms():
    program = sbp.Program(
        parameters={"w": ("D",)}, inputs={"x": ("D",)}, equations=["z = Sum(w[i]*x[i], i)", "L = z**2"], loss="L"
    ).derive()
    name = program.differentiation.by_variable["w"].name
    relative = []
    for size in (2, 2000):
        arrays = {"w": np.ones(size), "x": np.ones(size)}
        (error,) = rounding(program.program, arrays, None, [name]).values()
        relative.append(error.max() / (2 * size) / 2.0**-53)
    assert relative[0] < 5
    assert 10 < relative[1] < 100


def test_rounding_does_not_depend_on_the_order_of_a_set():
    script = (
        "import numpy as np, symbackprop as sbp\n"
        "from symbackprop.verification.rounding import rounding\n"
        "d = sbp.Network(2, [sbp.Dense(3, 'tanh'), sbp.Dense(1)], 'half_squared_error').derive()\n"
        "a = {'W1': np.ones((3, 2)) / 3, 'b1': np.ones(3), 'W2': np.ones((1, 3)) / 7, 'b2': np.ones(1)}\n"
        "a |= {'x': np.ones((4, 2)) / 3, 'y': np.zeros((4, 1))}\n"
        "g = d.differentiation.by_variable['W1'].name\n"
        "print(rounding(d.program, a, None, [g])[g].tolist())\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
