r"""LaTeX formulas as MathML, through latex2mathml, whose output is then set as TeX would set it.

What is mended, and why: MathML Core draws bold letters only where they are letters of their own; letters of a word
belong together; a minus before a number is no difference; capital Greek is upright; nothing is spaced in scripts; the
limits of a sum stand above and below it in displays; ``\left.`` shows nothing and takes no room.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from html import escape, unescape
from itertools import groupby
from xml.etree.ElementTree import Element

from symbackprop.forms.breaks import unmarked

__all__ = ["mathml"]

_WITH_SCRIPTS_INSIDE = re.compile(r"\\operatorname\{([A-Za-z]+)_\{([A-Za-z]+)\}\}")
_ARG_MAX = re.compile(r"\\operatorname\*\{arg\\,(max|min)\}")
_LENGTH = re.compile(r"(-?)([\d.]*)([a-z]+)")
"""What latex2mathml takes for a length, such as the indices 1, i, n in a row."""
_SCRIPTS = ("msub", "msup", "msubsup", "munder", "mover", "munderover")
_TALL = frozenset((*_SCRIPTS, "mfrac", "msqrt", "mroot", "mtable"))
_LIMITS = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
_WITH_LIMITS = frozenset(("∑", "∏", "max", "min", "arg\u2009max", "arg\u2009min"))
_OPENING = frozenset("([{")
_MINUS = "\N{MINUS SIGN}"
_SIGNS = frozenset(f"+{_MINUS}±")
_SPACED = _SIGNS | frozenset("=<>≤≥≠≈⋅\N{MULTIPLICATION SIGN}⊙⊘∘←→,;")
_NOT_LARGE = frozenset("⊙⊘")
"""What Firefox takes for large operators."""
_CLOSE = frozenset("|/")
"""What TeX sets without space, and MathML with some."""
_PRIMES = frozenset("\u2032\u2033\u2034")
_SYMBOLS = {"·": "⋅"}
_TOP = "\N{DOWN TACK}"
_LETTERS = frozenset(f"∂{_TOP}")
"""Operators to Unicode, letters to TeX: they take no room of their own."""
_UPRIGHT = frozenset(map(chr, range(0x391, 0x3AA))) | {_TOP}
"""What MathML would set in italics, and TeX does not: capital Greek."""
_KEPT = {
    "mo": ("stretchy", "form", "minsize", "maxsize"),
    "mspace": ("width",),
    "mstyle": ("displaystyle", "scriptlevel"),
}
"""The attributes that mean something in MathML Core; others are left out."""
_BOLD = (
    ("A", "Z", 0x1D400),
    ("a", "z", 0x1D41A),
    ("0", "9", 0x1D7CE),
    ("Α", "Ω", 0x1D6A8),  # noqa: RUF001
    ("α", "ω", 0x1D6C2),  # noqa: RUF001
)
_TO_BOLD = {ord(first) + n: start + n for first, last, start in _BOLD for n in range(ord(last) - ord(first) + 1)}


@lru_cache(maxsize=1 << 14)
def mathml(latex: str, *, display: bool = False, continued: bool = False) -> str:
    r"""``latex`` as a ``math`` element, with the LaTeX as its text alternative.

    ``display`` sets fractions and sums at full size; ``continued`` says that something stands before the formula, so
    that a sign at its beginning adds or subtracts.
    """
    # Imported where it is needed: it takes as long as a small derivation.
    from latex2mathml.converter import convert_to_element

    latex = unmarked(latex)
    source = _WITH_SCRIPTS_INSIDE.sub(r"\\mathrm{\1}_{\\mathrm{\2}}", _ARG_MAX.sub(r"\\arg\1 ", latex))
    row = convert_to_element(source)[0] if source.strip() else Element("mrow")
    # Around an operator that stands alone some browsers leave space and others none; the style sheet says how much.
    alone = len(row) == 1 and row[0].tag == "mo"
    body = "".join(_row(row, script=alone, continued=continued))
    style = {"displaystyle": "true"} if display else {}
    return _tag("math", body, {**style, "alttext": latex.strip()})


def _tag(name: str, content: str, attributes: Mapping[str, str]) -> str:
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{content}</{name}>"


def _text(element: Element) -> str:
    """The text of a token; latex2mathml writes letters as references."""
    text = unescape(element.text or "")
    return _SYMBOLS.get(text, text)


# -- what stands side by side ----------------------------------------------------------------------------------------


def _row(row: Element, *, script: bool = False, continued: bool = False) -> Iterator[str]:
    """The children of a row, one after the other."""
    children = list(_joined(row))
    for place, child in enumerate(children):
        before = children[place - 1] if place else None
        yield _element(child, script=script, binary=continued if before is None else _is_operand(before))
        if _is_function(child) and place + 1 < len(children) and not _opens(children[place + 1]):
            yield _tag("mspace", "", {"width": "0.167em"})


def _joined(row: Element) -> Iterator[Element]:
    """The children of a row, with letters that are not in italics made one word, and what shows nothing left out."""
    for _, run in groupby(row, lambda child: (child.tag, child.get("mathvariant", id(child)))):
        parts = list(run)
        if len(parts) > 1:
            word = Element(parts[0].tag, parts[0].attrib)
            word.text = "".join(map(_text, parts))
            parts = [word]
        if parts[0].tag != "mo" or parts[0].text:
            yield parts[0]


def _is_operand(element: Element) -> bool:
    """Whether a sign after it adds or subtracts."""
    return element.tag != "mspace" and not (element.tag == "mo" and _text(element) in _OPENING | _SPACED | {"/"})


def _is_function(element: Element) -> bool:
    """Whether it is a word that is applied to what follows: log, max with its limits."""
    core = _core(element, _SCRIPTS)
    return core.tag in ("mo", "mi") and len(_text(core)) > 1 and core.get("mathvariant") is None


def _opens(element: Element) -> bool:
    """Whether it is a bracket that opens, or something in brackets."""
    core = _core(element, (*_SCRIPTS, "mrow"))
    return core.tag == "mo" and _text(core) in _OPENING | {"|"}


def _core(element: Element, around: Collection[str]) -> Element:
    while element.tag in around and len(element):
        element = element[0]
    return element


# -- single elements -------------------------------------------------------------------------------------------------


def _element(element: Element, *, script: bool = False, binary: bool = False) -> str:
    match element.tag:
        case "mo":
            return _operator(_text(element), _kept(element), script=script, binary=binary)
        case "mi" | "mn" | "mtext":
            return _token(element.tag, _text(element), element.get("mathvariant"))
        case "mrow":
            return _group(list(_row(_fitting(element), script=script)))
        case "mtd":
            return _tag("mtd", "".join(_row(element, script=script)), {})
        case tag if tag in _SCRIPTS:
            return _scripts(element, script=script)
        case _:
            return _tag(element.tag, "".join(_element(part, script=script) for part in element), _kept(element))


def _fitting(row: Element) -> Element:
    """The row, with its brackets of their own size where nothing in it is tall: the next size has much room in it."""
    if not any(part.tag in _TALL for part in row.iter()):
        for part in row.findall("mo[@stretchy='true']"):
            part.set("stretchy", "false")
    return row


def _kept(element: Element) -> dict[str, str]:
    """The attributes that mean something to browsers."""
    kept = {name: value for name in _KEPT.get(element.tag, ()) if (value := element.get(name)) is not None}
    if element.tag == "mtable" and any(cell.get("columnalign") == "left" for cell in element.iter("mtd")):
        # Chromium takes no notice of columnalign; the style sheet does of the class.
        kept["class"] = "cases"
    return kept


def _token(tag: str, text: str, variant: str | None) -> str:
    length = _LENGTH.fullmatch(text) if tag == "mn" else None
    if length:
        sign, number, letters = length.groups()
        parts = [_tag("mo", _MINUS, {})] if sign else []
        parts += [_tag("mn", number, {})] if number else []
        return _group([*parts, *(_tag("mi", letter, {}) for letter in letters)])
    shown = text.translate(_TO_BOLD) if variant == "bold" else text
    upright = len(shown) == 1 and (variant == "normal" or shown in _UPRIGHT)
    return _tag(tag, escape(shown, quote=False), {"mathvariant": "normal"} if upright else {})


def _operator(text: str, attributes: dict[str, str], *, script: bool, binary: bool) -> str:
    limits = text in _WITH_LIMITS
    if text in _LETTERS or (text[0].isalpha() and not limits):
        return _token("mi", text, None)
    if text in _SIGNS:
        attributes["form"] = "infix" if binary else "prefix"
    if limits and text[0].isalpha():
        attributes["movablelimits"] = "true"
    if text in _NOT_LARGE:
        attributes["largeop"] = "false"
    if (script and text in _SPACED) or text in _CLOSE or "movablelimits" in attributes:
        attributes |= {"lspace": "0", "rspace": "0"}
    return _tag("mo", escape(text, quote=False), attributes)


def _group(parts: Sequence[str]) -> str:
    """Parts as one element: itself where it is one."""
    return parts[0] if len(parts) == 1 else _tag("mrow", "".join(parts), {})


def _scripts(element: Element, *, script: bool) -> str:
    base, *scripts = element
    if _text(scripts[-1]) in _PRIMES:
        if len(scripts) == 1 and len(_text(base)) > 1:
            return _token("mi", _text(base) + _text(scripts[0]), None)
        # The font has primes where they belong, without being raised.
        below = "".join(_element(part, script=True) for part in scripts[:-1])
        parts = _element(base, script=script) + below
        return _group([_tag("msub", parts, {}) if below else parts, _element(scripts[-1])])
    limits = base.tag == "mo" and _text(base) in _WITH_LIMITS
    tag = _LIMITS.get(element.tag, element.tag) if limits else element.tag
    written = "".join(_element(part, script=True) for part in scripts)
    return _tag(tag, _element(base, script=script) + written, {})
