"""The numbers of displays and figures, for the formats that do not count them themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.documents.tree import Block, Display, Figure, Ref

__all__ = ["Numbers", "figure_label", "figure_ref", "numbers"]

_FIGURE = "figure:"
"""What a reference to a figure begins with, so that a figure and an equation may have the same name."""


def figure_ref(label: str) -> Ref:
    """A reference to the figure of that label: "Figure 2"."""
    return Ref(_FIGURE + label)


def figure_label(reference: str) -> str | None:
    """The label of the figure that is referred to; None where it is a display."""
    return reference.removeprefix(_FIGURE) if reference.startswith(_FIGURE) else None


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
