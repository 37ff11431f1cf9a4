"""What ``check_gradients`` takes, and what it says."""

from __future__ import annotations

import json

import numpy as np
import pytest

import symbackprop as sbp

RNG = np.random.default_rng(7)
X, Y = RNG.normal(size=(5, 2)), RNG.normal(size=(5, 2))


def network(**changes):
    layers = [sbp.Dense(3, "tanh"), sbp.Dense(2)]
    return sbp.Network(2, layers, "half_squared_error", **changes)


def parameters(net):
    drawn = net.initial_parameters("normal", seed=1)
    return {name: array + 0.1 for name, array in drawn.items()}


def backward(p, x, y, slope=lambda z, a: 1 - a**2):
    z1 = x @ p["W1"].T + p["b1"]
    a1 = np.tanh(z1)
    d2 = (a1 @ p["W2"].T + p["b2"] - y) / len(x)
    d1 = d2 @ p["W2"] * slope(z1, a1)
    return {"W1": d1.T @ x, "b1": d1.sum(0), "W2": d2.T @ a1, "b2": d2.sum(0)}


def gradients(net=None):
    net = net or network()
    return backward(parameters(net), X, Y)


def check(theirs, net=None, **options):
    net = net or network()
    return sbp.check_gradients(theirs, net, parameters(net), X, Y, **options)


# -- what is taken -----------------------------------------------------------------------------------------------------


def test_a_function_and_its_arrays_are_the_same():
    assert check(backward).ok
    assert check(gradients()).ok
    assert check(lambda p, x, y: (0.5, backward(p, x, y))).ok
    assert check(lambda p, x, y: tuple(backward(p, x, y).values())).ok


@pytest.mark.parametrize("biases_first", [True, False])
def test_lists_of_biases_and_weights_are_understood(biases_first):
    """As Nielsen's ``backprop`` returns them: columns for biases, in either order."""
    found = gradients()
    biases, weights = [found["b1"][:, None], found["b2"][:, None]], [found["W1"], found["W2"]]
    assert check(lambda p, x, y: (biases, weights) if biases_first else (weights, biases)).ok
    weights[0] = 2 * weights[0]
    assert not check(lambda p, x, y: (biases, weights) if biases_first else (weights, biases)).ok


@pytest.mark.parametrize("pattern", ["d{}", "grad_{}", "{}_grad", "dL_d{}"])
def test_the_usual_names_of_gradients_are_understood(pattern):
    assert check({pattern.format(name): array for name, array in gradients().items()}).ok
    assert check({pattern.format(name).lower(): array for name, array in gradients().items()}).ok


def test_names_are_mapped():
    own = {"W1": "weights_in", "b1": "bias_in", "W2": "weights_out", "b2": "bias_out"}
    back = {mine: name for name, mine in own.items()}
    net = network()

    def theirs(p, x, y):
        found = backward({back[name]: array for name, array in p.items()}, x, y)
        return {own[name]: array for name, array in found.items()}

    given = {own[name]: array for name, array in parameters(net).items()}
    assert sbp.check_gradients(theirs, net, given, X, Y, names=own).ok
    with pytest.raises(sbp.UsageError, match="'w9'"):
        check(theirs, names={"w9": "W1"})


@pytest.mark.parametrize("shape", [(3,), (1, 3), (3, 1)])
def test_a_bias_gradient_may_be_a_row_or_a_column(shape):
    found = gradients()
    assert check({**found, "b1": found["b1"].reshape(shape)}).ok


def test_the_other_layout_is_told_or_seen():
    net = sbp.Network(4, [sbp.Dense(3, "tanh"), sbp.Dense(2)], "half_squared_error")
    p, x = parameters(net), RNG.normal(size=(5, 4))
    turned = {name: array.T for name, array in p.items()}

    def theirs(q, x, y):
        found = backward({name: array.T for name, array in q.items()}, x, y)
        return {name: array.T for name, array in found.items()}

    assert sbp.check_gradients(theirs, net, turned, x, Y).ok
    assert sbp.check_gradients(theirs, net, turned, x, Y, layout="in_out").ok
    assert sbp.check_gradients(theirs, net, layout="in_out").ok
    square = sbp.Network(2, [sbp.Dense(2, "tanh"), sbp.Dense(2)], "half_squared_error")
    own = {name: array.T for name, array in parameters(square).items()}
    assert sbp.check_gradients(theirs, square, own, X, Y, layout="in_out").ok
    assert not sbp.check_gradients(theirs, square, own, X, Y).ok


def test_examples_may_be_columns():
    net = network()
    p = {name: array if array.ndim > 1 else array.reshape(-1, 1) for name, array in parameters(net).items()}

    def theirs(q, x, y):
        assert x.shape == (2, 5)
        assert q["b1"].shape == (3, 1)
        found = backward({n: a if n[0] == "W" else a[:, 0] for n, a in q.items()}, x.T, y.T)
        return {n: a if n[0] == "W" else a.reshape(-1, 1) for n, a in found.items()}

    assert sbp.check_gradients(theirs, net, p, X.T, Y.T, examples="columns").ok


def test_what_is_not_given_is_drawn():
    result = sbp.check_gradients(backward, network())
    assert result.ok
    assert len(result.points) == 3
    with pytest.raises(sbp.UsageError, match="belong to one point"):
        sbp.check_gradients(gradients(), network())


def test_the_arguments_of_the_code_under_test_are_its_own():
    net = network()
    p = parameters(net)

    def theirs(q, x, y):
        found = backward(q, x, y)
        for array in (*q.values(), x, y):
            array *= 0
        return found

    assert sbp.check_gradients(theirs, net, p, X, Y).ok
    assert all(array.any() for array in p.values())


def test_a_program_is_checked_as_a_network_is():
    program = sbp.Program(
        ["h[j] = tanh(Sum(W[j,i]*x[i], i))", "L = Sum(h[j]*v[j], j)"],
        "L",
        inputs={"x": (3,), "v": (2,)},
        parameters={"W": (2, 3)},
    )
    w, x, v = RNG.normal(size=(2, 3)), RNG.normal(size=3), RNG.normal(size=2)

    def theirs(p, x, y, v):
        assert y is None
        return {"W": np.outer(v, x)}

    result = sbp.check_gradients(theirs, program, {"W": w}, x, v=v)
    assert [candidate.kind for candidate in result.candidates][:1] == ["derivative left out"]


@pytest.mark.parametrize(
    ("theirs", "options", "words"),
    [
        (3, {}, "function of"),
        (lambda p: {}, {}, "cannot be called"),
        (lambda p, x, y: None, {}, "NoneType"),
        (lambda p, x, y: {"W1": 1}, {}, "no gradient of b1|no gradient of W2|W1"),
        ({}, {}, "no gradient of"),
        ({**gradients(), "b1": np.array(["a", "b", "c"])}, {}, "real numbers"),
        (backward, {"layout": "rows"}, "layout"),
        (backward, {"examples": "row"}, "did you mean 'rows'"),
        (backward, {"dtype": "float8"}, "float8"),
    ],
)
def test_an_error_says_what_is_wrong(theirs, options, words):
    with pytest.raises((sbp.UsageError, sbp.SizeError), match=words):
        check(theirs, **options)


# -- what is said ------------------------------------------------------------------------------------------------------


def test_a_fault_is_named_with_its_layer_and_both_formulas():
    result = check(lambda p, x, y: backward(p, x, y, slope=lambda z, a: 1.0))
    first = result.candidates[0]
    assert (first.kind, first.place) == ("derivative left out", "layer 1")
    assert first.used == ("dL/dz1[n,j] = dL/da1[n,j]",)
    assert first.right == ("dL/dz1[n,j] = dL/da1[n,j]*(1 - a1[n,j]**2)",)
    assert first.entries == 9
    assert first.digits > 14
    assert "Layer 1: the derivative of tanh is left out" in result.diagnosis
    assert {name: array.verdict for name, array in result.arrays.items()} == {
        "W1": "wrong",
        "b1": "wrong",
        "W2": "right",
        "b2": "right",
    }
    assert repr(result) == "GradientCheck(W1, b1 wrong: derivative left out, layer 1)"
    assert result.diagnosis in str(result)
    assert json.loads(json.dumps(result.as_dict(), allow_nan=False))["candidates"][0]["kind"] == first.kind


def test_where_nothing_fits_the_first_difference_is_told():
    noise = np.random.default_rng(1).normal(size=(3, 2))
    result = check(lambda p, x, y: {**(g := backward(p, x, y)), "W1": g["W1"] * noise, "b1": g["b1"] * noise[:, 0]})
    assert not result.ok
    assert result.candidates == ()
    assert "W2" in result.diagnosis
    assert "are right" in result.diagnosis
    assert "first difference" in result.diagnosis


def test_several_faults_with_the_same_numbers_are_all_told():
    net = sbp.Network(2, [sbp.Dense(3, "relu"), sbp.Dense(2)], "half_squared_error")
    p = {"W1": np.array([[1.0, 0.5], [0.3, 0.2], [0.1, 0.4]]), "b1": np.ones(3), "W2": np.eye(2, 3), "b2": np.zeros(2)}
    x = np.abs(X) + 0.1

    def theirs(q, x, y):
        a1 = np.maximum(x @ q["W1"].T + q["b1"], 0)
        d2 = (a1 @ q["W2"].T + q["b2"] - y) / len(x)
        d1 = d2 @ q["W2"]
        return {"W1": d1.T @ x, "b1": d1.sum(0), "W2": d2.T @ x @ np.eye(2, 3), "b2": d2.sum(0)}

    # Where every unit is switched on, leaving out the derivative of relu changes nothing.
    assert sbp.check_gradients(lambda q, x, y: {**theirs(q, x, y), "W2": right_w2(q, x, y)}, net, p, x, Y).ok
    sign = check(lambda p, x, y: {name: 2 * array for name, array in backward(p, x, y).items()})
    assert sign.candidates[0].factor == pytest.approx(2)
    assert len(sign.candidates) >= 1


def right_w2(q, x, y):
    a1 = np.maximum(x @ q["W1"].T + q["b1"], 0)
    return ((a1 @ q["W2"].T + q["b2"] - y) / len(x)).T @ a1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_just_above_the_detectable_error_is_caught_and_what_is_just_below_is_not(dtype):
    net = network()
    right = backward(parameters(net), X, Y)
    clean = check(right, dtype=dtype)
    assert clean.ok
    for name, array in right.items():
        least = clean.arrays[name].detectable
        assert least is not None

        def is_caught(place, error, name=name):
            moved = {**right, name: right[name].copy()}
            moved[name][place] *= 1 + error
            return not check(moved, dtype=dtype).arrays[name].ok

        last = tuple(extent - 1 for extent in array.shape)
        assert all(
            is_caught(place, error) for place in ((0,) * array.ndim, last) for error in (1.01 * least, -1.01 * least)
        )
        # The figure holds for every entry, so it is that of the least certain one: there nothing smaller is caught.
        assert not all(is_caught(place, 0.9 * least) for place in np.ndindex(array.shape)), name


def test_single_precision_is_right_where_it_is_declared_and_named_where_it_is_not():
    def single(p, x, y):
        found = backward({n: a.astype(np.float32) for n, a in p.items()}, x.astype(np.float32), y.astype(np.float32))
        return {name: array.astype(float) for name, array in found.items()}

    assert check(single, dtype="float32").ok
    undeclared = check(single)
    assert not undeclared.ok
    assert [candidate.kind for candidate in undeclared.candidates] == ["rounding"]
    net = network()
    narrow = {name: array.astype(np.float32) for name, array in parameters(net).items()}
    assert sbp.check_gradients(backward, net, narrow, X.astype(np.float32), Y.astype(np.float32)).ok


def test_at_a_kink_either_slope_is_accepted_and_any_other_is_not():
    net = sbp.Network(2, [sbp.Dense(3, "relu"), sbp.Dense(2)], "half_squared_error")
    p = {**parameters(net), "b1": np.zeros(3)}
    x = np.zeros((1, 2))

    def theirs(slope):
        def run(q, x, y):
            z1 = x @ q["W1"].T + q["b1"]
            a1 = np.maximum(z1, 0)
            d2 = (a1 @ q["W2"].T + q["b2"] - y) / len(x)
            d1 = d2 @ q["W2"] * np.where(z1 > 0, 1.0, np.where(z1 == 0, slope, 0.0))
            return {"W1": d1.T @ x, "b1": d1.sum(0), "W2": d2.T @ a1, "b2": d2.sum(0)}

        return run

    y = Y[:1]
    assert sbp.check_gradients(theirs(0.0), net, p, x, y).ok
    for slope in (0.5, 1.0):
        result = sbp.check_gradients(theirs(slope), net, p, x, y)
        assert result.ok
        assert result.arrays["b1"].verdict == "kink"
    assert not sbp.check_gradients(theirs(3.0), net, p, x, y).ok


def test_the_worst_entry_is_held_against_differences_of_the_loss():
    result = check(lambda p, x, y: {**(g := backward(p, x, y)), "W1": 3 * g["W1"]})
    worst = result.arrays["W1"].worst[0]
    assert worst.differences == pytest.approx(worst.right, rel=1e-8)
    assert worst.theirs == pytest.approx(3 * worst.right)


def test_the_report_proves_the_standard():
    result = check(backward)
    assert result.report.ok
    assert result.report.weights == sum(array.entries for array in result.arrays.values())


def test_two_mistakes_are_told_together():
    def theirs(p, x, y):
        found = backward(p, x, y, slope=lambda z, a: 1.0)
        return {**found, "b1": found["b1"] / len(x), "b2": found["b2"] / len(x)}

    (first, *_) = check(theirs).candidates
    assert set(first.kinds) == {"derivative left out", "averaged"}


def test_a_wrong_layout_is_called_a_transpose_in_a_square_layer_too():
    net = sbp.Network(2, [sbp.Dense(2, "tanh"), sbp.Dense(2)], "half_squared_error")

    def theirs(p, x, y):
        found = backward(p, x, y)
        return {name: array.T for name, array in found.items()}

    result = check(theirs, net)
    assert {result.arrays[name].verdict for name in ("W1", "W2")} == {"transposed"}
    assert result.candidates[0].kind == "transposed"
    assert "transposed" in result.diagnosis
