"""An elementwise expression as LaTeX: an activation in z, a loss in a and y.

A strict reader of our own takes the notation apart: calls, fractions, roots, bars, exponents, numbers become opaque
one-letter names, and what is left, arithmetic over letters, is read by latex2sympy2
(``symbackprop.specification.arithmetic``). What has two readings in print is refused with the way to write it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

import sympy

from symbackprop.errors import UnreadableError, nearest
from symbackprop.functions.library import FUNCTIONS
from symbackprop.functions.translate import translate
from symbackprop.specification.arithmetic import LETTERS, read_arithmetic
from symbackprop.specification.bounds import DIGITS, clipped, excess_of_number, excess_under_exponential
from symbackprop.specification.equation_syntax import CHOICES
from symbackprop.specification.known_functions import KNOWN_FUNCTIONS, larger, smaller
from symbackprop.specification.latex_tokens import Token, tokenize

__all__ = ["expression_from_latex"]

_DEPTH = 50
_CLOSING = {"(": ")", "[": "]", "\\{": "\\}", "{": "}"}
_CHOICES = {"max": larger, "min": smaller}
_WRITTEN = frozenset(("\\operatorname", "\\mathrm", "\\text", "\\textrm"))
_CONSTANTS = {"\\pi": sympy.pi}
_EULER = (("e",), ("\\mathrm", "{", "e", "}"), ("\\text", "{", "e", "}"))
"""How Euler's number is written before a hat."""

_SYMBOLS = {function.record.latex: name for name, function in FUNCTIONS.items()}
_COMMANDS: dict[str, str] = {
    **{symbol: name for symbol, name in _SYMBOLS.items() if re.fullmatch(r"\\[A-Za-z]+", symbol)},
    **{f"\\{name}": name for name in ("exp", "log", "tanh", "sinh", "cosh", "sin", "cos", "max", "min")},
    "\\ln": "log",
    "\\arctan": "atan",
}
"""Functions by their LaTeX command."""
_ALIASES: dict[str, str] = {
    **{re.sub(r"\\operatorname|[{}]", "", symbol): name for symbol, name in _SYMBOLS.items()},
    **{name: name for name in (*_CHOICES, *KNOWN_FUNCTIONS)},
    "sgn": "sign",
    "ln": "log",
    "arctan": "atan",
}
"""Functions by the name in \\operatorname{...}."""
_FUNCTION_STARTS = (*_COMMANDS, *_WRITTEN)
_KNOWN_COMMANDS = sorted(("\\frac", "\\sqrt", *_CONSTANTS, *_FUNCTION_STARTS))


def expression_from_latex(latex: str, symbols: tuple[str, ...], where: str) -> sympy.Expr:
    r"""The expression that ``latex`` is in the given one-letter real ``symbols``.

    ``\log`` and ``\ln`` are the natural logarithm, ``e^{...}`` the exponential, |z| and ``\max`` the language's own;
    ``\sigma(z)`` and ``\operatorname{relu}(z)`` call the functions of the library. Raises UnreadableError, with
    ``where``, line and column, for everything that is not understood completely.
    """

    def fail(reason: str, at: Token) -> NoReturn:
        raise UnreadableError(f"{where}: {clipped(latex)}, line {at.line}, column {at.column}: {reason}")

    reader = _Reader(tokenize(latex, fail), {name: sympy.Symbol(name, real=True) for name in symbols}, fail)
    return translate(reader.whole())


@dataclass
class _Chunk:
    """Arithmetic on its way to latex2sympy2: the values that its letters stand for."""

    values: dict[str, sympy.Expr] = field(default_factory=dict)

    def letter(self, value: sympy.Expr) -> str:
        name = LETTERS[len(self.values)]
        self.values[name] = value
        return name

    @property
    def is_full(self) -> bool:
        # One factor with its exponent, and what a collapsed sum and product keep, must still find room.
        return len(self.values) > len(LETTERS) - 6


@dataclass
class _Reader:
    tokens: tuple[Token, ...]
    symbols: Mapping[str, sympy.Expr]
    fail: Callable[[str, Token], NoReturn]
    at: int = 0
    depth: int = 0
    bars: int = 0
    choices: int = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.next
        self.at += 1
        return token

    def expect(self, text: str, opened: Token) -> None:
        if self.next.text != text:
            found = repr(self.next.text) if self.next.text else "the end"
            reason = f"{opened.text!r} at column {opened.column} wants a closing {text!r} here, not {found}"
            self.fail(reason, self.next)
        self.take()

    def whole(self) -> sympy.Expr:
        value = self.expression()
        if self.next.text:
            self.fail(f"{self.next.text!r} is left over; it closes or separates nothing", self.next)
        return value

    def expression(self) -> sympy.Expr:
        """Terms with signs between them, up to what cannot continue them."""
        self.depth += 1
        if self.depth > _DEPTH:
            self.fail(f"the formula is nested more than {_DEPTH} deep", self.next)
        start, chunk = self.next, _Chunk()
        text = f"-{self.term(chunk)}" if self.signs() else self.term(chunk)
        while self.next.text in ("+", "-"):
            if chunk.is_full:
                chunk, text = self.collapsed(chunk, text, start)
            operator = self.take().text
            term = self.term(chunk)
            text += f"{operator}{term}"
        self.depth -= 1
        return self.read(chunk, text, start)

    def signs(self) -> bool:
        """Skip the signs that stand here; whether they make a minus."""
        minus = False
        while self.next.text in ("+", "-"):
            minus ^= self.take().text == "-"
        return minus

    def collapsed(self, chunk: _Chunk, text: str, start: Token) -> tuple[_Chunk, str]:
        """A new chunk in which what was read so far is one letter."""
        value, new = self.read(chunk, text, start), _Chunk()
        return new, new.letter(value)

    def read(self, chunk: _Chunk, text: str, start: Token) -> sympy.Expr:
        """The value of a finished chunk; a single letter needs no parser."""
        if text in chunk.values:
            return chunk.values[text]
        try:
            value = read_arithmetic(text, chunk.values)
        except UnreadableError as error:
            self.fail(str(error), start)
        return self.checked(value, start)

    def checked(self, value: sympy.Expr, start: Token) -> sympy.Expr:
        reason = excess_of_number(value)
        if reason:
            self.fail(reason, start)
        return value

    def term(self, outer: _Chunk) -> str:
        """A product, as a text over letters of ``outer``: a chunk of its own where it has more than one factor."""
        start, chunk = self.next, _Chunk()
        text = self.factor(chunk)
        divided = False
        while True:
            if chunk.is_full:
                chunk, text = self.collapsed(chunk, text, start)
            if self.next.text in ("*", "/"):
                divided = self.take().text == "/"
                factor = self.factor(chunk)
                text = f"\\frac{{{text}}}{{{factor}}}" if divided else f"{text}\\cdot {factor}"
            elif self.starts_factor():
                self.check_juxtaposition(divided)
                text = f"{text}\\cdot {self.factor(chunk)}"
            else:
                return outer.letter(self.read(chunk, text, start))

    def starts_factor(self) -> bool:
        text = self.next.text
        return text.isalpha() or (text in _ATOM_READERS and not (text == "|" and self.bars))

    def check_juxtaposition(self, divided: bool) -> None:
        before, token = self.tokens[self.at - 1], self.next
        if token.text.isdigit() or token.text == ".":
            self.fail(f"the number follows {before.text!r}; write it in front, or \\cdot before it", token)
        if divided:
            self.fail("a product after / has two readings; write \\frac{...}{...} or parentheses", token)
        if token.text == "\\frac" and before.text.isdigit() and self.tokens[self.at + 1].text.isdigit():
            self.fail("a number before a number's fraction has two readings; write \\cdot between them", token)

    def factor(self, chunk: _Chunk) -> str:
        """A base and its exponent, as a text over letters of ``chunk``."""
        if self.next.text in ("+", "-"):
            minus = self.signs()
            value = self.separate()
            return chunk.letter(-value if minus else value)
        start = self.next
        if self.is_euler():
            power = self.exponent()
            base = self.call(sympy.exp, power, start)
        else:
            base = self.atom()
            if self.next.text == "^":
                exponent = self.exponent()
                return f"{chunk.letter(base)}^{{{chunk.letter(exponent)}}}"
        return chunk.letter(base)

    def separate(self) -> sympy.Expr:
        """One factor as a value of its own."""
        start, chunk = self.next, _Chunk()
        return self.read(chunk, self.factor(chunk), start)

    def is_euler(self) -> bool:
        """Skip an e that a power follows; it is Euler's number there and nowhere else."""
        texts = tuple(token.text for token in self.tokens[self.at : self.at + 5])
        length = next((len(form) for form in _EULER if texts[: len(form) + 1] == (*form, "^")), 0)
        if "e" in self.symbols or not length:
            return False
        self.at += length
        return True

    def exponent(self) -> sympy.Expr:
        hat = self.take()
        token = self.next
        if token.text == "{":
            label = self.tokens[self.at + 1].text == "(" and self.tokens[self.at + 3].text == ")"
            value = self.group()
            if label and value.is_Integer:
                self.fail(f"^{{({value})}} looks like a label; write ^{{{value}}} for a power", token)
        elif token.text.isdigit():
            value = sympy.Integer(self.take().text)
            if self.next.text.isdigit() and not self.next.spaced:
                self.fail("only the first digit is the exponent in print; write ^{...}", self.next)
        elif token.text in ("\\frac", *_CONSTANTS) or (token.text.isalpha() and token.text in self.symbols):
            value = self.atom()
        else:
            self.fail("the exponent is missing; write ^{...}", hat if not token.text else token)
        if self.next.text == "^":
            self.fail("two exponents in a row; write ^{...^{...}} or parentheses", self.next)
        return value

    def atom(self) -> sympy.Expr:
        token = self.next
        if token.text in self.symbols:
            return self.symbols[self.take().text]
        read = _ATOM_READERS.get(token.text)
        if read is None:
            self.fail(self.unknown(token), token)
        return read(self)

    def constant(self) -> sympy.Expr:
        return _CONSTANTS[self.take().text]

    def unknown(self, token: Token) -> str:
        if not token.text:
            return "the formula ends where a value is missing"
        if token.text == "e":
            return "unknown symbol 'e'; write e^{...}, or \\exp(1) for the number"
        if token.text.isalpha():
            return f"unknown symbol {token.text!r}; {nearest(token.text, self.symbols)}"
        if token.text.startswith("\\") and token.text[1:].isalpha() and token.text not in ("\\rvert",):
            return f"unknown command {token.text}; {nearest(token.text, _KNOWN_COMMANDS)}"
        return f"a value is missing before {token.text!r}"

    def number(self) -> sympy.Expr:
        start, digits = self.next, ""
        while self.next.text.isdigit() or self.next.text == ".":
            if digits and self.next.spaced:
                break
            digits += self.take().text
        if len(digits) > DIGITS:
            self.fail(f"a number of {len(digits)} digits; at most {DIGITS} are read", start)
        if digits.count(".") > 1 or digits == ".":
            self.fail(f"{digits!r} is no number", start)
        return sympy.Rational(digits)

    def group(self) -> sympy.Expr:
        opened = self.take()
        bars, self.bars = self.bars, 0
        value = self.expression()
        self.bars = bars
        self.expect(_CLOSING[opened.text], opened)
        return value

    def absolute(self) -> sympy.Expr:
        opened = self.take()
        self.bars += opened.text == "|"
        value = self.expression()
        self.bars -= opened.text == "|"
        self.expect("|" if opened.text == "|" else "\\rvert", opened)
        return FUNCTIONS["absolute"](value)

    def argument(self, of: Token) -> sympy.Expr:
        """What TeX takes as an argument: a group in braces, or a single token."""
        token = self.next
        if token.text == "{":
            return self.group()
        if token.text.isdigit():
            return sympy.Integer(self.take().text)
        if token.text not in self.symbols and token.text not in _CONSTANTS:
            self.fail(f"{of.text} wants an argument in braces here", token)
        return self.atom()

    def fraction(self) -> sympy.Expr:
        command = self.take()
        above = self.argument(command)
        start = self.next
        below = self.argument(command)
        if below.is_zero:
            self.fail("division by zero", start)
        chunk = _Chunk()
        return self.read(chunk, f"\\frac{{{chunk.letter(above)}}}{{{chunk.letter(below)}}}", command)

    def root(self) -> sympy.Expr:
        command = self.take()
        degree: sympy.Expr = sympy.Integer(2)
        if self.next.text == "[":
            opened = self.next
            degree = self.group()
            # An odd root of a negative number is real in print, and complex in SymPy.
            if not degree.is_Integer or not 2 <= degree <= 100 or degree % 2:
                reason = f"the degree of a root is an even integer from 2 to 100, not {degree}; write a power of |...|"
                self.fail(reason, opened)
        return self.checked(sympy.root(self.argument(command), degree), command)

    def function(self) -> sympy.Expr:
        start = self.next
        name = self.function_name()
        power = self.function_power(start)
        if name in _CHOICES:
            value = self.choice(name, start)
        else:
            self.count_choice(name == "sign", start)
            argument, bare = self.function_argument(start)
            value = self.call(KNOWN_FUNCTIONS[name], argument, start)
            if bare and (self.next.text in ("^", "*", "/") or self.starts_factor()):
                self.fail(f"where the argument of {start.text} ends is not clear; put it in parentheses", self.next)
        return value**power

    def call(self, function: Callable[[sympy.Expr], sympy.Expr], argument: sympy.Expr, start: Token) -> sympy.Expr:
        reason = excess_under_exponential(argument) if function is sympy.exp else ""
        if reason:
            self.fail(reason, start)
        return self.checked(function(argument), start)

    def function_name(self) -> str:
        command = self.take()
        if command.text in _COMMANDS:
            return _COMMANDS[command.text]
        opened = self.next
        if opened.text != "{":
            self.fail(f"{command.text} wants the name of a function in braces", opened)
        self.take()
        name, depth = "", 1
        while True:
            token = self.take()
            depth += (token.text == "{") - (token.text == "}")
            if not depth:
                break
            if not token.text:
                self.fail(f"{opened.text!r} is never closed", opened)
            name += {"\\_": "_", "{": "", "}": ""}.get(token.text, token.text)
        known = _ALIASES.get(name) or _ALIASES.get(name.lower())
        if known is None:
            self.fail(f"unknown function {name!r}; {nearest(name, sorted(_ALIASES))}", opened)
        return known

    def function_power(self, start: Token) -> sympy.Expr:
        r"""The exponent between a function and its argument, as in \tanh^2(z)."""
        if self.next.text != "^":
            return sympy.Integer(1)
        hat = self.next
        power = self.exponent()
        if not (power.is_Integer and 0 < power <= 100):
            reason = (
                f"{start.text}^{{{power}}} may mean an inverse; write the power outside, ({start.text}(...))^{{...}}"
            )
            self.fail(reason, hat)
        return power

    def function_argument(self, start: Token) -> tuple[sympy.Expr, bool]:
        """The argument, and whether it stands there without brackets."""
        token = self.next
        if token.text in ("(", "[", "\\{"):
            return self.group(), False
        if token.text == "{":
            return self.group(), True
        if token.text in _FUNCTION_STARTS:
            return self.function(), False
        if not self.starts_factor() or (token.text == "e" and "e" not in self.symbols):
            self.fail(f"the argument of {start.text} is missing; write it in parentheses", token)
        return self.atom(), True

    def choice(self, name: str, start: Token) -> sympy.Expr:
        opened = self.take()
        if opened.text not in ("(", "[", "\\{"):
            self.fail(f"{start.text} wants its values in parentheses, as in {start.text}(0, z)", opened)
        bars, self.bars = self.bars, 0
        value, count = translate(self.expression()), 1
        while self.next.text == ",":
            self.take()
            self.count_choice(True, start)
            value, count = _CHOICES[name](value, translate(self.expression())), count + 1
        self.bars = bars
        self.expect(_CLOSING[opened.text], opened)
        if count < 2:
            self.fail(f"{start.text} wants two values or more, as in {start.text}(0, z)", start)
        return value

    def count_choice(self, more: bool, start: Token) -> None:
        self.choices += more
        if self.choices > CHOICES:
            self.fail(f"at most {CHOICES} of max, min and sign in one formula", start)


_ATOM_READERS: dict[str, Callable[[_Reader], sympy.Expr]] = {
    **dict.fromkeys(".0123456789", _Reader.number),
    **dict.fromkeys(_CLOSING, _Reader.group),
    **dict.fromkeys(("|", "\\lvert"), _Reader.absolute),
    **dict.fromkeys(_CONSTANTS, _Reader.constant),
    **dict.fromkeys(_FUNCTION_STARTS, _Reader.function),
    "\\frac": _Reader.fraction,
    "\\sqrt": _Reader.root,
}
"""How a value starts that is no symbol."""
