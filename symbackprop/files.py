"""Writing files: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from symbackprop.errors import UnreadableError

__all__ = ["check_place", "write_whole"]


def check_place(path: str | Path) -> None:
    """UnreadableError where there is no folder to write ``path`` into: said before the work that would be lost."""
    folder = Path(path).parent
    if not folder.is_dir():
        raise UnreadableError(f"{path} cannot be written: there is no directory {str(folder)!r}; choose another place")
    if not os.access(folder, os.W_OK):
        raise UnreadableError(f"{path} cannot be written: {str(folder)!r} allows no new files; choose another place")
    if Path(path).is_dir():
        raise UnreadableError(f"{path} cannot be written: it is a directory; name a file in it")


def write_whole(content: str | bytes, path: Path) -> Path:
    """Write a file completely or leave what was there: it is made beside its place and then moved. Text is UTF-8.

    A link stays one, a file that is there keeps its mode, and what is no file, such as a pipe, is written into.
    """
    data = content.encode() if isinstance(content, str) else content
    target = path.resolve() if path.is_symlink() else path
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
        else:
            _replaced(target, data)
    except OSError as error:
        raise UnreadableError(f"{path} cannot be written: {error.strerror}; choose another place") from error
    return path


def _replaced(target: Path, data: bytes) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}")
    mode = target.stat().st_mode & 0o7777 if target.exists() else None
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(data)
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
