"""The NumPy backend: a kernel as the source of a function that writes into memory kept from call to call.

    def bind(dtype, N):
        z1 = empty((N, 3), dtype)
        a1 = z1
        ...
        def run(W1, b1, x, y):
            # z1[n,j] = Sum(W1[j,i]*x[n,i], i) + b1[j]
            x.dot(W1.T, z1)
            add(z1, b1, z1)
            ...

What depends on shapes alone stands outside ``run``; so does the plan of which arrays share memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sympy

from symbackprop.codegen.identifiers import Identifiers
from symbackprop.codegen.kernels import Constant, Kernel, Kind, Operand, Statement, Value
from symbackprop.codegen.memory import Memory, is_buffered
from symbackprop.codegen.operations import FIXED, NAMESPACE, OPERATIONS, VIEWS
from symbackprop.functions.numpy_printer import NumpyPrinter

__all__ = ["Source", "kernel_source"]

_INTERNAL = ("np", "bind", "run", "dtype", "scalar")


@dataclass(frozen=True)
class Source:
    """Python source that defines ``bind(dtype, *sizes)``, which returns the kernel's function for these sizes.

    ``uses`` lists the names from outside that it needs. The function takes the inputs in the kernel's order.
    """

    text: str
    sizes: tuple[sympy.Symbol, ...]
    uses: frozenset[str]


def kernel_source(
    kernel: Kernel, memory: Memory, reuse_buffers: bool = False, by_columns: frozenset[int] = frozenset()
) -> Source:
    """The source of ``kernel`` with its arrays in ``memory``, of which ``by_columns`` is stored column by column.

    With ``reuse_buffers`` what it returns is overwritten by the next call.
    """
    return _Writer(kernel, memory, reuse_buffers, by_columns).source()


class SizePrinter(NumpyPrinter):
    """An expression in sizes as Python source; named constants by their digits. ``met`` are the sizes printed."""

    def __init__(self, names: dict[sympy.Symbol, str]) -> None:
        super().__init__()
        self.names = names
        self.met: set[sympy.Symbol] = set()

    def _print_Symbol(self, symbol: sympy.Symbol) -> str:
        self.met.add(symbol)
        return self.names[symbol]


class _Writer:
    def __init__(self, kernel: Kernel, memory: Memory, reuse: bool, by_columns: frozenset[int]) -> None:
        self.kernel = kernel
        self.memory = memory
        self.reuse = reuse
        self.by_columns = by_columns
        self.lasting = {s.result.number for s in kernel.statements if s.operation in FIXED}
        self.transposed = {s.result.number: s.operands[0] for s in kernel.statements if _is_transpose(s)}
        self.identifiers = Identifiers((*NAMESPACE, *_INTERNAL))
        self.sizes = kernel.sizes
        self.size_printer = SizePrinter({size: self.identifiers.take(size.name) for size in self.sizes})
        self.extents: dict[sympy.Expr, str] = {}
        self.names: dict[int, str] = {}
        self.variables: frozenset[str] = frozenset()
        self.slots: dict[int, str] = {}
        self.shared = {owner for number, owner in memory.owner.items() if number != owner}
        self.constants: dict[str, str] = {}
        self.views: dict[str, str] = {}
        # Views of what is new in every call, made when they are first used.
        self.pending: dict[int, tuple[str, str]] = {}
        self.fleeting: set[int] = set()
        self.before: list[str] = []
        self.start: list[str] = []
        self.body: list[str] = []
        self.uses: set[str] = set()

    def source(self) -> Source:
        kernel = self.kernel
        # Names of variables first, so that nothing else takes them.
        for number, wanted in kernel.names.items():
            self.names[number] = self.identifiers.take(wanted)
        self.variables = frozenset(self.names.values())
        arguments = [self.names[value.number] for _, value in kernel.inputs]
        for block in kernel.blocks:
            self.body.append(f"# {block.formula}")
            for statement in block.statements:
                self.statement(statement)
        returned = ", ".join(self.returned(name, operand) for name, operand in kernel.outputs)
        lines = [f"def bind({', '.join(['dtype', *self.size_printer.names.values()])}):"]
        lines += [f"    {line}" for line in ("scalar = dtype.type", *self.before)]
        if kernel.quiet:
            flags = ", ".join(f'{kind}="ignore"' for kind in sorted(kernel.quiet))
            lines += ["", f"    @{self.use('errstate')}({flags})"]
        else:
            lines += [""]
        lines += [f"    def run({', '.join(arguments)}):"]
        lines += [f"        {line}" for line in (*self.start, *self.body)]
        lines += [f"        return {returned}{',' if len(kernel.outputs) == 1 else ''}", "", "    return run", ""]
        return Source("\n".join(lines), self.sizes, frozenset(self.uses))

    # -- names ---------------------------------------------------------------------------------------------------

    def name(self, value: Value) -> str:
        """The name of a value; what is no variable goes by that of the memory it lies in."""
        number = value.number
        if number in self.pending:
            name, text = self.pending.pop(number)
            self.body.append(f"{name} = {text}")
        if number in self.names:
            return self.names[number]
        if number in self.memory.owner:
            return self.slot(self.memory.owner[number])
        self.names[number] = self.identifiers.count("s")
        return self.names[number]

    def slot(self, owner: int) -> str:
        """The name of a piece of memory: that of the one variable that ever lies in it, or one of its own."""
        if owner not in self.slots:
            alone = owner in self.names and owner not in self.shared
            self.slots[owner] = self.names[owner] if alone else self.identifiers.count("t")
        return self.slots[owner]

    def use(self, function: str) -> str:
        self.uses.add(function)
        return function

    def extent(self, extent: sympy.Expr) -> str:
        if extent not in self.extents:
            self.extents[extent] = str(self.size_printer.doprint(extent))
        return self.extents[extent]

    def shape(self, shape: Sequence[sympy.Expr]) -> str:
        inside = ", ".join(map(self.extent, shape))
        return f"({inside},)" if len(shape) == 1 else f"({inside})"

    def operand(self, operand: Operand) -> str:
        """The name of an operand; a constant becomes an array without axes, which NumPy is fastest with."""
        if isinstance(operand, Value):
            return self.name(operand)
        return self.constant(f"{self.use('array')}({self.extent(operand.value)}, dtype)")

    def number(self, operand: Operand, real: bool = True) -> str:
        """The same where NumPy's numbers are computed with: a constant is one of Python's."""
        if isinstance(operand, Value):
            return self.name(operand)
        text = self.extent(operand.value)
        return self.constant(text) if real and not text.isdigit() else text

    def constant(self, text: str) -> str:
        """The name of what is computed once, outside ``run``."""
        if text not in self.constants:
            self.constants[text] = self.identifiers.count("c")
            self.before.append(f"{self.constants[text]} = {text}")
        return self.constants[text]

    def filled(self, operand: Operand, like: Value) -> str:
        """An operand as an array; a constant is one too, since NumPy takes the larger of two arrays twice as fast."""
        if isinstance(operand, Value):
            return self.name(operand)
        shape, turned = (like.shape[::-1], ".T") if self.is_by_columns(like) else (like.shape, "")
        return self.constant(f"{self.use('full')}({self.shape(shape)}, {self.extent(operand.value)}, dtype){turned}")

    # -- statements ----------------------------------------------------------------------------------------------

    def statement(self, statement: Statement) -> None:
        if statement.operation in FIXED:
            self.fixed(statement)
        elif statement.operation in VIEWS:
            self.look(statement)
        else:
            if is_buffered(statement):
                self.allocate(statement.result)
            self.body.extend(list(self.written(statement)))

    def fixed(self, statement: Statement) -> None:
        name, extent = self.name(statement.result), self.extent(statement.result.shape[0])
        if statement.operation == "ones":
            self.before.append(f"{name} = {self.use('ones')}({extent}, dtype)")
        else:
            self.before.append(f"{name} = {self.use('arange')}({extent})")

    def is_lasting(self, operand: Operand) -> bool:
        """Whether an array stays where it is from call to call, so that a view of it can be kept."""
        if isinstance(operand, Constant):
            return True
        if operand.number in self.fleeting:
            return False
        root = self.memory.root.get(operand.number, operand.number)
        owner = self.memory.owner.get(root)
        if owner is None:
            return root in self.lasting
        return self.reuse or owner not in self.memory.returned

    def allocate(self, value: Value) -> None:
        owner = self.memory.owner[value.number]
        lines = self.start if owner in self.memory.returned and not self.reuse else self.before
        slot = self.slot(owner)
        if owner == value.number:
            shape, turned = (value.shape[::-1], ".T") if owner in self.by_columns else (value.shape, "")
            lines.append(f"{slot} = {self.use('empty')}({self.shape(shape)}, {_DTYPES[value.kind]}){turned}")
        if self.name(value) != slot:
            lines.append(f"{self.name(value)} = {slot}")

    def look(self, statement: Statement) -> None:
        """A view, once and for all where what it looks at stays in its place."""
        text, number, seen = self.view(statement), statement.result.number, statement.operands[0]
        # NumPy copies where it cannot see the entries one after another: in a view of a view.
        copied = (
            statement.operation in ("flat", "reshape") and isinstance(seen, Value) and seen.number in self.memory.root
        )
        if copied or not self.is_lasting(seen):
            self.pending[number] = (self.view_name(statement), text)
            self.fleeting.add(number)
        elif text in self.views and number not in self.names and self.views[text] not in self.variables:
            self.names[number] = self.views[text]
        else:
            self.views[text] = self.view_name(statement)
            self.before.append(f"{self.views[text]} = {text}")

    def view_name(self, statement: Statement) -> str:
        """The name of a view: that of what it looks at, and how."""
        number, seen = statement.result.number, statement.operands[0]
        if number not in self.names:
            suffix = _VIEW_NAMES[statement.operation]
            self.names[number] = self.identifiers.take(f"{self.operand(seen)}_{suffix}")
        return self.names[number]

    def view(self, statement: Statement) -> str:
        (seen,) = statement.operands
        operand = self.operand(seen)
        detail = statement.detail
        if statement.operation == "transpose":
            return f"{operand}.T" if detail == (1, 0) else f"{operand}.transpose({detail})"
        if statement.operation == "flat":
            return f"{self.turned(seen) if self.is_by_columns(seen) else operand}.ravel()"
        if statement.operation == "reshape":
            return f"{operand}.reshape({self.shape(statement.result.shape)})"
        if statement.operation == "expand":
            return f"{operand}[{', '.join('None' if slot is None else ':' for slot in detail)}]"
        return f"{self.use('broadcast_to')}({operand}, {self.shape(statement.result.shape)})"

    def written(self, statement: Statement) -> Iterator[str]:
        """The lines of a statement that computes something."""
        special = _WRITERS.get(statement.operation)
        result = self.name(statement.result)
        if special is not None:
            yield from special(self, statement, result)
            return
        row = OPERATIONS[statement.operation]
        positions = any(v.kind is Kind.POSITION for v in statement.values)
        if positions or not statement.result.shape:
            operands = [self.number(operand, real=not positions) for operand in statement.operands]
        elif row.keyword_only:
            operands = [self.filled(operand, statement.result) for operand in statement.operands]
        else:
            operands = [self.operand(operand) for operand in statement.operands]
        arguments = ", ".join(operands)
        if not statement.result.shape and row.infix:
            yield f"{result} = {row.scalar.format(*operands)}"
        elif not statement.result.shape:
            yield f"{result} = {self.use(row.name)}({arguments})"
        elif not row.writes:
            yield f"{self.use('copyto')}({result}, {self.use(row.name)}({arguments}))"
        else:
            yield f"{self.use(row.name)}({arguments}, {'out=' if row.keyword_only else ''}{result})"

    def dot(self, statement: Statement, result: str) -> Iterator[str]:
        left, right = statement.operands
        if self.is_by_columns(statement.result):
            # The product of the transposes, since np.dot writes rows.
            yield f"{self.turned(right)}.dot({self.turned(left)}, {self.turned(statement.result)})"
        else:
            yield f"{self.operand(left)}.dot({self.operand(right)}, {result})"

    def is_by_columns(self, operand: Operand) -> bool:
        """Whether an array lies in memory that is stored column by column."""
        return isinstance(operand, Value) and self.memory.owner.get(operand.number) in self.by_columns

    def turned(self, operand: Operand) -> str:
        """The transpose of a matrix: what it is itself the transpose of, or a view."""
        if isinstance(operand, Value) and operand.number in self.transposed:
            return self.operand(self.transposed[operand.number])
        name = self.operand(operand)
        text = f"{name}.T"
        if not self.is_lasting(operand):
            return text
        if text not in self.views:
            self.views[text] = self.identifiers.take(f"{name}_T")
            self.before.append(f"{self.views[text]} = {text}")
        return self.views[text]

    def inner(self, statement: Statement, result: str) -> Iterator[str]:
        left, right = map(self.operand, statement.operands)
        yield f"{result} = {left}.dot({right})"

    def matmul(self, statement: Statement, result: str) -> Iterator[str]:
        left, right = map(self.operand, statement.operands)
        yield f"{self.use('matmul')}({left}, {right}, {result})"

    def reduced(self, statement: Statement, result: str) -> Iterator[str]:
        ufunc = self.use({"sum": "add", "largest": "maximum"}[statement.operation])
        (operand,) = map(self.operand, statement.operands)
        if statement.result.shape:
            (*first, last) = statement.detail
            axes = f"({', '.join(map(str, statement.detail))})" if first else str(last)
            yield f"{ufunc}.reduce({operand}, {axes}, None, {result})"
        else:
            yield f"{result} = {ufunc}.reduce({operand}, None)"

    def argmax(self, statement: Statement, result: str) -> Iterator[str]:
        (operand,) = map(self.operand, statement.operands)
        (axis,) = statement.detail
        if statement.result.shape:
            yield f"{self.use('argmax')}({operand}, {axis}, {result})"
        else:
            yield f"{result} = {self.use('argmax')}({operand})"

    def einsum(self, statement: Statement, result: str) -> Iterator[str]:
        arguments = ", ".join([f'"{statement.detail[0]}"', *map(self.operand, statement.operands)])
        if statement.result.shape:
            yield f"{self.use('einsum')}({arguments}, out={result})"
        else:
            yield f"{result} = {self.use('einsum')}({arguments})"

    def gather(self, statement: Statement, result: str) -> Iterator[str]:
        array, *places = statement.operands
        positions = []
        for place, exact, extent in zip(places, statement.detail, array.shape, strict=True):
            text = self.number(place, real=False)
            # Out of range, the nearest entry will do: an indicator beside it annihilates the term.
            positions.append(text if exact else f"{self.use('clip')}({text}, 0, {self.extent(extent - 1)})")
        yield f"{result} = {self.operand(array)}[{', '.join(positions)}]"

    def where(self, statement: Statement, result: str) -> Iterator[str]:
        condition, value, other = map(self.operand, statement.operands)
        if statement.result.shape:
            copyto = self.use("copyto")
            yield f"{copyto}({result}, {other})"
            yield f"{copyto}({result}, {value}, where={condition})"
        else:
            yield f"{result} = {value} if {condition} else {other}"

    def copied(self, statement: Statement, result: str) -> Iterator[str]:
        (operand,) = map(self.operand, statement.operands)
        if statement.result.shape:
            yield f"{self.use('copyto')}({result}, {operand})"
        else:
            yield f"{result} = scalar({operand})"

    def returned(self, name: str, operand: Operand) -> str:
        text = self.operand(operand)
        if operand.shape:
            return text
        # The first output is a number; gradients are arrays, also those of numbers.
        return f"scalar({text})" if name == self.kernel.outputs[0][0] else f"{self.use('array')}({text}, dtype)"


def _is_transpose(statement: Statement) -> bool:
    return statement.operation == "transpose" and statement.detail == (1, 0)


_VIEW_NAMES = {"transpose": "T", "flat": "flat", "expand": "spread", "reshape": "merged", "broadcast": "whole"}
_DTYPES = {Kind.REAL: "dtype", Kind.TRUTH: "bool", Kind.POSITION: "int"}

_WRITERS: dict[str, Callable[[_Writer, Statement, str], Iterator[str]]] = {
    "dot": _Writer.dot,
    "inner": _Writer.inner,
    "matmul": _Writer.matmul,
    "sum": _Writer.reduced,
    "largest": _Writer.reduced,
    "argmax": _Writer.argmax,
    "einsum": _Writer.einsum,
    "gather": _Writer.gather,
    "where": _Writer.where,
    "as_real": _Writer.copied,
    "copy": _Writer.copied,
}
