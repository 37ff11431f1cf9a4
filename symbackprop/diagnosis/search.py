"""The search for the mistakes that, made in the derived backward pass, give somebody's gradients in every entry.

    one mistake     one edit at one place; the same edit in several layers, since a loop makes its mistake in each
    two mistakes    one further back in the error signal and one in what is made of it, or two that meet

A gradient that nothing else is computed from is explained by itself, so those are never combined blindly.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.adjoint.records import Adjoint
from symbackprop.diagnosis.constants import constants_of, named
from symbackprop.diagnosis.edits import UNKNOWN, Edit, edited, terms_of, times
from symbackprop.diagnosis.evidence import Evidence
from symbackprop.diagnosis.faults.table import edits_of
from symbackprop.diagnosis.scene import Scene
from symbackprop.notation.program import Equation
from symbackprop.progress import Progress

__all__ = ["Explanation", "Mistake", "Search", "settled"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

_FEW_ADJOINTS = 60
"""Up to how many adjoints every place is tried; in longer programs only where no right array contradicts it."""
_MOST_LEADS = 12
"""How many mistakes that explain a part are followed for a second one, those that explain most first."""
_MOST_PAIRS = 3000
"""How many pairs of mistakes that explain nothing by themselves are tried."""
_REFINEMENTS = 12


@dataclass(frozen=True)
class Mistake:
    """The same edit at one or more places.

    ``factor`` is the number that was found for the unknown one, ``spread`` how far off it may be, and ``names`` are the
    usual constants that it may be.
    """

    edits: tuple[Edit, ...]
    factor: float | None = None
    spread: float = 0.0
    names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What the mistake is called; a factor by what number it is."""
        if self.edits[0].kind != "scale" or self.factor is None:
            return self.edits[0].kind
        if self.factor == 0:
            return "cut off"
        return "sign" if "-1" in self.names else "scale" if self.names else "learning rate"

    @property
    def exchanged(self) -> dict[str, Equation]:
        """The equations that the mistake exchanges, with the factor put in."""
        return {edit.adjoint: settled(edit, self.factor) for edit in self.edits}


@dataclass(frozen=True)
class Explanation:
    """One mistake or two that predict every array; ``predicted`` has those that they change."""

    scene: Scene
    mistakes: tuple[Mistake, ...]
    predicted: Arrays


def settled(edit: Edit, factor: float | sympy.Expr | None) -> Equation:
    """The equation of ``edit`` with a number in place of the unknown factor."""
    if factor is None:
        return edit.equation
    number = sympy.Float(factor) if isinstance(factor, float) else factor
    terms = []
    for term in terms_of(edit.equation):
        if UNKNOWN in term.factors:
            kept = tuple(f for f in term.factors if f != UNKNOWN)
            terms.append(replace(term, coefficient=term.coefficient * number, factors=kept))
        else:
            terms.append(term.rename({UNKNOWN: number}))
    return edited(edit.equation, terms)


@dataclass
class _Lead:
    """A mistake that explains a part: what it predicts, and which arrays it leaves wrong."""

    mistake: Mistake
    predicted: dict[str, Array]
    remaining: frozenset[str]


class Search:
    """The search in one scene: ``by_one`` mistake, and where there is none, ``by_two``.

    ``tried`` counts the backward passes that were computed with a mistake in them. ``progress`` is called with that
    and with how many are in sight.
    """

    def __init__(self, scene: Scene, evidence: Evidence, progress: Progress | None = None) -> None:
        self.scene = scene
        self.evidence = evidence
        self.wrong = evidence.wrong
        self.progress = progress
        self.tried = self.in_sight = 0
        self.leads: list[_Lead] = []
        self.constants = constants_of(scene)
        self._made: dict[str, tuple[Edit, ...]] = {}

    # -- one mistake ---------------------------------------------------------------------------------------------

    def by_one(self) -> list[Explanation]:
        """Every explanation by one mistake."""
        found = []
        inner = [*((edit,) for edit in self.inner_edits), *self._habits(self.inner_edits, self.leaf_edits)]
        self.in_sight = len(inner) + len(self.leaf_edits)
        for mistake, predicted in self._at_leaves({}, self.wrong):
            found.append(Explanation(self.scene, (mistake,), predicted))
        for edits in inner:
            for lead in self._solved(edits, {}):
                if not lead.remaining:
                    found.append(Explanation(self.scene, (lead.mistake,), lead.predicted))
                elif self._is_lead(lead):
                    self.leads.append(lead)
        return found

    def _is_lead(self, lead: _Lead) -> bool:
        """Whether a part is explained by more than a number that was fitted to it."""
        explained = len(self.wrong) - len(lead.remaining)
        return explained > (lead.mistake.factor is not None)

    # -- two mistakes --------------------------------------------------------------------------------------------

    def by_two(self) -> list[Explanation]:
        """Every explanation by two mistakes; what ``by_one`` found out about parts is what this goes on from."""
        found = []
        for pair, both in self._two_at_leaves():
            found.append(Explanation(self.scene, pair, both))
        if found:
            return found
        self.leads.sort(key=lambda lead: (len(lead.remaining), len(lead.mistake.edits)))
        leads = self.leads[:_MOST_LEADS]
        self.in_sight = self.tried + len(leads) * len(self.inner_edits)
        for lead in leads:
            exchanged = lead.mistake.exchanged
            for mistake, predicted in self._at_leaves(exchanged, lead.remaining):
                found.append(Explanation(self.scene, (lead.mistake, mistake), {**lead.predicted, **predicted}))
            first = max(self._order[name] for name in exchanged)
            later = [e for e in self.inner_edits if self._order[e.adjoint] > first and e.adjoint not in exchanged]
            for edits in (*((edit,) for edit in later), *self._habits(later)):
                for second in self._solved(edits, exchanged):
                    if not second.remaining:
                        found.append(Explanation(self.scene, (lead.mistake, second.mistake), second.predicted))
        return found or self._twins() or self._with_factors()

    def _twins(self) -> list[Explanation]:
        """Two mistakes on the way to the same gradients, so that neither explains anything by itself."""
        found = []
        plain = [e for e in self.inner_edits if e.neutral is None and self.scene.feeds[e.adjoint] == self.wrong]
        pairs = [(a, b) for a, b in itertools.combinations(plain, 2) if a.adjoint != b.adjoint]
        self.in_sight = self.tried + min(len(pairs), _MOST_PAIRS)
        for first, second in itertools.islice(pairs, _MOST_PAIRS):
            exchanged = {first.adjoint: first.equation, second.adjoint: second.equation}
            for lead in self._judged(Mistake((first, second)), self._replay(exchanged)):
                if not lead.remaining:
                    found.append(Explanation(self.scene, (Mistake((first,)), Mistake((second,))), lead.predicted))
        return found

    def _with_factors(self) -> list[Explanation]:
        """A mistake and a factor at the same place."""
        found = []
        for edit in self.inner_edits:
            if edit.neutral is not None:
                continue
            terms = [times(term, UNKNOWN) for term in terms_of(edit.equation)]
            scaled = replace(edit, equation=edited(edit.equation, terms), neutral=1.0)
            for lead in self._solved((scaled,), {}):
                if not lead.remaining:
                    factor = Edit("scale", edit.adjoint, scaled.equation, "there is another factor", neutral=1.0)
                    # Both are in the one equation that was used.
                    both = replace(edit, equation=scaled.equation)
                    pair = tuple(replace(lead.mistake, edits=(one,)) for one in (both, factor))
                    found.append(Explanation(self.scene, pair, lead.predicted))
        return found

    def _two_at_leaves(self) -> Iterator[tuple[tuple[Mistake, ...], dict[str, Array]]]:
        """Two different mistakes, each in some of the gradients that nothing else is computed from."""
        by_key: dict[Any, dict[str, tuple[Mistake, Array]]] = {}
        for name in sorted(self.wrong):
            for key, mistake, predicted in self._leaf_fits({}, name):
                by_key.setdefault(key, {})[name] = (mistake, predicted)
        for first, second in itertools.combinations(by_key.values(), 2):
            if set(first) | set(second) != self.wrong or self.wrong in (set(first), set(second)):
                continue
            rest = {name: fit for name, fit in second.items() if name not in first}
            pair = (_joined(m for m, _ in first.values()), _joined(m for m, _ in rest.values()))
            yield pair, {name: array for name, (_, array) in (*first.items(), *rest.items())}

    # -- places --------------------------------------------------------------------------------------------------

    @cached_property
    def _order(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.scene.adjoints)}

    @cached_property
    def inner_edits(self) -> tuple[Edit, ...]:
        """The edits of adjoints that others are computed from, where they may change what is wrong."""
        found: list[Edit] = []
        for name, adjoint in self.scene.adjoints.items():
            fed = self.scene.feeds[name]
            if self.scene.is_leaf(name) or not fed & self.wrong or not self._may_be_wrong(fed):
                continue
            found.extend(self._edits(adjoint))
        return tuple(found)

    def _may_be_wrong(self, fed: frozenset[str]) -> bool:
        if len(self.scene.adjoints) <= _FEW_ADJOINTS:
            return True
        return all(name in self.wrong or not self.evidence.right[name].any() for name in fed)

    @cached_property
    def leaf_edits(self) -> tuple[Edit, ...]:
        """The edits of the wrong gradients that nothing else is computed from."""
        adjoints = [self.scene.differentiation.by_variable.get(name) for name in sorted(self.wrong)]
        return tuple(edit for a in adjoints if a is not None and self.scene.is_leaf(a.name) for edit in self._edits(a))

    def _edits(self, adjoint: Adjoint) -> tuple[Edit, ...]:
        if adjoint.name not in self._made:
            self._made[adjoint.name] = edits_of(self.scene, adjoint)
        return self._made[adjoint.name]

    def _habits(self, edits: Iterable[Edit], leaves: Iterable[Edit] = ()) -> Iterator[tuple[Edit, ...]]:
        """The same edit at all places that may be wrong, at all but the one next to the loss, and in gradients too."""
        groups: dict[tuple[str, str], dict[str, Edit]] = {}
        for edit in edits:
            for habit in edit.habits:
                if self.scene.feeds[edit.adjoint] <= self.wrong:
                    groups.setdefault((edit.kind, habit), {}).setdefault(edit.adjoint, edit)
        ends: dict[tuple[str, str], dict[str, Edit]] = {}
        for edit in leaves:
            for habit in edit.habits:
                ends.setdefault((edit.kind, habit), {}).setdefault(edit.adjoint, edit)
        seen = set()
        for key, group in groups.items():
            every = tuple(group.values())
            for chosen in (every, every[1:], (*every, *ends.get(key, {}).values())):
                if len(chosen) > 1 and chosen not in seen:
                    seen.add(chosen)
                    yield chosen

    # -- predictions ---------------------------------------------------------------------------------------------

    def _solved(self, edits: tuple[Edit, ...], before: Mapping[str, Equation]) -> Iterator[_Lead]:
        """What ``edits`` predict after the exchange of ``before``, for each factor that explains some array."""
        if edits[0].neutral is None:
            mistake = Mistake(edits)
            yield from self._judged(mistake, self._replay({**before, **mistake.exchanged}))
            return
        for factor, spread in self._factors(edits, before):
            made = self.with_factor(edits, factor, spread)
            if made is not None:
                yield from self._judged(made, self._replay({**before, **made.exchanged}))

    def with_factor(self, edits: tuple[Edit, ...], factor: float, spread: float) -> Mistake | None:
        """The mistake with its factor, as exactly as it is known; None where that is no mistake, or another one."""
        neutral = edits[0].neutral
        if neutral is not None and abs(factor - neutral) <= spread:
            return None
        if abs(factor) <= spread:
            # Without its factor the penalty is left out: that is a mistake of its own.
            return Mistake(edits, 0.0, spread) if edits[0].kind == "scale" else None
        names = named(factor, spread, self.constants)
        return Mistake(edits, self.constants[names[0]] if names else factor, spread, names)

    def _judged(self, mistake: Mistake, predicted: dict[str, Array] | None) -> Iterator[_Lead]:
        if predicted is None:
            return
        remaining = set(self.wrong)
        for name, array in predicted.items():
            fits = self.evidence.fits(name, array)
            if fits:
                remaining.discard(name)
            elif name not in self.wrong:
                return
        yield _Lead(mistake, predicted, frozenset(remaining))

    def _factors(self, edits: tuple[Edit, ...], before: Mapping[str, Equation]) -> Iterator[tuple[float, float]]:
        """The factors by which some wrong array may be explained, each with how far off it may be."""
        exchanged = {**before, **{edit.adjoint: edit.equation for edit in edits}}
        assert edits[0].neutral is not None
        start = edits[0].neutral
        # Several edits multiply the factor with itself; near where nothing is wrong a small step is straight.
        step = 1.0 if len(edits) == 1 else 1e-3
        low, high = self._replay(exchanged, start), self._replay(exchanged, start + step)
        if low is None or high is None:
            return
        seen: list[float] = []
        for name in sorted(self.wrong & set(low)):
            fitted = self._fitted(name, low[name], high[name], start, step)
            if fitted is not None and len(edits) > 1:
                fitted = self._refined(exchanged, name, *fitted)
            if fitted is None or any(abs(fitted[0] - other) <= max(1e-9 * abs(other), fitted[1]) for other in seen):
                continue
            seen.append(fitted[0])
            yield fitted

    def _fitted(self, name: str, low: Array, high: Array, start: float, step: float) -> tuple[float, float] | None:
        """The least squares factor for one array, and what the array's tolerances make of it."""
        theirs = self.evidence.theirs[name]
        slope = (high - low) / step
        norm = float(np.vdot(slope, slope))
        if theirs.shape != low.shape or not norm > 0 or not np.isfinite(norm):
            return None
        factor = start + float(np.vdot(slope, theirs - low)) / norm
        return (factor, self._spread(name, slope, norm, factor)) if np.isfinite(factor) else None

    def _spread(self, name: str, slope: Array, norm: float, factor: float) -> float:
        tolerance = self.evidence.tolerance[name]
        if tolerance.shape != slope.shape:
            return 64 * self.evidence.unit * abs(factor)
        known = float(np.linalg.norm(tolerance * slope)) / norm
        return max(1.0, abs(factor)) * known + 64 * self.evidence.unit * abs(factor)

    def _refined(
        self, exchanged: Mapping[str, Equation], name: str, factor: float, spread: float
    ) -> tuple[float, float] | None:
        for _ in range(_REFINEMENTS):
            step = 1e-3 * max(abs(factor), 1e-3)
            low, high = self._replay(exchanged, factor), self._replay(exchanged, factor + step)
            if low is None or high is None:
                return None
            better = self._fitted(name, low[name], high[name], factor, step)
            if better is None or abs(better[0] - factor) <= 1e-15 * abs(factor):
                break
            factor, spread = better
        return factor, spread

    def _replay(self, exchanged: Mapping[str, Equation], factor: float = 1.0) -> dict[str, Array] | None:
        self.tried += 1
        if self.progress is not None:
            self.progress(self.tried, max(self.tried, self.in_sight))
        return self.scene.replay(exchanged, factor)

    # -- gradients that nothing else is computed from ------------------------------------------------------------

    def _at_leaves(
        self, before: Mapping[str, Equation], names: frozenset[str]
    ) -> Iterator[tuple[Mistake, dict[str, Array]]]:
        """The mistakes that, made in each of ``names`` after the exchange of ``before``, explain them all."""
        by_key: dict[Any, dict[str, tuple[Mistake, Array]]] = {}
        for done, name in enumerate(sorted(names)):
            fits = {key: (mistake, predicted) for key, mistake, predicted in self._leaf_fits(before, name)}
            by_key = {key: {**by_key.get(key, {}), name: fit} for key, fit in fits.items() if not done or key in by_key}
            if not by_key:
                return
        for group in by_key.values():
            yield _joined(m for m, _ in group.values()), {name: array for name, (_, array) in group.items()}

    def _leaf_fits(self, before: Mapping[str, Equation], name: str) -> Iterator[tuple[Any, Mistake, Array]]:
        """The edits of one gradient's own equation that explain it, each with what makes it the same as another's."""
        adjoint = self.scene.differentiation.by_variable.get(name)
        if adjoint is None or adjoint.name in before or not self.scene.is_leaf(adjoint.name):
            return
        for edit in self._edits(adjoint):
            for lead in self._solved((edit,), before):
                predicted = lead.predicted.get(name)
                if predicted is not None and self.evidence.fits(name, predicted):
                    factor = lead.mistake.factor
                    rounded = lead.mistake.names or (None if factor is None else float(f"{factor:.9g}"))
                    for habit in edit.habits:
                        yield (edit.kind, habit, rounded), lead.mistake, predicted


def _joined(mistakes: Iterable[Mistake]) -> Mistake:
    """The same mistake at all the places of ``mistakes``."""
    every = tuple(mistakes)
    return replace(every[0], edits=tuple(edit for mistake in every for edit in mistake.edits))


def fitting_at(explanation: Explanation, scene: Scene, evidence: Evidence) -> Explanation | None:
    """The explanation with what it can be called where it has to hold in another scene too; None where it does not.

    A factor may be called N there only if it is N there.
    """
    constants = constants_of(scene)
    by_name = dict.fromkeys(name for mistake in explanation.mistakes for name in mistake.names)
    options: list[str | None] = [name for name in by_name if name in constants] or [None]
    kept = [name for name in options if _holds(explanation, name and constants[name], scene, evidence)]
    if not kept:
        return None
    names = tuple(name for name in kept if name is not None)
    mistakes = tuple(m if not m.names else replace(m, names=names) for m in explanation.mistakes)
    return replace(explanation, mistakes=mistakes)


def _holds(explanation: Explanation, factor: Any, scene: Scene, evidence: Evidence) -> bool:
    mistakes = [m if not m.names or not factor else replace(m, factor=factor) for m in explanation.mistakes]
    predicted = scene.replay({name: equation for m in mistakes for name, equation in m.exchanged.items()})
    if predicted is None:
        return False
    return evidence.wrong <= set(predicted) and all(evidence.fits(name, array) for name, array in predicted.items())
