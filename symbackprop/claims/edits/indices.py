"""Edits of indices, and of the sums over them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from symbackprop.claims.edits.editor import Edit, Editor
from symbackprop.reading.syntax import (
    Addition,
    Group,
    Product,
    Summation,
)

__all__ = ["other_indices", "sums"]


_STEPPED = re.compile(r"[A-Za-z]")


def other_indices(editor: Editor) -> Iterator[Edit]:
    """Another index, or indices swapped."""
    letters = editor.vocabulary.indices
    for node, name in editor.names():
        for script in name.below:
            text = script.text
            if text.isalpha() and len(text) in (2, 3) and all(letter in letters for letter in text):
                for other in {"".join(order) for order in itertools.permutations(text)} - {text}:
                    words = f"the indices of ${editor.latex(node)}$ are swapped"
                    yield editor.made("wrong index", words, (script.start, script.stop, other))
            for place, letter in enumerate(text):
                if letter not in letters or (len(text) > place + 1 and not text.isalpha()):
                    continue
                for other in letters:
                    if other != letter:
                        new = text[:place] + other + text[place + 1 :]
                        words = f"the index ${letter}$ of ${editor.latex(node)}$ should be ${other}$"
                        yield editor.made("wrong index", words, (script.start, script.stop, new))
    for node, name in editor.names():
        stepped = [(script, _STEPPED.search(script.text)) for script in name.below]
        changes = [
            (script.start, script.stop, match[0])
            for script, match in stepped
            if match is not None and len(script.text) > 1 and ("+" in script.text or "-" in script.text)
        ]
        if changes:
            yield editor.made("wrong index", f"the indices of ${editor.latex(node)}$ are others", *changes)
    groups: dict[str, list[tuple[int, int]]] = {}
    for _, name in editor.names():
        for script in name.below:
            if script.text.isalpha() and len(script.text) == 2:
                groups.setdefault(script.text, []).append((script.start, script.stop))
    for text, places in groups.items():
        if len(places) < 2:
            continue
        for pair in itertools.product(letters, repeat=2):
            new = "".join(pair)
            if new != text:
                words = f"the indices ${text}$ should be ${new}$"
                yield editor.made("wrong index", words, *((start, stop, new) for start, stop in places))
    for a, b in itertools.combinations(letters, 2):
        swap = {a: b, b: a}
        changes = [
            (k, k + 1, swap[token.text])
            for k, token in enumerate(editor.tokens)
            if token.text in swap and not token.kind and editor.in_script(k)
        ]
        if changes:
            yield editor.made("wrong index", f"the indices ${a}$ and ${b}$ are swapped", *changes)


def sums(editor: Editor) -> Iterator[Edit]:
    """A sum put in, or taken away."""
    text = editor.latex(editor.tree)
    inner = f"\\left({text}\\right)" if isinstance(editor.tree, Addition) else text
    for letter in (*editor.vocabulary.loose, *editor.vocabulary.indices):
        words = f"the sum over ${letter}$ is missing"
        yield editor.made("missing sum", words, editor.whole(f"\\sum_{{{letter}}} {inner}"))
        if isinstance(editor.tree, Addition):
            for _, term in editor.tree.terms:
                new = f"\\sum_{{{letter}}} {editor.latex(term)}"
                yield editor.made("missing sum", words, (term.start, term.stop, new))
        for node in editor.nodes:
            if isinstance(node, Group) and not editor.is_argument(node):
                new = f"\\left(\\sum_{{{letter}}} {editor.latex(node.body)}\\right)"
                yield editor.made("missing sum", words, (node.start, node.stop, new))
        if isinstance(editor.tree, Product):
            for place in range(1, len(editor.tree.factors)):
                start = editor.tree.factors[place].start
                yield editor.made("missing sum", words, (start, start, f"\\sum_{{{letter}}}"))
    words = "the sum over the examples is missing"
    yield editor.made("missing sum", words, editor.whole(f"\\sum {inner}"))
    bracketed = f"\\left({text}\\right)"
    yield editor.made("missing sum", words, editor.whole(f"{bracketed} \\mathbf{{1}}"))
    yield editor.made("missing sum", words, editor.whole(f"{bracketed}^{{\\top}} \\mathbf{{1}}"))
    yield editor.made("missing sum", words, editor.whole(f"\\mathbf{{1}}^{{\\top}} {bracketed}"))
    for node in editor.nodes:
        if isinstance(node, Summation):
            words = "the sum is too many"
            yield editor.made("extra sum", words, (node.start, node.body.start, ""))
            yield from without_sum(editor, node, words)


def without_sum(editor: Editor, node: Summation, words: str) -> Iterator[Edit]:
    """The body of a sum alone, its index gone or another."""
    if len(node.indices) != 1:
        return
    letter = node.indices[0][0]
    inside = [
        (script, named)
        for named, name in editor.names()
        if node.body.start <= named.start and named.stop <= node.body.stop
        for script in name.below
        if letter in script.text
    ]
    for other in editor.vocabulary.indices:
        if other != letter:
            changes = [(s.start, s.stop, s.text.replace(letter, other)) for s, _ in inside]
            yield editor.made("extra sum", words, (node.start, node.body.start, ""), *changes)
    bare = []
    for script, _ in inside:
        if script.text != letter:
            return
        start, stop = script.start, script.stop
        if editor.tokens[start - 1].text == "{" and editor.tokens[stop].text == "}":
            start, stop = start - 1, stop + 1
        bare.append((start - 1, stop, ""))
    if bare:
        yield editor.made("extra sum", words, (node.start, node.body.start, ""), *bare)
