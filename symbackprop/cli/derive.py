"""``symbackprop derive``: the gradients of a network, as text, as JSON, or as a document."""

from __future__ import annotations

import math

import click

from symbackprop.progress import notice

__all__ = ["derive"]

_EPILOG = """\b
Examples:
  symbackprop derive network.toml
  symbackprop derive network.toml -o derivation.tex
  symbackprop derive network.toml -o derivation.html
  symbackprop derive network.toml --wrt W1 --wrt x
  symbackprop derive mymodule:net --json
"""


def _positive(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"{value} is not a positive finite number", context, parameter)
    return value


@click.command(epilog=_EPILOG)
@click.argument("network")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write the derivation document; the suffix says in which format: .tex, .md, .html or .pdf.",
)
@click.option(
    "--wrt", metavar="NAME", multiple=True, help="Derive by this variable instead of all parameters; again for more."
)
@click.option(
    "--learning-rate",
    metavar="X",
    type=float,
    callback=_positive,
    help="Step size of the update in the document of -o.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else, on standard output.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def derive(network: str, output: str | None, wrt: tuple[str, ...], learning_rate: float | None, as_json: bool) -> None:
    """Derive dL/dw of every weight of NETWORK by the chain rule.

    NETWORK is a TOML file, or module:attribute, where the module is importable or lies in the current directory and
    the attribute is a Network, a Program, or a callable that returns one. Without -o the gradients are printed as
    text, in index form and in matrix form.
    """
    if learning_rate is not None and output is None:
        raise click.UsageError("--learning-rate is the step of the update in a document; give -o FILE with it")
    from symbackprop.cli.networks import load_model

    model = load_model(network)
    derivation = model.derive(wrt or None)
    file = None if output is None else derivation.save(output, learning_rate=learning_rate)
    if file is not None:
        notice(f"wrote {file}")
    if as_json:
        from symbackprop.cli.derivation_json import derivation_json

        click.echo(derivation_json(derivation, file))
    elif file is None:
        from symbackprop.cli.derivation_text import derivation_text

        click.echo(derivation_text(derivation))
