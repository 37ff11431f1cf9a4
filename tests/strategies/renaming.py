"""A program under other names, chosen awkwardly: what was one index's name is now another's."""

from __future__ import annotations

from dataclasses import replace

import sympy
from random_programs import Case

from symbackprop.notation.expressions import index, occurrence, size
from symbackprop.notation.indices import is_index
from symbackprop.notation.program import Equation, Program, Variable

__all__ = ["with_other_indices", "with_other_sizes", "with_other_variables"]

Names = dict[sympy.Basic, sympy.Basic]


def with_other_indices(case: Case) -> Case:
    """Each index gets the name of the next one, the last one a new name."""
    found = sorted({s for s in _symbols(case.program) if is_index(s)}, key=str)
    taken = {*(i.name for i in found), *case.program.variables, *case.sizes}
    unused = next(index(name) for name in ("k", "r", "s", "g", "h") if name not in taken)
    return replace(case, program=_renamed(case.program, dict(zip(found, [*found[1:], unused], strict=False)), {}))


def with_other_sizes(case: Case) -> Case:
    """The sizes get each other's names, in the opposite order."""
    order = case.program.sizes
    names: Names = dict(zip(order, map(size, reversed([symbol.name for symbol in order])), strict=True))
    numbers = {str(names[symbol]): case.sizes[symbol.name] for symbol in order}
    return replace(case, program=_renamed(case.program, names, {}), sizes=numbers)


def with_other_variables(case: Case) -> Case:
    """The variables get each other's names, in the opposite order, with an underscore behind them."""
    order = list(case.program.variables)
    by_name = {name: f"{other}_" for name, other in zip(order, reversed(order), strict=True)}
    names: Names = {}
    for before, after in by_name.items():
        names[occurrence(before)] = occurrence(after)
        names[sympy.IndexedBase(before)] = sympy.IndexedBase(after)
    values = {by_name[name]: value for name, value in case.values.items()}
    return replace(case, program=_renamed(case.program, names, by_name), values=values)


def _symbols(program: Program) -> set[sympy.Symbol]:
    found = {i for variable in program.variables.values() for i in variable.indices}
    return found.union(*(equation.right.atoms(sympy.Symbol) for equation in program.equations))


def _renamed(program: Program, names: Names, by_name: dict[str, str]) -> Program:
    """``program`` with all of ``names`` replaced at once. One to one and complete, so nothing can be captured."""

    def variable(old: Variable) -> Variable:
        return replace(
            old,
            name=by_name.get(old.name, old.name),
            shape=tuple(extent.xreplace(names) for extent in old.shape),
            indices=tuple(i.xreplace(names) for i in old.indices),
        )

    return replace(
        program,
        inputs=tuple(map(variable, program.inputs)),
        equations=tuple(Equation(variable(e.left), e.right.xreplace(names)) for e in program.equations),
        loss=by_name.get(str(program.loss), program.loss),
        output=by_name.get(str(program.output), program.output),
        batch=None if program.batch is None else program.batch.xreplace(names),
        assumptions=(),
    )
