"""Writing a document: one emitter a format, chosen by the suffix; the file is written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from symbackprop.documents.markdown import markdown
from symbackprop.documents.tex import tex
from symbackprop.documents.tree import Document
from symbackprop.errors import UsageError
from symbackprop.files import write_whole

__all__ = ["EMITTERS", "check_suffix", "write_document"]

EMITTERS: dict[str, Callable[[Document], str]] = {".tex": tex, ".md": markdown}
"""The formats, by suffix."""


def check_suffix(path: Path) -> None:
    """UsageError unless there is an emitter for the suffix of ``path``."""
    if path.suffix not in EMITTERS:
        what = f"suffix {path.suffix!r}" if path.suffix else "no suffix"
        raise UsageError(f"{path}: {what}, so no document format; known are {', '.join(EMITTERS)}")


def write_document(document: Document, path: Path) -> Path:
    """Write ``document`` to ``path`` in the format of its suffix."""
    check_suffix(path)
    return write_whole(EMITTERS[path.suffix](document), path)
