"""What several claims say together: lines that are wrong through an earlier one, a loss that is scaled otherwise."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from symbackprop.claims.judge import Item, Judge
from symbackprop.claims.result import Claim
from symbackprop.notation.canonical import unfold
from symbackprop.notation.expressions import base_name, is_occurrence
from symbackprop.notation.indices import is_index
from symbackprop.notation.program import Equation, Program, occurrences

__all__ = ["WrongLine", "loss_scale", "through_wrong_lines", "wrong_line"]

_STEPS = 12


@dataclass(frozen=True)
class WrongLine:
    """A wrong claim about a derivative: what the array would be if the claim were right."""

    line: int
    equation: Equation


def wrong_line(line: int, items: Sequence[Item], program: Program) -> tuple[WrongLine, ...]:
    """What a wrong claim makes of the derivative on its left side, for every layer."""
    found = []
    for item in items:
        if not is_occurrence(item.derived):
            continue
        variable = program.variables.get(base_name(item.derived))
        positions = tuple(item.derived.indices) if isinstance(item.derived, sympy.Indexed) else ()
        if variable is None or variable.name in {v.name for v in program.inputs} or not all(map(is_index, positions)):
            continue
        if len(set(positions)) == len(positions) and {i for i, _ in item.free} <= set(positions):
            found.append(WrongLine(line, Equation(replace(variable, indices=positions), item.claimed)))
    return tuple(found)


def through_wrong_lines(judge: Judge, items: Sequence[Item], wrong: Sequence[WrongLine]) -> tuple[int, ...]:
    """The lines of earlier wrong claims, if with their values in place of the true ones this claim is right."""
    program = judge.derived.program()
    lines = sorted({entry.line for entry in wrong})
    for line in lines:
        here = [entry for entry in wrong if entry.line == line]
        changed = [_with(program, item, here) for item in items]
        if all(changed) and judge.holds_here([item for item in changed if item is not None]):
            return (line,)
    return ()


def _with(program: Program, item: Item, wrong: Sequence[WrongLine]) -> Item | None:
    """The claim with wrong values in what is derived; None where they do not stand in it."""
    names = {entry.equation.name for entry in wrong}
    expression = item.derived
    if is_occurrence(expression) and base_name(expression) in names:
        return None
    for _ in range(_STEPS):
        used = {base_name(o) for o in occurrences(expression)}
        if used & names:
            break
        # Only what the wrong value goes into is written out.
        through = [n for n in used if n in program.definitions and program.used_by((n,)) & names]
        if not through:
            return None
        for name in through:
            expression = unfold(expression, program.definitions[name])
    else:
        return None
    for entry in wrong:
        expression = unfold(expression, entry.equation)
    return replace(item, derived=expression)


def loss_scale(
    constants: Mapping[int, str],
    claims: Mapping[int, Claim],
    absolute: Collection[int],
    batch: str,
    alone: bool,
) -> str:
    """The constant by which every claim that shows the scale of the loss is off: the batch size, or one over it.

    ``constants`` holds what the right side of a claim lacks, by its number; ``absolute`` the numbers of the claims that
    show the scale. Empty where one of them is right, where they do not agree, and where there is only one, unless it
    stands ``alone``, without notes that say what the loss is.
    """
    if not absolute or (len(absolute) < 2 and not alone):
        return ""
    if any(number in claims and claims[number].outcome.holds for number in absolute):
        return ""
    found = {constants.get(number, "") for number in absolute}
    return found.pop() if len(found) == 1 and found <= {batch, f"\\frac{{1}}{{{batch}}}"} else ""
