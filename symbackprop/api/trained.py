"""The training of a model: what is not said in the call is the resumed run's, the file's, or the default."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.errors import UsageError, nearest
from symbackprop.notation.program import Role, Variable
from symbackprop.optimizers import Optimizer
from symbackprop.progress import Progress, notice, progress_bar
from symbackprop.specification.file_arrays import at
from symbackprop.specification.toml import RunSettings
from symbackprop.specification.values import draw_parameters, initialization_named
from symbackprop.training.result import Training
from symbackprop.training.settings import DEFAULT_EPOCHS, Settings, changed_optimizer, chosen_optimizer
from symbackprop.training.train import check_same_network, needed, train

__all__ = ["Choices", "drawn_parameters", "train_model"]

if TYPE_CHECKING:
    from symbackprop.api.derivation import Derivation
    from symbackprop.api.models import Model

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Choices:
    """The settings that a call gives; None for those that it leaves open."""

    learning_rate: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    seed: int | None = None
    optimizer: str | Optimizer | None = None
    momentum: float | None = None

    def settings(self, run: RunSettings, earlier: Training | None) -> Settings:
        """Every setting: the call's, else that of the ``earlier`` run, else the file's in ``run``, else the default."""
        plain = ("learning_rate", "batch_size", "seed")
        base = run if earlier is None else earlier.settings
        found = {name: getattr(base if getattr(self, name) is None else self, name) for name in plain}
        optimizer = self._optimizer(run, None if earlier is None else earlier.settings)
        return Settings(**found, epochs=self._epochs(run, earlier), optimizer=optimizer)

    def _epochs(self, run: RunSettings, earlier: Training | None) -> int:
        if self.epochs is not None:
            return self.epochs
        if earlier is None:
            return DEFAULT_EPOCHS if run.epochs is None else run.epochs
        # A run that was stopped goes on to where it was going; another must be told how far, here or in the file.
        unfinished = earlier.epochs < earlier.settings.epochs
        return earlier.settings.epochs if unfinished or run.epochs is None else run.epochs

    def _optimizer(self, run: RunSettings, earlier: Settings | None) -> Optimizer:
        optimizer = self.optimizer
        if earlier is not None and optimizer in (None, earlier.optimizer.name):
            return changed_optimizer(earlier.optimizer, self.momentum)
        if optimizer is None:
            optimizer = run.optimizer
        momentum = run.momentum if self.momentum is None and optimizer == run.optimizer else self.momentum
        return chosen_optimizer(optimizer, momentum)


def drawn_parameters(
    model: Model, sizes: Mapping[str, int] | Mapping[sympy.Symbol, int], initialization: str | None, seed: int
) -> dict[str, Array]:
    """The parameters that the file of ``model`` gives, copied, and the rest drawn."""
    layout = "out_in" if model.description is None else model.description.weight_layout
    way = model.run.initialization if initialization is None else initialization
    drawn = draw_parameters(model.program, sizes, model.parameters, seed, way, layout)
    return {name: np.array(array) for name, array in drawn.items()}


def train_model(
    model: Model,
    parameters: Mapping[str, Any] | None,
    data: Mapping[str, Any],
    choices: Choices,
    initialization: str | None,
    wrt: str | Iterable[str] | None,
    sizes: Mapping[str, int] | None,
    resume: Training | str | Path | None,
    progress: bool | Progress,
) -> Training:
    """Train ``model`` with ``data`` in the place of the file's: see ``Model.train``."""
    if not (isinstance(progress, bool) or callable(progress)):
        raise UsageError(f"progress is {progress!r}; give True, False, or a function of (done, of, note)")
    earlier = _earlier(resume)
    _check_start(parameters, initialization, earlier)
    if earlier is not None:
        with at(str(resume)) if isinstance(resume, str | os.PathLike) else nullcontext():
            check_same_network(earlier, model.program)
    settings = choices.settings(model.run, earlier)
    derivation = model.derive(_trained(model, wrt, earlier))
    _check_trainable(model, derivation)
    loss = derivation.differentiation.loss
    data = {**model.data, **data}
    variables = [v for v in needed(model.program, (loss,)) if v.role is not Role.PARAMETER]
    _check_data(model, variables, data)
    if parameters is None and earlier is None:
        known = derivation.arguments.checked(tuple(variables), data).sizes
        numbers = {**{size.name: number for size, number in known.items()}, **(sizes or {})}
        parameters = drawn_parameters(model, numbers, initialization, settings.seed)
    arrays = derivation.arguments.together(parameters or {}, data)
    gradients = {name: gradient.adjoint_name for name, gradient in derivation.gradients.items()}
    with progress_bar("epochs", shown=progress is True) as bar:
        report = progress if callable(progress) else bar
        run = train(derivation.arguments, loss, gradients, arrays, settings, resume=earlier, progress=report)
    if run.stopped is not None and bar is not None:
        notice(f"{model.name}: {run.stopped}")
    return run


def _earlier(resume: Training | str | Path | None) -> Training | None:
    if resume is None or isinstance(resume, Training):
        return resume
    if isinstance(resume, str | os.PathLike):
        return Training.load(resume)
    raise UsageError(f"resume is {resume!r}; give what train returned, or the file it was saved to")


def _trained(model: Model, wrt: str | Iterable[str] | None, earlier: Training | None) -> str | Iterable[str] | None:
    """The parameters to train: the call's, else the earlier run's, else the file's."""
    if wrt is not None:
        return wrt
    return model.run.wrt if earlier is None else earlier.trained


def _check_start(parameters: Mapping[str, Any] | None, initialization: str | None, earlier: Training | None) -> None:
    given = [name for name, value in (("parameters", parameters), ("resume", earlier)) if value is not None]
    if len(given) > 1:
        raise UsageError("parameters and resume are both given; leave one of them out")
    if initialization is None:
        return
    initialization_named(initialization)
    if given:
        raise UsageError(f"initialization draws parameters, but {given[0]} has them; leave one of them out")


def _check_data(model: Model, variables: Iterable[Variable], data: Mapping[str, Any]) -> None:
    missing = [str(variable) for variable in variables if data.get(variable.name) is None]
    if missing:
        raise UsageError(
            f"{model.name} has no data for {', '.join(missing)}; give train(x=..., y=...), or the table [data] of a "
            "TOML file"
        )


def _check_trainable(model: Model, derivation: Derivation) -> None:
    known = [variable.name for variable in model.program.parameters]
    for name in derivation.differentiation.wrt:
        if name not in known:
            raise UsageError(f"wrt names {name!r}, which is no parameter to train; {nearest(name, known)}")
    if not derivation.gradients:
        names = ", ".join(derivation.unreached)
        raise UsageError(f"{model.name}: the loss does not depend on {names}; there is nothing to train")
