"""Compiled networks against what their derivations evaluate to: every activation under every loss."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_runs import WAYS, way_of_running
from network_cases import all_networks, arrays_for, close, mlp

# Every activation and every loss; all pairs of them stand against PyTorch.
CASES = list(all_networks())[::2]


@pytest.mark.parametrize(("arguments", "batch"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_loss_and_gradients_are_the_derivations_values(arguments, batch):
    net = mlp(2, 4, 3, **arguments)
    derivation = net.derive()
    parameters, x, y = arrays_for(net, batch, seed=batch)
    expected = derivation.values(parameters, x, y)
    for way in WAYS:
        with way_of_running(way):
            function = derivation.compile()
            loss, gradients = function(parameters, x, y)
            assert function.loss(parameters, x, y) == pytest.approx(loss, rel=1e-14)
            close(function.predict(parameters, x), expected[net.program.output], 1e-12)
        close(loss, expected["L"], 1e-12)
        assert list(gradients) == list(derivation.gradients)
        for name, gradient in gradients.items():
            close(gradient, expected[derivation[name].adjoint_name], 1e-12, f"{name} by {way}")


@pytest.mark.parametrize("way", WAYS)
def test_symbolic_sizes_take_any_number(way):
    net = mlp("D", "H", "K", hidden="sigmoid", output="softmax", loss="categorical_cross_entropy")
    derivation = net.derive()
    rng = np.random.default_rng(1)
    with way_of_running(way):
        function = derivation.compile()
        for d, h, k, n in ((1, 1, 1, 1), (2, 3, 4, 5), (3, 2, 2, 1), (2, 3, 4, 5), (1, 5, 2, 7)):
            shapes = {"W1": (h, d), "b1": (h,), "W2": (k, h), "b2": (k,)}
            parameters = {name: rng.normal(size=shape) for name, shape in shapes.items()}
            x, y = rng.normal(size=(n, d)), rng.dirichlet(np.ones(k), size=n)
            loss, gradients = function(parameters, x, y)
            expected = derivation.values(parameters, x, y)
            close(loss, expected["L"], 1e-12)
            for name, gradient in gradients.items():
                close(gradient, expected[derivation[name].adjoint_name], 1e-12, name)


def test_gradients_by_inputs_come_out_where_they_were_asked_for():
    net = mlp(2, 3, 1, hidden="sigmoid")
    derivation = net.derive(wrt=("x", "W2"))
    parameters, x, y = arrays_for(net, 4)
    _, gradients = derivation.compile()(parameters, x, y)
    expected = derivation.values(parameters, x, y)
    assert list(gradients) == ["x", "W2"]
    close(gradients["x"], expected["x_bar"], 1e-12)
    close(gradients["W2"], expected["W2_bar"], 1e-12)


def test_a_deep_network_compiles_and_is_right():
    net = mlp(3, *[4] * 20, 2)
    derivation = net.derive()
    parameters, x, y = arrays_for(net, 6, scale=0.6)
    _, gradients = derivation.compile()(parameters, x, y)
    expected = derivation.values(parameters, x, y)
    assert len(gradients) == 42
    for name, gradient in gradients.items():
        close(gradient, expected[derivation[name].adjoint_name], 1e-12, name)
