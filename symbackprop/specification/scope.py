"""What the names in an equation stand for, and how far an index runs that was written without a range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import sympy

from symbackprop.errors import EquationError, SizeError, SymbackpropError, nearest
from symbackprop.notation.program import Variable
from symbackprop.notation.terms import Term
from symbackprop.specification.known_functions import KNOWN_FUNCTIONS

__all__ = ["Names", "Use", "WrittenEquation", "check_uses", "extent_of"]

_CONSTANTS = {"pi": sympy.pi}


@dataclass(frozen=True)
class Names:
    """What names stand for at one equation: variables known by then, sizes, and what is defined only later."""

    variables: Mapping[str, Variable]
    sizes: Mapping[str, sympy.Symbol]
    later: frozenset[str] = frozenset()

    def value(self, name: str) -> sympy.Expr | None:
        """The variable without axes, size or constant called ``name``."""
        if name in self.variables:
            return None if self.variables[name].shape else self.variables[name].everywhere
        return self.sizes.get(name, _CONSTANTS.get(name))

    def has(self, name: str) -> bool:
        """Whether ``name`` has a meaning already, so that it can be no index."""
        return any(name in table for table in (self.variables, self.sizes, self.later))

    def meaning(self, name: str) -> str:
        """The kind of thing that ``name`` is."""
        return "size" if name in self.sizes else "variable"

    def unknown(self, name: str) -> str:
        """What to say of a name that stands for nothing."""
        if name in self.later:
            return f"{name!r} is not defined before this equation; define it in an earlier one"
        if name in KNOWN_FUNCTIONS:
            return f"{name!r} is a function; write its argument in parentheses"
        return f"{name!r} is not defined; {nearest(name, [*self.variables, *self.sizes, *_CONSTANTS])}"


@dataclass(frozen=True)
class Use:
    """One occurrence of a variable as it was written.

    ``positions`` holds the name of the index where one stands alone, None elsewhere; ``bound`` the indices that
    reductions around the occurrence bind; ``place`` is for the error message.
    """

    variable: str
    positions: tuple[str | None, ...]
    bound: frozenset[str]
    text: str
    place: object = None


class WrittenEquation(Protocol):
    """An equation as somebody wrote it, before shapes and ranges are known."""

    @property
    def name(self) -> str:
        """The variable it defines."""

    @property
    def indices(self) -> tuple[str, ...]:
        """The index names of the left side."""

    def uses(self, names: Names) -> tuple[Use, ...]:
        """Every occurrence on the right side, in reading order."""

    def right(self, names: Names) -> tuple[sympy.Expr, tuple[Term, ...]]:
        """The right side and, where they are known, its terms in reading order."""

    def error(self, reason: str, place: object = None, kind: type[SymbackpropError] = EquationError) -> Exception:
        """The error that says ``reason`` of this equation, at ``place``."""


def check_uses(equation: WrittenEquation, uses: Iterable[Use], names: Names) -> None:
    """EquationError where an occurrence is of no known variable, or has not as many indices as that has axes."""
    for use in uses:
        variable = names.variables.get(use.variable)
        if variable is None:
            raise equation.error(names.unknown(use.variable), use.place)
        have, want = len(use.positions), len(variable.shape)
        if have != want:
            says = f"{use.text} has {have} {'index' if have == 1 else 'indices'}"
            raise equation.error(f"{says}, but {variable} has {want} {'axis' if want == 1 else 'axes'}", use.place)


def extent_of(
    name: str, uses: Iterable[Use], names: Names, equation: WrittenEquation, remedy: str, place: object = None
) -> sympy.Expr:
    """The size that index ``name`` runs over, from the axes it stands alone at.

    Raises EquationError where it stands alone nowhere (``remedy`` says what to write), and SizeError where two
    axes disagree.
    """
    found: tuple[sympy.Expr, str] | None = None
    for use in uses:
        if name in use.bound:
            continue
        for axis, (position, extent) in enumerate(
            zip(use.positions, names.variables[use.variable].shape, strict=True), 1
        ):
            if position != name:
                continue
            where = f"at axis {axis} of {use.text}"
            if found is None:
                found = (extent, where)
            elif found[0] != extent:
                raise equation.error(
                    f"index {name} runs over {found[0]} {found[1]}, but over {extent} {where}; "
                    "use two indices, or give both axes the same size",
                    use.place,
                    SizeError,
                )
    if found is None:
        raise equation.error(f"the size of index {name} is unknown: it stands alone in no variable; {remedy}", place)
    return found[0]
