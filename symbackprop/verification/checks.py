"""Every weight at one point: differences first, then what their verdict asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.notation.program import Program
from symbackprop.verification.adjudicators import Adjudicators
from symbackprop.verification.judgements import Judgements, judgements
from symbackprop.verification.ladder import STEPS, Estimate, central, first_step, forward, ladder
from symbackprop.verification.noise import measured_noise
from symbackprop.verification.verdicts import (
    Judgement,
    Verdict,
    between,
    by_differences,
    has_few_digits,
    jumping,
)
from symbackprop.verification.witness import Witness

__all__ = ["Checker", "PointResult", "Scheme", "verify_point"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Progress = Callable[[int], None]

_SCHEMES = {"forward": forward, "central": central}
_NEAR = 1e-6
_DEEPEST = STEPS + 3
"""How often the largest step is quartered, at most, to come off a kink: 2^-3 / 4^12 = 7e-9."""
_FARTHER = 4
"""How often a step is quartered to see whether the loss jumps."""
_MOST_CONFIRMED = 64
"""How many failures of one array are confirmed by another method; what fails after them keeps its verdict."""


@dataclass(frozen=True)
class Scheme:
    """Which differences are taken: "ladder", or "forward" or "central" with the step ``eps``."""

    method: str = "ladder"
    eps: float = 0.0


_LADDER = Scheme()


@dataclass(frozen=True)
class PointResult:
    """The judgement of every weight at one point, by array and in the order of the flattened array."""

    judgements: Mapping[str, Judgements]
    evaluations: int
    notes: tuple[str, ...] = ()


def verify_point(
    witness: Witness,
    gradients: Arrays,
    arrays: Arrays,
    scheme: Scheme = _LADDER,
    *,
    adjoint: Program | None = None,
    progress: Progress | None = None,
) -> PointResult:
    """Hold every entry of ``gradients`` against differences of the witness's loss at ``arrays``.

    ``gradients`` has for each name an array of the shape of ``arrays[name]``; both are float64. ``adjoint`` is the
    program with the derived gradients, from which the rounding error that a gradient may have is measured.
    ``progress`` is called with 1 after each weight.
    """
    work = {
        name: np.array(array, dtype=np.float64, order="C") if name in gradients else array
        for name, array in arrays.items()
    }
    noise = measured_noise(witness, work, tuple(gradients))
    point = Checker(witness, work, scheme, noise, Adjudicators(witness, dict(arrays), noise, adjoint))
    found_by_array = {}
    for name, gradient in gradients.items():
        scale, confirmed, found = 0.0, 0, []
        for place, entry in enumerate(np.asarray(gradient, dtype=np.float64).reshape(-1)):
            judgement = point.judge(name, place, float(entry), scale, confirm=confirmed < _MOST_CONFIRMED)
            confirmed += judgement.verdict is Verdict.FAIL
            # The scale is the witness's own: a wrong gradient must not loosen the bounds of the others.
            scale = max(scale, abs(judgement.estimate)) if np.isfinite(judgement.estimate) else scale
            found.append(judgement)
            if progress is not None:
                progress(1)
        found_by_array[name] = judgements(found)
    return PointResult(found_by_array, point.evaluations)


class Checker:
    """One point: its arrays, of which one entry at a time is moved and put back exactly."""

    def __init__(
        self, witness: Witness, arrays: Arrays, scheme: Scheme, noise: float, adjudicators: Adjudicators
    ) -> None:
        self.witness = witness
        self.arrays = arrays
        self.scheme = scheme
        self.noise = noise
        self.adjudicators = adjudicators
        self.evaluations = 0
        # Differences do not see a jump below the noise of the loss; there, who lies this near is asked about it.
        self.near_kink = witness.distance(arrays) < _NEAR

    def judge(self, name: str, place: int, gradient: float, scale: float, confirm: bool = True) -> Judgement:
        """The verdict on ``gradient`` at one entry; what its array's derivatives are like is ``scale``.

        Without ``confirm`` a failure is not looked into further: it costs no more than what passes.
        """
        entry = _Entry(self, name, place)
        try:
            return self._judge(entry, gradient, scale, confirm)
        finally:
            entry.restore()

    def opinion(self, name: str, place: int, gradient: float, seen: Judgement) -> Judgement:
        """Another method's verdict on a weight that differences have ``seen`` to be wrong, or could not see."""
        if self.near_kink and self.witness.borders:
            judged = self.judge(name, place, gradient, 0.0)
            # Differences of the whole loss are blunter than those that were seen, and cannot clear what failed by them.
            if judged.decided_by != seen.decided_by and judged.decided_by != "differences":
                return judged
            if judged.verdict is Verdict.KINK:
                return judged
        return self.adjudicators.decide(name, place, gradient, seen)

    def _judge(self, entry: _Entry, gradient: float, scale: float, confirm: bool) -> Judgement:
        found = self._estimate(entry, scale)
        seen = by_differences(gradient, found)
        if seen.verdict is Verdict.FAIL and not confirm and not found.jumps:
            return self.adjudicators.allowed(entry.name, entry.place, seen)
        crosses = False
        uncertain = seen.verdict is not Verdict.PASS or has_few_digits(seen)
        if self.witness.borders and (found.jumps or seen.verdict is Verdict.FAIL or (uncertain and self.near_kink)):
            beside, crosses = entry.off_kinks()
            if self.scheme.method == "ladder":
                found = ladder(entry.cost, entry.value, self.noise, scale, start=beside)
            if crosses:
                exact = self.adjudicators.at_kink(entry.name, entry.place, gradient, found)
                if exact is not None:
                    return exact
                if entry.leaps():
                    return jumping(gradient, "differences")
                if found.jumps:
                    return between(gradient, found)
            seen = by_differences(gradient, found)
        if seen.verdict is Verdict.PASS and not has_few_digits(seen):
            return seen
        return self.adjudicators.decide(entry.name, entry.place, gradient, seen, real=crosses)

    def _estimate(self, entry: _Entry, scale: float) -> Estimate:
        if self.scheme.method == "ladder":
            return ladder(entry.cost, entry.value, self.noise, scale)
        return _SCHEMES[self.scheme.method](entry.cost, entry.value, self.noise, self.scheme.eps)


class _Entry:
    """One entry of one array, as a number that the loss is a function of."""

    def __init__(self, point: Checker, name: str, place: int) -> None:
        self.point = point
        self.name = name
        self.place = place
        self.flat = point.arrays[name].reshape(-1)
        self.value = float(self.flat[place])

    def cost(self, w: float) -> float:
        self.flat[self.place] = w
        self.point.evaluations += 1
        return self.point.witness.loss(self.point.arrays)

    def restore(self) -> None:
        self.flat[self.place] = self.value

    def sides(self, step: float) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """The patterns a step to the left and a step to the right."""
        found = []
        for w in (self.value - step, self.value + step):
            self.flat[self.place] = w
            found.append(self.point.witness.pattern(self.point.arrays).sides)
        return found[0], found[1]

    def leaps(self) -> bool:
        """Whether the loss itself jumps here: on one side, a step 256 times smaller changes it by nearly as much."""
        here = self.cost(self.value)
        far = first_step(self.value) / 4.0**_DEEPEST
        near = far / 4.0**_FARTHER
        for sign in (1, -1):
            large, small = (abs(self.cost(self.value + sign * step) - here) for step in (far, near))
            # A root, the steepest that is continuous, changes by 16 times less.
            if small > max(large / 4, 1e3 * self.point.noise):
                return True
        return False

    def off_kinks(self) -> tuple[int, bool]:
        """How many of the largest steps cross a kink that smaller ones do not, and whether even the smallest does."""
        if self.point.scheme.method != "ladder":
            left, right = self.sides(self.point.scheme.eps)
            return 0, left != right
        largest = first_step(self.value)
        nearest = self.sides(largest / 4.0**_DEEPEST)
        start = _DEEPEST
        while start > 0 and self.sides(largest / 4.0 ** (start - 1)) == nearest:
            start -= 1
        return start, nearest[0] != nearest[1]
