"""Brackets, bars, and what stands in them: lists and comparisons."""

from __future__ import annotations

from symbackprop.reading.syntax import Bars, Comparison, Group, Listing, Node, Product
from symbackprop.reading.token_reader import TokenReader

__all__ = ["CLOSING", "BracketReader"]

CLOSING = {"(": ")", "[": "]", "\\{": "\\}", "{": "}", "\\lfloor": "\\rfloor", "\\langle": "\\rangle"}
"""The brackets that open, and what closes them."""
_ORDERS = frozenset(("=", "<", ">", "\\leq", "\\geq", "\\neq"))


class BracketReader(TokenReader):
    """Reads brackets."""

    def group(self) -> Node:
        """What stands in brackets."""
        start = self.at
        opened = self.take()
        bars, double, self.bars, self.double = self.bars, self.double, 0, 0
        body = self.listing()
        between = self.between(start, body) if opened.text == "[" else None
        self.bars, self.double = bars, double
        self.expect(CLOSING[opened.text], opened)
        if between is not None:
            return between
        if opened.text == "{":
            return body if not isinstance(body, Listing) else Group(start, self.at, body, "{")
        return Group(start, self.at, body, opened.text)

    def between(self, start: int, first: Node) -> Node | None:
        """[a < b < c]: both of the two, as a product of brackets."""
        if not isinstance(first, Comparison) or self.next.text not in _ORDERS or self.next.kind:
            return None
        relation = self.take().text
        second = Comparison(start, self.at, first.right, relation, self.expression())
        brackets = tuple(Group(start, self.at, part, "[") for part in (first, second))
        return Group(start, self.at, Product(start, self.at, brackets, ("\\cdot",)), "(")

    def listing(self) -> Node:
        """Expressions or comparisons with commas between them."""
        start = self.at
        items = [self.comparison()]
        while self.next.text in (",", ";") and not self.next.kind:
            self.take()
            items.append(self.comparison())
        return items[0] if len(items) == 1 else Listing(start, self.at, tuple(items))

    def comparison(self) -> Node:
        """An expression, or two with a sign of order between them."""
        start = self.at
        left = self.expression()
        if self.next.text in _ORDERS and not self.next.kind:
            relation = self.take().text
            return Comparison(start, self.at, left, relation, self.expression())
        return left

    def absolute(self) -> Node:
        """What stands between bars."""
        start = self.at
        opened = self.take()
        double = opened.text == "\\|"
        bars, twice = self.bars, self.double
        self.bars, self.double = (0, twice + 1) if double else (bars + 1, 0)
        body = self.expression()
        self.bars, self.double = bars, twice
        self.expect("\\rvert" if opened.text == "\\lvert" else opened.text, opened)
        return Bars(start, self.at, body, double)
