"""What could be put into a wrong formula: the symbols, slopes and indices of the notes, written as they write them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import sympy

from symbackprop.claims.edits.editor import Vocabulary
from symbackprop.claims.judge import Item, Judge
from symbackprop.notation.expressions import ElementwiseFunction, base_name, is_occurrence
from symbackprop.notation.indices import is_index
from symbackprop.reading.names import name_of
from symbackprop.reading.notes import Relation
from symbackprop.reading.statements import Side
from symbackprop.reading.survey import nodes
from symbackprop.reading.syntax import Derivative, Differential, Node
from symbackprop.reading.table import Declared, Key, shown_key
from symbackprop.reading.tokens import joined

__all__ = ["vocabulary"]

_MOST = 60


def vocabulary(judge: Judge, relation: Relation, items: Sequence[Item], misfit: bool) -> Vocabulary:
    """What fits into the right side of ``relation``."""
    table = judge.notes.table
    item = items[0] if items else None
    free = [(i.name, extent) for i, extent in item.free if not i.name.startswith("_")] if item else []
    entries = bool(free)
    summed = tuple(
        name
        for name in dict.fromkeys(_letters(judge.tree(relation.right)))
        if name not in {letter for letter, _ in free} and name not in table.generic
    )
    indices = [*free, *((name, None) for name in summed)]
    left = judge.tree(relation.left)
    by, labels = _by(judge, relation.left, left)
    whole: dict[int, list[str]] = {}
    for key, declared in tuple(table.declared.items()):
        if declared.adjoint or declared.updated or key[0].endswith("+"):
            continue
        if not declared.shape:
            whole.setdefault(0, []).append(shown_key(key))
        elif entries:
            for text in _entries(key, declared, indices, judge):
                whole.setdefault(len(declared.shape), []).append(text)
        else:
            whole.setdefault(len(declared.shape), []).append(_like_layer(key, table.generic, labels))
    numbers = [shown_key(k) for k, d in table.declared.items() if not d.shape and _is_input(judge, d)]
    known = {text for texts in whole.values() for text in texts}
    slopes = tuple(dict.fromkeys(_slopes(judge, indices, entries)))[:_MOST]
    letters = tuple(name for name, _ in free)
    outer = {i.name for i, _ in (items[0].free if items else ()) if _stands_in(i.name, relation.left)}
    loose = tuple(name for name in letters if name not in outer)
    return Vocabulary(
        {rank: tuple(dict.fromkeys(texts))[:_MOST] for rank, texts in whole.items()},
        slopes,
        tuple(dict.fromkeys((*letters, *summed))),
        loose,
        _functions(judge, relation),
        tuple(text for text in numbers if text in known)[:8],
        table,
        by,
        0 if entries else (len(items[0].shape) if items else 2 if misfit else 0),
        relation.update,
    )


def _is_input(judge: Judge, declared: Declared) -> bool:
    return declared.variable not in judge.notes.program.definitions


def _stands_in(letter: str, side: Side) -> bool:
    return any(token.text == letter for token in side.tokens)


def _by(judge: Judge, side: Side, tree: Node) -> tuple[str, tuple[str, ...]]:
    """What the left side is a derivative by, as it is written."""
    for node in nodes(tree):
        inner = node.by if isinstance(node, Derivative) else node.body if isinstance(node, Differential) else None
        if inner is not None:
            name = name_of(inner)
            labels = tuple(script.text for script in name.above) if name is not None else ()
            return joined(side.tokens[inner.start : inner.stop]), labels
    return "", ()


def _like_layer(key: Key, generic: dict[str, tuple[int, ...]], labels: tuple[str, ...]) -> str:
    """A symbol as it is written for any layer, where the notes speak of any."""
    base, label = key
    for letter, numbers in generic.items():
        if label.isdigit() and int(label) == numbers[0]:
            return f"{shown_key((base, ''))}^{{{letter}}}"
    return shown_key(key)


def _entries(
    key: Key, declared: Declared, free: Sequence[tuple[str, sympy.Expr | None]], judge: Judge
) -> Iterator[str]:
    """The entries of an array at the indices in use."""
    base = shown_key((key[0], "")) if len(key[0]) > 1 else key[0]
    if len(key[0]) == 1 and key[0].isupper() and (key[0].lower(), key[1]) not in judge.notes.table.declared:
        base = key[0].lower()
    numbers = {key[1]}
    for letter, values in judge.notes.table.generic.items():
        if key[1].isdigit() and int(key[1]) == values[0]:
            numbers.add(letter)
    for letters in itertools.product(free, repeat=len(declared.shape)):
        fits = (
            size is None or judge.notes.sizes.equal(size, extent)
            for (_, size), extent in zip(letters, declared.shape, strict=True)
        )
        if all(fits):
            below = "".join(name for name, _ in letters)
            for number in sorted(numbers):
                above = f"^{{({number})}}" if number.isdigit() else f"^{{{number}}}" if number else ""
                yield f"{base}{above}_{{{below}}}"


def _slopes(judge: Judge, free: Sequence[tuple[str, sympy.Expr | None]], entries: bool) -> Iterator[str]:
    """The derivatives of the activations at their arguments."""
    by_variable: dict[str, list[tuple[Key, Declared]]] = {}
    for key, declared in tuple(judge.notes.table.declared.items()):
        if not declared.adjoint and not declared.updated:
            by_variable.setdefault(declared.variable, []).append((key, declared))
    for equation in judge.notes.program.equations:
        function = equation.right
        if not isinstance(function, sympy.Function) or len(function.args) != 1 or not is_occurrence(function.args[0]):
            continue
        argument = function.args[0]
        if isinstance(argument, sympy.Indexed) and not all(map(is_index, argument.indices)):
            continue
        symbol = _symbol(judge, function)
        for key, declared in by_variable.get(base_name(argument), ()):
            if not declared.shape:
                yield f"{symbol}'({shown_key(key)})"
            elif entries:
                yield from (f"{symbol}'({text})" for text in _entries(key, declared, free, judge))
            else:
                yield f"{symbol}'({_like_layer(key, judge.notes.table.generic, ())})"
                yield f"{symbol}'({shown_key(key)})"


def _symbol(judge: Judge, function: sympy.Function) -> str:
    """The symbol of a function in the notes."""
    for (base, label), known in judge.notes.table.functions.items():
        if known is type(function) and not label:
            return shown_key((base, label))
    if isinstance(function, ElementwiseFunction):
        latex: str = function.record.latex
        return latex
    return f"\\{type(function).__name__}"


def _functions(judge: Judge, relation: Relation) -> tuple[str, ...]:
    """The names of the activations in use."""
    found = []
    for equation in judge.notes.program.equations:
        if isinstance(equation.right, sympy.Function) and len(equation.right.args) == 1:
            found.append(_symbol(judge, equation.right))
    return tuple(dict.fromkeys([*found, "\\tanh", "\\sigma"]))[:5]


def _letters(tree: Node) -> Iterator[str]:
    for node in nodes(tree):
        name = name_of(node)
        if name is not None:
            for script in name.below:
                if script.text.isalpha() and len(script.text) <= 3 and script.text.islower():
                    yield from script.text
