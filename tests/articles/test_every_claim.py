"""No claim of the table is forgotten."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from article_claims import claim, table

IDS = [row["id"] for row in table()["claims"]]
TESTED = {
    name
    for module in Path(__file__).parent.glob("test_*.py")
    if module != Path(__file__)
    for name in re.findall(r'\bclaim\("([^"]+)"\)', module.read_text(encoding="utf-8"))
}


def test_every_claim_is_tested_and_stands_in_the_table_once():
    assert sorted(TESTED) == sorted(IDS)


@pytest.mark.parametrize("name", IDS)
def test_every_claim_names_its_source_and_its_example(name):
    fact = claim(name)
    assert fact.source in table()["sources"]
    assert not fact.example or fact.example in table()["examples"]
    assert fact.verdict in ("correct", "wrong", "loose", "determined-interval")
    assert fact.verified
