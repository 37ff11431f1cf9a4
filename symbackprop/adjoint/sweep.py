"""The reverse sweep: from a program to the adjoint of every variable between the parameters and the loss.

    program --pullback of each equation, last first--> contributions --accumulate--> adjoint equations

The result is again a program. No equation is ever put into another to differentiate it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symbackprop.adjoint.accumulate import Context, accumulate
from symbackprop.adjoint.fold import fold, foldable, has_functions
from symbackprop.adjoint.local import in_reading_order, recontent
from symbackprop.adjoint.pullback import pullback
from symbackprop.adjoint.records import Adjoint, Contribution, Differentiation
from symbackprop.errors import UsageError, nearest
from symbackprop.functions.kinks import kinks
from symbackprop.notation.expressions import base_name
from symbackprop.notation.indices import index_like
from symbackprop.notation.program import Equation, Program, Role, Variable, occurrences

__all__ = ["differentiate"]


def differentiate(program: Program, wrt: Iterable[str] | None = None) -> Differentiation:
    """The derivative of the program's loss by every variable of ``wrt`` (all parameters by default).

    Raises UsageError where the program names no loss, or ``wrt`` names what cannot be differentiated by.
    """
    if program.loss is None:
        raise UsageError(f"{program.name} names no loss; say which scalar is to be differentiated")
    wanted = _wanted(program, wrt)
    return _Sweep(program, program.loss, wanted).run()


def _wanted(program: Program, wrt: Iterable[str] | None) -> tuple[str, ...]:
    if wrt is None:
        names = tuple(variable.name for variable in program.parameters)
        if not names:
            raise UsageError(f"{program.name} declares no parameter; declare one, or say derive(wrt=...)")
        return names
    if not isinstance(wrt, Iterable):
        raise UsageError(f"wrt is {wrt!r}; give the name of a variable, or several")
    names = tuple(dict.fromkeys((wrt,) if isinstance(wrt, str) else wrt))
    if not names or program.loss in names:
        what = f"the loss {program.loss!r} itself" if names else "nothing"
        raise UsageError(f"wrt names {what}; name the parameters or variables to differentiate by")
    for name in names:
        if name not in program.variables:
            raise UsageError(f"{program.name} has no variable {name!r}; {nearest(name, program.variables)}")
        if program.variables[name].integer:
            raise UsageError(f"{name!r} is integer data and has no derivative; leave it out of wrt")
    return names


class _Sweep:
    def __init__(self, program: Program, loss: str, wrt: tuple[str, ...]) -> None:
        self.program = program
        self.loss = loss
        self.wrt = wrt
        self.active = self._active()
        self.pending: dict[str, list[Contribution]] = {}
        self.adjoints: dict[str, Adjoint] = {}
        self.equations: dict[str, Equation] = {}
        self.order = {equation.name: place for place, equation in enumerate(program.equations)}
        self.foldable: dict[str, list[Equation]] = {}
        for equation in program.equations:
            if foldable(equation, program.variables):
                self.foldable.setdefault(min(program.uses[equation.name]), []).append(equation)
        self.taken = set(program.variables)
        self.reserved = index_like([*program.variables, *(size.name for size in program.sizes)])

    def run(self) -> Differentiation:
        due = self._declared_by_earliest_use()
        for equation in reversed(self.program.equations):
            if equation.name in self.active:
                self._step(equation)
            for name in due.get(equation.name, ()):
                self._finish(self.program.variables[name])
        unreached = tuple(name for name in self.wrt if name not in self.adjoints and name != self.loss)
        return Differentiation(
            self.program, self.loss, self.wrt, tuple(self.adjoints.values()), unreached, kinks(self.program)
        )

    def _active(self) -> frozenset[str]:
        """The variables that depend on ``wrt``; no other needs an adjoint."""
        active = set(self.wrt)
        for equation in self.program.equations:
            if self.program.uses[equation.name] & active:
                active.add(equation.name)
        return frozenset(active)

    def _declared_by_earliest_use(self) -> dict[str, list[str]]:
        """Declared variables by the earliest equation that uses them: there their adjoint is complete."""
        due: dict[str, list[str]] = {}
        seen: set[str] = set()
        for equation in self.program.equations:
            used = self.program.uses[equation.name]
            for variable in self.program.inputs:
                if variable.name in used and variable.name not in seen and variable.name in self.active:
                    seen.add(variable.name)
                    due.setdefault(equation.name, []).append(variable.name)
        return due

    def _step(self, equation: Equation) -> None:
        """Finish the adjoint of the left side, and pull it back through the right side."""
        if equation.name == self.loss:
            cotangent = None
        elif self._finish(equation.left):
            cotangent = self.adjoints[equation.name].name
        else:
            return
        for contribution in pullback(equation, self.program.variables, cotangent, self.reserved):
            if contribution.variable in self.active:
                self.pending.setdefault(contribution.variable, []).append(self._folded(contribution))

    def _folded(self, contribution: Contribution) -> Contribution:
        """The contribution with what other equations compute written by name: e^z / sum e^z as p."""
        if not self.foldable or not has_functions(contribution.local):
            return contribution
        names = sorted({base_name(o) for factor in contribution.local for o in occurrences(factor)})
        candidates = [equation for name in names for equation in self.foldable.get(name, ())]
        local, steps = fold(contribution.local, candidates)
        if not steps:
            return contribution
        coefficient, local = recontent(contribution.coefficient, local)
        return replace(
            contribution,
            coefficient=coefficient,
            local=in_reading_order(local),
            steps=tuple(dict.fromkeys((*contribution.steps, *steps))),
        )

    def _finish(self, variable: Variable) -> bool:
        contributions = self.pending.pop(variable.name, None)
        if contributions is None:
            return False
        left = Variable(
            self._adjoint_name(variable.name),
            variable.shape,
            Role.ADJOINT,
            variable.indices,
            of=variable.name,
            loss=self.loss,
            meaning=f"derivative of {self.loss} by {variable.name}",
        )
        # The last use was met first; a reader meets the uses in the program's order.
        contributions.sort(key=lambda contribution: self.order[contribution.through])
        context = Context(self.program.variables, self.program.assumptions, self.equations)
        adjoint = accumulate(variable, left, tuple(contributions), context)
        self.adjoints[variable.name] = adjoint
        self.equations[left.name] = adjoint.equation
        return True

    def _adjoint_name(self, name: str) -> str:
        """``name_bar``, or with a number behind it where an earlier differentiation took that."""
        candidate, count = f"{name}_bar", 1
        while candidate in self.taken:
            count += 1
            candidate = f"{name}_bar{count}"
        self.taken.add(candidate)
        return candidate
