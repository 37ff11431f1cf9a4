"""Writing a document: one emitter a format, chosen by the suffix; the file is written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from symbackprop.documents.markdown import markdown
from symbackprop.documents.tex import tex
from symbackprop.documents.tree import Document
from symbackprop.errors import UnreadableError, UsageError

__all__ = ["EMITTERS", "check_suffix", "write_document", "write_whole"]

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


def write_whole(text: str, path: Path) -> Path:
    """Write a text file completely or leave what was there: it is made beside its place and then moved."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UnreadableError(f"{path} cannot be written: {error.strerror}; choose a folder that can be") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except OSError as error:
        raise UnreadableError(f"{path} cannot be written: {error.strerror}; choose another place") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    return path
