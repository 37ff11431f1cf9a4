"""What touches what in a drawing, and must not."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import hypot

from symbackprop.documents.drawings.drawing import Box, Circle, Dots, Drawing, Label, Line, Mark, Point
from symbackprop.documents.drawings.extents import Extent, extent

__all__ = ["DOTS", "collisions"]

DOTS = 9.0
"""How far three dots reach from their middle."""


def collisions(drawing: Drawing) -> tuple[str, ...]:
    """Every label that touches another, a border, a line or the edge of the drawing, and shapes that do."""
    ground = Extent(0, 0, drawing.width, drawing.height)
    labels = [(mark, extent(mark)) for mark in drawing.marks if isinstance(mark, Label)]
    solids = [(mark, _bounds(mark)) for mark in drawing.marks if isinstance(mark, Circle | Box | Dots)]
    lines = [mark for mark in drawing.marks if isinstance(mark, Line)]
    found = [f"{_name(mark)} leaves the drawing" for mark, here in (*labels, *solids) if not ground.holds(here)]
    for group in (labels, solids):
        pairs = combinations(group, 2)
        found += [f"{_name(a)} touches {_name(b)}" for (a, here), (b, there) in pairs if here.meets(there)]
    for label, here in labels:
        found += [f"{_name(label)} touches {_name(mark)}" for mark, there in solids if _at_border(here, mark, there)]
        found += [f"{_name(label)} touches {_name(line)}" for line in lines if _runs_through(line, here)]
    for mark, there in solids:
        found += [f"{_name(line)} crosses {_name(mark)}" for line in lines if _enters(line, mark, there)]
    return tuple(found)


def _bounds(mark: Circle | Box | Dots) -> Extent:
    match mark:
        case Circle((x, y), radius):
            return Extent(x - radius, y - radius, x + radius, y + radius)
        case Box(corner):
            return Extent(*corner, *mark.opposite)
        case Dots((x, y), upright):
            across, along = (2.0, DOTS) if upright else (DOTS, 2.0)
            return Extent(x - across, y - along, x + across, y + along)


def _at_border(here: Extent, mark: Circle | Box | Dots, there: Extent) -> bool:
    """Whether a label is neither outside of a shape nor well inside."""
    if isinstance(mark, Circle):
        corners = [(x, y) for x in (here.left, here.right) for y in (here.top, here.bottom)]
        inside = all(hypot(x - mark.center[0], y - mark.center[1]) < mark.radius for x, y in corners)
        return not inside and _distance(mark.center, here) <= mark.radius
    return here.grown(1).meets(there) and not (isinstance(mark, Box) and there.grown(-1).holds(here))


def _enters(line: Line, mark: Circle | Box | Dots, there: Extent) -> bool:
    """Whether a line goes on beyond a border, where lines end."""
    if isinstance(mark, Circle):
        return any(_to_stroke(mark.center, *ends) < mark.radius - 0.5 for ends in pairwise(line.points))
    return _runs_through(line, there.grown(-0.5))


def _to_stroke(point: Point, start: Point, end: Point) -> float:
    """How far a point is from the stroke between two others."""
    (x, y), (u, v), (px, py) = start, end, point
    dx, dy = u - x, v - y
    length = dx * dx + dy * dy
    part = min(1.0, max(0.0, ((px - x) * dx + (py - y) * dy) / length)) if length else 0.0
    return hypot(px - x - part * dx, py - y - part * dy)


def _runs_through(line: Line, here: Extent) -> bool:
    return any(here.part(start, end) for start, end in pairwise(line.points))


def _distance(point: Point, here: Extent) -> float:
    """How far a point is from a rectangle; 0 inside."""
    x, y = point
    return hypot(max(here.left - x, 0, x - here.right), max(here.top - y, 0, y - here.bottom))


def _name(mark: Mark) -> str:
    match mark:
        case Label():
            return repr(mark.plain)
        case Line(points):
            x, y = points[0]
        case Circle((x, y)) | Box((x, y)) | Dots((x, y)):
            pass
    return f"the {type(mark).__name__.lower()} at ({x:.0f}, {y:.0f})"
