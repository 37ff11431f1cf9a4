"""The project's exceptions, on the lowest floor: every module may raise them, none needs more.

A message is one sentence that says what is wrong, where, with which values, and what to do about it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "EquationError",
    "NoRuleError",
    "SizeError",
    "SymbackpropError",
    "UnreadableError",
    "UsageError",
    "nearest",
]


class SymbackpropError(Exception):
    """Base of every error this package raises on purpose."""


class UsageError(SymbackpropError, ValueError):
    """An argument, option, key or name that the package does not know or cannot take."""


class EquationError(SymbackpropError, ValueError):
    """An equation or program that breaks a rule of the language (single assignment, free indices, ...)."""


class SizeError(SymbackpropError, ValueError):
    """Sizes or shapes that do not fit together."""


class NoRuleError(SymbackpropError, NotImplementedError):
    """A construct for which there is no derivative, no lowering or no printing rule yet."""


class UnreadableError(SymbackpropError, ValueError):
    """A file, formula or value that cannot be read."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The remedy clause of an unknown-name error: the nearest known name, or the list of all.

    >>> nearest("sigmiod", ["relu", "sigmoid"])
    "did you mean 'sigmoid'?"
    >>> nearest("foo", ["relu", "sigmoid"])
    'known are relu, sigmoid'
    """
    names = list(known)
    same = [known_name for known_name in names if known_name.casefold() == name.casefold()]
    close = same or difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known are {', '.join(names)}" if names else "none is known here"
