"""What the reader may refer to beyond the program: derivatives of one variable by another, each asked for by name."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy

from symbackprop.notation.expressions import Limit
from symbackprop.notation.program import Equation, Program, Variable

__all__ = ["Context", "Request"]


@dataclass(frozen=True)
class Request:
    """d ``of`` / d ``by``: an array of the axes of both, by name; ``place`` counts one occurrence of ``by`` alone."""

    of: str
    by: str
    place: int = 0


@dataclass
class Context:
    """The program as far as it is known, and the derivatives and helping variables that formulas asked for.

    ``scale`` is what dX means: dJ/dX times this.
    """

    program: Program
    scale: sympy.Expr = sympy.S.One
    requests: dict[Request, str] = field(default_factory=dict)
    helpers: list[Equation] = field(default_factory=list)

    def derivative(self, request: Request) -> str:
        """The name of the array that holds the derivative."""
        if request not in self.requests:
            place = f"_{request.place}" if request.place else ""
            self.requests[request] = f"d_{request.of}_d_{request.by}{place}"
        return self.requests[request]

    def variable(self, name: str) -> Variable | None:
        """The variable called ``name``."""
        found = self.program.variables.get(name)
        return found or next((helper.left for helper in self.helpers if helper.name == name), None)

    def helper(self, entry: sympy.Expr, axes: tuple[Limit, ...]) -> str:
        """The name of a variable that is ``entry`` at each position of ``axes``."""
        for helper in self.helpers:
            if helper.right == entry and helper.scope == axes:
                return helper.name
        name = f"_t{len(self.helpers)}"
        left = Variable(name, tuple(size for _, size in axes), indices=tuple(i for i, _ in axes))
        self.helpers.append(Equation(left, entry))
        return name
