"""Networks as TOML files: the network or program, its data and parameters, and how it is run.

Every table and key is held against ``symbackprop.specification.tables``; nothing in a file is evaluated.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from symbackprop.errors import UnreadableError, UsageError, nearest
from symbackprop.layers.activations import ACTIVATIONS, Activation
from symbackprop.layers.dense import Dense
from symbackprop.layers.losses import LOSSES, Loss
from symbackprop.network import NetworkDescription, describe, network_program
from symbackprop.notation.program import Program
from symbackprop.specification.equations import parse_program
from symbackprop.specification.file_arrays import ArrayReader, at
from symbackprop.specification.latex import expression_from_latex
from symbackprop.specification.points import read_text
from symbackprop.specification.tables import ACTIVATION, DOCUMENT, LAYERS, LOSS, NETWORK, PROGRAM, RUN, check_table

__all__ = ["RunSettings", "Specification", "load"]

Array = npt.NDArray[Any]
Table = Mapping[str, Any]
_TABLES = ("network", "layers", "program", "sizes", "data", "parameters", "run", "document")
_REAL = ("learning_rate", "momentum")


@dataclass(frozen=True)
class RunSettings:
    """How parameters are drawn and trained; ``None`` is the default of the training.

    ``wrt`` names the parameters that are trained, None all of them; ``report`` says whether the losses of a training
    are printed as the mean or the sum, None as the loss is defined.
    """

    seed: int = 0
    initialization: str = "glorot_uniform"
    learning_rate: float = 0.01
    epochs: int | None = None
    batch_size: int | None = None
    optimizer: str = "sgd"
    momentum: float = 0.0
    report: str | None = None
    wrt: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Specification:
    """What a network file says. ``description`` is None where it gives a program instead of layers.

    ``data`` and ``parameters`` hold what the file gives, checked and converted; ``sizes`` the numbers it gives for
    symbolic sizes, ``document`` how derivation documents are written, by the names of the options.
    """

    name: str
    description: NetworkDescription | None
    program: Program
    sizes: Mapping[str, int] = field(default_factory=dict)
    data: Mapping[str, Array] = field(default_factory=dict)
    parameters: Mapping[str, Array] = field(default_factory=dict)
    run: RunSettings = field(default_factory=RunSettings)
    document: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None


def load(path: str | os.PathLike[str]) -> Specification:
    """The network or program that the TOML file at ``path`` describes.

    Raises UnreadableError where the file cannot be read, UsageError, SizeError or EquationError where what it says
    does not fit; each names the file, the table and the key.
    """
    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"the path is {path!r}; give the name of a TOML file")
    file = Path(path)
    tables = _parsed(file)
    description, program = _described(tables, file)
    sizes = _sizes(_table(tables, "sizes", file), program, f"{file}: [sizes]")
    one_hot = description is not None and description.loss.name.startswith("categorical_cross_entropy")
    reader = ArrayReader(program, file, sizes, one_hot)
    parameters = reader.parameters(_table(tables, "parameters", file))
    run = check_table(_table(tables, "run", file), RUN, f"{file}: [run]")
    return Specification(
        name=program.name,
        description=description,
        program=program,
        sizes=sizes,
        data=reader.data(_table(tables, "data", file), parameters),
        parameters=parameters,
        run=_run(run),
        document=check_table(_table(tables, "document", file), DOCUMENT, f"{file}: [document]"),
        path=file,
    )


def _run(table: Table) -> RunSettings:
    given: dict[str, Any] = {key: float(value) if key in _REAL else value for key, value in table.items()}
    if "wrt" in given:
        given["wrt"] = tuple(given["wrt"])
    return RunSettings(**given)


def _parsed(file: Path) -> Table:
    text = read_text(file)
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UnreadableError(f"{file} is no valid TOML: {reason}") from None
    for name in tables:
        if name not in _TABLES:
            raise UsageError(f"{file}: unknown table [{name}]; {nearest(name, _TABLES)}")
    return tables


def _described(tables: Table, file: Path) -> tuple[NetworkDescription | None, Program]:
    if "program" in tables:
        for name in ("network", "layers"):
            if name in tables:
                raise UsageError(f"{file} has both [program] and [{name}]; leave one of them out")
        where = f"{file}: [program]"
        given: dict[str, Any] = {"inputs": {}, "targets": {}, "parameters": {}, "name": file.stem}
        given.update(check_table(tables["program"], PROGRAM, where))
        with at(where):
            return None, parse_program(**given)
    if "network" not in tables:
        raise UsageError(f"{file} has no table [network] and no [program]; add one of them")
    where = f"{file}: [network]"
    network = {"name": file.stem, **check_table(tables["network"], NETWORK, where)}
    network["layers"] = [_layer(table, f"{file}: [[layers]] {n}") for n, table in enumerate(_layers(tables, file), 1)]
    network["loss"] = _loss(network["loss"], f"{where}: loss")
    with at(where):
        description = describe(**network)
        return description, network_program(description)


def _layers(tables: Table, file: Path) -> list[Any]:
    layers = tables.get("layers", [])
    if not isinstance(layers, list):
        raise UsageError(f"{file}: layers is one table; write [[layers]], with two brackets, before each layer")
    if not layers:
        raise UsageError(f"{file} has no layers; add a [[layers]] table for each")
    return layers


def _layer(table: Any, where: str) -> Dense:
    if not isinstance(table, dict):
        raise UsageError(f"{where} is {table!r}; write it as a table")
    kind = table.get("type")
    if kind is None:
        raise UsageError(f"{where}: the layer has no type; add type = {' or '.join(map(repr, LAYERS))}")
    if not isinstance(kind, str) or kind not in LAYERS:
        raise UsageError(f"{where}: unknown type {kind!r}; {nearest(str(kind), LAYERS)}")
    given = dict(check_table(table, LAYERS[kind], where))
    if "activation" in given:
        given["activation"] = _activation(given["activation"], f"{where}: activation")
    with at(where):
        return _LAYER_TYPES[given.pop("type")](**given)


_LAYER_TYPES: dict[str, Callable[..., Dense]] = {"dense": Dense}


def _activation(given: Any, where: str) -> str | Activation:
    if isinstance(given, str):
        return given
    table = check_table(given, ACTIVATION, where)
    name: str = table["name"]
    if "latex" not in table:
        return name
    _check_own_name(name, ACTIVATIONS, where)
    expression = expression_from_latex(table["latex"], ("z",), f"{where} {name!r}")
    with at(where):
        return Activation(name, expression)


def _loss(given: Any, where: str) -> str | Loss:
    if isinstance(given, str):
        return given
    table = check_table(given, LOSS, where)
    name: str = table["name"]
    if "latex" not in table:
        if "average" in table:
            raise UsageError(f"{where}: {name!r} has an average of its own; leave average out, or give latex")
        return name
    _check_own_name(name, LOSSES, where)
    expression = expression_from_latex(table["latex"], ("a", "y"), f"{where} {name!r}")
    with at(where):
        return Loss(name, expression, table.get("average", "examples"))


def _check_own_name(name: str, known: Mapping[str, Any], where: str) -> None:
    # A name of the library's would bring that one's fused form with it.
    if name in known:
        raise UsageError(f"{where}: {name!r} is known already; leave latex out, or give yours another name")


def _table(tables: Table, name: str, file: Path) -> Table:
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"{file}: {name} is no table; write [{name}] and its keys below")
    return table


def _sizes(table: Table, program: Program, where: str) -> dict[str, int]:
    symbols = {symbol.name: symbol for symbol in program.sizes}
    for name, number in table.items():
        if name not in symbols:
            remedy = nearest(name, symbols) if symbols else "all sizes are numbers already"
            raise UsageError(f"{where}: {name!r} is no symbolic size; {remedy}")
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise UsageError(f"{where}: {name} is {number!r}; give a positive integer")
    return dict(table)
