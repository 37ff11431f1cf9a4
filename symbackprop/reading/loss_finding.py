"""Which scalar is differentiated, and which size counts the examples."""

from __future__ import annotations

from dataclasses import replace

import sympy

from symbackprop.notation.expressions import base_name, occurrence, total
from symbackprop.notation.program import Equation, Role, Variable, occurrences
from symbackprop.reading.draft import Draft
from symbackprop.reading.letters import DATA, LOSSES
from symbackprop.reading.table import Declared, Key, shown_key

__all__ = ["LossFinding"]


class LossFinding(Draft):
    """Finds the loss and the batch."""

    def find_loss(self) -> None:
        """The scalar that the notes differentiate; one of which nothing is known, where they define none."""
        if self.given:
            return
        scalars = {
            key: declared.variable
            for key, declared in self.table.declared.items()
            if declared.variable in self.equations and not declared.shape
        }
        used = {base_name(o) for equation in self.equations.values() for o in occurrences(equation.right)}
        above = self.survey.above

        def rank(key: Key) -> tuple[int, int, int]:
            letter = LOSSES.index(key[0]) if key[0] in LOSSES else len(LOSSES)
            return (scalars[key] in used, -above.get(key[0], 0) if letter < len(LOSSES) else 0, letter)

        named = [key for key in scalars if key[0] in above or key[0] in LOSSES]
        unknown = self.undefined_loss()
        if named and not (unknown is not None and not any(key[0] in above for key in named)):
            self.table.loss = scalars[min(named, key=rank)]
            return
        if unknown is None and scalars and not self.survey.small_d:
            ends = [key for key in scalars if scalars[key] not in used]
            if ends:
                self.table.loss = scalars[ends[-1]]
            return
        self.arbitrary_loss(unknown)

    def undefined_loss(self) -> Key | None:
        """A letter that is differentiated and defined nowhere."""
        for base in sorted(self.survey.above, key=lambda base: -self.survey.above[base]):
            declared = [key for key in (*self.table.declared, *self.table.abbreviations) if key[0] == base]
            if not declared and base.rpartition(":")[2] in LOSSES:
                return (base, "")
        return None

    def arbitrary_loss(self, key: Key | None) -> None:
        """A loss of which only its derivatives by the last variables are used: sum of U v for each of them."""
        used = {base_name(o) for equation in self.equations.values() for o in occurrences(equation.right)}
        ends = [name for name in self.equations if name not in used]
        if not ends:
            return
        key = key or ("L", "")
        entry: sympy.Expr = sympy.S.Zero
        for name in ends:
            variable = self.variables[name]
            upstream = f"upstream_{name}"
            self.variables[upstream] = Variable(upstream, variable.shape, Role.INPUT, variable.indices)
            product = occurrence(upstream, *variable.indices) * occurrence(name, *variable.indices)
            entry += total(product, *zip(variable.indices, variable.shape, strict=True))
        loss = "loss" if "loss" not in self.variables else "loss_"
        self.variables[loss] = Variable(loss, (), Role.DEFINED, (), symbol=shown_key(key))
        self.equations[loss] = Equation(self.variables[loss], entry)
        if key not in self.table.declared:
            self.table.declared[key] = Declared(loss)
        self.table.loss = loss
        self.unknown_loss = True

    def find_batch(self) -> None:
        """The size that counts examples: an axis of the inputs that no weight has."""
        if self.given:
            return
        data = [d for (base, label), d in self.table.declared.items() if base in ("x", "X") and not label]
        weights = {
            self.sizes.find(extent)
            for (base, _), d in self.table.declared.items()
            if d.variable not in self.equations and base.rpartition(":")[2] not in DATA
            for extent in d.shape
        }
        sampled = [d for d in self.table.declared.values() if d.sample is not None]
        candidates = [
            self.sizes.find(extent)
            for declared in data
            if len(declared.shape) == 2
            for extent in declared.shape
            if self.sizes.find(extent) not in weights and self.sizes.find(extent) != 1
        ]
        if sampled:
            candidates = [self.sizes.find(d.shape[d.sample]) for d in sampled if d.sample is not None]
        if len(set(candidates)) != 1:
            return
        self.table.batch = candidates[0]
        for key, declared in list(self.table.declared.items()):
            places = [k for k, extent in enumerate(declared.shape) if self.sizes.equal(extent, candidates[0])]
            if len(places) == 1 and declared.sample is None:
                self.table.declared[key] = replace(declared, sample=places[0])
