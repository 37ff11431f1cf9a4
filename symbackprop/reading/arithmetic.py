"""The arithmetic that is left once names and products are resolved: read by latex2sympy2 over opaque letters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import sympy

from symbackprop.specification.arithmetic import arithmetic_tree, with_values

__all__ = ["arithmetic", "warm"]

_CHECKED = lru_cache(maxsize=256)(arithmetic_tree)
"""The same few patterns come again and again: each is parsed once."""
_PATTERNS = ("-a", "a+b", "a-b", "a\\cdot b", "\\frac{a}{b}", "a^{b}")


def arithmetic(pattern: str, values: Mapping[str, sympy.Expr]) -> sympy.Expr:
    r"""The value of ``pattern``, such as ``a+b`` or ``\frac{a}{b}``, with the values of its letters put in."""
    return with_values(_CHECKED(pattern, tuple(values)), values)


def warm() -> None:
    """Parse the patterns that every formula needs, so that a copy of this process has them."""
    for pattern in _PATTERNS:
        _CHECKED(pattern, ("a", "b") if "b" in pattern else ("a",))
