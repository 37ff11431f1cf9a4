"""The one place where text becomes code: source that this package has written itself, never a user's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["executed"]


def executed(source: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """What ``source`` defines, by name, where ``names`` are there already."""
    found = dict(names)
    exec(compile(source, "<symbackprop>", "exec"), found)
    return found
