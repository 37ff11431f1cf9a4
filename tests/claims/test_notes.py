"""Longer notes hold claim by claim; one planted fault is found, where it is and what it is, and nothing else.

A plain run asks about every third fault; ``CLAIMS=all`` in the environment takes all.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest
from plain_run import sampled

import symbackprop as sbp
from symbackprop.claims.result import Outcome

HERE = Path(__file__).parent
NOTES = tomllib.loads((HERE / "notes.toml").read_text(encoding="utf-8"))["notes"]
FAULTS = [(notes, fault) for notes in NOTES for fault in notes["fault"]]
# fmt: off
KINDS = {
    "sign", "factor", "missing factor", "extra factor", "wrong argument", "wrong layer", "wrong function",
    "transpose", "order", "elementwise", "matrix product", "missing sum", "extra sum", "wrong index", "diagonal only",
    "missing term", "extra term", "penalty", "update sign", "updated weights", "wrong symbol", "shape", "number",
}
# fmt: on


def text_of(notes):
    return (HERE / "notes" / notes["file"]).read_text(encoding="utf-8")


def stem(notes):
    return Path(notes["file"]).stem


def name_of(value):
    """The notes, and which of their faults."""
    notes, fault = value
    return f"{stem(notes)}-{notes['fault'].index(fault) + 1}-{fault['fault'].split('|')[0].replace(' ', '_')}"


def test_the_faults_are_many_and_of_every_kind():
    assert len(NOTES) >= 12
    assert len(FAULTS) >= 80
    named = Counter(kind for _, fault in FAULTS for kind in fault["fault"].split("|"))
    assert set(named) == KINDS
    assert min(named.values()) >= 3
    assert {Path(notes["file"]).suffix for notes in NOTES} == {".tex", ".md"}
    assert {path.name for path in (HERE / "notes").iterdir()} == {notes["file"] for notes in NOTES} | {"forty.tex"}


@pytest.mark.parametrize("planted", FAULTS, ids=name_of)
def test_a_fault_is_one_replacement_on_one_line(planted):
    notes, fault = planted
    assert text_of(notes).count(fault["find"]) == 1
    assert "\n" not in fault["find"] + fault["replace"]
    assert fault["find"] != fault["replace"]


@pytest.mark.parametrize("notes", NOTES, ids=stem)
def test_the_notes_hold(notes):
    check = sbp.check_document(HERE / "notes" / notes["file"])
    shown = [(claim.line, claim.latex, claim.outcome.value, claim.diagnosis) for claim in check.claims]
    assert len(check.claims) == notes["claims"], shown
    assert check.ok, [row for row, claim in zip(shown, check.claims, strict=True) if not claim.outcome.holds]


@pytest.mark.parametrize("planted", sampled(FAULTS, 3), ids=name_of)
def test_a_planted_fault_is_found_and_named(planted, tmp_path):
    notes, fault = planted
    text = text_of(notes)
    line = text[: text.index(fault["find"])].count("\n") + 1
    path = tmp_path / notes["file"]
    path.write_text(text.replace(fault["find"], fault["replace"]), encoding="utf-8")
    check = sbp.check_document(path)
    wrong = [claim for claim in check.claims if not claim.outcome.holds]
    assert wrong, "accepted"
    assert not check.ok
    # All relations of a chain stand on one line.
    assert {claim.line for claim in wrong} == {line}, [(claim.line, claim.latex, claim.diagnosis) for claim in wrong]
    assert {claim.outcome for claim in wrong} == {Outcome.DIFFERS}, [claim.diagnosis for claim in wrong]
    assert wrong[0].fault in fault["fault"].split("|"), wrong[0].diagnosis
    assert wrong[0].diagnosis


def test_forty_claims_hold():
    check = sbp.check_document(HERE / "notes" / "forty.tex")
    assert len(check.claims) == 40
    assert check.ok, [(claim.line, claim.latex, claim.diagnosis) for claim in check.claims if not claim.outcome.holds]
