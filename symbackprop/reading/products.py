"""Products by the shapes of their factors: of matrices, entry by entry, inner, outer."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.reading.derivative_terms import DerivativeTerms
from symbackprop.reading.reader import ShapeMismatchError
from symbackprop.reading.syntax import Derivative, Node, Product
from symbackprop.reading.values import ShapeError, Value

__all__ = ["Products"]


class Products(DerivativeTerms):
    """The values of products."""

    def product(self, node: Product, expected: Value | None) -> Value:
        """A product: entry by entry where a sign says so, by the shapes otherwise."""
        if not set(node.operators) & {"\\odot", "\\circ", "\\otimes", "\\bullet"}:
            return self.chain(node, list(node.factors), list(node.operators), expected)
        if "\\bullet" in node.operators:
            self.fail(node, "\\bullet is not read; write \\odot or \\cdot")
        try:
            values = [self.value(factor, expected) for factor in node.factors]
            return self.entrywise(node, values, node.operators)
        except ShapeMismatchError:
            # (A \odot B) C, where A \odot (B C) has no meaning.
            factors: list[Node] = []
            operators: list[str] = []
            for place, factor in enumerate(node.factors):
                if place:
                    operators.append(node.operators[place - 1])
                inner = isinstance(factor, Product) and not set(factor.operators) & {"\\odot", "\\circ", "\\otimes"}
                factors += factor.factors if inner and isinstance(factor, Product) else (factor,)
                operators += factor.operators if inner and isinstance(factor, Product) else ()
            if len(factors) == len(node.factors):
                raise
            try:
                return self.chain(node, factors, operators, expected)
            except ShapeMismatchError:
                pass
            raise

    def entrywise(self, node: Node, values: Sequence[Value], operators: Sequence[str]) -> Value:
        """The product of several values, each sign of which says that it is entry by entry, or outer."""
        result = values[0]
        for operator, value in zip(operators, values[1:], strict=True):
            result = self.by_entry(node, result, value, operator)
        return result

    def by_entry(self, node: Node, first: Value, second: Value, operator: str) -> Value:
        """The product of two values entry by entry; the outer product of two columns."""
        if operator == "\\otimes" and first.rank == 1 and second.rank == 1:
            return self.arrays.multiplied(first, self.arrays.transpose(second))
        join = f"{operator.lstrip(chr(92))} (entry by entry)"
        if first.rank and second.rank and self.arrays.shape(first) != self.arrays.shape(second):
            columns = [v if not self.arrays.is_column_matrix(v) else self.arrays.as_column(v) for v in (first, second)]
            if columns[0].rank != columns[1].rank:
                # Entry by entry nothing is repeated.
                error = ShapeError(f"{self.arrays.shown(first)} {join} {self.arrays.shown(second)}")
                self.misfit(node, error, self.remedy(first, second))
        return self.together(node, "a\\cdot b", first, second, join)

    def chain(self, node: Product, factors: list[Node], operators: list[str], expected: Value | None) -> Value:
        """Factors from left to right: calls first, then products by their shapes."""
        items: list[tuple[str, Value, Node]] = []
        place = 0
        while place < len(factors):
            operator = operators[place - 1] if place else ""
            factor = factors[place]
            rest, rest_operators = factors[place + 1 :], operators[place:]
            if isinstance(factor, Derivative) and factor.of is None:
                if not rest:
                    self.fail(factor, "the derivative stands before nothing")
                operand = rest[0] if len(rest) == 1 else self._rest(node, rest, rest_operators[1:])
                whole = Derivative(factor.start, factor.stop, operand, factor.by)
                items.append((operator, self.derivative(whole), factor))
                break
            # Behind a function: its argument.
            used = self.call_length(factor, rest, rest_operators)
            if used:
                value = self.call(factor, rest[: used - 1])
                items.append((operator, value, factor))
                place += used
                continue
            adjoint = self.small_delta(factor, rest, rest_operators)
            if adjoint is not None:
                items.append((operator, adjoint, factor))
                place += 2
                continue
            items.append((operator, self.value(factor), factor))
            place += 1
        return self.multiplied(node, items, expected)

    def _rest(self, node: Product, rest: list[Node], operators: list[str]) -> Product:
        return Product(rest[0].start, node.stop, tuple(rest), tuple(operators))

    def multiplied(self, node: Node, items: Sequence[tuple[str, Value, Node]], expected: Value | None) -> Value:
        """The product of several values, from left to right."""
        result, before = items[0][1], items[0][2]
        for place, (operator, value, factor) in enumerate(items[1:], 1):
            last = place == len(items) - 1
            result = self.times(node, result, value, operator, expected if last else None, before, factor)
            before = factor
        return result

    def times(
        self, node: Node, first: Value, second: Value, operator: str, expected: Value | None, left: Node, right: Node
    ) -> Value:
        """The product of two values, by its sign and their shapes."""
        if operator in ("\\odot", "\\circ", "\\otimes"):
            return self.by_entry(node, first, second, operator)
        if first.rank == 0 or second.rank == 0:
            return self.together(node, "a\\cdot b", first, second, "times")
        if self.by_example and self.is_by_example(first, second):
            self.note("products of rows in a sum over the examples are taken example by example")
            return self.together(node, "a\\cdot b", first, second, "times")
        if operator == "\\cdot" and first.rank == second.rank:
            fits = self.same_shape(first, second)
            if first.rank == 1:
                if fits and expected is not None and expected.rank == 0:
                    return self.arrays.summed(self.together(node, "a\\cdot b", first, second, "times"), (0,))
                if fits and expected is not None:
                    self.note("the dot between arrays of one shape multiplies entry by entry")
                    return self.together(node, "a\\cdot b", first, second, "times")
            elif fits:
                if self.arrays.can_multiply(first, second):
                    self.fail(right, "the dot may be a matrix product or one entry by entry; write \\odot, or no sign")
                self.note("the dot between arrays of one shape multiplies entry by entry")
                return self.together(node, "a\\cdot b", first, second, "times")
        try:
            return self.arrays.multiplied(first, second)
        except ShapeError as error:
            self.misfit(right, error, self.remedy(first, second))

    def is_by_example(self, first: Value, second: Value) -> bool:
        """Whether both are rows with a number for each example, which have no product but that of the numbers."""
        both = first.rank == second.rank == 2 and self.arrays.is_row(first) and self.same_shape(first, second)
        return both and self.table.batch is not None and self.sizes.equal(first.axes[1][1], self.table.batch)

    def same_shape(self, first: Value, second: Value) -> bool:
        """Whether two values have as many axes, of the same lengths."""
        return first.rank == second.rank and all(
            self.sizes.equal(one, other) for (_, one), (_, other) in zip(first.axes, second.axes, strict=True)
        )

    def remedy(self, first: Value, second: Value) -> str:
        """Which product of the two would have a meaning."""
        if first.rank == second.rank == 1:
            if self.same_shape(first, second):
                return "; write a \\odot b, a^\\top b or a b^\\top"
            return "; an outer product a b^\\top fits"
        for text, one, other in (
            ("its transpose before the product", self.arrays.transpose(first), second),
            ("the transpose of the second factor", first, self.arrays.transpose(second)),
            ("the other order", second, first),
        ):
            if self.arrays.can_multiply(one, other):
                return f"; {text} fits"
        return ""
