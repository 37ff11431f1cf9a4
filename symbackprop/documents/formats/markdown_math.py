r"""Inline mathematics as Markdown leaves it alone.

GitHub reads Markdown before it reads what stands between dollar signs: a backslash before a punctuation mark is lost
there, and underscores may turn into emphasis. So commands that are signs are written as the words that mean the same,
which MathJax and KaTeX both know.
"""

from __future__ import annotations

import re

from symbackprop.forms.breaks import unmarked

__all__ = ["inline_math", "table_math"]

_WORDS = {
    r"\,": r"\thinspace ",
    r"\:": r"\medspace ",
    r"\;": r"\thickspace ",
    r"\!": r"\negthinspace ",
    r"\{": r"\lbrace ",
    r"\}": r"\rbrace ",
    r"\|": r"\Vert ",
    r"\\": r"\cr ",
    "*": r"\ast ",
    "<": r"\lt ",
    ">": r"\gt ",
}
_SIGN = re.compile("|".join(map(re.escape, _WORDS)))
_SCRIPTS = re.compile(r"(?<=\w)(\^\{[^{}]*\})(_(?:\{[^{}]*\}|\w))")
"""Scripts, the lower one last: an underscore behind a letter is harmless."""
_EMPHASIS = re.compile(r"(?<=[^\w\s\\])_")
"""An underscore that might begin emphasis: it does not with a space on either side."""
_BAR = re.compile(r"(?<!\\)\|")


def inline_math(latex: str) -> str:
    """A formula in running text."""
    worded = _SCRIPTS.sub(r"\2\1", _SIGN.sub(lambda sign: _WORDS[sign[0]], unmarked(latex)))
    return f"${_EMPHASIS.sub(' _ ', worded).strip()}$"


def table_math(latex: str) -> str:
    """A formula in a cell, where a bar would end the cell."""
    return inline_math(_BAR.sub(r"\\vert ", latex))
