"""The PDF emitter: the LaTeX document, typeset by pdflatex in a folder of its own that is gone afterwards."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from symbackprop.documents.formats.tex import tex
from symbackprop.documents.tree import Document
from symbackprop.errors import UsageError

__all__ = ["NotTypesetError", "pdf"]

_PACKAGES = "texlive-latex-recommended, texlive-pictures and lmodern"
"""What Debian calls the smallest TeX that has everything."""
_COMMAND = ("pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error")
_NAME = "derivation"
_SECONDS = 180
_MOST_RUNS = 4
_RERUN = re.compile(r"Rerun to get|Label\(s\) may have changed")
_ERROR = re.compile(r"^(?:!|\S*\.\w+:\d+:) .*", re.MULTILINE)
_ENVIRONMENT = {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1", "max_print_line": "1000"}
"""So that the bytes do not depend on the day, and the log does not break its lines."""
_SETTINGS = r"\pdftrailerid{}\pdfinfoomitdate=1 \pdfsuppressptexinfo=-1 "
"""So that they do not depend on the place either; on the source's first line, before its comment."""


class NotTypesetError(UsageError):
    """There is no LaTeX, or it failed. ``source`` is the document in LaTeX, which is worth keeping."""

    def __init__(self, message: str, source: str) -> None:
        super().__init__(message)
        self.source = source


def pdf(document: Document) -> bytes:
    """``document`` as PDF, the same bytes each time. NotTypesetError where there is no LaTeX, or it fails."""
    source = tex(document)
    program = shutil.which(_COMMAND[0])
    if program is None:
        raise NotTypesetError(
            f"PDF is made by pdflatex, which is not installed; install it (Debian: {_PACKAGES}), or choose a file "
            "that ends in .tex or .html",
            source,
        )
    with TemporaryDirectory(prefix="symbackprop-") as folder:
        return _typeset(program, source, Path(folder))


def _typeset(program: str, source: str, folder: Path) -> bytes:
    (folder / f"{_NAME}.tex").write_text(_SETTINGS + source, encoding="utf-8")
    for _ in range(_MOST_RUNS):
        try:
            run = subprocess.run(
                [program, *_COMMAND[1:], f"{_NAME}.tex"],
                cwd=folder,
                env={**os.environ, **_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NotTypesetError(f"pdflatex did not finish within {_SECONDS} seconds", source) from error
        log = _log(folder)
        if run.returncode:
            raise NotTypesetError(f"pdflatex failed: {_first_error(log)}; it needs Debian's {_PACKAGES}", source)
        if not _RERUN.search(log):
            break
    return (folder / f"{_NAME}.pdf").read_bytes()


def _log(folder: Path) -> str:
    log = folder / f"{_NAME}.log"
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


def _first_error(log: str) -> str:
    found = _ERROR.search(log)
    return found[0].removeprefix("! ").strip().rstrip(".") if found else "its log names no error"
