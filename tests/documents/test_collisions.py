"""What touches is found, and the room that a label takes is no less than it takes in a font."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import pytest
from figure_cases import all_drawings
from matplotlib.ft2font import FT2Font

from symbackprop.documents.drawings.collisions import collisions
from symbackprop.documents.drawings.drawing import Anchor, Box, Circle, Dots, Drawing, Label, Line, Size
from symbackprop.documents.drawings.extents import SCRIPT, extent, width
from symbackprop.forms.signs import Letters, Sign, Style

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FAMILIES = {
    "Times": {
        Style.UPRIGHT: "STIXGeneral.ttf",
        Style.ITALIC: "STIXGeneralItalic.ttf",
        Style.BOLD: "STIXGeneralBol.ttf",
    },
    "DejaVu Serif": {
        Style.UPRIGHT: "DejaVuSerif.ttf",
        Style.ITALIC: "DejaVuSerif-Italic.ttf",
        Style.BOLD: "DejaVuSerif-Bold.ttf",
    },
    "Computer Modern": {Style.UPRIGHT: "cmr10.ttf", Style.ITALIC: "cmmi10.ttf", Style.BOLD: "cmb10.ttf"},
}


def drawing(*marks):
    return Drawing(200, 100, marks, "", "")


WORD = Label((100, 50), ("word",))


def test_what_is_apart_does_not_collide():
    assert collisions(drawing(WORD, Circle((40, 50), 20), Box((150, 30), 20, 20), Label((100, 80), ("below",)))) == ()
    assert collisions(drawing(WORD, Circle((100, 46), 40))) == collisions(drawing(WORD, Box((50, 2), 100, 90))) == ()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Label((110, 52), ("other",)), "'word' touches 'other'"),
        (Label((100, 61), ("other",)), "'word' touches 'other'"),
        (Circle((80, 46), 12), "'word' touches the circle at (80, 46)"),
        (Circle((100, 46), 16), "'word' touches the circle at (100, 46)"),
        (Box((90, 40), 60, 40), "'word' touches the box at (90, 40)"),
        (Box((75, 38), 50, 14), "'word' touches the box at (75, 38)"),
        (Line(((0, 0), (100, 45), (110, 90))), "'word' touches the line at (0, 0)"),
        (Dots((100, 50)), "'word' touches the dots at (100, 50)"),
        (Label((5, 20), ("other",)), "'other' leaves the drawing"),
        (Label((100, 99), ("page",)), "'page' leaves the drawing"),
        (Box((190, 10), 20, 10), "the box at (190, 10) leaves the drawing"),
    ],
)
def test_a_planted_collision_is_found(other, said):
    assert said in collisions(drawing(WORD, other))


def test_shapes_that_touch_are_found():
    here, there = Box((10, 10), 50, 20), Box((50, 20), 50, 20)
    assert collisions(drawing(here, there)) == ("the box at (10, 10) touches the box at (50, 20)",)
    across = Line(((0, 25), (55, 25)))
    assert collisions(drawing(here, across)) == ("the line at (0, 25) crosses the box at (10, 10)",)
    assert collisions(drawing(here, Line(((0, 20), (10, 20))), Line(((60, 20), (80, 20))))) == ()


@pytest.mark.parametrize("anchor", Anchor)
def test_a_label_moved_into_its_neighbour_is_found(anchor):
    room = extent(WORD)
    reach = width(("next",), Size.NORMAL)
    left = {Anchor.LEFT: 0.0, Anchor.MIDDLE: reach / 2, Anchor.RIGHT: reach}[anchor]
    beside = Label((room.right + left + 0.5, 50), ("next",), anchor=anchor)
    assert collisions(drawing(WORD, beside)) == ()
    within = Label((room.right + left - 0.5, 50), ("next",), anchor=anchor)
    assert collisions(drawing(WORD, within)) != ()


def advance(font, letters):
    """How wide letters are in a font of size 1, None where it does not have one of them."""
    face = FT2Font(str(FONTS / font))
    face.set_size(100, 72)
    table = face.get_charmap()
    if not all(ord(letter) in table for letter in letters):
        return None
    return sum(face.load_char(ord(letter)).linearHoriAdvance / 65536 / 100 for letter in letters)


def measured(label, family):
    """How wide a label is in a family of fonts, None where they do not have its letters."""
    fonts = FAMILIES[family]
    total = 0.0
    for part in label.text:
        sign = Sign(Letters("", part, Style.UPRIGHT)) if isinstance(part, str) else part
        runs = [
            [advance(fonts[x.style], x.plain) for x in letters] for letters in ((sign.base,), sign.above, sign.below)
        ]
        if any(run is None for parts in runs for run in parts):
            return None
        base, above, below = map(sum, runs)
        total += base + SCRIPT * max(above, below)
    return label.size.value * total


@pytest.mark.parametrize("family", FAMILIES)
def test_a_label_takes_no_more_room_than_is_estimated(family):
    labels = {mark for found in all_drawings().values() for mark in found.marks if isinstance(mark, Label)}
    seen = 0
    for label in sorted(labels, key=repr):
        # The old fonts of TeX have other signs than letters and digits in places of their own.
        if family == "Computer Modern" and not all(letter.isalnum() or letter in "() " for letter in label.plain):
            continue
        real = measured(label, family)
        if real is not None:
            seen += 1
            assert real <= width(label.text, label.size) * 1.001, label.plain
            assert width(label.text, label.size) <= 1.75 * real + 4, label.plain
    assert seen > 100


def test_every_letter_is_wide_enough():
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789()[],.;:+-/=_"
    greek = [
        chr(code) for code in (*range(0x3B1, 0x3C2), *range(0x3C3, 0x3CA), *map(ord, "\u0393\u0394\u03a9\u03a6\u03a8"))
    ]
    for letter in [*letters, *greek, "\u2202", "\u2212", "\u00b7", "\u00d7", "\u2026", "\u2081", "\u00e9"]:
        for family in ("Times", "DejaVu Serif"):
            for style in Style:
                text = (Sign(Letters("", letter, style)),)
                real = advance(FAMILIES[family][style], letter)
                assert real is None or real * 14 <= width(text, Size.NORMAL) * 1.01, (letter, family, style)
