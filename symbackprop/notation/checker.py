"""The rules of the language, checked: what a program must keep so that every later pass may rely on it.

Single assignment, defined before use, free indices, ranks, ranges, binders, functions, sizes, loss.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sympy
from sympy.core.function import AppliedUndef

from symbackprop.errors import EquationError, SizeError, nearest
from symbackprop.notation.expressions import (
    REDUCTIONS,
    Bracket,
    base_name,
    is_occurrence,
    limits,
    walk,
)
from symbackprop.notation.indices import bound_indices, free_indices, is_index, is_size
from symbackprop.notation.program import Equation, Program, Role, Variable

__all__ = ["check"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


def check(program: Program) -> Program:
    """``program`` itself, if it keeps every rule; otherwise an error that names equation, place and remedy."""
    _check_names(program)
    known: dict[str, Variable] = {variable.name: variable for variable in program.inputs}
    for equation in program.equations:
        if equation.name in known:
            raise EquationError(
                f"{program.name}: {equation.name!r} is defined twice; give the second value a name of its own"
            )
        _EquationChecker(program, equation, known).check()
        known[equation.name] = equation.left
    _check_sizes(program)
    for what, name in (("loss", program.loss), ("output", program.output)):
        if name is not None and name not in known:
            raise EquationError(f"{program.name}: the {what} {name!r} is not defined; {nearest(name, known)}")
    if program.loss is not None and known[program.loss].shape:
        raise EquationError(
            f"{program.name}: the loss {known[program.loss]} is not a scalar; sum or average it over its axes"
        )
    return program


def _check_names(program: Program) -> None:
    variables = [*program.inputs, *(equation.left for equation in program.equations)]
    bound = (bound_indices(equation.right) for equation in program.equations)
    indices = {i.name for v in variables for i in v.indices}.union(
        *({i.name for i in own if is_index(i)} for own in bound)
    )
    sizes = {symbol.name for symbol in program.sizes}
    seen: set[str] = set()
    for variable in variables:
        if not _NAME.match(variable.name):
            raise EquationError(
                f"{program.name}: {variable.name!r} is no name for a variable; use letters, digits and underscores, "
                "a letter first"
            )
        if variable.name in indices | sizes:
            what = "an index" if variable.name in indices else "a size"
            raise EquationError(
                f"{program.name}: {variable.name!r} names both a variable and {what}; rename one of them"
            )
        if len(set(variable.indices)) != len(variable.indices):
            raise EquationError(f"{program.name}: {variable.everywhere} names two axes alike; rename one index")
        if variable.name in seen and variable.role is not Role.DEFINED:
            raise EquationError(f"{program.name}: variable {variable.name!r} is declared twice; rename one of them")
        seen.add(variable.name)
    both = indices & sizes
    if both:
        raise EquationError(f"{program.name}: {min(both)!r} names both an index and a size; rename one of them")


def _check_sizes(program: Program) -> None:
    bindable: set[sympy.Basic] = set()
    for variable in program.variables.values():
        for extent in variable.shape:
            if extent.is_integer is False or extent.is_positive is False:
                raise SizeError(f"{program.name}: {variable} has size {extent}; a size is a positive integer")
    for variable in program.inputs:
        bindable.update(*(extent.free_symbols for extent in variable.shape))
    for symbol in program.sizes:
        if symbol not in bindable:
            raise SizeError(
                f"{program.name}: size {symbol} is the size of no declared variable, so no data can fix it; "
                "use the size of an input, target or parameter"
            )


@dataclass
class _EquationChecker:
    program: Program
    equation: Equation
    known: dict[str, Variable]

    def fail(self, reason: str, kind: type[EquationError] | type[SizeError] = EquationError) -> None:
        raise kind(f"{self.program.name}: in {self.equation}: {reason}")

    def check(self) -> None:
        ranges = dict(self.equation.scope)
        for node in walk(self.equation.right):
            self._check_kind(node)
        loose = free_indices(self.equation.right) - set(ranges)
        if loose:
            name = min(i.name for i in loose)
            self.fail(f"index {name} is free on the right but not on the left; sum over it or add it to the left")
        self._visit(self.equation.right, ranges, guarded=False)

    def _check_kind(self, node: sympy.Basic) -> None:
        if isinstance(node, AppliedUndef):
            self.fail(f"function {node.func.__name__!r} has no definition; write it out or use a known function")
        if isinstance(node, sympy.Derivative | sympy.Integral | sympy.Product | sympy.MatrixBase):
            self.fail(f"{type(node).__name__} is not part of the language; write the value out")
        if node in (sympy.I, sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
            self.fail(f"{node} is not a real number")

    def _visit(self, node: sympy.Basic, ranges: dict[sympy.Symbol, sympy.Expr], guarded: bool) -> None:
        if isinstance(node, REDUCTIONS):
            self._visit_reduction(node, ranges, guarded)
            return
        if is_occurrence(node):
            self._visit_occurrence(node, ranges, guarded)
            return
        if isinstance(node, sympy.Mul):
            guarded = guarded or any(isinstance(argument, Bracket) for argument in node.args)
        for argument in node.args:
            self._visit(argument, ranges, guarded)

    def _visit_reduction(self, node: sympy.Expr, ranges: dict[sympy.Symbol, sympy.Expr], guarded: bool) -> None:
        inner = dict(ranges)
        for (i, extent), limit in zip(limits(node), node.args[1:], strict=True):
            if not is_index(i):
                self.fail(f"{i} cannot be summed over; an index is an integer symbol that is not a size")
            if limit[1] != 0:
                self.fail(f"index {i} starts at {limit[1]}; indices count from 0, so shift the body instead")
            if i in inner:
                self.fail(f"index {i} is bound twice; rename the inner one")
            if free_indices(extent) or not all(is_size(s) for s in extent.free_symbols):
                self.fail(f"index {i} runs over {extent}, which is not a size")
            inner[i] = extent
        self._visit(node.args[0], inner, guarded)

    def _visit_occurrence(self, node: sympy.Expr, ranges: dict[sympy.Symbol, sympy.Expr], guarded: bool) -> None:
        name = base_name(node)
        variable = self.known.get(name)
        if variable is None:
            later = name in self.program.definitions
            remedy = "define it in an earlier equation" if later else nearest(name, self.known)
            self.fail(f"{name!r} is not defined {'before this equation' if later else 'anywhere'}; {remedy}")
            return
        positions = node.indices if isinstance(node, sympy.Indexed) else ()
        if len(positions) != len(variable.shape):
            self.fail(f"{node} has {len(positions)} indices but {variable} has {len(variable.shape)} axes")
        for axis, (position, extent) in enumerate(zip(positions, variable.shape, strict=True)):
            if any(is_occurrence(inner) for inner in walk(position)):
                self._visit_gather(node, position, ranges, guarded)
            elif not guarded:
                self._check_range(node, axis, position, extent, ranges)

    def _visit_gather(
        self, node: sympy.Expr, position: sympy.Expr, ranges: dict[sympy.Symbol, sympy.Expr], guarded: bool
    ) -> None:
        for inner in walk(position):
            if is_occurrence(inner):
                variable = self.known.get(base_name(inner))
                if variable is not None and not variable.integer:
                    self.fail(f"{node} is indexed by {inner}, which is not integer data; declare it as labels")
        self._visit(position, ranges, guarded)

    def _check_range(
        self,
        node: sympy.Expr,
        axis: int,
        position: sympy.Expr,
        extent: sympy.Expr,
        ranges: dict[sympy.Symbol, sympy.Expr],
    ) -> None:
        lowest = highest = position
        for i in free_indices(position):
            slope = position.coeff(i)
            if i in ranges and slope.is_number:
                last = ranges[i] - 1
                lowest = lowest.subs(i, 0 if slope > 0 else last)
                highest = highest.subs(i, last if slope > 0 else 0)
        if is_index(position) and position in ranges and ranges[position] == extent:
            return
        inside = lowest.is_nonnegative and sympy.expand(extent - 1 - highest).is_nonnegative
        if not inside:
            runs = f"runs from {lowest} to {sympy.expand(highest)}"
            self.fail(f"{node}: position {position} {runs}, but axis {axis + 1} has size {extent}", SizeError)
