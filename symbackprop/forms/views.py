"""The three forms of one adjoint, as formulas: a SymPy left and right side, and their LaTeX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sympy

from symbackprop.adjoint.records import Differentiation
from symbackprop.errors import NoRuleError
from symbackprop.forms.breaks import unmarked
from symbackprop.forms.lower import Lowered, lower
from symbackprop.forms.matrix_latex import MatrixPrinter
from symbackprop.forms.matrix_sympy import matrix_expression
from symbackprop.forms.notation import USUAL, Notation, Orientation
from symbackprop.forms.printing import IndexPrinter
from symbackprop.forms.symbols import Symbols
from symbackprop.notation.program import Equation

__all__ = ["Formula", "Views"]


@dataclass(frozen=True)
class Formula:
    """``left = right`` as SymPy expressions, the LaTeX of both sides, and the whole as text in reading order."""

    left: sympy.Expr
    right: sympy.Expr
    left_latex: str
    right_latex: str
    text: str = ""

    @property
    def latex(self) -> str:
        """``left = right`` in LaTeX."""
        return f"{self.left_latex} = {self.right_latex}"

    def __str__(self) -> str:
        return self.text or f"{self.left} = {self.right}"

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"


@dataclass(frozen=True)
class Views:
    """Prints and lowers the equations of a differentiated program, in the notation asked for.

    ``aliases`` writes a variable or a size as another: (base, label) by name. ``breakable`` says that the printers mark
    where a line may be broken; formulas never hold marks.
    """

    differentiation: Differentiation
    notation: Notation = USUAL
    aliases: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    breakable: bool = False

    @cached_property
    def symbols(self) -> Symbols:
        """How its variables are written."""
        return Symbols(self.differentiation.adjoint_program, self.notation, self.aliases)

    @cached_property
    def printer(self) -> IndexPrinter:
        """The printer of index notation."""
        return IndexPrinter(self.symbols, self.breakable)

    @cached_property
    def matrix_printer(self) -> MatrixPrinter:
        """The printer of array expressions."""
        return MatrixPrinter(self.printer)

    def index(self, equation: Equation) -> Formula:
        """The index form of an equation."""
        left = equation.left.everywhere
        left_latex, right_latex = unmarked(self.printer.doprint(left)), unmarked(self.printer.right(equation))
        return Formula(left, equation.right, left_latex, right_latex, text=str(equation))

    def lowered(self, equation: Equation, orientation: Orientation = Orientation.ROWS) -> Lowered:
        """The array form of an equation."""
        return lower(equation, self.differentiation.adjoint_program, orientation)

    def matrix(self, equation: Equation, orientation: Orientation = Orientation.ROWS) -> Formula:
        """The matrix form of an equation; NoRuleError where matrix notation cannot say it."""
        form = self.lowered(equation, orientation)
        printer = self.matrix_printer
        return Formula(
            matrix_expression(form.left),
            matrix_expression(form.right),
            unmarked(printer.print(form.left)),
            unmarked(printer.right(form)),
        )

    def matrix_latex(self, equation: Equation, orientation: Orientation = Orientation.ROWS) -> str | None:
        """The matrix form in LaTeX, None where matrix notation cannot say it."""
        try:
            return unmarked(self.matrix_printer.equation(self.lowered(equation, orientation)))
        except NoRuleError:
            return None
