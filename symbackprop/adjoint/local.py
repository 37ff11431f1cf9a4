"""Local derivatives: SymPy's calculus on one scalar expression at a time, with the rule that was used named.

Each atom of a right-hand side is replaced by a numbered real symbol before ``diff`` sees it: complex symbols break
the absolute value, and the derivative of an indexed sum by an indexed occurrence is silently wrong in SymPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sympy

from symbackprop.errors import NoRuleError
from symbackprop.functions.translate import translate
from symbackprop.notation.expressions import REDUCTIONS, Bracket, ElementwiseFunction, is_occurrence
from symbackprop.notation.indices import is_size

__all__ = ["atoms", "content", "derivative", "in_reading_order", "placeholders", "recontent", "rule_of"]


def atoms(expression: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """The outermost occurrences and reductions of ``expression``, each once, in the order they stand."""
    found: dict[sympy.Expr, None] = {}

    def visit(node: sympy.Basic) -> None:
        if is_occurrence(node) or isinstance(node, REDUCTIONS):
            found[node] = None
            return
        for argument in node.args:
            visit(argument)

    visit(expression)
    return tuple(found)


@lru_cache(maxsize=256)
def _placeholder(number: int) -> sympy.Symbol:
    return sympy.Symbol(f"u_{number}", real=True)


def placeholders(expression: sympy.Expr) -> tuple[sympy.Expr, dict[sympy.Expr, sympy.Symbol]]:
    """``expression`` with a real symbol for each atom, and which symbol stands for which."""
    names = {atom: _placeholder(number) for number, atom in enumerate(atoms(expression))}
    return expression.xreplace(names), names


@lru_cache(maxsize=1 << 12)
def derivative(expression: sympy.Expr, symbol: sympy.Symbol) -> sympy.Expr:
    """d ``expression`` / d ``symbol``, both free of indices.

    SymPy brings in functions of its own, such as the sign in the derivative of sqrt(u**2); they are translated.
    """
    result = translate(sympy.diff(translate(expression), symbol))
    if result.has(sympy.Derivative, sympy.Subs):
        raise NoRuleError(f"SymPy has no derivative for {expression}; write the function out in known ones")
    return result


def rule_of(expression: sympy.Expr, symbol: sympy.Symbol, slope: sympy.Expr) -> tuple[str, str, str]:
    """The rule behind ``slope`` = d ``expression`` / d ``symbol``: its name, why it holds, and its LaTeX identity."""
    if expression == symbol:
        return "identity", "the derivative of a quantity by itself is 1", ""
    if not slope.has(symbol):
        if expression.is_Add:
            if slope in (1, -1):
                return "sum rule", "the other summands do not contain it", ""
            return "sum and constant factor rule", "the other summands do not contain it, its factor stays", ""
        return "constant factor rule", "linear in it, so its factor stays", ""
    if isinstance(expression, ElementwiseFunction):
        return f"derivative of {expression.record.name}", "a known derivative", expression.record.identity
    if isinstance(expression, sympy.Function | sympy.exp) and expression.args[0] == symbol:
        return f"derivative of {expression.func.__name__}", "a known derivative", _elementary_identity(expression.func)
    if isinstance(expression, sympy.Pow) and not expression.exp.has(symbol):
        return "power rule", "the exponent times the next lower power, times the inner derivative", ""
    if isinstance(expression, sympy.Piecewise):
        return "case by case", "each case is differentiated; the conditions are locally constant", ""
    if isinstance(expression, sympy.Mul):
        return "product rule", "each factor is differentiated in turn", ""
    return "chain rule", "outer derivative times inner derivative", ""


def _elementary_identity(function: type[sympy.Function]) -> str:
    z = sympy.Symbol("z", real=True)
    left, slope = (sympy.latex(side) for side in (function(z), function(z).diff(z)))
    return rf"({left})' = {slope}"


def content(expression: sympy.Expr) -> tuple[sympy.Expr, tuple[sympy.Expr, ...]]:
    """``expression`` as a coefficient of numbers and sizes, and the factors that are left, in reading order.

    >>> a, y = sympy.symbols("a y", real=True)
    >>> content(2*a - 2*y)
    (2, (a - y,))
    """
    coefficient: sympy.Expr = sympy.Integer(1)
    factors: list[sympy.Expr] = []
    for factor in sympy.Mul.make_args(expression):
        if _is_constant(factor):
            coefficient *= factor
        elif isinstance(factor, sympy.Add):
            number, rest = _content_of_sum(factor)
            coefficient *= number
            factors.append(rest)
        else:
            factors.append(factor)
    return coefficient, in_reading_order(factors)


def recontent(coefficient: sympy.Expr, factors: Sequence[sympy.Expr]) -> tuple[sympy.Expr, tuple[sympy.Expr, ...]]:
    """Take numbers and sizes out of the factors once more, since folding may have set some free."""
    rest: list[sympy.Expr] = []
    for factor in factors:
        number, parts = content(factor)
        coefficient *= number
        rest.extend(parts)
    return coefficient, tuple(rest)


def in_reading_order(factors: Sequence[sympy.Expr]) -> tuple[sympy.Expr, ...]:
    """Single factors before bracketed sums, indicators last: a (1 - a), d [d > 0]."""

    def rank(factor: sympy.Expr) -> int:
        return 2 if factor.has(Bracket) else 1 if factor.is_Add else 0

    return tuple(sorted(factors, key=rank))


def _is_constant(expression: sympy.Expr) -> bool:
    return all(is_size(symbol) for symbol in expression.free_symbols) and not expression.has(Bracket, *REDUCTIONS)


def _content_of_sum(expression: sympy.Add) -> tuple[sympy.Expr, sympy.Expr]:
    number, rest = expression.primitive()
    if not number.is_Integer and len({abs(argument.as_coeff_Mul()[0]) for argument in rest.args}) > 1:
        number, rest = sympy.Integer(1), expression
    parts = [sympy.Mul(*(f for f in sympy.Mul.make_args(a) if is_constant_size(f))) for a in rest.args]
    if parts[0] != 1 and all(part == parts[0] for part in parts):
        number, rest = number * parts[0], sympy.Add(*(argument / parts[0] for argument in rest.args))
    if all(argument.could_extract_minus_sign() for argument in rest.args):
        number, rest = -number, -rest
    return number, rest


def is_constant_size(factor: sympy.Expr) -> bool:
    """Whether ``factor`` is made of sizes alone, and is not just a number."""
    return bool(factor.free_symbols) and _is_constant(factor)
