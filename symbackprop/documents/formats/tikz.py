"""A drawing in TikZ. The package tikz is all that it needs."""

from __future__ import annotations

from itertools import groupby

from symbackprop.documents.drawings.drawing import (
    Anchor,
    Box,
    Circle,
    Dots,
    Drawing,
    Ink,
    Label,
    Lettering,
    Line,
    Mark,
    Point,
    Size,
    Tip,
)
from symbackprop.documents.formats.tex_text import escape
from symbackprop.figures import BLUE, ORANGE
from symbackprop.forms.signs import Sign

__all__ = ["tikz"]

_UNIT = 10 / 14
"""Points to a unit, so that letters of the normal size have ten points."""
_WIDEST, _HIGHEST = 452.0, 600.0
"""The room on a page, in points: what is larger is scaled down."""
_STROKES = {
    Ink.PLAIN: "line width=0.4pt",
    Ink.FORWARD: "forward, line width=0.9pt",
    Ink.BACKWARD: "backward, line width=0.9pt, dash pattern=on 2.6pt off 1.6pt",
}
"""Told apart without colour, too."""
_TIPS = {Tip.NONE: "", Tip.START: ", stealth-", Tip.END: ", -stealth"}
_ANCHORS = {Anchor.LEFT: "base west", Anchor.MIDDLE: "base", Anchor.RIGHT: "base east"}
_SIZES = {Size.NORMAL: r"\small", Size.SMALL: r"\scriptsize"}


def tikz(drawing: Drawing) -> str:
    """The drawing as a ``tikzpicture``; one too large for a page is scaled down."""
    wide, high = drawing.width * _UNIT, drawing.height * _UNIT
    scale = min(1.0, _WIDEST / wide, _HIGHEST / high)
    painter = _Painter(scale)
    options = "every node/.style={inner sep=0pt" + (f", scale={scale:.3f}}}" if scale < 1 else "}")
    body = [
        rf"\definecolor{{forward}}{{HTML}}{{{BLUE[1:]}}}",
        rf"\definecolor{{backward}}{{HTML}}{{{ORANGE[1:]}}}",
        rf"\useasboundingbox {painter.point((0, 0))} rectangle {painter.point((drawing.width, drawing.height))};",
        *map(painter.mark, drawing.marks),
    ]
    return "\n".join([rf"\begin{{tikzpicture}}[{options}]", *body, r"\end{tikzpicture}"]) + "\n"


class _Painter:
    def __init__(self, scale: float) -> None:
        self.unit = _UNIT * scale

    def length(self, value: float) -> str:
        return f"{value * self.unit + 0.0:.2f}pt"

    def point(self, point: Point) -> str:
        return f"({self.length(point[0])},{self.length(-point[1])})"

    def mark(self, mark: Mark) -> str:
        match mark:
            case Circle(center, radius):
                return rf"\draw[line width=0.6pt] {self.point(center)} circle[radius={self.length(radius)}];"
            case Box(corner):
                corners = ", rounded corners=4pt" if mark.rounded else ""
                return rf"\draw[line width=0.6pt{corners}] {self.point(corner)} rectangle {self.point(mark.opposite)};"
            case Line(points, ink, tip):
                corners = ", rounded corners=2.5pt" if mark.rounded and len(points) > 2 else ""
                return rf"\draw[{_STROKES[ink]}{_TIPS[tip]}{corners}] {' -- '.join(map(self.point, points))};"
            case Dots((x, y), upright):
                steps = [(0, step) if upright else (step, 0) for step in (-7, 0, 7)]
                dots = (f"{self.point((x + dx, y + dy))} circle[radius=0.9pt]" for dx, dy in steps)
                return rf"\fill {' '.join(dots)};"
            case Label(at, text, size, anchor):
                options = f"anchor={_ANCHORS[anchor]}, font={_SIZES[size]}"
                return rf"\node[{options}] at {self.point(at)} {{{_lettering(text)}}};"


def _lettering(text: Lettering) -> str:
    pieces = []
    for is_sign, parts in groupby(text, key=lambda part: isinstance(part, Sign)):
        if is_sign:
            pieces.append(f"${' '.join(part.latex for part in parts if isinstance(part, Sign))}$")
        else:
            pieces.append(escape("".join(part for part in parts if isinstance(part, str))))
    return "".join(pieces)
