"""Between somebody's arrays and the program's: names, weight layout, examples as columns, shapes of biases."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.errors import SizeError, UsageError, nearest
from symbackprop.notation.program import Program, Role, Variable
from symbackprop.notation.sizes import bind_sizes

__all__ = ["Correspondence", "call", "called_with", "correspondence"]

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

_USUAL = ("d{}", "d_{}", "grad_{}", "{}_grad", "g{}", "D{}", "nabla_{}", "{}_bar", "dL_d{}", "dL/d{}", "d{}_")
"""How gradients are called whose names are not told."""
_EXAMPLES = ("rows", "columns")
_OTHER = {"out_in": "in_out", "in_out": "out_in"}


@dataclass(frozen=True)
class Correspondence:
    """How somebody's arrays belong to the variables of ``program``.

    ``names`` maps the program's names to theirs, where they differ. ``transposed`` holds the parameters that they keep
    the other way round, ``columns`` says that their examples are columns. ``order`` has the names whose gradients are
    asked for, as they were asked for. ``originals`` are the arrays that were given, as they were given, by the
    program's names. ``remedy`` is what to say about the layout where the weights do not fit.
    """

    program: Program
    names: Mapping[str, str]
    transposed: frozenset[str]
    columns: bool
    order: tuple[str, ...]
    originals: Arrays = field(default_factory=dict)
    remedy: str = ""

    # -- in: what they gave -> the program's arrays ----------------------------------------------------------------

    def parameters(self, theirs: Mapping[str, Any]) -> dict[str, Any]:
        """The program's parameters from theirs; those that fit only the other way round are turned."""
        back = {self.names.get(v.name, v.name): v for v in self.program.parameters}
        found = {}
        for name, value in theirs.items():
            if name not in back:
                raise UsageError(self._no_parameter(name, back))
            found[back[name].name] = self._in(back[name], value)
        return found

    def data(self, theirs: Mapping[str, Any]) -> dict[str, Any]:
        """The program's inputs and targets from theirs."""
        parameters = {variable.name for variable in self.program.parameters}
        found = {}
        for name, value in theirs.items():
            if name in parameters:
                raise UsageError(f"{name} is a parameter, but it was given by itself; give it in parameters")
            array = _read(value)
            found[name] = array.T if self.columns and array is not None and array.ndim == 2 else value
        return found

    def array(self, variable: Variable, original: Array) -> Array:
        """The program's array of ``variable`` from the one that was given."""
        if variable.role is Role.PARAMETER:
            return np.asarray(self._in(variable, original))
        return original.T if self.columns and original.ndim == 2 else original

    def _in(self, variable: Variable, value: Any) -> Any:
        array = _read(value)
        if array is None:
            return value
        if variable.name in self.transposed and array.ndim == 2:
            return array.T
        return _flat(array, len(variable.shape))

    def _no_parameter(self, name: Any, known: Mapping[str, Variable]) -> str:
        if name in self.names:
            own = self.names[name]
            return (
                f"names says that {name} is called {own!r}, but parameters have {name!r}; "
                f"call it {own!r} there too, or leave {name} out of names"
            )
        return f"{self.program.name} has no parameter {name!r}; {nearest(str(name), known)}"

    # -- out: the program's arrays -> what they are called with ----------------------------------------------------

    def given(self, arrays: Arrays, dtype: npt.DTypeLike) -> tuple[dict[str, Array], dict[str, Array]]:
        """Parameters and data as they expect them, from the program's arrays. Copies: they may change them.

        What they gave they get as they gave it; the rest is laid out as they said, in the floating type ``dtype``.
        """
        parameters, data = {}, {}
        for variable in self.program.inputs:
            if variable.role is Role.PARAMETER:
                own = self.names.get(variable.name, variable.name)
                parameters[own] = self._out(variable, arrays[variable.name], dtype)
            else:
                data[variable.name] = self._out(variable, arrays[variable.name], dtype)
        return parameters, data

    def _out(self, variable: Variable, array: Array, dtype: npt.DTypeLike) -> Array:
        original = self.originals.get(variable.name)
        laid = self._laid_out(variable, array)
        if original is None:
            return laid.astype(dtype) if laid.dtype.kind == "f" else laid.copy()
        # Data stay where they are; parameters may have been trained since.
        if variable.role is not Role.PARAMETER or np.array_equal(self._in(variable, original), array):
            return original.copy()
        moved = laid.reshape(original.shape)
        return moved.astype(original.dtype) if original.dtype.kind == "f" else moved.copy()

    def _laid_out(self, variable: Variable, array: Array) -> Array:
        if variable.role is not Role.PARAMETER:
            return array.T if self.columns and array.ndim == 2 else array
        turned = array.T if variable.name in self.transposed else array
        return turned.reshape(-1, 1) if self.columns and turned.ndim == 1 else turned

    # -- their gradients -------------------------------------------------------------------------------------------

    def gradients(self, found: Any, wanted: Sequence[str], arrays: Arrays) -> dict[str, Array]:
        """Their gradient of each of ``wanted`` as an array laid out as the program's, where its shape allows."""
        by_name = self._by_name(found)
        result = {}
        for name in wanted:
            array = _numbers(name, self._of(name, by_name))
            if self._is_turned(name) and array.ndim == 2:
                array = array.T
            shape = arrays[name].shape
            flat = _flat(array, len(shape))
            result[name] = flat if flat.shape == shape else array
        return result

    def _is_turned(self, name: str) -> bool:
        is_parameter = self.program.variable(name).role is Role.PARAMETER
        return name in self.transposed if is_parameter else self.columns

    def _by_name(self, found: Any) -> Mapping[str, Any]:
        if isinstance(found, tuple) and len(found) == 2:
            by_kind = self._of_lists(*found)
            if by_kind:
                return by_kind
            if self._is_loss_and_gradients(*found):
                found = found[1]
        if isinstance(found, Mapping):
            return found
        if len(self.order) == 1 and self._is_bare(found):
            found = (found,)
        for names in self._orders:
            if isinstance(found, list | tuple) and len(found) == len(names):
                return {self.names.get(name, name): value for name, value in zip(names, found, strict=True)}
        what = f"{len(found)} values" if isinstance(found, list | tuple) else type(found).__name__
        raise UsageError(
            f"the backward pass returned {what}; return the gradients by name, such as {{{self.order[0]!r}: ...}}, "
            f"one for each of {', '.join(self.order)} in this order, or the loss and the gradients"
        )

    @property
    def _orders(self) -> tuple[tuple[str, ...], ...]:
        """What a tuple of gradients may stand for: what was asked for, or every parameter."""
        return self.order, tuple(variable.name for variable in self.program.parameters)

    def _is_loss_and_gradients(self, first: Any, second: Any) -> bool:
        if isinstance(second, Mapping):
            return True
        if not (isinstance(second, list | tuple) or len(self.order) == 1):
            return False
        pairs = [names for names in self._orders if len(names) == 2]
        return not pairs or (_rank(first) == 0 and all(self._rank_of(names[0]) for names in pairs))

    def _is_bare(self, found: Any) -> bool:
        """Whether ``found`` is one gradient, rather than a tuple or a list of them."""
        if isinstance(found, list | tuple):
            return len(found) > 0 and _rank(found) == self._rank_of(self.order[0]) and _rank(found[0]) < _rank(found)
        return hasattr(found, "__array__") or isinstance(found, int | float)

    def _rank_of(self, name: str) -> int:
        return len(self.program.variable(name).shape)

    def _of_lists(self, one: Any, other: Any) -> dict[str, Any]:
        """The gradients where they came as a list for the biases and one for the weights, in either order.

        That is how ``backprop`` of Nielsen's "Neural Networks and Deep Learning" (2015) returns them.
        """
        if not (isinstance(one, list | tuple) and isinstance(other, list | tuple)):
            return {}
        weights = [v.name for v in self.program.parameters if len(v.shape) == 2]
        biases = [v.name for v in self.program.parameters if len(v.shape) == 1]
        for these, those in ((one, other), (other, one)):
            if (len(these), len(those)) == (len(biases), len(weights)) and all(map(_is_narrow, these)):
                pairs = (*zip(biases, these, strict=True), *zip(weights, those, strict=True))
                return {self.names.get(name, name): value for name, value in pairs}
        return {}

    def _of(self, name: str, found: Mapping[str, Any]) -> Any:
        """The gradient of ``name``. What is called as one comes first: beside dW1, W1 is the weight itself."""
        own = self.names.get(name, name)
        others = {self.names.get(v.name, v.name) for v in self.program.inputs if v.name != name}
        usual = [pattern.format(own) for pattern in _USUAL]
        keys = {str(key): value for key, value in found.items() if key not in others}
        alike = own.casefold() in {other.casefold() for other in others}
        folded = {} if alike else {key.casefold(): value for key, value in keys.items()}
        for known, candidates in (
            (keys, usual),
            (folded, [candidate.casefold() for candidate in usual]),
            (keys, [own]),
            (folded, [own.casefold()]),
        ):
            for candidate in candidates:
                if candidate in known:
                    return known[candidate]
        listed = ", ".join(map(repr, found)) or "nothing"
        raise UsageError(
            f"there is no gradient of {name} among {listed}; call it {own!r} or {'d' + own!r}, or "
            f"say what your code calls {name}: names={{{name!r}: ...}}, or --name {name}=..."
        )


def correspondence(
    program: Program,
    parameters: Mapping[str, Any] | None,
    data: Mapping[str, Any],
    *,
    names: Mapping[str, str] | None,
    layout: str | None,
    own_layout: str,
    examples: str,
    order: Sequence[str],
    sizes: Mapping[str, int],
) -> Correspondence:
    """The correspondence that was told and, of what was not told, the only one that fits the shapes.

    ``layout`` is theirs, "out_in" or "in_out"; ``own_layout`` is the program's. ``examples`` is "rows" or "columns".
    ``order`` has the names whose gradients are asked for, ``sizes`` the numbers of symbolic sizes that are known.
    """
    if examples not in _EXAMPLES:
        raise UsageError(f"unknown examples {examples!r}; {nearest(str(examples), _EXAMPLES)}")
    if layout is not None and layout not in ("out_in", "in_out"):
        raise UsageError(f"unknown layout {layout!r}; {nearest(str(layout), ('out_in', 'in_out'))}")
    if parameters is not None and not isinstance(parameters, Mapping):
        what = type(parameters).__name__
        raise UsageError(f"parameters is of type {what}; give a dict of arrays by name, such as {{'W1': ...}}")
    told = {} if names is None else names
    _check_names(program, told, order)
    plain = Correspondence(program, dict(told), frozenset(), examples == "columns", tuple(order))
    as_is = replace(plain, originals=_originals(plain, {} if parameters is None else parameters, data))
    turned = replace(as_is, transposed=frozenset(v.name for v in program.parameters if len(v.shape) == 2))
    if layout is not None:
        chosen, other = (as_is, turned) if layout == own_layout else (turned, as_is)
        weights = [variable.name for variable in program.parameters]
        wrongly = _misfit(chosen, sizes, weights) is not None and _misfit(other, sizes, weights) is None
        return replace(chosen, remedy=f"without layout={layout!r} the weights would fit") if wrongly else chosen
    remedy = f"your weights the other way round, layout={_OTHER[own_layout]!r}, do not fit either"
    return _fitting(as_is, turned, sizes, remedy)


def called_with(parameters: Mapping[str, Array], data: Mapping[str, Array | None]) -> str:
    """The arrays that a backward pass was called with, in words."""
    weights = [f"{name} {array.shape}" for name, array in parameters.items()]
    others = [f"{name} {array.shape} of {array.dtype}" for name, array in data.items() if array is not None]
    return f"it was called with {', '.join(weights + others)}"


def call(theirs: Callable[..., Any], parameters: Mapping[str, Array], data: Mapping[str, Array]) -> Any:
    """``theirs(parameters, x, y)``; other inputs of the program come by name."""
    rest = dict(data)
    placed = [rest.pop("x", None), rest.pop("y", None)]
    try:
        inspect.signature(theirs).bind(parameters, *placed, **rest)
    except TypeError as error:
        more = f", {', '.join(rest)} by name" if rest else ""
        raise UsageError(f"the backward pass cannot be called as f(parameters, x, y{more}): {error}") from error
    except ValueError:
        pass
    # Their code may change what it is given.
    words = called_with(parameters, data)
    try:
        return theirs(parameters, *placed, **rest)
    except Exception as error:
        error.add_note(f"the backward pass raised this; {words} (names, layout and examples change what it is given)")
        raise


def _check_names(program: Program, names: Any, order: Sequence[str]) -> None:
    """UsageError for names that say nothing, or two things."""
    if not isinstance(names, Mapping):
        raise UsageError(f"names is of type {type(names).__name__}; give a dict such as {{'W1': 'w1'}}")
    known = {variable.name: variable.role for variable in program.inputs}
    for name, own in names.items():
        if name not in known:
            raise UsageError(f"names maps {name!r}, which {program.name} does not have; {nearest(str(name), known)}")
        if not isinstance(own, str):
            raise UsageError(f"names says that {name} is called {own!r}, which is no text; write it as {str(own)!r}")
        if known[name] is not Role.PARAMETER and name not in order:
            how = "by place" if name in ("x", "y") else "by its own name"
            raise UsageError(
                f"names says that {name} is called {own!r}, but {name} is passed {how}; leave it out of names"
            )
    called: dict[str, str] = {}
    for name in [name for name, role in known.items() if role is Role.PARAMETER or name in order]:
        first = called.setdefault(names.get(name, name), name)
        if first != name:
            raise UsageError(
                f"with names, both {first} and {name} are called {names.get(name, name)!r}; "
                "give each of them a name of its own"
            )


def _originals(plain: Correspondence, parameters: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Array]:
    """What was given, by the program's names; what cannot be read is left for the check of values to say."""
    found = {}
    for variable in plain.program.inputs:
        if variable.role is Role.PARAMETER:
            value = parameters.get(plain.names.get(variable.name, variable.name))
        else:
            value = data.get(variable.name)
        array = None if value is None else _read(value)
        if array is None:
            continue
        labels = variable.integer or (variable.role is Role.TARGET and array.ndim < len(variable.shape))
        # A list of whole numbers says nothing of a type, but labels choose entries.
        untyped = not hasattr(value, "dtype") and array.dtype.kind in "iu" and not labels
        found[variable.name] = array.astype(np.float64) if untyped else array.copy()
    return found


def _fitting(as_is: Correspondence, turned: Correspondence, sizes: Mapping[str, int], remedy: str) -> Correspondence:
    """``turned`` where the weights fit in no other way, judged by themselves, then with biases, then with data."""
    program = as_is.program
    matrices = [as_is.originals[name] for name in turned.transposed if name in as_is.originals]
    if all(array.shape == array.shape[::-1] for array in matrices):
        return as_is
    weights = [variable.name for variable in program.parameters]
    every = [variable.name for variable in program.inputs]
    for names in (sorted(turned.transposed), weights, every):
        plainly, otherwise = _misfit(as_is, sizes, names), _misfit(turned, sizes, names)
        if plainly is not None and otherwise is None:
            return turned
        if plainly is None and otherwise is not None:
            return as_is
        if plainly is not None and names is not every:
            return replace(as_is, remedy=f"{remedy}: {otherwise}")
    return as_is


def _misfit(match: Correspondence, sizes: Mapping[str, int], names: Sequence[str]) -> str | None:
    """Why the shapes that were given for ``names`` do not fit together; None where they do."""
    shapes = {}
    for variable in match.program.inputs:
        original = match.originals.get(variable.name)
        if original is None or variable.name not in names:
            continue
        array = match.array(variable, original)
        # Labels have fewer axes than what they stand for; any other number of axes is said elsewhere.
        if array.ndim == len(variable.shape):
            shapes[variable.name] = array.shape
    try:
        bind_sizes(match.program, shapes, sizes)
    except SizeError as error:
        return str(error)
    return None


def _flat(array: Array, rank: int) -> Array:
    """``array`` without the axes of size 1 that a vector or a number is often given."""
    if array.ndim > rank and rank <= 1 and sum(extent != 1 for extent in array.shape) <= rank:
        return array.reshape(-1) if rank else array.reshape(())
    return array


def _read(value: Any) -> Array | None:
    """``value`` as an array of real numbers; None where it is none, which is for the check of values to say."""
    if isinstance(value, np.ma.MaskedArray) and value.mask.any():
        return None
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    return array if array.dtype.kind in "biuf" else None


def _rank(value: Any) -> int:
    """The number of axes of ``value``, -1 where its rows have different lengths."""
    try:
        return int(np.ndim(value))
    except (TypeError, ValueError, RuntimeError):
        return -1


def _is_narrow(value: Any) -> bool:
    """Whether ``value`` is a vector, or a matrix that stands for one."""
    return _rank(value) >= 0 and bool(sum(extent > 1 for extent in np.shape(value)) <= 1)


def _numbers(name: str, value: Any) -> Array:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        # PyTorch raises the last for a tensor that still records gradients.
        raise UsageError(f"the gradient of {name} is no array of numbers: {error}") from error
    if array.dtype.kind not in "biuf":
        raise UsageError(f"the gradient of {name} is an array of {array.dtype}; give real numbers")
    return array
