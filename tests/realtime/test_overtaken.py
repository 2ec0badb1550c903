"""Asks and spoken turns that cross on the wire: the order that counts is the server's."""

from typing import Any

import orjson
import pytest

from realtime.events import Committed, Event, ReplyBegan, ReplyEnded, Setup, Speaking
from realtime.protocol import Protocol

BUSY = "conversation_already_has_active_response"


class Crossing:
    """The protocol in a session that listens, and the server as the test says it."""

    def __init__(self) -> None:
        self.ours = Protocol()
        self.ours.configure(Setup("be kind", "marin", "en", listens=True))
        self.say("session.created")
        self.say("session.updated", session={"audio": {"output": {"voice": "marin"}}})
        self.ours.to_send()

    def say(self, kind: str, **fields: Any) -> list[Event]:
        """One event from the server."""
        return self.ours.receive(orjson.dumps({"type": kind, **fields}))

    def speech(self, item: str) -> list[Event]:
        return self.say("input_audio_buffer.speech_started", item_id=item, audio_start_ms=0)

    def commit(self, item: str) -> list[Event]:
        return self.say("input_audio_buffer.committed", item_id=item)

    def created(self, response: str, ask: str | None = None) -> list[Event]:
        return self.say("response.created", response={"id": response, "metadata": {"ask": ask} if ask else None})

    def done(self, response: str, status: str = "cancelled") -> list[Event]:
        return self.say("response.done", response={"id": response, "status": status})

    def sent(self) -> list[dict[str, Any]]:
        return [orjson.loads(frame) for frame in self.ours.to_send()]


@pytest.fixture
def crossing() -> Crossing:
    return Crossing()


def test_speech_needs_no_hush_and_its_own_answer_is_heard(crossing: Crossing) -> None:
    """What waited behind the gate is void with it; the answer to the speech is not."""
    crossing.ours.ask_text(1, "one")
    crossing.created("a", "1")
    crossing.ours.ask_text(2, "two")  # waits
    crossing.sent()
    assert crossing.speech("item") == [Speaking(-1, 0)]
    crossing.done("a")
    assert [event["type"] for event in crossing.sent()] == ["conversation.item.create"]
    assert crossing.commit("item") == [Committed(-1)]
    assert crossing.created("b") == [ReplyBegan(2, -1)]
    assert crossing.sent() == []


def test_speech_from_before_a_change_to_clips_leaves_what_was_asked_after_it(crossing: Crossing) -> None:
    """The upstream cuts its answer, forgets the speech, and the clip that waited for it is answered."""
    crossing.ours.greet(1, "Hello.")
    crossing.created("a", "1")
    crossing.ours.listen(False)
    crossing.ours.ask_text(2, "two")  # waits
    crossing.sent()
    assert crossing.speech("item") == []
    crossing.done("a")
    assert [event["type"] for event in crossing.sent()] == ["conversation.item.create", "response.create"]


def test_a_create_that_reaches_the_server_while_somebody_speaks_is_cancelled_and_the_speech_answered(
    crossing: Crossing,
) -> None:
    """At its end the response was still active, so the server began none by itself."""
    crossing.ours.ask_text(1, "one")
    crossing.sent()
    crossing.speech("item")
    assert crossing.created("a", "1") == []
    assert crossing.sent()[-1]["type"] == "response.cancel"
    assert crossing.commit("item") == [Committed(-1)]
    assert crossing.sent() == []
    assert crossing.done("a") == [ReplyEnded(1, 1, "cancelled", "")]
    (create,) = crossing.sent()
    assert create["response"]["metadata"] == {"ask": "-1"}
    assert crossing.created("b", "-1") == [ReplyBegan(2, -1)]


def test_a_create_that_the_answer_to_speech_overtook_is_asked_again_after_it(crossing: Crossing) -> None:
    """The server heard it after the speech, so it is answered after the speech."""
    crossing.ours.ask_text(1, "one")
    create = crossing.sent()[-1]
    crossing.speech("item")
    crossing.commit("item")
    assert crossing.created("a") == [ReplyBegan(1, -1)]
    crossing.say("error", error={"code": BUSY, "message": "busy", "event_id": create["event_id"]})
    assert crossing.sent() == []
    crossing.done("a", "completed")
    assert [event["response"]["metadata"]["ask"] for event in crossing.sent()] == ["1"]


def test_a_turn_that_was_given_up_does_not_hold_up_what_is_asked_later(crossing: Crossing) -> None:
    """The caller changed to clips in the middle of it: the server forgets it and never commits it."""
    crossing.speech("item")
    crossing.ours.listen(False)
    crossing.say("session.updated", session={"audio": {"output": {"voice": "marin"}}})
    crossing.ours.ask_text(1, "one")
    assert crossing.created("a", "1") == [ReplyBegan(1, 1)]


def test_speech_that_the_server_will_forget_is_not_told(crossing: Crossing) -> None:
    """It heard it before it was told to wait for clips: nobody would ever be told that it is whole."""
    crossing.ours.listen(False)
    assert crossing.speech("item") == []


def test_a_clip_that_is_void_is_not_said_into_a_stream(crossing: Crossing) -> None:
    """The caller sent it, and changed to a stream while something else was answered."""
    crossing.ours.listen(False)
    crossing.say("session.updated", session={"audio": {"output": {"voice": "marin"}}})
    crossing.ours.ask_text(1, "one")
    crossing.ours.ask_clip(2, bytes(48 * 200))
    crossing.created("a", "1")
    crossing.ours.hush()
    crossing.ours.listen(True)
    crossing.sent()
    crossing.done("a")
    assert crossing.sent() == []
