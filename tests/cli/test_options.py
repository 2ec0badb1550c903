"""Every option of every command can be set in the environment."""

from collections.abc import Iterator

import typer.main
from typer.core import TyperOption

from cli import app


def options() -> Iterator[tuple[str, object]]:
    """The path of each option that a user can see, and what names it in the environment."""
    waiting = [("supervisor", typer.main.get_command(app))]
    while waiting:
        path, command = waiting.pop()
        waiting += [(f"{path} {name}", child) for name, child in getattr(command, "commands", {}).items()]
        for option in command.params:
            if isinstance(option, TyperOption) and not option.hidden and option.name != "help":
                yield f"{path} {option.opts[0]}", option.envvar


def test_every_option_has_an_environment_variable() -> None:
    """Scripts and containers need no arguments."""
    found = dict(options())
    assert "supervisor serve --port" in found
    assert [path for path, variable in found.items() if not variable] == []
