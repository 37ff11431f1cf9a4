"""What others have published: faults in code, and faults that somebody saw where there was none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import published_code as code
import published_networks as nets
from bank_case import NONE, Array, Arrays, Code, Faults

__all__ = ["PUBLISHED", "Published", "facts"]

TABLE = Path(__file__).parents[1] / "data" / "published_code.json"
Point = tuple[dict[str, Array], Any, Any]
Data = Mapping[str, Any]


@cache
def facts() -> dict[str, Any]:
    """The whole table."""
    return json.loads(TABLE.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Published:
    """A published backward pass: right without ``fault``; ``read`` takes the printed numbers out of its gradients."""

    id: str
    network: Callable[[], Any]
    point: Callable[[Data], Point]
    code: Code
    fault: str
    kinds: tuple[str, ...]
    read: Callable[[Arrays], dict[str, Array]] | None

    @property
    def fact(self) -> dict[str, Any]:
        """Its row of the table."""
        (row,) = (row for row in facts()["code"] if row["id"] == self.id)
        return row

    @property
    def arrays(self) -> Point:
        """Parameters, x and y: the published ones, or such as will do where none are."""
        data = self.fact["data"]
        shared = facts()["examples"][data] if isinstance(data, str) else data
        return self.point({name: np.array(value, dtype=float) for name, value in shared.items()})

    def gradients(self, faults: Faults = NONE) -> dict[str, Array]:
        """What the code computes there."""
        return self.code(*self.arrays, faults)

    def right(self, parameters: Arrays, x: Any, y: Any) -> dict[str, Array]:
        return self.code(parameters, x, y, NONE)

    def wrong(self, parameters: Arrays, x: Any, y: Any) -> dict[str, Array]:
        return self.code(parameters, x, y, frozenset({self.fault}))


def _drawn(network: Callable[[], Any], data: Data) -> Point:
    """Numbers for what was published without."""
    rng = np.random.default_rng(51)
    shapes = {v.name: tuple(map(int, v.shape)) for v in network().program.inputs}
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return arrays, arrays.pop("x"), arrays.pop("y")


def _elementwise(data: Data) -> Point:
    return {"W1": data["z"][:, None]}, np.ones((1, 1)), data.get("u", np.ones(4))[None]


def _rows(data: Data) -> Point:
    return {"W1": data["z"].T}, np.eye(len(data["z"])), data["y"]


def _outputs(data: Data) -> Point:
    return {"W1": data["z"][:, None]}, np.ones((1, 1)), data["y"][None]


def _notebook(data: Data) -> Point:
    return {"W1": data["W"], "b1": data["b"][0], "W2": data["V"], "b2": data["c"][0]}, data["X"], data["y"]


def _three(data: Data) -> Point:
    return {name: data[name] for name in ("W1", "b1", "W2", "b2")}, data["X"], data["Y"]


def _chain(data: Data) -> Point:
    parameters = {"W1": [[data["w1"]]], "b1": [data["b1"]], "W2": [[data["w2"]]], "b2": [data["b2"]]}
    return (
        {name: np.array(value) for name, value in parameters.items()},
        data["x"].reshape(1, 1),
        data["target"].reshape(1, 1),
    )


def _line(data: Data) -> Point:
    return {"W1": data["w"][None]}, np.atleast_2d(data.get("X", data.get("x"))), data["y"].reshape(-1, 1)


def _image(data: Data) -> Point:
    return {"image": data["x"], "k": data["k"]}, None, data["dy"]


def _filter(data: Data) -> Point:
    return {"w": data["w"]}, data["x"], data["dy"]


def _weights(name: str) -> Callable[[Arrays], dict[str, Array]]:
    return lambda gradients: {name: gradients["W1"].ravel()}


def _of(*names: str) -> Callable[[Arrays], dict[str, Array]]:
    return lambda gradients: {name: gradients[name] for name in names}


_NET = nets.sums_3_3_2
_CONV = partial(nets.convolution, 4, 2, 1)
_TANH = partial(nets.single, "tanh")

PUBLISHED: tuple[Published, ...] = (
    Published(
        "S002-R-rowsums",
        nets.notebook_4_3_1,
        _notebook,
        code.notebook,
        "sums of rows",
        ("wrong axis",),
        lambda g: {"minus_db": -g["b1"]},
    ),
    Published(
        "B-lstm-bias-copy",
        nets.lstm,
        partial(_drawn, nets.lstm),
        code.lstm_backward,
        "deltas copied",
        ("wrong error signal", "swapped arrays"),
        None,
    ),
    Published(
        "B-softmax-diagonal",
        nets.probabilities_4,
        _elementwise,
        code.softmax_backward,
        "diagonal",
        ("diagonal", "derivative of another activation"),
        _weights("dz"),
    ),
    Published(
        "B-leaky-relu",
        nets.leaky,
        _elementwise,
        code.leaky_backward,
        "relu",
        ("derivative of another activation", "another network", "entries"),
        _weights("d"),
    ),
    Published(
        "B-elu-fn-twice",
        partial(nets.single, "selu"),
        _elementwise,
        code.selu_backward,
        "function again",
        ("derivative at the wrong argument", "entries"),
        _weights("d"),
    ),
    Published(
        "B-tanh-of-output",
        _TANH,
        _elementwise,
        code.tanh_backward,
        "tanh of the output",
        ("derivative at the wrong argument",),
        _weights("d"),
    ),
    Published(
        "B-rashid-hidden",
        _NET,
        _three,
        code.three_layers,
        "error sent back",
        ("wrong error signal", "derivative left out"),
        _of("W1"),
    ),
    Published(
        "B-so-xor-output",
        _NET,
        _three,
        code.three_layers,
        "no slope in W2",
        ("wrong error signal", "derivative left out"),
        _of("W2"),
    ),
    Published(
        "B-so-error-not-delta",
        _NET,
        _three,
        code.three_layers,
        "error not sent back",
        ("wrong error signal", "elementwise"),
        _of("W1"),
    ),
    Published(
        "B-1-dh2",
        _NET,
        _three,
        code.three_layers,
        "1 - error",
        ("derivative at the wrong argument", "wrong activation"),
        _of("W2"),
    ),
    Published(
        "B-bias-mean",
        _NET,
        _three,
        code.three_layers,
        "biases averaged",
        ("averaged", "scale", "constant ratio"),
        _of("b2"),
    ),
    Published(
        "B-single-neuron-demo",
        nets.chain_1_1_1,
        _chain,
        code.chain,
        "weights for inputs",
        ("wrong activation", "derivative left out", "wrong error signal"),
        lambda g: {"w1": g["W1"].item(), "w2": g["W2"].item()},
    ),
    Published(
        "B-udacity-error-term",
        nets.neuron_2,
        _line,
        code.neuron,
        "slope at the features",
        ("derivative at the wrong argument", "wrong activation"),
        lambda g: {"step": -g["W1"][0]},
    ),
    Published(
        "B-d2l-mean-twice",
        nets.line_2,
        _line,
        code.line,
        "mean twice",
        ("averaged", "scale", "constant ratio"),
        lambda g: {"step": g["W1"][0]},
    ),
    Published(
        "B-conv-no-rot",
        _CONV,
        _image,
        code.convolution_backward,
        "kernel not turned",
        ("wrong index", "not transposed"),
        lambda g: {"x": g["image"]},
    ),
    Published(
        "B-conv-stride",
        partial(nets.convolution, 5, 3, 2),
        _image,
        code.convolution_backward,
        "stride left out",
        ("wrong index",),
        lambda g: {"x": g["image"], "k": g["k"]},
    ),
    Published(
        "B-nnlib-flip-beta",
        nets.filter_of_two,
        _filter,
        code.filter_backward,
        "turned when added",
        ("entries", "penalty scale", "sign"),
        lambda g: {"out": g["w"]},
    ),
    # Somebody saw a fault where there was none: the fault is what was proposed.
    Published(
        "F-lstm-half",
        nets.memory_cell,
        partial(_drawn, nets.memory_cell),
        code.memory_backward,
        "half",
        ("scale", "constant ratio"),
        None,
    ),
    Published(
        "F-false-softmax-an",
        nets.classifier_4,
        _rows,
        code.classes,
        "slope",
        ("derivative twice", "diagonal", "another network"),
        lambda g: {"d": g["W1"].T},
    ),
    Published(
        "F-false-network2",
        nets.yes_or_no_3,
        _outputs,
        code.yes_or_no,
        "slope",
        ("derivative twice", "another network"),
        _weights("d"),
    ),
    Published(
        "F-tanh-plus",
        _TANH,
        _elementwise,
        code.tanh_backward,
        "plus",
        ("sign",),
        _weights("d"),
    ),
    Published(
        "F-elu-exp-of-output",
        partial(nets.single, "elu"),
        _elementwise,
        code.elu_backward,
        "exponential of the output",
        ("derivative at the wrong argument", "entries"),
        _weights("d"),
    ),
    Published(
        "B-llsourcell-claim",
        _NET,
        _three,
        code.three_layers,
        "slope at the net input",
        ("derivative at the wrong argument", "wrong activation"),
        _of("W2"),
    ),
    Published(
        "F-false-conv-rot-scatter",
        _CONV,
        _image,
        code.convolution_backward,
        "kernel turned in the scatter form",
        ("wrong index", "not transposed"),
        lambda g: {"x": g["image"]},
    ),
)
