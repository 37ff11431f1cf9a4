"""The derivative of a cost by one number, from values of the cost alone, with a bound on its own error.

    T[i][0] = (C(w + h_i) - C(w - h_i)) / 2 h_i,    h_i = h_0 / 4^i
    T[i][k] = (16^k T[i][k-1] - T[i-1][k-1]) / (16^k - 1)

Richardson's extrapolation in Neville's tableau (Ridders 1982), with the rounding error of C carried through the same
recurrence. The article's own scheme, (C(w + eps) - C(w)) / eps, and its central sister stand beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["DEFAULT_EPS", "METHODS", "STEPS", "UNIT", "Estimate", "central", "first_step", "forward", "ladder"]

Cost = Callable[[float], float]

UNIT = 2.0**-53
"""The unit roundoff u of float64."""
METHODS = ("auto", "ladder", "incremental", "central", "forward")
"""The ways to take finite differences; "auto" is the ladder where that is cheap, else incremental differences."""
DEFAULT_EPS = MappingProxyType({"forward": 1e-6, "central": 1e-5})
"""The step of each plain scheme: near the square and the cube root of the unit roundoff, where they err least."""
STEPS = 9
"""How many steps the ladder has, each a quarter of the one before."""
_ENOUGH = 1e-9
_FEWEST = 4


@dataclass(frozen=True)
class Estimate:
    """A derivative, and the derivatives from the left and from the right, each with a bound on its error.

    A bound is infinite where the values of the cost did not allow any.
    """

    value: float
    bound: float
    left: float
    left_bound: float
    right: float
    right_bound: float
    evaluations: int

    @property
    def jumps(self) -> bool:
        """Whether left and right derivative differ by more than their bounds, with a safety factor of 2."""
        return abs(self.right - self.left) > 2 * (self.left_bound + self.right_bound)


class _Tableau:
    """Neville's tableau over steps that shrink by 4, for an error series in powers of h^order.

    bound[i][k] = max(|T[i][k] - T[i][k-1]|, |T[i][k] - T[i-1][k-1]|, |T[i][k] - T[i-1][k]|) + roundoff, and the entry
    of least bound counts. The last difference is there because two quotients may agree by chance, where their errors
    of different order cancel; then the first two are 0. The first entry of a column has none, and does not count.
    """

    def __init__(self, order: int) -> None:
        self.ratio = 4.0**order
        self.row: list[tuple[float, float]] = []
        self.value, self.bound = math.nan, math.inf

    def add(self, quotient: float, roundoff: float) -> None:
        """One more row, from the quotient at the next step and its rounding error."""
        if not (math.isfinite(quotient) and math.isfinite(roundoff)):
            self.row = []
            return
        above, self.row = self.row, [(quotient, roundoff)]
        factor = 1.0
        for place, (value, error) in enumerate(above):
            factor *= self.ratio
            here, here_error = self.row[-1]
            entry = (factor * here - value) / (factor - 1)
            entry_error = (factor * here_error + error) / (factor - 1)
            self.row.append((entry, entry_error))
            if place + 1 == len(above):
                break
            bound = max(abs(entry - here), abs(entry - value), abs(entry - above[place + 1][0])) + entry_error
            if bound < self.bound:
                self.value, self.bound = entry, bound


@dataclass(frozen=True)
class _Quotients:
    """The difference quotients of one step, to the right and to the left, as the step came out in floating point.

    ``error`` bounds the rounding error of each value of the cost.
    """

    right: float
    left: float
    up: float
    down: float
    error: float

    @property
    def central(self) -> float:
        """The central quotient; where the two steps differ, so weighted that the second derivative still cancels."""
        return (self.right * self.down + self.left * self.up) / (self.up + self.down)

    @property
    def central_error(self) -> float:
        """What rounding can do to the central quotient: the value in the middle cancels."""
        return 2 * self.error / (self.up + self.down)

    @property
    def right_error(self) -> float:
        """What rounding can do to the quotient to the right."""
        return 2 * self.error / self.up

    @property
    def left_error(self) -> float:
        """What rounding can do to the quotient to the left."""
        return 2 * self.error / self.down


_NOTHING = _Quotients(math.nan, math.nan, 1.0, 1.0, math.inf)


def _quotients(cost: Cost, w: float, here: float, step: float, noise: float) -> _Quotients:
    above, below = w + step, w - step
    up, down = above - w, w - below
    if not (up > 0 and down > 0):
        return _NOTHING
    high, low = cost(above), cost(below)
    # Far from w the cost may be larger than where its noise was measured.
    error = max(noise, 2 * UNIT * max(abs(high), abs(low)))
    return _Quotients((high - here) / up, (here - low) / down, up, down, error)


def first_step(w: float) -> float:
    """The largest step: a power of two, an eighth of the size of ``w``, and 1/8 at least."""
    return 2.0**-3 * max(1.0, 2.0 ** math.ceil(math.log2(abs(w)))) if w else 2.0**-3


def ladder(cost: Cost, w: float, noise: float, scale: float = 0.0, start: int = 0, steps: int = STEPS) -> Estimate:
    """The derivative of ``cost`` at ``w`` by extrapolated central differences.

    ``noise`` bounds the rounding error of ``cost`` near ``w``. It stops early once the bound is below 1e-9 of the
    estimate, or of a thousandth of ``scale``. ``start`` leaves out that many of the largest steps.
    """
    here = cost(w)
    both, left, right = _Tableau(2), _Tableau(1), _Tableau(1)
    largest = first_step(w)
    taken = 0
    while taken < steps:
        found = _quotients(cost, w, here, largest / 4.0 ** (start + taken), noise)
        both.add(found.central, found.central_error)
        right.add(found.right, found.right_error)
        left.add(found.left, found.left_error)
        taken += 1
        if taken >= _FEWEST and both.bound <= _ENOUGH * max(abs(both.value), 1e-3 * scale):
            break
    return Estimate(both.value, both.bound, left.value, left.bound, right.value, right.bound, 1 + 2 * taken)


def forward(cost: Cost, w: float, noise: float, eps: float) -> Estimate:
    """(C(w + eps) - C(w)) / eps, with the step as it comes out in floating point.

    Its truncation is C'' eps/2 to first order. Half the step changes it by half of that, so twice the change, with the
    rounding errors of both, is the bound.
    """
    sides = _sides(cost, w, noise, eps)
    return Estimate(sides.right, sides.right_bound, *_one_sided(sides), evaluations=5)


def central(cost: Cost, w: float, noise: float, eps: float) -> Estimate:
    """(C(w + eps) - C(w - eps)) / 2 eps; its truncation C''' eps^2/6 is 4/3 of what half the step changes."""
    sides = _sides(cost, w, noise, eps)
    whole, half = sides.whole, sides.half
    rounding = whole.central_error + 4 / 3 * (whole.central_error + half.central_error)
    bound = _finite(4 / 3 * abs(whole.central - half.central) + rounding)
    return Estimate(whole.central, bound, *_one_sided(sides), evaluations=5)


@dataclass(frozen=True)
class _Sides:
    """Left and right derivative by the forward scheme, and the quotients that they come from."""

    whole: _Quotients
    half: _Quotients

    @property
    def right(self) -> float:
        return self.whole.right

    @property
    def left(self) -> float:
        return self.whole.left

    @property
    def right_bound(self) -> float:
        change = abs(self.whole.right - self.half.right)
        return _finite(2 * change + 3 * self.whole.right_error + 2 * self.half.right_error)

    @property
    def left_bound(self) -> float:
        change = abs(self.whole.left - self.half.left)
        return _finite(2 * change + 3 * self.whole.left_error + 2 * self.half.left_error)


def _sides(cost: Cost, w: float, noise: float, eps: float) -> _Sides:
    here = cost(w)
    return _Sides(_quotients(cost, w, here, eps, noise), _quotients(cost, w, here, eps / 2, noise))


def _one_sided(sides: _Sides) -> tuple[float, float, float, float]:
    return sides.left, sides.left_bound, sides.right, sides.right_bound


def _finite(bound: float) -> float:
    return bound if math.isfinite(bound) else math.inf
