"""docs/wire.md: the two sessions at its beginning are messages of the wire."""

import re
from collections.abc import Mapping
from json import JSONDecoder
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import schemas

TEXT = (Path(__file__).parents[3] / "docs/wire.md").read_text()
SPEAKERS: Mapping[str, Mapping[str, Draft202012Validator]] = {"→": schemas.CALLER, "←": schemas.ANSWER}


def session(mode: str) -> list[tuple[str, str]]:
    """Who says what under a heading, in order: an arrow and the text behind it, which may go on in other lines."""
    found = re.search(r"```\n(.*?)```", TEXT.partition(f"## A complete session in {mode} mode\n")[2], re.DOTALL)
    assert found, f"no session in {mode} mode"
    return re.findall(r"^([→←]) +(\{.*?)(?=^[→← ] {2}\S|\Z)", found[1], re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("mode", ["clip", "stream"])
def test_each_message_of_a_session_fits_its_schema(mode: str) -> None:
    """Also what stands in several lines; behind a message there may be a remark."""
    said = []
    for arrow, text in session(mode):
        message, _ = JSONDecoder().raw_decode(text)
        assert list(SPEAKERS[arrow][message["type"]].iter_errors(message)) == []
        said.append((arrow, message["type"]))
    assert ("←", "config_ack") in said
    assert said[-2:] == [("→", "end"), ("←", "summary")]
    assert len(said) >= 12
