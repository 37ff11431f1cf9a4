"""A fault that fits, in words: where it is, which formula was used, which one is right, and how sure that is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy

from symbackprop.diagnosis.constants import in_words, is_coincidence
from symbackprop.diagnosis.edits import Edit
from symbackprop.diagnosis.evidence import Evidence
from symbackprop.diagnosis.kinds import rank
from symbackprop.diagnosis.scene import Scene
from symbackprop.diagnosis.search import Explanation, Mistake, settled
from symbackprop.notation.program import Equation

__all__ = ["Candidate", "candidates_of", "generality"]

_FEWEST_ENTRIES = 4
"""How many wrong entries a number that is none of the usual ones has to explain: any one entry it always does."""
_GENERAL = ("scale", "learning rate", "sign", "cut off")


@dataclass(frozen=True)
class Candidate:
    """A fault that predicts every entry of every array.

    ``kind``     what it is called, a key of ``symbackprop.diagnosis.kinds.KINDS``; the first one of several faults
    ``kinds``    of every fault, where it takes more than one
    ``place``    where it is: "layer 2", "the gradient of b1"
    ``text``     the whole finding in a sentence or two
    ``words``    the fault alone, in a few words
    ``used``     the formulas that were used, ``right`` the right ones, in index notation
    ``factor``   the number that was found, for a factor, a learning rate and the like
    ``entries``  how many wrong entries it predicts, to ``digits`` digits of the largest one
    """

    kind: str
    kinds: tuple[str, ...]
    place: str
    text: str
    words: str = ""
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
    for candidate in sorted(found, key=generality):
        unique.setdefault((candidate.kinds, candidate.used), candidate)
    return list(unique.values())


def generality(candidate: Candidate) -> tuple[int, bool, int, list[int]]:
    """By what candidates are sorted: fewer faults first, then fewer places, then the more specific kinds.

    That single entries are wrong is no more than what is seen, and comes last.
    """
    kinds = candidate.kinds
    return len(kinds), "entries" in kinds, len(candidate.used), [rank(kind) for kind in kinds]


# -- which explanations are worth telling ------------------------------------------------------------------------------


def _is_supported(explanation: Explanation, evidence: Evidence) -> bool:
    """Whether a number that was fitted explains more entries than it could by chance."""
    unusual = {m.factor for m in explanation.mistakes if m.factor and not m.names}
    entries = _wrong_entries(explanation.predicted, evidence)
    return entries >= _FEWEST_ENTRIES * len(unusual) and entries > len(unusual)


def _distinct(explained: Sequence[Explanation]) -> list[Explanation]:
    """Without a mere factor where something more specific at the same place says why, and once for each factor."""
    specific = {
        frozenset(edit.adjoint for edit in mistake.edits)
        for explanation in explained
        if len(explanation.mistakes) == 1
        for mistake in explanation.mistakes
        if mistake.kind not in _GENERAL
    }
    kept: list[Explanation] = []
    factors: dict[tuple[Any, ...], list[Explanation]] = {}
    for explanation in explained:
        mistake = explanation.mistakes[0]
        if len(explanation.mistakes) > 1 or mistake.edits[0].kind != "scale":
            kept.append(explanation)
        elif frozenset(edit.adjoint for edit in mistake.edits) not in specific:
            number = mistake.names or (float(f"{mistake.factor:.9g}"),)
            factors.setdefault((mistake.kind, *number), []).append(explanation)
    # A factor travels: where it gives the same numbers, the fewest places count, and the last is nearest to them.
    return [*kept, *(min(reversed(same), key=_places) for same in factors.values())]


def _places(explanation: Explanation) -> int:
    return sum(len(mistake.edits) for mistake in explanation.mistakes)


def _wrong_entries(predicted: Mapping[str, Any], evidence: Evidence) -> int:
    return sum(evidence.wrong_entries(name) for name in evidence.wrong & set(predicted))


# -- words -------------------------------------------------------------------------------------------------------------


def _candidates(explanation: Explanation, evidence: Evidence, layers: Mapping[str, int]) -> tuple[Candidate, ...]:
    """The explanation in words; a factor such as 0.1 = 1/(2N) may as well be a learning rate."""
    found = _candidate(explanation, evidence, layers)
    mistake = explanation.mistakes[0]
    if found.kinds != ("scale",) or mistake.factor is None or not is_coincidence(mistake.factor, mistake.names):
        return (found,)
    words = f"the gradients are multiplied by {mistake.factor:.6g}, as when a learning rate is multiplied in"
    text = f"{_sentence(found.place)}: {words}."
    return (found, replace(found, kind="learning rate", kinds=("learning rate",), text=text, words=words))


def _candidate(explanation: Explanation, evidence: Evidence, layers: Mapping[str, int]) -> Candidate:
    scene = explanation.scene
    names = sorted(evidence.wrong & set(explanation.predicted))
    entries = _wrong_entries(explanation.predicted, evidence)
    digits = min(evidence.digits(name, explanation.predicted[name]) for name in names)
    kinds = tuple(mistake.kind for mistake in explanation.mistakes)
    places = [_place(mistake.edits, scene, layers) for mistake in explanation.mistakes]
    formulas = {
        _formula(settled(edit, _nice(mistake)), scene): _formula(scene.adjoints[edit.adjoint].equation, scene)
        for mistake in explanation.mistakes
        for edit in mistake.edits
    }
    used, right = tuple(formulas), tuple(formulas.values())
    said = [_readable(scene, _words(mistake, scene)) for mistake in explanation.mistakes]
    findings = [f"{place}: {words}" for place, words in zip(places, said, strict=True)]
    counted = f"all {entries} wrong entries" if entries > 1 else "the one wrong entry"
    sure = f"this predicts {counted} of {', '.join(names)} to {digits:.0f} digits"
    shown = f"used was {used[0]}, right is {right[0]}"
    return Candidate(
        kind=kinds[0],
        kinds=kinds,
        place=" and ".join(places),
        text=f"{_sentence(' and '.join(findings))}; {shown}; {sure}.",
        words=" and ".join(said),
        used=used,
        right=right,
        factor=next((mistake.factor for mistake in explanation.mistakes if mistake.factor is not None), None),
        entries=entries,
        digits=digits,
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _words(mistake: Mistake, scene: Scene) -> str:
    words, factor = mistake.edits[0].words, mistake.factor
    if factor is None or mistake.edits[0].neutral is None:
        return words
    number = in_words(mistake.names) or _digits(mistake)
    if mistake.edits[0].kind != "scale":
        return f"{words} (by a step of {number})" if mistake.kind == "weights updated" else f"{words} ({number})"
    signal = words.removesuffix(" has another factor").removesuffix("there is another factor")
    signal = signal or mistake.edits[0].adjoint
    if factor == 0:
        return f"{signal} is 0: the error is not passed on"
    if mistake.kind == "sign":
        return f"{signal} has the wrong sign, as with y - a in place of a - y"
    why = ", a constant that is none of the usual ones, as when a learning rate is multiplied in"
    return f"{signal} is multiplied by {number}{why if mistake.kind == 'learning rate' else ''}"


def _digits(mistake: Mistake) -> str:
    """The factor with 6 digits, or as many as are known and make a difference: 1.00000001."""
    factor = mistake.factor or 0.0
    texts = (f"{factor:.{digits}g}" for digits in range(6, 17))
    return next((text for text in texts if abs(float(text) - factor) <= mistake.spread), repr(factor))


def _nice(mistake: Mistake) -> sympy.Expr | None:
    """The factor as a person would write it."""
    if mistake.factor is None:
        return None
    plain = Fraction(mistake.factor).limit_denominator(10_000)
    if abs(float(plain) - mistake.factor) <= 1e-12 * abs(mistake.factor):
        return sympy.Rational(plain.numerator, plain.denominator)
    return sympy.Float(_digits(mistake))


def _place(edits: Iterable[Edit], scene: Scene, layers: Mapping[str, int]) -> str:
    names = [scene.adjoints[edit.adjoint].of.name for edit in edits]
    numbers = [layers.get(name) for name in names]
    if all(number is not None for number in numbers):
        unique = sorted({number for number in numbers if number is not None})
        return f"layer {unique[0]}" if len(unique) == 1 else f"layers {', '.join(map(str, unique))}"
    return f"at {', '.join(names)}"


def _formula(equation: Equation, scene: Scene) -> str:
    return _readable(scene, str(equation))


def _readable(scene: Scene, text: str) -> str:
    """``text`` with adjoints written as derivatives, dL/dz1 for z1_bar, and moved rows by the name they had."""
    loss = scene.differentiation.loss
    names = {name: f"d{loss}/d{adjoint.of.name}" for name, adjoint in scene.adjoints.items()}
    moved = {
        variable.name: f"({name} of {words})" for name, others in scene.neighbours.items() for words, variable in others
    }
    known = {**names, **moved}
    pattern = "|".join(sorted(map(re.escape, known), key=len, reverse=True))
    return re.sub(rf"\b(?:{pattern})\b", lambda match: known[match[0]], text) if known else text
