"""The documents name what there is."""

from pathlib import Path

import schemas
from realtime.client.errors import CODES, Trouble
from realtime.client.states import diagram
from realtime.contract import GO_ON, SAY_EXACTLY

ROOT = Path(__file__).parents[1]


def test_the_wire_document_names_every_type_and_code() -> None:
    """Nothing of the schemas is missing from docs/wire.md."""
    text = (ROOT / "docs/wire.md").read_text()
    answer = schemas.read("answer")["$defs"]
    codes = answer["error"]["properties"]["code"]["enum"] + answer["notice"]["properties"]["code"]["enum"]
    missing = [name for name in [*schemas.CALLER, *schemas.ANSWER, *codes] if f"`{name}`" not in text]
    assert missing == []


def test_the_operations_document_names_every_setting() -> None:
    """By its option, or by its environment variable for the keys."""
    import inspect

    from cli.serve import serve

    text = (ROOT / "docs/operations.md").read_text()
    options = [f"--{name.replace('_', '-')}" for name in inspect.signature(serve).parameters]
    assert [option for option in [*options, "OPENAI_API_KEY", "UPSTREAM_API_KEY"] if f"`{option}`" not in text] == []


def test_the_realtime_document_shows_the_tables() -> None:
    """The states, the codes with what is done about each, and the lines of a prompt that are read literally."""
    text = (ROOT / "docs/realtime.md").read_text()
    assert f"```mermaid\n{diagram()}```\n" in text
    for trouble in Trouble:
        codes = ", ".join(f"`{code}`" for code, means in CODES.items() if means is trouble)
        assert f"| {codes} | {trouble.value} |\n" in text
    assert f"`{SAY_EXACTLY}`" in text
    assert f"`{GO_ON}`" in text
