"""Both directions of the wire by the SDK's types: every kind of event there is on ours, and that a fault would show."""

import copy
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import orjson
import pytest

from engine.ear.vad import Loudness
from realtime.client.protocol import Protocol
from realtime.server.acts import Send
from realtime.server.session import Session
from tests.engine.stand_ins import Wire
from tests.kit.parts import SECOND
from tests.kit.shapes import UNNAMED, check_client_event, check_server_event
from upstream.commands import (
    Append,
    AskClip,
    AskText,
    CancelReply,
    ConfigureSession,
    ContinueReply,
    Greet,
    SetTurnDetection,
    TruncateReply,
)
from upstream.facts import ReplyNumber, Setup, Turn, TurnId

Event = dict[str, Any]
SILENCE = bytes(len(SECOND))


@cache
def served() -> list[Event]:
    """What the engine sends when everything that it can do is asked of it."""
    wire = Wire()
    wire.update(tracing="auto", audio={"input": {"transcription": {"model": "gpt-transcribe", "language": "hi"}}})
    wire.detect(idle_timeout_ms=500)
    wire.append(SECOND + SILENCE)
    wire.hear("When?")
    wire.think("Soon.")
    wire.speak(("Soon.", SECOND))
    wire.append(3 * SILENCE)  # nobody says anything
    wire.say("response.cancel")
    wire.update(audio={"input": {"turn_detection": None}})
    wire.say("input_audio_buffer.clear")
    wire.say("input_audio_buffer.commit", event_id="nothing")
    wire.clip()
    wire.hear("")
    wire.hear("Again?")
    item_id = wire.answer()[1]["item"]["id"]
    wire.say("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=500)
    wire.say("conversation.item.retrieve", item_id=item_id)
    wire.say("conversation.item.delete", item_id=item_id)
    wire.say("response.create", response={"output_modalities": ["text"], "metadata": {"a": "b"}, "input": []})
    wire.think("Written.")
    call = {"type": "function_call", "name": "look", "arguments": "{}", "call_id": "call_1"}
    wire.say("conversation.item.create", item=call)
    wire.say("conversation.item.create", item={**call, "type": "function_call_output"})  # refused: no output
    wire.say("conversation.item.create", item={"type": "function_call_output", "call_id": "call_1", "output": "7"})
    return wire.sent


@cache
def asked() -> list[Event]:
    """What our half sends when everything that it can say is said to the engine."""
    sent: list[Event] = []
    ours, theirs = Protocol(), Session("gpt-realtime-2.1", now=0, detector=Loudness)

    def carry() -> None:
        while frames := ours.to_send():
            for frame in frames:
                sent.append(orjson.loads(frame))
                take(theirs.receive(sent[-1]))

    def take(acts: list[Any]) -> None:
        for act in acts:
            if isinstance(act, Send):
                ours.receive(orjson.dumps(act.event))

    def answer() -> str:
        """Bring the response in hand to where a second of it is spoken; returns its id."""
        carry()
        active = theirs._answering.active
        assert active is not None
        take(theirs.thought(active.id, "Soon."))
        take(theirs.spoke(active.id, "Soon.", SECOND))
        return active.id

    take(theirs.begin())
    ours.send(
        ConfigureSession(Setup("You are Tina.", "marin", "hi"), (Turn("user", "When?"), Turn("assistant", "Soon.")))
    )
    carry()
    ours.send(Greet(TurnId(1), "Namaste."))
    take(theirs.finished(answer()))
    ours.send(ContinueReply(TurnId(2)))
    take(theirs.finished(answer()))
    ours.send(TruncateReply(ReplyNumber(2), 500))
    ours.send(AskText(TurnId(3), "And then?"))
    answer()
    ours.send(CancelReply())
    ours.send(TruncateReply(ReplyNumber(3), 0))
    ours.send(AskClip(TurnId(4), SECOND))
    ours.send(SetTurnDetection(listens=True))
    ours.send(Append(SILENCE))
    carry()
    return sent


def test_every_event_of_the_engine_is_the_apis() -> None:
    """All kinds that a spoken or a written turn brings; what ends a connection is tested where it is closed."""
    for event in served():
        check_server_event(event)
    assert {event["type"] for event in served()} == {
        "session.created", "session.updated", "error", "rate_limits.updated",
        "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
        "input_audio_buffer.cleared", "input_audio_buffer.timeout_triggered",
        "conversation.item.added", "conversation.item.done", "conversation.item.retrieved",
        "conversation.item.truncated", "conversation.item.deleted",
        "conversation.item.input_audio_transcription.delta", "conversation.item.input_audio_transcription.completed",
        "response.created", "response.output_item.added", "response.content_part.added",
        "response.output_audio_transcript.delta", "response.output_audio_transcript.done",
        "response.output_audio.delta", "response.output_audio.done",
        "response.output_text.delta", "response.output_text.done",
        "response.content_part.done", "response.output_item.done", "response.done",
    }  # fmt: skip


def test_every_event_of_ours_is_the_apis() -> None:
    """All that the bridge ever says; the engine, which is strict, takes it too."""
    for event in asked():
        check_client_event(event)
    assert {event["type"] for event in asked()} == {
        "session.update", "input_audio_buffer.append", "input_audio_buffer.commit", "conversation.item.create",
        "conversation.item.truncate", "conversation.item.delete", "response.create", "response.cancel",
    }  # fmt: skip


def places(part: Any, path: str = "") -> Iterator[str]:
    """The paths of everything in an event, but of what the SDK has no type for."""
    for name, inner in part.items() if isinstance(part, dict) else ():
        if f"{path}{name}" not in UNNAMED and name != "metadata":
            yield f"{path}{name}"
            yield from places(inner, f"{path}{name}.")
            for index, each in enumerate(inner if isinstance(inner, list) else ()):
                yield from places(each, f"{path}{name}.{index}.")


def mutated(event: Event, path: str, change: Callable[[Event, str], None]) -> Event:
    other = copy.deepcopy(event)
    *way, name = path.split(".")
    inner: Any = other
    for step in way:
        inner = inner[int(step) if isinstance(inner, list) else step]
    change(inner, name)
    return other


def retype(part: Event, name: str) -> None:
    part[name] = [[7]]


def misname(part: Event, name: str) -> None:
    part[f"{name}_"] = part.pop(name)


@pytest.mark.parametrize("change", [retype, misname])
@pytest.mark.parametrize(("events", "check"), [(served, check_server_event), (asked, check_client_event)])
def test_a_fault_in_any_field_shows(events: Callable[[], list[Event]], check: Any, change: Any) -> None:
    """A wrong type or a wrong name at any depth of any kind of event is found."""
    kinds = {event["type"]: event for event in events()}
    for event in kinds.values():
        for path in places(event):
            with pytest.raises((ValueError, AssertionError)):
                check(mutated(event, path, change))


@pytest.mark.parametrize("name", ["event_id", "item_id", "usage", "transcript", "content_index"])
def test_what_is_missing_shows(name: str) -> None:
    """The transcript of a turn without its usage, as without anything else that is required."""
    (event, *_) = [each for each in served() if each["type"].endswith("transcription.completed")]
    check_server_event(event)
    with pytest.raises(ValueError, match="Field required"):
        check_server_event({field: value for field, value in event.items() if field != name})
