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
from symbackprop.functions.records import erf
from symbackprop.notation.expressions import ElementwiseFunction, walk

__all__ = ["ELEMENTARY", "Elementary", "check_functions", "elementary"]


@dataclass(frozen=True)
class Elementary:
    """One of SymPy's functions: how it is written, and how NumPy computes it."""

    function: type[sympy.Function]
    latex: str
    numpy: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]


ELEMENTARY = MappingProxyType(
    {
        row.function: row
        for row in (
            Elementary(sympy.exp, r"\exp", np.exp),
            Elementary(sympy.log, r"\log", np.log),
            Elementary(sympy.tanh, r"\tanh", np.tanh),
            Elementary(sympy.sinh, r"\sinh", np.sinh),
            Elementary(sympy.cosh, r"\cosh", np.cosh),
            Elementary(sympy.sin, r"\sin", np.sin),
            Elementary(sympy.cos, r"\cos", np.cos),
            Elementary(sympy.tan, r"\tan", np.tan),
            Elementary(sympy.atan, r"\arctan", np.arctan),
            Elementary(sympy.erf, r"\operatorname{erf}", erf),
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
