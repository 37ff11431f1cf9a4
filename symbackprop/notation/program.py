"""Programs: straight-line lists of named equations in index notation (Wengert lists).

    z1[n, j] = Sum(W1[j, i]*x[n, i], i) + b1[j]
    a1[n, j] = sigmoid(z1[n, j])
    L        = Sum((a1[n, k] - y[n, k])**2, n, k) / (2*N)

A program is a plain frozen value. ``symbackprop.notation.checker`` says whether it keeps the rules of the
language, ``symbackprop.notation.interpreter`` what it means.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import sympy

from symbackprop.errors import EquationError, nearest
from symbackprop.notation.expressions import (
    REDUCTIONS,
    Limit,
    base_name,
    index,
    is_occurrence,
    limits,
    occurrence,
    walk,
)
from symbackprop.notation.indices import is_size
from symbackprop.notation.terms import Term
from symbackprop.notation.text import expression_text, terms_text

__all__ = ["Assumption", "Equation", "Program", "Role", "Variable", "default_indices", "occurrences"]


class Role(enum.Enum):
    """What a variable is in its program."""

    INPUT = "input"
    TARGET = "target"
    PARAMETER = "parameter"
    DEFINED = "intermediate"
    ADJOINT = "adjoint"


@dataclass(frozen=True)
class Variable:
    """A named array of real numbers (or of integers, for labels that index other variables).

    ``shape`` holds sizes, ``indices`` the names that the axes go by. An adjoint says in ``of`` and ``loss`` which
    variable it is the adjoint of, and for which loss. ``meaning`` is a few words for the notation table,
    ``symbol`` the LaTeX to print where the name would not do.
    """

    name: str
    shape: tuple[sympy.Expr, ...] = ()
    role: Role = Role.DEFINED
    indices: tuple[sympy.Symbol, ...] = ()
    integer: bool = False
    of: str | None = None
    loss: str | None = None
    meaning: str = ""
    symbol: str = ""

    def __post_init__(self) -> None:
        if len(self.indices) != len(self.shape):
            raise EquationError(
                f"variable {self.name!r} has {len(self.shape)} axes but {len(self.indices)} index names; "
                "give each axis one name"
            )

    def at(self, *positions: Any) -> sympy.Expr:
        """The occurrence of this variable at ``positions``."""
        return occurrence(self.name, *positions)

    @property
    def everywhere(self) -> sympy.Expr:
        """The occurrence under the declared index names."""
        return occurrence(self.name, *self.indices)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.shape))})"


@dataclass(frozen=True)
class Equation:
    """``left[indices] = right``. ``terms`` is the right side in reading order, where somebody knows it."""

    left: Variable
    right: sympy.Expr
    terms: tuple[Term, ...] = field(default=(), compare=False)
    note: str = field(default="", compare=False)

    @property
    def indices(self) -> tuple[sympy.Symbol, ...]:
        """The indices of the left side: one equation for each of their values."""
        return self.left.indices

    @property
    def name(self) -> str:
        """The name of the variable that the equation defines."""
        return self.left.name

    @property
    def scope(self) -> tuple[Limit, ...]:
        """The indices of the left side with their sizes."""
        return tuple(zip(self.left.indices, self.left.shape, strict=True))

    @property
    def text(self) -> str:
        """The right side as text, in reading order where the equation knows it."""
        return terms_text(self.terms) if self.terms else expression_text(self.right)

    def __str__(self) -> str:
        return f"{expression_text(self.left.everywhere)} = {self.text}"


@dataclass(frozen=True)
class Assumption:
    """``left = value`` for all values of ``indices``: true of the data one means, not of all data."""

    text: str
    left: sympy.Expr
    value: sympy.Expr
    indices: tuple[sympy.Symbol, ...]


def occurrences(expression: sympy.Basic) -> Iterator[sympy.Expr]:
    """Every occurrence of a variable in ``expression``, outermost first, in SymPy's order."""
    return (node for node in walk(expression) if is_occurrence(node))


@dataclass(frozen=True)
class Program:
    """Declared variables and the equations over them, in computing order.

    ``loss`` names the scalar that is differentiated, ``output`` the prediction, ``batch`` the size that counts
    examples; each may be missing.
    """

    inputs: tuple[Variable, ...]
    equations: tuple[Equation, ...]
    loss: str | None = None
    output: str | None = None
    batch: sympy.Expr | None = None
    name: str = "program"
    assumptions: tuple[Assumption, ...] = ()

    @cached_property
    def variables(self) -> dict[str, Variable]:
        """Every variable by its name: the declared ones, then those that equations define."""
        every = (*self.inputs, *(equation.left for equation in self.equations))
        return {variable.name: variable for variable in every}

    @cached_property
    def definitions(self) -> dict[str, Equation]:
        """Every equation by the name of the variable it defines."""
        return {equation.name: equation for equation in self.equations}

    @property
    def parameters(self) -> tuple[Variable, ...]:
        """The declared variables whose gradients are wanted."""
        return tuple(variable for variable in self.inputs if variable.role is Role.PARAMETER)

    @cached_property
    def sizes(self) -> tuple[sympy.Symbol, ...]:
        """The symbolic sizes, in order of first appearance."""
        found: dict[sympy.Symbol, None] = {}
        for variable in self.variables.values():
            for extent in variable.shape:
                found.update(dict.fromkeys(sorted(filter(is_size, extent.free_symbols), key=str)))
        for equation in self.equations:
            for node in walk(equation.right):
                if isinstance(node, REDUCTIONS):
                    for _, extent in limits(node):
                        found.update(dict.fromkeys(sorted(filter(is_size, extent.free_symbols), key=str)))
                elif is_size(node):
                    found[node] = None
        return tuple(found)

    @cached_property
    def uses(self) -> dict[str, frozenset[str]]:
        """For each equation the names of the variables its right side mentions."""
        return {e.name: frozenset(base_name(o) for o in occurrences(e.right)) for e in self.equations}

    def variable(self, name: str) -> Variable:
        """The variable called ``name``."""
        if name not in self.variables:
            raise EquationError(f"{self.name} has no variable {name!r}; {nearest(name, self.variables)}")
        return self.variables[name]

    def needed_for(self, names: Iterable[str]) -> tuple[Equation, ...]:
        """The equations that the variables called ``names`` depend on, in computing order."""
        wanted = set(names)
        found = []
        for equation in reversed(self.equations):
            if equation.name in wanted:
                found.append(equation)
                wanted |= self.uses[equation.name]
        return tuple(reversed(found))

    def used_by(self, names: Iterable[str]) -> frozenset[str]:
        """The variables that those called ``names`` depend on, and they themselves."""
        wanted = frozenset(names)
        return wanted.union(*(self.uses[equation.name] for equation in self.needed_for(wanted)))

    def extended(self, equations: tuple[Equation, ...], **changes: Any) -> Program:
        """This program followed by more equations."""
        return replace(self, equations=self.equations + equations, **changes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.equations))


def default_indices(count: int) -> tuple[sympy.Symbol, ...]:
    """Index names for a variable that was declared without any."""
    return tuple(index(name) for name in ("i", "j", "k", "l", "m", "p", "q")[:count])
