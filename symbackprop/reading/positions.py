"""Indices on paper as positions on the axes of an array: numbers from 1, letters, letters with an offset."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import sympy

from symbackprop.notation.expressions import Limit, index
from symbackprop.reading.names import Name, Reading
from symbackprop.reading.reader import Reader, ShapeMismatchError
from symbackprop.reading.syntax import Node
from symbackprop.reading.table import Declared

__all__ = ["Positions"]

_POSITION_PARTS = re.compile(r"([+-]?)([A-Za-z]+|\\[a-z]+|\d+)")


class Positions(Reader):
    """Which entries of an array the indices of a name mean."""

    def is_slice(self, declared: Declared, reading: Reading) -> bool:
        """Whether the one index of a reading says which example: P_n is a row of P."""
        long = sum(self.sizes.find(extent) != 1 for extent in declared.shape)
        return declared.sample is not None and len(declared.shape) == long == 2 and len(reading.indices) == 1

    def positions(self, declared: Declared, reading: Reading, name: Name) -> tuple[list[sympy.Expr], tuple[Limit, ...]]:
        """The position on each axis on paper, and the axes that stay open."""
        texts: list[str | None] = list(reading.indices)
        shape = declared.shape
        if reading.sample is None and self.is_slice(declared, reading):
            self.sliced = declared.sample == 0
            reading = replace(reading, indices=(), sample=reading.indices[0])
            texts = []
        if texts and len(texts) < len(shape) and reading.sample is None:
            # Axes of length one need no index.
            rest = iter(texts)
            texts = ["1" if self.sizes.find(extent) == 1 else next(rest) for extent in shape]
        if reading.sample is not None:
            assert declared.sample is not None
            texts = texts or [None] * (len(shape) - 1)
            texts.insert(declared.sample, reading.sample)
        if not texts:
            texts = [None] * len(shape)
        positions: list[sympy.Expr] = []
        axes: list[Limit] = []
        for text, extent in zip(texts, shape, strict=True):
            if text is None and reading.sample is not None and self.sizes.find(extent) == 1:
                positions.append(sympy.S.Zero)
            elif text is None:
                axis = self.arrays.axis(extent)
                axes.append(axis)
                positions.append(axis[0])
            else:
                positions.append(self.position(text, extent, name.node))
        return positions, tuple(axes)

    def position(self, text: str, extent: sympy.Expr | None, node: Node) -> sympy.Expr:
        """A position: a number from 1, an index, an index and a number."""
        if text.isdigit():
            number = int(text) - 1
            known = self.sizes.find(extent) if extent is not None else None
            if number < 0 or (known is not None and known.is_Integer and number >= known):
                self.fail(node, f"there is no entry {text}: indices count from 1" + (f" to {known}" if known else ""))
            if extent is not None:
                self.sizes.at_least(extent, number + 1)
            return sympy.Integer(number)
        parts = _POSITION_PARTS.findall(text)
        if len(parts) > 1 or parts[0][0] == "-" or (len(parts[0][1]) > 1 and not parts[0][1].startswith("\\")):
            return self.position_sum(parts, extent, node)
        letter = text
        if letter in self.labels:
            self.fail(node, f"{letter} is the number of a layer here, and cannot be an index")
        size = self.table.sizes.get((letter, ""))
        if size is not None and letter not in self.scope:
            return size - 1
        known = self.scope.get(letter)
        if extent is None:
            self.scope.setdefault(letter, None)
        elif known is None:
            self.scope[letter] = extent
        elif not self.sizes.same(known, extent):
            token = self.token(node)
            raise ShapeMismatchError(
                f"the index {letter} runs over {self.sizes.find(extent)} here "
                f"and over {self.sizes.find(known)} elsewhere",
                token.line,
                token.column,
            )
        return index(letter)

    def position_sum(self, parts: Sequence[tuple[str, str]], extent: sympy.Expr | None, node: Node) -> sympy.Expr:
        """A position with a plus or minus in it, counted from 0: of i+p-1, where both letters count from 1, i + p."""
        if extent is not None and len(parts) == 2 and parts[1][0] == "-" and parts[0][1].isdigit():
            # 3-p on an axis of two entries runs through it backwards.
            letter = parts[1][1]
            if self.sizes.find(extent) == int(parts[0][1]) - 1 and self.scope.get(letter) is None:
                self.scope[letter] = extent
        position: sympy.Expr = -sympy.S.One
        for sign, part in parts:
            term: sympy.Expr
            if part.isdigit():
                term = sympy.Integer(part)
            elif part in self.labels or not (len(part) == 1 or part.startswith("\\")):
                self.fail(node, f"{part!r} is no index")
            else:
                size = self.table.sizes.get((part, ""))
                if size is not None and part not in self.scope:
                    term = size
                else:
                    self.scope.setdefault(part, None)
                    term = index(part) + 1
            position += -term if sign == "-" else term
        return position
