r"""latex2sympy2, fenced in: it reads arithmetic over opaque one-letter names, and nothing else.

What it is given is ``+ - \cdot \frac{}{} ^{} ( )`` over letters, each letter once; what comes back must be sums,
products and powers of the same letters, each once, so that nothing was dropped or reinterpreted on the way. The
values are put in place of the letters here. latex2sympy2 imports on Python 3.12 and earlier; its continuation,
latex2sympy2_extended, takes over from 3.13.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import ModuleType

import sympy

from symbackprop.errors import UnreadableError, UsageError
from symbackprop.specification.bounds import excess_of_power

__all__ = ["LETTERS", "arithmetic_tree", "read_arithmetic", "with_values"]

LETTERS = tuple("abcghjklmnopqrstuvwxyz")
"""Names that both readers take for plain symbols: none of d, e, f and i, which they give meanings of their own."""

_MODULE = "latex2sympy2" if sys.version_info < (3, 13) else "latex2sympy2_extended"


def read_arithmetic(latex: str, values: Mapping[str, sympy.Expr]) -> sympy.Expr:
    """The value of ``latex``, arithmetic over the letters of ``values``, with their values put in.

    Raises UnreadableError where the parser fails or returns anything but that arithmetic, or a number is too large.
    """
    return with_values(arithmetic_tree(latex, tuple(values)), values)


def arithmetic_tree(latex: str, letters: tuple[str, ...]) -> sympy.Expr:
    """``latex`` as an expression over ``letters``, of which each stands in it once."""
    module = _parser()
    try:
        _reset(module)
        tree = module.latex2sympy(latex)
    except Exception as error:
        # The parser raises whatever occurs to it; a name for the place is the caller's.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UnreadableError(f"latex2sympy2 cannot read {latex!r}: {reason}") from error
    finally:
        _reset(module)
    leaves = sorted(_leaves(tree))
    if leaves != sorted(letters):
        raise UnreadableError(f"latex2sympy2 reads {latex!r} as {tree}, which is not what is written")
    return tree


@lru_cache(maxsize=1)
def _parser() -> ModuleType:
    try:
        with warnings.catch_warnings():
            # Its ANTLR runtime is old, and says so; nothing a user can do about it.
            warnings.simplefilter("ignore")
            return importlib.import_module(_MODULE)
    except ImportError as error:
        raise UsageError(f"LaTeX expressions need the package {_MODULE}; install it with pip") from error


def _reset(module: ModuleType) -> None:
    """Forget what an earlier parse left behind in the module's variables."""
    for name in ("var", "variances", "VARIABLE_VALUES"):
        if hasattr(module, name):
            setattr(module, name, {})


def _leaves(tree: object) -> Iterator[str]:
    if isinstance(tree, sympy.Symbol):
        yield tree.name
    elif isinstance(tree, sympy.Add | sympy.Mul | sympy.Pow):
        for argument in tree.args:
            yield from _leaves(argument)
    elif tree != -1:
        yield f"{type(tree).__name__} {tree}"


_COMBINE: dict[type[sympy.Expr], Callable[..., sympy.Expr]] = {sympy.Add: sympy.Add, sympy.Mul: sympy.Mul}


def with_values(tree: sympy.Expr, values: Mapping[str, sympy.Expr]) -> sympy.Expr:
    """The tree of ``arithmetic_tree`` with the values of its letters put in; UnreadableError for what is too large."""
    if isinstance(tree, sympy.Symbol):
        return values[tree.name]
    if tree == -1:
        return tree
    arguments = [with_values(argument, values) for argument in tree.args]
    if isinstance(tree, sympy.Pow):
        base, exponent = arguments
        reason = excess_of_power(base, exponent)
        if base.is_zero and exponent.is_negative:
            reason = "division by zero"
        if reason:
            raise UnreadableError(reason)
        return base**exponent
    return _COMBINE[tree.func](*arguments)
