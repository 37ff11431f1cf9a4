"""The points without derivative, and the slope that is taken there."""

from __future__ import annotations

from symbackprop.documents.sections.context import Context
from symbackprop.documents.tree import Block, Bullets, Heading, Math, Text

__all__ = ["kinks_section"]


def kinks_section(context: Context) -> list[Block]:
    """A list of them; nothing where there are none."""
    words, printer = context.words, context.views.printer
    items: list[Text] = []
    for kink in context.views.differentiation.kinks:
        argument = printer.doprint(kink.argument)
        tie = kink.point is None
        where = Math(argument if tie else f"{argument} = {printer.doprint(kink.point)}")
        items.append(
            words(
                "tie" if tie else "kink",
                function=words.phrase(kink.function.replace("_", " ")),
                equation=context.ref(kink.equation),
                where=where,
                convention=words.phrase(kink.convention),
            )
        )
    return [Heading(words.plain("kinks")), Bullets(tuple(items))] if items else []
