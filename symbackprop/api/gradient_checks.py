"""Somebody's own backward pass, held against the derived gradients, with its fault named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.adjoint.sweep import differentiate
from symbackprop.api.derivation import Derivation
from symbackprop.api.models import Model
from symbackprop.diagnosis.candidates import Candidate
from symbackprop.diagnosis.correspondence import Correspondence, call, correspondence
from symbackprop.diagnosis.diagnose import Diagnosis, diagnose
from symbackprop.diagnosis.evidence import Evidence
from symbackprop.diagnosis.result import VERDICTS, ArrayCheck, GradientCheck, checked_array
from symbackprop.diagnosis.scene import Scene, scene_of
from symbackprop.errors import UsageError, nearest
from symbackprop.progress import Progress
from symbackprop.verification.points import Drawing, Point, points
from symbackprop.verification.report import Report
from symbackprop.verification.rounding import rounding
from symbackprop.verification.single_entries import SingleEntries
from symbackprop.verification.verify import checked_values, given_values
from symbackprop.verification.witness import Witness, witness_of

__all__ = ["check_gradients"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

_UNITS = {"float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11}
_SAFETY = 64
_ROUNDINGS = 64
"""A tolerance is 64 times the rounding that was measured, and 64 units of the entry: room for any order of sums."""


def check_gradients(
    theirs: Any,
    net: Model,
    parameters: Mapping[str, Any] | None = None,
    x: Any = None,
    y: Any = None,
    *,
    names: Mapping[str, str] | None = None,
    layout: str | None = None,
    examples: str = "rows",
    dtype: str | None = None,
    wrt: str | Sequence[str] | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
    **more: Any,
) -> GradientCheck:
    """Hold a backward pass of your own against the derived gradients of ``net``, and name its fault.

    ``theirs``      a function ``backward(parameters, x, y)``, or arrays by name. It returns the gradients by name (W1,
                    dW1, grad_W1 and the like are understood), or a tuple of them in the network's order, or a list for
                    the biases and one for the weights, or the loss and the gradients
    ``parameters``  arrays by name, x (N, D) and y (N, K): the point. What is not given is the network file's, or drawn
                    from ``seed``; then a batch of one, a batch of several and a trained point are checked
    ``names``       the network's names to yours, where they differ: {"W1": "w1"}
    ``layout``      of your weights, "out_in" or "in_out"; by default the network's, or what the shapes say
    ``examples``    "rows", or "columns" where your x is (D, N), your biases (H, 1)
    ``dtype``       "float32" where your code computes in single precision; by default that of your parameters
    ``wrt``         the gradients to check, by default of every parameter
    ``progress``    called with the number of mistakes tried, and of those in sight, while a fault is looked for
    ``more``        other inputs of a program by name

    A bias gradient may be (H,), (1, H) or (H, 1). The result has ``ok``, ``diagnosis``, ``candidates``, ``arrays`` and
    ``report``; ``print`` it. Raises UsageError and SizeError for what does not fit.

    >>> net = Network(2, [Dense(3, "tanh"), Dense(1)], "half_squared_error")
    >>> def backward(parameters, x, y):
    ...     a1 = np.tanh(x @ parameters["W1"].T + parameters["b1"])
    ...     delta2 = (a1 @ parameters["W2"].T + parameters["b2"] - y) / len(x)
    ...     delta1 = delta2 @ parameters["W2"]
    ...     return {"W1": delta1.T @ x, "b1": delta1.sum(0), "W2": delta2.T @ a1, "b2": delta2.sum(0)}
    >>> check_gradients(backward, net).candidates[0].kind
    'derivative left out'
    """
    if not isinstance(net, Model):
        raise UsageError(f"net is of type {type(net).__name__}; give a Network or a Program")
    if dtype is not None and str(np.dtype(dtype) if dtype in ("f", "d") else dtype) not in _UNITS:
        raise UsageError(f"unknown dtype {dtype!r}; {nearest(str(dtype), _UNITS)}")
    if not (callable(theirs) or isinstance(theirs, Mapping)):
        raise UsageError(
            f"theirs is of type {type(theirs).__name__}; give a function of (parameters, x, y), or arrays by name"
        )
    derivation = net.derive(wrt)
    own_layout = "out_in" if net.description is None else net.description.weight_layout
    match = correspondence(net.program, parameters, names, layout, own_layout, examples)
    own = None if parameters is None else match.parameters(parameters)
    data = {**more, **{name: value for name, value in (("x", x), ("y", y)) if value is not None}}
    given = given_values(net.program, {**net.data, **net.parameters}, own, match.data(data))
    check = _Check(derivation, match, theirs, given, dtype, seed)
    return check.run(progress)


@dataclass
class _Case:
    """One point: what is right there, and what they found."""

    point: Point
    scenes: tuple[Scene, ...]
    evidence: Evidence
    coarser: Mapping[str, Evidence]
    arrays: dict[str, ArrayCheck]


class _Check:
    def __init__(
        self,
        derivation: Derivation,
        match: Correspondence,
        theirs: Any,
        given: Mapping[str, Any],
        dtype: str | None,
        seed: int | None,
    ) -> None:
        self.derivation = derivation
        self.model = derivation.network
        self.match = match
        self.theirs = theirs
        self.given = given
        self.dtype = dtype
        self.seed = self.model.run.seed if seed is None else seed
        self.witness: Witness = witness_of(derivation.program, self.model.sizes)
        self.wanted = tuple(name for name in derivation.differentiation.wrt if name not in derivation.unreached)

    def run(self, progress: Progress | None) -> GradientCheck:
        where = self._points()
        cases = [self._case(point) for point in where]
        wrong = [case for case in cases if not all(array.ok for array in case.arrays.values())]
        diagnoses = [
            diagnose(case.scenes, _without_kinks(case), case.coarser, self.model.description, progress)
            for case in wrong
        ]
        candidates = _common(diagnoses)
        return GradientCheck(
            diagnosis=self._text(wrong, diagnoses, candidates),
            candidates=candidates,
            arrays={name: max((c.arrays[name] for c in cases), key=_badness) for name in self.wanted},
            points=tuple(case.point.name for case in cases),
            notes=tuple(f"{point.name}: {note}" for point in where for note in point.notes),
            tried=sum(diagnosis.tried for diagnosis in diagnoses),
            _report=lambda: self._report(where[0]),
        )

    # -- points and numbers ------------------------------------------------------------------------------------------

    def _points(self) -> tuple[Point, ...]:
        program = self.model.program
        missing = [variable.name for variable in program.inputs if variable.name not in self.given]
        if missing and not callable(self.theirs):
            raise UsageError(
                f"gradients are arrays, so they belong to one point, but {', '.join(missing)} would be drawn; "
                "give all parameters and data with them"
            )
        drawing = Drawing(
            "" if self.model.description is None else self.model.description.loss.name,
            "out_in" if self.model.description is None else self.model.description.weight_layout,
            self.model.sizes,
            self.seed,
            self.model.run.initialization,
        )
        values = checked_values(program, self.given, drawing)
        return points(self.witness, values, self._derived, drawing)

    def _derived(self, arrays: Arrays) -> dict[str, Array]:
        """The derived gradients at ``arrays``, in float64."""
        scene = scene_of(self.derivation.differentiation, arrays, self.model.sizes)
        return {weight: scene.values[name] for name, weight in scene.gradients.items()}

    def _case(self, point: Point) -> _Case:
        differentiation = self.derivation.differentiation
        scene = scene_of(differentiation, point.arrays, self.model.sizes)
        right = {weight: scene.values[name] for name, weight in scene.gradients.items() if weight in self.wanted}
        found = self.match.gradients(self._called(point.arrays), self.wanted, point.arrays)
        unit = self._unit()
        theirs = {name: array.astype(np.float64) for name, array in found.items()}
        evidence = Evidence(theirs, right, self._tolerance(scene, right, point.arrays, unit), unit)
        coarser = {
            name: replace(evidence, tolerance=self._tolerance(scene, right, point.arrays, wide), unit=wide)
            for name, wide in _UNITS.items()
            if wide > unit and evidence.wrong
        }
        scenes = (scene, *self._unfused(point.arrays))
        case = _Case(point, scenes, evidence, coarser, {})
        entries = SingleEntries(self.witness, point.arrays) if evidence.wrong else None
        kinks = entries is not None and bool(self.witness.borders) and entries.on_kink()
        for name in self.wanted:
            marked = None
            if entries is not None and kinks and theirs[name].shape == right[name].shape:
                asked = ~(evidence.differences(name) <= evidence.tolerance[name])
                marked = entries.at_kinks(name, theirs[name], asked)
            asking = None if entries is None else lambda at, name=name, entries=entries: entries.difference(name, at)
            case.arrays[name] = checked_array(evidence, name, marked, asking)
        return case

    def _called(self, arrays: Arrays) -> Any:
        if isinstance(self.theirs, Mapping):
            return self.theirs
        parameters, data = self.match.given(arrays)
        if self._single_parameters():
            parameters = {name: array.astype(np.float32) for name, array in parameters.items()}
            data = {n: array.astype(np.float32) if array.dtype.kind == "f" else array for n, array in data.items()}
        return call(self.theirs, parameters, data)

    def _single_parameters(self) -> bool:
        """Whether the parameters were given in float32, which is then what their code computes in."""
        names = [variable.name for variable in self.model.program.parameters]
        given = [np.asarray(self.given[name]) for name in names if name in self.given]
        return bool(given) and all(array.dtype == np.float32 for array in given)

    def _unit(self) -> float:
        if self.dtype is not None:
            return _UNITS[str(self.dtype)]
        return _UNITS["float32" if self._single_parameters() else "float64"]

    def _tolerance(self, scene: Scene, right: Arrays, arrays: Arrays, unit: float) -> dict[str, Array]:
        by_weight = {weight: name for name, weight in scene.gradients.items() if weight in right}
        program = scene.differentiation.adjoint_program
        measured = rounding(program, arrays, self.model.sizes, [*by_weight.values()], unit, any_form=True)
        least = np.finfo(np.float32 if unit > 1e-10 else np.float64).tiny
        return {
            weight: _SAFETY * measured[name] + _ROUNDINGS * unit * np.abs(right[weight]) + least
            for weight, name in by_weight.items()
        }

    def _unfused(self, arrays: Arrays) -> tuple[Scene, ...]:
        """The chain through the probabilities, in which other mistakes can be made than in the fused one."""
        program = self.model.unfused
        if program is None:
            return ()
        return (scene_of(differentiate(program, self.wanted), arrays, self.model.sizes),)

    # -- words -------------------------------------------------------------------------------------------------------

    def _text(self, wrong: list[_Case], diagnoses: list[Diagnosis], candidates: tuple[Candidate, ...]) -> str:
        if not wrong:
            return f"All {len(self.wanted)} gradients are right."
        if candidates or len(diagnoses) == 1 or not all(diagnosis.candidates for diagnosis in diagnoses):
            best = next((d for d in diagnoses if d.candidates[:1] == candidates[:1]), diagnoses[0])
            return best.text
        first, name = diagnoses[0].text, wrong[0].point.name
        return f"No one fault fits at every point. {name[:1].upper()}{name[1:]}: {first}"

    def _report(self, point: Point) -> Report:
        data: dict[str, Any] = dict(point.arrays)
        parameters = {variable.name: data.pop(variable.name) for variable in self.model.program.parameters}
        placed = {name: data.pop(name) for name in ("x", "y") if name in data}
        return self.derivation.verify(parameters, placed.get("x"), placed.get("y"), **data)


def _without_kinks(case: _Case) -> Evidence:
    """The evidence with the entries that a kink excuses taken for right."""
    theirs = dict(case.evidence.theirs)
    for name, array in case.arrays.items():
        if array.ok:
            theirs[name] = case.evidence.right[name]
    return replace(case.evidence, theirs=theirs)


def _common(diagnoses: list[Diagnosis]) -> tuple[Candidate, ...]:
    """The faults that fit at every point where something is wrong."""
    if not diagnoses:
        return ()
    kept = [
        candidate
        for candidate in diagnoses[-1].candidates
        if all(any(_same(candidate, other) for other in d.candidates) for d in diagnoses)
    ]
    return tuple(kept)


def _same(one: Candidate, other: Candidate) -> bool:
    """Whether two candidates, found at two points, are the same fault; a factor such as N has another value there."""
    return one.kinds == other.kinds and one.place == other.place


def _badness(array: ArrayCheck) -> tuple[int, float]:
    return VERDICTS.index(array.verdict), array.error
