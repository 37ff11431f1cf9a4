"""Somebody's own backward pass, held against the derived gradients, with its fault named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.adjoint.sweep import differentiate
from symbackprop.api.derivation import Derivation
from symbackprop.api.models import Model
from symbackprop.diagnosis.conventions import conventions
from symbackprop.diagnosis.correspondence import Correspondence, call, correspondence
from symbackprop.diagnosis.diagnose import Case, diagnose
from symbackprop.diagnosis.evidence import Evidence
from symbackprop.diagnosis.result import VERDICTS, ArrayCheck, GradientCheck, checked_array
from symbackprop.diagnosis.scene import Scene, scene_of
from symbackprop.errors import SizeError, UsageError, nearest
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
    dtype: npt.DTypeLike | None = None,
    wrt: str | Sequence[str] | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
    **more: Any,
) -> GradientCheck:
    """Hold a backward pass of your own against the derived gradients of ``net``, and name its fault.

    ``theirs``      a function ``backward(parameters, x, y)``, or arrays by name. It returns the gradients by name (W1,
                    dW1, grad_W1 and the like are understood), or a tuple of them in the order of ``wrt``, or a list for
                    the biases and one for the weights, or the loss and the gradients
    ``parameters``  arrays by name, x (N, D) and y (N, K): the point. What is not given is the network file's, or drawn
                    from ``seed``; then a batch of one, a batch of several and a trained point are checked. Your
                    function gets copies of what you give, in its shape and dtype, labels as labels
    ``names``       the network's names to yours, where they differ: {"W1": "w1"}
    ``layout``      of your weights, "out_in" or "in_out"; by default the network's, or what the shapes say
    ``examples``    "rows", or "columns" where your x is (D, N), your biases (H, 1)
    ``dtype``       "float32" where your code computes in single precision, or "float16"; by default the coarsest type
                    of your parameters
    ``wrt``         the gradients to check, by default of every parameter in the network's order
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
    precision = None if dtype is None else _precision(dtype)
    if not (callable(theirs) or isinstance(theirs, Mapping)):
        raise UsageError(
            f"theirs is of type {type(theirs).__name__}; give a function of (parameters, x, y), or arrays by name"
        )
    derivation = net.derive(wrt)
    declared = [variable.name for variable in net.program.inputs]
    for name in derivation.differentiation.wrt:
        if name not in declared:
            raise UsageError(
                f"wrt names {name}, which an equation defines; name parameters or inputs, such as {declared[0]}"
            )
    own_layout = "out_in" if net.description is None else net.description.weight_layout
    data = {**more, **{name: value for name, value in (("x", x), ("y", y)) if value is not None}}
    match = correspondence(
        net.program,
        parameters,
        data,
        names=names,
        layout=layout,
        own_layout=own_layout,
        examples=examples,
        order=derivation.differentiation.wrt,
        sizes=net.sizes,
    )
    own = None if parameters is None else match.parameters(parameters)
    given = given_values(net.program, {**net.data, **net.parameters}, own, match.data(data))
    check = _Check(derivation, match, theirs, given, precision, seed)
    return check.run(progress)


def _precision(dtype: npt.DTypeLike) -> str:
    """The name of the floating type ``dtype``, which may be said in any of NumPy's ways."""
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if name not in _UNITS:
        raise UsageError(f"unknown dtype {dtype!r}; {nearest(name, _UNITS)}")
    return name


@dataclass(frozen=True, eq=False)
class _Checked:
    """One point: its case, and what is said of each array there."""

    point: Point
    case: Case
    arrays: Mapping[str, ArrayCheck]
    notes: tuple[str, ...]


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
        checked = [self._checked(point) for point in where]
        found = diagnose([one.case for one in checked], self.model.description, progress)
        return GradientCheck(
            diagnosis=found.text or f"All {len(self.wanted)} gradients are right.",
            candidates=found.candidates,
            arrays={name: max((one.arrays[name] for one in checked), key=_badness) for name in self.wanted},
            points=tuple(one.point.name for one in checked),
            notes=tuple(f"{one.point.name}: {note}" for one in checked for note in one.notes),
            tried=found.tried,
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
        try:
            values = checked_values(program, self.given, drawing)
        except SizeError as error:
            if not self.match.remedy:
                raise
            raise SizeError(f"{error}; {self.match.remedy}") from error
        return points(self.witness, values, self._derived, drawing)

    def _derived(self, arrays: Arrays) -> dict[str, Array]:
        """The derived gradients at ``arrays``, in float64."""
        scene = scene_of(self.derivation.differentiation, arrays, self.model.sizes)
        return {weight: scene.values[name] for name, weight in scene.gradients.items()}

    def _checked(self, point: Point) -> _Checked:
        scene = scene_of(self.derivation.differentiation, point.arrays, self.model.sizes)
        derived = {weight: scene.values[name] for name, weight in scene.gradients.items() if weight in self.wanted}
        found = self.match.gradients(self._called(point.arrays), self.wanted, point.arrays)
        unit = self._unit()
        theirs = {name: array.astype(np.float64) for name, array in found.items()}
        evidence = Evidence(theirs, derived, self._tolerance(scene, derived, point.arrays, unit), unit)
        words, evidence = _by_convention(scene, evidence)
        coarser = {
            name: replace(evidence, tolerance=self._tolerance(scene, derived, point.arrays, wide), unit=wide)
            for name, wide in _UNITS.items()
            if wide > unit and evidence.wrong
        }
        case = Case((scene, *self._unfused(point.arrays)), evidence, coarser)
        entries = SingleEntries(self.witness, point.arrays) if evidence.wrong else None
        arrays = {
            name: checked_array(
                evidence,
                name,
                at_kink=not np.array_equal(evidence.right[name], derived[name]),
                differences=None if entries is None else partial(entries.difference, name),
            )
            for name in self.wanted
        }
        return _Checked(point, case, arrays, (*point.notes, *words, *_of_integers(found, derived)))

    def _called(self, arrays: Arrays) -> Any:
        if isinstance(self.theirs, Mapping):
            return self.theirs
        parameters, data = self.match.given(arrays, self._own_type())
        return call(self.theirs, parameters, data)

    def _own_type(self) -> str:
        """The coarsest floating type among the parameters that were given, which is what their code computes in."""
        names = [variable.name for variable in self.model.program.parameters]
        types = {np.asarray(self.given[name]).dtype.name for name in names if name in self.given}
        return max(types & {*_UNITS}, key=_UNITS.__getitem__, default="float64")

    def _unit(self) -> float:
        return _UNITS[self.dtype or self._own_type()]

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

    def _report(self, point: Point) -> Report:
        data: dict[str, Any] = dict(point.arrays)
        parameters = {variable.name: data.pop(variable.name) for variable in self.model.program.parameters}
        placed = {name: data.pop(name) for name in ("x", "y") if name in data}
        return self.derivation.verify(parameters, placed.get("x"), placed.get("y"), **data)


def _by_convention(scene: Scene, evidence: Evidence) -> tuple[tuple[str, ...], Evidence]:
    """The evidence by the slopes that they take at kinks, where those are others than the derived ones."""
    best = evidence
    said: tuple[str, ...] = ()
    if evidence.wrong:
        for words, made in conventions(scene):
            wanted = {name: array for name, array in made.items() if name in evidence.right}
            other = replace(evidence, right={**evidence.right, **wanted})
            if _wrong_entries(other) < _wrong_entries(best):
                best, said = other, (f"some arguments lie on a kink, where {words} is taken; that is as right as any",)
    return said, best


def _wrong_entries(evidence: Evidence) -> int:
    return sum(evidence.wrong_entries(name) for name in evidence.wrong)


def _of_integers(found: Arrays, derived: Arrays) -> tuple[str, ...]:
    """What is to be said of gradients that came as integers, which hold none."""
    names = [name for name, array in found.items() if array.dtype.kind in "biu" and derived[name].any()]
    return (f"the gradient of {', '.join(names)} came as integers; make it floating-point numbers",) if names else ()


def _badness(array: ArrayCheck) -> tuple[int, float]:
    return VERDICTS.index(array.verdict), array.error
