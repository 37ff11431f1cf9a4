"""Where mathematics stands in notes: what is found, what is not, and that no text breaks the walk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbackprop.errors import UsageError
from symbackprop.reading.sources import Cell, Macro
from symbackprop.reading.walker import kind_of, walk

ENVIRONMENTS = ("equation", "align", "gather", "multline", "eqnarray", "flalign", "displaymath", "math")


def tex(text):
    return [formula.latex for formula in walk(text, "tex").formulas]


def markdown(text):
    return [formula.latex for formula in walk(text, "markdown").formulas]


@pytest.mark.parametrize("kind", ["tex", "markdown"])
@pytest.mark.parametrize("name", [*ENVIRONMENTS, "align*", "equation*"])
def test_environments(kind, name):
    text = f"Before\n\\begin{{{name}}}\nx &= \\text{{if $y$}}\n\\end{{{name}}} after $z$"
    (first, second) = walk(text, kind).formulas
    assert (first.latex, first.environment) == ("\nx &= \\text{if $y$}\n", name)
    assert text[first.start : first.stop].startswith("\\begin{")
    assert text[first.start : first.stop].endswith(f"\\end{{{name}}}")
    assert (second.latex, second.line, second.column) == ("z", 4, len(f"\\end{{{name}}} after $") + 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"$a$ \(b\) \[c\] $$d$$", ["a", "b", "c", "d"]),
        (r"\$5 $a$ \$", ["a"]),
        (r"$a$$b$", ["a", "b"]),
        (r"\\[2pt] $a$", ["a"]),
        (r"\begin{alignat}{2} a \end{alignat}", [" a "]),
        (r"\begin{equation}\begin{split} a \end{split}\end{equation}", [r"\begin{split} a \end{split}"]),
        (r"$$\begin{align}a\end{align}$$", [r"\begin{align}a\end{align}"]),
        ("% $a$\n$b$", ["b"]),
        (r"50\% of $a$", ["a"]),
        (r"\verb|$a$| $b$ \lstinline!$c$! \mintinline{py}{$d$}", ["b"]),
        (r"\begin{verbatim}$a$\end{verbatim}$b$", ["b"]),
        (r"\begin{minted}{py}$a$\end{minted}$b$", ["b"]),
        (r"\begin{tikzpicture}\node{$a$};\end{tikzpicture}$b$", ["b"]),
        (r"\iffalse $a$ \ifx\a\b \fi $b$ \fi $c \iff d$", [r"c \iff d"]),
        (r"$p$\begin{document}$a$\end{document}$b$", ["a"]),
        (r"\newcommand{\x}{$a$}\newenvironment{e}[1]{$b}{b$} $c$", ["c"]),
        (r"\newcommand{\be}{\begin{equation}}\newcommand\ee{\end{equation}}\be a \ee", [" a "]),
        ("$a % no\nb$", ["a     \nb"]),
        (r"$\newcommand{\R}{r}$ $a$", ["a"]),
        ("$$ $$ $ $", []),
        # What is broken does not hide what comes after it.
        ("$a\n\n$b$", ["b"]),
        ("\\section{a { $x$\n\n$y$", ["x", "y"]),
        (r"\footnote{$a } $b$", ["b"]),
        (r"\begin{align} a \begin{align} b \end{align} $c$", [" b ", "c"]),
        (r"\begin{align} a \end{align*} $c$", [" a ", "c"]),
        (r"\[ a \begin{itemize} \item $b$ \end{itemize}", ["b"]),
        (r"\begin{verbatim} $a$", ["a"]),
        (r"\end{align} } \) $a$", ["a"]),
    ],
)
def test_tex(text, expected):
    assert tex(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("costs $5 and $6, $x$", ["x"]),
        ("between $5-$6, $ x$, $x $y", []),
        ("$a$ $$b$$ $`c`$", ["a", "b", "c"]),
        ("```\n$a$\n```\n$b$", ["b"]),
        ("~~~ tex\n$a$\n```\n~~~\n$b$", ["b"]),
        ("```math\na = b\n```", ["a = b\n"]),
        ("a\n\n    $a$\n\n$b$", ["b"]),
        ("- a\n\n    $a$\n", ["a"]),
        ("`$a$` ``$b`$`` $c$", ["c"]),
        ("<!-- $a$\n\n$b$ --> $c$", ["c"]),
        ("<!-- $a$", ["a"]),
        ("<pre>\n$a$\n</pre>\n$b$", ["b"]),
        ("$a\n\nb$", []),
        ("# cost $5\nand $6$", ["6"]),
        (r"\begin{align}a\end{align}", ["a"]),
        ("$$\n\\begin{align}a\\end{align}\n$$", ["\n\\begin{align}a\\end{align}\n"]),
        ("> $$\n> a\n> $$", ["\n  a\n  "]),
        ("a \\[1\\] and \\[x\\]", ["x"]),
        ("50% of $a$ and $b \\% c$\n$d$", ["a", "b \\% c", "d"]),
        ("$$\n\\newcommand{\\R}{r}\n$$\n$\\R \\thinspace \\lt x$", [r"\R \thinspace \lt x"]),
    ],
)
def test_markdown(text, expected):
    assert markdown(text) == expected


def test_macros():
    text = (
        r"\newcommand{\R}{\mathbb{R}}\renewcommand*\pd[2][L]{\frac{\partial #1}{\partial #2}}"
        r"\providecommand{\R}{no}\def\vec#1{\mathbf{#1}}\DeclareMathOperator*{\relu}{ReLU}"
        r"\def\odd(#1){a}\newcommand{\bad}{#1}\verb|\newcommand{\v}{a}|%\newcommand{\c}{a}"
    )
    assert walk(text, "tex").macros == {
        "\\R": Macro("\\R", 0, r"\mathbb{R}"),
        "\\pd": Macro("\\pd", 2, r"\frac{\partial #1}{\partial #2}", "L"),
        "\\vec": Macro("\\vec", 1, r"\mathbf{#1}"),
        "\\relu": Macro("\\relu", 0, r"\operatorname{ReLU}"),
    }
    found = walk("$$\n\\newcommand{\\R}{r}\n$$\n`\\newcommand{\\S}{s}`\n```math\n\\def\\T{t}\nx\n```\n", "markdown")
    assert list(found.macros) == ["\\R", "\\T"]


@pytest.mark.parametrize(
    "table",
    [
        (
            "\\begin{tabular}{l>{$}c<{$}}\\toprule\nName & The \\textbf{Shape} $n$ \\\\\n\\midrule\na & b \\\\ %\n"
            "\\hline\n{a & $u$} & $w$ \\\\\n\\end{tabular}"
        ),
        "\\begin{longrows}{ll}{name & the shape \\\\}\nx & y \\\\\na & $w$ \\tabularnewline\n\\end{longrows}",
        (
            "\\begin{longtable}{ll}\\caption{c}\\\\ name & the shape \\\\ \\endfirsthead name & $w$ \\\\ \\endhead\n"
            "a & b \\\\ a & $w$\n\\end{longtable}"
        ),
    ],
)
def test_cells_in_tex(table):
    formula = walk("$o$" + table, "tex").formulas[-1]
    assert (formula.latex, formula.cell) == ("w", Cell(1, 2, "the shape"))
    assert walk("$o$" + table, "tex").formulas[0].cell is None
    swapped = walk(table.replace("a & $w$", "$a$ & w").replace("{a & $u$} & $w$", "$a$ & w"), "tex").formulas[-1]
    assert swapped.cell == Cell(1, 2, "name")


def test_cells_in_markdown():
    text = "$o$\n\n| A | *The* `Shape` $n$ |\n|---|:-:|\n| `|` $|x|$ | $y$ |\n$u$ \\| | $v$ |\n\n$o$"
    cells = [formula.cell for formula in walk(text, "markdown").formulas]
    assert cells == [
        None, Cell(1, 0, "the shape"), Cell(1, 1, "a"), Cell(1, 1, "the shape"), Cell(1, 2, "a"),
        Cell(1, 2, "the shape"), None,
    ]  # fmt: skip


def test_kinds():
    assert [kind_of(name) for name in ("a.tex", "b.LTX", "c.md", "d.markdown")] == ["tex", "tex", *["markdown"] * 2]
    with pytest.raises(UsageError, match=r"known are \.tex, \.ltx, \.latex, \.md"):
        kind_of("a.txt")
    with pytest.raises(UsageError, match="not 'html'"):
        walk("", "html")


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            "$", "$$", "x", " ", "\n", "\n\n", "\\(", "\\)", "\\[", "\\]", "{", "}", "\\", "%", "&", "\\\\", "`", "```",
            "```math\n", "~~~", "> ", "- ", "    ", "#", "|", "|-|-|\n", "<!--", "-->", "\\text{", "\\begin{align}",
            "\\end{align}", "\\begin{tabular}{l}", "\\end{tabular}", "\\begin{verbatim}", "\\end{verbatim}", "\\verb|",
            "\\newcommand{\\a}[1]{", "\\def\\b#1{", "\\iffalse", "\\fi", "\\begin{longrows}{l}{a", "\\section{", "5",
            "\r",
        ]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(FRAGMENTS, st.sampled_from(["tex", "markdown"]))
def test_places_are_right(text, kind):
    place = 0
    for formula in walk(text, kind).formulas:
        whole = text[formula.start : formula.stop]
        assert place <= formula.start < formula.stop <= len(text)
        place = formula.stop
        inside = formula.start + whole.index("\n") + 1 if whole[:3] in ("```", "~~~") else None
        opening = {"$$": 2, "\\(": 2, "\\[": 2}.get(formula.environment, len(f"\\begin{{{formula.environment}}}"))
        if formula.environment == "$":
            opening = 2 if whole.startswith("$`") and whole.endswith("`$") else 1
        starts = [inside] if inside is not None else [formula.start + opening]
        if formula.environment == "$" and opening == 2:
            starts.append(formula.start + 1)
        lines = text.split("\n")
        offset = sum(len(line) + 1 for line in lines[: formula.line - 1]) + formula.column - 1
        assert offset in starts
        assert len(formula.latex) <= len(whole)
        assert formula.latex.count("\n") == text[offset : offset + len(formula.latex)].count("\n")
        if formula.environment in ("$", "$$"):
            assert whole.startswith("$")
            assert whole.endswith("$")


@given(st.text(max_size=60), st.sampled_from(["tex", "markdown"]))
def test_any_text_is_walked(text, kind):
    walk(text, kind)


@pytest.mark.parametrize("kind", ["tex", "markdown"])
@pytest.mark.parametrize(
    "piece",
    ["{", "}", "\\begin{align}", "$", "\\[", "\\(", "$\\text{", "`", "$`a", "<!--", "\\iffalse", "\\verb|", ">", "- ",
     "\\begin{verbatim}", "\\newcommand{\\a}{", "\\begin{tabular}{c}", "|", "```\n", "\\begin{equation}\\begin{align}"],
)  # fmt: skip
def test_a_hundred_thousand_of_anything(piece, kind):
    walk(piece * 100_000, kind)


def test_tables_in_tables_and_wide_ones():
    walk("\\begin{tabular}{c}" * 20_000 + "\\end{tabular}" * 20_000, "tex")
    walk("\\begin{tabular}{c}" + "a &" * 20_000 + "\\\\ b \\end{tabular}", "tex")
    walk("|" * 20_000 + "\n" + "|-" * 20_000 + "|\n" + "|$x$" * 20_000, "markdown")


@pytest.mark.parametrize("kind", ["tex", "markdown"])
def test_a_megabyte(kind):
    paragraph = "Let $a_{1}$ be \\(b\\).\n\\begin{align}\nx &= y \\\\\nz &= w\n\\end{align}\n\n"
    assert len(walk(paragraph * 15_000, kind).formulas) == 45_000
