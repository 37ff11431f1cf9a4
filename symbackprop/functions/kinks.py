"""Points without derivative: where they are, and which slope is taken there."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbackprop.functions.translate import translate
from symbackprop.notation.expressions import ArgMaximum, ElementwiseFunction, Maximum, walk
from symbackprop.notation.indices import is_position
from symbackprop.notation.program import Program
from symbackprop.notation.text import expression_text

__all__ = ["Kink", "kinks"]


@dataclass(frozen=True)
class Kink:
    """``equation`` has no derivative where ``argument`` equals ``point``; ``convention`` says what is taken."""

    equation: str
    function: str
    argument: sympy.Expr
    point: sympy.Expr | None
    convention: str

    def __str__(self) -> str:
        argument = expression_text(self.argument)
        where = f"where {argument} = {self.point}" if self.point is not None else f"at a tie in {argument}"
        return f"{self.equation}: {self.function} has no derivative {where}; taken there: {self.convention}"


def kinks(program: Program) -> tuple[Kink, ...]:
    """The kinks of every equation of ``program``, in order."""
    found: dict[Kink, None] = {}
    for equation in program.equations:
        for node in walk(_over_real_numbers(equation.right)):
            found.update(dict.fromkeys(_kinks_of(equation.name, node)))
    return tuple(found)


def _over_real_numbers(expression: sympy.Expr) -> sympy.Expr:
    """``expression`` as SymPy sees it once it knows that variables are real: sqrt(v**2) is an absolute value."""
    if not any(isinstance(node, sympy.Pow) and not node.exp.is_Integer for node in walk(expression)):
        return expression
    atoms = {node: sympy.Dummy(real=True) for node in walk(expression) if isinstance(node, sympy.Indexed)}
    real = translate(expression.xreplace(atoms))
    return real.xreplace({symbol: atom for atom, symbol in atoms.items()})


def _kinks_of(name: str, node: sympy.Basic) -> tuple[Kink, ...]:
    if isinstance(node, ElementwiseFunction):
        record = node.record
        return tuple(Kink(name, record.name, node.args[0], point, record.convention) for point in record.kinks)
    if isinstance(node, Maximum) and not isinstance(node, ArgMaximum):
        return (Kink(name, "max", node.args[0], None, "the slope of the first largest entry"),)
    if isinstance(node, sympy.Piecewise):
        relations = [c for _, condition in node.args for c in condition.atoms(sympy.core.relational.Relational)]
        # A condition on positions chooses between entries; nothing moves across it.
        borders = [c for c in relations if not any(map(is_position, c.args))]
        return tuple(
            Kink(name, "a definition by cases", c.lhs - c.rhs, sympy.Integer(0), "the case whose condition holds")
            for c in borders
        )
    return ()
