"""The style sheets and the font that documents in HTML carry with them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["data", "style"]


@cache
def data(name: str) -> bytes:
    """A file of ``data/``."""
    return files("symbackprop.documents.formats").joinpath("data", name).read_bytes()


def style(name: str) -> str:
    """A style sheet: "page" for a page, "formulas" for what stands in it."""
    return data(f"{name}.css").decode("utf-8")
