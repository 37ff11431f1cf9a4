"""The tables [data] and [parameters] of a network file, as arrays that fit its program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from symbackprop.errors import SymbackpropError, UnreadableError, UsageError, nearest
from symbackprop.notation.program import Program, Role, Variable
from symbackprop.notation.sizes import bind_sizes
from symbackprop.specification.points import read_columns, read_npz
from symbackprop.specification.values import check_arrays

__all__ = ["ArrayReader", "at"]

Array = npt.NDArray[Any]
Table = Mapping[str, Any]
Sourced = dict[str, tuple[Any, str]]
"""Values by the name of their variable, each with the place it was read from."""
_COLUMN_KEYS = ("inputs", "targets")
_FILE_KEYS = ("file", *_COLUMN_KEYS)


@contextmanager
def at(where: str) -> Iterator[None]:
    """Say in every error of the block that it happened at ``where``."""
    try:
        yield
    except SymbackpropError as error:
        raise type(error)(f"{where}: {error}") from error


@dataclass(frozen=True)
class ArrayReader:
    """Reads the arrays of ``file`` for ``program``; ``sizes`` are the numbers the file gives for symbolic sizes."""

    program: Program
    file: Path
    sizes: Mapping[str, int]
    one_hot: bool

    def parameters(self, table: Table) -> dict[str, Array]:
        """The arrays of [parameters]."""
        known = [variable.name for variable in self.program.parameters]
        return self._checked(self._inline(table, "parameters", known), {})

    def data(self, table: Table, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """The arrays of [data], inline or from the file it names."""
        variables = [variable for variable in self.program.inputs if variable.role is not Role.PARAMETER]
        known = [variable.name for variable in variables]
        where = f"{self.file}: [data]"
        inline = self._inline({k: v for k, v in table.items() if k not in _FILE_KEYS}, "data", [*known, *_FILE_KEYS])
        with at(where):
            read = self._from_file(table, known, self._numbers(parameters))
        for name in read:
            if name in inline:
                raise UsageError(f"{where}: {name} is given here and in {table['file']}; leave one of them out")
        # Labels come last: the number of classes may follow from what came before.
        given = {**inline, **read}
        ordered = {v.name: given[v.name] for role in Role for v in variables if v.role is role and v.name in given}
        return self._checked(ordered, parameters)

    def _numbers(self, parameters: Mapping[str, Array]) -> dict[str, int]:
        shapes = {name: array.shape for name, array in parameters.items()}
        return {symbol.name: number for symbol, number in bind_sizes(self.program, shapes, self.sizes).items()}

    def _checked(self, given: Sourced, earlier: Mapping[str, Array]) -> dict[str, Array]:
        """``given`` as arrays that fit each other and ``earlier`` ones; an error names the array that does not."""
        arrays = dict(earlier)
        for name, (value, where) in given.items():
            with at(where):
                arrays = check_arrays(self.program, {**arrays, name: value}, self.one_hot, self.sizes)
        return {name: arrays[name] for name in given}

    def _inline(self, table: Table, name: str, known: Iterable[str]) -> Sourced:
        where = f"{self.file}: [{name}]"
        for key, value in table.items():
            if key not in known:
                raise UsageError(f"{where}: unknown key {key!r}; {nearest(key, known)}")
            if isinstance(value, str | dict):
                raise UsageError(f"{where}: {key} is {value!r}; give numbers in brackets")
        return {key: (value, where) for key, value in table.items()}

    def _from_file(self, table: Table, known: list[str], numbers: Mapping[str, int]) -> Sourced:
        for key in _COLUMN_KEYS:
            columns = table.get(key, [""])
            if not (isinstance(columns, list) and columns and all(isinstance(name, str) for name in columns)):
                raise UsageError(f"{key} is {columns!r}; give a list of names of columns")
        name = table.get("file")
        if name is None:
            if any(key in table for key in _COLUMN_KEYS):
                raise UsageError(
                    "inputs and targets name columns of a file, but there is none; add file = 'points.csv'"
                )
            return {}
        path = self.file.parent / name if isinstance(name, str) else Path()
        if path.suffix.lower() not in (".csv", ".npz"):
            raise UsageError(f"file is {name!r}; give the name of a .csv or .npz file")
        if path.suffix.lower() == ".csv":
            return self._from_csv(path, table, numbers)
        arrays = read_npz(path)
        for array in arrays:
            if array not in known:
                raise UsageError(f"{path} holds an array {array!r}; {nearest(array, known)}")
        return {array: (value, str(path)) for array, value in arrays.items()}

    def _from_csv(self, path: Path, table: Table, numbers: Mapping[str, int]) -> Sourced:
        source, target = self._only(Role.INPUT), self._only(Role.TARGET)
        columns = read_columns(path)
        picked = {key: columns.pick(table[key], key) for key in _COLUMN_KEYS if key in table}
        everything = range(columns.values.shape[1])
        if not picked:
            picked["inputs"] = list(everything[: self._input_count(source, target, len(everything), numbers)])
        for key, other in (("inputs", "targets"), ("targets", "inputs")):
            if key not in picked:
                picked[key] = [column for column in everything if column not in picked[other]]
            if not picked[key]:
                raise UnreadableError(f"{path} has {len(everything)} columns, so none is left for {key}")
        x, y = (columns.values[:, picked[key]] for key in _COLUMN_KEYS)
        is_vector = len(target.shape) == 1 or (self.one_hot and _width(target, numbers) != 1)
        y = y[:, 0] if is_vector and y.shape[1] == 1 else y
        return {source.name: (x, str(path)), target.name: (y, str(path))}

    def _only(self, role: Role) -> Variable:
        """The one variable of ``role`` that columns of a CSV file can be."""
        found = [variable for variable in self.program.inputs if variable.role is role]
        ranks = (2,) if role is Role.INPUT else (1, 2)
        if len(found) != 1 or len(found[0].shape) not in ranks:
            raise UsageError(
                f"a CSV file holds one matrix of inputs and one of targets, but {self.program.name} has "
                f"{', '.join(map(str, found)) or 'nothing'} as {role.value}; give a .npz file"
            )
        return found[0]

    def _input_count(self, source: Variable, target: Variable, columns: int, numbers: Mapping[str, int]) -> int:
        """How many of the first columns are inputs."""
        count, rest = _width(source, numbers), _width(target, numbers)
        if count is not None:
            return count
        if rest is None or self.one_hot:
            size = source.shape[1]
            raise UsageError(
                f"how many columns are inputs is not known; give {size} in [sizes], or inputs = ['...'] here"
            )
        return max(columns - rest, 0)


def _width(variable: Variable, numbers: Mapping[str, int]) -> int | None:
    """How many columns ``variable`` has, where that is known."""
    if len(variable.shape) < 2:
        return 1
    extent = variable.shape[1]
    return int(extent) if extent.is_Integer else numbers.get(str(extent))
