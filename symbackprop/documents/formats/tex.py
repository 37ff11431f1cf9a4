"""The LaTeX emitter: amsmath, booktabs, lmodern and hyperref are all that it needs, and tikz for figures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from symbackprop.documents.formats.aligned import aligned_lines
from symbackprop.documents.formats.tex_table import LONG_TABLES, is_long, table
from symbackprop.documents.formats.tex_text import escape, pdf_string, running
from symbackprop.documents.formats.tikz import tikz
from symbackprop.documents.tree import Block, Bullets, Code, Display, Document, Figure, Heading, Paragraph, Table, Text

__all__ = ["tex"]

_PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern}
\usepackage{amsmath}
\usepackage{booktabs}
%TIKZ%\usepackage[unicode,hidelinks,bookmarksnumbered]{hyperref}
\hypersetup{
  pdftitle={%PDFTITLE%},
  pdfauthor={%PDFAUTHOR%},
  pdflang={%PDFLANG%},
  pdfdisplaydoctitle,
}
\setlength{\textwidth}{16cm}
\setlength{\oddsidemargin}{0cm}
\setlength{\textheight}{24cm}
\setlength{\topmargin}{-1.2cm}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.5em plus 0.2em}
\setlength{\emergencystretch}{3em}
\renewcommand{\arraystretch}{1.35}
\allowdisplaybreaks
\makeatletter\@beginparpenalty=10000\makeatother
%TABLES%%FLOATS%\title{%TITLE%}
\author{%AUTHOR%}
\date{%DATE%}
\begin{document}
\maketitle
"""
_ROOM = ("\\vspace{-4em}\n", "\\vspace{-1em}\n", "")
"""Takes back the room that the title leaves for an author and a date, where there is none of them, or one."""
_TIKZ = "\\usepackage{tikz}\n"
_FLOATS = r"""\renewcommand{\figurename}{%FIGURE%}
\renewcommand{\topfraction}{0.9}
\renewcommand{\bottomfraction}{0.6}
\renewcommand{\textfraction}{0.1}
\renewcommand{\floatpagefraction}{0.7}
"""
"""A figure that does not fit where it stands goes to the next page's top, and the text goes on in its place."""
_FIGURE = r"""\begin{figure}[htbp]
\centering
%DRAWING%\small
\caption[]{%CAPTION%}%LABEL%
\end{figure}
"""
_SECTIONS = {1: "section", 2: "subsection", 3: "subsubsection"}


def tex(document: Document) -> str:
    """``document`` as a complete LaTeX file."""
    drawn = any(isinstance(block, Figure) for block in document.blocks)
    byline = [words for words in (document.author, document.date) if words]
    first, second, *_ = (*byline, "", "")
    fields = {
        "%TIKZ%": _TIKZ if drawn else "",
        "%FLOATS%": _FLOATS.replace("%FIGURE%", escape(document.captions.figure)) if drawn else "",
        "%TABLES%": LONG_TABLES if any(map(is_long, document.blocks)) else "",
        "%PDFTITLE%": pdf_string(document.title),
        "%PDFAUTHOR%": pdf_string(document.author),
        "%PDFLANG%": pdf_string(document.language),
        "%TITLE%": escape(document.title),
        "%AUTHOR%": escape(first),
        "%DATE%": escape(second),
    }
    preamble = _filled(_PREAMBLE, fields) + _ROOM[len(byline)]
    body = "".join(_separated(document.blocks))
    return f"% {' '.join(document.made_by.split())}\n{preamble}{body}\\end{{document}}\n"


def _filled(template: str, fields: dict[str, str]) -> str:
    """The template with its fields put in."""
    for field, content in fields.items():
        template = template.replace(field, content)
    return template


def _separated(blocks: tuple[Block, ...]) -> Iterator[str]:
    """The blocks with an empty line after each, but not before a display, which belongs to the paragraph before it."""
    for block, following in zip_longest(blocks, blocks[1:]):
        joined = isinstance(block, Paragraph | Display) and isinstance(following, Display)
        yield _block(block) + ("" if joined else "\n")


def _block(block: Block) -> str:
    match block:
        case Heading(title, level):
            return rf"\{_SECTIONS[level]}{{{escape(title)}}}" + "\n"
        case Paragraph(text):
            return _ragged(text) + "\n"
        case Bullets(items):
            listed = "\n".join(rf"\item {_ragged(item)}" for item in items)
            return f"\\begin{{itemize}}\n{listed}\n\\end{{itemize}}\n"
        case Display():
            return _display(block)
        case Table():
            return table(block)
        case Figure():
            return _figure(block)


def _ragged(text: Text) -> str:
    """Running text; not justified where it has words for a computer, which have no place to be broken but spaces."""
    has_code = any(isinstance(part, Code) for part in text)
    return rf"{{\raggedright {running(text)}\par}}" if has_code else running(text)


def _display(display: Display) -> str:
    body = list(aligned_lines(display))
    rows = " \\\\[0.6ex]\n".join(body)
    if not display.label:
        return f"\\begin{{align*}}\n{rows}\n\\end{{align*}}\n"
    inner = f"\\begin{{split}}\n{rows}\n\\end{{split}}" if len(body) > 1 else rows.replace(" &", " ", 1)
    return f"\\begin{{equation}}\\label{{eq:{display.label}}}\n{inner}\n\\end{{equation}}\n"


def _figure(figure: Figure) -> str:
    """The drawing with its caption; in words as a comment."""
    words = "".join(f"% {line}\n" for line in figure.alternative.splitlines())
    fields = {
        "%LABEL%": rf"\label{{fig:{figure.label}}}" if figure.label else "",
        "%CAPTION%": running(figure.caption),
        "%DRAWING%": tikz(figure.drawing),
    }
    return words + _filled(_FIGURE, fields)
