"""What a check says of itself: on a terminal, in a notebook, in one line."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from html import unescape

import pytest

from symbackprop.claims.result import Check, Claim, Counterexample, Outcome

DELTA = r"\delta^{(1)} = (W^{(2)})^\top \delta^{(2)}"
RIGHT = r"\delta^{(1)} = (W^{(2)})^\top \delta^{(2)} \odot \sigma'(z^{(1)})"
EXAMPLE = Counterexample({"N": 2, "D": 3}, 1, (0, 1), 0.123456789, 0.2469)
PROVED = Claim(3, 5, "a = b", "dL/dW2", Outcome.PROVED, by="canonical index form, for all sizes")
AGREES = Claim(5, 1, "1 + 1 = 2", "numbers", Outcome.AGREES, by="exact to the digits printed")
DIFFERS = Claim(
    12,
    3,
    DELTA,
    "delta1",
    Outcome.DIFFERS,
    by="2 random points",
    fault="derivative left out",
    diagnosis="the derivative of sigmoid is left out",
    correct=RIGHT,
    counterexample=EXAMPLE,
)
FOLLOWS = Claim(14, 3, "W = x", "dL/dW1", Outcome.DIFFERS, given=(12,), counterexample=EXAMPLE)
UNREADABLE = Claim(
    20, 9, r"\oint", "", Outcome.UNREADABLE, diagnosis=r"\oint is not known; write it out, or leave it out"
)


def lines(*claims: Claim, **more: object) -> list[str]:
    return str(Check(claims, **more)).splitlines()  # type: ignore[arg-type]


def test_the_whole() -> None:
    check = Check(
        (replace(PROVED, assumptions=("off the kink of relu", "right if sum_k y_k = 1")), DIFFERS, FOLLOWS, UNREADABLE),
        network="2 inputs; layer 1: 3 units, activation sigmoid.",
        readings=("examples as columns",),
        path="notes.tex",
    )
    assert str(check) == "\n".join(
        [
            "notes    notes.tex",
            "network  2 inputs; layer 1: 3 units, activation sigmoid.",
            "read     examples as columns",
            "",
            "line  about   outcome     by, or what is wrong",
            "   3  dL/dW2  proved      canonical index form, for all sizes [1] [2]",
            "  12  delta1  differs     derivative left out",
            "  14  dL/dW1  differs     it uses the value of line 12, which differs",
            "  20          unreadable",
            "",
            "[1] off the kink of relu",
            "[2] right if sum_k y_k = 1",
            "",
            r"line 12, column 3: \delta^{(1)} = (W^{(2)})^\top \delta^{(2)}",
            "  wrong: the derivative of sigmoid is left out",
            r"  right: \delta^{(1)} = (W^{(2)})^\top \delta^{(2)} \odot \sigma'(z^{(1)})",
            "  at sizes N = 2, D = 3, seed 1: entry [0, 1] is 0.123456789 as claimed, 0.2469 as derived",
            "",
            "line 14, column 3: W = x",
            "  at sizes N = 2, D = 3, seed 1: entry [0, 1] is 0.123456789 as claimed, 0.2469 as derived",
            "  it uses the value of line 12, which differs",
            "",
            r"line 20, column 9: \oint",
            r"  unreadable: \oint is not known; write it out, or leave it out",
            "",
            "4 claims: 1 holds (1 proved), 2 differ, 1 unreadable",
        ]
    )


def test_what_is_assumed_by_all_claims_is_told_once_at_the_top() -> None:
    both = "right with the loss averaged over the batch"
    claims = (replace(PROVED, assumptions=(both, "off the kink")), replace(AGREES, assumptions=(both,)))
    shown = lines(*claims)
    assert shown[0] == f"assumed  {both}"
    assert [line for line in shown if both in line] == shown[:1]
    assert "[1] off the kink" in shown
    assert shown[3].endswith("for all sizes [1]")
    assert "[" not in shown[4]


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ((), "no claims"),
        ((PROVED,), "1 claim: 1 holds (1 proved)"),
        ((AGREES,), "1 claim: 1 holds (1 agrees)"),
        ((DIFFERS,), "1 claim: 1 differs"),
        ((UNREADABLE, UNREADABLE), "2 claims: 2 unreadable"),
        (
            (PROVED,) * 35 + (AGREES,) * 2 + (DIFFERS,) * 2 + (UNREADABLE,),
            "40 claims: 37 hold (35 proved, 2 agree), 2 differ, 1 unreadable",
        ),
    ],
)
def test_the_last_line_counts(claims: tuple[Claim, ...], says: str) -> None:
    assert lines(*claims)[-1] == says
    assert f"<p>{says}</p>" in unescape(Check(claims)._repr_html_())


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ((), "Check(no claims)"),
        ((PROVED,) * 40, "Check(ok: 40 claims)"),
        ((DIFFERS,) * 2 + (UNREADABLE,) + (PROVED,) * 37, "Check(2 of 40 claims differ, 1 unreadable)"),
        ((DIFFERS, PROVED), "Check(1 of 2 claims differs)"),
        ((UNREADABLE, PROVED), "Check(1 of 2 claims unreadable)"),
        ((PROVED,), "Check(proved: canonical index form, for all sizes)"),
        ((DIFFERS,), "Check(differs: the derivative of sigmoid is left out)"),
        ((FOLLOWS,), "Check(differs: it uses the value of line 12, which differs)"),
        ((UNREADABLE,), r"Check(unreadable: \oint is not known; write it out, or leave it out)"),
        ((Claim(1, 1, "a = b", "a", Outcome.DIFFERS),), "Check(differs)"),
    ],
)
def test_in_one_line(claims: tuple[Claim, ...], says: str) -> None:
    assert repr(Check(claims, text="secret")) == says


def test_lines_that_a_claim_rests_on() -> None:
    assert "  it uses the values of lines 3, 5 and 8, which differ" in lines(replace(FOLLOWS, given=(3, 5, 8)))


@pytest.mark.parametrize(
    ("example", "says"),
    [
        (Counterexample({}, 0, (), 1.0, 2.0), "  at seed 0: the value is 1 as claimed, 2 as derived"),
        (
            Counterexample({"N": 1}, 7, (3,), math.nan, -math.inf),
            "  at sizes N = 1, seed 7: entry [3] is nan as claimed, -inf as derived",
        ),
        (
            Counterexample({}, 0, (), 1.0, 1.000000000001),
            "  at seed 0: the value is 1 as claimed, 1.000000000001 as derived",
        ),
    ],
)
def test_counterexamples(example: Counterexample, says: str) -> None:
    check = Check((replace(DIFFERS, counterexample=example),))
    assert says in str(check).splitlines()
    assert says.strip() in unescape(check._repr_html_())
    json.dumps(check.as_dict(), allow_nan=False)


LONG = " + ".join(rf"\frac{{\partial L}}{{\partial W^{{({layer})}}}}" for layer in range(40))


@pytest.mark.parametrize("spaced", [True, False])
def test_long_formulas_go_on_in_indented_lines(spaced: bool) -> None:
    latex = LONG if spaced else LONG.replace(" ", "")
    shown = lines(replace(DIFFERS, latex=latex[:900], correct=latex))
    assert max(map(len, shown)) <= 100
    start = next(place for place, line in enumerate(shown) if line.startswith("  right: "))
    stop = next(place for place, line in enumerate(shown) if line.startswith("  at sizes"))
    assert stop - start > 5
    assert all(line.startswith("    ") and line[4] != " " for line in shown[start + 1 : stop])
    # A line that goes on in front of a command, or where there was a space, is the same mathematics.
    joined = "".join([shown[start].removeprefix("  right: "), *(line[4:] for line in shown[start + 1 : stop])])
    assert joined.replace(" ", "") == latex.replace(" ", "")
    if not spaced:
        assert all(line[4] == "\\" for line in shown[start + 1 : stop])


def test_a_formula_without_any_place_to_break_is_broken() -> None:
    shown = lines(replace(DIFFERS, latex="x" * 5000, correct="y" * 300, diagnosis="z" * 300))
    assert max(map(len, shown)) <= 100
    assert sum(line.count("x") for line in shown) < 1100
    assert sum(line.count("y") for line in shown[4:]) >= 300


def test_a_wide_table_stays_a_table() -> None:
    shown = lines(replace(PROVED, about="the derivative of the loss by the weights of layer 2", by="point " * 40))
    assert max(map(len, shown)) <= 100
    assert shown[1].startswith("   3  the derivative of the loss")
    assert shown[2].startswith("      by the weights of layer 2")


def test_signs_of_two_columns_are_aligned() -> None:
    header, wide, plain = lines(replace(PROVED, about="損失"), AGREES)[:3]
    assert header.index("outcome") == wide.index("proved") + 2 == plain.index("agrees")
    assert "損失" in Check((replace(PROVED, about="損失"),))._repr_html_()


def test_nothing_that_a_terminal_obeys_is_printed() -> None:
    evil = "a\x1b[2J\r\nb\u202ec\x07"
    check = Check(
        (replace(DIFFERS, latex=evil, about=evil, diagnosis=evil, correct=evil, assumptions=(evil,), by=evil),),
        network=evil,
        readings=(evil,),
        path=evil,
    )
    for text in (str(check), repr(check)):
        assert all(sign.isprintable() or sign == "\n" for sign in text)
        assert "a\N{REPLACEMENT CHARACTER}[2J b\N{REPLACEMENT CHARACTER}c" in text
    assert "\x1b" not in check._repr_html_()


def test_formulas_over_several_lines_are_one() -> None:
    assert "line 12, column 3: a &= b \\\\ c" in lines(replace(DIFFERS, latex="a\n  &= b\r\n\\\\ c"))


def test_html_shows_the_same_and_nothing_of_the_notes_is_markup() -> None:
    check = Check(
        (replace(PROVED, assumptions=("off the kink",)), DIFFERS, replace(UNREADABLE, latex="a<b>c</b>")),
        network="<i>net</i>",
        path="notes.tex",
    )
    fragment = check._repr_html_()
    assert "<b>" not in fragment
    assert "<i>" not in fragment
    assert fragment.count("<tr>") == 1 + 3
    for part in ("notes: notes.tex", "[1] off the kink", "a<b>c</b>", "wrong: the derivative of sigmoid is left out"):
        assert part in unescape(fragment)
    assert f"<code>{DELTA}</code>" in unescape(fragment)
    assert f"right: <code>{RIGHT}</code>" in unescape(fragment)


def test_an_unreadable_claim_without_a_reason_says_so() -> None:
    assert "  unreadable: no reason is known" in lines(replace(UNREADABLE, diagnosis=""))
