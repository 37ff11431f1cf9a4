"""Arrays stored by columns: which are, and that the numbers stay the same."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from kernel_runs import agree, meaning, numbers, outputs_of, run_program
from random_programs import cases

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.codegen import bound, layout
from symbackprop.codegen.bound import KernelFunction
from symbackprop.codegen.layout import stored_by_columns
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.losses import LOSSES


def stored(net, batch):
    """The names of the variables that lie by columns at this batch size, in the kernel of loss and gradients."""
    function = net.derive().compile().kernel
    columns = stored_by_columns(function.kernel, function.memory, dict.fromkeys(function.code.sizes, batch))
    owner = function.memory.owner
    return {name for number, name in function.kernel.names.items() if owner.get(number) in columns}


def test_many_examples_of_few_units_lie_by_columns():
    net = sbp.Network(2, [sbp.Dense(10, "tanh"), sbp.Dense(1)], "half_squared_error")
    assert {"z1", "a1", "z2", "a1_bar", "z1_bar"} <= stored(net, 200)
    assert not {"x", "W1_bar", "W2_bar"} & stored(net, 200)


def test_large_arrays_lie_by_rows():
    net = sbp.Network(784, [sbp.Dense(1000, "relu"), sbp.Dense(1000)], "half_squared_error")
    assert stored(net, 256) == set()


def test_what_is_summed_along_with_the_targets_lies_as_they_do():
    net = sbp.Network(4, [sbp.Dense(8, "relu"), sbp.Dense(3, "softmax")], "categorical_cross_entropy")
    assert "logp" not in stored(net, 64)
    assert "a1" in stored(net, 64)


def test_of_two_small_arrays_that_meet_in_a_gradient_one_lies_by_rows():
    net = sbp.Network(64, [sbp.Dense(64, "tanh")] * 3, "half_squared_error")
    assert not {"a1", "a2"} & stored(net, 32)


@pytest.mark.parametrize(("activation", "loss"), list(itertools.islice(zip(itertools.cycle(ACTIVATIONS), LOSSES), 26)))
@pytest.mark.parametrize("reuse_buffers", [False, True])
def test_the_numbers_are_the_same(activation, loss, reuse_buffers, monkeypatch):
    last = {"binary_cross_entropy": "sigmoid", "categorical_cross_entropy": "softmax"}.get(loss, "identity")
    net = sbp.Network(5, [sbp.Dense(7, activation), sbp.Dense(4, "tanh"), sbp.Dense(3, last)], loss, l1=0.1)
    rng = np.random.default_rng(1)
    shapes = {v.name: [6 if str(s) == "N" else int(s) for s in v.shape] for v in net.program.inputs}
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    arrays["y"] = np.eye(3)[rng.integers(3, size=6)] * (2 if loss == "hinge" else 1) - (loss == "hinge")
    parameters = {p.name: arrays[p.name] for p in net.program.parameters}
    monkeypatch.setattr(bound, "_MOST_STATEMENTS", 0)
    values = net.derive().values(parameters, arrays["x"], arrays["y"])
    for narrow, most in ((0, 0), (10**6, 0), (10**6, 10**6)):
        monkeypatch.setattr(layout, "_NARROW", narrow)
        monkeypatch.setattr(layout, "_SMALL", most)
        function = net.derive().compile(reuse_buffers=reuse_buffers)
        assert bool(columns(function.kernel)) == (narrow == 0 or most > 0)
        for _ in range(2):
            result, gradients = function(parameters, arrays["x"], arrays["y"])
        assert result == pytest.approx(values["L"], rel=1e-13)
        for name, gradient in gradients.items():
            scale = np.abs(values[f"{name}_bar"]).max()
            np.testing.assert_allclose(gradient, values[f"{name}_bar"], rtol=1e-11, atol=1e-13 * scale)
            assert gradient.flags.c_contiguous


@given(case=cases("general"), place=st.integers(0, 2), way=st.sampled_from([(0, 0), (10**6, 10**6)]))
def test_any_program_with_a_batch_gives_the_same_numbers(case, place, way):
    """Whatever size counts the examples, and whichever arrays lie by columns then."""
    sizes = sorted(case.program.sizes, key=str)
    assume(sizes)
    program = replace(differentiate(case.program).adjoint_program, batch=sizes[place % len(sizes)])
    outputs = outputs_of(program)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "_NARROW", way[0])
        patch.setattr(layout, "_SMALL", way[1])
        found = run_program(program, outputs, numbers(case), case.sizes, "arrays")
    if found is not None:
        agree(found, meaning(program, case.values, case.sizes))


def columns(function: KernelFunction) -> frozenset[int]:
    return stored_by_columns(function.kernel, function.memory, dict.fromkeys(function.code.sizes, 6))
