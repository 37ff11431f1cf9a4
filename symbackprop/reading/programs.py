"""The network that notes define, as a program that can be derived, compiled and verified."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from symbackprop.errors import UnreadableError
from symbackprop.notation.checker import check
from symbackprop.notation.indices import bound_indices, close
from symbackprop.notation.program import Equation, Program, Role, Variable
from symbackprop.reading.notes import Notes

__all__ = ["program_of"]

_TARGETS = frozenset(("y", "Y", "t", "T", "target"))
_WEIGHTS = frozenset(("W", "w", "b", "B", "U", "V", "\\theta", "\\Theta", "\\beta", "\\gamma"))


def program_of(notes: Notes, name: str) -> Program:
    """The forward equations of ``notes`` with the roles of what they start from.

    Weights are what the usual letters of weights stand for, and what the notes update or take gradients by; y and t are
    targets, everything else is given. Raises UnreadableError where the notes define no network.
    """
    program = notes.program
    for unread in notes.unread:
        raise UnreadableError(f"{name}, line {unread.line}, column {unread.column}: {unread.reason}")
    if not program.equations or program.loss is None or notes.unknown_loss:
        raise UnreadableError(
            f"{name} defines no network with a loss; write shapes, such as $x \\in \\mathbb{{R}}^{{D}}$, "
            "forward equations in order, and what the loss is"
        )
    letters = {declared.variable: base for (base, _), declared in reversed(notes.table.declared.items())}
    inputs = tuple(_with_role(variable, letters.get(variable.name, "")) for variable in program.inputs)
    used = program.used_by((program.loss,))
    kept = tuple(variable for variable in inputs if variable.name in used)
    equations = tuple(map(_readable, program.needed_for((program.loss,))))
    return check(replace(program, inputs=kept, name=Path(name).stem, equations=equations))


def _readable(equation: Equation) -> Equation:
    """The equation with letters for the indices that products of arrays brought in."""
    made_up = {i: "k" for i in bound_indices(equation.right) if i.name.startswith("_")}
    if not made_up:
        return equation
    _, right = close(equation.right, (), equation.indices, made_up)
    return replace(equation, right=right)


def _with_role(variable: Variable, letter: str) -> Variable:
    plain = letter.rpartition(":")[2]
    role = Role.PARAMETER if plain in _WEIGHTS else Role.TARGET if plain in _TARGETS else Role.INPUT
    return replace(variable, role=role)
