r"""Notes about a network that is given: the table of names is filled from its program, before a formula is read.

    W1 of shape (H, D)   is   W^{(1)}, W^{[1]}, W^1 or W_1, and its entries w^{(1)}_{ji}
    the adjoint of z1    is   \delta^{(1)} or \Delta^{(1)}

Every way to dress the number of a layer gives the same key, so one table serves all schemes of notation at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy

from symbackprop.forms.notation import SCHEMES, Notation, Orientation
from symbackprop.forms.symbols import Symbols, split_name
from symbackprop.notation.program import Equation, Program, Role, Variable, occurrences
from symbackprop.notation.single import one_example
from symbackprop.reading.functions import OPAQUE, Function
from symbackprop.reading.ground import Entries, Ground
from symbackprop.reading.names import Name, name_of, readings
from symbackprop.reading.notes import Notes, read_notes
from symbackprop.reading.parser import parse
from symbackprop.reading.sources import Source, UnreadFormulaError
from symbackprop.reading.statements import statements
from symbackprop.reading.survey import nodes
from symbackprop.reading.syntax import Node
from symbackprop.reading.table import Declared, Key, Table, other_case
from symbackprop.reading.tokens import tokenize

__all__ = ["every_node", "ground_of", "likeliest", "oriented", "read_claims", "whole"]

RATE = "\\eta"
"""The letter of the learning rate, where the notes use no other."""
_LOSSES = ("L", "J", "C", "E", "\\ell", "Loss", "loss", "Cost", "cost", "cal:L")
_OTHER_LETTERS: Mapping[str, tuple[str, ...]] = {
    "z": ("s", "u", "net"),
    "a": ("h", "o", "out"),
    "y": ("t",),
}
"""Other letters that people write for what the program calls so, where the network has no such variable."""
_WIDTHS = ("H", "n", "D", "d", "m", "N", "K")
_EXAMPLES = ("N", "m")
_SIGNALS = ("\\delta", "\\Delta")


def read_claims(
    source: Source,
    program: Program,
    orientation: Orientation | str = "rows",
    numbers: Mapping[str, Any] | None = None,
    likely: Mapping[str, Any] | None = None,
) -> Notes:
    """Read notes about ``program``, whose examples lie as ``orientation`` says; ``numbers`` are its arrays by name.

    ``likely`` are arrays that notes may have used for what is not given; they count where the notes print them.
    A first equation for what the network has is a claim, too; one for anything else is a definition. Raises NoRuleError
    where one example cannot be taken out of the program.
    """
    way = Orientation(orientation)
    return replace(read_notes(source, ground_of(program, way, numbers or {}, likely or {})), orientation=way.value)


def ground_of(
    program: Program, orientation: Orientation, numbers: Mapping[str, Any], likely: Mapping[str, Any]
) -> Ground:
    """The table of names for ``program``, and the numbers that are given for its variables."""
    known, perhaps = _entries(program, orientation, numbers), _entries(program, orientation, likely)
    if orientation is Orientation.VECTOR:
        program = one_example(program)
    program = _with_rate(program)
    names = _Names(program, orientation)
    table = Table(
        declared=names.declared(),
        functions=names.functions(),
        sizes=names.sizes(),
        loss=program.loss,
        batch=program.batch,
        activations=names.activations,
    )
    return Ground(program, table, known, names.layers, perhaps)


def oriented(program: Program) -> tuple[Orientation, ...]:
    """The ways in which the examples of ``program`` can lie."""
    return tuple(Orientation) if program.batch is not None else (Orientation.ROWS,)


def likeliest(notes: Notes) -> tuple[Orientation, ...]:
    """The orientations in the order in which the letters of ``notes`` speak for them.

    A small letter for all of an array is one example's column, a capital one a matrix of examples, as columns where
    derivatives are written dZ.
    """
    small = capital = 0
    for node in every_node(notes):
        name = name_of(node)
        found = None if name is None else whole(notes.table, name)
        if name is None or found is None or found.sample is None:
            continue
        is_small = name.base.rpartition(":")[2].lstrip("\\")[:1].islower()
        small, capital = small + is_small, capital + (not is_small)
    if small > capital:
        return (Orientation.VECTOR, Orientation.COLUMNS, Orientation.ROWS)
    if notes.survey.small_d:
        return (Orientation.COLUMNS, Orientation.ROWS, Orientation.VECTOR)
    return tuple(Orientation)


def every_node(notes: Notes) -> Iterator[Node]:
    """Every node of the relations of ``notes`` that can be read."""
    for relation in notes.relations:
        for side in (relation.left, relation.right):
            try:
                yield from nodes(parse(side.tokens, notes.table.words))
            except UnreadFormulaError:
                continue


def whole(table: Table, name: Name) -> Declared | None:
    """What a name without indices stands for, in any layer."""
    for number in (1, *range(2, 2 + 9 * bool(table.generic))):
        for reading in readings(name, {**table.last, **dict.fromkeys(table.generic, number)}):
            found = table.find(name.key, reading.label)
            if found is not None and not reading.indices and reading.sample is None:
                return found
    return None


def _with_rate(program: Program) -> Program:
    if "eta" in program.variables:
        return program
    rate = Variable("eta", (), Role.INPUT, (), symbol=RATE)
    return replace(program, inputs=(*program.inputs, rate))


def _entries(program: Program, orientation: Orientation, numbers: Mapping[str, Any]) -> Entries:
    """Every number by its position; of one example without the axis that counts examples."""
    found: dict[str, dict[tuple[int, ...], sympy.Expr]] = {}
    for name, array in numbers.items():
        variable = program.variables.get(name)
        if variable is None:
            if name == "eta":
                found[name] = {(): sympy.Rational(repr(float(array)))}
            continue
        per_example = bool(variable.shape) and variable.shape[0] == program.batch
        drop = orientation is Orientation.VECTOR and per_example
        # A document about one example takes the first.
        positions = [at for at in np.ndindex(np.shape(array)) if not (drop and at[0])]
        found[name] = {at[drop:]: sympy.Rational(repr(float(array[at]))) for at in positions}
    return found


@dataclass(frozen=True)
class _Names:
    """How people write what a program has."""

    program: Program
    orientation: Orientation

    # -- variables ---------------------------------------------------------------------------------------------------

    def declared(self) -> dict[Key, Declared]:
        """What every name stands for; a letter that is some variable's own is no other name for another."""
        found: dict[Key, Declared] = {}
        for names in (self.own, self.signals, self.in_the_other_case, self.others, self.losses):
            for key, declared in names(dict(found)):
                found.setdefault(key, declared)
        return found

    def own(self, found: Mapping[Key, Declared]) -> Iterator[tuple[Key, Declared]]:
        """The symbols of the project's own documents, in every scheme: matrices first, then what they consist of."""
        schemes = [Symbols(self.program, Notation(scheme, orientation=self.orientation.value)) for scheme in SCHEMES]
        writers: tuple[Callable[[Symbols, Variable], str], ...] = (
            lambda symbols, v: symbols.whole(v.name, self.rank(v)),
            lambda symbols, v: symbols.element(v.name),
        )
        for write in writers:
            for variable in self.program.variables.values():
                for symbols in schemes:
                    for key in _keys(write(symbols, variable)):
                        yield key, self.stands_for(variable)

    def signals(self, found: Mapping[Key, Declared]) -> Iterator[tuple[Key, Declared]]:
        """Error signals: the derivatives of the loss by what the activations are taken of."""
        for name, variable in self.program.variables.items():
            base, label = split_name(name)
            if base == "z" and variable.role is Role.DEFINED and self.program.loss is not None:
                yield from (((signal, label), replace(self.stands_for(variable), adjoint=True)) for signal in _SIGNALS)

    def in_the_other_case(self, found: Mapping[Key, Declared]) -> Iterator[tuple[Key, Declared]]:
        """Small letters for matrices, capital ones for the rest."""
        for (base, label), declared in found.items():
            if declared.shape:
                yield (other_case(base), label), declared

    def others(self, found: Mapping[Key, Declared]) -> Iterator[tuple[Key, Declared]]:
        """The inputs as layer 0, the last activation as the output, and letters that other people use."""
        variables = self.program.variables
        for (base, label), declared in found.items():
            if base in ("z", "Z") and label not in self.activated:
                # Without an activation, the activations are the pre-activations.
                yield ("a" if base == "z" else "A", label), declared
        if "x" in variables:
            for base in ("a", "A", "h", "o"):
                yield (base, "0"), self.stands_for(variables["x"])
        if self.program.output in variables:
            output = self.stands_for(variables[self.program.output])
            yield from (((base, ""), output) for base in ("hat:y", "hat:Y"))
        for name, variable in variables.items():
            base, label = split_name(name)
            for letter in _OTHER_LETTERS.get(base, ()) if not variable.symbol else ():
                yield (letter, label), self.stands_for(variable)
                yield (other_case(letter), label), self.stands_for(variable)

    def losses(self, found: Mapping[Key, Declared]) -> Iterator[tuple[Key, Declared]]:
        """The letters of losses."""
        if self.program.loss is not None:
            yield from (((letter, ""), Declared(self.program.loss)) for letter in _LOSSES)

    def stands_for(self, variable: Variable) -> Declared:
        """The variable as an array on paper: with the examples where the orientation puts them."""
        axes = tuple(range(len(variable.shape)))
        batch = self.program.batch
        sampled = bool(axes) and batch is not None and variable.shape[0] == batch
        if sampled and self.orientation is Orientation.COLUMNS:
            axes = axes[::-1]
        shape = tuple(variable.shape[axis] for axis in axes)
        return Declared(variable.name, shape, axes, axes.index(0) if sampled else None)

    def rank(self, variable: Variable) -> int:
        return len(variable.shape)

    # -- layers ------------------------------------------------------------------------------------------------------

    @property
    def activated(self) -> frozenset[str]:
        """The numbers of the layers that have activations of their own."""
        return frozenset(label for base, label in map(split_name, self.program.variables) if base == "a")

    @property
    def layers(self) -> int:
        """How many layers are numbered."""
        labels = [split_name(name)[1] for name in self.program.definitions]
        return max((int(label) for label in labels if label.isdigit()), default=0)

    @property
    def activations(self) -> dict[str, Function | None]:
        """The function that is applied to each pre-activation, None where it takes more than one entry."""
        found: dict[str, Function | None] = {}
        for name, variable in self.program.variables.items():
            base, label = split_name(name)
            if base != "z" or variable.role is not Role.DEFINED:
                continue
            equation = self.program.definitions.get(f"a{label}")
            found[name] = _identity if equation is None else _pointwise(equation, variable)
        return found

    def functions(self) -> dict[Key, Function]:
        """The activation of each layer under its number: g^{[1]}, f_1."""
        numbered = {split_name(name)[1]: function for name, function in self.activations.items()}
        letters = sorted(OPAQUE - {split_name(name)[0] for name in self.program.variables})
        return {(letter, label): f for letter in letters for label, f in numbered.items() if f is not None and label}

    # -- sizes -------------------------------------------------------------------------------------------------------

    def sizes(self) -> dict[Key, sympy.Expr]:
        """The letters of sizes: those of the program, of the examples, and of the widths of layers."""
        found: dict[Key, sympy.Expr] = {}
        symbols = Symbols(self.program)
        for extent in self.program.sizes:
            found.update(dict.fromkeys(_keys(symbols.size(extent.name)), extent))
        if self.program.batch is not None:
            for letter in _EXAMPLES:
                found.setdefault((letter, ""), self.program.batch)
        for label, extent in self.widths().items():
            for letter in _WIDTHS:
                found.setdefault((letter, label), extent)
        return found

    def widths(self) -> dict[str, sympy.Expr]:
        """The numbers of units, by the number of the layer; layer 0 is the inputs."""
        variables = self.program.variables
        found = {} if "x" not in variables or not variables["x"].shape else {"0": variables["x"].shape[-1]}
        for name, variable in variables.items():
            base, label = split_name(name)
            if base == "z" and label and variable.shape:
                found[label] = variable.shape[-1]
        return found


def _identity(z: sympy.Expr) -> sympy.Expr:
    return z


def _pointwise(equation: Equation, variable: Variable) -> Function | None:
    """The function of one number that an equation applies to every entry of ``variable``."""
    found = set(occurrences(equation.right))
    if found != {variable.at(*equation.indices)}:
        return None
    (argument,) = found
    right = equation.right
    return lambda z: right.xreplace({argument: z})


def _keys(latex: str) -> tuple[Key, ...]:
    """The name that a symbol is, and its label."""
    try:
        (statement,) = statements(tokenize(latex, 1, 1))
        name = name_of(parse(statement.sides[0].tokens, set()))
    except (UnreadFormulaError, ValueError):
        return ()
    if name is None:
        return ()
    for reading in readings(name, {}):
        if not reading.indices and reading.sample is None and reading.power is None:
            return ((name.base, reading.label),)
    return ()
