"""The tables of a network file: which keys each may have, of which kind, and which it must have."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from symbackprop.errors import UsageError, nearest
from symbackprop.layers.losses import REDUCTIONS
from symbackprop.optimizers import OPTIMIZERS
from symbackprop.specification.values import INITIALIZATIONS

__all__ = ["ACTIVATION", "DOCUMENT", "LAYERS", "LOSS", "NETWORK", "PROGRAM", "RUN", "Key", "check_table"]

Table = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """What a value may be: a few words for the message, and the check."""

    says: str
    accepts: Callable[[Any], bool]


@dataclass(frozen=True)
class Key:
    """One key of a table; ``choices`` where the value is one of a few words."""

    kind: Kind
    required: bool = False
    choices: tuple[str, ...] = ()


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


_TEXT = Kind("a string", lambda value: isinstance(value, str))
_NAME = Kind("a name of letters and digits", lambda value: isinstance(value, str) and value.isidentifier())
_TRUTH = Kind("true or false", lambda value: isinstance(value, bool))
_COUNT = Kind("a positive integer", lambda value: _is_integer(value) and value > 0)
_SEED = Kind("an integer, 0 or larger", lambda value: _is_integer(value) and value >= 0)
_NUMBER = Kind("a finite number, 0 or larger", lambda value: _is_number(value) and value >= 0)
_FRACTION = Kind("a number from 0 to below 1", lambda value: _is_number(value) and 0 <= value < 1)
_POSITIVE = Kind("a positive finite number", lambda value: _is_number(value) and value > 0)
_SIZE = Kind(
    'a positive integer, or a name such as "D" for a symbolic size',
    lambda value: (_is_integer(value) and value > 0) or (isinstance(value, str) and value.isidentifier()),
)
_NAMED = Kind("a name, or a table with name and latex", lambda value: isinstance(value, str | dict))
_TABLE = Kind("a table from names to lists of sizes", lambda value: isinstance(value, dict))
_INTEGERS = Kind(
    "a table from names to lists of sizes, or a list of names",
    lambda value: isinstance(value, dict) or _is_strings(value),
)
_NAMES = Kind("a list of names, such as ['W1']", lambda value: _is_strings(value) and bool(value))
_EQUATIONS = Kind("a list of strings", _is_strings)
_DATE = Kind("a date, such as 2026-01-31, or an empty string", lambda value: isinstance(value, str | datetime.date))


NETWORK: Mapping[str, Key] = MappingProxyType(
    {
        "name": Key(_TEXT),
        "inputs": Key(_SIZE, required=True),
        "loss": Key(_NAMED, required=True),
        "reduction": Key(_TEXT, choices=REDUCTIONS),
        "weight_layout": Key(_TEXT, choices=("out_in", "in_out")),
        "l1": Key(_NUMBER),
        "l2": Key(_NUMBER),
        "batch": Key(_NAME),
    }
)
LAYERS: Mapping[str, Mapping[str, Key]] = MappingProxyType(
    {
        "dense": {
            "type": Key(_TEXT, required=True),
            "units": Key(_SIZE, required=True),
            "activation": Key(_NAMED),
            "bias": Key(_TRUTH),
        }
    }
)
"""The keys of each type of layer."""
ACTIVATION: Mapping[str, Key] = MappingProxyType({"name": Key(_TEXT, required=True), "latex": Key(_TEXT)})
LOSS: Mapping[str, Key] = MappingProxyType({**ACTIVATION, "average": Key(_TEXT, choices=("examples", "entries"))})
PROGRAM: Mapping[str, Key] = MappingProxyType(
    {
        "name": Key(_TEXT),
        "inputs": Key(_TABLE),
        "targets": Key(_TABLE),
        "parameters": Key(_TABLE),
        "integers": Key(_INTEGERS),
        "shapes": Key(_TABLE),
        "equations": Key(_EQUATIONS, required=True),
        "loss": Key(_TEXT, required=True),
        "output": Key(_TEXT),
        "batch": Key(_NAME),
    }
)
RUN: Mapping[str, Key] = MappingProxyType(
    {
        "seed": Key(_SEED),
        "initialization": Key(_TEXT, choices=tuple(INITIALIZATIONS)),
        "learning_rate": Key(_POSITIVE),
        "epochs": Key(_COUNT),
        "batch_size": Key(_COUNT),
        "optimizer": Key(_TEXT, choices=tuple(OPTIMIZERS)),
        "momentum": Key(_FRACTION),
        "report": Key(_TEXT, choices=REDUCTIONS),
        "wrt": Key(_NAMES),
    }
)
DOCUMENT: Mapping[str, Key] = MappingProxyType(
    {
        "notation": Key(_TEXT),
        "derivative": Key(_TEXT),
        "functions": Key(_TEXT),
        "orientation": Key(_TEXT),
        "sections": Key(_NAMES),
        "detail": Key(_TEXT),
        "digits": Key(_COUNT),
        "title": Key(_TEXT),
        "author": Key(_TEXT),
        "date": Key(_DATE),
        "language": Key(_TEXT),
    }
)
"""What may be chosen is known where documents are written."""


def check_table(table: Any, keys: Mapping[str, Key], where: str) -> Table:
    """``table`` itself, if it has the required ``keys`` and no others, each of its kind; else UsageError."""
    if not isinstance(table, dict):
        raise UsageError(f"{where} is {_shown(table)}; write it as a table")
    for name, value in table.items():
        if name not in keys:
            raise UsageError(f"{where}: unknown key {name!r}; {nearest(name, keys)}")
        key = keys[name]
        if not key.kind.accepts(value):
            raise UsageError(f"{where}: {name} is {_shown(value)}; give {key.kind.says}")
        if key.choices and value not in key.choices:
            raise UsageError(f"{where}: unknown {name} {value!r}; {nearest(value, key.choices)}")
    for name, key in keys.items():
        if key.required and name not in table:
            raise UsageError(f"{where} has no {name}; add {name} = ..., {key.kind.says}")
    return table


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
