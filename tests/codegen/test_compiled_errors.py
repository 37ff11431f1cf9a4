"""What does not fit gets an error that says what, where and what to do; and the function works after it."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_runs import WAYS, way_of_running
from network_cases import arrays_for, mlp

import symbackprop as sbp
from symbackprop.errors import SizeError, UsageError

NET = mlp(2, 3, 2, hidden="sigmoid", name="small")
PARAMETERS, X, Y = arrays_for(NET, 4)


def parameters(**more):
    return {**PARAMETERS, **more}


def without(name):
    return {key: array for key, array in PARAMETERS.items() if key != name}


def spoiled(array, value):
    array = array.copy()
    array.flat[-1] = value
    return array


# What it is called with, the error, and what the message must say.
WRONG = {
    "a missing parameter": ((without("b1"), X, Y), UsageError, r"small needs the parameter 'b1' of shape \(3,\)"),
    "a missing x": ((PARAMETERS, None, Y), UsageError, r"needs the input 'x' of shape \(N, 2\); none was given"),
    "a missing y": ((PARAMETERS, X), UsageError, r"needs the target 'y' of shape \(N, 2\); none was given"),
    "an unknown name": ((parameters(W3=X), X, Y), UsageError, "no input, target or parameter 'W3'; did you mean 'W"),
    "a misspelt name": (({**without("b2"), "B2": Y[0]}, X, Y), UsageError, "'b2'"),
    "parameters that are a list": ((list(PARAMETERS.values()), X, Y), UsageError, "type list; give a dict of arrays"),
    "parameters that are an array": ((X, X, Y), UsageError, "type ndarray; give a dict of arrays"),
    "no parameters": ((None, X, Y), UsageError, "type NoneType; give a dict of arrays"),
    "a transposed weight": (
        (parameters(W1=np.ones((2, 3))), X, Y),
        SizeError,
        r"W1 has shape \(2, 3\), but \(3, 2\) was expected",
    ),
    "a wrong width": ((PARAMETERS, np.ones((4, 5)), Y), SizeError, r"x has shape \(4, 5\), but \(4, 2\) was expected"),
    "too many axes": ((PARAMETERS, X[None], Y), SizeError, r"x has shape \(1, 4, 2\), but \(N, 2\) was expected"),
    "one example without its axis": (
        (PARAMETERS, X[0], Y),
        SizeError,
        r"x has shape \(2,\), but \(N, 2\) was expected.*for one example write \[\[",
    ),
    "a bias with two axes": (
        (parameters(b1=np.ones((1, 3))), X, Y),
        SizeError,
        r"b1 has shape \(1, 3\), but \(3\) was expected: 1 axis",
    ),
    "an empty batch": ((PARAMETERS, X[:0], Y[:0]), SizeError, r"x has shape \(0, 2\).*give at least one example"),
    "batches of different sizes": ((PARAMETERS, X, Y[:3]), SizeError, "axis 1 of y has size 3, but N is 4 in x"),
    "labels for a regression": ((PARAMETERS, X, np.zeros(4, int)), SizeError, r"y has shape \(4,\)"),
    "objects": ((PARAMETERS, np.array([[None, 1.0]] * 4), Y), UsageError, "x holds objects, None at"),
    "complex numbers": ((PARAMETERS, X + 1j, Y), UsageError, "x holds complex numbers.*give real numbers"),
    "strings": ((PARAMETERS, X, [["a", "b"]] * 4), UsageError, r"y holds strings, 'a' at \[0, 0\]; give real numbers"),
    "bytes": ((parameters(b2=np.array([b"a", b"b"])), X, Y), UsageError, "b2 holds bytes"),
    "dates": ((PARAMETERS, X.astype("M8[s]"), Y), UsageError, "x holds dates"),
    "rows of different lengths": ((PARAMETERS, [[1, 2], [3]], Y), UsageError, "x is no array of numbers: its rows"),
    "masked entries": ((PARAMETERS, np.ma.masked_less(X, 0), Y), UsageError, "x has masked entries; fill them in"),
    "NaN in x": ((PARAMETERS, spoiled(X, np.nan), Y), UsageError, r"x\[3, 1\] is nan; give finite numbers"),
    "infinity in x": ((PARAMETERS, spoiled(X, np.inf), Y), UsageError, r"x\[3, 1\] is inf; give finite numbers"),
    "NaN in y": ((PARAMETERS, X, spoiled(Y, np.nan)), UsageError, r"y\[3, 1\] is nan; give finite numbers"),
    "infinity in y": ((PARAMETERS, X, spoiled(Y, -np.inf)), UsageError, r"y\[3, 1\] is -inf; give finite numbers"),
    "NaN in a weight": (
        (parameters(W1=spoiled(PARAMETERS["W1"], np.nan)), X, Y),
        UsageError,
        r"W1\[2, 1\] is nan; give finite numbers",
    ),
    "NaN in a bias": (
        (parameters(b2=spoiled(PARAMETERS["b2"], np.nan)), X, Y),
        UsageError,
        r"b2\[1\] is nan; give finite numbers",
    ),
    "infinity in the last weight": (
        (parameters(W2=spoiled(PARAMETERS["W2"], np.inf)), X, Y),
        UsageError,
        r"W2\[1, 2\] is inf; give finite numbers",
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("before", [False, True], ids=["first call", "later call"])
@pytest.mark.parametrize("what", WRONG)
def test_wrong_input_is_told(what, before, way):
    arguments, error, says = WRONG[what]
    with way_of_running(way):
        function = NET.derive().compile()
        expected = function(PARAMETERS, X, Y) if before else NET.derive().compile()(PARAMETERS, X, Y)
        # What is not a number goes the way that NumPy's numbers go, before it is noticed in the loss.
        with np.errstate(invalid="ignore"), pytest.raises(error, match=says):
            function(*arguments)
        for _ in range(2):
            loss, gradients = function(PARAMETERS, X, Y)
            assert loss == expected[0]
            for name, array in gradients.items():
                np.testing.assert_array_equal(array, expected[1][name])


@pytest.mark.parametrize("way", WAYS)
def test_infinite_data_are_told_even_where_everything_saturates(way):
    """sigmoid(inf) is 1: the loss does not show it, and the gradient would be NaN."""
    net = mlp(2, 3, 1, hidden="sigmoid")
    with way_of_running(way):
        function = net.derive().compile()
        function(*arrays_for(net, 2))
        weights, x, y = arrays_for(net, 2)
        x[1, 0] = np.inf
        for call in (function, function.loss):
            with pytest.raises(UsageError, match=r"x\[1, 0\] is inf"):
                call(weights, x, y)
        with pytest.raises(UsageError, match=r"x\[1, 0\] is inf"):
            function.predict(weights, x)


@pytest.mark.parametrize("way", WAYS)
def test_finite_data_that_are_large_are_no_error(way):
    net = mlp(2, 3, 1, hidden="sigmoid")
    for dtype, large in ((np.float64, 1e200), (np.float32, 1e30)):
        weights, x, y = arrays_for(net, 2, dtype=dtype)
        x[:] = large
        with way_of_running(way), np.errstate(all="raise", under="ignore"):
            function = net.derive().compile()
            for _ in range(3):
                loss, gradients = function(weights, x, y)
        assert np.isfinite(loss)
        assert all(np.isfinite(array).all() for array in gradients.values())


LABELS = {
    "a binary label of 2": ("binary_cross_entropy", "sigmoid", [[0.0, 2.0]], r"y\[0, 1\] is 2, .*targets from 0 to 1"),
    "a negative binary label": ("binary_cross_entropy", "sigmoid", [[-1.0, 1.0]], r"y\[0, 0\] is -1"),
    "a binary label for logits": ("binary_cross_entropy_with_logits", "identity", [[1.5, 1.0]], r"y\[0, 0\] is 1\.5"),
    "a negative class probability": ("categorical_cross_entropy", "softmax", [[1.5, -0.5]], r"y\[0, 1\] is -0\.5"),
    "a hinge target of 0": ("hinge", "identity", [[0.0, 1.0]], r"y\[0, 0\] is 0, .*targets -1 and 1; give -1"),
    "a label out of range": ("categorical_cross_entropy", "softmax", [2], r"y\[0\] is the label 2, .* from 0 to 1"),
    "a negative label": ("categorical_cross_entropy_with_logits", "identity", [-1], r"y\[0\] is the label -1"),
}


@pytest.mark.parametrize("what", LABELS)
def test_targets_that_do_not_suit_the_loss_are_told(what):
    loss, output, y, says = LABELS[what]
    net = mlp(2, 3, 2, loss=loss, output=output)
    weights, x, right = arrays_for(net, 1)
    function = net.derive().compile()
    for call in (function, function.loss):
        with pytest.raises(UsageError, match=says):
            call(weights, x, np.array(y))
        call(weights, x, right)


def test_an_unknown_backend_is_told():
    with pytest.raises(UsageError, match="unknown backend 'nunpy'; did you mean 'numpy'"):
        NET.derive().compile("nunpy")


def test_a_program_without_output_has_nothing_to_predict():
    program = sbp.Program(["L = Sum(W[i]*x[i], i)"], "L", inputs={"x": ("D",)}, parameters={"W": ("D",)}, name="dot")
    function = program.derive().compile()
    with pytest.raises(UsageError, match="dot names no output, so there is nothing to predict; give it output="):
        function.predict({"W": np.ones(2)}, np.ones(2))
    assert function({"W": np.ones(2)}, np.ones(2))[0] == 2


def test_a_name_that_is_given_twice_is_told():
    program = sbp.Program(["L = Sum(W[i]*x[i], i)"], "L", parameters={"W": ("D",), "x": ("D",)})
    function = program.derive().compile()
    weights = {"W": np.ones(2), "x": np.ones(2)}
    for _ in range(2):
        with pytest.raises(UsageError, match="'x' is given twice, among the parameters and beside them; give it once"):
            function(weights, np.zeros(2))
        with pytest.raises(UsageError, match="'W' is given twice"):
            function(weights, W=np.zeros(2))
        assert function(weights)[0] == 2


def test_data_that_a_program_does_not_take_are_told_on_every_call():
    program = sbp.Program(["L = Sum(W[i]*x[i], i)"], "L", inputs={"x": ("D",)}, parameters={"W": ("D",)})
    function = program.derive().compile()
    for _ in range(2):
        with pytest.raises(UsageError, match="no input, target or parameter 'y'"):
            function({"W": np.ones(2)}, np.ones(2), np.ones(2))
        assert function({"W": np.ones(2)}, np.ones(2))[0] == 2


def test_a_size_that_no_array_tells_is_told():
    program = sbp.Program(
        ["L = Sum(W[i], i)/K"],
        "L",
        parameters={"W": ("D",)},
        targets={"y": ("N", "K")},
    )
    function = program.derive().compile()
    with pytest.raises((UsageError, SizeError), match="'y'"):
        function({"W": np.ones(2)})
    for classes in (2, 4, 2):
        assert function({"W": np.ones(2)}, y=np.zeros((1, classes)))[0] == 2 / classes


def test_indices_out_of_range_in_labels_of_a_program():
    program = sbp.Program(["L = Sum(E[t[n],i]**2, n, i)"], "L", integers={"t": ("N",)}, parameters={"E": (3, "D")})
    function = program.derive().compile()
    rows = np.arange(6.0).reshape(3, 2)
    loss, gradients = function({"E": rows}, t=np.array([2, 0, 2]))
    assert loss == 2 * (16 + 25) + 1
    np.testing.assert_array_equal(gradients["E"], [[0, 2], [0, 0], [16, 20]])
