"""What a gradient costs by finite differences and by backpropagation, from 9 weights to a million.

    python benchmarks/finite_differences.py                      # some minutes
    python benchmarks/finite_differences.py --quick              # fewer rounds, more is extrapolated
    python benchmarks/finite_differences.py --limit 60           # run in full what takes up to 60 seconds
    python benchmarks/finite_differences.py --plot figure.png    # draw it too (with matplotlib)

The quotient (C(w + eps e_i) - C(w))/eps needs a forward pass of its own for each weight. Here every weight of a network
is moved in turn, in place, and the package's compiled forward pass computes the loss; beside it the compiled function
with ``reuse_buffers=True`` computes the gradient. One training example, one thread, float64. Every network runs in a
process of its own, in rounds: in each round the differences, the gradient and the forward pass alone, in an order drawn
anew. Seconds are medians over the rounds, ratios are medians of the ratios in the same round. Seconds are those of the
processor: nothing here waits for anything but memory, and the turns of other processes on the machine do not count.

- **forward passes** are calls of the loss, counted by a counter around it, in a run that is not timed.
- **differences** and **backprop** are the time for one full gradient, **forward** that for one forward pass.
- **in passes** is backprop over forward, **ratio** is differences over backprop.
- **error** is the largest difference between both gradients, relative to the largest entry of its array.

A star marks what was extrapolated, since the full gradient would take longer than the limit: seconds for each pass of a
sample of weights, drawn from all arrays, times the number of weights and one; the error is that of the sample. Nothing
here passes or fails.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from derive import Row, print_table

ROOT = Path(__file__).resolve().parent.parent
EPS = 1e-6
SAMPLE = 500
"""How many weights are moved where not all are."""
BLOCK = 20e-3
"""Seconds that something runs in each round, at least once."""
LONGEST = 90.0
"""Seconds after which a network gets no further rounds, once it had ``FEWEST``."""
FEWEST = 3
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""The environment of what is measured: libraries read it when they are imported."""

Arguments = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]
Loss = Callable[..., Any]
Places = Mapping[str, Sequence[int]]

# -- the networks ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A network with sigmoid units and linear outputs, and half the squared error."""

    sizes: tuple[int, ...]
    bias: bool = True

    @property
    def name(self) -> str:
        """Its sizes, inputs first."""
        return "-".join(map(str, self.sizes)) + ("" if self.bias else " without biases")

    def function(self) -> Any:
        """Loss and gradients, compiled."""
        from symbackprop import Dense, Network

        inputs, *hidden, outputs = self.sizes
        layers = [*(Dense(units, "sigmoid", self.bias) for units in hidden), Dense(outputs, bias=self.bias)]
        return Network(inputs, layers, "half_squared_error").derive().compile(reuse_buffers=True)

    def arguments(self) -> Arguments:
        """Parameters and one training example, always the same."""
        rng = np.random.default_rng(0)
        parameters = {}
        for layer, (before, units) in enumerate(itertools.pairwise(self.sizes), 1):
            parameters[f"W{layer}"] = rng.normal(size=(units, before)) / before**0.5
            if self.bias:
                parameters[f"b{layer}"] = rng.normal(size=units) / 10
        return parameters, rng.normal(size=(1, self.sizes[0])), rng.random((1, self.sizes[-1]))


CASES = (
    # The article's shape.
    Case((2, 3, 1), bias=False),
    # Two square layers: all of one shape, so that nothing changes but the number of weights, 2 n (n + 1).
    *(Case((n, n, n)) for n in (7, 22, 70, 126, 224, 400, 707)),
)

# -- both gradients ----------------------------------------------------------------------------------------------------


class Counted:
    """A loss that counts how often it is called."""

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.calls = 0

    def __call__(self, parameters: Any, x: Any, y: Any) -> Any:
        """The loss."""
        self.calls += 1
        return self.loss(parameters, x, y)


def forward_differences(loss: Loss, arguments: Arguments, places: Places) -> dict[str, np.ndarray]:
    """(C(w + eps e_i) - C(w))/eps for the weights at ``places``, which count along each array as it lies in memory."""
    parameters, x, y = arguments
    base = loss(parameters, x, y)
    found = {}
    for name, chosen in places.items():
        moved = np.empty(len(chosen))
        # Python reads and writes single numbers faster through a memoryview than through an array.
        weights, results = memoryview(parameters[name].reshape(-1)), memoryview(moved)
        for number, place in enumerate(chosen):
            weight = weights[place]
            weights[place] = weight + EPS
            results[number] = loss(parameters, x, y)
            weights[place] = weight
        found[name] = (moved - base) / EPS
    return found


def all_places(parameters: Mapping[str, np.ndarray]) -> Places:
    return {name: range(array.size) for name, array in parameters.items()}


def sampled_places(parameters: Mapping[str, np.ndarray]) -> Places:
    """``SAMPLE`` weights, each of the network's as likely as any other."""
    ends = np.cumsum([array.size for array in parameters.values()])
    drawn = np.sort(np.random.default_rng(1).choice(ends[-1], SAMPLE, replace=False))
    parts = np.split(drawn, np.searchsorted(drawn, ends[:-1]))
    starts = (0, *ends[:-1])
    return {name: (part - start).tolist() for name, part, start in zip(parameters, parts, starts, strict=True)}


def worst_error(found: Mapping[str, np.ndarray], gradients: Mapping[str, np.ndarray], places: Places) -> float:
    return max(
        float(abs(found[name] - gradients[name].reshape(-1)[chosen]).max() / abs(gradients[name]).max())
        for name, chosen in places.items()
        if len(chosen)
    )


# -- one network, in a process of its own ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """What was measured of a network; times are seconds."""

    name: str
    weights: int
    passes: int
    differences: float
    forward: float
    backprop: float
    in_passes: float
    ratio: float
    error: float
    extrapolated: bool


def timed(call: Callable[[], Any]) -> float:
    """Processor seconds of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def timed_rounds(contenders: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Processor seconds a call, of every contender in every round."""
    # The clock may tick in microseconds and take no notice of a tiny network.
    counts = {name: max(1, round(BLOCK / max(timed(call), 1e-6))) for name, call in contenders.items()}
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    order, draw, clock = list(contenders), random.Random(0), time.process_time
    gc.collect()
    gc.disable()
    try:
        begin = clock()
        for done in range(rounds):
            if done >= FEWEST and clock() - begin > LONGEST:
                break
            draw.shuffle(order)
            for name in order:
                call, count = contenders[name], counts[name]
                start = clock()
                for _ in itertools.repeat(None, count):
                    call()
                taken[name].append((clock() - start) / count)
    finally:
        gc.enable()
    return taken


def is_too_long(loss: Loss, arguments: Arguments, weights: int, limit: float) -> bool:
    """Whether moving all weights would take longer than ``limit`` seconds, as a sample shows."""
    if weights <= SAMPLE:
        return False
    places = sampled_places(arguments[0])
    return timed(lambda: forward_differences(loss, arguments, places)) / SAMPLE * weights > limit


def run_case(place: int, rounds: int, limit: float) -> dict[str, Any]:
    """Measure the network at ``place`` of ``CASES``; differences that take more than ``limit`` are extrapolated."""
    case = CASES[place]
    function, arguments = case.function(), case.arguments()
    loss, parameters = function.loss, arguments[0]
    _, gradients = function(*arguments)
    weights = sum(array.size for array in parameters.values())
    extrapolated = is_too_long(loss, arguments, weights, limit)
    places = sampled_places(parameters) if extrapolated else all_places(parameters)

    counted = Counted(loss)
    error = worst_error(forward_differences(counted, arguments, places), gradients, places)
    passes = weights + 1 if extrapolated else counted.calls
    taken = timed_rounds(
        {
            "differences": lambda: forward_differences(loss, arguments, places),
            "forward": lambda: loss(*arguments),
            "backprop": lambda: function(*arguments),
        },
        rounds,
    )
    differences = [seconds / counted.calls * passes for seconds in taken["differences"]]

    def ratio(above: Sequence[float], below: Sequence[float]) -> float:
        return statistics.median(a / b for a, b in zip(above, below, strict=True))

    return asdict(
        Result(
            name=case.name,
            weights=weights,
            passes=passes,
            differences=statistics.median(differences),
            forward=statistics.median(taken["forward"]),
            backprop=statistics.median(taken["backprop"]),
            in_passes=ratio(taken["backprop"], taken["forward"]),
            ratio=ratio(differences, taken["backprop"]),
            error=error,
            extrapolated=extrapolated,
        )
    )


def measured(*arguments: Any) -> Result:
    """What ``run_case`` returns in a fresh process; ends the program where that fails."""
    command = [sys.executable, __file__, "--child", json.dumps(arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD})
    if done.returncode:
        sys.exit(f"{CASES[arguments[0]].name} failed; what it says stands above")
    return Result(**json.loads(done.stdout.splitlines()[-1]))


# -- the table and the figure ------------------------------------------------------------------------------------------

HEADER: Row = (
    "one gradient, one training example",
    "  weights",
    "forward passes",
    "differences",
    " forward",
    "backprop",
    "in passes",
    "     ratio",
    "  error",
)


def rows(rounds: int, limit: float, found: list[Result]) -> Iterable[Row]:
    """A row for each network; the results are left in ``found``."""
    for place in range(len(CASES)):
        result = measured(place, rounds, limit)
        found.append(result)
        star = "*" if result.extrapolated else ""
        yield (
            result.name,
            f"{result.weights:,}",
            f"{result.passes:,}{star}",
            f"{duration(result.differences)}{star}",
            duration(result.forward),
            duration(result.backprop),
            f"{result.in_passes:.2f}",
            f"{three_digits(result.ratio)}{star}",
            f"{result.error:.1e}{star}",
        )


def duration(seconds: float) -> str:
    """Seconds, in a unit that suits them."""
    scale, unit = next(
        ((scale, unit) for scale, unit in ((1e6, "us"), (1e3, "ms")) if seconds * scale < 1000), (1, "s")
    )
    return f"{three_digits(seconds * scale)} {unit}"


def three_digits(value: float) -> str:
    """Three significant digits, with commas and without an exponent."""
    decimals = 2 - math.floor(math.log10(value))
    return f"{round(value, decimals):,.{max(0, decimals)}f}"


def slope(one: Result, other: Result, what: str) -> float:
    """Of the line between two networks in the figure: the power of the number of weights."""
    return math.log(getattr(other, what) / getattr(one, what)) / math.log(other.weights / one.weights)


def print_slopes(found: Sequence[Result]) -> None:
    """Between the second and the third network, and over the last factor of ten."""
    last = found[-1]
    before = max((result for result in found if result.weights * 9 < last.weights), key=lambda result: result.weights)
    for what in ("differences", "backprop"):
        pairs = ((found[1], found[2]), (before, last))
        said = (f"{slope(*pair, what):.2f} from {pair[0].weights:,} to {pair[1].weights:,} weights" for pair in pairs)
        print(f"\n{what}: seconds grow with the weights to the power of {', '.join(said)}")


def draw(found: Sequence[Result], file: str) -> None:
    """Both times against the number of weights; what was extrapolated is hollow and dashed."""
    from symbackprop.figures import BLUE, ORANGE, new_figure, save_figure, without_frame

    figure = new_figure(7.2, 4.8)
    axes = figure.add_subplot()
    full = [result for result in found if not result.extrapolated]
    guessed = [result for result in found if result.extrapolated]

    def plot(results: Sequence[Result], what: str, **style: Any) -> None:
        axes.plot([result.weights for result in results], [getattr(result, what) for result in results], **style)

    plot(full, "differences", color=BLUE, marker="o", label="finite differences, measured")
    if guessed:
        # The dashed line starts at the last network that was run in full, its hollow markers after it.
        hollow = {"marker": "o", "markerfacecolor": "white", "markevery": slice(len(full[-1:]), None)}
        label = f"finite differences, extrapolated from {SAMPLE} weights"
        plot([*full[-1:], *guessed], "differences", color=BLUE, linestyle="--", label=label, zorder=1.9, **hollow)
    plot(found, "backprop", color=ORANGE, marker="s", label="backpropagation, measured")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("weights")
    axes.set_ylabel("seconds for one gradient")
    axes.grid(True, which="major", linewidth=0.4, alpha=0.5)
    axes.legend(frameon=False, loc="upper left")
    without_frame(axes)
    save_figure(figure, file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and a lower limit")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds for each network (40; quick: 5)")
    parser.add_argument(
        "--limit", type=float, metavar="S", help="extrapolate what takes longer than S seconds (20; quick: 1)"
    )
    parser.add_argument("--plot", metavar="FILE", help="draw the figure to FILE, a PNG, SVG or PDF")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.child:
        print(json.dumps(run_case(*json.loads(options.child))))
        return
    if options.plot:
        # Now rather than after the measurements.
        from symbackprop.errors import SymbackpropError
        from symbackprop.figures import check_plot
        from symbackprop.files import check_place

        try:
            check_plot(options.plot)
            check_place(options.plot)
        except SymbackpropError as error:
            parser.error(str(error))
    rounds = (5 if options.quick else 40) if options.rounds is None else options.rounds
    if rounds < 1:
        parser.error(f"--rounds {rounds}: a median needs at least 1")
    limit = (1.0 if options.quick else 20.0) if options.limit is None else options.limit
    found: list[Result] = []
    print_table(f"Forward differences with eps = {EPS:g}, and backpropagation", HEADER, rows(rounds, limit, found))
    if any(result.extrapolated for result in found):
        print(f"\n\\* extrapolated from {SAMPLE} weights: all of them would take longer than {limit:g} s")
    print_slopes(found)
    if options.plot:
        draw(found, options.plot)


if __name__ == "__main__":
    main()
