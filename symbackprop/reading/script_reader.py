"""What stands below and above a symbol: pieces between commas, numbers of layers in brackets, transposes, primes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.syntax import Node, Script
from symbackprop.reading.token_reader import TokenReader, split
from symbackprop.reading.tokens import END, Token

__all__ = ["ScriptReader"]


class ScriptReader(TokenReader):
    """Reads subscripts and superscripts."""

    def subscripts(self) -> list[Script]:
        """Pieces between commas; without commas one piece, which may be several indices in a row."""
        start = self.at
        inside = self.raw_argument(self.next)
        if not inside:
            self.fail("an empty subscript", self.tokens[start])
        found = []
        begin = start + (self.tokens[start].text == "{")
        for piece in split(inside, ","):
            if not piece:
                self.fail("a subscript is missing between the commas", self.tokens[start])
            found.append(self.script(piece, begin))
            begin += len(piece) + 1
        return found

    def script(self, piece: Sequence[Token], begin: int, kind: str = "plain") -> Script:
        """One piece of a script; what is no expression is only its text."""
        text = _script_text(piece)
        end = Token("", piece[-1].line, piece[-1].column + 1, kind=END)
        # Read in place, so that its parts know where they stand in the whole formula.
        reader = replace(self, tokens=(*self.tokens[:begin], *piece, end), at=begin, bars=0, double=0)
        body: Node | None
        try:
            body = reader.comparison()
        except UnreadFormulaError:
            body = None
        if reader.next.kind != END:
            body = None
        return Script(begin, begin + len(piece), kind, text, body)

    def superscripts(self) -> list[Script]:
        """What stands above: labels, primes, transposes, powers."""
        start = self.at
        inside = self.raw_argument(self.next)
        if not inside:
            self.fail("an empty superscript", self.tokens[start])
        begin = start + (self.tokens[start].text == "{")
        while inside and inside[0].text == "{" and inside[-1].text == "}" and _closes(inside) == len(inside) - 1:
            inside, begin = inside[1:-1], begin + 1
        found: list[Script] = []
        place = 0
        plain: list[Token] = []

        def flush() -> None:
            nonlocal plain
            if plain:
                found.append(self.script(plain, begin + place - len(plain)))
                plain = []

        while place < len(inside):
            token = inside[place]
            close = _closes(inside[place:]) if token.text in ("(", "[") else None
            rest = inside[place + close + 1 :] if close is not None else []
            if close and not plain and (not rest or rest[0].text in ("(", "[", "\\top", "T", "'", ",")):
                piece = inside[place + 1 : place + close]
                if piece:
                    found.append(self.script(piece, begin + place + 1, token.text))
                place += close + 1
                continue
            alone = not plain and place == len(inside) - 1
            word = token.text if token.kind == "word" else ""
            if token.text == "\\top" or (alone and (token.text == "T" or word in ("T", "t", "tr"))):
                flush()
                found.append(Script(begin + place, begin + place + 1, "top", token.text))
            elif token.text == "'":
                flush()
                found.append(Script(begin + place, begin + place + 1, "prime", "'"))
            elif alone and (token.text in ("+", "*") or word in ("new", "next", "neu")):
                found.append(Script(begin + place, begin + place + 1, "plus", token.text))
            elif token.text in ("\\circ", "\\odot") and not plain:
                found.append(Script(begin + place, begin + place + 1, "circ", token.text))
            elif token.text == "," and not plain:
                pass
            elif token.text == "," and plain:
                flush()
            else:
                plain.append(token)
                place += 1
                continue
            place += 1
        flush()
        return found


def _closes(tokens: Sequence[Token]) -> int | None:
    """Where the bracket that ``tokens`` begin with is closed."""
    depth = 0
    for place, token in enumerate(tokens):
        depth += token.text in ("(", "[", "{")
        depth -= token.text in (")", "]", "}")
        if not depth:
            return place
    return None


def _script_text(tokens: Sequence[Token]) -> str:
    r"""What a script says, without spaces, braces and dress: ``{\text{pred}}`` and ``pred`` are the same."""
    dropped = ("{", "}", "\\mathbf", "\\mathcal", "\\quad")
    return "".join(token.text for token in tokens if token.text not in dropped or token.kind == "word")
