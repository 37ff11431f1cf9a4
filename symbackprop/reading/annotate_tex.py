r"""Remarks in notes in LaTeX: a comment below the line, and a note in the margin where LaTeX allows one."""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence

from pylatexenc.latexencode import unicode_to_latex

from symbackprop.reading.places import Span, holder
from symbackprop.reading.remarks import Insertion, Remark, parts
from symbackprop.reading.scanner import Piece, brace_pairs, environment_pairs
from symbackprop.reading.sources import Source
from symbackprop.reading.tex_walker import body, hidden_stretches

__all__ = ["tex_insertions"]

_WIDTH = 100
_NOTES = 8
"""The most notes in the margin of one paragraph: each takes two of LaTeX's boxes until the paragraph is set."""
_OUTER = frozenset(
    ("document", "itemize", "enumerate", "description", "quote", "quotation", "center", "flushleft", "flushright",
     "theorem", "lemma", "proposition", "corollary", "definition", "remark", "example", "proof", "subequations")
)  # fmt: skip
"""The environments in which the margin can be written to."""
_THEOREM = re.compile(r"\\newtheorem\*?\{([A-Za-z]+\*?)\}")
_OPTION = re.compile(r"\\[A-Za-z]+\*?(?:\{[^{}\n]{0,100}\})?\[[^\]\n]*$")
_AMS = re.compile(r"\\(?:operatorname|text|tfrac|dfrac|boldsymbol|mathbb|mathfrak|bm|lvert|rvert|implies)\b")
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\^{}", "~": r"\~{}", "<": r"\ensuremath{<}", ">": r"\ensuremath{>}", "|": r"\ensuremath{|}",
    '"': "''", "\N{EN DASH}": "--", "\N{EM DASH}": "---", "\N{RIGHT SINGLE QUOTATION MARK}": "'",
}  # fmt: skip
_ACCENTED = re.compile(r"\\['`^\"~c]\{?\\?[A-Za-z]\}?\}?")


def tex_insertions(source: Source, remarks: Sequence[Sequence[Remark]]) -> Iterator[Insertion]:
    """The pieces, comments and notes; all ``remarks`` of one inner sequence are about the same formula."""
    # At the end of a text both stand at one place, and what came after a comment would belong to it.
    yield from _notes(source, remarks)
    yield from _comments(source, remarks)


def _comments(source: Source, remarks: Sequence[Sequence[Remark]]) -> Iterator[Insertion]:
    closed = [Span(formula.start, formula.stop) for formula in source.formulas]
    hidden = hidden_stretches(source.text)
    for same in remarks:
        for remark in same:
            place = _line_end(source.text, same[0].stop, closed, hidden)
            lines = _comment(remark)
            if place < len(source.text):
                yield Insertion(place + 1, "".join(f"{line}\n" for line in lines))
            else:
                yield Insertion(place, "".join(f"\n{line}" for line in lines))


def _line_end(text: str, place: int, closed: Sequence[Span], hidden: Sequence[Span]) -> int:
    """The first end of a line from ``place`` on at which neither a formula nor verbatim text is open."""
    while True:
        end = text.find("\n", place)
        if end < 0:
            return len(text)
        inside = holder(closed, end) or holder(hidden, end)
        if inside is None:
            return end
        place = inside.stop


def _comment(remark: Remark) -> list[str]:
    said = " ".join(f"{remark.mark}: {remark.text}".split())
    lines = textwrap.wrap(said, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"% symbackprop: {line}" for line in lines]


def _notes(source: Source, remarks: Sequence[Sequence[Remark]]) -> Iterator[Insertion]:
    margin = _Margin(source)
    paragraphs = Counter[int]()
    for same in remarks:
        paragraph = margin.paragraph(same[0].start)
        if paragraphs[paragraph] < _NOTES and margin.is_open(same[0].start):
            paragraphs[paragraph] += 1
            note = r"\par ".join(_note(source.text, remark) for remark in same)
            yield Insertion(same[0].stop, rf"\marginpar{{\raggedright\tiny {note}}}")


def _note(text: str, remark: Remark) -> str:
    has_ams = re.search("amsmath|mathtools", text) is not None
    said = [
        f"${part}$" if is_formula and (has_ams or not _AMS.search(part)) else _escaped(part, is_formula)
        for is_formula, part in parts(remark.text if remark.brief is None else remark.brief)
    ]
    return ": ".join(filter(None, (_escaped(remark.mark), "".join(said))))


def _escaped(words: str, is_formula: bool = False) -> str:
    written = "".join(_letter(letter) for letter in words)
    return rf"\texttt{{{written}}}" if is_formula else written


def _letter(letter: str) -> str:
    """The letter as any LaTeX sets it; one that not every LaTeX has is named by its number."""
    if letter in _SPECIAL:
        return _SPECIAL[letter]
    if " " <= letter <= "~":
        return letter
    encoded = unicode_to_latex(letter, unknown_char_policy="replace", unknown_char_warning=False)
    return f"{{{encoded}}}" if _ACCENTED.fullmatch(encoded) else f"[U+{ord(letter):04X}]"


class _Margin:
    """Where the margin can be written to: outside of all braces, options, and environments that set a box."""

    def __init__(self, source: Source) -> None:
        self._text = source.text
        self._outer = _OUTER | set(_THEOREM.findall(source.text))
        pieces = body(source.text)
        self._closed = _covered(pieces, self._outer)
        self._blank = [piece.start for piece in pieces if piece.kind == "blank"]

    def paragraph(self, offset: int) -> int:
        return bisect_right(self._blank, offset)

    def is_open(self, offset: int) -> bool:
        line = self._text.rfind("\n", 0, offset) + 1
        in_option = _OPTION.search(self._text, max(line, offset - 300), offset) is not None
        return not in_option and holder(self._closed, offset) is None


def _covered(pieces: Sequence[Piece], outer: frozenset[str] | set[str]) -> tuple[Span, ...]:
    """The stretches of all braces, and of all environments but ``outer`` ones; joined where one holds another."""
    spans = [Span(pieces[first].start, pieces[last].stop) for first, last in brace_pairs(pieces).items()]
    ends = environment_pairs(pieces)
    for first, last in ends.items():
        if pieces[first].name not in outer:
            # The formula itself begins here, and what comes after it is open again.
            spans.append(Span(pieces[first].start + 1, pieces[last].stop))
    kept = list[Span]()
    for span in sorted(spans):
        if kept and span.start < kept[-1].stop:
            kept[-1] = Span(kept[-1].start, max(kept[-1].stop, span.stop))
        else:
            kept.append(span)
    return tuple(kept)
