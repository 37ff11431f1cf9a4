"""Formulas with marks where they may be broken, put together by hand."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.forms.breaks import Rank, joined

__all__ = ["multiplied", "operated", "related", "summed"]


def summed(parts: Sequence[str]) -> str:
    """Summands that bring their signs with them: a, - b."""
    return joined(parts, Rank.SIGN)


def multiplied(parts: Sequence[str], between: str = r"\,") -> str:
    """Factors beside each other."""
    return joined(parts, Rank.FACTOR, between)


def operated(parts: Sequence[str], sign: str = r"\cdot") -> str:
    """Factors with a sign between them."""
    return joined(parts, Rank.TIMES, after=f"{sign} ")


def related(parts: Sequence[str], sign: str = "=") -> str:
    """The sides of a relation, or of several that are alike."""
    return joined(parts, Rank.RELATION, after=f"{sign} ")
