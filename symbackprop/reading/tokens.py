r"""A formula cut into tokens with their places: spellings become one, what only spaces or sizes falls away.

Macros of the notes are put in, each of their tokens at the place of the call. Letters and digits stay single, as TeX
takes them (``\frac12`` is a half); ``\text{pred}`` becomes one token, a word. Bounds hold before anything is computed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from symbackprop.reading.sources import Macro, UnreadFormulaError

__all__ = ["END", "TOKENS", "Token", "joined", "tokenize"]

TOKENS = 6000
"""The most tokens of one formula, its macros put in."""
_CALLS = 500
"""The most calls of macros in one formula."""
END = "end"


@dataclass(frozen=True)
class Token:
    r"""One token: ``kind`` is "word" for what stood in ``\text``, "end" for the end of the formula, else empty.

    ``raw`` is how it was spelled, where that differs from ``text``.
    """

    text: str
    line: int
    column: int
    spaced: bool = False
    kind: str = ""
    raw: str = ""

    def fail(self, reason: str) -> NoReturn:
        """Raise what says that the formula cannot be read here."""
        raise UnreadFormulaError(reason, self.line, self.column)


_TOKEN = re.compile(r"\\(?:operatorname|hspace|vspace|tag)\*|\\[A-Za-z]+|\\[^A-Za-z]|\s+|.", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9+\-*/^_(){}\[\]|.,;:=<>'&!]")
_SPACES = frozenset(("\\,", "\\;", "\\:", "\\!", "\\ ", "\\>", "~", "\\quad", "\\qquad"))
_WIDE = frozenset(("\\quad", "\\qquad"))
_BIG = {f"\\{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")}
_DROPPED = frozenset(
    (
        "\\left", "\\right", "\\middle", "\\displaystyle", "\\textstyle", "\\scriptstyle", "\\scriptscriptstyle",
        "\\limits", "\\nolimits", "\\nonumber", "\\notag", "\\thinspace", "\\medspace", "\\thickspace", "\\strut",
        "\\allowbreak", "\\nobreak", "\\negthinspace", "\\bgroup", "\\egroup", "\\normalfont", "\\relax", *_BIG,
    )
)  # fmt: skip
_WITH_ARGUMENT = frozenset(
    ("\\tag", "\\tag*", "\\label", "\\hspace", "\\vspace", "\\hspace*", "\\phantom", "\\hphantom", "\\vphantom",
     "\\mspace", "\\color", "\\ref", "\\eqref", "\\cite", "\\intertext", "\\shortintertext")
)  # fmt: skip
"""Commands that say nothing about the mathematics, dropped with their argument."""
_WORDS = frozenset(
    ("\\text", "\\mathrm", "\\operatorname", "\\operatorname*", "\\textrm", "\\textit", "\\textbf", "\\mbox",
     "\\mathsf", "\\mathtt", "\\mathit", "\\textsf", "\\texttt", "\\hbox", "\\textnormal")
)  # fmt: skip
_BARS = {"\\left": "\\lvert", "\\right": "\\rvert"}
_SPELLINGS = {
    "\\dfrac": "\\frac", "\\tfrac": "\\frac", "\\cfrac": "\\frac", "\\ast": "*", "\\div": "/", "\\vert": "|",
    "\\lbrace": "\\{", "\\rbrace": "\\}", "\\lbrack": "[", "\\rbrack": "]", "\\Vert": "\\|", "\\lVert": "\\|",
    "\\rVert": "\\|", "\\gets": "\\leftarrow", "\\coloneqq": ":=", "\\triangleq": ":=", "\\equiv": ":=",
    "\\ge": "\\geq", "\\le": "\\leq", "\\geqslant": "\\geq", "\\leqslant": "\\leq", "\\ne": "\\neq", "\\lt": "<",
    "\\gt": ">", "\\land": "\\wedge", "\\dagger": "\\top", "\\intercal": "\\top", "\\mathbb": "\\mathbf",
    "\\bm": "\\mathbf", "\\boldsymbol": "\\mathbf", "\\bf": "\\mathbf", "\\pmb": "\\mathbf", "\\vec": "\\mathbf",
    "\\mathscr": "\\mathcal", "\\widehat": "\\hat", "\\overline": "\\bar", "\\widetilde": "\\tilde",
    "\\hadamard": "\\odot", "\\to": "\\rightarrow", "\\implies": "\\Rightarrow", "\\iff": "\\Leftrightarrow",
    "\\prime": "'", "\\dots": "\\ldots", "\\cdots": "\\ldots", "\\varepsilon": "\\epsilon", "\\varDelta": "\\Delta",
    "\\approxeq": "\\approx", "\\simeq": "\\approx", "\\doteq": "\\approx", "\\mathds": "\\mathbf", "\\ell": "\\ell",
    "\N{MINUS SIGN}": "-", "\N{MIDDLE DOT}": "\\cdot", "\N{MULTIPLICATION SIGN}": "\\times",
    "\N{LEFTWARDS ARROW}": "\\leftarrow", "\N{PARTIAL DIFFERENTIAL}": "\\partial", "\N{N-ARY SUMMATION}": "\\sum",
    "\N{CIRCLED DOT OPERATOR}": "\\odot", "\N{NABLA}": "\\nabla", "\N{ELEMENT OF}": "\\in",
    "\N{LESS-THAN OR EQUAL TO}": "\\leq", "\N{GREATER-THAN OR EQUAL TO}": "\\geq", "\N{NOT EQUAL TO}": "\\neq",
    "\N{ALMOST EQUAL TO}": "\\approx", "\N{PRIME}": "'", "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{GREEK SMALL LETTER SIGMA}": "\\sigma", "\N{GREEK SMALL LETTER DELTA}": "\\delta",
    "\N{GREEK SMALL LETTER ETA}": "\\eta", "\N{GREEK SMALL LETTER THETA}": "\\theta",
    "\N{GREEK SMALL LETTER ALPHA}": "\\alpha", "\N{GREEK SMALL LETTER LAMDA}": "\\lambda",
    "\N{GREEK SMALL LETTER PHI}": "\\varphi", "\N{GREEK SMALL LETTER BETA}": "\\beta",
    "\N{GREEK SMALL LETTER GAMMA}": "\\gamma", "\N{GREEK SMALL LETTER MU}": "\\mu",
    "\N{GREEK SMALL LETTER EPSILON}": "\\epsilon", "\N{GREEK CAPITAL LETTER DELTA}": "\\Delta",
}  # fmt: skip
_WITH_COLUMNS = frozenset(("array", "alignat", "alignedat"))
"""Environments whose first argument says how many columns there are."""
_FORBIDDEN = frozenset(
    ("\\input", "\\include", "\\write", "\\read", "\\openin", "\\openout", "\\csname", "\\catcode", "\\loop",
     "\\newcommand", "\\renewcommand", "\\def", "\\let", "\\newenvironment", "\\usepackage", "\\directlua")
)  # fmt: skip


def tokenize(latex: str, line: int, column: int, macros: Mapping[str, Macro] | None = None) -> tuple[Token, ...]:
    """The tokens of ``latex``, whose first character stands at ``line`` and ``column``; the last marks the end."""
    raw = list(_raw(latex, line, column))
    tokens = _cleaned(_expanded(raw, macros or {}))
    return (*tokens, _end(latex, line, column))


def _end(latex: str, line: int, column: int) -> Token:
    last = latex.rfind("\n")
    place = (line, column + len(latex)) if last < 0 else (line + latex.count("\n"), len(latex) - last)
    return Token("", *place, kind=END)


def _raw(latex: str, line: int, column: int) -> Iterator[Token]:
    spaced = False
    for count, match in enumerate(_TOKEN.finditer(latex)):
        text = match.group()
        if count > 4 * TOKENS:
            Token(text, line, column).fail(f"the formula has more than {TOKENS} tokens; split it")
        if text.isspace():
            spaced = True
            yield Token(" ", line, column, True, "space")
        else:
            yield Token(text, line, column, spaced)
            spaced = False
        if "\n" in text:
            line, column = line + text.count("\n"), len(text) - text.rindex("\n")
        else:
            column += len(text)


def _expanded(tokens: list[Token], macros: Mapping[str, Macro]) -> list[Token]:
    """``tokens`` with the macros of the notes put in."""
    if not macros:
        return tokens
    stack, done, calls = list(reversed(tokens)), list[Token](), 0
    while stack:
        token = stack.pop()
        macro = macros.get(token.text)
        if macro is None:
            done.append(token)
            if len(done) > 4 * TOKENS:
                token.fail(f"the formula has more than {TOKENS} tokens with its macros put in; split it")
            continue
        calls += 1
        if calls > _CALLS:
            token.fail(f"{macro.name} and the like are called more than {_CALLS} times; a macro may not call itself")
        arguments = []
        if macro.default is not None:
            arguments.append(_optional(stack, macro))
        while len(arguments) < macro.arity:
            arguments.append(_argument(stack, token))
        stack.extend(reversed(_put_in(macro, arguments, token)))
    return done


def _skip_spaces(stack: list[Token]) -> None:
    while stack and stack[-1].kind == "space":
        stack.pop()


def _argument(stack: list[Token], of: Token) -> list[Token]:
    _skip_spaces(stack)
    if not stack:
        of.fail(f"{of.text} wants an argument here")
    token = stack.pop()
    if token.text != "{":
        return [token]
    depth, inside = 1, list[Token]()
    while True:
        if not stack:
            of.fail(f"the argument of {of.text} is never closed")
        token = stack.pop()
        depth += (token.text == "{") - (token.text == "}")
        if not depth:
            return inside
        inside.append(token)


def _optional(stack: list[Token], macro: Macro) -> list[Token]:
    _skip_spaces(stack)
    if not stack or stack[-1].text != "[":
        return list(_raw(macro.default or "", 1, 1))
    opened = stack.pop()
    inside: list[Token] = []
    while True:
        if not stack:
            opened.fail(f"the optional argument of {macro.name} is never closed")
        token = stack.pop()
        if token.text == "]":
            return inside
        inside.append(token)


def _put_in(macro: Macro, arguments: Sequence[list[Token]], call: Token) -> list[Token]:
    """The body of the macro at the place of its call; arguments keep their own places."""
    body = [replace(token, line=call.line, column=call.column) for token in _raw(macro.body, 1, 1)]
    found: list[Token] = []
    place = 0
    while place < len(body):
        token = body[place]
        number = body[place + 1].text if token.text == "#" and place + 1 < len(body) else ""
        if number.isdigit() and 0 < int(number) <= len(arguments):
            found += arguments[int(number) - 1]
            place += 2
        else:
            found.append(token)
            place += 1
    return found


def _cleaned(tokens: list[Token]) -> list[Token]:
    """Tokens in one spelling, without what says nothing; words as one token."""
    stack, done = list(reversed(tokens)), list[Token]()
    spaced, dropped = False, ""
    while stack:
        token = stack.pop()
        text = token.text
        if token.kind == "space" or text in _SPACES or text in _DROPPED:
            spaced = True
            if text in _WIDE:
                done.append(replace(token, text="\\quad"))
            elif text in _DROPPED:
                dropped = text
                if text in _BARS and _next_is(stack, "."):
                    # \left. and \right. draw nothing.
                    _skip_spaces(stack)
                    stack.pop()
                    done.append(replace(token, text=f"{text}."))
            continue
        if text in _FORBIDDEN:
            token.fail(f"{text} is not read inside a formula")
        if text in _WITH_ARGUMENT:
            _argument(stack, token)
            continue
        if text in ("\\begin", "\\end"):
            name = "".join(inside.text for inside in _argument(stack, token))
            done.append(replace(token, text=f"{text}{{{name}}}"))
            if text == "\\begin" and name.rstrip("*") in _WITH_COLUMNS:
                _argument(stack, token)
            continue
        if text in ("\\underset", "\\overset", "\\stackrel"):
            # What stands below or above, such as a shape, is a remark.
            _argument(stack, token)
            stack.extend(reversed(_argument(stack, token)))
            continue
        if text in ("\\underbrace", "\\overbrace"):
            inside = _argument(stack, token)
            _skip_spaces(stack)
            if stack and stack[-1].text in ("_", "^"):
                stack.pop()
                _argument(stack, token)
            stack.extend(reversed([replace(token, text="{"), *inside, replace(token, text="}")]))
            continue
        if text in ("\\boxed", "\\fbox", "\\ensuremath", "\\mathstrut", "\\smash", "\\cancel"):
            stack.extend(reversed(_argument(stack, token)))
            continue
        if text in _WORDS:
            inside = _argument(stack, token)
            word = "".join(" " if t.kind == "space" or t.text in _SPACES else t.text for t in inside)
            written = f"{text}{{{''.join(inner.text for inner in inside)}}}"
            done.append(Token(_plain_word(word), token.line, token.column, spaced or token.spaced, "word", written))
            spaced = False
            continue
        text = _SPELLINGS.get(text, text)
        if text == "|":
            text = _BARS.get(dropped, text)
        if text == ":" and _next_is(stack, "="):
            _skip_spaces(stack)
            stack.pop()
            text = ":="
        if not (text.startswith("\\") or text == ":=" or _PLAIN.fullmatch(text)):
            token.fail(f"{text!r} cannot be read here; write it as a LaTeX command")
        done.append(replace(token, text=text, spaced=spaced or token.spaced, raw=_spelled(token.text, dropped)))
        spaced, dropped = False, ""
        if len(done) > TOKENS:
            token.fail(f"the formula has more than {TOKENS} tokens; split it")
    return done


def _spelled(text: str, dropped: str) -> str:
    """How a token was written, with what said its size."""
    return f"{dropped}{text}" if dropped in ("\\left", "\\right") or dropped in _BIG else text


def _next_is(stack: list[Token], text: str) -> bool:
    following = next((token for token in reversed(stack) if token.kind != "space"), None)
    return following is not None and following.text == text


def _plain_word(word: str) -> str:
    return re.sub(r"\s+", " ", word.replace("\\_", "_").replace("{", "").replace("}", "")).strip()


def joined(tokens: Sequence[Token]) -> str:
    """LaTeX that the tokens may have come from."""
    text = ""
    for token in tokens:
        piece = token.raw or token.text
        if token.kind == "word" and not token.raw:
            piece = f"\\text{{{token.text}}}"
        after_command = piece[:1].isalpha() and re.search(r"\\[A-Za-z]+\Z", text) is not None
        apart = token.spaced and piece not in ("}", "^", "_") and text[-1:] not in ("_", "^", "{", "(", "[")
        if text and (after_command or apart):
            text += " "
        text += piece
    return text
