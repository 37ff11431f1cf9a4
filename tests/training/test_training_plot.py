"""The picture of a run: what is drawn, from which numbers, and that nothing of it is a warning."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from descents import Descent, network, program_descent, small

import symbackprop as sbp
from symbackprop.training import plot as plot_module
from symbackprop.training.plot import plot_training

pytest.importorskip("matplotlib", reason="plots are an optional extra")

Draw = Callable[..., Any]
CURVE = "6 epochs, sgd, learning rate 0.1"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """The figure of a run, and not its pixels."""
    figures: list[Any] = []
    monkeypatch.setattr(plot_module, "save_figure", lambda figure, path: figures.append(figure) or Path(path))

    def draw(run: sbp.Training, *arguments: Any) -> Any:
        assert plot_training(run, "curve.png", *arguments) == Path("curve.png")
        return figures[-1]

    return draw


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pictures without a layout: what is drawn is drawn all the same, and sooner."""
    figure = importlib.import_module("matplotlib.figure").Figure
    monkeypatch.setattr(plot_module, "new_figure", lambda width, height: figure((width, height), dpi=40))
    monkeypatch.setattr(plot_module, "_POINTS", 20)


def plane(loss: str, output: str, units: int = 1, examples: int = 12, **data: Any) -> Descent:
    """A network of two inputs."""
    net = sbp.Network(2, [sbp.Dense(4, "tanh"), sbp.Dense(units, output)], loss)
    descent = network(net, examples, learning_rate=0.1, epochs=6)
    return Descent(net, descent.parameters, {**descent.data, **data}, descent.axes, descent.settings)


TWO = np.array([0.0, 1.0] * 6)[:, None]
CLASSES = np.eye(3)[np.arange(12) % 3]
PLANES = {
    "a sigmoid": (plane("binary_cross_entropy", "sigmoid", y=TWO), "Decision boundary, output 0.5", 3),
    "logits": (plane("binary_cross_entropy_with_logits", "identity", y=TWO), "Decision boundary, output 0", 3),
    "a hinge": (plane("hinge", "identity", y=2 * TWO - 1), "Decision boundary, output 0", 3),
    "two values": (plane("half_squared_error", "identity", y=3 * TWO + 1), "Decision boundary, output 2.5", 3),
    "three classes": (
        plane("categorical_cross_entropy", "softmax", 3, y=CLASSES),
        "Decision boundary, largest output",
        2,
    ),
    "three classes of logits": (
        plane("categorical_cross_entropy_with_logits", "identity", 3, y=CLASSES),
        "Decision boundary, largest output",
        2,
    ),
    "a regression": (plane("half_squared_error", "identity"), "Output, and the targets in the same colours", 3),
}


@pytest.mark.parametrize("what", PLANES)
def test_two_inputs_have_a_plane(what: str, drawn: Draw):
    descent, title, axes = PLANES[what]
    figure = drawn(descent.train())
    # A colour bar is an axes of its own.
    assert [a.get_title() for a in figure.axes] == [CURVE, title, ""][:axes]
    assert (figure.axes[1].get_xlabel(), figure.axes[1].get_ylabel()) == ("first input", "second input")
    if axes == 3:
        assert figure.axes[2].get_ylabel() == "output"
    # Every data point is inside.
    x, (left, right), (low, high) = descent.data["x"], figure.axes[1].get_xlim(), figure.axes[1].get_ylim()
    assert left < x[:, 0].min() <= x[:, 0].max() < right
    assert low < x[:, 1].min() <= x[:, 1].max() < high


@pytest.mark.parametrize("what", ["a sigmoid", "a hinge", "two values", "three classes"])
def test_points_stand_where_they_belong(what: str, drawn: Draw):
    descent, _, _ = PLANES[what]
    axes = drawn(descent.train()).axes[1]
    x, y = descent.data["x"], descent.data["y"]
    groups = {c.get_label(): np.asarray(c.get_offsets()) for c in axes.collections if c.get_label()[:1] != "_"}
    if what == "three classes":
        expected = {f"class {k}": x[y[:, k] == 1] for k in range(3)}
    else:
        expected = {f"target {value:g}": x[y[:, 0] == value] for value in np.unique(y)}
    assert groups.keys() == expected.keys()
    for label, points in expected.items():
        np.testing.assert_array_equal(groups[label], points)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(groups)


def check_boundary(what: str, drawn: Draw) -> None:
    """The network's own output on the line that is drawn is the threshold."""
    descent, title, _ = PLANES[what]
    threshold = float(title.split()[-1])
    run = descent.train(epochs=200)
    axes = drawn(run).axes[1]
    (line,) = [c for c in axes.collections if list(getattr(c, "levels", ())) == [threshold]]
    corners = np.concatenate([path.vertices for path in line.get_paths()])
    assert len(corners) > 20
    predict = descent.model.derive().compile().predict
    assert np.abs(predict(run.parameters, corners) - threshold).max() < 1e-3


@pytest.mark.parametrize("what", ["a sigmoid", "logits", "a hinge", "two values"])
def test_the_boundary_is_where_the_output_is_the_threshold(what: str, drawn: Draw):
    check_boundary(what, drawn)


FAULTS: dict[str, Callable[[Any], Any]] = {
    "the inputs exchanged": lambda plane: dataclasses.replace(plane, outputs=plane.outputs.transpose(1, 0, 2)),
    "upside down": lambda plane: dataclasses.replace(plane, outputs=plane.outputs[::-1]),
    "a little to the side": lambda plane: dataclasses.replace(plane, horizontal=plane.horizontal + 0.02),
    "another threshold": lambda plane: dataclasses.replace(plane, outputs=plane.outputs + 0.01),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_boundary_is_noticed(fault: str, drawn: Draw, monkeypatch: pytest.MonkeyPatch):
    right = plot_module._picture
    monkeypatch.setattr(plot_module, "_picture", lambda plane: FAULTS[fault](right(plane)))
    with pytest.raises(AssertionError):
        check_boundary("a sigmoid", drawn)


def test_the_grid_is_the_networks_output():
    run = PLANES["three classes"][0].train()
    horizontal, vertical = np.linspace(-2, 3, 7), np.linspace(-1, 4, 5)
    outputs = run.plane.outputs(horizontal, vertical)
    assert outputs.shape == (5, 7, 3)
    predict = PLANES["three classes"][0].model.derive().compile().predict
    for row, column in np.ndindex(5, 7):
        point = np.array([[horizontal[column], vertical[row]]])
        np.testing.assert_allclose(outputs[row, column], predict(run.parameters, point)[0], rtol=1e-12)


def test_a_regression_has_the_targets_in_the_colours_of_the_output(drawn: Draw):
    descent, _, _ = PLANES["a regression"]
    axes = drawn(descent.train()).axes[1]
    (points,) = [c for c in axes.collections if len(c.get_offsets()) == 12]
    np.testing.assert_array_equal(points.get_array(), descent.data["y"][:, 0])
    (filled,) = [c for c in axes.collections if hasattr(c, "levels")]
    assert points.get_cmap().name == filled.get_cmap().name
    assert points.get_clim() == pytest.approx((filled.levels[0], filled.levels[-1]))
    assert filled.levels[0] <= descent.data["y"].min()
    assert filled.levels[-1] >= descent.data["y"].max()


ALONE = {
    "several numbers": plane("half_squared_error", "identity", 2),
    "more classes than colours": plane("categorical_cross_entropy", "softmax", 9, y=np.eye(9)[np.arange(12) % 9]),
    "no whole classes": plane("categorical_cross_entropy", "softmax", 3),
    "one data point": plane("half_squared_error", "identity", examples=1),
}


@pytest.mark.parametrize("what", ALONE)
def test_what_has_no_boundary_has_a_curve_alone(what: str, drawn: Draw):
    assert [axes.get_title() for axes in drawn(ALONE[what].train()).axes] == [CURVE]


def test_other_inputs_have_a_curve_alone(drawn: Draw):
    net = sbp.Network(3, [sbp.Dense(2, "tanh"), sbp.Dense(1)], "half_squared_error")
    figure = drawn(network(net, 5, learning_rate=0.1, epochs=6).train())
    assert [axes.get_title() for axes in figure.axes] == [CURVE]
    for name in ("unreached", "embedding", "names"):
        assert len(drawn(program_descent(name, learning_rate=0.01, epochs=2).train()).axes) == 1


def test_a_run_from_a_file_has_a_curve_alone(tmp_path: Path, drawn: Draw):
    run = PLANES["a sigmoid"][0].train()
    figure = drawn(sbp.Training.load(run.save(tmp_path / "run.npz")))
    assert [axes.get_title() for axes in figure.axes] == [CURVE]
    assert figure.axes[0].lines[0].get_ydata().tolist() == [*run.losses, run.loss]


@pytest.mark.parametrize("scale", [1.0, 6.0])
def test_the_curve_is_every_loss_and_the_last_one(scale: float, drawn: Draw):
    run = small(epochs=6).train()
    axes = drawn(run, scale, "loss, sum").axes[0]
    (line,) = axes.lines
    assert line.get_xdata().tolist() == list(range(7))
    np.testing.assert_array_equal(line.get_ydata(), np.array([*run.losses, run.loss]) * scale)
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ("epoch", "loss, sum", CURVE)


def with_losses(*losses: float) -> sbp.Training:
    run = small(epochs=len(losses) - 1).train()
    return dataclasses.replace(run, losses=np.array(losses[:-1]), loss=losses[-1], plane=None)


@pytest.mark.parametrize(("losses", "scale"), [
    ((1.0, 0.5, 0.2), "linear"),
    ((1.0, 0.1, 0.001), "log"),
    ((1.0, 0.1, 0.0), "linear"),
    ((1.0, -1.0, -1000.0), "linear"),
    ((3.0, 3.0, 3.0), "linear"),
])  # fmt: skip
def test_many_orders_of_magnitude_have_a_logarithmic_axis(losses: tuple[float, ...], scale: str, drawn: Draw):
    assert drawn(with_losses(*losses)).axes[0].get_yscale() == scale


# -- what is large, and what is all alike ------------------------------------------------------------------------------


@pytest.mark.parametrize("losses", [
    (1.0, 1e100, 1e200, 1e300),
    (1.0, 1.7e308),
    (1e300, 1e-300),
    (0.0, 0.0),
    (1e-320, 1.0),
])  # fmt: skip
@pytest.mark.usefixtures("coarse")
def test_any_finite_losses_can_be_drawn(losses: tuple[float, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A run that diverged is just what one wants to see; and no warning comes with it."""
    figures: list[Any] = []
    save = plot_module.save_figure
    monkeypatch.setattr(plot_module, "save_figure", lambda *given: figures.append(given[0]) or save(*given))
    assert with_losses(*losses).plot(tmp_path / "curve.png").stat().st_size > 1000
    axes = figures[0].axes[0]
    drawn = np.log10(losses) if "logarithm" in axes.get_ylabel() else np.array(losses)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), drawn)
    low, high = axes.get_ylim()
    assert low <= drawn.min() <= drawn.max() <= high


def test_a_run_that_diverged_is_drawn(tmp_path: Path):
    run = plane("half_squared_error", "identity").train(learning_rate=10.0, epochs=1000)
    assert run.stopped is not None
    run.plot(tmp_path / "curve.svg")


def constant(descent: Descent, output: list[float]) -> Descent:
    """A network that says the same everywhere."""
    flat = {name: np.zeros_like(array) for name, array in descent.parameters.items()} | {"b2": np.array(output)}
    return Descent(descent.model, flat, descent.data, descent.axes, {**descent.settings, "wrt": "W1"})


CONSTANT = {
    "the same class": constant(PLANES["three classes"][0], [5.0, 0.0, 0.0]),
    "no class": constant(PLANES["three classes"][0], [0.0, 0.0, 0.0]),
    "a large threshold": constant(plane("half_squared_error", "identity", y=1e9 * (TWO + 1)), [1.5e9]),
    "above the threshold": constant(PLANES["a sigmoid"][0], [3.0]),
    "a large number": constant(plane("half_squared_error", "identity", y=np.full((12, 1), 1e20)), [1e20]),
}


@pytest.mark.parametrize("what", CONSTANT)
@pytest.mark.usefixtures("coarse")
def test_a_network_that_says_the_same_everywhere(what: str, tmp_path: Path):
    assert CONSTANT[what].train().plot(tmp_path / "plane.png").stat().st_size > 1000


@pytest.mark.parametrize("x", [np.zeros((12, 2)), np.full((12, 2), 1e300)])
@pytest.mark.usefixtures("coarse")
def test_points_that_are_all_alike(x: np.ndarray, tmp_path: Path):
    plane("half_squared_error", "tanh", x=x).train(learning_rate=1e-9).plot(tmp_path / "plane.png")


def test_a_program_of_so_many_examples_has_a_curve_alone(drawn: Draw):
    """It cannot be asked for the points of a grid, which are others and more."""
    program = sbp.Program(
        ["z[n,k] = Sum(x[n,i]*w[k,i], i)", "L = Sum((z[n,k] - y[n,k])**2, n, k)"],
        "L",
        inputs={"x": (6, 2)},
        targets={"y": (6, 1)},
        parameters={"w": (1, 2)},
        output="z",
    )
    rng = np.random.default_rng(0)
    run = program.train({"w": [[1.0, 2.0]]}, rng.normal(size=(6, 2)), rng.normal(size=(6, 1)), epochs=2)
    assert len(drawn(run).axes) == 1


def test_a_program_whose_rows_have_to_do_with_each_other_has_a_curve_alone(
    drawn: Draw, monkeypatch: pytest.MonkeyPatch
):
    """What it says of a point depends on the others, and all points of the grid together are too many."""
    monkeypatch.setattr(plot_module, "_POINTS", 5)
    descent = program_descent("no batch", learning_rate=0.01, epochs=2)
    rng = np.random.default_rng(0)
    run = descent.model.train(
        {"Q": rng.normal(size=(2, 2)), "g": 0.5}, rng.normal(size=(4, 2)), np.eye(2)[[0, 1, 1, 0]], epochs=2
    )
    assert len(drawn(run).axes) == 1


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_the_suffix_is_the_format(suffix: str, begins: bytes, tmp_path: Path):
    path = tmp_path / f"curve{suffix}"
    run = small(epochs=6).train()
    assert run.plot(path) == path
    assert path.read_bytes().startswith(begins)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_classes_can_be_written(tmp_path: Path):
    assert PLANES["three classes"][0].train().plot(tmp_path / "plane.png").stat().st_size > 1000


@pytest.mark.parametrize(("name", "says"), [
    ("curve.doc", "suffix '.doc', so no format for a plot; known are .png, .pdf, .svg"),
    ("curve", "no suffix, so no format for a plot; known are"),
])  # fmt: skip
def test_another_suffix_is_refused(name: str, says: str, tmp_path: Path):
    with pytest.raises(sbp.UsageError, match=says):
        small().train().plot(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_was_trained_there_is_no_curve(tmp_path: Path):
    run = small(learning_rate=1e200).train()
    assert run.epochs == 0
    with pytest.raises(sbp.UsageError, match="there is no curve to draw: no epoch was done"):
        run.plot(tmp_path / "curve.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("coarse")
def test_a_write_that_fails_leaves_the_old_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = small().train().plot(tmp_path / "curve.png")
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("symbackprop.files.os.replace", full)
    with pytest.raises(sbp.UnreadableError, match=r"curve\.png cannot be written: No space left on device"):
        small(epochs=9).train().plot(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["curve.png"]
