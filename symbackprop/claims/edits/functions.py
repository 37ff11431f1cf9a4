"""Edits of functions: another one, its derivative, another argument."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from symbackprop.claims.edits.editor import Edit, Editor
from symbackprop.reading.names import name_of
from symbackprop.reading.syntax import (
    Product,
    Scripted,
)
from symbackprop.reading.tokens import joined

__all__ = ["other_arguments", "other_functions", "primes", "slopes_by_value"]


def primes(editor: Editor) -> Iterator[Edit]:
    """A function in place of its derivative, and the other way round."""
    for head, argument in editor.calls:
        name = name_of(head)
        assert name is not None
        text = editor.latex(head)
        if name.primes:
            words = f"${text}{editor.latex(argument)}$ should be the function iteditor, not its derivative"
            bare = [k for k in range(head.start, head.stop) if editor.tokens[k].text == "'"]
            yield editor.made("wrong function", words, *((k, k + 1, "") for k in bare))
        else:
            words = f"${text}{editor.latex(argument)}$ should be the derivative of the function"
            base_stop = head.base.stop if isinstance(head, Scripted) else head.stop
            yield editor.made("wrong function", words, (base_stop, base_stop, "'"))


def other_functions(editor: Editor) -> Iterator[Edit]:
    """Another function of the same argument."""
    for head, _ in editor.calls:
        name = name_of(head)
        assert name is not None
        base = head.base if isinstance(head, Scripted) else head
        for function in editor.vocabulary.functions:
            if function != editor.latex(base):
                words = (
                    f"${editor.latex(head)}$ is the wrong function; ${function}{chr(39) * name.primes}$ belongs there"
                )
                yield editor.made("wrong function", words, (base.start, base.stop, f"{function} "))


def slopes_by_value(editor: Editor) -> Iterator[Edit]:
    """The slope of sigmoid by its value, a (1 - a), in place of that of tanh, 1 - a^2, and the other way round."""
    for node in editor.nodes:
        if isinstance(node, Product):
            for place, (first, second) in enumerate(itertools.pairwise(node.factors)):
                inner = editor.one_minus(second)
                if inner is None or editor.latex(first) != editor.latex(inner):
                    continue
                text = editor.latex(first)
                operator = node.operators[place] or " "
                square = f"{text} {operator} {text}"
                for function in editor.vocabulary.functions:
                    call = f"{function}({text})"
                    between = f" {node.operators[place]} "
                    wrong = f"${text}$ should be the value ${call}$ here"
                    yield editor.made(
                        "wrong argument", wrong, (first.start, second.stop, f"{call}{between}(1 - {call})")
                    )
                words = f"${editor.latex(first)} (1 - {text})$ is the slope of sigmoid; that of tanh is $1 - {text}^2$"
                yield editor.made("wrong function", words, (first.start, second.stop, f"(1 - {square})"))
        inner = editor.one_minus(node)
        if isinstance(inner, Product) and len(inner.factors) == 2:
            text = editor.latex(inner.factors[0])
            if text == editor.latex(inner.factors[1]):
                operator = f" {inner.operators[0]} "
                words = f"$1 - {text}^2$ is the slope of tanh; that of sigmoid is ${text} (1 - {text})$"
                yield editor.made("wrong function", words, (node.start, node.stop, f"{text}{operator}(1 - {text})"))
        if isinstance(inner, Scripted) and any(script.text == "2" for script in inner.above):
            script = next(script for script in inner.above if script.text == "2")
            text = joined((*editor.tokens[inner.start : inner.stop - 1],)).rstrip("^{")
            if script.stop == inner.stop:
                words = f"$1 - {text}^2$ is the slope of tanh; that of sigmoid is ${text} (1 - {text})$"
                operator = " \\odot " if editor.vocabulary.rank else " "
                yield editor.made("wrong function", words, (node.start, node.stop, f"{text}{operator}(1 - {text})"))


def other_arguments(editor: Editor) -> Iterator[Edit]:
    """Another value in place of an argument; the same in a(1 - a)."""
    found = {editor.latex(node): (node, name) for node, name in editor.names() if not editor.is_function_name(node)}
    for text, (_, name) in found.items():
        places = [node for node, other in editor.names() if editor.latex(node) == text]
        inside = [node for node in places if editor.in_call(node)]
        for new in editor.like(name, text):
            if inside:
                words = f"the argument ${text}$ should be ${new}$"
                yield editor.made("wrong argument", words, *((n.start, n.stop, new) for n in inside))
            if len(places) > 1:
                words = f"${text}$ stands where ${new}$ belongs"
                yield editor.made("wrong argument", words, *((n.start, n.stop, new) for n in places))
