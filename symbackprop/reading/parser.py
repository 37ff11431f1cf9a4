r"""From the tokens of one side to its tree. What a name or a product means is decided later, by what was declared.

Binding, from loose to tight: sums and differences; entrywise products (``\odot``); products, written with a dot or
without; fractions with a slash; scripts. Everything is consumed, and what is not understood is refused with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from symbackprop.reading.brackets import CLOSING, BracketReader
from symbackprop.reading.differentials import DifferentialReader
from symbackprop.reading.environments import EnvironmentReader
from symbackprop.reading.script_reader import ScriptReader
from symbackprop.reading.sum_reader import BINDERS, SumReader
from symbackprop.reading.syntax import Addition, Node, Number, Product, Root, Script, Scripted, Symbol
from symbackprop.reading.token_reader import DEPTH, GREEK, HATS, STYLES, shown
from symbackprop.reading.tokens import END, Token

__all__ = ["DEPTH", "GREEK", "parse"]

_DIGITS = 60
_FUNCTION_NAMES = (
    "exp log ln lg tanh sinh cosh sin cos tan cot sec arctan arcsin arccos max min det dim ker sup inf Pr arg"
)
_FUNCTIONS = frozenset(f"\\{name}" for name in _FUNCTION_NAMES.split())
_DOTS = frozenset(("\\cdot", "*", "\\times"))
_ENTRYWISE = frozenset(("\\odot", "\\circ", "\\otimes", "\\bullet"))


def parse(tokens: Sequence[Token], words: Collection[str] = (), declared: Collection[str] = ()) -> Node:
    r"""The tree of one side.

    ``words`` are the names of several letters that may stand without ``\text``: ``net``, ``softmax``; ``declared``
    says which of d and e are names here. Raises UnreadFormulaError.
    """
    return _Reader(tuple(tokens), frozenset(words), frozenset(declared)).whole()


@dataclass
class _Reader(BracketReader, DifferentialReader, EnvironmentReader, ScriptReader, SumReader):
    """Sums, products, and values with their scripts."""

    def expression(self) -> Node:
        """Sums and differences."""
        self.depth += 1
        if self.depth > DEPTH:
            self.fail(f"the formula is nested more than {DEPTH} deep")
        start, terms = self.at, []
        minus, signed = self.signs()
        terms.append((minus, self.entrywise()))
        while self.next.text in ("+", "-") and not self.next.kind:
            minus, _ = self.signs()
            terms.append((minus, self.entrywise()))
        self.depth -= 1
        if len(terms) == 1 and not signed:
            return terms[0][1]
        return Addition(start, self.at, tuple(terms))

    def signs(self) -> tuple[bool, bool]:
        """Whether there is a minus, and whether there are signs at all."""
        minus, any_sign = False, False
        while self.next.text in ("+", "-", "\\pm") and not self.next.kind:
            if self.next.text == "\\pm":
                self.fail("\\pm means two formulas; write each")
            minus ^= self.take().text == "-"
            any_sign = True
        return minus, any_sign

    def entrywise(self) -> Node:
        """Products with entrywise signs between them."""
        start = self.at
        factors, operators = [self.product()], []
        while self.next.text in _ENTRYWISE:
            operators.append(self.take().text)
            minus, signed = self.signs()
            if signed and minus:
                self.fail("a minus after a product sign; put the factor in parentheses", self.tokens[self.at - 1])
            factors.append(self.product())
        if len(factors) == 1:
            return factors[0]
        return Product(start, self.at, tuple(factors), tuple(operators))

    def product(self) -> Node:
        """Factors with dots between them, or with nothing."""
        start = self.at
        factors, operators = [self.quotient()], []
        while True:
            text = self.next.text
            if text in _DOTS and not self.next.kind:
                operators.append("\\cdot")
                self.take()
                begin = self.at
                minus, signed = self.signs()
                factor = self.quotient()
                factors.append(Addition(begin, self.at, ((minus, factor),)) if signed else factor)
            elif self.starts_factor():
                bracket = self.tokens[self.at - 1].text in (")", "]", "}")
                if (self.next.text.isdigit() or self.next.text == ".") and not bracket:
                    self.fail(
                        f"a number follows {self.tokens[self.at - 1].text!r}; write it in front, or \\cdot before it"
                    )
                operators.append("")
                factors.append(self.quotient())
            else:
                break
        if len(factors) == 1:
            return factors[0]
        return Product(start, self.at, tuple(factors), tuple(operators))

    def starts_factor(self) -> bool:
        """Whether a factor begins here."""
        token = self.next
        if token.kind == END:
            return False
        if token.kind == "word":
            return bool(token.text)
        text = token.text
        if text in ("|", "\\|"):
            return not (self.bars if text == "|" else self.double)
        return (
            text.isalnum()
            or text in GREEK
            or text in _FUNCTIONS
            or text in _ATOMS
            or text in HATS
            or text in STYLES
            or text in ("(", "[", "\\{", "{", ".")
            or text.startswith("\\begin{")
        )

    def factor(self) -> Node:
        """A value with its scripts."""
        start = self.at
        node = self.atom()
        below: list[Script] = []
        above: list[Script] = []
        primes = 0
        while self.next.text in ("_", "^", "'") and not self.next.kind:
            mark = self.take()
            if mark.text == "'":
                primes += 1
            elif mark.text == "_":
                if below:
                    self.fail("two subscripts on one symbol; write _{...,...}", mark)
                below = self.subscripts()
            else:
                scripts = self.superscripts()
                primes += sum(script.kind == "prime" for script in scripts)
                above += [script for script in scripts if script.kind != "prime"]
        if not (below or above or primes):
            return node
        return Scripted(start, self.at, node, tuple(below), tuple(above), primes)

    def atom(self) -> Node:
        """A value without scripts."""
        token = self.next
        start = self.at
        if token.kind == END:
            self.fail("the formula ends where a value is missing")
        if token.kind == "word":
            self.take()
            return Symbol(start, self.at, token.text, word=True)
        if token.text.isdigit() or token.text == ".":
            return self.number()
        if token.text in BINDERS and (token.text in ("\\sum", "\\prod") or self.peek().text == "_"):
            return self.summation()
        read = _ATOMS.get(token.text)
        if read is not None:
            return read(self)
        if token.text in HATS or token.text in STYLES:
            return self.dressed()
        if token.text in GREEK or token.text in _FUNCTIONS:
            self.take()
            return Symbol(start, self.at, token.text)
        if token.text.isalpha() and len(token.text) == 1:
            return self.letters()
        if token.text in CLOSING:
            return self.group()
        if token.text in ("|", "\\lvert", "\\|"):
            return self.absolute()
        if token.text.startswith("\\") and not token.text.startswith("\\begin{"):
            self.fail(f"unknown command {token.text}; define it with \\newcommand, or write it out")
        if not token.text.startswith("\\"):
            self.fail(f"a value is missing before {shown(token)}")
        return self.environment()

    def letters(self) -> Node:
        """One letter, or the longest declared word that stands here."""
        start = self.at
        run = [self.take().text]
        while self.next.text.isalpha() and len(self.next.text) == 1 and not self.next.kind and not self.next.spaced:
            run.append(self.take().text)
        text = "".join(run)
        length = next((n for n in range(len(text), 1, -1) if text[:n] in self.words), 1)
        self.at = start + length
        if text[:1] == "d" and length == 1 and "d" not in self.declared and self.is_differential():
            return self.differential(start)
        return Symbol(start, self.at, text[:length], word=length > 1)

    def dressed(self) -> Node:
        r"""\hat y, \mathbf{W}: a hat makes another name, a style does not."""
        start = self.at
        command = self.take()
        opened = self.next
        if opened.text == "{":
            self.take()
            inner = self.factor()
            self.expect("}", opened)
        else:
            inner = self.atom() if not opened.text.isdigit() else self.digit()
        core = inner.base if isinstance(inner, Scripted) else inner
        if isinstance(core, Number) and command.text == "\\mathbf":
            core = Symbol(core.start, core.stop, core.text, bold=True)
        if not isinstance(core, Symbol):
            self.fail(f"{command.text} stands over something that is no symbol", command)
        hat = HATS.get(command.text)
        name = f"{hat}:{core.name}" if hat else core.name
        symbol = Symbol(start, self.at, name, core.bold or command.text == "\\mathbf", core.word)
        if isinstance(inner, Scripted):
            return replace(inner, start=start, stop=self.at, base=symbol)
        return symbol

    def digit(self) -> Node:
        """One digit, as TeX takes it for an argument."""
        start = self.at
        return Number(start, self.at + 1, self.take().text)

    def number(self) -> Node:
        """Digits with at most one point."""
        start, digits = self.at, ""
        while (self.next.text.isdigit() or self.next.text == ".") and not self.next.kind:
            if digits and self.next.spaced:
                break
            if self.next.text == "." and not self.peek().text.isdigit():
                break
            digits += self.take().text
            if self.next.text == "," and self.peek().text == "\\!":
                self.take()
        if len(digits) > _DIGITS:
            self.fail(f"a number of {len(digits)} digits; at most {_DIGITS} are read", self.tokens[start])
        if digits.count(".") > 1 or digits in ("", "."):
            self.fail(f"{digits or '.'!r} is no number", self.tokens[start])
        return Number(start, self.at, digits)

    def argument(self, of: Token) -> Node:
        """What TeX takes as an argument: a group in braces, or a single token."""
        token = self.next
        if token.text == "{":
            return self.group()
        if token.text.isdigit():
            return self.digit()
        if token.kind == END or token.text in ("}", "&"):
            self.fail(f"{of.text} wants an argument in braces here")
        if token.text.isalpha() and len(token.text) == 1:
            self.take()
            return Symbol(self.at - 1, self.at, token.text)
        return self.atom()

    def root(self) -> Node:
        r"""\sqrt."""
        start = self.at
        command = self.take()
        degree = None
        if self.next.text == "[":
            opened = self.take()
            degree = self.expression()
            self.expect("]", opened)
        return Root(start, self.at, self.argument(command), degree)


_ATOMS: dict[str, Callable[[_Reader], Node]] = {
    "\\frac": _Reader.fraction,
    "\\sqrt": _Reader.root,
    "\\partial": _Reader.partial,
    "\\nabla": _Reader.nabla,
    "\\left.": _Reader.marked,
    "\\sum": _Reader.summation,
    "\\prod": _Reader.summation,
}
"""Commands that a value starts with."""
