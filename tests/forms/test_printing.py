"""Printed formulas are true as they stand: brackets, signs, positions counted from 1, names that do not clash."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.forms.printing import IndexPrinter
from symbackprop.forms.symbols import Symbols
from symbackprop.notation.expressions import index, occurrence, size, total
from symbackprop.notation.interpreter import FLOAT, interpret
from symbackprop.notation.program import Equation, Program, Role, Variable


def program(*equations, **declared):
    return sbp.Program(list(equations), loss="L", **declared).derive()


def index_latex(derivation, name):
    return derivation[name].index.right_latex


def test_a_sum_before_a_sum_sign_keeps_its_brackets():
    derivation = program(
        "z[n,j] = Sum(W[j,i]*x[n,i], i)",
        "v[n,j] = Sum(U[j,i]*tanh(z[n,i]), i)",
        "L = Sum(v[n,j]**2, n, j)",
        inputs={"x": ("N", "D")},
        parameters={"W": ("D", "D"), "U": ("D", "D")},
    )
    assert index_latex(derivation, "z").startswith(r"(1 - \tanh^{2}(z_{nj}))\,\sum_{")


def test_a_sign_in_front_of_a_sum_keeps_its_brackets():
    derivation = program("L = -exp(w) - w", parameters={"w": ()})
    assert index_latex(derivation, "w") == r"-(1 + e^{w})"
    assert derivation["w"].matrix_latex() == r"\frac{\partial L}{\partial w} = -(1 + \exp(w))"


def test_a_coefficient_that_is_a_sum_has_brackets():
    derivation = program("L = (N + 1)*Sum(w[n]**2*x[n], n)", inputs={"x": ("N",)}, parameters={"w": ("N",)})
    assert index_latex(derivation, "w") == r"2\,(1 + N)\,w_{n}\,x_{n}"


def test_range_guards_count_from_one():
    derivation = program(
        "z[i] = w[I - 1 - i]*x[i]", "L = Sum(z[i]**2, i)", inputs={"x": ("I",)}, parameters={"w": ("I",)}
    )
    assert r"[1 + I - i \ge 1]\,[1 + I - i < 1 + I]" in index_latex(derivation, "w")


def test_an_index_as_a_number_counts_from_zero():
    derivation = program("L = Sum(g**t*r[t], t)", inputs={"r": ("T",)}, parameters={"g": ()})
    assert r"g^{(t - 1)}\,r_{t}" in derivation._views.index(derivation.program.equations[0]).latex


def test_index_names_avoid_sizes_and_variables():
    derivation = program(
        "z[n,j] = Sum(W[j,i]*x[n,i], i)",
        "v[n,j] = Sum(U[j,i]*tanh(z[n,i]), i)",
        "L = Sum(v[n,j]**2, n, j)",
        inputs={"x": ("m", "k")},
        parameters={"W": ("k", "k"), "U": ("k", "k")},
    )
    for adjoint in derivation.adjoints.values():
        assert r"\sum_{k=" not in adjoint.index.latex
        assert r"\sum_{m=" not in adjoint.index.latex


def test_a_maximum_in_a_product_has_brackets():
    derivation = program(
        "s[n] = Max(z[n,k], k)*Sum(w[i]*x[n,i], i)",
        "L = Sum(s[n], n)",
        inputs={"x": ("N", "D"), "z": ("N", "K")},
        parameters={"w": ("D",)},
    )
    assert re.search(r"\(\\max_\{k\} z_\{nk\}\)\\,", index_latex(derivation, "w"))


def test_names_with_underscores_stay_apart_and_compile():
    derivation = program("L = W1*W_1*z_a_b", parameters={"W1": (), "W_1": (), "z_a_b": ()})
    assert derivation._views.symbols.element("W1") == "W^{(1)}"
    assert derivation._views.symbols.element("W_1") == r"\mathrm{W\_1}"
    assert derivation._views.symbols.element("z_a_b") == r"\mathrm{z\_a\_b}"


def test_transposed_powers_have_one_superscript():
    derivation = program(
        "v[n] = Sum(x[n,d]**2, d)/D",
        "u[n,d] = x[n,d]/sqrt(v[n] + 1/100)*g[d]",
        "L = Sum(u[n,d]**3, n, d)",
        parameters={"x": ("N", "D"), "g": ("D",)},
        batch="N",
    )
    for adjoint in derivation.adjoints.values():
        for orientation in ("rows", "columns"):
            assert not re.search(r"\^\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}\^", adjoint.matrix_latex(orientation) or "")


def test_what_is_transposed_has_one_pair_of_brackets():
    derivation = program(
        "u[i] = Sum(W[i,j]*x[j], j)", "L = Sum(u[i]**2*x[i], i)", inputs={"x": ("D",)}, parameters={"W": ("D", "D")}
    )
    loss = derivation.program.definitions["L"]
    assert derivation._views.matrix_latex(loss) == r"L = \left(u^{\circ 2}\right)^{\top} x"
    net = sbp.Network(2, [sbp.Dense(2, "softmax")], "half_squared_error").derive()
    assert r"\left(\left(" not in net["b1"].matrix_latex()
    assert r"\left(\left(\left(" not in "".join(a.matrix_latex() or "" for a in net.adjoints.values())


@pytest.mark.parametrize(
    "probability",
    [
        "exp(S[n,n])/Sum(exp(S[n,k]), k)",  # the numerator's index stands in the denominator too
        "exp(S[n,n])/Sum(exp(S[n,n]), (k, N))",  # the exponential does not depend on what is summed over
    ],
)
def test_what_only_looks_like_a_softmax_is_none(probability):
    derivation = program(
        "S[n,m] = Sum(W[n,i]*x[m,i], i)",
        f"p[n] = {probability}",
        "L = -Sum(log(p[n]), n)",
        inputs={"x": ("N", 2)},
        parameters={"W": ("N", 2)},
    )
    rng = np.random.default_rng(0)
    values = {"x": rng.uniform(0.5, 1, size=(3, 2)), "W": rng.normal(size=(3, 2))}
    found, meant = evaluate_program(derivation.program, values), interpret(derivation.program, values, arithmetic=FLOAT)
    for name in found:
        np.testing.assert_allclose(found[name], meant[name].astype(float), rtol=1e-10, atol=1e-14)


def test_conditions_on_positions_are_no_kinks_and_hidden_absolute_values_are():
    masked = program("p[i,j] = where(i >= j, s[i,j], 0)", "L = Sum(p[i,j]**2, i, j)", parameters={"s": ("N", "N")})
    assert masked.kinks == ()
    (kink,) = program("L = Sum(sqrt((w[n] - x[n])**2), n)", inputs={"x": ("N",)}, parameters={"w": ("N",)}).kinks
    assert kink.function == "absolute"


def test_second_differentiation_has_symbols_of_its_own():
    first = sbp.Network(2, [sbp.Dense(2, "tanh")], "half_squared_error").derive()
    weight = first.program.variable("W1")
    squares = occurrence("W1_bar", *weight.indices) ** 2
    slope = Equation(Variable("S"), total(squares, *zip(weight.indices, weight.shape, strict=True)))
    second = differentiate(first.program.extended((slope,), loss="S"))
    symbols = Symbols(second.adjoint_program)
    again = second.by_variable["z1"].name
    assert symbols.element("z1_bar", ("n", "j")) == r"\delta^{(1)}_{nj}"
    assert symbols.element(again, ("n", "j")) == r"\frac{\partial S}{\partial z^{(1)}_{nj}}"


# -- numbers that all summands share -----------------------------------------------------------------------------------

A, Y, X = (occurrence(name) for name in "ayx")


def printed(expression):
    scalars = Program(tuple(Variable(name, role=Role.PARAMETER) for name in "ayx"), (), loss="a")
    return IndexPrinter(Symbols(scalars)).doprint(expression)


@pytest.mark.parametrize(
    ("expression", "latex"),
    [
        (2 * A - 2 * Y, r"2\,(a - y)"),
        (2 * Y - 2 * A, r"2\,(y - a)"),
        (Y - A, "y - a"),
        (-A - Y, "-a - y"),
        (A / 2 - Y / 2, r"\frac{1}{2}\,(a - y)"),
        (3 * A / 2 + Y / 2, r"\frac{1}{2}\,(y + 3 a)"),
        (A / 2 + Y / 3, r"\frac{1}{2}\,a + \frac{1}{3}\,y"),
        (2 + 4 * A, r"2\,(1 + 2 a)"),
        (X * (2 * A - 2 * Y), r"2 x\,(a - y)"),
        (3 * X * (2 * A - 2 * Y), r"6 x\,(a - y)"),
        (X * (2 * A - 2 * Y) / 2, r"x\,(a - y)"),
        (-X * (2 * A - 2 * Y), r"-2 x\,(a - y)"),
        ((2 * A - 2 * Y) ** 2, r"4\,(a - y)^{2}"),
        (X * (2 * A - 2 * Y) ** 2, r"4 x\,(a - y)^{2}"),
        (1 / (2 * A - 2 * Y), r"\frac{1}{2\,(a - y)}"),
        (X / (2 * A - 2 * Y), r"\frac{x}{2\,(a - y)}"),
        ((2 * A + 4) / (6 * Y + 2), r"\frac{2 + a}{1 + 3 y}"),
        (sympy.sqrt(2 * A - 2 * Y), r"\sqrt{2\,(a - y)}"),
        ((2 * A - 2 * Y) ** X, r"(2\,(a - y))^{x}"),
        (sympy.exp(2 * A - 2 * Y), r"e^{2\,(a - y)}"),
        (sympy.tanh(2 * A - 2 * Y), r"\tanh(2\,(a - y))"),
        (X - (2 * A - 2 * Y) * Y, r"x - 2 y\,(a - y)"),
        (0.5 * A - 0.5 * Y, r"0.5\,a - 0.5\,y"),
    ],
)
def test_a_number_that_all_summands_share_stands_once_in_front(expression, latex):
    assert printed(expression) == latex


N = (index("n"),)


def test_in_a_sum_and_among_factors():
    derivation = program(
        "L = Sum((a[n] - y[n])**2*x[n], n)", inputs={"x": ("N",), "y": ("N",)}, parameters={"a": ("N",)}
    )
    assert index_latex(derivation, "a") == r"2\,x_{n}\,(a_{n} - y_{n})"
    (contribution,) = derivation.differentiation.by_variable["a"].contributions
    printer = derivation._views.printer
    assert printer.doprint(contribution.chain[-1].expression) == r"2\,x_{n}\,(a_{n} - y_{n})"
    assert printer.doprint(total(2 * occurrence("a", *N) - 2 * occurrence("y", *N), (*N, size("N")))) == (
        r"\sum_{n=1}^{N} 2\,(a_{n} - y_{n})"
    )


def value(latex, numbers):
    """What a printed formula of single letters says, read as Python."""
    text = latex.replace(r"\left", "").replace(r"\right", "").replace(r"\frac", "F").replace(r"\cdot", "*")
    text = text.replace(r"\,", "*").replace("^", "**").replace("{", "(").replace("}", ")")
    text = re.sub(r"(?<=[\w)]) (?=[\w(])", "*", text)
    assert "*-" not in text
    return eval(text, {"F": lambda above: lambda below: Fraction(above) / Fraction(below), **numbers})


expressions = st.recursive(
    st.sampled_from([A, Y, X]) | st.integers(-4, 4).map(sympy.Integer) | st.sampled_from([sympy.Rational(1, 2)]),
    lambda inner: (
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1])
        | st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1])
        | st.tuples(st.sampled_from([2, 3, -2, sympy.Rational(3, 2)]), inner).map(lambda pair: pair[0] * pair[1])
        | st.tuples(inner, st.sampled_from([2, 3, -1, -2])).map(lambda pair: pair[0] ** pair[1] if pair[0] != 0 else A)
    ),
    max_leaves=8,
)


@given(expressions)
def test_what_is_printed_means_what_it_says(expression):
    assume(expression.is_finite is not False)
    numbers = {"a": Fraction(3, 7), "y": Fraction(-5, 11), "x": Fraction(13, 17)}
    meant = expression.subs({symbol: sympy.Rational(numbers[symbol.name]) for symbol in (A, Y, X)})
    assume(meant.is_finite)
    assert value(printed(expression), numbers) == Fraction(int(meant.p), int(meant.q))


@given(expressions)
def test_a_sum_begins_with_what_is_added(expression):
    assume(expression.is_Add)
    summands = expression.args
    if not printed(expression).startswith("-"):
        return
    assert all(summand.as_coeff_Mul()[0].is_negative for summand in summands)
