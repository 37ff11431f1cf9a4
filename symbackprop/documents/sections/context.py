"""What every part of a document is written with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from symbackprop.documents.languages.words import Words, words_of
from symbackprop.documents.numbers import Numbers
from symbackprop.documents.options import Options
from symbackprop.documents.tree import Math, Ref, Text
from symbackprop.forms.notation import Orientation
from symbackprop.forms.views import Views

__all__ = ["Context"]


@dataclass(frozen=True)
class Context:
    """The views of the derivation, and the options.

    ``layer`` is the letter for the number of a layer, where the views are of any layer; their labels are set apart.
    """

    views: Views
    options: Options
    layer: str = ""

    @cached_property
    def words(self) -> Words:
        """The sentences of the document's language."""
        return words_of(self.options.language)

    @cached_property
    def numbers(self) -> Numbers:
        """How numbers are written."""
        return Numbers(self.options.digits)

    def label(self, name: str) -> str:
        """The label of the equation for ``name``."""
        return f"any-{name}" if self.layer else name

    def ref(self, name: str) -> Ref:
        """A reference to the equation for ``name``."""
        return Ref(self.label(name))

    def symbol(self, name: str) -> Math:
        """The variable called ``name``, as a whole."""
        return Math(self.views.symbols.whole(name, len(self.views.symbols.variable(name).shape)))

    def shape(self, name: str) -> str:
        """The shape of the variable called ``name`` as it lies on paper; empty for a number."""
        extents = self.views.symbols.variable(name).shape
        extents = tuple(reversed(extents)) if self.views.symbols.is_flipped(name) else extents
        return r" \times ".join(self.views.printer.doprint(extent) for extent in extents)

    def meaning(self, name: str) -> Text:
        """What the variable called ``name`` is; empty where nobody has said."""
        if self.layer:
            return self.words(f"any {name}", layer=Math(self.layer), next=Math(f"{self.layer} + 1"))
        meaning = self.words.phrase(self.views.symbols.variable(name).meaning)
        return (meaning,) if meaning else ()

    @property
    def loss(self) -> Math:
        """The symbol of the loss."""
        return Math(self.views.symbols.element(self.views.differentiation.loss))

    @property
    def orientation(self) -> Orientation:
        """How matrices lie. A program of one example has columns as it is."""
        columns = self.views.notation.examples_as is Orientation.COLUMNS
        return Orientation.COLUMNS if columns and self.views.differentiation.program.batch else Orientation.ROWS

    def says(self, section: str) -> bool:
        """Whether the document has ``section``."""
        return section in self.options.sections
