"""The syntax of an equation's text: what may be written, before anything is known about names and shapes.

The text is scanned for its characters and the sizes of its numbers, parsed by Python's own grammar, and the tree is
held against a list of allowed nodes. Nothing is ever evaluated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from symbackprop.errors import nearest
from symbackprop.specification.bounds import CASES, DEPTH, DIGITS, EXPONENT, LENGTH
from symbackprop.specification.known_functions import KNOWN_FUNCTIONS

__all__ = ["CHOICES", "REDUCTIONS", "ParsedSide", "chain", "parse_equation", "parse_size", "positions"]

REDUCTIONS = ("Sum", "Max", "Min")
"""Calls whose further arguments may be indices."""
CHOICES = 8
"""The most elementwise Max, Min and sign in one equation: each writes its argument twice."""

Fail = Callable[[str, int], NoReturn]
"""Raises the error with a reason, at a column counted from 1."""

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<operator>\*\*|[<>=!]=|[-+*/()\[\],<>=:])"
)
_REMEDIES = {
    "^": "write ** for a power",
    "@": "write a product over an index as Sum(W[j,i]*x[n,i], i)",
    "'": "strings are not part of an equation",
    '"': "strings are not part of an equation",
    "#": "comments are not part of an equation",
    ".": "numbers look like 0.5 or 1e-3, and there are no attributes",
    "{": "use ( and )",
    "}": "use ( and )",
}
_PAIRS = {")": "(", "]": "["}


@dataclass(frozen=True)
class ParsedSide:
    """One side of an equation: its syntax tree, and the text that the tree's columns count in."""

    tree: ast.expr
    text: str
    offset: int

    def column(self, node: ast.AST) -> int:
        """The column of ``node`` in the whole equation, from 1."""
        return self.offset + int(getattr(node, "col_offset", 0)) + 1

    def source(self, node: ast.AST) -> str:
        """The text of ``node`` as it was written."""
        start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", None)
        return self.text[start:end]


def parse_equation(text: str, fail: Fail) -> tuple[ParsedSide, ParsedSide]:
    """Both sides of ``text``, as trees that hold nothing but what an equation may hold."""
    signs = [at for kind, token, at in _scan(text, fail) if kind == "operator" and token == "="]
    if len(signs) != 1:
        what = "has no equals sign" if not signs else f"has {len(signs)} equals signs"
        fail(f"the text {what}; write one equation as 'z[n,j] = ...'", signs[1] + 1 if signs else len(text))
    left = _parse(text[: signs[0]], 0, fail)
    right = _parse(text[signs[0] + 1 :], signs[0] + 1, fail)
    return left, right


def parse_size(text: str, fail: Fail) -> ParsedSide:
    """A size written out, such as ``D - P + 1``."""
    _scan(text, fail)
    return _parse(text, 0, fail)


def chain(node: ast.expr, operators: tuple[type[ast.operator], ...]) -> list[tuple[type[ast.operator], ast.expr]]:
    """The operands of a run of operators of one rank, from left to right, each with the operator before it."""
    operands: list[tuple[type[ast.operator], ast.expr]] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, operators):
        operands.append((type(node.op), node.right))
        node = node.left
    operands.append((operators[0], node))
    return operands[::-1]


def _scan(text: str, fail: Fail) -> list[tuple[str, str, int]]:
    """The tokens of ``text`` as (kind, token, offset), within the bounds."""
    if len(text) > LENGTH:
        fail(f"the equation has {len(text)} characters, at most {LENGTH} are read; split it into several", LENGTH)
    tokens: list[tuple[str, str, int]] = []
    opened: list[tuple[str, int]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            remedy = _REMEDIES.get(text[at], "use letters, digits, + - * / ** ( ) [ ] and commas")
            fail(f"unexpected character {text[at]!r}; {remedy}", at + 1)
        kind, token = str(match.lastgroup), match.group()
        if kind == "number":
            _check_literal(token, at, fail)
        if tokens and "operator" not in (kind, tokens[-1][0]) and kind != "space":
            before = tokens[-1][1]
            if not {before, token} & {"and", "or", "not"}:
                fail(f"{token!r} follows {before!r} without an operator; write * for a product", at + 1)
        if token in ("(", "["):
            opened.append((token, at))
            if len(opened) > DEPTH:
                fail(f"brackets are nested more than {DEPTH} deep; give inner values names of their own", at + 1)
        elif token in _PAIRS:
            if not opened or opened[-1][0] != _PAIRS[token]:
                fail(f"{token!r} closes no bracket", at + 1)
            opened.pop()
        if kind != "space":
            tokens.append((kind, token, at))
        at = match.end()
    if opened:
        fail(f"{opened[-1][0]!r} is never closed", opened[-1][1] + 1)
    return tokens


def _check_literal(token: str, at: int, fail: Fail) -> None:
    mantissa, _, exponent = token.lower().partition("e")
    if len(mantissa) > DIGITS or len(exponent) > DIGITS:
        fail(f"a number of {len(token)} characters; at most {DIGITS} digits are read", at + 1)
    if exponent and abs(int(exponent)) > EXPONENT:
        fail(f"number {token} has a decimal exponent beyond {EXPONENT}", at + 1)


def _parse(text: str, offset: int, fail: Fail) -> ParsedSide:
    padding = len(text) - len(text.lstrip())
    # Python's grammar gives a line break and a tab meanings that an equation does not have.
    flat = re.sub(r"\s", " ", text).strip()
    if not flat:
        fail("one side is empty; write an equation as 'z[n,j] = ...'", offset + 1)
    try:
        tree = ast.parse(flat, mode="eval").body
    except SyntaxError as error:
        fail(f"this does not parse: {error.msg}", offset + padding + (error.offset or 1))
    except (RecursionError, MemoryError, ValueError):
        fail("the expression is nested too deep to be read; give inner values names of their own", offset + 1)
    side = ParsedSide(tree, flat, offset + padding)
    _check_depth(side, fail)
    _check_nodes(side, fail)
    return side


def _check_depth(side: ParsedSide, fail: Fail) -> None:
    """A bound on the depth of the tree, in which a run of + and - or of * and / counts as one."""
    open_nodes: list[tuple[ast.AST, int]] = [(side.tree, 1)]
    while open_nodes:
        node, depth = open_nodes.pop()
        if depth > DEPTH:
            fail(f"nested more than {DEPTH} deep; give inner values names of their own", side.column(node))
        for child in ast.iter_child_nodes(node):
            run = isinstance(node, ast.BinOp) and child is node.left and _rank(child) == _rank(node) < 2
            open_nodes.append((child, depth if run else depth + 1))


def _rank(node: ast.AST) -> int:
    """0 for sums, 1 for products, 2 for everything else."""
    operator = getattr(node, "op", None)
    return 0 if isinstance(operator, ast.Add | ast.Sub) else 1 if isinstance(operator, ast.Mult | ast.Div) else 2


def _check_nodes(side: ParsedSide, fail: Fail) -> None:
    checker = _NodeChecker(side, fail)
    checker.check(side.tree)
    for names, most, what in ((("Max", "Min", "sign"), CHOICES, "Max, Min and sign"), (("where",), CASES, "where")):
        calls = [n for n in ast.walk(side.tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") in names]
        if len(calls) > most:
            reason = f"at most {most} of {what} in one equation; give some of them names of their own"
            fail(reason, side.column(calls[-1]))


_REFUSED: dict[type[ast.AST], str] = {
    ast.Compare: "a comparison stands only in the first argument of where(condition, a, b)",
    ast.BoolOp: "'and' and 'or' stand only in the first argument of where(condition, a, b)",
    ast.IfExp: "write where(condition, a, b)",
    ast.Slice: "write an index in place of the slice",
    ast.Tuple: "a comma stands only between indices and between arguments",
    ast.List: "brackets [ ] follow the name of a variable",
    ast.Lambda: "an equation holds no 'lambda'",
}
_BINARY = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)


@dataclass(frozen=True)
class _NodeChecker:
    side: ParsedSide
    fail_at: Fail

    def fail(self, reason: str, node: ast.AST) -> NoReturn:
        self.fail_at(reason, self.side.column(node))

    def check(self, node: ast.AST) -> None:
        """Refuse what an expression may not hold, here and below."""
        if isinstance(node, ast.Call):
            self.call(node)
        elif isinstance(node, ast.Subscript):
            if not isinstance(node.value, ast.Name):
                self.fail("only a variable has indices", node)
            for position in positions(node):
                self.check(position)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, _BINARY):
            # A long sum is a deep tree: its spine is walked, not descended.
            rank = ((ast.Add, ast.Sub), (ast.Mult, ast.Div), (ast.Pow,))[_rank(node)]
            for _, operand in chain(node, rank):
                self.check(operand)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            self.check(node.operand)
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            pass
        elif not isinstance(node, ast.Name):
            says = f"{self.side.source(node)!r} is not part of an equation"
            self.fail(_REFUSED.get(type(node), says), node)

    def call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        known = (*REDUCTIONS, "where", *KNOWN_FUNCTIONS)
        if name not in known:
            called = repr(name or self.side.source(node.func))
            self.fail(f"unknown function {called}; {nearest(name, known)}", node)
        if node.keywords:
            self.fail(f"{name} takes no named arguments", node)
        count = len(node.args)
        if name == "where":
            if count != 3:
                self.fail(f"where takes a condition and two values, not {count} arguments", node)
            self.condition(node.args[0])
            self.check(node.args[1])
            self.check(node.args[2])
        elif name in REDUCTIONS:
            if count < 2:
                second = "an index" if name == "Sum" else "an index or a second value"
                self.fail(f"{name} needs a second argument; give a body and {second}, as in {name}(z[n,k], k)", node)
            self.check(node.args[0])
            for binder in node.args[1:]:
                self.binder(name, binder)
        else:
            if count != 1:
                self.fail(f"{name} takes 1 argument, not {count}", node)
            self.check(node.args[0])

    def binder(self, function: str, node: ast.expr) -> None:
        if isinstance(node, ast.Tuple):
            if len(node.elts) != 2 or not isinstance(node.elts[0], ast.Name):
                self.fail("a range is written (i, D), an index and its size; indices count from 0", node)
            self.check(node.elts[1])
        elif function == "Sum" and not isinstance(node, ast.Name):
            self.fail(f"Sum runs over an index, and {self.side.source(node)!r} is none; write Sum(body, i)", node)
        else:
            self.check(node)

    def condition(self, node: ast.expr) -> None:
        if isinstance(node, ast.BoolOp):
            for value in node.values:
                self.condition(value)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.condition(node.operand)
        elif isinstance(node, ast.Compare):
            comparisons = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
            if not all(isinstance(operator, comparisons) for operator in node.ops):
                self.fail("compare by < <= > >= == or !=", node)
            for side in (node.left, *node.comparators):
                if any(getattr(getattr(n, "func", None), "id", "") == "where" for n in ast.walk(side)):
                    self.fail("no where inside a condition; give it a name of its own", side)
                self.check(side)
        else:
            self.fail("where needs a comparison first, as in where(z[n] > 0, z[n], 0)", node)


def positions(node: ast.Subscript) -> Iterator[ast.expr]:
    """The positions of an occurrence, one for each axis."""
    yield from node.slice.elts if isinstance(node.slice, ast.Tuple) else (node.slice,)
