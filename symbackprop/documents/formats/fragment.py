"""Blocks as a piece of HTML that stands among others, as in a notebook."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.documents.formats.html_blocks import Blocks
from symbackprop.documents.formats.styles import style
from symbackprop.documents.tree import Block, Captions

__all__ = ["html_fragment"]

_FRAGMENT = """<div class="symbackprop">
<style>
.symbackprop {{
  --ink: currentColor;
  --quiet: color-mix(in srgb, currentColor 70%, transparent);
  --stripe: color-mix(in srgb, currentColor 6%, transparent);
{style}}}
</style>
{body}
</div>
"""


def html_fragment(blocks: Sequence[Block]) -> str:
    """``blocks`` in a ``div`` with their style, in the colours of what is around it; nothing in it has a name."""
    return _FRAGMENT.format(
        style=style("formulas"), body="\n".join(Blocks(blocks, Captions(), linked=False).sections())
    )
