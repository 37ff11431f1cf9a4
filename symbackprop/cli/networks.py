"""The argument NETWORK: a TOML file, notes that define a network, or ``module:attribute``."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from symbackprop.errors import SymbackpropError, UnreadableError, UsageError, nearest

if TYPE_CHECKING:
    from symbackprop.api import Model

__all__ = ["load_model", "load_reference"]

_NAMES = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_REFERENCE = re.compile(f"({_NAMES}):({_NAMES})")
_FILES = (".toml", ".tex", ".md")


def load_model(network: str) -> Model:
    """The network or program that ``network`` names.

    Raises UsageError or UnreadableError with what is missing. Nothing that is printed on the way reaches standard
    output, which belongs to the result.
    """
    # Imported before the current directory joins the path, so that no file there can stand in for SymPy or NumPy.
    from symbackprop.api import Network

    if not network:
        raise UsageError("NETWORK is empty; name a TOML file, or module:attribute")
    path = Path(network)
    with redirect_stdout(sys.stderr):
        if ":" not in network or path.suffix.lower() in _FILES or path.exists():
            return Network.load(path)
        with _current_directory_on_path():
            return _from_module(network)


def load_reference(reference: str) -> Any:
    """The object that ``module:attribute`` names, such as a function, with the current directory on the path."""
    with redirect_stdout(sys.stderr), _current_directory_on_path():
        return _referenced(reference)


def _from_module(network: str) -> Model:
    return _model(_referenced(network), network)


def _referenced(reference: str) -> Any:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise UsageError(
            f"{reference!r} is neither a file nor module:attribute, such as mymodule:net; give one of them"
        )
    name, attribute = match.groups()
    value: Any = _imported(name, reference)
    for part in attribute.split("."):
        if not hasattr(value, part):
            raise UsageError(f"{reference}: {name} has no attribute {part!r}; {nearest(part, _candidates(value))}")
        value = getattr(value, part)
    return value


def _imported(name: str, network: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except SymbackpropError:
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and (name + ".").startswith(error.name + "."):
            raise UnreadableError(
                f"{network}: there is no module {error.name!r} in the current directory or on the path"
            ) from error
        raise UnreadableError(f"{network}: importing {name} failed: {error}") from error
    except (Exception, SystemExit) as error:
        raise UnreadableError(f"{network}: importing {name} raised {_described(error)}") from error


def _model(value: Any, network: str) -> Model:
    """``value`` itself, or what it returns when it is called."""
    from symbackprop.api import Model

    if isinstance(value, Model):
        return value
    found = value
    if callable(value):
        try:
            found = value()
        except SymbackpropError:
            raise
        except (Exception, SystemExit) as error:
            raise UnreadableError(f"{network}: calling it without arguments raised {_described(error)}") from error
    if isinstance(found, Model):
        return found
    what = "returns" if callable(value) else "is"
    raise UsageError(
        f"{network} {what} an object of type {type(found).__name__}; "
        "name a Network, a Program, or a callable that returns one"
    )


def _candidates(value: Any) -> list[str]:
    """The attributes that may have been meant: networks, and what is defined there and can be called."""
    from symbackprop.api import Model

    home = getattr(value, "__name__", None)
    return [
        name
        for name, member in vars(value).items()
        if isinstance(member, Model) or (callable(member) and getattr(member, "__module__", None) == home)
    ]


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


@contextmanager
def _current_directory_on_path() -> Iterator[None]:
    """The current directory first on the path; a console script, unlike ``python -m``, does not have it there."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        if here in sys.path:
            sys.path.remove(here)
