"""What the articles that the project grew from claim, and the verdict on each claim: tests/data/articles.json."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TABLE = Path(__file__).parents[1] / "data" / "articles.json"


@dataclass(frozen=True)
class Claim:
    """One claim: what its article says, what is true, and the numbers that it is about."""

    id: str
    source: str
    verdict: str
    claim: str
    claimed: dict[str, Any]
    verified: dict[str, Any]
    example: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@cache
def table() -> dict[str, Any]:
    """The whole table."""
    return json.loads(TABLE.read_text(encoding="utf-8"))


def claim(name: str) -> Claim:
    """The claim called ``name``."""
    (row,) = (row for row in table()["claims"] if row["id"] == name)
    return Claim(**row)


def example(name: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Parameters, x and y of the worked example called ``name``, new each time."""
    found = {key: np.array(value) for key, value in table()["examples"][name].items() if isinstance(value, list)}
    x, y = found.pop("x"), found.pop("y")
    return found, x, y


def as_printed(printed: Any) -> Any:
    """Equal to the ``printed`` number, or numbers, after rounding to the digits that are printed."""
    if isinstance(printed, list):
        return [as_printed(number) for number in printed]
    decimals = len(repr(float(printed)).partition(".")[2])
    return pytest.approx(printed, rel=0, abs=0.5 * 10.0**-decimals)


def exactly(number: Any) -> Any:
    """Equal to ``number``, or numbers, up to rounding in float64."""
    return pytest.approx(np.asarray(number, dtype=float), rel=1e-12, abs=1e-15)
