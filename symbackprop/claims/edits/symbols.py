"""Edits that put another symbol in the place of one."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.claims.edits.editor import Edit, Editor
from symbackprop.reading.names import name_of
from symbackprop.reading.survey import nodes
from symbackprop.reading.syntax import (
    Derivative,
)

__all__ = ["other_symbols"]


def other_symbols(editor: Editor) -> Iterator[Edit]:
    """Another symbol of the notes."""
    derivatives = {id(inner) for node in editor.nodes if isinstance(node, Derivative) for inner in nodes(node)}
    for node, name in editor.names():
        if editor.is_function_name(node) or id(node) in derivatives:
            continue
        text = editor.latex(node)
        for new in editor.like(name, text):
            yield editor.made("wrong symbol", f"${text}$ should be ${new}$", (node.start, node.stop, new))
        for new in editor.vocabulary.slopes:
            if not name.below and not name.above:
                yield editor.made("wrong symbol", f"${text}$ should be ${new}$", (node.start, node.stop, new))
    for node in editor.nodes:
        if isinstance(node, Derivative) and node.of is not None:
            for part in (node.of, node.by):
                inner = name_of(part)
                if inner is None:
                    continue
                for new in editor.like(inner, editor.latex(part)):
                    words = f"${editor.latex(part)}$ should be ${new}$ in the derivative"
                    yield editor.made("wrong symbol", words, (part.start, part.stop, new))
