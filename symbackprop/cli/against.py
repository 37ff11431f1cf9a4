"""``symbackprop verify --against``: somebody's own backward pass, from a module or a file of arrays."""

from __future__ import annotations

import functools
import json
import re
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from symbackprop.cli.networks import load_model, load_reference
from symbackprop.cli.status import Status
from symbackprop.diagnosis.correspondence import called_with
from symbackprop.errors import UnreadableError, UsageError, nearest
from symbackprop.progress import progress_bar

__all__ = ["check_against"]

_GRADIENT = re.compile(r"(?:d_?|grad_?|g|D)(?P<name>.+)|(?P<other>.+)_(?:grad|bar)", re.IGNORECASE)


def check_against(
    network: str,
    against: str,
    names: Sequence[str],
    layout: str | None,
    examples: str,
    dtype: str | None,
    seed: int | None,
    as_json: bool,
) -> Status:
    """Hold what ``against`` names against the derived gradients of ``network``, and print what is found."""
    from symbackprop.api import check_gradients

    model = load_model(network)
    mapped = _mapped(names)
    theirs, point = _from_file(Path(against)) if _is_file(against) else (_function(against), {})
    declared = {variable.name for variable in model.program.inputs}
    # A parameter under the network's name is one too, so that a wrong --name is told.
    own = {name for variable in model.program.parameters for name in (variable.name, mapped.get(variable.name))}
    parameters = {name: point.pop(name) for name in tuple(point) if name in own} or None
    for name in point:
        if name not in declared:
            raise UsageError(f"{against} holds {name!r}, which {model.name} does not have; {nearest(name, declared)}")
    with progress_bar("mistakes tried") as progress:
        result = check_gradients(
            theirs,
            model,
            parameters,
            names=mapped,
            layout=layout,
            examples=examples,
            dtype=dtype,
            seed=seed,
            progress=progress,
            **point,
        )
    click.echo(json.dumps(result.as_dict(), indent=2, allow_nan=False) if as_json else str(result))
    return Status.HOLDS if result.ok else Status.FAILED


def _is_file(against: str) -> bool:
    return Path(against).suffix.lower() == ".npz" or ":" not in against


def _function(against: str) -> Callable[..., Any]:
    """The function that ``against`` names; what it raises is said in one line, as the errors of this command are."""
    function = load_reference(against)
    if not callable(function):
        what = type(function).__name__
        raise UsageError(f"{against} is an object of type {what}; name a function of (parameters, x, y)")

    @functools.wraps(function)
    def called(*arguments: Any, **more: Any) -> Any:
        try:
            # Standard output belongs to the result.
            with redirect_stdout(sys.stderr):
                return function(*arguments, **more)
        except Exception as error:
            parameters, *placed = arguments
            given = called_with(parameters, {**dict(zip(("x", "y"), placed, strict=True)), **more})
            raise UsageError(
                f"{against} raised {type(error).__name__}: {error}; {given} "
                "(--name, --layout and --examples change what it is given)"
            ) from error

    return called


def _mapped(texts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, own in map(_pair, texts):
        if found.setdefault(name, own) != own:
            raise UsageError(f"--name says that {name} is called {found[name]!r} and {own!r}; say one of them")
    return found


def _pair(text: str) -> tuple[str, str]:
    name, separator, own = text.partition("=")
    if not (separator and name and own):
        raise UsageError(f"--name {text!r} is no pair; write the network's name, =, and yours, such as W1=w1")
    return name, own


def _from_file(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The gradients in a .npz file, and the point where they were taken if it is there beside them.

    Where W1 and dW1 are both there, W1 is the parameter.
    """
    import numpy as np

    if path.suffix.lower() != ".npz":
        raise UsageError(f"{path} is neither module:function nor a .npz file of gradients by name; give one of them")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError as error:
        raise UnreadableError(f"{path}: there is no such file") from error
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise UnreadableError(f"{path} cannot be read as a .npz file of arrays: {error}") from error
    data = {name: arrays.pop(name) for name in ("x", "y") if name in arrays}
    gradients = {name for name in arrays if _base(name, arrays)}
    point = {name: array for name, array in arrays.items() if gradients and name not in gradients}
    return {name: array for name, array in arrays.items() if name not in point}, {**point, **data}


def _base(name: str, arrays: Mapping[str, Any]) -> str | None:
    """The name of the parameter beside which the array called ``name`` is its gradient; None where there is none."""
    match = _GRADIENT.fullmatch(name)
    base = (match["name"] or match["other"]) if match else None
    return base if base in arrays else None
