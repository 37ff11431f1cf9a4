"""All opening, closing, substituting and renaming of indices. Nothing else in the package does any of it.

SymPy's ``subs`` and ``xreplace`` capture bound names without an error, and its ``diff`` is silently wrong when the
target uses the name of a bound index. So binders are opened here, under fresh names that no user can write
(``_0``, ``_1``, ...), and closed here, under readable names, once an expression is finished.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import sympy

from symbackprop.notation.expressions import REDUCTIONS, ArgMaximum, Limit, Sum, index, is_occurrence, limits

__all__ = [
    "Fresh",
    "bound_indices",
    "close",
    "free_indices",
    "index_like",
    "is_index",
    "is_position",
    "is_size",
    "matches",
    "open_reduction",
    "same_up_to_names",
    "substitute",
]

_BEFORE_SPARE = {"n": ("m",), "i": ("k",)}
_INDEX_LETTERS = frozenset("defghijklmnopqrstuv")
_SPARE_NAMES = ("k", "l", "m", "p", "q", "r", "s", "t", "u", "v", "h", "g")


def is_size(symbol: sympy.Basic) -> bool:
    """Whether ``symbol`` is a symbolic size: a positive integer symbol."""
    return isinstance(symbol, sympy.Symbol) and bool(symbol.is_integer) and bool(symbol.is_positive)


def is_index(symbol: sympy.Basic) -> bool:
    """Whether ``symbol`` is an index: an integer symbol that is not a size."""
    return isinstance(symbol, sympy.Symbol) and bool(symbol.is_integer) and not symbol.is_positive


def is_position(expression: sympy.Basic) -> bool:
    """Whether an expression, such as one side of a comparison, counts positions rather than being a value."""
    if isinstance(expression, ArgMaximum) or is_index(expression):
        return True
    if is_occurrence(expression) or isinstance(expression, REDUCTIONS):
        return False
    return any(is_position(argument) for argument in expression.args)


_NONE: frozenset[sympy.Symbol] = frozenset()


@lru_cache(maxsize=1 << 14)
def free_indices(expression: sympy.Basic) -> frozenset[sympy.Symbol]:
    """The indices that occur free in ``expression``."""
    if isinstance(expression, sympy.Symbol):
        return frozenset((expression,)) if is_index(expression) else _NONE
    if isinstance(expression, REDUCTIONS):
        own = frozenset(i for i, _ in limits(expression))
        return free_indices(expression.args[0]) - own
    arguments = expression.indices if isinstance(expression, sympy.Indexed) else expression.args
    return _NONE.union(*(free_indices(argument) for argument in arguments))


@lru_cache(maxsize=1 << 14)
def bound_indices(expression: sympy.Basic) -> frozenset[sympy.Symbol]:
    """The indices that some reduction inside ``expression`` binds."""
    own = frozenset(i for i, _ in limits(expression)) if isinstance(expression, REDUCTIONS) else _NONE
    return own.union(*(bound_indices(argument) for argument in expression.args))


class Fresh:
    """A supply of index names that no user can write; it remembers which readable name each stands for."""

    def __init__(self) -> None:
        self._count = 0
        self.hints: dict[sympy.Symbol, str] = {}

    def take(self, hint: sympy.Symbol) -> sympy.Symbol:
        """A new index in place of ``hint``."""
        new = index(f"_{self._count}")
        self._count += 1
        self.hints[new] = self.hints.get(hint, hint.name)
        return new


def open_reduction(reduction: sympy.Expr, fresh: Fresh) -> tuple[sympy.Expr, tuple[Limit, ...]]:
    """The body of a reduction with its indices replaced by fresh ones, and those with their sizes."""
    opened = tuple((fresh.take(i), extent) for i, extent in limits(reduction))
    names = {old: new for (old, _), (new, _) in zip(limits(reduction), opened, strict=True)}
    return substitute(reduction.args[0], names), opened


def _rebuild(expression: sympy.Basic, arguments: Iterable[sympy.Basic]) -> sympy.Basic:
    if isinstance(expression, sympy.Indexed):
        return sympy.Indexed(expression.base, *arguments)
    return expression.func(*arguments)


def _rebind(reduction: sympy.Expr, body: sympy.Expr, names: Iterable[sympy.Symbol]) -> sympy.Expr:
    over = ((name, 0, extent - 1) for name, (_, extent) in zip(names, limits(reduction), strict=True))
    return Sum(body, *over) if isinstance(reduction, sympy.Sum) else reduction.func(body, *over)


def substitute(expression: sympy.Expr, values: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
    """``expression`` with free indices replaced, bound ones renamed where they would capture a new name."""
    if not values:
        return expression
    touched: frozenset[sympy.Symbol] = frozenset(values).union(*(free_indices(v) for v in values.values()))
    if not touched & bound_indices(expression):
        return expression.xreplace(dict(values))
    return _substitute(expression, dict(values))


def _substitute(expression: sympy.Basic, values: dict[sympy.Symbol, sympy.Expr]) -> sympy.Basic:
    if isinstance(expression, sympy.Symbol):
        return values.get(expression, expression)
    if isinstance(expression, REDUCTIONS):
        own = tuple(i for i, _ in limits(expression))
        body = expression.args[0]
        inner = {old: new for old, new in values.items() if old not in own and old in free_indices(body)}
        arriving: frozenset[sympy.Symbol] = _NONE.union(*(free_indices(v) for v in inner.values()))
        taken = arriving | free_indices(body) | bound_indices(body) | frozenset(inner) | frozenset(own)
        names = []
        for i in own:
            name = i
            if i in arriving:
                name = next(c for c in _candidates(i.name) if c not in taken)
                taken |= {name}
                inner[i] = name
            names.append(name)
        return _rebind(expression, _substitute(body, inner), names)
    if not expression.args:
        return expression
    arguments = expression.indices if isinstance(expression, sympy.Indexed) else expression.args
    return _rebuild(expression, [_substitute(argument, values) for argument in arguments])


def index_like(names: Iterable[str]) -> frozenset[str]:
    """Those of ``names`` that an index might otherwise be given: one letter, or one letter and a number."""
    return frozenset(name for name in names if name.rstrip("0123456789") in _INDEX_LETTERS)


def _candidates(hint: str) -> Iterator[sympy.Symbol]:
    """Readable names for an index once called ``hint``, the best first, without end."""
    yield index(hint)
    yield from (index(name) for name in _BEFORE_SPARE.get(hint, ()))
    yield from (index(name) for name in _SPARE_NAMES)
    count = 1
    while True:
        yield index(f"{hint}{count}")
        count += 1


def close(
    expression: sympy.Expr,
    scope: tuple[Limit, ...],
    taken: Iterable[sympy.Symbol],
    hints: Mapping[sympy.Symbol, str],
) -> tuple[dict[sympy.Symbol, sympy.Symbol], sympy.Expr]:
    """Readable names for the open indices of ``scope`` and for every index bound inside ``expression``.

    Declared names are given back where they are free; ``taken`` are the names in use around the expression.
    Returns the new name of each scope index, and the expression under the new names.
    """
    used = set(taken)
    names: dict[sympy.Symbol, sympy.Symbol] = {}
    for i, _ in scope:
        names[i] = next(c for c in _candidates(hints.get(i, i.name)) if c not in used)
        used.add(names[i])
    return names, _close(expression, names, frozenset(used), hints)


def _close(
    expression: sympy.Basic,
    names: dict[sympy.Symbol, sympy.Symbol],
    taken: frozenset[sympy.Symbol],
    hints: Mapping[sympy.Symbol, str],
) -> sympy.Basic:
    if isinstance(expression, sympy.Symbol):
        return names.get(expression, expression)
    if isinstance(expression, REDUCTIONS):
        inner = dict(names)
        for i, _ in limits(expression):
            inner[i] = next(c for c in _candidates(hints.get(i, i.name)) if c not in taken)
            taken |= {inner[i]}
        body = _close(expression.args[0], inner, taken, hints)
        return _rebind(expression, body, [inner[i] for i, _ in limits(expression)])
    if not expression.args:
        return expression
    arguments = expression.indices if isinstance(expression, sympy.Indexed) else expression.args
    return _rebuild(expression, [_close(argument, names, taken, hints) for argument in arguments])


Binding = dict[sympy.Symbol, sympy.Expr]


def matches(
    pattern: sympy.Basic, expression: sympy.Basic, holes: frozenset[sympy.Symbol], binding: Binding
) -> Binding | None:
    """Values of the indices ``holes`` that make ``pattern`` equal to ``expression`` up to bound names, or None.

    ``binding`` holds what is known already. Sums and products are matched in any order of their arguments.
    """
    return next(_match(pattern, expression, holes, binding, {}), None)


def same_up_to_names(left: sympy.Expr, right: sympy.Expr) -> bool:
    """Whether two expressions differ in the names of their bound indices at most."""
    return matches(left, right, _NONE, {}) is not None


def _match(
    pattern: sympy.Basic,
    expression: sympy.Basic,
    holes: frozenset[sympy.Symbol],
    binding: Binding,
    bound: dict[sympy.Symbol, sympy.Symbol],
) -> Iterator[Binding]:
    if isinstance(pattern, sympy.Symbol):
        if pattern in bound:
            if bound[pattern] == expression:
                yield binding
        elif pattern in holes and pattern not in binding:
            if not free_indices(expression) & frozenset(bound.values()):
                yield {**binding, pattern: expression}
        elif binding.get(pattern, pattern) == expression and expression not in bound.values():
            yield binding
        return
    if _kind(pattern) is not _kind(expression) or len(pattern.args) != len(expression.args):
        return
    if not pattern.args:
        if pattern == expression:
            yield binding
        return
    if isinstance(pattern, REDUCTIONS):
        yield from _match_reductions(pattern, expression, holes, binding, bound)
    elif isinstance(pattern, sympy.Indexed):
        if pattern.base == expression.base:
            yield from _match_in_order(pattern.indices, expression.indices, holes, binding, bound)
    elif isinstance(pattern, (sympy.Add, sympy.Mul)):
        yield from _match_in_any_order(pattern.args, expression.args, holes, binding, bound)
    else:
        yield from _match_in_order(pattern.args, expression.args, holes, binding, bound)


def _kind(expression: sympy.Basic) -> type[sympy.Basic]:
    return sympy.Sum if isinstance(expression, sympy.Sum) else type(expression)


def _match_reductions(
    pattern: sympy.Expr,
    expression: sympy.Expr,
    holes: frozenset[sympy.Symbol],
    binding: Binding,
    bound: dict[sympy.Symbol, sympy.Symbol],
) -> Iterator[Binding]:
    ours, theirs = limits(pattern), limits(expression)
    for order in _orders(theirs) if isinstance(pattern, sympy.Sum) else (theirs,):
        if all(mine == other for (_, mine), (_, other) in zip(ours, order, strict=True)):
            inner = {**bound, **{mine: other for (mine, _), (other, _) in zip(ours, order, strict=True)}}
            yield from _match(pattern.args[0], expression.args[0], holes, binding, inner)


def _orders(items: tuple[Limit, ...]) -> Iterator[tuple[Limit, ...]]:
    if not items:
        yield ()
    for place, item in enumerate(items):
        for rest in _orders(items[:place] + items[place + 1 :]):
            yield (item, *rest)


def _match_in_order(
    patterns: tuple[sympy.Basic, ...],
    expressions: tuple[sympy.Basic, ...],
    holes: frozenset[sympy.Symbol],
    binding: Binding,
    bound: dict[sympy.Symbol, sympy.Symbol],
) -> Iterator[Binding]:
    if not patterns:
        yield binding
        return
    for found in _match(patterns[0], expressions[0], holes, binding, bound):
        yield from _match_in_order(patterns[1:], expressions[1:], holes, found, bound)


def _match_in_any_order(
    patterns: tuple[sympy.Basic, ...],
    expressions: tuple[sympy.Basic, ...],
    holes: frozenset[sympy.Symbol],
    binding: Binding,
    bound: dict[sympy.Symbol, sympy.Symbol],
) -> Iterator[Binding]:
    if not patterns:
        yield binding
        return
    for place, candidate in enumerate(expressions):
        rest = expressions[:place] + expressions[place + 1 :]
        for found in _match(patterns[0], candidate, holes, binding, bound):
            yield from _match_in_any_order(patterns[1:], rest, holes, found, bound)
