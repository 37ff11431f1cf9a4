"""Every edit of a side, in the order in which they are tried: the more specific before the less.

An edit replaces tokens, so that the right formula comes out in the notes' own notation, and is read again as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symbackprop.claims.edits.editor import Edit, Editor, Vocabulary
from symbackprop.claims.edits.functions import other_arguments, other_functions, primes, slopes_by_value
from symbackprop.claims.edits.indices import other_indices, sums
from symbackprop.claims.edits.products import operators, orders, transposes, with_factors, without_factors
from symbackprop.claims.edits.symbols import other_symbols
from symbackprop.claims.edits.terms import penalties, term_factors, term_signs, without_terms
from symbackprop.claims.edits.weights import old_weights, other_labels
from symbackprop.reading.statements import Side
from symbackprop.reading.syntax import Node

__all__ = ["ADDITIONS", "CHANGES", "edits"]

Rule = Callable[[Editor], Iterator[Edit]]

CHANGES: tuple[Rule, ...] = (
    term_signs,
    term_factors,
    old_weights,
    transposes,
    orders,
    operators,
    primes,
    other_functions,
    slopes_by_value,
    other_labels,
    other_arguments,
    other_indices,
    without_terms,
    sums,
    without_factors,
)
"""What stands there in another way, or is left out."""
ADDITIONS: tuple[Rule, ...] = (with_factors, penalties, other_symbols)
"""What is put in, and other symbols."""


def edits(side: Side, tree: Node, vocabulary: Vocabulary, rules: tuple[Rule, ...]) -> Iterator[Edit]:
    """Every edit of a side by ``rules``, each once."""
    seen: set[str] = {side.latex}
    editor = Editor(side, tree, vocabulary)
    for rule in rules:
        for edit in rule(editor):
            text = edit.side.latex
            if text not in seen:
                seen.add(text)
                yield edit
