"""Shapes below the factors of matrix products fit together, and stand nowhere else."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_programs import KNOWN

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.errors import NoRuleError
from symbackprop.forms.breaks import LONG
from symbackprop.forms.matrix_latex import MatrixPrinter
from symbackprop.forms.notation import Notation, Orientation
from symbackprop.forms.views import Views
from symbackprop.forms.widths import glyphs

HEAD = r"\underset{\scriptscriptstyle "


def factors(latex):
    """Every factor that has a shape: its rows, its columns, its text, and whether a factor follows it."""
    found = []
    place = latex.find(HEAD)
    while place >= 0:
        shape, place = group(latex, place + len(r"\underset"))
        text, place = group(latex, place)
        rows, columns = shape.removeprefix(r"\scriptscriptstyle ").split(r" \times ")
        found.append((rows, columns, text, latex.startswith(r"\;" + HEAD, place)))
        place = latex.find(HEAD, place)
    return found


def group(latex, place):
    """What stands in the braces that open at ``place``, and the place behind them."""
    depth = 0
    for end in range(place, len(latex)):
        depth += (latex[end] == "{") - (latex[end] == "}")
        if depth == 0:
            return latex[place + 1 : end], end + 1
    raise AssertionError(latex)


def without(latex):
    """The formula with the shapes taken off."""
    place = latex.find(HEAD)
    while place >= 0:
        _, start = group(latex, place + len(r"\underset"))
        text, end = group(latex, start)
        latex = latex[:place] + text + latex[end:]
        place = latex.find(HEAD)
    return latex.replace(r"\;", " ")


def check_shapes(views, orientations):
    count = 0
    for equation in views.differentiation.adjoint_program.equations:
        for orientation in orientations:
            try:
                form = views.lowered(equation, orientation)
                plain, shaped = views.matrix_printer.right(form), views.matrix_printer.right(form, shapes=True)
            except NoRuleError:
                continue
            assert without(shaped) == plain
            found = factors(shaped)
            count += len(found)
            for (_, columns, _, goes_on), (rows, *_) in pairwise(found):
                assert not goes_on or columns == rows, shaped
            assert not found or not found[-1][-1]
    return count


@settings(max_examples=40)
@given(
    widths=st.lists(st.one_of(st.integers(1, 4), st.sampled_from(["D", "H", "K"])), min_size=2, max_size=4),
    activation=st.sampled_from(["sigmoid", "relu", "identity"]),
    layout=st.sampled_from(["out_in", "in_out"]),
    l2=st.sampled_from([0, 0.1]),
    symbols=st.sampled_from(["superscript", "nielsen"]),
)
def test_inner_dimensions_agree(widths, activation, layout, l2, symbols):
    inputs, *units = widths
    layers = [sbp.Dense(count, activation) for count in units]
    net = sbp.Network(inputs, layers, "mean_squared_error", weight_layout=layout, l2=l2)
    views = Views(net.derive().differentiation, Notation(symbols=symbols))
    # At least a product for every layer forwards, and one for its weights.
    assert check_shapes(views, Orientation) >= 4 * len(layers)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_known_programs(name):
    check_shapes(Views(differentiate(KNOWN[name].build())), (Orientation.ROWS,))


def test_a_wrong_shape_is_seen(monkeypatch):
    """A planted fault: a shape the wrong way round must not pass."""
    right = MatrixPrinter._shaped
    monkeypatch.setattr(MatrixPrinter, "_shaped", lambda self, text, extents: right(self, text, extents[::-1]))
    with pytest.raises(AssertionError):
        check_shapes(Views(NET.derive().differentiation), (Orientation.ROWS,))


def shaped(net, name, orientation=Orientation.ROWS):
    views = Views(net.derive().differentiation)
    program = views.differentiation.adjoint_program
    return views.matrix_printer.right(views.lowered(program.definitions[name], orientation), shapes=True)


NET = sbp.Network(2, [sbp.Dense(3, "sigmoid"), sbp.Dense(1)], "half_squared_error")


def test_a_gradient_of_weights():
    assert shaped(NET, "W2_bar") == (
        r"\underset{\scriptscriptstyle 1 \times N}{\Delta^{(2)\top}}\;"
        r"\underset{\scriptscriptstyle N \times 3}{A^{(1)}}"
    )


def test_the_vector_of_ones_has_a_shape():
    assert shaped(NET, "b1_bar") == (
        r"\underset{\scriptscriptstyle 3 \times N}{\Delta^{(1)\top}}\;"
        r"\underset{\scriptscriptstyle N \times 1}{\mathbf{1}_{N}}"
    )
    assert shaped(NET, "z1") == (
        r"\underset{\scriptscriptstyle N \times 2}{X}\;\underset{\scriptscriptstyle 2 \times 3}{W^{(1)\top}} + "
        r"\underset{\scriptscriptstyle N \times 1}{\mathbf{1}_{N}}\;"
        r"\underset{\scriptscriptstyle 1 \times 3}{b^{(1)\top}}"
    )


def test_vectors_are_columns():
    assert shaped(NET, "W1_bar", Orientation.VECTOR) == (
        r"\underset{\scriptscriptstyle 3 \times 1}{\delta^{(1)}}\;\underset{\scriptscriptstyle 1 \times 2}{x^{\top}}"
    )


def test_what_is_no_factor_has_no_shape():
    assert HEAD not in shaped(NET, "z1_bar")
    assert HEAD not in shaped(NET, "a1")
    residual = sbp.Program(
        ["z[n,i] = tanh(Sum(x[n,j]*W[j,i], j))*x[n,i]", "L = Sum(z[n,i]**2, n, i)"],
        "L",
        inputs={"x": ("N", "D")},
        parameters={"W": ("D", "D")},
    )
    assert shaped(residual, "z") == (
        r"\left(\tanh(\underset{\scriptscriptstyle D \times D}{W^{\top}}\;"
        r"\underset{\scriptscriptstyle D \times N}{X^{\top}})\right)^{\top} \odot X"
    )


def test_a_factor_in_brackets_has_its_shape():
    net = sbp.Program(
        ["u[n] = Sum(V[j]*(a[n,j] - y[n,j]), j)", "L = Sum(u[n]**2, n)"],
        "L",
        inputs={"a": ("N", "K"), "y": ("N", "K")},
        parameters={"V": ("K",)},
    )
    assert shaped(net, "u") == (
        r"\underset{\scriptscriptstyle N \times K}{(A - Y)}\;\underset{\scriptscriptstyle K \times 1}{V}"
    )


def test_in_a_long_factor_each_has_its_own():
    derivation = differentiate(KNOWN["layer norm in one"].build())
    views = Views(derivation)
    form = views.lowered(derivation.by_variable["x"].equation)
    found = factors(views.matrix_printer.right(form, shapes=True))
    assert ("N", "D", "X", True) in found
    assert all(glyphs(text) <= LONG for *_, text, _ in found)


def test_the_wider_row_counts():
    assert glyphs(shaped(NET, "W2_bar")) == 5 + 4
