"""The way into a kernel: whether arrays are like those of the call before, as fast as Python can tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symbackprop.codegen.execution import executed
from symbackprop.codegen.identifiers import Identifiers
from symbackprop.codegen.kernels import Kernel
from symbackprop.notation.program import Program, Role, Variable

__all__ = ["Entry", "Maker", "entry_maker"]

Entry = tuple[Callable[..., Any], Callable[..., Any]]
"""``call(parameters, x, y, **more)``, and ``finish(*arrays)`` for arrays that are known to fit."""
Maker = Callable[..., Entry]
"""Makes an entry from a kernel's function, what is called for other arrays, a floating type, looks and shapes."""

_NAMESPACE = {
    "anything": lambda array: True,
    "inf": math.inf,
    "integer": np.dtype(np.int64),
    "isfinite": np.isfinite,
    "ndarray": np.ndarray,
    "vdot": np.vdot,
}
_INTERNAL = (
    "bind",
    "run",
    "again",
    "dtype",
    "looks",
    "parameters",
    "more",
    "known",
    "x",
    "y",
    "call",
    "finish",
    *_NAMESPACE,
)
_TEMPLATE = """\
def bind(run, again, dtype, looks, {shapes}):
    {seen}
    {looks}

    def call(parameters, /, x=None, y=None, **more):
        {nonlocal_seen}
        try:
            {taken}
            known = {known}
        except (AttributeError, LookupError, TypeError):
            known = False
        if known:
            {results}, = run({arrays})
            if {finite}:
                return {returned}
        # Something is new, or something that came in may not be a finite number.
        return again(parameters, x, y, more)

    def finish({arrays}):
        {results}, = run({arrays})
        return {returned}

    return call, finish
"""


def entry_maker(kernel: Kernel, program: Program, gradients: Sequence[str] | None) -> Maker:
    """What makes entries of ``kernel``: they return its first output and, as a dict, the others named ``gradients``.

    With None for ``gradients`` they return the first output alone.
    """
    identifiers = Identifiers(_INTERNAL)
    variables = [variable for variable, _ in kernel.inputs]
    names = [v.name if _is_argument(v) else identifiers.take(v.name) for v in variables]
    shapes = [identifiers.take(f"{name}_shape") for name in names]
    results = [identifiers.take(name) for name, _ in kernel.outputs]
    conditions = [f"len(parameters) == {len(program.parameters)}"]
    rest = sum(v.role is not Role.PARAMETER and not _is_argument(v) for v in variables)
    conditions.append(f"len(more) == {rest}" if rest else "not more")
    arguments = {variable.name for variable in program.inputs if _is_argument(variable)}
    conditions += [f"{name} is None" for name in ("x", "y") if name not in arguments]
    # What was looked at in the call before is not looked at again. It is kept: once it is gone, another could be taken
    # for it.
    seen = [identifiers.take(f"seen_{name}") for name in names]
    looked: list[str] = []
    for name, shape, variable, before in zip(names, shapes, variables, seen, strict=True):
        kind = "integer" if variable.integer else "dtype"
        fits = f"type({name}) is ndarray and {name}.dtype is {kind} and {name}.shape == {shape}"
        if variable.role is not Role.PARAMETER:
            look = identifiers.take(f"look_at_{name}")
            looked.append(f"{look} = looks.get({variable.name!r}, anything)")
            fits += f" and {look}({name})"
        conditions.append(f"({name} is {before} or {fits} and ({before} := {name}) is {name})")
        if gradients is not None and variable.role is Role.INPUT and not variable.integer:
            # A saturated activation hides from the loss that data are infinite, but not from the gradients; and data
            # may change in their place.
            conditions.append(f"vdot({name}, {name}) < inf")
    first = kernel.outputs[0][1]
    listed = ", ".join(f"{name!r}: {result}" for name, result in zip(gradients or (), results[1:], strict=True))
    text = _TEMPLATE.format(
        shapes=", ".join(shapes),
        seen=" = ".join([*seen, "again"]) if seen else "",
        looks="\n    ".join(looked),
        nonlocal_seen=f"nonlocal {', '.join(seen)}" if seen else "",
        taken="\n            ".join(filter(None, map(_taken, names, variables))) or "pass",
        known=" and ".join(conditions),
        results=", ".join(results),
        arrays=", ".join(names),
        finite=f"isfinite({results[0]}).all()" if first.shape else f"-inf < {results[0]} < inf",
        returned=results[0] if gradients is None else f"{results[0]}, {{{listed}}}",
    )
    maker: Maker = executed(text, _NAMESPACE)["bind"]
    return maker


def _is_argument(variable: Variable) -> bool:
    """Whether it is one of the two that are passed by position."""
    return variable.role is not Role.PARAMETER and variable.name in ("x", "y")


def _taken(name: str, variable: Variable) -> str | None:
    if _is_argument(variable):
        return None
    return f"{name} = {'parameters' if variable.role is Role.PARAMETER else 'more'}[{variable.name!r}]"
