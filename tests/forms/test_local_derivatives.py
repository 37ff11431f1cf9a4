"""Every local derivative that a document prints is the derivative of its equation, by SymPy's brute force."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from networks import CASES, arrays, derived

from symbackprop.forms.evaluate import evaluate_program
from symbackprop.forms.scalar import ScalarForm
from symbackprop.notation.interpreter import EXACT, evaluate_expression
from symbackprop.notation.sizes import bind_sizes

SMALL = {"N": 1, "D": 2, "H": 2, "K": 2}


@pytest.mark.parametrize("case", CASES)
def test_links_are_derivatives_of_the_equations(case):
    derivation = derived(case)
    program = derivation.adjoint_program
    values = evaluate_program(program, arrays(program, seed=3, sizes=SMALL))
    sizes = bind_sizes(program, {v.name: values[v.name].shape for v in program.inputs})
    form = ScalarForm(derivation, sizes, values)
    symbols = {name: symbolic(name, array.shape) for name, array in values.items()}
    numbers = {
        symbol: sympy.Float(float(number), 30)
        for name in values
        for symbol, number in zip(symbols[name].flat, values[name].flat, strict=True)
    }
    for adjoint in derivation.adjoints:
        for position in form.places(adjoint.of.name):
            by = symbols[adjoint.of.name][position]
            for (name, at), link in form.links((adjoint.of.name, position)):
                equation = derivation.program.definitions[name]
                here = {i: sympy.Integer(n) for i, n in zip(equation.indices, at, strict=True)}
                written_out = evaluate_expression(equation.right.subs(here), symbols, sizes, EXACT)
                expected = float(sympy.diff(written_out, by).subs(numbers).doit())
                assert link.value == pytest.approx(expected, rel=1e-9, abs=1e-12), link


def symbolic(name: str, shape: tuple[int, ...]) -> np.ndarray:
    result = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        result[place] = sympy.Symbol("_".join(["u", name, *map(str, place)]), real=True)
    return result
