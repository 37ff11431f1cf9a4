r"""Notes that define their own network: declarations, forward equations, the loss; what is left are claims.

A first equation for a symbol, out of known ones, is a definition; everything said about derivatives, a second equation
for a symbol, an update, and numbers beside numbers are claims.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import sympy

from symbackprop.notation.expressions import base_name
from symbackprop.notation.program import Equation, Program, Variable, occurrences
from symbackprop.reading.claiming import Claiming
from symbackprop.reading.connecting import connected
from symbackprop.reading.context import Context
from symbackprop.reading.declaring import Declaring
from symbackprop.reading.error_signals import ErrorSignals
from symbackprop.reading.ground import Ground
from symbackprop.reading.loss_finding import LossFinding
from symbackprop.reading.relations import Relation, Unread, is_condition, relations_of
from symbackprop.reading.sizes import Sizes, with_known_sizes
from symbackprop.reading.sources import Source
from symbackprop.reading.survey import Survey
from symbackprop.reading.table import Table
from symbackprop.reading.watch import Place, begun

__all__ = ["Notes", "Relation", "Unread", "read_notes", "relations_of", "with_known_sizes"]


@dataclass
class Notes:
    """What notes say: the program, the table of names, the relations that are claims, and what could not be read."""

    table: Table
    context: Context
    sizes: Sizes
    relations: tuple[Relation, ...] = ()
    unread: tuple[Unread, ...] = ()
    numbers: dict[str, dict[tuple[int, ...], sympy.Expr]] = field(default_factory=dict)
    scalars: dict[str, str] = field(default_factory=dict)
    inferred: dict[str, str] = field(default_factory=dict)
    readings: tuple[str, ...] = ()
    survey: Survey = field(default_factory=Survey)
    unknown_loss: bool = False
    orientation: str = ""

    @property
    def program(self) -> Program:
        """The forward equations."""
        return self.context.program


def read_notes(source: Source, ground: Ground | None = None) -> Notes:
    """Read notes that define their own network, or those about the network of ``ground``."""
    lines, unread = relations_of(source)
    builder = _Builder([line for line in lines if not is_condition(line, source)], list(unread), ground)
    builder.run()
    return builder.notes()


class _Builder(Declaring, LossFinding, ErrorSignals, Claiming):
    """The steps of the reading, in their order."""

    def run(self) -> None:
        """Take the steps in their order."""
        everything = Place("notes", share=4 + len(self.lines) / 100)
        begun(everything)
        self.declare_all()
        begun(everything)
        self.find_sizes()
        self.find_batch()
        self.definitions()
        self.settle()
        begun(everything)
        self.find_loss()
        if not self.given:
            self.equations = connected(self.equations, self.table.loss)
        self.find_batch()
        self.error_signals()
        self.claims()

    def notes(self) -> Notes:
        """What was found."""
        self.context.program = self.program()
        self.sizes.freeze()
        return Notes(
            self.table,
            self.context,
            self.sizes,
            tuple(self.relations),
            tuple(self.unread),
            self.numbers,
            self.scalars,
            self.inferred,
            (),
            self.survey,
            self.unknown_loss,
        )

    def program(self) -> Program:
        """The program as far as it goes, with made-up sizes put in."""
        inputs = tuple(self.sized(v) for name, v in self.variables.items() if name not in self.equations)
        equations = tuple(
            Equation(self.sized(equation.left), self.entry(equation.right)) for equation in self.in_order()
        )
        return Program(
            inputs, equations, self.table.loss, None, self.table.batch, "the notes", assumptions=self.assumptions
        )

    def in_order(self) -> list[Equation]:
        """The equations in computing order."""
        done: dict[str, Equation] = {}

        def visit(name: str, path: tuple[str, ...]) -> None:
            equation = self.equations.get(name)
            if equation is None or name in done or name in path:
                return
            for used in dict.fromkeys(base_name(o) for o in occurrences(equation.right)):
                visit(used, (*path, name))
            done[name] = equation

        for name in self.equations:
            visit(name, ())
        return list(done.values())

    def sized(self, variable: Variable) -> Variable:
        """``variable`` with what became of its made-up sizes."""
        return replace(variable, shape=tuple(map(self.sizes.find, variable.shape)))

    def entry(self, expression: sympy.Expr) -> sympy.Expr:
        """``expression`` with what became of made-up sizes."""
        return with_known_sizes(expression, self.sizes)
