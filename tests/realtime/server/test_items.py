"""Items with audio that a client puts into the conversation, and what was said in them."""

from base64 import b64encode
from typing import Any

import pytest

from realtime.server.acts import Hear, Think
from realtime.server.formats import ToWire
from tests.engine.stand_ins import Wire, kinds, refusal
from tests.kit.parts import SECOND

AUDIO = b64encode(SECOND).decode()
SHOWN = ["conversation.item.added", "conversation.item.done"]


@pytest.fixture
def wire() -> Wire:
    wire = Wire()
    wire.update(audio={"input": {"turn_detection": None, "transcription": {"model": "gpt-transcribe"}}})
    return wire


def said(wire: Wire) -> list[tuple[str, str]]:
    """The turns as the mind is given them."""
    wire.say("response.create")
    return [(turn.role, turn.text) for turn in wire.next(Think).turns]


def test_audio_in_an_item_is_heard(wire: Wire) -> None:
    """It is heard as if it had been committed; the client is not told of a transcript that it did not ask for."""
    new = wire.write("", content=[{"type": "input_audio", "audio": AUDIO}])
    assert kinds(new) == SHOWN
    assert new[0]["item"]["content"] == [{"type": "input_audio", "transcript": None}]

    work = wire.next(Hear)
    assert work.pcm == SECOND
    wire.say("response.create")
    assert not any(isinstance(act, Think) for act in wire.work)
    assert wire.take(wire.session.heard(work.item_id, "When will I marry?")) == []

    assert [turn.text for turn in wire.next(Think).turns] == ["When will I marry?"]
    (shown,) = wire.say("conversation.item.retrieve", item_id=work.item_id)
    assert shown["item"]["content"][0]["transcript"] == "When will I marry?"


def test_a_transcript_that_is_given_needs_no_ear(wire: Wire) -> None:
    """With its audio or without."""
    wire.write("", content=[{"type": "input_audio", "transcript": "Hello"}])
    wire.write("", content=[{"type": "input_audio", "audio": AUDIO, "transcript": "Again"}])

    assert not wire.work
    assert said(wire) == [("user", "Hello"), ("user", "Again")]


def test_text_and_audio_in_one_item(wire: Wire) -> None:
    """The words that are heard go where the audio was."""
    content = [{"type": "input_text", "text": "I asked:"}, {"type": "input_audio", "audio": AUDIO}]
    wire.write("", content=content)
    wire.hear("when?")

    assert said(wire) == [("user", "I asked: when?")]


def test_what_an_assistant_said_is_a_turn(wire: Wire) -> None:
    """A history of spoken answers, which ends where its audio ends."""
    content = [{"type": "output_audio", "transcript": "Namaste.", "audio": AUDIO}]
    (added, _) = wire.write("", role="assistant", content=content, id="said")
    assert added["item"]["content"] == [{"type": "output_audio", "transcript": "Namaste."}]
    wire.write("", role="assistant", content=[{"type": "output_audio", "transcript": "And?"}])

    assert said(wire) == [("assistant", "Namaste."), ("assistant", "And?")]
    cut = {"item_id": "said", "content_index": 0}
    refused = wire.say("conversation.item.truncate", **cut, audio_end_ms=1001)
    assert refusal(refused) == ("invalid_value", "audio_end_ms")
    assert kinds(wire.say("conversation.item.truncate", **cut, audio_end_ms=900)) == ["conversation.item.truncated"]


def test_the_audio_of_an_item_is_in_the_format_of_the_session(wire: Wire) -> None:
    """That of its input for a user's."""
    law = {"type": "audio/pcmu"}
    wire.update(audio={"input": {"format": law}})
    audio = b64encode(ToWire(law).data(SECOND)).decode()

    wire.write("", content=[{"type": "input_audio", "audio": audio}])

    assert len(wire.next(Hear).pcm) == len(SECOND)


def test_a_response_to_audio_of_its_own(wire: Wire) -> None:
    """The `input` of a response may be spoken, too; it is heard before it is answered."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": AUDIO}]}
    wire.say("response.create", response={"conversation": "none", "input": [item]})
    assert not any(isinstance(act, Think) for act in wire.work)

    assert wire.hear("Aside?") == []

    assert [turn.text for turn in wire.next(Think).turns] == ["Aside?"]


def test_an_item_that_cannot_be_heard_fails_its_response(wire: Wire) -> None:
    """With the reason, as for a turn that was committed."""
    wire.write("", content=[{"type": "input_audio", "audio": AUDIO}])
    wire.say("response.create")
    full = {"type": "server_error", "code": "server_is_overloaded", "message": "Full."}

    new = wire.take(wire.session.unheard(wire.next(Hear).item_id, full))

    assert new[0]["response"]["status_details"] == {"type": "failed", "error": full}


@pytest.mark.parametrize(
    ("role", "part", "code", "name"),
    [
        ("user", {"type": "input_audio"}, "missing_required_parameter", "audio"),
        ("user", {"type": "input_audio", "audio": "no base64!"}, "invalid_value", "audio"),
        ("user", {"type": "input_audio", "audio": None}, "missing_required_parameter", "audio"),
        ("user", {"type": "input_audio", "text": "a", "audio": AUDIO}, "unknown_parameter", "text"),
        ("user", {"type": "output_audio", "transcript": "a"}, "invalid_value", "type"),
        ("user", {"type": "input_image", "image_url": "data:,"}, "invalid_value", "type"),
        ("assistant", {"type": "output_audio"}, "missing_required_parameter", "transcript"),
        ("assistant", {"type": "input_audio", "audio": AUDIO}, "invalid_value", "type"),
        ("system", {"type": "input_audio", "audio": AUDIO}, "invalid_value", "type"),
        ("system", {"type": "input_text"}, "missing_required_parameter", "text"),
    ],
)
def test_faulty_parts_are_refused(wire: Wire, role: str, part: dict[str, Any], code: str, name: str) -> None:
    """By their path, and nothing is put into the conversation."""
    refused = wire.write("", role=role, content=[part])
    if code == "invalid_value" and name == "type":
        assert refused[0]["error"]["param"].startswith("item.content[0].")
    else:
        assert refusal(refused) == (code, f"item.content[0].{name}")
    assert said(wire) == []


def test_a_part_takes_the_nulls_of_the_other_kinds(wire: Wire) -> None:
    """SDKs write every field of the union."""
    others = {"audio": None, "transcript": None, "image_url": None, "detail": None}
    wire.write("", content=[{"type": "input_text", "text": "Hello", **others}])
    wire.write(
        "", role="assistant", content=[{"type": "output_audio", "transcript": "Hi", "text": None, "audio": None}]
    )

    assert said(wire) == [("user", "Hello"), ("assistant", "Hi")]
