"""Symbols that notes use without declaring them: what can honestly be said of their shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy

from symbackprop.notation.program import Program
from symbackprop.reading.draft import BlockedError, Draft
from symbackprop.reading.elaborate import Elaborator
from symbackprop.reading.letters import GREEK_NUMBERS
from symbackprop.reading.names import Name, Reading, readings
from symbackprop.reading.table import Declared, shown_key

__all__ = ["Undeclared"]

_STEPS = re.compile(r"[+-]")


class Undeclared(Draft):
    """Symbols that the notes use without a word."""

    def elaborator(self, labels: Mapping[str, int], about: str = "", declare: bool = True) -> Elaborator:
        """A reader of sides in the layers ``labels``; ``declare`` says whether it may declare what is unknown."""
        self.context.program = Program(
            tuple(v for name, v in self.variables.items() if name not in self.equations),
            tuple(self.equations.values()),
            self.table.loss,
        )
        unknown = self.unknown if declare else None
        return Elaborator(self.table, self.context, self.sizes, labels, unknown=unknown, about=about)

    def unknown(self, reader: Elaborator, name: Name, expected: Sequence[str] | None) -> Declared | None:
        """Declare a symbol that the notes use without a word, where that can be done honestly."""
        options = [o for o in readings(name, reader.labels) if not self.is_example(o.label, name, reader)]
        keys = {self.key_of(name, option) for option in options}
        waiting = {pending.key for pending in self.pending}
        if keys & waiting:
            raise BlockedError
        for key in list(keys):
            if any(_same_letter(key[0], other[0]) and key[1] == other[1] for other in waiting) and name.below:
                raise BlockedError
        if name.plus or any(key in self.given and self.table.declared[key].shape for key in keys):
            return None
        numbered = next((label for _, label in keys if label.isdigit() and int(label) == 0), None)
        if numbered is not None and name.base in ("a", "A", "h", "o", "\\mathbf{a}"):
            first = self.inputs_of_first_layer()
            if first is not None:
                self.table.declared[name.base, "0"] = first
                return first
        count = self.index_count(name, reader)
        if count:
            return self.by_indices(name, options, count, reader)
        if name.base.isupper() or name.bold:
            return None
        shape = self.guessed_shape(name)
        label = next((o.label for o in options if not o.indices and o.sample is None and o.power is None), None)
        if label is None:
            return self.by_example(name, options, reader)
        declared = self.new_variable((name.base, label), shape)
        if not shape and name.base not in GREEK_NUMBERS:
            self.scalars[declared.variable] = shown_key((name.base, label))
        return declared

    def is_example(self, label: str, name: Name, reader: Elaborator) -> bool:
        """Whether what stands above a symbol is an index that runs here: the example of x^{(i)}, no label."""
        above = any(script.text == label and script.kind != "circ" for script in name.above)
        return above and label in reader.scope and (name.base, label) not in self.table.declared

    def by_example(self, name: Name, options: Sequence[Reading], reader: Elaborator) -> Declared | None:
        """A symbol of which there is one for each example: y^{(i)}."""
        option = next((o for o in options if o.sample in reader.scope and not o.indices and o.power is None), None)
        if option is None or option.sample is None:
            return None
        key = self.key_of(name, option)
        declared = replace(self.new_variable(key, (self.sizes.fresh(option.sample),)), sample=0)
        self.table.declared[key] = declared
        self.inferred[declared.variable] = shown_key(key)
        return declared

    def inputs_of_first_layer(self) -> Declared | None:
        """What a^{(0)} is another name for: x."""
        for base in ("x", "X"):
            found = self.table.declared.get((base, ""))
            if found is not None:
                return found
        return None

    def index_count(self, name: Name, reader: Elaborator) -> int:
        """How many indices the symbol carries, where letters say so."""
        letters = [script.text for script in name.below]
        text = "".join(letters)
        carries = any(
            part.isalpha() and part.islower() and part not in reader.labels and self.is_index(part, reader)
            for script in letters
            for part in (script if script.isalpha() else _STEPS.split(script)[0])
        )
        if carries and len(text) <= 8:
            return max(self.survey.ranks.get(name.base, 0), len(text) if text.isalpha() else len(letters))
        return self.survey.ranks.get(name.base, 0) if name.base in self.survey.ranks and self.ranked(name) else 0

    def ranked(self, name: Name) -> bool:
        """Whether a letter that carries indices elsewhere is that array here."""
        return not any(script.text.isalpha() and len(script.text) > 1 for script in name.below)

    def is_index(self, letter: str, reader: Elaborator) -> bool:
        """Whether a letter may be an index here."""
        return letter in reader.scope or letter in "ijklmnpqrscdtuvk"

    def by_indices(self, name: Name, options: Sequence[Reading], count: int, reader: Elaborator) -> Declared | None:
        """An array of which only entries are written."""
        for option in options:
            if len(option.indices) == count and option.power is None and option.sample in (None, *reader.scope):
                break
        else:
            option = next((o for o in options if not o.indices and o.sample is None and o.power is None), None)  # type: ignore[assignment]
            if option is None:
                return None
        letters = (*((option.sample,) if option.sample is not None else ()), *(option.indices or ("i",) * count))
        shape = tuple(self.sizes.fresh(letter if letter.isalpha() else "k") for letter in letters)
        key = self.key_of(name, option)
        declared = self.new_variable(key, shape)
        if option.sample is not None:
            declared = self.table.declared[key] = replace(declared, sample=0)
        self.inferred[declared.variable] = shown_key(key)
        return declared

    def guessed_shape(self, name: Name) -> tuple[sympy.Expr, ...]:
        """The shape of a small letter that is transposed somewhere."""
        if name.base not in self.survey.transposed:
            return ()
        labelled = self.survey.transposed[name.base]
        if name.base.rpartition(":")[2] in ("w", "W", "u", "v", "U", "V") and labelled:
            return (self.sizes.fresh("j"), self.sizes.fresh("i"))
        return (self.sizes.fresh("i"),)


def _same_letter(first: str, second: str) -> bool:
    return first.lower() == second.lower()
