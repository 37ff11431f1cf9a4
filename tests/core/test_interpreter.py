"""What a program means, checked against numbers worked out by hand; and the interpreter's errors."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from dual_numbers import EXACT_FRACTIONS

from symbackprop.errors import EquationError, SizeError
from symbackprop.functions.library import FUNCTIONS
from symbackprop.notation.expressions import ArgMaximum, Bracket, index, maximum, occurrence, size, total
from symbackprop.notation.interpreter import COMPLEX, EXACT, FLOAT, arbitrary_precision, interpret
from symbackprop.notation.program import Equation, Program, Role, Variable

i, j, k, n, p = (index(name) for name in "ijknp")
A, B = size("A"), size("B")
W = Variable("w", (A, B), Role.PARAMETER, (i, j))
X = Variable("x", (B,), Role.INPUT, (j,))
T = Variable("t", (size(3),), Role.INPUT, (k,), integer=True)
VALUES = {"w": [[1, 2, 3], [4, -5, 6]], "x": [7, 8, 9], "t": [1, 0, 1]}
w, x = W.everywhere, X.everywhere


def meaning(right: sympy.Expr, *scope: tuple[sympy.Symbol, sympy.Expr], arithmetic=EXACT):
    left = Variable("u", tuple(s for _, s in scope), Role.DEFINED, tuple(a for a, _ in scope))
    program = Program((W, X, T), (Equation(left, right),), name="mine")
    result = interpret(program, VALUES, arithmetic=arithmetic)["u"]
    return result.tolist()


@pytest.mark.parametrize(
    ("right", "scope", "expected"),
    [
        (total(w * x, (j, B)), ((i, A),), [1 * 7 + 2 * 8 + 3 * 9, 4 * 7 - 5 * 8 + 6 * 9]),
        (total(w, (i, A), (j, B)), (), 11),
        (total(w, (i, A)) * x, ((j, B),), [35, -24, 81]),
        (w.subs({i: 1, j: 2}), (), 6),
        (occurrence("w", i, B - 1 - j), ((i, A), (j, B)), [[3, 2, 1], [6, -5, 4]]),
        (maximum(w, (j, B)), ((i, A),), [3, 6]),
        (ArgMaximum(w, (j, 0, B - 1)), ((i, A),), [2, 2]),
        (maximum(maximum(-w, (j, B)), (i, A)), (), 5),
        (ArgMaximum(sympy.Integer(4), (j, 0, B - 1)), (), 0),
        (occurrence("w", occurrence("t", k), j), ((k, size(3)), (j, B)), [VALUES["w"][row] for row in VALUES["t"]]),
        (x**-2, ((j, B),), [sympy.Rational(1, 49), sympy.Rational(1, 64), sympy.Rational(1, 81)]),
        (sympy.sqrt(x), ((j, B),), [sympy.sqrt(7), sympy.sqrt(8), sympy.Integer(3)]),
        (A * B + i, ((i, A),), [6, 7]),
        (Bracket(j >= 1) * x, ((j, B),), [0, 8, 9]),
        (Bracket(sympy.And(j >= 1, j < 2)) * x, ((j, B),), [0, 8, 0]),
        (Bracket(sympy.Or(sympy.Eq(j, 0), j > 1)) * x, ((j, B),), [7, 0, 9]),
        (Bracket(sympy.Ne(j, 1)) * x, ((j, B),), [7, 0, 9]),
        (Bracket(w > 2), ((i, A), (j, B)), [[0, 0, 1], [1, 0, 1]]),
        (sympy.Piecewise((x, j < 1), (-x, sympy.Eq(j, 1)), (sympy.Integer(0), True)), ((j, B),), [7, -8, 0]),
        (FUNCTIONS["relu"](w), ((i, A), (j, B)), [[1, 2, 3], [4, 0, 6]]),
        (FUNCTIONS["huber"](w / 4), ((i, A), (j, B)), None),
    ],
)
def test_the_meaning_of_each_construct(right: sympy.Expr, scope: tuple, expected: object) -> None:
    exact = meaning(right, *scope)
    if expected is not None:
        assert exact == expected
    for arithmetic in (FLOAT, arbitrary_precision(), COMPLEX):
        numbers = np.array(meaning(right, *scope, arithmetic=arithmetic), dtype=complex)
        assert np.array(exact, dtype=complex) == pytest.approx(numbers)


def test_false_brackets_annihilate_whatever_stands_beside_them() -> None:
    """Out of range beside a false bracket is no error, inside another bracket neither."""
    beside = Bracket(j >= 1) * occurrence("x", j - 1)
    assert meaning(beside, (j, B)) == [0, 7, 8]
    inner = Bracket(sympy.Eq(0, ArgMaximum(occurrence("x", j - 1) * occurrence("w", i, 0), (i, 0, A - 1))))
    assert meaning(inner * beside, (j, B)) == [0, 0, 0]
    assert meaning(Bracket(j >= 1) * (1 + total(occurrence("x", j - 1) * w, (i, A))), (j, B)) == [0, -20, 73]


def test_the_first_of_several_largest_counts() -> None:
    program = Program((X,), (Equation(Variable("u"), ArgMaximum(x, (j, 0, B - 1))),))
    assert interpret(program, {"x": [3, 5, 5]})["u"][()] == 1


def test_exact_arithmetic_stays_exact() -> None:
    program = Program((X,), (Equation(Variable("u"), total(x / 3, (j, B))),))
    assert interpret(program, {"x": [sympy.Rational(1, 7)] * 3})["u"][()] == sympy.Rational(1, 7)
    assert interpret(program, {"x": [Fraction(1, 7)] * 3}, arithmetic=EXACT_FRACTIONS)["u"][()] == Fraction(1, 7)


def test_symbols_stay_symbols() -> None:
    a, b = sympy.symbols("a b", real=True)
    relu = FUNCTIONS["relu"](x)
    program = Program((X,), (Equation(Variable("u"), total(relu * x, (j, B))),))
    loss = interpret(program, {"x": [a, b]})["u"][()]
    assert loss == a * sympy.Piecewise((a, a > 0), (0, True)) + b * sympy.Piecewise((b, b > 0), (0, True))
    bracket = Program((X,), (Equation(Variable("u"), total(Bracket(x > 0), (j, B))),))
    assert interpret(bracket, {"x": [a, b]})["u"][()] == Bracket(a > 0) + Bracket(b > 0)


def test_many_digits() -> None:
    program = Program((X,), (Equation(Variable("u"), total(sympy.exp(x / 3) + sympy.pi, (j, B))),))
    with mpmath.workdps(40):
        value = interpret(program, {"x": [1]}, arithmetic=arbitrary_precision())["u"][()]
        assert abs(value - (mpmath.exp(mpmath.mpf(1) / 3) + mpmath.pi)) < mpmath.mpf(10) ** -37


@pytest.mark.parametrize(
    "function", [sympy.exp, sympy.log, sympy.tanh, sympy.sin, sympy.cos, sympy.atan, sympy.sqrt, sympy.Abs]
)
def test_elementary_functions_in_every_arithmetic(function) -> None:
    right = function(occurrence("x", 0) / 8)
    expected = float(function(sympy.Rational(7, 8)))
    for arithmetic in (EXACT, FLOAT, arbitrary_precision()):
        assert float(meaning(right, arithmetic=arithmetic)) == pytest.approx(expected, rel=1e-14)


def test_a_complex_step_gives_the_derivative() -> None:
    program = Program((X,), (Equation(Variable("u"), total(sympy.exp(x) * FUNCTIONS["relu"](x - 1), (j, B))),))
    step = 1e-200
    value = interpret(program, {"x": [2 + step * 1j, 0.5]}, arithmetic=COMPLEX)["u"][()]
    assert value.imag / step == pytest.approx(2 * math.exp(2), rel=1e-14)


def test_a_program_is_evaluated_in_order() -> None:
    program = Program(
        (X,),
        (
            Equation(Variable("a", (B,), indices=(j,)), x**2),
            Equation(Variable("b"), total(occurrence("a", k), (k, B))),
            Equation(Variable("c", (B,), indices=(n,)), occurrence("a", n) / occurrence("b")),
        ),
    )
    arrays = interpret(program, {"x": [1, 2, 2]})
    assert list(arrays) == ["x", "a", "b", "c"]
    assert arrays["c"].tolist() == [sympy.Rational(1, 9), sympy.Rational(4, 9), sympy.Rational(4, 9)]


def test_values_are_not_changed() -> None:
    values = {"x": np.array([1.0, 2.0])}
    interpret(Program((X,), (Equation(Variable("u"), total(x, (j, B))),)), values, arithmetic=FLOAT)
    assert values["x"].dtype == float
    assert values["x"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("program", "values", "kind", "says"),
    [
        (Program((X,), (), name="mine"), {}, SizeError, r"mine needs a value for x\(B\); none was given"),
        (
            Program((X,), (Equation(Variable("u"), occurrence("x", 2)),)),
            {"x": [1, 2]},
            EquationError,
            r"x\[2\] is out of range at \(2,\), shape \(2,\)",
        ),
        (
            Program((X,), (Equation(Variable("u"), occurrence("x", -1)),)),
            {"x": [1, 2]},
            EquationError,
            r"x\[-1\] is out of range at \(-1,\)",
        ),
        (
            Program((X,), (Equation(Variable("u"), sympy.Product(x, (j, 0, B - 1))),)),
            {"x": [1, 2]},
            EquationError,
            "Product has no meaning in an equation",
        ),
        (
            Program((X,), (Equation(Variable("u"), sympy.Piecewise((x.subs(j, 0), x.subs(j, 0) > 5))),)),
            {"x": [1, 2]},
            EquationError,
            "no case of .* applies",
        ),
        (
            Program((X,), (Equation(Variable("u"), maximum(x, (j, B))),)),
            {"x": list(sympy.symbols("a b"))},
            EquationError,
            "cannot be decided for symbols; give numbers",
        ),
        (
            Program((X,), (Equation(Variable("u", (A,), indices=(i,)), sympy.Integer(1)),)),
            {"x": [1, 2]},
            SizeError,
            "size A has no positive number; give it in sizes",
        ),
        (Program((X,), ()), {"x": [[1, 2]]}, SizeError, r"x has shape \(1, 2\), but \(B\) was expected: 1 axis"),
    ],
)
def test_the_errors_of_the_interpreter(program: Program, values: dict, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        interpret(program, values)
