"""Kernels compute what programs mean: random programs and named ones, by arrays and by single numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from kernel_runs import WAYS, agree, meaning, numbers, outputs_of, run_program
from known_programs import KNOWN, known_case
from laws import with_slope
from random_programs import Case, cases

from symbackprop.adjoint.sweep import differentiate
from symbackprop.notation.checker import check


def check_kernels(case: Case) -> None:
    derivation = differentiate(case.program)
    program, values = derivation.adjoint_program, numbers(case)
    meant = meaning(program, values, case.sizes)
    gradients = [derivation.by_variable[name].name for name in derivation.wrt if name in derivation.by_variable]
    for way in WAYS:
        for reuse_buffers in (False, True):
            # What is returned has memory of its own, so the plan of the memory is another for every variable.
            for outputs in ((program.loss, *gradients), outputs_of(program)):
                found = run_program(program, outputs, values, case.sizes, way, reuse_buffers)
                if found is None:
                    return
                agree(found, meant)


@settings(max_examples=20)
@given(case=cases("general"))
def test_random_programs_compute_what_they_mean(case):
    check_kernels(case)


@settings(max_examples=12)
@given(case=cases("rational"))
def test_random_rational_programs_compute_what_they_mean(case):
    check_kernels(case)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_known_programs_compute_what_they_mean(name):
    check_kernels(known_case(name))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", sorted(KNOWN))
def test_each_adjoint_alone_is_what_it_is_among_the_others(name, way):
    case = known_case(name)
    derivation, values = differentiate(case.program), numbers(case)
    meant = meaning(derivation.adjoint_program, values, case.sizes)
    for adjoint in derivation.adjoints:
        agree(run_program(derivation.adjoint_program, (adjoint.name,), values, case.sizes, way), meant)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", sorted(KNOWN))
def test_hessian_vector_products_compute_what_they_mean(name, way):
    case = known_case(name)
    first = differentiate(case.program)
    slope, directions = with_slope(first)
    second = differentiate(check(slope))
    rng, values = np.random.default_rng(0), numbers(case)
    values.update({direction: np.asarray(rng.normal(size=values[of].shape)) for of, direction in directions.items()})
    meant = meaning(second.adjoint_program, values, case.sizes)
    outputs = [second.by_variable[name].name for name in directions if name in second.by_variable]
    assert outputs
    found = run_program(second.adjoint_program, ("slope", *outputs), values, case.sizes, way, reuse_buffers=True)
    assert found is not None
    agree(found, meant)


def test_an_array_that_only_says_how_large_a_size_is_counts_as_an_input():
    case = known_case("counting")
    derivation, values = differentiate(case.program), numbers(case)
    for classes in (3, 5):
        values["y"] = np.zeros((2, classes))
        sizes = {"N": 2, "K": classes}
        meant = meaning(derivation.adjoint_program, values, sizes)
        found = run_program(derivation.adjoint_program, ("L", "x_bar", "s_bar"), values, sizes, "arrays")
        agree(found, meant)
