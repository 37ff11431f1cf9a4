"""Calls: which factors of a product are a function and its argument, and the value of the function there."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbackprop.errors import nearest
from symbackprop.notation.indices import free_indices
from symbackprop.reading.array_functions import ARRAY_FUNCTIONS
from symbackprop.reading.functions import KNOWN, OPAQUE, Function, derivative_of, opaque
from symbackprop.reading.names import Name, label_value, name_of
from symbackprop.reading.symbols import Symbols
from symbackprop.reading.syntax import Group, Listing, Node, Number, Product, Scripted, core
from symbackprop.reading.table import Key, UserFunction, shown_key
from symbackprop.reading.values import Value

__all__ = ["Calls"]


class Calls(Symbols):
    """Functions and their arguments."""

    def call_length(self, factor: Node, rest: Sequence[Node], operators: Sequence[str]) -> int:
        """How many factors a call takes that begins with ``factor``; 0 where it is none."""
        name = name_of(factor)
        if name is None:
            return 0
        grouped = bool(rest) and operators[0] == "" and isinstance(core(rest[0]), Group)
        if self.is_indicator(name) and (name.below or grouped):
            return 1 + (not name.below)
        if grouped and self.is_shown(name, rest[0]):
            return 2
        if not self.is_function(name, grouped):
            return 0
        if not rest or operators[0] != "":
            self.fail(factor, f"the argument of {shown_key((name.base, ''))} is missing; write it in parentheses")
        length = 2
        if not grouped:
            inner = self.call_length(rest[0], rest[1:], operators[1:])
            length = 1 + (inner or 1)
        return length

    def is_shown(self, name: Name, argument: Node) -> bool:
        r"""Whether a variable stands there with its arguments shown: L(y, \hat{y}), as it was defined."""
        user = self.table.user.get((name.key, ""))
        if user is None or name.below or name.above or self.table.find(name.key, "") is None:
            return False
        body = argument.body if isinstance(argument, Group) else argument
        items = body.items if isinstance(body, Listing) else (body,)
        names = [name_of(item) for item in items]
        plain = [item.base for item in names if item is not None and not item.below and not item.above]
        return plain == list(user.parameters) and len(plain) == len(items)

    def function_key(self, name: Name) -> Key:
        """The name of a function in the table: its letter and its label."""
        for script in name.above:
            if script.kind in ("(", "["):
                return name.base, label_value(script.text, self.labels)
        plain = next((script for script in name.above if script.kind == "plain"), None)
        if plain is not None and not isinstance(plain.body, Number):
            return name.base, label_value(plain.text, self.labels)
        if name.below:
            return name.base, label_value(",".join(script.text for script in name.below), self.labels)
        return name.base, ""

    def is_function(self, name: Name, grouped: bool) -> bool:
        """Whether a name is a function; ``grouped`` says whether parentheses follow."""
        key = self.function_key(name)
        if self.table.find(*key) is not None or key in self.table.sizes or name.base in self.arguments:
            return False
        if name.primes and any(base == name.key for base, _ in self.table.declared):
            return False
        if key in self.table.abbreviations:
            return False
        if key in self.table.functions or key in self.table.user:
            return True
        if self.table.find(name.base, "") is not None:
            return False
        if _known(name.base) is not None or name.base.lstrip("\\").lower() in ARRAY_FUNCTIONS:
            return True
        if any(base == name.base for base, _ in (*self.table.functions, *self.table.user)):
            return True
        return name.base in OPAQUE and (grouped or bool(name.primes))

    def function(self, name: Name, node: Node) -> Function:
        """The function of one number that a name stands for, with its primes."""
        key = self.function_key(name)
        found = self.table.functions.get(key) or self.table.functions.get((name.base, "")) or _known(name.base)
        if found is None and name.base in OPAQUE:
            found = opaque(shown_key(key))
            self.table.functions[key] = found
        if found is None:
            self.fail(node, f"unknown function {name.base}; {nearest(name.base, sorted(KNOWN))}")
        for _ in range(name.primes):
            found = derivative_of(found)
        return found

    def call(self, factor: Node, rest: Sequence[Node]) -> Value:
        """The value of a call: a function and its argument, with what stands above and below it."""
        name = name_of(factor)
        assert name is not None
        if self.is_indicator(name):
            return self.indicator(name, rest)
        if len(rest) == 1 and self.is_shown(name, rest[0]):
            return self.value(factor)
        key = self.function_key(name)
        if len(rest) == 1 and isinstance(core(rest[0]), Group):
            argument, scripts = core(rest[0]), rest[0]
        else:
            argument, scripts = self._rest_or_one(rest), None
        value = self.applied(name, key, argument, factor)
        power = next((s for s in name.above if s.kind == "plain" and isinstance(s.body, Number)), None)
        if power is not None:
            value = self.power(value, power, factor)
        if isinstance(scripts, Scripted):
            value = self.scripted_value(value, scripts)
        return value

    def _rest_or_one(self, rest: Sequence[Node]) -> Node:
        if len(rest) == 1:
            return rest[0]
        return Product(rest[0].start, rest[-1].stop, tuple(rest), ("",) * (len(rest) - 1))

    def applied(self, name: Name, key: Key, argument: Node, node: Node) -> Value:
        """A function applied to its argument."""
        user = self.table.user.get(key)
        body = argument.body if isinstance(argument, Group) else argument
        if user is not None and user.elementwise is None:
            items = body.items if isinstance(body, Listing) else (body,)
            return self.user_call(name, key, items, node)
        lowered = name.base.lstrip("\\").lower()
        if lowered in ARRAY_FUNCTIONS and not name.primes:
            items = body.items if isinstance(body, Listing) else (body,)
            return ARRAY_FUNCTIONS[lowered](self, node, [self.value(item) for item in items])
        if isinstance(body, Listing):
            self.fail(node, f"{name.base} takes one argument here")
        value = self.value(body)
        activation = self.activation(name, body, node)
        if activation is not None:
            return Value(activation(value.entry), value.axes)
        function = user.elementwise if user is not None and user.elementwise is not None else self.function(name, node)
        if user is not None and user.elementwise is not None:
            for _ in range(name.primes):
                function = derivative_of(function)
        return Value(function(value.entry), value.axes)

    def activation(self, name: Name, argument: Node, node: Node) -> Function | None:
        """The activation that a letter such as varphi stands for, where it is applied to a layer's pre-activation."""
        inner = name_of(argument)
        if inner is None or name.base not in OPAQUE or _known(name.base) is not None or not self.table.activations:
            return None
        found = self.resolved(inner, ask=False)
        if found is None or found[0].adjoint or found[0].variable not in self.table.activations:
            return None
        function = self.table.activations[found[0].variable]
        if function is None:
            self.fail(node, f"the activation of {found[0].variable} takes more than one entry, so it has no name here")
        for _ in range(name.primes):
            function = derivative_of(function)
        return function

    def user_call(self, name: Name, key: Key, items: Sequence[Node], node: Node) -> Value:
        """The value of a function that the notes define, at its arguments."""
        user = self.table.user[key]
        if name.primes and len(user.parameters) == 1 == len(items):
            return self.user_slope(name, user, items[0], node)
        if name.primes:
            self.fail(node, "the derivative of a function of several arguments is not read with a prime")
        if len(items) != len(user.parameters):
            self.fail(node, f"{shown_key(key)} was defined with {len(user.parameters)} arguments")
        if self.deep > 8:
            self.fail(node, f"{shown_key(key)} calls itself")
        values = dict(zip(user.parameters, (self.value(item) for item in items), strict=True))
        outer, self.arguments = self.arguments, values
        self.deep += 1
        try:
            return self.side(user.body)
        finally:
            self.arguments, self.deep = outer, self.deep - 1

    def user_slope(self, name: Name, user: UserFunction, item: Node, node: Node) -> Value:
        """The derivative of a function of one number that the notes define, at an argument."""
        argument, letter = self.value(item), sympy.Symbol("z", real=True)
        outer, self.arguments = self.arguments, {user.parameters[0]: Value(letter)}
        try:
            body = self.side(user.body)
        finally:
            self.arguments = outer
        if body.rank or free_indices(body.entry):
            self.fail(node, "the derivative of a function of arrays is not read with a prime")

        def formula(z: sympy.Expr) -> sympy.Expr:
            return body.entry.xreplace({letter: z})

        slope: Function = formula
        for _ in range(name.primes):
            slope = derivative_of(slope)
        return Value(slope(argument.entry), argument.axes)


def _known(base: str) -> Function | None:
    accent, _, name = base.rpartition(":")
    return None if accent else KNOWN.get(name) or KNOWN.get(name.lower())
