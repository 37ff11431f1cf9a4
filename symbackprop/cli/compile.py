"""``symbackprop compile``: the gradients of a network as a stand-alone Python module."""

from __future__ import annotations

import click

from symbackprop.progress import notice

__all__ = ["compile_module"]

_EPILOG = """\b
Examples:
  symbackprop compile network.toml -o gradients.py
  symbackprop compile network.toml | less
  symbackprop compile mymodule:net --wrt W1 --wrt x -o gradients.py
"""


@click.command("compile", epilog=_EPILOG)
@click.argument("network")
@click.option("-o", "--output", metavar="FILE.py", help="Write the module; without this, it is printed.")
@click.option(
    "--wrt", metavar="NAME", multiple=True, help="Derive by this variable instead of all parameters; again for more."
)
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def compile_module(network: str, output: str | None, wrt: tuple[str, ...]) -> None:
    """Write the loss and the gradients of NETWORK as a Python module that needs NumPy and nothing else.

    NETWORK is a TOML file, or module:attribute. The module defines loss_and_gradients(parameters, x, y),
    loss(parameters, x, y), predict(parameters, x) and PARAMETERS, the shape of each parameter.
    """
    from symbackprop.cli.networks import load_model

    derivation = load_model(network).derive(wrt or None)
    if output is None:
        click.echo(derivation.module(), nl=False)
        return
    path = derivation.save_module(output)
    notice(f"wrote {path}")
