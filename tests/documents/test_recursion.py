"""The derivation for any layer: it is the engine's, and what is called an instance of it is one."""

from __future__ import annotations

import numpy as np
from documents import OPTIONS, derivation_document, story
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import networks

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.documents.options import Options
from symbackprop.documents.sections.recursion import recursion
from symbackprop.documents.tree import Display
from symbackprop.forms.breaks import unmarked
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.forms.notation import Notation, Orientation
from symbackprop.forms.views import Views

SIZES = {"D": 2, "H": 3, "K": 2, "N": 3}


def general(network, **choices):
    return recursion(Views(differentiate(network.program), Notation(**choices)), network.description)


def test_the_four_equations():
    found = general(sbp.Network(2, [sbp.Dense(3, "sigmoid"), sbp.Dense(1)], "half_squared_error"))
    by_variable = found.views.differentiation.by_variable
    assert {name: found.views.matrix_latex(by_variable[name].equation) for name in ("a1", "z1", "W1", "b1")} == {
        "a1": r"\frac{\partial L}{\partial A^{(l)}} = \Delta^{(l+1)} W^{(l+1)}",
        "z1": r"\Delta^{(l)} = \frac{\partial L}{\partial A^{(l)}} \odot \varphi'(Z^{(l)})",
        "W1": r"\frac{\partial L}{\partial W^{(l)}} = \Delta^{(l)\top} A^{(l-1)}",
        "b1": r"\frac{\partial L}{\partial b^{(l)}} = \Delta^{(l)\top} \mathbf{1}_{N}",
    }


def test_nielsens_equations():
    """BP2 to BP4 of Nielsen, "Neural Networks and Deep Learning" (2015), chapter 2, for one example."""
    network = sbp.Network(2, [sbp.Dense(3, "sigmoid"), sbp.Dense(1)], "half_squared_error")
    told = story(network, options=Options(notation="nielsen", orientation="vector"))
    found = recursion(told.views, network.description).views
    by_variable = found.differentiation.by_variable
    printed = [found.matrix_latex(by_variable[name].equation) for name in ("a1", "z1", "W1", "b1")]
    assert [unmarked(latex) for latex in printed] == [
        r"\frac{\partial C}{\partial a^{l}} = (w^{l+1})^{\top} \delta^{l+1}",
        r"\delta^{l} = \frac{\partial C}{\partial a^{l}} \odot \varphi'(z^{l})",
        r"\frac{\partial C}{\partial w^{l}} = \delta^{l} (a^{l-1})^{\top}",
        r"\frac{\partial C}{\partial b^{l}} = \delta^{l}",
    ]


@settings(max_examples=30)
@given(networks(layers=(2, 4)), st.sampled_from(["out_in", "in_out"]))
def test_instances_have_the_value_of_the_general_formula(network, layout):
    """The formula is put into NumPy by hand here, layer by layer: a second way to the same numbers."""
    found = general(network)
    if found is None:
        return
    values = numbers_of(network)
    transposed = network.description.weight_layout == "in_out"
    for name, instance in found.instances.items():
        layer = instance.layer
        after = np.asarray(values.get(f"z{layer + 1}_bar", 0.0))
        weight = values.get(f"W{layer + 1}")
        before = values["x"] if layer == 1 else values.get(f"a{layer - 1}", values[f"z{layer - 1}"])
        delta = values[f"z{layer}_bar"]
        expected = {
            "a1": lambda: after @ (weight.T if transposed else weight),  # noqa: B023
            "W1": lambda: before.T @ delta if transposed else delta.T @ before,  # noqa: B023
            "b1": lambda: delta.sum(axis=0),  # noqa: B023
            "z1": lambda: values[f"a{layer}_bar"] * slope(network, layer, values[f"z{layer}"]),  # noqa: B023
        }[instance.role]()
        np.testing.assert_allclose(values[f"{name}_bar"], expected, rtol=1e-9, atol=1e-12, err_msg=name)


def numbers_of(network):
    rng = np.random.default_rng(2)
    arrays = {}
    for variable in network.program.inputs:
        shape = tuple(int(e.xreplace({s: SIZES[s.name] for s in e.free_symbols})) for e in variable.shape)
        arrays[variable.name] = rng.uniform(0.2, 0.8, size=shape)
    return evaluate_program(differentiate(network.program).adjoint_program, arrays, {})


def slope(network, layer, z):
    """The activation's derivative by central differences."""
    activation = network.description.layers[layer - 1].resolved()
    single = sbp.Network(1, [sbp.Dense(1, activation, bias=False)], "upstream").derive().compile()
    result = np.empty_like(z)
    for at in np.ndindex(z.shape):
        losses = [single({"W1": [[1.0]]}, [[z[at] + step]], [[1.0]])[0] for step in (1e-6, -1e-6)]
        result[at] = (losses[0] - losses[1]) / 2e-6
    return np.where(np.isclose(result, 0, atol=1e-12), 0, result)


def test_what_is_no_instance_is_derived_by_itself():
    hidden = sbp.Network(2, [sbp.Dense(2, "softmax"), sbp.Dense(2)], "mean_squared_error")
    assert "z1" not in general(hidden).instances
    penalised = sbp.Network(2, [sbp.Dense(2, "tanh"), sbp.Dense(2)], "mean_squared_error", l2=0.1)
    assert not {"W1", "W2"} & set(general(penalised).instances)
    assert "b1" in general(penalised).instances
    assert general(sbp.Network(2, [sbp.Dense(2)], "mean_squared_error")) is None


def test_a_planted_difference_is_no_instance():
    """Of a network whose second weight is transposed in the derivation of the first one."""
    network = sbp.Network(2, [sbp.Dense(2, "tanh"), sbp.Dense(2)], "mean_squared_error")
    other = sbp.Network(2, [sbp.Dense(2, "tanh"), sbp.Dense(2)], "mean_squared_error", weight_layout="in_out")
    found = recursion(Views(differentiate(other.program)), network.description)
    assert "a1" not in found.instances
    assert "W1" not in found.instances


def test_columns_and_one_example():
    network = sbp.Network(2, [sbp.Dense(3, "sigmoid"), sbp.Dense(1)], "half_squared_error")
    found = general(network, orientation="columns").views
    gradient = found.differentiation.by_variable["W1"].equation
    assert found.matrix_latex(gradient, Orientation.COLUMNS).endswith(r"= \Delta^{(l)} A^{(l-1)\top}")


def test_a_deep_document_says_each_thing_once():
    """The derivation of the hidden layers is there once, so a layer more adds a few lines."""
    sizes = {}
    for depth in (6, 7):
        network = sbp.Network(2, [sbp.Dense(2, "tanh")] * depth + [sbp.Dense(1)], "half_squared_error")
        blocks = derivation_document(story(network), OPTIONS).blocks
        sizes[depth] = len([block for block in blocks if isinstance(block, Display)])
    assert sizes[7] - sizes[6] <= 14
