"""Writing a document: one emitter a format, chosen by the suffix; the file is written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from symbackprop.documents.formats.html import html
from symbackprop.documents.formats.markdown import markdown
from symbackprop.documents.formats.pdf import NotTypesetError, pdf
from symbackprop.documents.formats.tex import tex
from symbackprop.documents.tree import Document
from symbackprop.errors import UsageError
from symbackprop.files import write_whole

__all__ = ["EMITTERS", "check_suffix", "write_document"]

EMITTERS: dict[str, Callable[[Document], str | bytes]] = {".tex": tex, ".md": markdown, ".html": html, ".pdf": pdf}
"""The formats, by suffix."""


def check_suffix(path: Path) -> None:
    """UsageError unless there is an emitter for the suffix of ``path``."""
    if path.suffix not in EMITTERS:
        what = f"suffix {path.suffix!r}" if path.suffix else "no suffix"
        raise UsageError(f"{path}: {what}, so no document format; known are {', '.join(EMITTERS)}")


def write_document(document: Document, path: Path) -> Path:
    """Write ``document`` to ``path`` in the format of its suffix."""
    check_suffix(path)
    try:
        content = EMITTERS[path.suffix](document)
    except NotTypesetError as error:
        kept = write_whole(error.source, _beside(path, error.source))
        raise UsageError(f"{path} is not written: {error}; the document in LaTeX is {kept}") from error
    return write_whole(content, path)


def _beside(path: Path, source: str) -> Path:
    """The place for the LaTeX of ``path``, where nothing else is written over."""
    place = path.with_suffix(".tex")
    if not place.exists() or place.read_bytes() == source.encode():
        return place
    return path.with_name(f"{path.name}.tex")
