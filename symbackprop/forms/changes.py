"""How every array of a program changes where single entries of one variable do, for many such entries at once.

Only what changes travels on: a step in W1[j,i] moves z1 at one j, by h x_i; the next product makes that a change of
everything behind it, of rank 1; from then on it is matrix products over the block. Nothing is linearised: the change is
that of a finite step. A product carries du v + u dv + du dv, a function the difference that its record knows, so that
small changes keep their digits; only where there is no such form are two values subtracted.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.errors import NoRuleError
from symbackprop.forms.arrays import (
    Add,
    Apply,
    ArgMax,
    Cases,
    Compare,
    Einsum,
    Expand,
    Gather,
    Indicator,
    Leaf,
    Logic,
    LogSumExp,
    MatMul,
    MaxOver,
    Multiply,
    Node,
    Outer,
    Permute,
    Position,
    Power,
    Scalar,
    Softmax,
    SumOver,
)
from symbackprop.forms.change import (
    At,
    Change,
    Place,
    alike,
    dense,
    densified,
    expanded,
    open_axes,
    picked,
    single_entries,
    spread,
    taken,
    total_change,
)
from symbackprop.forms.change_products import Fixed, Moving, contracted, labelled
from symbackprop.forms.evaluate import COMPARISONS, node_values
from symbackprop.forms.lower import Lowered
from symbackprop.functions.differences import Difference, difference_of
from symbackprop.functions.elementary import elementary
from symbackprop.notation.expressions import ElementwiseFunction
from symbackprop.notation.program import Program
from symbackprop.notation.sizes import concrete_shape

__all__ = ["Changes"]

Array = npt.NDArray[Any]
Sizes = Mapping[sympy.Symbol, int]

_LARGEST_POWER = 16
"""Up to which exponent a power is taken apart into a sum of products."""
_SLICE = 1 << 13
"""How many numbers a function is applied to at once."""
_PROBES = 16
"""For how many entries the size of a change is looked at."""


class Changes:
    """The arrays of a program at one point, and how they change with single entries of a declared variable.

    ``lowered`` are the array forms of the equations of ``program``, ``arrays`` its declared variables.
    """

    def __init__(self, program: Program, lowered: Sequence[Lowered], arrays: Mapping[str, Array], sizes: Sizes) -> None:
        self.program = program
        self.lowered = tuple(lowered)
        self.sizes = sizes
        self.arrays = dict(arrays)
        self.found: dict[int, Array] = {}
        self.kept: dict[tuple[int, str], Any] = {}
        with np.errstate(all="ignore"):
            for form in self.lowered:
                self.found.update(node_values(form, self.arrays, sizes))
                shape = concrete_shape(program.variable(form.left.name).shape, sizes)
                self.arrays[form.left.name] = np.broadcast_to(self.found[id(form.right)], shape)
        self._last_use = {name: place for place, form in enumerate(self.lowered) for name in _leaves(form.right)}

    def of(self, result: str, name: str, places: Array, steps: Array) -> Array:
        """The change of the number ``result`` where the entry of ``name`` at each of ``places`` moves by its step.

        Places count along the flattened array.
        """
        return self._run(result, name, places, steps, [])

    def widest(self, result: str, name: str) -> int:
        """The number of entries of the largest change on the way, for one entry of ``name``."""
        sizes = [1]
        count = self.arrays[name].size
        places = np.unique(np.linspace(0, count - 1, min(count, _PROBES)).astype(np.intp))
        self._run(result, name, places, np.full(len(places), 2.0**-20), sizes)
        return max(sizes)

    def keeps_digits(self, result: str, name: str) -> bool:
        """Whether every function between ``name`` and ``result`` has a difference that does not cancel."""
        needed = {equation.name for equation in self.program.needed_for([result])}
        moving = {name}
        for form in self.lowered:
            if form.left.name in needed and _leaves(form.right) & moving:
                moving.add(form.left.name)
                if any(_subtracts(node) and _leaves(node) & moving for node in _nodes(form.right)):
                    return False
        return True

    def _run(self, result: str, name: str, places: Array, steps: Array, sizes: list[int]) -> Array:
        """The change of ``result``; the entries of each change on the way, for one case, are added to ``sizes``."""
        rows = len(places)
        block = _Block(self, {name: single_entries(places, steps, self.arrays[name].shape)}, rows)
        with np.errstate(all="ignore"):
            for number, form in enumerate(self.lowered):
                change = block.change(form.right)
                if change is not None:
                    block.changes[form.left.name] = change
                    sizes.append(change.values.size // block.rows)
                block.forget(number, self._last_use, result)
        return block.result(result, rows)


class _Block:
    """B cases on their way through the program. Cases that change nothing any more are left out."""

    def __init__(self, point: Changes, changes: dict[str, Change], rows: int) -> None:
        self.point = point
        self.changes = changes
        self.rows = rows
        self.alive: Array | None = None

    def change(self, node: Node) -> Change | None:
        """How much ``node`` changes; None where it does not."""
        rule = _RULES.get(type(node))
        if rule is None:
            raise NoRuleError(f"{type(node).__name__} has no change")
        found: Change | None = rule(self, node)
        return found

    def result(self, name: str, rows: int) -> Array:
        """The change of the number ``name`` in all cases."""
        found = np.zeros(rows)
        change = self.changes.get(name)
        if change is not None:
            found[slice(None) if self.alive is None else self.alive] = change.values
        return found

    def forget(self, number: int, last_use: Mapping[str, int], result: str) -> None:
        """Drop the changes that no later equation asks for, and the cases in which nothing changes any more."""
        for name in [n for n in self.changes if last_use.get(n, -1) <= number and n != result]:
            del self.changes[name]
        # A change of everything is hardly ever 0, and looking costs as much as computing it.
        if not self.changes or any(all(place is None for place in c.at) for c in self.changes.values()):
            return
        alive = reduce(np.logical_or, (c.values.reshape(self.rows, -1).any(axis=1) for c in self.changes.values()))
        count = int(np.count_nonzero(alive))
        if count > self.rows * 3 // 4:
            return
        if count == 0:
            self.changes = {}
            return
        (places,) = np.nonzero(alive)
        self.alive = places if self.alive is None else self.alive[places]
        self.rows = count
        chosen: dict[int, Array] = {}

        def picked(place: Place | None) -> Place | None:
            # One array of positions that several changes share stays one: they are compared by identity.
            if place is None or isinstance(place, int):
                return place
            return chosen.setdefault(id(place), place[places])

        self.changes = {n: Change(c.values[places], tuple(map(picked, c.at))) for n, c in self.changes.items()}

    # -- the point ---------------------------------------------------------------------------------------------------

    def base(self, node: Node) -> Array:
        return self.point.found[id(node)]

    def shape(self, node: Node) -> tuple[int, ...]:
        return self.base(node).shape

    def kept(self, node: Node, what: str, make: Callable[[], Any]) -> Any:
        """What depends on the point alone, made once."""
        key = (id(node), what)
        if key not in self.point.kept:
            self.point.kept[key] = make()
        return self.point.kept[key]

    def gone(self, operand: Node, result: Node) -> tuple[int, ...]:
        return tuple(place for place, axis in enumerate(operand.axes) if axis not in result.axes)

    # -- rules -------------------------------------------------------------------------------------------------------

    def nothing(self, node: Node) -> None:
        return None

    def leaf(self, node: Leaf) -> Change | None:
        return self.changes.get(node.name)

    def gather(self, node: Gather) -> Change | None:
        change, moved = self.changes.get(node.name), [self.change(place) for place in node.positions]
        if change is None and not any(moved):
            return None
        array, shape = self.point.arrays[node.name], self.shape(node)
        old = [self.clipped(self.base(p)[None], extent) for p, extent in zip(node.positions, array.shape, strict=True)]
        if not any(moved):
            assert change is not None
            return self.dense_or_none(picked(change, old, self.rows, shape))
        new = [
            old_place if m is None else self.clipped(self.base(p) + dense(m, shape).values, extent)
            for old_place, p, m, extent in zip(old, node.positions, moved, array.shape, strict=True)
        ]
        values = np.broadcast_to(array[tuple(new)] - array[tuple(old)], (self.rows, *shape))
        if change is not None:
            values = values + picked(change, new, self.rows, shape)
        return self.dense_or_none(values)

    def clipped(self, place: Array, extent: int) -> Array:
        return np.clip(place.astype(np.intp), 0, extent - 1)

    def dense_or_none(self, values: Array) -> Change | None:
        return Change(values, (None,) * (values.ndim - 1)) if values.any() else None

    def permute(self, node: Permute) -> Change | None:
        change = self.change(node.operand)
        return None if change is None else labelled(change, node.operand.axes).arranged(node.axes)

    def expand(self, node: Expand) -> Change | None:
        change = self.change(node.operand)
        return None if change is None else expanded(change, node.operand.axes, node.axes, self.shape(node))

    def add(self, node: Add) -> Change | None:
        shape = self.shape(node)
        found = []
        for sign, operand in node.operands:
            change = self.change(operand)
            if change is not None:
                change = expanded(change, operand.axes, node.axes, shape)
                found.append(change if sign > 0 else Change(-change.values, change.at))
        return total_change(found, shape)

    def multiply(self, node: Multiply) -> Change | None:
        masks = [operand for operand in node.operands if isinstance(operand, Indicator)]
        rest = [operand for operand in node.operands if not isinstance(operand, Indicator)]
        if not masks:
            return self.product(node, rest)
        shape = self.shape(node)
        change = self.product(node, rest)
        switched = self.product(node, masks)
        if change is None and switched is None:
            return None
        mask = self.kept(node, "mask", lambda: self.whole(node, masks))
        if switched is None:
            assert change is not None
            open_ = taken(mask, change.at)
            return Change(np.where(open_, change.values, np.zeros_like(change.values)), change.at)
        value = self.kept(node, "value", lambda: self.whole(node, rest))
        (moved, on), at = alike([change, switched], self.rows, shape)
        was = taken(mask, at)
        before, after = taken(value, at), taken(value, at) + moved
        here = was + on != 0
        return Change(np.where(here & (was != 0), moved, np.where(here, after, np.where(was != 0, -before, 0.0))), at)

    def whole(self, node: Node, factors: Sequence[Node]) -> Array:
        """The product of ``factors`` at the point, with the axes of ``node``."""
        ones = np.ones(self.shape(node))
        return reduce(np.multiply, (spread(self.base(f), f.axes, node.axes) for f in factors), ones)

    def power(self, node: Power) -> Change | None:
        change, exponent = self.change(node.base), self.change(node.exponent)
        if change is None and exponent is None:
            return None
        shape = self.shape(node)
        number = _number(node.exponent) if exponent is None else None
        if change is not None:
            change = expanded(change, node.base.axes, node.axes, shape)
        if number is not None and change is not None:
            base = taken(np.broadcast_to(self.base(node.base), shape), change.at)
            return Change(_power_change(base, change.values, number), change.at)
        if exponent is not None:
            exponent = expanded(exponent, node.exponent.axes, node.axes, shape)
        (t, s), at = alike([change, exponent], self.rows, shape)
        base, power = (taken(np.broadcast_to(self.base(n), shape), at) for n in (node.base, node.exponent))
        return Change(np.power(base + t, power + s) - taken(self.base(node), at), at)

    def apply(self, node: Apply) -> Change | None:
        change = self.change(node.operand)
        if change is None:
            return None
        argument, value = self.base(node.operand), self.base(node)
        difference = _difference(node)
        if difference is None:
            moved = np.asarray(taken(argument, change.at) + change.values, dtype=float)
            return Change(_function(node.function)(moved) - taken(value, change.at), change.at)
        known = self.kept(node, "coefficients", lambda: difference.coefficients(np.asarray(argument, float), value))
        coefficients = [taken(coefficient, change.at) for coefficient in known]
        return Change(_in_slices(difference.change, change.values, coefficients), change.at)

    def einsum(self, node: Einsum) -> Change | None:
        return self.product(node, node.operands)

    def matmul(self, node: MatMul | Outer) -> Change | None:
        return self.product(node, (node.left, node.right))

    def product(self, node: Node, operands: Sequence[Node]) -> Change | None:
        """The change of a sum of products: a term for each choice of changed operands."""
        changes = [self.change(operand) for operand in operands]
        moving = [place for place, change in enumerate(changes) if change is not None]
        found = []
        for count in range(1, len(moving) + 1):
            for chosen in itertools.combinations(moving, count):
                factors: list[Fixed | Moving] = []
                for place, (operand, change) in enumerate(zip(operands, changes, strict=True)):
                    if change is not None and place in chosen:
                        factors.append(labelled(change, operand.axes))
                    else:
                        factors.append(Fixed(self.base(operand), operand.axes))
                found.append(contracted(factors, node.axes, self.shape(node), self.rows))
        return total_change(found, self.shape(node))

    def sum_over(self, node: SumOver) -> Change | None:
        change = self.change(node.operand)
        if change is None:
            return None
        gone = self.gone(node.operand, node)
        summed = tuple(1 + place for place, axis in enumerate(open_axes(change.at)) if axis in gone)
        values = np.sum(change.values, axis=summed) if summed else change.values
        return Change(values, tuple(place for axis, place in enumerate(change.at) if axis not in gone))

    def largest(self, node: MaxOver | ArgMax) -> tuple[Array, At] | None:
        """How far each entry lies below the largest one after the change, and where, before the largest is taken."""
        change = self.change(node.operand)
        if change is None:
            return None
        gone = self.gone(node.operand, node)
        change = densified(change, self.shape(node.operand), gone)
        below = self.kept(node, "below", lambda: self.below(node, gone))
        return taken(below, change.at) + change.values, change.at

    def below(self, node: MaxOver | ArgMax, gone: tuple[int, ...]) -> Array:
        value = self.base(node.operand)
        return np.asarray(value - np.max(value, axis=gone, keepdims=True))

    def max_over(self, node: MaxOver) -> Change | None:
        found = self.largest(node)
        if found is None:
            return None
        values, at = found
        gone = self.gone(node.operand, node)
        axes = tuple(1 + place for place, axis in enumerate(open_axes(at)) if axis in gone)
        return Change(np.max(values, axis=axes), tuple(p for axis, p in enumerate(at) if axis not in gone))

    def argmax(self, node: ArgMax) -> Change | None:
        found = self.largest(node)
        if found is None:
            return None
        values, at = found
        (gone,) = self.gone(node.operand, node)
        left = tuple(place for axis, place in enumerate(at) if axis != gone)
        moved = np.argmax(values, axis=1 + open_axes(at).index(gone)) - taken(self.base(node), left)
        return Change(moved, left) if moved.any() else None

    def weights(self, node: Node, operand: Node, axis: int) -> Array:
        """The softmax of ``operand`` along ``axis``."""

        def make() -> Array:
            value = self.base(operand)
            raised = np.exp(value - np.max(value, axis=axis, keepdims=True))
            return np.asarray(raised / np.sum(raised, axis=axis, keepdims=True))

        return np.asarray(self.kept(node, "softmax", make))

    def softmax(self, node: Softmax) -> Change | None:
        change = self.change(node.operand)
        if change is None:
            return None
        axis = node.operand.axes.index(node.over)
        change = densified(change, self.shape(node.operand), (axis,))
        p = taken(self.weights(node, node.operand, axis), change.at)
        growth = np.expm1(change.values)
        mean = np.sum(p * growth, axis=1 + open_axes(change.at).index(axis), keepdims=True)
        return Change(p * (growth - mean) / (1 + mean), change.at)

    def logsumexp(self, node: LogSumExp) -> Change | None:
        change = self.change(node.operand)
        if change is None:
            return None
        (axis,) = self.gone(node.operand, node)
        p = self.weights(node, node.operand, axis)
        growth = taken(p, change.at) * np.expm1(change.values)
        if change.at[axis] is None:
            growth = np.sum(growth, axis=1 + open_axes(change.at).index(axis))
        return Change(np.log1p(growth), tuple(place for a, place in enumerate(change.at) if a != axis))

    def compare(self, node: Compare) -> Change | None:
        left, right = (self.moved(side, node) for side in (node.left, node.right))
        if left is None and right is None:
            return None
        shape = self.shape(node)
        (by_left, by_right), at = alike([left, right], self.rows, shape)
        gap = taken(np.broadcast_to(self.base(node.left), shape), at) - taken(
            np.broadcast_to(self.base(node.right), shape), at
        )
        return self.switched(COMPARISONS[node.relation](gap + (by_left - by_right), 0), self.base(node), at)

    def moved(self, operand: Node, node: Node) -> Change | None:
        """The change of an operand of ``node``, with the axes of ``node``."""
        change = self.change(operand)
        return None if change is None else expanded(change, operand.axes, node.axes, self.shape(node))

    def switched(self, now: Array, before: Array, at: At) -> Change | None:
        """The change of a condition, 1, 0 or -1; None where it holds just where it held."""
        values = now.astype(np.int8) - taken(before, at).astype(np.int8)
        return Change(values, at) if values.any() else None

    def logic(self, node: Logic) -> Change | None:
        shape = self.shape(node)
        changes = [self.moved(operand, node) for operand in node.operands]
        if not any(changes):
            return None
        moves, at = alike(changes, self.rows, shape)
        now = [
            taken(np.broadcast_to(self.base(operand), shape), at) + move != 0
            for operand, move in zip(node.operands, moves, strict=True)
        ]
        if node.operation == "not":
            return self.switched(~now[0], self.base(node), at)
        joined = reduce(np.logical_and if node.operation == "and" else np.logical_or, now)
        return self.switched(joined, self.base(node) != 0, at)

    def indicator(self, node: Indicator) -> Change | None:
        return self.change(node.condition)

    def cases(self, node: Cases) -> Change | None:
        shape = self.shape(node)
        changes = [self.moved(part, node) for case in node.cases for part in case]
        if not any(changes):
            return None
        moves, at = alike(changes, self.rows, shape)
        values = [taken(np.broadcast_to(self.base(value), shape), at) for value, _ in node.cases]
        tests = [taken(np.broadcast_to(self.base(test), shape), at) != 0 for _, test in node.cases[:-1]]
        by_value, by_test = moves[::2], moves[1::2]
        if not any(changes[1::2]):
            return Change(_chosen(tests, by_value), at)
        now = [test + move.astype(np.int8) != 0 for test, move in zip(tests, by_test[:-1], strict=True)]
        before, after = _chosen(tests, values), _chosen(now, [v + d for v, d in zip(values, by_value, strict=True)])
        numbers = [np.full((1,) * (moves[0].ndim), number) for number in range(len(values))]
        stays = _chosen(tests, numbers) == _chosen(now, numbers)
        return Change(np.where(stays, _chosen(tests, by_value), after - before), at)


_RULES: dict[type[Node], Callable[[_Block, Any], Change | None]] = {
    Scalar: _Block.nothing,
    Leaf: _Block.leaf,
    Position: _Block.nothing,
    Gather: _Block.gather,
    Permute: _Block.permute,
    Expand: _Block.expand,
    Add: _Block.add,
    Multiply: _Block.multiply,
    Power: _Block.power,
    Apply: _Block.apply,
    MatMul: _Block.matmul,
    Outer: _Block.matmul,
    SumOver: _Block.sum_over,
    MaxOver: _Block.max_over,
    ArgMax: _Block.argmax,
    Softmax: _Block.softmax,
    LogSumExp: _Block.logsumexp,
    Einsum: _Block.einsum,
    Compare: _Block.compare,
    Logic: _Block.logic,
    Indicator: _Block.indicator,
    Cases: _Block.cases,
}

# -- single numbers ----------------------------------------------------------------------------------------------------


def _in_slices(function: Callable[..., Array], values: Array, coefficients: Sequence[Array]) -> Array:
    """``function`` of ``values`` a few rows at a time: what it computes on the way stays in the cache."""
    rows = max(1, _SLICE * len(values) // max(1, values.size))
    if rows >= len(values):
        return np.asarray(function(values, *coefficients))
    found = np.empty(values.shape)
    for start in range(0, len(values), rows):
        here = slice(start, start + rows)
        found[here] = function(values[here], *(c if len(c) == 1 else c[here] for c in coefficients))
    return found


def _function(function: type[sympy.Function]) -> Callable[[Array], Array]:
    if issubclass(function, ElementwiseFunction):
        found: Callable[[Array], Array] = function.record.numpy
        return found
    return elementary(function).numpy


def _difference(node: Apply) -> Difference | None:
    function: Any = node.function
    return difference_of(function)


def _number(node: Node) -> sympy.Rational | None:
    """The exponent as a rational number; None for anything else."""
    return node.value if isinstance(node, Scalar) and node.value.is_Rational else None


def _splits(exponent: sympy.Rational) -> bool:
    """Whether a power has a change that does not cancel: a whole exponent, or one and a half, that is small."""
    return exponent.q in (1, 2) and abs(exponent.p) <= _LARGEST_POWER


def _power_change(u: Array, t: Array, exponent: sympy.Rational) -> Array:
    """(u + t)^p - u^p."""
    if not _splits(exponent):
        p = float(exponent)
        return np.asarray(np.power(u + t, p) - np.power(u, p))
    if exponent.q == 2:
        # sqrt(u + t) - sqrt(u) = t / (sqrt(u + t) + sqrt(u)), and then a whole power of the root.
        root = np.sqrt(u)
        t = t / (np.sqrt(u + t) + root)
        u = root
    power = abs(int(exponent.p))
    v = u + t
    change = t * reduce(lambda total, k: total * v + u**k, range(1, power), np.ones_like(u))
    return np.asarray(change if exponent.p > 0 else -change / (v**power * u**power))


def _chosen(tests: Sequence[Array], values: Sequence[Array]) -> Array:
    """The value of the first test that holds, or the last value."""
    result = values[-1]
    for test, value in zip(reversed(tests), reversed(values[:-1]), strict=True):
        result = np.where(test, value, result)
    return result


# -- walking -----------------------------------------------------------------------------------------------------------


def _nodes(node: Node) -> Iterator[Node]:
    """Every node, outermost first."""
    yield node
    for part in _parts(tuple(getattr(node, field.name) for field in fields(node))):
        yield from _nodes(part)


def _parts(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _parts(part)


def _leaves(node: Node) -> frozenset[str]:
    """The names of the variables that ``node`` depends on."""
    return frozenset(part.name for part in _nodes(node) if isinstance(part, Leaf | Gather))


def _subtracts(node: Node) -> bool:
    """Whether the change of ``node`` itself is one value less the other."""
    if isinstance(node, Apply):
        return _difference(node) is None
    if isinstance(node, Power):
        number = _number(node.exponent)
        return number is None or not _splits(number)
    return False
