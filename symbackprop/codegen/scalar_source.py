"""The backend for tiny networks: a kernel at given sizes, unrolled into statements about single numbers.

    ((x_0, x_1),) = x.tolist()
    ...
    z1_0 = t1_0 + b1_0
    a1_0 = 1/(1 + exp(-z1_0))

A call of NumPy takes a fraction of a microsecond however small the array; an operation on two of Python's numbers a
tenth of that. Python raises an error where NumPy gives infinity or NaN: then the array kernel answers.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.codegen.identifiers import Identifiers
from symbackprop.codegen.kernels import Kernel, Operand, Statement, Value
from symbackprop.codegen.operations import OPERATIONS, SCALAR_NAMESPACE

__all__ = ["scalar_source"]

Names = npt.NDArray[Any]
"""An array's entries as code."""
Sizes = Mapping[sympy.Symbol, int]
Text = tuple[str, list[str]]
"""A template, and the entries that it is about."""

_ONE = "1.0"
_DEEPEST = 20
"""How deep expressions are nested; Python refuses brackets some hundred deep."""
_INTERNAL = ("bind", "run", "dtype", "arrays", "scalar", "empty", "array", "Struct", "memory", "entries", "pack")


def scalar_source(kernel: Kernel, sizes: Sizes, most: int, reuse_buffers: bool = False) -> str | None:
    """Source that defines ``bind(dtype, arrays)``, which returns the kernel's function for ``sizes``.

    ``arrays`` is the same function on whole arrays, which is called where a number leaves the range of Python's.
    None where there would be more than ``most`` statements, or an operation is not one on single numbers.
    """
    writer = _Unrolling(kernel, sizes, most, reuse_buffers)
    try:
        return writer.source()
    except _TooLongError:
        return None


class _TooLongError(Exception):
    """There are too many statements for this to pay, or one that Python's numbers have no word for."""


@dataclass(frozen=True)
class _Assignment:
    """``target = template`` with the operands put in."""

    target: str
    template: str
    operands: tuple[str, ...]


class _Unrolling:
    def __init__(self, kernel: Kernel, sizes: Sizes, most: int, reuse: bool) -> None:
        self.kernel = kernel
        self.sizes = dict(sizes)
        self.most = most
        self.reuse = reuse
        self.identifiers = Identifiers((*SCALAR_NAMESPACE, *_INTERNAL))
        self.entries: dict[int, Names] = {}
        self.lines: list[str | _Assignment] = []
        self.temporary: set[str] = set()

    def source(self) -> str:
        kernel = self.kernel
        arguments, unpacking = [], []
        for variable, value in kernel.inputs:
            name = self.identifiers.take(variable.name)
            arguments.append(name)
            if math.prod(self.shape(value)) > self.most:
                raise _TooLongError
            self.entries[value.number] = self.names(variable.name, self.shape(value))
            unpacking.append(f"{_pattern(self.entries[value.number])} = {name}.tolist()")
        for block in kernel.blocks:
            self.lines.append(f"# {block.formula}")
            for statement in block.statements:
                self.statement(statement)
                if len(self.lines) > self.most:
                    raise _TooLongError
        before, ending, returned, used = self.returned()
        called = ", ".join(arguments)
        result = f"return {', '.join(returned)}{',' if len(returned) == 1 else ''}"
        body = (*unpacking, *self.folded(used), *ending, result)
        lines = ["def bind(dtype, arrays):", "    scalar = dtype.type", *(f"    {line}" for line in before), ""]
        lines += [f"    def run({called}):", "        try:", *(f"            {line}" for line in body)]
        lines += ["        except (ArithmeticError, ValueError):", f"            return arrays({called})", ""]
        lines += ["    return run", ""]
        return "\n".join(lines)

    def folded(self, used: Iterable[str]) -> list[str]:
        """The lines, with every intermediate that is used once written where it is used."""
        count: Counter[str] = Counter()
        for line in self.lines:
            if isinstance(line, _Assignment):
                for place, operand in enumerate(line.operands):
                    count[operand] += line.template.count(f"{{{place}}}")
        kept = frozenset(used)
        inside: dict[str, str] = {}
        depth: Counter[str] = Counter()
        result = []
        for line in self.lines:
            if isinstance(line, str):
                result.append(line)
                continue
            text = line.template.format(*(inside.get(operand, operand) for operand in line.operands))
            deep = 1 + max((depth[operand] for operand in line.operands), default=0)
            once = line.target in self.temporary and line.target not in kept and count[line.target] == 1
            if once and deep < _DEEPEST:
                inside[line.target], depth[line.target] = f"({text})", deep
            else:
                result.append(f"{line.target} = {text}")
        return result

    def returned(self) -> tuple[list[str], list[str], list[str], list[str]]:
        """The lines that make the results' memory once, those that fill it, what is returned, and the entries used."""
        before: list[str] = []
        ending: list[str] = []
        returned: list[str] = []
        used: list[str] = []
        arrays = [
            (name, operand) for name, operand in self.kernel.outputs if isinstance(operand, Value) and operand.shape
        ]
        entries = {name: [str(entry) for entry in self.entries[operand.number].flat] for name, operand in arrays}
        for name, operand in self.kernel.outputs:
            if not operand.shape:
                used.append(self.entry(operand))
                first = name == self.kernel.outputs[0][0]
                returned.append(f"scalar({used[-1]})" if first else f"array({used[-1]}, dtype)")
                continue
            array = self.identifiers.take(name)
            returned.append(array)
            used += entries[name]
            if self.reuse:
                start = sum(len(entries[other]) for other in list(entries)[: list(entries).index(name)])
                before.append(f"{array} = memory[{start}:{start + len(entries[name])}].reshape({self.shape(operand)})")
            else:
                before.append(f'pack_{array} = Struct(f"{len(entries[name])}{{dtype.char}}").pack_into')
                ending.append(f"{array} = empty({self.shape(operand)}, dtype)")
                ending.append(f"pack_{array}({array}, 0, {', '.join(entries[name])})")
        if self.reuse and arrays:
            # One call fills all of them.
            total = sum(map(len, entries.values()))
            every = ", ".join(entry for values in entries.values() for entry in values)
            before.insert(0, f"memory = empty({total}, dtype)")
            before.append('entries = memoryview(memory).cast("B")')
            before.append(f'pack = Struct(f"{total}{{dtype.char}}").pack_into')
            ending.append(f"pack(entries, 0, {every})")
        return before, ending, returned, used

    # -- entries -------------------------------------------------------------------------------------------------

    def shape(self, operand: Operand) -> tuple[int, ...]:
        return tuple(int(sympy.sympify(extent).xreplace(self.sizes)) for extent in operand.shape)

    def names(self, name: str, shape: tuple[int, ...]) -> Names:
        """Identifiers for the entries of an array."""
        entries = np.empty(shape, dtype=object)
        for position in np.ndindex(shape):
            entries[position] = self.identifiers.take("_".join([name, *map(str, position)]))
        return entries

    def entry(self, operand: Operand) -> str:
        return str(self.array(operand)[()])

    def array(self, operand: Operand) -> Names:
        """The operand's entries as code: names, or the digits of a constant."""
        if isinstance(operand, Value):
            return self.entries[operand.number]
        number = sympy.sympify(operand.value.xreplace(self.sizes))
        text = repr(int(number)) if number.is_Integer else repr(float(number))
        # In brackets, since a sign may stand before it.
        return np.array(f"({text})" if text.startswith("-") else text, dtype=object)

    def statement(self, statement: Statement) -> None:
        shape = self.shape(statement.result)
        operands = [self.array(operand) for operand in statement.operands]
        if math.prod(shape) > self.most:
            raise _TooLongError
        number = statement.result.number
        view = _VIEWS.get(statement.operation)
        if view is not None:
            self.entries[number] = view(statement, shape, operands)
            return
        name = self.kernel.names.get(number)
        names = self.names(name or f"t{number}", shape)
        if name is None:
            self.temporary.update(names.flat)
        self.entries[number] = names
        for position, (template, inside) in zip(np.ndindex(shape), self.texts(statement, shape, operands), strict=True):
            if template in ("{0}", _ONE):
                names[position] = inside[0] if inside else _ONE
            else:
                self.lines.append(_Assignment(str(names[position]), template, tuple(inside)))

    def texts(self, statement: Statement, shape: tuple[int, ...], operands: list[Names]) -> Iterator[Text]:
        """The right side of each entry, in order."""
        special = _ENTRIES.get(statement.operation)
        if special is not None:
            yield from special(statement, shape, operands)
            return
        row = OPERATIONS.get(statement.operation)
        if row is None:
            raise _TooLongError
        whole = [np.broadcast_to(operand, shape) for operand in operands]
        for position in np.ndindex(shape):
            entries = [str(operand[position]) for operand in whole]
            if statement.operation == "multiply":
                yield _product(entries)
            else:
                yield row.scalar, entries


def _pattern(entries: Names) -> str:
    """The target that takes a nested list apart."""
    if entries.ndim == 0:
        return str(entries[()])
    inside = ", ".join(_pattern(np.asarray(part, dtype=object)) for part in entries)
    return f"({inside},)"


def _product(factors: Sequence[str]) -> Text:
    kept = [factor for factor in factors if factor not in ("1", _ONE)]
    return "*".join(f"{{{place}}}" for place in range(len(kept))) or _ONE, kept


def _sum_of_products(pairs: Iterable[tuple[str, str]]) -> Text:
    template = ""
    entries: list[str] = []
    for pair in pairs:
        product, kept = _product(pair)
        shifted = product.format(*(f"{{{len(entries) + place}}}" for place in range(len(kept))))
        template = f"{template} + {shifted}" if template else shifted
        entries += kept
    return template, entries


def _dot(statement: Statement, shape: tuple[int, ...], operands: list[Names]) -> Iterator[Text]:
    left, right = operands
    rows = left.reshape(-1, left.shape[-1])
    columns = right.reshape(right.shape[0], -1)
    for row, column in itertools.product(rows, columns.T):
        yield _sum_of_products(zip(row, column, strict=True))


def _matmul(statement: Statement, shape: tuple[int, ...], operands: list[Names]) -> Iterator[Text]:
    left, right = operands
    for position in np.ndindex(shape):
        (*stack, row, column) = position
        yield _sum_of_products(zip(left[(*stack, row)], right[(*stack, slice(None), column)], strict=True))


def _along(statement: Statement, shape: tuple[int, ...], operands: list[Names]) -> Iterator[list[str]]:
    """The entries that each entry of a reduction is made of."""
    (operand,) = operands
    gone = tuple(int(axis) for axis in statement.detail) or tuple(range(operand.ndim))  # type: ignore[arg-type]
    kept = tuple(axis for axis in range(operand.ndim) if axis not in gone)
    for group in operand.transpose(kept + gone).reshape(math.prod(shape), -1):
        yield list(group)


def _sum(statement: Statement, shape: tuple[int, ...], operands: list[Names]) -> Iterator[Text]:
    for group in _along(statement, shape, operands):
        yield " + ".join(f"{{{place}}}" for place in range(len(group))), group


def _largest(statement: Statement, shape: tuple[int, ...], operands: list[Names]) -> Iterator[Text]:
    for group in _along(statement, shape, operands):
        places = ", ".join(f"{{{place}}}" for place in range(len(group)))
        yield f"max({places})" if len(group) > 1 else "{0}", group


def _where(statement: Statement, shape: tuple[int, ...], operands: list[Names]) -> Iterator[Text]:
    condition, value, other = (np.broadcast_to(operand, shape) for operand in operands)
    for position in np.ndindex(shape):
        yield "{1} if {0} else {2}", [str(part[position]) for part in (condition, value, other)]


def _copy(statement: Statement, shape: tuple[int, ...], operands: list[Names]) -> Iterator[Text]:
    return (("float({0})", [str(entry)]) for entry in np.broadcast_to(operands[0], shape).flat)


Entries = Callable[[Statement, tuple[int, ...], list[Names]], Iterator[Text]]

_ENTRIES: dict[str, Entries] = {
    "dot": _dot,
    "inner": _dot,
    "matmul": _matmul,
    "sum": _sum,
    "largest": _largest,
    "where": _where,
    "as_real": _copy,
    "copy": _copy,
}

_VIEWS: dict[str, Callable[[Statement, tuple[int, ...], list[Names]], Names]] = {
    "transpose": lambda statement, shape, operands: operands[0].transpose(statement.detail),  # type: ignore[arg-type]
    "reshape": lambda statement, shape, operands: operands[0].reshape(shape),
    "expand": lambda statement, shape, operands: operands[0].reshape(shape),
    "flat": lambda statement, shape, operands: operands[0].ravel(),
    "broadcast": lambda statement, shape, operands: np.broadcast_to(operands[0], shape),
    "ones": lambda statement, shape, operands: np.full(shape, _ONE, dtype=object),
    "position": lambda statement, shape, operands: np.array([*map(str, range(*shape))], dtype=object),
}
