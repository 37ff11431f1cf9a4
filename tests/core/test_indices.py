"""Opening, closing, substituting, renaming and matching of indices: nothing is captured, nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from symbackprop.functions.library import FUNCTIONS
from symbackprop.notation.expressions import (
    ArgMaximum,
    Bracket,
    Maximum,
    Sum,
    index,
    limits,
    maximum,
    occurrence,
    size,
    total,
)
from symbackprop.notation.indices import (
    Fresh,
    bound_indices,
    close,
    free_indices,
    is_index,
    is_size,
    matches,
    open_reduction,
    same_up_to_names,
    substitute,
)
from symbackprop.notation.interpreter import EXACT, _Machine, evaluate_expression

i, j, k, r, m, n = (index(name) for name in "ijkrmn")
A, B = size("A"), size("B")


def x(*positions: sympy.Expr) -> sympy.Expr:
    return occurrence("x", *positions)


def y(*positions: sympy.Expr) -> sympy.Expr:
    return occurrence("y", *positions)


def test_indices_and_sizes_are_told_apart() -> None:
    assert is_index(i)
    assert not is_index(A)
    assert is_size(A)
    assert not is_size(i)
    assert not is_size(sympy.Integer(3))
    assert not is_index(occurrence("s"))


def test_free_and_bound_indices() -> None:
    expression = total(x(i, k) * total(y(j, i), (j, A)), (i, A)) + y(j, 0) * Bracket(i < r)
    assert free_indices(expression) == {k, j, i, r}
    assert bound_indices(expression) == {i, j}
    assert free_indices(maximum(x(i, j), (i, A))) == {j}
    assert free_indices(occurrence("s") * A) == frozenset()


# Substitution


def test_substitution_renames_a_bound_index_that_would_capture() -> None:
    expression = total(x(i) * y(j, k), (k, A))
    result = substitute(expression, {j: k})
    assert free_indices(result) == {i, k}
    assert same_up_to_names(result, total(x(i) * y(k, r), (r, A)))


@pytest.mark.parametrize("make", [total, maximum, lambda body, over: ArgMaximum(body, (over[0], 0, over[1] - 1))])
def test_every_binder_avoids_capture(make) -> None:
    result = substitute(make(x(i, k) + y(j), (k, A)), {i: k + 1, j: k})
    assert free_indices(result) == {k}
    ((name, _),) = limits(result)
    assert name != k
    assert result.args[0] == x(k + 1, name) + y(k)


def test_bound_indices_are_left_alone() -> None:
    expression = total(x(k), (k, A)) * y(k)
    assert substitute(expression, {k: n}) == total(x(k), (k, A)) * y(n)


def test_substitution_is_simultaneous() -> None:
    assert substitute(x(i, j), {i: j, j: i}) == x(j, i)
    nested = total(x(i, j, k), (k, A))
    assert substitute(nested, {i: j, j: i}) == total(x(j, i, k), (k, A))


def test_a_new_name_does_not_clash_with_names_further_in() -> None:
    inner = total(y(k, r, i), (r, A))
    result = substitute(total(inner * x(k), (k, B)), {i: k})
    assert free_indices(result) == {k}
    assert same_up_to_names(result, total(total(y(m, n, k), (n, A)) * x(m), (m, B)))


def test_names_bound_deep_inside_are_avoided_too() -> None:
    innermost = total(y(j, k, i), (j, A))
    result = substitute(total(FUNCTIONS["relu"](innermost), (k, B)), {i: j + k})
    assert free_indices(result) == {j, k}
    assert same_up_to_names(result, total(FUNCTIONS["relu"](total(y(r, m, j + k), (r, A))), (m, B)))


def test_substitution_reaches_conditions_positions_and_cases() -> None:
    cases = sympy.Piecewise((x(i), x(i) > 0), (y(i), True))
    expression = Bracket(sympy.Eq(i, ArgMaximum(y(k, i), (k, 0, A - 1)))) * cases + x(occurrence("t", i))
    result = substitute(expression, {i: k})
    assert free_indices(result) == {k}
    assert "x[t[k]]" in str(result)
    assert result.has(y(k))


def test_nothing_to_replace_changes_nothing() -> None:
    expression = total(x(i, k), (k, A))
    assert substitute(expression, {}) is expression
    assert substitute(expression, {n: j}) == expression


SCOPE = {i: A, j: A}
POOL = (i, j, k, r)


@st.composite
def _expressions(draw: st.DrawFn, depth: int = 3) -> sympy.Expr:
    """Random expressions in x(i, j), sums and maxima, in which names are used again and again."""
    kind = draw(st.integers(0, 5 if depth else 0))
    if kind <= 1:
        return x(draw(st.sampled_from(POOL)), draw(st.sampled_from(POOL)))
    if kind == 2:
        return draw(_expressions(depth - 1)) + 2 * draw(_expressions(depth - 1))
    if kind == 3:
        return draw(_expressions(depth - 1)) * (draw(_expressions(depth - 1)) + 1)
    bound = draw(st.sampled_from(POOL))
    return (total if kind == 4 else maximum)(draw(_expressions(depth - 1)), (bound, A))


ARRAY = {"x": np.array([[sympy.Integer(7 * a + 3 * b * b - 4) for b in range(2)] for a in range(2)])}


def value(expression: sympy.Expr, at: dict[sympy.Symbol, int]) -> sympy.Expr:
    """The value where the free indices have the numbers ``at``. The interpreter looks names up, it replaces none."""
    return _Machine(dict(ARRAY), {A: 2}, EXACT).value(expression, dict(at))


@given(
    expression=_expressions(),
    values=st.dictionaries(st.sampled_from(POOL), st.sampled_from((*POOL, 1 - i, 1 - k)), min_size=1),
    numbers=st.tuples(*[st.integers(0, 1)] * 4),
)
def test_substitution_means_what_it_says(
    expression: sympy.Expr, values: dict[sympy.Symbol, sympy.Expr], numbers: tuple[int, ...]
) -> None:
    """Replacing names in the text is evaluating at the replaced values."""
    at = dict(zip(POOL, numbers, strict=True))
    replaced = {**at, **{name: int(new.xreplace(at)) for name, new in values.items()}}
    assert value(substitute(expression, values), at) == value(expression, replaced)


@given(expression=_expressions(), numbers=st.tuples(*[st.integers(0, 1)] * 4))
def test_closing_means_the_same(expression: sympy.Expr, numbers: tuple[int, ...]) -> None:
    at = dict(zip(POOL, numbers, strict=True))
    _, closed = close(expression, (), POOL, {})
    assert value(closed, at) == value(expression, at)
    assert not bound_indices(closed) & set(POOL)
    assert same_up_to_names(closed, expression)


# Opening and closing


def test_opening_gives_names_that_no_user_can_write() -> None:
    fresh = Fresh()
    body, opened = open_reduction(total(x(i, k) * y(k), (k, A)), fresh)
    ((name, extent),) = opened
    assert name.name.startswith("_")
    assert extent == A
    assert body == x(i, name) * y(name)
    again, ((other, _),) = open_reduction(total(x(i, k) * y(k), (k, A)), fresh)
    assert other != name
    assert again == x(i, other) * y(other)


def test_closing_gives_the_readable_names_back() -> None:
    fresh = Fresh()
    body, opened = open_reduction(total(x(i, k), (k, A)), fresh)
    names, closed = close(body, opened, (i,), fresh.hints)
    assert closed == x(i, k)
    assert list(names.values()) == [k]


def test_closing_takes_another_name_where_one_is_in_use() -> None:
    fresh = Fresh()
    body, opened = open_reduction(total(x(i, k), (k, A)), fresh)
    names, closed = close(body, opened, (i, k), fresh.hints)
    (new,) = names.values()
    assert new not in (i, k)
    assert closed == x(i, new)


def test_closing_gives_inner_binders_names_of_their_own() -> None:
    fresh = Fresh()
    body, opened = open_reduction(total(x(k) * total(y(k, j), (j, B)), (k, A)), fresh)
    names, closed = close(body, opened, (j,), fresh.hints)
    assert names[opened[0][0]] == k
    assert free_indices(closed) == {k}
    assert not bound_indices(closed) & {j, k}
    assert same_up_to_names(closed, x(k) * total(y(k, r), (r, B)))


def test_a_name_is_never_given_twice() -> None:
    fresh = Fresh()
    scope = tuple((fresh.take(k), A) for _ in range(30))
    names, _ = close(sympy.Integer(0), scope, (i, j), fresh.hints)
    assert len(set(names.values())) == 30
    assert not {i, j} & set(names.values())


# Matching


def test_matching_finds_the_values_of_holes() -> None:
    pattern = sympy.exp(x(n, j)) / total(sympy.exp(x(n, k)), (k, A))
    found = sympy.exp(x(r, 0)) / total(sympy.exp(x(r, m)), (m, A))
    assert matches(pattern, found, frozenset((n, j)), {}) == {n: r, j: 0}


@pytest.mark.parametrize(
    ("pattern", "expression"),
    [
        (x(n, n), x(i, j)),
        (x(n), y(i)),
        (total(x(n, k), (k, A)), total(x(i, k), (k, B))),
        (total(x(n, k), (k, A)), maximum(x(i, k), (k, A))),
        (total(x(n, k), (k, A)), total(x(k, k), (k, A))),
        (total(x(k, n), (k, A)), total(x(k, k), (k, A))),
        (sympy.exp(x(n)), sympy.exp(2 * x(i))),
        (x(n) + 1, x(i) + 2),
        (FUNCTIONS["relu"](x(n)), FUNCTIONS["sigmoid"](x(n))),
        (maximum(x(n, k), (k, A)), ArgMaximum(x(n, k), (k, 0, A - 1))),
    ],
)
def test_what_differs_does_not_match(pattern: sympy.Expr, expression: sympy.Expr) -> None:
    assert matches(pattern, expression, frozenset((n,)), {}) is None


def test_matching_keeps_to_what_is_bound_already() -> None:
    assert matches(x(n), x(i), frozenset((n,)), {n: j}) is None
    assert matches(x(n), x(i), frozenset((n,)), {n: i}) == {n: i}
    assert matches(x(n) * y(n), x(i) * y(j), frozenset((n,)), {}) is None


def test_summands_and_factors_match_in_any_order() -> None:
    pattern = x(n) * x(j) + y(n)
    found = x(k) * x(r) + y(r)
    assert matches(pattern, found, frozenset((n, j)), {}) == {n: r, j: k}


def test_sums_over_several_indices_match_in_any_order() -> None:
    assert same_up_to_names(total(x(i, j), (i, A), (j, A)), total(x(k, r), (r, A), (k, A)))
    assert not same_up_to_names(total(x(i, j), (i, A), (j, B)), total(x(i, j), (i, B), (j, A)))


def test_equality_up_to_names_is_of_bound_names_only() -> None:
    assert same_up_to_names(total(x(i, k), (k, A)), total(x(i, r), (r, A)))
    assert not same_up_to_names(x(i), x(j))
    assert not same_up_to_names(total(x(i, k), (k, A)), total(x(j, k), (k, A)))
    # Not: the bound k of the one is the free k of the other.
    assert not same_up_to_names(total(x(r, k), (r, A)), total(x(k, r), (r, A)))


# The language's own binders


def test_a_sum_is_equal_to_sympys() -> None:
    ours, theirs = total(x(i), (i, A)), sympy.Sum(x(i), (i, 0, A - 1))
    assert ours == theirs
    assert theirs == ours
    assert (ours != theirs) is False
    assert hash(ours) == hash(theirs)
    assert ours - theirs == 0
    assert sympy.exp(ours) == sympy.exp(theirs)
    assert ours != total(x(j), (j, A))
    assert ours != 0
    assert isinstance(ours.xreplace({x(i): y(i)}), Sum)


def test_sums_of_sums_are_one_sum() -> None:
    assert total(total(x(i, j), (i, A)), (j, B)) == total(x(i, j), (i, A), (j, B))


def test_a_case_stays_inside_the_binder_of_its_index() -> None:
    """SymPy's own constructor moves the cases out of the inner sum, and the index j of the condition with them."""
    inner = sympy.Piecewise((x(j) * y(k), x(j) > 0), (y(k), True))
    for binder in (total, maximum):
        nested = total(y(k) * binder(inner, (j, A)), (k, B))
        assert free_indices(nested) == frozenset()
        assert free_indices(nested.xreplace({x(j): x(j) ** 2})) == frozenset()
        assert free_indices(substitute(nested * x(n), {n: j})) == {j}


def test_limits_read_back_what_was_given() -> None:
    assert limits(total(x(i, j), (i, A), (j, B))) == ((i, A), (j, B))
    assert limits(maximum(x(i, i), (i, A + B - 1))) == ((i, A + B - 1),)
    assert isinstance(maximum(x(i), (i, A)), Maximum)


def test_one_expression_is_evaluated_without_a_program() -> None:
    assert evaluate_expression(total(x(i, i), (i, A)), ARRAY, {A: 2}) == 2
