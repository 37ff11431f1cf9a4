"""Floor 8, the commands. Nothing here computes; SymPy and NumPy are imported inside the commands that need them."""

from __future__ import annotations

import io
import sys
from typing import NoReturn

from symbackprop.cli.application import application

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line, and exit with its status."""
    # A terminal without Unicode shows an escape for what it lacks; that is no reason to fail.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    application.main(prog_name="symbackprop")
