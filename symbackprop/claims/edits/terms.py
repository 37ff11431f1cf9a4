"""Edits of the terms of a sum: their signs, their factors, a term too many, a penalty that is missing."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.claims.edits.editor import Edit, Editor
from symbackprop.reading.syntax import (
    Addition,
    Cases,
)

__all__ = ["penalties", "term_factors", "term_signs", "without_terms"]


def term_signs(editor: Editor) -> Iterator[Edit]:
    """A sign of a term, or of a case, the other way round."""
    for node in editor.nodes:
        if not isinstance(node, Addition):
            continue
        for minus, term in node.terms:
            sign = term.start - 1
            text = editor.tokens[sign].text if sign >= 0 else ""
            if text in ("+", "-"):
                new = "" if minus and sign == node.start else "+" if minus else "-"
                words = f"the sign of ${editor.latex(term)}$ is wrong"
                fault = "update sign" if editor.vocabulary.update and node is editor.tree else "sign"
                yield editor.made(fault, words, (sign, sign + 1, new))
            elif term.start == node.start:
                yield editor.made("sign", f"the sign of ${editor.latex(term)}$ is wrong", (sign + 1, sign + 1, "-"))

    for node in editor.nodes:
        if isinstance(node, Cases):
            for value, _ in node.rows:
                text = editor.latex(value)
                words = f"the sign of ${text}$ is wrong"
                if text.startswith("-"):
                    yield editor.made("sign", words, (value.start, value.start + 1, ""))
                else:
                    yield editor.made("sign", words, (value.start, value.start, "-"))


def term_factors(editor: Editor) -> Iterator[Edit]:
    """A constant at one of several terms."""
    sizes = editor.sizes()
    constants = ["2", "\\frac{1}{2}", *sizes, *(f"\\frac{{1}}{{{size}}}" for size in sizes)]
    for node in editor.nodes:
        if not isinstance(node, Addition) or len(node.terms) < 2:
            continue
        for _, term in node.terms:
            for constant in constants:
                words = f"the factor ${constant}$ is missing at the term ${editor.latex(term)}$"
                yield editor.made("factor", words, (term.start, term.start, f"{constant} \\cdot"))


def without_terms(editor: Editor) -> Iterator[Edit]:
    """One term fewer."""
    for node in editor.nodes:
        if not isinstance(node, Addition) or len(node.terms) < 2:
            continue
        for place, (_, term) in enumerate(node.terms):
            start = term.start
            while start > node.start and editor.tokens[start - 1].text in ("+", "-"):
                start -= 1
            stop = term.stop
            if place == 0 and editor.tokens[stop].text == "+":
                stop += 1
            words = f"the term ${editor.latex(term)}$ is too many"
            yield editor.made("extra term", words, (start, stop, " "))


def penalties(editor: Editor) -> Iterator[Edit]:
    """The penalty's part put in, or with another factor."""
    if not editor.vocabulary.by:
        return
    text, by = editor.latex(editor.tree), editor.vocabulary.by
    sizes = editor.sizes()
    for scalar in ("", *editor.vocabulary.scalars):
        for factor in ("", "2 ", *(f"\\frac{{1}}{{{size}}} " for size in sizes)):
            words = f"the penalty's part, ${factor}{scalar} {by}$, is missing".replace("  ", " ")
            yield editor.made("penalty", words, editor.whole(f"{text} + {factor}{scalar} {by}"))
            if isinstance(editor.tree, Addition):
                for _, term in editor.tree.terms:
                    words = "the penalty's part has another factor"
                    yield editor.made("penalty", words, (term.start, term.stop, f"{factor}{scalar} {by}"))
