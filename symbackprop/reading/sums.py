"""Sums over indices, with or without limits, and the largest or smallest value over an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import sympy

from symbackprop.notation.expressions import Bracket, index, maximum, total
from symbackprop.notation.indices import free_indices
from symbackprop.reading.names import name_of
from symbackprop.reading.positions import Positions
from symbackprop.reading.reader import ShapeMismatchError
from symbackprop.reading.syntax import Node, Summation
from symbackprop.reading.values import Value

__all__ = ["Sums"]


class Sums(Positions):
    """The values of sums."""

    def summation(self, node: Summation, expected: Value | None) -> Value:
        """A sum, or the largest or smallest value, over indices."""
        if not node.indices:
            return self.bare_sum(node, expected)
        with self.bound({name: self.range_of(node, name, first, last) for name, first, last in node.indices}):
            body = self.summand(node, expected)
            limits = []
            for name, _, _ in node.indices:
                extent = self.scope[name]
                if extent is None or index(name) not in free_indices(body.entry):
                    body, done = self.sum_over_axis(node, body, name)
                    if done:
                        continue
                    extent = self.scope[name]
                if extent is None:
                    self.fail(node, f"nothing says how far {name} runs; write \\sum_{{{name}=1}}^{{...}}")
                limits.append((index(name), extent))
            entry = body.entry
            for name, other in node.excluded:
                entry = entry * Bracket(sympy.Ne(index(name), self.position(other, None, node)))
        if not limits:
            return Value(entry, body.axes)
        if node.operator == "sum":
            return Value(total(entry, *limits), body.axes)
        if node.operator not in ("max", "min") or len(limits) != 1:
            self.fail(node, "a product over an index is not read; write the factors, or the logarithm as a sum")
        sign = 1 if node.operator == "max" else -1
        return Value(sign * maximum(sign * entry, limits[0]), body.axes)

    def summand(self, node: Summation, expected: Value | None) -> Value:
        """What is summed; where it does not fit as matrices, rows of one number for each example."""
        try:
            return self.value(node.body, expected)
        except ShapeMismatchError:
            if self.by_example:
                raise
            self.by_example = True
            try:
                return self.value(node.body, expected)
            finally:
                self.by_example = False

    def range_of(self, node: Summation, name: str, first: Node | None, last: Node | None) -> sympy.Expr | None:
        """The size an index of a sum runs over, where the sum says it."""
        if name in self.labels or self.table.find(name, "") is not None:
            self.fail(node, f"{name} has another meaning already; call the index of the sum otherwise")
        if last is None:
            return None
        extent = self.size_value(last)
        if extent is None:
            key = name_of(last)
            if key is not None and self.unknown is not None and not key.below and not key.above:
                made = self.sizes.fresh(key.base.lstrip("\\"))
                self.table.sizes[key.base, ""] = made
                extent = made
            else:
                self.fail(last, "the end of the sum is no size that the notes declare")
        start = self.size_value(first) if first is not None else sympy.S.One
        if start not in (0, 1):
            self.fail(node, "a sum begins at 1, or at 0")
        return extent + 1 if start == 0 else extent

    @contextmanager
    def bound(self, names: Mapping[str, sympy.Expr | None]) -> Iterator[None]:
        """Indices that mean something inside only."""
        # An index that is in use outside means another one inside.
        outer = {name: self.scope[name] for name in names if name in self.scope}
        self.scope.update(names)
        try:
            yield
        finally:
            for name in names:
                del self.scope[name]
            self.scope.update(outer)

    def sum_over_axis(self, node: Summation, body: Value, name: str) -> tuple[Value, bool]:
        """A sum whose body does not carry its index: over the axis that is as long, where there is one."""
        extent = self.scope[name]
        if extent is None:
            self.fail(node, f"nothing in the sum carries its index {name}")
        places = [place for place, (_, size) in enumerate(body.axes) if self.sizes.equal(size, extent)]
        if len(places) != 1:
            self.fail(node, f"nothing in the sum carries its index {name}; write it at what changes with it")
        self.note(f"the sum over {name} runs over the axis that has its length")
        return self.arrays.summed(body, places), True

    def bare_sum(self, node: Summation, expected: Value | None) -> Value:
        """A sum without an index: over what the other side has not."""
        body = self.summand(node, None)
        if not body.rank:
            self.fail(node, "a sum without an index over something without entries; write \\sum_{k}")
        wanted = list(self.arrays.shape(expected)) if expected is not None else []
        keep: list[int] = []
        for size in wanted:
            fits = [k for k, (_, extent) in enumerate(body.axes) if self.sizes.equal(extent, size) and k not in keep]
            if size == 1:
                continue
            if len(fits) != 1:
                self.fail(node, "a sum without an index: what it runs over cannot be told; write \\sum_{k}")
            keep.append(fits[0])
        over = [place for place in range(body.rank) if place not in keep]
        if expected is not None and body.rank == 2 and self.table.batch is not None and len(over) == 1:
            self.note("a sum without an index runs over the examples")
        return self.arrays.summed(body, over)
