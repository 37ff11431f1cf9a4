"""The exit statuses: one row each."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Status"]


class Status(IntEnum):
    """What the exit status says."""

    HOLDS = 0  # all went well, and every check holds
    FAILED = 1  # a check failed
    UNUSABLE = 2  # a usage error, or input that cannot be read
    INTERNAL = 70  # a mistake in this program; the number is EX_SOFTWARE of sysexits.h
    INTERRUPTED = 130  # Ctrl-C: 128 + SIGINT, as shells report it
    BROKEN_PIPE = 141  # whoever read the output has gone: 128 + SIGPIPE
