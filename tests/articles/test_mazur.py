"""Matt Mazur's step by step example, to every digit that is printed."""

from __future__ import annotations

import numpy as np
import pytest
from article_claims import as_printed, claim, exactly, example, table

import symbackprop as sbp

MAZUR = claim("O-mazur")
RATE = table()["examples"][MAZUR.example]["learning rate"]


@pytest.fixture(scope="module")
def derivation():
    return sbp.Network(2, [sbp.Dense(2, "sigmoid"), sbp.Dense(2, "sigmoid")], "half_squared_error").derive()


def stepped(derivation):
    """The parameters after one step of the compiled gradients."""
    parameters, x, y = example(MAZUR.example)
    _, gradients = derivation.compile()(parameters, x, y)
    return {name: array - RATE * gradients[name] for name, array in parameters.items()}


@pytest.fixture(scope="module")
def found(derivation):
    """Every number of the article, as the package computes it."""
    parameters, x, y = example(MAZUR.example)
    values = derivation.values(parameters, x, y)
    after = stepped(derivation)
    errors = (values["a2"] - y)[0] ** 2 / 2
    weights = np.concatenate([after["W1"].ravel(), after["W2"].ravel()])
    return {
        "h": values["a1"][0].tolist(),
        "o": values["a2"][0].tolist(),
        "E1": errors[0],
        "E2": errors[1],
        "E": float(values["L"]),
        "dE_dw5": values["W2_bar"][0, 0],
        "dE_dw1": values["W1_bar"][0, 0],
        **{f"w{number}": weight for number, weight in enumerate(weights, 1)},
    }


def test_mazur_has_no_other_numbers(found):
    assert set(found) == set(MAZUR.claimed) == set(MAZUR.verified)


@pytest.mark.parametrize("name", list(MAZUR.claimed))
def test_mazur_as_printed(found, name):
    assert found[name] == as_printed(MAZUR.claimed[name])
    assert found[name] == exactly(MAZUR.verified[name])


def test_mazur_biases_as_printed(derivation):
    fact = claim("O-mazur-biases")
    after = stepped(derivation)
    for name in ("b1", "b2"):
        assert after[name].tolist() == as_printed(fact.claimed[name])
        assert after[name] == exactly(fact.verified[name])


def test_mazur_gradients_are_right_and_lower_the_error(derivation):
    parameters, x, y = example(MAZUR.example)
    assert derivation.verify(parameters, x, y).ok
    assert derivation.compile().loss(stepped(derivation), x, y) < MAZUR.verified["E"]


def test_mazur_chain_of_w5(derivation):
    # dE/dw5 = -(t - o) o (1 - o) h, factor by factor.
    parameters, x, y = example(MAZUR.example)
    (path,) = derivation.scalar(parameters, x, y).gradient("W2", 0, 0).paths()
    assert str(path) == "dL/da2[0,0] * da2[0,0]/dz2[0,0] * dz2[0,0]/dW2[0,0]"
    output, activation = MAZUR.verified["o"][0], MAZUR.verified["h"][0]
    assert [link.value for link in path.links] == exactly([output - y[0, 0], output * (1 - output), activation])
    assert path.value == as_printed(MAZUR.claimed["dE_dw5"])
