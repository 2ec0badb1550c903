"""The command line: `python -m supervisor [COMMAND]`. Every option can also be set in the environment."""

import os
from contextlib import suppress
from importlib import metadata
from typing import Annotated

import typer
from typer.core import TyperGroup

from cage import protect
from cli.call import call
from cli.demo import demo
from cli.engine import engine
from cli.name import COMMAND, SCRIPT
from cli.personas import personas
from cli.serve import serve


class ServeByDefault(TyperGroup):
    """Runs `serve` if the arguments name no command."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h", "--version")):
            args = ["serve", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=ServeByDefault,
    name="supervisor",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{SCRIPT} {metadata.version(SCRIPT)}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """A server on which callers talk to personas. Without a command it serves."""


app.command()(serve)
app.command()(call)
app.command()(demo)
app.command()(engine)
app.add_typer(personas, name="personas")


def main() -> None:
    """Run the command that the arguments name."""
    _open_standard_streams()
    protect()  # the environment has keys
    if COMMAND == SCRIPT:
        # Our children run as modules: what lies in the caller's folder must not be taken for a package of ours.
        os.environ["PYTHONSAFEPATH"] = "1"
    app(prog_name=COMMAND)


def _open_standard_streams() -> None:
    """Open /dev/null in place of a closed stdin, stdout or stderr: libuv aborts if another file takes its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
