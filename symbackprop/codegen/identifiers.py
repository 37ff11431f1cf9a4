"""Names that Python code can use, no two alike."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

__all__ = ["Identifiers"]


class Identifiers:
    """Hands out identifiers: the wanted one where it is free, else one with an underscore or a number behind it."""

    def __init__(self, reserved: Iterable[str]) -> None:
        self._counts: dict[str, int] = {}
        self._taken = {*reserved, *keyword.kwlist, *keyword.softkwlist, *dir(builtins)}

    def take(self, wanted: str) -> str:
        """An identifier like ``wanted`` that nothing else has."""
        name = re.sub(r"\W", "_", wanted)
        name = f"_{name}" if not name or name[0].isdigit() else name
        candidate, count = name, 1
        while candidate in self._taken:
            candidate = f"{name}_" if count == 1 else f"{name}_{count}"
            count += 1
        self._taken.add(candidate)
        return candidate

    def count(self, letter: str) -> str:
        """The next of t1, t2, ... that nothing else has."""
        self._counts[letter] = self._counts.get(letter, 0) + 1
        name = f"{letter}{self._counts[letter]}"
        return self.count(letter) if name in self._taken else self.take(name)
