"""Arrays share memory only where nobody notices: followed statement by statement, with names for numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from known_programs import KNOWN, known_case
from plan_checker import OverwrittenError, follow
from random_programs import cases

from symbackprop.adjoint.sweep import differentiate
from symbackprop.codegen import memory
from symbackprop.codegen.flatten import flatten
from symbackprop.codegen.kernels import Kernel
from symbackprop.codegen.memory import plan
from symbackprop.errors import NoRuleError


def gradient_kernel(name: str) -> Kernel:
    derivation = differentiate(known_case(name).program)
    return flatten(derivation.adjoint_program, ("L", *(derivation.by_variable[n].name for n in reached(derivation))))


def reached(derivation):
    return [name for name in derivation.wrt if name in derivation.by_variable]


@settings(max_examples=40)
@given(case=cases("general"))
def test_no_statement_reads_what_was_overwritten(case):
    derivation = differentiate(case.program)
    program = derivation.adjoint_program
    gradients = [derivation.by_variable[name].name for name in reached(derivation)]
    for outputs in ((program.loss, *gradients), tuple(equation.name for equation in program.equations)):
        try:
            kernel = flatten(program, outputs)
        except NoRuleError:
            return
        follow(kernel, plan(kernel))


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_no_statement_of_a_known_program_reads_what_was_overwritten(name):
    kernel = gradient_kernel(name)
    follow(kernel, plan(kernel))


def test_memory_is_used_again():
    assert sum(follow(gradient_kernel(name), plan(gradient_kernel(name))) for name in KNOWN) > 2 * len(KNOWN)


@pytest.mark.parametrize("name", ["two layers", "log-softmax", "layer norm in four", "attention"])
def test_every_wrong_owner_in_a_plan_is_noticed(name):
    """Each value in turn is put where another of its shape lies that is read later on."""
    kernel = gradient_kernel(name)
    right = plan(kernel)
    statements = list(kernel.statements)
    root = right.root
    last = {root.get(v.number, v.number): place for place, s in enumerate(statements) for v in s.values}
    last.update({operand.number: len(statements) for _, operand in kernel.outputs if hasattr(operand, "number")})
    made = {s.result.number: (place, s.result) for place, s in enumerate(statements)}
    planted = 0
    for number in right.owner:
        place, value = made[number]
        for other in right.owner:
            begun, lying = made[other]
            if lying.shape != value.shape or not begun < place < last.get(other, -1):
                continue
            wrong = replace(right, owner={**right.owner, number: right.owner[other]})
            with pytest.raises(OverwrittenError):
                follow(kernel, wrong)
            planted += 1
    assert planted


def test_memory_freed_one_statement_too_early_is_noticed(monkeypatch):
    """The plan believes that an operation reads entry by entry what it does not."""
    right = memory._in_place

    def careless(statement, ended, root):
        found = right(statement, ended, root)
        if found is None and statement.operation in ("dot", "matmul", "where"):
            same = [v.number for v in statement.values if v.number in ended and v.shape == statement.result.shape]
            return same[0] if same else None
        return found

    monkeypatch.setattr(memory, "_in_place", careless)
    kernels = [gradient_kernel(name) for name in ("two layers, square", "shared weights", "residual", "crossed names")]
    noticed = 0
    for kernel in kernels:
        try:
            follow(kernel, plan(kernel))
        except OverwrittenError:
            noticed += 1
    assert noticed


def test_a_view_that_is_forgotten_is_noticed(monkeypatch):
    """Without the roots, an array seems done with while a view of it is still read."""
    monkeypatch.setattr(memory, "_roots", lambda statements: {})
    noticed = 0
    for name in KNOWN:
        kernel = gradient_kernel(name)
        try:
            follow(kernel, plan(kernel))
        except OverwrittenError:
            noticed += 1
    assert noticed
