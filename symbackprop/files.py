"""Writing files: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from symbackprop.errors import UnreadableError

__all__ = ["write_whole"]


def write_whole(content: str | bytes, path: Path) -> Path:
    """Write a file completely or leave what was there: it is made beside its place and then moved. Text is UTF-8."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UnreadableError(f"{path} cannot be written: {error.strerror}; choose a folder that can be") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
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
