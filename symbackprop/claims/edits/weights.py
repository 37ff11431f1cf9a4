"""Edits of which weights stand there: those before an update, those of another layer."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.claims.edits.editor import Edit, Editor
from symbackprop.reading.names import name_of
from symbackprop.reading.survey import nodes
from symbackprop.reading.syntax import (
    Addition,
    Derivative,
    Differential,
    Group,
    Scripted,
)

__all__ = ["old_weights", "other_labels"]


def old_weights(editor: Editor) -> Iterator[Edit]:
    """The old value of a weight in place of the updated one."""
    for node, name in editor.names():
        if name.plus and isinstance(node, Scripted):
            plus = [script for script in node.above if script.kind == "plus"]
            words = f"${editor.latex(node)}$ has been updated already; the forward pass used the old value"
            for script in plus:
                start, stop = script.start, script.stop
                # A superscript that holds the mark alone goes as a whole.
                before = editor.tokens[start - 1].text if start else ""
                if before == "{" and editor.tokens[stop].text == "}" and editor.tokens[start - 2].text == "^":
                    start, stop = start - 2, stop + 1
                elif before == "^":
                    start -= 1
                yield editor.made("updated weights", words, (start, stop, ""))

    for node in editor.nodes:
        # W - eta dW in brackets is the new weight as well.
        body = node.body if isinstance(node, Group) else None
        if not isinstance(body, Addition) or len(body.terms) != 2:
            continue
        weight, step = body.terms[0][1], body.terms[1][1]
        if name_of(weight) is None or not body.terms[1][0]:
            continue
        text = editor.latex(weight)
        by = [
            editor.latex(part)
            for inner in nodes(step)
            for part in (
                [inner.by] if isinstance(inner, Derivative) else [inner.body] if isinstance(inner, Differential) else []
            )
            if part is not None
        ]
        if text in by:
            words = f"${editor.latex(node)}$ is the new value; the forward pass used ${text}$"
            wanted = f"({text})" if isinstance(weight, Scripted) and weight.above else text
            yield editor.made("updated weights", words, (node.start, node.stop, wanted))


def other_labels(editor: Editor) -> Iterator[Edit]:
    """The same letter with the number of another layer."""
    for node, name in editor.names():
        for script in (*name.above, *name.below):
            for text in editor.neighbours(script.text):
                new = editor.latex(node)
                if script in name.above or editor.is_array(name):
                    yield editor.made(
                        "wrong layer", f"${new}$ is of the wrong layer", (script.start, script.stop, text)
                    )
                else:
                    words = f"${new}$ stands where the one with ${text}$ belongs"
                    yield editor.made("wrong symbol", words, (script.start, script.stop, text))
    labels = {script.text for _, name in editor.names() for script in name.above if script.text}
    for old in labels:
        for text in editor.neighbours(old):
            places = [(s.start, s.stop, text) for _, n in editor.names() for s in n.above if s.text == old]
            if len(places) > 1:
                yield editor.made("wrong layer", "symbols of the wrong layer stand here", *places)
