"""Every record of an elementwise function: definition, derivative, NumPy form, kinks, bounds; and ``translate``."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from brute_force import Evaluator

from symbackprop.errors import EquationError, UsageError
from symbackprop.functions import error_function
from symbackprop.functions.elementary import ELEMENTARY, Primitive
from symbackprop.functions.error_function import erf, erfc
from symbackprop.functions.kinks import kinks
from symbackprop.functions.library import FUNCTIONS
from symbackprop.functions.numpy_printer import NumpyPrinter
from symbackprop.functions.primitives import PRIMITIVES, larger, smaller
from symbackprop.functions.translate import translate
from symbackprop.notation.expressions import Bracket, index, maximum, occurrence, size, total
from symbackprop.notation.program import Equation, Program, Role, Variable
from symbackprop.specification.known_functions import KNOWN_FUNCTIONS

NAMES = tuple(FUNCTIONS)
Z, A = sympy.symbols("z a", real=True)
# Off every kink (all kinks are whole numbers), dense near 0, and far out on both sides.
POINTS = tuple(
    sign * point
    for sign in (1, -1)
    for point in (*(Fraction(2 * k + 1, 7) for k in range(40)), Fraction(1, 999), Fraction(31, 2), Fraction(201, 5))
    if point.denominator != 1
)


def number(q: Fraction | float) -> mpmath.mpf:
    return mpmath.mpf(q.numerator) / q.denominator if isinstance(q, Fraction) else mpmath.mpf(float(q))


def meaning(name: str, z: mpmath.mpf) -> mpmath.mpf:
    return Evaluator({Z: z}, "general")(FUNCTIONS[name].record.definition(Z))


def slope(name: str, z: mpmath.mpf) -> mpmath.mpf:
    """The record's derivative, which may use the function's value."""
    expression = FUNCTIONS[name].record.derivative(Z, A)
    return Evaluator({Z: z, A: meaning(name, z)}, "general")(expression)


@pytest.mark.parametrize("name", NAMES)
def test_the_derivative_is_that_of_the_definition(name: str) -> None:
    with mpmath.workdps(60):
        for point in POINTS:
            z = number(point)
            expected = mpmath.diff(lambda at: meaning(name, at), z)
            assert abs(slope(name, z) - expected) <= mpmath.mpf(10) ** -25 * max(1, abs(expected)), (name, point)


@pytest.mark.parametrize("name", NAMES)
def test_sympy_differentiates_by_the_record(name: str) -> None:
    function = FUNCTIONS[name]
    inner = Z**2 - 3 * Z
    with mpmath.workdps(60):
        for point in POINTS[::5]:
            z = number(point)
            found = Evaluator({Z: z}, "general")(sympy.diff(function(inner), Z))
            expected = (2 * z - 3) * slope(name, z**2 - 3 * z)
            assert abs(found - expected) <= mpmath.mpf(10) ** -40 * max(1, abs(expected)), (name, point)


def test_a_derivative_wrong_by_a_twentieth_of_a_percent_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    record = FUNCTIONS["sigmoid"].record
    wrong = type(record)(
        name=record.name,
        latex=record.latex,
        definition=record.definition,
        derivative=lambda z, a: record.derivative(z, a) * sympy.Rational(10005, 10000),
        identity=record.identity,
    )
    monkeypatch.setattr(FUNCTIONS["sigmoid"], "record", wrong)
    with pytest.raises(AssertionError):
        test_the_derivative_is_that_of_the_definition("sigmoid")


# NumPy forms

GRID = {
    np.float64: (
        *np.linspace(-12, 12, 97),
        *(sign * 10.0**k for sign in (1, -1) for k in (-20, -9, -8, -5, -4, -3, -2, -1, 2, 3, 4)),
        *(-36.7, -37.5, 36.7, 37.5, 700.0, -700.0, 745.2, -745.2),
    ),
    np.float32: (
        *np.linspace(-12, 12, 97),
        *(sign * 10.0**k for sign in (1, -1) for k in (-30, -9, -4, -3, -2, -1, 2)),
        *(-16.7, 16.7, 88.0, -88.0, 89.0, -89.0, 103.0, -103.0),
    ),
}


@pytest.mark.parametrize("dtype", GRID)
@pytest.mark.parametrize("name", NAMES)
def test_the_numpy_form_is_right_to_a_few_units_in_the_last_place(name: str, dtype: type[np.floating]) -> None:
    points = np.array(GRID[dtype], dtype=dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = FUNCTIONS[name].record.numpy(points)
    assert found.dtype == dtype
    assert found.shape == points.shape
    with mpmath.workdps(350):
        for z, value in zip(points, found, strict=True):
            exact = meaning(name, number(z))
            unit = mpmath.mpf(float(np.spacing(np.abs(dtype(min(abs(exact), float(np.finfo(dtype).max)))))))
            # A function is as sensitive as its condition number: exp(-z*z/2) loses z*z units however it is computed.
            condition = abs(number(z) * slope(name, number(z)) / exact) if exact != 0 else mpmath.mpf(0)
            assert abs(number(value) - exact) <= (4 + 2 * condition) * unit, (name, z, value, exact)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", NAMES)
def test_the_numpy_form_at_the_kink_is_the_definition(name: str, dtype: type[np.floating]) -> None:
    record = FUNCTIONS[name].record
    for kink in (*record.kinks, sympy.Integer(0)):
        value = record.numpy(np.array([int(kink)], dtype=dtype))[0]
        expected = float(Evaluator({Z: mpmath.mpf(int(kink))}, "general")(record.definition(Z)))
        assert value == pytest.approx(expected, rel=4 * float(np.finfo(dtype).eps), abs=0), (name, kink)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (1, 0, 2)])
@pytest.mark.parametrize("name", NAMES)
def test_the_numpy_form_keeps_the_shape_and_the_argument(name: str, shape: tuple[int, ...]) -> None:
    z = np.full(shape, 0.25)
    before = z.copy()
    assert np.shape(FUNCTIONS[name].record.numpy(z)) == shape
    assert np.array_equal(z, before)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_a_number_stays_so(name: str) -> None:
    with np.errstate(invalid="ignore"):
        assert np.isnan(FUNCTIONS[name].record.numpy(np.array([np.nan]))).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_bounds_hold(name: str) -> None:
    low, high = FUNCTIONS[name].record.bounds
    with mpmath.workdps(60):
        least, most = (mpmath.mpf(str(bound.evalf(60))) if bound.is_finite else None for bound in (low, high))
        for point in (*POINTS, *(Fraction(k, 50) for k in range(-200, 200))):
            value = meaning(name, number(point))
            assert least is None or value >= least, (name, point)
            assert most is None or value <= most, (name, point)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", NAMES)
def test_the_numpy_form_says_nothing_far_out(name: str, dtype: type[np.floating]) -> None:
    """Warnings are errors here; what becomes too small for its digits is no reason for one."""
    points = np.array([sign * far for sign in (1, -1) for far in (0, 30, 88, 89, 100, 709, 710, 746, 1e4)], dtype)
    with np.errstate(over="warn", invalid="warn", divide="warn"):
        assert np.isfinite(FUNCTIONS[name].record.numpy(points)).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_printed_form_computes_what_the_record_does(name: str) -> None:
    code = NumpyPrinter().doprint(FUNCTIONS[name].record.stable_form(Z))
    helpers = {row.call: row.numpy for row in PRIMITIVES.values() if row.name is None}
    names = {other: FUNCTIONS[other].record.numpy for other in NAMES}
    for dtype, points in GRID.items():
        z = np.array(points, dtype=dtype)
        found = eval(compile(code, name, "eval"), {"np": np, **helpers, **names, "z": z})
        assert found.dtype == dtype
        assert np.array_equal(found, FUNCTIONS[name].record.numpy(z)), code


def test_sympy_leaves_the_stable_forms_as_they_are_written() -> None:
    expected = {
        "sigmoid": "np.exp(np.minimum(z, 0))/(1 + np.exp(-np.absolute(z)))",
        "softplus": "np.maximum(z, 0) + np.log1p(np.exp(-np.absolute(z)))",
        "normal_cdf": "erfc(-0.7071067811865476*z)/2",
        "normal_pdf": "0.3989422804014327*np.exp(-z**2/2)",
        "gelu_gate": "sigmoid(1.5957691216057308*z*(0.044715*z**2 + 1))",
        "selu": "1.0507009873554805*(1.6732632423543772*np.expm1(np.minimum(z, 0)) + np.maximum(z, 0))",
        "hard_sigmoid": "np.minimum(np.maximum(z/6 + 0.5, 0), 1)",
        "huber": "(z - clamp(z)/2)*clamp(z)",
        "log_cosh": "np.where(np.absolute(z) < 1, np.log1p(2*np.sinh(np.minimum(np.absolute(z), 1)/2)**2), "
        "np.log1p(np.exp(-2*np.absolute(z))) + np.absolute(z) - 0.6931471805599453)",
    }
    assert {name: NumpyPrinter().doprint(FUNCTIONS[name].record.stable_form(Z)) for name in expected} == expected


# Code for NumPy

E, P, Q = sympy.symbols("e p q", positive=True)


@pytest.mark.parametrize(
    "expression",
    [
        E / (P * Q),
        -E / (2 * P**2),
        2 / (3 * E),
        1 / sympy.sqrt(E),
        E**-3,
        E * (P + 1) / (Q - 7),
        (P - E) ** 2 / 7,
        E - P / 3,
        -(E - P) / (E + P),
        sympy.sqrt(E * P) / sympy.pi,
        sympy.Rational(1, 2) ** E,
        E ** (P * Q),
        (E**P) ** (Q - E),
        E ** (P**Q),
        E ** (-P),
        E ** sympy.Rational(1, 3),
        (1 + sympy.sqrt(2)) * E,
        (1 - sympy.sqrt(2)) * E * sympy.exp(-P),
        sympy.exp(2) * E - sympy.log(3),
        sympy.Piecewise((E, sympy.Or(E > 2, P < 1)), (P, sympy.And(E > P, sympy.Ne(P, 1))), (Q, True)),
        sympy.Piecewise((E, sympy.Not(sympy.Eq(E, P))), (P, True)),
        E * Bracket(E > P) + P * Bracket(sympy.And(E > 1, P < 3)) + Bracket(P > 5) * Q,
        FUNCTIONS["selu"](-2) * E,
        sympy.tan(E) + sympy.atan(P) * sympy.erf(Q),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_code_means_what_the_expression_does(expression: sympy.Expr, dtype: type[np.floating]) -> None:
    code = NumpyPrinter().doprint(expression)
    values = {E: Fraction(3, 2), P: Fraction(5, 4), Q: Fraction(1, 2)}
    arrays = {str(symbol): np.array([float(value)] * 3, dtype) for symbol, value in values.items()}
    found = eval(code, {"np": np, "erf": erf, **arrays})
    assert found.dtype == dtype, code
    expected = Evaluator({symbol: number(value) for symbol, value in values.items()}, "general")(expression)
    assert found == pytest.approx([float(expected)] * 3, rel=32 * float(np.finfo(dtype).eps), abs=0), code


def test_the_code_of_what_is_no_finite_number() -> None:
    assert NumpyPrinter().doprint(sympy.oo) == "np.inf"
    assert NumpyPrinter().doprint(-sympy.oo) == "-np.inf"
    assert NumpyPrinter().doprint(sympy.Piecewise((Z, Z > 0))) == "np.where(z > 0, z, np.nan)"


@pytest.mark.parametrize("row", PRIMITIVES.values(), ids=lambda row: row.function.__name__)
def test_a_primitive_is_what_numpy_calls_it(row: Primitive) -> None:
    arguments = np.array([0.25, 0.5])[: row.arity]
    found = row.numpy(*(np.array([argument]) for argument in arguments))
    if row.name is not None:
        assert getattr(np, row.name) is row.numpy
        result = np.empty(1)
        row.numpy(*(np.array([argument]) for argument in arguments), out=result)
        assert result == found
    printed = NumpyPrinter().doprint(row.function(*sympy.symbols("p q")[: row.arity]))
    assert printed == f"{row.call}({', '.join('pq'[: row.arity])})"


@pytest.mark.parametrize("function", [own for own in PRIMITIVES if own not in ELEMENTARY], ids=str)
def test_no_equation_can_name_a_primitive(function: type[sympy.Function]) -> None:
    name = function.__name__
    with pytest.raises(UsageError, match=f"function '{name}' is not known here"):
        translate(1 + function(*sympy.symbols("p q")[: PRIMITIVES[function].arity]))
    assert name not in KNOWN_FUNCTIONS


@pytest.mark.parametrize("function", [larger, smaller])
def test_a_primitive_does_not_evaluate(function: type[sympy.Function]) -> None:
    assert function(2, 3).args == (2, 3)
    assert function(Z, Z).args == (Z, Z)
    assert NumpyPrinter().doprint(Z * function(2, 3)) in ("z*np.maximum(2, 3)", "z*np.minimum(2, 3)")


# The error function

ERROR_FUNCTIONS = ((erf, mpmath.erf), (erfc, mpmath.erfc))


@pytest.mark.parametrize(("dtype", "units", "end"), [(np.float64, 4, 26.5), (np.float32, 7, 9.0)])
@pytest.mark.parametrize(("ours", "theirs"), ERROR_FUNCTIONS, ids=["erf", "erfc"])
def test_the_error_function_is_right_near_and_far(
    ours: Callable[[np.ndarray], np.ndarray],
    theirs: Callable[[mpmath.mpf], mpmath.mpf],
    dtype: type[np.floating],
    units: int,
    end: float,
) -> None:
    """To a few units in the last place, across the borders between Cody's intervals (0.46875 and 4) too."""
    tiny = np.geomspace(float(np.finfo(dtype).tiny) * 4, 0.1, 60)
    border = np.array([0.46875, np.nextafter(0.46875, 1), 4, np.nextafter(4, 5)])
    positive = np.concatenate([tiny, border, np.linspace(0, 6, 601)[1:], np.linspace(6, end, 200)])
    points = np.concatenate([positive, -positive]).astype(dtype)
    found = ours(points)
    assert found.dtype == dtype
    with mpmath.workdps(40):
        for z, value in zip(points, found, strict=True):
            exact = theirs(number(z))
            assert abs(number(value) / exact - 1) <= units * float(np.finfo(dtype).eps), (z, value, exact)


def test_the_error_function_is_right_in_both_precisions() -> None:
    points = np.array([-3.0, -0.5, 0.0, 1e-9, 0.5, 6.0])
    for dtype in (np.float64, np.float32):
        found = erf(points.astype(dtype))
        assert found.dtype == dtype
        expected = [float(mpmath.erf(float(z))) for z in points.astype(dtype)]
        assert found == pytest.approx(expected, rel=2 * float(np.finfo(dtype).eps), abs=0)


def test_the_tail_of_the_error_function_keeps_its_digits() -> None:
    with mpmath.workdps(40):
        assert float(erfc(np.array(26.0))) == pytest.approx(float(mpmath.erfc(26)), rel=1e-14, abs=0)
        # Below the smallest normal number the spacing is 5e-324.
        assert abs(number(float(erfc(np.array(27.0)))) - mpmath.erfc(27)) <= 2 * number(5e-324)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_error_function_at_the_ends(dtype: type[np.floating]) -> None:
    ends = np.array([np.inf, 1e4, np.finfo(dtype).max, 0.0, -0.0, -np.inf, -1e4, np.finfo(dtype).min, np.nan], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.array_equal(erf(ends), np.array([1, 1, 1, 0, 0, -1, -1, -1, np.nan]), equal_nan=True)
        assert np.array_equal(erfc(ends), np.array([0, 0, 0, 1, 1, 2, 2, 2, np.nan]), equal_nan=True)
    assert np.array_equal(np.signbit(erf(ends[3:5])), [False, True])
    smallest = np.finfo(dtype).smallest_subnormal
    assert erf(np.array([smallest])) == [smallest]


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (1, 0, 2)])
@pytest.mark.parametrize("ours", [erf, erfc])
def test_the_error_function_keeps_shape_type_and_argument(
    ours: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...]
) -> None:
    for dtype in (np.float64, np.float32):
        for entry in (0.25, 1.0, 5.0, -5.0):
            z = np.full(shape, entry, dtype)
            found = ours(z)
            assert isinstance(found, np.ndarray)
            assert (found.shape, found.dtype) == (shape, dtype)
            assert (z == entry).all()


def test_the_text_of_the_error_function_stands_alone() -> None:
    """Generated modules carry it; it imports NumPy and nothing else."""
    text = inspect.getsource(error_function)
    imported = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert sorted(map(ast.unparse, imported)) == ["from __future__ import annotations", "import numpy as np"]
    space: dict[str, Any] = {}
    exec(compile(text, "alone", "exec"), space)
    z = np.linspace(-6, 6, 40)
    assert np.array_equal(space["erf"](z), erf(z))
    assert np.array_equal(space["erfc"](z), erfc(z))


# Kinks. The slopes are PyTorch's.

SLOPES_AT_KINKS = {
    ("relu", 0): 0,
    ("leaky_relu", 0): Fraction(1, 100),
    ("hard_sigmoid", -3): 0,
    ("hard_sigmoid", 3): 0,
    ("absolute", 0): 0,
    ("clamp", -1): 0,
    ("clamp", 1): 0,
}


@pytest.mark.parametrize(("name", "kink"), SLOPES_AT_KINKS)
def test_the_slope_at_a_kink_is_the_convention(name: str, kink: int) -> None:
    assert slope(name, mpmath.mpf(kink)) == number(Fraction(SLOPES_AT_KINKS[name, kink]))


def test_the_slope_of_selu_at_its_kink_is_the_left_one() -> None:
    with mpmath.workdps(40):
        left = mpmath.mpf("1.0507009873554804934193349852946") * mpmath.mpf("1.6732632423543772848170429916717")
        assert abs(slope("selu", mpmath.mpf(0)) - left) < mpmath.mpf(10) ** -30


@pytest.mark.parametrize("name", NAMES)
def test_the_kinks_are_where_the_derivative_jumps(name: str) -> None:
    """Declared kinks jump, and no other whole or half number within reach does."""
    record = FUNCTIONS[name].record
    tiny = mpmath.mpf(10) ** -30
    with mpmath.workdps(60):
        for half in range(-10, 11):
            z = mpmath.mpf(half) / 2
            jump = abs(slope(name, z + tiny) - slope(name, z - tiny)) > mpmath.mpf(10) ** -20
            assert jump == (sympy.Rational(half, 2) in record.kinks), (name, z)
    assert bool(record.kinks) == bool(record.convention)


def test_a_program_names_its_kinks() -> None:
    i, n = index("i"), size("N")
    w = Variable("w", (n,), Role.PARAMETER, (i,))
    body = FUNCTIONS["relu"](w.at(i)) + FUNCTIONS["hard_sigmoid"](2 * w.at(i))
    loss = total(body, (i, n)) + maximum(w.at(i), (i, n))
    case = sympy.Piecewise((occurrence("s"), occurrence("s") > 1), (0, True))
    program = Program(
        (w, Variable("s", role=Role.PARAMETER)),
        (Equation(Variable("c"), case), Equation(Variable("L"), loss + occurrence("c"))),
        loss="L",
    )
    assert sorted(map(str, kinks(program))) == [
        "L: hard_sigmoid has no derivative where 2*w[i] = -3; taken there: slope 0",
        "L: hard_sigmoid has no derivative where 2*w[i] = 3; taken there: slope 0",
        "L: max has no derivative at a tie in w[i]; taken there: the slope of the first largest entry",
        "L: relu has no derivative where w[i] = 0; taken there: slope 0",
        "c: a definition by cases has no derivative where s - 1 = 0; taken there: the case whose condition holds",
    ]


# SymPy's kinked functions in the language's own


@pytest.mark.parametrize(
    "theirs",
    [
        sympy.Abs(Z - 1),
        sympy.Max(Z, 2),
        sympy.Min(Z, 2),
        sympy.Max(Z, A, -Z),
        sympy.Min(Z, A, -Z, 3),
        sympy.sign(Z - A),
        sympy.Heaviside(Z),
        sympy.Heaviside(Z - 2, 0),
        sympy.Max(sympy.Abs(Z), sympy.Min(A, 1)) * sympy.sign(Z) + sympy.exp(sympy.Abs(A * Z)),
    ],
    ids=str,
)
def test_translate_keeps_the_meaning(theirs: sympy.Expr) -> None:
    ours = translate(theirs)
    assert not ours.has(sympy.Abs, sympy.Max, sympy.Min, sympy.sign, sympy.Heaviside)
    for z in (-3, -1, 0, 1, 2, 4):
        for a in (-2, 0, 1, 5):
            expected = float(theirs.xreplace({Z: sympy.Integer(z), A: sympy.Integer(a)}))
            assert float(Evaluator({Z: mpmath.mpf(z), A: mpmath.mpf(a)}, "general")(ours)) == pytest.approx(expected)


def test_translate_follows_the_conventions_at_kinks() -> None:
    at = {Z: mpmath.mpf(0)}
    for theirs in (sympy.Abs(Z), sympy.Max(Z, 0)):
        assert Evaluator(at, "general")(sympy.diff(translate(theirs), Z)) == 0
    assert sympy.diff(translate(sympy.sign(Z)), Z) == 0


def test_translate_reaches_into_sums_and_leaves_the_rest_alone() -> None:
    i = index("i")
    inside = total(sympy.Abs(occurrence("x", i)), (i, size("N")))
    assert translate(inside) == total(FUNCTIONS["absolute"](occurrence("x", i)), (i, size("N")))
    plain = sympy.exp(Z) + total(occurrence("x", i) ** 2, (i, size("N")))
    assert translate(plain) == plain


def test_translate_refuses_a_dirac_delta() -> None:
    with pytest.raises(EquationError, match=r"DiracDelta\(z\).*Dirac delta.*leave it out"):
        translate(sympy.DiracDelta(Z))


def test_a_bracket_is_0_or_1_and_locally_constant() -> None:
    assert Bracket(sympy.true) == 1
    assert Bracket(sympy.false) == 0
    bracket = Bracket(Z > 0)
    assert sympy.diff(bracket, Z) == 0
    assert bracket * bracket == bracket
    assert str(bracket) == "[z > 0]"
