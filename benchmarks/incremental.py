"""Every weight of 784-1000-200-10, verified: 987,210 derivatives by incremental differences.

    python benchmarks/incremental.py            # a batch of 1 and of 8, a few minutes
    python benchmarks/incremental.py --batch 1  # half a minute

Softmax cross-entropy, weights of variance 1/n, random inputs. The gradients under test are those of the compiled
function; nothing passes or fails but what the report itself says. Every case runs in a process of its own.

- **seconds** is ``derivation.verify(...)`` as a whole, **processor** what the processors worked for it.
- **in passes** is the time of one forward pass for each weight and each side, over the seconds.
- **worst** is the largest relative difference between a gradient and its derivative, **detectable** the smallest
  relative error that would have been caught in every weight.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
ACTIVATIONS = ("tanh", "sigmoid", "relu")
BATCHES = (1, 8)
PASSES = 50


@dataclass(frozen=True)
class Result:
    """What was measured of one network; times are seconds."""

    activation: str
    batch: int
    weights: int
    seconds: float
    processor: float
    forward: float
    worst: float
    detectable: float
    sentence: str
    notes: str


def measured(activation: str, batch: int) -> Result:
    """Verify one network."""
    import symbackprop as sbp

    layers = [sbp.Dense(1000, activation), sbp.Dense(200, activation), sbp.Dense(10, "softmax")]
    net = sbp.Network(784, layers, "categorical_cross_entropy")
    rng = np.random.default_rng(0)
    parameters = {}
    for variable in net.program.parameters:
        shape = tuple(int(extent) for extent in variable.shape)
        parameters[variable.name] = rng.normal(size=shape) / (shape[-1] ** 0.5 if len(shape) > 1 else 10)
    x, y = rng.normal(size=(batch, 784)), np.eye(10)[rng.integers(10, size=batch)]
    derivation = net.derive()
    forward = derivation.compile().loss
    forward(parameters, x, y)
    start = time.perf_counter()
    for _ in range(PASSES):
        forward(parameters, x, y)
    one = (time.perf_counter() - start) / PASSES
    start, worked = time.perf_counter(), time.process_time()
    report = derivation.verify(parameters, x, y)
    seconds, processor = time.perf_counter() - start, time.process_time() - worked
    arrays = report.arrays.values()
    return Result(
        activation,
        batch,
        report.weights,
        seconds,
        processor,
        one,
        max(array.worst for array in arrays),
        max(array.detectable or 0.0 for array in arrays),
        repr(report),
        " ".join(report.notes),
    )


def in_a_process(activation: str, batch: int) -> Result:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--case", activation, "--batch", str(batch)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Result(**json.loads(done.stdout))


def row(result: Result) -> str:
    passes = 2 * result.weights * result.forward / result.seconds
    cells: tuple[Any, ...] = (
        f"{result.activation}, batch {result.batch}",
        f"{result.seconds:.1f} s",
        f"{result.processor:.1f} s",
        f"{result.weights / result.seconds:,.0f}",
        f"{result.forward * 1e6:.0f} us",
        f"{passes:.0f}",
        f"{result.worst:.1e}",
        f"{result.detectable:.1e}",
    )
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    """Verify each network and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, help="only this many examples")
    parser.add_argument("--case", choices=ACTIVATIONS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(asdict(measured(arguments.case, arguments.batch))))
        return 0
    print("| 784-1000-200-10 | seconds | processor | weights/s | forward | in passes | worst | detectable |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    said = []
    for batch in BATCHES if arguments.batch is None else (arguments.batch,):
        for activation in ACTIVATIONS:
            result = in_a_process(activation, batch)
            print(row(result), flush=True)
            said.append(f"{result.activation}, batch {result.batch}: {result.sentence}; {result.notes}")
    print("\n" + "\n".join(said))
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
