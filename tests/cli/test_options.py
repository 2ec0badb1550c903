"""Every option of every command can be set in the environment; those of `serve` are made from a dataclass."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest
import typer.main
from typer.core import TyperOption
from typer.testing import CliRunner

from actors.budgets.limits import Budgets
from actors.services import Limits
from actors.setting import Setting
from cli import app
from cli.entrance import Entrance
from cli.fleet_member import FleetMember
from cli.options import declared, environment, table, with_options
from cli.settings import LogLevel, Settings


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


def read_again(settings: type, variables: dict[str, str]) -> object:
    """What a command makes of these variables."""
    given: list[object] = []
    command = typer.Typer()
    command.command()(with_options(settings)(given.append))
    result = CliRunner().invoke(command, env=variables)
    assert result.exit_code == 0, result.output
    return given[0]


@pytest.mark.parametrize(
    "settings", [Outer(), Outer(name="mohit", names=("a", "b"), quiet=True, key="k", inner=Inner(size=9))]
)
def test_settings_can_be_told_in_the_environment(settings: Outer) -> None:
    """All of them, secrets too, and they are read as they were."""
    assert read_again(Outer, environment(settings)) == settings


def test_the_settings_of_a_server_can_be_told_in_the_environment(tmp_path: Path) -> None:
    """Those of every kind."""
    file = tmp_path / "some.pem"
    file.touch()
    limits, fleet = Limits(sessions=7, late_ms=99.5), FleetMember(node="n1", register_url="redis://127.0.0.1:1/0")
    budgets, entrance = Budgets(budget_day_usd=1.25, day_zone="Asia/Kolkata"), Entrance(open=True, api_key="k" * 32)
    some = {"host": "::1", "tls_cert": file, "log_level": LogLevel.ERROR, "allow_host": ("a.example", "b.example")}
    other = {"session_seconds": 90.0, "upstream_url": "wss://h.example/?k=a%20b", "engine_wait": 0.5}
    settings = Settings(**some, **other, limits=limits, fleet=fleet, budgets=budgets, entrance=entrance)  # type: ignore[arg-type]
    assert read_again(Settings, environment(settings)) == settings
    assert environment(settings).keys() <= {one.variable for one in declared(Settings)}


def test_the_table_has_a_row_for_each_setting() -> None:
    """With the name, the variable, the default and the least value."""
    assert table(Outer) == TABLE
