"""The elementary functions that are SymPy's own: one row each, for every form that needs to know them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.errors import UsageError
from symbackprop.functions.error_function import erf
from symbackprop.notation.expressions import ElementwiseFunction, walk

__all__ = ["ELEMENTARY", "Elementary", "Primitive", "check_functions", "elementary"]


@dataclass(frozen=True)
class Primitive:
    """A function that NumPy computes in one call: a ufunc of its own, or a helper where it has none."""

    function: type[sympy.Function]
    numpy: Callable[..., npt.NDArray[Any]]

    @property
    def name(self) -> str | None:
        """What NumPy calls it; None for a helper, which has no ``out=``."""
        return self.numpy.__name__ if isinstance(self.numpy, np.ufunc) else None

    @property
    def call(self) -> str:
        """How it is called in code: ``np.maximum``, ``erf``."""
        return f"np.{self.name}" if self.name else self.numpy.__name__

    @property
    def arity(self) -> int:
        """How many arguments it takes."""
        return self.numpy.nin if isinstance(self.numpy, np.ufunc) else 1


@dataclass(frozen=True)
class Elementary(Primitive):
    """One of SymPy's functions: how NumPy computes it, and how it is written."""

    latex: str


ELEMENTARY = MappingProxyType(
    {
        row.function: row
        for row in (
            Elementary(sympy.exp, np.exp, r"\exp"),
            Elementary(sympy.log, np.log, r"\log"),
            Elementary(sympy.tanh, np.tanh, r"\tanh"),
            Elementary(sympy.sinh, np.sinh, r"\sinh"),
            Elementary(sympy.cosh, np.cosh, r"\cosh"),
            Elementary(sympy.sin, np.sin, r"\sin"),
            Elementary(sympy.cos, np.cos, r"\cos"),
            Elementary(sympy.tan, np.tan, r"\tan"),
            Elementary(sympy.atan, np.arctan, r"\arctan"),
            Elementary(sympy.erf, erf, r"\operatorname{erf}"),
        )
    }
)
"""Each row by its SymPy function."""


def elementary(function: type[sympy.Function]) -> Elementary:
    """The row of one of SymPy's functions; UsageError where there is none."""
    if function not in ELEMENTARY:
        known = ", ".join(sorted(known.__name__ for known in ELEMENTARY))
        raise UsageError(f"function {function.__name__!r} is not known here; write it out in {known}")
    return ELEMENTARY[function]


def check_functions(expression: sympy.Basic) -> None:
    """UsageError where ``expression`` has a function that is neither elementary nor has a record."""
    for node in walk(expression):
        if isinstance(node, sympy.Function) and not isinstance(node, ElementwiseFunction | sympy.Piecewise):
            elementary(node.func)
