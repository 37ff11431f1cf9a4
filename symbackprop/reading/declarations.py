r"""Declarations as people write them: ``x \in \mathbb{R}^{D}``, ``W^{(l)} \in \mathbb{R}^{n_l \times n_{l-1}}``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symbackprop.errors import UnreadableError
from symbackprop.notation.expressions import size
from symbackprop.reading.names import name_of, readings
from symbackprop.reading.parser import parse
from symbackprop.reading.statements import Side
from symbackprop.reading.syntax import Addition, Number, Product
from symbackprop.reading.table import Table
from symbackprop.reading.tokens import END, Token

__all__ = ["identifier", "shape_of", "size_from", "space_of"]

_LARGEST = 10**12
_SETS = frozenset(("R", "\\Re"))
_WORDS_FOR = {"\\": "", "hat:": "hat_", "bar:": "bar_", "tilde:": "tilde_", "dot:": "dot_"}


def identifier(base: str, label: str) -> str:
    r"""A plain name for a symbol: W1 for W^{(1)}, y_hat for \hat{y}, net_o1 for net_{o1}."""
    accent, _, name = base.rpartition(":")
    name = "".join(letter for letter in name if letter.isalnum()) or "v"
    if name[0].isdigit():
        name = f"v{name}"
    if accent:
        name = f"{name}_{accent.replace(':', '_')}"
    label = "".join(letter if letter.isalnum() else "_" for letter in label).strip("_")
    if not label:
        return name
    return f"{name}{label}" if label.isdigit() and not name[-1].isdigit() else f"{name}_{label}"


def space_of(side: Side) -> list[list[Token]] | None:
    r"""The factors of the exponent of ``\mathbb{R}^{...}``; empty for a number; None where it is no such space."""
    tokens = [token for token in side.tokens if token.kind != END and token.text != "\\quad"]
    texts = [token.text for token in tokens]
    place = _end_of_set(texts)
    if place is None:
        return None
    rest = tokens[place:]
    if not rest:
        return []
    if rest[0].text != "^":
        return None
    inside = rest[1:]
    if inside and inside[0].text == "{":
        inside = inside[1:-1] if inside[-1].text == "}" else inside[1:]
    factors: list[list[Token]] = [[]]
    depth = 0
    for token in inside:
        depth += (token.text in "{([") - (token.text in "})]") if len(token.text) == 1 else 0
        if token.text in ("\\times", "*", "\\cdot") and not depth:
            factors.append([])
        elif not (token.text in "()" and not depth and len(inside) == 1):
            factors[-1].append(token)
    return [_without_brackets(factor) for factor in factors]


def _without_brackets(tokens: list[Token]) -> list[Token]:
    return tokens[1:-1] if tokens and tokens[0].text == "(" and tokens[-1].text == ")" else tokens


def _end_of_set(texts: Sequence[str]) -> int | None:
    """Where the name of the set ends: R in any dress, {0, 1}, [0, 1]."""
    if texts[:1] == ["\\mathbf"]:
        if texts[1:2] == ["{"] and texts[2:3] and texts[2] in _SETS and texts[3:4] == ["}"]:
            return 4
        return 2 if texts[1:2] and texts[1] in _SETS else None
    if texts[:1] and texts[0] in _SETS:
        return 1
    for opening, closing in (("\\{", "\\}"), ("[", "]"), ("(", ")")):
        if texts[:1] == [opening] and closing in texts:
            return texts.index(closing) + 1
    return None


def shape_of(factors: Sequence[Sequence[Token]], table: Table, labels: Mapping[str, int]) -> tuple[sympy.Expr, ...]:
    """The sizes of a shape; names of sizes that are new become sizes."""
    return tuple(size_from(factor, table, labels) for factor in factors)


def size_from(tokens: Sequence[Token], table: Table, labels: Mapping[str, int]) -> sympy.Expr:
    """One size: a number, a letter, H_1, n^{[l]}, n - 1."""
    if not tokens:
        raise UnreadableError("a size is missing in the shape")
    end = Token("", tokens[-1].line, tokens[-1].column + 1, kind=END)
    node = parse((*tokens, end), table.words)
    found = _size(node, table, labels)
    if found is None:
        tokens[0].fail("a size is a number, a letter, or such with a plus or minus")
    return found


def _size(node: object, table: Table, labels: Mapping[str, int]) -> sympy.Expr | None:
    if isinstance(node, Number):
        return table.size_of(int(node.text)) if node.text.isdecimal() and 0 < int(node.text) <= _LARGEST else None
    if isinstance(node, Addition):
        parts = [(minus, part) for minus, term in node.terms if (part := _size(term, table, labels)) is not None]
        if len(parts) < len(node.terms):
            return None
        return sympy.Add(*(-part if minus else part for minus, part in parts))
    if isinstance(node, Product):
        factors = [_size(factor, table, labels) for factor in node.factors]
        return None if any(factor is None for factor in factors) else sympy.Mul(*factors)
    name = name_of(node)  # type: ignore[arg-type]
    if name is None or name.primes or name.tops:
        return None
    for reading in readings(name, labels):
        if reading.indices or reading.sample is not None or reading.power is not None:
            continue
        key = (name.base, reading.label)
        if key not in table.sizes:
            table.sizes[key] = size(f"{identifier(*key)}")
        return table.sizes[key]
    return None
