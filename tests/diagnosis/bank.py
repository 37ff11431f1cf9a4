"""The bank: backward passes as people write them, each with a fault, and those that no dictionary holds."""

from __future__ import annotations

import bank_binary
import bank_classifier
import bank_columns
import bank_deep
import bank_loops
import bank_outside
import bank_regression
import bank_single
import bank_smooth
import bank_softmax
import bank_two_layers
from bank_case import Case

__all__ = ["CASES", "OUTSIDE"]

CASES: tuple[Case, ...] = tuple(
    case
    for family in (
        bank_two_layers,
        bank_classifier,
        bank_deep,
        bank_columns,
        bank_binary,
        bank_regression,
        bank_loops,
        bank_softmax,
        bank_single,
        bank_smooth,
    )
    for case in family.CASES
)
"""Faults that there is a name for."""

OUTSIDE: tuple[Case, ...] = tuple(bank_outside.CASES)
"""Faults that there is no name for; their ``kinds`` are the few that would be true all the same, mostly none."""
