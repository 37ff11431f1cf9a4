"""Networks out of notes: forward equations in LaTeX or Markdown."""

from __future__ import annotations

import os
from pathlib import Path

from symbackprop.notation.program import Program
from symbackprop.specification.points import read_text

__all__ = ["program_from_notes"]


def program_from_notes(path: str | os.PathLike[str]) -> Program:
    """The program that the notes in ``path`` define; UnreadableError where they define none."""
    # The parsers of notes are for those who have notes.
    from symbackprop.reading.notes import read_notes
    from symbackprop.reading.programs import program_of
    from symbackprop.reading.walker import kind_of, walk

    file = Path(path)
    return program_of(read_notes(walk(read_text(file), kind_of(file))), str(file))
