"""A network that notes are checked against, in plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symbackprop.notation.program import Program

__all__ = ["CheckedNetwork"]


@dataclass(frozen=True)
class CheckedNetwork:
    """The program, the arrays that are given for its variables, and the learning rate of an update.

    ``likely`` are arrays that notes may have used in place of what is not given: those of the project's own documents.
    ``unfused`` is the program with the loss on top of the output, where ``program`` takes a short cut past it.
    """

    program: Program
    data: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    learning_rate: float | None = None
    name: str = ""
    unfused: Program | None = None
    likely: Mapping[str, Any] = field(default_factory=dict)

    @property
    def numbers(self) -> Mapping[str, Any]:
        """Every array that is given, by name; the learning rate is called eta."""
        rate = {} if self.learning_rate is None else {"eta": self.learning_rate}
        return {**rate, **self.data, **self.parameters}

    @property
    def words(self) -> str:
        """The network in a few words."""
        inside = ", ".join(name for name in self.program.definitions if name != self.program.loss)
        return f"{self.name or self.program.name}: {inside}; loss {self.program.loss}"
