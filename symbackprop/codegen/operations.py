"""What a kernel can do to arrays: one row for each elementwise operation, and where NumPy has each name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from symbackprop.functions.primitives import PRIMITIVES

__all__ = ["COMPARISONS", "FIXED", "NAMESPACE", "OPERATIONS", "SCALAR_NAMESPACE", "VIEWS", "Operation"]


@dataclass(frozen=True)
class Operation:
    """An elementwise operation: what computes it on arrays, and how it is written for Python's numbers.

    ``truth`` says that the result is true or false. The others give real numbers, or positions from positions.
    ``infix`` says that ``scalar`` is right for NumPy's numbers too.
    """

    numpy: Callable[..., Any]
    scalar: str
    truth: bool = False
    infix: bool = False

    @property
    def name(self) -> str:
        """Its name among NumPy's functions or the package's own."""
        return self.numpy.__name__

    @property
    def writes(self) -> bool:
        """Whether it can write its result into an array that is there."""
        return isinstance(self.numpy, np.ufunc)

    @property
    def keyword_only(self) -> bool:
        """Whether that array must be named ``out``: NumPy 2.4 deprecates the other way for these."""
        return self.numpy in (np.maximum, np.minimum)


# A comparison with what is not a number is false, and so that is the result here, as in NumPy.
_SCALAR_FUNCTIONS: dict[Callable[..., Any], str] = {
    np.maximum: "({1} if {0} < {1} else {0})",
    np.minimum: "({1} if {0} > {1} else {0})",
    np.absolute: "fabs({0})",
    np.arctan: "atan({0})",
}

_ROWS = (
    Operation(np.add, "{0} + {1}", infix=True),
    Operation(np.subtract, "{0} - {1}", infix=True),
    Operation(np.multiply, "{0}*{1}", infix=True),
    Operation(np.divide, "{0}/{1}", infix=True),
    Operation(np.negative, "-{0}", infix=True),
    Operation(np.sqrt, "sqrt({0})"),
    Operation(np.power, "pow({0}, {1})"),
    Operation(np.greater, "{0} > {1}", truth=True, infix=True),
    Operation(np.greater_equal, "{0} >= {1}", truth=True, infix=True),
    Operation(np.less, "{0} < {1}", truth=True, infix=True),
    Operation(np.less_equal, "{0} <= {1}", truth=True, infix=True),
    Operation(np.equal, "{0} == {1}", truth=True, infix=True),
    Operation(np.not_equal, "{0} != {1}", truth=True, infix=True),
    Operation(np.logical_and, "{0} and {1}", truth=True),
    Operation(np.logical_or, "{0} or {1}", truth=True),
    Operation(np.logical_not, "not {0}", truth=True),
    *(
        Operation(row.numpy, _SCALAR_FUNCTIONS.get(row.numpy, f"{row.numpy.__name__}({{0}})"))
        for row in PRIMITIVES.values()
    ),
)

OPERATIONS: Mapping[str, Operation] = MappingProxyType({row.name: row for row in _ROWS})
"""The elementwise operations by name."""

COMPARISONS = MappingProxyType(
    {">": "greater", ">=": "greater_equal", "<": "less", "<=": "less_equal", "==": "equal", "!=": "not_equal"}
)
"""The operation of each relation."""

VIEWS = frozenset({"transpose", "expand", "flat", "reshape", "broadcast"})
"""Operations that look at an array differently and compute nothing."""

FIXED = frozenset({"ones", "position"})
"""Arrays that depend on sizes alone."""

NAMESPACE: Mapping[str, Any] = MappingProxyType(
    {
        "np": np,
        **{row.name: row.numpy for row in _ROWS},
        **{
            name: getattr(np, name)
            for name in (
                "arange",
                "argmax",
                "array",
                "broadcast_to",
                "clip",
                "copyto",
                "einsum",
                "empty",
                "errstate",
                "full",
                "matmul",
                "ones",
            )
        },
    }
)
"""What the source of a kernel can use, by name."""

SCALAR_NAMESPACE: Mapping[str, Any] = MappingProxyType(
    {name: function for name, function in vars(math).items() if not name.startswith("_")}
)
"""What the source of a kernel in Python's numbers can use: the functions of ``math``."""
