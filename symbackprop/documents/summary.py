"""The summary of a program: one row an equation, as a table in text or HTML."""

from __future__ import annotations

import html
from dataclasses import dataclass

import sympy

from symbackprop.notation.program import Program

__all__ = ["Summary", "summarize"]

_HEADER = ("variable", "shape", "parameters", "equation")


@dataclass(frozen=True)
class Summary:
    """A table that prints itself; ``parameters`` counts weights and biases, in symbols where sizes are symbols."""

    title: str
    rows: tuple[tuple[str, str, str, str], ...]
    parameters: sympy.Expr

    def __str__(self) -> str:
        table = (_HEADER, *self.rows)
        widths = [max(len(row[column]) for row in table) for column in range(len(_HEADER))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
        ]
        rule = "-" * max(map(len, lines))
        return "\n".join([self.title, rule, lines[0], rule, *lines[1:], rule, f"parameters: {self.parameters}"])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def cells(row: tuple[str, ...], tag: str) -> str:
            return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)

        body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in self.rows)
        head = f"<tr>{cells(_HEADER, 'th')}</tr>"
        foot = f"<caption>{html.escape(self.title)}: {html.escape(str(self.parameters))} parameters</caption>"
        return f"<table>{foot}<thead>{head}</thead><tbody>{body}</tbody></table>"


def summarize(program: Program, title: str) -> Summary:
    """The summary of ``program``: its inputs, then its equations with the parameters that enter there first."""
    rows = []
    for variable in program.inputs:
        if variable not in program.parameters:
            rows.append((variable.name, _shape(variable.shape), "", variable.role.value))
    counted: set[str] = set()
    everything = sympy.Integer(0)
    for equation in program.equations:
        new = [p for p in program.parameters if p.name in program.uses[equation.name] and p.name not in counted]
        counted.update(parameter.name for parameter in new)
        count = sympy.Add(*(sympy.Mul(*parameter.shape) for parameter in new))
        everything += count
        listed = ", ".join(f"{p.name} {_shape(p.shape)}" for p in new)
        rows.append((equation.name, _shape(equation.left.shape), listed, str(equation)))
    return Summary(title, tuple(rows), sympy.expand(everything))


def _shape(shape: tuple[sympy.Expr, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + (",)" if len(shape) == 1 else ")")
