"""What checkers of gradients say of faulty and of correct backward passes: ours beside the others at their defaults.

    python benchmarks/diagnosis.py               # all of tests/diagnosis, some minutes
    python benchmarks/diagnosis.py --quick       # every seventh
    python benchmarks/diagnosis.py --cases       # also every fault that ours does not name, and every false alarm

The faulty passes, those outside the dictionary and the correct implementations are those of the tests. The others hold
a gradient against differences of the loss, which is our compiled one in every case:

torch   torch.autograd.gradcheck of an autograd.Function, in the dtype of the parameters
scipy   scipy.optimize.check_grad > 1e-6, all parameters as one vector
jax     jax.test_util.check_grads, order 1, reverse mode, of a custom_vjp around pure_callback: in float32, which is
        jax's default, and with x64 enabled

What raises an exception counts as caught. A checker that is not installed is left out.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "diagnosis"))

import bank
import correct
from bank_case import arrays_at

import symbackprop as sbp

Arrays = Mapping[str, np.ndarray]
CHECKERS = {"symbackprop": None, "torch": "torch", "scipy": "scipy", "jax": "jax", "jax, x64": "jax"}
GROUPS = ("bank", "outside", "float64", "float32")


@dataclass(frozen=True)
class Task:
    """A backward pass at a point, and what may be said of it: no ``kinds`` for a correct one."""

    group: str
    name: str
    network: Any
    backward: Callable[..., Mapping[str, Any]]
    parameters: Arrays
    x: Any
    y: Any
    options: Mapping[str, str]
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """Who raised an alarm, and the kinds that ours named, with its seconds and its sentence."""

    group: str
    name: str
    alarms: Mapping[str, bool]
    named: tuple[str, ...]
    kinds: tuple[str, ...]
    seconds: float
    diagnosis: str


def task(group: str, number: int) -> Task:
    """The faulty pass or the implementation of this number."""
    if group in ("bank", "outside"):
        case = (bank.CASES if group == "bank" else bank.OUTSIDE)[number]
        point = arrays_at(case.network, case.point)
        return Task(group, case.name, case.network(), case.backward, *point, {}, case.kinds)
    one = correct.implementation(number)
    point = (one.parameters, one.x, one.y)
    return Task(one.dtype, str(one), one.network, one.backward, *point, one.options(), ())


def examine(job: tuple[str, int]) -> Outcome:
    """Ask every checker that is installed."""
    asked = task(*job)
    started = time.perf_counter()
    result = sbp.check_gradients(asked.backward, asked.network, asked.parameters, asked.x, asked.y, **asked.options)
    seconds = time.perf_counter() - started
    alarms = {"symbackprop": not result.ok}
    loss = asked.network.derive().compile().loss
    for checker, module in CHECKERS.items():
        if module is not None and find_spec(module) is not None:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    alarms[checker] = not _ACCEPTS[checker](asked, loss)
            except Exception:  # A wrong shape is told by an exception, of whatever kind the checker likes.
                alarms[checker] = True
    named = tuple(candidate.kind for candidate in result.candidates)
    return Outcome(asked.group, asked.name, alarms, named, asked.kinds, seconds, result.diagnosis)


# -- the others --------------------------------------------------------------------------------------------------------


def torch_accepts(asked: Task, loss: Callable[..., Any]) -> bool:
    import torch

    names = list(asked.parameters)

    class Theirs(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            ctx.save_for_backward(*tensors)
            arrays = {name: t.detach().numpy() for name, t in zip(names, tensors, strict=True)}
            return torch.tensor(loss(arrays, asked.x, asked.y), dtype=tensors[0].dtype)

        @staticmethod
        def backward(ctx: Any, upstream: Any) -> Any:
            arrays = {name: t.detach().numpy() for name, t in zip(names, ctx.saved_tensors, strict=True)}
            found = asked.backward(arrays, asked.x, asked.y)
            return tuple(upstream * torch.tensor(np.array(found[name]), dtype=upstream.dtype) for name in names)

    tensors = [torch.tensor(asked.parameters[name], requires_grad=True) for name in names]
    return bool(torch.autograd.gradcheck(Theirs.apply, tensors))


def scipy_accepts(asked: Task, loss: Callable[..., Any]) -> bool:
    from scipy.optimize import check_grad

    names = list(asked.parameters)
    sizes = np.cumsum([asked.parameters[name].size for name in names])[:-1]

    def arrays(vector: np.ndarray) -> dict[str, np.ndarray]:
        parts = np.split(vector, sizes)
        return {name: part.reshape(asked.parameters[name].shape) for name, part in zip(names, parts, strict=True)}

    def gradient(vector: np.ndarray) -> np.ndarray:
        found = asked.backward(arrays(vector), asked.x, asked.y)
        return np.concatenate([np.ravel(found[name]) for name in names])

    start = np.concatenate([asked.parameters[name].ravel() for name in names]).astype(float)
    error = check_grad(lambda vector: float(loss(arrays(vector), asked.x, asked.y)), gradient, start)
    return bool(error <= 1e-6)


def jax_accepts(asked: Task, loss: Callable[..., Any], x64: bool) -> bool:
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", x64)
    dtype = np.float64 if x64 else np.float32
    given = {name: np.asarray(array, dtype) for name, array in asked.parameters.items()}
    shapes = {name: jax.ShapeDtypeStruct(array.shape, dtype) for name, array in given.items()}

    def plain(arrays: Arrays) -> dict[str, np.ndarray]:
        return {name: np.asarray(array) for name, array in arrays.items()}

    def value(arrays: Arrays) -> np.ndarray:
        return np.asarray(loss(plain(arrays), asked.x, asked.y), dtype)

    def gradient(arrays: Arrays) -> dict[str, np.ndarray]:
        found = asked.backward(plain(arrays), asked.x, asked.y)
        return {name: np.asarray(found[name], dtype) for name in arrays}

    @jax.custom_vjp
    def theirs(arrays: Arrays) -> Any:
        return jax.pure_callback(value, jax.ShapeDtypeStruct((), dtype), arrays)

    def forward(arrays: Arrays) -> Any:
        return theirs(arrays), arrays

    def backward(arrays: Arrays, upstream: Any) -> Any:
        found = jax.pure_callback(gradient, shapes, arrays)
        return ({name: upstream * array for name, array in found.items()},)

    theirs.defvjp(forward, backward)
    check_grads(theirs, (given,), order=1, modes=["rev"])
    return True


_ACCEPTS: dict[str, Callable[[Task, Callable[..., Any]], bool]] = {
    "torch": torch_accepts,
    "scipy": scipy_accepts,
    "jax": lambda asked, loss: jax_accepts(asked, loss, False),
    "jax, x64": lambda asked, loss: jax_accepts(asked, loss, True),
}


# -- the tables --------------------------------------------------------------------------------------------------------


def print_tables(outcomes: list[Outcome]) -> None:
    of = {group: [outcome for outcome in outcomes if outcome.group == group] for group in GROUPS}
    heads = ("faults caught", "others caught", "false alarms", "in float32")
    counts = [f"{head} (of {len(of[group])})" for head, group in zip(heads, GROUPS, strict=True)]
    print(f"| checker     | {' | '.join(counts)} |")
    print(f"| ----------- | {' | '.join('-' * (len(count) - 1) + ':' for count in counts)} |")
    for checker in CHECKERS:
        asked = {group: [o.alarms[checker] for o in of[group] if checker in o.alarms] for group in GROUPS}
        if any(asked.values()):
            cells = [f"{sum(asked[group]):>{len(count)}}" for group, count in zip(GROUPS, counts, strict=True)]
            print(f"| {checker:<11} | {' | '.join(cells)} |")
    print()
    wrong = [o for o in of["bank"] if o.named and not set(o.named) & set(o.kinds)]
    right = [o for o in of["bank"] if set(o.named) & set(o.kinds)]
    false = [o for o in of["outside"] if not set(o.named) <= set(o.kinds)]
    alone = sum(len(o.named) == 1 for o in right)
    share = f"{100 * len(right) / max(len(of['bank']), 1):.0f} %"
    print(f"symbackprop names {len(right)} of {len(of['bank'])} faults rightly ({share}), {alone} by one name alone,")
    print(f"and {len(wrong)} wrongly; of {len(of['outside'])} others, {len(false)} get a false name.")
    for words, group in (("a fault", "bank"), ("another fault", "outside"), ("a correct pass", "float64")):
        seconds = [o.seconds for o in of[group]]
        if seconds:
            print(f"Seconds for {words}: {np.median(seconds):.2f} (median), {max(seconds):.2f} at most.")


def print_cases(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        alarm, named = outcome.alarms["symbackprop"], set(outcome.named)
        wrong = outcome.group == "bank" and named and not named & set(outcome.kinds)
        false = outcome.group == "outside" and not named <= set(outcome.kinds)
        silent = outcome.group in ("bank", "outside") and not alarm
        unnamed = outcome.group == "bank" and alarm and not named
        for said, holds in (
            ("WRONG NAME", wrong or false),
            ("not caught", silent),
            ("unnamed", unnamed),
            ("false alarm", alarm and outcome.group.startswith("float")),
        ):
            if holds:
                print(f"{said}: {outcome.name}: {outcome.diagnosis}")


def main() -> int:
    """Ask in parallel, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="every seventh case")
    parser.add_argument("--cases", action="store_true", help="print the cases that went wrong")
    arguments = parser.parse_args()
    for checker, module in CHECKERS.items():
        if module is not None and find_spec(module) is None:
            print(f"{checker}: {module} is not installed")
    sizes = {"bank": len(bank.CASES), "outside": len(bank.OUTSIDE), "correct": correct.COUNT}
    jobs = [(group, number) for group, size in sizes.items() for number in range(0, size, 7 if arguments.quick else 1)]
    started = time.perf_counter()
    # Neither jax nor torch likes to be forked.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        outcomes = list(pool.map(examine, jobs, chunksize=4))
    print_tables(outcomes)
    print(f"{len(jobs)} backward passes, {time.perf_counter() - started:.0f} s on {os.cpu_count()} processors")
    if arguments.cases:
        print_cases(outcomes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
