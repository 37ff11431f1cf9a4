"""Formulas that nobody wrote crash nothing, hang nothing, and are called proved only where they are true.

FUZZ=10000 in the environment tries that many, FUZZ=10000:2000 those from number 2000 on.
"""

from __future__ import annotations

import itertools
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import CHANGES, documents, mutated
from truth import verdicts

from symbackprop.claims.document import check_text
from symbackprop.claims.result import Check, Outcome

COUNT, _, FIRST = os.environ.get("FUZZ", "").partition(":")
SHORT = 1200
"""The longest text of a plain run, in characters."""
QUIET = settings(
    max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
DECLARED = r"""
Let $x \in \mathbb{R}^{D}$, $W \in \mathbb{R}^{H \times D}$, $y \in \mathbb{R}^{H}$.
\[ z = W x, \qquad L = \frac12 \|z - y\|^2 \]
"""
FRAGMENTS = (
    r"\frac{\partial L}{\partial z}", r"\frac{\partial L}{\partial W}", r"\nabla_{W} L", "z", "y", "x", "W",
    r"x^\top", "W^T", "(z - y)", r"\|z - y\|^2", "2", r"\frac{1}{2}", r"\odot", r"\cdot", "=", "+", "-", "(", ")",
    "_i", "_{ij}", "^2", "'", r"\sigma", r"\sum_{i}", r"\exp", r"\delta", ",", "1", "0", r"\top", "{", "}",
    r"\frac", "^{-1}", "z_i", "W_{ij}", "x_j", "|", r"\left(", r"\right)", r"\text{if}", r"\text{ }", r"\hat{y}",
)  # fmt: skip
# The smallest formula of each kind that once ended in an error of the checker's own.
CRASHED = (
    r"L = \text{ } z",
    r"\hat{y} = \frac{\partial L}{\partial z} + \hat{y}",
    r"\frac{\partial L}{\partial z} = \nabla\nabla_z L",
    r"c_{ijk} = W c + z",
    r"\frac{\partial L}{\partial z} = W_{h} c_{ijk} + x^\top",
    r"\hat{q} = \frac{\partial L}{\partial z} \] \[ \hat{q} = z - y",
    r"L = " + r"\exp(" * 35 + "L" + ")" * 35,
    "z² = 1",
    "z_{٣} = 1",
    r"\frac{\partial L}{\partial z} = z_{²} - y",
)


def is_sound(text: str, kind: str) -> None:
    """Every law for one text, without a process of its own."""
    check = check_text(text, kind, seconds=None)
    assert isinstance(check, Check)
    lines = text.count("\n") + 1
    for claim in check.claims:
        assert 1 <= claim.line <= lines
        assert "error of the checker's own" not in claim.diagnosis, (claim.latex, claim.diagnosis)
        assert claim.outcome.holds or claim.diagnosis
    found = verdicts(text, kind)
    assert not found.false, found.false


def test_every_change_and_every_text_is_drawn():
    assert len(documents()) > 100
    assert len(CHANGES) >= 10
    assert len({mutated(seed) for seed in range(200)}) > 190


@pytest.mark.skipif(bool(COUNT), reason="FUZZ says which are tried")
@pytest.mark.parametrize("block", range(6))
def test_a_mutated_formula_is_judged_soundly(block):
    short = (seed for seed in itertools.count(1000 * block) if len(mutated(seed)[0]) < SHORT)
    for seed in itertools.islice(short, 8):
        is_sound(*mutated(seed))


@pytest.mark.skipif(bool(COUNT), reason="FUZZ says which are tried")
@QUIET
@given(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=14))
def test_fragments_in_any_order_are_judged_soundly(pieces):
    is_sound(DECLARED + "\n\\[ " + " ".join(pieces) + " \\]\n", "tex")


@pytest.mark.skipif(bool(COUNT), reason="FUZZ says which are tried")
@QUIET
@given(st.text(max_size=60))
def test_any_text_at_all_is_judged_soundly(inside):
    is_sound(DECLARED + "\n$$" + inside + "$$\n", "markdown")


@pytest.mark.skipif(not COUNT, reason="FUZZ=10000 tries ten thousand")
def test_many_mutated_formulas_are_judged_soundly():
    for seed in range(int(FIRST or 0), int(FIRST or 0) + int(COUNT or 0)):
        text, kind = mutated(seed)
        check = check_text(text, kind)
        assert all("error of the checker's own" not in claim.diagnosis for claim in check.claims), seed
        if all("longer than" not in claim.diagnosis for claim in check.claims):
            assert not verdicts(text, kind).false, seed


@pytest.mark.parametrize("formula", CRASHED, ids=range(len(CRASHED)))
def test_what_once_crashed_is_judged_soundly(formula):
    is_sound(DECLARED + "\n\\[ " + formula + " \\]\n", "tex")


def test_a_claim_that_is_left_unread_says_so():
    check = check_text(DECLARED + "\n\\[ \\frac{\\partial L}{\\partial z} = z - y y y \\]\n", "tex", seconds=None)
    assert [claim.outcome for claim in check.claims] != [Outcome.PROVED]
