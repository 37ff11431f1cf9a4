"""How variables are written: W1 as W^{(1)}, its entries as w^{(1)}_{ji}, the adjoint of z1 as delta^{(1)}."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sympy

from symbackprop.forms.notation import USUAL, Notation, Orientation
from symbackprop.forms.signs import CAPITAL_GREEK, Letters, Sign, Style, bold, given_letters, word_letters
from symbackprop.notation.indices import is_index
from symbackprop.notation.program import Program, Role, Variable

__all__ = ["Symbols", "split_name"]

_NUMBERED = re.compile(r"([A-Za-z]+?)(\d+)\Z")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_OTHER_INDICES = ("p", "t", "u", "v", "g", "h")
_DELTA = word_letters("delta")
_CAPITAL_DELTA = word_letters("Delta")
_COMMA = Letters(",", ",", Style.UPRIGHT)
_TOP = Letters(r"\top", "\u22a4", Style.UPRIGHT)


def split_name(name: str) -> tuple[str, str]:
    """(base, label): W1 gives ("W", "1"), x gives ("x", ""). No two names give the same."""
    numbered = _NUMBERED.match(name)
    return (numbered[1], numbered[2]) if numbered else (name, "")


@dataclass(frozen=True)
class Symbols:
    """How every variable of a program, and of the adjoints that belong to it, is written.

    ``aliases`` writes a variable or a size as another: (base, label) by name.
    """

    program: Program
    notation: Notation = USUAL
    aliases: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @cached_property
    def _taken(self) -> frozenset[str]:
        """Symbols that are in use, so that changing a letter must not produce them."""
        bases = {self._given(v).latex for v in self.program.variables.values() if v.role is not Role.ADJOINT}
        sizes = {_size_letters(*self._split(symbol.name)).latex for symbol in self.program.sizes}
        return frozenset(bases | sizes)

    @cached_property
    def _index_names(self) -> frozenset[str]:
        indices = {i for variable in self.program.variables.values() for i in variable.indices}
        for equation in self.program.equations:
            indices |= {i for i in equation.right.atoms(sympy.Symbol) if is_index(i)}
        return frozenset(i.name for i in indices)

    def variable(self, name: str) -> Variable:
        """The variable called ``name``."""
        return self.program.variable(name)

    def is_flipped(self, name: str) -> bool:
        """Whether the examples, which the variable's first axis counts, are its last axis on paper."""
        shape = self.variable(name).shape
        columns = self.notation.examples_as is Orientation.COLUMNS
        return columns and len(shape) > 1 and self.program.batch is not None and shape[0] == self.program.batch

    def _split(self, name: str) -> tuple[str, str]:
        return self.aliases.get(name) or split_name(name)

    def _given(self, variable: Variable) -> Letters:
        """The symbol that was declared, without label and indices."""
        base = self._split(variable.name)[0]
        return given_letters(variable.symbol, base) if variable.symbol else word_letters(base)

    def _base(self, variable: Variable) -> Letters:
        """The symbol without label and indices, in the letters of the notation."""
        base = self._given(variable)
        if base.latex == "L" and variable.name == self.program.loss:
            return self._free(base, self.notation.scheme.loss)
        if not self.notation.scheme.capitals and variable.shape:
            return self._small(base)
        return base

    def _free(self, letters: Letters, wanted: str) -> Letters:
        """``wanted`` in place of ``letters``, unless it says something else already."""
        return letters if wanted in self._taken else word_letters(wanted)

    def _small(self, base: Letters) -> Letters:
        """The small letter of a capital, for an entry of a matrix, where it is free."""
        small = base.latex.lower()
        if len(small) != 1 or small == base.latex or small in self._index_names:
            return base
        return self._free(base, small)

    def _label(self, variable: Variable) -> str:
        return "" if variable.symbol else self._split(variable.name)[1]

    def _above(self, variable: Variable) -> tuple[Letters, ...]:
        """The layer's number as a superscript, where it stands there."""
        label, above = self._label(variable), self.notation.scheme.above
        if not label or above is None:
            return ()
        return (Letters(above.format(label), above.format(label), Style.UPRIGHT),)

    def _below(self, variable: Variable) -> tuple[Letters, ...]:
        """The layer's number as the first subscript, where it stands there."""
        label = self._label(variable)
        return (Letters(label, label, Style.UPRIGHT),) if label and self.notation.scheme.above is None else ()

    def is_delta(self, variable: Variable) -> bool:
        """Whether the adjoint is an error signal: that of a pre-activation z, written delta.

        An adjoint of the same variable for a second loss is written as a partial derivative.
        """
        if self.notation.derivative != "delta" or variable.of is None:
            return False
        return split_name(variable.of)[0] == "z" and variable.name == f"{variable.of}_bar"

    # -- as signs ----------------------------------------------------------------------------------------------------

    def size_letters(self, name: str) -> Letters:
        """The name of a size; in plain letters its number is one of those that Unicode has lowered."""
        letters = _size_letters(*self._split(name))
        if letters.latex == "N" and self.program.batch is not None and name == str(self.program.batch):
            return self._free(letters, self.notation.scheme.examples)
        return letters

    def element_sign(self, name: str, positions: tuple[Letters, ...] = ()) -> Sign:
        """The occurrence at ``positions`` of a variable that is not written as a partial derivative.

        Positions come in the order of the variable's axes, and are written in the order of the orientation.
        """
        variable = self.variable(name)
        if self.is_flipped(name):
            positions = tuple(reversed(positions))
        source = variable if variable.of is None else self.variable(variable.of)
        base = _DELTA if variable.of is not None else self._base(variable)
        below = (*self._below(source), *positions)
        if any(len(position.latex) != 1 for position in below):
            below = tuple(part for position in below for part in (_COMMA, position))[1:]
        return Sign(self._small(base) if positions else base, self._above(source), below)

    def whole_sign(self, name: str, rank: int, transposed: bool = False) -> Sign:
        """The same as a matrix (``rank`` 2 or more), a vector or a number."""
        variable = self.variable(name)
        source = variable if variable.of is None else self.variable(variable.of)
        capital = rank > 1 and self.notation.scheme.capitals
        if variable.of is None:
            base = self._capital(self._base(variable)) if capital else self._base(variable)
        else:
            base = _CAPITAL_DELTA if capital else _DELTA
        above = self._above(source)
        return Sign(base, (*above, _TOP) if transposed else above, self._below(source))

    def _capital(self, base: Letters) -> Letters:
        """A matrix's symbol: the capital letter where that is free, else the letter in bold."""
        if base.latex.isupper():
            return base
        capital = base
        if base.latex == r"\ell":
            capital = word_letters("Lambda")
        elif base.latex[1:] in CAPITAL_GREEK:
            capital = word_letters(CAPITAL_GREEK[base.latex[1:]])
        elif len(base.latex) == 1:
            capital = word_letters(base.latex.upper())
        return bold(base) if capital == base or capital.latex in self._taken else capital

    # -- in LaTeX ----------------------------------------------------------------------------------------------------

    def index(self, name: str) -> str:
        """The name of an index; another letter where the number of examples has that one now."""
        if self.program.batch is None or name != self.size(str(self.program.batch)):
            return name
        return next(letter for letter in _OTHER_INDICES if letter not in self._taken | self._index_names)

    def size(self, name: str) -> str:
        """The name of a size: H1 as H_1."""
        return self.size_letters(name).latex

    def element(self, name: str, positions: tuple[str, ...] = ()) -> str:
        """The occurrence of a variable at ``positions``, which are LaTeX already, in the order of its axes."""
        variable = self.variable(name)
        if variable.of is not None and not self.is_delta(variable):
            return rf"\frac{{\partial {self.loss(variable)}}}{{\partial {self.element(variable.of, positions)}}}"
        return self.element_sign(name, tuple(Letters(position, position) for position in positions)).latex

    def whole(self, name: str, rank: int, transposed: bool = False) -> str:
        """The variable as a matrix (``rank`` 2 or more), a vector or a number."""
        variable = self.variable(name)
        if variable.of is not None and not self.is_delta(variable):
            text = rf"\frac{{\partial {self.loss(variable)}}}{{\partial {self.whole(variable.of, rank)}}}"
            return rf"\left({text}\right)^{{\top}}" if transposed else text
        plain = self.whole_sign(name, rank)
        # A bare number and a transpose beside each other would read as a power.
        if transposed and plain.above and self.notation.scheme.above == "{}":
            return rf"({plain.latex})^{{\top}}"
        return self.whole_sign(name, rank, transposed).latex

    def loss(self, adjoint: Variable) -> str:
        """The symbol of the loss that ``adjoint`` is a derivative of."""
        return self.loss_sign(adjoint).latex

    def loss_sign(self, adjoint: Variable) -> Sign:
        """The same as a sign."""
        return Sign(word_letters("L")) if adjoint.loss is None else self.element_sign(adjoint.loss)


def _size_letters(base: str, label: str) -> Letters:
    letters = word_letters(base)
    latex = f"{letters.latex}_{{{label}}}" if label else letters.latex
    return Letters(latex, letters.plain + label.translate(_LOWERED), letters.style)
