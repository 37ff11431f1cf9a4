"""Scalar form: every single weight has its chain, and the chains multiply and add up to the gradient."""

from __future__ import annotations

import numpy as np
import pytest
from networks import CASES, arrays, derived

from symbackprop.errors import SizeError, UsageError
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.forms.scalar import ScalarForm
from symbackprop.notation.sizes import bind_sizes

SMALL = {"N": 2, "D": 2, "H": 2, "K": 2}


def scalar_form(case: str) -> ScalarForm:
    derivation = derived(case)
    program = derivation.adjoint_program
    values = evaluate_program(program, arrays(program, sizes=SMALL))
    sizes = bind_sizes(program, {v.name: values[v.name].shape for v in program.inputs})
    return ScalarForm(derivation, sizes, values)


@pytest.mark.parametrize("case", CASES)
def test_paths_add_up_to_every_weight(case):
    form = scalar_form(case)
    weights = list(form)
    assert len(weights) == sum(form.values[v.name].size for v in form.program.parameters)
    for gradient in weights:
        paths = gradient.paths()
        assert len(paths) == gradient.path_count
        assert sum(path.value for path in paths) == pytest.approx(gradient.value, rel=1e-10, abs=1e-13)
        assert form.number(gradient.expression) == pytest.approx(gradient.value, rel=1e-10, abs=1e-13)


def test_chain_is_written_from_the_loss_inwards():
    derivation = derived("sigmoid")
    form = ScalarForm(
        derivation, {symbol: {"N": 1, "D": 2, "H": 3, "K": 1}[symbol.name] for symbol in derivation.program.sizes}
    )
    gradient = form.gradient("W1", 0, 1)
    assert gradient.value is None
    (path,) = gradient.paths()
    assert str(path) == "dL/dz2[0,0] * dz2[0,0]/da1[0,0] * da1[0,0]/dz1[0,0] * dz1[0,0]/dW1[0,1]"
    assert path.links[2].rule == "derivative of sigmoid"
    assert path.links[2].identity == r"\sigma'(z) = \sigma(z)\,(1 - \sigma(z))"


def test_paths_through_several_successors_are_counted_and_limited():
    form = scalar_form("three layers")
    gradient = form.gradient("W1", 0, 0)
    assert gradient.path_count == 2 * 3 * 2
    assert len(gradient.paths(limit=5)) == 5


def test_what_is_not_there_is_named():
    form = scalar_form("sigmoid")
    with pytest.raises(UsageError, match=r"no gradient for 'W9'; did you mean 'W2'\?"):
        form.gradient("W9", 0, 0)
    with pytest.raises(SizeError, match=r"W1 has shape \(2, 2\); position \(2, 0\) is not in it"):
        form.gradient("W1", 2, 0)


def test_numbers_are_the_matrix_forms_numbers():
    form = scalar_form("fused softmax")
    adjoint = form.differentiation.by_variable["W2"].name
    found = np.array([[form.gradient("W2", j, i).value for i in range(2)] for j in range(2)])
    np.testing.assert_array_equal(found, form.values[adjoint])
