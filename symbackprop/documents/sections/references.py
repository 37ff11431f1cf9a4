"""References to equations that a document does not show are replaced by what they are the equations of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbackprop.documents.sections.context import Context
from symbackprop.documents.tree import Block, Bullets, Display, Figure, Inline, Paragraph, Ref, Table, Text

__all__ = ["resolved"]


def resolved(context: Context, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """``blocks`` with the symbol of the variable in place of each reference that leads nowhere."""
    labels = {block.label for block in blocks if isinstance(block, Display) and block.label}
    variables = context.views.differentiation.adjoint_program.variables
    names = {name: context.symbol(name) for name in variables if name not in labels}
    return tuple(_resolved(block, names) for block in blocks) if names else blocks


def _resolved(block: Block, names: Mapping[str, Inline]) -> Block:
    def text(parts: Text) -> Text:
        return tuple(
            names.get(part.label, part) if isinstance(part, Ref) and not part.figure else part for part in parts
        )

    match block:
        case Paragraph():
            return replace(block, text=text(block.text))
        case Bullets():
            return replace(block, items=tuple(map(text, block.items)))
        case Table():
            return replace(block, rows=tuple(tuple(map(text, row)) for row in block.rows))
        case Figure():
            return replace(block, caption=text(block.caption))
        case _:
            return block
