"""What is left when everything is defined are claims."""

from __future__ import annotations

from symbackprop.reading.defining import Defining
from symbackprop.reading.names import name_of
from symbackprop.reading.relations import Relation
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.statements import Statement

__all__ = ["Claiming"]


class Claiming(Defining):
    """Collects the claims."""

    def claims(self) -> None:
        """Everything that is no definition is claimed."""
        for line in self.lines:
            statement = line.statement
            for place, sign in enumerate(statement.relations):
                if (line.number, place) in self.defined_lines or sign in ("\\in", "\\sim", "\\mapsto"):
                    continue
                if sign == "\\propto":
                    side = statement.sides[place]
                    reason = "a proportion is not checked; write the factor, and an equals sign"
                    self.refuse(line, UnreadFormulaError(reason, side.line, side.column))
                    continue
                left = statement.sides[0 if place == 0 else place]
                update = sign in ("\\leftarrow", "\\rightarrow") or self.updates(statement, place)
                if sign == "\\rightarrow" and not self.updates(statement, place):
                    continue
                mark = "&" if place else ""
                self.relations.append(
                    Relation(left, statement.sides[place + 1], f"{mark}{sign}", line.formula, update, line.number)
                )

    def updates(self, statement: Statement, place: int) -> bool:
        """Whether a relation gives the new value of its left side."""
        try:
            name = name_of(self.tree(statement.sides[0]))
            if name is None or place:
                return False
            return name.plus or self.is_update(name, Statement(statement.sides[:2], statement.relations[:1]))
        except UnreadFormulaError:
            return False
