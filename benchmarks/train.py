"""How fast training is, against loops written by hand over the same steps.

    python benchmarks/train.py                   # everything, some minutes
    python benchmarks/train.py --quick           # fewer rounds
    python benchmarks/train.py --case 4-3-1      # the runs whose name has this in it

The loop by hand takes the gradients of ``peers.py``, NumPy with preallocated buffers as fast as we could write it,
keeps the loss of each epoch, and updates every array in place; it looks at nothing on the way. **hand** is microseconds
of one epoch of it. **train** is the loop behind ``net.train``, with all that it looks at (whether losses are finite,
the clock) and all that it keeps (copies of the parameters, now and then). **compiled** is a loop by hand as well, but
over ``derivation.compile(reuse_buffers=True)``. **start** is what ``net.train`` takes before the first step, derivation
and compilation included.

Every run is measured in a process of its own, on one processor and one thread, in rounds: in each round every
contender, in an order drawn anew, for a block of some milliseconds. A figure is the median over the rounds of the ratio
to the loop by hand *in the same round* (below 1 is faster), in brackets its quartiles. Before anything is timed, the
parameters that all of them come to are compared.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from compile import CASES, ONE_THREAD, Case
from derive import Row, print_table

ROOT = Path(__file__).resolve().parent.parent
BLOCK = 2e-2
"""Seconds that a contender runs in each round."""
EPOCHS = 50
"""Epochs that it runs at least: ours takes the loss once before the first and once after the last."""
LIMIT = 120.0
"""Seconds after which a run gets no further rounds."""
RATE = 1e-3
CHECKED = 10
"""After how many epochs parameters are compared."""

Parameters = dict[str, np.ndarray]
Gradients = Callable[[Any, Any, Any], Any]
Loop = Callable[[int], Mapping[str, np.ndarray]]
"""Runs so many epochs from the start, and says what the parameters are then."""
Orders = Callable[[int], np.ndarray]
"""The order of the examples in each epoch."""
Update = Callable[[Parameters, Mapping[str, np.ndarray]], None]


@dataclass(frozen=True)
class Run:
    """A network of ``compile.py``, how it is trained, and on how many examples."""

    case: Case
    optimizer: str = "sgd"
    momentum: float = 0.0
    batches: int = 1

    @property
    def name(self) -> str:
        """What stands in the table."""
        rule = f"momentum {self.momentum}" if self.momentum else self.optimizer
        batches = f", {self.batches} batches" if self.batches > 1 else ""
        return f"{self.case.name}, {rule}{batches}"

    def data(self) -> tuple[Parameters, np.ndarray, np.ndarray]:
        """Parameters, and as many examples as there are batches of the network's."""
        parameters, x, y = self.case.data()
        rng = np.random.default_rng(1)
        more = [rng.permutation(len(x)) for _ in range(self.batches - 1)]
        noise = [x + rng.normal(size=x.shape).astype(x.dtype) / 10 for _ in more]
        return parameters, np.concatenate([x, *noise]), np.concatenate([y, *(y for _ in more)])


RUNS = (
    *(Run(case) for case in CASES),
    *(Run(case, momentum=0.9) for case in CASES if case.name.startswith(("4-3-1", "784-128"))),
    *(Run(case, optimizer="adam") for case in CASES if case.name.startswith(("4-3-1", "784-128", "784-1000"))),
    *(Run(case, batches=10) for case in CASES if case.name.startswith(("4-3-1", "2-10-1", "784-128"))),
)

# -- updates by hand ---------------------------------------------------------------------------------------------------


def plain_update(parameters: Parameters) -> Update:
    """w -= rate g, in the gradient's memory."""
    arrays = list(parameters.items())

    def update(_: Parameters, gradients: Mapping[str, np.ndarray]) -> None:
        for name, w in arrays:
            g = gradients[name]
            np.multiply(g, RATE, g)
            np.subtract(w, g, w)

    return update


def momentum_update(parameters: Parameters, momentum: float) -> Update:
    """v = mu v + g, w -= rate v."""
    arrays = [(name, w, np.zeros_like(w)) for name, w in parameters.items()]

    def update(_: Parameters, gradients: Mapping[str, np.ndarray]) -> None:
        for name, w, v in arrays:
            g = gradients[name]
            np.multiply(v, momentum, v)
            np.add(v, g, v)
            np.multiply(v, RATE, g)
            np.subtract(w, g, w)

    return update


def adam_update(parameters: Parameters) -> Update:
    """Adam, with both corrections in numbers."""
    arrays = [(name, w, np.zeros_like(w), np.zeros_like(w), np.empty_like(w)) for name, w in parameters.items()]
    steps = 0

    def update(_: Parameters, gradients: Mapping[str, np.ndarray]) -> None:
        nonlocal steps
        steps += 1
        rate, bias = RATE / (1 - 0.9**steps), (1 - 0.999**steps) ** 0.5
        for name, w, m, v, t in arrays:
            g = gradients[name]
            np.multiply(m, 0.9, m)
            np.multiply(g, 0.1, t)
            np.add(m, t, m)
            np.multiply(v, 0.999, v)
            np.multiply(g, g, t)
            np.multiply(t, 0.001, t)
            np.add(v, t, v)
            np.sqrt(v, t)
            np.divide(t, bias, t)
            np.add(t, 1e-8, t)
            np.multiply(m, rate, g)
            np.divide(g, t, g)
            np.subtract(w, g, w)

    return update


# -- loops -------------------------------------------------------------------------------------------------------------


def one_generator(examples: int) -> Orders:
    """What one would write by hand: the orders of a generator that goes on and on."""
    rng = np.random.default_rng(0)
    return lambda epoch: rng.permutation(examples)


def ours(examples: int) -> Orders:
    """Those of ``net.train``, which can be resumed at any epoch."""
    return lambda epoch: np.random.default_rng((0, epoch)).permutation(examples)


def by_hand(run: Run, gradients: Gradients, whole: Gradients | None, orders: Callable[[int], Orders]) -> Loop:
    """The loop over ``gradients``; ``whole`` is the loss of all examples, where there are several batches."""
    start, x, y = run.data()
    order_of = orders(len(x))

    def loop(epochs: int) -> Parameters:
        parameters = {name: array.copy() for name, array in start.items()}
        update = (
            adam_update(parameters)
            if run.optimizer == "adam"
            else momentum_update(parameters, run.momentum)
            if run.momentum
            else plain_update(parameters)
        )
        losses = []
        if whole is None:
            for _ in range(epochs):
                loss, found = gradients(parameters, x, y)
                losses.append(loss)
                update(parameters, found)
            return parameters
        size = len(x) // run.batches
        for epoch in range(epochs):
            losses.append(whole(parameters, x, y))
            order = order_of(epoch)
            mixed_x, mixed_y = x[order], y[order]
            for at in range(0, len(x), size):
                _, found = gradients(parameters, mixed_x[at : at + size], mixed_y[at : at + size])
                update(parameters, found)
        return parameters

    return loop


def trained(run: Run, network: Any) -> Loop:
    """The loop behind ``net.train``, compiled before it is timed."""
    from symbackprop.interrupts import Interrupts
    from symbackprop.training.compiled_step import CompiledStep
    from symbackprop.training.descent import Reached, descend
    from symbackprop.training.settings import Settings, chosen_optimizer
    from symbackprop.training.step import step_of
    from symbackprop.training.train import needed

    parameters, x, y = run.data()
    derivation = network.derive()
    settings = Settings(
        learning_rate=RATE,
        batch_size=len(x) // run.batches if run.batches > 1 else None,
        optimizer=chosen_optimizer(run.optimizer, run.momentum or None),
    )
    loss = derivation.differentiation.loss
    gradients = {name: gradient.adjoint_name for name, gradient in derivation.gradients.items()}
    step = step_of(derivation.program, loss, gradients, settings.optimizer)
    variables = needed(derivation.program, (loss, *gradients.values()))
    given = derivation.arguments.checked(variables, {**parameters, "x": x, "y": y})
    carried = [given.arrays[name] for name in step.weights]
    carried += [np.zeros_like(given.arrays[weight]) for _, weight in step.remembered.values()]
    compiled = CompiledStep(step, derivation.arguments, given, settings)

    def loop(epochs: int) -> Mapping[str, np.ndarray]:
        reached = descend(compiled, Reached(carried), epochs, Interrupts())
        return dict(zip(step.weights, reached.carried, strict=False))

    return loop


def loops_of(run: Run, orders: Callable[[int], Orders] = one_generator) -> dict[str, Loop]:
    """Every contender; those by hand shuffle by ``orders``."""
    network = run.case.network()
    step, _ = run.case.peer()
    compiled = network.derive().compile(reuse_buffers=True)
    # The peer's buffers are for one batch; over all examples it would need a second set, and so it is given ours.
    whole = None if run.batches == 1 else network.derive().compile().loss
    return {
        "hand": by_hand(run, step, whole, orders),
        "train": trained(run, network),
        "compiled": by_hand(run, compiled, whole, orders),
    }


# -- one run, in a process of its own ----------------------------------------------------------------------------------


def disagreements(run: Run, loops: Mapping[str, Loop]) -> list[str]:
    """A line for each array that does not come to what ``net.train`` comes to."""
    parameters, x, y = run.data()
    size = len(x) // run.batches if run.batches > 1 else None
    expected = run.case.network().train(
        parameters,
        x,
        y,
        learning_rate=RATE,
        epochs=CHECKED,
        batch_size=size,
        optimizer=run.optimizer,
        momentum=run.momentum or None,
        progress=False,
    )
    tolerance = 1e-9 if run.case.dtype == "float64" else 1e-3
    wrong = []
    for who, loop in loops.items():
        for name, array in loop(CHECKED).items():
            moved = np.linalg.norm(expected.parameters[name] - parameters[name])
            error = np.linalg.norm(array - expected.parameters[name]) / moved
            if not error <= tolerance:
                wrong.append(f"{run.name}: {who} comes to another {name}; the relative difference is {error:.1e}")
    return wrong


def timed_rounds(loops: Mapping[str, Loop], rounds: int) -> dict[str, list[float]]:
    """Seconds an epoch, of every contender in every round."""
    clock = time.perf_counter
    epochs = {}
    for name, loop in loops.items():
        loop(3)
        start = clock()
        loop(10)
        epochs[name] = max(EPOCHS, round(10 * BLOCK / (clock() - start)))
    taken: dict[str, list[float]] = {name: [] for name in loops}
    order, draw, begin = list(loops), random.Random(0), clock()
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            draw.shuffle(order)
            for name in order:
                start = clock()
                loops[name](epochs[name])
                taken[name].append((clock() - start) / epochs[name])
            if clock() - begin > LIMIT:
                break
    finally:
        gc.enable()
    return taken


def measure(name: str, rounds: int) -> dict[str, Any]:
    """Check and time the run called ``name``; a list of three is a lower quartile, the median, an upper one."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    run = next(run for run in RUNS if run.name == name)
    if wrong := disagreements(run, loops_of(run, ours)):
        return {"wrong": wrong}
    loops = loops_of(run)
    taken = timed_rounds(loops, rounds)

    def ratio(who: str) -> list[float]:
        return statistics.quantiles([a / b for a, b in zip(taken[who], taken["hand"], strict=True)], n=4)

    parameters, x, y = run.data()
    network = run.case.network()
    before = time.perf_counter()
    network.train(parameters, x, y, learning_rate=RATE, epochs=1, optimizer=run.optimizer, progress=False)
    return {
        "hand": statistics.median(taken["hand"]),
        "train": ratio("train"),
        "compiled": ratio("compiled"),
        "start": time.perf_counter() - before,
    }


# -- the table ---------------------------------------------------------------------------------------------------------

TABLE: Row = (
    "one epoch, ratios to the loop by hand",
    "        hand",
    "      train       ",
    "     compiled     ",
    "  start",
)


def rows(runs: Iterable[Run], rounds: int, found: list[float]) -> Iterable[Row]:
    """A row for each run; our ratios are left in ``found``."""
    for run in runs:
        command = [sys.executable, __file__, "--child", json.dumps([run.name, rounds])]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD})
        if done.returncode:
            sys.exit(f"{run.name} failed; what it says stands above")
        result = json.loads(done.stdout.splitlines()[-1])
        if "wrong" in result:
            sys.exit("\n".join(result["wrong"]))
        found.append(result["train"][1])
        ratios = (
            f"{median:.2f} [{low:.2f}, {high:.2f}]" for low, median, high in (result["train"], result["compiled"])
        )
        yield run.name, f"{1e6 * result['hand']:.1f} us", *ratios, f"{result['start']:.2f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--case", metavar="NAME", help="only the runs whose name contains NAME")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds for each run (100; quick: 15)")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.child:
        print(json.dumps(measure(*json.loads(options.child))))
        return
    rounds = options.rounds or (15 if options.quick else 100)
    if rounds < 2:
        parser.error(f"--rounds {rounds}: quartiles need at least 2")
    runs = [run for run in RUNS if (options.case or "") in run.name]
    if not runs:
        parser.error(f"--case {options.case!r} is in no name; the names are {'; '.join(run.name for run in RUNS)}")
    found: list[float] = []
    print_table("Training (budget: train 1.1)", TABLE, rows(runs, rounds, found))
    print(f"\ntrain: {statistics.mean(found):.2f} on average, {max(found):.2f} at worst (budget 1.1)")


if __name__ == "__main__":
    main()
