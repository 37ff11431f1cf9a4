r"""The commands that notes define for themselves: ``\newcommand``, ``\def`` and ``\DeclareMathOperator``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from symbackprop.reading.places import Span, blanked
from symbackprop.reading.scanner import Piece, brace_pairs
from symbackprop.reading.sources import Macro

__all__ = ["Definition", "definitions", "groups", "macros"]


class Definition(NamedTuple):
    """Where something is defined; what, unless it is no simple macro; and whether it gives way to one that is there."""

    span: Span
    macro: Macro | None = None
    is_meek: bool = False


Groups = Mapping[int, int]
"""The offset of every brace that is closed, to the offset after the brace that closes it."""
_Read = Callable[[str, int, Groups], tuple[int, Macro | None] | None]

_NAME = r"\s*(?:\{\s*(\\(?:[A-Za-z@]+|.))\s*\}|(\\(?:[A-Za-z@]+|.)))"
_COMMAND = re.compile(
    rf"\*?{_NAME}\s{{0,99}}(?:\[\s{{0,9}}(\d)\s{{0,9}}\]\s{{0,99}}"
    r"(?:\[((?:[^\[\]{}\n]|\{[^{}\n]*\})*)\]\s{0,99})?)?(?=\{)",
    re.DOTALL,
)
_DEF = re.compile(rf"{_NAME}((?:#\d)*)\s{{0,99}}(?=\{{)", re.DOTALL)
_OPERATOR = re.compile(rf"\*?{_NAME}\s{{0,99}}(?=\{{)", re.DOTALL)
_ENVIRONMENT = re.compile(r"\*?\s{0,99}\{[^{}\n]*\}\s{0,99}(?:\[[^\]\n]*\]\s{0,99}){0,2}(?=\{)")
_BETWEEN = re.compile(r"(?:\s|%[^\n]*\n){0,99}(?=\{)")
_PARAMETER = re.compile(r"#(\d?)")


def groups(pieces: Sequence[Piece]) -> Groups:
    """Where the braces of a text begin and end."""
    return {pieces[first].start: pieces[last].stop for first, last in brace_pairs(pieces).items()}


def definitions(text: str, pieces: Sequence[Piece]) -> tuple[Definition, ...]:
    """All definitions among ``pieces``, in order; one inside another belongs to that."""
    ends, found, place = groups(pieces), list[Definition](), 0
    hidden = [Span(piece.start, piece.stop) for piece in pieces if piece.kind in ("comment", "skipped")]
    for piece in pieces:
        if piece.kind != "command" or piece.start < place or piece.name not in _READERS:
            continue
        read = _READERS[piece.name](text, piece.stop, ends)
        if read is None:
            continue
        place, macro = read
        if macro is not None:
            body = blanked(text, Span(place - 1 - len(macro.body), place - 1), hidden)
            macro = None if _is_wild(macro) else Macro(macro.name, macro.arity, _operator(piece, body), macro.default)
        found.append(Definition(Span(piece.start, place), macro, piece.name == "providecommand"))
    return tuple(found)


def macros(found: Iterable[Definition]) -> Mapping[str, Macro]:
    r"""By name, backslash and all: of more than one definition the last holds, unless it is a ``\providecommand``."""
    table = dict[str, Macro]()
    for definition in found:
        macro = definition.macro
        if macro is not None and not (definition.is_meek and macro.name in table):
            table[macro.name] = macro
    return table


def _operator(piece: Piece, body: str) -> str:
    return f"\\operatorname{{{body}}}" if piece.name == "DeclareMathOperator" else body


def _is_wild(macro: Macro) -> bool:
    """Whether the body speaks of a parameter that there is not, or is part of the machinery of a package."""
    spoken = (match[1] for match in _PARAMETER.finditer(macro.body))
    return "@" in macro.name or any(not number or not 1 <= int(number) <= macro.arity for number in spoken)


def _read_command(text: str, place: int, ends: Groups) -> tuple[int, Macro | None] | None:
    head = _COMMAND.match(text, place)
    if head is None or head.end() not in ends:
        return None
    stop = ends[head.end()]
    return stop, Macro(head[1] or head[2], int(head[3] or 0), text[head.end() + 1 : stop - 1], head[4])


def _read_def(text: str, place: int, ends: Groups) -> tuple[int, Macro | None] | None:
    head = _DEF.match(text, place)
    if head is None or head.end() not in ends:
        return None
    stop, parameters = ends[head.end()], head[3]
    if parameters != "".join(f"#{number}" for number in range(1, len(parameters) // 2 + 1)):
        return stop, None
    return stop, Macro(head[1] or head[2], len(parameters) // 2, text[head.end() + 1 : stop - 1])


def _read_operator(text: str, place: int, ends: Groups) -> tuple[int, Macro | None] | None:
    head = _OPERATOR.match(text, place)
    if head is None or head.end() not in ends:
        return None
    stop = ends[head.end()]
    return stop, Macro(head[1] or head[2], 0, text[head.end() + 1 : stop - 1])


def _read_environment(text: str, place: int, ends: Groups) -> tuple[int, Macro | None] | None:
    """An environment's two bodies, neither of which is a macro."""
    head = _ENVIRONMENT.match(text, place)
    if head is None or head.end() not in ends:
        return None
    stop = ends[head.end()]
    between = _BETWEEN.match(text, stop)
    return (ends.get(between.end(), stop) if between else stop), None


_READERS: Mapping[str, _Read] = {
    "newcommand": _read_command,
    "renewcommand": _read_command,
    "providecommand": _read_command,
    "DeclareRobustCommand": _read_command,
    "def": _read_def,
    "gdef": _read_def,
    "DeclareMathOperator": _read_operator,
    "newenvironment": _read_environment,
    "renewenvironment": _read_environment,
}
