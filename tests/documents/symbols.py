"""Which symbols a formula in LaTeX is made of: letters with a layer's number, without their other scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symbackprop.forms.signs import GREEK

__all__ = ["leading", "symbols"]

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|[{}]|\^|_|[A-Za-z]|\d+|\s+|.", re.DOTALL)
_GREEK = frozenset(rf"\{name}" for name in ("varphi", "ell", *GREEK))
_WORDS = (r"\text", r"\operatorname", r"\operatorname*", r"\begin", r"\end")
_NAMES = (r"\mathrm", r"\mathbf")
_BARE = re.compile(r"(\b[wbza]|\\delta)\^\{(\d+|[lqrs](?:[+-]1)?)(\\top)?\}")
_LAYER = re.compile(r"[(\[]([^()\[\]]*)[)\]]")


def symbols(latex: str, bare: bool = False) -> set[str]:
    """Every symbol in ``latex``, such as ``W^{(1)}`` for an entry too; indices, functions and constants among them.

    ``bare`` says that the number of a layer has no brackets: w^1.
    """
    return set(_symbols(_tokens(latex, bare)))


def leading(latex: str, bare: bool = False) -> str:
    """The first symbol of ``latex``: of an entry the variable, not its indices."""
    return next(_symbols(_tokens(latex, bare)))


def _tokens(latex: str, bare: bool) -> list[str]:
    latex = _BARE.sub(r"\1^{(\2)\3}", latex) if bare else latex
    return [token for token in _TOKEN.findall(latex) if not token.isspace()]


def _symbols(tokens: list[str]) -> Iterator[str]:
    place = 0
    while place < len(tokens):
        token = tokens[place]
        place += 1
        if token in _WORDS:
            _, place = _group(tokens, place)
        elif token in _NAMES:
            inside, place = _group(tokens, place)
            if inside != ["1"]:
                scripts, place = _scripts(tokens, place)
                yield token + "{" + "".join(inside) + "}" + _label(scripts)
                yield from _inside(scripts)
            else:
                scripts, place = _scripts(tokens, place)
                yield from _inside(scripts)
        elif token in _GREEK or (len(token) == 1 and token.isalpha()):
            scripts, place = _scripts(tokens, place)
            yield token + _label(scripts)
            yield from _inside(scripts)
        elif token in ("^", "_"):
            inside, place = _group(tokens, place)
            yield from _symbols(inside)


def _group(tokens: list[str], place: int) -> tuple[list[str], int]:
    """What the group at ``place`` holds, and the place behind it."""
    if tokens[place] != "{":
        return [tokens[place]], place + 1
    depth, start = 1, place + 1
    place = start
    while depth:
        depth += (tokens[place] == "{") - (tokens[place] == "}")
        place += 1
    return tokens[start : place - 1], place


def _scripts(tokens: list[str], place: int) -> tuple[dict[str, list[str]], int]:
    found = {}
    while place < len(tokens) and tokens[place] in ("^", "_", "'"):
        if tokens[place] == "'":
            place += 1
            continue
        kind = tokens[place]
        found[kind], place = _group(tokens, place + 1)
    return found, place


def _label(scripts: dict[str, list[str]]) -> str:
    """The number of the layer, where the superscript has one."""
    match = _LAYER.match("".join(scripts.get("^", [])))
    # The layers before and behind layer l are written in the same way.
    return f"^{{{match[0].replace('+1', '').replace('-1', '')}}}" if match else ""


def _inside(scripts: dict[str, list[str]]) -> Iterator[str]:
    """The symbols in scripts: indices, sizes, exponents. A layer's number is part of its symbol."""
    above = scripts.get("^", [])
    if not _label(scripts):
        yield from _symbols(above)
    elif "l" in above:
        yield "l"
    yield from _symbols(scripts.get("_", []))
