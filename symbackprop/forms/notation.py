"""How formulas are written: where a layer's number stands, which letters, which way the examples lie."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from symbackprop.errors import UsageError, nearest

__all__ = ["DERIVATIVES", "FUNCTIONS", "SCHEMES", "USUAL", "Notation", "Orientation", "Scheme"]


class Orientation(enum.Enum):
    """How the examples of a batch lie in a matrix."""

    ROWS = "rows"
    COLUMNS = "columns"
    VECTOR = "vector"


@dataclass(frozen=True)
class Scheme:
    """Where the number of a layer stands, and which letters are usual.

    ``above`` holds the number as a superscript, None where it is the first subscript. ``loss`` and ``examples`` are
    the letters for what the program calls L and N; ``capitals`` says whether matrices have capital letters.
    """

    above: str | None
    loss: str = "L"
    examples: str = "N"
    capitals: bool = True


SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        "superscript": Scheme("({})"),
        "subscript": Scheme(None),
        # Nielsen, "Neural Networks and Deep Learning" (2015), chapter 2: w^l_{jk}, C.
        "nielsen": Scheme("{}", loss="C", capitals=False),
        # Ng, "Neural Networks and Deep Learning" (2017): W^{[l]}, J, m examples.
        "ng": Scheme("[{}]", loss="J", examples="m"),
    }
)
"""The ways to write symbols, by name."""
DERIVATIVES = ("delta", "partial")
"""How the derivative by a pre-activation is written."""
FUNCTIONS = ("named", "expanded")
"""Whether a function stands by its name or by its definition."""


@dataclass(frozen=True)
class Notation:
    """The choices that a writer has; UsageError for what is none of them.

    ``symbols``      one of ``SCHEMES``
    ``derivative``   "delta" writes the derivative by a pre-activation as an error signal, "partial" as a fraction
    ``functions``    "named" writes sigma(z), "expanded" 1 / (1 + e^-z), in index notation
    ``orientation``  "rows", "columns", or "vector": one example as a column
    """

    symbols: str = "superscript"
    derivative: str = "delta"
    functions: str = "named"
    orientation: str = "rows"

    def __post_init__(self) -> None:
        known = {
            "notation": (self.symbols, tuple(SCHEMES)),
            "derivative": (self.derivative, DERIVATIVES),
            "functions": (self.functions, FUNCTIONS),
            "orientation": (self.orientation, tuple(way.value for way in Orientation)),
        }
        for what, (value, choices) in known.items():
            if value not in choices:
                raise UsageError(f"unknown {what} {value!r}; {nearest(str(value), choices)}")

    @property
    def scheme(self) -> Scheme:
        """Where numbers stand, and the letters."""
        return SCHEMES[self.symbols]

    @property
    def examples_as(self) -> Orientation:
        """How the examples lie."""
        return Orientation(self.orientation)


USUAL = Notation()
"""What is written where nothing else is asked for."""
