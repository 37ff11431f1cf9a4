"""Derivatives to nearly all digits, for the weights that differences cannot decide.

    complex step   Im C(w + ih) / h with h = 1e-30 (Squire and Trapp 1998): no cancellation, one evaluation
    many digits    (C(w + h) - C(w - h)) / 2h with h = 1e-20 in 60-digit numbers, or smaller in more

Both evaluate the witness, never the code under test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

from symbackprop.forms.evaluate import evaluate_program
from symbackprop.notation.interpreter import arbitrary_precision, interpret
from symbackprop.notation.program import Program
from symbackprop.verification.ladder import UNIT, Estimate, ladder
from symbackprop.verification.noise import nearby
from symbackprop.verification.rounding import rounding
from symbackprop.verification.verdicts import (
    ROUNDINGS,
    Judgement,
    Verdict,
    allowing,
    between,
    by_value,
    jumping,
    lost,
)
from symbackprop.verification.witness import Witness, scalar_operations

__all__ = ["ROUNDING_SAFETY", "Adjudicators", "complex_step", "many_digits"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Derivative = Callable[[Witness, Arrays, str, int], float | None]

_COMPLEX_STEP = 1e-30
_DIGITS = 60
_MOST_DIGITS = 960
_MOST_ADJOINT_OPERATIONS = 100_000
_SAMPLES = 6
"""At how many points near by rounding is measured: what cancels is a few units in the last place, and may be none."""
ROUNDING_SAFETY = 8
"""The largest of a few random errors is not the worst one."""
_LEAST = 2.0**-850
"""Below this a derivative may be what underflow has left of one."""
_CLOSER = 1e-6
_GROWN = 1e4
"""A step as much smaller makes a quotient larger by 1e6 at a jump, by 1e3 at most where the function is continuous."""


def complex_step(witness: Witness, arrays: Arrays, name: str, place: int) -> float | None:
    """The derivative by entry ``place`` (counted along the flattened array) of ``name``; None where there is none."""
    perturbed = arrays[name].astype(complex)
    perturbed.flat[place] += 1j * _COMPLEX_STEP
    value = witness.complex_loss({**arrays, name: perturbed})
    return _finite(None if value is None else value.imag / _COMPLEX_STEP)


def many_digits(witness: Witness, arrays: Arrays, name: str, place: int) -> float | None:
    """The same by a central difference of steps of 10^(-d/3) in d digits, whose error is some 10^(-2d/3).

    Where that is not far below the derivative, as for one of 0, it is taken again in so many digits that any float64
    number stands out.
    """
    for digits in (_DIGITS, _MOST_DIGITS):
        with mpmath.workdps(digits):
            step = mpmath.mpf(10) ** (-digits // 3)
            high, low = (_moved(witness, arrays, name, place, by, digits) for by in (step, -step))
            if high is None or low is None:
                return None
            value = (high - low) / (2 * step)
            if abs(value) > mpmath.mpf(10) ** (20 - 2 * digits // 3) * max(1, abs(high)):
                break
    return _finite(float(value))


def _moved(witness: Witness, arrays: Arrays, name: str, place: int, by: Any, digits: int) -> Any:
    """The loss in many digits where one entry is larger by ``by``."""
    perturbed = arrays[name].astype(object)
    perturbed.flat[place] = mpmath.mpf(float(arrays[name].flat[place])) + by
    return witness.digits_loss({**arrays, name: perturbed}, digits)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


_METHODS: tuple[tuple[str, Derivative], ...] = (("complex step", complex_step), ("many digits", many_digits))
"""By what a weight can be decided, the cheapest first."""


@dataclass(frozen=True, eq=False)
class Adjudicators:
    """The ways to decide a weight at one point.

    ``noise`` bounds the rounding error of the loss, for the differences that each method is first held against.
    ``adjoint`` is the program with the derived gradients behind the loss, where it is known. Nothing of its values is
    believed: what its gradients lose to rounding, float64 against many digits, says what any gradient may lose.
    """

    witness: Witness
    arrays: Arrays
    noise: float
    adjoint: Program | None = None
    _refused: dict[str, bool] = field(default_factory=dict)

    def decide(self, name: str, place: int, gradient: float, seen: Judgement, real: bool = False) -> Judgement:
        """The verdict on ``gradient``, the entry ``place`` of dL/d``name``; ``seen`` where nothing can decide it.

        A method that agrees decides at once. One that does not may have lost digits to the rounding of the loss itself,
        as near a loss of 0, so the next is asked, unless it confirms what the differences saw. Before anything fails,
        it is allowed what rounding may do to a gradient here. ``real`` leaves out the complex step, which at a kink
        takes one side without saying so.
        """
        last = seen
        for method, derivative in _METHODS:
            if (real and derivative is complex_step) or self._is_refused(method, derivative):
                continue
            value = derivative(self.witness, self.arrays, name, place)
            if value is None:
                continue
            last = by_value(gradient, value, method)
            if last.verdict is Verdict.FAIL:
                last = self.allowed(name, place, last)
            confirmed = seen.verdict is Verdict.FAIL and abs(value - seen.estimate) <= 2 * seen.bound
            if last.verdict is Verdict.PASS or confirmed:
                return last
        if last is not seen:
            return last
        return self.allowed(name, place, seen) if seen.verdict is Verdict.FAIL else self._unless_lost(name, place, seen)

    def allowed(self, name: str, place: int, failed: Judgement) -> Judgement:
        """A failure once more, allowed what rounding may do to a gradient here."""
        allowed = allowing(failed, self._rounding(name, place))
        # Where p is 1 in float64, it is so in long double too: that p - y is lost only shows when p is moved.
        found = failed if allowed.verdict is Verdict.PASS else self._unless_lost(name, place, failed)
        return found if found.verdict is Verdict.PASS else allowed

    def _unless_lost(self, name: str, place: int, judgement: Judgement) -> Judgement:
        """``judgement``, or that the gradient is lost to its own rounding."""
        if name not in self.roundings:
            return judgement
        error = ROUNDING_SAFETY * float(self.roundings[name].flat[place])
        # What is 0 whatever is moved, as behind a dead unit, does not underflow either.
        found = lost(judgement, error + _LEAST if error else 0.0)
        return found if found.verdict is Verdict.PASS else judgement

    def at_kink(self, name: str, place: int, gradient: float, found: Estimate) -> Judgement | None:
        """The verdict where a step in float64 crosses a kink: in many digits it does not, unless the weight is on it.

        None where there are not so many digits.
        """
        sides = self.sides(name, place)
        if sides is None:
            return None
        if self._jumps(name, place, sides):
            return jumping(gradient, "many digits")
        left, right = sides
        bound = ROUNDINGS * UNIT * max(abs(left), abs(right))
        if abs(right - left) <= bound:
            judgement = by_value(gradient, right, "many digits")
            return judgement if judgement.verdict is Verdict.PASS else self.allowed(name, place, judgement)
        exact = replace(found, left=left, right=right, left_bound=bound, right_bound=bound)
        return between(gradient, exact)

    def _jumps(self, name: str, place: int, sides: tuple[float, float]) -> bool:
        """Whether the quotients ``sides`` grow with a smaller step as they only do where the loss itself jumps."""
        closer = self.sides(name, place, _CLOSER)
        return closer is not None and any(
            abs(near) > _GROWN * abs(far) for near, far in zip(closer, sides, strict=True)
        )

    def sides(self, name: str, place: int, part: float = 1.0) -> tuple[float, float] | None:
        """The derivatives from the left and from the right, in many digits; None where there are none.

        ``part`` makes the step smaller.
        """
        with mpmath.workdps(_DIGITS):
            step = part * mpmath.mpf(10) ** (-_DIGITS // 3)
            low, here, high = (
                _moved(self.witness, self.arrays, name, place, by, _DIGITS) for by in (-step, mpmath.mpf(0), step)
            )
            if low is None or here is None or high is None:
                return None
            left, right = _finite(float((here - low) / step)), _finite(float((high - here) / step))
            return None if left is None or right is None else (left, right)

    def _is_refused(self, method: str, derivative: Derivative) -> bool:
        """Whether ``method`` contradicts real differences here: an absolute value breaks a complex step silently."""
        if method not in self._refused:
            self._refused[method] = not self._is_confirmed(derivative)
        return self._refused[method]

    def _is_confirmed(self, derivative: Derivative) -> bool:
        """Whether ``derivative`` agrees with real differences in the first entry of every parameter."""
        names = [variable.name for variable in self.witness.program.parameters if variable.name in self.arrays]
        return all(self._is_right(derivative, name) for name in names)

    def _is_right(self, derivative: Derivative, name: str) -> bool:
        value = derivative(self.witness, self.arrays, name, 0)
        if value is None:
            return False
        array = self.arrays[name].copy()

        def cost(w: float) -> float:
            array.flat[0] = w
            return self.witness.loss({**self.arrays, name: array})

        found = ladder(cost, float(self.arrays[name].flat[0]), self.noise)
        # Wide enough for any point at which only the differences are at fault; a missing part is caught all the same.
        return found.jumps or not abs(value - found.value) > 1e-3 * abs(found.value) + 1e3 * found.bound

    # -- what rounding does to a gradient ----------------------------------------------------------------------------

    @cached_property
    def roundings(self) -> Mapping[str, Array]:
        """For each entry of each gradient what moving every value by a rounding does to it; see ``rounding``."""
        if self.adjoint is None:
            return {}
        sizes = {str(symbol): number for symbol, number in self.witness.sizes(self.arrays).items()}
        found = rounding(self.adjoint, self.arrays, sizes, tuple(self._wanted.values()))
        return {of: found[name] for of, name in self._wanted.items()}

    @property
    def _wanted(self) -> Mapping[str, str]:
        """The names of the gradients by what they are of."""
        assert self.adjoint is not None
        gradients = {v.of: v.name for v in self.adjoint.variables.values() if v.of and v.loss == self.adjoint.loss}
        return {of: name for of, name in gradients.items() if of in self.arrays}

    def _rounding(self, name: str, place: int) -> float:
        losses = self._losses.get(name)
        rounding = 0.0 if losses is None else ROUNDING_SAFETY * float(losses.flat[place])
        # What cannot be told excuses nothing.
        return rounding if math.isfinite(rounding) else 0.0

    @cached_property
    def _losses(self) -> Mapping[str, Array]:
        """For each entry of each gradient the largest rounding error at this point and some a hair away."""
        if self.adjoint is None:
            return {}
        names = tuple(variable.name for variable in self.adjoint.parameters)
        wanted = self._wanted
        rng = np.random.default_rng(1)
        points = [self.arrays, *(nearby(self.arrays, names, rng, 1e-12) for _ in range(_SAMPLES))]
        errors = [self._errors(self.adjoint, point, wanted) for point in points]
        return {of: np.max([error[of] for error in errors], axis=0) for of in wanted}

    def _errors(self, adjoint: Program, point: Arrays, wanted: Mapping[str, str]) -> dict[str, Array]:
        sizes = {str(symbol): number for symbol, number in self.witness.sizes(point).items()}
        rounded = evaluate_program(adjoint, point, sizes)
        exact = self._exact(adjoint, point, sizes)
        with np.errstate(all="ignore"):
            return {
                of: np.abs(np.asarray(rounded[name] - exact[name], dtype=np.float64)) for of, name in wanted.items()
            }

    def _exact(self, adjoint: Program, point: Arrays, sizes: Mapping[str, int]) -> Mapping[str, Any]:
        if scalar_operations(adjoint, self.witness.sizes(point)) <= _MOST_ADJOINT_OPERATIONS:
            try:
                with mpmath.workdps(_DIGITS):
                    return interpret(adjoint, point, sizes, arithmetic=arbitrary_precision())
            except (ArithmeticError, AttributeError, TypeError):
                pass
        wider = {n: a.astype(np.longdouble) if a.dtype.kind == "f" else a for n, a in point.items()}
        return evaluate_program(adjoint, wider, sizes)
