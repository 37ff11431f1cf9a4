"""A program of one example is the program of a batch of one, without the axis that counts examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from known_programs import KNOWN, known_case
from random_networks import networks

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.errors import NoRuleError
from symbackprop.notation.interpreter import FLOAT, interpret
from symbackprop.notation.program import Program
from symbackprop.notation.single import one_example

WIDTHS = {"D": 2, "H": 3, "K": 2}


def check_single(program: Program, values: dict[str, np.ndarray], sizes: dict[str, int]) -> None:
    """Values and adjoints of a batch of one are those of the one example."""
    single = differentiate(one_example(program)).adjoint_program
    batched = {v.name for v in program.inputs if v.shape and v.shape[0] == program.batch}
    alone = {name: array[0] if name in batched else array for name, array in values.items()}
    whole = interpret(differentiate(program).adjoint_program, values, {**sizes, str(program.batch): 1}, FLOAT)
    sizes = {name: number for name, number in sizes.items() if name != str(program.batch)}
    for name, found in interpret(single, alone, sizes, FLOAT).items():
        expected = whole[name].astype(float).reshape(found.shape)
        np.testing.assert_allclose(found.astype(float), expected, rtol=1e-12, atol=1e-14, err_msg=name)


@settings(max_examples=60)
@given(networks(layers=(1, 3)))
def test_networks(network):
    rng = np.random.default_rng(1)
    sizes = {size.name: {**WIDTHS, "N": 1}[size.name] for size in network.program.sizes}
    values = {}
    for variable in network.program.inputs:
        shape = tuple(
            int(extent.xreplace({s: sizes[s.name] for s in extent.free_symbols})) for extent in variable.shape
        )
        values[variable.name] = rng.uniform(0.2, 0.8, size=shape)
    check_single(network.program, values, sizes)


BATCHED = [name for name, case in KNOWN.items() if case.build().batch is not None]


@pytest.mark.parametrize("name", BATCHED)
def test_known_programs(name):
    case = known_case(name)
    batched = {v.name for v in case.program.inputs if v.shape and v.shape[0] == case.program.batch}
    values = {
        v.name: np.asarray(case.values[v.name], dtype=int if v.integer else float)[: 1 if v.name in batched else None]
        for v in case.program.inputs
    }
    check_single(case.program, values, dict(case.sizes))


def test_nothing_counts_examples_any_more():
    network = sbp.Network("D", [sbp.Dense("H", "tanh"), sbp.Dense("K", "softmax")], "categorical_cross_entropy")
    single = one_example(network.program)
    assert single.batch is None
    assert {str(size) for size in single.sizes} == {"D", "H", "K"}
    assert str(single.definitions["z1"]) == "z1[j] = Sum(W1[j,i]*x[i], i) + b1[j]"
    assert [str(a.left) for a in single.assumptions] == ["Sum(y[k], (k, 0, K - 1))"]


def test_a_program_without_a_batch_size_says_so():
    program = sbp.Program(["L = Sum(w[i]**2, i)"], "L", parameters={"w": (3,)}, name="bare").program
    with pytest.raises(NoRuleError, match="bare names no batch size"):
        one_example(program)


def test_a_parameter_for_each_example_says_so():
    program = sbp.Program(["L = Sum(w[n]**2, n)"], "L", parameters={"w": ("N",)}, batch="N", name="odd").program
    with pytest.raises(NoRuleError, match="odd: w has entries for each example"):
        one_example(program)
