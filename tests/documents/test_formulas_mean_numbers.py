"""The expression behind every formula of a document has the value that the derivation computes.

Numbers stand in for the symbols, and the expressions that the formulas are printed from are evaluated one by one by the
interpreter, which knows nothing of how the derivation came about.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
import sympy
from documents import OPTIONS, derivation_document, story
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import networks

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.documents.options import Options
from symbackprop.documents.sections.context import Context
from symbackprop.documents.sections.steps import shown_form
from symbackprop.documents.sections.weights import product_of_steps
from symbackprop.documents.tree import Display, Heading
from symbackprop.forms.breaks import unmarked
from symbackprop.forms.evaluate import evaluate
from symbackprop.notation.interpreter import FLOAT, interpret
from symbackprop.notation.program import Equation, Program, Role, Variable

SIZES = {"D": 2, "H": 3, "K": 2, "N": 2}


def numbers_of(program: Program) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    arrays = {}
    for variable in program.inputs:
        shape = tuple(int(e.xreplace({s: SIZES[s.name] for s in e.free_symbols})) for e in variable.shape)
        arrays[variable.name] = rng.uniform(0.2, 0.8, size=shape)
    return arrays


def sizes_of(program: Program) -> dict[str, int]:
    return {size.name: SIZES[size.name] for size in program.sizes}


@settings(max_examples=25)
@given(networks(layers=(1, 3)), st.sampled_from(["rows", "columns", "vector"]))
def test_every_step_and_every_form(network, orientation):
    """The contributions before they are put together, and the matrix form in the orientation that is shown."""
    options = Options(orientation=orientation, date="")
    views = story(network, options=options).views
    derivation = views.differentiation
    program = derivation.adjoint_program
    arrays = numbers_of(derivation.program)
    values = interpret(program, arrays, sizes_of(program), FLOAT)
    everything = {name: array.astype(float) for name, array in values.items()}
    for adjoint in derivation.adjoints:
        raw = sympy.Add(*(contribution.expression for contribution in adjoint.contributions))
        left = Variable("raw", adjoint.of.shape, Role.DEFINED, adjoint.of.indices)
        known = {name: array for name, array in everything.items() if name != adjoint.name}
        declared = tuple(
            Variable(v.name, v.shape, Role.INPUT, v.indices) for v in program.variables.values() if v.name in known
        )
        found = interpret(Program(declared, (Equation(left, raw),)), known, sizes_of(program), FLOAT)["raw"]
        np.testing.assert_allclose(found.astype(float), everything[adjoint.name], rtol=1e-9, atol=1e-12)
    context = Context(views, options)
    bound = {size: SIZES[size.name] for size in program.sizes}
    for equation in program.equations:
        form = shown_form(context, equation)
        if form is not None:
            expected = everything[equation.name]
            shown = evaluate(form.right, everything, bound)
            turned = expected.T if views.symbols.is_flipped(equation.name) else expected
            np.testing.assert_allclose(shown, turned, rtol=1e-9, atol=1e-12, err_msg=equation.name)


@settings(max_examples=15)
@given(networks(layers=(1, 2), symbolic=False))
def test_every_chain_multiplies_out(network):
    told = story(network)
    for gradient in told.example.form:
        assert product_of_steps(gradient) == pytest.approx(gradient.value, rel=1e-9, abs=1e-12)


NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?: \\cdot 10\^\{-?\d+\})?")


def read(latex):
    mantissa, _, exponent = latex.partition(r" \cdot 10^{")
    return float(f"{mantissa}e{exponent.rstrip('}') or 0}")


@pytest.mark.parametrize("orientation", ["rows", "columns", "vector"])
@pytest.mark.parametrize("digits", [3, 6, 12])
def test_displayed_arrays_are_those_of_the_compiled_function(orientation, digits):
    network = sbp.Network(2, [sbp.Dense(3, "sigmoid"), sbp.Dense(2)], "half_squared_error")
    options = Options(orientation=orientation, digits=digits, date="")
    told = story(network, options=options)
    single = {name: told.example.array(name) for name in ("x", "y")}
    x, y = (np.atleast_2d(single[name]) for name in ("x", "y"))
    parameters = {variable.name: told.example.array(variable.name) for variable in network.program.parameters}
    loss, gradients = network.derive().compile()(parameters, x, y)
    expected = {told.views.symbols.whole(f"{name}_bar", g.ndim): g for name, g in gradients.items()}
    expected[told.views.symbols.element("L")] = np.asarray(loss)
    blocks = derivation_document(told, options).blocks
    start = next(
        n for n, b in enumerate(blocks) if isinstance(b, Heading) and b.title == "Values on the way to the loss"
    )
    rows = [row for block in blocks[start : start + 4] if isinstance(block, Display) for row in block.rows]
    seen = {unmarked(row.left): unmarked("".join(row.right)) for row in rows}
    for symbol, array in expected.items():
        shown = [read(match) for match in NUMBER.findall(seen[unmarked(symbol)])]
        np.testing.assert_allclose(shown, array.ravel(), rtol=0.51 * 10.0 ** (1 - digits), atol=1e-15)


def test_a_wrong_matrix_form_is_noticed():
    """The order of a product, turned."""
    network = sbp.Network(2, [sbp.Dense(2, "tanh"), sbp.Dense(2)], "half_squared_error")
    derivation = differentiate(network.program)
    arrays = numbers_of(network.program)
    everything = {
        name: array.astype(float)
        for name, array in interpret(derivation.adjoint_program, arrays, {"N": 2}, FLOAT).items()
    }
    context = Context(story(network).views, OPTIONS)
    form = shown_form(context, derivation.by_variable["a1"].equation)
    wrong = type(form.right)(form.right.axes, form.right.right, form.right.left)
    shown = evaluate(wrong, everything, dict.fromkeys(derivation.adjoint_program.sizes, 2))
    assert not np.allclose(shown, everything["a1_bar"])
