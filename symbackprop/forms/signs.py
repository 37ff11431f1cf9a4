"""A symbol taken apart: its letters, and what stands above and below, in LaTeX and in plain letters."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["CAPITAL_GREEK", "GREEK", "Letters", "Sign", "Style", "bold", "given_letters", "word_letters"]

GREEK = MappingProxyType(
    {
        "alpha": "\u03b1",
        "beta": "\u03b2",
        "gamma": "\u03b3",
        "delta": "\u03b4",
        "epsilon": "\u03b5",
        "zeta": "\u03b6",
        "eta": "\u03b7",
        "theta": "\u03b8",
        "iota": "\u03b9",
        "kappa": "\u03ba",
        "lambda": "\u03bb",
        "mu": "\u03bc",
        "nu": "\u03bd",
        "xi": "\u03be",
        "pi": "\u03c0",
        "rho": "\u03c1",
        "sigma": "\u03c3",
        "tau": "\u03c4",
        "upsilon": "\u03c5",
        "phi": "\u03c6",
        "chi": "\u03c7",
        "psi": "\u03c8",
        "omega": "\u03c9",
        "Gamma": "\u0393",
        "Delta": "\u0394",
        "Theta": "\u0398",
        "Lambda": "\u039b",
        "Xi": "\u039e",
        "Pi": "\u03a0",
        "Sigma": "\u03a3",
        "Upsilon": "\u03a5",
        "Phi": "\u03a6",
        "Psi": "\u03a8",
        "Omega": "\u03a9",
    }
)
"""The Greek letters by their names."""
CAPITAL_GREEK = MappingProxyType({name: name.capitalize() for name in GREEK if name.capitalize() in GREEK})
"""The names of the capitals that do not look like Latin ones, by those of the small letters."""
_OTHERS = MappingProxyType({r"\ell": "\u2113"})
"""Symbols that a variable is declared with, in plain letters."""


class Style(enum.Enum):
    """How letters are set."""

    ITALIC = "italic"
    UPRIGHT = "upright"
    BOLD = "bold"


@dataclass(frozen=True)
class Letters:
    """Letters in LaTeX's mathematics, and the same in plain Unicode with the style they are set in."""

    latex: str
    plain: str
    style: Style = Style.ITALIC


@dataclass(frozen=True)
class Sign:
    """Letters with others above and below."""

    base: Letters
    above: tuple[Letters, ...] = ()
    below: tuple[Letters, ...] = ()

    @property
    def latex(self) -> str:
        """The whole symbol in LaTeX's mathematics."""
        above, below = ("".join(letters.latex for letters in part) for part in (self.above, self.below))
        return self.base.latex + (f"^{{{above}}}" if above else "") + (f"_{{{below}}}" if below else "")


def word_letters(name: str) -> Letters:
    """A word as a symbol: one letter in italics, a Greek letter by its name, anything else upright."""
    if len(name) == 1:
        return Letters(name, name, Style.ITALIC if name.isalpha() else Style.UPRIGHT)
    if name in GREEK:
        return Letters(rf"\{name}", GREEK[name], Style.UPRIGHT if name[0].isupper() else Style.ITALIC)
    upright = name.replace("_", r"\_")
    return Letters(rf"\mathrm{{{upright}}}", name, Style.UPRIGHT)


def given_letters(latex: str, name: str) -> Letters:
    """A symbol that was declared in LaTeX, for the variable called ``name``."""
    return Letters(latex, _OTHERS[latex]) if latex in _OTHERS else Letters(latex, name, Style.UPRIGHT)


def bold(letters: Letters) -> Letters:
    """The same letters in bold."""
    return Letters(rf"\mathbf{{{letters.latex}}}", letters.plain, Style.BOLD)
