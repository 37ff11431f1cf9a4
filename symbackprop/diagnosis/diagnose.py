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
from symbackprop.diagnosis.array_faults import array_faults, not_finite, of_lower_precision, wrong_shapes
from symbackprop.diagnosis.candidates import Candidate, candidates_of
from symbackprop.diagnosis.evidence import Evidence
from symbackprop.diagnosis.networks import other_networks
from symbackprop.diagnosis.scene import Scene, scene_of
from symbackprop.diagnosis.search import Search
from symbackprop.errors import SymbackpropError
from symbackprop.network import NetworkDescription
from symbackprop.progress import Progress

__all__ = ["Diagnosis", "diagnose"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong: one text, and every fault that fits, the most specific first; none where nothing does."""

    text: str
    candidates: tuple[Candidate, ...] = ()
    tried: int = 0


def diagnose(
    scenes: Sequence[Scene],
    evidence: Evidence,
    coarser: Mapping[str, Evidence],
    description: NetworkDescription | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """The diagnosis of the wrong arrays of ``evidence``.

    ``scenes`` are derivations of the same gradients at one point, the network's own first; ``coarser`` is the same
    evidence with the tolerance of coarser types, by their names. ``description`` says what else the network might be.
    ``progress`` is called with how many mistakes were tried, and how many are in sight.
    """
    if not evidence.wrong:
        return Diagnosis("")
    found = not_finite(evidence)
    searches = [Search(scene, evidence, progress) for scene in scenes]
    if not found:
        found = _by_one(searches, evidence, description)
    # What one mistake gives to the last digit is not the rounding of a coarser type, however small it is.
    for dtype, wider in coarser.items():
        found = found or of_lower_precision(evidence, wider, dtype)
    if not found:
        found = _by_two(searches, evidence, description)
    tried = sum(search.tried for search in searches)
    if not found:
        found = wrong_shapes(evidence)
    if not found:
        return Diagnosis(_first_difference(scenes[0], evidence, tried), (), tried)
    return Diagnosis(_text(found, tried), tuple(found), tried)


def _by_one(searches: Sequence[Search], evidence: Evidence, description: NetworkDescription | None) -> list[Candidate]:
    """What the arrays show, the mistakes that explain everything alone, and networks whose gradient it is."""
    by_array = array_faults(evidence)
    found = _joined(by_array) if set(by_array) == evidence.wrong else []
    fitting = [explanation for search in searches for explanation in search.by_one()]
    found += candidates_of(fitting, evidence, layer_numbers(searches[0].scene, description))
    if not found and description is not None:
        found = _of_other_networks(searches[0], evidence, description)
    return found


def _by_two(searches: Sequence[Search], evidence: Evidence, description: NetworkDescription | None) -> list[Candidate]:
    """Two mistakes, or one beside arrays that are wrong in themselves."""
    layers = layer_numbers(searches[0].scene, description)
    by_array = array_faults(evidence)
    if by_array:
        rest = replace(evidence, theirs={**evidence.theirs, **{name: evidence.right[name] for name in by_array}})
        fitting = [explanation for search in searches for explanation in Search(search.scene, rest).by_one()]
        others = candidates_of(fitting, rest, layers)
        return [_both(one, other) for one in _joined(by_array) for other in others]
    return candidates_of([found for search in searches for found in search.by_two()], evidence, layers)


def _joined(by_array: Mapping[str, list[Candidate]]) -> list[Candidate]:
    """One candidate of what is found in each array."""
    first = [candidates[0] for candidates in by_array.values()]
    kinds = tuple(dict.fromkeys(candidate.kind for candidate in first))
    text = " ".join(candidate.text for candidate in first)
    place = ", ".join(candidate.place for candidate in first)
    return [Candidate(kinds[0], kinds, place, text, entries=sum(candidate.entries for candidate in first))]


def _both(one: Candidate, other: Candidate) -> Candidate:
    return replace(
        other,
        kinds=(*one.kinds, *other.kinds),
        place=f"{one.place} and {other.place}",
        text=f"{one.text} {other.text}",
    )


def _of_other_networks(search: Search, evidence: Evidence, description: NetworkDescription) -> list[Candidate]:
    found, scene = [], search.scene
    wrt = scene.differentiation.wrt
    given = {variable.name: scene.values[variable.name] for variable in scene.differentiation.program.inputs}
    for place, words, program in other_networks(description):
        search.tried += 1
        try:
            other = scene_of(differentiate(program, wrt), given)
        except SymbackpropError:
            continue
        gradients = {weight: other.values[name] for name, weight in other.gradients.items()}
        if set(gradients) == set(evidence.right) and all(evidence.fits(n, gradients[n]) for n in gradients):
            text = f"{place[:1].upper()}{place[1:]}: this is the right gradient of another network: {words}."
            entries = sum(gradients[name].size for name in evidence.wrong)
            found.append(Candidate("another network", ("another network",), place, text, entries=entries))
    return found


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
    listed = "; ".join(f"{other.place}: {other.kind}" for other in others[:5])
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
