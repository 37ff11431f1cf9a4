"""A run of training: what came of it, and how it is kept in a file."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.codegen.function import CompiledFunction
from symbackprop.errors import UnreadableError, UsageError
from symbackprop.files import write_whole
from symbackprop.specification.points import read_npz
from symbackprop.training.settings import Settings

__all__ = ["Training", "check_file"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

_PREFIX = "training."
_FORMAT = 1


def check_file(path: str | Path) -> Path:
    """``path`` as one that a run can be kept in; UsageError where its name does not end in ``.npz``."""
    target = Path(path)
    if target.suffix != ".npz":
        raise UsageError(f"{target}: a run of training is kept in a file whose name ends in .npz, such as 'run.npz'")
    return target


@dataclass(frozen=True, eq=False, repr=False)
class Training:
    """What training came to.

    ``network``      the name of the network
    ``settings``     learning rate, epochs, batch size, seed, optimizer
    ``parameters``   arrays by name, after the last update
    ``losses``       (epochs,): the loss over all examples with which each epoch began, before its updates
    ``loss``         the loss with ``parameters``
    ``predictions``  the network's output for all examples with ``parameters``; None where the program names no output
    ``steps``        the number of updates
    ``remembered``   for each array that the optimizer keeps (such as "velocity"), one beside each weight
    ``stopped``      why it ended before ``settings.epochs``, in a sentence; None where it did not
    ``interrupted``  whether that was Ctrl-C
    ``seconds``      how long it took
    ``loss_name``    the name of the loss; empty for a program of one's own
    ``data``         the data by name, and ``predict(parameters, **data)``; a run that was loaded has neither
    """

    network: str
    settings: Settings
    parameters: Arrays
    losses: Array
    loss: float
    predictions: Array | None = None
    steps: int = 0
    remembered: Mapping[str, Arrays] = field(default_factory=dict)
    stopped: str | None = None
    interrupted: bool = False
    seconds: float = 0.0
    loss_name: str = ""
    data: Arrays = field(default_factory=dict)
    predict: CompiledFunction | None = None

    @property
    def epochs(self) -> int:
        """The number of epochs that were done."""
        return len(self.losses)

    def plot(self, path: str | Path) -> Path:
        """Draw the loss curve to a .png, .pdf or .svg file; beside it the decision boundary, where inputs are two."""
        from symbackprop.training.plot import plot_training

        return plot_training(self, path)

    def save(self, path: str | Path) -> Path:
        """Write everything to an ``.npz`` file, whole or not at all; training can be resumed from it.

        ``numpy.load(path)["W1"]`` is the parameter of that name; names with a dot hold the rest.
        """
        target = check_file(path)
        about = {
            "format": _FORMAT,
            "network": self.network,
            "loss_name": self.loss_name,
            "settings": self.settings.as_dict(),
            "loss": self.loss,
            "steps": self.steps,
            "stopped": self.stopped,
            "interrupted": self.interrupted,
            "seconds": self.seconds,
        }
        arrays: dict[str, Any] = {**self.parameters, f"{_PREFIX}losses": self.losses}
        for kind, kept in self.remembered.items():
            arrays |= {f"{_PREFIX}{kind}.{weight}": array for weight, array in kept.items()}
        if self.predictions is not None:
            arrays[f"{_PREFIX}predictions"] = self.predictions
        arrays[f"{_PREFIX}about"] = np.array(json.dumps(about))
        content = io.BytesIO()
        np.savez(content, **arrays)
        return write_whole(content.getvalue(), target)

    @staticmethod
    def load(path: str | Path) -> Training:
        """The run that was saved to ``path``; UnreadableError where it is no such file."""
        file = Path(path)
        arrays = read_npz(file)
        mine = {name.removeprefix(_PREFIX): arrays.pop(name) for name in list(arrays) if name.startswith(_PREFIX)}
        try:
            about = json.loads(str(mine.pop("about")))
            losses = mine.pop("losses")
            predictions = mine.pop("predictions", None)
            remembered: dict[str, dict[str, Array]] = {}
            for name, array in mine.items():
                kind, weight = name.split(".")
                remembered.setdefault(kind, {})[weight] = array
            return Training(
                network=about["network"],
                settings=Settings.of(about["settings"]),
                parameters=MappingProxyType(arrays),
                losses=losses,
                loss=float(about["loss"]),
                predictions=predictions,
                steps=int(about["steps"]),
                remembered=MappingProxyType(remembered),
                stopped=about["stopped"],
                interrupted=bool(about["interrupted"]),
                seconds=float(about["seconds"]),
                loss_name=about["loss_name"],
            )
        except UnreadableError as error:
            raise UnreadableError(f"{file}: {error}; train anew") from error
        except (KeyError, ValueError, TypeError) as error:
            raise UnreadableError(
                f"{file} holds arrays, but is no run of training; give a file that 'save' or 'train -o' wrote"
            ) from error

    def __repr__(self) -> str:
        epochs = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        first = f"{self.losses[0]:.6g} -> " if self.epochs else ""
        stopped = f"; stopped: {self.stopped}" if self.stopped else ""
        return f"Training({self.network!r}: {epochs}, loss {first}{self.loss:.6g}{stopped})"
