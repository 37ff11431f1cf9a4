"""How symbols are written: four ways to number layers, two for derivatives, and examples as rows or as columns."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from random_networks import networks

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.errors import UsageError
from symbackprop.forms.notation import DERIVATIVES, FUNCTIONS, SCHEMES, Notation, Orientation
from symbackprop.forms.views import Views

NETWORK = sbp.Network("D", [sbp.Dense("H", "sigmoid"), sbp.Dense("K")], "half_squared_error")


def views(**choices):
    return Views(differentiate(NETWORK.program), Notation(**choices))


@pytest.mark.parametrize(
    ("symbols", "weight", "entry", "delta", "loss", "examples"),
    [
        ("superscript", "W^{(1)}", "w^{(1)}_{ji}", r"\delta^{(1)}_{nj}", "L", "N"),
        ("subscript", "W_{1}", "w_{1ji}", r"\delta_{1nj}", "L", "N"),
        ("nielsen", "w^{1}", "w^{1}_{ji}", r"\delta^{1}_{nj}", "C", "N"),
        ("ng", "W^{[1]}", "w^{[1]}_{ji}", r"\delta^{[1]}_{nj}", "J", "m"),
    ],
)
def test_where_the_number_stands(symbols, weight, entry, delta, loss, examples):
    seen = views(symbols=symbols)
    assert seen.symbols.whole("W1", 2) == weight
    assert seen.symbols.element("W1", ("j", "i")) == entry
    assert seen.printer.doprint(seen.differentiation.by_variable["z1"].equation.left.everywhere) == delta
    assert seen.symbols.element("L") == loss
    assert seen.symbols.size("N") == examples


def test_a_bare_number_is_no_power():
    """w^{1 T} would read as a power, and so would (a^1)^2 without its brackets."""
    seen = views(symbols="nielsen", orientation="columns")
    gradient = seen.differentiation.by_variable["a1"].equation
    assert seen.matrix_latex(gradient, Orientation.COLUMNS).endswith(r"(w^{2})^{\top} \delta^{2}")


def test_positions_of_two_digits_are_kept_apart():
    assert views(symbols="subscript").symbols.element("W1", ("12", "3")) == "w_{1,12,3}"


def test_partial_derivatives_in_place_of_error_signals():
    seen = views(derivative="partial")
    assert seen.printer.equation(seen.differentiation.by_variable["b1"].equation) == (
        r"\frac{\partial L}{\partial b^{(1)}_{j}} = \sum_{n=1}^{N} \frac{\partial L}{\partial z^{(1)}_{nj}}"
    )


def test_functions_written_out():
    forward = NETWORK.program.definitions["a1"]
    assert views().printer.right(forward) == r"\sigma(z^{(1)}_{nj})"
    assert views(functions="expanded").printer.right(forward) == r"\frac{1}{1 + e^{-z^{(1)}_{nj}}}"


def test_examples_as_columns_turn_their_indices():
    seen = views(orientation="columns")
    forward = NETWORK.program.definitions["z1"]
    assert seen.printer.equation(forward) == (r"z^{(1)}_{jn} = \sum_{i=1}^{D} w^{(1)}_{ji}\,x_{in} + b^{(1)}_{j}")
    assert seen.matrix_latex(forward, Orientation.COLUMNS) == (r"Z^{(1)} = W^{(1)} X + b^{(1)} \mathbf{1}_{N}^{\top}")


@pytest.mark.parametrize(
    ("choice", "value", "message"),
    [
        ("symbols", "nielson", "unknown notation 'nielson'; did you mean 'nielsen'"),
        ("derivative", "d", "unknown derivative 'd'"),
        ("functions", "named ", "unknown functions 'named '; did you mean 'named'"),
        ("orientation", "column", "unknown orientation 'column'; did you mean 'columns'"),
    ],
)
def test_a_choice_that_there_is_not(choice, value, message):
    with pytest.raises(UsageError, match=message):
        Notation(**{choice: value})


def test_letters_that_are_taken_stay_what_they_are():
    """Where J, C or m is a variable or a size already, the loss and the batch keep their letters; so do entries."""
    program = sbp.Program(
        ["z[n] = Sum(J[i]*x[n,i], i) + Sum(K[i,k]*C[i,k], i, k)", "L = Sum((z[n] - y[n])**2, n)"],
        "L",
        inputs={"x": ("N", "m")},
        targets={"y": ("N",)},
        parameters={"J": ("m",), "K": ("m", 2), "C": ("m", 2)},
        batch="N",
    )
    for symbols in ("ng", "nielsen"):
        seen = Views(differentiate(program.program), Notation(symbols=symbols)).symbols
        assert seen.element("L") == "L"
        assert seen.size("N") == "N"
    usual = Views(differentiate(program.program)).symbols
    # k is an index here, so an entry of K is no k.
    assert usual.element("K", ("i", "k")) == "K_{ik}"
    assert usual.element("C", ("i", "k")) == "c_{ik}"


@settings(max_examples=40)
@given(networks())
def test_no_two_variables_are_written_alike(network):
    differentiation = differentiate(network.program)
    variables = list(differentiation.adjoint_program.variables.values())
    for symbols in SCHEMES:
        for derivative in DERIVATIVES:
            for functions in FUNCTIONS:
                seen = Views(differentiation, Notation(symbols, derivative, functions)).symbols
                wholes = [seen.whole(v.name, len(v.shape)) for v in variables]
                assert len(set(wholes)) == len(wholes)


def test_an_index_makes_room_for_the_number_of_examples():
    """In Ng's notation m counts the examples, so the second index over them is another letter."""
    seen = views(symbols="ng")
    (contribution,) = seen.differentiation.by_variable["z2"].contributions
    factor = contribution.chain[0]
    assert seen.printer.doprint(factor.by) == (r"\sum_{p=1}^{m} \sum_{k=1}^{K} \left(z^{[2]}_{pk} - y_{pk}\right)^{2}")
