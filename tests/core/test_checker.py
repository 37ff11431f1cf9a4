"""Each rule of the language has a program that breaks it, and an error that says what, where, with which values."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
import sympy
from known_programs import KNOWN

from symbackprop.errors import EquationError, SizeError, SymbackpropError, nearest
from symbackprop.functions.library import FUNCTIONS
from symbackprop.notation.checker import check
from symbackprop.notation.expressions import Bracket, index, maximum, occurrence, size, total
from symbackprop.notation.program import Equation, Program, Role, Variable, default_indices

i, j, k, n = (index(name) for name in "ijkn")
A, B = size("A"), size("B")


def declared(name: str, *shape: sympy.Expr, role: Role = Role.PARAMETER, integer: bool = False) -> Variable:
    return Variable(name, shape, role, default_indices(len(shape)), integer)


def defined(name: str, right: sympy.Expr, *scope: tuple[sympy.Symbol, sympy.Expr]) -> Equation:
    return Equation(Variable(name, tuple(s for _, s in scope), Role.DEFINED, tuple(s for s, _ in scope)), right)


w, v = occurrence("w", i), occurrence("v", i, j)
INPUTS = (declared("w", A), declared("v", A, B), declared("s"), declared("t", A, role=Role.INPUT, integer=True))


def program(*equations: Equation, inputs: Sequence[Variable] = INPUTS, **more: object) -> Program:
    return Program(tuple(inputs), equations, name="mine", **more)


def test_a_good_program_comes_back_itself() -> None:
    good = program(defined("u", w**2, (i, A)), defined("L", total(occurrence("u", k), (k, A))), loss="L", output="u")
    assert check(good) is good


@pytest.mark.parametrize("name", KNOWN)
def test_the_known_programs_are_good(name: str) -> None:
    check(KNOWN[name].build())


BAD: dict[str, tuple[Program, type[SymbackpropError], list[str]]] = {
    "defined twice": (
        program(defined("u", w, (i, A)), defined("u", 2 * w, (i, A))),
        EquationError,
        ["mine", "'u' is defined twice", "give the second value a name of its own"],
    ),
    "defined although declared": (
        program(defined("w", 2 * w, (i, A))),
        EquationError,
        ["mine", "'w' is defined twice", "a name of its own"],
    ),
    "declared twice": (
        program(inputs=(*INPUTS, declared("w", B))),
        EquationError,
        ["mine", "variable 'w' is declared twice", "rename one of them"],
    ),
    "no name": (
        program(inputs=(declared("2w", A),)),
        EquationError,
        ["mine", "'2w' is no name for a variable", "letters, digits and underscores, a letter first"],
    ),
    "name with a bracket": (
        program(inputs=(declared("w[0]", A),)),
        EquationError,
        ["'w[0]' is no name for a variable"],
    ),
    "name with a line's end": (
        program(inputs=(declared("w\n", A),)),
        EquationError,
        [r"'w\n' is no name for a variable"],
    ),
    "a variable called like an index": (
        program(inputs=(*INPUTS, declared("j"))),
        EquationError,
        ["mine", "'j' names both a variable and an index", "rename one of them"],
    ),
    "a variable called like a size": (
        program(inputs=(*INPUTS, declared("A"))),
        EquationError,
        ["mine", "'A' names both a variable and a size", "rename one of them"],
    ),
    "an index called like a size": (
        program(inputs=(Variable("w", (A, B), Role.PARAMETER, (index("B"), i)),)),
        EquationError,
        ["mine", "'B' names both an index and a size", "rename one of them"],
    ),
    "two axes called alike": (
        program(inputs=(Variable("w", (A, A), Role.PARAMETER, (i, i)),)),
        EquationError,
        ["mine", "w[i, i] names two axes alike", "rename one index"],
    ),
    "an unknown variable": (
        program(defined("u", occurrence("W", i), (i, A)), inputs=(declared("w1", A), declared("W1", A))),
        EquationError,
        ["mine", "in u[i] = W[i]", "'W' is not defined anywhere", "did you mean 'W1'?"],
    ),
    "an unknown variable, unlike any": (
        program(defined("u", occurrence("other"))),
        EquationError,
        ["in u = other", "'other' is not defined anywhere", "known are w, v, s, t"],
    ),
    "used before it is defined": (
        program(defined("u", occurrence("late")), defined("late", occurrence("s"))),
        EquationError,
        ["in u = late", "'late' is not defined before this equation", "define it in an earlier equation"],
    ),
    "used in its own definition": (
        program(defined("u", occurrence("u") + 1)),
        EquationError,
        ["'u' is not defined before this equation", "define it in an earlier equation"],
    ),
    "a free index": (
        program(defined("u", total(v, (j, B)))),
        EquationError,
        ["mine", "in u = Sum(v[i,j]", "index i is free on the right but not on the left", "sum over it or add it"],
    ),
    "a free index in a bracket": (
        program(defined("u", w * Bracket(sympy.Eq(k, i)), (i, A))),
        EquationError,
        ["index k is free on the right but not on the left"],
    ),
    "a free index outside its sum": (
        program(defined("u", total(w, (i, A)) * w)),
        EquationError,
        ["index i is free on the right but not on the left"],
    ),
    "too few indices": (
        program(defined("u", occurrence("v", i), (i, A))),
        EquationError,
        ["in u[i] = v[i]", "v[i] has 1 indices but v(A, B) has 2 axes"],
    ),
    "too many indices": (
        program(defined("u", occurrence("w", i, i), (i, A))),
        EquationError,
        ["w[i, i] has 2 indices but w(A) has 1 axes"],
    ),
    "no indices": (
        program(defined("u", occurrence("w"))),
        EquationError,
        ["w has 0 indices but w(A) has 1 axes"],
    ),
    "an index over another size": (
        program(defined("u", w, (i, B))),
        SizeError,
        ["in u[i] = w[i]", "w[i]: position i runs from 0 to B - 1, but axis 1 has size A"],
    ),
    "a sum over another size": (
        program(defined("u", total(v, (i, A), (j, A)))),
        SizeError,
        ["v[i, j]: position j runs from 0 to A - 1, but axis 2 has size B"],
    ),
    "one too far": (
        program(defined("u", total(occurrence("w", i + 1), (i, A)))),
        SizeError,
        ["w[i + 1]: position i + 1 runs from 1 to A, but axis 1 has size A"],
    ),
    "one too early": (
        program(defined("u", total(occurrence("w", i - 1), (i, A)))),
        SizeError,
        ["w[i - 1]: position i - 1 runs from -1 to A - 2, but axis 1 has size A"],
    ),
    "backwards, one too far": (
        program(defined("u", total(occurrence("w", A - i), (i, A)))),
        SizeError,
        ["runs from 1 to A, but axis 1 has size A"],
    ),
    "a window that is too wide": (
        program(
            defined("u", total(occurrence("x", i + j), (i, A), (j, B))), inputs=(*INPUTS, declared("x", A + B - 2))
        ),
        SizeError,
        ["x[i + j]: position i + j runs from 0 to A + B - 2, but axis 1 has size A + B - 2"],
    ),
    "a constant out of range": (
        program(defined("u", occurrence("w", 1))),
        SizeError,
        ["w[1]: position 1 runs from 1 to 1, but axis 1 has size A"],
    ),
    "a negative constant": (
        program(defined("u", occurrence("w", -1))),
        SizeError,
        ["w[-1]: position -1 runs from -1 to -1, but axis 1 has size A"],
    ),
    "bound twice": (
        program(defined("u", w * total(w, (i, A)), (i, A))),
        EquationError,
        ["mine", "in u[i] =", "index i is bound twice", "rename the inner one"],
    ),
    "bound twice, inside": (
        program(defined("u", total(w * maximum(w, (i, A)), (i, A)))),
        EquationError,
        ["index i is bound twice", "rename the inner one"],
    ),
    "a sum from 1": (
        program(defined("u", sympy.Sum(w, (i, 1, A - 1)))),
        EquationError,
        ["index i starts at 1", "indices count from 0, so shift the body instead"],
    ),
    "a sum over a size": (
        program(defined("u", sympy.Sum(occurrence("s"), (B, 0, A - 1)))),
        EquationError,
        ["B cannot be summed over", "an index is an integer symbol that is not a size"],
    ),
    "a sum up to an index": (
        program(defined("u", sympy.Sum(w, (i, 0, k)), (k, A))),
        EquationError,
        ["index i runs over k + 1, which is not a size"],
    ),
    "a sum up to a value": (
        program(defined("u", sympy.Sum(w, (i, 0, occurrence("s"))))),
        EquationError,
        ["index i runs over s + 1, which is not a size"],
    ),
    "a function without definition": (
        program(defined("u", sympy.Function("f")(occurrence("s")))),
        EquationError,
        ["in u = f(s)", "function 'f' has no definition", "write it out or use a known function"],
    ),
    "a derivative": (
        program(defined("u", sympy.Derivative(occurrence("s") ** 2, occurrence("s")))),
        EquationError,
        ["Derivative is not part of the language", "write the value out"],
    ),
    "a product over an index": (
        program(defined("u", sympy.Product(w, (i, 0, A - 1)))),
        EquationError,
        ["Product is not part of the language"],
    ),
    "an imaginary number": (
        program(defined("u", sympy.I * occurrence("s"))),
        EquationError,
        ["in u = I*s", "I is not a real number"],
    ),
    "infinity": (program(defined("u", sympy.oo + 0 * occurrence("s"))), EquationError, ["oo is not a real number"]),
    "indexed by real data": (
        program(defined("u", occurrence("v", occurrence("w", i), j), (i, A), (j, B))),
        EquationError,
        ["v[w[i], j] is indexed by w[i], which is not integer data", "declare it as labels"],
    ),
    "labels out of range": (
        program(defined("u", occurrence("v", occurrence("t", i), j), (i, B), (j, B))),
        SizeError,
        ["t[i]: position i runs from 0 to B - 1, but axis 1 has size A"],
    ),
    "a size that no data fixes": (
        program(defined("u", total(sympy.Integer(1), (k, size("Q"))))),
        SizeError,
        ["mine", "size Q is the size of no declared variable, so no data can fix it", "use the size of an input"],
    ),
    "a size on the left that no data fixes": (
        program(defined("u", occurrence("s"), (k, size("Q")))),
        SizeError,
        ["size Q is the size of no declared variable"],
    ),
    "a size that is no number of things": (
        program(inputs=(declared("x", sympy.Rational(1, 2)),)),
        SizeError,
        ["mine", "x(1/2) has size 1/2", "a size is a positive integer"],
    ),
    "a size of none": (
        program(inputs=(declared("x", sympy.Integer(0)),)),
        SizeError,
        ["x(0) has size 0", "a size is a positive integer"],
    ),
    "a loss that is not there": (
        program(defined("loss", occurrence("s")), loss="lost"),
        EquationError,
        ["mine", "the loss 'lost' is not defined", "did you mean 'loss'?"],
    ),
    "an output that is not there": (
        program(defined("u", occurrence("s")), output="y"),
        EquationError,
        ["the output 'y' is not defined", "known are w, v, s, t, u"],
    ),
    "a loss with axes": (
        program(defined("u", w**2, (i, A)), loss="u"),
        EquationError,
        ["mine", "the loss u(A) is not a scalar", "sum or average it over its axes"],
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_program_is_named(what: str) -> None:
    bad, kind, clauses = BAD[what]
    with pytest.raises(kind) as caught:
        check(bad)
    message = str(caught.value)
    for clause in clauses:
        assert clause in message, message
    assert "\n" not in message
    assert not message.endswith(".")


GOOD = {
    "a window": program(
        defined("u", total(occurrence("x", i + j), (j, B)), (i, A)), inputs=(*INPUTS, declared("x", A + B - 1))
    ),
    "backwards": program(defined("u", occurrence("w", A - 1 - i), (i, A))),
    "every second": program(defined("u", occurrence("x", 2 * i + 1), (i, A)), inputs=(*INPUTS, declared("x", 2 * A))),
    "part of an axis": program(
        defined("u", occurrence("x", i), (i, sympy.Integer(3))), inputs=(declared("x", sympy.Integer(5)),)
    ),
    "a guarded position": program(defined("u", Bracket(i >= 1) * occurrence("w", i - 1), (i, A))),
    "the last entry": program(defined("u", occurrence("w", A - 1))),
    "labels": program(defined("u", occurrence("v", occurrence("t", i), j), (i, A), (j, B))),
    "the same index in two sums": program(defined("u", total(w, (i, A)) * total(w**2, (i, A)))),
    "an index as a number": program(defined("u", i * w / A, (i, A))),
    "cases and functions": program(
        defined("u", sympy.Piecewise((FUNCTIONS["gelu"](w), w > 1), (sympy.exp(w), True)), (i, A))
    ),
}


@pytest.mark.parametrize("what", GOOD)
def test_a_good_program_passes(what: str) -> None:
    check(GOOD[what])


def test_a_variable_with_axes_but_no_names_is_refused() -> None:
    with pytest.raises(EquationError, match="variable 'w' has 2 axes but 1 index names; give each axis one name"):
        Variable("w", (A, B), Role.PARAMETER, (i,))


def test_an_unknown_variable_is_asked_for_by_its_nearest_name() -> None:
    with pytest.raises(EquationError, match=re.escape("mine has no variable 'vv'; did you mean 'v'?")):
        program().variable("vv")


@pytest.mark.parametrize(
    ("name", "known", "remedy"),
    [
        ("sigmiod", ["relu", "sigmoid"], "did you mean 'sigmoid'?"),
        ("foo", ["relu", "sigmoid"], "known are relu, sigmoid"),
        ("foo", [], "none is known here"),
    ],
)
def test_the_nearest_name(name: str, known: list[str], remedy: str) -> None:
    assert nearest(name, known) == remedy
