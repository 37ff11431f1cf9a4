"""Names by the table of what was declared: the first reading of the scripts that fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from symbackprop.errors import nearest
from symbackprop.reading.names import Name, Reading, readings
from symbackprop.reading.occurrences import Occurrences
from symbackprop.reading.table import Declared, shown_key

__all__ = ["Resolution"]


class Resolution(Occurrences):
    """Which declared symbol a name is, and how its scripts are read."""

    def resolved(self, name: Name, ask: bool = True) -> tuple[Declared, Reading] | None:
        """The declared symbol that ``name`` is, and how its scripts are read."""
        options = list(readings(name, self.labels))
        above = name.above[0] if len(name.above) == 1 else None
        bare = above is not None and above.kind == "plain" and above.text.isdigit()
        if bare and (self.table.bracketed or name.base in self.table.subscripted):
            # Where layers stand in brackets, or below, a bare number above is a power.
            options = [reading for reading in options if reading.power is not None]
        for reading in options:
            declared = self.declared(name, reading)
            if declared is not None and self.fits(declared, reading):
                return declared, reading
        abbreviation = self.abbreviated(name, options)
        if abbreviation is not None:
            return abbreviation
        for reading in options:
            size = self.table.sizes.get((name.key, reading.label))
            if size is not None and not reading.indices and reading.sample is None:
                return Declared("", (), ()), Reading(f"size:{name.base}:{reading.label}", (), None, reading.power)
        if ask and self.unknown is not None:
            made = self.unknown(self, name, None)
            if made is not None:
                return self.resolved(name, ask=False)
        return None

    def declared(self, name: Name, reading: Reading) -> Declared | None:
        """What is declared under a name, as one reading has it."""
        find = self.table.find_entry if reading.indices or reading.sample is not None else self.table.find
        found = find(name.key, reading.label)
        if found is None or not name.plus:
            return found
        return replace(found, updated=True) if found.variable and not found.adjoint else None

    def abbreviated(self, name: Name, options: Sequence[Reading]) -> tuple[Declared, Reading] | None:
        """The abbreviation that a name is, and how its scripts are read."""
        for reading in options:
            found = self.table.abbreviations.get((name.key, reading.label))
            if found is not None and len(found.indices) == len(reading.indices) and reading.sample is None:
                label = f"short:{name.base}:{reading.label}"
                return Declared("", (), ()), Reading(label, reading.indices, None, reading.power)
        return None

    def fits(self, declared: Declared, reading: Reading) -> bool:
        """Whether the indices of a reading are as many as the array has axes; one alone may be the example's."""
        if self.is_slice(declared, reading):
            return True
        if reading.sample is not None:
            if declared.sample is None:
                return False
            rest = len(declared.shape) - 1
            return len(reading.indices) in (0, rest)
        long = sum(self.sizes.find(extent) != 1 for extent in declared.shape)
        return len(reading.indices) in (0, len(declared.shape)) or (long == len(reading.indices) and long > 0)

    def refuse(self, name: Name) -> NoReturn:
        """Raise for a name that nothing declares."""
        shown = shown_key((name.base, ",".join(script.text for script in (*name.below, *name.above))))
        known = self.table.known_names()
        if any(base == name.base for base, _ in self.table.declared):
            same = [shown_key(key) for key in self.table.declared if key[0] == name.base]
            self.fail(name.node, f"{shown} is not declared; known are {', '.join(same[:6])}")
        if name.base.isupper() or name.bold:
            self.fail(
                name.node,
                f"unknown symbol {shown}; {nearest(shown, known)}; declare it, as in "
                f"{shown} \\in \\mathbb{{R}}^{{H \\times D}}",
            )
        self.fail(name.node, f"unknown symbol {shown}; {nearest(shown, known)}")
