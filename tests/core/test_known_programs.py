"""The laws of differentiation on programs that have a name, and the form that their gradients take."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy
from dual_numbers import EXACT_FRACTIONS, combined
from known_programs import KNOWN, known_case
from laws import LAWS, evaluated, with_slope

from symbackprop.adjoint.records import Differentiation
from symbackprop.adjoint.sweep import differentiate
from symbackprop.errors import UsageError
from symbackprop.notation.indices import same_up_to_names
from symbackprop.notation.interpreter import FLOAT, interpret
from symbackprop.notation.program import Equation, Program, Role, Variable

SECOND = "Hessian-vector products equal SymPy's second derivatives"
# The largest of symbols cannot be told, and SymPy takes long over some second derivatives. Dual numbers check both.
UNDECIDABLE = {name for name, known in KNOWN.items() if not known.decidable}
LONG = {"attention", "labels", "recurrent", "residual", "softmax, cross-entropy"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (name, says)
        for name in KNOWN
        for says in LAWS
        if not ("SymPy" in says and name in UNDECIDABLE) and not (says == SECOND and name in LONG)
    ],
)
def test_a_known_program_keeps_the_law(name: str, says: str) -> None:
    LAWS[says](known_case(name), KNOWN[name].family)


def derive(name: str) -> Differentiation:
    return differentiate(known_case(name).program)


def adjoint(derivation: Differentiation, name: str) -> str:
    """The right side of the adjoint of ``name``, factors and blanks as SymPy writes them."""
    return sympy.sstr(derivation.by_variable[name].equation.right)


def factors(derivation: Differentiation, name: str) -> list[list[str]]:
    """The factors of each term in reading order."""
    return [[str(factor) for factor in term.factors] for term in derivation.by_variable[name].equation.terms]


def test_the_gradients_of_a_two_layer_network_are_the_textbook_ones() -> None:
    derivation = derive("two layers")
    assert factors(derivation, "W2") == [["z2_bar[n, j]", "a1[n, i]"]]
    assert factors(derivation, "b2") == [["z2_bar[n, j]"]]
    assert factors(derivation, "W1") == [["z1_bar[n, j]", "x[n, i]"]]
    assert factors(derivation, "z1") == [["a1_bar[n, j]", "a1[n, j]", "1 - a1[n, j]"]]
    (term,) = derivation.by_variable["W1"].equation.terms
    assert [str(i) for i, _ in term.sums] == ["n"]
    (back,) = derivation.by_variable["a1"].equation.terms
    assert {str(f) for f in back.factors} == {"z2_bar[n, k]", "W2[k, j]"}


def test_the_softmax_is_recognised_in_its_own_derivative() -> None:
    derivation = derive("softmax, cross-entropy")
    assert "exp" not in adjoint(derivation, "z2")


def test_fused_cross_entropy_takes_its_known_form_under_its_assumption() -> None:
    """Where each row of y sums to 1, the adjoint of the logits is (softmax - y) / N; elsewhere it is not."""
    case = known_case("log-softmax")
    derivation = differentiate(case.program)
    ((assumption, equation),) = derivation.by_variable["z2"].assuming
    assert assumption == case.program.assumptions[0]
    shorter = Equation(replace(equation.left, name="shorter"), equation.right)
    values = {name: combined(float, value) for name, value in case.values.items()}
    for row, holds in (([0.25, 0.5, 0.25], True), ([0.25, 0.5, 0.5], False)):
        values["y"] = [row, [0.0, 1.0, 0.0]]
        computed = interpret(derivation.adjoint_program.extended((shorter,)), values, case.sizes, FLOAT)
        differences = abs(computed["shorter"] - computed["z2_bar"])
        assert (differences.max() < 1e-12) == holds
        assert differences[1].max() < 1e-12


def test_layer_norm_is_the_same_in_one_equation_and_in_four() -> None:
    one, four = (
        evaluated(differentiate(case.program).adjoint_program, case, "general")
        for case in map(known_case, ("layer norm in one", "layer norm in four"))
    )
    for name in ("x_bar", "g_bar", "b_bar"):
        assert abs(one[name] - four[name]).max() < 1e-12


def test_the_diagonal_keeps_its_bracket() -> None:
    derivation = derive("diagonal")
    assert str(derivation.by_variable["W"].contributions[0].brackets) == "([Eq(j, i)],)"


def test_shared_weights_get_a_contribution_from_each_use() -> None:
    contributions = derive("shared weights").by_variable["W"].contributions
    assert [c.through for c in contributions] == ["z1", "z2"]
    contributions = derive("recurrent").by_variable["R"].contributions
    assert [c.through for c in contributions] == ["h1", "h2"]


def test_a_variable_three_times_in_a_product_gives_one_term() -> None:
    """d tr(W W W) / dW = 3 (W W)^T."""
    derivation = derive("trace of a cube")
    assert len(derivation.by_variable["W"].contributions) == 3
    (term,) = derivation.by_variable["W"].equation.terms
    assert term.coefficient == 3


def test_a_convolution_is_guarded_by_its_window() -> None:
    (contribution,) = derive("convolution").by_variable["x"].contributions
    assert sorted(map(str, contribution.brackets)) == ["[-p + t < T]", "[-p + t >= 0]"]


def test_what_does_not_reach_the_loss_is_said() -> None:
    derivation = derive("dead ends")
    assert derivation.unreached == ("W", "unused")
    assert {a.of.name for a in derivation.adjoints} == {"r", "x"}


def test_only_what_was_asked_for_is_derived() -> None:
    program = known_case("two layers").program
    derivation = differentiate(program, wrt=("W2", "x"))
    assert derivation.wrt == ("W2", "x")
    assert {"W2", "x"} <= set(derivation.by_variable)
    assert not {"W1", "b1", "b2", "y"} & set(derivation.by_variable)
    assert [a.of.name for a in differentiate(program, wrt="b2").adjoints] == ["z2", "b2"]
    assert [a.of.name for a in differentiate(program, wrt="a1").adjoints] == ["z2", "a1"]


@pytest.mark.parametrize(
    ("wrt", "says"),
    [
        (("W3",), r"two layers has no variable 'W3'; did you mean 'W\d'\?"),
        (("t",), r"'t' is integer data and has no derivative; leave it out of wrt"),
    ],
)
def test_what_cannot_be_differentiated_by_is_said(wrt: tuple[str, ...], says: str) -> None:
    program = known_case("embedding" if wrt == ("t",) else "two layers").program
    with pytest.raises(UsageError, match=says):
        differentiate(program, wrt)


def test_a_program_without_loss_or_parameters_is_refused() -> None:
    program = known_case("two layers").program
    with pytest.raises(UsageError, match="two layers names no loss; say which scalar"):
        differentiate(Program(program.inputs, program.equations, name="two layers"))
    data = tuple(v for v in program.inputs if v.name in ("x", "y"))
    with pytest.raises(UsageError, match=r"program declares no parameter; declare one, or say derive\(wrt=...\)"):
        differentiate(Program(data, (), loss="L"))


def test_adjoint_names_stay_unique_when_differentiated_again() -> None:
    program, _ = with_slope(derive("trace of a cube"))
    again = differentiate(program)
    names = [equation.name for equation in again.adjoint_program.equations]
    assert len(names) == len(set(names))
    assert any(re.fullmatch(r"W_bar2|W_bar_bar", name) for name in names)


def test_the_adjoint_of_a_parameter_that_is_the_loss() -> None:
    """L = s for a parameter s: its adjoint is 1."""
    s = Variable("s", role=Role.PARAMETER)
    program = Program((s,), (Equation(Variable("L"), s.everywhere),), loss="L")
    derivation = differentiate(program)
    computed = interpret(derivation.adjoint_program, {"s": Fraction(3)}, {}, EXACT_FRACTIONS)
    assert computed["s_bar"][()] == 1


def test_alike_layers_are_derived_alike() -> None:
    """Equations that differ in names only give contributions that differ in names only."""
    derivation = derive("two layers")
    first = derivation.by_variable["W1"].contributions[0].expression
    second = derivation.by_variable["W2"].contributions[0].expression
    names = {sympy.IndexedBase(a): sympy.IndexedBase(b) for a, b in (("z2_bar", "z1_bar"), ("a1", "x"))}
    assert same_up_to_names(second.xreplace(names), first)
