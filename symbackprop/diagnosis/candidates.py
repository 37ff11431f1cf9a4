"""A fault that fits, in words: where it is, which formula was used, which one is right, and how sure that is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symbackprop.diagnosis.constants import constants_of, is_coincidence, named
from symbackprop.diagnosis.edits import FACTOR, Edit
from symbackprop.diagnosis.evidence import Evidence
from symbackprop.diagnosis.kinds import rank
from symbackprop.diagnosis.scene import Scene
from symbackprop.diagnosis.search import Explanation, Mistake
from symbackprop.notation.program import Equation

__all__ = ["Candidate", "candidates_of"]

_FEWEST_ENTRIES = 4
"""How many wrong entries a number that is none of the usual ones has to explain: any one entry it always does."""
_ZERO = 1e-12
_GENERAL = ("scale", "learning rate", "sign", "cut off")


@dataclass(frozen=True)
class Candidate:
    """A fault that predicts every entry of every array.

    ``kind``     what it is called, a key of ``symbackprop.diagnosis.kinds.KINDS``; the first one of several faults
    ``kinds``    of every fault, where it takes more than one
    ``place``    where it is: "layer 2", "the gradient of b1"
    ``text``     the whole finding in a sentence or two
    ``used``     the formulas that were used, ``right`` the right ones, in index notation
    ``factor``   the number that was found, for a factor, a learning rate and the like
    ``entries``  how many wrong entries it predicts, to ``digits`` digits of the largest one
    """

    kind: str
    kinds: tuple[str, ...]
    place: str
    text: str
    used: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    factor: float | None = None
    entries: int = 0
    digits: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The candidate as JSON can say it."""
        return {
            "kind": self.kind,
            "kinds": list(self.kinds),
            "place": self.place,
            "text": self.text,
            "used": list(self.used),
            "right": list(self.right),
            "factor": self.factor,
            "entries": self.entries,
            "digits": round(self.digits, 1),
        }

    def __str__(self) -> str:
        return self.text


def candidates_of(explained: Sequence[Explanation], evidence: Evidence, layers: Mapping[str, int]) -> list[Candidate]:
    """The explanations in words, the most specific first, each once.

    ``layers`` says of variables in which layer they are, for networks that have any.
    """
    kept = _distinct([explanation for explanation in explained if _is_supported(explanation, evidence)])
    found = [c for explanation in kept for c in _candidates(explanation, evidence, layers)]
    unique: dict[tuple[Any, ...], Candidate] = {}
    for candidate in sorted(found, key=_generality):
        unique.setdefault((candidate.kinds, candidate.used), candidate)
    return list(unique.values())


def _generality(candidate: Candidate) -> tuple[int, int, list[int]]:
    """By what candidates are sorted: fewer faults first, then fewer places, then the more specific kinds."""
    return len(candidate.kinds), len(candidate.used), [rank(kind) for kind in candidate.kinds]


# -- which explanations are worth telling ------------------------------------------------------------------------------


def kind_of(mistake: Mistake, scene: Scene) -> str:
    """The kind of a mistake: what a factor is called depends on the number."""
    if mistake.kind != "scale" or mistake.factor is None:
        return mistake.kind
    if abs(mistake.factor) < _ZERO:
        return "cut off"
    name = named(mistake.factor, constants_of(scene))
    if name is None:
        return "learning rate"
    return "sign" if name == "-1" else "scale"


def _is_supported(explanation: Explanation, evidence: Evidence) -> bool:
    """Whether a number that was fitted explains more entries than it could by chance."""
    free = [mistake for mistake in explanation.mistakes if mistake.factor is not None]
    unusual = [
        m for m in free if abs(m.factor or 0) > _ZERO and named(m.factor or 0, constants_of(explanation.scene)) is None
    ]
    entries = _wrong_entries(explanation.predicted, evidence)
    return entries >= _FEWEST_ENTRIES * len(unusual) and entries > len(unusual)


def _distinct(explained: Sequence[Explanation]) -> list[Explanation]:
    """Without a mere factor where something more specific at the same place says why, and once for each factor."""
    specific = {
        frozenset(edit.adjoint for edit in mistake.edits)
        for explanation in explained
        if len(explanation.mistakes) == 1
        for mistake in explanation.mistakes
        if kind_of(mistake, explanation.scene) not in _GENERAL
    }
    kept: list[Explanation] = []
    factors: dict[tuple[str, float], list[Explanation]] = {}
    for explanation in explained:
        mistake = explanation.mistakes[0]
        if len(explanation.mistakes) > 1 or mistake.kind != "scale" or mistake.factor is None:
            kept.append(explanation)
            continue
        if frozenset(edit.adjoint for edit in mistake.edits) not in specific:
            factor = 0.0 if abs(mistake.factor) < _ZERO else float(f"{mistake.factor:.9g}")
            factors.setdefault((kind_of(mistake, explanation.scene), factor), []).append(explanation)
    # A factor travels: where it gives the same numbers, the fewest places count, and the last is nearest to them.
    return [*kept, *(min(reversed(same), key=_places) for same in factors.values())]


def _places(explanation: Explanation) -> int:
    return sum(len(mistake.edits) for mistake in explanation.mistakes)


def _wrong_entries(predicted: Mapping[str, Any], evidence: Evidence) -> int:
    count = 0
    for name in evidence.wrong & set(predicted):
        theirs, mine = evidence.theirs[name], evidence.right[name]
        if theirs.shape != mine.shape:
            count += theirs.size
        else:
            count += int((evidence.differences(name) > evidence.tolerance[name]).sum())
    return count


# -- words -------------------------------------------------------------------------------------------------------------


def _candidates(explanation: Explanation, evidence: Evidence, layers: Mapping[str, int]) -> tuple[Candidate, ...]:
    """The explanation in words; a factor such as 0.1 = 1/(2N) may as well be a learning rate."""
    found = _candidate(explanation, evidence, layers)
    factor = explanation.mistakes[0].factor
    if found.kinds != ("scale",) or factor is None or not is_coincidence(factor, constants_of(explanation.scene)):
        return (found,)
    step = replace(found, kind="learning rate", kinds=("learning rate",), text=_as_step(found, factor))
    return (found, step)


def _as_step(found: Candidate, factor: float) -> str:
    why = "as when a learning rate is multiplied in"
    return f"{_sentence(found.place)}: the gradients are multiplied by {factor:.6g}, {why}."


def _candidate(explanation: Explanation, evidence: Evidence, layers: Mapping[str, int]) -> Candidate:
    scene = explanation.scene
    names = sorted(evidence.wrong & set(explanation.predicted))
    entries = _wrong_entries(explanation.predicted, evidence)
    digits = min(evidence.digits(name, explanation.predicted[name]) for name in names)
    kinds = tuple(kind_of(mistake, scene) for mistake in explanation.mistakes)
    places = [_place(mistake.edits, scene, layers) for mistake in explanation.mistakes]
    edits = [(edit, mistake.factor) for mistake in explanation.mistakes for edit in mistake.edits]
    formulas = {
        _formula(edit.equation, scene, factor): _formula(scene.adjoints[edit.adjoint].equation, scene)
        for edit, factor in edits
    }
    used, right = tuple(formulas), tuple(formulas.values())
    findings = [
        f"{place}: {_words(mistake, scene)}" for place, mistake in zip(places, explanation.mistakes, strict=True)
    ]
    sure = f"this predicts all {entries} wrong entries of {', '.join(names)} to {digits:.0f} digits"
    shown = f"used was {used[0]}, right is {right[0]}"
    return Candidate(
        kind=kinds[0],
        kinds=kinds,
        place=" and ".join(places),
        text=f"{_sentence(' and '.join(findings))}; {shown}; {sure}.",
        used=used,
        right=right,
        factor=next((mistake.factor for mistake in explanation.mistakes if mistake.factor is not None), None),
        entries=entries,
        digits=digits,
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _words(mistake: Mistake, scene: Scene) -> str:
    words = mistake.edits[0].words
    factor = mistake.factor
    if factor is None or mistake.edits[0].neutral is None:
        return words
    number = named(factor, constants_of(scene)) or f"{factor:.6g}"
    signal = _readable(scene, mistake.edits[0].adjoint)
    if mistake.kind == "scale":
        if abs(factor) < _ZERO:
            return f"{signal} is 0: the error is not passed on"
        if number == "-1":
            return f"{signal} has the wrong sign, as with y - a in place of a - y"
        kind = kind_of(mistake, scene)
        why = ", a constant that is none of the usual ones, as when a learning rate is multiplied in"
        return f"{signal} is multiplied by {number}{why if kind == 'learning rate' else ''}"
    if mistake.kind == "weights updated":
        return f"{words} (by a step of {factor:.6g})"
    return f"{words} (a factor of {number})"


def _place(edits: Iterable[Edit], scene: Scene, layers: Mapping[str, int]) -> str:
    names = [scene.adjoints[edit.adjoint].of.name for edit in edits]
    numbers = [layers.get(name) for name in names]
    if all(number is not None for number in numbers):
        unique = sorted({number for number in numbers if number is not None})
        return f"layer {unique[0]}" if len(unique) == 1 else f"layers {', '.join(map(str, unique))}"
    return f"at {', '.join(names)}"


def _formula(equation: Equation, scene: Scene, factor: float | None = None) -> str:
    text = str(equation)
    if factor is not None:
        text = text.replace(FACTOR.name, f"{factor:.6g}")
    return _readable(scene, text)


def _readable(scene: Scene, text: str) -> str:
    """``text`` with adjoints written as derivatives: dL/dz1 for z1_bar."""
    loss = scene.differentiation.loss
    names = {name: f"d{loss}/d{adjoint.of.name}" for name, adjoint in scene.adjoints.items()}
    pattern = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.sub(rf"\b(?:{pattern})\b", lambda match: names[match[0]], text) if names else text
