"""Arrays for a program's variables: what converts, what is refused, and what is drawn."""

import math
import re

import numpy as np
import pytest
import sympy

from symbackprop.errors import SizeError, UsageError
from symbackprop.layers.dense import Dense
from symbackprop.network import describe, network_program
from symbackprop.specification.equations import parse_program
from symbackprop.specification.values import INITIALIZATIONS, check_arrays, draw_parameters, in_dtype_of_parameters


def network(inputs="D", hidden="H", outputs="K", layout="out_in"):
    layers = [Dense(hidden, "sigmoid"), Dense(outputs, "softmax")]
    return network_program(describe(inputs, layers, "categorical_cross_entropy", weight_layout=layout))


NET = network(2, 4, 3)
LABELS = parse_program(
    {"x": ("N", "D")}, {"t": ("N",)}, {"V": ("K", "D"), "g": ()}, ["L = g*Sum(V[t[n],i]*x[n,i], n, i)"], "L",
    integers=["t"],
)  # fmt: skip


# What converts


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        ([[1, 2]], np.float64),
        ([[True, False]], np.float64),
        ([[1.5, 2]], np.float64),
        (np.ones((3, 2), np.int8), np.float64),
        (np.ones((3, 2), np.uint64), np.float64),
        (np.ones((3, 2), bool), np.float64),
        (np.ones((3, 2), np.float16), np.float64),
        (np.ones((3, 2), np.longdouble), np.float64),
        (np.ones((3, 2), np.float32), np.float32),
        (np.ones((3, 2), ">f8"), np.float64),
        (np.ma.masked_array([[1.0, 2.0]], mask=[[False, False]]), np.float64),
        (((1, 2), (3, 4)), np.float64),
    ],
)
def test_numbers_convert(given, dtype):
    x = check_arrays(NET, {"x": given})["x"]
    assert type(x) is np.ndarray
    assert x.dtype == dtype
    assert np.array_equal(x, np.asarray(given, float))


def test_float_arrays_are_not_copied():
    x = np.ones((3, 2))
    assert check_arrays(NET, {"x": x})["x"] is x


def test_scalars_and_integer_data():
    arrays = check_arrays(LABELS, {"t": [0.0, 2.0], "g": 3})
    assert arrays["t"].dtype == np.int64
    assert arrays["t"].tolist() == [0, 2]
    assert arrays["g"].shape == ()


def test_labels_become_one_hot():
    arrays = check_arrays(NET, {"x": np.ones((3, 2)), "y": [2, 0, 1]}, one_hot=True)
    assert arrays["y"].tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert check_arrays(NET, {"y": np.array([1.0, 1.0])}, one_hot=True)["y"].shape == (2, 3)
    assert check_arrays(NET, {"y": [[0, 1, 0]]}, one_hot=True)["y"].tolist() == [[0, 1, 0]]


def test_the_number_of_classes_comes_from_sizes_or_parameters():
    symbolic = network()
    assert check_arrays(symbolic, {"y": [1]}, one_hot=True, sizes={"K": 3})["y"].shape == (1, 3)
    assert check_arrays(symbolic, {"y": [1], "b2": [0, 0]}, one_hot=True)["y"].shape == (1, 2)


# What is refused


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"q": 1}, "network has no input, target or parameter 'q'"),
        ({"W3": 1}, "no input, target or parameter 'W3'; did you mean 'W2'?"),
        ({"z1": [[1, 2, 3, 4]]}, "no input, target or parameter 'z1'"),
        ({"x": [[1j, 2]]}, "x holds complex numbers, 1j at [0, 0]; give real numbers"),
        ({"x": [["1", "2"]]}, "x holds strings, '1' at [0, 0]; give real numbers"),
        ({"x": [[1, "a"]]}, "x holds strings, 'a' at [0, 1]; give real numbers"),
        ({"x": "__import__('os')"}, "x holds strings, \"__import__('os')\"; give real numbers"),
        ({"x": [[1, None]]}, "x holds objects, None at [0, 1]; give real numbers"),
        ({"x": [[1, sympy.Symbol("t")]]}, "x holds objects, t at [0, 1]"),
        ({"x": [[b"1", b"2"]]}, "x holds bytes"),
        ({"x": np.array([["2020-01-01"]], "M8")}, "x holds dates"),
        ({"x": {"a": 1}}, "x holds objects, {'a': 1}; give"),
        ({"x": [[1, 2], [3]]}, "x is no array of numbers: its rows have different lengths"),
        ({"x": [[1, math.nan]]}, "x[0, 1] is nan; give finite numbers"),
        ({"x": [[math.inf, 1]]}, "x[0, 0] is inf; give finite numbers"),
        ({"x": np.ma.masked_array([[1.0, 2.0]], mask=[[True, False]])}, "x has masked entries"),
    ],
)
def test_refused_arrays(given, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        check_arrays(NET, given)


def test_refused_integer_data():
    with pytest.raises(UsageError, match=re.escape("t[1] is 0.5; t is integer data")):
        check_arrays(LABELS, {"t": [0, 0.5]})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"x": [[1, 2, 3]]}, "x has shape (1, 3), but"),
        ({"x": []}, "x has shape (0,), so it has no entries"),
        ({"x": np.ones((0, 2))}, "x has shape (0, 2), so it has no entries"),
        ({"x": [1.0, 2.0]}, "a batch has one row an example; for one example write [[1., 2.]]"),
        ({"y": np.arange(99.0)}, "for one example write [["),
        ({"x": 1.0}, "x has shape (), but (N, 2) was expected"),
        ({"b1": [[1, 2, 3, 4]]}, "b1 has shape (1, 4)"),
        ({"x": np.ones((3, 2)), "y": np.ones((2, 3))}, "N is 3 in x"),
        ({"y": [0, 1]}, "y has shape (2,)"),
    ],
)
def test_refused_shapes(given, says):
    with pytest.raises(SizeError, match=re.escape(says)):
        check_arrays(NET, given)


@pytest.mark.parametrize(
    ("labels", "kind", "says"),
    [
        ([0, 3], UsageError, "y[1] is the label 3, but labels run from 0 to 2"),
        ([-1, 0], UsageError, "y[0] is the label -1, but labels run from 0 to 2"),
        ([0.5, 1], UsageError, "y[0] is 0.5, which is no label; give integers from 0, or a row for each example"),
        ([[0], [1]], SizeError, "y has shape (2, 1)"),
        ([0, 1, 2], SizeError, "N is 2 in x"),
    ],
)
def test_refused_labels(labels, kind, says):
    with pytest.raises(kind, match=re.escape(says)):
        check_arrays(NET, {"x": np.ones((2, 2)), "y": labels}, one_hot=True)


def test_labels_without_a_number_of_classes():
    with pytest.raises(SizeError, match="the number of classes K is not known; give K in sizes, or one-hot rows"):
        check_arrays(network(), {"y": [0, 1]}, one_hot=True)


# What is drawn


def test_the_missing_is_drawn_in_parameter_order():
    drawn = draw_parameters(NET, {}, {}, seed=3)
    rng = np.random.default_rng(3)
    assert list(drawn) == ["W1", "b1", "W2", "b2"]
    for name, shape in (("W1", (4, 2)), ("W2", (3, 4))):
        bound = math.sqrt(6 / sum(shape))
        assert np.array_equal(drawn[name], rng.uniform(-bound, bound, shape))
    assert not drawn["b1"].any()
    assert drawn["b2"].shape == (3,)


def test_what_is_given_is_kept_and_not_drawn():
    w1 = np.arange(8).reshape(4, 2)
    drawn = draw_parameters(NET, {}, {"W1": w1.tolist()}, seed=3)
    assert np.array_equal(drawn["W1"], w1)
    assert drawn["W1"].dtype == np.float64
    bound = math.sqrt(6 / 7)
    assert np.array_equal(drawn["W2"], np.random.default_rng(3).uniform(-bound, bound, (3, 4)))


def test_drawing_is_deterministic():
    one, two, other = (draw_parameters(NET, {}, {}, seed=seed)["W1"] for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("name", "scale", "is_uniform"),
    [
        ("uniform", 1.0, True),
        ("normal", 1.0, False),
        ("glorot", math.sqrt(6 / 500), True),
        ("glorot_uniform", math.sqrt(6 / 500), True),
        ("glorot_normal", math.sqrt(2 / 500), False),
        ("he", math.sqrt(2 / 300), False),
        ("he_uniform", math.sqrt(6 / 300), True),
        ("he_normal", math.sqrt(2 / 300), False),
    ],
)
@pytest.mark.parametrize("layout", ["out_in", "in_out"])
def test_initializations(name, scale, is_uniform, layout):
    program = network(300, 200, 3, layout)
    drawn = draw_parameters(program, {}, {}, initialization=name, layout=layout)
    w, b = drawn["W1"], drawn["b1"]
    assert w.shape == ((200, 300) if layout == "out_in" else (300, 200))
    if is_uniform:
        assert scale * 0.99 < abs(w).max() <= scale
    else:
        assert w.std() == pytest.approx(scale, rel=0.02)
        assert w.mean() == pytest.approx(0, abs=scale / 50)
    assert b.any() == (name in ("uniform", "normal"))


def test_zeros_and_the_table():
    drawn = draw_parameters(NET, {}, {}, initialization="zeros")
    assert not any(array.any() for array in drawn.values())
    assert list(INITIALIZATIONS) == [
        "uniform",
        "normal",
        "glorot",
        "glorot_uniform",
        "glorot_normal",
        "he",
        "he_uniform",
        "he_normal",
        "zeros",
    ]


def test_more_than_two_axes():
    program = parse_program({}, {}, {"F": (5, 4, 3, 3)}, ["L = F[0,0,0,0]"], "L")
    for layout, fans in (("out_in", 4 * 9 + 5 * 9), ("in_out", 3 * 20 + 3 * 20)):
        assert abs(draw_parameters(program, {}, {}, layout=layout)["F"]).max() <= math.sqrt(6 / fans)


def test_sizes_by_name_by_symbol_and_from_what_is_given():
    symbolic = network()
    by_name = {"D": 2, "H": 4, "K": 3, "N": 1}
    by_symbol = {symbol: by_name[symbol.name] for symbol in symbolic.sizes}
    for sizes in (by_name, by_symbol):
        assert draw_parameters(symbolic, sizes, {})["W2"].shape == (3, 4)
    assert draw_parameters(symbolic, {"D": 2, "K": 3}, {"b1": [0, 0]})["W1"].shape == (2, 2)


def test_the_dtype_follows_what_is_given():
    given = {"W1": np.ones((4, 2), np.float32)}
    assert {array.dtype for array in draw_parameters(NET, {}, given).values()} == {np.dtype(np.float32)}
    given["b1"] = np.ones(4)
    assert draw_parameters(NET, {}, given)["W2"].dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_without_parameters_the_computation_follows_the_data(dtype):
    program = parse_program({"x": (2,)}, {"y": (2,)}, {}, ["L = Sum((x[i] - y[i])**2, i)"], "L")
    arrays = {"x": np.ones(2, dtype), "y": np.zeros(2, dtype)}
    assert {array.dtype for array in in_dtype_of_parameters(program, arrays).values()} == {np.dtype(dtype)}


def test_scalars():
    assert draw_parameters(LABELS, {"D": 2, "K": 2, "N": 1}, {})["g"] == 0
    drawn = draw_parameters(LABELS, {"D": 2, "K": 2, "N": 1}, {}, initialization="normal")["g"]
    assert drawn.shape == ()
    assert drawn != 0


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        (
            {"initialization": "glorot_unifrom"},
            UsageError,
            "unknown initialization 'glorot_unifrom'; did you mean 'glorot_",
        ),
        ({"seed": -1}, UsageError, "seed is -1; give an integer, 0 or larger"),
        ({"seed": 0.5}, UsageError, "seed is 0.5"),
        ({"seed": True}, UsageError, "seed is True"),
        ({"seed": "__import__('os')"}, UsageError, "seed is"),
        ({"layout": "inout"}, UsageError, "unknown weight_layout 'inout'; did you mean 'in_out'?"),
        ({"given": {"x": [[1, 2]]}}, UsageError, "network has no parameter 'x'"),
        ({"given": {"W3": 1}}, UsageError, "network has no parameter 'W3'; did you mean 'W2'?"),
        ({"given": {"b1": [1, 2]}}, SizeError, "b1 has shape (2,)"),
        ({"sizes": {}}, SizeError, "no positive number; give it in sizes"),
        ({"sizes": {"D": 2, "H": 2, "Q": 2}}, SizeError, "no symbolic size 'Q'"),
        ({"sizes": {"H": 3}, "given": {"b1": [1, 2]}}, SizeError, "H is 3 as given"),
    ],
)
def test_refused_drawing(changes, kind, says):
    arguments = {"sizes": {}, "given": {}, **changes}
    program = network() if "sizes" in changes else NET
    with pytest.raises(kind, match=re.escape(says)):
        draw_parameters(program, **arguments)
