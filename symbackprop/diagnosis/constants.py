"""The constants that gradients are often wrong by, with the names that say why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symbackprop.diagnosis.edits import terms_of
from symbackprop.diagnosis.faults.factors import is_penalty
from symbackprop.diagnosis.scene import Scene

UNIT = 2.0**-53

__all__ = ["constants_of", "in_words", "is_coincidence", "named"]

_STEPS = (0.5, 0.1, 0.05, 0.01, 0.001)


def constants_of(scene: Scene) -> dict[str, float]:
    """Every such constant by its name: -1, 2, 1/2, N, 1/N, K, 1/K, N/(N - 1), products of two of them, negatives."""
    program = scene.differentiation.program
    sizes: dict[str, int] = {}
    if program.batch is not None:
        sizes["N" if program.batch.is_Integer else str(program.batch)] = scene.extent(program.batch)
    output = program.variables.get(program.output or "")
    if output is not None and len(output.shape) > 1:
        outputs = output.shape[-1]
        sizes["K" if outputs.is_Integer else str(outputs)] = scene.extent(outputs)
    found: dict[str, float] = {"1": 1.0}
    for name, value in _products(sizes):
        found.setdefault(name, value)
    for value in _penalties(scene):
        found.setdefault(f"{value:g}, the penalty's own", value)
    return {**found, **{f"-{name}": -value for name, value in found.items()}}


def _penalties(scene: Scene) -> Iterator[float]:
    """The coefficients with which penalties enter the gradients."""
    for adjoint in scene.adjoints.values():
        for term in terms_of(adjoint.equation):
            if is_penalty(scene, adjoint, term) and term.coefficient.is_number:
                yield float(term.coefficient)


def _products(sizes: Mapping[str, int]) -> Iterator[tuple[str, float]]:
    yield from (("2", 2.0), ("1/2", 0.5), ("4", 4.0), ("1/4", 0.25))
    for name, number in sizes.items():
        yield name, float(number)
        yield f"1/{name}", 1 / number
        if number > 1:
            yield f"{name}/({name} - 1)", number / (number - 1)
            yield f"({name} - 1)/{name}", (number - 1) / number
            yield f"1/({name} - 1)", 1 / (number - 1)
        yield f"{name}^2", float(number**2)
        yield f"1/{name}^2", 1 / number**2
        for factor in (2, 4):
            yield f"{factor} {name}", float(factor * number)
            yield f"{factor}/{name}", factor / number
            yield f"{name}/{factor}", number / factor
            yield f"1/({factor} {name})", 1 / (factor * number)
    if len(sizes) == 2:
        (first, n), (second, k) = sizes.items()
        yield f"{first} {second}", float(n * k)
        yield f"1/({first} {second})", 1 / (n * k)
        yield f"{first}/{second}", n / k
        yield f"{second}/{first}", k / n
        yield f"2/({first} {second})", 2 / (n * k)
        yield f"{first} {second}/2", n * k / 2


def named(value: float, spread: float, constants: Mapping[str, float]) -> tuple[str, ...]:
    """The names of the constants that ``value`` is, known to within ``spread``; none where it is none of them."""
    near = {name: abs(value - constant) for name, constant in constants.items() if abs(value - constant) <= spread}
    nearest = min(near.values(), default=0.0)
    # Of constants that a coarse number cannot tell apart only the nearest is meant.
    return tuple(name for name, distance in near.items() if distance <= nearest + 8 * UNIT * abs(value))


def in_words(names: tuple[str, ...]) -> str:
    """The names of one constant, the simple ones: "2 = N"."""
    if names[:1] in (("1",), ("-1",)):
        return names[0]
    return " = ".join([name for name in names if _is_simple(name)] or names[:1])


def is_coincidence(value: float, names: tuple[str, ...]) -> bool:
    """Whether a constant that is named might as well be a step size: 0.1, or what only a compound has for its value."""
    is_step = any(abs(value - step) < 1e-9 for step in _STEPS)
    return bool(names) and (is_step or not any(map(_is_simple, names)))


def _is_simple(name: str) -> bool:
    plain = name.removeprefix("-").removeprefix("1/")
    return plain.isdigit() or plain.isidentifier()
