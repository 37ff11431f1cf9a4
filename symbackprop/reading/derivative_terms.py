"""Derivatives in formulas: of what, by what, at which entries, and along which axes."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbackprop.notation.expressions import Bracket, Limit, base_name, occurrence
from symbackprop.notation.indices import free_indices, substitute
from symbackprop.notation.program import occurrences
from symbackprop.reading.calls import Calls
from symbackprop.reading.context import Request
from symbackprop.reading.names import Name, Reading, name_of
from symbackprop.reading.occurrences import ordered
from symbackprop.reading.syntax import Derivative, Differential, Group, Marked, Node, Product, Symbol, core
from symbackprop.reading.table import Declared, shown_key
from symbackprop.reading.values import Value

__all__ = ["DerivativeTerms"]


class DerivativeTerms(Calls):
    """The values of derivatives."""

    def differential(self, node: Differential, expected: Value | None) -> Value:
        """dX: the derivative of the loss by X."""
        if node.body is None:
            self.fail(node, "a derivative stands alone")
        return self.adjoint(node.body, node)

    def adjoint(self, body: Node, node: Node) -> Value:
        """The derivative of the loss by what ``body`` names."""
        if self.table.loss is None:
            self.fail(node, "the notes say of no variable that it is the loss")
        name = name_of(body)
        found = None if name is None else self.resolved(name)
        if name is None or found is None or not found[0].variable or found[0].adjoint:
            self.fail(node, "d stands before something that is no variable of the network")
        declared, reading = found
        if reading.power is not None:
            self.fail(node, "d stands before a power")
        self.check_dependence(node, self.table.loss, declared.variable)
        adjoint = Declared(declared.variable, declared.shape, declared.axes, declared.sample, adjoint=True)
        value = self.occurrence(adjoint, reading, name)
        is_input = self.context.program.variables.get(declared.variable)
        if self.context.scale != 1 and is_input is not None and self.is_given(declared.variable):
            # What Ng scales are the derivatives by what is computed; those by parameters are means.
            value = Value(value.entry / self.context.scale, value.axes)
        for _ in range(name.tops):
            value = self.arrays.transpose(value)
        return value

    def check_dependence(self, node: Node, of: str, by: str) -> None:
        """Raise where the notes do not say how one variable depends on another: that would make a derivative 0."""
        helpers = tuple(self.context.helpers)
        program = self.context.program.extended(helpers)
        if by in program.variables and by not in {h.name for h in helpers} and by not in program.used_by((of,)):
            self.fail(
                node,
                f"{of} does not depend on {by}, as these are defined here; write the equation in which {by} is used",
            )

    def is_given(self, variable: str) -> bool:
        """Whether a variable is given to the program, not computed by it."""
        return any(given.name == variable for given in self.context.program.inputs)

    def small_delta(self, factor: Node, rest: Sequence[Node], operators: Sequence[str]) -> Value | None:
        r"""\delta y^t, where no error signal is called delta: the derivative by y^t."""
        plain = isinstance(factor, Symbol) and factor.name == "\\delta" and bool(rest) and operators[0] == ""
        if not plain or any(base == "\\delta" for base, _ in self.table.declared):
            return None
        name = name_of(rest[0])
        if name is None or self.table.loss is None or self.resolved(name, ask=False) is None:
            return None
        return self.adjoint(rest[0], factor)

    def derivative(self, node: Derivative, expected: Value | None = None, place: int = 0) -> Value:
        """The value of a derivative; ``place`` counts the one occurrence that it is by, 0 where it is by all."""
        of, of_positions, of_axes = self.differentiated(node)
        by, by_positions, by_axes = self.by_what(node, of, expected)
        if of == by:
            return self.identity(node, of_positions, of_axes, by_positions, by_axes)
        self.check_dependence(node, of, by)
        whole = len(of_axes) + len(by_axes)
        name = self.context.derivative(Request(of, by, place))
        entry = occurrence(name, *of_positions, *by_positions)
        if of_axes and by_axes and self.options.entrywise and len(of_axes) == len(by_axes):
            ours = {theirs: mine for (theirs, _), (mine, _) in zip(by_axes, of_axes, strict=True)}
            if all(self.sizes.same(a, b) for (_, a), (_, b) in zip(of_axes, by_axes, strict=True)):
                self.note("the derivative of an array by an array is read entry by entry")
                return Value(substitute(entry, ours), of_axes)
        if whole > 2:
            self.fail(node, "a derivative of an array by an array has too many axes for a matrix; write indices")
        value = Value(entry, (*of_axes, *by_axes))
        is_gradient = self.token(node).text == "\\nabla"
        if self.options.numerator and by_axes and not of_axes and not is_gradient:
            self.note("right as a Jacobian (numerator layout)")
            return self.arrays.transpose(value)
        return value

    def identity(
        self,
        node: Derivative,
        first: Sequence[sympy.Expr],
        first_axes: tuple[Limit, ...],
        second: Sequence[sympy.Expr],
        second_axes: tuple[Limit, ...],
    ) -> Value:
        """The derivative of a variable by itself."""
        if len(first_axes) + len(second_axes) > 2:
            self.fail(node, "a derivative of an array by an array has too many axes for a matrix; write indices")
        pairs = (Bracket(sympy.Eq(one, other)) for one, other in zip(first, second, strict=True))
        return Value(sympy.Mul(*pairs), (*first_axes, *second_axes))

    def differentiated(self, node: Derivative) -> tuple[str, list[sympy.Expr], tuple[Limit, ...]]:
        """The variable above, its positions in its own order, and the axes that stay open."""
        assert node.of is not None
        body = node.of
        if isinstance(body, Product) and len(body.factors) == 2 and isinstance(core(body.factors[1]), Group):
            # L(w): the loss with its arguments shown.
            head = name_of(body.factors[0])
            if head is not None and not self.is_function(head, True) and self.resolved(head, ask=False) is not None:
                body = body.factors[0]
        name = name_of(body)
        if name is not None and name.base not in self.arguments:
            found = self.resolved(name)
            if found is not None and found[0].variable and not found[0].adjoint and found[1].power is None:
                declared, reading = found
                positions, axes = self.positions(declared, reading, name)
                return declared.variable, ordered(declared, positions), axes
            if found is None:
                self.refuse(name)
        value = self.value(body)
        letters = tuple(sorted(free_indices(value.entry) - {i for i, _ in value.axes}, key=str))
        free = []
        for letter in letters:
            extent = self.scope.get(letter.name)
            if extent is None:
                self.fail(node, f"nothing says how far {letter} runs")
            free.append((letter, extent))
        self.refuse_second_derivatives(node, value)
        helper = self.context.helper(value.entry, (*free, *value.axes))
        return helper, [*letters, *(i for i, _ in value.axes)], value.axes

    def refuse_second_derivatives(self, node: Node, value: Value) -> None:
        """Raise where a value has derivatives in it already."""
        derivatives = set(self.context.requests.values())
        if any(base_name(found) in derivatives for found in occurrences(value.entry)):
            self.fail(node, "a derivative of a derivative is not read")

    def by_what(
        self, node: Derivative, of: str, expected: Value | None
    ) -> tuple[str, list[sympy.Expr], tuple[Limit, ...]]:
        """The variable below, its positions in its own order, and the axes that stay open."""
        name = name_of(node.by)
        if isinstance(node.by, Symbol) and node.by.name == "\\nabla":
            name = self.the_only(node)
        if name is None:
            return self.by_part(node, of)
        found = self.resolved(name, ask=False) or self.of_the_same_layer(name) or self.resolved(name)
        if found is None:
            self.refuse(name)
        declared, reading = found
        if not declared.variable or declared.adjoint or reading.power is not None:
            self.fail(node.by, "the derivative is by something that is no variable")
        positions, axes = self.positions(declared, reading, name)
        return declared.variable, ordered(declared, positions), axes

    def of_the_same_layer(self, name: Name) -> tuple[Declared, Reading] | None:
        """nabla_a C: the a of the layer that the relation is about."""
        if name.below or name.above or not self.about:
            return None
        declared = self.table.find(name.base, self.about)
        if declared is None:
            return None
        self.note(f"{shown_key((name.base, ''))} without a number is that of layer {self.about}")
        return declared, Reading(self.about, ())

    def the_only(self, node: Derivative) -> Name:
        """What a nabla without a subscript differentiates by: x, or the parameters' one letter."""
        letters = ("x", "\\theta", "w", "W", "v")
        base = next((letter for letter in letters if self.table.find(letter, "") is not None), None)
        if base is None:
            self.fail(node, "\\nabla does not say by what; write \\nabla_{x}")
        self.note(f"\\nabla is taken by {base}")
        return Name(base, (), (), 0, 0, False, False, Symbol(node.by.start, node.by.stop, base))

    def by_part(self, node: Derivative, of: str) -> tuple[str, list[sympy.Expr], tuple[Limit, ...]]:
        """The derivative by a part of a formula, such as by a sum inside the loss."""
        value = self.value(node.by)
        letters = tuple(sorted(free_indices(value.entry) - {i for i, _ in value.axes}, key=str))
        free = tuple((letter, self.scope[letter.name]) for letter in letters)
        if any(extent is None for _, extent in free) or value.axes:
            self.fail(node, "the derivative is by something that is no variable")
        self.refuse_second_derivatives(node, value)
        helper = self.context.helper(value.entry, free)
        return helper, list(letters), ()

    def marked(self, node: Marked, expected: Value | None) -> Value:
        """A derivative with a bar behind it, whose number says by which occurrence."""
        if not isinstance(node.body, Derivative) or not node.place.isdigit():
            self.fail(node, "a bar behind something that is no derivative")
        return self.derivative(node.body, expected, int(node.place))

    def bare_derivative(self, node: Derivative, expected: Value | None) -> Value:
        """A derivative that is no factor of a product."""
        if node.of is None:
            self.fail(node, "the derivative stands before nothing")
        return self.derivative(node, expected)
