"""The pullback of one equation: what each occurrence on its right side adds to the adjoint of its variable.

There is no rule per operation. A right side is a scalar function of its atoms; SymPy differentiates it by each;
an atom that is a reduction is entered with the new cotangent and its index added to the scope; an atom that is an
occurrence is finished. Equations that are alike up to the names of variables and sizes are processed once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import sympy

from symbackprop.adjoint.brackets import resolve
from symbackprop.adjoint.fold import fold, foldable
from symbackprop.adjoint.local import content, derivative, in_reading_order, placeholders, recontent, rule_of
from symbackprop.adjoint.records import Contribution, Factor, Names, Step
from symbackprop.notation.expressions import (
    ArgMaximum,
    Bracket,
    Limit,
    Maximum,
    base_name,
    index,
    indexed_base,
    is_occurrence,
    occurrence,
    walk,
)
from symbackprop.notation.indices import Fresh, close, is_size, open_reduction, substitute
from symbackprop.notation.program import Equation, Role, Variable

__all__ = ["pullback"]


def pullback(
    equation: Equation,
    variables: dict[str, Variable],
    cotangent: str | None,
    reserved: frozenset[str] = frozenset(),
) -> tuple[Contribution, ...]:
    """The contributions of ``equation`` to the adjoints of the variables on its right side.

    ``variables`` are the program's, by name; ``cotangent`` is the name of the adjoint of the left side, None for
    the loss, whose adjoint is 1. No index will be called by a name of ``reserved``. Integer data has no adjoint and
    gets no contribution.
    """
    template, names = _template(equation, variables, cotangent is None, reserved)
    by_name = {new.name: old.name for old, new in names.items()}
    back: Names = {}
    for old, new in names.items():
        back[occurrence(new.name) if is_occurrence(old) else new] = old
        if is_occurrence(old):
            back[indexed_base(new.name)] = indexed_base(old.name)
    if cotangent is not None:
        back[occurrence(_COTANGENT)] = occurrence(cotangent)
        back[indexed_base(_COTANGENT)] = indexed_base(cotangent)
    return tuple(contribution.rename(back, by_name) for contribution in _pullback(template))


_COTANGENT = "v0_bar"


@dataclass(frozen=True)
class _Template:
    """An equation with canonical names of variables and sizes: what alike equations have in common."""

    equation: Equation
    variables: tuple[Variable, ...]
    seeded: bool
    reserved: frozenset[str]


def _template(
    equation: Equation, variables: dict[str, Variable], seeded: bool, reserved: frozenset[str]
) -> tuple[_Template, dict[sympy.Symbol, sympy.Symbol]]:
    names: dict[sympy.Symbol, sympy.Symbol] = {occurrence(equation.name): occurrence("v0")}
    mentioned: dict[str, Variable] = {}
    forward: Names = {}
    sizes = 0
    for extent in equation.left.shape:
        sizes = _name_sizes(extent, names, sizes)
    for node in walk(equation.right):
        if is_occurrence(node):
            name = base_name(node)
            if name not in mentioned:
                mentioned[name] = variables[name]
                new = f"v{len(mentioned)}"
                names[occurrence(name)] = occurrence(new)
                forward[indexed_base(name)] = indexed_base(new)
                for extent in variables[name].shape:
                    sizes = _name_sizes(extent, names, sizes)
        elif is_size(node):
            sizes = _name_sizes(node, names, sizes)
    forward.update(names)

    def canonical(variable: Variable) -> Variable:
        return Variable(
            names[occurrence(variable.name)].name,
            tuple(extent.xreplace(forward) for extent in variable.shape),
            Role.DEFINED,
            variable.indices,
            variable.integer,
        )

    template = Equation(canonical(equation.left), equation.right.xreplace(forward))
    return _Template(template, tuple(canonical(v) for v in mentioned.values()), seeded, reserved), names


def _name_sizes(extent: sympy.Basic, names: dict[sympy.Symbol, sympy.Symbol], count: int) -> int:
    for symbol in sorted(filter(is_size, extent.free_symbols), key=str):
        if symbol not in names:
            names[symbol] = sympy.Symbol(f"s{count}", integer=True, positive=True)
            count += 1
    return count


@lru_cache(maxsize=4096)
def _pullback(template: _Template) -> tuple[Contribution, ...]:
    return _Pullback(template).run()


@dataclass(frozen=True)
class _Place:
    """Where the walk into a right side stands: the local factors so far, and the indices in scope."""

    chain: tuple[Factor, ...]
    brackets: tuple[sympy.Expr, ...]
    scope: tuple[Limit, ...]


class _Pullback:
    def __init__(self, template: _Template) -> None:
        self.template = template
        self.variables = {variable.name: variable for variable in template.variables}
        self.fresh = Fresh()
        equation = template.equation
        opened = {i: self.fresh.take(i) for i in equation.indices}
        self.scope = tuple((opened[i], extent) for i, extent in equation.scope)
        self.right = substitute(equation.right, opened)
        self.element = equation.left.at(*opened.values())
        self.cotangent = None if template.seeded else occurrence(_COTANGENT, *opened.values())
        self.found: list[Contribution] = []

    def run(self) -> tuple[Contribution, ...]:
        self.visit(self.right, self.element, _Place((), (), self.scope))
        return tuple(self.found)

    def visit(self, expression: sympy.Expr, value: sympy.Expr, place: _Place) -> None:
        """Pull the cotangent of ``value`` = ``expression`` back through every atom of ``expression``."""
        function, symbols = placeholders(expression)
        back = {symbol: atom for atom, symbol in symbols.items()}
        for atom, symbol in symbols.items():
            slope = derivative(function, symbol)
            if slope == 0:
                continue
            rule, reason, identity = rule_of(function, symbol, slope)
            factor = Factor(slope.xreplace(back), value, atom, rule, reason, identity)
            deeper = replace(place, chain=(*place.chain, factor))
            if is_occurrence(atom):
                self.finish(atom, deeper)
            elif not isinstance(atom, ArgMaximum):
                self.enter(atom, deeper)

    def enter(self, reduction: sympy.Expr, place: _Place) -> None:
        body, opened = open_reduction(reduction, self.fresh)
        brackets = place.brackets
        if isinstance(reduction, Maximum):
            first = ArgMaximum(*reduction.args)
            brackets = (*brackets, Bracket(sympy.Eq(opened[0][0], first)))
        self.visit(body, body, _Place(place.chain, brackets, place.scope + opened))

    def finish(self, atom: sympy.Expr, place: _Place) -> None:
        variable = self.variables[base_name(atom)]
        if variable.integer:
            return
        positions = tuple(atom.indices) if isinstance(atom, sympy.Indexed) else ()
        resolution = resolve(variable, positions, place.scope)
        coefficient: sympy.Expr = sympy.Integer(1)
        factors: list[sympy.Expr] = []
        for link in place.chain:
            number, rest = content(link.expression)
            coefficient *= number
            factors.extend(rest)
        local = tuple(substitute(factor, resolution.values) for factor in factors)
        steps = tuple(Step("index", reason) for reason in dict.fromkeys(resolution.reasons))
        own = self.template.equation
        local, folded = fold(local, (own,) if foldable(own, self.variables) else ())
        coefficient, local = recontent(coefficient, local)
        brackets = (*(substitute(b, resolution.values) for b in place.brackets), *resolution.brackets)
        self.found.append(
            self.closed(
                Contribution(
                    variable=variable.name,
                    through=own.name,
                    element=substitute(self.element, resolution.values),
                    cotangent=None if self.cotangent is None else substitute(self.cotangent, resolution.values),
                    coefficient=coefficient,
                    sums=resolution.sums,
                    local=in_reading_order(local),
                    brackets=brackets,
                    template_chain=tuple(_substituted(link, resolution.values) for link in place.chain),
                    steps=(*steps, *folded),
                ),
                variable,
            )
        )

    def closed(self, contribution: Contribution, variable: Variable) -> Contribution:
        """The contribution under readable index names, sums over constants carried out."""
        term = contribution.term.without_idle_sums()
        steps = contribution.steps
        if term.sums != contribution.sums:
            steps = (*steps, Step("constant sum", "every term of the sum is the same"))
        reserved = tuple(map(index, sorted(self.template.reserved)))
        names, _ = close(sympy.Integer(0), contribution.sums, (*variable.indices, *reserved), self.fresh.hints)
        taken = (*variable.indices, *reserved, *names.values())

        def readable(expression: sympy.Expr) -> sympy.Expr:
            renamed = substitute(expression, names)
            return close(renamed, (), taken, self.fresh.hints)[1]

        return replace(
            contribution,
            element=readable(contribution.element),
            cotangent=None if contribution.cotangent is None else readable(contribution.cotangent),
            coefficient=term.coefficient,
            sums=tuple((names[i], extent) for i, extent in term.sums),
            local=tuple(readable(factor) for factor in contribution.local),
            brackets=tuple(readable(bracket) for bracket in contribution.brackets),
            template_chain=tuple(
                Factor(readable(f.expression), readable(f.of), readable(f.by), f.rule, f.reason, f.identity)
                for f in contribution.template_chain
            ),
            steps=steps,
        )


def _substituted(link: Factor, values: dict[sympy.Symbol, sympy.Expr]) -> Factor:
    expression, of, by = (substitute(part, values) for part in (link.expression, link.of, link.by))
    return Factor(expression, of, by, link.rule, link.reason, link.identity)
