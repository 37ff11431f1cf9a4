"""What stable forms are written in: the elementary functions, and what NumPy has beside them.

The classes here never evaluate, and SymPy knows no rule for them, so that a stable form stays as it was written.
They are not of the language: no equation can name them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import sympy

from symbackprop.functions import error_function
from symbackprop.functions.elementary import ELEMENTARY, Primitive

__all__ = ["PRIMITIVES", "erfc", "expm1", "larger", "log1p", "magnitude", "smaller"]


def _function(name: str, arity: int = 1) -> type[sympy.Function]:
    # Not a number, whatever the arguments are: SymPy could not compute it.
    return type(name, (sympy.Function,), {"nargs": arity, "is_number": False, "__module__": __name__})


larger = _function("larger", 2)
"""The larger of two."""
smaller = _function("smaller", 2)
"""The smaller of two."""
magnitude = _function("magnitude")
"""The absolute value."""
log1p = _function("log1p")
"""log(1 + z), with all its digits where z is small."""
expm1 = _function("expm1")
"""exp(z) - 1, with all its digits where z is small."""
erfc = _function("erfc")
"""1 - erf(z), with all its digits where that is small."""

PRIMITIVES: Mapping[type[sympy.Function], Primitive] = MappingProxyType(
    {
        **ELEMENTARY,
        **{
            row.function: row
            for row in (
                Primitive(larger, np.maximum),
                Primitive(smaller, np.minimum),
                Primitive(magnitude, np.abs),
                Primitive(log1p, np.log1p),
                Primitive(expm1, np.expm1),
                Primitive(erfc, error_function.erfc),
            )
        },
    }
)
"""Each row by its SymPy function."""
