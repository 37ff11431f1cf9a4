"""Progress on a terminal: a bar on standard error, and nothing where nobody would see it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Progress", "notice", "progress_bar"]

Progress = Callable[..., None]
"""``progress(done, of, note="")``: so much of so much is done."""


@contextmanager
def progress_bar(label: str, shown: bool = True) -> Iterator[Progress | None]:
    """A bar called ``label`` while the block runs; None where standard error is no terminal, or it is not ``shown``."""
    if not (shown and sys.stderr.isatty()):
        yield None
        return
    import click

    noted = ""

    def note_of(_: int | None) -> str | None:
        return noted or None

    with click.progressbar(length=0, label=label, file=sys.stderr, item_show_func=note_of) as bar:

        def move(done: int, of: int, note: str = "") -> None:
            nonlocal noted
            bar.length, noted = of, note
            bar.update(done - bar.pos)

        yield move


def notice(text: str) -> None:
    """A line on standard error, where that is a terminal."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)
