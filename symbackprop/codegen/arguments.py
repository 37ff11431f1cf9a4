"""What a compiled function is called with, as arrays that fit the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.errors import SizeError, UsageError, nearest
from symbackprop.notation.program import Program, Role, Variable
from symbackprop.notation.sizes import bind_sizes
from symbackprop.specification.examples import is_categorical
from symbackprop.specification.targets import check_targets, suits
from symbackprop.specification.values import check_arrays, in_dtype_of_parameters, position_limits

__all__ = ["Arguments", "Checked"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Checked:
    """Arrays in one floating type, and the number of each symbolic size."""

    arrays: Mapping[str, Array]
    sizes: Mapping[sympy.Symbol, int]
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class Arguments:
    """Checks what comes in for ``program``, whose loss is called ``loss``; ``sizes`` are numbers known beforehand."""

    program: Program
    loss: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)

    def together(self, parameters: Any, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """``parameters``, which must be arrays by name, and ``data``; UsageError where both have a name."""
        if not isinstance(parameters, Mapping):
            what = type(parameters).__name__
            raise UsageError(f"parameters is of type {what}; give a dict of arrays by name, such as {{'W1': ...}}")
        for name in data:
            if name in parameters:
                raise UsageError(f"{name!r} is given twice, among the parameters and beside them; give it once")
        return {**parameters, **data}

    def checked(self, needed: tuple[Variable, ...], given: Mapping[str, Any]) -> Checked:
        """``given`` as arrays: all of ``needed``, in the floating type of the parameters.

        Raises UsageError for what is missing, has a wrong name or type or is no finite number, SizeError for a shape
        that does not fit. Integers and booleans convert; integer labels become one-hot for a categorical loss.
        """
        present = {name: value for name, value in given.items() if value is not None}
        declared = [variable.name for variable in self.program.inputs]
        for name in present:
            if name not in declared:
                # A name that is misspelt is missing too; what is there says more.
                raise UsageError(
                    f"{self.program.name} has no input, target or parameter {name!r}; {nearest(name, declared)}"
                )
        for variable in needed:
            if given.get(variable.name) is None:
                shape = ", ".join(map(str, variable.shape)) + ("," if len(variable.shape) == 1 else "")
                raise UsageError(
                    f"{self.program.name} needs the {variable.role.value} {variable.name!r} of shape ({shape}); "
                    "none was given"
                )
        arrays = check_arrays(self.program, present, one_hot=is_categorical(self.loss), sizes=self.sizes)
        for variable in needed:
            if variable.role is Role.TARGET:
                check_targets(self.loss, variable.name, arrays[variable.name])
        arrays = in_dtype_of_parameters(self.program, arrays)
        shapes = {name: array.shape for name, array in arrays.items()}
        real = [arrays[v.name] for v in needed if not v.integer]
        dtype = np.result_type(*(array.dtype for array in real)) if real else np.dtype(np.float64)
        return Checked(arrays, bind_sizes(self.program, shapes, self.sizes), dtype)

    def looks(
        self, needed: tuple[Variable, ...], sizes: Mapping[sympy.Symbol, int]
    ) -> dict[str, Callable[[Array], bool]]:
        """What tells whether the entries of a new array will do, by name: targets suit the loss, labels fit."""
        found: dict[str, Callable[[Array], bool]] = {}
        for variable in needed:
            suitable = suits(self.loss) if variable.role is Role.TARGET else None
            if suitable is not None:
                found[variable.name] = suitable
        names = {variable.name for variable in needed}
        for name, extent in position_limits(self.program, sizes).items():
            if name in names:
                found[name] = partial(_within, extent)
        return found

    def numbers(self, sizes: tuple[sympy.Symbol, ...], known: Mapping[sympy.Symbol, int]) -> dict[sympy.Symbol, int]:
        """The number of each of ``sizes``; SizeError where one is not known."""
        for size in sizes:
            if size not in known:
                raise SizeError(f"{self.program.name}: no array says what {size} is; give it in sizes")
        return {size: known[size] for size in sizes}


def _within(extent: int, array: Array) -> bool:
    return bool(array.min() >= 0 and array.max() < extent)
