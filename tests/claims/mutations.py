"""Formulas that nobody wrote: those of the collections with tokens left out, doubled, moved, or taken from others."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
TOKEN = re.compile(r"\\(?:begin|end)\{[a-z*]+\}|\\[A-Za-z]+|\\.|[A-Za-z0-9]|\s+|.", re.DOTALL)
STRANGE = (
    "\N{GREEK SMALL LETTER DELTA}", "\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT THREE}", "\N{MINUS SIGN}",
    "\N{MATHEMATICAL BOLD SMALL X}", "\N{COMBINING ACUTE ACCENT}", "\N{RIGHT-TO-LEFT MARK}", "\x00",
    "\N{CJK UNIFIED IDEOGRAPH-6570}", "\\", "$", "%", "#", "&", "~", "^", "_", "{", "}", "\\\\", "'",
    "\\left.", "\\begin{cases}", "\\end{pmatrix}",
)  # fmt: skip
Tokens = list[str]


@cache
def documents() -> tuple[tuple[str, str], ...]:
    """Each text with its kind; the entries of notation.toml end with their formula."""
    entries = tomllib.loads((HERE / "notation.toml").read_text(encoding="utf-8"))["entry"]
    found = [(f"{e['declarations'].strip()}\n\n{_shown(e['latex'].strip())}\n", "markdown") for e in entries]
    for path in (*sorted((HERE / "published").iterdir()), *sorted((HERE / "notes").iterdir())):
        if path.name != "forty.tex":
            found.append((path.read_text(encoding="utf-8"), "tex" if path.suffix == ".tex" else "markdown"))
    return tuple(found)


def _shown(latex: str) -> str:
    return latex if latex.startswith("\\begin{") else f"$${latex}$$"


_FORMULA = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\$([^$]+?)\$|\\begin\{align\*?\}(.+?)\\end\{align", re.DOTALL)


def formulas(text: str) -> list[tuple[int, int]]:
    """Where the formulas of a text are, roughly."""
    found = []
    for match in _FORMULA.finditer(text):
        group = next(k for k in range(1, 5) if match.group(k) is not None)
        found.append(match.span(group))
    return found


@cache
def vocabulary() -> tuple[str, ...]:
    """The tokens of all formulas."""
    return tuple(
        token for text, _ in documents() for start, stop in formulas(text) for token in TOKEN.findall(text[start:stop])
    )


def _left_out(tokens: Tokens, draw: random.Random) -> None:
    place = draw.randrange(len(tokens))
    del tokens[place : place + draw.choice((1, 1, 1, 2, 4))]


def _doubled(tokens: Tokens, draw: random.Random) -> None:
    place = draw.randrange(len(tokens))
    count = draw.choice((1, 1, 2, 5))
    tokens[place:place] = tokens[place : place + count]


def _swapped(tokens: Tokens, draw: random.Random) -> None:
    one, other = draw.randrange(len(tokens)), draw.randrange(len(tokens))
    tokens[one], tokens[other] = tokens[other], tokens[one]


def _replaced(tokens: Tokens, draw: random.Random) -> None:
    tokens[draw.randrange(len(tokens))] = draw.choice(vocabulary())


def _put_in(tokens: Tokens, draw: random.Random) -> None:
    tokens.insert(draw.randrange(len(tokens) + 1), draw.choice(vocabulary()))


def _bracket(tokens: Tokens, draw: random.Random) -> None:
    tokens.insert(
        draw.randrange(len(tokens) + 1), draw.choice(("(", ")", "{", "}", "[", "]", "\\left(", "\\right)", "|", "\\|"))
    )


def _grown(tokens: Tokens, draw: random.Random) -> None:
    places = [place for place, token in enumerate(tokens) if token.isdigit()] or [draw.randrange(len(tokens))]
    tokens[draw.choice(places)] = draw.choice(("0", "10", "99", "999999", "1000000007", "0.5", "1e9", "9" * 70, "-1"))


def _strange(tokens: Tokens, draw: random.Random) -> None:
    tokens.insert(draw.randrange(len(tokens) + 1), draw.choice(STRANGE))


def _sign(tokens: Tokens, draw: random.Random) -> None:
    signs = {
        "+": "-",
        "-": "+",
        "\\odot": "",
        "\\cdot": "\\odot",
        "\\top": "",
        "=": "+",
        "i": "j",
        "j": "k",
        "1": "2",
        "2": "1",
    }
    places = [place for place, token in enumerate(tokens) if token in signs]
    if places:
        place = draw.choice(places)
        tokens[place] = signs[tokens[place]]


def _wrapped(tokens: Tokens, draw: random.Random) -> None:
    opening, closing = draw.choice(
        (("\\exp(", ")"), ("\\frac{1}{", "}"), ("2^{", "}"), ("\\sqrt{", "}"), ("\\sum_{i}(", ")"), ("(", ")^T"))
    )
    place = draw.randrange(len(tokens))
    stop = min(len(tokens), place + draw.choice((1, 3, 6)))
    count = draw.choice((1, 1, 2, 60))
    tokens[place:stop] = [opening] * count + tokens[place:stop] + [closing] * count


CHANGES: Sequence[Callable[[Tokens, random.Random], None]] = (
    _left_out, _doubled, _swapped, _replaced, _put_in, _bracket, _grown, _strange, _sign, _sign, _wrapped,
)  # fmt: skip


def mutated(seed: int) -> tuple[str, str]:
    """A text with one formula changed once or a few times, and its kind; the last formula most often."""
    draw = random.Random(seed)
    text, kind = draw.choice(documents())
    places = formulas(text)
    start, stop = places[-1] if draw.random() < 0.5 else draw.choice(places)
    tokens: Tokens = TOKEN.findall(text[start:stop])
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        if tokens:
            draw.choice(CHANGES)(tokens, draw)
    return text[:start] + "".join(tokens) + text[stop:], kind
