r"""Derivatives: \frac{\partial L}{\partial W}, dL/dW, \nabla_W L, and values at a place."""

from __future__ import annotations

from symbackprop.reading.syntax import Derivative, Differential, Fraction, Marked, Node, Product, Symbol
from symbackprop.reading.token_reader import GREEK, HATS, STYLES, TokenReader, shown
from symbackprop.reading.tokens import END, joined

__all__ = ["DifferentialReader"]


class DifferentialReader(TokenReader):
    """Reads derivatives, and the fractions that are none."""

    def quotient(self) -> Node:
        """Factors with slashes between them; d L / d W is a derivative."""
        start = self.at
        node = self.factor()
        while self.next.text == "/" and not self.next.kind:
            self.take()
            below = self.factor()
            if isinstance(node, Differential) and isinstance(below, Differential):
                node = self.derivative(start, node, below)
            else:
                node = Fraction(start, self.at, node, below)
        return node

    def derivative(self, start: int, above: Differential, below: Differential) -> Derivative:
        """A derivative, out of what stands above and below."""
        if below.body is None:
            self.fail("the derivative does not say by what", self.tokens[below.start])
        return Derivative(start, self.at, above.body, below.body)

    def is_differential(self) -> bool:
        """Whether the letter d that was just taken stands before what is differentiated."""
        before = self.tokens[self.at - 2] if self.at > 1 else None
        token = self.next
        above = self.tokens[self.at - 3].text if self.at > 2 else ""
        opens = before is not None and before.text == "{" and above == "\\frac"
        named = token.text.isalpha() or token.text in GREEK or token.text in HATS or token.text in STYLES
        if token.kind == "word":
            named = True
        return bool(token.kind != END and (named or (opens and token.text == "}")) and token.text not in ("\\nabla",))

    def differential(self, start: int) -> Node:
        """What is differentiated, behind its d."""
        if self.next.text == "^":
            self.fail("second derivatives are not read here")
        if self.next.text in ("}", "{") or self.next.kind == END:
            if self.next.text == "{" and self.tokens[start].text == "\\partial":
                return Differential(start, self.at, None)
            if self.next.text != "{":
                return Differential(start, self.at, None)
        body = self.factor()
        return Differential(start, self.at, body)

    def partial(self) -> Node:
        r"""\partial, and what it stands before."""
        start = self.at
        self.take()
        if self.next.text in ("}",) or self.next.kind == END:
            return Differential(start, self.at, None)
        return self.differential(start)

    def fraction(self) -> Node:
        r"""\frac, which may be a derivative."""
        start = self.at
        command = self.take()
        above = self.argument(command)
        below = self.argument(command)
        upper, lower = _as_differential(above), _as_differential(below)
        if upper is not None and lower is not None:
            return self.derivative(start, upper, lower)
        if upper is not None and isinstance(above, Differential):
            self.fail("the derivative does not say by what", self.tokens[below.start])
        return Fraction(start, self.at, above, below)

    def nabla(self) -> Node:
        r"""\nabla: the derivative by all of what stands below it."""
        start = self.at
        token = self.take()
        by: Node | None = None
        if self.next.text == "_":
            self.take()
            opened = self.next
            if opened.text == "{":
                self.take()
                by = self.factor()
                self.expect("}", opened)
            else:
                by = self.atom()
        if self.next.text == "^":
            self.fail("second derivatives are not read here")
        if not self.starts_factor():
            self.fail("\\nabla stands before nothing", token)
        of = self.factor()
        if by is None:
            by = Symbol(start, start + 1, "\\nabla")
        return Derivative(start, self.at, of, by)

    def marked(self) -> Node:
        r"""\left. ... |_{...}: a value at a place."""
        start = self.at
        opened = self.take()
        body = self.expression()
        if self.next.text not in ("|", "\\rvert"):
            self.fail(f"{opened.text!r} wants a bar here, not {shown(self.next)}")
        self.take()
        if self.next.text != "_":
            self.fail("the bar behind the derivative says nothing; write |_{...}")
        self.take()
        before = self.at
        self.argument(opened)
        return Marked(start, self.at, body, joined(self.tokens[before : self.at]).strip("{}"))


def _as_differential(node: Node) -> Differential | None:
    """``node`` as what stands above or below in a derivative, if it is such a thing."""
    if isinstance(node, Differential):
        return node
    if isinstance(node, Product) and isinstance(node.factors[0], Differential) and not any(node.operators):
        first = node.factors[0]
        if first.body is None:
            rest = node.factors[1:]
            body = rest[0] if len(rest) == 1 else Product(rest[0].start, node.stop, rest, node.operators[1:])
            return Differential(node.start, node.stop, body)
    return None
