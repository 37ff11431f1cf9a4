"""``symbackprop derive``: the gradients of a network, as text, as JSON, or as a document."""

from __future__ import annotations

import math
from typing import Any

import click

from symbackprop.progress import notice

__all__ = ["derive"]

_EPILOG = """\b
Examples:
  symbackprop derive network.toml
  symbackprop derive network.toml -o derivation.tex
  symbackprop derive network.toml -o derivation.html
  symbackprop derive network.toml -o handout.pdf --notation ng --orientation columns --digits 4
  symbackprop derive network.toml -o summary.md --detail result --sections result,forward,backward
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
@click.option("--notation", metavar="NAME", help="Layers as superscript W^(1), subscript W_1, nielsen w^1 or ng W^[1].")
@click.option("--derivative", metavar="NAME", help="Error signals named (delta), or written as derivatives (partial).")
@click.option("--functions", metavar="NAME", help="Activations named (sigma), or expanded.")
@click.option("--orientation", metavar="NAME", help="Examples as rows, as columns, or one as a column vector.")
@click.option(
    "--sections",
    metavar="NAMES",
    help="Some of figures,result,notation,forward,backward,kinks,numbers,checks, with commas between.",
)
@click.option("--detail", metavar="NAME", help="How much of the way is shown: result, steps or every.")
@click.option("--digits", metavar="N", type=int, help="Significant figures of what is computed, 6 by default.")
@click.option("--title", metavar="TEXT", help="Title of the document.")
@click.option("--author", metavar="TEXT", help="Author of the document.")
@click.option("--date", metavar="DATE", help="Date of the document, as 2026-01-31; today by default.")
@click.option("--language", metavar="CODE", help="Language of the document: en or de.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else, on standard output.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def derive(
    network: str,
    output: str | None,
    wrt: tuple[str, ...],
    learning_rate: float | None,
    sections: str | None,
    as_json: bool,
    **choices: Any,
) -> None:
    """Derive dL/dw of every weight of NETWORK by the chain rule.

    NETWORK is a TOML file, or module:attribute, where the module is importable or lies in the current directory and
    the attribute is a Network, a Program, or a callable that returns one. Without -o the gradients are printed as
    text, in index form and in matrix form. What is said here about the document goes before what the file says in its
    table [document], whose keys have the same names.
    """
    given = {name: value for name, value in choices.items() if value is not None}
    if sections is not None:
        given["sections"] = [name.strip() for name in sections.split(",") if name.strip()]
    if learning_rate is not None:
        given["learning_rate"] = learning_rate
    if given and output is None:
        option = next(iter(given)).replace("_", "-")
        raise click.UsageError(f"--{option} is for a document; give -o FILE with it")
    from symbackprop.cli.networks import load_model

    model = load_model(network)
    derivation = model.derive(wrt or None)
    file = None if output is None else derivation.save(output, **given)
    if file is not None:
        notice(f"wrote {file}")
    if as_json:
        from symbackprop.cli.derivation_json import derivation_json

        click.echo(derivation_json(derivation, file))
    elif file is None:
        from symbackprop.cli.derivation_text import derivation_text

        click.echo(derivation_text(derivation))
