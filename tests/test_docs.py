"""The documents name what there is."""

import re
from pathlib import Path

import schemas
from actors.call.watch import document
from cli.options import table
from cli.settings import Settings
from realtime.client.errors import CODES, Action
from realtime.client.states import diagram
from realtime.contract import GO_ON, SAY_EXACTLY

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
OPERATIONS = ROOT / "docs" / "operations.md"
NAMED = re.compile(
    r"`((?:actors|audio|bench|cage|cli|engine|personas|phone|realtime|schemas|tests|upstream|web)/[\w/.]+\.\w+)`"
)


def test_every_file_that_a_document_names_is_there() -> None:
    """Also after a move."""
    named = [(document.name, file) for document in DOCUMENTS for file in NAMED.findall(document.read_text())]
    assert len(named) > 50
    assert [(document, file) for document, file in named if not (ROOT / file).exists()] == []


def test_every_decision_is_in_the_index() -> None:
    """By its number and its title."""
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    for file in folder.glob("0*.md"):
        number, _, title = file.read_text().partition("\n")[0].removeprefix("# ").partition(". ")
        assert f"| {number} | [{title}]({file.name}) |\n" in index


def test_the_wire_document_names_every_type_and_code() -> None:
    """Nothing of the schemas is missing from docs/wire.md."""
    text = (ROOT / "docs/wire.md").read_text()
    answer = schemas.read("answer")["$defs"]
    codes = answer["error"]["properties"]["code"]["enum"] + answer["notice"]["properties"]["code"]["enum"]
    missing = [name for name in [*schemas.CALLER, *schemas.ANSWER, *codes] if f"`{name}`" not in text]
    assert missing == []


def operations() -> str:
    """docs/operations.md with the table of settings as `cli/settings.py` declares them."""
    head, rest = OPERATIONS.read_text().split("| option |", 1)
    _, _, behind = rest.partition("\n\n")
    return f"{head}{table(Settings)}\n\n{behind}"


def test_the_operations_document_shows_every_setting() -> None:
    """`python -m tests.test_docs` writes the table anew."""
    assert operations() == OPERATIONS.read_text()


def test_the_realtime_document_shows_the_tables() -> None:
    """The states, what a caller waits for, the codes and what is done about each, the lines that are read literally."""
    text = (ROOT / "docs/realtime.md").read_text()
    assert f"```mermaid\n{diagram()}```\n" in text
    assert f"\n\n{document()}\n" in text
    for trouble in Action:
        codes = ", ".join(f"`{code}`" for code, means in CODES.items() if means is trouble)
        assert f"| {codes} | {trouble.value} |\n" in text
    assert f"`{SAY_EXACTLY}`" in text
    assert f"`{GO_ON}`" in text


if __name__ == "__main__":
    OPERATIONS.write_text(operations())
