"""What runs away is stopped and told, the rest goes on, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from symbackprop.claims import workers
from symbackprop.claims.document import check_text
from symbackprop.claims.result import Claim, Outcome
from symbackprop.claims.workers import Reporter, apart, here
from symbackprop.errors import UnreadableError, UsageError
from symbackprop.reading.watch import Place, begun

DECLARED = r"""
Let $x \in \mathbb{R}^{D}$, $W \in \mathbb{R}^{H \times D}$, $y \in \mathbb{R}^{H}$, $A \in \mathbb{R}^{D \times D}$.
\[ z = W x, \qquad L = \frac12 \|z - y\|^2 \]
"""
RIGHT = "\n\\[ \\frac{\\partial L}{\\partial z} = z - y \\]\n"
# Each with what its diagnosis says; empty where it may be any outcome, if it only comes.
LARGE = {
    "tower": (r"9^{9^{9}} = 1", "at most 1000"),
    "power": (r"2^{99999999} = 1", "at most 1000"),
    "power-of-a-sum": (r"L = (L + 1)^{1000}", ""),
    "number": (r"L = 10^{300} \cdot 10^{300}", ""),
    "digits": ("L = " + "9" * 5000, "digits"),
    "float": ("1e300 = 1", ""),
    "sum": ("L = " + " + ".join(["L"] * 5000), "tokens"),
    "binomial": (r"L = \binom{1000000}{500000}", r"\binom"),
    "fractions": ("L = " + r"\frac{1}{1+" * 200 + "L" + "}" * 200, "deep"),
    "exponents": ("L = " + "L^{" * 200 + "L" + "}" * 200, ""),
    "parentheses": ("L = " + "(" * 500 + "L" + ")" * 500, "deep"),
    "exponentials": ("L = " + r"\exp(" * 35 + "L" + ")" * 35, ""),
    "product-of-sums": ("L = (" + "+".join(f"c_{{{k}}}" for k in range(90)) + ")(" + "+".join(["y_1"] * 90) + ")", ""),
    "matrix": (r"L = \begin{pmatrix}" + r" \\ ".join([" & ".join("1" * 20)] * 20) + r"\end{pmatrix}", "100 entries"),
    "large-matrix": (r"L = \begin{pmatrix}" + r" \\ ".join([" & ".join("1" * 100)] * 100) + r"\end{pmatrix}", "tokens"),
    "sum-to-a-number": (r"L = \sum_{i=1}^{1000000000} z_i", ""),
    "entry": (r"L = z_{1000000000}", ""),
    "chain": (" = ".join(["L"] * 300), ""),
}  # fmt: skip
RUNAWAY = r"L = " + "L^{" * 30 + "L" + "}" * 30


def shown(formula: str) -> str:
    return f"{DECLARED}\n\\[ {formula} \\]\n{RIGHT}"


@pytest.mark.parametrize("name", LARGE)
def test_a_large_formula_is_bounded_and_the_rest_goes_on(name):
    formula, reason = LARGE[name]
    begin = time.monotonic()
    check = check_text(shown(formula), "tex", seconds=5.0)
    assert time.monotonic() - begin < 15
    assert check.claims[-1].outcome is Outcome.PROVED
    assert reason in check.claims[0].diagnosis


def test_a_formula_that_runs_away_is_stopped_and_told():
    check = check_text(shown(RUNAWAY), "tex", seconds=0.7)
    assert [claim.outcome for claim in check.claims] == [Outcome.UNREADABLE, Outcome.PROVED]
    assert "took longer than 0.7 s" in check.claims[0].diagnosis
    assert check.claims[0].line == 5


def test_large_sizes_are_tried_at_small_ones():
    text = r"""
Let $x \in \mathbb{R}^{784}$, $W \in \mathbb{R}^{10 \times 784}$, $y \in \mathbb{R}^{10}$, and
$V \in \mathbb{R}^{99999 \times 99999}$.
\[ z = W x, \qquad L = \frac12 \|z - y\|^2 \]
\[ \frac{\partial L}{\partial W} = (z - y) x^\top \]
\[ \frac{\partial L}{\partial W} = (y - z) x^\top \]
"""
    begin = time.monotonic()
    check = check_text(text, "tex")
    assert time.monotonic() - begin < 5
    assert [claim.outcome for claim in check.claims] == [Outcome.PROVED, Outcome.DIFFERS]


def test_a_large_size_that_is_computed_with_stays_what_it_is():
    text = r"""
Let $x \in \mathbb{R}^{300}$ and $m = \frac{1}{300} \sum_{i=1}^{300} x_i$.
\[ L = \frac12 m^2 \]
\[ \frac{\partial L}{\partial x_i} = \frac{m}{300} \]
"""
    check = check_text(text, "markdown")
    assert check.ok, check.claims


def test_both_ways_give_the_same():
    text = shown(r"\frac{\partial L}{\partial W} = x (z - y)^\top")
    assert check_text(text, "tex").claims == check_text(text, "tex", seconds=None).claims


def test_a_new_interpreter_gives_the_same(monkeypatch):
    text = shown(r"\frac{\partial L}{\partial W} = x (z - y)^\top")
    expected = check_text(text, "tex").claims
    monkeypatch.setattr(workers, "_FORKS", False)
    assert check_text(text, "tex").claims == expected


# -- work of other kinds -----------------------------------------------------------------------------------------------


def claim_of(number: int) -> Claim:
    return Claim(number, 1, "", "", Outcome.PROVED)


def counting(at: int, what: object, reporter: Reporter) -> None:
    """Five claims, at one of which something happens."""
    for number in range(1, 6):
        if number in reporter.found.claims:
            continue
        place = Place("claim", number)
        reason = begun(place)
        if number == at and not reason:
            what()  # type: ignore[operator]
        reporter.finished(number, workers.unread(place, reason) if reason else claim_of(number))
    reporter.ended("words", ("reading",))


def test_a_process_that_dies_costs_its_claim_only():
    found = apart(partial(counting, 3, partial(os._exit, 7)))
    assert [claim.outcome.value for claim in found.in_order()] == ["proved", "proved", "unreadable", "proved", "proved"]
    assert "ended the process" in found.claims[3].diagnosis
    assert (found.words, found.readings) == ("words", ("reading",))


def test_what_hangs_outside_python_is_stopped():
    begin = time.monotonic()
    found = apart(partial(counting, 2, partial(time.sleep, 100)), seconds=0.3)
    assert time.monotonic() - begin < 5
    assert [claim.outcome.value for claim in found.in_order()][:3] == ["proved", "unreadable", "proved"]


def endless(reporter: Reporter) -> None:
    for number in range(100):
        place = Place("claim", number + 1)
        reason = begun(place)
        if not reason:
            time.sleep(100)
        reporter.finished(number, workers.unread(place, reason))
    reporter.ended("", ())


def test_after_many_that_ran_away_the_rest_is_given_up():
    found = apart(endless, seconds=0.02)
    reasons = [claim.diagnosis for claim in found.in_order()]
    assert sum("longer than" in reason for reason in reasons) < 30
    assert "was not checked" in reasons[-1]


def refusing(reporter: Reporter) -> None:
    raise UsageError("no network has this name")


def failing(reporter: Reporter) -> None:
    raise KeyError("nobody foresaw this")


def test_an_error_on_purpose_comes_home():
    with pytest.raises(UsageError, match="no network has this name"):
        apart(refusing)
    with pytest.raises(UsageError):
        here(refusing)


def test_an_error_that_nobody_foresaw_is_told():
    with pytest.raises(UnreadableError, match="should be reported"):
        apart(failing)


def test_progress_is_told():
    seen: list[tuple[int, int, str]] = []
    check_text(shown("L = L"), "tex", progress=lambda *told: seen.append(told))
    assert seen[0][:2] == (0, 2)
    assert seen[-1] == (2, 2, "")


@pytest.mark.skipif(not workers._FORKS, reason="it looks for the copy of a process")
def test_an_interrupt_leaves_no_process_behind(tmp_path):
    (tmp_path / "notes.tex").write_text(shown(RUNAWAY), encoding="utf-8")
    code = "import sys, symbackprop as sbp; print('ready', flush=True); sbp.check_document(sys.argv[1], progress=False)"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "notes.tex")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(3)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode != 0
    assert errors.count("Traceback") <= 1
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
