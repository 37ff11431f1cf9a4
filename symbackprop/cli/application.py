"""The application: the table of commands, and the one place where errors become a line and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import click

from symbackprop._version import __version__
from symbackprop.cli.check import check
from symbackprop.cli.compile import compile_module
from symbackprop.cli.derive import derive
from symbackprop.cli.status import Status
from symbackprop.cli.train import train
from symbackprop.cli.verify import verify
from symbackprop.errors import SymbackpropError, nearest

__all__ = ["Application", "application"]


class Application(click.Group):
    """A group of commands in which every error is one line on standard error, and a traceback is for ``--debug``."""

    def main(  # type: ignore[override]  # click's overloads tell a mode apart that this group does not have
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run the command that ``args`` (``sys.argv`` by default) name, and exit with its status."""
        arguments = list(sys.argv[1:] if args is None else args)
        sys.exit(self._run(arguments, prog_name or "symbackprop"))

    def _run(self, arguments: list[str], name: str) -> int:
        # What goes wrong while the arguments are parsed has no context that could be asked for this option.
        debug = "--debug" in arguments
        try:
            with self.make_context(name, arguments.copy()) as context:
                return int(self.invoke(context) or Status.HOLDS)
        except click.exceptions.Exit as request:
            return request.exit_code
        except (KeyboardInterrupt, click.Abort):
            return Status.INTERRUPTED
        except BrokenPipeError:
            _abandon_output()
            return Status.BROKEN_PIPE
        except Exception as error:
            status, line = _explain(error, name)
            if debug:
                import traceback

                traceback.print_exc()
            if isinstance(error, OSError) and error.filename is None:
                _abandon_output()
            click.echo(f"{name}: {' '.join(line.split())}", err=True)
            return status

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for a name that is none, say which one is nearest."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            raise click.UsageError(f"unknown command {args[0]!r}; {nearest(args[0], known)}", ctx)
        return super().resolve_command(ctx, args)


def _explain(error: Exception, name: str) -> tuple[Status, str]:
    """The exit status and the sentence for ``error``."""
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        path = context.command_path if context else name
        message = error.format_message().rstrip(".")
        return Status.UNUSABLE, f"{message[:1].lower()}{message[1:]} (see '{path} --help')"
    if isinstance(error, SymbackpropError):
        return Status.UNUSABLE, str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename is not None else ""
        return Status.UNUSABLE, f"{where}{error.strerror or error}"
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    return Status.INTERNAL, f"internal error: {what} (a mistake in symbackprop; --debug shows where)"


def _abandon_output() -> None:
    """Let what is still buffered for standard output go nowhere, or the interpreter complains when it exits."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(
    name="symbackprop",
    cls=Application,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="'symbackprop COMMAND --help' describes a command.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def application() -> None:
    """Derive the gradients of a neural network symbolically.

    Exit status: 0 all holds, 1 a check failed, 2 a usage error or unreadable input,
    70 an internal error, 130 interrupted.
    """


application.add_command(derive)
application.add_command(compile_module)
application.add_command(verify)
application.add_command(check)
application.add_command(train)
