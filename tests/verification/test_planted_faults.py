"""Every planted fault fails, on every network it changes; the right pass written by hand does not."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest
from cases import Case, network
from faults import AFTERWARDS, RECIPES, RIGHT, Recipe, backward

from symbackprop.verification.verdicts import Verdict


@dataclass(frozen=True)
class Setting:
    """A network with three units in every layer, so that every fault has the right shapes."""

    kinds: tuple[str, ...]
    loss: str
    l2: float = 0.0
    trained: int = 0
    batch: int = 4

    @lru_cache  # noqa: B019  # the settings below live as long as the tests
    def case(self) -> Case:
        layers = tuple((3, kind) for kind in self.kinds)
        case = network(3, layers, self.loss, batch=self.batch, seed=5, l2=self.l2)
        for _ in range(self.trained):
            steps = {name: case.arrays[name] - 0.5 * gradient for name, gradient in case.gradients.items()}
            case = case.at(**steps)
        return case

    def gradients(self, case: Case, recipe: Recipe) -> dict[str, np.ndarray]:
        found = backward(self.kinds, self.loss, self.l2, case.arrays, recipe)
        return {name: found[name] for name in case.names}


SETTINGS = {
    "sigmoid": Setting(("sigmoid", "sigmoid"), "half_squared_error", 0.1),
    "tanh, softmax": Setting(("tanh", "tanh", "softmax"), "categorical_cross_entropy", 0.05),
    "relu": Setting(("relu", "identity"), "mean_squared_error", 0.3),
    "sigmoid, trained": Setting(("sigmoid", "sigmoid"), "half_squared_error", 0.01, trained=300),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_right_pass_is_right(name):
    setting = SETTINGS[name]
    case = setting.case()
    found = setting.gradients(case, RIGHT)
    for array, gradient in case.gradients.items():
        np.testing.assert_allclose(found[array], gradient, rtol=1e-11, atol=1e-17, err_msg=array)
    assert set(case.verdicts(found)) == {Verdict.PASS}


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        *itertools.product(RECIPES, ["sigmoid", "tanh, softmax", "relu"]),
        # What is done to the numbers afterwards knows nothing of the network they came from.
        *itertools.product(AFTERWARDS, ["sigmoid", "sigmoid, trained"]),
    ],
)
def test_a_planted_fault_fails(fault, name):
    setting = SETTINGS[name]
    case = setting.case()
    if fault in RECIPES:
        wrong = setting.gradients(case, RECIPES[fault])
    else:
        wrong = AFTERWARDS[fault](setting.gradients(case, RIGHT))
    assert fails(case, wrong), largest_change(case, wrong)


@pytest.mark.parametrize("method", ["forward", "central"])
@pytest.mark.parametrize("fault", ["one sign flipped", "factor 2", "one entry times 1.001", "one entry NaN"])
def test_the_plain_schemes_catch_what_they_can(fault, method):
    setting = SETTINGS["sigmoid"]
    case = setting.case()
    right = setting.gradients(case, RIGHT)
    eps = {"forward": 1e-6, "central": 1e-5}[method]
    assert set(case.verdicts(right, method=method, eps=eps)) == {Verdict.PASS}
    assert Verdict.FAIL in case.verdicts(AFTERWARDS[fault](right), method=method, eps=eps)


def test_softmax_treated_as_diagonal():
    case = network(3, ((4, "softmax"), (2, "identity")), "half_squared_error", seed=1)
    x, y, w1, b1, w2, b2 = (case.arrays[name] for name in ("x", "y", "W1", "b1", "W2", "b2"))
    raised = np.exp(x @ w1.T + b1)
    p = raised / raised.sum(1, keepdims=True)
    delta = (p @ w2.T + b2 - y) / len(x)
    back = delta @ w2
    full = p * (back - (p * back).sum(1, keepdims=True))
    diagonal = p * (1 - p) * back
    for hidden, verdict in ((full, Verdict.PASS), (diagonal, Verdict.FAIL)):
        found = {"W1": hidden.T @ x, "b1": hidden.sum(0), "W2": delta.T @ p, "b2": delta.sum(0)}
        assert (set(case.verdicts(found)) == {Verdict.PASS}) == (verdict is Verdict.PASS)


def fails(case: Case, wrong: dict[str, np.ndarray]) -> bool:
    """Whether a weight fails; one array at a time, to stop at the first."""
    return any(Verdict.FAIL in case.verdicts({name: gradient}) for name, gradient in wrong.items())


def largest_change(case: Case, wrong: dict[str, np.ndarray]) -> str:
    """For the message of a test: how much the fault changes."""
    changes = {n: float(np.max(np.abs(wrong[n] - g) / np.abs(g).max())) for n, g in case.gradients.items()}
    return f"the largest changes relative to the largest gradient are {changes}"
