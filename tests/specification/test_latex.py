"""LaTeX of activations and losses: what is read, and what is refused with its place."""

import contextlib
import re
import subprocess
import sys
import time

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symbackprop.errors import UnreadableError, UsageError
from symbackprop.functions.library import FUNCTIONS
from symbackprop.layers.activations import Activation
from symbackprop.notation.expressions import Bracket, ElementwiseFunction
from symbackprop.specification import arithmetic
from symbackprop.specification.arithmetic import LETTERS, read_arithmetic
from symbackprop.specification.equation_syntax import CHOICES
from symbackprop.specification.latex import expression_from_latex

z, a, y = sympy.symbols("z a y", real=True)
relu, absolute, sigmoid = FUNCTIONS["relu"], FUNCTIONS["absolute"], FUNCTIONS["sigmoid"]
half = sympy.Rational(1, 2)


def of_z(latex):
    return expression_from_latex(latex, ("z",), "here")


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\frac{z}{1+e^{-z}}", z / (1 + sympy.exp(-z))),
        (r"z\tanh(\ln(1+e^z))", z * sympy.tanh(sympy.log(1 + sympy.exp(z)))),
        ("z^2", z**2),
        (r"\frac12 z(1+\operatorname{erf}(z/\sqrt{2}))", z * (1 + sympy.erf(z / sympy.sqrt(2))) / 2),
        (r"\max(0, z)", relu(z)),
        (r"\max\left\{0, z\right\}", relu(z)),
        (r"\operatorname{max}[0, z]", relu(z)),
        (r"\min(z, 1)", None),
        (r"\min\bigl(1, \max(0, z)\bigr)", None),
        (r"|z|", absolute(z)),
        (r"\left|z\right|", absolute(z)),
        (r"\lvert z \rvert^2", absolute(z) ** 2),
        (r"|z| |z - 1|", absolute(z) * absolute(z - 1)),
        (r"||z| - 1|", absolute(absolute(z) - 1)),
        (r"|(|z|)(2)|", absolute(2 * absolute(z))),
        (r"\left||z|+\left|z\right|\right|", absolute(2 * absolute(z))),
        (r"\sigma(z)", sigmoid(z)),
        (r"z\,\sigma\!\left(z\right)", z * sigmoid(z)),
        (r"\operatorname{relu}(z)", relu(z)),
        (r"\mathrm{ReLU}(z) + \text{SiLU}(z)", relu(z) + FUNCTIONS["silu"](z)),
        (r"\operatorname{softplus}(-z)", FUNCTIONS["softplus"](-z)),
        (r"\operatorname{leaky\_relu}(z)", FUNCTIONS["leaky_relu"](z)),
        (r"\operatorname{gelu_{tanh}}(z)".replace("_", r"\_"), FUNCTIONS["gelu_tanh"](z)),
        (r"\operatorname{lrelu}(z)", FUNCTIONS["leaky_relu"](z)),
        (r"z \Phi(z)", z * FUNCTIONS["normal_cdf"](z)),
        (r"\varphi(z)", FUNCTIONS["normal_pdf"](z)),
        (r"\log(z)", sympy.log(z)),
        (r"\ln z", sympy.log(z)),
        (r"\ln{z}", sympy.log(z)),
        (r"\ln\cosh z", sympy.log(sympy.cosh(z))),
        (r"\ln \cosh(z) + 1", sympy.log(sympy.cosh(z)) + 1),
        (r"\tanh^2(z)", sympy.tanh(z) ** 2),
        (r"\tanh(z)^2", sympy.tanh(z) ** 2),
        (r"\sin^{3}(z) \cos(z)", sympy.sin(z) ** 3 * sympy.cos(z)),
        (r"\arctan(z) + \sinh(z)", sympy.atan(z) + sympy.sinh(z)),
        (r"\exp\left(-\tfrac{z^2}{2}\right)", sympy.exp(-(z**2) / 2)),
        (r"\mathrm{e}^{-z^2}", sympy.exp(-(z**2))),
        (r"e^z e^2", sympy.exp(z) * sympy.exp(2)),
        (r"e^{z}z", z * sympy.exp(z)),
        (r"\sqrt z \sqrt2", sympy.sqrt(z) * sympy.sqrt(2)),
        (r"\sqrt{z^2}", absolute(z)),
        (r"\sqrt[4]{z}", z ** sympy.Rational(1, 4)),
        (r"\frac1z", 1 / z),
        (r"\frac z2", z / 2),
        (r"\frac{1}{2}z", z / 2),
        (r"\frac\pi2 z", sympy.pi * z / 2),
        (r"\dfrac{\tfrac{1}{2}}{z}", 1 / (2 * z)),
        (r"0.5z + .25", half * z + sympy.Rational(1, 4)),
        (r"0.1z", z / 10),
        (r"2 \cdot 3 \times z * 2", 12 * z),
        (r"z/2", z / 2),
        (r"z/z/z", 1 / z),
        (r"z \div 2 \cdot 4", 2 * z),
        (r"-z^2", -(z**2)),
        (r"(-z)^2", z**2),
        (r"--z", z),
        (r"z - -z", 2 * z),
        (r"2\cdot-z^2", -2 * z**2),
        (r"+z", z),
        (r"1 - 2 - z", -1 - z),
        (r"z^{-1}", 1 / z),
        (r"z^{12}", z**12),
        (r"z^{z^2}", z ** (z**2)),
        (r"z^\frac12", sympy.sqrt(z)),
        (r"z^\pi", z**sympy.pi),
        (r"{z}^2", z**2),
        (r"\left[\frac{z}{2}\right]^2", z**2 / 4),
        (r"2^2 z", 4 * z),
        (r"\operatorname{sgn}(z)z + \operatorname{abs}(z)", None),
        ("z\n+ 1", z + 1),
        (r"\displaystyle z \quad + ~ 1", z + 1),
        (r"\exp 2", sympy.exp(2)),
    ],
)
def test_what_is_read(latex, expected):
    got = of_z(latex)
    if expected is not None:
        assert got == expected
    assert got.free_symbols <= {z}
    assert not got.has(sympy.Abs, sympy.Max, sympy.Min, sympy.sign)


@pytest.mark.parametrize(
    ("latex", "at_minus", "at_plus"),
    [
        (r"\min(z, 1)", -2.0, 1.0),
        (r"\min(1, \max(0, z))", 0.0, 1.0),
        (r"\max(z, -z, 1)", 2.0, 2.0),
        (r"\operatorname{sign}(z)", -1.0, 1.0),
        (r"\max(0.1z, z)", -0.2, 2.0),
    ],
)
def test_kinked_functions(latex, at_minus, at_plus):
    expression = of_z(latex)
    for point, expected in ((-2, at_minus), (2, at_plus)):
        value = expression.subs(z, point)
        number = value.replace(
            lambda node: isinstance(node, ElementwiseFunction), lambda node: node.definition
        ).replace(lambda node: isinstance(node, Bracket), lambda node: node)
        assert float(number) == pytest.approx(expected)


def test_losses():
    both = ("a", "y")
    assert expression_from_latex("(a-y)^4", both, "here") == (a - y) ** 4
    entropy = r"-y\log(a)-(1-y)\log(1-a)"
    assert expression_from_latex(entropy, both, "here") == -y * sympy.log(a) - (1 - y) * sympy.log(1 - a)
    assert expression_from_latex(r"\max(0, 1-ya)", both, "here") == relu(1 - a * y)


def test_the_result_is_an_activation():
    activation = Activation("swish", of_z(r"\frac{z}{1+e^{-z}}"))
    assert str(activation.expression) == "z/(1 + exp(-z))"


def test_more_factors_and_terms_than_letters():
    count = 2 * len(LETTERS)
    assert of_z("z" * count) == z**count
    assert of_z("+".join(["z^2"] * count)) == count * z**2
    assert of_z("".join(f"(z+{k})" for k in range(25))) == sympy.Mul(*(z + k for k in range(25)))
    assert of_z("z/" * count + "2") == z ** (2 - count) / 2


@pytest.mark.parametrize(
    ("latex", "column", "says"),
    [
        ("", 1, "the formula ends where a value is missing"),
        ("z+", 3, "the formula ends where a value is missing"),
        (r"z\cdot", 7, "the formula ends where a value is missing"),
        ("(z", 3, "'(' at column 1 wants a closing ')' here, not the end"),
        ("(z]", 3, "wants a closing ')' here, not ']'"),
        (r"\left(z\right]", 14, "wants a closing ')' here, not ']'"),
        ("{z", 3, "wants a closing '}'"),
        ("|z", 3, "wants a closing '|' here"),
        (r"\left|z", 8, r"wants a closing '\\rvert' here"),
        ("z)", 2, "')' is left over"),
        ("z}", 2, "'}' is left over"),
        ("z,1", 2, "',' is left over"),
        ("()", 2, "a value is missing before ')'"),
        ("*z", 1, "a value is missing before '*'"),
        (r"\right)", 7, "a value is missing before ')'"),
        (r"\left.z", 6, "'.' is no number"),
        ("x", 1, "unknown symbol 'x'; known are z"),
        ("z + d", 5, "unknown symbol 'd'"),
        ("e", 1, r"unknown symbol 'e'; write e^{...}, or \exp(1)"),
        (r"\ln e", 5, r"the argument of \ln is missing"),
        ("i", 1, "unknown symbol 'i'"),
        (r"\foo z", 1, r"unknown command \foo"),
        (r"\tahn(z)", 1, r"unknown command \tahn; did you mean '\\tanh'?"),
        (r"\partial z", 1, r"unknown command \partial"),
        (r"\mathbf{z}", 1, r"unknown command \mathbf"),
        (r"\input{f}", 1, r"unknown command \input"),
        ("\\", 1, "a value is missing before"),
        (r"\operatorname{sigmiod}(z)", 14, "unknown function 'sigmiod'; did you mean 'sigmoid'?"),
        (r"\operatorname{relu", 14, "'{' is never closed"),
        (r"\operatorname relu(z)", 15, "wants the name of a function in braces"),
        (r"\sigma", 7, r"the argument of \sigma is missing; write it in parentheses"),
        (r"\sigma + z", 8, r"the argument of \sigma is missing"),
        (r"\sigma'(z)", 7, "write derivatives out"),
        (r"\max(z)", 1, "wants two values or more"),
        (r"\max z", 6, "wants its values in parentheses"),
        (r"\sigma(z, 1)", 9, "wants a closing ')' here, not ','"),
        (r"\frac{z}", 9, r"\frac wants an argument in braces here"),
        (r"\frac", 6, r"\frac wants an argument in braces here"),
        (r"\frac{z}{0}", 9, "division by zero"),
        (r"\frac{1}{z-z}", 9, "division by zero"),
        ("1/0", 1, "division by zero"),
        ("0^{-1}", 1, "division by zero"),
        (r"\sqrt{-1}", 1, "is not a real number"),
        (r"\ln(0)", 1, "is not a real number"),
        (r"\sqrt[3]{z}", 6, "the degree of a root is an even integer"),
        ("z^", 2, "the exponent is missing"),
        ("z^-1", 3, "the exponent is missing; write ^{...}"),
        ("z^*", 3, "the exponent is missing"),
        ("z^(2)", 3, "the exponent is missing; write ^{...}"),
        ("z^T", 3, "the exponent is missing"),
        ("z^12", 4, "only the first digit is the exponent in print"),
        ("z^2^3", 4, "two exponents in a row"),
        ("z^{(2)}", 3, "looks like a label; write ^{2} for a power"),
        ("^2", 1, "a value is missing before '^'"),
        (r"\tanh^{-1}(z)", 6, "may mean an inverse"),
        (r"\sin 2z", 7, r"where the argument of \sin ends is not clear"),
        (r"\sin z^2", 7, "is not clear; put it in parentheses"),
        (r"\sin z \cdot z", 8, "is not clear"),
        (r"\ln{z}^2", 7, "is not clear"),
        ("1/2z", 4, "a product after / has two readings"),
        ("1/2(z)", 4, "a product after / has two readings"),
        (r"2\frac12", 2, r"two readings; write \cdot"),
        ("2 3", 3, "the number follows '2'"),
        ("z2", 2, "the number follows 'z'"),
        ("1.2.3", 1, "'1.2.3' is no number"),
        (".", 1, "'.' is no number"),
        ("0,5z", 2, "',' is left over"),
        ("z_1", 2, "symbols have no subscripts here"),
        (r"\log_2(z)", 5, "logarithms no base"),
        ("z'", 2, "write derivatives out"),
        ("z!", 2, "factorials are not read"),
        ("z = 2", 3, "give the expression alone"),
        ("z & 2", 3, "without alignment"),
        (r"z \\ 2", 3, "on one line"),
        ("$z$", 1, "leave the dollar signs out"),
        ("z % 2", 3, "comments and percent signs"),
        (r"\|z\|", 1, "an absolute value is |z|"),
        (r"\begin{cases} z \end{cases}", 1, r"use \max, \min, |z| or a named function"),
        ("z \N{MINUS SIGN} 1", 3, "write -"),
        ("\N{GREEK SMALL LETTER SIGMA}(z)", 1, "cannot be read; use letters, digits"),
        ("z < 1", 3, "cannot be read"),
        ("z\x00", 2, "cannot be read"),
    ],
)
def test_what_is_refused(latex, column, says):
    with pytest.raises(UnreadableError) as caught:
        of_z(latex)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"here: {latex!r}, line 1, column {column}: ")


def test_lines_are_counted():
    with pytest.raises(UnreadableError, match="line 3, column 2: unknown symbol 'q'"):
        of_z("z +\n\n q")


@pytest.mark.parametrize(
    ("latex", "says"),
    [
        ("9^{9^{9^{9}}}", "an exponent is at most 1000"),
        ("z^{1001}", "an exponent is at most 1000"),
        ("9^{999}", "too large"),
        ("(2z)^{900}(2z)^{900}", "too large"),
        ("((2z)^{900})^{900}", "binary digits"),
        (r"\exp(\exp(\exp(100)))", "too large"),
        (r"\exp(10^{50}\ln 2)", "an exponent is at most 1000"),
        ("e^{10^{50}}", "too large"),
        ("9" * 101, "at most 100 are read"),
        ("(" * 60 + "z" + ")" * 60, "nested more than 50 deep"),
        (r"\tanh(" * 60 + "z" + ")" * 60, "nested more than 50 deep"),
        ("z^{" * 60 + "z" + "}" * 60, "nested more than 50 deep"),
        ("z" * 1001, "more than 1000 tokens"),
        ("z " * 6000, "at most 10000 are read"),
        (r"\max(" + "z," * CHOICES + "z,z)", f"at most {CHOICES} of max, min and sign"),
        (r"\operatorname{sign}(" * 9 + "z" + ")" * 9, f"at most {CHOICES} of max, min and sign"),
    ],
)
def test_bounds(latex, says):
    start = time.perf_counter()
    with pytest.raises(UnreadableError, match=re.escape(says)):
        of_z(latex)
    assert time.perf_counter() - start < 2


def test_within_bounds():
    assert of_z("(" * 45 + "z+1" + ")" * 45) == z + 1
    assert of_z("-" * 500 + "z") == z
    assert of_z("z^{" * 6 + "z" + "}" * 6).has(z)
    assert of_z(r"\tanh(" * 45 + "z" + ")" * 45).has(sympy.tanh)


def test_nothing_is_remembered_between_formulas():
    for text in ("z = 1", r"\frac{dz}{dz}", "z+)", r"\int z dz"):
        with pytest.raises(UnreadableError):
            of_z(text)
    assert of_z("z + 1") == z + 1


@pytest.mark.parametrize(
    "attack", ["__import__('os')", "exec(1)", r"\input{/etc/passwd}", r"\write18{ls}", "z.__class__"]
)
def test_nothing_is_evaluated(attack):
    for latex in (attack, rf"\operatorname{{{attack}}}(z)", rf"\frac{{{attack}}}{{2}}", f"z^{{{attack}}}"):
        with pytest.raises(UnreadableError):
            of_z(latex)


def test_no_warning_reaches_the_user():
    code = (
        "from symbackprop.specification.latex import expression_from_latex as read;print(read('1+z^2', ('z',), 'here'))"
    )
    done = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("z**2 + 1\n", "")


@pytest.mark.parametrize(
    ("latex", "names"), [("a+b)", "abc"), ("a+", "a"), ("2a", "a"), ("a = b", "ab"), ("a \\le b", "ab")]
)
def test_the_parser_is_not_trusted(latex, names):
    with pytest.raises(UnreadableError, match=r"cannot read|which is not what is written"):
        read_arithmetic(latex, dict.fromkeys(names, z))


def test_a_missing_parser(monkeypatch):
    monkeypatch.setattr(arithmetic, "_MODULE", "no_such_module")
    arithmetic._parser.cache_clear()
    with pytest.raises(UsageError, match="LaTeX expressions need the package no_such_module; install it with pip"):
        of_z("z+1")


_ALPHABET = [
    "z",
    "e",
    "1",
    "2",
    ".",
    "+",
    "-",
    "/",
    "^",
    "(",
    ")",
    "{",
    "}",
    "|",
    ",",
    " ",
    "\\frac",
    "\\sqrt",
    "\\ln",
    "\\tanh",
    "\\max",
    "\\left",
    "\\right",
    "\\cdot",
    "\\operatorname{relu}",
    "\\sigma",
    "[",
    "]",
]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(_ALPHABET), max_size=12).map("".join))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(UnreadableError):
        of_z(text)


_TREES = st.recursive(
    st.sampled_from([("z", z), ("2", sympy.Integer(2)), ("0.5", half), (r"\frac13", sympy.Rational(1, 3))]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda t: (f"({t[0][0]} + {t[1][0]})", t[0][1] + t[1][1])),
        st.tuples(inner, inner).map(lambda t: (f"({t[0][0]} - {t[1][0]})", t[0][1] - t[1][1])),
        st.tuples(inner, inner).map(lambda t: (f"({t[0][0]})({t[1][0]})", t[0][1] * t[1][1])),
        st.tuples(inner, inner).map(lambda t: (rf"{t[0][0]} \cdot {t[1][0]}", t[0][1] * t[1][1])),
        st.tuples(inner, inner).map(
            lambda t: (rf"\frac{{{t[0][0]}}}{{3+\left({t[1][0]}\right)^2}}", t[0][1] / (3 + t[1][1] ** 2))
        ),
        inner.map(lambda t: (rf"\tanh\left({t[0]}\right)", sympy.tanh(t[1]))),
        inner.map(lambda t: (f"e^{{-({t[0]})^2}}", sympy.exp(-(t[1] ** 2)))),
        inner.map(lambda t: (f"(-({t[0]}))", -t[1])),
    ),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(_TREES)
def test_latex_means_what_sympy_builds(pair):
    latex, expected = pair
    difference = sympy.N((of_z(latex) - expected).subs(z, sympy.Rational(3, 7)))
    assert abs(difference) < 1e-9
