"""Formulas in the notations of books, courses and notes are read with the right meaning, or refused with a reason."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from read_meanings import Array, Sides, sides_of_last_formula

ENTRIES = tomllib.loads((Path(__file__).parent / "notation.toml").read_text(encoding="utf-8"))["entry"]
READ = [entry for entry in ENTRIES if entry["expect"] == "read"]
REFUSED = [entry for entry in ENTRIES if entry["expect"] == "refused"]


def sides_of(entry: Mapping[str, Any]) -> Mapping[int, Sides] | str:
    """What the reader makes of the formula, for each layer l that exists (0 where there is none), or why it refuses."""
    latex = entry["latex"].strip()
    shown = latex if latex.startswith("\\begin{") else f"$${latex}$$"
    return sides_of_last_formula(f"{entry['declarations'].strip()}\n\n{shown}\n")


def sigma(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def outer(a: Array, b: Array) -> Array:
    return np.outer(a, b)


def evaluated(expression: str, sides: Sides, layer: int) -> Array:
    names = {
        "v": sides.v,
        "D": sides.D,
        "J": sides.J,
        "sigma": sigma,
        "dsigma": lambda z: sigma(z) * (1 - sigma(z)),
        "relu": lambda z: np.maximum(z, 0),
        "drelu": lambda z: (z > 0) * 1.0,
        "tanh": np.tanh,
        "log": np.log,
        "exp": np.exp,
        "outer": outer,
        "T": np.transpose,
        "sum": np.sum,
        "eye": np.eye,
        "np": np,
        "l": layer,
    }
    # An expression of notation.toml, not of anybody's notes.
    return np.squeeze(np.asarray(eval(expression, names), dtype=float))


def alike(relation: tuple[Array, ...], meanings: list[str], sides: Sides, layer: int) -> bool:
    meant = [evaluated(expression, sides, layer) for expression in meanings]
    found = [np.squeeze(np.asarray(side, dtype=float)) for side in relation]
    return len(found) == len(meant) and all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(found, meant, strict=True)
    )


def number_of(entry: Mapping[str, Any]) -> str:
    return str(entry["number"])


def test_every_entry_has_its_meaning():
    assert [entry["number"] for entry in ENTRIES] == list(range(51))
    assert all(entry["sides"] and all(len(sides) >= 2 for sides in entry["sides"]) for entry in READ)
    assert all(entry["reason"] for entry in REFUSED)
    assert len(REFUSED) <= 2


@pytest.mark.parametrize("entry", READ, ids=number_of)
def test_a_formula_is_read_with_its_meaning(entry):
    found = sides_of(entry)
    assert not isinstance(found, str), found
    assert sorted(found) == entry.get("layers", [0])
    readings = [entry["sides"], *([entry["or_sides"]] if "or_sides" in entry else [])]
    for layer, sides in found.items():
        assert any(
            len(sides.relations) == len(reading)
            and all(alike(*pair, sides, layer) for pair in zip(sides.relations, reading, strict=True))
            for reading in readings
        ), (entry["latex"], layer, sides.relations)


@pytest.mark.parametrize("entry", REFUSED, ids=number_of)
def test_what_is_outside_the_scope_is_refused_with_a_reason(entry):
    assert isinstance(sides_of(entry), str)
