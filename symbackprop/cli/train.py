"""``symbackprop train``: gradient descent, the loss curve, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symbackprop.cli.status import Status
from symbackprop.files import check_place
from symbackprop.progress import notice, progress_bar

if TYPE_CHECKING:
    from symbackprop.training.result import Training

__all__ = ["train"]

_EPILOG = """\b
Examples:
  symbackprop train network.toml
  symbackprop train network.toml --epochs 5000 --learning-rate 0.1 -o run.npz
  symbackprop train network.toml --resume run.npz --epochs 10000 -o run.npz
  symbackprop train network.toml --optimizer adam --batch-size 32 --plot curve.png

Exit status: 0 all epochs were done, 1 the loss was no longer finite, 130 interrupted; then, too, what
was reached is printed and written.
"""


@click.command(epilog=_EPILOG)
@click.argument("network")
@click.option("--epochs", metavar="N", type=click.IntRange(min=1), help="How often to go through all examples.")
@click.option("--learning-rate", metavar="X", type=float, help="The step size.")
@click.option("--batch-size", metavar="N", type=click.IntRange(min=1), help="Examples for one step; default: all.")
@click.option("--optimizer", type=click.Choice(["sgd", "adam"]), help="The update rule.")
@click.option("--momentum", metavar="X", type=float, help="Momentum of --optimizer sgd.")
@click.option("--seed", metavar="N", type=click.IntRange(min=0), help="Draw and shuffle from this seed.")
@click.option(
    "--initialization",
    metavar="NAME",
    help="How to draw parameters that are not given: glorot, he, uniform, normal, zeros.",
)
@click.option("--wrt", metavar="NAME", multiple=True, help="Train this parameter alone; again for more.")
@click.option("--report", type=click.Choice(["mean", "sum"]), help="Print the loss as the mean or the sum.")
@click.option("--every", metavar="N", type=click.IntRange(min=1), help="Print each N-th epoch; default: ten of them.")
@click.option("--resume", metavar="FILE.npz", help="Go on with the run in this file.")
@click.option("-o", "--output", metavar="FILE.npz", help="Write parameters, losses and predictions.")
@click.option(
    "--plot", metavar="FILE", help="Draw the losses, and the boundary where inputs are two; .png, .pdf, .svg."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else, on standard output.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def train(
    network: str,
    report: str | None,
    every: int | None,
    output: str | None,
    plot: str | None,
    as_json: bool,
    **choices: Any,
) -> Status:
    """Train NETWORK by gradient descent with the derived gradients, and print the loss as it falls.

    NETWORK is a TOML file with [data], or module:attribute of a network that was loaded from one. Options that are
    not given are those of the file's [run], or with --resume those of the run that goes on. Parameters that the file
    lacks are drawn from the seed.
    """
    from symbackprop.cli.networks import load_model
    from symbackprop.training.report import error_lines, report_scale

    model = load_model(network)
    report = report or model.run.report
    scale = report_scale(model.description, report, model.data["y"].shape if "y" in model.data else (1, 1))
    _check_files(output, plot)
    with progress_bar("epochs") as bar:
        run = model.train(**{**choices, "wrt": choices["wrt"] or None}, progress=bar or False)
    try:
        # Files first: whoever reads the output may be gone before its end.
        for file in _written(run, output, plot, scale, report):
            notice(f"wrote {file}")
    finally:
        if as_json:
            from symbackprop.cli.training_json import training_json

            click.echo(training_json(run, report, scale))
        else:
            click.echo("\n".join(error_lines(run, scale, every)))
    if run.stopped is not None:
        click.echo(f"symbackprop train: {run.stopped}", err=True)
    if run.interrupted:
        return Status.INTERRUPTED
    return Status.HOLDS if run.stopped is None else Status.FAILED


def _check_files(output: str | None, plot: str | None) -> None:
    """Look, before the work is done, at what would fail when it is."""
    if plot is not None:
        from symbackprop.figures import check_plot

        check_plot(plot)
        check_place(plot)
    if output is not None:
        from symbackprop.training.result import check_file

        check_file(output)
        check_place(output)


def _written(run: Training, output: str | None, plot: str | None, scale: float, report: str | None) -> Iterator[Path]:
    """The files that were asked for, each when it is written."""
    if output is not None:
        yield run.save(output)
    if plot is not None and not run.epochs:
        click.echo(f"symbackprop train: {plot} is not drawn, since no epoch was done", err=True)
    elif plot is not None:
        from symbackprop.training.plot import plot_training

        yield plot_training(run, plot, scale, "loss" if scale == 1 else f"loss, {report}")
