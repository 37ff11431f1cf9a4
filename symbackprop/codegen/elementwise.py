"""Elementwise expressions as instructions on one array at a time, through SymPy's cse and its printers.

    a1_bar*a1*(1 - a1)   ->   subtract(1, a1), multiply(a1_bar, a1), multiply(1, 0)

Functions go in by their stable forms. What comes out depends on the expression alone, so layers that are alike share
it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import sympy
from sympy.printing.printer import Printer

from symbackprop.codegen.kernels import Constant
from symbackprop.codegen.operations import COMPARISONS
from symbackprop.errors import NoRuleError
from symbackprop.functions.primitives import PRIMITIVES
from symbackprop.notation.expressions import Bracket, ElementwiseFunction, walk

__all__ = ["Instruction", "Instructions", "instructions", "placeholder"]

Reference: TypeAlias = sympy.Symbol | Constant | int
"""What an instruction takes: a placeholder of the expression, a constant, or the result of an earlier instruction."""


@dataclass(frozen=True)
class Instruction:
    """One elementwise operation."""

    operation: str
    operands: tuple[Reference, ...]


@dataclass(frozen=True)
class Instructions:
    """``steps`` compute an expression, whose value is ``result``; ``quiet`` names warnings that mean nothing."""

    steps: tuple[Instruction, ...]
    result: Reference
    quiet: frozenset[str]


@lru_cache(maxsize=256)
def placeholder(number: int) -> sympy.Symbol:
    """The symbol that stands for operand ``number`` of an elementwise expression."""
    return sympy.Symbol(f"v{number}")


@lru_cache(maxsize=4096)
def instructions(expression: sympy.Expr, direct: bool = False) -> Instructions:
    """The instructions for an expression in placeholders; ``direct`` for numbers that raise an error on overflow.

    Raises NoRuleError where it has a function that NumPy cannot compute.
    """
    shared, (last,) = sympy.cse(
        _stable(expression, direct), symbols=(sympy.Dummy() for _ in itertools.count()), list=True
    )
    machine = _Instructions()
    for symbol, part in shared:
        machine.known[symbol] = machine.doprint(part)
        if machine.may_overflow(part):
            machine.unsafe.add(symbol)
    result = machine.doprint(last)
    return Instructions(tuple(machine.steps), result, machine.quiet)


def _stable(expression: sympy.Expr, direct: bool) -> sympy.Expr:
    """The expression with the stable form of each function in place of it, or the direct form where it has one."""
    if not expression.has(ElementwiseFunction):
        return expression
    arguments = tuple(_stable(argument, direct) for argument in expression.args)
    if isinstance(expression, ElementwiseFunction):
        record = expression.record
        form = record.definition if direct and record.direct else record.stable_form
        return _stable(form(*arguments), direct)
    return expression.func(*arguments)


class _Instructions(Printer):  # type: ignore[misc]
    """SymPy's printer, where "printing" a node appends its instruction and gives a reference to the result."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Instruction] = []
        self.known: dict[sympy.Symbol, Reference] = {}
        self.numbers: dict[Instruction, int] = {}
        self.quiet: frozenset[str] = frozenset()
        # Shared parts that finite variables can make infinite.
        self.unsafe: set[sympy.Symbol] = set()

    def may_overflow(self, expression: sympy.Expr) -> bool:
        """Whether finite variables can make it infinite, itself or through what is shared."""
        return _may_overflow(expression) or not self.unsafe.isdisjoint(expression.free_symbols)

    def doprint(self, expr: sympy.Basic) -> Reference:
        """Append the instructions of ``expr``; unlike its parent's, this does not give text."""
        reference: Reference = self._print(expr)
        return reference

    def emit(self, operation: str, *operands: Reference) -> Reference:
        instruction = Instruction(operation, operands)
        if instruction not in self.numbers:
            self.numbers[instruction] = len(self.steps)
            self.steps.append(instruction)
        return self.numbers[instruction]

    def chain(self, operation: str, operands: Sequence[Reference]) -> Reference:
        result = operands[0]
        for operand in operands[1:]:
            result = self.emit(operation, result, operand)
        return result

    def emptyPrinter(self, expr: sympy.Basic) -> Reference:
        raise NoRuleError(f"{type(expr).__name__} has no NumPy form: {expr}")

    def _print_Symbol(self, symbol: sympy.Symbol) -> Reference:
        reference: Reference = self.known.get(symbol, symbol)
        return reference

    def _print_Number(self, number: sympy.Expr) -> Reference:
        return Constant(number)

    _print_NumberSymbol = _print_Number

    def _print_Add(self, expression: sympy.Add) -> Reference:
        positive = [a for a in expression.args if a.as_coeff_Mul()[0] > 0]
        negative = [-a for a in expression.args if a.as_coeff_Mul()[0] < 0]
        # Arrays first: a constant that is met last costs one operation, whatever stands before it.
        result: Reference
        positive.sort(key=lambda a: bool(a.is_number))
        if positive:
            result = self.chain("add", [self._print(a) for a in positive])
        else:
            result = self.emit("negative", self._print(negative.pop(0)))
        return self.chain("subtract", [result, *(self._print(a) for a in negative)])

    def _print_Mul(self, expression: sympy.Mul) -> Reference:
        brackets = [a for a in expression.args if isinstance(a, Bracket)]
        if brackets:
            rest = sympy.Mul(*(a for a in expression.args if not isinstance(a, Bracket)))
            return self.masked([self._print(b) for b in brackets], rest)
        if expression.args[0] == -1:
            return self.emit("negative", self._print(sympy.Mul(*expression.args[1:])))
        above = [a for a in expression.args if not _is_divisor(a)]
        below = [sympy.Pow(a.base, -a.exp) for a in expression.args if _is_divisor(a)]
        top = self.chain("multiply", [self._print(a) for a in above]) if above else Constant(sympy.Integer(1))
        return self.chain("divide", [top, *(self._print(a) for a in below)])

    def masked(self, masks: Sequence[Reference], rest: sympy.Expr) -> Reference:
        mask = self.chain("logical_and", masks)
        if self.may_overflow(rest):
            # A false bracket annihilates, even where the other factor is not finite.
            self.quiet |= {"over", "divide", "invalid"}
            return self.emit("where", mask, self._print(rest), Constant(sympy.Integer(0)))
        return mask if rest == 1 else self.emit("multiply", self._print(rest), mask)

    def _print_Pow(self, power: sympy.Pow) -> Reference:
        if _is_divisor(power):
            below = self._print(sympy.Pow(power.base, -power.exp))
            return self.emit("divide", Constant(sympy.Integer(1)), below)
        base = self._print(power.base)
        if power.exp == sympy.Rational(1, 2):
            return self.emit("sqrt", base)
        if power.exp.is_Integer and power.exp <= 4:
            square = self.emit("multiply", base, base)
            rest = {2: square, 3: base, 4: square}[int(power.exp)]
            return square if power.exp == 2 else self.emit("multiply", square, rest)
        return self.emit("power", base, self._print(power.exp))

    def _print_Function(self, function: sympy.Function) -> Reference:
        if function.func not in PRIMITIVES:
            return self.emptyPrinter(function)
        return self.emit(PRIMITIVES[function.func].numpy.__name__, *(self._print(a) for a in function.args))

    def _print_Bracket(self, bracket: Bracket) -> Reference:
        return self.doprint(bracket.condition)

    def _print_Relational(self, relation: sympy.core.relational.Relational) -> Reference:
        return self.emit(COMPARISONS[relation.rel_op], self._print(relation.lhs), self._print(relation.rhs))

    def _print_And(self, condition: sympy.And) -> Reference:
        return self.chain("logical_and", [self._print(a) for a in condition.args])

    def _print_Or(self, condition: sympy.Or) -> Reference:
        return self.chain("logical_or", [self._print(a) for a in condition.args])

    def _print_Not(self, condition: sympy.Not) -> Reference:
        return self.emit("logical_not", self._print(condition.args[0]))

    def _print_Piecewise(self, cases: sympy.Piecewise) -> Reference:
        self.quiet |= {"over", "divide", "invalid"}
        result: Reference = self._print(cases.args[-1].expr)
        for value, condition in reversed(cases.args[:-1]):
            result = self.emit("where", self._print(condition), self._print(value), result)
        return result


def _is_divisor(expression: sympy.Expr) -> bool:
    power = isinstance(expression, sympy.Pow) and not isinstance(expression, sympy.exp)
    return power and bool(expression.exp.is_number) and bool(expression.exp.is_negative)


def _may_overflow(expression: sympy.Expr) -> bool:
    """Whether finite variables can make it infinite: sums and products of variables are taken to stay finite."""
    return any(isinstance(node, sympy.Function) or _is_divisor(node) for node in walk(expression))
