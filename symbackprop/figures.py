"""Figures by matplotlib, which is an extra: looked for when a figure is asked for, and written whole."""

from __future__ import annotations

import io
from pathlib import Path
from types import ModuleType
from typing import Any

from symbackprop.errors import UsageError
from symbackprop.files import write_whole

__all__ = ["BLUE", "ORANGE", "SUFFIXES", "check_plot", "new_figure", "save_figure", "without_frame"]

SUFFIXES = (".png", ".pdf", ".svg")
"""The formats of a plot, by suffix."""
# Of Okabe and Ito, which differ for every kind of colour vision.
BLUE, ORANGE = "#0072B2", "#D55E00"


def check_plot(path: str | Path) -> None:
    """UsageError unless a plot can be drawn to a file with the suffix of ``path``."""
    suffix = Path(path).suffix
    if suffix not in SUFFIXES:
        what = f"suffix {suffix!r}" if suffix else "no suffix"
        raise UsageError(f"{path}: {what}, so no format for a plot; known are {', '.join(SUFFIXES)}")
    _figure_module()


def new_figure(width: float, height: float) -> Any:
    """An empty matplotlib figure of so many inches; UsageError where matplotlib is missing."""
    return _figure_module().Figure(figsize=(width, height), dpi=150, layout="constrained")


def save_figure(figure: Any, path: str | Path) -> Path:
    """Write ``figure`` in the format of the suffix, whole or not at all."""
    content = io.BytesIO()
    figure.savefig(content, format=Path(path).suffix[1:])
    return write_whole(content.getvalue(), Path(path))


def without_frame(axes: Any) -> None:
    """Take away the two sides of the frame that say nothing."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _figure_module() -> ModuleType:
    try:
        import matplotlib.figure
    except ImportError as error:
        raise UsageError("a plot needs matplotlib; install it with pip install 'symbackprop[plot]'") from error
    return matplotlib.figure
