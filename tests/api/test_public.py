"""The public face: what DESIGN fixes is there, shows itself, and says what is wrong."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import sympy

import symbackprop as sbp


@pytest.fixture(scope="module")
def net():
    return sbp.Network(inputs=2, layers=[sbp.Dense(3, activation="sigmoid"), sbp.Dense(1)], loss="half_squared_error")


PARAMETERS = {"W1": [[0.5, 0.25], [0.1, 0.2], [0.4, 0.6]], "b1": [1, 1, 1], "W2": [[-0.23, 0.15, 0.2]], "b2": [1]}


def test_every_public_name_is_there_and_loaded_when_asked_for():
    for name in sbp.__all__:
        assert getattr(sbp, name) is not None
    assert set(sbp.__all__) <= set(dir(sbp))
    with pytest.raises(AttributeError, match="no attribute 'Netwrk'"):
        _ = sbp.Netwrk


def test_importing_the_package_does_not_import_sympy():
    code = (
        "import sys, symbackprop; symbackprop.__version__; sys.exit('sympy' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_derives_without_a_number(net):
    derivation = net.derive()
    assert list(derivation) == ["z2", "W2", "b2", "a1", "z1", "W1", "b1"]
    assert list(derivation.gradients) == ["W1", "b1", "W2", "b2"]
    assert str(derivation["W1"].index) == "W1_bar[j,i] = Sum(z1_bar[n,j]*x[n,i], n)"
    assert derivation["W1"].shape == (3, 2)
    assert len(derivation) == 7


def test_index_form_is_a_sympy_expression(net):
    n, j, i = sympy.symbols("n j i", integer=True)
    size = sympy.Symbol("N", integer=True, positive=True)
    expected = sympy.Sum(sympy.IndexedBase("z1_bar")[n, j] * sympy.IndexedBase("x")[n, i], (n, 0, size - 1))
    formula = net.derive()["W1"].index
    assert formula.right == expected
    assert formula.latex == r"\frac{\partial L}{\partial w^{(1)}_{ji}} = \sum_{n=1}^{N} \delta^{(1)}_{nj}\,x_{ni}"


def test_matrix_form_in_three_orientations(net):
    gradient = net.derive()["W1"]
    left = r"\frac{\partial L}{\partial W^{(1)}} = "
    assert gradient.matrix.latex == left + r"\Delta^{(1)\top} X"
    assert gradient.matrix_form("columns").latex == left + r"\Delta^{(1)} X^{\top}"
    assert gradient.matrix_form("vector").latex == left + r"\delta^{(1)} x^{\top}"
    size = sympy.Symbol("N", integer=True, positive=True)
    assert gradient.matrix.right == sympy.MatrixSymbol("z1_bar", size, 3).T * sympy.MatrixSymbol("x", size, 2)
    with pytest.raises(sbp.UsageError, match=r"unknown orientation 'row'; did you mean 'rows'\?"):
        gradient.matrix_form("row")


def test_sizes_may_be_symbols_or_numbers(net):
    symbolic = sbp.Network("D", [sbp.Dense("H", "sigmoid"), sbp.Dense("K")], "half_squared_error")
    assert str(symbolic.derive()) == str(net.derive())


def test_record_of_how_a_gradient_came_about(net):
    (contribution,) = net.derive()["z1"].contributions
    assert contribution.through == "a1"
    (factor,) = contribution.chain
    assert factor.rule == "derivative of sigmoid"
    assert factor.identity == r"\sigma'(z) = \sigma(z)\,(1 - \sigma(z))"
    assert [step.rule for step in contribution.steps] == ["index", "fold"]


def test_wrt_inputs_and_what_is_not_reached():
    program = sbp.Program(
        ["s = Sum(w[i]*x[i], i)", "t = 2*v", "L = s**2"],
        loss="L",
        inputs={"x": ("D",)},
        parameters={"w": ("D",), "v": ()},
    )
    derivation = program.derive(wrt=("w", "x", "v"))
    assert derivation.unreached == ("v",)
    assert str(derivation["x"].index) == "x_bar[i] = s_bar*w[i]"
    with pytest.raises(sbp.UsageError, match=r"has no variable 'y'"):
        program.derive(wrt="y")
    with pytest.raises(sbp.UsageError, match=r"there is no gradient for 'v'"):
        _ = derivation["v"]


def test_softmax_cross_entropy_is_fused_and_says_what_it_assumes():
    net = sbp.Network("D", [sbp.Dense("K", "softmax")], "categorical_cross_entropy")
    derivation = net.derive()
    assert str(derivation["z1"].index) == "z1_bar[n,j] = (a1[n,j]*Sum(y[n,k], k) - y[n,j])/N"
    assert derivation.assumptions == ("sum_k y_k = 1",)
    assert str(derivation["z1"].assuming["sum_k y_k = 1"]) == "z1_bar[n,j] = (a1[n,j] - y[n,j])/N"


def test_own_activation_and_loss_by_a_known_name_are_ones_own():
    net = sbp.Network(
        1,
        [sbp.Dense(2, sbp.Activation("softmax", lambda z: z**2))],
        sbp.Loss("categorical_cross_entropy", lambda a, y: a * y),
    )
    assert [str(e) for e in net.program.equations][1:] == ["a1[n,j] = z1[n,j]**2", "L = Sum(a1[n,k]*y[n,k], n, k)/N"]


def test_kinks_are_named():
    derivation = sbp.Network(1, [sbp.Dense(1, "relu")], "mean_absolute_error").derive()
    assert [str(kink) for kink in derivation.kinks] == [
        "a1: relu has no derivative where z1[n,j] = 0; taken there: slope 0",
        "L: absolute has no derivative where a1[n,k] - y[n,k] = 0; taken there: slope 0",
    ]


def test_values_are_those_of_central_differences(net):
    derivation = net.derive()
    x, y = [[1.0, 2.0], [0.5, -1.0]], [[3.0], [1.0]]
    values = derivation.values(PARAMETERS, x, y)
    step = 1e-6
    moved = {name: np.array(value, dtype=float) for name, value in PARAMETERS.items()}
    moved["W1"][2, 1] += step
    above = derivation.values(moved, x, y)["L"]
    moved["W1"][2, 1] -= 2 * step
    below = derivation.values(moved, x, y)["L"]
    assert values["W1_bar"][2, 1] == pytest.approx((above - below) / (2 * step), rel=1e-7)


def test_integer_labels_become_one_hot():
    net = sbp.Network(2, [sbp.Dense(3, "softmax")], "categorical_cross_entropy")
    parameters = {"W1": np.ones((3, 2)), "b1": np.arange(3.0)}
    labels = net.derive().values(parameters, x=np.eye(2), y=np.array([2, 0]))
    np.testing.assert_array_equal(labels["y"], [[0, 0, 1], [1, 0, 0]])


def test_objects_show_themselves(net):
    derivation = net.derive()
    assert repr(net) == "Network('network': 2-3-1, sigmoid, identity; half_squared_error)"
    assert repr(derivation).startswith("Derivation of Network(")
    assert derivation._repr_latex_().startswith(r"$\displaystyle \begin{aligned}")
    assert derivation["W1"]._repr_latex_().startswith(r"$\displaystyle \frac{\partial L}")
    assert net._repr_html_().count("<tr>") == 1 + 2 + 4
    assert "parameters: 13" in str(net.summary())


def test_summary_counts_in_symbols():
    net = sbp.Network("D", [sbp.Dense("H")], "upstream")
    assert "parameters: D*H + H" in str(net.summary())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sbp.Dense(3, "sigmiod"), r"unknown activation 'sigmiod'; did you mean 'sigmoid'\?"),
        (lambda: sbp.Dense(0), "units is 0; give a positive integer"),
        (lambda: sbp.Dense(2.5), "units is 2.5; give a positive integer, or a name"),
        (lambda: sbp.Dense(2, bias=1), "bias is 1; it is True or False"),
        (lambda: sbp.Network(2, [], "huber"), "layers is empty"),
        (lambda: sbp.Network(2, [sbp.Dense(1)], "hubber"), r"unknown loss 'hubber'; did you mean 'huber'\?"),
        (lambda: sbp.Network(2, [3], "huber"), "layer 1 is 3; give sbp.Dense"),
        (lambda: sbp.Network(2, [sbp.Dense(1)], "huber", reduction="avg"), "unknown reduction 'avg'"),
        (lambda: sbp.Network(2, [sbp.Dense(1)], "huber", weight_layout="in"), r"unknown weight_layout 'in'"),
        (lambda: sbp.Network(2, [sbp.Dense(1)], "huber", l2=-1), "l2 is -1; a penalty is a finite number, 0 or larger"),
        (lambda: sbp.Network(2, [sbp.Dense(1)], "huber", l1=float("nan")), "l1 is nan"),
        (
            lambda: sbp.Network(2, [sbp.Dense(3, "softmax"), sbp.Dense(2)], "categorical_cross_entropy"),
            r"expects probabilities, but the output layer has activation 'identity'.*softmax of layer 1 is in a hidden",
        ),
        (
            lambda: sbp.Network(2, [sbp.Dense(2, "softmax")], "categorical_cross_entropy_with_logits"),
            "expects logits, but the output layer already applies 'softmax'",
        ),
        (
            lambda: sbp.Activation("two", lambda z: z * sympy.Symbol("c")),
            "must be a function of one symbol, but .* has 2: c, z",
        ),
        (lambda: sbp.Activation("text", "z**2"), "is given as the string 'z"),
        (lambda: sbp.Loss("none", lambda a, y: y), "does not contain the output a"),
        (lambda: sbp.Network("N", [sbp.Dense(1)], "huber"), "'N' names both the batch size and a width"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(sbp.UsageError, match=message):
        make()
