"""One gradient of a derivation, in its three forms."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import sympy

from symbackprop.adjoint.records import Adjoint, Contribution, Step
from symbackprop.documents.formats.fragment import html_fragment
from symbackprop.documents.tree import Display, Row
from symbackprop.errors import NoRuleError, UsageError, nearest
from symbackprop.forms.arrays import Node
from symbackprop.forms.notation import Orientation
from symbackprop.forms.views import Formula, Views

__all__ = ["Gradient"]


class Gradient:
    """The derivative of the loss by one variable, and how it came about."""

    def __init__(self, adjoint: Adjoint, views: Views) -> None:
        self._adjoint = adjoint
        self._views = views

    @property
    def name(self) -> str:
        """The name of the variable that the loss is differentiated by."""
        return self._adjoint.of.name

    @property
    def adjoint_name(self) -> str:
        """The name of the derivative in the derived program: W1_bar."""
        return self._adjoint.equation.name

    @property
    def shape(self) -> tuple[sympy.Expr, ...]:
        """The shape, in sizes."""
        return self._adjoint.of.shape

    @property
    def index(self) -> Formula:
        """Index form: dL/dW1[j,i] = sum_n delta1[n,j] x[n,i]."""
        return self._views.index(self._adjoint.equation)

    @property
    def matrix(self) -> Formula:
        """Matrix form with examples as rows, which is what is executed: dL/dW1 = Delta1^T X."""
        return self.matrix_form()

    def matrix_form(self, orientation: str = "rows") -> Formula:
        """Matrix form with examples as "rows", as "columns", or for one example as a column "vector".

        Raises NoRuleError where SymPy's matrices cannot say it (three axes, computed positions, maxima, cases);
        ``matrix_latex`` may know a way even then.
        """
        return self._views.matrix(self._adjoint.equation, _orientation(orientation))

    def matrix_latex(self, orientation: str = "rows") -> str | None:
        """The LaTeX of the matrix form; None where matrix notation cannot say it. Asks less of SymPy than the form."""
        return self._views.matrix_latex(self._adjoint.equation, _orientation(orientation))

    def array_form(self, orientation: str = "rows") -> Node:
        """The array expression that the matrix form is printed from."""
        return self._views.lowered(self._adjoint.equation, _orientation(orientation)).right

    @property
    def contributions(self) -> tuple[Contribution, ...]:
        """What each occurrence of the variable contributes, with the chain of local derivatives and their rules."""
        return self._adjoint.contributions

    @property
    def steps(self) -> tuple[Step, ...]:
        """The named simplifications from the sum of the contributions to the index form."""
        return self._adjoint.steps

    @property
    def assuming(self) -> Mapping[str, Formula]:
        """The forms under named assumptions about the data, such as targets that sum to one."""
        return {a.text: self._views.index(equation) for a, equation in self._adjoint.assuming}

    def __repr__(self) -> str:
        return f"Gradient({self._adjoint.equation})"

    def _repr_html_(self) -> str:
        """Index form and matrix form below each other, broken where the window is narrow."""
        views, equation = replace(self._views, breakable=True), self._adjoint.equation
        rows = [Row(views.printer.doprint(equation.left.everywhere), (views.printer.right(equation),))]
        if equation.left.shape:
            with suppress(NoRuleError):
                form = views.lowered(equation)
                rows.append(Row(views.matrix_printer.print(form.left), (views.matrix_printer.right(form),)))
        return html_fragment([Display(tuple(rows))])

    def _repr_latex_(self) -> str:
        return self.index._repr_latex_()


def _orientation(name: str) -> Orientation:
    known = [orientation.value for orientation in Orientation]
    if name not in known:
        raise UsageError(f"unknown orientation {name!r}; {nearest(str(name), known)}")
    return Orientation(name)
