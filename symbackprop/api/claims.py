"""Formulas in somebody's notes, each held against what is derived."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbackprop.api.models import Model, Network
from symbackprop.claims.result import Check
from symbackprop.errors import SymbackpropError, UnreadableError, UsageError
from symbackprop.progress import Progress, progress_bar
from symbackprop.specification.examples import complete_arrays
from symbackprop.specification.points import read_text

__all__ = ["check_document", "checked_network"]

if TYPE_CHECKING:
    from symbackprop.claims.network import CheckedNetwork

_LARGEST = 10_000_000
"""The most bytes of notes."""


def check_document(
    path: str | os.PathLike[str],
    network: Model | str | os.PathLike[str] | None = None,
    *,
    progress: bool | Progress = True,
) -> Check:
    r"""Check every formula of notes that claims something, and say of a wrong one what is wrong and what is right.

    ``path``      a file of LaTeX (.tex) or Markdown (.md) with formulas in it, in UTF-8
    ``network``   what the notes are about: a Network, a Program, or the name of its TOML file; by default the notes
                  say it themselves, by shapes (``x \in \mathbb{R}^{D}``), forward equations in order, and a loss
    ``progress``  whether to show a bar where standard error is a terminal, or what to call in its place

    The result has ``ok``, ``claims``, each with its ``outcome`` and evidence, and ``annotate(path)``, which writes the
    notes again with each verdict beside its formula; ``print`` it. Nothing in the notes is evaluated, included or
    opened. Raises UnreadableError for a file that is missing, empty or too large, that is not UTF-8, or that claims
    nothing, and UsageError for another kind of file.

    >>> import pathlib, tempfile
    >>> notes = r'''
    ... The input is $x \in \mathbb{R}^{D}$, the weights $w \in \mathbb{R}^{D}$, the target $y \in \mathbb{R}$.
    ... \[ z = w^\top x, \qquad L = \frac{1}{2} (z - y)^2 \]
    ... \[ \frac{\partial L}{\partial w} = (y - z)\, x \]
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "notes.tex")
    ...     _ = file.write_text(notes, encoding="utf-8")
    ...     check = sbp.check_document(file)
    >>> check.ok, check.outcome.value, check.worst.line
    (False, 'differs', 4)
    """
    # The parsers of notes are for those who have notes.
    from symbackprop.claims.document import check_text
    from symbackprop.reading.walker import kind_of

    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"path is of type {type(path).__name__}; give the name of a .tex or .md file")
    if not (isinstance(progress, bool) or callable(progress)):
        raise UsageError(f"progress is {progress!r}; give True, False, or a function of (done, of, note)")
    name = os.fspath(path)
    kind = kind_of(name)
    text = _text(Path(name))
    model = _model(network)
    given = None if model is None else checked_network(model)
    with progress_bar("claims", shown=progress is True) as bar:
        report = progress if callable(progress) else bar
        check = check_text(text, kind, given, path=name, progress=report)
    if not check.claims:
        raise UnreadableError(f"{name} {_nothing(text, kind)}")
    return check


def checked_network(model: Model) -> CheckedNetwork:
    """What the check has to know of a model."""
    from symbackprop.claims.network import CheckedNetwork

    return CheckedNetwork(
        model.program,
        model.data,
        model.parameters,
        model.run.learning_rate,
        model.name,
        model.unfused,
        _worked_arrays(model),
    )


def _worked_arrays(model: Model) -> Mapping[str, Any]:
    """The arrays that a document about the network is worked with; none where none can be drawn."""
    try:
        complete = complete_arrays(
            model.program,
            {**model.data, **model.parameters},
            model.sizes,
            seed=model.run.seed,
            initialization=model.run.initialization,
            loss="" if model.description is None else model.description.loss.name,
            layout="out_in" if model.description is None else model.description.weight_layout,
        )
    except SymbackpropError:
        return {}
    return {} if complete is None else complete.arrays


def _text(path: Path) -> str:
    """The notes, once it is known that they are a file that can be read to its end."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        # What is wrong is said when it is read.
        return read_text(path)
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise UnreadableError(f"{path} is no ordinary file; name a .tex or .md file")
    if status.st_size > _LARGEST:
        raise UnreadableError(
            f"{path} has {status.st_size:,} bytes, and notes have {_LARGEST:,} at most; check a part of it"
        )
    text = read_text(path)
    if not text.strip():
        raise UnreadableError(f"{path} is empty; write formulas in it, such as $z = Wx + b$")
    return text


def _model(network: Model | str | os.PathLike[str] | None) -> Model | None:
    if network is None or isinstance(network, Model):
        return network
    if isinstance(network, str | os.PathLike):
        return Network.load(Path(network))
    raise UsageError(f"network is of type {type(network).__name__}; give a Network, a Program, or the name of its file")


def _nothing(text: str, kind: str) -> str:
    """Why notes without a claim have none."""
    from symbackprop.reading.walker import walk

    count = len(walk(text, kind).formulas)
    if not count:
        return "has no formula; write them between $ and $, or in an environment such as equation or align"
    said = "1 formula, but it claims nothing" if count == 1 else f"{count} formulas, but none of them claims anything"
    return (
        f"has {said}: what only names or defines something cannot be wrong; "
        r"write what follows from it, such as $\frac{\partial L}{\partial W} = \delta x^\top$"
    )
