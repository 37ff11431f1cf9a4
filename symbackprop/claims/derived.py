"""The program that claims are held against: the forward equations, and every derivative that a claim asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import sympy

from symbackprop.adjoint.jacobian import derivative_name, derivatives
from symbackprop.claims.proof import written_out
from symbackprop.errors import UnreadableError
from symbackprop.notation.expressions import base_name, is_occurrence, occurrence
from symbackprop.notation.indices import matches
from symbackprop.notation.program import Equation, Program, Role, Variable, occurrences
from symbackprop.reading.context import Context, Request
from symbackprop.reading.notes import with_known_sizes
from symbackprop.reading.sizes import Sizes

__all__ = ["Derived"]


@dataclass
class Derived:
    """The extended program, grown when a new derivative is asked for."""

    context: Context
    sizes: Sizes
    done: dict[Request, None] = field(default_factory=dict)
    equations: dict[str, Equation] = field(default_factory=dict)
    helpers: int = 0

    def program(self) -> Program:
        """The forward equations with all derivatives that were asked for."""
        missing = [request for request in self.context.requests if request not in self.done]
        if missing:
            self._derive(missing)
        forward = self.forward()
        return forward.extended(tuple(self.equations.values()))

    def forward(self) -> Program:
        """The program with what is differentiated in between by name."""
        program = self.context.program
        helpers = tuple(
            Equation(
                replace(helper.left, shape=tuple(map(self.sizes.find, helper.left.shape))),
                with_known_sizes(helper.right, self.sizes),
            )
            for helper in self.context.helpers
        )
        return program.extended(helpers)

    def _derive(self, requests: list[Request]) -> None:
        plain: dict[str, list[str]] = {}
        helpers = {helper.name for helper in self.context.helpers}
        forward = self.forward()
        for request in requests:
            self.done[request] = None
            if request.place or request.by in helpers:
                self._special(forward, request)
            else:
                plain.setdefault(request.of, []).append(request.by)
        for of, by in plain.items():
            for equation in derivatives(forward, of, by):
                self.equations.setdefault(equation.name, equation)

    def _special(self, forward: Program, request: Request) -> None:
        """The derivative by a part of a formula, or by one place of a variable: that part is a variable then."""
        name = self.context.requests[request]
        changed = _one_place(forward, request) if request.place else _part(forward, request)
        for equation in derivatives(changed[0], request.of, (changed[1],)):
            if request.place:
                # The copy has the values of what it is a copy of.
                equation = replace(equation, right=_called(equation.right, changed[1], request.by), terms=())
            if equation.name == derivative_name(request.of, changed[1]):
                self.equations[name] = replace(equation, left=replace(equation.left, name=name))
            elif equation.name not in self.equations:
                self.equations[equation.name] = equation


def _part(program: Program, request: Request) -> tuple[Program, str]:
    """``program`` with a part of the equation of ``request.of`` written by its name."""
    helper = program.definitions[request.by]
    holes = frozenset(helper.indices)

    part, whole = helper.right, program.definitions[request.of].right if request.of in program.definitions else None
    if whole is not None and all(matches(part, node, holes, {}) is None for node in sympy.preorder_traversal(whole)):
        # A function that the program calls by its name may be written out in the notes.
        part, whole = written_out(part), written_out(whole)

    def written(node: sympy.Basic) -> sympy.Basic:
        binding = matches(part, node, holes, {})
        if binding is not None and holes <= set(binding):
            return occurrence(helper.name, *(binding[i] for i in helper.indices))
        if isinstance(node, sympy.Indexed) or not node.args:
            return node
        return node.func(*(written(argument) for argument in node.args))

    equations = [e for e in program.equations if e.name != helper.name]
    place = next((k for k, e in enumerate(equations) if e.name == request.of), len(equations))
    found = []
    for k, equation in enumerate(equations):
        if k == place:
            found.append(helper)
            equation = replace(equation, right=written(equation.right if whole is None else whole), terms=())
            if helper.name not in {base_name(o) for o in occurrences(equation.right)}:
                raise UnreadableError(f"what the derivative is by does not stand in the equation of {request.of}")
        found.append(equation)
    return replace(program, equations=tuple(found)), helper.name


def _one_place(program: Program, request: Request) -> tuple[Program, str]:
    """``program`` where the k-th place of a variable in an equation has a name of its own."""
    copy = f"_copy{request.place}_{request.by}"
    variable = program.variables[request.by]
    count = 0
    seen: dict[sympy.Basic, int] = {}
    definition = program.definitions[request.of]

    def rebuilt(node: sympy.Basic) -> sympy.Basic:
        nonlocal count
        if is_occurrence(node) and base_name(node) == request.by:
            if node not in seen:
                count += 1
                seen[node] = count
            positions = tuple(node.indices) if isinstance(node, sympy.Indexed) else ()
            return occurrence(copy, *positions) if seen[node] == request.place else node
        if isinstance(node, sympy.Indexed) or not node.args:
            return node
        return node.func(*(rebuilt(argument) for argument in node.args))

    # Sums first: what a reduction contains is counted before what stands beside it, as the derivation does.
    parts = sorted(sympy.Add.make_args(definition.right), key=lambda part: (not part.has(sympy.Sum), str(part)))
    right = sympy.Add(*(rebuilt(part) for part in parts))
    equations: list[Equation] = []
    for equation in program.equations:
        if equation.name == request.of:
            left = Variable(copy, variable.shape, Role.DEFINED, variable.indices)
            equations.append(Equation(left, variable.everywhere))
            equation = replace(equation, right=right, terms=())
        equations.append(equation)
    return replace(program, equations=tuple(equations)), copy


def _called(expression: sympy.Expr, old: str, new: str) -> sympy.Expr:
    """``expression`` with another name for a variable."""
    found = {o for o in expression.atoms(sympy.Indexed, sympy.Symbol) if is_occurrence(o) and base_name(o) == old}
    names = {o: occurrence(new, *(o.indices if isinstance(o, sympy.Indexed) else ())) for o in found}
    return expression.xreplace(names)
