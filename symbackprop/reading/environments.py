"""Environments inside a formula: definitions by cases, and matrices."""

from __future__ import annotations

from symbackprop.reading.syntax import Cases, Comparison, Matrix, Node
from symbackprop.reading.token_reader import TokenReader, shown
from symbackprop.reading.tokens import Token

__all__ = ["EnvironmentReader"]


class EnvironmentReader(TokenReader):
    """Reads cases and matrices."""

    def environment(self) -> Node:
        """A definition by cases, or a matrix."""
        start = self.at
        opened = self.take()
        name = opened.text[7:-1]
        if name in ("cases", "dcases", "cases*", "rcases"):
            return self.cases(start, opened)
        if name not in ("pmatrix", "bmatrix", "matrix", "smallmatrix", "Bmatrix", "array"):
            self.fail(f"{opened.text} is not read inside a formula", opened)
        return self.matrix(start, opened)

    def cases(self, start: int, opened: Token) -> Node:
        """The rows of a definition by cases."""
        rows: list[tuple[Node, Node | None]] = []
        while not self.next.text.startswith("\\end{"):
            value = self.expression()
            while self.next.text in ("&", ",", "\\quad"):
                self.take()
            condition = self.condition()
            rows.append((value, condition))
            while self.next.text in (",", ".", "\\quad"):
                self.take()
            if self.next.text == "\\\\":
                self.take()
            elif not self.next.text.startswith("\\end{"):
                self.fail(f"{opened.text} wants \\\\ or its end here, not {shown(self.next)}")
        self.take()
        if not rows:
            self.fail("a definition by cases without cases", opened)
        return Cases(start, self.at, tuple(rows))

    def condition(self) -> Node | None:
        """The condition of a case, None for otherwise."""
        while self.next.text == "\\quad":
            self.take()
        if self.next.kind == "word":
            word = self.take().text.strip(" ,.").lower()
            if word in ("otherwise", "else", "sonst", "or else"):
                return None
            if word.split()[-1:] not in (["if"], ["when"], ["for"], ["falls"]):
                self.fail(f"{word!r} is no condition; write 'if' and a comparison, or 'otherwise'")
        while self.next.text == "\\quad":
            self.take()
        node = self.comparison()
        if not isinstance(node, Comparison):
            self.fail("a condition is a comparison, such as z > 0")
        return node

    def matrix(self, start: int, opened: Token) -> Node:
        """The rows of a matrix, equally long."""
        rows: list[tuple[Node, ...]] = []
        row: list[Node] = []
        while not self.next.text.startswith("\\end{"):
            row.append(self.expression())
            if self.next.text == "&":
                self.take()
            elif self.next.text == "\\\\":
                self.take()
                rows.append(tuple(row))
                row = []
            elif not self.next.text.startswith("\\end{"):
                self.fail(f"{opened.text} wants & or \\\\ here, not {shown(self.next)}")
        self.take()
        if row:
            rows.append(tuple(row))
        if not rows or len({len(row) for row in rows}) != 1:
            self.fail("the rows of the matrix are not equally long", opened)
        return Matrix(start, self.at, tuple(rows))
