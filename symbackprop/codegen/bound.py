"""From a kernel to a Python function: its source compiled, and bound to sizes and a floating type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.codegen.execution import executed
from symbackprop.codegen.flatten import flatten
from symbackprop.codegen.kernels import Kernel
from symbackprop.codegen.layout import stored_by_columns
from symbackprop.codegen.memory import plan
from symbackprop.codegen.numpy_source import Source, kernel_source
from symbackprop.codegen.operations import NAMESPACE, SCALAR_NAMESPACE
from symbackprop.codegen.scalar_source import scalar_source
from symbackprop.notation.program import Program

__all__ = ["KernelFunction"]

Array = npt.NDArray[Any]
Run = Callable[..., tuple[Any, ...]]

_MOST_STATEMENTS = 400
"""Up to how many statements on single numbers are faster than calls of NumPy; benchmarks/compile.py shows it."""


class KernelFunction:
    """The function that computes ``outputs`` of ``program``, for every size and floating type.

    ``source`` is its text for arrays of any size, ``source_at`` what is executed at given ones. ``bind`` makes the
    function for given sizes; it takes the arrays called ``inputs`` in that order, and returns a tuple of the outputs.
    With ``reuse_buffers`` the next call of the same function overwrites what it returned.
    """

    def __init__(self, program: Program, outputs: tuple[str, ...], reuse_buffers: bool = False) -> None:
        self.kernel: Kernel = flatten(program, outputs)
        self.memory = plan(self.kernel)
        self.code: Source = kernel_source(self.kernel, self.memory, reuse_buffers)
        self.inputs = tuple(variable for variable, _ in self.kernel.inputs)
        self.reuse_buffers = reuse_buffers
        self._direct = partial(flatten, program, outputs, direct=True)

    @property
    def source(self) -> str:
        """The source for arrays of any size, with what it imports."""
        return _with_imports(self.code)

    def source_at(self, dtype: np.dtype[Any], sizes: Mapping[sympy.Symbol, int]) -> str:
        """What is executed at these sizes: statements on single numbers where those are few, else on arrays."""
        return self._numbers_source(dtype, sizes) or _with_imports(self._code_at(sizes))

    def bind(
        self,
        dtype: np.dtype[Any],
        sizes: Mapping[sympy.Symbol, int],
        namespace: Mapping[str, Any] = NAMESPACE,
    ) -> Run:
        """The function for arrays of these sizes and this floating type; ``namespace`` says what computes."""
        code = self._code_at(sizes)
        run: Run = executed(code.text, namespace)["bind"](dtype, *(sizes[size] for size in code.sizes))
        text = self._numbers_source(dtype, sizes)
        if text is None:
            return run
        unrolled: Run = executed(text, {**SCALAR_NAMESPACE, "Struct": Struct, "array": np.array, "empty": np.empty})[
            "bind"
        ](dtype, run)
        return unrolled

    def _code_at(self, sizes: Mapping[sympy.Symbol, int]) -> Source:
        by_columns = stored_by_columns(self.kernel, self.memory, sizes)
        return kernel_source(self.kernel, self.memory, self.reuse_buffers, by_columns) if by_columns else self.code

    def _numbers_source(self, dtype: np.dtype[Any], sizes: Mapping[sympy.Symbol, int]) -> str | None:
        if dtype.char not in "df" or self._numbers(sizes) > _MOST_STATEMENTS:
            return None
        return scalar_source(self._direct(), sizes, _MOST_STATEMENTS, self.reuse_buffers)

    def _numbers(self, sizes: Mapping[sympy.Symbol, int]) -> int:
        """How many numbers come in. More statements than these are hardly avoided."""
        numbers = dict(sizes)
        return sum(int(sympy.Mul(*variable.shape).xreplace(numbers)) for variable in self.inputs)


def _with_imports(code: Source) -> str:
    lines = ["import numpy as np"] if "np." in code.text else []
    homes: dict[str, list[str]] = {}
    for name in sorted(code.uses):
        # What NumPy lacks is a function of this package.
        homes.setdefault("numpy" if hasattr(np, name) else NAMESPACE[name].__module__, []).append(name)
    lines += [f"from {home} import {', '.join(names)}" for home, names in homes.items()]
    return "\n".join(lines) + f"\n\n\n{code.text}"
