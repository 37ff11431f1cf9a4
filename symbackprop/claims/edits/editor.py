"""An edit of one side of a formula, and what makes them: ranges of tokens replaced by LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

from symbackprop.reading.names import Name, name_of
from symbackprop.reading.statements import Side
from symbackprop.reading.syntax import (
    Addition,
    Derivative,
    Differential,
    Group,
    Node,
    Number,
    Product,
    Scripted,
    Symbol,
)
from symbackprop.reading.table import Table, shown_key
from symbackprop.reading.tokens import END, Token, joined, tokenize

__all__ = ["Edit", "Editor", "Vocabulary"]


@dataclass(frozen=True)
class Edit:
    """One change: the kind of fault that it undoes, in words, and the side as it would be."""

    fault: str
    words: str
    side: Side


@dataclass(frozen=True)
class Vocabulary:
    """What may be put into a formula: symbols as they stand in the notes, with what is known of them.

    ``symbols``      LaTeX by rank
    ``slopes``       derivatives of activations at their arguments, whole and with indices
    ``indices``      letters of indices in use
    ``functions``    names of functions in use
    ``scalars``      numbers by name
    """

    symbols: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    slopes: tuple[str, ...] = ()
    indices: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    scalars: tuple[str, ...] = ()
    table: Table = field(default_factory=Table)
    by: str = ""
    rank: int = 0
    update: bool = False


def _outside_subscripts(node: object) -> Iterator[Node]:
    """Every node but those of subscripts, which are no products of what stands there."""
    if isinstance(node, Node):
        yield node
        for part in fields(node):
            if not (isinstance(node, Scripted) and part.name == "below"):
                yield from _outside_subscripts(getattr(node, part.name))
    elif isinstance(node, tuple):
        for part in node:
            yield from _outside_subscripts(part)


_STEPPED = re.compile(r"[A-Za-z]")


class Editor:
    """Makes edits of one side, of which it knows the names, the calls and the factors."""

    def __init__(self, side: Side, tree: Node, vocabulary: Vocabulary) -> None:
        self.tokens = side.tokens
        self.tree = tree
        self.vocabulary = vocabulary
        self.nodes = tuple(_outside_subscripts(tree))
        self.calls = tuple(self.find_calls())
        place = side.tokens[0]
        self.place = (place.line, place.column)

    def latex(self, node: Node) -> str:
        """A node as LaTeX."""
        return joined(self.tokens[node.start : node.stop])

    def made(self, fault: str, words: str, *changes: tuple[int, int, str]) -> Edit:
        """The side with the tokens of each range replaced."""
        tokens = list(self.tokens)
        for start, stop, latex in sorted(changes, reverse=True):
            tokens[start:stop] = self.snippet(latex)
        return Edit(fault, words, Side(tuple(tokens)))

    def snippet(self, latex: str) -> list[Token]:
        """LaTeX as tokens at the place of the side."""
        found = [token for token in tokenize(latex, *self.place) if token.kind != END]
        return [replace(found[0], spaced=True), *found[1:]] if found else []

    def whole(self, latex: str) -> tuple[int, int, str]:
        """A change of the whole side."""
        return (self.tree.start, len(self.tokens) - 1, latex)

    def bracketed(self, node: Node) -> str:
        """A node as a factor: in brackets, where it is a sum."""
        text = self.latex(node)
        return f"\\left({text}\\right)" if isinstance(node, Addition) else text

    def names(self) -> Iterator[tuple[Node, Name]]:
        """The names of the side, those with scripts as a whole."""
        heads = {id(node.base) for node in self.nodes if isinstance(node, Scripted)}
        for node in self.nodes:
            name = name_of(node)
            if name is not None and id(node) not in heads and node.stop <= len(self.tokens):
                yield node, name

    def find_calls(self) -> Iterator[tuple[Node, Node]]:
        """Functions and their arguments."""
        for node in self.nodes:
            if isinstance(node, Product):
                for place, factor in enumerate(node.factors[:-1]):
                    name = name_of(factor)
                    grouped = isinstance(node.factors[place + 1], Group) and node.operators[place] == ""
                    if name is not None and grouped and self.is_function(name):
                        yield factor, node.factors[place + 1]

    def is_function(self, name: Name) -> bool:
        """Whether a name is that of a function."""
        declared = self.vocabulary.table.declared
        return not any(base == name.base for base, _ in declared)

    def in_call(self, node: Node) -> bool:
        """Whether a node stands in the argument of a function."""
        return any(argument.start <= node.start and node.stop <= argument.stop for _, argument in self.calls)

    def sizes(self) -> list[str]:
        """The names of sizes."""
        table = self.vocabulary.table
        return [shown_key(key) for key, size in table.sizes.items() if size.is_Symbol and key[0] not in table.generic]

    def is_argument(self, node: Node) -> bool:
        """Whether a node is the argument of a function."""
        return any(argument is node for _, argument in self.calls)

    def is_function_name(self, node: Node) -> bool:
        """Whether a node is the name of a function that is called."""
        return any(head is node for head, _ in self.calls)

    def is_array(self, name: Name) -> bool:
        """Whether the letter stands for arrays."""
        return any(
            base == name.base and declared.shape for (base, _), declared in self.vocabulary.table.declared.items()
        )

    def in_script(self, place: int) -> bool:
        """Whether a token stands in a subscript."""
        return any(s.start <= place < s.stop for n in self.nodes if isinstance(n, Scripted) for s in n.below)

    def one_minus(self, node: Node) -> Node | None:
        """What is subtracted from 1 in brackets."""
        body = node.body if isinstance(node, Group) else None
        if isinstance(body, Addition) and len(body.terms) == 2:
            (_, one), (minus, rest) = body.terms
            if isinstance(one, Number) and one.text == "1" and minus:
                return rest
        return None

    def transposed(self) -> Iterator[tuple[Node, str]]:
        """Every factor that is an array, with what it is when it is transposed."""
        derivatives = [node for node in self.nodes if isinstance(node, Derivative | Differential)]
        for derivative in derivatives:
            yield derivative, self.with_top(derivative)
        for node in self.nodes:
            if isinstance(node, Scripted) and any(script.kind == "top" for script in node.above):
                yield node, self.without_top(node)
        for named, name in self.names():
            inside = any(d.start <= named.start and named.stop <= d.stop for d in derivatives)
            if not name.tops and not self.is_function_name(named) and not inside:
                yield named, self.with_top(named)

    def with_top(self, node: Node) -> str:
        """A factor with a transpose."""
        text = self.latex(node)
        if isinstance(node, Symbol | Group) or (isinstance(node, Scripted) and not node.above):
            return f"{text}^{{\\top}}"
        return f"\\left({text}\\right)^{{\\top}}" if "\\frac" in text else f"({text})^{{\\top}}"

    def without_top(self, node: Scripted) -> str:
        """A factor without its transpose."""
        top = next(script for script in node.above if script.kind == "top")
        start, stop = top.start, top.stop
        if self.tokens[start - 1].text == "{" and self.tokens[stop].text == "}" and self.tokens[start - 2].text == "^":
            start, stop = start - 2, stop + 1
        elif self.tokens[start - 1].text == "^":
            start -= 1
        before, after = self.tokens[node.start : start], self.tokens[stop : node.stop]
        inner = joined((*before, *after))
        if (
            isinstance(node.base, Group)
            and not isinstance(node.base.body, Addition | Product)
            and inner.startswith("(")
        ):
            return inner[1:-1] if inner.endswith(")") else inner
        return inner

    def factors_with_tops(self, node: Node) -> tuple[str, str]:
        """A factor, and the same transposed."""
        if isinstance(node, Scripted) and any(script.kind == "top" for script in node.above):
            return self.latex(node), self.without_top(node)
        return self.latex(node), self.with_top(node)

    def neighbours(self, text: str) -> Iterator[str]:
        """The numbers of other layers."""
        table = self.vocabulary.table
        if text.isdigit() and len(text) < 3:
            for other in sorted({label for _, label in table.declared if label.isdigit()}):
                if other != text:
                    yield other
            return
        letter = text[:1]
        if letter in table.generic or letter in table.last:
            for other in (letter, f"{letter}+1", f"{letter}-1"):
                if other != text:
                    yield other

    def like(self, name: Name, text: str) -> Iterator[str]:
        """Other symbols that might stand in the same place, with the same scripts."""
        seen = set()
        scripts = self.tokens_of_scripts(name)
        for base, label in tuple(self.vocabulary.table.declared):
            plain = shown_key((base, ""))
            candidates = [f"{plain}{scripts}"] if scripts else []
            candidates.append(self.written((base, label), name))
            for new in candidates:
                if new and new != text and new not in seen:
                    seen.add(new)
                    yield new

    def tokens_of_scripts(self, name: Name) -> str:
        """The scripts of a name as LaTeX."""
        node = name.node
        if not isinstance(node, Scripted):
            return ""
        return joined(self.tokens[node.base.stop : node.stop])

    def written(self, key: tuple[str, str], like: Name) -> str:
        """A symbol in the dress of another: its number where the other one's stands."""
        base, label = key
        plain = shown_key((base, ""))
        if not label:
            return plain
        kinds = [script.kind for script in like.above if script.kind in ("(", "[")]
        dress = {"(": "^{(#)}", "[": "^{[#]}"}
        return f"{plain}{dress[kinds[0]].replace('#', label)}" if kinds else shown_key(key)

    def units(self, node: Product) -> list[tuple[int, int]]:
        """The factors of a product by their places; a call is one."""
        found = []
        place = 0
        while place < len(node.factors):
            last = place
            if (
                place + 1 < len(node.factors)
                and self.is_argument(node.factors[place + 1])
                and self.is_function_name(node.factors[place])
            ):
                last = place + 1
            found.append((place, last))
            place = last + 1
        return found
