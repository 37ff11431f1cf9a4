"""How often the verification cries wolf: random networks whose gradients are right, each checked weight by weight.

    python benchmarks/false_alarms.py               # 1,000 networks, some minutes
    python benchmarks/false_alarms.py --count 50    # fewer

Prints how many weights passed, lay on a kink, stayed blind or failed. A gradient is that of the compiled function;
everything that is said against one is a false alarm, and is printed with the network it was raised for.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from symbackprop.adjoint.sweep import differentiate
from symbackprop.codegen.arguments import Arguments
from symbackprop.codegen.gradient_function import GradientFunction
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.dense import Dense
from symbackprop.layers.losses import LOSSES
from symbackprop.network import NetworkDescription, describe, network_program
from symbackprop.verification.points import Drawing
from symbackprop.verification.report import Report
from symbackprop.verification.verify import gradient_function, verify

# Losses of probabilities and of logits want an output layer of their own.
OUTPUTS = {
    "binary_cross_entropy": ("sigmoid", "softmax"),
    "categorical_cross_entropy": ("softmax", "sigmoid"),
    "binary_cross_entropy_with_logits": ("identity",),
    "categorical_cross_entropy_with_logits": ("identity",),
}


@dataclass(frozen=True)
class Outcome:
    """What was said of one network."""

    name: str
    counts: Mapping[str, int]
    checked: int
    evaluations: int
    alarms: tuple[str, ...]


def random_network(number: int) -> tuple[NetworkDescription, Drawing]:
    """The network of this number: every activation, loss, layout, reduction and penalty comes up in turn."""
    rng = np.random.default_rng([17, number])
    loss = list(LOSSES)[number % len(LOSSES)]
    depth = int(rng.integers(1, 4))
    hidden = [str(rng.choice(list(ACTIVATIONS))) for _ in range(depth)]
    output = str(rng.choice(OUTPUTS.get(loss, tuple(ACTIVATIONS))))
    widths = [int(rng.integers(2, 5)) for _ in range(depth + 1)]
    layers = [
        Dense(width, activation, bool(rng.random() < 0.8))
        for width, activation in zip(widths, [*hidden, output], strict=True)
    ]
    described = describe(
        int(rng.integers(1, 5)),
        layers,
        loss,
        reduction=str(rng.choice(["mean", "sum"])),
        weight_layout=str(rng.choice(["out_in", "in_out"])),
        l1=float(rng.choice([0, 0, 0.01])),
        l2=float(rng.choice([0, 0, 0.1])),
        name=f"network {number}",
    )
    initialization = str(rng.choice(["glorot_uniform", "he_normal", "normal", "uniform"]))
    return described, Drawing(loss, described.weight_layout, {}, number, initialization)


def compiled_gradients(described: NetworkDescription) -> tuple[Any, Callable[[Mapping[str, Any]], Mapping[str, Any]]]:
    """The network's program with its gradients, and the compiled function that is verified."""
    derivation = differentiate(network_program(described))
    names = {name: derivation.by_variable[name].name for name in derivation.wrt if name in derivation.by_variable}
    program = derivation.adjoint_program
    function = GradientFunction(Arguments(program, described.loss.name), derivation.loss, names)
    return program, gradient_function(function, network_program(described), {})


def examine(number: int) -> Outcome:
    """Verify one random network."""
    described, drawing = random_network(number)
    program, gradients = compiled_gradients(described)
    report = verify(program, gradients, {}, drawing)
    counts: Counter[str] = Counter()
    for array in report.arrays.values():
        counts.update({verdict.value: count for verdict, count in array.counts.items()})
    words = [layer.resolved().name for layer in described.layers]
    name = f"{described.name}: {', '.join(words)}; {described.loss.name}, {drawing.initialization}"
    return Outcome(name, counts, report.weights * len(report.points), report.evaluations, _alarms(report))


def _alarms(report: Report) -> tuple[str, ...]:
    """What was said against a gradient, failures and weights that could not be seen."""
    return tuple(
        f"{entry} ({report.points[entry.point]})"
        for entry in report.worst
        if entry.judgement.verdict.value in ("fail", "blind")
    )


def main() -> int:
    """Examine the networks in parallel, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="how many networks (1000)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first (0)")
    arguments = parser.parse_args()
    started = time.perf_counter()
    counts: Counter[str] = Counter()
    checked = evaluations = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for outcome in pool.map(examine, range(arguments.first, arguments.first + arguments.count), chunksize=5):
            counts.update(outcome.counts)
            checked += outcome.checked
            evaluations += outcome.evaluations
            for alarm in outcome.alarms:
                print(f"{outcome.name}: {alarm}", flush=True)
    seconds, processors = time.perf_counter() - started, os.cpu_count()
    print(f"{arguments.count} correct networks, {sum(counts.values())} weights, {checked} checks at several points")
    print(f"false alarms {counts['fail']}, blind {counts['blind']}, kinks {counts['kink']}, pass {counts['pass']}")
    print(f"{evaluations} evaluations of the loss, {seconds:.0f} s on {processors} processors")
    return 1 if counts["fail"] else 0


if __name__ == "__main__":
    sys.exit(main())
