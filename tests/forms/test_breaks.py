"""Formulas are broken where a reader would, and nowhere else: where the printers, which know the expression, say."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from known_programs import KNOWN
from marked import multiplied, operated, related, summed
from random_programs import cases

from symbackprop.adjoint.sweep import differentiate
from symbackprop.errors import NoRuleError
from symbackprop.forms.breaks import (
    Rank,
    beginning,
    bracketed,
    chunks,
    deeper,
    fraction,
    is_sign,
    joined,
    mark,
    marked_chunks,
    split,
    unmarked,
)
from symbackprop.forms.views import Views
from symbackprop.forms.widths import glyphs

MARKS = "[\ue000-\ue0ff]"
PRIVATE = "[\ue000-\uf8ff]"
TOKEN = re.compile(rf"\\[A-Za-z]+|\\.|{PRIVATE}|.", re.DOTALL)
LARGE = {r"\biggl(": r"\left(", r"\biggr)": r"\right)"}


def grown(latex):
    """The formula with the brackets that it has on one line."""
    for large, tall in LARGE.items():
        latex = latex.replace(large, tall)
    return latex


def scanned(latex):
    """Each mark with how many groups, growing brackets and plain brackets are around it."""
    around = Counter()
    before = ""
    for token in TOKEN.findall(latex):
        around["group"] += (token in ("{", r"\begin")) - (token in ("}", r"\end"))
        around["growing"] += (token == r"\left") - (token == r"\right")
        if around["group"] == 0 and before not in (r"\left", r"\right"):
            around["plain"] += (token in ("(", "[", "\uf000")) - (token in (")", "]", "\uf001"))
        if re.match(MARKS, token):
            yield token, dict(around)
        before = token


def is_whole(latex):
    """Whether every group and every growing bracket that is opened is closed, and none other."""
    around = Counter()
    for token in TOKEN.findall(latex):
        around["brace"] += (token == "{") - (token == "}")
        around["growing"] += (token == r"\left") - (token == r"\right")
        around["environment"] += (token == r"\begin") - (token == r"\end")
        if min(around.values()) < 0:
            return False
    return not any(around.values())


def uncut(marked, texts):
    """For each chunk the marks at which it was not broken."""
    letters = iter(marked)
    for text in texts:
        rest, left = grown(text), []
        while rest:
            letter = next(letters)
            if re.match(MARKS, letter):
                left.append(letter)
            else:
                rest = rest.removeprefix(unmarked(letter).replace("biggl", "left").replace("biggr", "right"))
        yield left
        next(letters, None)


def check_breaks(marked, plain):
    """All laws of one formula, printed with marks and without."""
    assert not re.search(PRIVATE, plain)
    assert unmarked(marked) == plain
    for token, around in scanned(marked):
        assert (around["group"], around["growing"]) == (0, 0), marked
        assert token in {mark(rank, around["plain"]) for rank in Rank}, marked
    pieces = re.split(MARKS, marked)
    assert glyphs(marked) == glyphs(plain) == sum(map(glyphs, pieces))
    for most in (0, 18, 67):
        parts = marked_chunks(marked, most)
        texts = chunks(marked, most)
        assert tuple(text for _, text in parts) == texts
        assert grown("".join(texts)) == plain
        assert all(map(is_whole, texts))
        assert all(glyphs(text) <= most or grown(text) in map(grown, map(unmarked, pieces)) for text in texts)
        # It was broken at what is worse only after what is better beside it.
        ends = [place for place, _ in parts[1:]]
        for before, after, left in zip(["", *ends], [*ends, ""], uncut(marked, texts), strict=True):
            assert all(letter > max(before, after) for letter in left)


def check_program(program):
    derivation = differentiate(program)
    plain, breakable = Views(derivation), Views(derivation, breakable=True)
    for equation in derivation.adjoint_program.equations:
        check_breaks(*(views.printer.equation(equation) for views in (breakable, plain)))
        if equation.terms:
            check_breaks(*(views.printer.doprint(equation.right) for views in (breakable, plain)))
        assert plain.index(equation) == breakable.index(equation)
        assert plain.matrix_latex(equation) == breakable.matrix_latex(equation)
        try:
            form = plain.lowered(equation)
            check_breaks(*(views.matrix_printer.equation(form) for views in (breakable, plain)))
            check_breaks(*(views.matrix_printer.right(form, shapes=True) for views in (breakable, plain)))
            assert plain.matrix(equation).latex == breakable.matrix(equation).latex
        except NoRuleError:
            continue
    for adjoint in derivation.adjoints:
        for contribution in adjoint.contributions:
            check_breaks(*(views.printer.terms((contribution.partial,)) for views in (breakable, plain)))


@settings(max_examples=40)
@given(case=cases("general"))
def test_random_programs(case):
    check_program(case.program)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_known_programs(name):
    check_program(KNOWN[name].build())


def test_expanded_functions():
    derivation = differentiate(KNOWN["two layers"].build())
    views = Views(derivation)
    notation = replace(views.notation, functions="expanded")
    for equation in derivation.adjoint_program.equations:
        both = (Views(derivation, notation, breakable=breakable) for breakable in (True, False))
        check_breaks(*(each.printer.right(equation) for each in both))


# -- composing and breaking --------------------------------------------------------------------------------------------


def shown(latex):
    """The formula with a bar for each mark, with as many strokes as the mark is deep."""
    places = {mark(rank, depth): "|" * (depth + 1) for rank in Rank for depth in range(4)}
    return "".join(places.get(letter, letter) for letter in latex)


@pytest.mark.parametrize(
    ("latex", "written"),
    [
        (summed(["a", "- b"]), "a |- b"),
        (multiplied(["a", "b"]), r"a\,|b"),
        (operated(["a", "b"]), r"a |\cdot b"),
        (operated(["a", "b"], r"\odot"), r"a |\odot b"),
        (related(["a", "b", "c"]), "a |= b |= c"),
        (related(["a", "b"], r"\approx"), r"a |\approx b"),
        (joined(["a", "b"], Rank.FACTOR, r"\;"), r"a\;|b"),
        (bracketed(summed(["a", "- b"])), "(a ||- b)"),
        (bracketed(bracketed(summed(["a", "- b"]))), "((a |||- b))"),
        (bracketed(summed([r"\frac{a}{c}", "- b"]), tall=True), r"\left(\frac{a}{c} - b\right)"),
        (fraction(summed(["a", "- b"]), multiplied(["c", "d"])), r"\frac{a - b}{c\,d}"),
        (deeper(related(["a", "b"])), "a ||= b"),
        (summed(["a"]), "a"),
        (summed([]), ""),
    ],
)
def test_composing(latex, written):
    assert shown(latex) == written


@pytest.mark.parametrize(
    ("latex", "parts"),
    [
        (related(["a", "b"]), ["a = b"]),
        (related(["aaaa", summed(["bbbb", "+ cccc"])]), ["aaaa ", "= bbbb ", "+ cccc"]),
        (related(["aaaaaa", summed(["b", "+ c"])]), ["aaaaaa ", "= b + c"]),
        (operated(["aaaaaa", "bbbbbb"], r"\odot"), ["aaaaaa ", r"\odot bbbbbb"]),
        (multiplied(["aaaaa", "bbbbb"]), [r"aaaaa\,", "bbbbb"]),
        (bracketed(summed(["aaaaaa", "+ bbbbbb"])), ["(aaaaaa ", "+ bbbbbb)"]),
        (
            multiplied(["aaaaa", bracketed(summed(["bbbb", "+ c"])), "ddd"]),
            [r"aaaaa\,", r"(bbbb + c)\,", "ddd"],
        ),
        ("", [""]),
        ("aaaaaaaaaaaaaaaa", ["aaaaaaaaaaaaaaaa"]),
    ],
)
def test_relations_first_then_signs_then_factors(latex, parts):
    assert chunks(latex, 9) == tuple(parts)


def test_brackets_on_different_lines_are_large():
    inside = summed([r"\frac{a}{b}", *(f"+ {letter}{letter}{letter}{letter}" for letter in "cdefgh")])
    latex = multiplied([bracketed(inside, tall=True) + "^{2}", bracketed(r"\frac{a}{b}", tall=True)])
    assert unmarked(latex).count(r"\left(") == unmarked(latex).count(r"\right)") == 2
    first, *_, last, alone = chunks(latex, 9)
    assert first.startswith(r"\biggl(\frac")
    assert last == r"+ hhhh\biggr)^{2}\,"
    assert alone == r"\left(\frac{a}{b}\right)"


def test_split_is_at_the_best_marks_only():
    parts = split(related(["a", summed(["b", "+ c"])]))
    assert [(place, unmarked(part)) for place, part in parts] == [("", "a "), (mark(Rank.RELATION), "= b + c")]
    assert split("a + b") == (("", "a + b"),)


def test_what_a_piece_begins_with():
    for text, rank in (("= a", Rank.RELATION), ("- a", Rank.SIGN), (r"\cdot a", Rank.TIMES), ("a b", Rank.FACTOR)):
        assert beginning(text) == mark(rank)


def test_what_stands_before_a_summand():
    assert [rank for rank in Rank for depth in range(3) if is_sign(mark(rank, depth))] == [Rank.SIGN] * 3
    assert not is_sign("")


def test_marks_are_in_order_of_depth_then_rank():
    every = [mark(rank, depth) for depth in range(8) for rank in Rank]
    assert every == sorted(every)
    assert len(set(every)) == len(every)
    assert [deeper(letter) for letter in every[: -len(Rank)]] == every[len(Rank) :]


def test_very_deep_is_as_deep_as_it_goes():
    latex = summed(["a", "+ b"])
    for _ in range(100):
        latex = bracketed(latex)
    assert chunks(latex, 3) == ("(" * 100 + "a ", "+ b" + ")" * 100)
