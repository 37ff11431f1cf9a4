"""The picture of a run: the loss curve, and for two inputs what the network says in the plane of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.errors import UsageError
from symbackprop.figures import BLUE, ORANGE, check_plot, new_figure, save_figure, without_frame
from symbackprop.notation.program import Role
from symbackprop.training.result import Training

__all__ = ["plot_training"]

Array = npt.NDArray[Any]

_POINTS = 200
# What follows blue and orange in the palette of Okabe and Ito.
_COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
_MARKERS = "osD^vPX*"


def plot_training(run: Training, path: str | Path, scale: float = 1.0, label: str = "loss") -> Path:
    """Draw ``run`` and write the picture, whole or not at all.

    The losses are multiplied with ``scale`` and called ``label``. Beside the curve stands the decision boundary with
    the data, where the run has its data: examples of two inputs, and a number or a class for each. Raises UsageError
    where matplotlib is missing, the suffix is unknown, or there is no loss to draw.
    """
    check_plot(path)
    if not run.epochs:
        raise UsageError("there is no curve to draw: no epoch was done")
    plane = _plane(run)
    figure = new_figure(6.4 if plane is None else 11.0, 4.6)
    figure.suptitle(run.network)
    if plane is None:
        _draw_losses(figure.add_subplot(), run, scale, label)
    else:
        left, right = figure.subplots(1, 2)
        _draw_losses(left, run, scale, label)
        _draw_plane(figure, right, plane)
    return save_figure(figure, path)


def _draw_losses(axes: Any, run: Training, scale: float, label: str) -> None:
    losses = np.append(run.losses, run.loss) * scale
    axes.plot(np.arange(losses.size), losses, color=BLUE, linewidth=1.4, marker="o" if losses.size < 20 else None)
    # Logarithms where the losses go over several orders of magnitude; a straight line is worth seeing there.
    if losses.min() > 0 and losses.max() / losses.min() > 100:
        axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.set_title(f"{run.epochs} epochs, {run.settings.optimizer.name}, learning rate {run.settings.learning_rate:g}")
    axes.grid(True, which="major", linewidth=0.4, alpha=0.5)
    without_frame(axes)


@dataclass(frozen=True)
class _Plane:
    """Examples (N, 2) with their targets (N, K), and the outputs (rows, columns, K) on a grid.

    ``threshold`` is the output between two classes; None where there are not two.
    """

    points: Array
    targets: Array
    horizontal: Array
    vertical: Array
    outputs: Array
    threshold: float | None


def _plane(run: Training) -> _Plane | None:
    """The plane of a run whose examples are two numbers, and a number or a class that is said of each; else None."""
    if run.predict is None or run.predictions is None or run.predictions.ndim != 2:
        return None
    names = [v.name for v in run.predict.kernel.inputs if v.role is not Role.PARAMETER]
    targets = [array for name, array in run.data.items() if name not in names and array.shape == run.predictions.shape]
    if len(names) != 1 or len(targets) != 1 or run.data[names[0]].shape != (len(run.predictions), 2):
        return None
    points = run.data[names[0]]
    if len(points) < 2 or not (_is_one_number(targets[0]) or _are_classes(targets[0])):
        return None
    horizontal, vertical = (_spread(points[:, axis]) for axis in (0, 1))
    grid = np.stack(np.meshgrid(horizontal, vertical), axis=-1).reshape(-1, 2).astype(points.dtype)
    outputs = run.predict(run.parameters, **{names[0]: grid}).reshape(_POINTS, _POINTS, -1)
    return _Plane(points, targets[0], horizontal, vertical, outputs, _threshold(targets[0], run.loss_name))


def _is_one_number(targets: Array) -> bool:
    return bool(targets.shape[1] == 1)


def _are_classes(targets: Array) -> bool:
    """Whether every row says one class, for as many classes as there are colours."""
    one_hot = ((targets == 0) | (targets == 1)).all() and (targets.sum(axis=1) == 1).all()
    return bool(one_hot and targets.shape[1] <= len(_COLOURS))


def _spread(values: Array) -> Array:
    """Evenly spaced numbers from below the least of ``values`` to above the greatest."""
    low, high = float(values.min()), float(values.max())
    margin = 0.1 * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, _POINTS)


def _threshold(targets: Array, loss: str) -> float | None:
    values = np.unique(targets)
    if not _is_one_number(targets) or values.size != 2:
        return None
    return 0.0 if loss.endswith("_with_logits") else float(values.mean())


def _draw_plane(figure: Any, axes: Any, plane: _Plane) -> None:
    if plane.threshold is not None:
        _draw_two_classes(figure, axes, plane, plane.threshold)
    elif _is_one_number(plane.targets):
        _draw_numbers(figure, axes, plane)
    else:
        _draw_classes(axes, plane)
    axes.set_xlabel("first input")
    axes.set_ylabel("second input")


def _draw_two_classes(figure: Any, axes: Any, plane: _Plane, threshold: float) -> None:
    outputs = plane.outputs[:, :, 0]
    # A little beyond the threshold even where all outputs lie on one side of it.
    reach = max(float(np.abs(outputs - threshold).max()), 1e-9)
    levels = np.linspace(threshold - reach, threshold + reach, 21)
    filled = axes.contourf(plane.horizontal, plane.vertical, outputs, levels, cmap="PuOr", alpha=0.6)
    figure.colorbar(filled, ax=axes, label="output")
    if outputs.min() < threshold < outputs.max():
        axes.contour(plane.horizontal, plane.vertical, outputs, [threshold], colors="black", linewidths=1.4)
    first = plane.targets[:, 0] < plane.targets.mean()
    _draw_points(axes, plane, [~first, first], [f"target {value:g}" for value in np.unique(plane.targets)[::-1]])
    axes.set_title(f"Decision boundary, output {threshold:g}")


def _draw_classes(axes: Any, plane: _Plane) -> None:
    classes = plane.targets.shape[1]
    likeliest = plane.outputs.argmax(axis=-1)
    edges = np.arange(classes + 1) - 0.5
    axes.contourf(plane.horizontal, plane.vertical, likeliest, edges, colors=_COLOURS[:classes], alpha=0.25)
    axes.contour(plane.horizontal, plane.vertical, likeliest, edges[1:-1], colors="black", linewidths=1.0)
    meant = plane.targets.argmax(axis=1)
    _draw_points(axes, plane, [meant == k for k in range(classes)], [f"class {k}" for k in range(classes)])
    axes.set_title("Decision boundary, largest output")


def _draw_numbers(figure: Any, axes: Any, plane: _Plane) -> None:
    """The first output as colours, and the targets in the same ones."""
    outputs, targets = plane.outputs[:, :, 0], plane.targets[:, 0]
    low, high = min(outputs.min(), targets.min()), max(outputs.max(), targets.max())
    levels = np.linspace(low, high if high > low else low + 1, 21)
    filled = axes.contourf(plane.horizontal, plane.vertical, outputs, levels, cmap="viridis")
    figure.colorbar(filled, ax=axes, label="output")
    x, y = plane.points.T
    axes.scatter(x, y, s=30, c=targets, cmap="viridis", vmin=low, vmax=levels[-1], edgecolors="white", linewidths=0.8)
    axes.set_title("Output, and the targets in the same colours")


def _draw_points(axes: Any, plane: _Plane, groups: Sequence[Array], labels: Sequence[str]) -> None:
    # Many points are drawn small, or they hide each other and the boundary.
    size = 30 if len(plane.points) <= 200 else 10
    for group, label, colour, marker in zip(groups, labels, _COLOURS, _MARKERS, strict=False):
        x, y = plane.points[group].T
        axes.scatter(x, y, s=size, c=colour, marker=marker, edgecolors="black", linewidths=0.4, label=label)
    axes.legend(frameon=True, fontsize="small")
