"""The whole verification: points, reports, random networks, wrong input."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from functools import lru_cache

import numpy as np
import pytest
from cases import network, one_weight, targets
from known_programs import KNOWN

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.errors import SizeError, UsageError
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.dense import Dense
from symbackprop.layers.losses import LOSSES
from symbackprop.network import describe, network_program
from symbackprop.specification.equations import parse_program
from symbackprop.verification.points import Drawing
from symbackprop.verification.report import ArrayReport, Entry, Report, array_report
from symbackprop.verification.verdicts import Judgement, Verdict
from symbackprop.verification.verify import gradient_function, verify

OUTPUTS = {
    "binary_cross_entropy": "sigmoid",
    "categorical_cross_entropy": "softmax",
    "binary_cross_entropy_with_logits": "identity",
    "categorical_cross_entropy_with_logits": "identity",
}


@lru_cache
def derived(program):
    """A program with its gradients, and the function that evaluates them."""
    derivation = differentiate(program)
    names = {name: a.name for name, a in derivation.by_variable.items() if name in derivation.wrt}

    def gradients(arrays):
        values = evaluate_program(derivation.adjoint_program, arrays)
        return {name: values[adjoint] for name, adjoint in names.items()}

    return derivation.adjoint_program, gradients


@lru_cache
def perceptron(inputs="D", units=("H", "K"), loss="half_squared_error", activation="tanh", output="identity", **more):
    layers = [Dense(unit, activation) for unit in units[:-1]] + [Dense(units[-1], output)]
    return derived(network_program(describe(inputs, layers, loss, **more)))


def checked(given=None, *, loss="half_squared_error", drawing=None, options=None, **network_options) -> Report:
    program, gradients = perceptron(loss=loss, **network_options)
    return verify(program, gradients, given or {}, drawing or Drawing(loss=loss), **(options or {}))


def complete(batch=3, d=2, h=3, k=2, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"W1": (h, d), "b1": (h,), "W2": (k, h), "b2": (k,), "x": (batch, d), "y": (batch, k)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


# -- random networks ---------------------------------------------------------------------------------------------------


def settings():
    losses, activations = itertools.cycle(LOSSES), list(ACTIVATIONS)
    mixed = itertools.cycle(itertools.product(["mean", "sum"], ["out_in", "in_out"], [True, False], [0.0, 0.03]))
    for hidden in activations * 2:
        loss = next(losses)
        yield pytest.param(loss, hidden, OUTPUTS.get(loss, "tanh"), *next(mixed), id=f"{loss}-{hidden}")


@pytest.mark.parametrize(("loss", "hidden", "output", "reduction", "layout", "bias", "penalty"), list(settings()))
def test_right_gradients_are_right(loss, hidden, output, reduction, layout, bias, penalty):
    layers = [Dense(2, hidden, bias), Dense(3, output, bias)]
    described = describe(2, layers, loss, reduction, layout, l1=penalty, l2=2 * penalty)
    program, gradients = derived(network_program(described))
    report = verify(program, gradients, {}, Drawing(loss, layout, seed=len(hidden)))
    assert report.ok, str(report)
    assert len(report.points) >= 2


# -- points ------------------------------------------------------------------------------------------------------------


def test_what_is_given_is_the_one_point():
    report = checked(complete())
    assert report.ok
    assert report.points == ("as given",)
    assert {name: array.weights for name, array in report.arrays.items()} == {"W1": 6, "b1": 3, "W2": 6, "b2": 2}


def test_what_is_missing_is_drawn_at_several_points():
    report = checked(drawing=Drawing("half_squared_error", seed=3))
    one, several, trained = report.points
    assert one == "drawn from seed 3, a batch of 1"
    # D, H and K are 2, 3 and 4, so that 5 is the first number that is none of them.
    assert several == "drawn from seed 3, a batch of 5"
    assert "of training" in trained
    assert report.arrays["W1"].weights == 6
    assert report.arrays["W2"].weights == 12


def test_training_ends_before_the_gradients_vanish():
    """784 inputs, and a rate that would take a small network nowhere far."""
    derived = sbp.Network(784, [sbp.Dense(30, "relu"), sbp.Dense(10, "softmax")], "categorical_cross_entropy").derive()
    compiled, seen = derived.compile(), []

    def gradients(parameters, x, y):
        loss, found = compiled(parameters, x, y)
        seen.append((float(loss), float(np.abs(found["W1"]).max())))
        return found

    derived.verify(gradients=gradients)
    (first, _), (last, largest) = seen[1], seen[-1]
    assert 1e-3 * first <= last < first
    assert largest > 1e-6


def test_given_sizes_are_kept():
    report = checked(drawing=Drawing("half_squared_error", sizes={"D": 1, "H": 2, "K": 3, "N": 4}))
    assert report.points[0] == "drawn from seed 0, a batch of 4"
    assert report.arrays["W1"].weights == 2
    assert report.arrays["W2"].weights == 6


def test_given_data_fix_the_batch():
    data = {name: complete(batch=7)[name] for name in ("x", "y")}
    report = checked(data, drawing=Drawing("half_squared_error", sizes={"H": 2}))
    assert report.points[0] == "drawn from seed 0, a batch of 7"
    assert len(report.points) == 2


def test_given_parameters_are_used():
    parameters = {name: array for name, array in complete().items() if name not in "xy"}
    seen = []
    program, gradients = perceptron()

    def watched(arrays):
        seen.append(arrays["W1"])
        return gradients(arrays)

    verify(program, watched, parameters, Drawing("half_squared_error"))
    np.testing.assert_array_equal(seen[0], parameters["W1"])


@pytest.mark.parametrize("loss", ["half_squared_error", "hinge", "categorical_cross_entropy", "binary_cross_entropy"])
def test_drawn_points_are_the_same_every_time_and_away_from_kinks(loss):
    program, gradients = perceptron(loss=loss, activation="relu", output=OUTPUTS.get(loss, "identity"))
    seen = []

    def watched(arrays):
        seen.append({name: array.copy() for name, array in arrays.items()})
        return gradients(arrays)

    reports = [verify(program, watched, {}, Drawing(loss, seed=1)) for _ in range(2)]
    assert reports[0].as_dict()["arrays"] == reports[1].as_dict()["arrays"]
    assert sum(array.counts[Verdict.KINK] for array in reports[0].arrays.values()) == 0
    first, again = seen[: len(seen) // 2], seen[len(seen) // 2 :]
    for left, right in zip(first, again, strict=True):
        assert all((left[name] == right[name]).all() for name in left)
    # No bias is 0, which would hide what is done to biases.
    assert all(first[0][name].all() for name in ("b1", "b2"))


def test_weights_that_are_all_zero_are_not_drawn():
    report = checked(drawing=Drawing("half_squared_error", initialization="zeros"), activation="relu")
    assert report.ok
    assert sum(array.counts[Verdict.KINK] for array in report.arrays.values()) == 0


@pytest.mark.parametrize("name", [name for name in KNOWN if name != "convolution"])
def test_known_programs(name):
    program, gradients = derived(KNOWN[name].build())
    report = verify(program, gradients, {})
    assert report.ok, str(report)
    assert report.notes == ()


def test_sizes_that_no_shape_tells():
    known = KNOWN["convolution"]
    derivation = differentiate(known.build())

    def gradients(arrays):
        values = evaluate_program(derivation.adjoint_program, arrays, known.sizes)
        return {name: values[derivation.by_variable[name].name] for name in derivation.wrt}

    report = verify(derivation.adjoint_program, gradients, {}, Drawing(sizes=known.sizes))
    assert report.ok
    with pytest.raises(SizeError, match="size T has no positive number; give it in sizes"):
        verify(derivation.adjoint_program, gradients, {})


def test_a_maximum_and_its_ties():
    program = parse_program(
        inputs={"x": ("N", "D")},
        targets={},
        parameters={"W": ("K", "D")},
        equations=["z[n,k] = Sum(W[k,i]*x[n,i], i)", "m[n] = Max(z[n,k], k)", "L = Sum(m[n]**2, n)/N"],
        loss="L",
        integers={},
        shapes={},
        output=None,
        batch="N",
        name="maximum",
    )
    full, gradients = derived(program)
    assert verify(full, gradients, {}).ok
    tie = {"x": [[1.0, 0.0]], "W": [[0.5, 1.0], [0.5, 2.0], [0.1, 0.3]]}
    report = verify(full, gradients, tie)
    assert report.ok
    assert report.arrays["W"].counts[Verdict.KINK] == 2


def test_a_parameter_that_the_loss_does_not_use_has_a_zero_gradient():
    program = parse_program(
        inputs={"x": ("N",)},
        targets={},
        parameters={"w": (), "idle": (2,)},
        equations=["L = Sum((w*x[n] - 1)**2, n)/N"],
        loss="L",
        integers={},
        shapes={},
        output=None,
        batch="N",
        name="idle",
    )
    full, gradients = derived(program)
    report = verify(full, gradients, {})
    assert report.ok
    assert report.arrays["idle"].weights == 2
    assert report.arrays["idle"].detectable is None
    assert report.arrays["w"].weights == 1


def test_integer_data_is_left_as_it_is():
    program = parse_program(
        inputs={},
        targets={},
        parameters={"W": (4, 2)},
        equations=["e[n,i] = W[t[n],i]", "L = Sum(e[n,i]**3, n, i)/N"],
        loss="L",
        integers={"t": ("N",)},
        shapes={"e": ("N", 2)},
        output=None,
        batch="N",
        name="embedding",
    )
    full, gradients = derived(program)
    report = verify(full, gradients, {"t": [1, 3, 1]})
    assert report.ok
    assert report.arrays["W"].weights == 8


# -- the code under test -----------------------------------------------------------------------------------------------


def test_the_witness_never_calls_the_code_under_test(monkeypatch):
    program, gradients = perceptron()
    calls = 0

    def counted(arrays):
        nonlocal calls
        calls += 1
        return gradients(arrays)

    report = verify(program, counted, complete())
    assert (calls, report.ok) == (1, True)
    assert report.evaluations > 100


def test_the_code_under_test_cannot_reach_the_witness():
    program, gradients = perceptron()

    def vandal(arrays):
        found = gradients(arrays)
        for array in arrays.values():
            array[...] = 0
        return found

    given = complete()
    before = {name: array.copy() for name, array in given.items()}
    assert verify(program, vandal, given).ok
    assert all((given[name] == before[name]).all() for name in given)


def test_adjoint_equations_are_no_part_of_the_witness():
    case = network(2, ((2, "tanh"),), "half_squared_error")
    assert any(equation.name.endswith("_bar") for equation in case.program.equations)
    assert not any(equation.name.endswith("_bar") for equation in case.witness.program.equations)


def test_a_wrong_adjoint_program_excuses_nothing():
    # What the derivation loses to rounding is asked of a program whose gradients are wrong: they still fail.
    case = network(2, ((2, "sigmoid"), (1, "identity")), "half_squared_error", seed=2)
    wrong = {name: 1.5 * gradient for name, gradient in case.gradients.items()}
    equations = tuple(
        dataclasses.replace(e, right=1.5 * e.right, terms=()) if e.name in case.names.values() else e
        for e in case.program.equations
    )
    report = verify(dataclasses.replace(case.program, equations=equations), lambda arrays: wrong, case.arrays)
    assert report.arrays["W1"].counts[Verdict.FAIL] == report.arrays["W1"].weights


def test_a_gradient_that_is_wrong_at_one_point_only_is_wrong():
    program, gradients = perceptron()

    def batch_summed(arrays):
        return {name: gradient * len(arrays["x"]) for name, gradient in gradients(arrays).items()}

    report = verify(program, batch_summed, {}, Drawing("half_squared_error"))
    # With a batch of one it is right, and a weight counts once, with its worst verdict.
    assert not report.ok
    for array in report.arrays.values():
        assert sum(array.counts.values()) == array.weights
        assert array.counts[Verdict.FAIL] > 0.9 * array.weights
    assert {entry.point for entry in report.worst} <= {1, 2}


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e300])
def test_training_with_an_absurd_gradient_ends(value):
    program, gradients = perceptron()
    report = verify(program, lambda arrays: {n: g * 0 + value for n, g in gradients(arrays).items()}, {})
    assert not report.ok
    assert len(report.points) == 2


def test_gradients_of_inputs_are_checked_too():
    program = network_program(describe(2, [Dense(2, "tanh")], "half_squared_error"))
    derivation = differentiate(program, ("W1", "x"))

    def gradients(arrays):
        values = evaluate_program(derivation.adjoint_program, arrays)
        return {name: values[derivation.by_variable[name].name] for name in derivation.wrt}

    report = verify(derivation.adjoint_program, gradients, {}, wrt=("W1", "x"))
    assert report.ok
    assert list(report.arrays) == ["W1", "x"]


@pytest.mark.parametrize("gives_loss", [True, False])
def test_a_gradient_function_as_people_write_it(gives_loss):
    program, gradients = perceptron()

    def backward(parameters, x, y):
        assert set(parameters) == {"W1", "b1", "W2", "b2"}
        found = gradients({**parameters, "x": x, "y": y})
        return (1.0, found) if gives_loss else found

    assert verify(program, gradient_function(backward, program, {}), {}).ok


def test_gradients_as_arrays():
    program, gradients = perceptron()
    given = complete()
    arrays = gradients(given)
    assert verify(program, gradient_function(arrays, program, given), given).ok
    with pytest.raises(UsageError, match="x, y would be drawn"):
        gradient_function(arrays, program, {name: given[name] for name in ("W1", "b1", "W2", "b2")})


# -- reports -----------------------------------------------------------------------------------------------------------


def test_the_keys_of_the_report():
    found = checked(complete()).as_dict()
    assert {"ok", "arrays", "worst", "evaluations", "seconds"} <= set(found)
    wanted = {"weights", "pass", "kink", "blind", "fail", "worst", "detectable"}
    assert all(wanted <= set(array) for array in found["arrays"].values())
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_numbers_that_are_not_finite_become_null():
    program, gradients = perceptron()
    report = verify(program, lambda arrays: {n: g * math.nan for n, g in gradients(arrays).items()}, complete())
    found = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert found["ok"] is False
    assert found["arrays"]["W1"]["fail"] == 6
    assert found["arrays"]["W1"]["worst"] is None
    assert found["worst"][0]["gradient"] is None
    assert found["worst"][0]["verdict"] == "fail"


def test_a_kink_in_the_report():
    case = one_weight("relu", 0.0, x=2.0, y=3.0)
    report = verify(case.program, case.gradients_of, case.arrays)
    assert report.ok
    entry = report.as_dict()["worst"][0]
    assert (entry["verdict"], entry["array"], entry["index"]) == ("kink", "W1", [0, 0])
    assert (entry["left"], entry["right"]) == (pytest.approx(0, abs=1e-9), pytest.approx(6))
    assert "from the left 0, from the right 6" in str(report)
    assert "on a kink" in str(report)


def test_the_text_is_aligned():
    program, gradients = perceptron()
    report = verify(program, lambda arrays: {**gradients(arrays), "W1": -gradients(arrays)["W1"]}, complete())
    lines = str(report).splitlines()
    assert lines[0].split()[:6] == ["array", "weights", "pass", "kink", "blind", "fail"]
    table = lines[: 1 + len(report.arrays)]
    assert len({len(line) for line in table}) == 1
    assert "Of 17 weights, 6 fail." in lines
    assert any(line.startswith("fail  W1[") for line in lines)
    assert repr(report) == "Report(not ok: Of 17 weights, 6 fail.)"


def test_the_html_is_a_table():
    html = checked(complete())._repr_html_()
    assert html.startswith('<div class="symbackprop">')
    assert html.count("<table>") == 1
    assert html.count("<tr>") == 5
    assert "<p>ok: All 17 weights agree with the derivative.</p>" in html


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_detectable_is_what_it_says(name):
    case = network(2, ((3, "tanh"), (2, "identity")), "half_squared_error", seed=4)
    judgements = case.check().judgements[name]
    detectable = array_report([judgements], (len(judgements),)).detectable
    assert detectable < 1e-6
    for place, judgement in enumerate(judgements):
        for factor in (1 + 1.01 * detectable, 1 - 1.01 * detectable):
            wrong = case.gradients[name].copy()
            wrong.flat[place] *= factor
            assert case.check({name: wrong}).judgements[name][place].verdict is Verdict.FAIL, judgement


def test_detectable_at_zero_is_what_it_says():
    case = network(2, ((2, "relu"), (1, "identity")), "half_squared_error").at(b1=[-100, -100])
    (report,) = [array_report([case.check({"b1": case.gradients["b1"]}).judgements["b1"]], case.gradients["b1"].shape)]
    assert report.detectable is None
    assert report.detectable_at_zero == 0
    assert Verdict.FAIL in case.verdicts({"b1": case.gradients["b1"] + 1e-300})


def test_the_worst_over_the_points_counts():
    def judgement(verdict):
        return Judgement(verdict, 1.0, 1.0, 1e-12, 2e-12)

    verdicts = list(Verdict)
    for points in itertools.product(verdicts, repeat=3):
        report = array_report([[judgement(verdict)] for verdict in points], (1,))
        assert report.counts[max(points, key=verdicts.index)] == 1
        assert sum(report.counts.values()) == report.weights == 1


@pytest.mark.parametrize("verdict", list(Verdict))
def test_ok_means_no_fail_and_no_blind(verdict):
    counts = {**dict.fromkeys(Verdict, 0), verdict: 1}
    array = ArrayReport(1, counts, 0.0, None, None)
    entry = Entry("W1", (0, 0), 0, Judgement(verdict, 1.0, 1.0, 0.0, 0.0))
    report = Report({"W1": array}, (entry,), ("as given",), "ladder", 9, 0.1)
    assert report.ok == (verdict in (Verdict.PASS, Verdict.KINK))


def test_progress_counts_every_weight_at_every_point():
    seen = []
    report = checked(options={"progress": lambda done, total: seen.append((done, total))})
    total = report.weights * len(report.points)
    assert seen == [(done, total) for done in range(1, total + 1)]


# -- wrong input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("changes", "error", "says"), [
    ({"W1": np.zeros((2, 2, 2))}, SizeError, "W1 has shape"),
    ({"W1": np.zeros((3, 5))}, SizeError, "has size"),
    ({"W1": np.zeros((3, 2), complex)}, UsageError, "complex"),
    ({"W1": [["a", "b"], ["c", "d"], ["e", "f"]]}, UsageError, "strings"),
    ({"W1": np.array([[object()] * 2] * 3)}, UsageError, "objects"),
    ({"x": [[1.0, math.nan]] * 3}, UsageError, r"x\[0, 1\] is nan"),
    ({"y": [[1.0, math.inf]] * 3}, UsageError, r"y\[0, 1\] is inf"),
    ({"x": np.zeros((0, 2))}, SizeError, "no entries"),
    ({"z": [1.0]}, UsageError, "no input, target or parameter 'z'"),
])  # fmt: skip
def test_wrong_arrays(changes, error, says):
    with pytest.raises(error, match=says):
        checked({**complete(), **changes})


@pytest.mark.parametrize(("loss", "wrong", "says"), [
    ("binary_cross_entropy", 1.5, r"y\[0, 0\] is 1.5, but the loss binary_cross_entropy takes targets from 0 to 1"),
    ("binary_cross_entropy_with_logits", -0.1, "from 0 to 1"),
    ("categorical_cross_entropy", -1.0, "0 or larger"),
    ("hinge", 0.0, "takes targets -1 and 1"),
    ("hinge", 0.5, "takes targets -1 and 1"),
])  # fmt: skip
def test_targets_that_the_loss_cannot_take(loss, wrong, says):
    y = targets(loss, (3, 2), np.random.default_rng(0))
    y[0, 0] = wrong
    with pytest.raises(UsageError, match=says):
        checked({**complete(), "y": y}, loss=loss, output=OUTPUTS.get(loss, "identity"))


@pytest.mark.parametrize("loss", ["categorical_cross_entropy", "binary_cross_entropy", "half_squared_error"])
def test_targets_that_the_loss_can_take(loss):
    y = [[0.2, 0.9], [1.0, 1.0], [0.0, 0.0]]
    assert checked({**complete(), "y": y}, loss=loss, output=OUTPUTS.get(loss, "identity")).ok


@pytest.mark.parametrize(("gradients", "error", "says"), [
    (lambda g: {"W1": g["W1"]}, UsageError, "gradients lack 'b1'"),
    (lambda g: {**g, "W1": g["W1"].T}, SizeError, r"the gradient of W1 has shape \(2, 3\), but W1 has \(3, 2\)"),
    (lambda g: {**g, "W1": g["W1"].astype(complex)}, UsageError, "the gradient of W1 is an array of complex128"),
    (lambda g: {**g, "W1": "text"}, UsageError, "the gradient of W1 is an array of"),
])  # fmt: skip
def test_gradients_that_do_not_fit(gradients, error, says):
    program, right = perceptron()
    with pytest.raises(error, match=says):
        verify(program, lambda arrays: gradients(right(arrays)), complete())


@pytest.mark.parametrize(("options", "says"), [
    ({"method": "laddr"}, "did you mean 'ladder'"),
    ({"method": "forward", "eps": 0.0}, "give a positive number"),
    ({"method": "central", "eps": math.nan}, "give a positive number"),
    ({"method": "ladder", "eps": 1e-6}, "the ladder chooses its steps"),
    ({"wrt": ("W3",)}, "no input or parameter 'W3'"),
])  # fmt: skip
def test_wrong_options(options, says):
    with pytest.raises(UsageError, match=says):
        checked(complete(), options=options)


def test_sources_of_gradients_that_are_none():
    program, _ = perceptron()
    with pytest.raises(UsageError, match="gradients is of type int"):
        gradient_function(3, program, {})
    with pytest.raises(UsageError, match="returned NoneType"):
        gradient_function(lambda parameters, x, y: None, program, {})(complete())


def test_a_loss_that_is_not_finite():
    with pytest.raises(UsageError, match="the loss is not finite"):
        checked({**complete(), "x": np.full((3, 2), 1e200)}, activation="identity")
    program = parse_program(
        inputs={}, targets={}, parameters={"w": (3,)}, equations=["L = Sum(log(-w[i]**2), i)"], loss="L",
        integers={}, shapes={}, output=None, batch=None, name="nowhere",
    )  # fmt: skip
    full, gradients = derived(program)
    with pytest.raises(UsageError, match="not finite at any of 50 points drawn from seed 0"):
        verify(full, gradients, {})


def test_a_program_without_a_loss():
    program, gradients = perceptron()
    with pytest.raises(UsageError, match="names no loss"):
        verify(dataclasses.replace(program, loss=None), gradients, complete())


def test_float32_parameters_are_checked_in_float64():
    given = {name: array.astype(np.float32) for name, array in complete().items()}
    program, gradients = perceptron()
    kinds = set()

    def watched(arrays):
        kinds.update(array.dtype for array in arrays.values())
        return gradients(arrays)

    assert verify(program, watched, given).ok
    assert kinds == {np.dtype(np.float64)}
