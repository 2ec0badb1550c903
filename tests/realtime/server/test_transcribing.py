"""Sessions that only transcribe, how sure the ear is, and written answers piece by piece."""

from typing import Any

import pytest

from engine.ear.vad import Loudness
from realtime.server.acts import Hear, Think
from realtime.server.session import Session
from realtime.server.transcription import Transcript, joined
from tests.engine.stand_ins import Wire, kinds, refusal
from tests.kit.parts import SECOND
from tests.kit.shapes import check_server_event

COMPLETED = "conversation.item.input_audio_transcription.completed"
LOGPROBS = ["item.input_audio_transcription.logprobs"]


class Typist(Wire):
    """Drives a session that only transcribes."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session("", now=1_800_000_000, detector=Loudness, kind="transcription")
        self.sent, self.work = [], []
        self.take(self.session.begin())

    def set(self, **session: Any) -> list[dict[str, Any]]:
        return self.say("session.update", session={"type": "transcription", **session})


def test_a_session_that_transcribes_shows_its_input_alone() -> None:
    """It has no voice and no instructions, and transcribes before anybody asks for it."""
    wire = Typist()

    (created,) = wire.sent
    assert set(created["session"]) == {"type", "id", "object", "expires_at", "include", "audio"}
    assert created["session"]["object"] == "realtime.transcription_session"
    assert created["session"]["audio"]["input"]["transcription"] == {"model": "gpt-transcribe"}
    (updated,) = wire.set(audio={"input": {"transcription": {"model": "whisper-1", "language": "hi"}}}, include=None)
    assert updated["session"]["audio"]["input"]["transcription"] == {"model": "whisper-1", "language": "hi"}


def test_a_spoken_turn_is_written_and_not_answered() -> None:
    """Server VAD commits it; nothing is thought about."""
    wire = Typist()
    wire.append(SECOND + bytes(len(SECOND)))
    new = wire.hear("When will I marry?")

    assert new[-1]["transcript"] == "When will I marry?"
    assert not any(isinstance(act, Think) for act in wire.work)
    assert "response.created" not in kinds(wire.sent)
    assert refusal(wire.say("response.create")) == ("invalid_value", "type")


@pytest.mark.parametrize(("wire", "kind"), [(Typist(), "realtime"), (Wire(), "transcription")])
def test_a_session_stays_what_it_is(wire: Wire, kind: str) -> None:
    """One that transcribes does not begin to talk, and the other way round."""
    assert refusal(wire.say("session.update", session={"type": kind})) == ("invalid_value", "session.type")


def test_a_session_that_transcribes_has_no_voice() -> None:
    """What belongs to answers is unknown to it."""
    assert refusal(Typist().set(instructions="x")) == ("unknown_parameter", "session.instructions")
    assert refusal(Typist().set(audio={"output": {}})) == ("unknown_parameter", "session.audio.output")


def test_logprobs_come_to_who_asks_for_them() -> None:
    """For each word, with its bytes; joined, the tokens are the transcript."""
    wire = Typist()
    wire.set(include=LOGPROBS, audio={"input": {"turn_detection": None}})
    wire.clip()
    delta, completed = wire.take(wire.session.heard(wire.next(Hear).item_id, Transcript("नमस्ते, my friend", -0.25)))

    tokens = completed["logprobs"]
    assert delta["logprobs"] == tokens
    assert "".join(token["token"] for token in tokens) == completed["transcript"]
    assert [bytes(token["bytes"]).decode() for token in tokens] == ["नमस्ते,", " my", " friend"]
    assert {token["logprob"] for token in tokens} == {-0.25}


def test_nobody_else_sees_logprobs() -> None:
    """Without `include` they are left out."""
    wire = Typist()
    wire.set(audio={"input": {"turn_detection": None}})
    wire.clip()
    assert all("logprobs" not in event for event in wire.hear("Hello"))


def test_a_transcript_of_pieces_is_as_sure_as_they_are() -> None:
    """By the word; a piece without words says nothing."""
    whole = joined([Transcript("one two three", -0.1), "", Transcript("four", -0.5)])
    assert whole == "one two three four"
    assert whole.logprob == pytest.approx(-0.2)
    assert joined([]) == joined([""]) == ""


def test_a_written_answer_comes_in_several_deltas() -> None:
    """Joined, they are the text, to the last blank."""
    wire = Wire()
    wire.update(output_modalities=["text"])
    wire.say("response.create")
    text = "  The seventh house\nrules marriage, and  Venus is strong. "
    new = wire.think(text)

    deltas = [event["delta"] for event in new if event["type"] == "response.output_text.delta"]
    assert len(deltas) > 2
    assert "".join(deltas) == text
    assert next(event for event in new if event["type"] == "response.output_text.done")["text"] == text


def test_a_written_answer_ends_at_its_limit() -> None:
    """After the piece that goes beyond it."""
    wire = Wire()
    wire.say("response.create", response={"output_modalities": ["text"], "max_output_tokens": 5})
    new = wire.think("one two three " * 50)

    done = next(event for event in new if event["type"] == "response.done")["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("incomplete", "max_output_tokens")
    assert len(done["output"][0]["content"][0]["text"]) < 50


def test_no_effort_is_an_effort() -> None:
    """`reasoning.effort: none` is taken, by the session and by a response."""
    wire = Wire()
    acts = wire.session.receive(
        {"type": "session.update", "session": {"type": "realtime", "reasoning": {"effort": "none"}}}
    )
    assert [act.event["session"]["reasoning"] for act in acts] == [{"effort": "none"}]  # type: ignore[union-attr]
    acts = wire.session.receive({"type": "response.create", "response": {"reasoning": {"effort": "none"}}})
    check_server_event(acts[0].event)  # type: ignore[union-attr]
