"""How much a plain run asks about: a part of what takes long; all of it where the environment says CLAIMS=all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

EVERYTHING = os.environ.get("CLAIMS") == "all"


def sampled(items: Sequence[Any], every: int) -> list[Any]:
    """Each ``every``-th item; all of them where everything is asked for."""
    return list(items) if EVERYTHING else list(items)[::every]
