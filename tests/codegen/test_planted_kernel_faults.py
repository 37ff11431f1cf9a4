"""Wrong kernels made on purpose: the comparison with what the program means notices each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from struct import Struct

import numpy as np
import pytest
from kernel_runs import WAYS, agree, meaning, numbers
from known_programs import known_case

from symbackprop.adjoint.sweep import differentiate
from symbackprop.codegen.execution import executed
from symbackprop.codegen.flatten import flatten
from symbackprop.codegen.kernels import Constant, Kernel, Statement, Value
from symbackprop.codegen.memory import plan
from symbackprop.codegen.numpy_source import kernel_source
from symbackprop.codegen.operations import NAMESPACE, SCALAR_NAMESPACE
from symbackprop.codegen.scalar_source import scalar_source
from symbackprop.notation.sizes import bind_sizes

Change = Callable[[Statement], Statement | None]


def first_operand(statement: Statement) -> Statement:
    """The statement without its computation: its first operand is copied."""
    return replace(statement, operation="copy", operands=statement.operands[:1], detail=())


def swapped(statement: Statement) -> Statement | None:
    fits = statement.operation in ("subtract", "divide")
    return replace(statement, operands=statement.operands[::-1]) if fits else None


def other_operation(old: str, new: str) -> Change:
    return lambda statement: replace(statement, operation=new) if statement.operation == old else None


def other_constant(statement: Statement) -> Statement | None:
    if not any(isinstance(operand, Constant) for operand in statement.operands):
        return None
    changed = tuple(Constant(o.value * 3 + 1) if isinstance(o, Constant) else o for o in statement.operands)
    return replace(statement, operands=changed)


def untransposed(statement: Statement) -> Statement | None:
    square = statement.operation == "transpose" and len(set(statement.result.shape)) == 1
    return replace(statement, detail=tuple(range(len(statement.detail)))) if square else None


def left_out(statement: Statement) -> Statement | None:
    entries = statement.operation in ("add", "subtract", "multiply", "divide", "tanh", "exp", "negative")
    whole = isinstance(statement.operands[0], Value) if statement.operands else False
    return first_operand(statement) if entries and whole and statement.result.shape else None


FAULTS: dict[str, Change] = {
    "operands swapped": swapped,
    "a difference for a sum": other_operation("add", "subtract"),
    "a sum for a difference": other_operation("subtract", "add"),
    "a sum for a product": other_operation("multiply", "add"),
    "a sine for a tanh": other_operation("tanh", "sin"),
    "a comparison the other way": other_operation("greater", "less_equal"),
    "a wrong constant": other_constant,
    "a transpose left out": untransposed,
    "an operation left out": left_out,
}
PROGRAMS = (
    "two layers, square",
    "two layers, relu",
    "layer norm in four",
    "shared weights",
    # No softmax: its numbers do not change where another number is taken out of the exponents.
    "two layers",
    "crossed names",
)


def mutants(kernel: Kernel, change: Change):
    """The kernel with one statement changed, for each that the change fits."""
    for number, block in enumerate(kernel.blocks):
        for place, statement in enumerate(block.statements):
            changed = change(statement)
            if changed is not None:
                statements = (*block.statements[:place], changed, *block.statements[place + 1 :])
                blocks = (*kernel.blocks[:number], replace(block, statements=statements), *kernel.blocks[number + 1 :])
                yield statement, replace(kernel, blocks=blocks)


def run_kernel(kernel: Kernel, arrays: dict[str, np.ndarray], known: dict, way: str) -> dict[str, np.ndarray]:
    """The outputs of ``kernel``, by the one way alone."""
    sizes = {size: known[size] for size in kernel.sizes}
    if way == "arrays":
        code = kernel_source(kernel, plan(kernel))
        run = executed(code.text, NAMESPACE)["bind"](np.dtype(float), *sizes.values())
    else:
        text = scalar_source(kernel, sizes, 100_000)
        assert text is not None
        namespace = {**SCALAR_NAMESPACE, "Struct": Struct, "array": np.array, "empty": np.empty}
        run = executed(text, namespace)["bind"](np.dtype(float), lambda *given: [np.nan for _ in kernel.outputs])
    found = run(*(arrays[variable.name] for variable, _ in kernel.inputs))
    return dict(zip((name for name, _ in kernel.outputs), found, strict=True))


def right_kernels(way: str):
    """Each program's kernel, with its numbers and what they should give."""
    for name in PROGRAMS:
        case = known_case(name)
        values, program = numbers(case), differentiate(case.program).adjoint_program
        kernel = flatten(program, tuple(equation.name for equation in program.equations), direct=way == "numbers")
        known = bind_sizes(program, {n: array.shape for n, array in values.items()}, case.sizes)
        yield name, kernel, values, known, meaning(program, values, case.sizes)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", FAULTS)
def test_a_wrong_statement_is_noticed(what, way):
    planted = 0
    for name, kernel, values, known, meant in right_kernels(way):
        for statement, wrong in mutants(kernel, FAULTS[what]):
            planted += 1
            with np.errstate(all="ignore"):
                found = run_kernel(wrong, values, known, way)
            try:
                agree(found, meant)
            except AssertionError:
                continue
            pytest.fail(f"{what}: {statement} of {name} was not noticed")
    assert planted


@pytest.mark.parametrize("way", WAYS)
def test_a_kernel_without_fault_agrees(way):
    for _, kernel, values, known, meant in right_kernels(way):
        agree(run_kernel(kernel, values, known, way), meant)
