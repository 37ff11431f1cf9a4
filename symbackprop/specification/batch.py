"""Which axis of each array counts examples."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.errors import UsageError
from symbackprop.notation.indices import is_size
from symbackprop.notation.program import Program, Role

__all__ = ["batch_axes"]


def batch_axes(program: Program) -> Mapping[str, int]:
    """The axis that counts examples, for each declared array that has one.

    Raises UsageError where the program does not say which size that is, or an array cannot be divided along it.
    """
    batch = program.batch
    unknown = UsageError(f"{program.name} does not say which size counts examples; give the program batch='N'")
    if batch is None or not is_size(batch):
        raise unknown
    axes: dict[str, int] = {}
    for variable in program.inputs:
        places = [axis for axis, extent in enumerate(variable.shape) if batch in extent.free_symbols]
        if not places:
            continue
        if variable.role is Role.PARAMETER or len(places) > 1 or variable.shape[places[0]] != batch:
            raise UsageError(
                f"{variable} of {program.name} cannot be divided into examples along {batch}; name another batch"
            )
        axes[variable.name] = places[0]
    if not axes:
        raise unknown
    return axes
