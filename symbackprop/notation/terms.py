"""Summands in reading order. SymPy sorts what it multiplies; a term remembers how a person would write it."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbackprop.notation.expressions import Limit, total
from symbackprop.notation.indices import free_indices

__all__ = ["Term"]


@dataclass(frozen=True)
class Term:
    """One summand in reading order: a coefficient of numbers and sizes, sums, and factors from the loss inwards.

    Means ``coefficient * Sum(product of factors, *sums)``. SymPy sorts what it multiplies; this remembers how a
    person would write it.
    """

    coefficient: sympy.Expr
    sums: tuple[Limit, ...]
    factors: tuple[sympy.Expr, ...]

    @property
    def expression(self) -> sympy.Expr:
        """The SymPy expression this term means."""
        return sympy.Mul(self.coefficient, *self.outside, total(sympy.Mul(*self.inside), *self.sums))

    @property
    def outside(self) -> tuple[sympy.Expr, ...]:
        """The factors that do not depend on what is summed over, and so stand before the sums."""
        summed = frozenset(i for i, _ in self.sums)
        return tuple(factor for factor in self.factors if not free_indices(factor) & summed)

    @property
    def inside(self) -> tuple[sympy.Expr, ...]:
        """The factors that are summed."""
        summed = frozenset(i for i, _ in self.sums)
        return tuple(factor for factor in self.factors if free_indices(factor) & summed)

    def without_idle_sums(self) -> Term:
        """The same value with the sums carried out whose index no factor contains."""
        used = frozenset[sympy.Symbol]().union(*(free_indices(factor) for factor in self.factors))
        idle = [extent for i, extent in self.sums if i not in used]
        if not idle:
            return self
        sums = tuple((i, extent) for i, extent in self.sums if i in used)
        return Term(sympy.Mul(self.coefficient, *idle), sums, self.factors)

    def rename(self, names: dict[sympy.Basic, sympy.Basic]) -> Term:
        """The same term under other names of variables and sizes."""
        return Term(
            self.coefficient.xreplace(names),
            tuple((i, extent.xreplace(names)) for i, extent in self.sums),
            tuple(factor.xreplace(names) for factor in self.factors),
        )
