"""A first look over all formulas: which words, which letters number layers, which symbols have how many indices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields

from symbackprop.reading.functions import KNOWN
from symbackprop.reading.names import Name, name_of
from symbackprop.reading.parser import parse
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.statements import Statement
from symbackprop.reading.syntax import Derivative, Differential, Node, Scripted, Summation, Symbol
from symbackprop.reading.tokens import Token, joined

__all__ = ["Survey", "nodes", "survey"]

_STEP = re.compile(r"([A-Za-z]|\\ell)([+-])(\d+)\Z")
_LETTER = re.compile(r"(?:[A-Za-z]|\\ell)\Z")
_COUNT = re.compile(r"[1-9]\d?\Z")
_BARE = ("softmax", "relu", "sigmoid", "diag", "tr", "sum")
_LAYERS = 3
"""How many layers are written out where the notes speak of layer l only."""


@dataclass
class Survey:
    """What the notes look like as a whole.

    ``words``    names of several letters
    ``generic``  letters that number layers or steps, with their numbers
    ``last``     letters that mean the last layer
    ``ranks``    how many indices the symbols of a letter carry, the most
    ``above``    the symbols that stand above in derivatives, by how often
    ``small_d``  whether dX is written for a derivative
    ``subscripted``  symbols whose numbers stand below, so that a bare number above is a power
    ``indices``  letters that are indices for certain: summed over, or side by side with others below a symbol
    """

    words: set[str] = field(default_factory=set)
    generic: dict[str, tuple[int, ...]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    transposed: dict[str, bool] = field(default_factory=dict)
    above: dict[str, int] = field(default_factory=dict)
    small_d: bool = False
    indices: set[str] = field(default_factory=set)
    subscripted: set[str] = field(default_factory=set)


def nodes(node: object) -> Iterator[Node]:
    """Every node of a tree, outermost first."""
    if isinstance(node, Node):
        yield node
        for part in fields(node):
            yield from nodes(getattr(node, part.name))
    elif isinstance(node, tuple):
        for part in node:
            yield from nodes(part)


def survey(found: Sequence[Statement]) -> Survey:
    """Look over all statements of the notes."""
    result = Survey(words=_words(found))
    trees = []
    for statement in found:
        for side in statement.sides:
            try:
                trees.append(parse(side.tokens, result.words))
            except UnreadFormulaError:
                continue
    _look(trees, result, _stated(found))
    _find_subscripted(found, trees, result)
    return result


def _stated(found: Sequence[Statement]) -> dict[str, int]:
    """The number of layers that notes say: L = 2, and l = 1, 2, where the list is written out."""
    stated: dict[str, int] = {}
    for place, statement in enumerate(found):
        if statement.relations != ("=",):
            continue
        letter, number = (joined(side.tokens[:-1]).strip() for side in statement.sides)
        if not _LETTER.match(letter) or not _COUNT.match(number):
            continue
        listed = [number]
        for after in found[place + 1 :]:
            text = "" if after.relations else joined(after.sides[0].tokens[:-1]).strip()
            if not _COUNT.match(text) or int(text) != int(listed[-1]) + 1:
                break
            listed.append(text)
        if letter == "L" or len(listed) > 1:
            stated[letter] = int(listed[-1])
    return stated


def _find_subscripted(found: Sequence[Statement], trees: Sequence[Node], result: Survey) -> None:
    """The symbols that are numbered below, and never above."""
    below: set[str] = set()
    above: set[str] = set()
    for statement in found:
        try:
            left = name_of(parse(statement.sides[0].tokens, result.words))
        except UnreadFormulaError:
            continue
        if left is not None and any(script.kind == "plain" and script.text.isdigit() for script in left.above):
            above.add(left.base)
    for tree in trees:
        for node in nodes(tree):
            name = name_of(node)
            if name is None:
                continue
            if any(script.text.isdigit() for script in name.below):
                below.add(name.base)
            if any(script.kind != "plain" or not script.text.isdigit() for script in name.above):
                above.add(name.base)
    result.subscripted = below - above


def _words(found: Sequence[Statement]) -> set[str]:
    """Runs of letters that are one name: known functions, and what is no product of letters that stand elsewhere."""
    runs: dict[str, int] = {}
    single: set[str] = set()
    for statement in found:
        for side in statement.sides:
            for run in _runs(side.tokens):
                if len(run) > 2:
                    runs[run] = runs.get(run, 0) + 1
                else:
                    single |= set(run)
    known = {
        name for name in (*KNOWN, *_BARE, "ReLU", "Softmax", "SoftMax", "Sigmoid") if name.isalpha() and len(name) > 1
    }
    words = {name for name in known if len(name) > 2 or name == "ln"}
    for run in runs:
        inside = run[1:] if run[0] == "d" and run[1:] in runs else run
        if inside in words or all(letter in single for letter in inside):
            continue
        if not any(inside.startswith(word) for word in words if word in known):
            words.add(inside)
    return words | {"CE"} if "CE" not in single else words


def _runs(tokens: Sequence[Token]) -> Iterator[str]:
    run = ""
    for token in tokens:
        letter = token.text if len(token.text) == 1 and token.text.isalpha() and not token.kind else ""
        if run and (not letter or token.spaced):
            yield run
            run = ""
        run += letter


def _look(trees: Sequence[Node], result: Survey, stated: Mapping[str, int]) -> None:
    labels: dict[str, set[int]] = {}
    stepped: set[str] = set()
    plain: set[str] = set()
    last: set[str] = set()
    bound: set[str] = set()
    for tree in trees:
        inside = list(nodes(tree))
        powers = {id(n.base) for n in inside if isinstance(n, Scripted)}
        for node in inside:
            if isinstance(node, Summation):
                bound |= {name for name, _, _ in node.indices}
            if isinstance(node, Derivative) and node.of is not None:
                name = name_of(node.of)
                if name is not None:
                    result.above[name.base] = result.above.get(name.base, 0) + 1
            if isinstance(node, Differential) and node.body is not None:
                result.small_d = True
            name = name_of(node)
            if name is None or (isinstance(node, Symbol) and id(node) in powers):
                continue
            _note_name(name, result, labels, stepped, plain, last)
    result.indices |= bound
    generic = (stepped | ({"l", "\\ell"} & plain)) - bound - last
    numbers = {number for found in labels.values() for number in found}
    top = max((number for number in numbers if number < 100), default=0)
    depth = max(top, *stated.values()) if stated else top
    for letter in sorted(generic):
        result.generic[letter] = tuple(range(1, (depth or _LAYERS) + 1))
    for letter in sorted(last - bound):
        result.last[letter] = stated.get(letter) or depth or _LAYERS


def _note_name(
    name: Name, result: Survey, labels: dict[str, set[int]], stepped: set[str], plain: set[str], last: set[str]
) -> None:
    for script in name.above:
        step = _STEP.match(script.text)
        if step:
            (last if step[1] == "L" else stepped).add(step[1])
        elif script.text == "L":
            last.add("L")
        elif _LETTER.match(script.text):
            plain.add(script.text)
        elif script.text.isdigit() and (script.kind in ("(", "[") or name.base in ("w", "z", "a", "b", "\\delta", "W")):
            labels.setdefault(name.base, set()).add(int(script.text))
    for script in name.below:
        step = _STEP.match(script.text)
        if step and step[1] in ("t", "l"):
            stepped.add(step[1])
        if script.text in ("l", "\\ell"):
            plain.add(script.text)
        if script.text.isdigit() and len(script.text) == 1 and name.base in ("W", "Z", "A", "h", "H"):
            labels.setdefault(name.base, set()).add(int(script.text))
    letters = "".join(script.text for script in name.below)
    count = len(letters) if letters.isalpha() and letters.islower() and len(letters) <= 3 else 0
    if count > 1:
        result.indices |= set(letters)
    if len(name.below) > 1 or count:
        result.ranks[name.base] = max(result.ranks.get(name.base, 0), max(count, len(name.below)))
    if name.tops:
        result.transposed[name.base] = result.transposed.get(name.base, False) or bool(name.above)
