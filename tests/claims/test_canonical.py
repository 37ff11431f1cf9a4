from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from known_programs import KNOWN, known_case
from random_programs import Case, cases

from symbackprop.adjoint.sweep import differentiate
from symbackprop.functions.library import FUNCTIONS
from symbackprop.notation.canonical import NoCanonicalForm, SumOfTerms, canonical, unfold, vanishes
from symbackprop.notation.canonical_terms import Atom, Product
from symbackprop.notation.expressions import (
    Bracket,
    Maximum,
    Sum,
    index,
    limits,
    maximum,
    occurrence,
    size,
    total,
    walk,
)
from symbackprop.notation.indices import free_indices, substitute
from symbackprop.notation.interpreter import arbitrary_precision, interpret
from symbackprop.notation.program import Assumption, Equation, Program, Variable

i, j, k, m, n, q = (index(name) for name in "ijkmnq")
D, H, K, N = map(size, "DHKN")


def x(*positions: Any) -> sympy.Expr:
    return occurrence("x", *positions)


def z(*positions: Any) -> sympy.Expr:
    return occurrence("z", *positions)


def w(*positions: Any) -> sympy.Expr:
    return occurrence("W", *positions)


# -- an independent meaning of canonical forms, for the laws -----------------------------------------------------------

Values = Mapping[str, Any]


class Meaning:
    """The number that a canonical form is, straight from its terms."""

    def __init__(self, arrays: Values, sizes: Mapping[str, int], free: Mapping[str, int]) -> None:
        self.arrays = arrays
        self.sizes = sizes
        self.free = {f"@{name}": value for name, value in free.items()}

    def __call__(self, form: SumOfTerms, here: Mapping[str, int] | None = None) -> Any:
        here = self.free if here is None else here
        return mpmath.fsum(
            mpmath.mpf(c.numerator) / c.denominator * self.product(head, list(head.sums), here)
            for head, c in form.terms
        )

    def product(self, head: Product, sums: list[Any], here: Mapping[str, int]) -> Any:
        if sums:
            (name, extent), *rest = sums
            reach = int(self(extent, here))
            return mpmath.fsum(self.product(head, rest, {**here, name: place}) for place in range(reach))
        factors = sorted(head.factors, key=lambda pair: pair[0].kind not in ("zero", "positive"))
        result = mpmath.mpf(1)
        for atom, exponent in factors:
            value = self.atom(atom, here)
            result *= value**exponent if isinstance(exponent, int) else mpmath.power(value, _mpf(exponent))
            if result == 0:
                break
        return result

    def atom(self, atom: Atom, here: Mapping[str, int]) -> Any:
        return getattr(self, f"_{atom.kind}")(atom, here)

    def _index(self, atom: Atom, here: Mapping[str, int]) -> Any:
        return mpmath.mpf(here[atom.name])

    def _size(self, atom: Atom, here: Mapping[str, int]) -> Any:
        return mpmath.mpf(self.sizes[atom.name])

    def _prime(self, atom: Atom, here: Mapping[str, int]) -> Any:
        return mpmath.mpf(atom.name)

    def _constant(self, atom: Atom, here: Mapping[str, int]) -> Any:
        known = {str(c): c for f in FUNCTIONS.values() for c in f(occurrence("v")).definition.atoms(sympy.NumberSymbol)}
        return mpmath.mpmathify({"pi": sympy.pi, **known}[atom.name].evalf(mpmath.mp.dps))

    def _variable(self, atom: Atom, here: Mapping[str, int]) -> Any:
        array, place = self.arrays[atom.name], tuple(int(self(part, here)) for part in atom.parts)
        if all(0 <= at < extent for at, extent in zip(place, array.shape, strict=True)):
            return array[place]
        # A form may say y - [c] y for a y that is out of range where c holds: any number does.
        return mpmath.mpf(random.Random(f"{atom.name}{place}").random())

    def _exp(self, atom: Atom, here: Mapping[str, int]) -> Any:
        return mpmath.exp(self(atom.parts[0], here))

    def _log(self, atom: Atom, here: Mapping[str, int]) -> Any:
        return mpmath.log(self(atom.parts[0], here))

    def _base(self, atom: Atom, here: Mapping[str, int]) -> Any:
        return self(atom.parts[0], here)

    def _power(self, atom: Atom, here: Mapping[str, int]) -> Any:
        return mpmath.power(*(self(part, here) for part in atom.parts))

    def _positive(self, atom: Atom, here: Mapping[str, int]) -> Any:
        return int(self(atom.parts[0], here) > 0)

    def _zero(self, atom: Atom, here: Mapping[str, int]) -> Any:
        return int(self(atom.parts[0], here) == 0)

    def _maximum(self, atom: Atom, here: Mapping[str, int]) -> Any:
        name = next(iter(atom.parts[1].free - atom.free), "")
        values = [self(atom.parts[1], {**here, name: p}) for p in range(int(self(atom.parts[0], here)))]
        return max(values) if atom.name == "Maximum" else values.index(max(values))

    def _function(self, atom: Atom, here: Mapping[str, int]) -> Any:
        argument = self(atom.parts[0], here)
        if atom.name in FUNCTIONS:
            symbol = occurrence("argument")
            definition = FUNCTIONS[atom.name](symbol).definition
            program = Program((Variable("argument"),), (Equation(Variable("value"), definition),))
            return interpret(program, {"argument": argument}, {}, arbitrary_precision())["value"][()]
        return {"Abs": mpmath.fabs}.get(atom.name, getattr(mpmath, atom.name, None))(argument)


def _mpf(fraction: Any) -> Any:
    return mpmath.mpf(fraction.numerator) / fraction.denominator


def evaluated(case: Case, program: Program) -> dict[str, Any]:
    exact = {name: np.array(value, dtype=object) for name, value in case.values.items()}
    integers = {v.name for v in program.inputs if v.integer}
    for name, array in exact.items():
        if name not in integers:
            for place in np.ndindex(array.shape):
                array[place] = _mpf(array[place])
    return interpret(program, exact, case.sizes, arbitrary_precision())


def effort(form: SumOfTerms) -> int:
    """About how many factors its value takes."""
    inside = {atom: sum(map(effort, atom.parts)) + 1 for head, _ in form.terms for atom, _ in head.factors}
    return sum(2 ** len(head.sums) * sum(inside[atom] for atom, _ in head.factors) + 1 for head, _ in form.terms)


def check_meaning(program: Program, case: Case, equations: tuple[Equation, ...]) -> None:
    """The canonical form of each right side is what the equation's left side is, entry by entry."""
    with mpmath.workdps(40):
        arrays = evaluated(case, program)
        for equation in equations:
            try:
                form = canonical(equation.right, equation.scope, most_terms=300)
            except NoCanonicalForm:
                continue
            if effort(form) > 300:
                continue
            every = list(np.ndindex(arrays[equation.name].shape))
            for place in {every[0], every[-1]}:
                here = {symbol.name: at for symbol, at in zip(equation.indices, place, strict=True)}
                value = Meaning(arrays, case.sizes, here)(form)
                derived = arrays[equation.name][place]
                assert mpmath.almosteq(value, derived, 1e-25, 1e-25), f"{equation}\n{form}\n{value} {derived}"


@settings(max_examples=60)
@given(case=cases("general", largest_size=2))
def test_a_form_means_what_the_expression_means(case: Case) -> None:
    check_meaning(case.program, case, case.program.equations)


@settings(max_examples=40)
@given(case=cases("rational", largest_size=2))
def test_a_form_means_what_the_rational_expression_means(case: Case) -> None:
    check_meaning(case.program, case, case.program.equations)


@settings(max_examples=40)
@given(case=cases("general", largest_size=2, equations=(2, 3)), generator=st.randoms(use_true_random=False))
def test_a_form_of_unfolded_adjoints_means_what_they_mean(case: Case, generator: random.Random) -> None:
    program = adjoint_program(case)
    equations = []
    for equation in program.equations:
        right = equation.right
        for inner in reversed(program.equations):
            if inner.name != equation.name and generator.random() < 0.5:
                right = unfold(right, inner)
        if sum(1 for _ in walk(right)) < 150:
            equations.append(Equation(equation.left, right))
    check_meaning(program, case, tuple(equations))


@pytest.mark.parametrize("name", KNOWN)
def test_a_form_of_a_known_program_means_the_same(name: str) -> None:
    case = known_case(name)
    program = adjoint_program(case)
    check_meaning(program, case, program.equations)


def adjoint_program(case: Case) -> Program:
    wrt = [v.name for v in case.program.inputs if not v.integer]
    return differentiate(case.program, wrt).adjoint_program


# -- laws --------------------------------------------------------------------------------------------------------------


class Rewriter:
    """Writes an expression in another way that means the same: other names, other orders, distributed, split."""

    def __init__(self, generator: random.Random) -> None:
        self.generator = generator
        self.count = 0

    def __call__(self, node: sympy.Expr) -> sympy.Expr:
        if not node.args or isinstance(node, sympy.Indexed):
            return node
        if isinstance(node, Bracket | sympy.Piecewise | Maximum) and not isinstance(node, Sum):
            return node
        if isinstance(node, sympy.Sum):
            return self.sum(node)
        arguments = [self(argument) for argument in node.args]
        if isinstance(node, sympy.Mul) and self.generator.random() < 0.5:
            return sympy.expand_mul(sympy.Mul(*arguments))
        if isinstance(node, sympy.Pow) and node.exp == 2 and self.generator.random() < 0.5:
            return sympy.Mul(arguments[0], self(node.base), evaluate=False)
        return node.func(*arguments)

    def sum(self, node: sympy.Sum) -> sympy.Expr:
        over = list(limits(node))
        self.generator.shuffle(over)
        names = {}
        for old, _ in over:
            self.count += 1
            names[old] = index(f"fresh{self.count}")
        body = self(substitute(node.args[0], names))
        limited = [(names[old], extent) for old, extent in over]
        way = self.generator.choice(("whole", "nested", "split"))
        if way == "nested" and len(limited) > 1:
            return total(total(body, limited[0]), *limited[1:])
        if way == "split" and isinstance(body, sympy.Add):
            return sympy.Add(*(total(part, *limited) for part in body.args))
        return total(body, *limited)


@settings(max_examples=60)
@given(case=cases("general", largest_size=2), generator=st.randoms(use_true_random=False))
def test_names_orders_and_distributing_change_nothing(case: Case, generator: random.Random) -> None:
    for equation in case.program.equations:
        try:
            form = canonical(equation.right, equation.scope, most_terms=300)
            other = canonical(Rewriter(generator)(equation.right), equation.scope, most_terms=300)
        except NoCanonicalForm:
            continue
        assert other == form
        assert hash(other) == hash(form)
        assert vanishes(equation.right - Rewriter(generator)(equation.right), equation.scope)


def distorted(expression: sympy.Expr, generator: random.Random) -> sympy.Expr:
    """The expression with one thing changed: a sign, a factor, an index, an exponent, what is summed over."""
    nodes = [node for node in walk(expression) if isinstance(node, sympy.Indexed | sympy.Mul | sympy.Add | sympy.Pow)]
    if not nodes:
        return -expression
    node = generator.choice(nodes)
    if isinstance(node, sympy.Indexed):
        others = sorted({e for o in nodes if isinstance(o, sympy.Indexed) for e in o.indices}, key=str)
        place = generator.randrange(len(node.indices))
        positions = list(node.indices)
        positions[place] = generator.choice(others)
        return expression.xreplace({node: sympy.Indexed(node.base, *positions)})
    arguments = list(node.args)
    place = generator.randrange(len(arguments))
    change: Callable[[sympy.Expr], sympy.Expr] = generator.choice(
        (lambda e: -e, lambda e: 2 * e, lambda e: e**2, lambda e: e + 1)
    )
    if isinstance(node, sympy.Pow):
        return expression.xreplace({node: change(node)})
    arguments[place] = change(arguments[place])
    return expression.xreplace({node: node.func(*arguments)})


@settings(max_examples=80)
@given(case=cases("general", largest_size=2), generator=st.randoms(use_true_random=False))
def test_what_is_called_equal_has_equal_values(case: Case, generator: random.Random) -> None:
    with mpmath.workdps(40):
        arrays = evaluated(case, case.program)
        for equation in case.program.equations:
            try:
                wrong = distorted(equation.right, generator)
                if free_indices(wrong) - set(equation.indices):
                    continue
                if not vanishes(wrong - equation.right, equation.scope, most_terms=300):
                    continue
                right = Meaning(arrays, case.sizes, {symbol.name: 0 for symbol in equation.indices})
                value = right(canonical(wrong, equation.scope))
            except (NoCanonicalForm, ValueError):
                continue
            derived = arrays[equation.name][(0,) * len(equation.indices)]
            assert mpmath.almosteq(value, derived, 1e-25, 1e-25), f"{equation}\n{wrong}"


# -- single rules ------------------------------------------------------------------------------------------------------

exp, log, sqrt, tanh = sympy.exp, sympy.log, sympy.sqrt, sympy.tanh
positive = Bracket(x(n) > 0)
mean = total(x(n, k), (k, D)) / D
spread = total((x(n, q) - mean) ** 2, (q, D)) / D


def logistic(v: sympy.Expr) -> sympy.Expr:
    return 1 / (1 + exp(-v))


def softmax(at: sympy.Expr, shift: sympy.Expr = sympy.S.Zero) -> sympy.Expr:
    return exp(z(n, at) - shift) / total(exp(z(n, q) - shift), (q, K))


EQUAL = {
    "distributing": (total(w(j, i) * (x(i) + 1), (i, D)), total(w(j, i) * x(i), (i, D)) + total(w(j, k), (k, D))),
    "the square of a sum": (
        total(x(i), (i, D)) ** 2,
        total(x(i) * x(j), (i, D), (j, D)),
    ),
    "counting": (total(x(n), (k, K), (n, N)), K * total(x(i), (i, N))),
    "cyclic names": (
        total(w(i, j) * w(j, k) * w(k, i), (i, D), (j, D), (k, D)),
        total(w(k, i) * w(j, k) * w(i, j), (i, D), (j, D), (k, D)),
    ),
    "two indices of one size": (
        total(w(i, j) * x(i) * z(j), (i, D), (j, D)),
        total(w(j, i) * x(j) * z(i), (i, D), (j, D)),
    ),
    "one entry": (total(Bracket(sympy.Eq(i, n)) * x(i), (i, N)), x(n)),
    "one entry, constant": (total(Bracket(sympy.Eq(i, 0)) * x(i), (i, N)), x(0)),
    "one of two sums": (
        total(Bracket(sympy.Eq(i, j)) * x(i) * z(j), (i, N), (j, N)),
        total(x(k) * z(k), (k, N)),
    ),
    "a bracket is idempotent": (positive**2 * x(n), positive * x(n)),
    "a condition and its opposite": (positive + Bracket(x(n) <= 0), sympy.S.One),
    "the other way round": (Bracket(x(n) < 0) + Bracket(x(n) >= 0), sympy.S.One),
    "not equal": (Bracket(sympy.Ne(i, j)), 1 - Bracket(sympy.Eq(i, j))),
    "cases": (sympy.Piecewise((x(n), x(n) > 0), (0, True)), x(n) * positive),
    "cases of cases": (Bracket(sympy.Piecewise((x(n), x(n) > 0), (x(n) / 100, True)) > 0), positive),
    "a scaled condition": (Bracket(3 * x(n) / N > 0), positive),
    "or": (Bracket(sympy.Or(x(n) > 0, z(n) > 0)), 1 - (1 - positive) * (1 - Bracket(z(n) > 0))),
    "a difference in a quotient": (1 / (x(i) - x(j)), -1 / (x(j) - x(i))),
    "a quotient in a quotient": (1 / (1 - 1 / (1 + x(i))), (1 + x(i)) / x(i)),
    "an antisymmetric sum": (total(1 / (x(i) - x(j) + 0), (i, D), (j, D)), sympy.S.Zero),
    "exponentials": (exp(x(i) + 2 * x(j)), exp(x(i)) * exp(x(j)) ** 2),
    "the slope of the logistic function": (logistic(x(n)) * (1 - logistic(x(n))), exp(-x(n)) / (1 + exp(-x(n))) ** 2),
    "the same in a sum": (
        total(z(n) * logistic(x(n)) * (1 - logistic(x(n))), (n, N)),
        total(z(n) * exp(x(n)) / (1 + exp(x(n))) ** 2, (n, N)),
    ),
    "a softmax sums to 1": (total(softmax(k), (k, K)), sympy.S.One),
    "a softmax with its maximum taken out": (softmax(k, maximum(z(n, i), (i, K))), softmax(k)),
    "the logarithm of a softmax": (log(softmax(k)), z(n, k) - log(total(exp(z(n, i)), (i, K)))),
    "a layer norm has mean 0": (total((x(n, i) - mean) / sqrt(spread + 1), (i, D)), sympy.S.Zero),
    "and spread 1": (
        total((x(n, i) - mean) ** 2, (i, D)) / (spread + 1),
        D - D / (spread + 1),
    ),
    "roots of numbers": (sqrt(12 * N) * sqrt(3) / N, 6 / sqrt(N)),
    "a float": (x(n) * sympy.Float(0.5), x(n) / 2),
    "odd functions": (tanh(x(i) - x(j)) + tanh(x(j) - x(i)), sympy.S.Zero),
}


@pytest.mark.parametrize("name", EQUAL)
def test_a_rule(name: str) -> None:
    left, right = EQUAL[name]
    assert vanishes(left - right, ((n, N),))


UNEQUAL = {
    "a free index of an unknown size": (total(Bracket(sympy.Eq(i, j)) * x(i), (i, N)), x(j)),
    "above and not below": (Bracket(x(n) > 0), Bracket(x(n) >= 0)),
    "the root of a square": (sqrt(x(n) ** 2), x(n)),
    "a transposed factor": (total(w(j, i) * x(i), (i, D)), total(w(i, j) * x(i), (i, D))),
    "another size": (total(x(i), (i, D)), total(x(i), (i, H))),
    "the square inside": (total(x(i), (i, D)) ** 2, total(x(i) ** 2, (i, D))),
    "an argument with the other sign": (FUNCTIONS["sigmoid"](x(n)), FUNCTIONS["sigmoid"](-x(n))),
    "the root of a product": (sqrt(x(n) * z(n)), sqrt(x(n)) * sqrt(z(n))),
    "the logarithm of a square": (log(x(n) ** 2), 2 * log(x(n))),
    "a constant that is out of range": (total(Bracket(sympy.Eq(i, 1)) * x(i), (i, N)), x(1)),
    "a variable and a size of one name": (occurrence("N"), N),
    "a bound name that is free outside": (x(i) * total(x(i), (i, D)), total(x(i) * x(i), (i, D))),
}


@pytest.mark.parametrize("name", UNEQUAL)
def test_what_is_not_equal_is_not_called_equal(name: str) -> None:
    left, right = UNEQUAL[name]
    assert not vanishes(left - right, ((n, N),))


def test_a_bracket_has_no_reciprocal() -> None:
    with pytest.raises(NoCanonicalForm, match="bracket"):
        canonical(positive / positive.func(x(n) > 1))


@pytest.mark.parametrize(
    "expression",
    [
        (1 + x(i) + x(j)) ** 13,
        sympy.Mul(*(sympy.Add(*(occurrence(f"v{a}{b}") for b in range(9))) for a in range(5))),
        1 / (x(i) - occurrence("x", i) + total(x(k) - x(k), (k, D))),
        sympy.zoo,
    ],
)
def test_what_is_too_large_or_undefined_is_told(expression: sympy.Expr) -> None:
    with pytest.raises(NoCanonicalForm):
        canonical(expression)


def test_time_is_limited() -> None:
    with pytest.raises(NoCanonicalForm, match="time"):
        canonical((1 + total(w(i, j) * x(i) * z(j), (i, D), (j, H))) ** 6, deadline=0.0)


ONES = Assumption("sum_k y_k = 1", total(occurrence("y", n, k), (k, K)), sympy.S.One, (n,))


def test_an_assumption_is_used() -> None:
    targets = occurrence("y", m, j)
    difference = total(targets * x(m), (j, K), (m, N)) - total(x(i), (i, N))
    assert not vanishes(difference)
    assert vanishes(difference, assuming=(ONES,))
    assert not vanishes(total(targets * w(m, j), (j, K)) - 1, assuming=(ONES,))
    assert not vanishes(total(targets**2, (j, K)) - 1, assuming=(ONES,))
    assert not vanishes(total(targets, (j, H)) - 1, assuming=(ONES,))


def test_unfolding_captures_nothing() -> None:
    row = Equation(Variable("r", (D,), indices=(i,)), total(w(i, j) * x(j), (j, D)))
    outer = total(occurrence("r", j) * occurrence("r", i), (j, D))
    found = unfold(outer, row)
    expected = total(total(w(j, k) * x(k), (k, D)) * total(w(i, k) * x(k), (k, D)), (j, D))
    assert canonical(found) == canonical(expected)
    assert unfold(x(n), row) == x(n)


def test_a_sum_of_one_term_is_the_term():
    i, k = index("i"), index("k")
    body = occurrence("w", k, i) * occurrence("d", k)
    assert canonical(total(body, (k, sympy.Integer(1)))) == canonical(
        occurrence("w", sympy.Integer(0), i) * occurrence("d", sympy.Integer(0))
    )
