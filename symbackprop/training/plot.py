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
from symbackprop.training.plane import Plane, are_classes
from symbackprop.training.result import Training, epochs_in_words

__all__ = ["plot_training"]

Array = npt.NDArray[Any]

_POINTS = 300
_LARGEST = 1e100
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
    picture = _picture(run.plane)
    figure = new_figure(6.4 if picture is None else 11.0, 4.6)
    figure.suptitle(run.network if len(run.network) < 60 else f"{run.network[:57]}...")
    if picture is None:
        _draw_losses(figure.add_subplot(), run, scale, label)
    else:
        left, right = figure.subplots(1, 2)
        _draw_losses(left, run, scale, label)
        _draw_picture(figure, right, picture)
    return save_figure(figure, path)


def _draw_losses(axes: Any, run: Training, scale: float, label: str) -> None:
    with np.errstate(all="ignore"):
        losses = np.append(run.losses, run.loss) * scale
        logarithms = np.log10(losses)
    epochs, style = np.arange(losses.size), {"color": BLUE, "linewidth": 1.4}
    style["marker"] = "o" if losses.size < 20 else None
    # matplotlib's own logarithmic axes overflow long before a loss does that diverges.
    if losses.max() > _LARGEST:
        axes.plot(epochs, np.where(np.isfinite(logarithms), logarithms, np.nan), **style)
        label = f"decimal logarithm of the {label}"
    else:
        axes.plot(epochs, losses, **style)
        # Logarithms where the losses go over several orders of magnitude; a straight line is worth seeing there.
        if losses.min() > 0 and losses.max() > 100 * losses.min():
            axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.set_title(f"{epochs_in_words(run.epochs)}, {run.settings.in_words()}")
    axes.grid(True, which="major", linewidth=0.4, alpha=0.5)
    without_frame(axes)


@dataclass(frozen=True)
class _Picture:
    """A plane with its outputs (rows, columns, K) on a grid."""

    plane: Plane
    horizontal: Array
    vertical: Array
    outputs: Array


def _picture(plane: Plane | None) -> _Picture | None:
    if plane is None:
        return None
    horizontal, vertical = (_spread(plane.points[:, axis]) for axis in (0, 1))
    outputs = plane.outputs(horizontal, vertical)
    return None if outputs is None else _Picture(plane, horizontal, vertical, outputs)


def _spread(values: Array) -> Array:
    """Evenly spaced numbers from below the least of ``values`` to above the greatest."""
    low, high = float(values.min()), float(values.max())
    margin = max(0.1 * (high - low), 1e-3 * max(abs(low), abs(high))) or 1.0
    return np.linspace(low - margin, high + margin, _POINTS)


def _levels(low: float, high: float) -> Array:
    """Increasing numbers from ``low`` to ``high``, or around them where they are nearly the same."""
    middle = (low + high) / 2
    reach = max((high - low) / 2, 1e-6 * max(1.0, abs(middle)))
    return np.linspace(middle - reach, middle + reach, 21)


def _draw_picture(figure: Any, axes: Any, picture: _Picture) -> None:
    plane = picture.plane
    if plane.threshold is not None:
        _draw_two_classes(figure, axes, picture, plane.threshold)
    elif are_classes(plane.targets):
        _draw_classes(axes, picture)
    else:
        _draw_numbers(figure, axes, picture)
    axes.set_xlabel("first input")
    axes.set_ylabel("second input")


def _draw_two_classes(figure: Any, axes: Any, picture: _Picture, threshold: float) -> None:
    outputs, targets = picture.outputs[:, :, 0], picture.plane.targets[:, 0]
    reach = float(np.abs(outputs - threshold).max())
    levels = _levels(threshold - reach, threshold + reach)
    filled = axes.contourf(picture.horizontal, picture.vertical, outputs, levels, cmap="PuOr", alpha=0.6)
    figure.colorbar(filled, ax=axes, label="output")
    if outputs.min() < threshold < outputs.max():
        axes.contour(picture.horizontal, picture.vertical, outputs, [threshold], colors="black", linewidths=1.4)
    low, high = np.unique(targets)
    _draw_points(axes, picture, [targets == high, targets == low], [f"target {high:g}", f"target {low:g}"])
    axes.set_title(f"Decision boundary, output {threshold:g}")


def _draw_classes(axes: Any, picture: _Picture) -> None:
    classes = picture.plane.targets.shape[1]
    likeliest = picture.outputs.argmax(axis=-1)
    edges = np.arange(classes + 1) - 0.5
    axes.contourf(picture.horizontal, picture.vertical, likeliest, edges, colors=_COLOURS[:classes], alpha=0.25)
    between = [edge for edge in edges if likeliest.min() < edge < likeliest.max()]
    if between:
        axes.contour(picture.horizontal, picture.vertical, likeliest, between, colors="black", linewidths=1.0)
    meant = picture.plane.targets.argmax(axis=1)
    _draw_points(axes, picture, [meant == k for k in range(classes)], [f"class {k}" for k in range(classes)])
    axes.set_title("Decision boundary, largest output")


def _draw_numbers(figure: Any, axes: Any, picture: _Picture) -> None:
    """The output as colours, and the targets in the same ones."""
    outputs, targets = picture.outputs[:, :, 0], picture.plane.targets[:, 0]
    levels = _levels(min(outputs.min(), targets.min()), max(outputs.max(), targets.max()))
    filled = axes.contourf(picture.horizontal, picture.vertical, outputs, levels, cmap="viridis")
    figure.colorbar(filled, ax=axes, label="output")
    x, y = picture.plane.points.T
    colours = {"cmap": "viridis", "vmin": levels[0], "vmax": levels[-1]}
    axes.scatter(x, y, s=30, c=targets, edgecolors="white", linewidths=0.8, **colours)
    axes.set_title("Output, and the targets in the same colours")


def _draw_points(axes: Any, picture: _Picture, groups: Sequence[Array], labels: Sequence[str]) -> None:
    points = picture.plane.points
    # Many points are drawn small, or they hide each other and the boundary.
    size = 30 if len(points) <= 200 else 10
    for group, label, colour, marker in zip(groups, labels, _COLOURS, _MARKERS, strict=False):
        x, y = points[group].T
        axes.scatter(x, y, s=size, c=colour, marker=marker, edgecolors="black", linewidths=0.4, label=label)
    axes.legend(frameon=True, fontsize="small")
