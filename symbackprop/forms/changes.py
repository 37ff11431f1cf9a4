"""How every array of a program changes where single entries of one variable do, for many such entries at once.

Only what changes travels on: a step in W1[j,i] moves z1 at one j, by h x_i; the next product makes that a change of
everything behind it, of rank 1; from then on it is matrix products over the block. Nothing is linearised: the change is
that of a finite step. A product carries du v + u dv + du dv, a function the difference that its record knows, so that
small changes keep their digits; only where there is no such form are two values subtracted.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
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
    Axes,
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
from symbackprop.forms.evaluate import COMPARISONS, node_values
from symbackprop.forms.lower import Lowered
from symbackprop.functions.differences import Difference, difference_of
from symbackprop.functions.elementary import elementary
from symbackprop.notation.expressions import ElementwiseFunction, Limit
from symbackprop.notation.program import Program
from symbackprop.notation.sizes import concrete_shape

__all__ = ["Change", "Changes"]

Array = npt.NDArray[Any]
Sizes = Mapping[sympy.Symbol, int]
Place = int | Array
At = tuple[Place | None, ...]

_LARGEST_POWER = 16
"""Up to which exponent a power is taken apart into a sum of products."""
_ONE_THREAD = 1 << 18
"""Up to how many multiplications OpenBLAS computes a product of matrices on one thread."""
_FEWEST_ROWS = 8
_SLICE = 1 << 13
"""How many numbers a function is applied to at once."""
_PROBES = 16
"""For how many entries the size of a change is looked at."""


@dataclass(frozen=True)
class Change:
    """The change of one array in each of B cases.

    ``at`` has an entry for each axis of the array: None, or the one position along it where anything changes, a number
    for all cases or an array of B. ``values`` has B rows, and behind them the axes for which ``at`` is None.
    """

    values: Array
    at: At

    @property
    def rows(self) -> int:
        """How many cases, B."""
        return len(self.values)


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
        block = _Block(self, {name: _single(places, steps, self.arrays[name].shape)}, rows)
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
            return self.dense_or_none(_picked(change, old, self.rows, shape))
        new = [
            old_place if m is None else self.clipped(self.base(p) + _dense(m, shape).values, extent)
            for old_place, p, m, extent in zip(old, node.positions, moved, array.shape, strict=True)
        ]
        values = np.broadcast_to(array[tuple(new)] - array[tuple(old)], (self.rows, *shape))
        if change is not None:
            values = values + _picked(change, new, self.rows, shape)
        return self.dense_or_none(values)

    def clipped(self, place: Array, extent: int) -> Array:
        return np.clip(place.astype(np.intp), 0, extent - 1)

    def dense_or_none(self, values: Array) -> Change | None:
        return Change(values, (None,) * (values.ndim - 1)) if values.any() else None

    def permute(self, node: Permute) -> Change | None:
        change = self.change(node.operand)
        return None if change is None else _labelled(change, node.operand.axes).arranged(node.axes)

    def expand(self, node: Expand) -> Change | None:
        change = self.change(node.operand)
        return None if change is None else _expanded(change, node.operand.axes, node.axes, self.shape(node))

    def add(self, node: Add) -> Change | None:
        shape = self.shape(node)
        found = []
        for sign, operand in node.operands:
            change = self.change(operand)
            if change is not None:
                change = _expanded(change, operand.axes, node.axes, shape)
                found.append(change if sign > 0 else Change(-change.values, change.at))
        return _total(found, shape)

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
            open_ = _taken(mask, change.at)
            return Change(np.where(open_, change.values, np.zeros_like(change.values)), change.at)
        value = self.kept(node, "value", lambda: self.whole(node, rest))
        (moved, on), at = _alike([change, switched], self.rows, shape)
        was = _taken(mask, at)
        before, after = _taken(value, at), _taken(value, at) + moved
        here = was + on != 0
        return Change(np.where(here & (was != 0), moved, np.where(here, after, np.where(was != 0, -before, 0.0))), at)

    def whole(self, node: Node, factors: Sequence[Node]) -> Array:
        """The product of ``factors`` at the point, with the axes of ``node``."""
        ones = np.ones(self.shape(node))
        return reduce(np.multiply, (_spread(self.base(f), f.axes, node.axes) for f in factors), ones)

    def power(self, node: Power) -> Change | None:
        change, exponent = self.change(node.base), self.change(node.exponent)
        if change is None and exponent is None:
            return None
        shape = self.shape(node)
        number = _number(node.exponent) if exponent is None else None
        if change is not None:
            change = _expanded(change, node.base.axes, node.axes, shape)
        if number is not None and change is not None:
            base = _taken(np.broadcast_to(self.base(node.base), shape), change.at)
            return Change(_power_change(base, change.values, number), change.at)
        if exponent is not None:
            exponent = _expanded(exponent, node.exponent.axes, node.axes, shape)
        (t, s), at = _alike([change, exponent], self.rows, shape)
        base, power = (_taken(np.broadcast_to(self.base(n), shape), at) for n in (node.base, node.exponent))
        return Change(np.power(base + t, power + s) - _taken(self.base(node), at), at)

    def apply(self, node: Apply) -> Change | None:
        change = self.change(node.operand)
        if change is None:
            return None
        argument, value = self.base(node.operand), self.base(node)
        difference = _difference(node)
        if difference is None:
            moved = np.asarray(_taken(argument, change.at) + change.values, dtype=float)
            return Change(_function(node.function)(moved) - _taken(value, change.at), change.at)
        known = self.kept(node, "coefficients", lambda: difference.coefficients(np.asarray(argument, float), value))
        coefficients = [_taken(coefficient, change.at) for coefficient in known]
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
                factors: list[_Fixed | _Moving] = []
                for place, (operand, change) in enumerate(zip(operands, changes, strict=True)):
                    if change is not None and place in chosen:
                        factors.append(_labelled(change, operand.axes))
                    else:
                        factors.append(_Fixed(self.base(operand), operand.axes))
                found.append(_contracted(factors, node.axes, self.shape(node), self.rows))
        return _total(found, self.shape(node))

    def sum_over(self, node: SumOver) -> Change | None:
        change = self.change(node.operand)
        if change is None:
            return None
        gone = self.gone(node.operand, node)
        summed = tuple(1 + place for place, axis in enumerate(_open(change.at)) if axis in gone)
        values = np.sum(change.values, axis=summed) if summed else change.values
        return Change(values, tuple(place for axis, place in enumerate(change.at) if axis not in gone))

    def largest(self, node: MaxOver | ArgMax) -> tuple[Array, At] | None:
        """How far each entry lies below the largest one after the change, and where, before the largest is taken."""
        change = self.change(node.operand)
        if change is None:
            return None
        gone = self.gone(node.operand, node)
        change = _densified(change, self.shape(node.operand), gone)
        below = self.kept(node, "below", lambda: self.below(node, gone))
        return _taken(below, change.at) + change.values, change.at

    def below(self, node: MaxOver | ArgMax, gone: tuple[int, ...]) -> Array:
        value = self.base(node.operand)
        return np.asarray(value - np.max(value, axis=gone, keepdims=True))

    def max_over(self, node: MaxOver) -> Change | None:
        found = self.largest(node)
        if found is None:
            return None
        values, at = found
        gone = self.gone(node.operand, node)
        axes = tuple(1 + place for place, axis in enumerate(_open(at)) if axis in gone)
        return Change(np.max(values, axis=axes), tuple(p for axis, p in enumerate(at) if axis not in gone))

    def argmax(self, node: ArgMax) -> Change | None:
        found = self.largest(node)
        if found is None:
            return None
        values, at = found
        (gone,) = self.gone(node.operand, node)
        left = tuple(place for axis, place in enumerate(at) if axis != gone)
        moved = np.argmax(values, axis=1 + _open(at).index(gone)) - _taken(self.base(node), left)
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
        change = _densified(change, self.shape(node.operand), (axis,))
        p = _taken(self.weights(node, node.operand, axis), change.at)
        growth = np.expm1(change.values)
        mean = np.sum(p * growth, axis=1 + _open(change.at).index(axis), keepdims=True)
        return Change(p * (growth - mean) / (1 + mean), change.at)

    def logsumexp(self, node: LogSumExp) -> Change | None:
        change = self.change(node.operand)
        if change is None:
            return None
        (axis,) = self.gone(node.operand, node)
        p = self.weights(node, node.operand, axis)
        growth = _taken(p, change.at) * np.expm1(change.values)
        if change.at[axis] is None:
            growth = np.sum(growth, axis=1 + _open(change.at).index(axis))
        return Change(np.log1p(growth), tuple(place for a, place in enumerate(change.at) if a != axis))

    def compare(self, node: Compare) -> Change | None:
        left, right = (self.moved(side, node) for side in (node.left, node.right))
        if left is None and right is None:
            return None
        shape = self.shape(node)
        (by_left, by_right), at = _alike([left, right], self.rows, shape)
        gap = _taken(np.broadcast_to(self.base(node.left), shape), at) - _taken(
            np.broadcast_to(self.base(node.right), shape), at
        )
        return self.switched(COMPARISONS[node.relation](gap + (by_left - by_right), 0), self.base(node), at)

    def moved(self, operand: Node, node: Node) -> Change | None:
        """The change of an operand of ``node``, with the axes of ``node``."""
        change = self.change(operand)
        return None if change is None else _expanded(change, operand.axes, node.axes, self.shape(node))

    def switched(self, now: Array, before: Array, at: At) -> Change | None:
        """The change of a condition, 1, 0 or -1; None where it holds just where it held."""
        values = now.astype(np.int8) - _taken(before, at).astype(np.int8)
        return Change(values, at) if values.any() else None

    def logic(self, node: Logic) -> Change | None:
        shape = self.shape(node)
        changes = [self.moved(operand, node) for operand in node.operands]
        if not any(changes):
            return None
        moves, at = _alike(changes, self.rows, shape)
        now = [
            _taken(np.broadcast_to(self.base(operand), shape), at) + move != 0
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
        moves, at = _alike(changes, self.rows, shape)
        values = [_taken(np.broadcast_to(self.base(value), shape), at) for value, _ in node.cases]
        tests = [_taken(np.broadcast_to(self.base(test), shape), at) != 0 for _, test in node.cases[:-1]]
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

# -- what a change is made of ------------------------------------------------------------------------------------------


def _single(places: Array, steps: Array, shape: tuple[int, ...]) -> Change:
    """One entry of an array of this ``shape`` a case, moved by its step."""
    at: list[Place] = []
    for positions in np.unravel_index(places, shape) if shape else ():
        first = int(positions[0])
        at.append(first if (positions == first).all() else positions)
    return Change(np.asarray(steps), tuple(at))


def _open(at: At) -> tuple[int, ...]:
    """The axes along which there are values."""
    return tuple(axis for axis, place in enumerate(at) if place is None)


def _taken(array: Array, at: At) -> Array:
    """``array`` where a change is: a row for each case, or a single one for all, and behind it the open axes."""
    closed = [axis for axis, place in enumerate(at) if place is not None]
    if not closed:
        return array[None]
    found: Array = array.transpose([*closed, *_open(at)])[tuple(place for place in at if place is not None)]
    return found[None] if all(isinstance(at[axis], int) for axis in closed) else found


def _same(one: Place | None, other: Place | None) -> bool:
    return one is other or (isinstance(one, int) and isinstance(other, int) and one == other)


def _densified(change: Change, shape: tuple[int, ...], axes: Sequence[int]) -> Change:
    """``change`` with values along ``axes`` too, zeros but for one position."""
    closed = [axis for axis in axes if change.at[axis] is not None]
    if not closed:
        return change
    at = tuple(None if axis in closed else place for axis, place in enumerate(change.at))
    values = np.zeros((change.rows, *(shape[axis] for axis in _open(at))), dtype=change.values.dtype)
    index = tuple(slice(None) if change.at[axis] is None else change.at[axis] for axis in _open(at))
    values[(np.arange(change.rows), *index)] = change.values
    return Change(values, at)


def _dense(change: Change, shape: tuple[int, ...]) -> Change:
    return _densified(change, shape, range(len(shape)))


def _alike(changes: Sequence[Change | None], rows: int, shape: tuple[int, ...]) -> tuple[list[Array], At]:
    """The values of ``changes`` of one shape, all at the same positions; those of None are a zero."""
    given = [change for change in changes if change is not None]
    shared = tuple(
        place if all(_same(place, other.at[axis]) for other in given) else None
        for axis, place in enumerate(given[0].at)
    )
    zero = np.zeros((1,) * (1 + len(_open(shared))), dtype=np.int8)
    values = [zero if c is None else _densified(c, shape, _open(shared)).values for c in changes]
    return values, shared


def _total(changes: Sequence[Change], shape: tuple[int, ...]) -> Change | None:
    if len(changes) <= 1:
        return changes[0] if changes else None
    values, at = _alike(changes, changes[0].rows, shape)
    return Change(reduce(np.add, values), at)


def _expanded(change: Change, own: Axes, axes: Axes, shape: tuple[int, ...]) -> Change:
    """A change along the axes ``own`` as one along all of ``axes``, repeated along those that are new."""
    if own == axes:
        return change
    at = tuple(change.at[own.index(axis)] if axis in own else None for axis in axes)
    order = [own.index(axis) for axis in axes if axis in own and change.at[own.index(axis)] is None]
    ordered = change.values.transpose([0, *(1 + _open(change.at).index(axis) for axis in order)])
    slots = tuple(slice(None) if axes[axis] in own else None for axis in _open(at))
    extents = (shape[axis] for axis in _open(at))
    return Change(np.broadcast_to(ordered[(slice(None), *slots)], (change.rows, *extents)), at)


def _spread(array: Array, own: Axes, axes: Axes) -> Array:
    """``array`` with its axes in the order of ``axes``, and axes of extent 1 for those that it does not have."""
    ordered = array.transpose([own.index(axis) for axis in axes if axis in own])
    return ordered[tuple(slice(None) if axis in own else None for axis in axes)]


def _picked(change: Change, places: Sequence[Array], rows: int, shape: tuple[int, ...]) -> Array:
    """The change of the entries at ``places``, an array of positions for each axis of what changes."""
    case = np.arange(rows).reshape(-1, *(1,) * len(shape))
    values = change.values[(case, *(places[axis] for axis in _open(change.at)))]
    for place, at in zip(places, change.at, strict=True):
        if at is not None:
            here = at if isinstance(at, int) else at.reshape(case.shape)
            values = values * (place == here)
    return np.broadcast_to(values, (rows, *shape))


# -- sums of products --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Fixed:
    """A factor that does not change."""

    value: Array
    axes: Axes


@dataclass(frozen=True)
class _Moving:
    """A factor that is a change: its values, a row a case, and the axes that these have behind the rows."""

    values: Array
    axes: Axes
    at: Mapping[Limit, Place]

    def arranged(self, axes: Axes) -> Change:
        """The change with all its axes in this order."""
        order = [1 + self.axes.index(axis) for axis in axes if axis in self.axes]
        return Change(self.values.transpose([0, *order]), tuple(self.at.get(axis) for axis in axes))


def _labelled(change: Change, axes: Axes) -> _Moving:
    at = {axis: place for axis, place in zip(axes, change.at, strict=True) if place is not None}
    return _Moving(change.values, tuple(axes[number] for number in _open(change.at)), at)


def _contracted(factors: Sequence[_Fixed | _Moving], axes: Axes, shape: tuple[int, ...], rows: int) -> Change:
    """The product of ``factors``, of which one moves at least, summed over what ``axes`` does not have.

    Where one factor changes at a single position, nothing but the entries there of the others matters.
    """
    at: dict[Limit, Place] = {}
    for factor in factors:
        if isinstance(factor, _Moving):
            at = {**factor.at, **at}
    parts = [_at_positions(factor, at, rows) for factor in factors]
    kept = tuple(axis for axis in axes if axis not in at)
    where = tuple(at.get(axis) for axis in axes)
    extents = tuple(extent for extent, place in zip(shape, where, strict=True) if place is None)
    values = _multiplied(parts, kept)
    return Change(np.broadcast_to(values, (rows, *extents)), where)


def _at_positions(factor: _Fixed | _Moving, at: Mapping[Limit, Place], rows: int) -> tuple[Array, Axes]:
    """The entries of ``factor`` at these positions, with rows in front (one for all cases, or one each)."""
    if isinstance(factor, _Fixed):
        where = tuple(at.get(axis) for axis in factor.axes)
        return _taken(factor.value, where), tuple(axis for axis in factor.axes if axis not in at)
    values, axes = factor.values, factor.axes
    for axis, place in at.items():
        if axis in axes:
            number = axes.index(axis)
            values = np.moveaxis(values, 1 + number, 1)[np.arange(rows), place]
            axes = axes[:number] + axes[number + 1 :]
        elif axis in factor.at and not _same(factor.at[axis], place):
            # Both change at one position each: the product does where these are the same.
            values = values * (np.asarray(factor.at[axis]) == place).reshape(-1, *(1,) * (values.ndim - 1))
    return values, axes


def _multiplied(parts: Sequence[tuple[Array, Axes]], kept: Axes) -> Array:
    summed = {axis for _, axes in parts for axis in axes if axis not in kept}
    if not summed:
        spread = (_rows_spread(values, axes, kept) for values, axes in parts)
        return reduce(np.multiply, sorted(spread, key=lambda values: values.size))
    if len(parts) == 2:
        (one, one_axes), (other, other_axes) = sorted(parts, key=lambda part: -len(part[0]))
        shared = [axis for axis in one_axes if axis in other_axes]
        if len(other) == 1 and set(shared) == summed:
            left = [axis for axis in one_axes if axis not in summed]
            right = [axis for axis in other_axes if axis not in summed]
            moving = one.transpose([0, *(1 + one_axes.index(axis) for axis in (*left, *shared))])
            fixed = other[0].transpose([other_axes.index(axis) for axis in (*shared, *right)])
            shape = moving.shape[: 1 + len(left)] + fixed.shape[len(shared) :]
            inner = math.prod(fixed.shape[: len(shared)])
            found = _matrix_product(moving.reshape(-1, inner), fixed.reshape(inner, -1)).reshape(shape)
            return found.transpose([0, *(1 + (*left, *right).index(axis) for axis in kept)])
    numbers = {axis: number + 1 for number, axis in enumerate(dict.fromkeys(a for _, axes in parts for a in axes))}
    operands: list[Any] = []
    for values, axes in parts:
        single = len(values) == 1
        operands += [values[0] if single else values, [*(() if single else (0,)), *(numbers[axis] for axis in axes)]]
    rows = any(len(values) > 1 for values, _ in parts)
    found = np.einsum(*operands, [*((0,) if rows else ()), *(numbers[axis] for axis in kept)], optimize=len(parts) > 2)
    return np.asarray(found if rows else found[None])


def _matrix_product(one: Array, other: Array) -> Array:
    """A product of matrices, in slices for which BLAS makes no threads: blocks have threads of their own."""
    rows = _ONE_THREAD // max(1, other.size)
    if rows < _FEWEST_ROWS or rows >= len(one):
        return np.asarray(one @ other)
    found = np.empty((len(one), other.shape[1]))
    for start in range(0, len(one), rows):
        np.matmul(one[start : start + rows], other, out=found[start : start + rows])
    return found


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


def _rows_spread(values: Array, axes: Axes, kept: Axes) -> Array:
    ordered = values.transpose([0, *(1 + axes.index(axis) for axis in kept if axis in axes)])
    return ordered[(slice(None), *(slice(None) if axis in axes else None for axis in kept))]


# -- single numbers ----------------------------------------------------------------------------------------------------


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
