"""Gradients against PyTorch's autograd: every activation, every loss as its docstring says, both layouts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy

from symbackprop.adjoint.sweep import differentiate
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.dense import Dense
from symbackprop.layers.losses import LOSSES
from symbackprop.network import describe, network_program

torch = pytest.importorskip("torch", reason="PyTorch is an optional extra")
from torch_definitions import TORCH_ACTIVATIONS, TORCH_LOSSES  # noqa: E402  # it imports PyTorch

OUTPUTS = {
    "binary_cross_entropy": ["sigmoid", "hard_sigmoid", "softmax"],
    "categorical_cross_entropy": ["softmax", "sigmoid"],
    "binary_cross_entropy_with_logits": ["identity"],
    "categorical_cross_entropy_with_logits": ["identity"],
}


def test_the_tables_are_complete():
    assert set(TORCH_ACTIVATIONS) == set(ACTIVATIONS)
    assert set(TORCH_LOSSES) == set(LOSSES)


def cases():
    settings = itertools.cycle(itertools.product(["mean", "sum"], ["out_in", "in_out"], [True, False], [0.0, 0.03]))
    for loss in LOSSES:
        for hidden in ACTIVATIONS:
            for output in OUTPUTS.get(loss, ["identity", "tanh"]):
                yield pytest.param(loss, hidden, output, *next(settings), id=f"{loss}-{hidden}-{output}")


@pytest.mark.parametrize(("loss", "hidden", "output", "reduction", "layout", "bias", "penalty"), list(cases()))
def test_agrees_with_autograd(loss, hidden, output, reduction, layout, bias, penalty):
    layers = [Dense(4, hidden, bias), Dense(5, "tanh", bias), Dense(3, output, bias)]
    described = describe("D", layers, loss, reduction, layout, l1=penalty, l2=2 * penalty)
    program = network_program(described)
    derivation = differentiate(program)
    rng = np.random.default_rng(len(loss) + 7 * len(hidden))
    values = {}
    for variable in program.inputs:
        shape = [
            int(sympy.sympify(e.xreplace({s: {"N": 6, "D": 2}[s.name] for s in program.sizes}))) for e in variable.shape
        ]
        # Small enough that a hard sigmoid at the output stays off 0 and 1, where the cross-entropy is infinite.
        values[variable.name] = rng.normal(size=shape) * (0.3 if output == "hard_sigmoid" else 1)
    values["y"] = target(loss, rng)
    found = evaluate_program(derivation.adjoint_program, values)

    tensors = {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=name not in "xy") for name, value in values.items()
    }
    a = tensors["x"]
    for number, name in enumerate((hidden, "tanh", output), 1):
        weight = tensors[f"W{number}"]
        a = a @ (weight.T if layout == "out_in" else weight)
        a = TORCH_ACTIVATIONS[name](a + tensors[f"b{number}"] if bias else a)
    total = TORCH_LOSSES[loss](a, tensors["y"], reduction)
    for number in (1, 2, 3):
        total = total + penalty * tensors[f"W{number}"].abs().sum() + penalty * (tensors[f"W{number}"] ** 2).sum()
    total.backward()

    assert float(found["L"]) == pytest.approx(total.item(), rel=1e-12)
    for parameter in program.parameters:
        expected = tensors[parameter.name].grad.numpy()
        gradient = found[derivation.by_variable[parameter.name].name]
        scale = np.abs(expected).max() or 1.0
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-11 * scale, err_msg=parameter.name)


def target(loss, rng):
    if loss.startswith("categorical"):
        return rng.dirichlet(np.ones(3), size=6)
    if loss.startswith("binary"):
        return rng.uniform(size=(6, 3))
    if loss == "hinge":
        return rng.choice([-1.0, 1.0], size=(6, 3))
    return rng.normal(size=(6, 3))


def test_slopes_at_exact_kinks_are_pytorchs():
    for name in ("relu", "leaky_relu", "hard_sigmoid", "selu", "elu"):
        for point in (-3.0, 0.0, 3.0):
            program = network_program(describe(1, [Dense(1, name)], "upstream"))
            derivation = differentiate(program)
            values = {"x": np.array([[1.0]]), "W1": np.array([[point]]), "b1": np.array([0.0]), "y": np.array([[1.0]])}
            found = evaluate_program(derivation.adjoint_program, values)["W1_bar"]
            weight = torch.tensor([[point]], dtype=torch.float64, requires_grad=True)
            function = torch.nn.functional.hardsigmoid if name == "hard_sigmoid" else TORCH_ACTIVATIONS[name]
            function(torch.ones(1, 1, dtype=torch.float64) @ weight).sum().backward()
            assert found[0, 0] == pytest.approx(weight.grad.item(), rel=1e-7), (name, point)
