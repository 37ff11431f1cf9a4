r"""Sums and products with their limits: \sum_{k=1}^{K}, \sum_{i,j}, \sum_{k \ne j}."""

from __future__ import annotations

from symbackprop.reading.syntax import Addition, Node, Summation
from symbackprop.reading.token_reader import TokenReader, split
from symbackprop.reading.tokens import END, Token, joined

__all__ = ["BINDERS", "SumReader"]

BINDERS = {"\\sum": "sum", "\\prod": "product", "\\max": "max", "\\min": "min"}
"""The commands that bind an index."""
_GREEK_INDICES = ("\\ell", "\\mu", "\\nu", "\\alpha", "\\beta")
_Limits = tuple[tuple[tuple[str, Node | None, Node | None], ...], tuple[tuple[str, str], ...]]


class SumReader(TokenReader):
    """Reads sums."""

    def summation(self) -> Node:
        r"""A sum or product with its index, \max and \min as well."""
        start = self.at
        command = self.take()
        lower: list[Token] = []
        upper: Node | None = None
        while self.next.text in ("_", "^"):
            mark = self.take()
            if mark.text == "_":
                lower = self.raw_argument(command)
            else:
                upper = self.argument(command)
        indices, excluded = self.limits(lower, upper, command)
        minus, signed = self.signs()
        begin = self.at
        body = self.entrywise()
        if signed:
            body = Addition(begin, self.at, ((minus, body),))
        return Summation(start, self.at, BINDERS[command.text], indices, body, excluded)

    def limits(self, lower: list[Token], upper: Node | None, command: Token) -> _Limits:
        r"""The indices of a sum: ``k``, ``k=1``, ``i,j``, ``k \ne j``, ``1 \leq k \leq K``."""
        if not lower:
            if upper is not None:
                command.fail("the sum has an upper limit and no index")
            return (), ()
        found: list[tuple[str, Node | None, Node | None]] = []
        excluded: list[tuple[str, str]] = []
        for piece in split(lower, ","):
            texts = [token.text for token in piece]
            end = Token("", command.line, command.column, kind=END)
            if len(piece) == 1 and _is_index(piece[0]):
                found.append((texts[0], None, upper))
            elif len(piece) > 2 and texts[1] == "=" and _is_index(piece[0]):
                found.append((texts[0], self.alone((*piece[2:], end)), upper))
            elif len(piece) == 3 and texts[1] == "\\neq":
                if not any(name == texts[0] for name, _, _ in found):
                    found.append((texts[0], None, upper))
                excluded.append((texts[0], texts[2]))
            elif len(piece) > 1 and all(_is_index(token) for token in piece):
                found += [(text, None, upper) for text in texts]
            else:
                command.fail(f"{joined(piece)!r} below the sum is not read; write one index, as in \\sum_{{k=1}}^{{K}}")
        return tuple(found), tuple(excluded)


def _is_index(token: Token) -> bool:
    return (token.text.isalpha() and len(token.text) == 1) or token.text in _GREEK_INDICES
