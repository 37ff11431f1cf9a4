"""A program for one example: the size of the batch is 1, and no variable has an axis for it any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy

from symbackprop.errors import NoRuleError
from symbackprop.notation.checker import check
from symbackprop.notation.expressions import REDUCTIONS, ArgMaximum, Limit, base_name, limits, occurrence, total
from symbackprop.notation.indices import substitute
from symbackprop.notation.program import Assumption, Equation, Program, Variable
from symbackprop.notation.terms import Term

__all__ = ["one_example"]


def one_example(program: Program) -> Program:
    """``program`` for a batch of one example, without the axis that counts examples.

    Raises NoRuleError where the program names no batch size, or a parameter has one entry for each example.
    """
    batch = program.batch
    if batch is None:
        raise NoRuleError(f"{program.name} names no batch size, so a single example cannot be taken out of it")
    for parameter in program.parameters:
        if any(extent.has(batch) for extent in parameter.shape):
            raise NoRuleError(
                f"{program.name}: {parameter.name} has entries for each example; show the examples as rows"
            )
    for variable in program.variables.values():
        if any(extent.has(batch) for extent in variable.shape[1:]):
            raise NoRuleError(
                f"{program.name}: {variable.name} counts examples on an axis that is not its first; show them as rows"
            )
    single = _Single(batch, {v.name for v in program.variables.values() if v.shape and v.shape[0] == batch})
    return check(
        replace(
            program,
            inputs=tuple(map(single.variable, program.inputs)),
            equations=tuple(map(single.equation, program.equations)),
            batch=None,
            assumptions=tuple(map(single.assumption, program.assumptions)),
        )
    )


class _Single:
    def __init__(self, batch: sympy.Expr, names: set[str]) -> None:
        self.batch = batch
        self.names = names

    def variable(self, variable: Variable) -> Variable:
        drop = variable.name in self.names
        shape = tuple(self.size(extent) for extent in variable.shape[drop:])
        return replace(variable, shape=shape, indices=variable.indices[drop:])

    def size(self, extent: sympy.Expr) -> sympy.Expr:
        return extent.xreplace({self.batch: sympy.S.One})

    def equation(self, equation: Equation) -> Equation:
        first = self.first(equation.scope)
        terms = tuple(self.term(term, first) for term in equation.terms)
        return replace(equation, left=self.variable(equation.left), right=self.of(equation.right, first), terms=terms)

    def assumption(self, assumption: Assumption) -> Assumption:
        # An index over the examples stands first in what it indexes, as everywhere.
        bound = {i for i in assumption.indices if self.counts_examples(assumption.left, i)}
        first = dict.fromkeys(bound, sympy.S.Zero)
        left, value = (self.of(side, first) for side in (assumption.left, assumption.value))
        return replace(
            assumption, left=left, value=value, indices=tuple(i for i in assumption.indices if i not in bound)
        )

    def counts_examples(self, expression: sympy.Expr, index: sympy.Symbol) -> bool:
        found = expression.atoms(sympy.Indexed)
        return any(base_name(node) in self.names and node.indices[0] == index for node in found)

    def first(self, over: tuple[Limit, ...]) -> dict[sympy.Symbol, sympy.Expr]:
        """The position of the one example, for the indices that count examples."""
        return {i: sympy.S.Zero for i, extent in over if extent == self.batch}

    def term(self, term: Term, outer: Mapping[sympy.Symbol, sympy.Expr]) -> Term:
        first = {**outer, **self.first(term.sums)}
        sums = tuple((i, self.size(extent)) for i, extent in term.sums if i not in first)
        return Term(self.of(term.coefficient, {}), sums, tuple(self.of(factor, first) for factor in term.factors))

    def of(self, node: sympy.Basic, first: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
        """``node`` at the first example, for the indices in ``first`` and all that are summed over examples."""
        return self.rebuilt(substitute(node, first))

    def rebuilt(self, node: sympy.Basic) -> sympy.Expr:
        if node == self.batch:
            return sympy.S.One
        if isinstance(node, REDUCTIONS):
            over = limits(node)
            body = self.of(node.args[0], self.first(over))
            left = tuple((i, self.size(extent)) for i, extent in over if extent != self.batch)
            if not left:
                return sympy.S.Zero if isinstance(node, ArgMaximum) else body
            if isinstance(node, sympy.Sum):
                return total(body, *left)
            return node.func(body, *((i, 0, extent - 1) for i, extent in left))
        if isinstance(node, sympy.Indexed):
            positions = [self.rebuilt(position) for position in node.indices]
            rest = positions[base_name(node) in self.names :]
            return occurrence(base_name(node), *rest)
        return node.func(*(self.rebuilt(argument) for argument in node.args)) if node.args else node
