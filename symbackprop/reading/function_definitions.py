"""Functions that notes define: f(z) = ..., where f is no symbol and z stands for any number."""

from __future__ import annotations

from itertools import pairwise

import sympy

from symbackprop.errors import SymbackpropError
from symbackprop.notation.indices import free_indices
from symbackprop.reading.functions import KNOWN
from symbackprop.reading.letters import LOSSES
from symbackprop.reading.names import Name, label_value, name_of
from symbackprop.reading.relations import Line
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.statements import Side
from symbackprop.reading.survey import nodes
from symbackprop.reading.syntax import Group, Listing, Node, Product, Scripted
from symbackprop.reading.table import Key, UserFunction
from symbackprop.reading.undeclared import Undeclared
from symbackprop.reading.values import Value

__all__ = ["FunctionDefinitions"]


class FunctionDefinitions(Undeclared):
    """The functions of the notes."""

    def called_loss(self, left: Node) -> Name | None:
        r"""``L(y, \hat{y})`` on the left: a loss with its arguments shown."""
        if isinstance(left, Product) and len(left.factors) == 2 and isinstance(left.factors[1], Group):
            name = name_of(left.factors[0])
            if name is not None and not name.primes and name.base not in KNOWN:
                return name
        return None

    def defines_function(self, line: Line, left: Node) -> bool:
        """``f(z) = ...``, where f is no symbol and z stands for any number."""
        if not (isinstance(left, Product) and len(left.factors) == 2 and isinstance(left.factors[1], Group)):
            return False
        name, group = name_of(left.factors[0]), left.factors[1]
        if name is None or name.primes or left.operators != ("",):
            return False
        items = group.body.items if isinstance(group.body, Listing) else (group.body,)
        parameters = []
        for item in items:
            inner = name_of(item)
            if inner is None or inner.below or inner.above or inner.primes:
                return False
            parameters.append(inner.base)
        label = next((label_value(s.text, self.table.last) for s in (*name.above, *name.below)), "")
        key = (name.base, label)
        if key in self.table.declared or key in self.table.functions:
            return False
        known = [p for p in parameters if (p, "") in self.table.declared or any(p == q.key[0] for q in self.pending)]
        side = line.statement.sides[1]
        self.table.user[key] = UserFunction(tuple(parameters), side)
        calls, others = self.uses(line, name.base)
        is_function = (not known and name.base not in LOSSES) or (bool(calls) and not others)
        if len(parameters) == 1 and is_function:
            self.elementwise(line, key, parameters[0], side)
            self.defined_lines.add((line.number, 0))
            return True
        shown = "".join(token.text for token in line.statement.sides[0].tokens[group.start : group.stop])
        waiting = {pending.key for pending in self.pending}
        is_loss = name.base in LOSSES and calls <= {shown} and any((p, "") in waiting for p in known)
        if known and (len(known) == len(parameters) or is_loss):
            # The arguments are the variables themselves: L(y, \hat{y}) is a variable as well.
            return False
        self.defined_lines.add((line.number, 0))
        return True

    def uses(self, line: Line, base: str) -> tuple[set[str], int]:
        """The arguments that a letter is given on the other lines, and how often it stands there without any."""
        calls: set[str] = set()
        others = 0
        for other in self.lines:
            for side in other.statement.sides if other is not line else ():
                try:
                    inside = list(nodes(self.tree(side)))
                except UnreadFormulaError:
                    continue
                called = {id(node.base) for node in inside if isinstance(node, Scripted)}
                for node in inside:
                    for head, argument in pairwise(node.factors) if isinstance(node, Product) else ():
                        name = name_of(head)
                        if name is not None and name.base == base and isinstance(argument, Group):
                            calls.add("".join(token.text for token in side.tokens[argument.start : argument.stop]))
                            called.add(id(head))
                for node in inside:
                    name = name_of(node)
                    others += name is not None and name.base == base and id(node) not in called
        return calls, others

    def elementwise(self, line: Line, key: Key, parameter: str, side: Side) -> None:
        """A function of one number: its own symbol where the library has the same."""
        z = sympy.Symbol("z", real=True)
        reader = self.elaborator({}, declare=False)
        reader.arguments = {parameter: Value(z)}
        del self.table.user[key]
        try:
            body = reader.side(side)
        except UnreadFormulaError as error:
            if key[0].lstrip("\\").lower() in KNOWN:
                return
            self.refuse(line, error)
            return
        if body.rank or free_indices(body.entry):
            self.table.user[key] = UserFunction((parameter,), side)
            return
        entry = body.entry
        for name in (key[0], key[0].lstrip("\\"), key[0].lower(), "sigmoid", "relu", "tanh", "softplus"):
            function = KNOWN.get(name)
            if function is not None and _same_function(function(z), entry, z):
                self.table.functions[key] = function
                return
        self.table.functions[key] = lambda argument: entry.xreplace({z: argument})


def _same_function(first: sympy.Expr, second: sympy.Expr, z: sympy.Symbol) -> bool:
    """Whether two functions of one number agree at several points, to many digits."""
    try:
        for number in (sympy.Rational(7, 10), sympy.Rational(-13, 10), sympy.Rational(21, 10), sympy.Rational(-1, 5)):
            difference = sympy.N((first - second).xreplace({z: number}), 40)
            if not (difference.is_number and abs(difference) < sympy.Float("1e-35")):
                return False
    except (TypeError, ValueError, SymbackpropError):
        return False
    return True
