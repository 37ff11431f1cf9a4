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
        summed = frozenset(i for i, _ in self.sums)
        outside = [factor for factor in self.factors if not free_indices(factor) & summed]
        inside = [factor for factor in self.factors if free_indices(factor) & summed]
        return sympy.Mul(self.coefficient, *outside, total(sympy.Mul(*inside), *self.sums))

    def rename(self, names: dict[sympy.Basic, sympy.Basic]) -> Term:
        """The same term under other names of variables and sizes."""
        return Term(
            self.coefficient.xreplace(names),
            tuple((i, extent.xreplace(names)) for i, extent in self.sums),
            tuple(factor.xreplace(names) for factor in self.factors),
        )
