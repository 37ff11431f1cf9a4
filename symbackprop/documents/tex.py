"""The LaTeX emitter: amsmath, booktabs and lmodern are all that it needs."""

from __future__ import annotations

from symbackprop.documents.layout import lines
from symbackprop.documents.tree import (
    Block,
    Bullets,
    Display,
    Document,
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
\setlength{\textwidth}{16cm}
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
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}
_SECTIONS = {1: "section", 2: "subsection", 3: "subsubsection"}
_ROWS_A_TABLE = 24


def tex(document: Document) -> str:
    """``document`` as a complete LaTeX file."""
    preamble = _PREAMBLE.replace("%TITLE%", escape(document.title))
    body = "\n".join(_block(block) for block in document.blocks)
    return f"% {document.made_by}\n{preamble}{body}\n\\end{{document}}\n"


def escape(text: str) -> str:
    """Running text with LaTeX's special characters made harmless."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def _inline(part: Inline) -> str:
    match part:
        case Math(latex):
            return f"${latex}$"
        case Ref(label):
            return rf"\eqref{{eq:{label}}}"
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
    for start in range(0, len(table.rows), _ROWS_A_TABLE):
        rows = " \\\\\n".join(" & ".join(map(_text, row)) for row in table.rows[start : start + _ROWS_A_TABLE])
        parts.append(
            f"\\begin{{center}}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n{header} \\\\\n\\midrule\n{rows} \\\\\n"
            "\\bottomrule\n\\end{tabular}\n\\end{center}\n"
        )
    return "\n".join(parts)
