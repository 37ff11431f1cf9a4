"""The LaTeX emitter: amsmath, booktabs and lmodern are all that it needs, and tikz for figures."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.documents.layout import lines
from symbackprop.documents.tex_text import escape
from symbackprop.documents.tikz import tikz
from symbackprop.documents.tree import (
    Block,
    Bullets,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Inline,
    Math,
    Paragraph,
    Ref,
    Table,
    Text,
)

__all__ = ["tex"]

_PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern}
\usepackage{amsmath}
\usepackage{booktabs}
%TIKZ%\setlength{\textwidth}{16cm}
\setlength{\oddsidemargin}{0cm}
\setlength{\textheight}{24cm}
\setlength{\topmargin}{-1.2cm}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.5em plus 0.2em}
\setlength{\emergencystretch}{3em}
\renewcommand{\arraystretch}{1.35}
\allowdisplaybreaks
\title{%TITLE%}
\author{}
\date{}
\begin{document}
\maketitle
"""
_TIKZ = "\\usepackage{tikz}\n"
_FIGURE = r"""\begin{center}
\begin{minipage}{\textwidth}
\centering
%DRAWING%
\par\medskip
\parbox{0.92\textwidth}{\small %CAPTION%}
\end{minipage}
\end{center}
"""
_SECTIONS = {1: "section", 2: "subsection", 3: "subsubsection"}
_LINES_A_TABLE = 26


def tex(document: Document) -> str:
    """``document`` as a complete LaTeX file."""
    drawn = any(isinstance(block, Figure) for block in document.blocks)
    preamble = _PREAMBLE.replace("%TIKZ%", _TIKZ if drawn else "").replace("%TITLE%", escape(document.title))
    body = "\n".join(_block(block) for block in document.blocks)
    return f"% {document.made_by}\n{preamble}{body}\n\\end{{document}}\n"


def _inline(part: Inline) -> str:
    match part:
        case Math(latex):
            return f"${latex}$"
        case Ref(label):
            return rf"\eqref{{eq:{label}}}"
        case Code(words):
            return rf"\texttt{{{escape(words)}}}"
        case _:
            return escape(part)


def _text(text: Text) -> str:
    return "".join(map(_inline, text))


def _block(block: Block) -> str:
    match block:
        case Heading(title, level):
            return rf"\{_SECTIONS[level]}{{{escape(title)}}}" + "\n"
        case Paragraph(text):
            return _text(text) + "\n"
        case Bullets(items):
            listed = "\n".join(rf"\item {_text(item)}" for item in items)
            return f"\\begin{{itemize}}\n{listed}\n\\end{{itemize}}\n"
        case Display():
            return _display(block)
        case Table():
            return _table(block)
        case Figure():
            return _figure(block)


def _display(display: Display) -> str:
    body = []
    for row in display.rows:
        first, *more = lines(row.left, row.right)
        body.append(f"{row.left} &{row.relation} {first}")
        body.extend(rf"&\quad {line}" for line in more)
    rows = " \\\\[0.6ex]\n".join(body)
    if not display.label:
        return f"\\begin{{align*}}\n{rows}\n\\end{{align*}}\n"
    inner = f"\\begin{{split}}\n{rows}\n\\end{{split}}" if len(body) > 1 else rows.replace(" &", " ", 1)
    return f"\\begin{{equation}}\\label{{eq:{display.label}}}\n{inner}\n\\end{{equation}}\n"


def _column(table: Table, place: int) -> str:
    if place in table.wide:
        return r"p{0.27\textwidth}"
    return "r" if place in table.numeric else "l"


def _table(table: Table) -> str:
    columns = "".join(_column(table, place) for place in range(len(table.header)))
    header = " & ".join(map(_text, table.header))
    parts = []
    for chunk in _chunks(table):
        rows = " \\\\\n".join(" & ".join(map(_text, row)) for row in chunk)
        parts.append(
            f"\\begin{{center}}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n{header} \\\\\n\\midrule\n{rows} \\\\\n"
            "\\bottomrule\n\\end{tabular}\n\\end{center}\n"
        )
    return "\n".join(parts)


def _figure(figure: Figure) -> str:
    """The drawing with its caption in one piece, where it stands; in words as a comment."""
    words = "".join(f"% {line}\n" for line in figure.alternative.splitlines())
    label = rf"\label{{fig:{figure.label}}}" if figure.label else ""
    caption = rf"\refstepcounter{{figure}}{label}Figure~\thefigure: {_text(figure.caption)}"
    return words + _FIGURE.replace("%CAPTION%", caption).replace("%DRAWING%\n", tikz(figure.drawing))


def _chunks(table: Table) -> Iterator[list[tuple[Text, ...]]]:
    """The rows, as many at a time as fit on a page; a row with running text or a fraction counts double."""
    chunk: list[tuple[Text, ...]] = []
    used = 0
    for row in table.rows:
        cells = [(place, _text(cell)) for place, cell in enumerate(row)]
        tall = any(r"\frac" in cell or (place in table.wide and len(cell) > 26) for place, cell in cells)
        height = 2 if tall else 1
        if chunk and used + height > _LINES_A_TABLE:
            yield chunk
            chunk, used = [], 0
        chunk.append(row)
        used += height
    if chunk:
        yield chunk
