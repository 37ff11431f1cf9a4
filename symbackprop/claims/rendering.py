"""A check in words: for a terminal, for a notebook, in one line, and beside the formulas of the notes.

What comes from the notes is shown as it stands there, but for what a terminal would obey in place of showing it.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from symbackprop.claims.result import Check, Claim, Counterexample, Outcome
from symbackprop.documents.formats.fragment import html_fragment
from symbackprop.documents.tree import Block, Bullets, Code, Inline, Paragraph, Table
from symbackprop.errors import UsageError

__all__ = ["as_html", "as_notes", "as_text", "check_annotations", "in_one_line", "in_short", "summary"]

_WIDTH = 100
_WIDEST_ABOUT = 28
_LONGEST_FORMULA = 1000
_COLUMNS = ("line", "about", "outcome", "by, or what is wrong")
_VERBS = {
    Outcome.PROVED: ("proved", "proved"),
    Outcome.AGREES: ("agrees", "agree"),
    Outcome.DIFFERS: ("differs", "differ"),
    Outcome.UNREADABLE: ("unreadable", "unreadable"),
}
"""What is said of one claim, and of several."""
_PIECES = re.compile(r"(?:\\(?:[A-Za-z]+|.?)|[^\\])[^\\]*")
"""A command with what follows it: in front of a backslash, LaTeX may go on in the next line."""


@dataclass(frozen=True)
class _Finding:
    """A line of what was found about a claim: what stands before it, and either words or a formula."""

    label: str
    words: str
    is_formula: bool = False

    @property
    def text(self) -> str:
        """The line in plain text."""
        return self.label + self.words

    @property
    def inline(self) -> tuple[Inline, ...]:
        """The line as a document has it.

        A formula stays the LaTeX that it is: that is what is to be mended in the notes, and it may use commands that
        only they define.
        """
        return (self.label, Code(self.words)) if self.is_formula else (self.text,)


def as_text(check: Check) -> str:
    """The table of claims, what was found about those that do not hold, and the sum of it."""
    return "\n".join(_lines(check))


def as_html(check: Check) -> str:
    """The same as a fragment of HTML."""
    return html_fragment(list(_blocks(check)))


def in_one_line(check: Check) -> str:
    """What ``repr`` shows."""
    if not check.claims:
        said = "no claims"
    elif len(check.claims) == 1:
        said = in_short(check.worst)
    elif check.ok:
        said = f"ok: {len(check.claims)} claims"
    else:
        found = Counter(claim.outcome for claim in check.claims)
        bad = [outcome for outcome in (Outcome.DIFFERS, Outcome.UNREADABLE) if found[outcome]]
        first, *others = (_said(outcome, found[outcome]) for outcome in bad)
        number, verb = first.split()
        said = ", ".join([f"{number} of {len(check.claims)} claims {verb}", *others])
    return f"Check({said})"


def in_short(claim: Claim) -> str:
    """The outcome of a claim and why, in a line."""
    why = claim.by if claim.outcome.holds else claim.diagnosis or _given(claim) or claim.fault
    return _plain(": ".join(filter(None, [_VERBS[claim.outcome][0], why])))


def summary(check: Check) -> str:
    """How many claims there are, and how many of each outcome."""
    if not check.claims:
        return "no claims"
    found = Counter(claim.outcome for claim in check.claims)
    holding = [outcome for outcome in Outcome if outcome.holds and found[outcome]]
    parts = []
    if holding:
        number = sum(found[outcome] for outcome in holding)
        how = ", ".join(_said(outcome, found[outcome]) for outcome in holding)
        parts.append(f"{number} {'holds' if number == 1 else 'hold'} ({how})")
    parts += [_said(outcome, found[outcome]) for outcome in Outcome if not outcome.holds and found[outcome]]
    count = len(check.claims)
    return f"{count} {'claim' if count == 1 else 'claims'}: {', '.join(parts)}"


def _said(outcome: Outcome, number: int) -> str:
    return f"{number} {_VERBS[outcome][number != 1]}"


# -- what there is to say ----------------------------------------------------------------------------------------------


def _heading(check: Check, shared: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What goes for all claims, each with its label."""
    if check.path:
        yield "notes", _plain(check.path)
    if check.network:
        yield "network", _plain(check.network)
    yield from (("read", _plain(reading)) for reading in check.readings)
    yield from (("assumed", _plain(assumption)) for assumption in shared)


def _shared(check: Check) -> tuple[str, ...]:
    """The assumptions of every claim there is."""
    return tuple(one for one in check.assumptions if all(one in claim.assumptions for claim in check.claims))


def _numbered(check: Check, shared: Sequence[str]) -> dict[str, str]:
    """The other assumptions, each with the mark that stands beside its claims."""
    others = [one for one in check.assumptions if one not in shared]
    return {assumption: f"[{number}]" for number, assumption in enumerate(others, 1)}


def _row(claim: Claim, marks: Mapping[str, str]) -> tuple[str, ...]:
    noted = [marks[assumption] for assumption in dict.fromkeys(claim.assumptions) if assumption in marks]
    evidence = " ".join(filter(None, [claim.fault or claim.by or _given(claim), *noted]))
    return (str(claim.line), _plain(claim.about), claim.outcome.value, _plain(evidence))


def _title(claim: Claim) -> _Finding:
    latex = _plain(claim.latex)
    shown = latex if len(latex) <= _LONGEST_FORMULA else f"{latex[:_LONGEST_FORMULA]} ..."
    return _Finding(f"line {claim.line}, column {claim.column}: ", shown, is_formula=True)


def _findings(claim: Claim) -> Iterator[_Finding]:
    """What is wrong with a claim, what is right, and where it shows."""
    is_unreadable = claim.outcome is Outcome.UNREADABLE
    if claim.diagnosis or is_unreadable:
        yield _Finding("unreadable: " if is_unreadable else "wrong: ", _plain(claim.diagnosis) or "no reason is known")
    if claim.correct:
        yield _Finding("right: ", _plain(claim.correct), is_formula=True)
    if claim.counterexample is not None:
        yield _Finding("", _plain(_where(claim.counterexample)))
    if claim.given:
        yield _Finding("", _given(claim))


def _where(example: Counterexample) -> str:
    sizes = ", ".join(f"{name} = {number}" for name, number in example.sizes.items())
    at = f"at {f'sizes {sizes}, ' if sizes else ''}seed {example.seed}"
    entry = f"entry [{', '.join(map(str, example.entry))}]" if example.entry else "the value"
    claimed, derived = _numbers(example.claimed, example.derived)
    return f"{at}: {entry} is {claimed} as claimed, {derived} as derived"


def _numbers(*values: float) -> list[str]:
    """The numbers in ten digits, or in as many as tell them apart; no two numbers have the same seventeen."""
    written = [[f"{value:.{digits}g}" for value in values] for digits in range(10, 18)]
    return next((texts for texts in written if len(set(texts)) == len(texts)), written[0])


def _given(claim: Claim) -> str:
    if not claim.given:
        return ""
    if len(claim.given) == 1:
        return f"it uses the value of line {claim.given[0]}, which differs"
    *first, last = map(str, claim.given)
    return f"it uses the values of lines {', '.join(first)} and {last}, which differ"


def _plain(text: str) -> str:
    """``text`` on one line, without signs that a terminal would obey, such as those that hide what follows them."""
    words = " ".join(text.split())
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in words)


# -- on a terminal -----------------------------------------------------------------------------------------------------


def _lines(check: Check) -> Iterator[str]:
    shared = _shared(check)
    marks = _numbered(check, shared)
    labelled = list(_heading(check, shared))
    wide = max((len(label) for label, _ in labelled), default=0) + 2
    for label, text in labelled:
        yield from _hanging(label.ljust(wide), text, wide)
    if labelled:
        yield ""
    if check.claims:
        yield from _table([_COLUMNS, *(_row(claim, marks) for claim in check.claims)])
        yield ""
    for assumption, mark in marks.items():
        yield from _hanging(f"{mark} ", _plain(assumption), 4)
    if marks:
        yield ""
    for claim in check.claims:
        if not claim.outcome.holds:
            yield from _hanging("", _title(claim).text, 4)
            for finding in _findings(claim):
                yield from _hanging("  ", finding.text, 4)
            yield ""
    yield summary(check)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """``rows`` below each other, the first column flush right, what is too wide in lines of its own column."""
    widths = [max(_width(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    widths[1] = min(widths[1], _WIDEST_ABOUT)
    widths[3] = _WIDTH - sum(widths[:3]) - 6
    for row in rows:
        columns = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
        for cells in zip_longest(*columns, fillvalue=""):
            gaps = [" " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)]
            first, *others = zip(cells, gaps, strict=True)
            yield "  ".join([first[1] + first[0], *(cell + gap for cell, gap in others)]).rstrip()


def _hanging(label: str, text: str, indent: int) -> Iterator[str]:
    """``text`` behind ``label``; where it goes on, it is indented."""
    first, *others = _wrapped(text, _WIDTH - indent, _WIDTH - len(label))
    yield (label + first).rstrip()
    yield from (" " * indent + line for line in others)


def _wrapped(text: str, room: int, first: int | None = None) -> list[str]:
    """``text`` in lines of at most ``room`` columns, the first one of ``first``; there is always one.

    A word that is wider than that is broken, in LaTeX in front of a command.
    """
    lines = [""]
    first = room if first is None else first
    narrow = min(room, first)
    for word in text.split():
        pieces = [word] if _width(word) <= narrow else list(_pieces(word, narrow))
        for place, piece in enumerate(pieces):
            added = f" {piece}" if lines[-1] and not place else piece
            if _width(lines[-1] + added) <= (first if len(lines) == 1 else room):
                lines[-1] += added
            else:
                lines.append(piece)
    return lines


def _pieces(word: str, room: int) -> Iterator[str]:
    for piece in _PIECES.findall(word):
        while _width(piece) > room:
            # No sign takes more than two columns.
            yield piece[: room // 2]
            piece = piece[room // 2 :]
        yield piece


def _width(text: str) -> int:
    """How many columns a terminal takes for ``text``."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(sign) else 1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text)


# -- in a notebook -----------------------------------------------------------------------------------------------------


def _blocks(check: Check) -> Iterator[Block]:
    shared = _shared(check)
    marks = _numbered(check, shared)
    labelled = list(_heading(check, shared))
    if labelled:
        yield Bullets(tuple((f"{label}: {text}",) for label, text in labelled))
    if check.claims:
        yield Table(
            tuple((column,) for column in _COLUMNS),
            tuple(tuple((cell,) for cell in _row(claim, marks)) for claim in check.claims),
            numeric=frozenset({0}),
            wide=frozenset({len(_COLUMNS) - 1}),
        )
    if marks:
        yield Bullets(tuple((f"{mark} {_plain(assumption)}",) for assumption, mark in marks.items()))
    for claim in check.claims:
        if not claim.outcome.holds:
            yield Paragraph(_title(claim).inline)
            findings = tuple(finding.inline for finding in _findings(claim))
            if findings:
                yield Bullets(findings)
    yield Paragraph((summary(check),))


# -- in the notes ------------------------------------------------------------------------------------------------------


def as_notes(check: Check) -> str:
    """The notes again, with each verdict beside its formula."""
    # The parser of notes is for those who have notes.
    from symbackprop.reading.annotate import Remark, annotate
    from symbackprop.reading.walker import kind_of, walk

    _check_notes(check.path)
    beside = Counter((claim.start, claim.stop) for claim in check.claims)
    remarks = [
        Remark(
            claim.start,
            claim.stop,
            _remark(claim),
            _mark(claim, beside[claim.start, claim.stop] > 1),
            _brief(claim),
        )
        for claim in check.claims
    ]
    return annotate(walk(check.text, kind_of(check.path)), remarks)


def check_annotations(notes: str, out: str | os.PathLike[str]) -> None:
    """UsageError unless the file ``notes`` can be annotated in the file ``out``: of its kind, and another one."""
    from symbackprop.reading.walker import kind_of

    _check_notes(notes)
    suffix = Path(notes).suffix
    if kind_of(os.fspath(out)) != kind_of(notes):
        raise UsageError(f"{out}: the notes are {notes}; write them to a file that ends in {suffix} too")
    if os.path.exists(out) and os.path.exists(notes) and os.path.samefile(out, notes):
        raise UsageError(f"{out} is the notes themselves; write the annotated ones to another file")


def _check_notes(path: str) -> None:
    if not path:
        raise UsageError("this is the check of a single formula; only notes, such as notes.tex, can be annotated")


def _remark(claim: Claim) -> str:
    """The verdict on a claim, with everything that there is to say; formulas between dollar signs."""
    if claim.outcome.holds:
        said = [claim.by, *claim.assumptions]
    else:
        right = f"right: ${claim.correct}$" if claim.correct else ""
        where = "" if claim.counterexample is None else _where(claim.counterexample)
        said = [claim.diagnosis, right, _given(claim), where]
    return "; ".join(_plain(part) for part in said if part)


def _brief(claim: Claim) -> str:
    """The verdict as there is room for it in a margin."""
    if claim.outcome.holds:
        return "; ".join(map(_plain, claim.assumptions))
    right = f"right: ${claim.correct}$" if claim.correct else ""
    return "; ".join(_plain(part) for part in (claim.diagnosis, right, _given(claim)) if part)


def _mark(claim: Claim, several: bool) -> str:
    """What became of a claim, and of which one, where several stand in one formula."""
    outcome = claim.outcome.value
    return f"{claim.about}, line {claim.line}: {outcome}" if several and claim.about else outcome
