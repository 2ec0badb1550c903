"""What others rely on: the wire, the commands, the environment, the file of personas, the names in /metrics.

`surface.json` holds it. A change of it is a change for clients, scripts and dashboards: it needs a line in
CHANGELOG.md.
To write it anew: `python -m tests.test_surface`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

import schemas
from actors.counters import Counters
from audio import Pool
from cli import app
from tests.kit.story import run
from web.gathered import Gathered
from web.metrics import Metrics

SURFACE = Path(__file__).with_name("surface.json")
PROSE = {"title", "description", "examples", "$id", "$schema", "markdownDescription", "$comment"}


def outline(schema: Any) -> Any:
    """A schema without what it says to people."""
    if isinstance(schema, dict):
        return {key: outline(value) for key, value in schema.items() if key not in PROSE or not isinstance(value, str)}
    return [outline(value) for value in schema] if isinstance(schema, list) else schema


def commands() -> Iterator[tuple[str, str]]:
    """Each option and argument of each command, and what names it in the environment."""
    waiting = [("supervisor", typer.main.get_command(app))]
    while waiting:
        path, command = waiting.pop()
        waiting += [(f"{path} {name}", child) for name, child in getattr(command, "commands", {}).items()]
        for option in command.params:
            if option.name != "help":
                yield f"{path} {option.opts[0]}", str(option.envvar or "")


async def metrics() -> list[str]:
    """The name and the kind of every family of ours."""
    families = [*Metrics(Counters(), Pool()).registry.collect(), *await Gathered([]).collect()]
    return sorted(f"{family.name} {family.type}" for family in families if family.name.startswith("voice_"))


def surface() -> dict[str, Any]:
    """All of it, as it is now."""
    return {
        "commands": dict(sorted(commands())),
        "metrics": run(metrics()),
        "schemas": {name: outline(schemas.read(name)) for name in ("caller", "answer", "personas")},
    }


def test_what_others_rely_on_is_as_it_was() -> None:
    """The same names, with the same shapes."""
    assert surface() == json.loads(SURFACE.read_text())


if __name__ == "__main__":
    SURFACE.write_text(json.dumps(surface(), indent=1, ensure_ascii=False, sort_keys=True) + "\n")
