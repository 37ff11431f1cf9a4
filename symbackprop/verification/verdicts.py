"""What is said of one weight, and by which rule.

    fail   the gradient is not finite, or differs from the derivative by more than what can be rounding
    kink   there is no derivative here, and the gradient lies between the left and the right one, where there are any
    blind  the differences are mostly noise, and nothing else can see this weight either
    pass   anything else

The safety factor of 2 and the unit roundoff are all there is of tolerances.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace

from symbackprop.verification.ladder import UNIT, Estimate

__all__ = [
    "CLEAR",
    "DECIDERS",
    "ROUNDINGS",
    "SAFETY",
    "Judgement",
    "Verdict",
    "allowing",
    "between",
    "by_differences",
    "by_value",
    "has_few_digits",
    "jumping",
    "lost",
]

SAFETY = 2
_FEW = 1e-4
CLEAR = 0.1
"""The part of a derivative that a bound on its error must stay below, for the derivative to be seen at all."""
ROUNDINGS = 64
DECIDERS = ("differences", "incremental differences", "complex step", "many digits")
"""By what a weight can be decided."""


class Verdict(enum.Enum):
    """What a check says of one weight; the order of definition is from good to bad."""

    PASS = "pass"
    KINK = "kink"
    BLIND = "blind"
    FAIL = "fail"

    @property
    def rank(self) -> int:
        """How bad it is: the worst of several counts."""
        return list(Verdict).index(self)


@dataclass(frozen=True)
class Judgement:
    """A verdict with its evidence.

    ``estimate`` is the derivative found, ``bound`` the bound on its error, ``tolerance`` how far the gradient might
    have lain from it. ``decided_by``, one of ``DECIDERS``, says by what. ``left`` and ``right`` are the one-sided
    derivatives at a kink, None elsewhere; where the function itself jumps, minus and plus infinity. ``rounding`` is the
    part of the tolerance that was allowed for the rounding of the gradient.
    """

    verdict: Verdict
    gradient: float
    estimate: float
    bound: float
    tolerance: float
    decided_by: str = "differences"
    left: float | None = None
    right: float | None = None
    rounding: float = 0.0

    @property
    def error(self) -> float:
        """|gradient - estimate| relative to the larger of the two; at a kink, the distance from [left, right].

        Of a gradient that passed, what is within the rounding that it was allowed is no error.
        """
        largest = max(abs(self.gradient), abs(self.estimate), abs(self.left or 0.0), abs(self.right or 0.0))
        if self.left is not None and self.right is not None:
            low, high = sorted((self.left, self.right))
            distance = max(low - self.gradient, self.gradient - high, 0.0)
        else:
            distance = abs(self.gradient - self.estimate)
            if self.verdict is Verdict.PASS:
                distance = max(distance - self.rounding, 0.0)
        return distance / largest if largest else distance

    @property
    def detectable(self) -> float:
        """The largest relative change of the gradient that might still have passed: any larger one would have failed.

        A gradient of g (1 + r) is at least |r g| - |g - estimate| away from the estimate. Infinite for a gradient of 0.
        """
        if self.gradient == 0:
            return math.inf
        found = (abs(self.gradient - self.estimate) + self.tolerance) / abs(self.gradient)
        return found / (1 - 4 * UNIT)

    @property
    def digits(self) -> float | None:
        """How many digits of the gradient were seen to be right; None for a gradient of 0 and at a kink."""
        if self.verdict is Verdict.KINK or not math.isfinite(self.detectable):
            return None
        return max(0.0, -math.log10(self.detectable))


def by_differences(gradient: float, found: Estimate) -> Judgement:
    """The verdict of finite differences alone, where there is a derivative."""
    tolerance = SAFETY * found.bound + 4 * UNIT * abs(gradient)
    # A comparison with NaN is false: agreement is what has to be shown. Without a bound there is nothing to agree with.
    # Nor is there where the cost never moved: it may have no digits left to show it.
    unseen = math.isinf(found.bound) or found.value == found.bound == 0
    agrees = unseen or abs(gradient - found.value) <= tolerance
    if not (math.isfinite(gradient) and agrees):
        verdict = Verdict.FAIL
    elif not unseen and found.bound < CLEAR * max(abs(gradient), abs(found.value)):
        verdict = Verdict.PASS
    else:
        verdict = Verdict.BLIND
    return Judgement(verdict, gradient, found.value, found.bound, tolerance)


def between(gradient: float, found: Estimate) -> Judgement:
    """The verdict at a confirmed kink: the gradient may be anything between the left and the right derivative."""
    tolerance = SAFETY * max(found.left_bound, found.right_bound) + 4 * UNIT * abs(gradient)
    low, high = sorted((found.left, found.right))
    acceptable = math.isfinite(gradient) and low - tolerance <= gradient <= high + tolerance
    verdict = Verdict.KINK if acceptable else Verdict.FAIL
    bound = max(found.left_bound, found.right_bound)
    return Judgement(verdict, gradient, found.value, bound, tolerance, left=found.left, right=found.right)


def by_value(gradient: float, value: float, decided_by: str) -> Judgement:
    """The verdict by a derivative that is known to nearly all its digits.

    A gradient is a sum of products. Each product loses a few units of roundoff for each of its factors: 64 in all is
    room for some twenty factors of three operations. Where the sum cancels, or a factor does (1 - a near a = 1), more
    is lost: see ``allowing``.
    """
    bound = ROUNDINGS * UNIT * abs(value)
    tolerance = ROUNDINGS * UNIT * max(abs(gradient), abs(value))
    agrees = math.isfinite(gradient) and abs(gradient - value) <= tolerance
    return Judgement(Verdict.PASS if agrees else Verdict.FAIL, gradient, value, bound, tolerance, decided_by)


def allowing(judgement: Judgement, rounding: float) -> Judgement:
    """The same judgement where rounding may have changed the gradient by as much as ``rounding`` besides."""
    tolerance = judgement.tolerance + rounding
    agrees = math.isfinite(judgement.gradient) and abs(judgement.gradient - judgement.estimate) <= tolerance
    verdict = Verdict.PASS if agrees else Verdict.FAIL
    return replace(judgement, verdict=verdict, tolerance=tolerance, rounding=rounding)


def lost(judgement: Judgement, rounding: float) -> Judgement:
    """The same judgement, unless rounding is a large part of the gradient and of the derivative: then it may pass."""
    size = max(abs(judgement.gradient), abs(judgement.estimate))
    is_lost = CLEAR * size <= rounding < math.inf and judgement.bound <= rounding
    return allowing(judgement, SAFETY * rounding) if is_lost else judgement


def jumping(gradient: float, decided_by: str) -> Judgement:
    """The verdict where the function itself jumps: there is no derivative, and nothing to require."""
    verdict = Verdict.KINK if math.isfinite(gradient) else Verdict.FAIL
    return Judgement(verdict, gradient, math.nan, math.inf, math.inf, decided_by, -math.inf, math.inf)


def has_few_digits(judgement: Judgement) -> bool:
    """Whether a gradient that passed was seen to fewer than four digits: worth a second look where that is possible."""
    return judgement.verdict is Verdict.PASS and not judgement.detectable < _FEW
