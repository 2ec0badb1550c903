"""Null where a client gives nothing: SDKs write what their callers left open as null."""

from typing import Any

import pytest

from realtime.server.acts import Think
from realtime.server.settings import check
from realtime.server.shape import LONGEST_SHOWN, shown
from tests.engine.stand_ins import ENGLISH, Wire, kinds, refusal

NOTHING = {"instructions": None, "output_modalities": None, "tools": None, "tool_choice": None, "audio": None}
RESPONSE_NOTHING = {
    **NOTHING,
    "conversation": None,
    "input": None,
    "metadata": None,
    "max_output_tokens": None,
    "parallel_tool_calls": None,
    "reasoning": None,
    "prompt": None,
}


@pytest.fixture
def wire() -> Wire:
    wire = Wire()
    wire.update(instructions=ENGLISH, audio={"input": {"turn_detection": None}})
    wire.write("Will I marry?")
    return wire


@pytest.mark.parametrize("response", [{"instructions": None}, RESPONSE_NOTHING, None])
def test_a_response_of_nulls_is_one_that_asks_for_nothing_in_particular(wire: Wire, response: object) -> None:
    """It is answered by the session's own settings, to the whole conversation."""
    new = wire.say("response.create", event_id=None, response=response)

    assert kinds(new) == ["response.created"]
    work = wire.next(Think)
    assert work.instructions == ENGLISH
    assert [turn.text for turn in work.turns] == ["Will I marry?"]


@pytest.mark.parametrize(
    "change",
    [
        NOTHING,
        {"max_output_tokens": None, "truncation": None, "parallel_tool_calls": None, "model": None},
        {"audio": {"input": None, "output": None}},
        {"audio": {"input": {"format": None}, "output": {"format": None, "voice": None, "speed": None}}},
        {"audio": {"output": {"format": {"type": "audio/pcm", "rate": None}}}},
    ],
)
def test_an_update_of_nulls_changes_nothing(wire: Wire, change: dict[str, Any]) -> None:
    """What is null where null is no value stays as it was."""
    before = wire.session.settings

    (updated,) = wire.update(**change)

    assert updated["type"] == "session.updated"
    assert wire.session.settings == before


def test_null_stays_null_where_it_is_a_value(wire: Wire) -> None:
    """Turn detection and transcription are switched off by it."""
    wire.update(audio={"input": {"turn_detection": {"type": "semantic_vad"}, "transcription": {"model": "whisper-1"}}})

    wire.update(audio={"input": {"turn_detection": None, "transcription": None, "noise_reduction": None}})

    heard = wire.session.settings["audio"]["input"]
    assert (heard["turn_detection"], heard["transcription"], heard["noise_reduction"]) == (None, None, None)


def test_nulls_within_turn_detection_are_its_defaults(wire: Wire) -> None:
    """A null beside what is set is no value of its own."""
    (updated,) = wire.detect(threshold=None, silence_duration_ms=700, create_response=None)

    shown = updated["session"]["audio"]["input"]["turn_detection"]
    assert (shown["threshold"], shown["silence_duration_ms"], shown["create_response"]) == (0.5, 700, True)


def test_an_item_and_a_cancel_take_nulls(wire: Wire) -> None:
    """`id`, `status`, `object`, `previous_item_id` and `response_id`."""
    new = wire.write("And when?", id=None, status=None, object=None)
    assert kinds(new) == ["conversation.item.added", "conversation.item.done"]
    assert new[0]["item"]["id"].startswith("item_")

    wire.say("response.create")
    assert "response.done" in kinds(wire.say("response.cancel", response_id=None))


def test_what_is_free_of_form_keeps_its_nulls() -> None:
    """A default of null in the parameters of a tool is part of them."""
    tool = {"type": "function", "name": "look", "description": None, "parameters": {"default": None}}

    read = check({"type": "session.update", "session": {"type": "realtime", "tools": [tool]}})

    assert read["session"]["tools"] == [{"type": "function", "name": "look", "parameters": {"default": None}}]


@pytest.mark.parametrize(
    ("kind", "fields", "code", "param"),
    [
        ("session.update", {"session": None}, "invalid_type", "session"),
        ("conversation.item.create", {"item": None}, "invalid_type", "item"),
        ("input_audio_buffer.append", {"audio": None}, "invalid_type", "audio"),
        ("conversation.item.delete", {"item_id": None}, "invalid_type", "item_id"),
        ("session.update", {"session": {"type": "realtime", "nobody": None}}, "unknown_parameter", "session.nobody"),
    ],
)
def test_null_is_refused_where_something_is_needed(
    wire: Wire, kind: str, fields: dict[str, Any], code: str, param: str
) -> None:
    """A field that must be there is not given by null, and a null does not make a field known."""
    assert refusal(wire.say(kind, **fields)) == (code, param)


def test_errors_speak_json(wire: Wire) -> None:
    """`null` and `true`, as the client wrote them."""
    (error,) = wire.say("session.update", session={"type": None})
    assert error["error"]["message"] == "Invalid value: null. Supported values are: 'realtime', 'transcription'."

    (error,) = wire.update(parallel_tool_calls="yes")
    assert error["error"]["message"] == "Invalid value: 'yes'. Supported values are: true, false."


def test_an_error_repeats_no_long_value() -> None:
    """Megabytes are not sent back, and what no serialiser follows is named by its kind."""
    deep: list[Any] = []
    for _ in range(400):
        deep = [deep]

    assert len(shown("x" * 10_000_000)) < LONGEST_SHOWN + 10
    assert len(shown(["x" * 10_000_000])) < LONGEST_SHOWN + 10
    assert shown(deep) == "an array"
    assert shown({"a": [None, True]}) == '{"a":[null,true]}'
