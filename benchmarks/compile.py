"""How fast compiled gradient functions are, against NumPy written by hand, and how long compiling takes.

    python benchmarks/compile.py                   # everything, some minutes
    python benchmarks/compile.py --quick           # fewer rounds
    python benchmarks/compile.py --case 2-3-1      # the networks whose name has this in it, without compile times
    python benchmarks/compile.py --rounds 300

The peer is the step of ``peers.py``: preallocated buffers, everything written in place, as fast as we could make it.
Every network runs in a process of its own, on one processor and one thread. There, before anything is timed, all
contenders' losses and gradients are compared with the derivation's own numbers. Then they run in rounds: in each round
every contender, in an order drawn anew, for a block of some milliseconds. A figure is the median over the rounds of the
ratio to the peer *in the same round* (below 1 is faster than the peer), in brackets its quartiles.

- **peer** is microseconds for loss and gradients. **reuse** is ``compile(reuse_buffers=True)``, **default** is
  ``compile()``, which returns arrays of the caller's own, both against the peer. **default adds** is microseconds of
  the default over reuse, beside those of copying the gradients to new arrays.
- **loss** is our loss alone against the peer's forward pass. **L+G / L** is our loss with gradients over our loss
  alone, and the same of the peer.
- **floats** is the step written out in Python's own numbers, for the networks small enough for that. **plain** is NumPy
  without buffers. **jax** (jit), **torch** (eager) and **autograd** (HIPS) run where they are installed, on arrays of
  their own; "-" where they are not.

Nothing here passes or fails, but gradients that disagree end it before anything is timed.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import peers
from derive import Row, deep_sizes, print_table, seconds
from frameworks import Model, frameworks

ROOT = Path(__file__).resolve().parent.parent
BLOCK = 3e-3
"""Seconds that a contender runs in each round, at least one call."""
LIMIT = 90.0
"""Seconds after which a network gets no further rounds."""
ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}
"""The environment of what is measured: libraries read it when they are imported."""

# -- the networks ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A network, the shapes it is measured at, and what is written by hand for it."""

    name: str
    sizes: Sequence[int]
    batch: int
    model: Model
    peer: Callable[[], tuple[peers.Step, peers.Forward]]
    plain: peers.Step
    floats: Callable[[], tuple[peers.Step, peers.Forward]] | None = None
    dtype: str = "float64"
    file: str | None = None

    @property
    def classifies(self) -> bool:
        """Whether targets are one-hot."""
        return self.model.activations[-1] == "softmax"

    def network(self) -> Any:
        """The network, from its file or from its layers."""
        from symbackprop import Dense, Network

        if self.file:
            return Network.load(ROOT / self.file)
        layers = [Dense(units, name) for units, name in zip(self.sizes[1:], self.model.activations, strict=True)]
        loss = "categorical_cross_entropy" if self.classifies else "half_squared_error"
        return Network(self.sizes[0], layers, loss)

    def data(self) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """Parameters, x and y, always the same."""
        rng = np.random.default_rng(0)
        parameters = {}
        for layer, (before, units) in enumerate(itertools.pairwise(self.sizes), 1):
            shape = (before, units) if self.model.in_out else (units, before)
            parameters[f"W{layer}"] = (rng.normal(size=shape) / before**0.5).astype(self.dtype)
            if self.model.bias:
                parameters[f"b{layer}"] = (rng.normal(size=units) / 10).astype(self.dtype)
        x = rng.normal(size=(self.batch, self.sizes[0])).astype(self.dtype)
        outputs = self.sizes[-1]
        if self.classifies:
            y = np.eye(outputs)[rng.integers(outputs, size=self.batch)]
        else:
            y = rng.random((self.batch, outputs))
        return parameters, x, y.astype(self.dtype)


def _classifier(sizes: Sequence[int], batch: int, dtype: str, by_unit: Sequence[bool]) -> Case:
    return Case(
        f"{'-'.join(map(str, sizes))} relu, batch {batch}, {dtype}",
        sizes,
        batch,
        Model([*("relu" for _ in sizes[2:]), "softmax"]),
        lambda: peers.buffered_relu_softmax(sizes, batch, dtype, by_unit),
        peers.plain_relu_softmax,
        dtype=dtype,
    )


CASES = (
    Case(
        "2-3-1 sigmoid, batch 1",
        (2, 3, 1),
        1,
        Model(["sigmoid", "identity"]),
        peers.buffered_2_3_1,
        peers.plain_2_3_1,
        peers.floats_2_3_1,
    ),
    Case(
        "4-3-1 sigmoid, batch 3",
        (4, 3, 1),
        3,
        Model(["sigmoid", "sigmoid"], bias=False, in_out=True, mean=False),
        peers.buffered_article,
        peers.plain_article,
        peers.floats_article,
        file="derivations/article-002-4-3-1/network.toml",
    ),
    Case(
        "2-10-1 tanh, batch 200",
        (2, 10, 1),
        200,
        Model(["tanh", "identity"]),
        lambda: peers.buffered_tanh_1(2, 10, 200),
        peers.plain_tanh(last_is_tanh=False),
    ),
    # By example or by unit: whichever was faster for these shapes and this dtype.
    _classifier((784, 128, 10), 64, "float64", (False,)),
    _classifier((784, 128, 10), 64, "float32", (True,)),
    _classifier((784, 1000, 200, 10), 256, "float64", (False, False)),
    Case(
        "20 x 64 tanh, batch 32",
        (64,) * 21,
        32,
        Model(["tanh"] * 20),
        lambda: peers.buffered_deep_tanh(20, 64, 32),
        peers.plain_tanh(last_is_tanh=True),
    ),
)

# -- one network, in a process of its own ------------------------------------------------------------------------------

Arguments = tuple[Any, Any, Any]
Contenders = dict[str, tuple[Callable[[Any, Any, Any], Any], Arguments]]


def copies(gradients: Mapping[str, np.ndarray], x: Any, y: Any) -> dict[str, np.ndarray]:
    """What it takes to give a caller arrays of his own; ``x`` and ``y`` are there to be called like the others."""
    own = {}
    for name, gradient in gradients.items():
        own[name] = np.empty_like(gradient)
        np.copyto(own[name], gradient)
    return own


def contenders_of(case: Case, derivation: Any, arguments: Arguments) -> tuple[Contenders, Contenders]:
    """Those that return a loss and gradients, and those that return something else."""
    step, forward = case.peer()
    reuse, default = derivation.compile(reuse_buffers=True), derivation.compile()
    steps: Contenders = {
        "peer": (step, arguments),
        "reuse": (reuse, arguments),
        "default": (default, arguments),
        "plain": (case.plain, arguments),
        **frameworks(case.model, *arguments),
    }
    parts: Contenders = {
        "peer's loss": (forward, arguments),
        "loss": (reuse.loss, arguments),
        "copies": (copies, (step(*arguments)[1], None, None)),
    }
    if case.floats:
        floats, floats_forward = case.floats()
        steps["floats"] = (floats, arguments)
        parts["floats' loss"] = (floats_forward, arguments)
    return steps, parts


def disagreements(case: Case, derivation: Any, steps: Contenders, parts: Contenders) -> list[str]:
    """A line for each number that is not the derivation's: relative, an array as a whole, 1e-10 or 1e-4 in float32."""
    parameters, x, y = steps["peer"][1]
    doubles = {name: value.astype(float) for name, value in parameters.items()}
    values = derivation.values(doubles, x.astype(float), y.astype(float))
    adjoints = {adjoint.of.name: adjoint.equation.left.name for adjoint in derivation.differentiation.adjoints}
    expected = {name: values[adjoints[name]] for name in parameters}
    tolerance = 1e-10 if case.dtype == "float64" else 1e-4
    wrong = []

    def compare(who: str, what: str, found: Any, right: Any) -> None:
        found = np.asarray(found, float)
        error = np.linalg.norm(found - right) / np.linalg.norm(right) if found.shape == np.shape(right) else np.inf
        if not error <= tolerance:
            wrong.append(
                f"{case.name}: {who} has {what} with a relative error of {error:.1e}; {tolerance:.0e} is allowed"
            )

    loss = float(values["L"])
    for who, (function, given) in steps.items():
        found, gradients = function(*given)
        compare(who, "the loss", found, loss)
        for name, right in expected.items():
            compare(who, f"the gradient of {name}", gradients[name], right)
    for who, (function, given) in parts.items():
        if who != "copies":
            compare(who, "the loss", function(*given), loss)
    return wrong


def timed_rounds(contenders: Contenders, rounds: int) -> dict[str, list[float]]:
    """Seconds a call, of every contender in every round."""
    clock = time.perf_counter
    counts = {}
    for name, (function, (p, x, y)) in contenders.items():
        for _ in range(3):
            function(p, x, y)
        start = clock()
        function(p, x, y)
        counts[name] = max(1, round(BLOCK / (clock() - start)))
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    order, draw, begin = list(contenders), random.Random(0), clock()
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            draw.shuffle(order)
            for name in order:
                (function, (p, x, y)), count = contenders[name], counts[name]
                function(p, x, y)
                start = clock()
                for _ in itertools.repeat(None, count):
                    function(p, x, y)
                taken[name].append((clock() - start) / count)
            if clock() - begin > LIMIT:
                break
    finally:
        gc.enable()
    return taken


def run_case(name: str, rounds: int) -> dict[str, Any]:
    """Check and time the network called ``name``; a list of three is a lower quartile, the median, an upper one."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    case = next(case for case in CASES if case.name == name)
    derivation = case.network().derive()
    steps, parts = contenders_of(case, derivation, case.data())
    if wrong := disagreements(case, derivation, steps, parts):
        return {"wrong": wrong}
    taken = timed_rounds({**steps, **parts}, rounds)

    def ratio(above: str, below: str) -> list[float]:
        return statistics.quantiles([a / b for a, b in zip(taken[above], taken[below], strict=True)], n=4)

    adds = [a - b for a, b in zip(taken["default"], taken["reuse"], strict=True)]
    return {
        "peer": statistics.median(taken["peer"]),
        "ratios": {who: ratio(who, "peer") for who in steps if who != "peer"},
        "loss": ratio("loss", "peer's loss"),
        "over loss": ratio("reuse", "loss")[1],
        "peer over loss": ratio("peer", "peer's loss")[1],
        "adds": statistics.median(adds),
        "copies": statistics.median(taken["copies"]),
    }


# -- how long compiling takes, each in a process of its own ------------------------------------------------------------


def compile_time(sizes: Sequence[int | str], hidden: str, output: str, loss: str, repeats: int) -> dict[str, float]:
    """Seconds of ``net.derive().compile()``, once in a fresh process, then the median of ``repeats`` new networks."""
    import symbackprop.api  # noqa: F401  # the budgets begin after the imports
    from symbackprop import Dense, Network

    def once() -> float:
        first, *inner, last = sizes
        network = Network(first, [*(Dense(units, hidden) for units in inner), Dense(last, output)], loss)
        start = time.perf_counter()
        network.derive().compile()
        return time.perf_counter() - start

    return {"first": once(), "again": statistics.median(once() for _ in range(repeats))}


# -- the tables --------------------------------------------------------------------------------------------------------

CHILDREN: dict[str, Callable[..., dict[str, Any]]] = {"case": run_case, "compile": compile_time}


def measured(what: str, *arguments: Any) -> dict[str, Any]:
    """The result of one of ``CHILDREN`` in a fresh process; ends the program where that fails."""
    command = [sys.executable, __file__, "--child", json.dumps([what, *arguments])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD})
    if done.returncode:
        sys.exit(f"{what} {arguments[0]} failed; what it says stands above")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if "wrong" in result:
        sys.exit("\n".join(result["wrong"]))
    return result


OTHERS = ("floats", "plain", "jax", "torch", "autograd")
SPEED: Row = (
    "loss and gradients, ratios to the peer",
    "        peer",
    "      reuse       ",
    "     default      ",
    "default adds / copying",
    "       loss       ",
    "L+G / L, ours / peer",
    *(who.rjust(6) for who in OTHERS),
)


def speed_rows(cases: Iterable[Case], rounds: int, found: list[float]) -> Iterable[Row]:
    """A row for each network; our ratios are left in ``found``."""
    for case in cases:
        result = measured("case", case.name, rounds)
        ratios = result["ratios"]
        found.append(ratios["reuse"][1])
        others = (f"{ratios[who][1]:.2f}" if who in ratios else "-" for who in OTHERS)
        yield (
            case.name,
            f"{1e6 * result['peer']:.1f} us",
            *(_quartiles(ratios[who]) for who in ("reuse", "default")),
            f"{1e6 * result['adds']:.1f} / {1e6 * result['copies']:.1f} us",
            _quartiles(result["loss"]),
            f"{result['over loss']:.2f} / {result['peer over loss']:.2f}",
            *others,
        )


def _quartiles(three: Sequence[float]) -> str:
    low, median, high = three
    return f"{median:.2f} [{low:.2f}, {high:.2f}]"


def compile_rows(depths: Sequence[int], repeats: int) -> Iterable[Row]:
    """Compile times of the two networks that have a budget, and of shallower and deeper ones."""
    result = measured("compile", ("D", "H", "K"), "sigmoid", "softmax", "categorical_cross_entropy", repeats)
    yield "D-H-K, softmax cross-entropy", seconds(result["first"]), seconds(result["again"]), "0.1 s"
    for depth in depths:
        result = measured("compile", deep_sizes(depth), "tanh", "identity", "half_squared_error", repeats)
        budget = "0.5 s" if depth == 100 else ""
        yield f"{depth} layers, tanh, half squared error", seconds(result["first"]), seconds(result["again"]), budget


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and repetitions")
    parser.add_argument("--case", metavar="NAME", help="only the networks whose name contains NAME")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds for each network (200; quick: 30)")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.child:
        what, *arguments = json.loads(options.child)
        print(json.dumps(CHILDREN[what](*arguments)))
        return
    rounds = options.rounds or (30 if options.quick else 200)
    if rounds < 2:
        parser.error(f"--rounds {rounds}: quartiles need at least 2")
    cases = [case for case in CASES if (options.case or "") in case.name]
    if not cases:
        parser.error(f"--case {options.case!r} is in no name; the names are {'; '.join(case.name for case in CASES)}")
    found: list[float] = []
    print_table(
        "Speed (budgets: reuse 1.0 on average, 1.1 at worst; L+G / L 2.3)", SPEED, speed_rows(cases, rounds, found)
    )
    average, worst = statistics.mean(found), max(found)
    print(f"\nreuse: {average:.2f} on average (budget 1.0), {worst:.2f} at worst (budget 1.1)")
    if not options.case:
        header = ("net.derive().compile()", "   first", "   again", "budget")
        depths = (50, 100) if options.quick else (50, 100, 200)
        print_table("Time to compile", header, compile_rows(depths, 3 if options.quick else 9))


if __name__ == "__main__":
    main()
