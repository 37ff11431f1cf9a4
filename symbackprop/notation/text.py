"""Equations as plain text, in the language that ``symbackprop.Program`` reads: ``Sum(W1[j,i]*x[n,i], i) + b1[j]``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from symbackprop.notation.expressions import Limit, limits
from symbackprop.notation.terms import Term

__all__ = ["expression_text", "terms_text"]


class TextPrinter(StrPrinter):  # type: ignore[misc]
    """SymPy's text, with positive summands first, indices without blanks and sums without ranges."""

    # Indexed brings a method of its own under SymPy's usual name, which would go first.
    printmethod = "_equation_text"

    def _print_Indexed(self, node: sympy.Indexed) -> str:
        return f"{node.base.label.name}[{','.join(map(self._print, node.indices))}]"

    def _print_Sum(self, node: sympy.Sum) -> str:
        return f"Sum({self._print(node.args[0])}, {_names(limits(node))})"

    def _print_Maximum(self, node: Any) -> str:
        return f"Max({self._print(node.args[0])}, {_names(limits(node))})"

    def _print_ArgMaximum(self, node: Any) -> str:
        return f"ArgMax({self._print(node.args[0])}, {_names(limits(node))})"

    def _print_Bracket(self, node: Any) -> str:
        return f"[{self._print(node.condition)}]"

    def _print_Add(self, node: sympy.Add, order: str | None = None) -> str:
        arguments = sorted(node.args, key=lambda a: (bool(a.could_extract_minus_sign()), not a.is_number))
        return _joined([str(self._print(argument)) for argument in arguments])


def _names(over: Sequence[Limit]) -> str:
    """The indices of a reduction, outermost first, as sum signs are written."""
    return ", ".join(i.name for i, _ in reversed(over))


@lru_cache(maxsize=1)
def _printer() -> TextPrinter:
    return TextPrinter()


def expression_text(expression: sympy.Expr) -> str:
    """An expression as text."""
    return str(_printer().doprint(expression))


def terms_text(terms: Sequence[Term]) -> str:
    """Terms in reading order, as text."""
    return _joined([_term(term) for term in terms]) if terms else "0"


def _term(term: Term) -> str:
    above, below = sympy.fraction(term.coefficient)
    sign, above = ("-", -above) if above.could_extract_minus_sign() else ("", above)
    outside, inside = term.outside, term.inside
    if above == below == 1 and not term.sums and len(term.factors) == 1 and not sign:
        return _factor(term.factors[0], 0)
    parts = [_factor(above)] if above != 1 or not term.factors else []
    parts += map(_factor, outside)
    if inside:
        parts.append(_summed(inside, term.sums))
    quotient = "" if below == 1 else f"/{_factor(below)}"
    return f"{sign}{'*'.join(parts)}{quotient}"


def _summed(factors: Sequence[sympy.Expr], over: Sequence[Limit]) -> str:
    body = _factor(factors[0], 0) if len(factors) == 1 else "*".join(map(_factor, factors))
    return f"Sum({body}, {_names(over)})"


def _factor(factor: sympy.Expr, level: int = PRECEDENCE["Mul"] + 1) -> str:
    return str(_printer().parenthesize(factor, level))


def _joined(parts: Sequence[str]) -> str:
    text = parts[0]
    for part in parts[1:]:
        text += f" - {part[1:]}" if part.startswith("-") else f" + {part}"
    return text
