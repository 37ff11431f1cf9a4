"""The numbers of displays and figures, for the formats that do not count them themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.documents.tree import Block, Display, Figure

__all__ = ["Numbers", "numbers"]


@dataclass(frozen=True)
class Numbers:
    """``displays`` are the labels in order, ``figures`` all the figures."""

    displays: tuple[str, ...]
    figures: tuple[Figure, ...]

    def display(self, label: str) -> int:
        """The number of a display."""
        return self.displays.index(label) + 1

    def figure(self, figure: Figure) -> int:
        """The number of a figure."""
        return next(number for number, other in enumerate(self.figures, 1) if other is figure)

    def labelled(self, label: str) -> int:
        """The number of the figure with a label."""
        return [figure.label for figure in self.figures].index(label) + 1


def numbers(blocks: Sequence[Block]) -> Numbers:
    """The numbers of what ``blocks`` hold, counted from 1."""
    labels = tuple(block.label for block in blocks if isinstance(block, Display) and block.label)
    return Numbers(labels, tuple(block for block in blocks if isinstance(block, Figure)))
