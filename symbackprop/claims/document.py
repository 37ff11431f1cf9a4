"""Every claim of some notes, or of one formula: the reading of the whole under which the most claims hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from symbackprop.claims.judge import JACOBIANS, Judge
from symbackprop.claims.network import CheckedNetwork
from symbackprop.claims.result import Check
from symbackprop.claims.session import Session
from symbackprop.claims.workers import SECONDS, Found, Progress, Reporter, Work, apart, here
from symbackprop.errors import NoRuleError, UnreadableError, UsageError
from symbackprop.reading.names import name_of
from symbackprop.reading.networks import every_node, likeliest, oriented, read_claims, whole
from symbackprop.reading.notes import Notes, read_notes
from symbackprop.reading.sources import Formula, Source
from symbackprop.reading.syntax import Derivative
from symbackprop.reading.walker import walk

__all__ = ["check_formula", "check_text"]


def check_text(
    text: str,
    kind: str,
    network: CheckedNetwork | None = None,
    *,
    path: str = "",
    progress: Progress | None = None,
    seconds: float | None = SECONDS,
) -> Check:
    """What becomes of each claim of ``text``, which is "tex" or "markdown", about ``network`` or one of its own.

    A formula that takes longer than ``seconds`` is left out; with None, all is done in this process, without a limit.
    """
    found = _done(partial(_check, walk(text, kind), network), progress, seconds)
    return Check(found.in_order(), found.words, found.readings, path, text)


def _done(work: Work, progress: Progress | None, seconds: float | None) -> Found:
    return here(work, progress) if seconds is None else apart(work, progress, seconds)


def _check(source: Source, network: CheckedNetwork | None, reporter: Reporter, is_single: bool = False) -> None:
    """Read and check everything, and report it."""
    session = _best(source, network, is_single)
    session.alone = is_single
    session.report(reporter)
    reporter.ended(session.network() if network is None else network.words, session.readings())


def check_formula(latex: str, network: CheckedNetwork, *, seconds: float | None = SECONDS) -> Check:
    """What becomes of each relation of one formula about ``network``; how it was read is an assumption of each."""
    if not isinstance(latex, str):
        raise UsageError(f"a formula is a string of LaTeX, not of type {type(latex).__name__}")
    if not latex.replace("\\[", "").replace("\\]", "").strip(" \t\n$"):
        raise UsageError(f"the formula is empty; write one, such as {_EXAMPLE}")
    source = _source_of(latex)
    if not source.formulas:
        raise UsageError(f"there is no formula in {latex!r}; write one, such as {_EXAMPLE}")
    found = _done(partial(_check, source, network, is_single=True), None, seconds)
    claims = found.in_order()
    if not claims:
        raise UnreadableError(
            f"{latex!r} claims nothing: a claim has two sides and a relation between them, such as {_EXAMPLE}"
        )
    said = found.readings
    named = tuple(replace(claim, assumptions=(*said, *claim.assumptions)) for claim in claims)
    return Check(named, network.words, said, "", latex)


_EXAMPLE = r"\frac{\partial L}{\partial b^{(1)}} = \delta^{(1)}"
_SAID = {
    "rows": "read with the examples as rows",
    "columns": "read with the examples as columns",
    "vector": "read with one example, as a column vector",
}


def _source_of(latex: str) -> Source:
    """A formula, with its delimiters or without."""
    source = walk(latex, "tex")
    if source.formulas:
        return source
    return replace(source, formulas=(Formula(latex, 1, 1, 0, len(latex)),))


_Read = Callable[[], Notes]


def _on_the_output(source: Source, network: CheckedNetwork | None, notes: Notes) -> Judge | None:
    """What judges the same notes by the network whose loss takes no short cut past the output, if there is one."""
    if network is None or network.unfused is None:
        return None
    return Judge(read_claims(source, network.unfused, notes.orientation or "rows", network.numbers, network.likely))


def _readers(source: Source, network: CheckedNetwork | None) -> Iterator[tuple[_Read, tuple[str, ...]]]:
    """What reads the notes, for each way in which the examples can lie, and that way in words."""
    if network is None:
        yield partial(read_notes, source), ()
        return
    possible = oriented(network.program)
    first = read_claims(source, network.program, possible[0], network.numbers, network.likely)
    for way in sorted(possible, key=likeliest(first).index):
        read = partial(read_claims, source, network.program, way, network.numbers, network.likely)
        yield read, (_SAID[way.value],) if network.program.batch is not None else ()


def _best(source: Source, network: CheckedNetwork | None, is_single: bool = False) -> Session:
    """The reading of the whole under which the most claims hold; the plainest, where none is better."""
    best, most = None, -1.0
    again: list[tuple[_Read, tuple[str, ...]]] = []
    for read, said in _readers(source, network):
        try:
            notes = read()
        except NoRuleError:
            # One example cannot be taken out of every program.
            continue
        session = Session(notes, Judge(notes), said, partial(_on_the_output, source, network, notes))
        score = session.score()
        again = [*(again if score == most else []), (read, said)] if score >= most else again
        if score > most:
            best, most = session, score
        if session.nothing_fails:
            break
    assert best is not None
    gained = 0.0
    chosen = best
    # Under another meaning of what is written only that can be gained which does not hold yet.
    variants = (session for read, said in again for session in _variants(read, said, is_single))
    for session in () if best.nothing_fails else variants:
        if session.gain(best) > gained and session.score() > most + gained:
            chosen, gained = session, session.score() - most
    return chosen


def _variants(read: _Read, said: tuple[str, ...], is_single: bool) -> Iterator[Session]:
    """Other meanings of dX, and of a derivative by an array: of one formula alone by a vector only.

    What a document holds to throughout is its convention; a lone gradient that lies the other way is wrong.
    """
    notes = read()
    batch = notes.table.batch
    adjoints = any(declared.adjoint for declared in notes.table.declared.values())
    if batch is not None and (notes.survey.small_d or adjoints):
        reading = f"dX is {batch} times the derivative by X, where X is computed"
        yield Session(notes, Judge(notes, batch), (*said, reading))
        notes = read()
    if is_single and _is_by_matrix(notes):
        return
    yield Session(notes, Judge(notes, options=JACOBIANS), (*said, "derivatives as Jacobians (numerator layout)"))


def _is_by_matrix(notes: Notes) -> bool:
    """Whether something is differentiated by a whole matrix."""
    names = (name_of(node.by) for node in every_node(notes) if isinstance(node, Derivative))
    return any(len(declared.shape) > 1 for name in names if name and (declared := whole(notes.table, name)) is not None)
