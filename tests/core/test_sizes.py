"""Numbers for symbolic sizes, from the shapes of arrays."""

from __future__ import annotations

import pytest
from known_programs import two_layers

from symbackprop.errors import EquationError, SizeError
from symbackprop.notation.expressions import index, size
from symbackprop.notation.program import Program, Role, Variable
from symbackprop.notation.sizes import bind_sizes, concrete_shape

PROGRAM = two_layers()
D, H, K, N = map(size, "DHKN")
i = index("i")


def test_sizes_are_read_off_shapes() -> None:
    assert bind_sizes(PROGRAM, {"x": (5, 2), "W1": (3, 2), "b2": (1,)}) == {N: 5, D: 2, H: 3, K: 1}
    assert bind_sizes(PROGRAM, {}) == {}
    assert bind_sizes(PROGRAM, {"x": (5, 2)}, {"K": 4, "N": 5}) == {K: 4, N: 5, D: 2}


def test_sizes_come_in_order_of_first_appearance() -> None:
    assert PROGRAM.sizes == (N, D, K, H)


@pytest.mark.parametrize(
    ("shapes", "given", "kind", "clauses"),
    [
        (
            {"x": (5, 2), "y": (4, 1)},
            None,
            SizeError,
            ["axis 1 of y has size 4", "N is 5 in x", "give every array that has N the same size"],
        ),
        ({"x": (5, 2)}, {"D": 3}, SizeError, ["axis 2 of x has size 2", "D is 3 as given"]),
        ({"x": (5,)}, None, SizeError, ["x has shape (5,)", "(N, D) was expected", "2 axes"]),
        ({"b1": ()}, None, SizeError, ["b1 has shape ()", "(H) was expected", "1 axis"]),
        ({}, {"Q": 3}, SizeError, ["two layers has no symbolic size 'Q'", "known are N, D, K, H"]),
        ({"X": (5, 2)}, None, EquationError, ["two layers has no variable 'X'", "did you mean 'x'?"]),
    ],
)
def test_what_does_not_fit_is_said(shapes: dict, given: dict | None, kind: type[Exception], clauses: list[str]) -> None:
    with pytest.raises(kind) as caught:
        bind_sizes(PROGRAM, shapes, given)
    for clause in clauses:
        assert clause in str(caught.value), str(caught.value)


def test_composed_and_numeric_sizes_are_compared_once_they_are_known() -> None:
    signal = Variable("s", (N + D - 1,), Role.INPUT, (i,))
    kernel = Variable("w", (D,), Role.INPUT, (i,))
    fixed = Variable("f", (size(4),), Role.INPUT, (i,))
    program = Program((signal, kernel, fixed), (), name="mine")
    assert bind_sizes(program, {"s": (6,), "w": (3,)}, {"N": 4}) == {N: 4, D: 3}
    assert bind_sizes(program, {"s": (6,), "w": (3,)}) == {D: 3}
    with pytest.raises(SizeError, match=r"s has shape \(7,\), but \(6\) was expected"):
        bind_sizes(program, {"s": (7,), "w": (3,)}, {"N": 4})
    with pytest.raises(SizeError, match=r"f has shape \(3,\), but \(4\) was expected"):
        bind_sizes(program, {"f": (3,)})


def test_shapes_in_numbers() -> None:
    assert concrete_shape((N, N + D - 1, size(2)), {N: 3, D: 2}) == (3, 4, 2)
    assert concrete_shape((), {}) == ()
    with pytest.raises(
        SizeError, match=r"size D has no positive number; give it in sizes .*, or give the data that fixes it"
    ):
        concrete_shape((N, D), {N: 3})
    with pytest.raises(SizeError, match="size 0 has no positive number"):
        concrete_shape((N - 3,), {N: 3})


@pytest.mark.parametrize("number", [0, -1])
def test_a_given_size_is_positive(number: int) -> None:
    with pytest.raises(SizeError, match=f"size {number} has no positive number"):
        concrete_shape((N,), bind_sizes(PROGRAM, {}, {"N": number}))
