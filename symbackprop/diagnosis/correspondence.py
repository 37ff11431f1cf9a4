"""Between somebody's arrays and the program's: names, weight layout, examples as columns, shapes of biases."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.errors import UsageError, nearest
from symbackprop.notation.program import Program, Role, Variable

__all__ = ["Correspondence", "call", "correspondence"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

_USUAL = ("{}", "d{}", "d_{}", "grad_{}", "{}_grad", "g{}", "D{}", "nabla_{}", "{}_bar", "dL_d{}", "dL/d{}", "d{}_")
"""How gradients are called whose names are not told."""
_EXAMPLES = ("rows", "columns")


@dataclass(frozen=True)
class Correspondence:
    """How somebody's arrays belong to the variables of ``program``.

    ``names`` maps the program's names to theirs, where they differ. ``transposed`` holds the parameters that they keep
    the other way round, ``columns`` says that their examples are columns.
    """

    program: Program
    names: Mapping[str, str]
    transposed: frozenset[str]
    columns: bool

    # -- in: what they gave -> the program's arrays ----------------------------------------------------------------

    def parameters(self, theirs: Mapping[str, Any]) -> dict[str, Any]:
        """The program's parameters from theirs; those that fit only the other way round are turned."""
        if not isinstance(theirs, Mapping):
            what = type(theirs).__name__
            raise UsageError(f"parameters is of type {what}; give a dict of arrays by name, such as {{'W1': ...}}")
        back = {self.names.get(v.name, v.name): v for v in self.program.parameters}
        found = {}
        for name, value in theirs.items():
            if name not in back:
                raise UsageError(f"{self.program.name} has no parameter {name!r}; {nearest(str(name), back)}")
            found[back[name].name] = self._in(back[name], value)
        return found

    def data(self, theirs: Mapping[str, Any]) -> dict[str, Any]:
        """The program's inputs and targets from theirs."""
        found = {}
        for name, value in theirs.items():
            array = np.asarray(value)
            found[name] = array.T if self.columns and array.ndim == 2 else value
        return found

    def _in(self, variable: Variable, value: Any) -> Any:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            return value
        if variable.name in self.transposed and array.ndim == 2:
            return array.T
        return _flat(array, len(variable.shape))

    # -- out: the program's arrays -> what they are called with ----------------------------------------------------

    def given(self, arrays: Arrays) -> tuple[dict[str, Array], dict[str, Array]]:
        """Parameters and data as they expect them, from the program's arrays. Copies: they may change them."""
        parameters, data = {}, {}
        for variable in self.program.inputs:
            array = arrays[variable.name].copy()
            if variable.role is Role.PARAMETER:
                turned = array.T.copy() if variable.name in self.transposed else array
                if self.columns and turned.ndim == 1:
                    turned = turned.reshape(-1, 1)
                parameters[self.names.get(variable.name, variable.name)] = turned
            else:
                data[variable.name] = array.T.copy() if self.columns and array.ndim == 2 else array
        return parameters, data

    # -- their gradients -------------------------------------------------------------------------------------------

    def gradients(self, found: Any, wanted: Sequence[str], arrays: Arrays) -> dict[str, Array]:
        """Their gradient of each of ``wanted`` as an array laid out as the program's, where its shape allows."""
        by_name = self._by_name(found)
        result = {}
        for name in wanted:
            array = _numbers(name, self._of(name, by_name))
            if name in self.transposed and array.ndim == 2:
                array = array.T
            shape = arrays[name].shape
            flat = _flat(array, len(shape))
            result[name] = flat if flat.shape == shape else array
        return result

    def _by_name(self, found: Any) -> Mapping[str, Any]:
        names = [variable.name for variable in self.program.parameters]
        if isinstance(found, tuple) and len(found) == 2:
            by_kind = self._of_lists(*found)
            if by_kind:
                return by_kind
            if isinstance(found[1], Mapping) or (len(names) != 2 and isinstance(found[1], list | tuple)):
                found = found[1]
        if isinstance(found, Mapping):
            return found
        if isinstance(found, list | tuple) and len(found) == len(names):
            return {self.names.get(name, name): value for name, value in zip(names, found, strict=True)}
        what = f"{len(found)} values" if isinstance(found, list | tuple) else type(found).__name__
        raise UsageError(
            f"the backward pass returned {what}; return the gradients by name, such as {{'W1': ..., 'b1': ...}}, "
            f"one for each of {', '.join(names)} in this order, or the loss and the gradients"
        )

    def _of_lists(self, one: Any, other: Any) -> dict[str, Any]:
        """The gradients where they came as a list for the biases and one for the weights, in either order.

        That is how ``backprop`` of Nielsen's "Neural Networks and Deep Learning" (2015) returns them.
        """
        if not (isinstance(one, list | tuple) and isinstance(other, list | tuple)):
            return {}
        weights = [v.name for v in self.program.parameters if len(v.shape) == 2]
        biases = [v.name for v in self.program.parameters if len(v.shape) == 1]
        for these, those in ((one, other), (other, one)):
            if (len(these), len(those)) == (len(biases), len(weights)) and all(map(_is_narrow, these)):
                pairs = (*zip(biases, these, strict=True), *zip(weights, those, strict=True))
                return {self.names.get(name, name): value for name, value in pairs}
        return {}

    def _of(self, name: str, found: Mapping[str, Any]) -> Any:
        own = self.names.get(name, name)
        for pattern in _USUAL:
            if pattern.format(own) in found:
                return found[pattern.format(own)]
        folded = {str(key).casefold(): value for key, value in found.items()}
        for pattern in _USUAL:
            if pattern.format(own).casefold() in folded:
                return folded[pattern.format(own).casefold()]
        listed = ", ".join(map(repr, found)) or "nothing"
        raise UsageError(
            f"there is no gradient of {name} among {listed}; "
            f"say what it is called: names={{{name!r}: ...}}, or --name {name}=..."
        )


def correspondence(
    program: Program,
    parameters: Mapping[str, Any] | None,
    names: Mapping[str, str] | None,
    layout: str | None,
    own_layout: str,
    examples: str,
) -> Correspondence:
    """The correspondence that was told and, of what was not told, the only one that fits the shapes.

    ``layout`` is theirs, "out_in" or "in_out"; ``own_layout`` is the program's. ``examples`` is "rows" or "columns".
    """
    if examples not in _EXAMPLES:
        raise UsageError(f"unknown examples {examples!r}; {nearest(str(examples), _EXAMPLES)}")
    if layout is not None and layout not in ("out_in", "in_out"):
        raise UsageError(f"unknown layout {layout!r}; {nearest(str(layout), ('out_in', 'in_out'))}")
    known = {variable.name for variable in program.inputs}
    for name in names or {}:
        if name not in known:
            raise UsageError(f"names maps {name!r}, which {program.name} does not have; {nearest(name, known)}")
    matrices = [v for v in program.parameters if len(v.shape) == 2]
    if layout is not None:
        turned = {v.name for v in matrices} if layout != own_layout else set[str]()
    else:
        turned = _only_turned(matrices, parameters or {}, names or {})
    return Correspondence(program, dict(names or {}), frozenset(turned), examples == "columns")


def call(theirs: Callable[..., Any], parameters: Mapping[str, Array], data: Mapping[str, Array]) -> Any:
    """``theirs(parameters, x, y)``; other inputs of the program come by name."""
    rest = dict(data)
    placed = [rest.pop("x", None), rest.pop("y", None)]
    try:
        inspect.signature(theirs).bind(parameters, *placed, **rest)
    except TypeError as error:
        more = f", {', '.join(rest)} by name" if rest else ""
        raise UsageError(f"the backward pass cannot be called as f(parameters, x, y{more}): {error}") from error
    except ValueError:
        pass
    return theirs(parameters, *placed, **rest)


def _only_turned(matrices: Sequence[Variable], given: Mapping[str, Any], names: Mapping[str, str]) -> set[str]:
    """All matrices where some fit in no other way than transposed, and none contradicts it."""
    votes = set()
    for variable in matrices:
        value = given.get(names.get(variable.name, variable.name))
        shape = np.shape(value) if value is not None else ()
        sizes = tuple(int(extent) if extent.is_Integer else None for extent in variable.shape)
        if len(shape) != 2 or None in sizes or sizes[0] == sizes[1]:
            continue
        votes.add("as is" if shape == sizes else "turned" if shape == sizes[::-1] else "neither")
    return {variable.name for variable in matrices} if votes == {"turned"} else set()


def _flat(array: Array, rank: int) -> Array:
    """``array`` without the axes of size 1 that a vector or a number is often given."""
    if array.ndim > rank and rank <= 1 and sum(extent != 1 for extent in array.shape) <= rank:
        return array.reshape(-1) if rank else array.reshape(())
    return array


def _is_narrow(value: Any) -> bool:
    """Whether ``value`` is a vector, or a matrix that stands for one."""
    return bool(sum(extent > 1 for extent in np.shape(value)) <= 1)


def _numbers(name: str, value: Any) -> Array:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        # PyTorch raises the last for a tensor that still records gradients.
        raise UsageError(f"the gradient of {name} is no array of numbers: {error}") from error
    if array.dtype.kind not in "biuf":
        raise UsageError(f"the gradient of {name} is an array of {array.dtype}; give real numbers")
    return array
