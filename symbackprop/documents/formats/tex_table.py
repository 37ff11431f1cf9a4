r"""Tables in LaTeX: a short one as it is, one of many rows over as many pages as it takes.

A ``tabular`` cannot be broken, and more of them below each other would have columns of different widths. So the rows of
a long table are set once, and TeX's ``\vsplit`` then takes off the box of them what fits on each page.
"""

from __future__ import annotations

from symbackprop.documents.formats.tex_text import running
from symbackprop.documents.tree import Block, Table, Text

__all__ = ["LONG_TABLES", "is_long", "table"]

_SHORT = 8
"""Up to this many rows are kept on one page."""
_LAST = 2
"""This many rows at least are on the last page of a long table."""

LONG_TABLES = r"""
% \begin{longrows}{columns}{header} is a tabular that goes on over pages, below its header on each of them.
% Its rows are set once, in a box from which as many are taken as there is room for.
\newsavebox{\tablehead}
\newsavebox{\tablerows}
\newsavebox{\tablepiece}
\newcommand{\keeprows}{\noalign{\nobreak}}% the row before and the one after it are on the same page
\let\plainvtop\vtop
\newenvironment{longrows}[2]{%
  \par
  \setbox0\hbox\bgroup% a tabular with [t] makes a \vtop of its rows, and that is what is wanted
    \def\vtop{\let\vtop\plainvtop \global\setbox\tablerows\plainvtop}%
    \tabular[t]{#1}\toprule #2\midrule\noalign{\break}%
}{%
    \endtabular
  \egroup
  \takerows{\maxdimen}% up to the \break
  \setbox\tablehead\vbox{\unvbox\tablepiece}%
  \nobreak\vskip\topsep\vskip\partopsep\vskip\parskip% as there is above a center
  \tablepage
  \vskip\topsep
}
\newcommand{\takerows}[1]{{%
  \vbadness=10000 \vfuzz=\maxdimen \splittopskip=0pt \splitmaxdepth=0pt
  \global\setbox\tablepiece\vsplit\tablerows to#1\relax
}}
\newcommand{\placerows}[1]{\nointerlineskip\hbox to\linewidth{\hfil\vbox{#1}\hfil}}
\newcommand{\tablepage}{% the header with the first rows, then what else fits on the page; again until no row is left
  \takerows{3\baselineskip}%
  \placerows{\unvcopy\tablehead \unvbox\tablepiece}%
  \nobreak\vskip5\baselineskip\penalty0\vskip-5\baselineskip\nobreak% to the next page, unless some more rows fit
  \takerows{\dimexpr\pagegoal-\pagetotal-\aboverulesep-\heavyrulewidth}%
  \placerows{\unvbox\tablepiece \vskip\aboverulesep \hrule width\wd\tablehead height\heavyrulewidth}%
  \ifvoid\tablerows\else \newpage\expandafter\tablepage \fi
}
"""
"""What the preamble has to say for long tables."""


def is_long(block: Block) -> bool:
    """Whether this is a table that may go on over pages."""
    return isinstance(block, Table) and len(block.rows) > _SHORT


def table(table: Table) -> str:
    """The rows below each other, with rules above, below and under the header."""
    columns = "".join(_column(table, place) for place in range(len(table.header)))
    header = _row(table, table.header)
    rows = [_row(table, row) for row in table.rows]
    if is_long(table):
        body = "\n".join([*rows[:-_LAST], " \\keeprows\n".join(rows[-_LAST:])])
        return f"\\begin{{longrows}}{{{columns}}}{{{header}}}\n{body}\n\\end{{longrows}}\n"
    body = "\n".join(rows)
    return (
        f"\\begin{{center}}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n{header}\n\\midrule\n{body}\n"
        "\\bottomrule\n\\end{tabular}\n\\end{center}\n"
    )


def _column(table: Table, place: int) -> str:
    if place in table.wide:
        return r"p{0.27\textwidth}"
    return "r" if place in table.numeric else "l"


def _row(table: Table, row: tuple[Text, ...]) -> str:
    r"""One row. Running text is ragged, as a narrow column cannot be justified; there ``\\`` would end a line only."""
    cells = (
        rf"\raggedright {running(cell)}" if place in table.wide else running(cell) for place, cell in enumerate(row)
    )
    return " & ".join(cells) + (r" \tabularnewline" if table.wide else r" \\")
