"""Programs and calls at the edge of what is meant: infinite terms, labels out of range, batches filled in place."""

from __future__ import annotations

import types

import numpy as np
import pytest
from kernel_runs import WAYS, way_of_running

import symbackprop as sbp
from symbackprop.errors import UsageError


def module_of(derivation):
    module = types.ModuleType("gradients")
    exec(compile(derivation.module(), "gradients.py", "exec"), module.__dict__)
    return module


INFINITE = {
    "an exponential": (["m=Max(x[n]*exp(t*w[n]),n)", "L=m**2"], {"w": [1000.0, 0.0], "t": 1.0}, [-1.0, 2.0]),
    "a root": (["m=Max(x[n]*w[n]**t,n)", "L=m**2"], {"w": [0.0, 2.0], "t": 0.5}, [1.0, 1.0]),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", INFINITE)
def test_a_false_bracket_annihilates_what_is_infinite(name, way):
    equations, parameters, x = INFINITE[name]
    program = sbp.Program(equations, "L", inputs={"x": ("N",)}, parameters={"w": ("N",), "t": ()})
    derivation = program.derive()
    parameters = {key: np.array(value) for key, value in parameters.items()}
    values = derivation.values(parameters, np.array(x))
    assert np.isfinite(values["t_bar"])
    with way_of_running(way), np.errstate(all="ignore"):
        _, gradients = derivation.compile()(parameters, np.array(x))
    np.testing.assert_allclose(gradients["t"], values["t_bar"], rtol=1e-12)
    with np.errstate(all="ignore"):
        _, gradients = module_of(derivation).loss_and_gradients(parameters, np.array(x))
    np.testing.assert_allclose(gradients["t"], values["t_bar"], rtol=1e-12)


@pytest.mark.parametrize("way", WAYS)
def test_what_is_infinite_in_a_shared_part_is_annihilated_too(way):
    program = sbp.Program(["L = Sum(hard_sigmoid(t*exp(w[n])), n)"], "L", parameters={"w": ("N",), "t": ()})
    derivation = program.derive()
    parameters = {"w": np.array([1000.0, -1.0]), "t": np.array(1.0)}
    expected = {"w": [0, np.exp(-1) / 6], "t": np.exp(-1) / 6}
    with way_of_running(way), np.errstate(all="ignore"):
        compiled = derivation.compile()(parameters)[1]
        module = module_of(derivation).loss_and_gradients(parameters)[1]
    values = derivation.values(parameters)
    for name, gradient in expected.items():
        np.testing.assert_allclose(compiled[name], gradient, rtol=1e-14)
        np.testing.assert_allclose(module[name], gradient, rtol=1e-14)
        np.testing.assert_allclose(values[f"{name}_bar"], gradient, rtol=1e-14)


def embedding():
    return sbp.Program(
        inputs={"x": ("N",)},
        integers={"c": ("N",)},
        parameters={"E": ("V", "D")},
        equations=["h[n,d]=E[c[n],d]*x[n]", "L=Sum(h[n,d]**2,n,d)"],
        loss="L",
    ).derive()


@pytest.mark.parametrize("wrong", [7, 3, -1])
def test_labels_out_of_range_are_told_on_every_call(wrong):
    derivation = embedding()
    function, table, x = derivation.compile(), {"E": np.arange(1.0, 7).reshape(3, 2)}, np.ones(2)
    message = rf"c\[1\] is {wrong}, but it chooses one of 3; give 0 to 2"
    with pytest.raises(UsageError, match=message):
        derivation.values(table, x, c=np.array([0, wrong]))
    for _ in range(2):
        with pytest.raises(UsageError, match=message):
            function(table, x, c=np.array([0, wrong]))
        assert function(table, x, c=np.array([0, 2]))[0] == 1 + 4 + 25 + 36


def test_targets_are_looked_at_in_every_new_array():
    rng = np.random.default_rng(0)
    function = sbp.Network(2, [sbp.Dense(1, "sigmoid")], "binary_cross_entropy").derive().compile()
    parameters, x = {"W1": np.ones((1, 2)), "b1": np.zeros(1)}, rng.normal(size=(3, 2))
    function(parameters, x, np.ones((3, 1)))
    with pytest.raises(UsageError, match=r"y\[1, 0\] is 5"):
        function(parameters, x, np.array([[1.0], [5.0], [0.0]]))
    assert function(parameters, x, np.zeros((3, 1)))[0] > 0


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_data_that_change_in_their_place_are_looked_at(activation):
    rng = np.random.default_rng(0)
    function = sbp.Network(2, [sbp.Dense(3, activation), sbp.Dense(1)], "half_squared_error").derive().compile()
    parameters = {"W1": rng.normal(size=(3, 2)), "b1": np.zeros(3), "W2": np.ones((1, 3)), "b2": np.zeros(1)}
    x, y = rng.normal(size=(3, 2)), np.ones((3, 1))
    function(parameters, x, y)
    x[2, 1] = np.inf
    with pytest.raises(UsageError, match=r"x\[2, 1\] is inf"):
        function(parameters, x, y)


def test_a_misspelt_parameter_is_named():
    function = sbp.Network(2, [sbp.Dense(1)], "huber").derive().compile()
    with pytest.raises(UsageError, match=r"has no input, target or parameter 'w1'; did you mean 'W1'\?"):
        function({"w1": np.ones((1, 2)), "b1": np.zeros(1)}, np.ones((3, 2)), np.ones((3, 1)))


def test_a_target_without_its_second_axis_is_told_how():
    function = sbp.Network(2, [sbp.Dense(1)], "huber").derive().compile()
    with pytest.raises(sbp.SizeError, match=r"y has shape \(3,\), but \(N, 1\) was expected: .* give y\[:, None\]"):
        function({"W1": np.ones((1, 2)), "b1": np.zeros(1)}, np.ones((3, 2)), np.ones(3))


def test_a_chain_of_hundreds_of_numbers():
    names = [f"p{number}" for number in range(205)]
    program = sbp.Program(
        [f"s = {' + '.join(names)} + x", "L = s**2"], "L", inputs={"x": ()}, parameters=dict.fromkeys(names, ())
    )
    loss, gradients = program.derive().compile()(dict.fromkeys(names, np.array(1.0)), x=0.0)
    assert loss == 205.0**2
    assert all(isinstance(gradient, np.ndarray) and gradient == 410 for gradient in gradients.values())


def test_inputs_may_be_called_like_arguments():
    program = sbp.Program(["L = Sum(w[n]*self[n], n)"], "L", inputs={"self": ("N",)}, parameters={"w": ("N",)})
    _, gradients = program.derive().compile()({"w": np.ones(2)}, self=np.array([3.0, 4.0]))
    assert gradients["w"].tolist() == [3, 4]


MIXED = {
    "integer data in a product": ["L = Sum(w[n]*x[n]*c[n], n)"],
    "integer data to a negative power": ["L = Sum(w[n]*x[n]*(1 + c[n])**(-2), n)"],
    "an index as a number": ["L = Sum(w[n]*n*x[n], n)"],
    "cases of constants": ["k[n] = where(x[n] > 0, 1, 3)", "L = Sum(k[n]*w[n]*c[n], n)"],
    "a function of a size": ["L = Sum(tanh(N)*w[n]*x[n]*c[n]/sqrt(N), n)"],
    "a constant array": ["k[n] = 2", "L = Sum(k[n]*w[n]*x[n]*c[n], n)"],
}


@pytest.mark.parametrize("name", MIXED)
def test_modules_keep_to_the_floating_type_of_the_parameters(name):
    program = sbp.Program(
        MIXED[name],
        "L",
        inputs={"x": ("N",)},
        integers={"c": ("N",)},
        parameters={"w": ("N",)},
        shapes={"k": ("N",)} if "k[n]" in MIXED[name][0] else {},
    )
    derivation = program.derive()
    w, x, c = np.array([1.0, 2.0], np.float32), np.array([0.5, -3.0], np.float32), np.array([1, 2])
    loss, gradients = module_of(derivation).loss_and_gradients({"w": w}, x, c)
    assert loss.dtype == np.float32
    assert gradients["w"].dtype == np.float32
    expected = derivation.compile()({"w": w}, x, c=c)
    assert loss == pytest.approx(expected[0], rel=1e-6)
    np.testing.assert_allclose(gradients["w"], expected[1]["w"], rtol=1e-6)


def test_a_prediction_that_mentions_a_size_of_the_targets():
    program = sbp.Program(
        ["z[n] = Sum(w[i]*x[n,i], i)/K", "L = Sum((z[n] - y[n,k])**2, n, k)"],
        "L",
        inputs={"x": ("N", "D")},
        targets={"y": ("N", "K")},
        parameters={"w": ("D",)},
        output="z",
    )
    derivation = program.derive()
    w, x, y = np.ones(2), np.ones((3, 2)), np.zeros((3, 4))
    module = module_of(derivation)
    assert module.predict({"w": w}, x, y).tolist() == [0.5, 0.5, 0.5]
    assert module.loss_and_gradients({"w": w}, x, y)[0] == derivation.compile()({"w": w}, x, y)[0]
