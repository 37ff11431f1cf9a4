"""How a loss is reported that is trained as the sum and read as the mean, or the other way round."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.errors import UsageError, nearest
from symbackprop.layers.losses import REDUCTIONS
from symbackprop.network import NetworkDescription
from symbackprop.training.result import Training, epochs_in_words

__all__ = ["error_lines", "error_text", "report_scale"]

_LINES = 10
"""How many losses of a run are printed, where nobody says how many."""


def report_scale(network: NetworkDescription | None, report: str | None, shape: tuple[int, ...]) -> float:
    """What the loss of ``network`` is multiplied with to read it as ``report``, for targets of ``shape``.

    None is as the loss is defined. The mean is over examples or over all entries, whichever the loss averages. Raises
    UsageError where this is not known.
    """
    if report is None:
        return 1.0
    if report not in REDUCTIONS:
        raise UsageError(f"unknown report {report!r}; {nearest(str(report), REDUCTIONS)}")
    if network is None:
        raise UsageError(f"report is {report!r}, but the loss of a program says itself what it averages; leave it out")
    if report == network.reduction or not network.loss.average:
        return 1.0
    if network.l1 or network.l2:
        raise UsageError(
            f"report is {report!r}, but the loss of {network.name} is a {network.reduction} and penalties beside it; "
            "leave report out"
        )
    examples, outputs = shape
    count = examples if network.loss.average == "examples" else examples * outputs
    return 1 / count if report == "mean" else float(count)


def error_lines(run: Training, scale: float = 1.0, every: int | None = None) -> Iterator[str]:
    """The loss of each ``every``-th epoch before its update, and the last one, multiplied with ``scale``, as lines."""
    for epoch in range(0, run.epochs, every or max(1, run.epochs // _LINES)):
        yield f"Error at epoch {epoch} is {error_text(float(run.losses[epoch]) * scale)}"
    yield f"Error after {epochs_in_words(run.epochs)} is {error_text(float(run.loss) * scale)}"


def error_text(value: float) -> str:
    """A loss as it is printed: five decimals, or five significant digits where these would say less.

    >>> [error_text(value) for value in (0.11553441, 0.0119, 3.5108e-05, 0.0)]
    ['0.11553', '0.01190', '3.5108e-05', '0.00000']
    """
    return f"{value:.5f}" if value == 0 or 1e-3 <= abs(value) < 1e7 else f"{value:#.5g}"
