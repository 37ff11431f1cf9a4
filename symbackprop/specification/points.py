"""Data from a file beside the network file: CSV columns or the arrays of an npz archive."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.errors import UnreadableError, nearest
from symbackprop.specification.bounds import clipped

__all__ = ["Columns", "read_bytes", "read_columns", "read_npz", "read_text"]

Array = npt.NDArray[Any]
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)


def read_bytes(path: Path) -> bytes:
    """The content of ``path``; UnreadableError, with what is there instead, where it has none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UnreadableError(f"{path}: there is no such file; {_siblings(path)}") from None
    except IsADirectoryError:
        raise UnreadableError(f"{path} is a directory; name the file in it") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableError(f"{path} cannot be opened: {reason}") from None
    except ValueError as error:
        raise UnreadableError(f"{str(path)!r} is no path of a file: {error}") from None


def read_text(path: Path) -> str:
    """The content of ``path`` as UTF-8."""
    content = read_bytes(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableError(
            f"{path}, line {line}: byte {content[error.start]:#04x} is not UTF-8; save the file as UTF-8"
        ) from None


def _siblings(path: Path) -> str:
    try:
        names = sorted(entry.name for entry in path.parent.iterdir() if entry.suffix == path.suffix)
    except OSError:
        return f"there is no directory {str(path.parent)!r} either"
    return nearest(path.name, names) if names else f"there is no {path.suffix or 'such'} file in {str(path.parent)!r}"


@dataclass(frozen=True)
class Columns:
    """The columns of a CSV file; ``names`` is empty where it has no header."""

    path: Path
    names: tuple[str, ...]
    values: Array

    def pick(self, wanted: Sequence[str], key: str) -> list[int]:
        """The places of the columns called ``wanted``."""
        if not self.names:
            raise UnreadableError(f"{self.path} has no header, so {key} cannot name its columns; add one")
        for name in wanted:
            if name not in self.names:
                raise UnreadableError(
                    f"{self.path} has no column {name!r}, named in {key}; {nearest(name, self.names)}"
                )
        return [self.names.index(name) for name in wanted]


def read_columns(path: Path) -> Columns:
    """The numbers of a CSV file, separated by commas, with or without a header."""
    # Line numbers come from the reader, since a quoted cell may go on over several lines.
    reader = csv.reader(io.StringIO(read_text(path), newline=""), skipinitialspace=True, strict=True)
    names: tuple[str, ...] = ()
    rows: list[list[float]] = []
    width = 0
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if not width:
                width = len(cells)
                if not any(_NUMBER.fullmatch(cell) for cell in cells):
                    names = tuple(cells)
                    _check_header(names, path)
                    continue
            where = f"{path}, line {reader.line_num}"
            if len(cells) != width:
                raise UnreadableError(f"{where}: {len(cells)} columns, but {width} in the first line; fill the gaps")
            rows.append([_number(cell, where, column) for column, cell in enumerate(cells, 1)])
    except csv.Error as error:
        raise UnreadableError(f"{path}, line {reader.line_num}: {error}") from None
    if not rows:
        raise UnreadableError(f"{path} holds no numbers; give one line an example, separated by commas")
    return Columns(path, names, np.array(rows))


def _check_header(names: tuple[str, ...], path: Path) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UnreadableError(f"{path}: two columns are called {twice!r}; rename one")


def _number(cell: str, where: str, column: int) -> float:
    if not _NUMBER.fullmatch(cell):
        what = f"{clipped(cell, 40)} is no number" if cell else "the cell is empty"
        remedy = "separate columns by commas" if re.search(r"[;\t]", cell) else "give a number"
        raise UnreadableError(f"{where}, column {column}: {what}; {remedy}")
    return float(cell)


def read_npz(path: Path) -> dict[str, Array]:
    """The arrays of an npz archive; nothing in it is unpickled."""
    content = io.BytesIO(read_bytes(path))
    if not zipfile.is_zipfile(content):
        raise UnreadableError(f"{path} is no npz archive; write one by numpy.savez(path, x=x, y=y)")
    try:
        with np.load(content, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UnreadableError(f"{path} cannot be read as an npz archive: {reason}") from None
