"""The V-shaped curve: what a difference quotient errs by, against its step.

For large steps the truncation counts, eps (forward) or eps^2 (central); for small ones the rounding, noise / eps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symbackprop.errors import UsageError
from symbackprop.figures import BLUE, ORANGE, check_plot, new_figure, save_figure, without_frame

__all__ = ["Curve", "error_curve", "plot_curves"]

_EXPONENTS = np.linspace(-1, -15, 57)


@dataclass(frozen=True)
class Curve:
    """Relative errors of the two plain schemes for one weight, one for each step in ``eps``.

    ``reference`` is the derivative that they are compared with.
    """

    array: str
    index: tuple[int, ...]
    reference: float
    eps: tuple[float, ...]
    forward: tuple[float, ...]
    central: tuple[float, ...]

    @property
    def weight(self) -> str:
        """The weight's name: W1[0, 2]."""
        return f"{self.array}[{', '.join(map(str, self.index))}]" if self.index else self.array


def error_curve(
    cost: Callable[[float], float], w: float, reference: float, array: str, index: tuple[int, ...]
) -> Curve:
    """The curve of the weight at ``w`` that ``cost`` is a function of, for steps from 1e-1 to 1e-15."""
    here = cost(w)
    steps = [float(10.0**exponent) for exponent in _EXPONENTS]
    forward, central = [], []
    size = abs(reference) or 1.0
    for eps in steps:
        high, low = cost(w + eps), cost(w - eps)
        forward.append(abs((high - here) / eps - reference) / size)
        central.append(abs((high - low) / (2 * eps) - reference) / size)
    return Curve(array, index, reference, tuple(steps), tuple(forward), tuple(central))


def plot_curves(curves: Sequence[Curve], path: str | Path) -> Path:
    """Draw ``curves`` on one pair of logarithmic axes and write the picture, whole or not at all.

    Raises UsageError where matplotlib is missing, the suffix is unknown, or there is nothing to draw.
    """
    check_plot(path)
    if not curves:
        raise UsageError("there is no curve to draw: no gradient that was checked differs from 0")
    figure = new_figure(7.2, 4.8)
    _draw(figure.add_subplot(), curves)
    return save_figure(figure, path)


def _draw(axes: Any, curves: Sequence[Curve]) -> None:
    """Every weight in thin lines, the first in thick ones: a loss is no parabola in a weight of the first layer."""
    chosen = curves[0]
    schemes = (
        ("forward", BLUE, "o", r"forward  $(C(w + \epsilon) - C(w))\,/\,\epsilon$"),
        ("central", ORANGE, "s", r"central  $(C(w + \epsilon) - C(w - \epsilon))\,/\,2\epsilon$"),
    )
    for scheme, colour, marker, label in schemes:
        for curve in curves:
            main = curve is chosen
            thick = {"linewidth": 1.6, "marker": marker, "markersize": 3.2}
            style = thick if main else {"linewidth": 0.8, "alpha": 0.3}
            axes.plot(
                *_visible(curve.eps, getattr(curve, scheme)),
                color=colour,
                label=f"{label},  {chosen.weight}" if main else None,
                **style,
            )
        others = [curve.weight for curve in curves if curve is not chosen]
        if others:
            listed = ", ".join(others if len(others) <= 4 else [*others[:3], "..."])
            axes.plot([], [], color=colour, linewidth=0.8, alpha=0.4, label=f"{scheme},  {listed}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.invert_xaxis()
    axes.set_xlabel(r"step $\epsilon$")
    axes.set_ylabel(r"relative error  |quotient $- \;\partial C/\partial w|\;/\;|\partial C/\partial w|$")
    axes.set_title("Error of a difference quotient against its step")
    axes.grid(True, which="major", linewidth=0.4, alpha=0.5)
    axes.legend(frameon=False, fontsize="small")
    without_frame(axes)


def _visible(steps: Sequence[float], errors: Sequence[float]) -> tuple[list[float], list[float]]:
    """What logarithmic axes can show: an error that is exactly 0 is drawn at the roundoff."""
    shown = [(eps, max(error, 1e-17)) for eps, error in zip(steps, errors, strict=True) if np.isfinite(error)]
    return [eps for eps, _ in shown], [error for _, error in shown]
