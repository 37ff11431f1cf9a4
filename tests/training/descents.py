"""What is trained: random networks, and programs that are not networks, with numbers and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from kernel_runs import way_of_running

import symbackprop as sbp
from symbackprop.api.models import Model
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.losses import LOSSES

__all__ = [
    "PROGRAMS",
    "Descent",
    "any_way",
    "descents",
    "network",
    "optimizers",
    "program_descent",
    "running",
    "same_bytes",
    "small",
]

Arrays = Mapping[str, np.ndarray]

# Those that are fused with the loss, so that it is finite for any weights.
_OUTPUTS = {
    "binary_cross_entropy": ("sigmoid",),
    "categorical_cross_entropy": ("softmax", "sigmoid"),
    "binary_cross_entropy_with_logits": ("identity",),
    "categorical_cross_entropy_with_logits": ("identity",),
}


@dataclass(frozen=True)
class Descent:
    """A model, its parameters and data, and settings of ``Model.train``; ``axes`` is where data count examples."""

    model: Model
    parameters: Arrays
    data: Arrays
    axes: Mapping[str, int]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def examples(self) -> int:
        """The number of examples, 1 where nothing counts them."""
        return next((self.data[name].shape[axis] for name, axis in self.axes.items()), 1)

    def but(self, **settings: Any) -> Descent:
        """The same with other settings."""
        return replace(self, settings={**self.settings, **settings})

    def train(self, parameters: Any = None, **settings: Any) -> sbp.Training:
        """What the package makes of it; ``settings`` go before those of the descent."""
        given = self.parameters if parameters is None and "resume" not in settings else parameters
        return self.model.train(given, **self.data, **{"progress": False, **self.settings, **settings})

    def __repr__(self) -> str:
        equations = "; ".join(self.model.equations)
        shapes = {name: array.shape for name, array in self.data.items()}
        return f"Descent({self.model!r}, {dict(self.settings)}, data {shapes}, {equations})"


def targets(loss: str, rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Targets that suit ``loss``."""
    if loss.startswith("categorical"):
        return rng.dirichlet(np.ones(shape[1]), size=shape[0])
    if loss.startswith("binary"):
        return rng.uniform(size=shape)
    return rng.choice([-1.0, 1.0], size=shape) if loss == "hinge" else rng.normal(size=shape)


def network(net: sbp.Network, examples: int, seed: int = 0, scale: float = 1.0, **settings: Any) -> Descent:
    """``net``, whose sizes are numbers, with numbers from ``seed``; ``scale`` is that of the parameters."""
    rng = np.random.default_rng(seed)
    parameters = {v.name: rng.normal(0, scale, [int(extent) for extent in v.shape]) for v in net.program.parameters}
    inputs, outputs = (int(net.program.variable(name).shape[1]) for name in "xy")
    x = rng.normal(size=(examples, inputs))
    y = targets(net.description.loss.name, rng, (examples, outputs))
    return Descent(net, parameters, {"x": x, "y": y}, {"x": 0, "y": 0}, settings)


def small(**settings: Any) -> Descent:
    """A network of 2, 3 and 1 with five examples."""
    net = sbp.Network(2, [sbp.Dense(3, "tanh"), sbp.Dense(1)], "half_squared_error", name="small")
    return network(net, 5, **{"learning_rate": 0.1, "epochs": 4, **settings})


def _columns(rng: np.random.Generator) -> tuple[Model, Arrays, Arrays, Mapping[str, int]]:
    """Examples as columns, so that a batch is a slice of the last axis; the weights lie by columns too."""
    model = sbp.Program(
        ["z[k,n] = tanh(Sum(W[k,i]*x[i,n], i) + b[k])", "L = Sum((z[k,n] - y[k,n])**2, k, n)/(2*N)"],
        "L",
        inputs={"x": ("D", "N")},
        targets={"y": ("K", "N")},
        parameters={"W": ("K", "D"), "b": ("K",)},
        batch="N",
        output="z",
    )
    data = {"x": rng.normal(size=(2, 7)), "y": rng.normal(size=(3, 7))}
    return model, {"W": rng.normal(size=(2, 3)).T, "b": rng.normal(size=3)}, data, {"x": 1, "y": 1}


def _embedding(rng: np.random.Generator) -> tuple[Model, Arrays, Arrays, Mapping[str, int]]:
    """Integer data that choose rows of a table, and a number beside the batch."""
    model = sbp.Program(
        ["h[n] = Sum(E[c[n],d]*v[d], d)", "L = Sum((h[n] - t*x[n])**2, n)/N"],
        "L",
        inputs={"x": ("N",), "t": ()},
        integers={"c": ("N",)},
        parameters={"E": ("V", "D"), "v": ("D",)},
        batch="N",
        output="h",
    )
    data = {"x": rng.normal(size=6), "t": np.array(0.5), "c": np.array([0, 2, 2, 1, 0, 2])}
    return model, {"E": rng.normal(size=(4, 2)), "v": rng.normal(size=2)}, data, {"x": 0, "c": 0}


def _no_batch(rng: np.random.Generator) -> tuple[Model, Arrays, Arrays, Mapping[str, int]]:
    """Attention: every row has to do with every other."""
    model = sbp.Program(
        [
            "q[t,h] = Sum(Q[h,i]*x[t,i], i)",
            "s[t,u] = Sum(q[t,h]*q[u,h], h)/sqrt(H)",
            "p[t,u] = exp(s[t,u])/Sum(exp(s[t,w]), w)",
            "o[t,d] = Sum(p[t,u]*x[u,d], u)*g",
            "L = Sum((o[t,d] - y[t,d])**2, t, d)/2",
        ],
        "L",
        inputs={"x": ("T", "D")},
        targets={"y": ("T", "D")},
        parameters={"Q": ("H", "D"), "g": ()},
        output="o",
    )
    data = {"x": rng.normal(size=(4, 3)), "y": rng.normal(size=(4, 3))}
    return model, {"Q": 0.5 * rng.normal(size=(2, 3)), "g": np.array(0.7)}, data, {}


def _names(rng: np.random.Generator) -> tuple[Model, Arrays, Arrays, Mapping[str, int]]:
    """Names that a step would like to use itself: for parameters, sizes, indices and equations."""
    model = sbp.Program(
        [
            "beta1 = Sum(rate[i]*velocity[i], i)",
            "w_next[weight] = Sum(w[weight,gradient]*velocity[gradient], gradient)*epsilon + w_mean*beta1",
            "L = Sum(w_next[n]**2, n) + w_velocity**2 + w_square**2*beta1 + bias**2*rest1",
        ],
        "L",
        inputs={"velocity": ("momentum",), "rest1": ()},
        parameters={
            "w": ("square", "momentum"),
            "rate": ("momentum",),
            "w_velocity": (),
            "w_mean": (),
            "w_square": (),
            "epsilon": (),
            "bias": (),
        },
        output="w_next",
    )
    shapes = {"w": (2, 3), "rate": (3,), **dict.fromkeys(("w_velocity", "w_mean", "w_square", "epsilon", "bias"), ())}
    parameters = {name: np.asarray(rng.normal(size=shape)) for name, shape in shapes.items()}
    return model, parameters, {"velocity": rng.normal(size=3), "rest1": np.array(0.3)}, {}


def _unreached(rng: np.random.Generator) -> tuple[Model, Arrays, Arrays, Mapping[str, int]]:
    """A parameter that the loss does not mention, one behind a factor of zero, and no output."""
    model = sbp.Program(
        ["s[n] = Sum(w[i]*x[n,i], i) + off*dead", "t = idle**2", "L = Sum((s[n] - y[n])**2, n)/2"],
        "L",
        inputs={"x": ("N", "D"), "off": ()},
        targets={"y": ("N",)},
        parameters={"w": ("D",), "idle": (), "dead": ()},
        batch="N",
    )
    data = {"x": rng.normal(size=(5, 2)), "off": np.array(0.0), "y": rng.normal(size=5)}
    parameters = {"w": rng.normal(size=2), "idle": np.array(0.3), "dead": np.array(1.5)}
    return model, parameters, data, {"x": 0, "y": 0}


PROGRAMS: Mapping[str, Callable[[np.random.Generator], tuple[Model, Arrays, Arrays, Mapping[str, int]]]] = {
    "columns": _columns,
    "embedding": _embedding,
    "no batch": _no_batch,
    "names": _names,
    "unreached": _unreached,
}
"""Programs that are not networks."""


def program_descent(name: str, seed: int = 0, **settings: Any) -> Descent:
    """The program of that name with numbers from ``seed``."""
    return Descent(*PROGRAMS[name](np.random.default_rng(seed)), settings)


def optimizers() -> st.SearchStrategy[Any]:
    """Update rules with settings of their own."""
    fractions = st.sampled_from([0.0, 0.3, 0.5, 0.9])
    return st.one_of(
        st.just(sbp.SGD()),
        st.builds(sbp.SGD, momentum=st.sampled_from([0.3, 0.5, 0.9])),
        st.builds(sbp.Adam),
        st.builds(sbp.Adam, beta1=fractions, beta2=fractions, epsilon=st.sampled_from([1e-8, 1e-4, 0.1])),
    )


def any_way() -> st.SearchStrategy[str]:
    """How kernels run; see ``running``."""
    return st.sampled_from(["arrays", "as it comes"])


def running(way: str) -> AbstractContextManager[None]:
    """Whole arrays through NumPy in any case, or what is chosen: for tiny networks statements on single numbers."""
    return way_of_running("arrays") if way == "arrays" else nullcontext()


@st.composite
def descents(draw: st.DrawFn, most_epochs: int = 5, rates: tuple[float, ...] = (0.003, 0.02, 0.1)) -> Descent:
    """A random network or one of ``PROGRAMS``, with any update rule and any batches."""
    seed = draw(st.integers(0, 1 << 16))
    base = program_descent(draw(st.sampled_from(sorted(PROGRAMS))), seed) if draw(st.integers(0, 2)) == 0 else None
    base = base or draw(_networks(seed))
    sizes = st.one_of(st.none(), st.integers(1, base.examples)) if base.axes else st.none()
    settings = dict(base.settings)
    # What is wide has as much larger gradients.
    rate = draw(st.sampled_from(rates)) / settings.pop("wide", 1) ** 2
    return replace(base, settings=settings).but(
        learning_rate=rate,
        epochs=draw(st.integers(1, most_epochs)),
        batch_size=draw(sizes),
        seed=draw(st.integers(0, 99)),
        optimizer=draw(optimizers()),
    )


@st.composite
def _networks(draw: st.DrawFn, seed: int) -> Descent:
    loss = draw(st.sampled_from(sorted(LOSSES)))
    hidden = draw(st.lists(st.tuples(st.integers(2, 4), st.sampled_from(sorted(ACTIVATIONS))), max_size=2))
    output = draw(st.sampled_from(_OUTPUTS.get(loss, ("identity", "tanh"))))
    units = draw(st.integers(2 if output == "softmax" or loss.startswith("categorical") else 1, 3))
    # Beside tiny networks some whose kernels are in any case of whole arrays.
    wide = draw(st.sampled_from([1, 1, 1, 7]))
    shapes = [*((wide * number, activation) for number, activation in hidden), (units, output)]
    layers = [sbp.Dense(*shape, bias=draw(st.booleans())) for shape in shapes]
    penalty = draw(st.sampled_from([0.0, 0.0, 0.02]))
    net = sbp.Network(
        draw(st.integers(1, 3)),
        layers,
        loss,
        reduction=draw(st.sampled_from(["mean", "sum"])),
        weight_layout=draw(st.sampled_from(["out_in", "in_out"])),
        l1=penalty,
        l2=2 * penalty,
    )
    return network(net, wide * draw(st.integers(1, 7)), seed, wide**-0.5, wide=wide)


def same_bytes(found: Arrays, expected: Arrays) -> None:
    """The same names, types, shapes and bits."""
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype, name
        assert found[name].shape == array.shape, name
        assert found[name].tobytes() == array.tobytes(), name
