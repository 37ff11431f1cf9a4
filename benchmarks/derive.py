"""How long it takes to derive the gradients of a network, and how long the formulas are.

    python benchmarks/derive.py            # the whole table, some minutes
    python benchmarks/derive.py --quick    # a short form of it, under a minute

Every case runs in a process of its own: "first" is measured there with cold caches after the imports, "again" is the
median of what follows in the same process. Below stands what becomes of the same derivation when the loss is
expanded to one expression in the single weights and given to ``sympy.diff``. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# -- the cases: each runs in a process of its own and returns what JSON can say ----------------------------------------


def _perceptron(sizes: Sequence[int | str], hidden: str, output: str, loss: str) -> Callable[[], Any]:
    """A maker of networks with layers of ``sizes``, inputs first."""
    from symbackprop import Dense, Network

    inputs, *inner, last = sizes

    def make() -> Any:
        return Network(inputs, [*(Dense(units, hidden) for units in inner), Dense(last, output)], loss)

    return make


def _derived(network: Any) -> tuple[float, Any]:
    """Seconds for the derivation with every gradient's matrix form in LaTeX, and the derivation."""
    start = time.perf_counter()
    derivation = network.derive()
    for gradient in derivation.gradients.values():
        _ = gradient.matrix.latex
    return time.perf_counter() - start, derivation


def derive_case(sizes: Sequence[int | str], hidden: str, output: str, loss: str, repeats: int) -> dict[str, Any]:
    """Describe, derive and print a network once in a fresh process, then ``repeats`` times more."""
    import symbackprop.api  # noqa: F401  # the budgets begin after the imports

    make = _perceptron(sizes, hidden, output, loss)
    start = time.perf_counter()
    network = make()
    described = time.perf_counter() - start
    first, derivation = _derived(network)
    again = [_derived(make())[0] for _ in range(repeats)]
    gradient = derivation["W1"]
    return {
        "described": described,
        "first": first,
        "again": statistics.median(again),
        "matrix": len(gradient.matrix.right_latex),
        "index": len(gradient.index.right_latex),
        "operations": sum(int(g.index.right.count_ops()) for g in derivation.adjoints.values()),
    }


def naive_case(sizes: Sequence[int]) -> dict[str, Any]:
    """``sympy.diff`` by every weight of half the squared error of a sigmoid network, expanded to single weights."""
    import sympy

    values = list(sympy.symbols(f"x1:{sizes[0] + 1}", real=True))
    weights: list[sympy.Symbol] = []
    for layer, units in enumerate(sizes[1:], 1):
        w = [sympy.symbols(f"w{layer}_{j}_1:{len(values) + 1}", real=True) for j in range(1, units + 1)]
        b = sympy.symbols(f"b{layer}_1:{units + 1}", real=True)
        weights += [*(symbol for row in w for symbol in row), *b]
        z = [sympy.Add(*(wi * v for wi, v in zip(row, values, strict=True)), bi) for row, bi in zip(w, b, strict=True)]
        values = [1 / (1 + sympy.exp(-zj)) for zj in z]
    targets = sympy.symbols(f"y1:{sizes[-1] + 1}", real=True)
    loss = sympy.Add(*((a - y) ** 2 for a, y in zip(values, targets, strict=True))) / 2
    start = time.perf_counter()
    gradients = [sympy.diff(loss, weight) for weight in weights]
    seconds = time.perf_counter() - start
    return {
        "weights": len(weights),
        "seconds": seconds,
        "operations": sum(int(gradient.count_ops()) for gradient in gradients),
        "characters": len(sympy.latex(gradients[0])),
    }


CASES: dict[str, Callable[..., dict[str, Any]]] = {"derive": derive_case, "naive": naive_case}


def measured(case: str, limit: float, *arguments: Any) -> dict[str, Any] | None:
    """The result of a case in a fresh process, None where it takes longer than ``limit`` seconds."""
    command = [sys.executable, __file__, "--case", json.dumps([case, *arguments])]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=limit, check=True, text=True)
    except subprocess.TimeoutExpired:
        return None
    result: dict[str, Any] = json.loads(done.stdout)
    return result


# -- the tables --------------------------------------------------------------------------------------------------------

Row = tuple[str, ...]


def print_table(title: str, header: Row, rows: Iterable[Row]) -> None:
    """A table that is readable as it stands and is Markdown too; each row is printed once it is known."""
    widths = [max(40, len(header[0])), *(len(cell) for cell in header[1:])]

    def line(cells: Row) -> str:
        first, *rest = (
            cell.ljust(w) if place == 0 else cell.rjust(w)
            for place, (cell, w) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join([first, *rest])} |"

    print(f"\n{title}\n\n{line(header)}\n| {'-' * widths[0]} | {' | '.join('-' * (w - 1) + ':' for w in widths[1:])} |")
    for row in rows:
        print(line(row), flush=True)


def seconds(value: float) -> str:
    """Seconds, with the digits that mean something."""
    return f"{value:.3f} s" if value < 10 else f"{value:.1f} s"


QUICK_NAIVE: tuple[tuple[int, ...], ...] = ((2, 3, 1), (4, 8, 1))


def command_rows(repeats: int) -> Iterable[Row]:
    """``symbackprop --help``, started anew each time."""
    command = [sys.executable, "-m", "symbackprop", "--help"]
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True, cwd=ROOT)
        times.append(time.perf_counter() - start)
    yield "symbackprop --help", "", seconds(times[0]), seconds(statistics.median(times[1:])), "0.15 s"


def shallow_rows(repeats: int) -> Iterable[Row]:
    """Two layers with softmax and cross-entropy, at symbolic sizes, small ones and large ones."""
    cases = (("D", "H", "K"), (784, 128, 10), (10000, 10000, 1000))
    for sizes in cases:
        result = measured("derive", 600, sizes, "sigmoid", "softmax", "categorical_cross_entropy", repeats)
        assert result is not None
        yield f"{'-'.join(map(str, sizes))}, softmax cross-entropy", *_times(result), "0.1 s"


def deep_sizes(depth: int) -> list[int | str]:
    """Sizes of a network of ``depth`` layers, each with a symbolic size of its own."""
    return ["D", *(f"H{layer}" for layer in range(1, depth)), "K"]


def deep_rows(depths: Sequence[int], repeats: int, found: dict[int, dict[str, Any]]) -> Iterable[Row]:
    """Deep networks; the results are left in ``found`` by depth."""
    for depth in depths:
        result = measured("derive", 600, deep_sizes(depth), "tanh", "identity", "half_squared_error", repeats)
        assert result is not None
        found[depth] = result
        yield f"{depth} layers, tanh, half squared error", *_times(result), "0.5 s" if depth == 100 else ""


def _times(result: dict[str, Any]) -> Row:
    return seconds(result["described"]), seconds(result["first"]), seconds(result["again"])


def length_rows(found: dict[int, dict[str, Any]]) -> Iterable[Row]:
    """Characters of LaTeX of dL/dW1, the adjoint of z1 named."""
    for depth in (2, 10, 100):
        result = found.get(depth) or measured(
            "derive", 600, deep_sizes(depth), "tanh", "identity", "half_squared_error", 1
        )
        assert result is not None
        yield f"depth {depth}", str(result["index"]), str(result["matrix"]), "80"


def naive_rows(cases: Sequence[Sequence[int]], limit: float) -> Iterable[Row]:
    """The same network both ways: one expanded expression, and named equations."""
    for sizes in cases:
        name = "-".join(map(str, sizes))
        naive = measured("naive", limit, sizes)
        ours = measured("derive", 600, sizes, "sigmoid", "sigmoid", "half_squared_error", 3)
        assert ours is not None
        if naive is None:
            yield f"{name}, sympy.diff of the expanded loss", f"> {limit:.0f} s", "", ""
        else:
            what = f"{name}, sympy.diff by {naive['weights']} weights"
            yield what, seconds(naive["seconds"]), f"{naive['operations']:,}", f"{naive['characters']:,}"
        yield f"{name}, symbackprop", seconds(ours["first"]), f"{ours['operations']:,}", f"{ours['index']:,}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="fewer repetitions, shallower networks, only the two smallest of sympy.diff",
    )
    parser.add_argument("--limit", type=float, metavar="S", help="seconds for one case of sympy.diff (300; quick: 30)")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.case:
        case, *arguments = json.loads(options.case)
        print(json.dumps(CASES[case](*arguments)))
        return
    repeats = 3 if options.quick else 9
    limit = options.limit or (30 if options.quick else 300)
    depths = (10, 50, 100) if options.quick else (10, 50, 100, 200)
    naive = QUICK_NAIVE if options.quick else (*QUICK_NAIVE, (8, 16, 4), (4, 5, 5, 5, 3))
    found: dict[int, dict[str, Any]] = {}

    header = ("derive(), matrix forms in LaTeX", "describe", "   first", "   again", "budget")
    print_table(
        "Time (the budgets include code generation, which is not in these figures)", header, shallow_rows(repeats)
    )
    print_table("Depth", header, deep_rows(depths, repeats, found))
    small, large = depths[1], depths[-1]
    for which in ("first", "again"):
        ratio = found[large][which] / found[small][which]
        print(f"\n{large} layers over {small} layers, {which}: {ratio:.1f} (linear in depth is {large / small:.0f})")
    print_table("Command", ("command", "        ", "   first", "   again", "budget"), command_rows(repeats))
    print_table(
        "Characters of LaTeX, right side of dL/dW1",
        ("tanh network", "index form", "matrix form", "budget"),
        length_rows(found),
    )
    print_table(
        "Why not sympy.diff of the loss: all gradients of a sigmoid network, half squared error",
        ("network", " seconds", "operations", "characters of one gradient"),
        naive_rows(naive, limit),
    )


if __name__ == "__main__":
    main()
