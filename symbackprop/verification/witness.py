"""The witness: the forward function that is perturbed. It is never the code under test.

This is the one place where verification evaluates a loss.
"""

from __future__ import annotations

import cmath
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.codegen.bound import KernelFunction
from symbackprop.codegen.complex_numbers import COMPLEX_NAMESPACE
from symbackprop.codegen.operations import NAMESPACE
from symbackprop.errors import SymbackpropError, UsageError
from symbackprop.forms.evaluate import evaluate
from symbackprop.forms.lower import Lowered, lower
from symbackprop.notation.expressions import REDUCTIONS, limits, walk
from symbackprop.notation.interpreter import Arithmetic, arbitrary_precision, interpret
from symbackprop.notation.program import Equation, Program
from symbackprop.notation.sizes import bind_sizes, concrete_shape
from symbackprop.verification.patterns import Border, Pattern, borders

__all__ = ["Witness", "forward", "scalar_operations", "witness_of"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Sizes = Mapping[sympy.Symbol, int]
Shapes = tuple[tuple[str, tuple[int, ...]], ...]

_MOST_OPERATIONS = 20_000
"""Up to how many scalar operations the interpreter is asked: it takes some 20 microseconds for each."""


@dataclass(frozen=True, eq=False)
class Witness:
    """The loss of ``program``, evaluated in several kinds of numbers from arrays of its declared variables.

    Arrays have the shapes that the program declares; sizes are read off them, and ``given`` has those that no shape
    tells. Nothing here warns or raises where a number overflows: the loss is then not finite.
    """

    program: Program
    lowered: tuple[Lowered, ...]
    borders: tuple[Border, ...]
    given: Mapping[str, int]
    kernel: KernelFunction
    bound: dict[Any, Any] = field(default_factory=dict, repr=False)

    def loss(self, arrays: Arrays) -> float:
        """The loss in the floating type of the arrays, as a float."""
        return float(self._compiled(arrays, np.dtype(np.float64)))

    def precise(self, arrays: Arrays) -> np.longdouble:
        """The loss in long double, which on some machines is no more precise than float64."""
        return np.longdouble(self._compiled(arrays, np.dtype(np.longdouble)))

    def complex_loss(self, arrays: Arrays) -> complex | None:
        """The loss of complex arrays, every case decided by real parts; None where it cannot be told.

        That is so where a number overflows.
        """
        value = complex(self._compiled(arrays, np.dtype(np.complex128), COMPLEX_NAMESPACE))
        return value if cmath.isfinite(value) else None

    def digits_loss(self, arrays: Arrays, digits: int) -> Any:
        """The loss in mpmath's numbers of so many digits, from object arrays; None where it cannot be told."""
        with mpmath.workdps(digits):
            value = self._interpreted(arrays, arbitrary_precision)
        # Where a root or a logarithm leaves the real numbers, mpmath goes on in complex ones.
        return None if isinstance(value, mpmath.mpc) else value

    def pattern(self, arrays: Arrays) -> Pattern:
        """On which side of each kink every argument lies, and whether one lies exactly on it."""
        if not self.borders:
            return Pattern((), False)
        values, sizes = self._values(arrays), self.sizes(arrays)
        with np.errstate(all="ignore"):
            sides = [border.sides(values, sizes) for border in self.borders]
        return Pattern(tuple(side for side, _ in sides), any(on for _, on in sides))

    def distance(self, arrays: Arrays) -> float:
        """How far the nearest kink is from its argument; infinite where there are none."""
        values, sizes = self._values(arrays), self.sizes(arrays)
        with np.errstate(all="ignore"):
            gaps = [float(np.min(np.abs(border.gaps(values, sizes)))) for border in self.borders]
        return min(gaps, default=float("inf"))

    # -- evaluation --------------------------------------------------------------------------------------------------

    @property
    def _loss_name(self) -> str:
        assert self.program.loss is not None
        return self.program.loss

    def sizes(self, arrays: Arrays) -> Sizes:
        """The numbers of the symbolic sizes, read off the shapes of the arrays."""
        return _bound(self, _shapes(arrays))

    def _compiled(self, arrays: Arrays, dtype: np.dtype[Any], names: Mapping[str, Any] = NAMESPACE) -> Any:
        """The loss by the kernel of the forward equations, in numbers of type ``dtype``."""
        key = (dtype, _shapes(arrays))
        if key not in self.bound:
            self.bound[key] = self.kernel.bind(dtype, self.sizes(arrays), names)
        given = (arrays[v.name] if v.integer else arrays[v.name].astype(dtype, copy=False) for v in self.kernel.inputs)
        with np.errstate(all="ignore"):
            (loss,) = self.bound[key](*given)
        return loss

    def _numbers(self, arrays: Arrays) -> dict[str, int]:
        return {str(symbol): number for symbol, number in self.sizes(arrays).items()}

    def _values(self, arrays: Arrays) -> dict[str, Array]:
        values, sizes = dict(arrays), self.sizes(arrays)
        with np.errstate(all="ignore"):
            for equation, form in zip(self.program.equations, self.lowered, strict=True):
                shape = _shape_of(self, equation.name, _shapes(arrays))
                values[equation.name] = np.broadcast_to(evaluate(form, values, sizes), shape)
        return values

    def _interpreted(self, arrays: Arrays, arithmetic: Callable[[], Arithmetic]) -> Any:
        if _cost(self, _shapes(arrays)) > _MOST_OPERATIONS:
            return None
        try:
            return interpret(self.program, arrays, self._numbers(arrays), arithmetic())[self._loss_name][()]
        # cmath has no erf, and raises where a number overflows or a logarithm is taken of 0.
        except (AttributeError, ArithmeticError, ValueError, TypeError) as error:
            if isinstance(error, SymbackpropError):
                raise
            return None


def _shapes(arrays: Arrays) -> Shapes:
    return tuple((name, array.shape) for name, array in arrays.items())


@functools.lru_cache(maxsize=64)
def _bound(witness: Witness, shapes: Shapes) -> Sizes:
    return bind_sizes(witness.program, dict(shapes), witness.given)


@functools.lru_cache(maxsize=64)
def _cost(witness: Witness, shapes: Shapes) -> int:
    return scalar_operations(witness.program, _bound(witness, shapes))


@functools.lru_cache(maxsize=4096)
def _shape_of(witness: Witness, name: str, shapes: Shapes) -> tuple[int, ...]:
    return concrete_shape(witness.program.definitions[name].left.shape, _bound(witness, shapes))


def forward(program: Program) -> Program:
    """The equations of ``program`` that its loss depends on; adjoint equations are none of them.

    Raises UsageError where the program names no loss.
    """
    if program.loss is None:
        raise UsageError(f"{program.name} names no loss; say which scalar is to be differentiated")
    return replace(program, equations=program.needed_for([program.loss]))


def witness_of(program: Program, sizes: Mapping[str, int] | None = None) -> Witness:
    """The witness for the loss of ``program``, which may hold adjoint equations behind the forward ones.

    ``sizes`` gives numbers for symbolic sizes that no shape of an array tells.
    """
    part = forward(program)
    known = {symbol.name for symbol in part.sizes}
    lowered = tuple(lower(equation, part) for equation in part.equations)
    given = {name: number for name, number in (sizes or {}).items() if name in known}
    return Witness(part, lowered, borders(part), given, KernelFunction(part, (str(part.loss),)))


def scalar_operations(program: Program, sizes: Sizes) -> int:
    """About how many scalar operations the interpreter takes for ``program`` at ``sizes``."""
    numbers = dict(sizes)
    return sum(_repeats(equation, numbers) * max(1, int(equation.right.count_ops())) for equation in program.equations)


def _repeats(equation: Equation, numbers: dict[sympy.Symbol, int]) -> int:
    """How often the innermost expression of ``equation`` is evaluated, at most."""
    extents = [extent for _, extent in equation.scope]
    for node in walk(equation.right):
        if isinstance(node, REDUCTIONS):
            extents.extend(extent for _, extent in limits(node))
    return int(sympy.Mul(*(extent.xreplace(numbers) for extent in extents)))
