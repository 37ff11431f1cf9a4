"""Who watches while notes are read and checked: it is told what is begun, and says what is to be left out.

A formula that ran away is left out when the work is begun again without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from symbackprop.errors import SymbackpropError
from symbackprop.reading.sources import Formula

__all__ = ["Place", "Watch", "begun", "place_of", "reason_for", "watching"]


@dataclass(frozen=True)
class Place:
    """What is at work: ``stage`` is "read", "score" or "claim" for a formula, and "notes" for all of them at once.

    ``share`` says how many times the time of a formula it may take.
    """

    stage: str
    line: int = 1
    column: int = 1
    latex: str = ""
    start: int = 0
    stop: int = 0
    share: float = 1.0


Watch = Callable[[Place], str]
"""Told what is begun; answers with why it is to be left out, empty where it is not."""


def _nobody(place: Place) -> str:
    return ""


_WATCH: ContextVar[Watch] = ContextVar("_WATCH", default=_nobody)


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Tell ``watch`` what is begun inside."""
    token = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(token)


def begun(place: Place) -> str:
    """Say that ``place`` is begun. The answer is why it is to be left out, empty where it is not."""
    return _WATCH.get()(place)


def place_of(stage: str, formula: Formula) -> Place:
    """The place of a whole formula."""
    return Place(stage, formula.line, formula.column, formula.latex.strip(), formula.start, formula.stop)


def reason_for(error: BaseException) -> str:
    """An exception that nobody foresaw, as the reason why a formula cannot be read."""
    if isinstance(error, RecursionError):
        return "the formula is nested too deeply to be computed; split it"
    if isinstance(error, MemoryError):
        return "the formula takes too much memory to be computed; simplify it, or split it"
    if isinstance(error, SymbackpropError | ArithmeticError):
        return f"this cannot be computed: {error}"
    lines = str(error).splitlines()
    said = f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
    return f"an error of the checker's own, which should be reported ({said})"
