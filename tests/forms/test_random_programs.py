"""Matrix form and index form evaluate alike, and every form prints, for random programs and for named ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from known_programs import KNOWN, known_case
from random_programs import Case, cases

from symbackprop.adjoint.sweep import differentiate
from symbackprop.errors import NoRuleError
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.forms.views import Views
from symbackprop.notation.interpreter import FLOAT, interpret


def numbers(case: Case) -> dict[str, np.ndarray]:
    declared = {variable.name: variable for variable in case.program.inputs}
    kinds = {name: int if declared[name].integer else float for name in case.values}
    return {name: np.asarray(value, dtype=object).astype(kinds[name]) for name, value in case.values.items()}


def check_forms(case: Case) -> None:
    derivation = differentiate(case.program)
    program = derivation.adjoint_program
    values = numbers(case)
    meant = interpret(program, values, case.sizes, FLOAT)
    views = Views(derivation)
    try:
        found = evaluate_program(program, values, case.sizes)
    except NoRuleError as error:
        # The one thing that has no array form, and says so: an index used as a number.
        assert "used as a number" in str(error)  # noqa: PT017
        return
    for name, array in meant.items():
        expected = array.astype(float)
        scale = max(1.0, float(np.abs(expected).max(initial=0)))
        np.testing.assert_allclose(found[name], expected, rtol=1e-9, atol=1e-10 * scale, err_msg=name)
    for equation in program.equations:
        assert views.index(equation).latex
        assert views.matrix_latex(equation) != ""
        assert str(equation)


@settings(max_examples=120)
@given(case=cases("general"))
def test_random_programs(case):
    check_forms(case)


@settings(max_examples=60)
@given(case=cases("rational"))
def test_random_rational_programs(case):
    check_forms(case)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_known_programs(name):
    check_forms(known_case(name))
