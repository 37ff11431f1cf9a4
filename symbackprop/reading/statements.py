r"""Rows and relations: a formula's tokens cut into statements, each a chain of sides with relations between them.

\delta &= A \\          one statement of two rows,
       &= B + C         with three sides: \delta = A = B + C
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symbackprop.reading.tokens import END, Token, joined

__all__ = ["EQUAL", "Side", "Statement", "statements"]

_ROWS = frozenset(
    ("aligned", "align", "split", "gathered", "gather", "alignat", "alignedat", "eqnarray", "multline", "flalign",
     "multlined", "equation", "subequations", "array", "displaymath", "math")
)  # fmt: skip
"""Environments whose rows are rows of the formula; the others (cases, pmatrix) are read where they stand."""
EQUAL = frozenset(("=", ":=", "\\approx"))
_RELATIONS = frozenset((*EQUAL, "\\leftarrow", "\\rightarrow", "\\in", "\\propto", "\\sim", "\\mapsto"))
_ORDERS = frozenset(("<", ">", "\\leq", "\\geq", "\\neq", "\\ll", "\\gg"))
_BREAKS = frozenset((",", ";", "\\quad", "\\Rightarrow", "\\Leftrightarrow", "\\therefore", "\\because"))
_OPENING = frozenset(("(", "[", "{", "\\{", "\\lvert", "\\lfloor", "\\left."))
_CLOSING = frozenset((")", "]", "}", "\\}", "\\rvert", "\\rfloor", "\\right."))
_CONTINUE = frozenset(("+", "-", "\\cdot", "\\odot", "\\times", "*", "\\circ", "/"))


@dataclass(frozen=True)
class Side:
    """One side of a relation: its tokens, the last of which marks the end."""

    tokens: tuple[Token, ...]

    @property
    def latex(self) -> str:
        """The side as LaTeX."""
        return joined(self.tokens[:-1])

    @property
    def line(self) -> int:
        """The line on which it begins."""
        return self.tokens[0].line

    @property
    def column(self) -> int:
        """The column in which it begins."""
        return self.tokens[0].column


@dataclass(frozen=True)
class Statement:
    """``sides[0] relations[0] sides[1] relations[1] ...``; of one side only where nothing is related."""

    sides: tuple[Side, ...]
    relations: tuple[str, ...]

    @property
    def line(self) -> int:
        """The line on which it begins."""
        return self.sides[0].line

    @property
    def column(self) -> int:
        """The column in which it begins."""
        return self.sides[0].column


def statements(tokens: Sequence[Token]) -> tuple[Statement, ...]:
    """The statements of a formula, in order."""
    found: list[Statement] = []
    for row in _joined_rows(_rows(tokens)):
        for piece in _pieces(row):
            statement = _statement(piece)
            if statement is not None:
                found.append(statement)
    return tuple(found)


def _rows(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The rows, without the marks of alignment."""
    row: list[Token] = []
    inner = 0
    for token in tokens:
        name = token.text[token.text.find("{") + 1 : -1].rstrip("*") if token.text[:5] in ("\\begi", "\\end{") else ""
        if name in _ROWS and not inner:
            # What stands beside an aligned block is no row of it.
            if row and token.text.startswith("\\end"):
                yield row
                row = []
            continue
        if name:
            inner += 1 if token.text.startswith("\\begin") else -1
        if not inner and token.text == "\\\\":
            yield row
            row = []
        elif token.kind != END:
            row.append(token)
    yield row


def _depths(tokens: Sequence[Token]) -> Iterator[tuple[Token, int]]:
    """Each token with how many brackets are open around it."""
    depth = 0
    for token in tokens:
        closing = token.text in _CLOSING or token.text.startswith("\\end{")
        depth -= closing
        yield token, max(depth, 0)
        depth += token.text in _OPENING or token.text.startswith("\\begin{")


def _joined_rows(rows: Iterator[list[Token]]) -> Iterator[list[Token]]:
    """Rows with those that go on with the one before put behind it."""
    whole: list[Token] = []
    for row in rows:
        hangs = _hangs(row)
        row = _without_marks(row)
        # A vertical space after \\ stands in brackets at the beginning of the next row.
        if row and row[0].text == "[" and not row[0].spaced:
            close = next((k for k, token in enumerate(row) if token.text == "]"), None)
            inside = joined(row[1:close]) if close else ""
            if close and inside[-2:] in ("pt", "ex", "em", "mm", "cm"):
                row = row[close + 1 :]
        row = _without_marks(row)
        if not row:
            continue
        related = any(token.text in _RELATIONS and not depth for token, depth in _depths(row))
        goes_on = row[0].text in _RELATIONS or (row[0].text in _CONTINUE and not related)
        goes_on = goes_on or (hangs and not related)
        if whole and (goes_on or whole[-1].text in _CONTINUE | _RELATIONS or _unbalanced(whole)):
            whole = [*whole, *row]
        else:
            if whole:
                yield whole
            whole = row
    if whole:
        yield whole


def _hangs(row: list[Token]) -> bool:
    """Whether nothing stands on the left of the first mark of alignment, and no remark on its right."""
    rest = [token for token in row if token.text not in ("&", "\\quad")]
    return bool(rest) and row[0].text == "&" and rest[0].kind != "word"


def _without_marks(row: list[Token]) -> list[Token]:
    """A row without the space and the marks of alignment before it; further marks stay where they part equations."""
    while row and row[0].text in ("\\quad", "&"):
        row = row[1:]
    kept: list[Token] = []
    related = False
    for place, token in enumerate(row):
        if token.text == "&" and token.kind != "word":
            following = row[place + 1].text if place + 1 < len(row) else ""
            # Every second mark of a row parts two equations.
            if _inside(row[:place]):
                kept.append(token)
            elif related and following not in _RELATIONS | _CONTINUE | {"&", ""}:
                kept.append(replace(token, text=";"))
                related = False
            continue
        related = related or token.text in _RELATIONS
        kept.append(token)
    return kept


def _inside(tokens: Sequence[Token]) -> bool:
    """Whether an environment such as cases is open."""
    return sum(token.text.startswith("\\begin{") for token in tokens) > sum(
        token.text.startswith("\\end{") for token in tokens
    )


def _unbalanced(tokens: Sequence[Token]) -> bool:
    opened = sum(token.text in ("(", "[", "\\{") for token in tokens)
    return opened > sum(token.text in (")", "]", "\\}") for token in tokens)


def _pieces(row: list[Token]) -> Iterator[list[Token]]:
    """What stands between commas, wide spaces, arrows and words of prose."""
    piece: list[Token] = []
    pieces = [piece]
    for token, depth in _depths(row):
        is_prose = token.kind == "word" and _is_prose(token.text)
        if not depth and (token.text in _BREAKS or is_prose):
            piece = [token] if is_prose else []
            pieces.append(piece)
        else:
            piece.append(token)
    for piece, following in zip(pieces, [*pieces[1:], []], strict=True):
        remark = bool(piece) and piece[0].kind == "word" and _is_prose(piece[0].text)
        rest = piece[1:] if remark else piece
        condition = remark and (piece[0].text.split() or [""])[-1] in ("if", "when", "for", "otherwise", "over", "all")
        ranged = bool(following) and following[0].text == "\\ldots"
        if not condition and not ranged and rest and rest[0].text != "\\ldots":
            yield rest


_PROSE = frozenset(
    ("and", "or", "if", "when", "where", "with", "for", "otherwise", "so", "thus", "hence", "then", "since", "because",
     "that", "is", "as", "by", "using", "while", "but", "from", "which", "gives", "i.e.", "e.g.", "therefore", "let")
)  # fmt: skip


def _is_prose(word: str) -> bool:
    words = word.strip(" ,.;:()").split()
    return len(words) > 2 or any(part.strip(",.;:").lower() in _PROSE for part in words) or not words


def _statement(tokens: list[Token]) -> Statement | None:
    while tokens and (
        tokens[-1].text in (".", ",", ";", "\\quad") or (tokens[-1].kind == "word" and not tokens[-1].text)
    ):
        tokens = tokens[:-1]
    sides: list[list[Token]] = [[]]
    relations: list[str] = []
    for token, depth in _depths(tokens):
        if depth == 0 and token.text in _ORDERS:
            return None
        if depth == 0 and token.text in _RELATIONS:
            relations.append(token.text)
            sides.append([])
        else:
            sides[-1].append(token)
    if relations and not sides[0]:
        sides, relations = sides[1:], relations[1:]
    kept = [[token for token in side if token.text != "\\quad"] for side in sides]
    if any(not side for side in kept):
        if all(not side for side in kept):
            return None
        place = next(token for side in kept for token in side)
        place.fail("a side of the relation is missing here")
    return Statement(tuple(map(_side, kept)), tuple(relations))


def _side(tokens: list[Token]) -> Side:
    last = tokens[-1]
    return Side((*tokens, Token("", last.line, last.column + len(last.text), kind=END)))
