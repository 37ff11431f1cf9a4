"""How variables are written in LaTeX: W1 as W^{(1)}, the adjoint of z1 as delta^{(1)}, that of W1 as dL/dW^{(1)}."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from symbackprop.notation.program import Program, Role, Variable

__all__ = ["Symbols", "name_latex"]

_NUMBERED = re.compile(r"([A-Za-z]+?)(\d+)\Z")
_GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Upsilon",
        "Phi",
        "Psi",
        "Omega",
    ]
)
_CAPITAL_GREEK = {name: name.capitalize() for name in _GREEK if name.capitalize() in _GREEK}


def name_latex(name: str) -> str:
    """A word as a symbol: one letter in italics, a Greek letter by its name, anything else upright."""
    if len(name) == 1:
        return name
    upright = name.replace("_", r"\_")
    return rf"\{name}" if name in _GREEK else rf"\mathrm{{{upright}}}"


def split_name(name: str) -> tuple[str, str]:
    """(base, label): W1 gives ("W", "1"), x gives ("x", ""). No two names give the same."""
    numbered = _NUMBERED.match(name)
    return (numbered[1], numbered[2]) if numbered else (name, "")


def size_latex(name: str) -> str:
    """The name of a size: H1 as H_1."""
    base, label = split_name(name)
    return f"{name_latex(base)}_{{{label}}}" if label else name_latex(base)


@dataclass(frozen=True)
class Symbols:
    """The LaTeX of every variable of a program and of the adjoints that belong to it."""

    program: Program

    @cached_property
    def _taken(self) -> frozenset[str]:
        """Symbols that are in use, so that capitalising must not produce them."""
        bases = {self.base(v) for v in self.program.variables.values() if v.role is not Role.ADJOINT}
        return frozenset(bases | {size_latex(symbol.name) for symbol in self.program.sizes})

    def variable(self, name: str) -> Variable:
        """The variable called ``name``."""
        return self.program.variable(name)

    def base(self, variable: Variable) -> str:
        """The symbol without label and indices."""
        return variable.symbol or name_latex(split_name(variable.name)[0])

    def label(self, variable: Variable) -> str:
        """The layer's number, which becomes a superscript in brackets; "" where there is none."""
        return "" if variable.symbol else split_name(variable.name)[1]

    def is_delta(self, variable: Variable) -> bool:
        """Whether the adjoint is an error signal: that of a pre-activation z, written delta.

        An adjoint of the same variable for a second loss is written as a partial derivative.
        """
        return variable.of is not None and split_name(variable.of)[0] == "z" and variable.name == f"{variable.of}_bar"

    def element(self, name: str, positions: tuple[str, ...] = ()) -> str:
        """The occurrence of a variable at ``positions``, which are LaTeX already."""
        variable = self.variable(name)
        if variable.of is not None and not self.is_delta(variable):
            return rf"\frac{{\partial {self.loss(variable)}}}{{\partial {self.element(variable.of, positions)}}}"
        if variable.of is not None:
            symbol = _superscribed(r"\delta", self.label(self.variable(variable.of)))
        else:
            symbol = _superscribed(self.base(variable), self.label(variable))
        joined = "".join(positions) if all(len(p) == 1 for p in positions) else ",".join(positions)
        return f"{symbol}_{{{joined}}}" if positions else symbol

    def loss(self, adjoint: Variable) -> str:
        """The symbol of the loss that ``adjoint`` is a derivative of."""
        return "L" if adjoint.loss is None else self.element(adjoint.loss)

    def whole(self, name: str, rank: int, transposed: bool = False) -> str:
        """The variable as a matrix (``rank`` 2 or more), a vector or a number."""
        variable = self.variable(name)
        if variable.of is not None and not self.is_delta(variable):
            text = rf"\frac{{\partial {self.loss(variable)}}}{{\partial {self.whole(variable.of, rank)}}}"
            return rf"\left({text}\right)^{{\top}}" if transposed else text
        if variable.of is not None:
            base, label = (r"\Delta" if rank > 1 else r"\delta"), self.label(self.variable(variable.of))
        else:
            base, label = self.base(variable), self.label(variable)
            base = self._capital(base) if rank > 1 else base
        return _superscribed(base, label, transposed)

    def _capital(self, base: str) -> str:
        """A matrix's symbol: the capital letter where that is free, else the letter in bold."""
        if base.isupper():
            return base
        if base == r"\ell":
            capital = r"\Lambda"
        elif base.startswith("\\") and base[1:] in _CAPITAL_GREEK:
            capital = "\\" + _CAPITAL_GREEK[base[1:]]
        else:
            capital = base.upper() if len(base) == 1 else base
        return capital if capital not in self._taken and capital != base else rf"\mathbf{{{base}}}"


def _superscribed(base: str, label: str, transposed: bool = False) -> str:
    above = (f"({label})" if label else "") + (r"\top" if transposed else "")
    return f"{base}^{{{above}}}" if above else base
