"""Kernels of programs, run the way that a test asks for, and what the program means beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from random_programs import Case

from symbackprop.codegen import bound
from symbackprop.codegen.bound import KernelFunction
from symbackprop.errors import NoRuleError
from symbackprop.notation.interpreter import FLOAT, interpret
from symbackprop.notation.program import Program
from symbackprop.notation.sizes import bind_sizes

__all__ = ["WAYS", "agree", "meaning", "numbers", "outputs_of", "run_program", "way_of_running"]

WAYS = ("arrays", "numbers")
"""Whole arrays through NumPy, or statements on single numbers."""


@contextmanager
def way_of_running(way: str) -> Iterator[None]:
    """Every kernel that is bound inside runs ``way``, where it can."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bound, "_MOST_STATEMENTS", {"arrays": 0, "numbers": 100_000}[way])
        yield


def numbers(case: Case, dtype: Any = np.float64) -> dict[str, np.ndarray]:
    """The point of ``case`` as arrays."""
    kinds = {variable.name: np.int64 if variable.integer else dtype for variable in case.program.inputs}
    return {name: np.asarray(value, dtype=object).astype(kinds[name]) for name, value in case.values.items()}


def outputs_of(program: Program) -> tuple[str, ...]:
    """Every variable that an equation defines."""
    return tuple(equation.name for equation in program.equations)


def meaning(program: Program, values: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, np.ndarray]:
    """What the interpreter says every variable is."""
    return {name: array.astype(float) for name, array in interpret(program, values, sizes, FLOAT).items()}


def run_program(
    program: Program,
    outputs: tuple[str, ...],
    values: Mapping[str, np.ndarray],
    sizes: Mapping[str, int],
    way: str,
    reuse_buffers: bool = False,
    change: Callable[[KernelFunction], None] | None = None,
) -> dict[str, Any] | None:
    """The outputs by name; None for a program that has no array form, and says so."""
    try:
        function = KernelFunction(program, outputs, reuse_buffers)
    except NoRuleError as error:
        assert "used as a number" in str(error)  # noqa: PT017
        return None
    if change is not None:
        change(function)
    known = bind_sizes(program, {name: array.shape for name, array in values.items()}, sizes)
    with way_of_running(way):
        run = function.bind(np.dtype(np.float64), {size: known[size] for size in function.code.sizes})
    arguments = [values[variable.name] for variable in function.inputs]
    first = run(*arguments)
    copies = [np.array(array) for array in first]
    second = run(*arguments)
    for kept, again in zip(copies, second, strict=True):
        # What a call leaves behind in memory does not change the next.
        np.testing.assert_array_equal(again, kept)
    return dict(zip(outputs, second, strict=True))


def agree(found: Mapping[str, Any], meant: Mapping[str, np.ndarray]) -> None:
    """To what is left of 16 digits after a sum of a few dozen terms."""
    for name, array in found.items():
        expected = meant[name]
        assert np.shape(array) == expected.shape, name
        scale = max(1.0, float(np.abs(expected).max(initial=0)))
        np.testing.assert_allclose(array, expected, rtol=1e-10, atol=1e-11 * scale, err_msg=name)
