"""Server VAD on a session: what is sent when the server finds the turns, on the wire and without a socket."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from realtime.server.acts import Halt, Hear, Think
from realtime.server.settings import Event
from tests.engine.stand_ins import Wire, kinds, refusal
from tests.kit.parts import SECOND
from upstream.facts import Turn

SILENCE = bytes(len(SECOND))
TURN = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
]
FRAME_20_MS = 960  # bytes


@pytest.fixture
def wire() -> Wire:
    """A session as it is when nobody has set anything."""
    return Wire()


def turn_detection(wire: Wire) -> Event:
    set_to: Event = wire.session.settings["audio"]["input"]["turn_detection"]
    return set_to


def work(wire: Wire, kind: type[Any]) -> Iterator[Any]:
    return (act for act in wire.work if isinstance(act, kind))


@pytest.mark.parametrize("size", [None, FRAME_20_MS, 961])
def test_a_turn_is_found_committed_and_answered(wire: Wire, size: int | None) -> None:
    """Without a word of the client's, in the order of the real API, whatever the appends are cut into."""
    wire.update(audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
    started, stopped, committed, added, done, created = wire.append(SILENCE + SECOND + SILENCE, size)

    assert kinds([started, stopped, committed, added, done, created]) == [*TURN, "response.created"]
    assert started["item_id"] == stopped["item_id"] == committed["item_id"] == added["item"]["id"]
    assert (started["audio_start_ms"], stopped["audio_end_ms"]) == (31 * 32 - 300, 63 * 32 + 7 * 32)
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert created["response"]["metadata"] is None

    delta, completed = wire.hear("Will I marry?")
    assert (delta["delta"], completed["transcript"]) == ("Will I marry?", "Will I marry?")
    assert wire.next(Think).turns == (Turn("user", "Will I marry?"),)


def test_the_turns_audio_is_what_the_ear_gets(wire: Wire) -> None:
    """From the prefix to the end of the silence, and no more."""
    started, stopped, *_ = wire.append(SILENCE + SECOND + SILENCE)

    heard = wire.next(Hear).pcm
    assert len(heard) == (stopped["audio_end_ms"] - started["audio_start_ms"]) * 48
    assert SECOND in heard


def test_without_create_response_the_client_asks(wire: Wire) -> None:
    """The turn is committed; an answer comes when the client creates it."""
    wire.detect(create_response=False)

    assert kinds(wire.append(SECOND + SILENCE)) == TURN
    assert kinds(wire.say("response.create")) == ["response.created"]


def answering(wire: Wire) -> str:
    """Bring a response to where it has spoken a sentence; returns its id."""
    (created,) = wire.say("response.create")
    wire.think("One. Two.")
    wire.speak(("One. ", SECOND), finish=False)
    response_id: str = created["response"]["id"]
    return response_id


def test_speech_interrupts_the_answer(wire: Wire) -> None:
    """As soon as the caller speaks the response ends as cancelled; nothing is truncated, for the client does that."""
    response_id = answering(wire)
    new = wire.append(SECOND)

    assert kinds(new)[0] == "input_audio_buffer.speech_started"
    assert kinds(new)[-2:] == ["response.done", "rate_limits.updated"]
    assert "conversation.item.truncated" not in kinds(new)
    response = new[-2]["response"]
    assert (response["id"], response["status"]) == (response_id, "cancelled")
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert response["output"][0]["status"] == "incomplete"
    assert next(work(wire, Halt)).response_id == response_id
    assert wire.session.spoke(response_id, "Two.", SECOND) == []
    assert kinds(wire.append(SILENCE)) == [*TURN[1:], "response.created"]


def test_a_response_that_only_thinks_is_interrupted_too(wire: Wire) -> None:
    """It has no item yet, so there is nothing to close but the response."""
    wire.say("response.create")

    assert kinds(wire.append(SECOND)) == [TURN[0], "response.done", "rate_limits.updated"]


def test_a_response_beside_the_conversation_is_not_interrupted(wire: Wire) -> None:
    """Only one with output to the default conversation is."""
    wire.say("response.create", response={"conversation": "none"})

    assert kinds(wire.append(SECOND)) == [TURN[0]]


def test_without_interruption_the_answer_goes_on(wire: Wire) -> None:
    """The turn is committed, but nothing answers it while another answer is given, and no error is sent."""
    wire.detect(interrupt_response=False)
    response_id = answering(wire)

    assert kinds(wire.append(SECOND + SILENCE)) == TURN
    assert not list(work(wire, Halt))
    assert "response.done" in kinds(wire.take(wire.session.finished(response_id)))


def test_two_turns_in_one_append(wire: Wire) -> None:
    """A replay of two turns: the second interrupts the answer to the first, and both are in the conversation."""
    new = kinds(wire.append(2 * (SECOND + SILENCE)))

    first, then = [*TURN, "response.created"], [TURN[0], "response.done", "rate_limits.updated", *TURN[1:]]
    assert new == [*first, *then, "response.created"]
    wire.hear("First.")
    wire.hear("Second.")
    assert wire.next(Think).turns == (Turn("user", "First."), Turn("user", "Second."))


def test_a_commit_by_hand_ends_the_open_turn(wire: Wire) -> None:
    """It commits what there is under the announced id, without speech_stopped and without an answer."""
    (started,) = wire.append(SECOND)
    committed, *shown = wire.say("input_audio_buffer.commit")

    assert kinds([committed, *shown]) == TURN[2:]
    assert committed["item_id"] == started["item_id"]
    assert wire.append(SILENCE) == []
    assert kinds(wire.say("response.create")) == ["response.created"]


def test_a_commit_by_hand_of_silence(wire: Wire) -> None:
    """What is left of silence is its end, which a client may have all the same; nothing at all is refused."""
    assert wire.append(SILENCE) == []
    assert kinds(wire.say("input_audio_buffer.commit")) == TURN[2:]
    assert len(wire.next(Hear).pcm) < len(SILENCE) / 2
    assert refusal(wire.say("input_audio_buffer.commit")) == ("input_audio_buffer_commit_empty", None)


def test_clear_forgets_the_open_turn(wire: Wire) -> None:
    """No turn ends that was cleared; the next one has another id and counts on."""
    (first,) = wire.append(SECOND)
    assert kinds(wire.say("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert wire.append(SILENCE) == []
    (second,) = wire.append(SECOND)

    assert second["item_id"] != first["item_id"]
    assert second["audio_start_ms"] > 1500


def test_null_switches_it_off(wire: Wire) -> None:
    """Then no turn is found, and all audio waits for the commit."""
    wire.update(audio={"input": {"turn_detection": None}})

    assert wire.append(SECOND + SILENCE) == []
    wire.say("input_audio_buffer.commit")
    assert len(wire.next(Hear).pcm) == 2 * len(SECOND)


def test_what_an_update_leaves_out_is_the_default(wire: Wire) -> None:
    """A turn_detection that is given replaces the old one; one that is not leaves it."""
    wire.detect(silence_duration_ms=700)
    (updated,) = wire.detect(threshold=0.7)
    assert updated["session"]["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.7,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "create_response": True,
        "interrupt_response": True,
        "idle_timeout_ms": None,
    }
    wire.update(instructions="Be brief.", audio={"input": {"noise_reduction": None}})
    assert turn_detection(wire)["threshold"] == 0.7


@pytest.mark.parametrize(
    ("wanted", "code", "param"),
    [
        ({}, "missing_required_parameter", "type"),
        ({"type": "semantic_vad", "eagerness": "none"}, "invalid_value", "eagerness"),
        ({"type": "semantic_vad", "threshold": 0.5}, "unknown_parameter", "threshold"),
        ({"type": "none"}, "invalid_value", "type"),
        ({"type": "server_vad", "eagerness": "low"}, "unknown_parameter", "eagerness"),
        ({"type": "server_vad", "threshold": 1.1}, "invalid_value", "threshold"),
        ({"type": "server_vad", "threshold": "high"}, "invalid_type", "threshold"),
        ({"type": "server_vad", "prefix_padding_ms": -1}, "invalid_value", "prefix_padding_ms"),
        ({"type": "server_vad", "silence_duration_ms": 0.5}, "invalid_type", "silence_duration_ms"),
        ({"type": "server_vad", "create_response": 1}, "invalid_value", "create_response"),
        ({"type": "server_vad", "idle_timeout_ms": 0}, "invalid_value", "idle_timeout_ms"),
    ],
)
def test_a_faulty_turn_detection_is_refused_whole(wire: Wire, wanted: Event, code: str, param: str) -> None:
    """By its path, and nothing else of the update takes effect."""
    refused = wire.update(instructions="new", audio={"input": {"turn_detection": wanted}})

    assert refusal(refused) == (code, f"session.audio.input.turn_detection.{param}")
    assert wire.session.settings["instructions"] != "new"
    assert turn_detection(wire)["threshold"] == 0.5


@pytest.mark.parametrize(("eagerness", "frames"), [("low", 38), ("medium", 19), ("high", 10), ("auto", 19)])
def test_semantic_vad_waits_by_its_eagerness(wire: Wire, eagerness: str, frames: int) -> None:
    """The less eager, the longer the silence that ends a turn."""
    semantic = {"type": "semantic_vad", "eagerness": eagerness}
    (updated,) = wire.update(audio={"input": {"turn_detection": semantic}})
    _, stopped, *rest = wire.append(SILENCE + SECOND + 2 * SILENCE)

    shown = updated["session"]["audio"]["input"]["turn_detection"]
    assert shown == {**semantic, "create_response": True, "interrupt_response": True}
    assert stopped["audio_end_ms"] == (63 + frames) * 32
    assert kinds(rest) == [*TURN[2:], "response.created"]


def test_semantic_vad_obeys_what_the_client_wants_itself(wire: Wire) -> None:
    """Neither interrupts nor answers when told not to; what is left out is auto."""
    wanted = {"type": "semantic_vad", "create_response": False, "interrupt_response": False}
    (updated,) = wire.update(audio={"input": {"turn_detection": wanted}})
    answering(wire)

    assert updated["session"]["audio"]["input"]["turn_detection"]["eagerness"] == "auto"
    assert kinds(wire.append(SECOND + SILENCE)) == TURN
    assert not list(work(wire, Halt))


def test_a_long_silence_is_answered(wire: Wire) -> None:
    """After the answer's playback and the timeout an empty item is committed and answered, again and again."""
    wire.detect(idle_timeout_ms=2000)
    wire.answer()
    assert wire.append(2 * SILENCE) == []  # one second of playback, one of silence
    triggered, *commit, created = wire.append(2 * SILENCE)

    assert kinds([triggered, *commit]) == ["input_audio_buffer.timeout_triggered", *TURN[2:]]
    assert triggered["audio_start_ms"] == 1000
    assert 3000 <= triggered["audio_end_ms"] < 3032
    assert triggered["item_id"] == commit[0]["item_id"]
    assert kinds([created]) == ["response.created"]
    assert wire.append(5 * SILENCE) == []
    wire.hear("")
    wire.think("Are you there?")
    wire.speak(("Are you there?", SECOND))
    assert kinds(wire.append(4 * SILENCE))[0] == "input_audio_buffer.timeout_triggered"


def test_nobody_is_idle_while_an_answer_is_made(wire: Wire) -> None:
    """However long the mind and the voice take."""
    wire.detect(idle_timeout_ms=500)
    wire.answer()
    wire.say("response.create")

    assert wire.append(5 * SILENCE) == []


def test_an_answer_that_was_cut_off_is_not_waited_for(wire: Wire) -> None:
    """Its audio is not played on: the silence counts at once."""
    wire.detect(idle_timeout_ms=500)
    answering(wire)
    wire.say("response.cancel")

    assert wire.append(SILENCE)[0]["audio_start_ms"] == 0


def test_after_an_interruption_the_silence_waits_for_the_next_answer(wire: Wire) -> None:
    """A turn that is open, or asked and not answered, is no silence."""
    wire.detect(idle_timeout_ms=500, create_response=False)
    wire.answer()

    assert kinds(wire.append(SECOND + 5 * SILENCE)) == TURN


def test_a_long_append_is_heard_in_steps(wire: Wire) -> None:
    """15 s at once give the others a turn every 96 ms of audio; refused, nothing of it is heard."""
    audio = b64encode(7 * SILENCE + SECOND + 7 * SILENCE).decode()
    steps = [wire.take(acts) for acts in wire.session.steps({"type": "input_audio_buffer.append", "audio": audio})]

    assert len(steps) == 157 + 1
    assert kinds([event for step in steps for event in step]) == [*TURN, "response.created"]
    broken = audio[:-4] + "!"
    assert refusal(wire.say("input_audio_buffer.append", audio=broken)) == ("invalid_value", "audio")


FULL = {"type": "server_error", "code": "server_is_overloaded", "message": "Please try again later."}


def test_a_turn_that_the_ear_has_no_time_for_fails_with_its_answer(wire: Wire) -> None:
    """The transcript fails, and so does the response that was made for it; the next turn is as any other."""
    wire.update(audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
    wire.append(SILENCE + SECOND + SILENCE)
    failed, done, *_ = wire.take(wire.session.unheard(wire.next(Hear).item_id, FULL))
    assert (failed["type"], failed["error"]["code"]) == (
        "conversation.item.input_audio_transcription.failed",
        FULL["code"],
    )
    assert (done["type"], done["response"]["status"]) == ("response.done", "failed")
    assert done["response"]["status_details"]["error"]["code"] == FULL["code"]
    wire.append(SECOND + SILENCE)
    wire.hear("Will I marry?")
    assert wire.next(Think).turns == (Turn("user", ""), Turn("user", "Will I marry?"))


def test_an_answer_asked_for_after_the_refusal_fails_likewise(wire: Wire) -> None:
    """Also when the ear was faster than the client; without transcription nothing is said of the transcript."""
    wire.update(audio={"input": {"turn_detection": None}})
    wire.clip()
    assert wire.take(wire.session.unheard(wire.next(Hear).item_id, FULL)) == []
    created, done, *_ = wire.say("response.create")
    assert [created["type"], done["type"]] == ["response.created", "response.done"]
    assert done["response"]["status_details"]["error"]["code"] == FULL["code"]
    wire.write("Then in writing: will I marry?")
    wire.say("response.create")
    assert wire.next(Think).turns[-1].text == "Then in writing: will I marry?"


def test_only_what_nobody_has_worked_for_may_be_refused(wire: Wire) -> None:
    """A typed turn that is answered aloud is fresh; one that was heard is not, nor is an answer in writing."""
    wire.update(audio={"input": {"turn_detection": None}})
    wire.write("Hello")
    wire.say("response.create")
    fresh = wire.next(Think)
    assert fresh.refusable
    wire.take(wire.session.fail(FULL, fresh.response_id))
    wire.clip()
    wire.say("response.create")
    wire.hear("hello")
    assert not wire.next(Think).refusable
    wire.say("response.cancel")
    wire.write("Hello")
    wire.say("response.create", response={"output_modalities": ["text"]})
    assert not wire.next(Think).refusable


def test_whoever_had_an_answer_is_in_a_call(wire: Wire) -> None:
    """Here, or on a connection before this one."""
    assert not wire.session.answered
    wire.write("Namaste.", role="assistant", content=[{"type": "output_text", "text": "Namaste."}])
    assert wire.session.answered
