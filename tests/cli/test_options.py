"""Every option of every command can be set in the environment; those of `serve` are made from a dataclass."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

import pytest
import typer.main
from typer.core import TyperOption
from typer.testing import CliRunner

from actors.setting import Setting
from cli import app
from cli.options import table, with_options


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
    assert [path for path, variable in found.items() if not variable] == ["supervisor --version"]


@dataclass(frozen=True, kw_only=True)
class Inner:
    """A part of the settings, one of whose fields is no setting."""

    size: Annotated[int, Setting(doc="how many", least=2)] = 3
    fixed: int = 7


@dataclass(frozen=True, kw_only=True)
class Outer:
    """Settings of all kinds."""

    name: Annotated[str, Setting(help="Who.", doc="who", variable="WHO")] = "tina"
    names: Annotated[tuple[str, ...], Setting(doc="others")] = ()
    quiet: Annotated[bool, Setting(doc="say nothing")] = False
    key: Annotated[str, Setting(doc="a key", secret=True)] = ""
    inner: Inner = field(default_factory=Inner)


TABLE = """\
| option | environment | default | at least | |
|---|---|---|---|---|
| `--name` | `WHO` | tina | | who |
| `--names` | `NAMES` | | | others |
| `--quiet` | `QUIET` | off | | say nothing |
| | `KEY` | | | a key |
| `--size` | `SIZE` | 3 | 2 | how many |"""


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, Outer()),
        (["--name", "mohit", "--size", "2", "--quiet"], {}, Outer(name="mohit", quiet=True, inner=Inner(size=2))),
        (["--names", "a", "--names", "b"], {}, Outer(names=("a", "b"))),
        ([], {"WHO": "mohit", "NAMES": "a b", "KEY": "k"}, Outer(name="mohit", names=("a", "b"), key="k")),
    ],
)
def test_options_and_variables_reach_the_settings(
    arguments: list[str], environment: dict[str, str], expected: Outer
) -> None:
    """Also those of a dataclass within, and a secret, which has a variable only."""
    given: list[Outer] = []
    command = typer.Typer()
    command.command()(with_options(Outer)(given.append))
    result = CliRunner().invoke(command, arguments, env=environment)
    assert (result.exit_code, given) == (0, [expected]), result.output


@pytest.mark.parametrize("arguments", [["--size", "1"], ["--key", "k"], ["--fixed", "1"]])
def test_what_is_no_option_or_too_small_is_refused(arguments: list[str]) -> None:
    """A secret has no option, nor has a field without a declaration."""
    command = typer.Typer()
    command.command()(with_options(Outer)(lambda settings: None))
    assert CliRunner().invoke(command, arguments).exit_code == 2


def test_the_table_has_a_row_for_each_setting() -> None:
    """With the name, the variable, the default and the least value."""
    assert table(Outer) == TABLE
