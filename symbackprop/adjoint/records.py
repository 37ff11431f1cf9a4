"""How a gradient came about: frozen records, in reading order, from the loss inwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sympy

from symbackprop.functions.kinks import Kink
from symbackprop.notation.expressions import Limit
from symbackprop.notation.indices import free_indices
from symbackprop.notation.program import Assumption, Equation, Program, Variable
from symbackprop.notation.terms import Term

__all__ = ["Adjoint", "Contribution", "Differentiation", "Factor", "Step"]

Names = dict[sympy.Basic, sympy.Basic]


@dataclass(frozen=True)
class Factor:
    """One local derivative of a chain: d ``of`` / d ``by`` = ``expression``, by the named ``rule``.

    ``reason`` says in words why, ``identity`` is the LaTeX of the known derivative that was used, if one was.
    """

    expression: sympy.Expr
    of: sympy.Expr
    by: sympy.Expr
    rule: str
    reason: str
    identity: str = ""

    def rename(self, names: Names) -> Factor:
        """The same factor under other names."""
        expression, of, by = (part.xreplace(names) for part in (self.expression, self.of, self.by))
        return Factor(expression, of, by, self.rule, self.reason, self.identity)


@dataclass(frozen=True)
class Step:
    """A named simplification: which rule, why it holds, and the name of the equation it rests on, if one."""

    rule: str
    reason: str
    equation: str = ""


@dataclass(frozen=True)
class Contribution:
    """What one occurrence of a variable adds to the variable's adjoint.

    ``variable[indices] += coefficient * Sum(cotangent * product of local factors * brackets, *sums)``, where
    ``through`` names the equation with the occurrence and ``cotangent`` is the adjoint of its left side (None
    for the loss, whose adjoint is 1). ``chain`` derives the local factors one by one; ``local`` is their product
    after ``coefficient`` was taken out, and ``steps`` says what was rewritten on the way.
    """

    variable: str
    through: str
    element: sympy.Expr
    cotangent: sympy.Expr | None
    coefficient: sympy.Expr
    sums: tuple[Limit, ...]
    local: tuple[sympy.Expr, ...]
    brackets: tuple[sympy.Expr, ...]
    template_chain: tuple[Factor, ...] = field(compare=False, repr=False)
    steps: tuple[Step, ...] = ()
    names: Names = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def chain(self) -> tuple[Factor, ...]:
        """The local factors one by one, each with its rule. Renamed when asked for, since few ever are."""
        return tuple(factor.rename(self.names) for factor in self.template_chain)

    @property
    def term(self) -> Term:
        """The contribution as a summand in reading order."""
        cotangent = () if self.cotangent is None else (self.cotangent,)
        return Term(self.coefficient, self.sums, (*cotangent, *self.local, *self.brackets))

    @cached_property
    def sums_over_elements(self) -> tuple[Limit, ...]:
        """The sums over several ``element``s that the variable enters; the other sums are inside one of them."""
        inside = free_indices(self.element)
        return tuple(limit for limit in self.sums if limit[0] in inside)

    @property
    def partial(self) -> Term:
        """The local derivative d ``element`` / d variable[indices] by this one occurrence."""
        inner = tuple(limit for limit in self.sums if limit not in self.sums_over_elements)
        return Term(self.coefficient, inner, (*self.local, *self.brackets))

    @property
    def derivative(self) -> sympy.Expr:
        """What the local derivative sums over: coefficient, local factors and brackets, without any sum."""
        return sympy.Mul(self.coefficient, *self.local, *self.brackets)

    @property
    def expression(self) -> sympy.Expr:
        """The SymPy expression of the contribution."""
        return self.term.expression

    def rename(self, names: Names, by_name: Mapping[str, str]) -> Contribution:
        """The same contribution under other names of variables and sizes."""
        return Contribution(
            by_name[self.variable],
            by_name[self.through],
            self.element.xreplace(names),
            None if self.cotangent is None else self.cotangent.xreplace(names),
            self.coefficient.xreplace(names),
            tuple((i, extent.xreplace(names)) for i, extent in self.sums),
            tuple(factor.xreplace(names) for factor in self.local),
            tuple(bracket.xreplace(names) for bracket in self.brackets),
            self.template_chain,
            tuple(Step(step.rule, step.reason, by_name.get(step.equation, "")) for step in self.steps),
            names,
        )


@dataclass(frozen=True)
class Adjoint:
    """dL/dv for one variable v: its equation, what contributed to it, and the steps to its final form.

    ``assuming`` holds the forms it takes under the program's named assumptions, one for each that applies.
    """

    of: Variable
    equation: Equation
    contributions: tuple[Contribution, ...]
    steps: tuple[Step, ...] = ()
    assuming: tuple[tuple[Assumption, Equation], ...] = ()

    @property
    def name(self) -> str:
        """The name of the adjoint variable."""
        return self.equation.name


@dataclass(frozen=True)
class Differentiation:
    """A program and the adjoint of every variable between ``wrt`` and the loss, in the order they are computed."""

    program: Program
    loss: str
    wrt: tuple[str, ...]
    adjoints: tuple[Adjoint, ...]
    unreached: tuple[str, ...]
    kinks: tuple[Kink, ...]

    @cached_property
    def by_variable(self) -> dict[str, Adjoint]:
        """Each adjoint by the name of the variable it is the adjoint of."""
        return {adjoint.of.name: adjoint for adjoint in self.adjoints}

    @cached_property
    def adjoint_program(self) -> Program:
        """Forward and adjoint equations as one program, which may be differentiated again."""
        return self.program.extended(tuple(adjoint.equation for adjoint in self.adjoints))
