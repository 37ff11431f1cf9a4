"""The training of a model: what is not said in the call is the resumed run's, the file's, or the default."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.errors import UsageError, nearest
from symbackprop.notation.program import Role
from symbackprop.optimizers import Optimizer
from symbackprop.progress import Progress, notice, progress_bar
from symbackprop.specification.toml import RunSettings
from symbackprop.specification.values import INITIALIZATIONS, draw_parameters
from symbackprop.training.result import Training
from symbackprop.training.settings import DEFAULT_EPOCHS, Settings, changed_optimizer, chosen_optimizer
from symbackprop.training.train import needed, train

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

    def settings(self, run: RunSettings, earlier: Settings | None) -> Settings:
        """Every setting: the call's, else that of the ``earlier`` run, else the file's in ``run``, else the default."""
        plain = ("learning_rate", "epochs", "batch_size", "seed")
        base = earlier or run
        found = {name: getattr(base if getattr(self, name) is None else self, name) for name in plain}
        if found["epochs"] is None:
            found["epochs"] = DEFAULT_EPOCHS
        return Settings(**found, optimizer=self._optimizer(run, earlier))

    def _optimizer(self, run: RunSettings, earlier: Settings | None) -> Optimizer:
        optimizer = self.optimizer
        if earlier is not None and optimizer in (None, earlier.optimizer.name):
            return changed_optimizer(earlier.optimizer, self.momentum)
        if optimizer is None:
            optimizer = run.optimizer
        momentum = run.momentum if self.momentum is None and optimizer == run.optimizer else self.momentum
        return chosen_optimizer(optimizer, momentum)


def drawn_parameters(
    model: Model, sizes: Mapping[sympy.Symbol, int], initialization: str | None, seed: int
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
    resume: Training | str | Path | None,
    progress: bool | Progress,
) -> Training:
    """Train ``model`` with ``data`` in the place of the file's: see ``Model.train``."""
    earlier = Training.load(resume) if isinstance(resume, str | os.PathLike) else resume
    if not (earlier is None or isinstance(earlier, Training)):
        raise UsageError(f"resume is {resume!r}; give what train returned, or the file it was saved to")
    if initialization is not None and initialization not in INITIALIZATIONS:
        known = nearest(str(initialization), INITIALIZATIONS)
        raise UsageError(f"unknown initialization {initialization!r}; {known}")
    if earlier is not None and parameters is not None:
        raise UsageError("parameters and resume are both given; leave one of them out")
    settings = choices.settings(model.run, earlier.settings if earlier else None)
    derivation = model.derive(earlier.trained if earlier is not None and wrt is None else wrt)
    _check_trainable(model, derivation)
    loss = derivation.differentiation.loss
    data = {**model.data, **data}
    if parameters is None and earlier is None:
        wanted = [v for v in needed(model.program, (loss,)) if v.role is not Role.PARAMETER]
        sizes = derivation.arguments.checked(tuple(wanted), data).sizes
        parameters = drawn_parameters(model, sizes, initialization, settings.seed)
    arrays = derivation.arguments.together(parameters or {}, data)
    gradients = {name: gradient.adjoint_name for name, gradient in derivation.gradients.items()}
    with progress_bar("epochs", shown=progress is True) as bar:
        report = progress if callable(progress) else bar
        run = train(derivation.arguments, loss, gradients, arrays, settings, resume=earlier, progress=report)
    if run.stopped is not None and bar is not None:
        notice(f"{model.name}: {run.stopped}")
    return run


def _check_trainable(model: Model, derivation: Derivation) -> None:
    known = [variable.name for variable in model.program.parameters]
    for name in derivation.differentiation.wrt:
        if name not in known:
            raise UsageError(f"wrt names {name!r}, which is no parameter to train; {nearest(name, known)}")
    if not derivation.gradients:
        names = ", ".join(derivation.unreached)
        raise UsageError(f"{model.name}: the loss does not depend on {names}; there is nothing to train")
