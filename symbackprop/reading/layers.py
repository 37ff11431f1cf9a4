"""The letter of a layer among the indices below a symbol: w_{lji} is entry j, i of the weights of layer l."""

from __future__ import annotations

from symbackprop.reading.names import Name
from symbackprop.reading.table import Table

__all__ = ["layer_before_indices"]


def layer_before_indices(name: Name, table: Table) -> set[str]:
    """The letter that numbers layers, where it stands first and as many indices follow as the array has axes."""
    texts = [script.text for script in name.below]
    if name.above or len(texts) != 1 or not texts[0].isalpha() or texts[0][0] not in table.generic:
        return set()
    numbers = (str(number) for number in table.generic[texts[0][0]])
    found = (table.find_entry(name.key, number) for number in numbers)
    return {texts[0][0]} if any(d is not None and len(d.shape) == len(texts[0]) - 1 for d in found) else set()
