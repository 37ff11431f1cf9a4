r"""Where a formula may be broken where a window is narrow: relations first, then signs, then products.

A formula is cut into chunks that follow each other on a line or do not; together they are the formula, letter by
letter. Nothing is cut inside a fraction, a matrix, or brackets that grow (``\left( \right)``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, zip_longest

from symbackprop.documents.layout import glyphs

__all__ = ["MOST", "chunks", "ems"]

MOST = 18
"""Up to this many glyphs stay together; beside the left side, a telephone has room for about so many."""

_EM_A_GLYPH, _EM_A_DIGIT, _EM_BETWEEN, _EM_BRACKETS = 0.6, 0.5, 0.8, 1.75
"""Measured in the font of the documents."""
_MATRIX = re.compile(r"\\begin\{[a-z]*matrix\}(.*?)\\end\{[a-z]*matrix\}", re.DOTALL)
_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_ARGUMENTS = {
    r"\frac": 2,
    r"\tfrac": 2,
    r"\sqrt": 1,
    r"\mathbf": 1,
    r"\mathrm": 1,
    r"\text": 1,
    r"\operatorname": 1,
    r"\operatorname*": 1,
}
_SPACES = frozenset((r"\,", r"\ ", r"\quad", r"\qquad"))
_KINDS = (
    ("relation", ("=", "<", ">", r"\ne", r"\le", r"\ge", r"\approx", r"\leftarrow")),
    ("sign", ("+", "-")),
    ("times", (r"\cdot", r"\times", r"\odot", r"\oslash")),
    ("opening", ("(", "[")),
    ("closing", (")", "]")),
    ("point", (",", ";")),
    ("prefix", (r"\partial", r"\sum", r"\max", r"\log", r"\exp", r"\operatorname", r"\operatorname*")),
)
_KIND = {token: kind for kind, tokens in _KINDS for token in tokens}
_RANKS = {"relation": 0, "point": 0, "sign": 1, "times": 2, "factor": 3}
"""What is broken first has the lowest rank; what stands in brackets comes after all that does not."""


@dataclass(frozen=True)
class _Atom:
    """A part that is never cut, with its scripts and the space behind it; ``depth`` counts brackets around it."""

    text: str
    kind: str
    depth: int

    @property
    def spaced(self) -> bool:
        return self.text[-1:].isspace() or self.text.endswith(r"\,")


@lru_cache(maxsize=1 << 12)
def chunks(latex: str, most: int = MOST) -> tuple[str, ...]:
    """``latex`` in parts of at most ``most`` glyphs, where it can be cut so; joined they are ``latex``."""
    return tuple(_cut(list(_atoms(latex)), most))


def ems(latex: str) -> float:
    """About how wide ``latex`` is, in ems; seldom less wide than it turns out."""
    matrix = _MATRIX.search(latex)
    if matrix is None:
        return _EM_A_GLYPH * glyphs(latex)
    before, after = latex[: matrix.start()], latex[matrix.end() :]
    rows = [row.split("&") for row in matrix[1].split(r"\\")]
    columns = zip_longest(*rows, fillvalue="")
    inside = sum(_EM_A_DIGIT * max(map(glyphs, column)) + _EM_BETWEEN for column in columns)
    return ems(before) + _EM_BRACKETS + inside + ems(after)


def _cut(atoms: Sequence[_Atom], most: int) -> Iterator[str]:
    text = "".join(atom.text for atom in atoms)
    ranks = {place: rank for place in range(1, len(atoms)) if (rank := _rank(atoms, place)) is not None}
    if not ranks or glyphs(text) <= most:
        yield text
        return
    best = min(ranks.values())
    places = [0, *(place for place, rank in ranks.items() if rank == best), len(atoms)]
    for start, end in pairwise(places):
        yield from _cut(atoms[start:end], most)


def _rank(atoms: Sequence[_Atom], place: int) -> tuple[int, int] | None:
    """How gladly the line is broken before the atom at ``place``; None where it must not be."""
    before, atom = atoms[place - 1], atoms[place]
    if before.kind in ("relation", "sign", "times", "opening", "prefix") or atom.kind in ("closing", "point"):
        return None
    kind = "point" if before.kind == "point" else "factor" if atom.kind not in _RANKS else atom.kind
    if kind == "factor" and not (before.spaced or before.kind == "closing"):
        return None
    return atom.depth, _RANKS[kind]


def _atoms(latex: str) -> Iterator[_Atom]:
    tokens = [match[0] for match in _TOKEN.finditer(latex)]
    place = depth = 0
    while place < len(tokens):
        start, token = place, tokens[place]
        place = _end(tokens, place)
        kind = _KIND.get(token, "operand")
        depth -= kind == "closing"
        yield _Atom("".join(tokens[start:place]), kind, max(depth, 0))
        depth += kind == "opening"


def _end(tokens: Sequence[str], place: int) -> int:
    """Behind the atom that begins at ``place``: its arguments, its scripts, and the space after it."""
    token = tokens[place]
    if token in (r"\left", r"\begin"):
        place = _closed(tokens, place, token, {r"\left": r"\right", r"\begin": r"\end"}[token])
    elif token == "{":
        place = _closed(tokens, place, "{", "}")
    else:
        place += 1
        for _ in range(_ARGUMENTS.get(token, 0)):
            place = _argument(tokens, place)
    while place < len(tokens) and (tokens[place] in ("_", "^", "'") or _is_space(tokens[place])):
        place = _argument(tokens, place + 1) if tokens[place] in ("_", "^") else place + 1
    return place


def _is_space(token: str) -> bool:
    return token.isspace() or token in _SPACES


def _argument(tokens: Sequence[str], place: int) -> int:
    """Behind the argument at ``place``: a group, or one token."""
    while place < len(tokens) and tokens[place].isspace():
        place += 1
    return _closed(tokens, place, "{", "}") if tokens[place : place + 1] == ["{"] else place + 1


def _closed(tokens: Sequence[str], place: int, opening: str, closing: str) -> int:
    """Behind what closes the group that opens at ``place``, with the delimiter or the name that follows it."""
    depth = 0
    while place < len(tokens):
        depth += (tokens[place] == opening) - (tokens[place] == closing)
        place += 1
        if depth == 0:
            break
    if closing == r"\right":
        return place + 1
    return _closed(tokens, place, "{", "}") if closing == r"\end" else place
