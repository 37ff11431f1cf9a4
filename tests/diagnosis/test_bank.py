"""Each faulty backward pass is caught, and named rightly or not at all.

What is said of them, a plain run asks of a sample; DIAGNOSIS=all of all.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from bank import CASES, OUTSIDE
from bank_case import KINDS, Case, arrays_at, compiled, difference, distance
from published import PUBLISHED
from sample import sample

import symbackprop as sbp

ASKED, ASKED_OUTSIDE = sample(CASES, 3), sample(OUTSIDE, 10)
UNNAMED = {
    "gate 3-4-2, batch 5, initial: Jacobian of the first example",
    "mixed 3-4-3, batch 6, initial: softmax over the batch",
    "labels 4-6-3, batch 5, initial: softmax for sigmoid",
    "recurrent layer, batch 3, initial: state of the same step",
}
"""The faults that are caught and get no name."""


def by_name(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


# -- the bank itself ---------------------------------------------------------------------------------------------------


def test_the_bank_is_large_and_varied():
    assert len(CASES) >= 80
    assert len({case.network for case in CASES}) >= 8
    assert sum(len(case.faults) == 2 for case in CASES) >= 8
    assert {bool(case.point.trained) for case in CASES} == {True, False}
    assert len({case.point.batch for case in CASES}) >= 4
    assert 1 in {case.point.batch for case in CASES}
    assert len(OUTSIDE) >= 50
    names = Counter(case.name for case in (*CASES, *OUTSIDE))
    assert max(names.values()) == 1


def test_every_kind_comes_up():
    assert {kind for case in (*CASES, *OUTSIDE, *PUBLISHED) for kind in case.kinds} == set(KINDS)
    assert all(case.kinds for case in CASES)


@by_name((*CASES, *OUTSIDE))
def test_the_code_is_wrong_by_its_fault_alone(case: Case):
    parameters, x, y = arrays_at(case.network, case.point)
    _, derived = compiled(case.network)(parameters, x, y)
    assert distance(case.right(parameters, x, y), derived) < 1e-9
    for faults in [{fault} for fault in case.faults] if len(case.faults) > 1 else []:
        assert difference(case.code(parameters, x, y, frozenset(faults)), derived) > 1e-6
    least = 1e-9 if case.kinds[:1] == ("rounding",) else 1e-6
    assert difference(case.backward(parameters, x, y), derived) > least


def test_the_points_lie_off_the_kinks():
    for network, point in {(case.network, case.point) for case in (*CASES, *OUTSIDE)}:
        values = network().derive().values(*arrays_at(network, point))
        assert all(np.abs(z).min() > 1e-4 for name, z in values.items() if name.startswith("z") and "bar" not in name)


# -- what is said of it ------------------------------------------------------------------------------------------------


def said(case: Case):
    return sbp.check_gradients(case.backward, case.network(), *arrays_at(case.network, case.point))


@by_name(ASKED)
def test_a_fault_is_caught_and_named_rightly(case: Case):
    result = said(case)
    assert not result.ok
    assert result.diagnosis
    if case.name in UNNAMED:
        assert result.candidates == (), "it has a name now: take it off the list"
        return
    first = result.candidates[0]
    assert set(first.kinds) & set(case.kinds), result.diagnosis


def test_most_faults_are_named():
    assert {case.name for case in CASES} >= UNNAMED
    assert len(ASKED) >= 60
    assert len([case for case in ASKED if case.name in UNNAMED]) <= 0.1 * len(ASKED)
    assert len(UNNAMED) <= 0.1 * len(CASES)


@by_name(ASKED_OUTSIDE)
def test_a_fault_outside_the_dictionary_is_caught_and_gets_no_false_name(case: Case):
    result = said(case)
    assert not result.ok
    assert {kind for candidate in result.candidates for kind in candidate.kinds} <= set(case.kinds), result.diagnosis


def test_the_same_code_without_its_fault_raises_no_alarm():
    for code, network, point in {(case.code, case.network, case.point) for case in (*CASES, *OUTSIDE)}:
        theirs = lambda parameters, x, y: code(parameters, x, y, frozenset())  # noqa: B023, E731
        result = sbp.check_gradients(theirs, network(), *arrays_at(network, point))
        assert result.ok, f"{network.__name__}, {point}: {result.diagnosis}"
