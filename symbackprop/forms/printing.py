"""Index notation in LaTeX: the project's own SymPy printer. Indices count from 1 here, from 0 everywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.printing.latex import LatexPrinter

from symbackprop.forms import breaks
from symbackprop.forms.breaks import Rank, bracketed, deeper, fraction, unmarked
from symbackprop.forms.coefficients import number_in_front, numbers_in_front
from symbackprop.forms.symbols import Symbols
from symbackprop.functions.elementary import elementary
from symbackprop.notation.expressions import (
    REDUCTIONS,
    ArgMaximum,
    Bracket,
    ElementwiseFunction,
    Limit,
    base_name,
    is_occurrence,
    limits,
)
from symbackprop.notation.indices import free_indices, is_index, is_position, is_size
from symbackprop.notation.program import Equation
from symbackprop.notation.terms import Term

__all__ = ["RELATIONS", "IndexPrinter"]

RELATIONS = {"==": "=", "!=": r"\ne", "<": "<", "<=": r"\le", ">": ">", ">=": r"\ge"}
"""How SymPy's relations are written."""


class IndexPrinter(LatexPrinter):  # type: ignore[misc]
    """Prints expressions, terms and equations in index notation.

    Factors stand in reading order, positive summands before negative ones (``a - y``), fractions gather numbers and
    sizes, and derivatives of the loss are written out or as delta, as ``Symbols`` says. A number that all summands
    share stands once before their sum. A ``breakable`` printer writes marks where a line may be broken (``breaks``).
    """

    def __init__(self, symbols: Symbols, breakable: bool = False) -> None:
        super().__init__({"full_prec": False})
        self.symbols = symbols
        self.breakable = breakable

    def joined(self, parts: Sequence[str], rank: Rank, before: str = " ", after: str = "") -> str:
        """Parts side by side, with marks between them where this printer writes marks."""
        return breaks.joined(parts, rank, before, after) if self.breakable else f"{before}{after}".join(parts)

    # -- equations and terms ---------------------------------------------------------------------------------------

    def equation(self, equation: Equation) -> str:
        """``left = right``."""
        return self._related([str(self.doprint(equation.left.everywhere)), self.right(equation)], "=")

    def right(self, equation: Equation) -> str:
        """The right side, in reading order where the equation knows it."""
        if not equation.terms:
            return str(self.doprint(equation.right))
        return self.terms(equation.terms)

    def pieces(self, equation: Equation) -> tuple[str, ...]:
        """The right side in pieces between which a line may be broken: its summands, with their signs."""
        if equation.terms:
            return self.term_pieces(equation.terms)
        return self._summands(equation.right) if _is_sum(equation.right) else (self.right(equation),)

    def terms(self, terms: Sequence[Term]) -> str:
        """Summands with their signs."""
        return self.joined(self.term_pieces(terms), Rank.SIGN)

    def term_pieces(self, terms: Sequence[Term]) -> tuple[str, ...]:
        """Summands with their signs, one by one, those that are added before those that are taken away."""
        if not terms:
            return ("0",)
        alone = len(terms) == 1
        in_order = sorted(terms, key=lambda term: bool(_sign(term.coefficient)[0]))
        return self._signed([self.term(term, alone) for term in in_order])

    def term(self, term: Term, alone: bool = True) -> str:
        """A sign, a coefficient, factors that do not depend on the sums, the sums, and the factors inside.

        A sum in brackets stands bare only where nothing at all stands beside it, and ``alone`` says that no other
        summand does either.
        """
        number, outside = numbers_in_front(term.outside)
        more, inside = numbers_in_front(term.inside)
        sign, coefficient = _sign(number * more * term.coefficient)
        bare = alone and not sign and coefficient == 1 and not inside and len(outside) == 1
        pieces = self._factors(outside, alone=bare)
        if inside:
            pieces.append(rf"{self.sums(term.sums)} {self._beside(self._factors(inside, alone=False))}")
        if coefficient != 1 or not pieces:
            pieces.insert(0, self._factor(coefficient, alone=not pieces and not sign))
        return sign + self._beside(pieces)

    def _beside(self, pieces: Sequence[str]) -> str:
        return self.joined(pieces, Rank.FACTOR, r"\,")

    def _related(self, sides: Sequence[str], sign: str) -> str:
        return self.joined(sides, Rank.RELATION, after=f"{sign} ")

    def _factors(self, factors: Sequence[sympy.Expr], alone: bool) -> list[str]:
        """Factors in reading order; reciprocals become the denominator of those that stand beside them."""
        below = [1 / factor for factor in factors if _is_reciprocal(factor)]
        above = [factor for factor in factors if not _is_reciprocal(factor)]
        if not below:
            return [self._factor(factor, alone) for factor in above]
        front = [f for f in above if is_occurrence(f) and self._is_adjoint(f)]
        rest = [f for f in above if f not in front]
        quotient = fraction(self._product(rest), self._product(below))
        return [*(self._factor(factor, alone=False) for factor in front), quotient]

    def _is_adjoint(self, factor: sympy.Expr) -> bool:
        variable = self.symbols.program.variables.get(base_name(factor))
        return variable is not None and variable.of is not None

    def _factor(self, factor: sympy.Expr, alone: bool) -> str:
        text = str(self.doprint(factor))
        if alone or not (_is_sum(factor) or isinstance(factor, REDUCTIONS)):
            return text
        return bracketed(text, _is_tall(text))

    def sums(self, over: Sequence[Limit]) -> str:
        """The sum signs, outermost first."""
        return " ".join(
            rf"\sum_{{{self.symbols.index(i.name)}=1}}^{{{unmarked(self.doprint(extent))}}}"
            for i, extent in reversed(over)
        )

    @staticmethod
    def _signed(parts: Sequence[str]) -> tuple[str, ...]:
        """Each summand with its sign in front, the first without a plus."""
        rest = (f"- {part[1:].lstrip()}" if part.startswith("-") else f"+ {part}" for part in parts[1:])
        return (parts[0], *rest)

    @staticmethod
    def _ordered(arguments: Sequence[sympy.Expr]) -> list[sympy.Expr]:
        """Positive summands before negative ones, numbers first: a - y, 1 - a."""
        return sorted(arguments, key=lambda a: (bool(a.could_extract_minus_sign()), not a.is_number))

    def named(self, expression: sympy.Expr) -> str:
        """``expression`` in LaTeX with each function by its name, whatever the notation says."""
        return str(super().doprint(expression))

    def doprint(self, expression: Any) -> str:
        """``expression`` in LaTeX."""
        if self.symbols.notation.functions == "expanded" and isinstance(expression, sympy.Basic):
            expression = expression.replace(_has_definition, lambda node: node.record.definition(node.args[0]))
        return str(super().doprint(expression))

    # -- SymPy nodes -----------------------------------------------------------------------------------------------

    def _print_Indexed(self, node: sympy.Indexed) -> str:
        return self.symbols.element(base_name(node), tuple(self._position(e) for e in node.indices))

    def _position(self, position: sympy.Expr) -> str:
        """A position counted from 1, in indices that count from 1."""
        return unmarked(self.doprint(self._from_one(position)))

    def _from_one(self, position: Any) -> sympy.Expr:
        """A position in indices from 0, as one from 1 in indices from 1: i + p becomes i + p - 1."""
        position = sympy.sympify(position)
        if is_index(position):
            return sympy.Symbol(self.symbols.index(position.name))
        # Plain symbols of the same names: these are printed as they are.
        shifts = {i: sympy.Symbol(self.symbols.index(i.name)) - 1 for i in free_indices(position)}
        return _shifted(position, shifts) + 1

    def _print_Symbol(self, node: sympy.Symbol) -> str:
        if is_index(node):
            # Outside a position an index is a number, and numbers count from 0.
            return f"({self.symbols.index(node.name)} - 1)"
        if is_size(node):
            return self.symbols.size(node.name)
        if is_occurrence(node) and node.name in self.symbols.program.variables:
            return self.symbols.element(node.name)
        return str(super()._print_Symbol(node))

    def _print_Sum(self, node: sympy.Sum) -> str:
        body = node.args[0]
        return f"{self.sums(limits(node))} {self._factor(body, alone=not _is_sum(body))}"

    def _print_Maximum(self, node: sympy.Expr) -> str:
        names = ",".join(self.symbols.index(i.name) for i, _ in limits(node))
        return rf"\max_{{{names}}} {self._factor(node.args[0], alone=False)}"

    def _print_ArgMaximum(self, node: sympy.Expr) -> str:
        names = ",".join(self.symbols.index(i.name) for i, _ in limits(node))
        return rf"\operatorname*{{arg\,max}}_{{{names}}} {self._factor(node.args[0], alone=False)}"

    def _print_Bracket(self, node: Bracket) -> str:
        return f"[{deeper(self._condition(node.condition))}]"

    def _condition(self, condition: sympy.Basic) -> str:
        if isinstance(condition, sympy.And):
            return self._between(condition) or self._logic("and", condition)
        if isinstance(condition, sympy.Or):
            return self._logic("or", condition)
        if isinstance(condition, Relational):
            counts = any(is_position(side) for side in condition.args)
            sides = [self._from_one(side) if counts else side for side in condition.args]
            return self._related([self.doprint(side) for side in sides], RELATIONS[condition.rel_op])
        return unmarked(self.doprint(condition))

    def _logic(self, word: str, condition: sympy.Basic) -> str:
        parts = [self._condition(argument) for argument in condition.args]
        return self.joined(parts, Rank.RELATION, after=rf"\text{{ {word} }} ")

    def _between(self, condition: sympy.And) -> str | None:
        """-3 < z < 3 for a conjunction of a lower and an upper bound of the same thing."""
        if len(condition.args) != 2:
            return None
        bounds = {}
        for part in condition.args:
            if not isinstance(part, Relational) or part.rel_op in ("==", "!=") or not part.rhs.is_number:
                return None
            bounds[part.rel_op[0]] = part
        if set(bounds) != {"<", ">"} or bounds["<"].lhs != bounds[">"].lhs:
            return None
        lower, upper = bounds[">"], bounds["<"]
        below = "<" if lower.rel_op == ">" else r"\le"
        middle = self._related([self.doprint(lower.rhs), self.doprint(lower.lhs)], below)
        return self._related([middle, self.doprint(upper.rhs)], RELATIONS[upper.rel_op])

    def _print_Piecewise(self, node: sympy.Piecewise) -> str:
        rows = []
        for value, condition in node.args:
            when = r"\text{otherwise}" if condition == sympy.true else rf"\text{{if }} {self._condition(condition)}"
            rows.append(f"{self.doprint(value)} & {when}")
        return unmarked(r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}")

    def _print_Function(self, node: sympy.Function, exp: str | None = None) -> str:
        argument = str(self.doprint(node.args[0]))
        if isinstance(node, ElementwiseFunction):
            if node.record.name == "absolute":
                text = rf"\left|{unmarked(argument)}\right|"
                return text if exp is None else rf"{text}^{{{exp}}}"
            head = node.record.latex
        else:
            head = elementary(node.func).latex
        head = head if exp is None else f"{head}^{{{exp}}}"
        return head + bracketed(argument, _is_tall(argument))

    _print_tanh = _print_log = _print_Function

    def _print_exp(self, node: sympy.exp, exp: str | None = None) -> str:
        argument = unmarked(self.doprint(node.args[0]))
        return rf"e^{{{argument}}}" if exp is None else rf"\left(e^{{{argument}}}\right)^{{{exp}}}"

    def _print_ExpBase(self, node: sympy.exp, exp: str | None = None) -> str:
        return self._print_exp(node, exp)

    def _print_Pow(self, node: sympy.Pow) -> str:
        if node.exp.is_Rational and node.exp.is_negative:
            return fraction("1", self.doprint(1 / node))
        if node.exp == sympy.Rational(1, 2):
            return rf"\sqrt{{{unmarked(self.doprint(node.base))}}}"
        number, behind = number_in_front(node)
        if number != 1:
            return self._quotient(number, [behind], [])
        exponent = unmarked(self.doprint(node.exp))
        if isinstance(node.base, sympy.Function) and not isinstance(node.base, sympy.exp):
            return self._print_Function(node.base, exponent)
        base = str(self.doprint(node.base))
        plain = is_size(node.base) or (node.base.is_Integer and node.base >= 0)
        if is_occurrence(node.base):
            plain = "^" not in base and not base.startswith(r"\frac")
        return f"{base if plain else bracketed(base, _is_tall(base) or '^' in base)}^{{{exponent}}}"

    def _print_Mul(self, node: sympy.Mul) -> str:
        sign, positive = _sign(node)
        number = sympy.Integer(1)
        above: list[sympy.Expr] = []
        below: list[sympy.Expr] = []
        for factor in sympy.Mul.make_args(positive):
            if factor.is_Rational:
                number *= factor
                continue
            side = below if _is_reciprocal(factor) else above
            own, rest = number_in_front(1 / factor if side is below else factor)
            number *= 1 / own if side is below else own
            side.append(rest)
        return sign + self._quotient(number, above, below)

    def _quotient(self, number: sympy.Rational, above: Sequence[sympy.Expr], below: Sequence[sympy.Expr]) -> str:
        """A product divided by another; numbers and sizes are a fraction of their own where nothing else is below."""
        up = [sympy.Integer(number.p)] if number.p != 1 else []
        down = [*([sympy.Integer(number.q)] if number.q != 1 else []), *below]
        numbers = [*up, *(f for f in above if _is_number(f))]
        rest = sorted((f for f in above if not _is_number(f)), key=_reading_rank)
        if not down:
            return self._product([*numbers, *rest])
        if not all(_is_number(factor) for factor in down):
            return fraction(self._product([*numbers, *rest]), self._product(down))
        quotient = fraction(self._product(numbers), self._product(down))
        return self._beside([quotient, self._product(rest, among=True)]) if rest else quotient

    def _product(self, factors: Sequence[sympy.Expr], among: bool = False) -> str:
        number, rest = numbers_in_front(factors)
        factors = [number, *rest] if number != 1 or not rest else rest
        pieces = [self._factor(factor, alone=len(factors) == 1 and not among) for factor in factors]
        text = pieces[0]
        for previous, piece in pairwise(pieces):
            if previous[-1].isdigit() and piece[0].isdigit():
                text = self.joined([text, piece], Rank.TIMES, after=r"\cdot ")
            elif _is_plain(previous) and _is_plain(piece):
                text = f"{text} {piece}"
            else:
                text = self._beside([text, piece])
        return text

    def _print_Add(self, node: sympy.Add, order: str | None = None) -> str:
        number, behind = number_in_front(node)
        if number != 1:
            return self._quotient(number, [behind], [])
        return self.joined(self._summands(node), Rank.SIGN)

    def _summands(self, expression: sympy.Expr) -> tuple[str, ...]:
        """The summands with their signs, one by one."""
        return self._signed([str(self.doprint(part)) for part in self._ordered(sympy.Add.make_args(expression))])

    def _print_Float(self, node: sympy.Float) -> str:
        return str(sympy.latex(node, full_prec=False))


def _sign(expression: sympy.Expr) -> tuple[str, sympy.Expr]:
    number = expression.as_coeff_Mul()[0]
    return ("-", -expression) if number.is_negative else ("", expression)


def _has_definition(node: sympy.Basic) -> bool:
    return isinstance(node, ElementwiseFunction) and node.record.name != "absolute"


def _is_number(factor: sympy.Expr) -> bool:
    return all(is_size(symbol) for symbol in factor.free_symbols) and not factor.has(Bracket, *REDUCTIONS)


def _is_reciprocal(factor: sympy.Expr) -> bool:
    return isinstance(factor, sympy.Pow) and bool(factor.exp.is_Rational and factor.exp.is_negative)


def _reading_rank(factor: sympy.Expr) -> int:
    if factor.has(Bracket):
        return 3
    if isinstance(factor, sympy.Sum):
        return 2
    return 1 if factor.is_Add else 0


def _is_tall(text: str) -> bool:
    """Whether brackets around it are to grow."""
    return r"\frac" in text or r"\sum" in text


def _is_sum(expression: sympy.Expr) -> bool:
    """Whether it is printed as a sum, and not as a number before one."""
    return bool(expression.is_Add) and number_in_front(expression)[0] == 1


def _is_plain(text: str) -> bool:
    return text.isalnum()


def _shifted(node: sympy.Expr, shifts: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
    if node in shifts:
        return shifts[node]
    if isinstance(node, ArgMaximum):
        return node - 1
    if is_occurrence(node) or not node.args:
        return node
    return node.func(*(_shifted(argument, shifts) for argument in node.args))
