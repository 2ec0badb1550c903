"""The validator without messages finds the same errors as that of jsonschema."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import schemas

FIELDS = ["astrologer_id", "audio", "data", "mode", "input", "output", "profile", "text", "ms", "response_id", "x"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "clip", "stream", "pcm16", " ", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(list(schemas.CALLER)), st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6))
@example("config", {"astrologer_id": "a", "audio": {"mode": "loud"}})
@example("config", {"astrologer_id": "a", "audio": {"mode": "clip"}})
def test_both_find_the_same(kind: str, fields: dict[str, Any]) -> None:
    """For every type of message of a caller, with any content."""
    message = {"type": kind, **fields}
    quiet = schemas.CALLER[kind]
    loud = Draft202012Validator(quiet.schema)
    found = [(error.validator, list(error.absolute_path), error.instance) for error in loud.iter_errors(message)]
    assert repr([(e.validator, list(e.absolute_path), e.instance) for e in quiet.iter_errors(message)]) == repr(found)


def test_the_schema_is_as_it_must_be_for_that() -> None:
    """The restrictions of quiet.py: a `type` is one name, an `enum` lists strings."""

    def check(part: object) -> None:
        if isinstance(part, dict):
            assert isinstance(part.get("type", ""), str | dict)
            assert all(isinstance(choice, str) for choice in part.get("enum", ()))
        for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            check(inner)

    check(schemas.read("caller"))
