"""A derived backward pass at one point, of which single equations can be exchanged and the rest computed again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.adjoint.records import Adjoint, Differentiation
from symbackprop.diagnosis.edits import FACTOR
from symbackprop.errors import SymbackpropError
from symbackprop.forms.evaluate import evaluate, evaluate_program
from symbackprop.forms.lower import Lowered, lower
from symbackprop.notation.program import Equation, Program, Role, Variable
from symbackprop.notation.sizes import bind_sizes, concrete_shape

__all__ = ["Scene", "scene_of"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Scene:
    """Forward and backward equations with the numbers of every variable.

    ``values`` has each variable's array, ``numbers`` each symbolic size's. ``neighbours`` has for each variable that
    holds one row for each example the same rows in another order, with words for the order.
    """

    differentiation: Differentiation
    values: Arrays
    numbers: Mapping[sympy.Symbol, int]
    neighbours: Mapping[str, tuple[tuple[str, Variable], ...]]
    _prepared: dict[Equation, _Ready] = field(default_factory=dict, repr=False)

    @cached_property
    def program(self) -> Program:
        """Forward and adjoint equations, with numbers in place of sizes."""
        program = self.differentiation.adjoint_program
        moved = (variable for others in self.neighbours.values() for _, variable in others)
        inputs = (*(self._concrete_variable(variable) for variable in (*program.inputs, *moved)), FACTOR)
        return replace(
            program,
            inputs=inputs,
            equations=tuple(self.concrete(equation) for equation in program.equations),
            batch=None if program.batch is None else self._number(program.batch),
        )

    @cached_property
    def adjoints(self) -> Mapping[str, Adjoint]:
        """Every adjoint by the name of its own variable, in the order they are computed."""
        return {adjoint.name: adjoint for adjoint in self.differentiation.adjoints}

    @cached_property
    def gradients(self) -> Mapping[str, str]:
        """For each adjoint variable that is a gradient asked for, what it is the gradient of."""
        wanted = set(self.differentiation.wrt)
        return {name: adjoint.of.name for name, adjoint in self.adjoints.items() if adjoint.of.name in wanted}

    @cached_property
    def feeds(self) -> Mapping[str, frozenset[str]]:
        """For each adjoint variable the gradients that are computed from it, itself included, by their weights."""
        found: dict[str, frozenset[str]] = {}
        uses = self.differentiation.adjoint_program.uses
        for name in reversed(tuple(self.adjoints)):
            own = frozenset((self.gradients[name],)) if name in self.gradients else frozenset[str]()
            found[name] = own.union(*(found[later] for later in found if name in uses[later]))
        return found

    def is_leaf(self, name: str) -> bool:
        """Whether nothing else is computed from the adjoint called ``name``."""
        uses = self.differentiation.adjoint_program.uses
        return not any(name in uses[other] for other in self.adjoints)

    @property
    def batch(self) -> sympy.Expr | None:
        """The size that counts examples."""
        return self.differentiation.program.batch

    def extent(self, size: sympy.Expr) -> int:
        """A size in numbers."""
        return concrete_shape((size,), self.numbers)[0]

    def gradient(self, weight: str) -> Array:
        """The derived gradient of ``weight``."""
        return self.values[self.differentiation.by_variable[weight].name]

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a variable in numbers."""
        return self.values[name].shape

    # -- exchanging equations ----------------------------------------------------------------------------------------

    def replay(self, exchanged: Mapping[str, Equation], factor: float = 1.0) -> dict[str, Array] | None:
        """The gradients that ``exchanged`` equations change, by their weights; None where one has no array form.

        The others of the backward pass are computed again as they are.
        """
        values: dict[str, Any] = {**self.values, FACTOR.name: np.asarray(factor)}
        changed = set(exchanged)
        try:
            with np.errstate(all="ignore"):
                for name in self._order(exchanged):
                    if name not in exchanged and not self.program.uses[name] & changed:
                        continue
                    ready = self._ready(exchanged.get(name) or self.program.definitions[name])
                    values[name] = np.broadcast_to(evaluate(ready.form, values, self.numbers), ready.shape)
                    changed.add(name)
        # An exchange may ask for what has no meaning, such as an index beyond an axis.
        except (SymbackpropError, CycleError, ValueError, IndexError, KeyError, TypeError):
            return None
        return {weight: values[name] for name, weight in self.gradients.items() if name in changed}

    def concrete(self, equation: Equation) -> Equation:
        """``equation`` with numbers in place of sizes."""
        names: dict[sympy.Basic, sympy.Basic] = {size: sympy.Integer(n) for size, n in self.numbers.items()}
        terms = tuple(term.rename(names) for term in equation.terms)
        return Equation(self._concrete_variable(equation.left), equation.right.xreplace(names), terms)

    def _concrete_variable(self, variable: Variable) -> Variable:
        return replace(variable, shape=tuple(self._number(extent) for extent in variable.shape))

    def _number(self, extent: sympy.Expr) -> sympy.Expr:
        return sympy.Integer(self.extent(extent))

    def _ready(self, equation: Equation) -> _Ready:
        if equation not in self._prepared:
            concrete = self.concrete(equation)
            shape = concrete_shape(concrete.left.shape, self.numbers)
            uses = Program((), (equation,)).uses[equation.name]
            self._prepared[equation] = _Ready(lower(concrete, self.program), shape, uses)
        return self._prepared[equation]

    def _order(self, exchanged: Mapping[str, Equation]) -> Iterable[str]:
        """The adjoints such that each comes after those it needs; an exchanged one may need later ones than before."""
        places = {name: place for place, name in enumerate(self.adjoints)}
        uses = {name: self._ready(equation).uses for name, equation in exchanged.items()}
        if all(places.get(used, -1) < places[name] for name, needed in uses.items() for used in needed):
            return self.adjoints
        graph = {name: (uses.get(name) or self.program.uses[name]) & set(places) for name in places}
        return TopologicalSorter(graph).static_order()


@dataclass(frozen=True)
class _Ready:
    """An equation as it is computed: its array form, its shape in numbers, and what it mentions."""

    form: Lowered
    shape: tuple[int, ...]
    uses: frozenset[str]


def scene_of(differentiation: Differentiation, arrays: Arrays, sizes: Mapping[str, int] | None = None) -> Scene:
    """The scene of a derivation at ``arrays`` of its declared variables."""
    program = differentiation.adjoint_program
    numbers = bind_sizes(program, {name: array.shape for name, array in arrays.items()}, sizes)
    by_name = {symbol.name: number for symbol, number in numbers.items()}
    values = dict(evaluate_program(program, arrays, by_name))
    neighbours = _neighbours(differentiation, values)
    for name, others in neighbours.items():
        for (_, variable), order in zip(others, _ORDERS.values(), strict=True):
            values[variable.name] = order(values[name])
    return Scene(differentiation, values, numbers, neighbours)


_ORDERS: Mapping[str, Callable[[Array], Array]] = {
    "the next example": lambda array: np.roll(array, -1, axis=0),
    "the example before": lambda array: np.roll(array, 1, axis=0),
    "the examples in reverse": lambda array: array[::-1],
}


def _neighbours(differentiation: Differentiation, values: Arrays) -> dict[str, tuple[tuple[str, Variable], ...]]:
    program = differentiation.program
    found = {}
    for name, variable in program.variables.items():
        in_batch = program.batch is not None and variable.shape[:1] == (program.batch,)
        if in_batch and not variable.integer and len(values[name]) > 1 and variable.role is not Role.PARAMETER:
            found[name] = tuple(
                (words, replace(variable, name=f"_{name}_{place}")) for place, words in enumerate(_ORDERS)
            )
    return found
