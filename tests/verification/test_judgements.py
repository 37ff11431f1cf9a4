"""Judgements in columns say what single ones say."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from cases import network

from symbackprop.verification.judgements import Judgements, Verdicts, joined, judgements
from symbackprop.verification.report import array_report, worst_entries
from symbackprop.verification.verdicts import DECIDERS, Judgement, Verdict

NUMBERS = (0.0, -1.5, 1e-300, math.inf, math.nan)


def some():
    """Judgements of every kind, sense or not."""
    sides = ((None, None), (1.0, -2.0), (0.0, 0.0))
    found = []
    choices = itertools.product(Verdict, NUMBERS, NUMBERS, (0.0, 1e-3, math.inf), sides, (0.0, 1e-4))
    for number, (verdict, gradient, estimate, bound, (left, right), rounding) in enumerate(choices):
        decider = DECIDERS[number % len(DECIDERS)]
        found.append(Judgement(verdict, gradient, estimate, bound, 2 * bound, decider, left, right, rounding))
    return found


def test_columns_give_back_what_went_in():
    single = some()
    columns = judgements(single)
    assert len(columns) == len(single)
    assert [repr(judgement) for judgement in columns] == [repr(judgement) for judgement in single]
    assert judgements(columns) is columns
    assert len(joined([columns, columns])) == 2 * len(single)
    assert isinstance(columns[1:3], Judgements)
    assert len(judgements([])) == 0


@pytest.mark.parametrize("what", ["error", "detectable"])
def test_figures_are_those_of_single_judgements(what):
    # What a maximum of numbers and NaN is depends on their order in Python; there no figure is asked for.
    single = [j for j in some() if math.isfinite(j.gradient) and math.isfinite(j.estimate)]
    np.testing.assert_allclose(getattr(judgements(single), what), [getattr(j, what) for j in single], rtol=1e-14)


def test_replaced():
    columns = judgements(some())
    other = Judgement(Verdict.KINK, 2.0, 2.5, 0.1, 0.2, "complex step", 1.0, 3.0)
    changed = columns.replaced({3: other})
    assert changed[3] == other
    assert repr(changed[4]) == repr(columns[4])
    assert repr(columns[3]) != repr(other)


def test_verdicts_by_index():
    verdicts = Verdicts(np.array([[0, 1], [3, 2]], dtype=np.int8))
    assert dict(verdicts) == {
        (0, 0): Verdict.PASS, (0, 1): Verdict.KINK, (1, 0): Verdict.FAIL, (1, 1): Verdict.BLIND,
    }  # fmt: skip
    assert verdicts == dict(verdicts)
    assert len(verdicts) == 4
    assert (1, 1) in verdicts
    assert (2, 0) not in verdicts
    for wrong in ((2, 0), (0,), (-1, 0), (0, 0, 0)):
        with pytest.raises(KeyError):
            verdicts[wrong]
    assert Verdicts(np.array(3, dtype=np.int8))[()] is Verdict.FAIL


def test_the_worst_entries_are_those_of_a_full_sort():
    found = judgements([j for j in some() if math.isfinite(j.gradient) and math.isfinite(j.estimate)])
    (rank, size) = zip(*((j.verdict.rank, _badness(j)) for j in found), strict=True)
    order = sorted(range(len(found)), key=lambda place: (-rank[place], -size[place]))
    worst = worst_entries([{"W": found}], [{"W": (len(found),)}])
    assert [entry.index for entry in worst] == [(place,) for place in order[: len(worst)]]


def _badness(judgement):
    passed = judgement.verdict is Verdict.PASS and judgement.gradient != 0
    return judgement.detectable if passed else judgement.error


def test_the_report_says_what_decided():
    case = network(2, ((2, "relu"), (1, "identity")), "half_squared_error").at(b1=[-100, -100])
    report = array_report([case.check({"b1": case.gradients["b1"]}).judgements["b1"]], (2,))
    assert report.decided_by == {"complex step": 2}
    assert report.as_dict()["decided_by"] == {"complex step": 2}
