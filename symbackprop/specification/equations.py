"""Named equations, as text or as SymPy objects, to a checked program.

    parse_program(
        inputs={"x": ("N", "D")}, targets={"y": ("N", "K")}, parameters={"W": ("K", "D"), "b": ("K",)},
        equations=["z[n,j] = Sum(W[j,i]*x[n,i], i) + b[j]", "L = Sum((z[n,k] - y[n,k])**2, n, k)/(2*N)"],
        loss="L",
    )

The indices of an equation's left side, and those that a reduction binds without a range, run as far as the axes at
which they stand alone.
"""

from __future__ import annotations

import itertools
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import sympy

from symbackprop.errors import EquationError, SizeError, UsageError, nearest
from symbackprop.layers.dense import check_size
from symbackprop.notation.checker import check
from symbackprop.notation.expressions import index, size
from symbackprop.notation.indices import is_size
from symbackprop.notation.program import Equation, Program, Role, Variable, default_indices
from symbackprop.specification.bounds import clipped
from symbackprop.specification.equation_sympy import SymPyEquation
from symbackprop.specification.equation_syntax import REDUCTIONS, parse_size
from symbackprop.specification.equation_text import TextEquation, TextReader
from symbackprop.specification.known_functions import KNOWN_FUNCTIONS
from symbackprop.specification.scope import Names, Use, WrittenEquation, check_uses, extent_of

__all__ = ["Declarations", "EquationLike", "parse_program"]

Declarations = Mapping[str, Sequence[str | int]]
"""Variables by name, each with the sizes of its axes; ``()`` for a scalar."""

EquationLike: TypeAlias = str | sympy.Eq | tuple[sympy.Expr, sympy.Expr]
"""``"z[n] = ..."``, ``sympy.Eq(z[n], ...)``, or the pair ``(z[n], ...)``."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_RESERVED = frozenset((*KNOWN_FUNCTIONS, *REDUCTIONS, "where", *keyword.kwlist))


def parse_program(
    inputs: Declarations,
    targets: Declarations,
    parameters: Declarations,
    equations: Iterable[EquationLike],
    loss: str | None,
    output: str | None = None,
    batch: str | None = None,
    integers: Declarations | Iterable[str] = (),
    shapes: Declarations | None = None,
    name: str = "program",
) -> Program:
    """The program of ``equations``, checked.

    ``integers``  integer data such as labels, which may index other variables: further inputs with their sizes, or
                  the names of those ``inputs`` and ``targets`` that are integers
    ``shapes``    the sizes of intermediates that cannot be inferred; a size may be written out, as in "D - P + 1"
    ``batch``     the size that counts examples; "N" by default, where there is such a size
    ``output``    the variable that holds the prediction

    Raises EquationError, SizeError or UsageError with the equation's text and, for text, the column.
    """
    declared = _declared(inputs, targets, parameters, integers)
    sizes = {s.name: s for variable in declared for s in variable.shape if is_size(s)}
    written = _written(equations)
    program = _Builder(declared, sizes, _shapes(shapes or {}, sizes, written), written).program(name)
    if batch is not None and batch not in sizes:
        raise UsageError(f"{name}: batch is {batch!r}, which is no size of the program; {nearest(str(batch), sizes)}")
    return check(replace(program, loss=loss, output=output, batch=sizes.get("N" if batch is None else batch)))


def _declared(
    inputs: Declarations, targets: Declarations, parameters: Declarations, integers: Declarations | Iterable[str]
) -> tuple[Variable, ...]:
    apart = integers if isinstance(integers, Mapping) else {}
    names = () if isinstance(integers, Mapping) else _names(integers)
    tables = (
        ("inputs", inputs, Role.INPUT),
        ("integers", apart, Role.INPUT),
        ("parameters", parameters, Role.PARAMETER),
        ("targets", targets, Role.TARGET),
    )
    found: dict[str, Variable] = {}
    for table, declarations, role in tables:
        if not isinstance(declarations, Mapping):
            raise UsageError(f"{table} is {declarations!r}; give a mapping from names to sizes, as {{'x': ('N', 'D')}}")
        for name, extents in declarations.items():
            _check_name(name, table)
            if name in found:
                raise UsageError(f"{table}: {name!r} is declared twice; rename one of the two")
            shape = tuple(_declared_size(extent, f"{table}: {name}") for extent in _extents(extents, table, name))
            whole = table == "integers" or (name in names and role is not Role.PARAMETER)
            found[name] = Variable(name, shape, role, _placeholders(len(shape)), integer=whole)
    for name in names:
        if name not in found or found[name].role is Role.PARAMETER:
            known = [variable.name for variable in found.values() if variable.role is not Role.PARAMETER]
            raise UsageError(f"integers: {name!r} is no input or target; {nearest(name, known)}")
    return tuple(found.values())


def _names(integers: Iterable[str]) -> tuple[str, ...]:
    if isinstance(integers, str) or not isinstance(integers, Iterable):
        raise UsageError(f"integers is {integers!r}; give a mapping from names to sizes, or a list of names")
    return tuple(map(str, integers))


def _check_name(name: object, table: str) -> None:
    if not isinstance(name, str) or not _NAME.match(name):
        raise UsageError(f"{table}: {name!r} is no name for a variable; use letters, digits and _, a letter first")
    if name in _RESERVED:
        raise UsageError(f"{table}: {name!r} means something else in an equation; use another name for the variable")


def _extents(extents: object, table: str, name: str) -> Sequence[str | int]:
    if isinstance(extents, str | int) or not isinstance(extents, Sequence):
        raise UsageError(
            f"{table}: the shape of {name} is {extents!r}; give a list of its sizes, such as ['N', 3], [] for a scalar"
        )
    return extents


def _declared_size(extent: str | int, where: str) -> sympy.Expr:
    check_size(extent, f"{where}: a size")
    return size(extent)


def _placeholders(count: int) -> tuple[sympy.Symbol, ...]:
    return tuple(itertools.islice(_spare_indices(frozenset()), count))


def _spare_indices(taken: frozenset[str]) -> Iterator[sympy.Symbol]:
    """Index names without end, the customary ones first, except those that are ``taken``."""
    customary = default_indices(7)
    numbered = (index(f"i{number}") for number in itertools.count(1))
    return (i for i in itertools.chain(customary, numbered) if i.name not in taken)


def _written(equations: Iterable[EquationLike]) -> tuple[WrittenEquation, ...]:
    if isinstance(equations, str):
        raise UsageError(f"equations is the string {clipped(equations)}; give a list of equations")
    found: list[WrittenEquation] = []
    for number, equation in enumerate(equations, 1):
        if isinstance(equation, str):
            found.append(TextEquation(equation, number))
        elif isinstance(equation, sympy.Eq):
            found.append(SymPyEquation(equation.lhs, equation.rhs, number))
        elif isinstance(equation, tuple) and len(equation) == 2:
            left, right = map(_sympified, equation)
            found.append(SymPyEquation(left, right, number))
        else:
            raise UsageError(
                f"equation {number} is {clipped(str(equation))}, a {type(equation).__name__}; give a string "
                "'z[n] = ...', a sympy.Eq, or a pair of a left side and an expression"
            )
    if not found:
        raise UsageError("equations is empty; a program has at least one equation")
    return tuple(found)


def _sympified(side: object) -> sympy.Basic:
    # Strict: a string would otherwise be evaluated.
    try:
        return sympy.sympify(side, strict=True)
    except sympy.SympifyError:
        reason = f"{clipped(str(side))} is no SymPy expression; give one, or the whole equation as a string"
        raise UsageError(reason) from None


def _shapes(
    shapes: Declarations, sizes: dict[str, sympy.Symbol], written: tuple[WrittenEquation, ...]
) -> dict[str, tuple[sympy.Expr, ...]]:
    if not isinstance(shapes, Mapping):
        raise UsageError(f"shapes is {shapes!r}; give a mapping from names to sizes, as {{'z': ('N', 'H')}}")
    defined = [equation.name for equation in written]
    for name in shapes:
        if name not in defined:
            raise UsageError(f"shapes: {name!r} is defined by no equation; {nearest(str(name), defined)}")
    return {
        name: tuple(_written_size(extent, f"shapes: {name}", sizes) for extent in _extents(extents, "shapes", name))
        for name, extents in shapes.items()
    }


def _written_size(extent: str | int, where: str, sizes: dict[str, sympy.Symbol]) -> sympy.Expr:
    if not isinstance(extent, str):
        return _declared_size(extent, where)

    written = TextEquation(extent, where=f"{where}: size {clipped(extent)}")
    try:
        side = parse_size(extent, written.fail)
        return TextReader(side, Names({}, sizes), written).extent(side.tree)
    except EquationError as error:
        raise UsageError(str(error)) from None


@dataclass
class _Builder:
    """Reads the equations one after the other; ``first`` remembers how each declared variable was first indexed."""

    declared: tuple[Variable, ...]
    sizes: dict[str, sympy.Symbol]
    shapes: dict[str, tuple[sympy.Expr, ...]]
    written: tuple[WrittenEquation, ...]
    first: dict[str, tuple[str | None, ...]] = field(default_factory=dict)

    def program(self, name: str) -> Program:
        known = {variable.name: variable for variable in self.declared}
        equations: list[Equation] = []
        for number, written in enumerate(self.written):
            later = frozenset(each.name for each in self.written[number:]) - set(known)
            equations.append(self.equation(written, Names(known, self.sizes, later)))
            known[written.name] = equations[-1].left
        taken = frozenset(known) | frozenset(self.sizes)
        inputs = tuple(replace(v, indices=self.index_names(v, taken)) for v in self.declared)
        return Program(inputs, tuple(equations), name=name)

    def equation(self, written: WrittenEquation, names: Names) -> Equation:
        self.check_left(written, names)
        uses = written.uses(names)
        check_uses(written, uses, names)
        self.remember(uses)
        left = Variable(
            written.name,
            self.shape(written, uses, names),
            indices=tuple(index(name) for name in written.indices),
        )
        right, terms = written.right(names)
        return Equation(left, right, terms)

    def check_left(self, written: WrittenEquation, names: Names) -> None:
        name = written.name
        if not _NAME.match(name) or name in _RESERVED:
            raise written.error(f"{name!r} is no name for a variable here; use another one")
        if name in names.variables:
            earlier = "declared" if name in {v.name for v in self.declared} else "defined in an earlier equation"
            raise written.error(f"{name!r} is {earlier} already; give this value a name of its own")
        if name in names.sizes:
            raise written.error(f"{name!r} is a size; use another name for the variable")
        for i in written.indices:
            if names.has(i):
                raise written.error(f"{i!r} names a {names.meaning(i)}; use another name for the index")

    def shape(self, written: WrittenEquation, uses: tuple[Use, ...], names: Names) -> tuple[sympy.Expr, ...]:
        given = self.shapes.get(written.name)
        if given is None:
            remedy = f"give the sizes of {written.name} in shapes"
            return tuple(extent_of(i, uses, names, written, remedy) for i in written.indices)
        if len(given) != len(written.indices):
            raise written.error(
                f"shapes gives {written.name} {len(given)} sizes, but its left side has {len(written.indices)} indices",
                kind=SizeError,
            )
        return given

    def remember(self, uses: tuple[Use, ...]) -> None:
        """Keep the first way in which each variable is indexed by distinct bare indices, else the first of all."""
        for use in uses:
            known = self.first.get(use.variable)
            if known is None or (not _is_plain(known) and _is_plain(use.positions)):
                self.first[use.variable] = use.positions

    def index_names(self, variable: Variable, taken: frozenset[str]) -> tuple[sympy.Symbol, ...]:
        wanted = self.first.get(variable.name, (None,) * len(variable.shape))
        kept = [name if name not in wanted[:axis] else None for axis, name in enumerate(wanted)]
        spare = _spare_indices(taken | {name for name in kept if name is not None})
        return tuple(index(name) if name is not None else next(spare) for name in kept)


def _is_plain(positions: tuple[str | None, ...]) -> bool:
    return None not in positions and len(set(positions)) == len(positions)
