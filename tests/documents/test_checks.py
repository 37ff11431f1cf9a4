"""The checks that a document prints: the displayed steps, SymPy's own derivative, and a difference quotient."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from documents import OPTIONS, story

import symbackprop as sbp
from symbackprop.documents.example import WeightCheck
from symbackprop.documents.sections.checks import checks_section
from symbackprop.documents.sections.context import Context
from symbackprop.documents.sections.weights import product_of_steps
from symbackprop.documents.tree import Math, Table
from symbackprop.layers.activations import ACTIVATIONS

SMALL = {
    name: sbp.Network(2, [sbp.Dense(2, name), sbp.Dense(1, "sigmoid")], "mean_squared_error") for name in ACTIVATIONS
}
SMALL["cross-entropy"] = sbp.Network(2, [sbp.Dense(2, "tanh"), sbp.Dense(2, "softmax")], "categorical_cross_entropy")
SMALL["penalties"] = sbp.Network(1, [sbp.Dense(2, "tanh"), sbp.Dense(1)], "mean_squared_error", l2=0.2)


def example_of(network):
    rng = np.random.default_rng(3)
    parameters = {name: rng.normal(size=array.shape) for name, array in network.initial_parameters().items()}
    return story(network, parameters, None, None).example


@pytest.mark.parametrize("name", SMALL)
def test_the_three_ways_agree(name):
    example = example_of(SMALL[name])
    assert len(example.checks) == sum(array.size for array in SMALL[name].initial_parameters().values())
    for check in example.checks:
        gradient = example.form.gradient(check.place[0], *check.place[1])
        assert product_of_steps(gradient) == pytest.approx(gradient.value, rel=1e-12, abs=1e-15)
        assert check.derivative == pytest.approx(gradient.value, rel=1e-10, abs=1e-14)
        assert check.error(gradient.value) < 1e-6


def test_the_compiled_gradient_is_what_the_document_shows():
    network = SMALL["sigmoid"]
    example = example_of(network)
    given = {name: array for name, array in example.form.values.items() if not name.endswith("_bar")}
    parameters = {variable.name: given[variable.name] for variable in network.program.parameters}
    _, gradients = network.derive().compile()(parameters, given["x"], given["y"])
    for check in example.checks:
        name, at = check.place
        assert gradients[name][at] == pytest.approx(check.derivative, rel=1e-10)


def test_a_wrong_factor_shows():
    """A step that is off by a thousandth stands out by as much."""
    network = SMALL["tanh"]
    example = example_of(network)
    check = example.checks[0]
    right = example.form.gradient(check.place[0], *check.place[1]).value
    assert check.error(1.001 * right) == pytest.approx(1e-3, rel=1e-2)
    wrong = dataclasses.replace(check, derivative=-check.derivative)
    assert wrong.error(right) == pytest.approx(2, rel=1e-6)


def test_of_many_weights_one_of_each_array_is_checked():
    example = example_of(sbp.Network(4, [sbp.Dense(5, "tanh"), sbp.Dense(2)], "mean_squared_error"))
    assert [check.place for check in example.checks] == [("W1", (0, 0)), ("b1", (0,)), ("W2", (0, 0)), ("b2", (0,))]


def test_a_loss_too_large_for_sympy_is_checked_by_differences():
    network = sbp.Network(60, [sbp.Dense(40, "tanh"), sbp.Dense(1)], "mean_squared_error")
    rng = np.random.default_rng(0)
    example = story(network, None, rng.normal(size=(1, 60)), [[1.0]]).example
    assert all(check.derivative is None for check in example.checks)
    for check in example.checks:
        assert check.error(example.form.gradient(check.place[0], *check.place[1]).value) < 1e-6
    (table,) = (
        block
        for block in checks_section(Context(network.derive()._views, OPTIONS), example)
        if isinstance(block, Table)
    )
    assert all(row[2] == ("not taken",) for row in table.rows)


def test_cases_inside_of_cases_are_not_written_out():
    network = sbp.Network(2, [sbp.Dense(2, "selu")] * 3 + [sbp.Dense(1)], "mean_squared_error")
    assert all(check.derivative is None for check in example_of(network).checks)


def test_the_error_of_a_derivative_that_is_zero_is_absolute():
    assert WeightCheck(("W1", (0, 0)), 0.0, 1e-9, 1e-5).error(0.0) == 1e-9


def test_an_error_of_rounding_is_not_spelled_out():
    """How large it is differs from machine to machine, and the document must not."""
    example = example_of(SMALL["sigmoid"])
    blocks = checks_section(Context(SMALL["sigmoid"].derive()._views, OPTIONS), example)
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert {row[-1] for row in table.rows} == {(Math("< 10^{-6}"),)}
    coarse = dataclasses.replace(example, checks=(dataclasses.replace(example.checks[0], difference=0.0),))
    blocks = checks_section(Context(SMALL["sigmoid"].derive()._views, OPTIONS), coarse)
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert table.rows[0][-1] == (Math("1"),)
