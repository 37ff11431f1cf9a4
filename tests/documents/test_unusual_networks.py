"""Networks and programs that are not like most: what they once made wrong, or made impossible."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.errors import NoRuleError, SizeError


def text_of(model, folder, wrt=None, **choices):
    return model.derive(wrt).save(folder / "d.md", **{"date": "", **choices}).read_text()


def test_a_power_of_what_has_a_superscript_has_brackets(tmp_path):
    program = sbp.Program(["s1 = Sum(w[i]*x[i], i)", "L = s1**2"], "L", inputs={"x": (2,)}, parameters={"w": (2,)})
    for notation in ("superscript", "nielsen"):
        assert not re.search(r"\^\{[^{}]*\}\^", text_of(program, tmp_path, notation=notation))
    if shutil.which("pdflatex"):
        program.derive().save(tmp_path / "d.pdf")


def test_what_penalties_change_is_not_said_of_any_layer(tmp_path):
    for depth in (2, 8):
        layers = [sbp.Dense(2, "tanh")] * depth + [sbp.Dense(1)]
        text = text_of(sbp.Network(2, layers, "half_squared_error", l2=0.1), tmp_path)
        shown = re.findall(r"\\frac\{\\partial L\}\{\\partial W\^\{\((\w+)\)\}\} &= (.*)", text)
        assert shown
        assert all(layer.isdigit() and "W^" in right for layer, right in shown if "begin" not in right)


def test_widths_may_be_told_by_the_parameters(tmp_path):
    network = sbp.Network("D", [sbp.Dense("H", "tanh"), sbp.Dense("K")], "half_squared_error")
    parameters = {"W1": np.ones((3, 2)), "b1": np.ones(3), "W2": np.ones((1, 3)), "b2": np.ones(1)}
    path = network.derive().save(tmp_path / "d.md", parameters, [[1.0, 2.0]], [[1.0]])
    assert "Worked in numbers" in path.read_text()
    with pytest.raises(SizeError, match="how large H is cannot be told from the data"):
        network.derive().save(tmp_path / "d.md", x=[[1.0, 2.0]], y=[[1.0]])


def test_a_maximum_is_checked_by_differences(tmp_path):
    program = sbp.Program(
        ["z[n,k] = Sum(W[k,i]*x[n,i], i)", "m[n] = Max(z[n,k], k)", "L = Sum(m[n]**2, n)"],
        "L",
        inputs={"x": ("N", "D")},
        parameters={"W": (3, "D")},
        batch="N",
    )
    path = program.derive().save(tmp_path / "d.md", {"W": np.arange(6.0).reshape(3, 2)}, x=[[1.0, 2.0]])
    assert "not taken" in path.read_text()


def test_derivatives_by_targets_and_inputs_alone(tmp_path):
    network = sbp.Network(2, [sbp.Dense(2, "softmax")], "categorical_cross_entropy")
    text = text_of(network, tmp_path, wrt=("x", "y"))
    assert "The update" not in text
    assert "leftarrow" not in text
    both = sbp.Network(2, [sbp.Dense(2, "tanh"), sbp.Dense(2)], "half_squared_error")
    text = text_of(both, tmp_path, wrt=("W1", "x", "b1"))
    assert r"w^{(1)}_{11} &\leftarrow" in text
    assert r"x_{11} &\leftarrow" not in text
    assert text.count("### Layer 1") == 1


def test_what_the_loss_does_not_depend_on(tmp_path):
    program = sbp.Program(["L = w**2"], "L", parameters={"w": (), "v": (2,)})
    text = text_of(program, tmp_path, wrt=("v",))
    assert "The loss does not depend on $v$" in text
    assert "Worked in numbers" not in text
    assert not re.search(r"aligned\}\n\n?\\end", text)


def test_numbers_that_nobody_asked_for_are_no_obstacle(tmp_path):
    program = sbp.Program(["L = log(w)"], "L", parameters={"w": ()})
    assert "Worked in numbers" not in text_of(program, tmp_path)
    assert "Result" in text_of(program, tmp_path, sections=["result"])


@pytest.mark.parametrize(("inputs", "batch"), [(2, "H1"), (2, "U"), ("l", "N"), ("H", "N")])
def test_names_that_any_layer_has_too(inputs, batch, tmp_path):
    network = sbp.Network(inputs, [sbp.Dense(2, "tanh"), sbp.Dense(2)], "half_squared_error", batch=batch)
    assert "### Any layer" in text_of(network, tmp_path)


def test_the_letter_of_any_activation_is_that_of_no_function(tmp_path):
    network = sbp.Network(2, [sbp.Dense(2, "gelu"), sbp.Dense(2)], "half_squared_error")
    assert "| $\\psi$ | the activation of layer $l$ |" in text_of(network, tmp_path)


def test_examples_on_a_later_axis_are_no_column_vector(tmp_path):
    program = sbp.Program(
        ["L = Sum(Sum(w[i]*x[i,n], i)**2, n)"], "L", inputs={"x": ("D", "N")}, parameters={"w": ("D",)}, batch="N"
    )
    with pytest.raises(NoRuleError, match="x counts examples on an axis that is not its first"):
        program.derive().save(tmp_path / "d.md", orientation="vector")


def test_given_numbers_are_not_rounded(tmp_path):
    network = sbp.Network(1, [sbp.Dense(1)], "half_squared_error")
    parameters = {"W1": [[0.2954]], "b1": [1 / 3]}
    text = network.derive().save(tmp_path / "d.md", parameters, [[1.0]], [[2.0]], digits=2).read_text()
    assert "0.2954" in text
    assert "0.33 " in text
