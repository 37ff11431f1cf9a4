"""Matrix form means what index form means: in NumPy, in SymPy, in every orientation."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from networks import CASES, arrays, derived
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from symbackprop.errors import NoRuleError
from symbackprop.forms.arrays import Einsum, MatMul, Permute
from symbackprop.forms.evaluate import evaluate, evaluate_program
from symbackprop.forms.lower import lower
from symbackprop.forms.matrix_sympy import matrix_expression
from symbackprop.forms.notation import Orientation
from symbackprop.forms.views import Views
from symbackprop.notation.expressions import index, occurrence, size, total
from symbackprop.notation.interpreter import FLOAT, interpret
from symbackprop.notation.program import Equation, Program, Role, Variable
from symbackprop.notation.sizes import bind_sizes

TOLERANCE = {"rtol": 1e-12, "atol": 1e-13}


def interpreted(program, values):
    return {name: array.astype(float) for name, array in interpret(program, values, arithmetic=FLOAT).items()}


@pytest.mark.parametrize("case", CASES)
def test_matrix_form_computes_what_the_index_form_means(case):
    program = derived(case).adjoint_program
    values = arrays(program)
    expected = interpreted(program, values)
    found = evaluate_program(program, values)
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, **TOLERANCE, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_columns_are_the_transpose_of_rows(case):
    program = derived(case).adjoint_program
    values = evaluate_program(program, arrays(program))
    sizes = bind_sizes(program, {v.name: values[v.name].shape for v in program.inputs})
    for equation in program.equations:
        form = lower(equation, program, Orientation.COLUMNS)
        expected = values[equation.name].T if form.left.flipped else values[equation.name]
        np.testing.assert_allclose(evaluate(form, values, sizes), expected, **TOLERANCE, err_msg=str(equation))


@pytest.mark.parametrize("case", CASES)
def test_one_column_vector_is_a_batch_of_one(case):
    program = derived(case).adjoint_program
    values = arrays(program, sizes={"N": 1, "D": 2, "H": 4, "K": 2})
    values = evaluate_program(program, values)
    sizes = bind_sizes(program, {v.name: values[v.name].shape for v in program.inputs})
    for equation in program.equations:
        form = lower(equation, program, Orientation.VECTOR)
        expected = values[equation.name]
        if equation.left.shape and equation.left.shape[0] == program.batch:
            expected = expected[0]
        np.testing.assert_allclose(evaluate(form, values, sizes), expected, **TOLERANCE, err_msg=str(equation))


def as_numbers(expression, values, sizes):
    """A SymPy matrix expression in numbers, node by node; SymPy's own ``doit`` leaves elementwise functions alone."""
    if isinstance(expression, sympy.MatrixSymbol):
        array = values[expression.name]
        return array.reshape(-1, 1) if array.ndim == 1 else array
    if isinstance(expression, sympy.OneMatrix):
        return np.ones([int(sympy.sympify(extent.xreplace(sizes))) for extent in expression.shape])
    parts = [
        as_numbers(argument, values, sizes) for argument in expression.args if not isinstance(argument, sympy.Lambda)
    ]
    if isinstance(expression, sympy.MatMul | sympy.Mul):
        result = parts[0]
        for part in parts[1:]:
            result = result * part if np.ndim(result) == 0 or np.ndim(part) == 0 else result @ part
        return result
    if isinstance(expression, sympy.MatAdd | sympy.Add):
        return sum(parts)
    if isinstance(expression, sympy.Transpose):
        return parts[0].T
    if isinstance(expression, sympy.HadamardProduct):
        result = parts[0]
        for part in parts[1:]:
            result = result * part
        return result
    if isinstance(expression, sympy.HadamardPower | sympy.Pow):
        return np.power(parts[0], parts[1])
    if isinstance(expression, ElementwiseApplyFunction):
        function = expression.function
        return np.vectorize(lambda u: float(function(sympy.Float(u, 17)).evalf(17)))(parts[0])
    if isinstance(expression, sympy.matrices.expressions.matexpr.MatrixElement):
        return float(as_numbers(expression.parent, values, sizes)[0, 0])
    if expression.is_Symbol and expression.name in values:
        return float(values[expression.name])
    return float(sympy.sympify(expression.xreplace(sizes)).evalf(17))


@pytest.mark.parametrize("case", CASES)
def test_sympy_matrices_have_the_same_value(case):
    program = derived(case).adjoint_program
    values = evaluate_program(program, arrays(program))
    sizes = bind_sizes(program, {v.name: values[v.name].shape for v in program.inputs})
    checked = 0
    for equation in program.equations:
        try:
            expression = matrix_expression(lower(equation, program).right)
        except NoRuleError:
            continue
        found = np.asarray(as_numbers(expression, values, sizes), dtype=float)
        expected = values[equation.name]
        np.testing.assert_allclose(
            found.reshape(expected.shape), expected, rtol=1e-10, atol=1e-12, err_msg=str(equation)
        )
        checked += 1
    assert checked >= len(program.equations) - 2


def test_gradient_of_a_weight_is_one_product_of_views():
    derivation = derived("sigmoid")
    form = lower(derivation.by_variable["W1"].equation, derivation.adjoint_program)
    assert isinstance(form.right, MatMul)
    assert isinstance(form.right.left, Permute)
    assert Views(derivation).matrix_latex(derivation.by_variable["W1"].equation) == (
        r"\frac{\partial L}{\partial W^{(1)}} = \Delta^{(1)\top} X"
    )


def test_three_axes_fall_back_to_einsum():
    b, i, j, k = map(index, "bijk")
    batch, rows, inner, columns = map(size, ("B", "I", "J", "K"))
    left = Variable("A", (batch, rows, inner), Role.PARAMETER, (b, i, j))
    right = Variable("C", (batch, inner, columns), Role.INPUT, (b, j, k))
    product = Variable("M", (batch, rows, columns), indices=(b, i, k))
    equation = Equation(product, total(left.at(b, i, j) * right.at(b, j, k), (j, inner)))
    loss = Equation(Variable("L"), total(occurrence("M", b, i, k) ** 2, (b, batch), (i, rows), (k, columns)))
    program = Program((left, right), (equation, loss), loss="L")
    assert isinstance(lower(equation, program).right, Einsum)
    rng = np.random.default_rng(1)
    values = {"A": rng.normal(size=(2, 3, 4)), "C": rng.normal(size=(2, 4, 5))}
    found = evaluate_program(program, values)
    np.testing.assert_allclose(found["M"], values["A"] @ values["C"])


def test_orientation_without_a_batch_says_so():
    derivation = derived("sigmoid")
    program = derivation.adjoint_program
    without = Program(program.inputs, program.equations, program.loss, program.output, None, "no batch")
    with pytest.raises(NoRuleError, match="no batch names no batch size, so it has no orientation 'columns'"):
        lower(program.equations[0], without, Orientation.COLUMNS)


def test_a_wrong_lowering_is_seen(monkeypatch):
    """A planted fault: matrix products with their factors swapped must not pass."""
    from symbackprop.forms import contract

    true_matmul = contract._matmul

    def swapped(left, right, axis, axes):
        node = true_matmul(left, right, axis, axes)
        return MatMul(node.axes, node.left, contract.transpose(node.right)) if node.right.rank == 2 else node

    program = derived("three layers").adjoint_program
    values = arrays(program, sizes={"N": 3, "D": 3, "H": 3, "K": 3})
    expected = interpreted(program, values)
    monkeypatch.setattr(contract, "_matmul", swapped)
    found = evaluate_program(program, values)
    assert any(not np.allclose(found[name], expected[name]) for name in expected)
