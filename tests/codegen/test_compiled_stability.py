"""Far out, nothing overflows, nothing is lost: no warning, no NaN, and the right gradient."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy
from kernel_runs import WAYS, way_of_running

import symbackprop as sbp
from symbackprop.notation.interpreter import arbitrary_precision, interpret

POINTS = (-1e4, -700.0, -100.0, -1.0, 1.0, 100.0, 700.0, 1e4)
ACTIVATIONS = ["sigmoid", "tanh", "softplus", "gelu", "gelu_tanh", "silu", "elu", "selu", "hard_sigmoid", "softmax"]
# The last layer's activation and the loss; targets that suit it.
LOSSES = {
    "log_cosh": ("identity", [[0.25, -0.5]]),
    "huber": ("identity", [[0.25, -0.5]]),
    "binary_cross_entropy": ("sigmoid", [[1.0, 0.25]]),
    "binary_cross_entropy_with_logits": ("identity", [[1.0, 0.25]]),
    "categorical_cross_entropy": ("softmax", [[0.75, 0.25]]),
    "categorical_cross_entropy_with_logits": ("identity", [[0.75, 0.25]]),
}


def layer(activation, loss):
    """One layer whose pre-activations are its biases."""
    return sbp.Network(1, [sbp.Dense(2, activation)], loss, name="far out")


def truth(derivation, values):
    """Loss and gradients in so many digits that exp(-700) is seen beside 1."""
    with mpmath.workdps(340):
        exact = {name: np.vectorize(mpmath.mpf, otypes=[object])(array.astype(float)) for name, array in values.items()}
        found = interpret(derivation.program, exact, None, arbitrary_precision())
        gradients = {name: found[derivation[name].adjoint_name].astype(float) for name in derivation.gradients}
        return float(found["L"][()]), gradients


DTYPES = [pytest.param(np.float64, 1e-12, id="float64"), pytest.param(np.float32, 1e-5, id="float32")]
# Their slopes are differences from 1, in terms of the output: what is right is their distance from 0, not their digits.
BY_OUTPUT = {"sigmoid", "tanh", "elu", "selu", "silu", "softmax"}


def compare(net, biases, y, dtype, way, relative, absolute):
    """Loss and gradients are right, without a warning, on the first call and on the next."""
    derivation = net.derive()
    x, parameters = np.ones((1, 1), dtype), {"W1": np.zeros((2, 1), dtype), "b1": np.array(biases, dtype)}
    y = np.array(y, dtype)
    expected, slopes = truth(derivation, {**parameters, "x": x, "y": y})
    with way_of_running(way), np.errstate(all="raise", under="ignore"):
        function = derivation.compile()
        for _ in range(2):
            loss, gradients = function(parameters, x, y)
            assert np.isfinite(function.predict(parameters, x)).all()
        assert function.loss(parameters, x, y) == loss
    np.testing.assert_allclose(loss, expected, rtol=relative, atol=np.finfo(dtype).tiny)
    for name, gradient in gradients.items():
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient, slopes[name], rtol=relative, atol=absolute, err_msg=name)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("dtype", "relative"), DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_activation_far_out(activation, dtype, relative, way):
    limits = np.finfo(dtype)
    for z in POINTS:
        absolute = 4 * limits.eps if activation in BY_OUTPUT else limits.tiny
        compare(layer(activation, "upstream"), [z, 0.5], [[1.0, 0.0]], dtype, way, relative, absolute)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("dtype", "relative"), DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_far_out(loss, dtype, relative, way):
    output, y = LOSSES[loss]
    for biases in ([1e4, -1e4], [-1e4, 1e4], [100.0, -100.0], [-100.0, 100.0], [1e4, 1e4], [-1e4, -1e4], [2.0, 1.0]):
        # Probabilities minus targets: what is left of their digits.
        compare(layer(output, loss), biases, y, dtype, way, relative, 4 * np.finfo(dtype).eps)


def test_the_loss_of_a_probability_that_vanishes_is_linear_in_the_logit():
    net = layer("softmax", "categorical_cross_entropy")
    function = net.derive().compile()
    loss, gradients = function({"W1": np.zeros((2, 1)), "b1": np.array([-1e4, 1e4])}, [[1.0]], [[1.0, 0.0]])
    assert loss == 2e4
    np.testing.assert_array_equal(gradients["b1"], [-1.0, 1.0])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_case_that_does_not_apply_may_overflow(dtype, way):
    z = sympy.Symbol("z", real=True)
    own = sbp.Activation("own", sympy.Piecewise((z, z > 0), (sympy.exp(z) - 1, True)))
    net = sbp.Network(1, [sbp.Dense(2, own)], "upstream")
    parameters = {"W1": np.zeros((2, 1), dtype), "b1": np.array([1e4, -1e4], dtype)}
    with way_of_running(way), np.errstate(all="raise", under="ignore"):
        for _ in range(2):
            loss, gradients = net.derive().compile()(parameters, np.ones((1, 1), dtype), np.ones((1, 2), dtype))
    assert loss == dtype(9999)
    np.testing.assert_array_equal(gradients["b1"], np.array([1, 0], dtype))


@pytest.mark.parametrize("way", WAYS)
def test_a_false_bracket_annihilates_what_is_not_finite(way):
    program = sbp.Program(
        ["L = Sum(where(x[i] > 0, log(W[i]*x[i]), W[i])*u[i], i)"],
        "L",
        inputs={"x": ("D",), "u": ("D",)},
        parameters={"W": ("D",)},
    )
    x, u, weights = np.array([1.0, -1.0, 2.0]), np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 0.5])
    with way_of_running(way), np.errstate(all="raise"):
        loss, gradients = program.derive().compile()({"W": weights}, x, u=u)
    assert loss == 4
    np.testing.assert_allclose(gradients["W"], [1, 2, 6])


def test_single_numbers_that_overflow_are_left_to_the_arrays():
    """Where Python raises an error NumPy gives infinity, and so does the compiled function, with NumPy's warning."""
    program = sbp.Program(["L = Sum(exp(W[i]), i)"], "L", parameters={"W": ("D",)})
    for way in WAYS:
        with way_of_running(way), np.errstate(over="ignore"):
            function = program.derive().compile()
            for _ in range(2):
                loss, gradients = function({"W": np.array([1.0, 1e3])})
                assert loss == np.inf
                np.testing.assert_array_equal(gradients["W"], [np.exp(1.0), np.inf])
        with way_of_running(way), pytest.warns(RuntimeWarning, match="overflow"):
            program.derive().compile()({"W": np.array([1.0, 1e3])})
