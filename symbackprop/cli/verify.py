"""``symbackprop verify``: the derived gradients against finite differences, as a table or as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping

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
  symbackprop verify large.toml --jobs 4
  symbackprop verify network.toml --against mycode:backward
  symbackprop verify network.toml --against gradients.npz --name W1=w1

Exit status: 0 every weight agrees, 1 a weight fails or cannot be seen, or your gradients are wrong.
"""


def _positive(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"{value} is not a positive finite number", context, parameter)
    return value


def _refuse(options: Mapping[str, object], why: str) -> None:
    for name, value in options.items():
        if value:
            raise click.UsageError(f"{name} {why}")


@click.command(epilog=_EPILOG)
@click.argument("network")
@click.option(
    "--method",
    type=click.Choice(["auto", "ladder", "incremental", "central", "forward"]),
    default="auto",
    show_default=True,
    help="The differences: extrapolated; of what a weight changes alone, for large networks; "
    "(C(w + eps) - C(w - eps)) / 2 eps, or (C(w + eps) - C(w)) / eps. By default one of the first two.",
)
@click.option("--eps", metavar="X", type=float, callback=_positive, help="The step of --method central or forward.")
@click.option(
    "--order", type=click.IntRange(1, 2), default=1, show_default=True, help="2: the Hessian, by a direction."
)
@click.option("--jobs", metavar="N", type=click.IntRange(min=1), help="Share the weights among N processes.")
@click.option(
    "--against",
    metavar="CODE",
    help="Check a backward pass of your own, module:function of (parameters, x, y), or gradients in a .npz file.",
)
@click.option("--name", "names", metavar="W1=w1", multiple=True, help="What your code calls W1, where it differs.")
@click.option(
    "--layout", type=click.Choice(["out_in", "in_out"]), help="Your weight layout; by default what shapes say."
)
@click.option("--examples", type=click.Choice(["rows", "columns"]), help="How your x lies; by default as rows.")
@click.option("--dtype", type=click.Choice(["float64", "float32", "float16"]), help="What your code computes in.")
@click.option("--seed", metavar="N", type=click.IntRange(min=0), help="Draw what the file lacks from this seed.")
@click.option("--plot", metavar="FILE", help="Draw the error of the differences against eps; .png, .pdf or .svg.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else, on standard output.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def verify(
    network: str,
    against: str | None,
    names: tuple[str, ...],
    layout: str | None,
    examples: str | None,
    dtype: str | None,
    method: str,
    eps: float | None,
    order: int,
    jobs: int | None,
    seed: int | None,
    plot: str | None,
    as_json: bool,
) -> Status:
    """Hold the derived gradient of every weight of NETWORK against finite differences.

    NETWORK is a TOML file, or module:attribute, as for 'symbackprop derive'. Parameters and data that it lacks are
    drawn from the seed, away from kinks; then a batch of one, a batch of several and a trained point are checked.
    With --against, gradients of your own are held against the derived ones instead, and what is wrong is named.
    """
    if against is not None:
        from symbackprop.cli.against import check_against

        _refuse(
            {"--eps": eps, "--plot": plot, "--jobs": jobs, "--order": order - 1},
            "is for finite differences; leave it out with --against",
        )
        return check_against(network, against, names, layout, examples or "rows", dtype, seed, as_json)
    own = {"--name": names, "--layout": layout, "--examples": examples, "--dtype": dtype}
    _refuse(own, "says how your own gradients lie; name them with --against")
    if eps is not None and method not in ("central", "forward"):
        raise click.UsageError("--eps is the step of --method central or forward; the ladder chooses its own")
    if jobs is not None and method not in ("auto", "incremental"):
        raise click.UsageError(f"--jobs shares what --method incremental does; --method {method} runs in one process")
    from symbackprop.cli.networks import load_model

    if plot is not None:
        from symbackprop.figures import check_plot

        check_plot(plot)
    derivation = load_model(network).derive()
    with progress_bar("weights") as progress:
        report = derivation.verify(method=method, eps=eps, seed=seed, jobs=jobs, order=order, progress=progress)
    if as_json:
        from symbackprop.cli.report_json import report_json

        click.echo(report_json(report))
    else:
        click.echo(str(report))
    if plot is not None:
        file = report.plot(plot)
        notice(f"wrote {file}")
    return Status.HOLDS if report.ok else Status.FAILED
