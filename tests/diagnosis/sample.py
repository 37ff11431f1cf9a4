"""How many of the cases a plain test run asks about: naming a fault takes its time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["sample"]

Item = TypeVar("Item")
EVERYTHING = os.environ.get("DIAGNOSIS") == "all"


def sample(items: Sequence[Item], every: int) -> Sequence[Item]:
    """Each ``every``-th item; all of them where the environment says DIAGNOSIS=all."""
    return items if EVERYTHING else items[::every]
