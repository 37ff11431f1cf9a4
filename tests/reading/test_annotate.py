"""Remarks in the notes: they stand beside their formulas, and the notes stay what they were."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from symbackprop.reading.annotate import Remark, annotate, insertions
from symbackprop.reading.walker import walk

needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
NASTY = 'it is $\\frac{a_1}{2}$, not $\\frac{a$ at 50% of #1_{a}^~\\ "b" <|& Größe ≠ $5\n\n*x* `y` \\end{align}'
DOCUMENT = r"""\documentclass{article}
\usepackage{amsmath}
\newtheorem{claim}{Claim}
\begin{document}
\section[Short $a$]{On $a$}
Inline $x = 1$ and \(y\), a foot\footnote{with $z$.}
\begin{align}
a &= b \\
c &= d
\end{align}
\begin{gather*} e \end{gather*} and $f +
g$ go on. \verb|$h$|

\[ i \]
\begin{verbatim}
$v$
\end{verbatim}
\begin{claim}[$j$] That $k$. \end{claim}
\begin{itemize}\item[$l$] Is $m$ \end{itemize}
\begin{table}\caption{Of $n$}\begin{tabular}{ll} a & $o$ \\ \hline
b & $p$ \\
\hline\end{tabular}\end{table}
{\bf $q$} \begin{minipage}{3cm} $r$ \end{minipage} \begin{tabular}{l} $s$ \end{tabular} $t$
$1$ $2$ $3$ $4$ $5$ $6$ $7$ $8$ $9$ $10$ $11$ $12$ $13$ $14$ $15$ $16$ $17$ $18$ $19$ $20$ $21$ $22$ $23$ $24$
\end{document}
"""
NOTES = """# On $a$

Some $b$ in
a paragraph, $c$.
Directly followed
# by a heading $d$
- one $e$
  and more
- two
  1. inner $f$

  with $g$
- three

> quoted $h$
> on

| a | b |
|---|---|
| $i$ | $j$ |
| $k$ | l |

$$
m
- n
$$
```math
o
```
last $p$"""


def remarks_on(source, text=NASTY):
    return [Remark(formula.start, formula.stop, text, "differs") for formula in source.formulas]


def without(text, put):
    """The annotated text with the pieces taken out again, and where each piece stands in it."""
    shift, spans, kept, place = 0, [], [], 0
    for insertion in put:
        start = insertion.place + shift
        assert text[start : start + len(insertion.text)] == insertion.text
        kept.append(text[place:start])
        place = start + len(insertion.text)
        spans.append((start, place))
        shift += len(insertion.text)
    return "".join((*kept, text[place:])), spans


def check(text, kind, remark):
    source = walk(text, kind)
    remarks = remarks_on(source, remark)
    annotated, put = annotate(source, remarks), insertions(source, remarks)
    original, spans = without(annotated, put)
    assert original == text
    again = walk(annotated, kind)
    outside = [one for one in again.formulas if not any(start <= one.start < stop for start, stop in spans)]
    assert [(one.latex, one.environment, one.cell) for one in outside] == [
        (one.latex, one.environment, one.cell) for one in source.formulas
    ]
    return annotated


@pytest.mark.parametrize(("text", "kind"), [(DOCUMENT, "tex"), (NOTES, "markdown")])
def test_every_character_stays_and_every_formula_is_found_again(text, kind):
    assert check(text, kind, NASTY).count("differs") >= text.count("$") // 4


@given(
    st.lists(
        st.sampled_from(
            ["$a$", "$$b$$", "x", "\n", "\n\n", "{", "}", "% c", "\\begin{align}d\\end{align}", " ", "- e"]
        ),
        max_size=15,
    ).map("".join),
    st.one_of(st.text(max_size=30), st.sampled_from([NASTY, "$a$ $b$", "$a", "$}$", "", "$ $"])),
)
def test_laws_in_tex(text, remark):
    check(text, "tex", remark)


@given(
    st.lists(
        st.sampled_from(["$a$", "$$b$$", "x", "\n", "\n\n", "- ", "> ", "# ", "1. ", "|", "|-|-|\n", " ", "`c`", "  "]),
        max_size=15,
    ).map("".join),
    st.one_of(st.text(max_size=30), st.sampled_from([NASTY, "$a$ $b$", "$a", "$}$", "", "$ $"])),
)
def test_laws_in_markdown(text, remark):
    source = walk(text, "markdown")
    remarks = remarks_on(source, remark)
    assert without(annotate(source, remarks), insertions(source, remarks))[0] == text


@needs_latex
@pytest.mark.parametrize("packages", [r"\usepackage{amsmath}", r"\usepackage{amsmath}\usepackage[T1]{fontenc}"])
def test_what_is_annotated_compiles(tmp_path, packages):
    text = DOCUMENT.replace(r"\usepackage{amsmath}", packages)
    (tmp_path / "d.tex").write_text(check(text, "tex", NASTY), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "d.tex"]
    for _ in range(2):
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, errors="replace")
        assert run.returncode == 0, run.stdout[-2000:]


def test_where_the_margin_is_written_to():
    annotated = check(DOCUMENT, "tex", "no")
    note = r"\marginpar{\raggedright\tiny differs: no}"
    for formula in ("$x = 1$", r"\(y\)", r"\end{align}", r"\end{gather*}", "$k$", "$m$", r"\[ i \]"):
        assert formula + note in annotated
    for formula in ("$a$", "$z$", "$j$", "$l$", "$n$", "$o$", "$q$", "$r$", "$s$"):
        assert formula in annotated
        assert formula + note not in annotated
    assert "go on. \\verb|$h$|\n% symbackprop: differs: no\n" in annotated


def test_quotes_below_blocks():
    annotated = check(NOTES, "markdown", "no")
    quote = "> **differs** no\n"
    assert f"# On $a$\n\n{quote}\nSome" in annotated
    assert f"Directly followed\n\n{quote}>\n{quote}\n# by" in annotated
    assert f"  and more\n\n  {quote}\n- two" in annotated
    assert f"  1. inner $f$\n\n     {quote}\n" in annotated
    assert f"> on\n\n{quote}\n|" in annotated
    assert f"| l |\n\n{quote}>\n{quote}>\n{quote}\n$$" in annotated
    assert annotated.endswith(f"last $p$\n\n{quote}")


def test_the_structure_of_markdown_survives():
    def bare(text):
        kept, depth = [], 0
        quoted = ""
        for token in MarkdownIt().enable("table").parse(text):
            depth += (token.type == "blockquote_open") - (token.type == "blockquote_close")
            quoted += token.content if depth else ""
            if not depth and token.type != "blockquote_close":
                kept.append(token.type)
        assert "differs" in quoted or "differs" not in text
        return kept

    assert bare(check(NOTES, "markdown", "no")) == bare(NOTES)
