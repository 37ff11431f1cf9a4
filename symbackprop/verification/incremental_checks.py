"""Every weight of a large network at one point: incremental differences, validated, then judged in columns.

The incremental evaluation is no black box, so it is not believed unseen: a few hundred of its derivatives are held
against full forward passes, by the ladder, as if they were the gradients under test.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.adjoint.sweep import differentiate
from symbackprop.notation.program import Program
from symbackprop.verification.adjudicators import ROUNDING_SAFETY, Adjudicators
from symbackprop.verification.checks import Checker, PointResult, Progress, Scheme
from symbackprop.verification.dispatch import Workers, blocks_of
from symbackprop.verification.incremental import Derivatives, Increments
from symbackprop.verification.judgements import Judgements
from symbackprop.verification.ladder import UNIT
from symbackprop.verification.noise import measured_noise
from symbackprop.verification.verdicts import CLEAR, DECIDERS, ROUNDINGS, SAFETY, Judgement, Verdict, allowing
from symbackprop.verification.witness import Witness

__all__ = ["judged", "verify_point_incrementally"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

_DECIDER = "incremental differences"
_SAMPLE = 200
_LARGEST = 4
_PASSES = 500
"""How many full forward passes the validation takes, about; each array has one derivative validated in any case."""
_ENOUGH_AGREE = 4
"""After how many second opinions that change nothing no more are asked for, among the weights of one array."""
_MOST_OPINIONS = 256
"""How many weights of one array are looked at one by one, at most."""
_LEAST = 2.0**-850
"""Below this a quotient may be what underflow has left of a change."""


def verify_point_incrementally(
    witness: Witness,
    gradients: Arrays,
    arrays: Arrays,
    *,
    adjoint: Program | None = None,
    workers: Workers | None = None,
    progress: Progress | None = None,
) -> PointResult:
    """What ``symbackprop.verification.checks.verify_point`` finds, for any number of weights; ``workers`` do it."""
    work = {
        name: np.array(array, dtype=np.float64, order="C") if name in gradients else array
        for name, array in arrays.items()
    }
    noise = measured_noise(witness, work, tuple(gradients))
    adjudicators = Adjudicators(witness, dict(arrays), noise, adjoint or _adjoint(witness.program, tuple(gradients)))
    checker = Checker(witness, work, Scheme(), noise, adjudicators)
    # Workers read these arrays while the checker moves entries of its own.
    still = {name: work[name].copy() if name in gradients else array for name, array in work.items()}
    point = Increments(witness.program, still, dict(witness.given), noise)
    blocks = blocks_of([(name, gradient.size) for name, gradient in gradients.items()])
    found, notes = (workers or Workers()).derivatives(point, blocks, progress)
    derivatives = {name: _together([found[block] for block in blocks if block[0] == name]) for name in gradients}
    results = {
        name: judged(
            np.asarray(gradient, dtype=np.float64).reshape(-1),
            derivatives[name],
            # 0 where the loss does not depend on it.
            adjudicators.roundings.get(name, np.zeros(gradient.shape)).reshape(-1),
        )
        for name, gradient in gradients.items()
    }
    validation = _validation(checker, results)
    if validation.wrong:
        results = {name: _one_by_one(checker, name, result) for name, result in results.items()}
    else:
        results = {name: _second_opinions(checker, name, result) for name, result in results.items()}
    return PointResult(results, checker.evaluations, (*notes, validation.note, *_lost_note(results)))


def _together(parts: Sequence[Derivatives]) -> Derivatives:
    return Derivatives(*map(np.concatenate, zip(*(part.columns for part in parts), strict=True)))


def _adjoint(program: Program, names: tuple[str, ...]) -> Program:
    return differentiate(program, names).adjoint_program


# -- verdicts ----------------------------------------------------------------------------------------------------------


def judged(gradient: Array, found: Derivatives, error: Array) -> Judgements:
    """The verdict on each entry of ``gradient``; ``error`` is the size of its rounding, which the derivative shares.

    What only that rounding hides is blind and has a ``rounding``: see ``_second_opinions``.
    """
    with np.errstate(all="ignore"):
        size = np.abs(found.value)
        own = ROUNDING_SAFETY * error + ROUNDINGS * UNIT * size + _LEAST
        bound = np.where(np.isnan(found.bound), np.inf, found.bound) + own
        side_bound = np.where(np.isnan(found.side_bound), np.inf, found.side_bound) + own
        kink = np.abs(found.right - found.left) > 4 * side_bound
        tolerance = SAFETY * np.where(kink, side_bound, bound) + 4 * UNIT * np.abs(gradient)
        low, high = np.minimum(found.left, found.right), np.maximum(found.left, found.right)
        between = (low - tolerance <= gradient) & (gradient <= high + tolerance)
        # A comparison with NaN is false: agreement is what has to be shown.
        agrees = np.where(kink, between, (np.abs(gradient - found.value) <= tolerance) | np.isinf(bound))
        nothing = (gradient == 0) & (found.left == 0) & (found.right == 0) & (found.bound == 0)
        seen = nothing | (bound < CLEAR * np.maximum(np.abs(gradient), size))
        ranks = np.where(kink, Verdict.KINK.rank, np.where(seen, Verdict.PASS.rank, Verdict.BLIND.rank))
        is_lost = (ranks == Verdict.BLIND.rank) & (found.bound <= own)
        ranks = np.where(agrees & np.isfinite(gradient), ranks, Verdict.FAIL.rank)
    return Judgements(
        verdict=ranks.astype(np.int8),
        gradient=gradient,
        estimate=np.where(np.isinf(found.left), np.nan, found.value),
        bound=np.where(kink, side_bound, bound),
        tolerance=tolerance,
        decided_by=np.full(len(gradient), DECIDERS.index(_DECIDER), dtype=np.int8),
        left=np.where(kink, found.left, np.nan),
        right=np.where(kink, found.right, np.nan),
        rounding=np.where(is_lost, tolerance, 0.0),
    )


# -- validation --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Validation:
    """Whether full forward passes contradict the incremental evaluation, and what is to be said of it."""

    wrong: bool
    note: str


def _validation(checker: Checker, results: Mapping[str, Judgements]) -> _Validation:
    """Derivatives of every array against the ladder: the largest first, then others drawn at random."""
    before, count, largest = checker.evaluations, 0, 0.0
    scales = {
        name: float(np.max(np.abs(result.estimate), initial=0.0, where=np.isfinite(result.estimate)))
        for name, result in results.items()
    }
    for number, (name, place) in enumerate(_sampled(results)):
        if number >= len(results) and checker.evaluations - before >= _PASSES:
            break
        result, scale = results[name], scales[name]
        derivative = float(result.estimate[place])
        if not np.isnan(result.left[place]) or not np.isfinite(derivative):
            continue
        judged_here = checker.judge(name, place, derivative, scale)
        off = abs(judged_here.estimate - derivative)
        if judged_here.verdict is Verdict.FAIL and not off <= judged_here.tolerance + SAFETY * result.bound[place]:
            index = [int(axis) for axis in np.unravel_index(place, checker.arrays[name].shape)]
            return _Validation(
                True,
                f"incremental differences are not believed: at {name}{index} they give {derivative:.10g}, full "
                f"forward passes {judged_here.estimate:.10g} +- {judged_here.bound:.1e}",
            )
        # What is lost to rounding agrees with anything as small.
        if judged_here.verdict in (Verdict.PASS, Verdict.FAIL) and not result.rounding[place]:
            count += 1
            largest = max(largest, off / scale if scale else 0.0)
    passes = checker.evaluations - before
    return _Validation(
        False, f"validated at {count} weights by {passes} full forward passes: largest disagreement {largest:.1e}"
    )


def _sampled(results: Mapping[str, Judgements]) -> list[tuple[str, int]]:
    """The largest derivative of each array, then the next ones and as many drawn from all arrays, in turns."""
    rng = np.random.default_rng(0)
    columns = []
    for name, result in results.items():
        share = min(len(result), _SAMPLE)
        ordered = np.argsort(-np.abs(np.nan_to_num(result.estimate)), kind="stable")[:_LARGEST].tolist()
        drawn = rng.choice(len(result), share, replace=False).tolist()
        columns.append([(name, place) for place in dict.fromkeys((*ordered[:1], *drawn, *ordered[1:]))])
    in_turns = itertools.chain.from_iterable(itertools.zip_longest(*columns))
    return [entry for entry in in_turns if entry is not None]


# -- single weights ----------------------------------------------------------------------------------------------------


def _second_opinions(checker: Checker, name: str, found: Judgements) -> Judgements:
    """Other methods' verdicts on the worst weights, as long as they change anything.

    So right gradients are cleared wherever differences are blind, and wrong ones cost no more than a few evaluations.
    A gradient that agrees with the derivative within its own rounding, and that nothing sees sharper, is lost to it.
    """
    changed: dict[int, Judgement] = {}
    for verdict in (Verdict.FAIL, Verdict.BLIND):
        agreed = 0
        for place in _worst(
            found, (found.verdict == verdict.rank) & np.isnan(found.left) & np.isfinite(found.gradient)
        ):
            opinion = checker.opinion(name, place, float(found.gradient[place]), found[place])
            if opinion.verdict is Verdict.FAIL and found.rounding[place]:
                opinion = allowing(opinion, float(found.rounding[place]))
            if opinion.verdict is not Verdict.BLIND:
                changed[place] = opinion
            agreed += opinion.verdict is verdict or bool(opinion.rounding and found.rounding[place])
            if agreed == _ENOUGH_AGREE:
                break
    is_lost = (found.verdict == Verdict.BLIND.rank) & (found.rounding > 0)
    cleared = replace(found, verdict=np.where(is_lost, Verdict.PASS.rank, found.verdict).astype(np.int8))
    return cleared.replaced(changed)


def _lost_note(results: Mapping[str, Judgements]) -> Iterator[str]:
    """How many gradients rounding leaves nothing of."""
    count = sum(
        int(np.count_nonzero(found.passed & (found.rounding > CLEAR * np.abs(found.gradient)) & (found.rounding > 0)))
        for found in results.values()
    )
    if count:
        yield f"{count} {'gradient is' if count == 1 else 'gradients are'} lost to rounding"


def _worst(found: Judgements, chosen: Array) -> Iterator[int]:
    (places,) = np.nonzero(chosen)
    order = np.argsort(-np.nan_to_num(found[places].error, nan=np.inf), kind="stable")
    yield from places[order][:_MOST_OPINIONS].tolist()


def _one_by_one(checker: Checker, name: str, found: Judgements) -> Judgements:
    """The ladder's verdicts on as many weights as are looked at one by one; the others could not be seen."""
    size = len(found)
    places = np.unique(np.linspace(0, size - 1, min(size, _MOST_OPINIONS)).astype(np.intp)).tolist()
    chosen = {place: checker.judge(name, place, float(found.gradient[place]), 0.0) for place in places}
    unseen = np.where(np.isfinite(found.gradient), Verdict.BLIND.rank, Verdict.FAIL.rank).astype(np.int8)
    nothing = np.full(size, np.nan)
    infinite = np.full(size, np.inf)
    blank = Judgements(
        unseen, found.gradient, nothing, infinite, infinite, found.decided_by, nothing, nothing, np.zeros(size)
    )
    return blank.replaced(chosen)
