"""A run of training: what came of it, and how it is kept in a file."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.documents.formats.fragment import html_fragment
from symbackprop.documents.tree import Paragraph, Table
from symbackprop.errors import UnreadableError, UsageError
from symbackprop.files import write_whole
from symbackprop.specification.points import read_npz
from symbackprop.training.plane import Plane
from symbackprop.training.settings import Settings

__all__ = ["Training", "check_file", "epochs_in_words"]

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


def epochs_in_words(count: int) -> str:
    """So many epochs."""
    return "1 epoch" if count == 1 else f"{count} epochs"


@dataclass(frozen=True, eq=False, repr=False)
class Training:
    """What training came to. The arrays are the caller's, who may change them.

    ``network``      the name of the network
    ``equations``    its equations, as text
    ``settings``     learning rate, epochs, batch size, seed, optimizer
    ``trained``      the names of the parameters that were trained; the others are as they were
    ``parameters``   arrays by name, after the last update
    ``losses``       (epochs,): the loss over all examples with which each epoch began, before its updates
    ``loss``         the loss with ``parameters``
    ``predictions``  the network's output for all examples with ``parameters``; None where the program names no output
    ``steps``        the number of updates
    ``remembered``   for each array that the optimizer keeps (such as "velocity"), one beside each weight
    ``stopped``      why it ended before ``settings.epochs``, in a sentence; None where it did not
    ``interrupted``  whether that was Ctrl-C
    ``seconds``      how long it took
    ``plane``        what ``plot`` draws beside the losses, where examples are two numbers; a loaded run has none
    """

    network: str
    equations: tuple[str, ...]
    settings: Settings
    trained: tuple[str, ...]
    parameters: Arrays
    losses: Array
    loss: float
    predictions: Array | None = None
    steps: int = 0
    remembered: Mapping[str, Arrays] = field(default_factory=dict)
    stopped: str | None = None
    interrupted: bool = False
    seconds: float = 0.0
    plane: Plane | None = None

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
        arrays: dict[str, Any] = {**self.parameters, f"{_PREFIX}losses": self.losses}
        for kind, kept in self.remembered.items():
            arrays |= {f"{_PREFIX}{kind}.{weight}": array for weight, array in kept.items()}
        if self.predictions is not None:
            arrays[f"{_PREFIX}predictions"] = self.predictions
        about = {name: getattr(self, name) for name in _PLAIN}
        about |= {"format": _FORMAT, "settings": self.settings.as_dict()}
        arrays[f"{_PREFIX}about"] = np.array(json.dumps(about))
        content = io.BytesIO()
        # Not numpy.savez, which takes names as arguments and so has some of its own.
        with zipfile.ZipFile(content, "w") as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, np.asarray(array), allow_pickle=False)
        return write_whole(content.getvalue(), target)

    @staticmethod
    def load(path: str | Path) -> Training:
        """The run that was saved to ``path``; UnreadableError where it is no such file."""
        file = check_file(path)
        arrays = read_npz(file)
        mine = {name.removeprefix(_PREFIX): arrays.pop(name) for name in list(arrays) if name.startswith(_PREFIX)}
        try:
            return _loaded(arrays, mine)
        except UnreadableError as error:
            raise UnreadableError(f"{file}: {error}; train anew") from error
        except (KeyError, ValueError, TypeError) as error:
            raise UnreadableError(
                f"{file} holds arrays, but is no run of training; give a file that 'save' or 'train -o' wrote"
            ) from error

    def __repr__(self) -> str:
        first = f"{self.losses[0]:.6g} -> " if self.epochs else ""
        stopped = f"; stopped: {self.stopped}" if self.stopped else ""
        return f"Training({self.network!r}: {epochs_in_words(self.epochs)}, loss {first}{self.loss:.6g}{stopped})"

    def _repr_html_(self) -> str:
        first = f"from {self.losses[0]:.6g} to " if self.epochs else ""
        done = f"{self.network}: {epochs_in_words(self.epochs)}, loss {first}{self.loss:.6g}"
        ended = f"; stopped: {self.stopped}" if self.stopped else ""
        rows = (
            ((name,), (_shape(array.shape),), ("yes" if name in self.trained else "no",))
            for name, array in self.parameters.items()
        )
        table = Table((("parameter",), ("shape",), ("trained",)), tuple(rows))
        return html_fragment([Paragraph((f"{done}{ended}.",)), table])


def _shape(shape: tuple[int, ...]) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(map(str, shape)) or "number"


_PLAIN: Mapping[str, Callable[[Any], bool]] = {
    "network": lambda value: isinstance(value, str),
    "equations": lambda value: isinstance(value, list | tuple) and all(isinstance(text, str) for text in value),
    "trained": lambda value: isinstance(value, list | tuple) and all(isinstance(name, str) for name in value),
    "loss": lambda value: isinstance(value, float) and math.isfinite(value),
    "steps": lambda value: isinstance(value, int) and value >= 0,
    "stopped": lambda value: value is None or isinstance(value, str),
    "interrupted": lambda value: isinstance(value, bool),
    "seconds": lambda value: isinstance(value, float) and value >= 0,
}
"""What is kept as text beside the arrays, and whether it can be what was written."""


def _loaded(parameters: dict[str, Array], rest: dict[str, Array]) -> Training:
    about = json.loads(str(rest.pop("about")))
    if about["format"] != _FORMAT:
        raise UnreadableError(f"it has format {about['format']}, and this version reads format {_FORMAT}")
    for name, is_right in _PLAIN.items():
        if not is_right(about[name]):
            raise UnreadableError(f"its {name} is {str(about[name])[:80]!r}")
    losses, predictions = rest.pop("losses"), rest.pop("predictions", None)
    remembered: dict[str, dict[str, Array]] = {}
    for name, array in rest.items():
        kind, weight = name.split(".")
        remembered.setdefault(kind, {})[weight] = array
    for array in (losses, *parameters.values(), *rest.values()):
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise UnreadableError("its arrays are no finite numbers")
    if losses.ndim != 1:
        raise UnreadableError(f"its losses have shape {losses.shape}")
    plain = {name: about[name] for name in _PLAIN}
    plain |= {name: tuple(about[name]) for name in ("equations", "trained")}
    return Training(
        settings=Settings.of(about["settings"]),
        parameters=parameters,
        losses=losses,
        predictions=predictions,
        remembered=remembered,
        **plain,
    )
