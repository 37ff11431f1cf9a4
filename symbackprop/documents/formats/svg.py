"""A drawing as SVG, to stand in a page: text in the page's colour, no wider than the page, with a text alternative."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import hypot
from xml.sax.saxutils import escape

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
    Tip,
)
from symbackprop.documents.drawings.extents import DROP, RAISE, SCRIPT, width
from symbackprop.figures import BLUE, ORANGE
from symbackprop.forms.signs import Letters, Sign, Style

__all__ = ["svg"]

_FAMILY = "'Latin Modern Roman', 'CMU Serif', 'STIX Two Text', 'Times New Roman', Times, serif"
_COLOURS = {Ink.PLAIN: "currentColor", Ink.FORWARD: BLUE, Ink.BACKWARD: ORANGE}
_STROKES = {
    Ink.PLAIN: 'stroke-width="0.7"',
    Ink.FORWARD: 'stroke-width="1.4"',
    Ink.BACKWARD: 'stroke-width="1.4" stroke-dasharray="4 2.4"',
}
"""Told apart without colour, too."""
_STYLES = {Style.ITALIC: ' font-style="italic"', Style.UPRIGHT: "", Style.BOLD: ' font-weight="bold"'}
_ANCHORS = {Anchor.LEFT: "start", Anchor.MIDDLE: "middle", Anchor.RIGHT: "end"}
_TIP_LENGTH, _TIP_WIDTH = 6.5, 2.6
_ROUNDING = 3.5


def svg(drawing: Drawing) -> str:
    """The drawing as one ``svg`` element."""
    wide, high = _number(drawing.width), _number(drawing.height)
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" '
        f'role="img" style="max-width:100%;height:auto" font-family="{_FAMILY}" fill="currentColor" '
        'stroke-linejoin="round">'
    )
    words = [f"<title>{escape(drawing.title)}</title>", f"<desc>{escape(drawing.alternative)}</desc>"]
    return "\n".join([start, *words, *map(_mark, drawing.marks), "</svg>"]) + "\n"


def _mark(mark: Mark) -> str:
    match mark:
        case Circle((x, y), radius):
            at = f'cx="{_number(x)}" cy="{_number(y)}" r="{_number(radius)}"'
            return f'<circle {at} fill="none" stroke="currentColor"/>'
        case Box((x, y), wide, high, rounded):
            at = f'x="{_number(x)}" y="{_number(y)}" width="{_number(wide)}" height="{_number(high)}"'
            corners = ' rx="6"' if rounded else ""
            return f'<rect {at}{corners} fill="none" stroke="currentColor"/>'
        case Dots((x, y), upright):
            steps = [(0, step) if upright else (step, 0) for step in (-7, 0, 7)]
            return "".join(f'<circle cx="{_number(x + dx)}" cy="{_number(y + dy)}" r="1.3"/>' for dx, dy in steps)
        case Line():
            return _line(mark)
        case Label():
            return _label(mark)


def _line(line: Line) -> str:
    points = list(line.points)
    tip = ""
    if line.tip is not Tip.NONE:
        # The stroke ends within the arrowhead, so that it does not blunt the point.
        end = 0 if line.tip is Tip.START else -1
        behind = points[1] if line.tip is Tip.START else points[-2]
        head, points[end] = _arrowhead(points[end], behind)
        tip = f'<polygon points="{_points(head)}" fill="{_COLOURS[line.ink]}"/>'
    look = f'fill="none" stroke="{_COLOURS[line.ink]}" {_STROKES[line.ink]}'
    if line.rounded and len(points) > 2:
        return f'<path d="{_rounded(points)}" {look}/>{tip}'
    return f'<polyline points="{_points(points)}" {look}/>{tip}'


def _rounded(points: Sequence[Point]) -> str:
    """A path that cuts its corners."""
    steps = [f"M{_points(points[:1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        enters, leaves = _towards(corner, before), _towards(corner, after)
        steps.append(f"L{_points([enters])} Q{_points([corner, leaves])}")
    return " ".join([*steps, f"L{_points(points[-1:])}"])


def _towards(corner: Point, other: Point) -> Point:
    """The point near a corner, on the way to another one, where its rounding begins."""
    length = hypot(other[0] - corner[0], other[1] - corner[1])
    part = min(_ROUNDING / length, 0.5) if length else 0.0
    return corner[0] + part * (other[0] - corner[0]), corner[1] + part * (other[1] - corner[1])


def _arrowhead(tip: Point, behind: Point) -> tuple[tuple[Point, ...], Point]:
    """The corners of an arrowhead, and where its stroke ends."""
    length = hypot(behind[0] - tip[0], behind[1] - tip[1])
    ux, uy = (behind[0] - tip[0]) / length, (behind[1] - tip[1]) / length
    back = (tip[0] + _TIP_LENGTH * ux, tip[1] + _TIP_LENGTH * uy)
    sides = tuple((back[0] + side * _TIP_WIDTH * uy, back[1] - side * _TIP_WIDTH * ux) for side in (1, -1))
    return (tip, *sides), (tip[0] + 0.8 * _TIP_LENGTH * ux, tip[1] + 0.8 * _TIP_LENGTH * uy)


def _label(label: Label) -> str:
    x, y = label.at
    size = label.size.value
    if not any(isinstance(part, Sign) and (part.above or part.below) for part in label.text):
        letters = "".join(_run(letters) for letters in _bases(label.text))
        at = f'x="{_number(x)}" y="{_number(y)}" text-anchor="{_ANCHORS[label.anchor]}"'
        return f'<text {at} font-size="{size:g}">{letters}</text>'
    left = x - {Anchor.LEFT: 0.0, Anchor.MIDDLE: 0.5, Anchor.RIGHT: 1.0}[label.anchor] * width(label.text, label.size)
    spans = []
    for text in _until_scripts(label.text):
        # What stands above and below begins where its letter ends, however wide the font is.
        last = text[-1]
        scripts = (last.above, last.below) if isinstance(last, Sign) else ((), ())
        joint = left + width((*text[:-1], Sign(last.base) if isinstance(last, Sign) else last), label.size)
        anchor, start = ("end", joint) if any(scripts) else ("start", left)
        letters = "".join(_run(letters) for letters in _bases(text))
        spans.append(f'<tspan x="{_number(start)}" y="{_number(y)}" text-anchor="{anchor}">{letters}</tspan>')
        for script, rise in zip(scripts, (-RAISE, DROP), strict=True):
            if script:
                place = f'x="{_number(joint)}" y="{_number(y + rise * size)}" font-size="{_number(SCRIPT * size)}"'
                spans.append(f"<tspan {place}>{''.join(map(_run, script))}</tspan>")
        left += width(text, label.size)
    return f'<text font-size="{size:g}">{"".join(spans)}</text>'


def _until_scripts(text: Lettering) -> Iterator[Lettering]:
    """The text in parts, each of which ends where letters stand above or below."""
    part: list[Sign | str] = []
    for piece in text:
        part.append(piece)
        if isinstance(piece, Sign) and (piece.above or piece.below):
            yield tuple(part)
            part = []
    if part:
        yield tuple(part)


def _bases(text: Lettering) -> Iterator[Letters]:
    for part in text:
        yield Letters("", part, Style.UPRIGHT) if isinstance(part, str) else part.base


def _run(letters: Letters) -> str:
    look = _STYLES[letters.style]
    return f"<tspan{look}>{escape(letters.plain)}</tspan>" if look else escape(letters.plain)


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{round(value, 1) + 0.0:g}"
