"""Numbers for symbolic sizes, read off the shapes of arrays."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symbackprop.errors import SizeError, nearest
from symbackprop.notation.indices import is_size
from symbackprop.notation.program import Program

__all__ = ["bind_sizes", "concrete_shape"]


def bind_sizes(
    program: Program,
    shapes: Mapping[str, tuple[int, ...]],
    given: Mapping[str, int] | None = None,
) -> dict[sympy.Symbol, int]:
    """The number of each symbolic size, from the ``shapes`` of named arrays and from ``given`` numbers by name.

    Raises SizeError where two arrays disagree, an array has the wrong number of axes, or a shape does not fit.
    """
    by_name = {symbol.name: symbol for symbol in program.sizes}
    sizes: dict[sympy.Symbol, int] = {}
    origin: dict[sympy.Symbol, str] = {}
    for name, number in (given or {}).items():
        if name not in by_name:
            raise SizeError(f"{program.name} has no symbolic size {name!r}; {nearest(name, by_name)}")
        sizes[by_name[name]], origin[by_name[name]] = number, "as given"
    arrays = [(program.variable(name), tuple(shape)) for name, shape in shapes.items()]
    for variable, shape in arrays:
        if len(shape) != len(variable.shape):
            expected = ", ".join(map(str, variable.shape))
            raise SizeError(
                f"{variable.name} has shape {shape}, but ({expected}) was expected: {_axes(variable.shape)}"
            )
        for axis, (symbol, number) in enumerate(zip(variable.shape, shape, strict=True)):
            if not is_size(symbol):
                continue
            if sizes.setdefault(symbol, number) != number:
                raise SizeError(
                    f"axis {axis + 1} of {variable.name} has size {number}, but {symbol} is {sizes[symbol]} "
                    f"{origin[symbol]}; give every array that has {symbol} the same size"
                )
            origin.setdefault(symbol, f"in {variable.name}")
    for variable, shape in arrays:
        expected_shape = tuple(_number(extent, sizes) for extent in variable.shape)
        if all(extent.is_Integer for extent in expected_shape) and expected_shape != shape:
            wanted = ", ".join(map(str, expected_shape))
            raise SizeError(f"{variable.name} has shape {shape}, but ({wanted}) was expected")
    return sizes


def concrete_shape(shape: tuple[sympy.Expr, ...], sizes: Mapping[sympy.Symbol, int]) -> tuple[int, ...]:
    """``shape`` in numbers; SizeError where a size has none."""
    numbers = tuple(_number(extent, sizes) for extent in shape)
    for extent in numbers:
        if not extent.is_Integer or extent <= 0:
            raise SizeError(
                f"size {extent} has no positive number; give it in sizes (the table [sizes] of a file), "
                "or give the data that fixes it"
            )
    return tuple(int(extent) for extent in numbers)


def _number(extent: sympy.Expr, sizes: Mapping[sympy.Symbol, int]) -> sympy.Expr:
    return sympy.sympify(extent.xreplace(dict(sizes)))


def _axes(shape: tuple[sympy.Expr, ...]) -> str:
    return f"{len(shape)} axes" if len(shape) != 1 else "1 axis"
