"""What checking claims gives: an outcome for each, with its evidence."""

from __future__ import annotations

import enum
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from symbackprop.files import write_whole

__all__ = ["Check", "Claim", "Counterexample", "Outcome"]


class Outcome(enum.Enum):
    """What became of a claim."""

    PROVED = "proved"
    AGREES = "agrees"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"

    @property
    def holds(self) -> bool:
        """Whether the claim counts as right."""
        return self in (Outcome.PROVED, Outcome.AGREES)


@dataclass(frozen=True)
class Counterexample:
    """A point at which a claim is wrong: the sizes, the seed that drew the values, the entry (from 0), both numbers."""

    sizes: Mapping[str, int]
    seed: int
    entry: tuple[int, ...]
    claimed: float
    derived: float

    def as_dict(self) -> dict[str, Any]:
        """The counterexample as JSON can say it."""
        return {
            "sizes": dict(self.sizes),
            "seed": self.seed,
            "entry": list(self.entry),
            "claimed": self.claimed if math.isfinite(self.claimed) else None,
            "derived": self.derived if math.isfinite(self.derived) else None,
        }


@dataclass(frozen=True)
class Claim:
    """One relation that somebody asserts, and what became of it.

    ``line``, ``column``  where it stands in the notes, from 1
    ``latex``             the relation as it stands there
    ``about``             what it is about, in plain words: "dL/dW2", "a1", "update of W1", "numbers"
    ``by``                what decided: "canonical index form, for all sizes", "3 random points, 50 digits", ...
    ``assumptions``       under which it holds, or how it was read: "right if sum_k y_k = 1"
    ``given``             the lines of earlier wrong claims whose value makes this one wrong
    ``fault``             the kind of fault, one of ``symbackprop.claims.faults.FAULTS``; empty where it is right
    ``diagnosis``         what is wrong, in a sentence
    ``correct``           the right relation, in the notes' own notation
    ``start``, ``stop``   offsets of the formula it stands in, for annotations
    """

    line: int
    column: int
    latex: str
    about: str
    outcome: Outcome
    by: str = ""
    assumptions: tuple[str, ...] = ()
    given: tuple[int, ...] = ()
    fault: str = ""
    diagnosis: str = ""
    correct: str = ""
    counterexample: Counterexample | None = None
    start: int = 0
    stop: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The claim as JSON can say it."""
        return {
            "line": self.line,
            "column": self.column,
            "latex": self.latex,
            "about": self.about,
            "outcome": self.outcome.value,
            "by": self.by,
            "assumptions": list(self.assumptions),
            "given": list(self.given),
            "diagnosis": self.diagnosis,
            "correct": self.correct,
            "counterexample": None if self.counterexample is None else self.counterexample.as_dict(),
        }


_WORST_FIRST = (Outcome.DIFFERS, Outcome.UNREADABLE, Outcome.AGREES, Outcome.PROVED)


@dataclass(frozen=True)
class Check:
    """What became of every claim of some notes, or of the relations of one formula.

    ``network``   the network they are about, in words
    ``readings``  how the notes were read where there was a choice, for all of them: "examples as columns"
    ``path``      the file, where there was one
    """

    claims: tuple[Claim, ...]
    network: str = ""
    readings: tuple[str, ...] = ()
    path: str = ""
    text: str = field(default="", repr=False)

    @property
    def ok(self) -> bool:
        """Whether every claim holds, if need be under a stated assumption."""
        return all(claim.outcome.holds for claim in self.claims)

    @property
    def worst(self) -> Claim:
        """The claim that decides: one that differs, else one that cannot be read, else the least certain."""
        return min(self.claims, key=lambda claim: _WORST_FIRST.index(claim.outcome))

    @property
    def outcome(self) -> Outcome:
        """The outcome of the claim that decides."""
        return self.worst.outcome

    @property
    def diagnosis(self) -> str:
        """What is wrong with the claim that decides; empty where nothing is."""
        return self.worst.diagnosis

    @property
    def correct(self) -> str:
        """The right relation in place of the one that decides."""
        return self.worst.correct

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Everything that was assumed, once each."""
        return tuple(dict.fromkeys(assumption for claim in self.claims for assumption in claim.assumptions))

    def as_dict(self) -> dict[str, Any]:
        """The whole as JSON can say it."""
        return {"ok": self.ok, "network": self.network, "claims": [claim.as_dict() for claim in self.claims]}

    def __repr__(self) -> str:
        from symbackprop.claims.rendering import in_one_line

        return in_one_line(self)

    def __str__(self) -> str:
        from symbackprop.claims.rendering import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from symbackprop.claims.rendering import as_html

        return as_html(self)

    def annotated(self) -> str:
        """The notes again, with each verdict beside its formula; UsageError where there are no notes."""
        from symbackprop.claims.rendering import as_notes

        return as_notes(self)

    def annotate(self, path: str | os.PathLike[str]) -> Path:
        """Write ``annotated()`` to a file of the kind of the notes, whole or not at all. Returns the path.

        Raises UsageError for another kind and where the notes themselves would be written over.
        """
        from symbackprop.claims.rendering import check_annotations

        check_annotations(self.path, path)
        return write_whole(self.annotated(), Path(path))
