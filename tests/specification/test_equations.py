"""Equations as text and as SymPy objects: what is read, and what is refused, clause by clause."""

import contextlib
import re
import time

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symbackprop.errors import EquationError, SizeError, SymbackpropError, UsageError
from symbackprop.functions.library import FUNCTIONS
from symbackprop.layers.dense import Dense
from symbackprop.network import describe, network_program
from symbackprop.notation.expressions import ArgMaximum, Bracket, Maximum, index, maximum, occurrence, size, total
from symbackprop.notation.indices import same_up_to_names
from symbackprop.notation.interpreter import FLOAT, interpret
from symbackprop.notation.program import Role
from symbackprop.specification.bounds import DEPTH, DIGITS, LENGTH
from symbackprop.specification.equation_syntax import CHOICES
from symbackprop.specification.equations import parse_program

i, j, k, m, n, p = map(index, "ijkmnp")
D, H, K, N = map(size, "DHKN")
INPUTS = {"x": ("N", "D")}
TARGETS = {"y": ("N", "K")}
PARAMETERS = {"W": ("K", "D"), "b": ("K",), "c": ()}


def program(*equations, **changes):
    arguments = {"inputs": INPUTS, "targets": TARGETS, "parameters": PARAMETERS, "loss": "L", **changes}
    return parse_program(equations=equations, **arguments)


def scalar(right, **changes):
    """The right side of ``L = right``."""
    return program(f"L = {right}", **changes).equations[0].right


def at(name, *positions):
    return occurrence(name, *positions)


def value(right):
    """The number that ``L = right`` is, by the reference interpreter."""
    made = program(f"L = {right}", parameters={"b": ("K",), "d": (2,), "c": ()}, inputs={}, targets={})
    return float(interpret(made, {"b": [1.0, -2.0], "d": [1.0, -2.0], "c": 0.5}, arithmetic=FLOAT)["L"][()])


# What is read


def test_a_layer_and_a_loss():
    made = program(
        "z[n,j] = Sum(W[j,i]*x[n,i], i) + b[j]",
        "a[n,j] = tanh(z[n,j])",
        "L = Sum((a[n,k]-y[n,k])**2, n, k)/(2*N)",
        output="a",
        name="net",
    )
    z, a, loss = made.equations
    assert z.right == total(at("W", j, i) * at("x", n, i), (i, D)) + at("b", j)
    assert (z.left.shape, z.indices) == ((N, K), (n, j))
    assert a.right == sympy.tanh(at("z", n, j))
    assert loss.right == total((at("a", n, k) - at("y", n, k)) ** 2, (k, K), (n, N)) / (2 * N)
    assert (made.loss, made.output, made.batch, made.name) == ("L", "a", N, "net")
    assert [variable.role for variable in made.inputs] == [Role.INPUT, *[Role.PARAMETER] * 3, Role.TARGET]


def test_declared_variables_take_the_indices_of_their_first_plain_use():
    made = program("q[n,k] = x[n,0]*y[n,k]", "L = Sum(q[n,k]*W[k,i]*x[n,i] + b[m]*b[m]*W[m,i], n, k, m, i)")
    assert {v.name: v.indices for v in made.inputs} == {"x": (n, i), "W": (k, i), "b": (m,), "c": (), "y": (n, k)}


def test_index_names_are_completed_without_duplicates_or_clashes():
    made = program(
        "L = Sum(x[n,0] + y[n,1] + i, n) + W[0,0]",
        parameters={
            "W": (
                "K",
                "D",
            ),
            "i": (),
        },
        inputs={"x": ("N", 3)},
        targets={"y": ("N", 2)},
    )
    names = {v.name: [index.name for index in v.indices] for v in made.inputs}
    assert names == {"x": ["n", "j"], "W": ["j", "k"], "i": [], "y": ["n", "j"]}


def test_a_diagonal_does_not_name_two_axes_alike():
    made = program("L = Sum(V[i,i], i)", parameters={"V": (3, 3)})
    assert [index.name for index in made.variable("V").indices] == ["i", "j"]


def test_softmax():
    made = program("p[n,k] = exp(y[n,k])/Sum(exp(y[n,m]), m)", "L = Sum(p[n,k], n, k)")
    right = sympy.exp(at("y", n, k)) / total(sympy.exp(at("y", n, m)), (m, K))
    assert made.equations[0].right == right
    assert made.equations[0].terms[0].factors == (right,)


def test_max_over_an_index_and_of_two_values():
    made = program("m[n] = Max(y[n,k], k)", "L = Sum(Max(m[n], 0) - Min(m[n], 1) + Min(y[n,k], k), n)")
    assert made.equations[0].right == maximum(at("y", n, k), (k, K))
    relu, m = FUNCTIONS["relu"], at("m", n)
    body = made.equations[1].right.args[0]
    assert body.has(relu)
    assert body.has(maximum(-at("y", n, k), (k, K)))
    assert not body.has(sympy.Max, sympy.Min)
    assert m in body.atoms(sympy.Indexed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Max(c, 2)", 2.0),
        ("Max(c, -2)", 0.5),
        ("Min(c, 2)", 0.5),
        ("Min(1, 2)", 1.0),
        ("Max(b[k], k)", 1.0),
        ("Min(b[k], k)", -2.0),
        ("Max(b[k]*b[l], k, l)", 4.0),
        ("Max(b[k], (k, K))", 1.0),
        ("abs(d[1]) + Abs(c)", 2.5),
        ("sign(d[1])", -1.0),
        ("where(c > 0, 3, 4)", 3.0),
        ("where(c > 0 and not c > 1, 3, 4)", 3.0),
        ("where(0 < c < 0.1 or c == 0.25, 3, 4)", 4.0),
        ("where(c != 0, where(c >= 1, 1, 2), 3)", 2.0),
        ("-c**2", -0.25),
        ("+c - -c", 1.0),
        ("2**-1 + 2**c**2", 0.5 + 2**0.25),
        ("Sum(1, (k, 3)) + Sum(k, (k, K))", 4.0),
        ("8/2/2*3 - 1 - 1", 4.0),
        ("sqrt(4) + atan(0) + erf(0) + sinh(0) + cosh(0) + sin(0) + cos(0) + log(1)", 4.0),
        ("sin(pi)", 0.0),
        (".5 + 5. + 1e-1", 5.6),
        ("sigmoid(0) + relu(c) + softplus(0)", 1.0 + np.log(2)),
        ("Sum(b[k]*Sum(b[l], l), k)", 1.0),
        ("sqrt(c**2) + sqrt((-c)**2)", 1.0),
    ],
)
def test_values(text, expected):
    assert value(text) == pytest.approx(expected)


def test_numbers_mean_their_digits():
    assert scalar("0.1*c").coeff(at("c")) == sympy.Rational(1, 10)
    assert scalar("0.12345678901234567890123*c").coeff(at("c")) == sympy.Rational("0.12345678901234567890123")


def test_every_library_function_can_be_called():
    for name, function in FUNCTIONS.items():
        assert scalar(f"{name}(c)") == function(at("c"))


def test_explicit_ranges_and_shapes():
    made = program(
        "z[n,j] = Sum(w[p]*x[n,j+p], p)",
        "L = Sum(z[n,j], n, (j, D-P+1))",
        parameters={"w": ("P",)},
        shapes={"z": ["N", "D - P + 1"]},
    )
    width = D - size("P") + 1
    assert made.variable("z").shape == (N, width)
    assert made.equations[1].right == total(at("z", n, j), (j, width), (n, N))


def test_shapes_of_what_nothing_fixes():
    made = program("o[n,h] = 1", "L = Sum(o[n,h], n, h)", shapes={"o": ("N", 3)})
    assert made.variable("o").shape == (N, 3)


def test_integer_data():
    made = program("h[n,i] = V[t[n],i]", "L = Sum(h[n,i], n, i)", integers={"t": ("N",)}, parameters={"V": (7, "D")})
    assert made.variable("t").integer
    assert made.variable("t").role is Role.INPUT
    assert [index.name for index in made.variable("V").indices] == ["j", "i"]


def test_integer_targets_by_name():
    made = program("L = -Sum(x[n,t[n]], n)/N", targets={"t": ["N"]}, integers=["t"])
    assert made.variable("t").integer
    assert made.variable("t").role is Role.TARGET


def test_spaces_and_line_breaks_mean_nothing():
    assert scalar("  c \n +\t2 * ( c\n)") == 3 * at("c")


def test_long_sums_are_no_deep_sums():
    assert scalar(" + ".join(["c"] * 1500)) == 1500 * at("c")


def test_terms_are_in_reading_order():
    made = program("z[n,j] = b[j] - Sum(W[j,i]*x[n,i], i)/N + -2*c", "L = Sum(z[n,j], n, j)")
    first, second, third = made.equations[0].terms
    assert first.factors == (at("b", j),)
    assert (second.coefficient, second.sums, second.factors) == (-1 / N, ((i, D),), (at("W", j, i), at("x", n, i)))
    assert (third.coefficient, third.factors) == (-2, (at("c"),))


def test_terms_are_left_out_where_they_are_not_what_sympy_made_of_them():
    assert program("L = Sum(c*b[k], k)").equations[0].terms == ()


def test_batch():
    assert program("L = c").batch == N
    assert program("L = c", batch="K").batch == K
    assert program("L = c", inputs={}, targets={}).batch is None


def test_networks_read_back_from_their_text():
    layers = [Dense("H", "tanh"), Dense("K", "softmax")]
    for loss in ("categorical_cross_entropy", "half_squared_error"):
        network = network_program(describe("D", layers, loss, l2=0.1))
        shapes = {
            role: {v.name: [str(s) for s in v.shape] for v in network.inputs if v.role is role}
            for role in (Role.INPUT, Role.TARGET, Role.PARAMETER)
        }
        read = parse_program(
            shapes[Role.INPUT], shapes[Role.TARGET], shapes[Role.PARAMETER], [str(e) for e in network.equations], "L"
        )
        for mine, theirs in zip(read.equations, network.equations, strict=True):
            assert mine.left == theirs.left.__class__(mine.name, theirs.left.shape, indices=theirs.left.indices)
            assert same_up_to_names(mine.right, theirs.right)


# SymPy objects


# Plain symbols, as a user writes them: no assumptions.
_x, _y, _z, _s, _w = map(sympy.IndexedBase, ("x", "y", "z", "s", "W"))
_c, _i, _j, _k, _n, _q, _loss = sympy.symbols("c i j k n q L")
_D, _K, _N = sympy.symbols("D K N")


def test_sympy_pairs_and_equations():
    made = program(
        (_z[_n, _j], sympy.Sum(_w[_j, _i] * _x[_n, _i], (_i, 0, _D - 1)) + _c * 0.1),
        sympy.Eq(_loss, sympy.Sum(sympy.Abs(_z[_n, _k] - _y[_n, _k]), (_k, 0, _K - 1), (_n, 0, _N - 1)) / _N),
    )
    first, second = made.equations
    assert first.right == total(at("W", j, i) * at("x", n, i), (i, D)) + at("c") / 10
    assert first.left.shape == (N, K)
    assert second.right == total(FUNCTIONS["absolute"](at("y", n, k) - at("z", n, k)), (k, K), (n, N)) / N


def test_sympy_idx_and_functions():
    d = sympy.Idx("i", sympy.Symbol("D", integer=True))
    sigmoid = sympy.Function("sigmoid")
    cases = sympy.Piecewise((sympy.Sum(_s[_n], (_n, 0, _N - 1)), _c > 0), (sympy.pi, True))
    made = program((_s[_n], sympy.Sum(sigmoid(_x[_n, d]) + sympy.Max(_x[_n, d], 0), d)), (_loss, cases))
    entry = at("x", n, i)
    assert made.equations[0].right == total(FUNCTIONS["sigmoid"](entry) + FUNCTIONS["relu"](entry), (i, D))
    assert made.equations[1].right == sympy.Piecewise((total(at("s", n), (n, N)), at("c") > 0), (sympy.pi, True))


def test_sympy_in_the_languages_own_terms_is_unchanged():
    right = maximum(at("y", n, k), (k, K))
    first = ArgMaximum(at("y", n, k), (k, 0, K - 1))
    loss = total(Bracket(sympy.Gt(at("m", n), 0)), (n, N))
    made = program((at("m", n), right), (at("f", n), first), (at("L"), loss))
    assert [equation.right for equation in made.equations] == [right, first, loss]
    assert program((at("m", n), Maximum(at("y", n, k), (k,))), (at("L"), at("c"))).equations[0].right == right


@pytest.mark.parametrize(
    ("equation", "says"),
    [
        ((_loss, _q), "'q' is not defined"),
        ((_loss, sympy.Sum(_x[_n, _i], (_n, 0, _q), (_i, 0, 1))), "'q' is not defined"),
        ((_loss, sympy.Sum(_x[_N, _i], (_i, 1, _D))), r"starts at 1; indices count from 0: write \(i, 0, D - 1\)"),
        ((_loss, sympy.Sum(_x[_i], (_i, 0, _D - 1))), r"x\[i\] has 1 index, but x\(N, D\) has 2 axes"),
        ((_loss, sympy.Function("foo")(_c)), "unknown function foo"),
        ((_loss, sympy.Function("tanh")(_c, _c)), "it takes 1 argument"),
        ((_loss, sympy.Integral(_c, _c)), "Integral is not part of the language"),
        ((_loss, sympy.Derivative(_c**2, _c)), "Derivative is not part of the language"),
        ((_loss, sympy.Matrix([1])), "Matrix"),
        ((_loss, sympy.I), "ImaginaryUnit is not part of the language"),
        ((_loss, sympy.oo), "oo is not a real number"),
        ((_loss, sympy.tan(_c)), "tan is not part of the language"),
        ((_loss + 1, _c), "the left side is a Symbol or an Indexed"),
        ((sympy.IndexedBase("z")[_i + 1], _c), "i \\+ 1 is no plain index"),
        ((sympy.IndexedBase("z")[_i, _i], _c), "names two axes alike"),
        ((_loss, sympy.Sum(_c, (_N, 0, 3))), "'N' names a size"),
        ((_loss, sympy.Sum(sympy.Sum(_x[_i, _i], (_i, 0, 3)) * _c, (_i, 0, 3))), "bound twice"),
        ((sympy.IndexedBase("z")[_q], _c), "the size of index q is unknown"),
    ],
)
def test_sympy_that_is_refused(equation, says):
    with pytest.raises(EquationError, match=says):
        program(equation)


@pytest.mark.parametrize(
    "equation",
    [3, None, ("z", "__import__('os')"), (sympy.Symbol("L"), "1+1"), (1, 2, 3), sympy.true, ["L = c"], b"L = c"],
)
def test_what_is_no_equation(equation):
    with pytest.raises(SymbackpropError, match=r"give|left side"):
        program(equation)


# What is refused


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("L = x", 5, "x has 0 indices, but x(N, D) has 2 axes"),
        ("L = x[n]", 5, "x[n] has 1 index, but x(N, D) has 2 axes"),
        ("L = c[n]", 5, "c[n] has 1 index, but c() has 0 axes"),
        ("L = q", 5, "'q' is not defined; known are x, W, b, c, y, N, D, K, pi"),
        ("L = Sum(xx[n], n)", 9, "'xx' is not defined; did you mean 'x'?"),
        ("L = L", 5, "'L' is not defined before this equation"),
        ("L = 2c", 6, "'c' follows '2' without an operator; write *"),
        ("L = c^2", 6, "unexpected character '^'; write ** for a power"),
        ("L = W@x", 6, "unexpected character '@'; write a product over an index"),
        ("L = c.real", 6, "there are no attributes"),
        ("L = 'c'", 5, "strings are not part of an equation"),
        ("L = c # loss", 7, "comments are not part"),
        ("L = {c}", 5, "use ( and )"),
        ("L = 1 \N{MINUS SIGN} c", 7, "unexpected character '\N{MINUS SIGN}'"),
        ("L = b[0", 6, "'[' is never closed"),
        ("L = (b[0]]", 10, "']' closes no bracket"),
        ("L = c)", 6, "')' closes no bracket"),
        ("L = c +", 0, "this does not parse"),
        ("L = * c", 5, "this does not parse"),
        ("L = lambda", 5, "this does not parse"),
        ("L = lambda: c", 5, "an equation holds no 'lambda'"),
        ("L = [c]", 5, "follow the name of a variable"),
        ("L = c, c", 5, "a comma stands only between"),
        ("L = b[:]", 7, "write an index in place of the slice"),
        ("L = (c)(c)", 5, "unknown function 'c'"),
        ("L = (c+c)[0]", 5, "only a variable has indices"),
        ("L = c > 0", 5, "a comparison stands only in the first argument of where"),
        ("L = c and c", 5, "stand only in the first argument of where"),
        ("L = c % 2", 7, "unexpected character '%'"),
        ("L = c // 2", 5, "'c // 2' is not part of an equation"),
        ("L = True", 5, "'True' is not part of an equation"),
        ("L = None", 5, "'None' is not part of an equation"),
        ("L = sigmiod(c)", 5, "unknown function 'sigmiod'; did you mean 'sigmoid'?"),
        ("L = tanh", 5, "'tanh' is a function; write its argument in parentheses"),
        ("L = tanh(c, 1)", 5, "tanh takes 1 argument, not 2"),
        ("L = tanh()", 5, "tanh takes 1 argument, not 0"),
        ("L = tanh(x=c)", 0, "equals signs"),
        ("L = tanh(*b)", 10, "is not part of an equation"),
        ("L = Sum(b[k])", 5, "Sum needs a second argument; give a body and an index"),
        ("L = Max(c)", 5, "Max needs a second argument"),
        ("L = Max(c, c, c)", 5, "Max takes two values, or a body and its indices"),
        ("L = Max(b[k], k, 1)", 5, "Max mixes values and indices"),
        ("L = Sum(b[k], 3)", 15, "Sum runs over an index, and '3' is none"),
        ("L = Sum(b[k], (k, 0, K))", 15, "a range is written (i, D)"),
        ("L = Sum(b[k], (0, K))", 15, "a range is written (i, D)"),
        ("L = Sum(b[k], (k, c))", 19, "'c' is no size"),
        ("L = Sum(b[k], (k, 0.5))", 19, "'0.5' is no size"),
        ("L = Sum(b[k], (k, 0))", 19, "size 0 is not positive"),
        ("L = Sum(b[k], (k, Q))", 19, "'Q' is not defined"),
        ("L = Sum(b[k], k, k)", 18, "index 'k' is bound twice"),
        ("L = Sum(b[k]*Sum(b[k], k), k)", 24, "index 'k' is bound twice"),
        ("L = Sum(b[x], x)", 15, "'x' names a variable"),
        ("L = Sum(b[N], N)", 15, "'N' names a size"),
        ("L = Sum(c, k)", 12, "the size of index k is unknown: it stands alone in no variable; write its range"),
        ("L = Sum(b[k+1], k)", 17, "write its range, Sum(..., (k, SIZE))"),
        ("L = b[c]", 0, "not integer data"),
        ("L = b[tanh(c)]", 7, "'tanh(c)' is no position"),
        ("L = Sum(b[k**2], (k, K))", 11, "'k**2' is no position"),
        ("L = Sum(b[k/2], (k, K))", 11, "'k/2' is no position"),
        ("L = where(c, 1, 2)", 11, "where needs a comparison first"),
        ("L = where(c > 0, 1)", 5, "where takes a condition and two values, not 2 arguments"),
        ("L = where((c)in(b), 1, 2)", 11, "compare by < <= > >= == or !="),
        ("L = (c)if(c)else(c)", 5, "write where(condition, a, b)"),
        ("L = where(c in b, 1, 2)", 13, "follows 'c' without an operator"),
        ("L = where(where(c > 0, 1, 2) > 0, 1, 2)", 11, "no where inside a condition"),
        ("z[0] = c", 3, "'0' is no plain index"),
        ("z[k,k] = b[k]", 5, "index 'k' stands twice on the left"),
        ("z + 1 = c", 1, "the left side is a variable"),
        ("f(c) = c", 1, "unknown function 'f'"),
        ("tanh(c) = c", 1, "the left side is a variable"),
        ("L == c", 6, "the text has no equals sign"),
        ("L", 1, "the text has no equals sign"),
        ("L = c = 1", 7, "the text has 2 equals signs"),
        ("L = ", 4, "one side is empty"),
        ("= c", 1, "one side is empty"),
        ("", 0, "the text has no equals sign"),
        ("L = 1/0", 7, "division by zero"),
        ("L = c/(c-c)", 0, "division by zero"),
        ("L = 0**-1", 0, "not a real number"),
        ("L = log(-1)", 5, "not a real number"),
        ("L = log(0)", 5, "not a real number"),
        ("L = sqrt(-1)", 5, "I is not a real number"),
    ],
)
def test_refused_text(text, column, says):
    with pytest.raises(EquationError) as caught:
        program(text)
    message = str(caught.value)
    assert says in message
    assert f"equation 1 {text!r}" in message or "program: in " in message
    if column:
        assert f", column {column}: " in message


@pytest.mark.parametrize(
    ("left", "says"),
    [
        ("x[n]", "'x' is declared already"),
        ("N", "'N' is a size"),
        ("z[N]", "'N' names a size"),
        ("z[x]", "'x' names a variable"),
        ("tanh", "'tanh' is no name for a variable"),
        ("_z", "'_z' is no name for a variable"),
        ("z[m]", "the size of index m is unknown: it stands alone in no variable; give the sizes of z in shapes"),
    ],
)
def test_refused_left_sides(left, says):
    with pytest.raises(EquationError, match=re.escape(says)):
        program(f"{left} = c")


def test_a_variable_is_defined_once():
    with pytest.raises(EquationError, match="'L' is defined in an earlier equation already"):
        program("L = c", "L = 2*c")


def test_order_of_equations():
    with pytest.raises(EquationError, match="'s' is not defined before this equation; define it in an earlier one"):
        program("L = s", "s = c")


def test_sizes_that_disagree_are_both_named():
    with pytest.raises(SizeError) as caught:
        program("L = Sum(x[n,i]*W[i,n], n, i)")
    assert "column 16: index n runs over N at axis 1 of x[n,i], but over D at axis 2 of W[i,n]" in str(caught.value)
    with pytest.raises(SizeError, match=r"index k runs over N at axis 1 of x\[k,i\], but over K at axis 1 of b\[k\]"):
        program("z[k] = Sum(x[k,i], i) + b[k]")


def test_the_checker_has_the_last_word():
    with pytest.raises(EquationError, match="index i is free on the right but not on the left"):
        program("L = x[0,i]", inputs={"x": (2, 3)})
    with pytest.raises(EquationError, match="the loss z"):
        program("z[k] = b[k]", loss="z")
    with pytest.raises(EquationError, match="the loss 'M' is not defined"):
        program("L = c", loss="M")
    with pytest.raises(EquationError, match="the output 'a' is not defined"):
        program("L = c", output="a")
    with pytest.raises(SizeError, match="position 1 runs from 1 to 1, but axis 1 has size K"):
        program("L = b[1]")
    with pytest.raises(SizeError, match="position j runs from 0 to D - 1"):
        program("L = Sum(b[j], (j, D))")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"inputs": ["x"]}, "inputs is ['x']; give a mapping"),
        ({"inputs": {"x": "N"}}, "inputs: the shape of x is 'N'; give a list of its sizes"),
        ({"inputs": {"x": 3}}, "inputs: the shape of x is 3; give a list of its sizes"),
        ({"inputs": {"x": (0,)}}, "inputs: x: a size is 0; give a positive integer"),
        ({"inputs": {"x": (True,)}}, "inputs: x: a size is True"),
        ({"inputs": {"x": (1.5,)}}, "inputs: x: a size is 1.5"),
        ({"inputs": {"x": ("D+1",)}}, "inputs: x: a size is 'D+1'"),
        ({"inputs": {"2x": ()}}, "inputs: '2x' is no name for a variable"),
        ({"inputs": {"_x": ()}}, "inputs: '_x' is no name for a variable"),
        ({"inputs": {3: ()}}, "inputs: 3 is no name for a variable"),
        ({"inputs": {"exp": ()}}, "inputs: 'exp' means something else in an equation"),
        ({"inputs": {"Sum": ()}}, "inputs: 'Sum' means something else"),
        ({"inputs": {"lambda": ()}}, "inputs: 'lambda' means something else"),
        ({"inputs": {"c": ()}}, "parameters: 'c' is declared twice"),
        ({"integers": "x"}, "integers is 'x'; give a mapping"),
        ({"integers": ["xx"]}, "integers: 'xx' is no input or target; did you mean 'x'?"),
        ({"integers": ["W"]}, "integers: 'W' is no input or target"),
        ({"shapes": {"q": ()}}, "shapes: 'q' is defined by no equation"),
        ({"shapes": ["L"]}, "shapes is ['L']; give a mapping"),
        ({"shapes": {"L": "N"}}, "shapes: the shape of L is 'N'"),
        ({"shapes": {"L": ["Q"]}}, "shapes: L: size 'Q', column 1: 'Q' is not defined"),
        ({"shapes": {"L": ["N +"]}}, "shapes: L: size 'N +', column 1: this does not parse"),
        ({"shapes": {"L": ["__import__('os')"]}}, "shapes: L: size"),
        ({"shapes": {"L": ["tanh(D=1)"]}}, "shapes: L: size 'tanh(D=1)', column 1: tanh takes no named arguments"),
        ({"shapes": {"L": [0]}}, "shapes: L: a size is 0"),
        ({"shapes": {"L": ["N - N"]}}, "size 0 is not positive"),
        ({"batch": "M"}, "batch is 'M', which is no size of the program"),
    ],
)
def test_refused_declarations(changes, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        program("L = c", **changes)


def test_shapes_and_left_sides_have_the_same_rank():
    with pytest.raises(SizeError, match="shapes gives z 2 sizes, but its left side has 1 indices"):
        program("z[k] = b[k]", "L = Sum(z[k], k)", shapes={"z": ("K", "K")})


def test_no_equations():
    with pytest.raises(UsageError, match="equations is empty"):
        program()
    with pytest.raises(UsageError, match="give a list of equations"):
        parse_program({}, {}, {}, "L = 1", "L")


# Bounds: nothing hangs, nothing is evaluated


@pytest.mark.parametrize(
    ("right", "says"),
    [
        ("c" * (LENGTH + 1), f"at most {LENGTH} are read"),
        ("(" * (DEPTH + 1) + "c" + ")" * (DEPTH + 1), f"nested more than {DEPTH} deep"),
        ("tanh(1+" * 80 + "c" + ")" * 80, "deep"),
        ("-" * 500 + "c", "deep"),
        ("-" * 9000 + "c", "deep"),
        ("c**" * 3000 + "c", "deep"),
        ("9" * (DIGITS + 1), f"at most {DIGITS} digits"),
        ("1e9999999", "decimal exponent"),
        ("1e-" + "9" * 200, "at most"),
        ("1e999", "too large"),
        ("9**9**9", "an exponent is at most 1000"),
        ("c**1001", "an exponent is at most 1000"),
        ("2**(10**90/7)", "an exponent is at most 1000"),
        ("2**(c*10**50)", "an exponent is at most 1000"),
        ("(9**300)**1000", "binary digits"),
        ("((9**1000)**1000)**1000", "too large"),
        ("((2*c)**1000)**1000", "too large"),
        ("((2*c)**900)**1000", "binary digits"),
        ("((2*c)**900)*((2*c)**900)", "too large"),
        ("exp(10**50*log(2))", "an exponent is at most 1000"),
        ("exp(c*1000*log((2*c)**900))", "binary digits"),
        ("*".join(["9" * 90] * 100), "too large"),
        ("(1+sqrt(2))**1000*c", "too large"),
        ("exp(exp(exp(100)))", "too large"),
        ("cosh(10**50)", "too large"),
        ("+".join(["Max(c,0)"] * (CHOICES + 1)), f"at most {CHOICES} of Max, Min and sign"),
        ("*".join(["where(c>0,c,0)"] * 5), "at most 4 of where"),
    ],
)
def test_bounds(right, says):
    start = time.perf_counter()
    with pytest.raises(EquationError, match=re.escape(says)):
        program(f"L = {right}")
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    "right",
    [
        "Sum(" + "*".join(["where(b[k]>0,b[k],0)"] * 4) + ", k)",
        "where(c>0,where(c>1,where(c>2,where(c>3,1,2),3),4),5)",
        "Max(c," * CHOICES + "0" + ")" * CHOICES,
        "sign(" * CHOICES + "c" + "+1)" * CHOICES,
        "tanh(" * 90 + "c" + ")" * 90,
        "Sum(2, (k, 10**90))",
        "sin(10**90) + cos(10**90*pi/7) + atan(10**90)",
        "(10**99+7)**0.5 + log(10**99+7)",
    ],
)
def test_what_is_within_bounds_is_quick(right):
    start = time.perf_counter()
    program(f"L = {right}")
    assert time.perf_counter() - start < 4


ATTACKS = ("__import__('os')", "__import__('os').system('false')", "exec('1')", "eval(c)", "open('f')", "c.__class__")


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_string_is_evaluated(attack):
    for equations in ([f"L = {attack}"], [f"{attack} = c"], [f"L = b[{attack}]"], [f"L = Sum(b[k], (k, {attack}))"]):
        with pytest.raises(SymbackpropError):
            program(*equations)
    for changes in ({"loss": attack}, {"output": attack}, {"batch": attack}, {"integers": [attack]}):
        with pytest.raises(SymbackpropError):
            program("L = c", **changes)
    for table in ("inputs", "targets", "parameters", "integers", "shapes"):
        for declared in ({attack: ()}, {"L": [attack]}):
            with pytest.raises(SymbackpropError):
                program("L = c", **{table: declared})


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(alphabet="cbxkn012.eE+-*/()[],<>= SumMaxwhertanlg", max_size=40))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(SymbackpropError):
        program(f"L = {text}")


EXPRESSIONS = st.recursive(
    st.sampled_from([("c", at("c")), ("b[0]", at("b", 0)), ("2", sympy.Integer(2)), ("0.5", sympy.Rational(1, 2))]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*"), inner, inner).map(
            lambda t: (
                f"({t[1][0]}){t[0]}({t[2][0]})",
                {"+": sympy.Add, "-": lambda a, b: a - b, "*": sympy.Mul}[t[0]](t[1][1], t[2][1]),
            )
        ),
        inner.map(lambda t: (f"tanh({t[0]})", sympy.tanh(t[1]))),
        inner.map(lambda t: (f"-({t[0]})**2", -(t[1] ** 2))),
        inner.map(lambda t: (f"({t[0]})/(3+({t[0]})**2)", t[1] / (3 + t[1] ** 2))),
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(EXPRESSIONS)
def test_text_means_what_sympy_builds(pair):
    text, expected = pair
    got = program(f"L = {text} + 0*b[0]", parameters={"b": (1,), "c": ()}).equations[0].right
    point = {at("c"): sympy.Rational(3, 7), at("b", 0): sympy.Rational(-2, 5)}
    assert abs(sympy.N((got - expected).subs(point))) < 1e-9
