"""Training against PyTorch's optimizers on PyTorch's gradients: 20 full-batch steps in float64."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sbp

torch = pytest.importorskip("torch", reason="PyTorch is an optional extra")
from torch_definitions import TORCH_ACTIVATIONS, TORCH_LOSSES  # noqa: E402  # it imports PyTorch

STEPS = 20
# The widths after the inputs with their activations, and the loss.
NETWORKS = {
    "a regression": ([(4, "tanh"), (2, "identity")], "mean_squared_error"),
    "a deep regression": ([(5, "silu"), (4, "softplus"), (3, "identity")], "half_squared_error"),
    "two classes": ([(4, "sigmoid"), (1, "identity")], "binary_cross_entropy_with_logits"),
    "two classes by a sigmoid": ([(4, "gelu"), (1, "sigmoid")], "binary_cross_entropy"),
    "three classes": ([(5, "tanh"), (3, "identity")], "categorical_cross_entropy_with_logits"),
    "three classes by a softmax": ([(5, "relu"), (3, "softmax")], "categorical_cross_entropy"),
}
# What the package is told, and what PyTorch is.
OPTIMIZERS = {
    "sgd": ({"learning_rate": 0.1}, lambda w: torch.optim.SGD(w, lr=0.1)),
    "momentum": ({"learning_rate": 0.05, "momentum": 0.9}, lambda w: torch.optim.SGD(w, lr=0.05, momentum=0.9)),
    "adam": ({"learning_rate": 0.01, "optimizer": "adam"}, lambda w: torch.optim.Adam(w, lr=0.01)),
    "adam with settings": (
        {"learning_rate": 0.02, "optimizer": sbp.Adam(0.8, 0.99, 1e-6)},
        lambda w: torch.optim.Adam(w, lr=0.02, betas=(0.8, 0.99), eps=1e-6),
    ),
}
# Wrong ones, to see that the comparison would notice.
WRONG = {
    "another rate": ("sgd", lambda w: torch.optim.SGD(w, lr=0.1 * (1 + 1e-6))),
    "Nesterov": ("momentum", lambda w: torch.optim.SGD(w, lr=0.05, momentum=0.9, nesterov=True)),
    "dampening": ("momentum", lambda w: torch.optim.SGD(w, lr=0.05, momentum=0.9, dampening=0.1)),
    "no momentum": ("momentum", lambda w: torch.optim.SGD(w, lr=0.05)),
    "AMSGrad": ("adam with settings", lambda w: torch.optim.Adam(w, 0.02, (0.8, 0.99), 1e-6, amsgrad=True)),
    "another epsilon": ("adam", lambda w: torch.optim.Adam(w, lr=0.01, eps=1e-6)),
    "betas exchanged": ("adam", lambda w: torch.optim.Adam(w, lr=0.01, betas=(0.999, 0.9))),
    "Adamax": ("adam", lambda w: torch.optim.Adamax(w, lr=0.01)),
}


def compare(what, settings, make, layout="out_in"):
    shapes, loss = NETWORKS[what]
    net = sbp.Network(3, [sbp.Dense(*shape) for shape in shapes], loss, weight_layout=layout)
    rng = np.random.default_rng(len(what))
    parameters = {v.name: rng.normal(size=[int(s) for s in v.shape]) for v in net.program.parameters}
    x, outputs = rng.normal(size=(8, 3)), shapes[-1][0]
    if loss.startswith("categorical"):
        y = np.eye(outputs)[rng.integers(outputs, size=8)]
    else:
        y = rng.integers(2, size=(8, outputs)) * 1.0 if loss.startswith("binary") else rng.normal(size=(8, outputs))
    run = net.train(parameters, x, y, epochs=STEPS, progress=False, **settings)

    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in parameters.items()}
    optimizer = make(list(tensors.values()))

    def forward():
        a = torch.tensor(x)
        for number, (_, activation) in enumerate(shapes, 1):
            weight = tensors[f"W{number}"]
            a = TORCH_ACTIVATIONS[activation](a @ (weight.T if layout == "out_in" else weight) + tensors[f"b{number}"])
        return a

    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = TORCH_LOSSES[loss](forward(), torch.tensor(y), "mean")
        losses.append(value.item())
        value.backward()
        optimizer.step()
    with torch.no_grad():
        output = forward()
        losses.append(TORCH_LOSSES[loss](output, torch.tensor(y), "mean").item())

    for name, tensor in tensors.items():
        expected = tensor.detach().numpy()
        assert np.abs(expected - parameters[name]).max() > 1e-3
        np.testing.assert_allclose(run.parameters[name], expected, rtol=1e-9, atol=1e-9, err_msg=name)
    np.testing.assert_allclose([*run.losses, run.loss], losses, rtol=1e-9)
    np.testing.assert_allclose(run.predictions, output.numpy(), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("what", NETWORKS)
def test_training_is_pytorchs(what, optimizer):
    compare(what, *OPTIMIZERS[optimizer])


def test_with_weights_the_other_way_round():
    compare("three classes", *OPTIMIZERS["adam"], layout="in_out")


@pytest.mark.parametrize("fault", WRONG)
def test_another_optimizer_is_noticed(fault):
    optimizer, make = WRONG[fault]
    with pytest.raises(AssertionError):
        compare("a regression", OPTIMIZERS[optimizer][0], make)
