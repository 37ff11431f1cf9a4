"""What the reader of a derivation document may choose."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from symbackprop.documents.languages.tables import LANGUAGES
from symbackprop.errors import UsageError, nearest
from symbackprop.forms.notation import Notation

__all__ = ["DETAILS", "SECTIONS", "Options"]

SECTIONS = ("figures", "result", "notation", "forward", "backward", "kinks", "numbers", "checks")
"""The parts of a document that may be left out. Headings come in this order; figures stand where they belong."""
DETAILS = ("result", "steps", "every")
"""How much of the way to a formula is shown."""
_MOST_DIGITS = 15


@dataclass(frozen=True)
class Options:
    """How a derivation document is written. UsageError names the choice that there is not.

    ``notation``     how layers are numbered: "superscript" W^(1), "subscript" W_1, "nielsen" w^1, "ng" W^[1]
    ``derivative``   "delta": error signals have a name; "partial": they are written as derivatives
    ``functions``    "named" sigma(z), or "expanded" 1 / (1 + e^-z)
    ``orientation``  the examples of a batch as "rows" or "columns", or a single one as a column "vector"
    ``sections``     which of ``SECTIONS``; all of them by default
    ``detail``       "result": the formulas; "steps": each local derivative with its reason; "every": each step of
                     the algebra too
    ``digits``       significant figures of what is computed, 1 to 15
    ``title``, ``author``, ``date``  of the title block; by default the network's name, nobody, and today
    ``language``     one of ``symbackprop.documents.languages.tables.LANGUAGES``
    """

    notation: str = "superscript"
    derivative: str = "delta"
    functions: str = "named"
    orientation: str = "rows"
    sections: tuple[str, ...] = SECTIONS
    detail: str = "steps"
    digits: int = 6
    title: str | None = None
    author: str = ""
    date: str | None = None
    language: str = "en"

    def __post_init__(self) -> None:
        _notation(self)
        _check("detail", self.detail, DETAILS)
        _check("language", self.language, tuple(LANGUAGES))
        listed = (self.sections,) if isinstance(self.sections, str) else tuple(self.sections)
        for section in listed:
            _check("section", section, SECTIONS)
        if not listed:
            raise UsageError(f"sections is empty; name some of {', '.join(SECTIONS)}")
        whole = isinstance(self.digits, int | np.integer) and not isinstance(self.digits, bool)
        if not (whole and 1 <= self.digits <= _MOST_DIGITS):
            raise UsageError(
                f"digits is {self.digits!r}; give a number of significant figures from 1 to {_MOST_DIGITS}"
            )
        for name in ("title", "author"):
            if not isinstance(getattr(self, name), str | None):
                raise UsageError(f"{name} is {getattr(self, name)!r}; give a text")
        object.__setattr__(self, "sections", tuple(section for section in SECTIONS if section in listed))
        object.__setattr__(self, "date", _date(self.date))

    @cached_property
    def as_notation(self) -> Notation:
        """The choices that concern formulas."""
        return _notation(self)

    def changed(self, given: Mapping[str, Any]) -> Options:
        """These options with those ``given`` that are not None."""
        return replace(self, **{name: value for name, value in given.items() if value is not None})

    def flags(self, usual: Options) -> tuple[str, ...]:
        """What the command line is to be told for these options, where ``usual`` are those it takes by itself."""
        told = []
        for option in fields(self):
            value = getattr(self, option.name)
            if value != getattr(usual, option.name) and value is not None:
                shown = ",".join(value) if isinstance(value, tuple) else str(value)
                told.append(f"--{option.name} {shlex.quote(shown)}")
        return tuple(told)


def _notation(options: Options) -> Notation:
    """The choices that concern formulas; UsageError for one that there is not."""
    return Notation(options.notation, options.derivative, options.functions, options.orientation)


def _check(what: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"unknown {what} {value!r}; {nearest(str(value), known)}")


def _date(value: Any) -> str | None:
    if value is None:
        return None
    if value == "":
        return ""
    if isinstance(value, datetime.date):
        return value.isoformat()[:10]
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise UsageError(f"date is {value!r}; give it as 2026-01-31, or as an empty text for none") from None
