"""From gradients that are wrong to the faults that give just those gradients.

In this order: not finite; right to single precision; what the arrays themselves show; one mistake in the derived
backward pass, or two; the right gradient of another network; and where nothing fits, how far back all is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.adjoint.sweep import differentiate
from symbackprop.diagnosis.array_faults import (
    array_faults,
    not_finite,
    of_few_decimals,
    of_lower_precision,
    wrong_shapes,
)
from symbackprop.diagnosis.candidates import Candidate, candidates_of, generality
from symbackprop.diagnosis.evidence import Evidence
from symbackprop.diagnosis.networks import other_networks
from symbackprop.diagnosis.scene import Scene, scene_of
from symbackprop.diagnosis.search import Explanation, Search, fitting_at
from symbackprop.errors import SymbackpropError
from symbackprop.network import NetworkDescription
from symbackprop.notation.program import Program
from symbackprop.progress import Progress

__all__ = ["Case", "Diagnosis", "diagnose"]

_PLAIN = ("transposed", "shape")
"""What is true of an array whatever else is wrong."""

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong: one text, and every fault that fits, the most specific first; none where nothing does."""

    text: str
    candidates: tuple[Candidate, ...] = ()
    tried: int = 0


@dataclass(frozen=True, eq=False)
class Case:
    """One point: derivations of the same gradients there, the network's own first, and what is right and what is not.

    ``coarser`` is the same evidence with the tolerance of coarser types, by their names.
    """

    scenes: tuple[Scene, ...]
    evidence: Evidence
    coarser: Mapping[str, Evidence]


def diagnose(
    cases: Sequence[Case], description: NetworkDescription | None = None, progress: Progress | None = None
) -> Diagnosis:
    """The diagnosis of what is wrong at some of the ``cases``; a fault has to fit at all of them.

    ``description`` says what else the network might be. ``progress`` is called with how many mistakes were tried, and
    how many are in sight.
    """
    wrong = [case for case in cases if case.evidence.wrong]
    if not wrong:
        return Diagnosis("")
    # Where the batch is largest the most can be told apart.
    main = max(wrong, key=lambda case: max(case.scenes[0].numbers.values(), default=0))
    broken = not_finite(main.evidence)
    apart = [candidate.place for candidate in broken]
    case = replace(main, evidence=main.evidence.without(apart))
    others = [] if broken else [other for other in cases if other is not main]
    doctor = _Doctor(case, others, description, progress)
    found = doctor.whole() if case.evidence.wrong else []
    said = [candidate.text for candidate in broken]
    if not found and case.evidence.wrong:
        found, more = doctor.in_parts()
        said += more
    elif found:
        said.append(_text(found, doctor.tried))
    return Diagnosis(" ".join(said), (*broken, *found), doctor.tried)


class _Doctor:
    """The diagnosis at one point, held against the ``others``."""

    def __init__(
        self,
        case: Case,
        others: Sequence[Case],
        description: NetworkDescription | None,
        progress: Progress | None,
    ) -> None:
        self.case = case
        self.others = others
        self.description = description
        self.layers = layer_numbers(case.scenes[0], description)
        self.progress = progress
        self.searches = [Search(scene, case.evidence, progress) for scene in case.scenes]

    @property
    def tried(self) -> int:
        """How many backward passes were computed with a mistake in them."""
        return sum(search.tried for search in self.searches)

    def whole(self) -> list[Candidate]:
        """What explains every wrong array: one fault, a coarser type, or two faults."""
        evidence = self.case.evidence
        found = self._by_one()
        # What one mistake gives to the last digit is not the rounding of a coarser type, however small it is.
        found = found or of_few_decimals(evidence)
        for dtype, wider in self.case.coarser.items():
            found = found or of_lower_precision(evidence, replace(wider, theirs=evidence.theirs), dtype)
        if found or array_faults(evidence):
            return found
        return self._told([e for search in self.searches for e in search.by_two()])

    def in_parts(self) -> tuple[list[Candidate], list[str]]:
        """Faults of single arrays, and what is wrong with the rest, if it is known."""
        evidence = self.case.evidence
        shapes = {candidate.place: [candidate] for candidate in wrong_shapes(evidence)}
        by_array = {**shapes, **array_faults(evidence)}
        rest = evidence.without(by_array)
        if by_array and not rest.wrong:
            found = _joined(by_array)
            return [found], [found.text]
        fitting = [e for scene in self.case.scenes for e in Search(scene, rest, self.progress).by_one()]
        more = candidates_of(fitting, rest, self.layers) if by_array else []
        if more:
            one = _joined(by_array)
            return [_both(one, other) for other in more], [one.text, more[0].text]
        # Beside what is not known, that rows have changed places or single entries differ may be chance.
        plain = {name: found for name, found in by_array.items() if found[0].kind in _PLAIN}
        first = [_joined(plain)] if plain else []
        difference = _first_difference(self.case.scenes[0], evidence.without(plain), self.tried)
        return first, [*(candidate.text for candidate in first), difference]

    def _by_one(self) -> list[Candidate]:
        """What the arrays show, the mistakes that explain everything alone, and networks whose gradient it is."""
        evidence = self.case.evidence
        by_array = array_faults(evidence)
        found = [_joined(by_array)] if set(by_array) == evidence.wrong else []
        found += self._told([e for search in self.searches for e in search.by_one()])
        if not found and self.description is not None:
            found = self._of_other_networks(self.description)
        return sorted(found, key=generality)

    def _told(self, explained: Sequence[Explanation]) -> list[Candidate]:
        kept = [e for e in map(self._confirmed, explained) if e is not None]
        return candidates_of(kept, self.case.evidence, self.layers)

    def _confirmed(self, explanation: Explanation) -> Explanation | None:
        """The explanation where it fits at the other points too, under the names that its factor keeps there."""
        place = self.case.scenes.index(explanation.scene)
        for other in self.others:
            scene = other.scenes[place]
            confirmed = fitting_at(explanation, scene, other.evidence)
            if confirmed is None:
                return None
            explanation = confirmed
        return explanation

    def _of_other_networks(self, description: NetworkDescription) -> list[Candidate]:
        found = []
        for place, words, program in other_networks(description):
            self.searches[0].tried += 1
            if all(_is_gradient_of(program, case) for case in (self.case, *self.others)):
                text = f"{place[:1].upper()}{place[1:]}: this is the right gradient of another network: {words}."
                entries = sum(self.case.evidence.wrong_entries(name) for name in self.case.evidence.wrong)
                kind = "another network"
                found.append(Candidate(kind, (kind,), place, text, words, entries=entries))
        return found


def _is_gradient_of(program: Program, case: Case) -> bool:
    scene, evidence = case.scenes[0], case.evidence
    given = {variable.name: scene.values[variable.name] for variable in scene.differentiation.program.inputs}
    try:
        other = scene_of(differentiate(program, scene.differentiation.wrt), given)
    except SymbackpropError:
        return False
    gradients = {weight: other.values[name] for name, weight in other.gradients.items()}
    return set(gradients) == set(evidence.right) and all(evidence.fits(n, gradients[n]) for n in gradients)


def _joined(by_array: Mapping[str, list[Candidate]]) -> Candidate:
    """One candidate of what is found in each array."""
    first = [candidates[0] for candidates in by_array.values()]
    kinds = tuple(dict.fromkeys(candidate.kind for candidate in first))
    text = " ".join(candidate.text for candidate in first)
    place = ", ".join(candidate.place for candidate in first)
    words = ", ".join(dict.fromkeys(candidate.words or candidate.kind for candidate in first))
    return Candidate(kinds[0], kinds, place, text, words, entries=sum(candidate.entries for candidate in first))


def _both(one: Candidate, other: Candidate) -> Candidate:
    return replace(
        other,
        kind=one.kind,
        kinds=(*one.kinds, *other.kinds),
        place=f"{one.place} and {other.place}",
        text=f"{one.text} {other.text}",
        words=f"{one.words} and {other.words}",
    )


def layer_numbers(scene: Scene, description: NetworkDescription | None) -> dict[str, int]:
    """In which layer each variable of a network is; that of the loss counts as the last."""
    if description is None:
        return {}
    last = len(description.layers)
    found = {}
    for name in scene.differentiation.program.variables:
        digits = name.lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        found[name] = int(digits) if digits.isdigit() else last
    return found


# -- words -------------------------------------------------------------------------------------------------------------


def _text(found: Sequence[Candidate], tried: int) -> str:
    first, *others = found
    if not others:
        sole = " No other mistake that was tried gives these numbers." if tried else ""
        return f"{first.text}{sole}"
    listed = "; ".join(f"{other.place}: {other.words or other.kind}" for other in others[:5])
    more = f", and {len(others) - 5} more" if len(others) > 5 else ""
    return f"{first.text} The same numbers would come from {listed}{more}; see candidates."


def _first_difference(scene: Scene, evidence: Evidence, tried: int) -> str:
    """How far back everything is right, and where the first difference is."""
    order = [weight for weight in scene.gradients.values() if weight in evidence.right]
    wrong = [name for name in order if name in evidence.wrong]
    right = order[: order.index(wrong[0])]
    name = wrong[0]
    differences = evidence.differences(name)
    at = tuple(int(axis) for axis in np.unravel_index(int(np.argmax(differences)), differences.shape))
    entry = f"{name}[{', '.join(map(str, at))}]" if at else name
    numbers = f"{entry} is {evidence.theirs[name][at]:.10g}, and {evidence.right[name][at]:.10g} is right"
    so_far = f"Going backwards from the loss, {', '.join(right)} are right; t" if len(right) > 1 else "T"
    if len(right) == 1:
        so_far = f"Going backwards from the loss, {right[0]} is right; t"
    return (
        f"None of {tried} mistakes that were tried gives these numbers. "
        f"{so_far}he first difference is in the gradient of {name}: {numbers}."
    )
