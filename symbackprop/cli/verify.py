"""``symbackprop verify``: the derived gradients against finite differences, as a table or as JSON."""

from __future__ import annotations

import math

import click

from symbackprop.cli.status import Status
from symbackprop.progress import notice, progress_bar

__all__ = ["verify"]

_EPILOG = """\b
Examples:
  symbackprop verify network.toml
  symbackprop verify network.toml --method forward --eps 1e-6
  symbackprop verify network.toml --plot errors.png
  symbackprop verify mymodule:net --json

Exit status: 0 every weight agrees, 1 a weight fails or cannot be seen.
"""


def _positive(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"{value} is not a positive finite number", context, parameter)
    return value


@click.command(epilog=_EPILOG)
@click.argument("network")
@click.option(
    "--method",
    type=click.Choice(["ladder", "central", "forward"]),
    default="ladder",
    show_default=True,
    help="The differences: extrapolated, (C(w + eps) - C(w - eps)) / 2 eps, or (C(w + eps) - C(w)) / eps.",
)
@click.option("--eps", metavar="X", type=float, callback=_positive, help="The step of --method central or forward.")
@click.option("--seed", metavar="N", type=click.IntRange(min=0), help="Draw what the file lacks from this seed.")
@click.option("--plot", metavar="FILE", help="Draw the error of the differences against eps; .png, .pdf or .svg.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else, on standard output.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def verify(network: str, method: str, eps: float | None, seed: int | None, plot: str | None, as_json: bool) -> Status:
    """Hold the derived gradient of every weight of NETWORK against finite differences.

    NETWORK is a TOML file, or module:attribute, as for 'symbackprop derive'. Parameters and data that it lacks are
    drawn from the seed, away from kinks; then a batch of one, a batch of several and a trained point are checked.
    """
    if eps is not None and method == "ladder":
        raise click.UsageError("--eps is the step of --method central or forward; the ladder chooses its own")
    from symbackprop.cli.networks import load_model

    if plot is not None:
        from symbackprop.figures import check_plot

        check_plot(plot)
    derivation = load_model(network).derive()
    with progress_bar("weights") as progress:
        report = derivation.verify(method=method, eps=eps, seed=seed, progress=progress)
    if as_json:
        from symbackprop.cli.report_json import report_json

        click.echo(report_json(report))
    else:
        click.echo(str(report))
    if plot is not None:
        file = report.plot(plot)
        notice(f"wrote {file}")
    return Status.HOLDS if report.ok else Status.FAILED
