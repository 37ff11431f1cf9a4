"""``symbackprop check``: the formulas of somebody's notes, each held against what is derived."""

from __future__ import annotations

import json

import click

from symbackprop.cli.status import Status
from symbackprop.progress import notice

__all__ = ["check"]

_EPILOG = """\b
Examples:
  symbackprop check notes.tex
  symbackprop check notes.md --network network.toml
  symbackprop check notes.tex --annotate checked.tex
  symbackprop check notes.tex --json

Exit status: 0 every claim holds, if need be under an assumption that is stated, 1 a claim differs or cannot be read.
"""


@click.command(epilog=_EPILOG)
@click.argument("notes")
@click.option(
    "--network",
    metavar="NETWORK",
    help="What the notes are about: a TOML file, or module:attribute. By default the notes say it themselves.",
)
@click.option(
    "--annotate", "output", metavar="OUT", help="Write the notes again, with each verdict beside its formula."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else, on standard output.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def check(notes: str, network: str | None, output: str | None, as_json: bool) -> Status:
    """Check every formula of NOTES that claims something, and say of a wrong one what is wrong and what is right.

    NOTES is a file of LaTeX (.tex) or Markdown (.md). Shapes, forward equations and the loss in it define the network,
    or --network does; every other equation is a claim. It is proved, it agrees in numbers, it differs, or it cannot be
    read. Nothing in NOTES is evaluated, included or opened.
    """
    from symbackprop.api.claims import check_document
    from symbackprop.cli.networks import load_model

    if output is not None:
        from symbackprop.claims.rendering import check_annotations
        from symbackprop.files import check_place

        check_annotations(notes, output)
        check_place(output)
    result = check_document(notes, None if network is None else load_model(network))
    # Files first: whoever reads the output may be gone before its end.
    if output is not None:
        notice(f"wrote {result.annotate(output)}")
    click.echo(json.dumps(result.as_dict(), indent=2, allow_nan=False) if as_json else str(result))
    return Status.HOLDS if result.ok else Status.FAILED
