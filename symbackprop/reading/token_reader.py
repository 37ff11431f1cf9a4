"""A place in the tokens of one side, and what every reader of a part of a formula needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from symbackprop.reading.syntax import Node
from symbackprop.reading.tokens import END, Token

__all__ = ["DEPTH", "GREEK", "HATS", "STYLES", "TokenReader", "shown", "split"]

DEPTH = 40
"""The deepest nesting of one formula."""
_LETTERS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi varphi "
    "chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell nabla vartheta varrho varsigma"
)
GREEK = frozenset(f"\\{name}" for name in _LETTERS.split())
"""The commands that are letters."""
HATS = {"\\hat": "hat", "\\bar": "bar", "\\tilde": "tilde", "\\dot": "dot"}
"""What stands over a letter and makes another name of it."""
STYLES = frozenset(("\\mathbf", "\\mathcal", "\\mathfrak"))
"""What changes how a letter looks."""


@dataclass
class TokenReader(ABC):
    """A place in the tokens of one side; the readers of the parts of a formula read on from there."""

    tokens: tuple[Token, ...]
    words: frozenset[str]
    declared: frozenset[str]
    at: int = 0
    depth: int = 0
    bars: int = 0
    double: int = 0

    @property
    def next(self) -> Token:
        """The token that is read next."""
        return self.tokens[min(self.at, len(self.tokens) - 1)]

    def peek(self, ahead: int = 1) -> Token:
        """A token further on."""
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def take(self) -> Token:
        """The next token, which is read by this."""
        token = self.next
        self.at += 1
        return token

    def fail(self, reason: str, token: Token | None = None) -> NoReturn:
        """Refuse the formula, at a token."""
        (token or self.next).fail(reason)

    def expect(self, text: str, opened: Token) -> None:
        """Read what closes ``opened``."""
        if self.next.text != text or self.next.kind == END:
            self.fail(
                f"{opened.text!r} at column {opened.column} wants a closing {text!r} here, not {shown(self.next)}"
            )
        self.take()

    def raw_argument(self, of: Token) -> list[Token]:
        """The tokens of an argument."""
        if self.next.text != "{":
            if self.next.kind == END:
                self.fail(f"{of.text} wants an index here")
            return [self.take()]
        opened = self.take()
        depth = 1
        inside: list[Token] = []
        while True:
            token = self.take()
            if token.kind == END:
                self.fail(f"{opened.text!r} is never closed", opened)
            depth += (token.text == "{") - (token.text == "}")
            if not depth:
                return inside
            inside.append(token)

    def whole(self) -> Node:
        """The expression that all of the tokens are."""
        node = self.expression()
        if self.next.kind != END:
            self.fail(f"{shown(self.next)} is left over; it closes or separates nothing")
        return node

    def alone(self, tokens: Sequence[Token]) -> Node:
        """The expression that other tokens are, which know no words."""
        return type(self)(tuple(tokens), frozenset(), frozenset()).whole()

    @abstractmethod
    def expression(self) -> Node:
        """Sums and differences."""

    @abstractmethod
    def signs(self) -> tuple[bool, bool]:
        """Whether there is a minus, and whether there are signs at all."""

    @abstractmethod
    def entrywise(self) -> Node:
        """Products with entrywise signs between them."""

    @abstractmethod
    def starts_factor(self) -> bool:
        """Whether a factor begins here."""

    @abstractmethod
    def factor(self) -> Node:
        """A value with its scripts."""

    @abstractmethod
    def atom(self) -> Node:
        """A value without scripts."""

    @abstractmethod
    def argument(self, of: Token) -> Node:
        """What TeX takes as an argument: a group in braces, or a single token."""

    @abstractmethod
    def comparison(self) -> Node:
        """An expression, or two with a sign of order between them."""


def shown(token: Token) -> str:
    """How a token is called in a reason."""
    return repr(token.text) if token.kind != END else "the end"


def split(tokens: Sequence[Token], at: str) -> list[list[Token]]:
    """The pieces of tokens between the separators that stand in no brackets."""
    pieces: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.text in "{(") - (token.text in "})") if token.text else 0
        if token.text == at and not depth:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces
