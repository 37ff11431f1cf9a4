"""Published formulas: right ones hold, wrong ones differ and their fault is named, false alarms are none.

``python tests/claims/test_published.py`` prints how many.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import symbackprop as sbp
from symbackprop.claims.result import Check, Outcome

HERE = Path(__file__).parent
TABLE = tomllib.loads((HERE / "published.toml").read_text(encoding="utf-8"))
CASES: list[dict[str, Any]] = TABLE["case"]

each = pytest.mark.parametrize("case", CASES, ids=lambda case: Path(case["file"]).stem)


def checked(case: dict[str, Any]) -> Check:
    return check_of(case["file"])


@cache
def check_of(name: str) -> Check:
    return sbp.check_document(HERE / "published" / name)


def as_expected(case: dict[str, Any], check: Check) -> bool:
    return [claim.outcome.holds for claim in check.claims] == [expected == "holds" for expected in case["claims"]]


def counts() -> str:
    """How many of the published formulas come out as they should."""
    right = Counter((case["verdict"], as_expected(case, checked(case))) for case in CASES)
    alarms = [case for case in CASES if case["false_alarm"] and case["verdict"] == "right"]
    lines = [
        f"{right['right', True]} of {right['right', True] + right['right', False]} right formulas hold",
        f"{right['wrong', True]} of {right['wrong', True] + right['wrong', False]} wrong formulas differ",
        f"{sum(as_expected(case, checked(case)) for case in alarms)} of {len(alarms)} false alarms hold",
        f"{len(TABLE['left_out'])} cannot be put into notes",
    ]
    return "\n".join(lines)


def test_the_table_and_the_documents_belong_together():
    assert Counter(case["file"] for case in CASES) == Counter(path.name for path in (HERE / "published").iterdir())
    for case in CASES:
        assert set(case["claims"]) <= {"holds", "differs"}
        assert case["claims"].count("differs") == len(case.get("fault", []))
        assert ("differs" in case["claims"]) == (case["verdict"] == "wrong")
    assert not {case["id"] for case in CASES} & {entry["id"] for entry in TABLE["left_out"]}
    for name in {case["id"] for case in CASES if case["false_alarm"]}:
        assert {case["verdict"] for case in CASES if case["id"] == name} == {"right", "wrong"}


@each
def test_each_claim_comes_out_as_it_should(case):
    check = checked(case)
    shown = [(claim.latex, claim.outcome.value, claim.diagnosis) for claim in check.claims]
    assert len(check.claims) == len(case["claims"]), shown
    for claim, expected in zip(check.claims, case["claims"], strict=True):
        # Unreadable is neither.
        assert claim.outcome.holds == (expected == "holds"), shown
        assert (claim.outcome is Outcome.DIFFERS) == (expected == "differs"), shown
    assert check.ok == (case["verdict"] == "right")


@pytest.mark.parametrize("case", [case for case in CASES if "fault" in case], ids=lambda case: Path(case["file"]).stem)
def test_the_fault_is_named(case):
    wrong = [claim for claim in checked(case).claims if not claim.outcome.holds]
    for claim, kinds in zip(wrong, case["fault"], strict=True):
        assert claim.fault in kinds.split("|"), claim.diagnosis
        assert claim.diagnosis


@pytest.mark.parametrize(
    "case", [case for case in CASES if "assumption" in case], ids=lambda case: Path(case["file"]).stem
)
def test_the_assumption_is_stated(case):
    assert case["assumption"] in " ".join(checked(case).assumptions)


if __name__ == "__main__":
    print(counts())
