"""The V-shaped curve and its picture."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from symbackprop.errors import UnreadableError, UsageError
from symbackprop.figures import check_plot
from symbackprop.verification.curve import Curve, error_curve, plot_curves

MAGIC = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}


def curve(name: str = "W1") -> Curve:
    return error_curve(math.exp, 0.3, math.exp(0.3), name, (0, 1))


def slope(found: Curve, errors: tuple[float, ...], low: float, high: float) -> float:
    """The slope of the error on logarithmic axes between two steps."""
    chosen = [(eps, error) for eps, error in zip(found.eps, errors, strict=True) if low <= eps <= high]
    return float(np.polyfit(np.log([eps for eps, _ in chosen]), np.log([error for _, error in chosen]), 1)[0])


def test_the_curve_is_a_v():
    found = curve()
    assert (found.eps[0], found.eps[-1]) == (pytest.approx(1e-1), pytest.approx(1e-15))
    assert slope(found, found.forward, 1e-6, 1e-1) == pytest.approx(1, abs=0.05)
    assert slope(found, found.central, 1e-3, 1e-1) == pytest.approx(2, abs=0.05)
    assert slope(found, found.forward, 1e-14, 1e-9) == pytest.approx(-1, abs=0.5)
    assert min(found.central) < min(found.forward) < 1e-7


def test_a_wrong_reference_shows_as_a_floor():
    found = error_curve(math.exp, 0.3, 1.001 * math.exp(0.3), "W1", ())
    floor = [error for eps, error in zip(found.eps, found.central, strict=True) if 1e-9 < eps < 1e-3]
    assert floor == pytest.approx([1e-3] * len(floor), rel=1e-2)
    assert found.weight == "W1"


@pytest.mark.parametrize("suffix", MAGIC)
def test_pictures(suffix: str, tmp_path: Path):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"errors{suffix}"
    assert plot_curves([curve(), curve("b1")], path) == path
    assert path.read_bytes().startswith(MAGIC[suffix])
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_there_stays_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("matplotlib")

    def broken(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "errors.png"
    path.write_bytes(b"before")
    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(UnreadableError, match="No space left on device"):
        plot_curves([curve()], path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there(tmp_path: Path):
    pytest.importorskip("matplotlib")
    with pytest.raises(UnreadableError, match="cannot be written"):
        plot_curves([curve()], tmp_path / "nowhere" / "errors.png")


@pytest.mark.parametrize("name", ["errors", "errors.jpeg2", "errors.tex"])
def test_a_suffix_that_is_no_picture(name: str):
    with pytest.raises(UsageError, match=r"known are \.png, \.pdf, \.svg"):
        check_plot(name)


def test_without_matplotlib_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match=r"pip install 'symbackprop\[plot\]'"):
        check_plot("errors.png")


def test_nothing_to_draw(tmp_path: Path):
    pytest.importorskip("matplotlib")
    with pytest.raises(UsageError, match="no curve to draw"):
        plot_curves([], tmp_path / "errors.png")
