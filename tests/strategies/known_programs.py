"""Programs that have a name, written out equation by equation: what the package is for, in small.

``KNOWN`` says for each what numbers its sizes have; values are drawn with a fixed seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sympy
from random_programs import Case, random_values

from symbackprop.functions.library import FUNCTIONS
from symbackprop.notation.checker import check
from symbackprop.notation.expressions import Bracket, index, maximum, occurrence, size, total
from symbackprop.notation.program import Assumption, Equation, Program, Role, Variable

__all__ = ["KNOWN", "Known", "known_case"]

i, j, k, e, m, n, p, q, t, u = (index(name) for name in "ijkemnpqtu")
D, H, K, N, P, T = (size(name) for name in "DHKNPT")
ONE = sympy.Integer(1)


def _input(name: str, *axes: tuple[sympy.Symbol, sympy.Expr], integer: bool = False) -> Variable:
    return Variable(name, tuple(s for _, s in axes), Role.INPUT, tuple(a for a, _ in axes), integer)


def _parameter(name: str, *axes: tuple[sympy.Symbol, sympy.Expr]) -> Variable:
    return Variable(name, tuple(s for _, s in axes), Role.PARAMETER, tuple(a for a, _ in axes))


def _equation(name: str, axes: tuple[tuple[sympy.Symbol, sympy.Expr], ...], right: sympy.Expr) -> Equation:
    return Equation(Variable(name, tuple(s for _, s in axes), Role.DEFINED, tuple(a for a, _ in axes)), right)


def _at(name: str, *positions: sympy.Expr) -> sympy.Expr:
    return occurrence(name, *positions)


def _dense(name: str, weight: str, bias: str | None, source: str, units: sympy.Expr, inputs: sympy.Expr) -> Equation:
    right = total(_at(weight, j, i) * _at(source, n, i), (i, inputs))
    return _equation(name, ((n, N), (j, units)), right if bias is None else right + _at(bias, j))


def _squares(output: str, outputs: sympy.Expr) -> Equation:
    return _equation("L", (), total((_at(output, n, k) - _at("y", n, k)) ** 2, (k, outputs), (n, N)) / (2 * N))


X = _input("x", (n, N), (i, D))
Y = _input("y", (n, N), (k, K))
W1, B1 = _parameter("W1", (j, H), (i, D)), _parameter("b1", (j, H))
W2, B2 = _parameter("W2", (j, K), (i, H)), _parameter("b2", (j, K))
NETWORK = (X, Y, W1, B1, W2, B2)


def two_layers(function: Callable[[sympy.Expr], sympy.Expr] = FUNCTIONS["sigmoid"]) -> Program:
    return Program(
        NETWORK,
        (
            _dense("z1", "W1", "b1", "x", H, D),
            _equation("a1", ((n, N), (j, H)), function(_at("z1", n, j))),
            _dense("z2", "W2", "b2", "a1", K, H),
            _squares("z2", K),
        ),
        loss="L",
        output="z2",
        batch=N,
        name="two layers",
    )


def _classifier(*ending: Equation, assumptions: tuple[Assumption, ...] = ()) -> Program:
    hidden = _equation("a1", ((n, N), (j, H)), sympy.tanh(_at("z1", n, j)))
    layers = (_dense("z1", "W1", "b1", "x", H, D), hidden, _dense("z2", "W2", "b2", "a1", K, H))
    return Program(NETWORK, (*layers, *ending), loss="L", name="classifier", assumptions=assumptions)


LOG_SUM_EXP = sympy.log(total(sympy.exp(_at("z2", n, k)), (k, K)))
ONES = Assumption("sum_k y_k = 1", total(_at("y", n, k), (k, K)), ONE, (n,))


def softmax_cross_entropy_unfused() -> Program:
    softmax = sympy.exp(_at("z2", n, j)) / total(sympy.exp(_at("z2", n, k)), (k, K))
    return _classifier(
        _equation("p", ((n, N), (j, K)), softmax),
        _equation("L", (), -total(_at("y", n, k) * sympy.log(_at("p", n, k)), (k, K), (n, N)) / N),
        assumptions=(ONES,),
    )


def softmax_cross_entropy_fused() -> Program:
    return _classifier(
        _equation("logp", ((n, N), (j, K)), _at("z2", n, j) - LOG_SUM_EXP),
        _equation("L", (), -total(_at("y", n, k) * _at("logp", n, k), (k, K), (n, N)) / N),
        assumptions=(ONES,),
    )


def log_sum_exp() -> Program:
    return _classifier(_equation("L", (), total(LOG_SUM_EXP, (n, N))))


G, B = _parameter("g", (i, D)), _parameter("b", (i, D))
SMALL = sympy.Rational(1, 100)


def layer_norm_in_one_equation() -> Program:
    mean = total(_at("x", n, k), (k, D)) / D
    spread = total((_at("x", n, e) - mean) ** 2, (e, D)) / D
    normalised = _at("g", i) * (_at("x", n, i) - mean) / sympy.sqrt(spread + SMALL) + _at("b", i)
    return Program(
        (_parameter("x", (n, N), (i, D)), G, B, _input("y", (n, N), (k, D))),
        (_equation("h", ((n, N), (i, D)), normalised), _squares("h", D)),
        loss="L",
        name="layer norm",
    )


def layer_norm_in_four_equations() -> Program:
    return Program(
        (_parameter("x", (n, N), (i, D)), G, B, _input("y", (n, N), (k, D))),
        (
            _equation("mean", ((n, N),), total(_at("x", n, i), (i, D)) / D),
            _equation("c", ((n, N), (i, D)), _at("x", n, i) - _at("mean", n)),
            _equation("s", ((n, N),), sympy.sqrt(total(_at("c", n, i) ** 2, (i, D)) / D + SMALL)),
            _equation("h", ((n, N), (i, D)), _at("g", i) * _at("c", n, i) / _at("s", n) + _at("b", i)),
            _squares("h", D),
        ),
        loss="L",
        name="layer norm",
    )


SQUARE = _parameter("W", (i, D), (j, D))


def diagonal() -> Program:
    return Program(
        (SQUARE, _input("x", (i, D))),
        (_equation("L", (), total(_at("W", i, i) ** 2 * _at("x", i), (i, D)) + total(_at("W", i, j), (i, D), (j, D))),),
        loss="L",
        name="diagonal",
    )


def constant_index() -> Program:
    return Program(
        (SQUARE, _input("x", (i, D))),
        (
            _equation("r", ((j, D),), _at("W", 0, j) * _at("x", j) + _at("W", j, 0) ** 2),
            _equation("L", (), total(_at("r", j) ** 2, (j, D)) + _at("r", 0) * _at("W", 0, 0)),
        ),
        loss="L",
        name="constant index",
    )


def transposed_and_twice() -> Program:
    product = total(_at("W", i, k) * _at("W", k, j) * _at("W", j, i), (i, D), (j, D), (k, D))
    return Program((SQUARE,), (_equation("L", (), product),), loss="L", name="tr W^3")


def crossed_names() -> Program:
    """Sums over the very names that the axes are declared by, the other way round."""
    rows = total(_at("W", i, k) * _at("x", k), (k, D))
    columns = total(_at("W", k, i) * _at("x", i), (i, D))
    return Program(
        (_parameter("W", (k, D), (i, D)), _parameter("x", (k, D))),
        (_equation("L", (), total(rows**3, (i, D)) + total(columns**2 * _at("x", k), (k, D))),),
        loss="L",
        name="crossed names",
    )


def shared_weights() -> Program:
    return Program(
        (_input("x", (n, N), (i, D)), _input("y", (n, N), (k, D)), SQUARE),
        (
            _dense("z1", "W", None, "x", D, D),
            _equation("a1", ((n, N), (j, D)), sympy.tanh(_at("z1", n, j))),
            _dense("z2", "W", None, "a1", D, D),
            _squares("z2", D),
        ),
        loss="L",
        name="shared weights",
    )


def recurrent() -> Program:
    def step(now: int, before: str) -> Equation:
        fed = total(_at("U", j, i) * _at("x", n, now, i), (i, D)) + total(_at("R", j, e) * _at(before, n, e), (e, H))
        return _equation(f"h{now + 1}", ((n, N), (j, H)), sympy.tanh(fed + _at("c", j)))

    return Program(
        (
            _input("x", (n, N), (t, sympy.Integer(2)), (i, D)),
            _parameter("h0", (n, N), (j, H)),
            _parameter("U", (j, H), (i, D)),
            _parameter("R", (j, H), (e, H)),
            _parameter("c", (j, H)),
            _input("y", (n, N), (k, H)),
        ),
        (step(0, "h0"), step(1, "h1"), _squares("h2", H)),
        loss="L",
        name="recurrent net of two steps",
    )


def residual() -> Program:
    return Program(
        (_input("x", (n, N), (i, D)), _input("y", (n, N), (k, D)), SQUARE, _parameter("A", (j, D), (i, D))),
        (
            _dense("u", "A", None, "x", D, D),
            _equation("v", ((n, N), (j, D)), total(_at("W", j, i) * FUNCTIONS["relu"](_at("u", n, i)), (i, D))),
            _equation("h", ((n, N), (j, D)), _at("u", n, j) + _at("v", n, j)),
            _squares("h", D),
        ),
        loss="L",
        name="residual connection",
    )


def convolution() -> Program:
    window = total(_at("w", k, i, p) * _at("x", n, i, t + p), (i, D), (p, P))
    return Program(
        (
            _parameter("x", (n, N), (i, D), (t, T + P - 1)),
            _parameter("w", (k, K), (i, D), (p, P)),
            _input("y", (n, N), (k, K)),
        ),
        (
            _equation("z", ((n, N), (k, K), (t, T)), window),
            _equation("s", ((n, N), (k, K)), total(sympy.tanh(_at("z", n, k, t)), (t, T)) / T),
            _squares("s", K),
        ),
        loss="L",
        name="convolution",
    )


def convolution_with_stride() -> Program:
    window = total(_at("w", p) * _at("x", 2 * t + p) * _at("x", 2 * t), (p, sympy.Integer(2)))
    return Program(
        (_parameter("x", (i, 2 * T)), _parameter("w", (p, sympy.Integer(2))), _input("y", (t, T))),
        (_equation("z", ((t, T),), window), _equation("L", (), total((_at("z", t) - _at("y", t)) ** 3, (t, T)))),
        loss="L",
        name="convolution with stride 2",
    )


def autocorrelation() -> Program:
    """The same signal on both sides, read forwards and backwards."""
    body = _at("x", t + p) * _at("x", T + P - 2 - t - p)
    return Program(
        (_parameter("x", (i, T + P - 1)), _input("a", (t, T)), _input("b", (p, P))),
        (
            _equation("r", ((p, P),), total(body * _at("a", t), (t, T))),
            _equation("L", (), total(_at("r", p) ** 2 * _at("b", p), (p, P))),
        ),
        loss="L",
        name="autocorrelation",
    )


def largest() -> Program:
    return Program(
        NETWORK,
        (
            _dense("z1", "W1", "b1", "x", H, D),
            _equation("a1", ((n, N), (j, H)), FUNCTIONS["leaky_relu"](_at("z1", n, j))),
            _dense("z2", "W2", "b2", "a1", K, H),
            _equation("best", ((n, N),), maximum(_at("z2", n, k) * _at("y", n, k), (k, K))),
            _equation("L", (), total(_at("best", n) ** 2, (n, N))),
        ),
        loss="L",
        name="max",
    )


def stable_log_sum_exp() -> Program:
    best = maximum(_at("z", n, k), (k, K))
    rest = total(sympy.exp(_at("z", n, k) - _at("m", n)), (k, K))
    return Program(
        (_parameter("z", (n, N), (k, K)),),
        (
            _equation("m", ((n, N),), best),
            _equation("s", ((n, N),), _at("m", n) + sympy.log(rest)),
            _equation("L", (), total(_at("s", n) ** 2, (n, N))),
        ),
        loss="L",
        name="log-sum-exp with its maximum taken out",
    )


def maximum_of_a_window() -> Program:
    """Max pooling after a convolution, in one equation: the maximum's body needs the guards of the window."""
    return Program(
        (_parameter("x", (i, T + P - 1)), _parameter("w", (t, T), (p, P))),
        (_equation("L", (), total(maximum(_at("x", t + p) * _at("w", t, p), (p, P)), (t, T))),),
        loss="L",
        name="maximum of a window",
    )


def attention() -> Program:
    def projected(name: str, weight: str) -> Equation:
        return _equation(name, ((t, T), (j, H)), total(_at(weight, j, i) * _at("x", t, i), (i, D)))

    scores = _at("scale") * total(_at("q", t, j) * _at("k", u, j), (j, H))
    exponents = total(sympy.exp(_at("s", t, e)), (e, T))
    return Program(
        (
            _parameter("x", (t, T), (i, D)),
            *(_parameter(name, (j, H), (i, D)) for name in ("Wq", "Wk", "Wv")),
            _input("y", (t, T), (j, H)),
        ),
        (
            _equation("scale", (), 1 / sympy.sqrt(H)),
            projected("q", "Wq"),
            projected("k", "Wk"),
            projected("v", "Wv"),
            _equation("s", ((t, T), (u, T)), scores),
            _equation("a", ((t, T), (u, T)), sympy.exp(_at("s", t, u)) / exponents),
            _equation("o", ((t, T), (j, H)), total(_at("a", t, u) * _at("v", u, j), (u, T))),
            _equation("L", (), total(_at("o", t, j) * _at("y", t, j), (j, H), (t, T))),
        ),
        loss="L",
        name="attention head",
    )


def embedding() -> Program:
    return Program(
        (
            _input("t", (n, N), integer=True),
            _parameter("E", (k, sympy.Integer(3)), (i, D)),
            _parameter("W", (j, H), (i, D)),
            _input("y", (n, N), (k, H)),
        ),
        (
            _equation("z", ((n, N), (j, H)), total(_at("W", j, i) * _at("E", _at("t", n), i), (i, D))),
            _squares("z", H),
        ),
        loss="L",
        name="embedding",
    )


def labels() -> Program:
    """Cross-entropy with integer labels: -log p[n, t[n]]."""
    picked = _at("z2", n, _at("t", n)) - LOG_SUM_EXP
    program = _classifier(_equation("L", (), -total(picked, (n, N)) / N))
    # The labels run to 2, so there are three classes.
    three = {K: sympy.Integer(3)}
    return Program(
        (
            *tuple(
                Variable(v.name, tuple(s.xreplace(three) for s in v.shape), v.role, v.indices)
                for v in program.inputs
                if v.name != "y"
            ),
            _input("t", (n, N), integer=True),
        ),
        tuple(
            _equation(
                equation.name,
                tuple((a, s.xreplace(three)) for a, s in equation.scope),
                equation.right.xreplace(three),
            )
            for equation in program.equations
        ),
        loss="L",
        name="labels",
    )


def part_of_an_axis() -> Program:
    """An equation over part of an axis: its name cannot stand for the same function over the whole axis."""
    five, three = sympy.Integer(5), sympy.Integer(3)
    return Program(
        (_parameter("x", (i, five)),),
        (
            _equation("a", ((i, three),), sympy.exp(_at("x", i))),
            _equation("L", (), total(sympy.exp(_at("x", j)), (j, five)) + total(_at("a", i) ** 2, (i, three))),
        ),
        loss="L",
        name="part of an axis",
    )


def cases_in_nested_sums() -> Program:
    """A definition by cases inside two reductions, the inner one about the index of its condition."""
    inner = sympy.Piecewise((_at("x", j) * _at("w", k), _at("x", j) > 0), (_at("w", k) ** 2, True))
    most = maximum(inner, (j, D))
    return Program(
        (_parameter("x", (j, D)), _parameter("w", (k, H))),
        (
            _equation("c", (), total(_at("w", k) * total(inner, (j, D)), (k, H))),
            _equation("L", (), _at("c") ** 2 + total(_at("w", k) * most, (k, H))),
        ),
        loss="L",
        name="cases in nested sums",
    )


def root_of_a_square() -> Program:
    """SymPy differentiates sqrt(x**2) to a sign, which is no function of the language."""
    body = sympy.sqrt(_at("x", i) ** 2) * _at("x", i) + Bracket(_at("x", i) > 0) * _at("x", i)
    return Program((_parameter("x", (i, D)),), (_equation("L", (), total(body, (i, D))),), loss="L", name="roots")


def counting() -> Program:
    """Sums over what does not depend on their index, forwards and backwards."""
    return Program(
        (_parameter("x", (n, N)), _parameter("s"), Y),
        (
            _equation("d", ((n, N), (k, K)), _at("x", n)),
            _equation("c", (), _at("s") ** 2),
            _equation("L", (), total(_at("d", n, k), (k, K), (n, N)) / 2 + total(_at("c"), (k, K), (n, N)) / N),
        ),
        loss="L",
        name="counting",
    )


def parts_that_do_not_reach() -> Program:
    return Program(
        (SQUARE, _parameter("x", (i, D)), _parameter("unused", (j, H))),
        (
            _equation("dead", ((j, H),), _at("unused", j) ** 2),
            _equation("r", ((i, D),), _at("x", i) ** 2),
            _equation("L", (), total(_at("r", i), (i, D))),
            _equation("after", (), _at("L") * total(_at("W", i, j), (i, D), (j, D))),
        ),
        loss="L",
        name="parts that do not reach the loss",
    )


@dataclass(frozen=True)
class Known:
    """A program, a family whose arithmetic it can be evaluated in, and the sizes to evaluate it at."""

    build: Callable[[], Program]
    family: str
    sizes: Mapping[str, int]
    decidable: bool = True
    """Whether it can be interpreted for symbols; the largest of symbols cannot be told."""


KNOWN: dict[str, Known] = {
    "two layers": Known(two_layers, "general", {"N": 2, "D": 2, "H": 3, "K": 1}),
    "two layers, square": Known(two_layers, "general", {"N": 2, "D": 2, "H": 2, "K": 2}),
    "two layers, relu": Known(lambda: two_layers(FUNCTIONS["relu"]), "rational", {"N": 3, "D": 2, "H": 2, "K": 2}),
    "two layers, gelu": Known(lambda: two_layers(FUNCTIONS["gelu"]), "general", {"N": 1, "D": 3, "H": 2, "K": 2}),
    "softmax, cross-entropy": Known(softmax_cross_entropy_unfused, "general", {"N": 1, "D": 2, "H": 2, "K": 3}),
    "log-softmax": Known(softmax_cross_entropy_fused, "general", {"N": 2, "D": 2, "H": 1, "K": 3}),
    "log-sum-exp": Known(log_sum_exp, "general", {"N": 2, "D": 1, "H": 2, "K": 3}),
    "layer norm in one": Known(layer_norm_in_one_equation, "general", {"N": 2, "D": 3}),
    "layer norm in four": Known(layer_norm_in_four_equations, "general", {"N": 2, "D": 3}),
    "diagonal": Known(diagonal, "rational", {"D": 3}),
    "constant index": Known(constant_index, "rational", {"D": 3}),
    "trace of a cube": Known(transposed_and_twice, "rational", {"D": 3}),
    "crossed names": Known(crossed_names, "rational", {"D": 3}),
    "shared weights": Known(shared_weights, "general", {"N": 2, "D": 2}),
    "recurrent": Known(recurrent, "general", {"N": 2, "D": 1, "H": 2}),
    "residual": Known(residual, "rational", {"N": 2, "D": 3}),
    "convolution": Known(convolution, "general", {"N": 1, "D": 2, "K": 2, "T": 3, "P": 2}),
    "convolution with stride": Known(convolution_with_stride, "rational", {"T": 3}),
    "autocorrelation": Known(autocorrelation, "rational", {"T": 3, "P": 2}),
    "max": Known(largest, "rational", {"N": 2, "D": 2, "H": 3, "K": 3}, decidable=False),
    "stable log-sum-exp": Known(stable_log_sum_exp, "general", {"N": 2, "K": 3}, decidable=False),
    "maximum of a window": Known(maximum_of_a_window, "rational", {"T": 3, "P": 3}, decidable=False),
    "attention": Known(attention, "general", {"T": 2, "D": 1, "H": 2}),
    "embedding": Known(embedding, "rational", {"N": 3, "D": 2, "H": 2}),
    "labels": Known(labels, "general", {"N": 2, "D": 1, "H": 1}),
    "part of an axis": Known(part_of_an_axis, "general", {}),
    "cases in nested sums": Known(cases_in_nested_sums, "rational", {"D": 3, "H": 2}, decidable=False),
    "root of a square": Known(root_of_a_square, "general", {"D": 3}),
    "counting": Known(counting, "rational", {"N": 2, "K": 3}),
    "dead ends": Known(parts_that_do_not_reach, "rational", {"D": 2, "H": 2}),
}


def known_case(name: str, seed: int = 0) -> Case:
    """The known program ``name`` with its sizes and values."""
    known = KNOWN[name]
    program = check(known.build())
    return Case(program, known.sizes, random_values(program, known.sizes, random.Random(seed)))
