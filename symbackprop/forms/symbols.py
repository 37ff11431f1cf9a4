"""How variables are written: W1 as W^{(1)}, the adjoint of z1 as delta^{(1)}, that of W1 as dL/dW^{(1)}."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from symbackprop.forms.signs import CAPITAL_GREEK, Letters, Sign, Style, bold, given_letters, word_letters
from symbackprop.notation.program import Program, Role, Variable

__all__ = ["Symbols", "size_latex", "size_letters", "split_name"]

_NUMBERED = re.compile(r"([A-Za-z]+?)(\d+)\Z")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_DELTA = word_letters("delta")
_CAPITAL_DELTA = word_letters("Delta")
_COMMA = Letters(",", ",", Style.UPRIGHT)
_TOP = Letters(r"\top", "\u22a4", Style.UPRIGHT)


def split_name(name: str) -> tuple[str, str]:
    """(base, label): W1 gives ("W", "1"), x gives ("x", ""). No two names give the same."""
    numbered = _NUMBERED.match(name)
    return (numbered[1], numbered[2]) if numbered else (name, "")


def size_latex(name: str) -> str:
    """The name of a size: H1 as H_1."""
    return size_letters(name).latex


def size_letters(name: str) -> Letters:
    """The name of a size; in plain letters its number is one of those that Unicode has lowered."""
    base, label = split_name(name)
    letters = word_letters(base)
    latex = f"{letters.latex}_{{{label}}}" if label else letters.latex
    return Letters(latex, letters.plain + label.translate(_LOWERED), letters.style)


@dataclass(frozen=True)
class Symbols:
    """How every variable of a program, and of the adjoints that belong to it, is written."""

    program: Program

    @cached_property
    def _taken(self) -> frozenset[str]:
        """Symbols that are in use, so that capitalising must not produce them."""
        bases = {self._base(v).latex for v in self.program.variables.values() if v.role is not Role.ADJOINT}
        return frozenset(bases | {size_latex(symbol.name) for symbol in self.program.sizes})

    def variable(self, name: str) -> Variable:
        """The variable called ``name``."""
        return self.program.variable(name)

    def _base(self, variable: Variable) -> Letters:
        """The symbol without label and indices."""
        base = split_name(variable.name)[0]
        return given_letters(variable.symbol, base) if variable.symbol else word_letters(base)

    def _above(self, variable: Variable) -> tuple[Letters, ...]:
        """The layer's number as a superscript in brackets, where there is one."""
        label = "" if variable.symbol else split_name(variable.name)[1]
        return (Letters(f"({label})", f"({label})", Style.UPRIGHT),) if label else ()

    def is_delta(self, variable: Variable) -> bool:
        """Whether the adjoint is an error signal: that of a pre-activation z, written delta.

        An adjoint of the same variable for a second loss is written as a partial derivative.
        """
        return variable.of is not None and split_name(variable.of)[0] == "z" and variable.name == f"{variable.of}_bar"

    # -- as signs ----------------------------------------------------------------------------------------------------

    def element_sign(self, name: str, positions: tuple[Letters, ...] = ()) -> Sign:
        """The occurrence at ``positions`` of a variable that is not written as a partial derivative."""
        variable = self.variable(name)
        if variable.of is None:
            base, above = self._base(variable), self._above(variable)
        else:
            base, above = _DELTA, self._above(self.variable(variable.of))
        if any(len(position.latex) != 1 for position in positions):
            positions = tuple(part for position in positions for part in (_COMMA, position))[1:]
        return Sign(base, above, positions)

    def whole_sign(self, name: str, rank: int, transposed: bool = False) -> Sign:
        """The same as a matrix (``rank`` 2 or more), a vector or a number."""
        variable = self.variable(name)
        if variable.of is None:
            base, above = self._base(variable), self._above(variable)
            base = self._capital(base) if rank > 1 else base
        else:
            base, above = (_CAPITAL_DELTA if rank > 1 else _DELTA), self._above(self.variable(variable.of))
        return Sign(base, (*above, _TOP) if transposed else above)

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

    def element(self, name: str, positions: tuple[str, ...] = ()) -> str:
        """The occurrence of a variable at ``positions``, which are LaTeX already."""
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
        return self.whole_sign(name, rank, transposed).latex

    def loss(self, adjoint: Variable) -> str:
        """The symbol of the loss that ``adjoint`` is a derivative of."""
        return self.loss_sign(adjoint).latex

    def loss_sign(self, adjoint: Variable) -> Sign:
        """The same as a sign."""
        return Sign(word_letters("L")) if adjoint.loss is None else self.element_sign(adjoint.loss)
