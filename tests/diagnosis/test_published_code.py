"""Published faults in code are caught and not called by a wrong name; what others took for a fault is accepted."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from bank_case import KINDS, compiled, difference, distance
from published import PUBLISHED, Published, facts

import symbackprop as sbp

each = pytest.mark.parametrize("published", PUBLISHED, ids=lambda published: published.id)


def agrees(found, printed):
    return found.keys() == printed.keys() and all(
        np.allclose(found[name], printed[name], rtol=1e-9, atol=1e-12) for name in printed
    )


def test_every_row_of_the_table_is_written_as_code():
    assert Counter(row["id"] for row in facts()["code"]) == Counter(published.id for published in PUBLISHED)
    alarms = Counter(row["false_alarm"] for row in facts()["code"])
    assert alarms == {False: 17, True: 7}
    assert {kind for published in PUBLISHED for kind in published.kinds} <= set(KINDS)


@each
def test_the_published_numbers_are_those_of_the_code(published: Published):
    fact = published.fact
    right, wrong = published.gradients(), published.gradients(frozenset({published.fault}))
    assert bool(fact["claimed"]) == (published.read is not None)
    if published.read is not None:
        # A claim may be about some of the numbers, and what is right be told of more.
        for printed, gradients in ((fact["claimed"], wrong), (fact["verified"], right)):
            assert agrees(published.read(gradients), printed)


@each
def test_the_code_is_wrong_by_its_fault_alone(published: Published):
    _, derived = compiled(published.network)(*published.arrays)
    assert distance(published.gradients(), derived) < 1e-9
    assert difference(published.gradients(frozenset({published.fault})), derived) > 1e-6


@each
def test_the_right_code_is_accepted(published: Published):
    result = sbp.check_gradients(published.right, published.network(), *published.arrays)
    assert result.ok, result.diagnosis
    assert not result.candidates


@each
def test_the_fault_is_caught_and_named_rightly_or_not_at_all(published: Published):
    result = sbp.check_gradients(published.wrong, published.network(), *published.arrays)
    assert not result.ok
    assert result.diagnosis
    named = {candidate.kind for candidate in result.candidates}
    assert not named or named & set(published.kinds), result.diagnosis
